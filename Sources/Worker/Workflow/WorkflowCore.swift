import History
import Logging
import Replay

/// One run in memory: the executor that runs its code, the machine that knows its history, and those who wait.
///
/// Confined: after ``init`` it is touched only by the thread that occupies its executor, and its owner hands it from thread
/// to thread under a lock. That is what makes it `Sendable`.
final class WorkflowCore: @unchecked Sendable {
    enum Outcome {
        case returned([UInt8])
        case threw(any Error)
    }
    struct Condition {
        let id: Int
        let predicate: () -> Bool
        let continuation: UnsafeContinuation<Void, any Error>
    }
    /// After this many calls of an evicted run the caller is left waiting for ever: it swallows every error in a loop.
    static let callsAfterEvictionMax = 1000

    let executor = DeterministicExecutor()
    let converter: DataConverter
    let workflowType: String
    let body: any WorkflowBody
    let namespace: String
    let workflowID: String
    let runID: String
    var machine = ReplayMachine()
    var info: WorkflowInfo?
    var random = SeededRandom(seed: 0)
    var now = Timestamp.zero
    var isReplaying = true
    var isReadOnly = false
    var isEvicted = false
    var cancelRequested = false
    var cancelCause = ""
    var suggestContinueAsNew = false
    var historyBytes: Int64 = 0
    var outcome: Outcome?
    /// What fails the workflow task instead of the workflow.
    var problem: (any Error)?
    /// The patches in the history, by id.
    var recordedPatches: [String: PatchMark] = [:]
    /// The patches that the code has asked for so far.
    var notedPatches: Set<String> = []
    var patchDecisions: [String: Bool] = [:]
    /// The start, until what came with it has been delivered.
    var starting: WorkflowExecutionStarted?
    /// Handlers of signals and updates that have begun and not ended.
    var runningHandlers = 0

    /// Where local activities report their ends.
    let desk = LocalActivityDesk()
    var localActivities: [FutureID: OpenLocalActivity] = [:]
    /// Local activities that ended in the present workflow task.
    var localActivityEnds: Int32 = 0
    var memo: [String: Payload] = [:]
    var searchAttributes: [String: Payload] = [:]
    var header: [String: Payload] = [:]
    var currentDetails = ""
    /// The outermost first.
    var interceptors: [any WorkflowInterceptor] = []
    /// Where the interceptors come from, once the run is known.
    var interceptorSources: [any WorkerInterceptor] = []

    private(set) var log: Logger
    private var mainTask: Task<Void, Never>?
    var waiters: [FutureID: UnsafeContinuation<Resolution, any Error>] = [:]
    var conditions: [Condition] = []
    /// Futures that may end before somebody waits for them, with what they became.
    private var kept: [FutureID: Resolution?] = [:]
    private var lastCondition = 0
    private var cancelledFutures: [FutureID] = []
    private var cancelledConditions: [Int] = []
    /// Unstructured parts that must end when the run leaves memory, by number.
    private var parts: [Int: @Sendable () -> Void] = [:]
    private var lastPart = 0
    private var callsAfterEviction = 0

    init(
        body: any WorkflowBody, workflowType: String, namespace: String, workflowID: String, runID: String,
        converter: DataConverter, log: Logger
    ) {
        self.body = body
        self.workflowType = workflowType
        self.namespace = namespace
        self.workflowID = workflowID
        self.runID = runID
        self.converter = converter.scoped(namespace: namespace, workflowID: workflowID)
        self.log = log
        let gate = ReplayGate(core: self)
        self.log = Logger(label: log.label) { _ in SilentOnReplay(base: log.handler, gate: gate) }
        self.log.logLevel = log.logLevel
        self.log[metadataKey: "workflow"] = "\(workflowID)"
        self.log[metadataKey: "run"] = "\(runID)"
        self.log[metadataKey: "type"] = "\(workflowType)"
    }

    // MARK: Starting parts

    func start(_ input: Blob?) {
        mainTask = Task(executorPreference: executor) {
            do {
                let result = try await self.runBody(input)
                self.end(.returned(result))
            } catch {
                self.end(.threw(error))
            }
        }
        if cancelRequested { mainTask?.cancel() }
    }

    /// Begins a handler that waits.
    func startHandler(_ work: @escaping () async throws -> Void) {
        let work = Confined(work)
        let number = nextPart()
        runningHandlers += 1
        let task = Task(executorPreference: executor) {
            do {
                try await work.value()
            } catch {
                if !self.isEvicted, self.outcome == nil { self.end(.threw(error)) }
            }
            self.runningHandlers -= 1
            self.parts[number] = nil
        }
        parts[number] = { task.cancel() }
    }

    func nextPart() -> Int {
        lastPart += 1
        return lastPart
    }

    func addPart(_ number: Int, cancel: @escaping @Sendable () -> Void) { parts[number] = cancel }
    func removePart(_ number: Int) { parts[number] = nil }

