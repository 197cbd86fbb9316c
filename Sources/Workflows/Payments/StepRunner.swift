import Activities
import Foundation
import Worker

/// Runs steps for a payment workflow: holds while paused, keeps the progress, names failures.
///
/// Used only on the run's own executor.
final class StepRunner: @unchecked Sendable {
    let context: WorkflowContext
    let provider: String
    var policy = PaymentPolicy()
    var progress = PaymentProgress()
    var isPaused = false
    /// While money is only authorized: when that lapses.
    var authorizationEnds: Date?
    /// What a person settled, by step.
    var resolutions: [String: CompensationResolution] = [:]
    private var announced: Set<String> = []

    init(context: WorkflowContext, provider: String) {
        self.context = context
        self.provider = provider
        self.progress.workflowID = context.info.workflowID
    }

    var now: Double { self.context.now.timeIntervalSince1970 }

    /// Runs a step forward.
    func run<Input: Encodable & Sendable, Output: Decodable>(
        _ step: PaymentStep, _ input: Input, returning: Output.Type = Output.self
    ) async throws -> Output {
        try await self.holdWhilePaused()
        self.progress.begin(step.rawValue, at: self.now)
        do {
            let output: Output = try await self.call(step, input)
            self.progress.end(step.rawValue, at: self.now)
            return output
        } catch {
            self.progress.end(step.rawValue, at: self.now, error: (error as? StepFailure)?.code ?? "canceled")
            throw error
        }
    }

    /// Calls an activity; its failure comes as a ``StepFailure``, or as a cancellation.
    private func call<Input: Encodable & Sendable, Output: Decodable>(
        _ step: PaymentStep, _ input: Input
    ) async throws -> Output {
        do {
            return try await self.context.executeActivity(
                step.rawValue, input, options: step.options(provider: self.provider), returning: Output.self)
        } catch let failure as ActivityFailure {
            switch failure.cause {
            case let cause as ApplicationFailure:
                throw StepFailure(
                    code: cause.type, message: cause.message,
                    decline: cause.details.isEmpty ? nil : try? cause.details.value(EffectFailure.Decline.self))
            case is TimeoutFailure: throw StepFailure(code: "Timeout", message: "\(step.rawValue) ran out of time")
            case is CanceledFailure: throw CanceledFailure()
            default: throw StepFailure(code: "Server", message: failure.message)
            }
        }
    }

    /// Pause holds before the next side effect; an authorization does not wait for ever.
    func holdWhilePaused() async throws {
        guard self.isPaused else { return }
        let before = self.progress.status
        self.progress.status = .paused
        defer { self.progress.status = before }
        guard let ends = self.authorizationEnds else {
            return try await self.context.waitCondition { !self.isPaused }
        }
        let left = Duration.seconds(max(0, ends.timeIntervalSince(self.context.now)))
        guard try await self.context.waitCondition(timeout: left, { !self.isPaused }) else {
            throw StepFailure(code: "AuthExpired", message: "paused until the authorization lapsed")
        }
    }

    /// Waits for something, and shows it in the progress.
    ///
    /// - Returns: false when the time passed.
    func wait(
        _ kind: PaymentProgress.Wait.Kind, _ name: String, seconds: Double, until condition: @escaping () -> Bool
    ) async throws -> Bool {
        let before = self.progress.status
        self.progress.status = .waiting
        self.progress.waitingFor = PaymentProgress.Wait(kind: kind, name: name, until: self.now + seconds)
        defer {
            self.progress.status = before
            self.progress.waitingFor = nil
        }
        guard seconds > 0 else { return condition() }
        return try await self.context.waitCondition(timeout: .seconds(seconds), condition)
    }

    /// Undoes a step, however long it takes; out of reach of cancellation (the saga shields it).
    ///
    /// - Parameter body: One round of tries; its argument is the generation, which grows when a round is known to have had no effect.
    func undo(_ name: String, _ body: @escaping (Int) async throws -> Void) async throws {
        self.progress.status = .compensating
        async let _ = self.alarm(name)  // ends with the scope
        var attempts = 0
        var generation = 0
        var round = 0
        while self.resolutions[name] == nil {
            do {
                try await body(generation)
                break
            } catch let failure as StepFailure {
                attempts += failure.isUnresolved ? PaymentStep.attemptsPerRound : 1
                if !failure.isUnresolved || failure.code == "Unresolved" { generation += 1 }
                if attempts >= self.policy.stuckAttempts { await self.announce(name, attempts: attempts) }
                let bound = min(
                    self.policy.compensationCapSeconds,
                    self.policy.compensationBaseSeconds * Double(1 << min(round, 20)))
                round += 1
                var random = self.context.random
                let pause = Duration.milliseconds(Int64.random(in: 0...max(1, Int64(bound * 1000)), using: &random))
                _ = try await self.context.waitCondition(timeout: pause) { self.resolutions[name] != nil }
            }
        }
    }

    /// Speaks up when a compensation takes too long.
    private func alarm(_ name: String) async {
        do {
            try await self.context.sleep(for: .seconds(self.policy.stuckSeconds), summary: "stuck: \(name)")
        } catch {
            return
        }
        await self.announce(name, attempts: 0)
    }

    private func announce(_ name: String, attempts: Int) async {
        guard self.announced.insert(name).inserted else { return }
        let input = StuckInput(paymentID: self.progress.operationID, step: name, attempts: attempts)
        do {
            let _: Done = try await self.call(.announceStuck, input)
        } catch {
            self.announced.remove(name)
        }
    }
}
