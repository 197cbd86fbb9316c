/// Every bound of the engine by its name; reaching one is an early, named error (protocol.md section 6).
public struct Limits: Hashable, Sendable {
    public var identifierBytesMax = 1000
    public var blobBytesMax = 2 << 20
    public var blobBytesWarn = 512 << 10
    public var memoBytesMax = 2 << 20
    public var historyEventsMax = 51_200
    public var historyBytesMax = 50 << 20
    public var suggestContinueAsNewEvents = 4096
    public var suggestContinueAsNewBytes = 4 << 20
    public var pendingActivitiesMax = 2000
    public var pendingTimersMax = 10_000
    public var pendingChildrenMax = 2000
    /// Signals that other workflows have not answered yet.
    public var pendingExternalSignalsMax = 2000
    public var pendingExternalCancelsMax = 2000
    public var signalsPerRunMax = 10_000
    /// Updates of a run that are admitted or accepted and not completed.
    public var updatesInFlightMax = 10
    public var updatesPerRunMax = 2000
    /// The requests of updates that no worker has accepted yet, together.
    public var updateBytesInFlightMax = 20 << 20
    public var bufferedEventsMax = 100
    public var bufferedEventBytesMax = 2 << 20
    public var rememberedRequestsMax = 1000
    public var workflowTaskTimeoutDefault = TimeSpan.seconds(10)
    public var workflowTaskTimeoutMax = TimeSpan.seconds(120)
    public var historyPageEventsMax = 256
    public var visibilityPageMax = 1000
    /// Times that one question about a schedule is answered with.
    public var matchingTimesMax = 1000
    /// Back-off of workflow task attempts 4, 5, …: default timeout plus this, doubled each time.
    public var workflowTaskRetryBase = TimeSpan.seconds(5)
    public var workflowTaskRetryMax = TimeSpan.minutes(10)
    public var eagerActivitiesMax = 3
    /// A workflow that continues as new sooner than this after it began waits for the rest of it: no tight loops of runs.
    public var continueAsNewIntervalMin = TimeSpan.seconds(1)

    public init() {}
}
