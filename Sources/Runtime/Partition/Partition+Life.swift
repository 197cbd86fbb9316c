import Engine
import History
import Synchronization

extension Partition {
    /// No more decisions; the commit loops end when everything decided is stored.
    func drain() {
        isDraining = true
        ringLoops()
    }

    func ringLoops() {
        let loops = idleLoops
        idleLoops = []
        for loop in loops { loop.resume() }
    }

    /// Returns when everything decided is stored (or has failed).
    func finished() async {
        for lane in lanes.values {
            for batch in lane.pending { try? await stored(batch) }
        }
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
        ringLoops()
    }

    /// A task queue that had to drop offers has room again.
    nonisolated func queueHasRoom() {
        tasksWereDropped.store(true, ordering: .relaxed)
        scanAlarm.ring()
    }
}
