import EngineTestKit
import History
import Runtime
import Synchronization
import Worker

/// Moves the clock of a ``TestServer`` when somebody waits for time to pass and nothing runs.
///
/// It knows what runs because every call goes through it: tasks that were handed out and are not over, calls on their way,
/// and calls that only wait, which the server counts. The server rests when all calls wait, no task is in hand, no queue
/// with a worker holds a task, and the host has nothing under way.
final class TimeSkipper: Sendable {
    private struct Worker {
        var queue: String
        var servesWorkflows: Bool
        var servesActivities: Bool
    }

    private struct Sleeper {
        var until: Timestamp
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// Calls that have not been answered.
        var calls = 0
        /// Of these, those that wait for the outcome of a workflow.
        var outcomeWaits = 0
        /// Tasks that workers have.
        var tasks = 0
        /// Grows with every change of the numbers above.
        var stamp = 0
        var holds = 0
        var workers: [Int: Worker] = [:]
        var sleepers: [Int: Sleeper] = [:]
        /// Those who wait for an outcome, and hear when there will be none.
        var hopeful: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Since when nothing moves, and the stamp then.
        var stillness: (since: ContinuousClock.Instant, stamp: Int)?
        var last = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let server: TestServer
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameter patience: Calls that wait for an outcome are refused when nothing has moved, nor will, for so long in real
    ///   time.
    init(server: TestServer, patience: Duration) {
        self.server = server
        self.patience = patience
    }

    var now: Timestamp { server.clock.now() }

    // MARK: What happens around it

    /// Calls of clients and workers.
    var transport: InProcessTransport {
        InProcessTransport { [self] method, request, metadata, _ in
            let traffic = Traffic(method: method.name)
            let waits = traffic.waitsForOutcome(request)
            change {
                $0.calls += 1
                if waits { $0.outcomeWaits += 1 }
            }
            do {
                let response =
                    waits
                    ? try await hope(method, request, metadata) : try await server.handle(method, request, metadata)
                change {
                    $0.calls -= 1
                    if waits { $0.outcomeWaits -= 1 }
                    $0.tasks += traffic.tasks(in: response)
                }
                return response
            } catch {
                change {
                    $0.calls -= 1
                    if waits { $0.outcomeWaits -= 1 }
                }
                throw error
            }
        }
    }

