package import History
import Synchronization

/// Whether a host rests: nothing is being decided, stored, handed over or loaded, so that only a caller or time can move it.
///
/// For those who drive a host with a clock of their own and must not move it while something is under way.
package struct HostRest: Sendable, Hashable {
    /// Calls that wait for something to happen: polls, readers of open histories, queries, updates.
    package var waitingCalls = 0
    /// Queues that hold tasks: by name and whether they hold activities.
    package var backlogs: [Backlog] = []
    /// When something happens by itself.
    package var nextDeadline: Timestamp?
    /// Grows with everything that is decided.
    package var progress = 0

    package struct Backlog: Sendable, Hashable {
        package var queue: String
        package var holdsActivities: Bool
    }
}

extension Host {
    /// The host's rest; nil while something is under way.
    package func rest() async -> HostRest? {
        var rest = HostRest()
        for partition in partitions {
            guard let (next, progress) = await partition.rest() else { return nil }
            rest.nextDeadline = [rest.nextDeadline, next].compactMap { $0 }.min()
            rest.progress += progress
        }
        let now = clock.now()
        let lots = [
            services.queues.parking.waits, services.readers.waits, services.answers.waits, services.updates.waits,
        ]
        for waits in lots {
            if let next = waits.next {
                guard now < next else { return nil }
                rest.nextDeadline = min(rest.nextDeadline ?? next, next)
            }
            rest.waitingCalls += waits.count
        }
        rest.progress += services.queues.offerCount
        rest.backlogs = services.queues.backlogs
        return rest
    }
}

extension Partition {
    /// When something is due and how much was done; nil while something is under way.
    fileprivate func rest() -> (next: Timestamp?, progress: Int)? {
        guard waitingBatches.isEmpty, growingBatch == nil, sealedBatch == nil, toLoad.isEmpty, lanesToRecover.isEmpty,
            letters.isEmpty, lettersUnderWay == 0,
            clock.now() < horizon
        else { return nil }
        let next = deadlines.first()?.at
        if let next, next <= clock.now() { return nil }
        return (next, metrics.commits + metrics.timersFired)
    }
}

extension ParkingLot {
    /// How many wait, and when the first wait ends.
    var waits: (count: Int, next: Timestamp?) {
        state.withLock { state in
            var count = 0
            var next: Timestamp?
            for place in state.places.values {
                guard case .waiting(_, let deadline) = place else { continue }
                count += 1
                next = min(next ?? deadline, deadline)
            }
            return (count, next)
        }
    }
}

extension TaskQueues {
    /// The queues that hold tasks now.
    var backlogs: [HostRest.Backlog] {
        var found: [HostRest.Backlog] = []
        for box in shards {
            box.state.withLock { shard in
                for (key, queue) in shard.queues where queue.count > 0 {
                    found.append(
                        HostRest.Backlog(queue: key.name.value, holdsActivities: key.kind == .activity))
                }
            }
        }
        return found.sorted { ($0.queue, $0.holdsActivities ? 1 : 0) < ($1.queue, $1.holdsActivities ? 1 : 0) }
    }
}
