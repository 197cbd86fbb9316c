public import History

/// A schedule's name, unique in its namespace.
public struct ScheduleID: StringIdentifier {
    public let value: String
    public init(_ value: String) { self.value = value }
}

/// What happens when a schedule's time has come while what it started before still runs.
/// Numbers are those of temporal.api.enums.v1.ScheduleOverlapPolicy.
public enum ScheduleOverlapPolicy: Int32, Hashable, Sendable, CaseIterable {
    case skip = 1
    case bufferOne = 2
    case bufferAll = 3
    case cancelOther = 4
    case terminateOther = 5
    case allowAll = 6
}

public struct SchedulePolicies: Hashable, Sendable {
    public var overlap: ScheduleOverlapPolicy
    /// Actions missed for longer than this are given up.
    public var catchupWindow: TimeSpan
    public var pausesOnFailure: Bool
    /// Every run gets the very workflow id of the action, without the time behind it.
    public var keepsWorkflowID: Bool

    public init(
        overlap: ScheduleOverlapPolicy = .skip, catchupWindow: TimeSpan = .days(365), pausesOnFailure: Bool = false,
        keepsWorkflowID: Bool = false
    ) {
        self.overlap = overlap
        self.catchupWindow = catchupWindow
        self.pausesOnFailure = pausesOnFailure
        self.keepsWorkflowID = keepsWorkflowID
    }

    public static let catchupWindowMin = TimeSpan.seconds(10)
}

/// The workflow that a schedule starts.
public struct ScheduledStart: Hashable, Sendable {
    /// Event 1 of every run, but for its ids and what each start adds.
    public var attributes: WorkflowExecutionStarted
    public var userMetadata: Blob?
    /// The action as it came, an encoded `NewWorkflowExecutionInfo`, to be shown again.
    public var info: Blob

    public init(attributes: WorkflowExecutionStarted, userMetadata: Blob? = nil, info: Blob) {
        self.attributes = attributes
        self.userMetadata = userMetadata
        self.info = info
    }
}

/// What the owner of a schedule says of it, all of which an update replaces.
public struct ScheduleDefinition: Hashable, Sendable {
    public var spec: ScheduleSpec
    public var action: ScheduledStart
    public var policies: SchedulePolicies
    public var notes: String
    public var isPaused: Bool
    public var isLimited: Bool
    /// How many actions it may still take by itself, when it is limited.
    public var remainingActions: Int64

    public init(
        spec: ScheduleSpec, action: ScheduledStart, policies: SchedulePolicies = SchedulePolicies(), notes: String = "",
        isPaused: Bool = false, isLimited: Bool = false, remainingActions: Int64 = 0
    ) {
        self.spec = spec
        self.action = action
        self.policies = policies
        self.notes = notes
        self.isPaused = isPaused
        self.isLimited = isLimited
        self.remainingActions = remainingActions
    }
}

/// A change that leaves the definition but for its pause.
public struct SchedulePatch: Hashable, Sendable {
    public struct Trigger: Hashable, Sendable {
        /// nil = the schedule's own.
        public var overlap: ScheduleOverlapPolicy?
        /// nil = now.
        public var scheduledTime: Timestamp?
        public init(overlap: ScheduleOverlapPolicy? = nil, scheduledTime: Timestamp? = nil) {
            self.overlap = overlap
            self.scheduledTime = scheduledTime
        }
    }

    public struct Backfill: Hashable, Sendable {
        public var start: Timestamp
        /// Included, like the start.
        public var end: Timestamp
        public var overlap: ScheduleOverlapPolicy?
        public init(start: Timestamp, end: Timestamp, overlap: ScheduleOverlapPolicy? = nil) {
            self.start = start
            self.end = end
            self.overlap = overlap
        }
    }

    public var trigger: Trigger?
    public var backfills: [Backfill]
    /// Pauses with this note; nil = does not.
    public var pause: String?
    public var unpause: String?

    public init(
        trigger: Trigger? = nil, backfills: [Backfill] = [], pause: String? = nil, unpause: String? = nil
    ) {
        self.trigger = trigger
        self.backfills = backfills
        self.pause = pause
        self.unpause = unpause
    }
}

/// The bounds of one schedule.
public struct ScheduleLimits: Hashable, Sendable {
    /// Actions that wait because another one runs.
    public var bufferedMax = 1000
    public var recentMax = 10
    public var futureMax = 10
    /// Backfills that have not been worked off yet.
    public var backfillsMax = 100
    /// Moments that are looked at before the state is stored.
    public var timesPerTurnMax = 1000
    /// Starts that are under way at once.
    public var startsAtOnceMax = 50
    /// Requests whose repetition is recognised.
    public var rememberedRequestsMax = 20
    public init() {}
}
