import Engine
import History
import Synchronization

extension Partition {
    /// No more decisions; the commit loop ends when everything decided is stored.
    func drain() {
        isDraining = true
        ringLoop()
    }

    /// Lets the commit loop look for a batch.
    func ringLoop() {
        let loop = idleLoop
        idleLoop = nil
        loop?.resume()
    }

    /// Returns when everything decided is stored (or has failed).
    func finished() async {
        for batch in (sealedBatch.map { [$0] } ?? []) + waitingBatches.all { try? await stored(batch, of: nil) }
    }

    /// The lanes were given back.
    func leave() {
        for number in lanes.keys.sorted() {
            if let lane = lanes[number] { lose(lane, .closed) }
        }
    }

    /// Like a killed process: what waits is never stored.
    func abandon() {
        isDraining = true
        for number in lanes.keys.sorted() {
            if let lane = lanes[number] { lose(lane, .closed) }
        }
        ringLoop()
    }

    /// A task queue that had to drop offers has room again.
    nonisolated func queueHasRoom() {
        tasksWereDropped.store(true, ordering: .relaxed)
        scanAlarm.ring()
    }
}
