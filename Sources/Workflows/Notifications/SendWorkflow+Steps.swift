import Activities
import Worker

/// Calling activities and waiting, with the progress kept.
extension SendWorkflow {
    func call<Input: Encodable & Sendable, Output: Decodable>(
        _ step: NotificationStep, _ input: Input, returning: Output.Type = Output.self
    ) async throws -> Output {
        guard let context, let request else { throw CanceledFailure() }
        self.progress.begin(step.name, at: self.now)
        self.progress.phase = self.state.rawValue
        do {
            let output: Output =
                switch step.place {
                case .worker(let options):
                    try await context.executeLocalActivity(step.name, input, options: options, returning: Output.self)
                case .queue(let queue):
                    try await context.executeActivity(
                        step.name, input, options: step.options(request, queue: queue), returning: Output.self)
                }
            self.progress.end(step.name, at: self.now)
            return output
        } catch let failure as ActivityFailure {
            self.progress.end(step.name, at: self.now, error: "\(failure.message)")
            switch failure.cause {
            case is CanceledFailure: throw CanceledFailure()
            case let cause as ApplicationFailure:
                throw ApplicationFailure(cause.message, type: cause.type, isNonRetryable: true)
            default: throw failure
            }
        }
    }

    /// A state on the way, with its event.
    func mark(_ state: NotificationState, reason: String, until: Double?) async throws {
        guard let request else { return }
        self.marks += 1
        self.state = state
        let _: Done = try await self.call(
            .mark, MarkInput(request: request, state: state, reason: reason, until: until, index: self.marks))
    }

    /// Pause holds before the next side effect.
    func holdWhilePaused() async throws {
        guard self.isPaused, let context else { return }
        let before = self.progress.status
        self.progress.status = .paused
        defer { self.progress.status = before }
        try await context.waitCondition { !self.isPaused || self.cancelReason != nil }
    }

    /// Waits for a condition until a time, and shows it in the progress.
    ///
    /// - Returns: false when the time came first.
    func wait(
        _ kind: OperationProgress.Wait.Kind, _ name: String, until: Double, _ condition: @escaping () -> Bool
    ) async throws -> Bool {
        guard let context else { return false }
        let before = self.progress.status
        self.progress.status = .waiting
        self.progress.waitingFor = OperationProgress.Wait(kind: kind, name: name, until: until)
        defer {
            self.progress.status = before
            self.progress.waitingFor = nil
        }
        let left = until - self.now
        guard left > 0 else { return condition() }
        return try await context.waitCondition(timeout: .seconds(left), condition)
    }
}
