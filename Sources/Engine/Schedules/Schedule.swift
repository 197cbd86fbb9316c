public import History

/// One schedule: what it is to do, how far it has come, what it started and what became of that.
///
/// A value that is told the time and asked for its wishes. Its shell stores it, then fulfils ``wishes``, then tells it what
/// came of them; a wish that was fulfilled when the process died is asked for again, and starts nothing twice because it
/// carries the same request id. Like a run, it is decided by one writer and never asks for the time itself.
public struct Schedule: Hashable, Sendable {
    /// An action whose time has come.
    public struct Due: Hashable, Sendable {
        public internal(set) var nominal: Timestamp
        /// With the jitter: when it was to start.
        public internal(set) var due: Timestamp
        public internal(set) var overlap: ScheduleOverlapPolicy
        /// Asked for by somebody: a pause or a limit does not hold it back.
        public internal(set) var isManual: Bool
        /// The same whenever this action is tried.
        public internal(set) var requestID: RequestID

        public init(
            nominal: Timestamp, due: Timestamp, overlap: ScheduleOverlapPolicy, isManual: Bool, requestID: RequestID
        ) {
            self.nominal = nominal
            self.due = due
            self.overlap = overlap
            self.isManual = isManual
            self.requestID = requestID
        }
    }

    /// What is done about a run so that the next one may start.
    public enum Stopping: UInt8, Hashable, Sendable {
        case no, cancel, terminate
        /// It has been asked to; it ends when it ends.
        case asked
    }

    /// A workflow that was started and has not closed for good.
    public struct Running: Hashable, Sendable {
        public internal(set) var workflow: WorkflowID
        /// The first run of its chain; retries and continued runs belong to it.
        public internal(set) var run: RunID
        public internal(set) var stopping = Stopping.no

        public init(workflow: WorkflowID, run: RunID) {
            self.workflow = workflow
            self.run = run
        }
    }

    public struct Recent: Hashable, Sendable {
        public internal(set) var nominal: Timestamp
        public internal(set) var actual: Timestamp
        public internal(set) var workflow: WorkflowID
        public internal(set) var run: RunID
        public internal(set) var status: WorkflowStatus

        public init(
            nominal: Timestamp, actual: Timestamp, workflow: WorkflowID, run: RunID, status: WorkflowStatus
        ) {
            self.nominal = nominal
            self.actual = actual
            self.workflow = workflow
            self.run = run
            self.status = status
        }
    }

    struct Backfilling: Hashable, Sendable {
        /// Times up to here are done.
        var done: Timestamp
        var end: Timestamp
        var overlap: ScheduleOverlapPolicy?
        var number: Int64
    }

    public internal(set) var namespace: NamespaceID
    public internal(set) var id: ScheduleID
    /// Tells it from an earlier schedule of the same name.
    public internal(set) var incarnation: String
    public internal(set) var definition: ScheduleDefinition
    /// Encoded `Memo` and `SearchAttributes`.
    public internal(set) var memo: Blob?
    public internal(set) var searchAttributes: Blob?
    public internal(set) var createTime: Timestamp
    public internal(set) var updateTime: Timestamp?
    /// Moves with every change that an update could overwrite.
    public internal(set) var conflictToken: Int64 = 1

    public internal(set) var actionCount: Int64 = 0
    public internal(set) var missedCatchupWindow: Int64 = 0
    public internal(set) var overlapSkipped: Int64 = 0
    public internal(set) var bufferDropped: Int64 = 0
    /// Oldest first.
    public internal(set) var recent: [Recent] = []
    public internal(set) var running: [Running] = []
    /// Waits until it may start.
    public internal(set) var buffered: [Due] = []
    /// Is being started.
    public internal(set) var starting: [Due] = []

    /// Nominal times up to here have been looked at.
    var processedUntil: Timestamp
    var backfills: [Backfilling] = []
    /// Manual actions so far, for their request ids.
    var manualCount: Int64 = 0
    var requests: [RequestID] = []
    public internal(set) var createRequestID: RequestID
    public internal(set) var lastResult: Blob?
    public internal(set) var lastFailure: Failure?

    public init(
        namespace: NamespaceID, id: ScheduleID, incarnation: String, definition: ScheduleDefinition, memo: Blob?,
        searchAttributes: Blob?, requestID: RequestID, at now: Timestamp
    ) {
        self.namespace = namespace
        self.id = id
        self.incarnation = incarnation
        self.definition = definition
        self.memo = memo
        self.searchAttributes = searchAttributes
        createRequestID = requestID
        createTime = now
        processedUntil = now
    }

    /// What tells the jitter of schedules apart.
    public var jitterSeed: String { "\(namespace)-\(id)" }

    var overlapByDefault: ScheduleOverlapPolicy { definition.policies.overlap }

    /// May it act by itself?
    var actsByItself: Bool {
        !definition.isPaused && !(definition.isLimited && definition.remainingActions <= 0)
    }

    /// Has it something to do that no time has to come for?
    public var isBusy: Bool {
        !running.isEmpty || !buffered.isEmpty || !starting.isEmpty || !backfills.isEmpty
    }
}
