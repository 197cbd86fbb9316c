import Synchronization

/// A bag of tasks that several tasks add to.
final class LockedTasks: Sendable {
    private let tasks = Mutex<[Task<Void, Never>]>([])
    func append(_ task: Task<Void, Never>) { tasks.withLock { $0.append(task) } }
    func take() -> [Task<Void, Never>] {
        tasks.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
    }
}
