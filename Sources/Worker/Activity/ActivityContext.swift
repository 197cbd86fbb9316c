public import Logging
import Synchronization

/// Why a running attempt should stop.
public enum ActivityStopReason: Hashable, Sendable {
    /// The workflow asked for it.
    case requested
    /// The server no longer knows the attempt: its workflow ended, or a time limit passed there.
    case notFound
    /// A time limit of the attempt passed here.
    case timedOut
    /// The worker is going down and its grace period is over.
    case workerShutdown
    /// An operator paused the activity.
    case paused
    /// An operator reset the activity; it will begin again.
    case reset
}

/// What an attempt may use of the library: who it is, heartbeats, cancellation, a logger.
///
/// A value; pass it on or find it in ``current``.
public struct ActivityContext: Sendable {
    /// The attempt that runs in the current task, if any.
    @TaskLocal public static var current: ActivityContext?

    public let info: ActivityInfo
    /// The headers with which the activity was asked for.
    public let header: [String: Payload]
    /// A client of the worker's namespace; nil in tests that have none.
    public let client: WorkflowClient?
    /// Carries workflow, run, activity and attempt as metadata.
    public let logger: Logger
    /// When the attempt has to be over; pass it on to everything it calls.
    public let deadline: ContinuousClock.Instant?
    /// Turns payloads into values, with the worker's codec.
    public let converter: DataConverter
    private let previousDetails: FailureDetails
    let control: ActivityControl
    private let interceptors: [any WorkerInterceptor]

    init(
        info: ActivityInfo, header: [String: Payload] = [:], logger: Logger, converter: DataConverter,
        previousDetails: FailureDetails, control: ActivityControl, interceptors: [any WorkerInterceptor] = [],
        client: WorkflowClient? = nil
    ) {
        self.info = info
        self.header = header
        self.interceptors = interceptors
        self.client = client
        self.logger = logger
        self.converter = converter
        self.previousDetails = previousDetails
        self.control = control
        self.deadline = info.timeAllowed.map { ContinuousClock.now + $0 }
    }

    /// How long the attempt may still take; nil is without limit.
    public var timeRemaining: Duration? { deadline.map { $0 - ContinuousClock.now } }

    /// Tells the server that the attempt is alive, with details for the next attempt should this one fail.
    ///
    /// Cheap and safe to call often: at most one report in 0.8 of the heartbeat timeout goes out, with the newest details. The
    /// server's answer is the only way a cancellation reaches the attempt; it then cancels the attempt's task.
    public func heartbeat(_ details: any Encodable & Sendable...) { heartbeat(details, from: 0) }

    private func heartbeat(_ details: [any Encodable & Sendable], from index: Int) {
        guard index < interceptors.count else { return control.heartbeat(details) }
        interceptors[index].heartbeat(details, self) { heartbeat($0, from: index + 1) }
    }

    /// What the previous attempt reported last.
    ///
    /// - Returns: Nil when there is none at this position.
    /// - Throws: ``ConversionFailure`` when it is of another type.
    public func heartbeatDetails<Value: Decodable>(_ type: Value.Type = Value.self, at position: Int = 0) throws
        -> Value?
    {
        guard position < previousDetails.count else { return nil }
        return try previousDetails.value(type, at: position)
    }

    /// Why the attempt should stop; nil while it should not.
    public var cancellation: ActivityStopReason? { control.cancellation }

    /// - Throws: `CancellationError` when the attempt should stop.
    public func checkCancellation() throws {
        if cancellation != nil { throw CancellationError() }
    }
}

/// The state that an attempt, its heartbeats and the worker share.
final class ActivityControl: Sendable {
    private struct State {
        var newest: FailureDetails?
        var unsent = false
        var cancellation: ActivityStopReason?
    }
    private let state = Mutex(State())
    /// Says that there is something to report; several wishes are one.
    let heartbeats: AsyncStream<Void>
    private let heartbeatWish: AsyncStream<Void>.Continuation
    /// Says that the attempt should stop.
    let stops: AsyncStream<ActivityStopReason>
    private let stopWish: AsyncStream<ActivityStopReason>.Continuation

    init() {
        (heartbeats, heartbeatWish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        (stops, stopWish) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func heartbeat(_ details: [any Encodable & Sendable]) {
        state.withLock {
            $0.newest = FailureDetails(details)
            $0.unsent = true
        }
        heartbeatWish.yield()
    }

    /// The newest details, once each.
    func takeUnsent() -> FailureDetails? {
        state.withLock { state in
            guard state.unsent else { return nil }
            state.unsent = false
            return state.newest
        }
    }

    /// The newest details, sent or not.
    var newestDetails: FailureDetails? { state.withLock { $0.newest } }

    /// The first reason wins.
    func stop(_ reason: ActivityStopReason) {
        let isFirst = state.withLock { state in
            guard state.cancellation == nil else { return false }
            state.cancellation = reason
            return true
        }
        if isFirst { stopWish.yield(reason) }
    }

    var cancellation: ActivityStopReason? { state.withLock { $0.cancellation } }
}
