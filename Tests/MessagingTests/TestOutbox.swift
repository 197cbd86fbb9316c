import History
import Runtime
import Synchronization

/// An outbox in memory, with what the relay reads and writes.
final class TestOutbox: OutboxStore {
    struct State {
        var entries: [OutboxEntry] = []
        var domain: [DomainEvent] = []
        var marks: [RelayMark] = []
        var isDown = false
        var reads = 0
    }
    let state = Mutex(State())
    let signals: AsyncStream<Void>
    let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream() }

    func outboxEntries(lane: Int16, after sequence: Int64, limit: Int) async throws(StoreError) -> [OutboxEntry] {
        let (isDown, found) = state.withLock { state in
            state.reads += 1
            return (
                state.isDown, Array(state.entries.filter { $0.lane == lane && $0.sequence > sequence }.prefix(limit))
            )
        }
        if isDown { throw .unavailable("test") }
        return found
    }

    func domainEvents(after sequence: Int64, limit: Int) async throws(StoreError) -> [DomainEvent] {
        state.withLock { state in Array(state.domain.filter { $0.sequence > sequence }.prefix(limit)) }
    }

    func domainEventSignals() -> AsyncStream<Void> { signals }

    func saveMarks(_ marks: [RelayMark]) async throws(StoreError) { state.withLock { $0.marks += marks } }

    func latestMarks() async throws(StoreError) -> [RelayMark] {
        state.withLock { state in
            Set(state.marks.map(\.lane)).sorted().compactMap { lane in state.marks.last { $0.lane == lane } }
        }
    }

    func marks(atOrBefore streamSequence: UInt64, streamCreated: Int64) async throws(StoreError) -> [RelayMark] {
        state.withLock { state in
            Set(state.marks.map(\.lane)).sorted().compactMap { lane in
                state.marks.last {
                    $0.lane == lane && $0.streamSequence <= streamSequence && $0.streamCreated == streamCreated
                }
            }
        }
    }

    /// A business event.
    func publish(number: Int64, data: String) {
        let event = DomainEvent(
            id: "d-\(number)", sequence: number, namespace: "default", family: "test", type: "happened", tenant: "",
            source: "/test", subject: "d", subjectSequence: number, operationID: "",
            time: Timestamp(nanoseconds: number), data: Array(data.utf8))
        state.withLock { $0.domain.append(event) }
    }

    /// A committed transition with some events of one run.
    func commit(lane: Int16, run: String, events: ClosedRange<Int64>) -> OutboxEntry {
        let key = RunKey(namespace: "ns", workflow: WorkflowID("w-\(run)"), run: RunID(run))
        let stored = events.map {
            StoredEvent(id: EventID($0), type: 5, time: Timestamp(nanoseconds: $0), actor: "test", body: [], hash: [])
        }
        return state.withLock { state in
            let sequence = (state.entries.last { $0.lane == lane }?.sequence ?? 0) + 1
            let entry = OutboxEntry(lane: lane, sequence: sequence, run: key, workflowType: "T", events: stored)
            state.entries.append(entry)
            return entry
        }
    }
}

/// The relay leaves bodies without attributes when an event cannot be decoded; nothing here needs them.
struct NoDecoder: EventEncoder {
    struct Refused: Error {}
    func encode(_ event: Event) -> [UInt8] { [] }
    func decode(_ bytes: [UInt8]) throws -> Event { throw Refused() }
}
