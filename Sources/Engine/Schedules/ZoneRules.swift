/// When a time zone's clocks showed what: every change of its offset, and the rule that goes on after the last one.
///
/// The core reads no files: the rules come in as the bytes of a zone file (``init(zoneFile:)``).
public struct ZoneRules: Hashable, Sendable {
    /// A stretch of time with one offset from UTC, in seconds; `end` does not belong to it.
    struct Segment: Hashable, Sendable {
        var start: Int64
        var end: Int64
        var offset: Int64
    }

    /// Moments at which the offset changes, in order, and the offset from each on.
    let changes: [Int64]
    let offsets: [Int32]
    /// The offset before the first change.
    let firstOffset: Int32
    /// What holds after the last change, for ever.
    let tail: ZoneTail?

    init(changes: [Int64], offsets: [Int32], firstOffset: Int32, tail: ZoneTail?) {
        self.changes = changes
        self.offsets = offsets
        self.firstOffset = firstOffset
        self.tail = tail
    }

    public static let utc = ZoneRules(changes: [], offsets: [], firstOffset: 0, tail: nil)

    /// The stretch that `second` (since 1970) lies in.
    func segment(at second: Int64) -> Segment {
        // The number of changes at or before the moment.
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= second { low = middle + 1 } else { high = middle }
        }
        if low == changes.count, let tail {
            var segment = tail.segment(at: second)
            if let last = changes.last { segment.start = max(segment.start, last) }
            return segment
        }
        return Segment(
            start: low == 0 ? .min : changes[low - 1], end: low == changes.count ? .max : changes[low],
            offset: Int64(low == 0 ? firstOffset : offsets[low - 1]))
    }

    /// The offset from UTC, in seconds.
    public func offset(at second: Int64) -> Int64 { segment(at: second).offset }

    /// The next moment after `second` at which the clocks are set; nil when there is none any more.
    public func nextChange(after second: Int64) -> Int64? {
        let end = segment(at: second).end
        return end == .max ? nil : end
    }

    func local(_ second: Int64) -> Int64 { second + segment(at: second).offset }

    /// The moment at which the zone's clocks show `local` for the first time; nil when they skip it.
    func moment(ofLocal local: Int64) -> Int64? {
        var segment = segment(at: local - Self.offsetMax)
        while true {
            let moment = local - segment.offset
            if moment >= segment.start, moment < segment.end { return moment }
            if segment.end == .max || segment.end > local + Self.offsetMax { return nil }
            segment = self.segment(at: segment.end)
        }
    }

    /// The latest local time that the clocks had shown already when it was `second`: later than its own local time in the
    /// hour that a clock set back shows again.
    func latestLocal(_ second: Int64) -> Int64 {
        let segment = segment(at: second)
        guard segment.start != .min else { return second + segment.offset }
        let before = self.segment(at: segment.start - 1)
        return max(second + segment.offset, segment.start + before.offset - 1)
    }

    /// No zone is further from UTC.
    static let offsetMax: Int64 = 26 * 3600
}
