import History

/// How many tasks a second came and went, over the last half minute.
struct TaskRates: Sendable {
    private static let bucket = TimeSpan.seconds(5)
    private static let bucketCount: Int64 = 6

    private struct Count {
        var bucket: Int64
        var added = 0
        var dispatched = 0
    }

    private var counts: [Count] = []

    mutating func added(at now: Timestamp) { count(now) { $0.added += 1 } }
    mutating func dispatched(at now: Timestamp) { count(now) { $0.dispatched += 1 } }

    private mutating func count(_ now: Timestamp, _ change: (inout Count) -> Void) {
        let number = now.nanoseconds / Self.bucket.nanoseconds
        if counts.last?.bucket != number {
            counts.removeAll { $0.bucket <= number - Self.bucketCount }
            counts.append(Count(bucket: number))
        }
        change(&counts[counts.count - 1])
    }

    func perSecond(at now: Timestamp) -> (added: Double, dispatched: Double) {
        let number = now.nanoseconds / Self.bucket.nanoseconds
        let recent = counts.filter { $0.bucket > number - Self.bucketCount }
        let seconds = Double(Self.bucketCount * Self.bucket.nanoseconds) / 1e9
        return (
            Double(recent.reduce(0) { $0 + $1.added }) / seconds,
            Double(recent.reduce(0) { $0 + $1.dispatched }) / seconds
        )
    }
}

/// At most so many tasks of a queue begin in a second: each poll takes the next free moment and waits for it.
struct TaskRateLimit: Sendable {
    /// As the newest poll says.
    private(set) var perSecond: Double
    private var nextFree = Timestamp.zero

    init(perSecond: Double) { self.perSecond = perSecond }

    /// The moment from which a poll may have a task; nil when it lies behind `deadline`, and then nothing is taken.
    mutating func reserve(_ rate: Double, at now: Timestamp, deadline: Timestamp) -> Timestamp? {
        perSecond = rate
        let moment = max(nextFree, now)
        guard moment < deadline else { return nil }
        let gap = min(1e9 / rate, 1e18)
        nextFree = moment.advanced(by: TimeSpan(nanoseconds: Int64(gap)))
        return moment
    }
}
