import Foundation
import History
import Replay

extension WorkflowContext {
    /// Runs an activity in this worker, inside the workflow task, and waits for its result.
    ///
    /// The result is kept as a marker of the history, so that it is not run again when the code is replayed. While it runs the
    /// workflow task is kept alive; a pause between attempts that is longer than
    /// ``LocalActivityOptions/localRetryThreshold`` becomes a timer.
    ///
    /// - Throws: ``ActivityFailure``; its ``ActivityFailure/cause`` says why.
    public func executeLocalActivity<Output: Decodable>(
        _ name: String, _ input: some Encodable, options: LocalActivityOptions, returning: Output.Type = Output.self
    ) async throws -> Output {
        try await core.intercepted(LocalActivityCall(activityType: name, arguments: [input], options: options))
            .value(Output.self)
    }

    /// Runs a local activity whose result does not matter.
    public func executeLocalActivity(
        _ name: String, _ input: some Encodable, options: LocalActivityOptions
    ) async throws {
        _ = try await core.intercepted(LocalActivityCall(activityType: name, arguments: [input], options: options))
    }

    /// Runs a local activity by its Swift type; this worker must have it.
    @discardableResult
    public func executeLocalActivity<Activity: ActivityDefinition>(
        _ activity: Activity.Type, _ input: Activity.Input, options: LocalActivityOptions
    ) async throws -> Activity.Output {
        try await core.intercepted(
            LocalActivityCall(activityType: Activity.name, arguments: [input], options: options)
        ).value(Activity.Output.self)
    }
}

/// A local activity that the code waits for.
struct OpenLocalActivity {
    let name: LocalActivityName
    let call: LocalActivityCall
    let input: [UInt8]
    let attempt: Int
    let scheduledTime: Timestamp
    let originalScheduleTime: Timestamp
    /// Somebody runs it.
    var isRunning = false
}

extension WorkflowCore {
    func runLocalActivity(_ call: LocalActivityCall) async throws -> Blob? {
        let options = call.options
        guard options.startToCloseTimeout != nil || options.scheduleToCloseTimeout != nil else {
            throw WorkflowMisuse(
                "local activity \(call.activityType) needs a start-to-close or a schedule-to-close timeout")
        }
        var attempt = 1
        var original: Timestamp?
        while true {
            try await admitWait()
            let input = try converter.arguments(call.arguments)
            let (future, name) = machine.startLocalActivity(
                call.activityType, id: ActivityID(options.activityID ?? ""))
            localActivities[future] = OpenLocalActivity(
                name: name, call: call, input: input, attempt: attempt, scheduledTime: now,
                originalScheduleTime: original ?? now)
            guard case .localActivity(let mark) = try await wait(for: future) else {
                throw WorkflowMisuse("future \(future) is a local activity")
            }
            if let backoff = mark.backoff {
                try await sleep(backoff, summary: nil)
                attempt = Int(mark.attempt) + 1
                original = mark.originalScheduleTime
                continue
            }
            guard let failure = mark.failure else { return mark.result }
            throw localFailure(error(for: failure), mark)
        }
    }

    private func localFailure(_ cause: any Error, _ mark: LocalActivityMark) -> any Error {
        if cause is ActivityFailure { return cause }
        return ActivityFailure(
            cause.isCancellation ? "Activity task canceled" : "Activity task failed", activityType: mark.activityType,
            activityID: mark.activityID.value, scheduledEventID: 0, startedEventID: 0, identity: "",
            retryOutcome: .unspecified, cause: cause)
    }

    // MARK: Ends

    var hasOpenLocalActivities: Bool { !localActivities.isEmpty }

    /// The local activities that nobody runs yet, in the order in which they were asked for; they count as running from now on.
    func takeNewLocalActivities() -> [(future: FutureID, activity: OpenLocalActivity)] {
        let new = localActivities.keys.sorted().compactMap { future in
            localActivities[future].flatMap { $0.isRunning ? nil : (future, $0) }
        }
        for (future, _) in new { localActivities[future]?.isRunning = true }
        return new
    }

    /// A local activity has ended: records it and runs the workflow as far as it goes.
    func end(_ future: FutureID, _ end: LocalActivityEnd) {
        guard let open = localActivities[future] else { return }
        var mark = LocalActivityMark(
            number: open.name.number, activityID: open.name.activityID, activityType: open.name.activityType,
            attempt: Int32(clamping: end.attempt), activation: localActivityEnds + 1,
            completeTime: open.scheduledTime.advanced(by: TimeSpan(end.elapsed)),
            originalScheduleTime: open.originalScheduleTime)
        switch end.outcome {
        case .completed(let result): mark.result = Blob(result)
        case .failed(let error, let backoff):
            mark.failure = recorded(error)
            mark.backoff = backoff.map(TimeSpan.init)
        case .canceled(let error): mark.failure = recorded(error)
        case .abandoned: return
        }
        executor.occupy { take(mark, future) }
    }

    /// A marker of the history says how a local activity ended. Call it inside ``DeterministicExecutor/occupy(_:)``.
    ///
    /// What the code itself has ended by a cancellation is left alone; what it never asked for shows when commands are compared.
    func replayLocalActivity(_ mark: LocalActivityMark) {
        guard let future = machine.openLocalActivity(numbered: mark.number) else { return }
        take(mark, future)
    }

    private func take(_ mark: LocalActivityMark, _ future: FutureID) {
        localActivities[future] = nil
        localActivityEnds += 1
        if let time = mark.completeTime { now = max(now, time) }
        guard let resolution = machine.endLocalActivity(mark, marker: Self.marker(for: mark)) else { return }
        resolve(future, resolution)
        settle()
    }

    /// Nobody waits for this future any more.
    /// - Returns: What the waiter learns now; nil when it must wait on.
    func cancel(_ future: FutureID) -> Resolution? {
        guard let open = localActivities[future] else { return machine.cancel(future) }
        switch open.call.options.cancellation {
        case .waitCompleted:
            desk.stop(future)
            return nil
        case .tryCancel: desk.stop(future)
        case .abandon: break
        }
        localActivities[future] = nil
        let mark = LocalActivityMark(
            number: open.name.number, activityID: open.name.activityID, activityType: open.name.activityType,
            attempt: Int32(clamping: open.attempt), completeTime: now, originalScheduleTime: open.originalScheduleTime,
            failure: recorded(CanceledFailure("Activity canceled")))
        return machine.endLocalActivity(mark, marker: Self.marker(for: mark))
    }

    private func recorded(_ error: any Error) -> Failure {
        .opaque(Blob(converter.failure(for: error)), traits: FailureTraits())
    }
}
