import History
import Synchronization

/// The workers that send heartbeats, as far as this node heard of them. Nothing depends on it but lists.
final class WorkerDirectory: Sendable {
    /// A worker that was silent for so long is gone.
    private static let silenceMax = TimeSpan.minutes(10)
    /// More workers of a namespace than this are not remembered.
    private static let workersMax = 10_000

    private let clock: any RuntimeClock
    private let known = Mutex<[NamespaceID: [String: WorkerRecord]]>([:])

    init(clock: any RuntimeClock) { self.clock = clock }

    func record(_ worker: WorkerRecord, in namespace: NamespaceID) {
        known.withLock { known in
            var workers = known[namespace] ?? [:]
            known[namespace] = nil
            if workers[worker.instanceKey] != nil || workers.count < Self.workersMax {
                workers[worker.instanceKey] = worker
            }
            known[namespace] = workers
        }
    }

    func all(in namespace: NamespaceID) -> [WorkerRecord] {
        let now = clock.now()
        return known.withLock { known in
            let silent = (known[namespace] ?? [:]).filter { Self.silenceMax < now.since($0.value.receivedAt) }
            for key in silent.keys { known[namespace]?[key] = nil }
            return (known[namespace] ?? [:]).values.sorted { $0.instanceKey < $1.instanceKey }
        }
    }
}
