/// Counters since the start, for `/metrics` and the bench; a value that is cheap to copy.
public struct HostMetrics: Sendable, Hashable {
    public var commits = 0
    public var failedCommits = 0
    /// Runs written; divided by ``commits``, how well the group commit groups.
    public var committedRuns = 0
    public var commitNanoseconds: Int64 = 0
    /// Stored changes of runs.
    public var transitions = 0
    public var events = 0
    public var retries = 0
    public var loads = 0
    public var evictions = 0
    public var timersFired = 0
    /// Messages from run to run that were delivered.
    public var messages = 0
    /// Tasks offered to pollers.
    public var offers = 0
    /// Runs in memory now.
    public var hotRuns = 0
    public var lanesOwned = 0
    /// Transitions that wait for the store now.
    public var waitingTransitions = 0

    public init() {}

    mutating func add(_ other: HostMetrics) {
        commits += other.commits
        failedCommits += other.failedCommits
        committedRuns += other.committedRuns
        commitNanoseconds += other.commitNanoseconds
        transitions += other.transitions
        events += other.events
        retries += other.retries
        loads += other.loads
        evictions += other.evictions
        timersFired += other.timersFired
        messages += other.messages
        offers += other.offers
        hotRuns += other.hotRuns
        lanesOwned += other.lanesOwned
        waitingTransitions += other.waitingTransitions
    }
}
