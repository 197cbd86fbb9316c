import Synchronization
public import Worker

/// Runs the code of an activity alone, without a server: what it gets as context is made up, its heartbeats are kept, and the
/// test can cancel it.
///
/// ```swift
/// let environment = ActivityTestEnvironment()
/// let receipt = try await environment.run(Authorize(bank: bank), order)
/// #expect(environment.heartbeats.count == 2)
/// ```
public final class ActivityTestEnvironment: Sendable {
    private let attempt: Int
    private let converter: DataConverter
    private let details: FailureDetails
    private let interceptors: [any WorkerInterceptor]
    private let beats = Mutex<[[any Encodable & Sendable]]>([])
    private let stopper = ActivityStopper()

    /// - Parameters:
    ///   - attempt: Which attempt the activity believes to be.
    ///   - previousDetails: What the attempt before it is said to have reported.
    public init(
        attempt: Int = 1, previousDetails: [any Encodable & Sendable] = [], converter: DataConverter = .default,
        interceptors: [any WorkerInterceptor] = []
    ) {
        self.attempt = attempt
        self.converter = converter
        self.interceptors = interceptors
        details = FailureDetails(previousDetails)
    }

    /// What the activity reported, report by report.
    public var heartbeats: [[any Encodable & Sendable]] { beats.withLock { $0 } }

    /// Tells the running activity to stop; its task is cancelled.
    public func cancel(_ reason: ActivityStopReason = .requested) { stopper.stop(reason) }

    /// Runs one attempt of an activity.
    ///
    /// - Throws: What the activity throws.
    public func run<Activity: ActivityDefinition>(
        _ activity: Activity, _ input: Activity.Input
    ) async throws -> Activity.Output {
        try await run(RegisteredActivity(activity), input, returning: Activity.Output.self)
    }

    /// Runs one attempt of an activity that is registered by name.
    public func run<Output: Decodable>(
        _ activity: RegisteredActivity, _ input: any Encodable & Sendable, returning: Output.Type = Output.self
    ) async throws -> Output {
        let probe = AttemptProbe { details in self.beats.withLock { $0.append(details) } }
        let result = try await stopper.attempt(
            activity, EncodedValues([input], converter: converter), attempt: attempt, previousDetails: details,
            interceptors: interceptors + [probe])
        return try result.value(Output.self)
    }
}

/// Keeps heartbeats instead of sending them.
private struct AttemptProbe: WorkerInterceptor {
    let keep: @Sendable ([any Encodable & Sendable]) -> Void

    func heartbeat(
        _ details: [any Encodable & Sendable], _ context: ActivityContext,
        next: @Sendable ([any Encodable & Sendable]) -> Void
    ) { keep(details) }
}
