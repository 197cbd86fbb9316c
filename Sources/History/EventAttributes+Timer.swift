/// Event 17: fires at the event's time plus the timeout, never earlier.
public struct TimerStarted: Hashable, Sendable {
    public var timerID: TimerID
    public var startToFireTimeout: TimeSpan
    public var workflowTaskCompletedEventID: EventID

    public init(timerID: TimerID, startToFireTimeout: TimeSpan, workflowTaskCompletedEventID: EventID) {
        self.timerID = timerID
        self.startToFireTimeout = startToFireTimeout
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
    }
}

/// Event 18.
public struct TimerFired: Hashable, Sendable {
    public var timerID: TimerID
    public var startedEventID: EventID

    public init(timerID: TimerID, startedEventID: EventID) {
        self.timerID = timerID
        self.startedEventID = startedEventID
    }
}

/// Event 19.
public struct TimerCanceled: Hashable, Sendable {
    public var timerID: TimerID
    public var startedEventID: EventID
    public var workflowTaskCompletedEventID: EventID
    public var identity: String

    public init(
        timerID: TimerID, startedEventID: EventID, workflowTaskCompletedEventID: EventID, identity: String = ""
    ) {
        self.timerID = timerID
        self.startedEventID = startedEventID
        self.workflowTaskCompletedEventID = workflowTaskCompletedEventID
        self.identity = identity
    }
}
