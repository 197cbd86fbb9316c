public import History

/// What a marker stands for; its reader knows the marker's payload, this module does not.
public enum MarkerMeaning: Hashable, Sendable {
    case patch(PatchMark)
    case localActivity(LocalActivityMark)

    /// Does a recorded marker mean what the code asked for?
    func agrees(with recorded: MarkerMeaning?) -> Bool {
        switch (self, recorded) {
        case (.patch(let asked), .patch(let found)): asked.id == found.id
        case (.localActivity(let asked), .localActivity(let found)):
            asked.number == found.number && asked.activityID == found.activityID
                && asked.activityType == found.activityType
        case (.patch, _), (.localActivity, _): false
        }
    }

    /// Does the event after the marker write the search attribute of changes?
    var setsAttribute: Bool {
        switch self {
        case .patch(let patch): patch.setsAttribute
        case .localActivity: false
        }
    }

    /// May the code go on without this marker?
    var isOptional: Bool {
        switch self {
        case .patch(let patch): patch.isDeprecated
        case .localActivity: false
        }
    }
}

extension MarkerMeaning: CustomStringConvertible {
    public var description: String {
        switch self {
        case .patch(let patch): patch.id
        case .localActivity(let activity): "local activity \(activity.activityID) of type \(activity.activityType)"
        }
    }
}

/// A change to the code that a run has taken.
public struct PatchMark: Hashable, Sendable {
    public var id: String
    /// A marker without which the code may go on.
    public var isDeprecated: Bool
    /// The search attribute of changes was written with it.
    public var setsAttribute: Bool

    public init(id: String, isDeprecated: Bool, setsAttribute: Bool = false) {
        self.id = id
        self.isDeprecated = isDeprecated
        self.setsAttribute = setsAttribute
    }
}

/// How a local activity ended.
public struct LocalActivityMark: Hashable, Sendable {
    /// Counts the activities of the run, local and other.
    public var number: Int
    public var activityID: ActivityID
    public var activityType: String
    /// The last attempt.
    public var attempt: Int32
    /// The how-manieth end of a local activity in its workflow task it was.
    public var activation: Int32?
    /// The workflow's time when it ended.
    public var completeTime: Timestamp?
    /// When it was asked for first, before any pause on a timer.
    public var originalScheduleTime: Timestamp?
    /// It failed and is to be tried again after a pause that is too long to keep a workflow task for.
    public var backoff: TimeSpan?
    public var result: Blob?
    /// nil when it completed.
    public var failure: Failure?

    public init(
        number: Int, activityID: ActivityID, activityType: String, attempt: Int32, activation: Int32? = nil,
        completeTime: Timestamp? = nil, originalScheduleTime: Timestamp? = nil, backoff: TimeSpan? = nil,
        result: Blob? = nil, failure: Failure? = nil
    ) {
        self.number = number
        self.activityID = activityID
        self.activityType = activityType
        self.attempt = attempt
        self.activation = activation
        self.completeTime = completeTime
        self.originalScheduleTime = originalScheduleTime
        self.backoff = backoff
        self.result = result
        self.failure = failure
    }
}
