import Foundation
import Replay

/// One local activity on its way to be run, with all its attempts.
struct LocalActivityTask: Sendable {
    let desk: LocalActivityDesk
    let future: FutureID
    /// The first attempt; those after it change `attempt`.
    let info: ActivityInfo
    let input: [UInt8]
    let header: [String: Payload]
    let options: LocalActivityOptions
}

/// Runs local activities: attempts, short pauses between them, time limits. Their ends go to their desks.
struct LocalActivityRunner: Sendable {
    let executor: ActivityExecutor
    let slots: any SlotSupplier
    let life: WorkerLife
    var clock: any Clock<Duration> = ContinuousClock()

    private enum Pause { case over, stopped(ActivityStopReason) }

    /// Runs the activity until it has succeeded, failed for good, or must pause for long.
    func run(_ task: LocalActivityTask) async {
        let began = ContinuousClock.now
        var info = task.info
        var outcome: LocalActivityEnd.Outcome
        while true {
            outcome = await attempt(task, info, elapsed: began.duration(to: .now))
            guard case .failed(let error, _) = outcome,
                let pause = pause(after: error, info, task.options, elapsed: began.duration(to: .now))
            else { break }
            guard pause <= task.options.localRetryThreshold else {
                outcome = .failed(error, backoff: pause)
                break
            }
            if case .stopped(let reason) = await wait(pause, task) {
                outcome = reason == .requested ? .canceled(CanceledFailure("Activity canceled")) : .abandoned
                break
            }
            info.attempt += 1
        }
        task.desk.finish(
            task.future,
            LocalActivityEnd(outcome: outcome, attempt: info.attempt, elapsed: began.duration(to: .now)))
    }

    private func attempt(
        _ task: LocalActivityTask, _ info: ActivityInfo, elapsed: Duration
    ) async -> LocalActivityEnd.Outcome {
        let request = SlotRequest(kind: .localActivity, taskQueue: info.taskQueue)
        if let limit = task.options.scheduleToStartTimeout {
            guard await Self.reserve(slots, request, within: limit, clock) else {
                return .failed(TimeoutFailure("activity ScheduleToStart timeout", kind: .scheduleToStart), backoff: nil)
            }
        } else {
            guard await slots.reserve(request) else { return .abandoned }
        }
        defer { slots.release(request) }
        let control = task.desk.begin(task.future)
        let id = life.add(control)
        defer { life.remove(id) }
        var info = info
        // By the workflow's clock, which need not be this machine's.
        info.startedTime = info.attemptScheduledTime.addingTimeInterval(elapsed.inSeconds)
        let outcome = await executor.execute(
            info, input: task.input, header: task.header, heartbeatDetails: .none, control: control, heartbeats: nil)
        switch outcome {
        case .completed(let result): return .completed(result)
        case .failed(let error):
            switch control.cancellation {
            case .requested where error.isCancellation: return .canceled(error)
            case .timedOut where error.isCancellation:
                return .failed(TimeoutFailure("activity StartToClose timeout", kind: .startToClose), backoff: nil)
            case .workerShutdown where error.isCancellation, .notFound: return .abandoned
            case .requested, .timedOut, .workerShutdown, .paused, .reset, nil:
                guard error is ActivityCompletesLater else { return .failed(error, backoff: nil) }
                return .failed(
                    ApplicationFailure(
                        "a local activity cannot complete later", type: "NotSupported", isNonRetryable: true),
                    backoff: nil)
            }
        }
    }

    /// Takes a slot unless the time is over first.
    private static func reserve(
        _ slots: any SlotSupplier, _ request: SlotRequest, within limit: Duration, _ clock: any Clock<Duration>
    ) async -> Bool {
        await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await slots.reserve(request) }
            group.addTask {
                try? await clock.sleep(for: limit)
                return nil
            }
            var isReserved = false
            while let answer = await group.next() {
                group.cancelAll()
                isReserved = isReserved || answer == true
            }
            return isReserved
        }
    }

    private func wait(_ pause: Duration, _ task: LocalActivityTask) async -> Pause {
        let control = task.desk.begin(task.future)
        let id = life.add(control)
        defer { life.remove(id) }
        return await withTaskGroup(of: Pause.self) { group in
            group.addTask {
                try? await clock.sleep(for: pause)
                return .over
            }
            group.addTask {
                for await reason in control.stops { return .stopped(reason) }
                return .over
            }
            let first = await group.next() ?? .over
            group.cancelAll()
            return control.cancellation.map(Pause.stopped) ?? first
        }
    }

    /// How long to wait before the next attempt; nil when there is none.
    private func pause(
        after error: any Error, _ info: ActivityInfo, _ options: LocalActivityOptions, elapsed: Duration
    ) -> Duration? {
        let policy = options.retryPolicy ?? RetryPolicy()
        if let most = policy.maximumAttempts, most > 0, info.attempt >= most { return nil }
        var pause = policy.pause(after: info.attempt)
        switch DataConverter.temporalFailure(for: error) {
        case let failure as ApplicationFailure:
            if failure.isNonRetryable || policy.nonRetryableErrorTypes.contains(failure.type) { return nil }
            pause = failure.nextRetryDelay ?? pause
        case let failure as TimeoutFailure:
            guard failure.kind == .startToClose else { return nil }
        case is CanceledFailure, is TerminatedFailure: return nil
        case let failure as ServerFailure where failure.isNonRetryable: return nil
        default: break
        }
        if let total = options.scheduleToCloseTimeout {
            let before = Duration.seconds(info.attemptScheduledTime.timeIntervalSince(info.scheduledTime))
            if before + elapsed + pause >= total { return nil }
        }
        return pause
    }
}

extension RetryPolicy {
    /// The pause after so many failed attempts.
    func pause(after attempts: Int) -> Duration {
        let cap = maximumInterval ?? initialInterval * 100
        return RetryBackoff(base: initialInterval, factor: backoffCoefficient, cap: cap).bound(attempt: attempts)
    }
}
