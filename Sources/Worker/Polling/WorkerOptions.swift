public import Logging

/// How much a worker does at the same time, and how it ends.
public struct WorkerOptions: Sendable {
    /// Workflow tasks in hand.
    public var workflowTasksMax: Int
    /// Activities in hand.
    public var activitiesMax: Int
    /// Polls for workflow tasks that wait at the server, sticky and normal together.
    public var workflowPollsMax: Int
    /// Polls for activities that wait at the server.
    public var activityPollsMax: Int
    /// Runs kept in memory between their tasks; 0 keeps none and replays every time.
    public var cachedRunsMax: Int
    /// How long a task may wait for this worker before others may take it.
    public var stickyTimeout: Duration
    /// Activities that the answer to one workflow task may bring along at once; 0 asks for none.
    public var eagerActivitiesMax: Int
    /// How long activities may go on after ``Worker/shutDown()`` before they are cancelled.
    public var gracePeriod: Duration
    /// The build of the code, as histories show it; empty leaves it out.
    public var buildID: String
    /// Gives errors of activities their class before they are reported.
    public var failureClassifier: ActivityFailureClassifier?
    public var logger: Logger

    public init(
        workflowTasksMax: Int = 100, activitiesMax: Int = 100, workflowPollsMax: Int = 5, activityPollsMax: Int = 5,
        cachedRunsMax: Int = 1000, stickyTimeout: Duration = .seconds(10), eagerActivitiesMax: Int = 3,
        gracePeriod: Duration = .seconds(10), buildID: String = "", failureClassifier: ActivityFailureClassifier? = nil,
        logger: Logger = Logger(label: "worker")
    ) {
        self.workflowTasksMax = workflowTasksMax
        self.activitiesMax = activitiesMax
        self.workflowPollsMax = workflowPollsMax
        self.activityPollsMax = activityPollsMax
        self.cachedRunsMax = cachedRunsMax
        self.stickyTimeout = stickyTimeout
        self.eagerActivitiesMax = eagerActivitiesMax
        self.gracePeriod = gracePeriod
        self.buildID = buildID
        self.failureClassifier = failureClassifier
        self.logger = logger
    }

    /// The most activities a server starts eagerly in one answer.
    static let eagerActivitiesLimit = 3
    /// How long open polls may take to end after the server was told of the shutdown.
    static let pollDrainMax = Duration.seconds(5)
    /// How long a poll error that will not pass by itself is tolerated.
    static let fatalPollErrorsMax = Duration.seconds(60)
    /// Waits between failed polls: 200 ms × 2 up to 10 s, with full jitter.
    static let pollBackoff = RetryBackoff(base: .milliseconds(200), factor: 2, cap: .seconds(10))
}