    /// A call that waits for an outcome; refused when there will be none.
    private func hope(_ method: RPCMethod, _ request: [UInt8], _ metadata: RPCMetadata) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask { try await self.server.handle(method, request, metadata) }
            group.addTask {
                await self.waitForStillness()
                return nil
            }
            defer { group.cancelAll() }
            guard let response = try await group.next() ?? nil else {
                try Task.checkCancellation()
                throw RPCFailure(
                    .failedPrecondition,
                    "nothing moves any more: no task is in hand and no timer, retry or time limit is due; the workflow waits for what nobody sends"
                )
            }
            return response
        }
    }

    private func waitForStillness() async {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    guard !Task.isCancelled else { return true }
                    state.hopeful[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.hopeful.removeValue(forKey: number) }?.resume()
        }
    }

    /// Nothing moves and nothing is due. After a while those who wait for an outcome hear of it.
    private func noteStillness() {
        let hopeless = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard let stillness = state.stillness, stillness.stamp == state.stamp else {
                state.stillness = (.now, state.stamp)
                return []
            }
            guard stillness.since.duration(to: .now) > patience else { return [] }
            defer { state.hopeful = [:] }
            return Array(state.hopeful.values)
        }
        for waiter in hopeless { waiter.resume() }
    }

    func taskEnded() { change { $0.tasks -= 1 } }

    func addWorker(queue: String, servesWorkflows: Bool, servesActivities: Bool) -> Int {
        state.withLock { state in
            state.last += 1
            state.workers[state.last] = Worker(
                queue: queue, servesWorkflows: servesWorkflows, servesActivities: servesActivities)
            return state.last
        }
    }

    func removeWorker(_ number: Int) {
        change { state in
            state.workers[number] = nil
            // What a worker that was broken off had in hand will not end any more.
            if state.workers.isEmpty { state.tasks = 0 }
        }
    }

    func hold() { change { $0.holds += 1 } }
    func letGo() { change { $0.holds -= 1 } }

    func sleep(_ span: TimeSpan) async throws {
        let until = now.advanced(by: span)
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                change { $0.sleepers[number] = Sleeper(until: until, continuation: continuation) }
                if Task.isCancelled { wake(number, throwing: CancellationError()) }
            }
        } onCancel: {
            wake(number, throwing: CancellationError())
        }
    }

    private func wake(_ number: Int, throwing error: CancellationError) {
        state.withLock { $0.sleepers.removeValue(forKey: number) }?.continuation.resume(throwing: error)
    }

    private func change(_ body: (inout State) -> Void) {
        let waiter = state.withLock { state in
            body(&state)
            state.stamp += 1
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    // MARK: The loop

    /// Moves the clock until the task is cancelled.
    func run() async {
        var idle = 0
        while !Task.isCancelled {
            guard isWanted else {
                await waitForChange()
                continue
            }
            if await step() {
                idle = 0
            } else {
                // Something is under way; what it does is seen by looking again.
                idle += 1
                if idle < Self.yieldsMax { await Task.yield() } else { try? await Task.sleep(for: .milliseconds(1)) }
            }
        }
        let sleepers = state.withLock { state in
            defer { state.sleepers = [:] }
            return state.sleepers.values.map(\.continuation)
        }
        for sleeper in sleepers { sleeper.resume(throwing: CancellationError()) }
    }

    private static let yieldsMax = 100

    private var isWanted: Bool {
        state.withLock { !$0.sleepers.isEmpty || ($0.outcomeWaits > 0 && $0.holds == 0) }
    }

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isOver = state.withLock { state in
                    guard state.sleepers.isEmpty, state.outcomeWaits == 0 || state.holds > 0, !Task.isCancelled else {
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            change { _ in }
        }
    }

    /// Moves the clock if nothing runs.
    /// - Returns: Whether something was done.
    private func step() async -> Bool {
        guard let rest = await rest() else { return false }
        let due = state.withLock { state in
            let due = state.sleepers.filter { $0.value.until <= now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.continuation)
        }
        guard due.isEmpty else {
            for sleeper in due { sleeper.resume() }
            return true
        }
        // A sleeper's moment, and what the server waits for; all its loops sleep on this clock.
        let moments = [
            rest.nextDeadline, server.clock.nextDue, state.withLock { $0.sleepers.values.map(\.until).min() },
        ]
        guard let next = moments.compactMap({ $0 }).filter({ now < $0 }).min(), next < Self.farAway(from: now) else {
            noteStillness()
            return false
        }
        server.clock.advance(to: next)
        return true
    }

    /// Beyond this only the server's own long waits end.
    private static func farAway(from now: Timestamp) -> Timestamp { now.advanced(by: .days(30_000)) }

    /// The server's rest, if it and everybody around it rest.
    private func rest() async -> HostRest? {
        guard let first = await look(), let second = await look(), first == second else { return nil }
        return second.rest
    }

    private struct Look: Equatable {
        var rest: HostRest
        var stamp: Int
    }

    private func look() async -> Look? {
        let (stamp, tasks) = state.withLock { ($0.stamp, $0.tasks) }
        guard tasks == 0, let rest = await server.host.rest() else { return nil }
        return state.withLock { state -> Look? in
            guard state.stamp == stamp, state.calls == rest.waitingCalls else { return nil }
            for backlog in rest.backlogs {
                let isServed = state.workers.values.contains {
                    // A sticky queue has another name than the worker's; it lives only while its worker does.
                    backlog.holdsActivities
                        ? $0.servesActivities && $0.queue == backlog.queue
                        : $0.servesWorkflows && ($0.queue == backlog.queue || backlog.queue.contains("@"))
                }
                if isServed { return nil }
            }
            return Look(rest: rest, stamp: stamp)
        }
    }
}
