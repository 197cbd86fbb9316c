/// Proves that an answer belongs to the workflow task that is being worked on now.
public struct WorkflowTaskToken: Hashable, Sendable {
    public var run: RunKey
    public var scheduledEventID: EventID
    public var startedEventID: EventID
    public var attempt: Int32
    /// The id of the poll that took the task; a task handed out anew has another.
    public var requestID: RequestID

    public init(run: RunKey, scheduledEventID: EventID, startedEventID: EventID, attempt: Int32, requestID: RequestID) {
        self.run = run
        self.scheduledEventID = scheduledEventID
        self.startedEventID = startedEventID
        self.attempt = attempt
        self.requestID = requestID
    }
}

/// Proves that an answer belongs to the attempt of the activity that is running now.
public struct ActivityTaskToken: Hashable, Sendable {
    public var run: RunKey
    public var scheduledEventID: EventID
    public var activityID: ActivityID
    public var attempt: Int32
    /// Moves when the attempt is withdrawn (retry, reset, options changed).
    public var stamp: Int32

    public init(run: RunKey, scheduledEventID: EventID, activityID: ActivityID, attempt: Int32, stamp: Int32) {
        self.run = run
        self.scheduledEventID = scheduledEventID
        self.activityID = activityID
        self.attempt = attempt
        self.stamp = stamp
    }
}
