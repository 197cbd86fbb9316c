import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs all jobs of one workflow run in the order in which they came, on the thread that asks for it.
///
/// A task made with this executor as its preference, its child tasks, `async let`, default actors and every continuation come
/// back here. Jobs are kept until ``drain()``, which runs them until none is left; nothing ever runs by itself. A job that
/// comes from a thread other than the one inside ``occupy(_:)`` means that the workflow waited for something outside
/// (`Task.sleep`, `Task.detached`, `@MainActor` …): the job is kept, and ``foreignJobs`` tells.
final class DeterministicExecutor: TaskExecutor, @unchecked Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var head = 0
        /// Nobody will occupy the executor again.
        var isAbandoned = false
        /// Jobs that came after that are being run.
        var isCleaning = false
    }
    private let queue = Mutex(Queue())
    private let owner = Atomic<UInt>(0)
    private let foreign = Atomic<Int>(0)

    /// How often the workflow was reached from outside.
    var foreignJobs: Int { foreign.load(ordering: .relaxed) }

    /// Is the caller inside ``occupy(_:)`` on its thread?
    var isCurrent: Bool { owner.load(ordering: .relaxed) == Self.thisThread }

    /// Remembers that foreign code touched the workflow.
    func noteForeignCall() { foreign.add(1, ordering: .relaxed) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if !isCurrent { noteForeignCall() }
        let mustClean = queue.withLock { queue in
            queue.jobs.append(job)
            return Self.beginCleaning(&queue)
        }
        if mustClean { clean() }
    }

    /// From now on jobs that come back late from outside run by themselves, so that their tasks end and free their memory.
    ///
    /// The workflow must be evicted before: all it can do then is end.
    func abandon() {
        let mustClean = queue.withLock { queue in
            queue.isAbandoned = true
            return Self.beginCleaning(&queue)
        }
        if mustClean { clean() }
    }

    private static func beginCleaning(_ queue: inout Queue) -> Bool {
        guard queue.isAbandoned, !queue.isCleaning, queue.head < queue.jobs.count else { return false }
        queue.isCleaning = true
        return true
    }

    /// Not on the caller's stack: it may hold locks of the Swift runtime.
    private func clean() {
        Task.detached { [self] in
            repeat {
                occupy { drain() }
            } while queue.withLock { queue in
                queue.isCleaning = queue.head < queue.jobs.count
                return queue.isCleaning
            }
        }
    }

    /// Makes the calling thread the workflow's thread while `body` runs. Not reentrant; one caller at a time.
    func occupy<Result>(_ body: () throws -> Result) rethrows -> Result {
        owner.store(Self.thisThread, ordering: .relaxed)
        defer { owner.store(0, ordering: .relaxed) }
        return try body()
    }

    /// Runs jobs until none is left. Call it inside ``occupy(_:)``.
    func drain() {
        let executor = asUnownedTaskExecutor()
        while let job = next() { job.runSynchronously(on: executor) }
    }

    private func next() -> UnownedJob? {
        queue.withLock { queue in
            guard queue.head < queue.jobs.count else {
                queue.jobs.removeAll(keepingCapacity: queue.jobs.count <= Self.keptJobsMax)
                queue.head = 0
                return nil
            }
            defer { queue.head += 1 }
            return queue.jobs[queue.head]
        }
    }

    /// A parked workflow keeps room for at most this many jobs.
    private static let keptJobsMax = 16

    private static var thisThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }
}
