public import History

/// What the wire service needs to know that is not in a request.
public struct WireOptions: Sendable {
    public var limits = Limits()
    public var serverVersion = "1.31.2"
    public var clusterID = "aloft"
    public var clusterName = "active"
    /// An empty poll ends after this.
    public var pollWait = TimeSpan.seconds(60)
    /// A history call that waits ends after this.
    public var historyWait = TimeSpan.seconds(20)
    /// A query without a deadline of the caller's own ends after this.
    public var queryWait = TimeSpan.seconds(30)
    /// A call that waits for an update ends after this.
    public var updateWait = TimeSpan.seconds(20)
    /// Long polls end this long before the caller stops listening.
    public var deadlineMargin = TimeSpan.seconds(1)
    /// A poll that has less time than this is refused.
    public var pollTimeMin = TimeSpan.seconds(2)
    public var retentionMin = TimeSpan.hours(1)
    public var requestBytesMax = 4 << 20
    /// Other nodes of the database; nil serves none.
    public var nodes: NodeService?
    /// The time; tests inject their own.
    public var now: @Sendable () -> Timestamp

    public init(now: @escaping @Sendable () -> Timestamp = SystemTime.now) { self.now = now }
}