    private func end(_ outcome: Outcome) {
        guard !isEvicted, self.outcome == nil else { return }
        self.outcome = outcome
    }

    /// The run was asked to stop: cancels `run` and everything structured below it.
    func cancelMain(cause: String) {
        cancelRequested = true
        cancelCause = cause
        mainTask?.cancel()
    }

    // MARK: Waiting

    /// Checks that the caller may ask for something now.
    func admit() throws {
        guard executor.isCurrent else {
            executor.noteForeignCall()
            throw WorkflowEscape(workflowType: workflowType, reason: "the context was used on a foreign thread")
        }
        guard !isEvicted, outcome == nil else { throw CancellationError() }
        guard !isReadOnly else { throw WorkflowMisuse("a query of \(workflowType) may not change anything") }
    }

    /// Like ``admit()`` for calls that wait: refuses when the caller is cancelled, and stops loops that ignore eviction.
    func admitWait() async throws {
        if executor.isCurrent, isEvicted {
            callsAfterEviction += 1
            if callsAfterEviction > Self.callsAfterEvictionMax {
                await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            }
        }
        try admit()
        if Task.isCancelled { throw CanceledFailure(cancelCause.isEmpty ? "Canceled" : cancelCause) }
    }

    func wait(for future: FutureID) async throws -> Resolution {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { waiters[future] = $0 }
        } onCancel: {
            if executor.isCurrent { cancelledFutures.append(future) } else { executor.noteForeignCall() }
        }
    }

    func wait(until predicate: @escaping () -> Bool) async throws {
        if predicate() { return }
        lastCondition += 1
        let id = lastCondition
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation {
                conditions.append(Condition(id: id, predicate: predicate, continuation: $0))
            }
        } onCancel: {
            if executor.isCurrent { cancelledConditions.append(id) } else { executor.noteForeignCall() }
        }
    }

    /// From now on the end of this future is remembered for those who ask later.
    func keep(_ future: FutureID) { kept[future] = .some(nil) }

    /// Waits for a future that is kept; several may wait.
    func wait(forKept future: FutureID) async throws -> Resolution {
        if let resolution = kept[future] ?? nil { return resolution }
        guard waiters[future] != nil else { return try await wait(for: future) }
        try await wait(until: { (self.kept[future] ?? nil) != nil })
        guard let resolution = kept[future] ?? nil else { throw CancellationError() }
        return resolution
    }

    func resolve(_ future: FutureID, _ resolution: Resolution) {
        if let known = kept[future], known == nil { kept[future] = resolution }
        waiters.removeValue(forKey: future)?.resume(returning: resolution)
    }

    // MARK: Running to quiescence

    /// Runs everything that can run. Call it inside ``DeterministicExecutor/occupy(_:)``.
    func settle() {
        repeat {
            executor.drain()
        } while problem == nil && (flushCancellations() || resumeCondition())
    }

    /// Cancellations take effect together and in the order of what they cancel, whatever order the runtime told them in.
    private func flushCancellations() -> Bool {
        guard !cancelledFutures.isEmpty || !cancelledConditions.isEmpty else { return false }
        let futures = cancelledFutures.sorted()
        let ids = Set(cancelledConditions)
        cancelledFutures.removeAll()
        cancelledConditions.removeAll()
        guard !isEvicted else { return false }
        for future in futures where waiters[future] != nil {
            if let resolution = cancel(future) { resolve(future, resolution) }
        }
        let cancelled = conditions.filter { ids.contains($0.id) }
        conditions.removeAll { ids.contains($0.id) }
        for condition in cancelled { condition.continuation.resume(throwing: CanceledFailure()) }
        return true
    }

    /// Wakes the first waiter whose condition holds; one at a time, so that the next sees what it changed.
    private func resumeCondition() -> Bool {
        guard let index = conditions.firstIndex(where: { $0.predicate() }) else { return false }
        conditions.remove(at: index).continuation.resume()
        return true
    }

    /// Ends everything that runs or waits, without commands, so that nothing of the run stays in memory.
    /// - Returns: False if something of the workflow did not end.
    @discardableResult
    func evict() -> Bool {
        guard !isEvicted else { return true }
        isEvicted = true
        desk.stopAll()
        executor.occupy {
            mainTask?.cancel()
            for number in parts.keys.sorted() { parts[number]?() }
            while !waiters.isEmpty || !conditions.isEmpty {
                for future in waiters.keys.sorted() {
                    waiters.removeValue(forKey: future)?.resume(throwing: CancellationError())
                }
                let waiting = conditions
                conditions.removeAll()
                for condition in waiting { condition.continuation.resume(throwing: CancellationError()) }
                executor.drain()
            }
            executor.drain()
        }
        mainTask = nil
        parts.removeAll()
        executor.abandon()
        return callsAfterEviction <= Self.callsAfterEvictionMax
    }
}

/// Carries a value into a task of the same executor; only one thread at a time touches it there.
struct Confined<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
