import History
import Logging
import Synchronization

extension FeedRelay {
    /// How many older marks are tried before a lane is published from its beginning.
    static let repairStepsMax = 32

    /// Compares the stream with the marks and rewinds lanes whose events the stream lost. Runs on every connect and lane change.
    ///
    /// - Returns: the stream's state, or nil when broker or store failed (the next session tries again).
    func compare() async -> StreamState? {
        do {
            let stream = try await broker.prepareStream(name: FeedFormat.stream, subjects: FeedFormat.subjects)
            let stored = try await outbox.latestMarks()
            let lanes = state.withLock { $0.lanes }
            for lane in lanes.keys.sorted() {
                let known = lanes[lane]?.mark ?? stored.first { $0.lane == lane }
                let good = try await newestGoodMark(known, lane: lane, stream: stream)
                if let known, good != known {
                    log.warning(
                        "the stream lacks events; publishing them again",
                        metadata: ["lane": "\(lane)", "from": "\(good?.sequence ?? 0)", "to": "\(known.sequence)"])
                }
                state.withLock { state in
                    let position = good?.sequence ?? 0
                    guard let progress = state.lanes[lane] else { return }
                    if progress.published > position {
                        state.lanes[lane]?.rewind(to: position, mark: good)
                    } else {
                        state.lanes[lane]?.acknowledged(through: position, mark: good)
                    }
                }
            }
            state.withLock { $0.domainMayHaveMore = true }
            return stream
        } catch {
            log.warning("the stream cannot be compared yet", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// The newest mark whose message is where the mark says. A message that fell off the stream's old end counts as present.
    private func newestGoodMark(_ known: RelayMark?, lane: Int16, stream: StreamState) async throws -> RelayMark? {
        guard var mark = known else { return nil }
        for _ in 0..<Self.repairStepsMax {
            guard mark.streamCreated == stream.created else { return nil }
            if mark.streamSequence <= stream.lastSequence {
                if mark.streamSequence < stream.firstSequence { return mark }
                let found = try await broker.messageID(stream: FeedFormat.stream, sequence: mark.streamSequence)
                if found == mark.messageID { return mark }
            }
            let before = min(stream.lastSequence, mark.streamSequence - 1)
            let older = try await outbox.marks(atOrBefore: before, streamCreated: stream.created)
            guard let next = older.first(where: { $0.lane == lane }) else { return nil }
            mark = next
        }
        return nil
    }
}
