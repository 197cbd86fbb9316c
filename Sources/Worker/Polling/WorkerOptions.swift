public import Logging

/// How much a worker does at the same time, and how it ends.
public struct WorkerOptions: Sendable {
    /// Workflow tasks in hand.
    public var workflowTasksMax: Int
    /// Activities in hand.
    public var activitiesMax: Int
    /// Local activities in hand.
    public var localActivitiesMax: Int
    /// Decides over workflow tasks, activities and local activities in hand instead of the numbers above.
    public var slots: SlotSuppliers
    /// Activities that this worker begins in a second; nil is without limit.
    public var activitiesPerSecond: Double?
    /// Activities of the task queue that all its workers together begin in a second; the server keeps to it. nil is without
    /// limit.
    public var taskQueueActivitiesPerSecond: Double?
    /// Polls for no activities: those given to the worker serve its workflows as local activities only.
    public var servesOnlyLocalActivities = false
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
    /// Which version of which deployment the worker is; nil is none.
    public var deployment: WorkerDeployment?
    /// Stand around workflows and activities, the first one outermost.
    public var interceptors: [any WorkerInterceptor]
    /// Gives errors of activities their class before they are reported.
    public var failureClassifier: ActivityFailureClassifier?
    public var logger: Logger

    public init(
        workflowTasksMax: Int = 100, activitiesMax: Int = 100, localActivitiesMax: Int = 100,
        slots: SlotSuppliers = SlotSuppliers(), activitiesPerSecond: Double? = nil,
        taskQueueActivitiesPerSecond: Double? = nil, workflowPollsMax: Int = 5, activityPollsMax: Int = 5,
        cachedRunsMax: Int = 1000, stickyTimeout: Duration = .seconds(10), eagerActivitiesMax: Int = 3,
        gracePeriod: Duration = .seconds(10), buildID: String = "", deployment: WorkerDeployment? = nil,
        interceptors: [any WorkerInterceptor] = [], failureClassifier: ActivityFailureClassifier? = nil,
        logger: Logger = Logger(label: "worker")
    ) {
        self.workflowTasksMax = workflowTasksMax
        self.activitiesMax = activitiesMax
        self.localActivitiesMax = localActivitiesMax
        self.slots = slots
        self.activitiesPerSecond = activitiesPerSecond
        self.taskQueueActivitiesPerSecond = taskQueueActivitiesPerSecond
        self.workflowPollsMax = workflowPollsMax
        self.activityPollsMax = activityPollsMax
        self.cachedRunsMax = cachedRunsMax
        self.stickyTimeout = stickyTimeout
        self.eagerActivitiesMax = eagerActivitiesMax
        self.gracePeriod = gracePeriod
        self.buildID = buildID
        self.deployment = deployment
        self.interceptors = interceptors
        self.failureClassifier = failureClassifier
        self.logger = logger
    }

    /// Called when a task that a poll or an answer brought is over; for those who count what is in hand.
    package var taskEnded: (@Sendable () -> Void)?

    /// The pause between two heartbeats of the worker.
    static let heartbeatInterval = Duration.seconds(60)
    /// The most activities a server starts eagerly in one answer.
    static let eagerActivitiesLimit = 3
    /// How long open polls may take to end after the server was told of the shutdown.
    static let pollDrainMax = Duration.seconds(5)
    /// How long a poll error that will not pass by itself is tolerated.
    static let fatalPollErrorsMax = Duration.seconds(60)
    /// Waits between failed polls: 200 ms × 2 up to 10 s, with full jitter.
    static let pollBackoff = RetryBackoff(base: .milliseconds(200), factor: 2, cap: .seconds(10))
}

/// The slot suppliers of a worker; nil is a fixed number.
public struct SlotSuppliers: Sendable {
    public var workflow: (any SlotSupplier)?
    public var activity: (any SlotSupplier)?
    public var localActivity: (any SlotSupplier)?

    public init(
        workflow: (any SlotSupplier)? = nil, activity: (any SlotSupplier)? = nil,
        localActivity: (any SlotSupplier)? = nil
    ) {
        self.workflow = workflow
        self.activity = activity
        self.localActivity = localActivity
    }
}
