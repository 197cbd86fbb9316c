import History

/// The newest events of a hot run, so that polls and readers need not ask the store.
struct EventTail {
    static let eventsMax = 512
    static let bytesMax = 128 << 10

    private var events: [StoredEvent] = []
    private var bytes = 0

    /// The first event that is still here.
    var first: EventID? { events.first?.id }

    mutating func append(_ event: StoredEvent) {
        events.append(event)
        bytes += event.body.count
        guard events.count > Self.eventsMax || bytes > Self.bytesMax else { return }
        var dropped = 0
        // Half at once, so that the cost of shifting stays constant per event.
        while dropped < events.count, events.count - dropped > Self.eventsMax / 2 || bytes > Self.bytesMax / 2 {
            bytes -= events[dropped].body.count
            dropped += 1
        }
        events.removeFirst(dropped)
    }

    /// Events `first ... last`, at most `limit`; nil when some of them are not here any more.
    func slice(from first: EventID, through last: EventID, limit: Int) -> ArraySlice<StoredEvent>? {
        guard first <= last else { return [] }
        guard let head = events.first?.id, head <= first else { return nil }
        let start = Int(first.value - head.value)
        let end = min(Int(last.value - head.value) + 1, start + limit, events.count)
        return start < end ? events[start..<end] : []
    }
}
