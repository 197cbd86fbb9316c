import Synchronization
import TemporalAPI

/// The workers of this process that share a client: one of them may take the first task of a workflow along with the answer
/// to its start.
final class EagerStarts: Sendable {
    private let shells = Mutex<(last: Int, byNumber: [Int: WorkerShell])>((0, [:]))

    /// - Returns: What ``unregister(_:)`` takes.
    func register(_ shell: WorkerShell) -> Int {
        shells.withLock { shells in
            shells.last += 1
            shells.byNumber[shells.last] = shell
            return shells.last
        }
    }

    func unregister(_ number: Int) { shells.withLock { _ = $0.byNumber.removeValue(forKey: number) } }

    /// Takes a slot for a first workflow task, if a worker of the queue has one free.
    func reserve(taskQueue: String) -> EagerSlot? {
        let candidates = shells.withLock { shells in
            shells.byNumber.sorted { $0.key < $1.key }.map(\.value).filter {
                $0.taskQueue == taskQueue && $0.processor != nil && !$0.life.isShuttingDown
            }
        }
        for shell in candidates where shell.workflowSlots.tryReserve(shell.workflowSlot) {
            return EagerSlot(shell: shell)
        }
        return nil
    }
}

/// A slot that waits for the answer to a start.
struct EagerSlot: Sendable {
    fileprivate let shell: WorkerShell

    /// Runs the task that the answer brought, or gives the slot back when it brought none.
    func take(_ response: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse) async {
        guard response.hasEagerWorkflowTask, !response.eagerWorkflowTask.taskToken.isEmpty else { return giveBack() }
        await shell.start(.workflow(response.eagerWorkflowTask))
    }

    func giveBack() { shell.workflowSlots.release(shell.workflowSlot) }
}
