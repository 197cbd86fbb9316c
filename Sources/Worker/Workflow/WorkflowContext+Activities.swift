import History
import Replay

extension WorkflowContext {
    /// Runs an activity and waits for its result.
    ///
    /// Start several at once with `async let` or a task group. When the waiting task is cancelled the activity is treated as
    /// ``ActivityOptions/cancellation`` says.
    ///
    /// - Parameters:
    ///   - name: The activity type.
    ///   - input: The argument; ``NoValue`` for none.
    ///   - returning: The type of the result, where it cannot be inferred.
    /// - Throws: ``ActivityFailure``; its ``ActivityFailure/cause`` says why. ``CanceledFailure`` when the task was cancelled
    ///   before the activity was asked for.
    public func executeActivity<Output: Decodable>(
        _ name: String, _ input: some Encodable, options: ActivityOptions, returning: Output.Type = Output.self
    ) async throws -> Output {
        try await core.intercepted(ActivityCall(activityType: name, arguments: [input], options: options))
            .value(Output.self)
    }

    /// Runs an activity whose result does not matter.
    public func executeActivity(_ name: String, _ input: some Encodable, options: ActivityOptions) async throws {
        _ = try await core.intercepted(ActivityCall(activityType: name, arguments: [input], options: options))
    }

    /// Runs an activity by its Swift type, and waits for its result.
    ///
    /// The activity may run in any worker; only its name and its types are used here.
    @discardableResult
    public func executeActivity<Activity: ActivityDefinition>(
        _ activity: Activity.Type, _ input: Activity.Input, options: ActivityOptions
    ) async throws -> Activity.Output {
        try await core.intercepted(ActivityCall(activityType: Activity.name, arguments: [input], options: options))
            .value(Activity.Output.self)
    }

    /// Runs an activity that takes several arguments, as other SDKs have them.
    public func executeActivity<Output: Decodable>(
        _ name: String, arguments: [any Encodable], options: ActivityOptions, returning: Output.Type = Output.self
    ) async throws -> Output {
        try await core.intercepted(ActivityCall(activityType: name, arguments: arguments, options: options))
            .value(Output.self)
    }
}

extension WorkflowCore {
    func runActivity(_ call: ActivityCall) async throws -> Blob? {
        try await admitWait()
        let (name, options) = (call.activityType, call.options)
        guard options.startToCloseTimeout != nil || options.scheduleToCloseTimeout != nil else {
            throw WorkflowMisuse("activity \(name) needs a start-to-close or a schedule-to-close timeout")
        }
        let future = machine.scheduleActivity(
            try command(name, call.arguments, options), cancellation: ActivityCancellation(options.cancellation),
            userMetadata: try options.summary.map(summaryMetadata))
        switch try await wait(for: future) {
        case .activityCompleted(let result): return result
        case .activityFailed(let end): throw failure(end, "Activity task failed")
        case .activityTimedOut(let end): throw failure(end, "Activity task timed out")
        case .activityCanceled(let end):
            let details = try end.details.map { try FailureDetails(wire: $0.bytes, converter: converter) } ?? .none
            throw failure(end, "Activity task canceled", cause: CanceledFailure(details: details))
        case .timerFired, .timerCanceled, .childStarted, .childStartFailed, .childEnded, .externalTold,
            .externalFailed, .externalCanceled, .localActivity:
            throw WorkflowMisuse("future \(future) is an activity")
        }
    }

    private func command(
        _ name: String, _ arguments: [any Encodable], _ options: ActivityOptions
    ) throws -> ScheduleActivityTask {
        let input = try converter.arguments(arguments)
        return ScheduleActivityTask(
            activityID: ActivityID(options.activityID ?? ""), activityType: name,
            taskQueue: TaskQueueName(options.taskQueue ?? info?.taskQueue ?? ""),
            header: options.header.isEmpty ? nil : Blob(Payload.wire(fields: options.header)),
            input: input.isEmpty ? nil : Blob(input),
            scheduleToCloseTimeout: options.scheduleToCloseTimeout.map(TimeSpan.init) ?? .zero,
            scheduleToStartTimeout: options.scheduleToStartTimeout.map(TimeSpan.init) ?? .zero,
            startToCloseTimeout: options.startToCloseTimeout.map(TimeSpan.init) ?? .zero,
            heartbeatTimeout: options.heartbeatTimeout.map(TimeSpan.init) ?? .zero,
            retryPolicy: options.retryPolicy.map(History.RetryPolicy.init),
            requestEagerExecution: options.taskQueue == nil || options.taskQueue == info?.taskQueue,
            priority: options.wirePriority)
    }

    private func failure(_ end: ActivityEnd, _ message: String, cause: (any Error)? = nil) -> ActivityFailure {
        ActivityFailure(
            message, activityType: end.activityType, activityID: end.activityID.value,
            scheduledEventID: end.scheduledEventID.value, startedEventID: end.startedEventID.value,
            identity: end.identity,
            retryOutcome: RetryOutcome(rawValue: end.retryState?.rawValue ?? 0) ?? .unspecified,
            cause: cause ?? end.failure.map(error))
    }

    /// A recorded failure as the error it was.
    func error(for failure: Failure) -> any Error {
        switch failure {
        case .opaque(let bytes, _): return converter.error(fromFailure: bytes.bytes)
        case .timeout(let message, let type, let details, let cause):
            let heartbeat = details.flatMap { try? FailureDetails(wire: $0.bytes, converter: converter) } ?? .none
            return TimeoutFailure(
                message, kind: TimeoutFailure.Kind(rawValue: type.rawValue) ?? .unspecified,
                lastHeartbeatDetails: heartbeat,
                cause: cause.map(error))
        case .server(let message, let nonRetryable): return ServerFailure(message, isNonRetryable: nonRetryable)
        case .reset(let message): return ResetWorkflowFailure(message)
        }
    }

    /// `temporal.api.sdk.v1.UserMetadata` with a summary.
    func summaryMetadata(_ summary: String) throws -> Blob {
        Blob(try converter.userMetadata(summary: summary, details: nil))
    }
}

extension ActivityCancellation {
    init(_ cancellation: ActivityOptions.Cancellation) {
        switch cancellation {
        case .tryCancel: self = .tryCancel
        case .waitCompleted: self = .waitCompleted
        case .abandon: self = .abandon
        }
    }
}

extension History.RetryPolicy {
    init(_ policy: RetryPolicy) {
        self.init(
            initialInterval: TimeSpan(policy.initialInterval), backoffCoefficient: policy.backoffCoefficient,
            maximumInterval: policy.maximumInterval.map(TimeSpan.init) ?? .zero,
            maximumAttempts: Int32(clamping: policy.maximumAttempts ?? 0),
            nonRetryableErrorTypes: policy.nonRetryableErrorTypes)
    }
}

extension ActivityOptions {
    var wirePriority: Priority? {
        guard priority != nil || fairnessKey != nil || fairnessWeight != nil else { return nil }
        return Priority(
            key: Int32(clamping: priority ?? 0), fairnessKey: fairnessKey ?? "", fairnessWeight: fairnessWeight ?? 0)
    }
}
