import History
import Synchronization

/// Tells those who wait for workflows to close, when the close is stored.
///
/// It keeps nothing over a restart: whoever waits looks at the run once after it began to watch.
final class CloseWatch: Sendable {
    private struct State {
        var watched: [WorkflowKey: Int] = [:]
        var closed: [RunKey] = []
    }
    private let state = Mutex(State())
    /// Lets partitions pass by without a lock while nobody watches.
    private let watchedCount = Atomic<Int>(0)
    let bell = Bell()

    func watch(_ workflow: WorkflowKey) {
        state.withLock { state in
            state.watched[workflow, default: 0] += 1
            watchedCount.store(state.watched.count, ordering: .releasing)
        }
    }

    func unwatch(_ workflow: WorkflowKey) {
        state.withLock { state in
            guard let count = state.watched[workflow] else { return }
            state.watched[workflow] = count > 1 ? count - 1 : nil
            watchedCount.store(state.watched.count, ordering: .releasing)
        }
    }

    /// The workflow ids that somebody waits for, in order.
    var watched: [WorkflowKey] {
        state.withLock { $0.watched.keys.sorted { ($0.namespace, $0.workflow) < ($1.namespace, $1.workflow) } }
    }

    /// A run's last event is stored.
    func closed(_ run: RunKey) {
        guard watchedCount.load(ordering: .acquiring) > 0 else { return }
        let isWatched = state.withLock { state -> Bool in
            guard state.watched[WorkflowKey(namespace: run.namespace, workflow: run.workflow)] != nil else {
                return false
            }
            state.closed.append(run)
            return true
        }
        if isWatched { bell.ring() }
    }

    /// The closes since the last call.
    func take() -> [RunKey] {
        state.withLock { state in
            defer { state.closed = [] }
            return state.closed
        }
    }
}
