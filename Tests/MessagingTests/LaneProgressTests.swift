import History
import Testing

@testable import Runtime

@Suite("How far a lane is published")
struct LaneProgressTests {
    func entry(_ sequence: Int64, events: Int = 1) -> OutboxEntry {
        OutboxEntry(
            lane: 0, sequence: sequence, run: RunKey(namespace: "n", workflow: "w", run: "r"), workflowType: "T",
            events: (0..<events).map {
                StoredEvent(id: EventID(Int64($0)), type: 1, time: .zero, actor: "", body: [], hash: [])
            })
    }

    @Test("Entries in sequence come from memory")
    func memory() {
        var lane = LaneProgress(published: 3, committed: 3, mark: nil)
        #expect(lane.next == .idle)
        lane.add(entry(4))
        lane.add(entry(5))
        #expect(lane.next == .fromMemory)
        #expect(lane.batch(budget: 10).map(\.sequence) == [4, 5])
        lane.acknowledged(through: 5, mark: nil)
        #expect(lane.next == .idle)
    }

    @Test("A gap is read from the store")
    func gap() {
        var lane = LaneProgress(published: 0, committed: 7, mark: nil)
        #expect(lane.next == .fromStore(after: 0))
        lane.add(entry(8))
        #expect(lane.next == .fromStore(after: 0))
        lane.acknowledged(through: 7, mark: nil)
        #expect(lane.next == .fromStore(after: 7))
    }

    @Test("A repeated entry is not taken twice")
    func repeated() {
        var lane = LaneProgress(published: 0, committed: 0, mark: nil)
        lane.add(entry(1))
        lane.add(entry(1))
        #expect(lane.batch(budget: 10).count == 1)
    }

    @Test("A batch holds whole entries and at least one")
    func budget() {
        var lane = LaneProgress(published: 0, committed: 0, mark: nil)
        lane.add(entry(1, events: 5))
        lane.add(entry(2, events: 5))
        #expect(lane.batch(budget: 3).map(\.sequence) == [1])
        #expect(lane.batch(budget: 10).map(\.sequence) == [1, 2])
    }

    @Test("Memory has a bound; beyond it the store is read")
    func bound() {
        var lane = LaneProgress(published: 0, committed: 0, mark: nil)
        for sequence in 1...Int64(LaneProgress.waitingMax + 1) { lane.add(entry(sequence)) }
        #expect(lane.waiting.isEmpty)
        #expect(lane.next == .fromStore(after: 0))
    }

    @Test("After a rewind the lost part is read again")
    func rewind() {
        var lane = LaneProgress(published: 0, committed: 0, mark: nil)
        lane.add(entry(1))
        lane.acknowledged(through: 1, mark: nil)
        lane.rewind(to: 0, mark: nil)
        #expect(lane.next == .fromStore(after: 0))
    }
}
