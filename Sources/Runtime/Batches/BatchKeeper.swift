public import Engine
public import History
import Logging

/// What batch operations need of the rest of the server.
public struct BatchServices: Sendable {
    /// Understands a list query.
    public var query: @Sendable (NamespaceID, String) async throws -> VisibilityQuery
    /// Does to a run what the encoded operation says. Done twice with one request id, it must act once.
    public typealias Edge =
        @Sendable (
            EdgeBatchAction, RunTarget, _ request: Blob, _ reason: String, RequestID
        ) async throws -> Void
    public var edge: Edge?
    /// Deletes a run.
    public var delete: (@Sendable (RunTarget) async throws -> Void)?

    public init(
        query: @escaping @Sendable (NamespaceID, String) async throws -> VisibilityQuery,
        edge: Edge? = nil,
        delete: (@Sendable (RunTarget) async throws -> Void)? = nil
    ) {
        self.query = query
        self.edge = edge
        self.delete = delete
    }
}

/// Works off the batch operations of this node's lanes, one task each; at most one of a namespace is open at a time.
actor BatchKeeper {
    /// An operation that this node works on.
    final class Job {
        var operation: BatchOperation
        var version: Int64
        let lane: LaneEpoch
        var isStopping = false
        var isLost = false
        var waiting: [CheckedContinuation<Void, any Error>] = []

        init(operation: BatchOperation, version: Int64, lane: LaneEpoch) {
            self.operation = operation
            self.version = version
            self.lane = lane
        }
    }

    let store: any BatchStore
    let services: Services
    let router: RunRouter
    private var world: BatchServices?
    private var lanes: [Int16: LaneEpoch] = [:]
    private var lanesToRecover: [Int16] = []
    var jobs: [BatchKey: Job] = [:]
    private var isDraining = false
    private nonisolated let bell = Bell()
    /// Rung when a job is to stop, so that nobody sleeps through it.
    nonisolated let stopAlarm: Alarm
    private nonisolated let work: AsyncStream<BatchKey>
    private nonisolated let workQueue: AsyncStream<BatchKey>.Continuation

    static let pageMax = 500
    static let retryPause = TimeSpan.seconds(1)

    init(store: any BatchStore, services: Services, router: RunRouter) {
        self.store = store
        self.services = services
        self.router = router
        stopAlarm = Alarm(clock: services.clock)
        (work, workQueue) = AsyncStream.makeStream()
    }

    nonisolated var clock: any RuntimeClock { services.clock }

    func use(_ world: BatchServices) {
        self.world = world
        bell.ring()
    }

    /// Every job, until the task is cancelled.
    nonisolated func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.recoverLanes() }
            for await key in work {
                group.addTask { await self.runJob(key) }
            }
            group.cancelAll()
        }
    }

    func drain() {
        isDraining = true
        workQueue.finish()
        stopAlarm.ring()
        for (key, job) in jobs { forget(key, job, .closed) }
    }

    // MARK: Lanes

    func held(_ leases: [LaneLease]) {
        var seen: Set<Int16> = []
        for lease in leases {
            seen.insert(lease.lane)
            if lanes[lease.lane]?.epoch == lease.epoch { continue }
            lose(lease.lane)
            lanes[lease.lane] = LaneEpoch(lane: lease.lane, epoch: lease.epoch)
            lanesToRecover.append(lease.lane)
        }
        for lane in lanes.keys.sorted() where !seen.contains(lane) { lose(lane) }
        if !lanesToRecover.isEmpty { bell.ring() }
    }

    private func lose(_ lane: Int16) {
        guard lanes.removeValue(forKey: lane) != nil else { return }
        for (key, job) in jobs where job.lane.lane == lane { forget(key, job, .notOwner(slots: [])) }
    }

    private func lane(of key: BatchKey) throws(Rejection) -> LaneEpoch {
        guard !isDraining else { throw .shuttingDown }
        let number = Slots.lane(of: key.slot, laneCount: services.configuration.laneCount)
        guard let lane = lanes[number] else { throw .laneElsewhere }
        return lane
    }

    private func recoverLanes() async {
        while !Task.isCancelled {
            guard world != nil, let number = lanesToRecover.first, let lane = lanes[number] else {
                if lanesToRecover.first.map({ lanes[$0] == nil }) ?? false {
                    lanesToRecover.removeFirst()
                    continue
                }
                await bell.wait()
                continue
            }
            do {
                let slots = Slots.slots(ofLane: number, laneCount: services.configuration.laneCount)
                for stored in try await store.openBatches(slots: slots) { try take(stored, lane) }
                lanesToRecover.removeAll { $0 == number }
            } catch {
                services.logger.warning("batch operations not loaded", metadata: ["why": "\(error)"])
                await clock.sleep(until: clock.now().advanced(by: Self.retryPause))
            }
        }
    }

    private func take(_ stored: StoredBatch, _ lane: LaneEpoch) throws {
        guard jobs[stored.key] == nil, lanes[lane.lane] == lane, !isDraining else { return }
        let operation = try decode(stored)
        guard operation.isOpen else { return }
        jobs[stored.key] = Job(operation: operation, version: stored.version, lane: lane)
        workQueue.yield(stored.key)
    }

    private nonisolated func decode(_ stored: StoredBatch) throws(StoreError) -> BatchOperation {
        do throws(Corruption) {
            return try BatchOperation(snapshot: stored.snapshot)
        } catch {
            throw .corrupt("batch operation \(stored.key): \(error)")
        }
    }

    private func forget(_ key: BatchKey, _ job: Job, _ error: StoreError?) {
        job.isLost = true
        if jobs[key] === job { jobs[key] = nil }
        for waiter in job.waiting {
            if let error { waiter.resume(throwing: error) } else { waiter.resume() }
        }
        job.waiting = []
    }

    // MARK: Requests

    func start(_ request: StartBatchRequest) async throws {
        guard let world else { throw Rejection(.unavailable, "the server is starting") }
        switch request.action {
        case .edge(let action, _, _) where world.edge == nil:
            throw Rejection(.unimplemented, "batch \(action) is not supported")
        case .delete where world.delete == nil:
            throw Rejection(.unimplemented, "batch delete is not supported")
        case .terminate, .cancel, .signal, .delete, .edge: break
        }
        // A query that cannot be understood is refused now, not later.
        if !request.query.isEmpty { _ = try await world.query(request.key.namespace, request.query) }
        if try await isRepeated(request) { return }
        let lane = try lane(of: request.key)
        let operation = BatchOperation(
            namespace: request.key.namespace, id: request.key.id, action: request.action, reason: request.reason,
            query: request.query, operationsPerSecond: request.operationsPerSecond, named: request.executions.count,
            at: clock.now())
        let targets = request.executions.enumerated().map { index, execution in
            BatchTarget(ordinal: Int64(index) + 1, workflow: execution.workflow, run: execution.run)
        }
        let write = BatchWrite(
            lane: lane, key: request.key, expectedVersion: nil, operation: operation, newTargets: targets)
        if let error = await Self.failure(of: write, in: store) {
            switch error {
            case .alreadyExists, .outcomeUnknown: if try await isRepeated(request) { return }
            case .unavailable, .conflict, .notOwner, .outOfStep, .corrupt, .closed: break
            }
            guard case .alreadyExists = error else { throw error }
            throw Rejection(.resourceExhausted(cause: 2), "Max concurrent batch operations is reached")
        }
        if let stored = try await store.loadBatch(request.key) { try take(stored, lane) }
    }

    private nonisolated static func failure(of write: BatchWrite, in store: any BatchStore) async -> StoreError? {
        do throws(StoreError) {
            try await store.commitBatch(write)
            return nil
        } catch {
            return error
        }
    }

    /// - Throws: ``Rejection`` when the job id stands for something else.
    private func isRepeated(_ request: StartBatchRequest) async throws -> Bool {
        guard let stored = try await store.loadBatch(request.key) else { return false }
        let there = try decode(stored)
        if there.asks(
            request.action, reason: request.reason, query: request.query,
            operationsPerSecond: request.operationsPerSecond)
        {
            return true
        }
        throw Rejection(
            .workflowAlreadyStarted(startRequestID: "", run: ""),
            "batch operation with this job ID exists already: \(request.key.id)")
    }

    func stop(_ key: BatchKey) async throws {
        _ = try lane(of: key)
        guard let job = jobs[key] else {
            // There, but over: nothing to stop.
            _ = try await describe(key)
            return
        }
        job.isStopping = true
        stopAlarm.ring()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            job.waiting.append(continuation)
        }
    }

    func describe(_ key: BatchKey) async throws -> BatchOperation {
        if let job = jobs[key] { return job.operation }
        guard let stored = try await store.loadBatch(key) else {
            throw Rejection.notFound("workflow not found for ID: \(key.id)")
        }
        return try decode(stored)
    }

    nonisolated func list(
        namespace: NamespaceID, after: BatchListPosition?, limit: Int
    ) async throws -> [BatchOperation] {
        try await store.listBatches(namespace: namespace, after: after, limit: limit).map { try decode($0) }
    }

    // MARK: Working

    private func runJob(_ key: BatchKey) async {
        while !Task.isCancelled, !isDraining, let job = jobs[key], !job.isLost, let world {
            do {
                if job.isStopping {
                    var operation = job.operation
                    operation.stop(at: clock.now())
                    try await save(operation, of: key, job)
                } else if !job.operation.isCollected {
                    try await collect(key, job, world)
                } else {
                    try await goOn(key, job, world)
                }
                if !job.operation.isOpen {
                    forget(key, job, nil)
                    return
                }
            } catch {
                services.logger.warning("batch operation waits", metadata: ["job": "\(key)", "why": "\(error)"])
                if let error = error as? StoreError, error.losesBatch {
                    forget(key, job, error)
                    // If the lane is still ours, what is stored is taken up again.
                    if let lane = lanes[job.lane.lane], !isDraining { lanesToRecover.append(lane.lane) }
                    bell.ring()
                    return
                }
                await clock.sleep(until: clock.now().advanced(by: Self.retryPause))
            }
        }
    }

    private func save(
        _ operation: BatchOperation, of key: BatchKey, _ job: Job, newTargets: [BatchTarget] = []
    ) async throws {
        try await store.commitBatch(
            BatchWrite(
                lane: job.lane, key: key, expectedVersion: job.version, operation: operation, newTargets: newTargets))
        job.version += 1
        job.operation = operation
    }

    /// Writes down one more page of the runs that match.
    private func collect(_ key: BatchKey, _ job: Job, _ world: BatchServices) async throws {
        var query = try await world.query(key.namespace, job.operation.query)
        query.limit = Self.pageMax
        query.after = job.operation.collectedAfter.map { RunSummary($0, in: key.namespace) }
        let runs = try await services.runs.listRuns(query)
        var operation = job.operation
        let position = runs.count == Self.pageMax ? runs.last.map { BatchPosition($0) } : nil
        let targets = operation.collected(runs.map { ($0.key.workflow, $0.key.run) }, position: position)
        try await save(operation, of: key, job, newTargets: targets)
        guard job.operation.isCollected else { return }
        operation = job.operation
        operation.counted(try await store.countBatchTargets(key))
        try await save(operation, of: key, job)
    }

    /// Goes to the next targets, a tenth of a second's worth at a time.
    private func goOn(_ key: BatchKey, _ job: Job, _ world: BatchServices) async throws {
        let rate = job.operation.operationsPerSecond
        let width = max(1, min(Int(rate / 10), Self.pageMax))
        let page = try await store.batchTargets(key, after: job.operation.doneThrough, limit: width)
        var operation = job.operation
        guard let last = page.last else {
            operation.finish(at: clock.now())
            try await save(operation, of: key, job)
            return
        }
        let begun = clock.now()
        let outcomes = await Self.go(to: page, key, operation, world, router, clock)
        operation.done(
            through: last.ordinal, succeeded: outcomes.filter { $0 }.count, failed: outcomes.filter { !$0 }.count)
        try await save(operation, of: key, job)
        let pace = TimeSpan(nanoseconds: Int64(Double(page.count) / rate * 1e9))
        let next = begun.advanced(by: pace)
        if !job.isStopping, next > clock.now() { await stopAlarm.wait(until: next) }
    }
}

extension StoreError {
    /// The operation in memory may not be what is stored.
    fileprivate var losesBatch: Bool {
        switch self {
        case .unavailable: false
        case .outcomeUnknown, .conflict, .alreadyExists, .notOwner, .outOfStep, .corrupt, .closed: true
        }
    }
}

extension BatchPosition {
    fileprivate init(_ run: RunSummary) {
        self.init(
            workflow: run.key.workflow, run: run.key.run, status: run.status, startTime: run.startTime,
            closeTime: run.closeTime)
    }
}
