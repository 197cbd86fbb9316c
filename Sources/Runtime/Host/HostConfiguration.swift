public import History

/// The settings of a ``Host``; every bound of the runtime by its name.
public struct HostConfiguration: Sendable {
    /// Names this node in the leases. A process that comes back under the same name takes its lanes over at once.
    public var node: String
    /// Where other nodes reach it.
    public var address: String
    /// Must be what the store was made with.
    public var laneCount = 16
    /// Writers: each has its own memory, timers and commit loop.
    public var partitionCount = 2
    public var leaseSeconds = 10
    /// Runs kept in memory, over all partitions.
    public var hotRunsMax = 10_000
    /// Transitions that wait for the store, per partition; more are refused.
    public var waitingTransitionsMax = 50_000
    /// Deadlines this far ahead are held in memory.
    public var timerWindow = TimeSpan.seconds(300)
    public var wakePageMax = 500
    public var loadsAtOnceMax = 16
    /// How often a command is decided again after a conflict or a short outage.
    public var retriesMax = 4
    /// How often the outcome of a doubtful commit is asked for.
    public var outcomeProbesMax = 5
    /// A long poll for history ends after this.
    public var historyWait = TimeSpan.seconds(20)
    /// A caller that waits for an update is answered after this, however far the update came.
    public var updateWait = TimeSpan.seconds(20)
    /// Tasks of a queue that are kept in memory; more are found again from what is stored when these are taken.
    public var offersPerQueueMax = 10_000
    public var queriesPerRunMax = 16
    /// Messages of a run to other runs that are on their way at once.
    public var messagesPerRunMax = 64
    /// Messages between runs that are on their way at once, per partition.
    public var messagesAtOnceMax = 512
    /// How often runs past their namespace's retention are looked for.
    public var retentionInterval = TimeSpan.seconds(60)

    public init(node: String, address: String = "") {
        self.node = node
        self.address = address
    }
}
