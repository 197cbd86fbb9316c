import Logging

/// Asks for tasks again and again: takes a slot, polls, hands the task on. One structured task; nothing sleeps while the
/// server holds the poll.
struct Poller: Sendable {
    /// What came of one poll.
    enum Outcome: Sendable {
        /// A task was handed on, and its slot with it.
        case task
        /// Nothing came in time.
        case empty
    }

    let slots: any SlotSupplier
    let life: WorkerLife
    let logger: Logger
    var clock: any Clock<Duration> = ContinuousClock()
    var backoff = WorkerOptions.pollBackoff
    var request = SlotRequest(kind: .workflow, taskQueue: "")
    /// Keeps the polls apart; nil is without limit.
    var limiter: RateLimiter?
    let poll: @Sendable () async throws(RPCFailure) -> Outcome

    /// Polls until the shutdown begins or the task is cancelled.
    ///
    /// An error that will not pass by itself is tolerated for a minute and then ends the worker. A server that answers
    /// "nothing" without waiting is treated like one that fails, so that it is not asked without pause.
    func run() async {
        var failures = 0
        var hasty = 0
        var fatalSince: ContinuousClock.Instant?
        while !life.isShuttingDown, await slots.reserve(request) {
            if let limiter, await !limiter.wait() {
                slots.release(request)
                return
            }
            let began = ContinuousClock.now
            do {
                let outcome = try await poll()
                failures = 0
                fatalSince = nil
                switch outcome {
                case .task: hasty = 0
                case .empty:
                    slots.release(request)
                    hasty = ContinuousClock.now - began < Self.hasty ? hasty + 1 : 0
                    if hasty > Self.hastyMax {
                        guard await pause(attempt: hasty - Self.hastyMax) else { return }
                    }
                }
            } catch {
                slots.release(request)
                if life.isShuttingDown || Task.isCancelled { return }
                // The poll's own deadline: nothing came.
                if error.code == .deadlineExceeded { continue }
                if error.code.endsPolling {
                    let since = fatalSince ?? .now
                    fatalSince = since
                    if ContinuousClock.now - since >= WorkerOptions.fatalPollErrorsMax {
                        life.shutDown(because: error)
                        return
                    }
                }
                failures += 1
                logger.warning("poll failed", metadata: ["error": "\(error)", "failures": "\(failures)"])
                guard await pause(attempt: failures) else { return }
            }
        }
    }

    /// - Returns: False when the task was cancelled meanwhile.
    private func pause(attempt: Int) async -> Bool {
        if life.isShuttingDown { return true }
        do {
            try await clock.sleep(for: backoff.delay(attempt: attempt))
            return true
        } catch {
            return false
        }
    }

    /// An empty answer faster than this did not wait for a task.
    private static let hasty = Duration.milliseconds(50)
    /// So many hasty answers in a row are let pass.
    private static let hastyMax = 3
}

extension RPCFailure.Code {
    /// Whether a poll with this answer will hardly ever succeed.
    fileprivate var endsPolling: Bool {
        switch self {
        case .invalidArgument, .notFound, .permissionDenied, .unimplemented, .unauthenticated: true
        case .cancelled, .unknown, .deadlineExceeded, .alreadyExists, .resourceExhausted, .failedPrecondition, .aborted,
            .outOfRange, .internalError, .unavailable, .dataLoss:
            false
        }
    }
}
