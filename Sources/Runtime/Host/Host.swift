public import Engine
public import History
public import Logging
import Synchronization

/// One node of the engine: owns lanes, decides for their runs, brings tasks to pollers.
///
/// ``start()`` takes lanes and begins to serve; ``shutdown()`` stores what was decided and gives the lanes back. All requests
/// of ``Backend`` may come at once, from any task.
public final class Host: Sendable {
    let services: Services
    let partitions: [Partition]
    let router: RunRouter
    let stores: Stores
    /// nil when the store keeps no schedules.
    let schedules: ScheduleKeeper?
    let batches: BatchKeeper?
    let directory: NamespaceDirectory
    let workerDirectory: WorkerDirectory
    private let relayIsConnected: @Sendable () -> Bool
    private let running = Mutex<Task<Void, Never>?>(nil)
    private let isStopping = Atomic<Bool>(false)

    /// The stores that a host works on; one object may be all of them.
    public struct Stores: Sendable {
        public var runs: any RunStore
        public var requests: any RequestStore
        public var leases: any LeaseStore
        public var namespaces: any NamespaceStore
        public var schedules: (any ScheduleStore)?
        public var batches: (any BatchStore)?
        public init(
            runs: any RunStore, requests: any RequestStore, leases: any LeaseStore, namespaces: any NamespaceStore,
            schedules: (any ScheduleStore)? = nil, batches: (any BatchStore)? = nil
        ) {
            self.batches = batches
            self.schedules = schedules
            self.runs = runs
            self.requests = requests
            self.leases = leases
            self.namespaces = namespaces
        }
    }

    /// - Parameters:
    ///   - feed: gets every committed event, in order per lane.
    ///   - peers: brings messages between runs to other nodes; without it they wait until this node owns the receiver's lane.
    ///   - deadLetters: takes runs whose stored state cannot be read; without it they are logged only.
    ///   - relayIsConnected: what ``Backend/readiness()`` says of the relay.
    public init(
        stores: Stores, encoder: any EventEncoder, configuration: HostConfiguration, limits: Limits = Limits(),
        clock: any RuntimeClock = SystemClock(), ids: any IDSource = RandomIDSource(), feed: (any FeedSink)? = nil,
        peers: (any MessageCarrier)? = nil, deadLetters: (any DeadLetterSink)? = nil,
        logger: Logger = Logger(label: "aloft.runtime"), relayIsConnected: @escaping @Sendable () -> Bool = { true }
    ) {
        precondition(
            configuration.laneCount > 0 && Int(Slots.count) % configuration.laneCount == 0,
            "the lane count must divide \(Slots.count), got \(configuration.laneCount)")
        precondition(
            configuration.laneCount % configuration.partitionCount == 0, "partitions must divide the lanes evenly")
        self.stores = stores
        self.relayIsConnected = relayIsConnected
        directory = NamespaceDirectory(store: stores.namespaces, clock: clock)
        workerDirectory = WorkerDirectory(clock: clock)
        let drained = DrainSignal()
        let services = Services(
            runs: stores.runs, encoder: encoder, clock: clock, ids: ids, limits: limits, feed: feed,
            queues: TaskQueues(clock: clock, offersMax: configuration.offersPerQueueMax) { drained.fire() },
            readers: ParkingLot(clock: clock),
            route: MessageRoute(laneCount: configuration.laneCount, peers: peers),
            answers: ParkingLot(clock: clock), updates: ParkingLot(clock: clock), logger: logger,
            configuration: configuration, deadLetters: deadLetters,
            leaseAlarm: Alarm(clock: clock))
        self.services = services
        let partitions = (0..<configuration.partitionCount).map { Partition(index: $0, services: services) }
        self.partitions = partitions
        let router = RunRouter(partitions: partitions, laneCount: configuration.laneCount)
        self.router = router
        schedules = stores.schedules.map { ScheduleKeeper(store: $0, services: services, router: router) }
        batches = stores.batches.map { BatchKeeper(store: $0, services: services, router: router) }
        drained.connect(partitions)
        services.route.connect(partitions)
    }

    var configuration: HostConfiguration { services.configuration }
    var clock: any RuntimeClock { services.clock }

    // MARK: Life

    /// Takes free lanes and begins to work. Returns once the lanes are taken; stored work is looked through meanwhile.
    ///
    /// Lanes that a process of the same name held are given back first: it is dead, or is shut out by this.
    ///
    /// - Throws: ``StoreError`` when the store cannot be reached; nothing runs then.
    public func start() async throws {
        try await stores.leases.releaseLanes(node: configuration.node)
        try await lookAfterLeases()
        let task = Task { await self.work() }
        running.withLock { $0 = task }
    }

    /// Ends polls and waits, stores what was decided, gives the lanes back. Requests that come later are refused (UNAVAILABLE).
    public func shutdown() async {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        services.queues.close()
        services.readers.finishAll()
        services.answers.finishAll()
        services.updates.finishAll()
        await batches?.drain()
        await schedules?.drain()
        await schedules?.finished()
        for partition in partitions { await partition.drain() }
        let task = running.withLock { running in
            let task = running
            running = nil
            return task
        }
        for partition in partitions { await partition.finished() }
        task?.cancel()
        await task?.value
        do {
            try await stores.leases.releaseLanes(node: configuration.node)
        } catch {
            services.logger.warning("lanes not released", metadata: ["why": "\(error)"])
        }
        for partition in partitions { await partition.leave() }
    }

    /// Stops as a killed process does: nothing is stored any more, no lane is given back. For tests.
    public func abandon() async {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        services.queues.close()
        services.readers.finishAll()
        services.answers.finishAll()
        services.updates.finishAll()
        await batches?.drain()
        await schedules?.abandon()
        for partition in partitions { await partition.abandon() }
        let task = running.withLock { $0 }
        task?.cancel()
        await task?.value
    }

    /// Every loop of the host, as children of one task.
    private func work() async {
        await withDiscardingTaskGroup { group in
            for partition in partitions {
                group.addTask { await partition.runCommits() }
                group.addTask { await partition.runTimers() }
                group.addTask { await partition.runLoads() }
                group.addTask { await partition.runScans() }
                group.addTask { await partition.runCourier() }
            }
            group.addTask { await self.services.queues.parking.run() }
            group.addTask { await self.services.readers.run() }
            group.addTask { await self.services.answers.run() }
            group.addTask { await self.services.updates.run() }
            group.addTask { await self.runLeases() }
            group.addTask { await self.runRetention() }
            if let schedules { group.addTask { await schedules.run() } }
            if let batches { group.addTask { await batches.run() } }
        }
    }

    // MARK: Leases

    /// Renews at a third of the lease's life, and at once when a lane was lost.
    private func runLeases() async {
        let third = TimeSpan.milliseconds(Int64(configuration.leaseSeconds) * 1000 / 3)
        while !Task.isCancelled {
            await services.leaseAlarm.wait(until: clock.now().advanced(by: third))
            guard !Task.isCancelled, !isStopping.load(ordering: .relaxed) else { return }
            do {
                try await lookAfterLeases()
            } catch {
                services.logger.warning("leases not renewed", metadata: ["why": "\(error)"])
                await clock.sleep(until: clock.now().advanced(by: .milliseconds(500)))
            }
            services.queues.forgetIdle()
        }
    }

    /// One statement while the node holds every lane, two otherwise.
    private func lookAfterLeases() async throws {
        let seconds = configuration.leaseSeconds
        // By our own clock, from before the request, and a little less than granted: never longer than the store thinks.
        let validUntil = clock.monotonic().advanced(by: .milliseconds(Int64(seconds) * 900))
        let renewed = try await stores.leases.renewLanes(node: configuration.node, seconds: seconds)
        let byLane = Dictionary(renewed.map { ($0.lane, $0) }, uniquingKeysWith: { $0.epoch > $1.epoch ? $0 : $1 })
        for partition in partitions { await partition.renewed(byLane, validUntil: validUntil) }
        // Lanes that the store says are ours, though nobody here knows: the answer to taking them was lost, or an operator gave them.
        for lane in byLane.keys.sorted() {
            if let lease = byLane[lane] { await partition(ofLane: lane).adopt(lease, validUntil: validUntil) }
        }
        await schedules?.held(renewed, validUntil: validUntil)
        await batches?.held(renewed)
        var owned = 0
        for partition in partitions { owned += await partition.ownedLanes }
        guard owned < configuration.laneCount else { return }
        let acquired = try await stores.leases.acquireLanes(
            node: configuration.node, address: configuration.address, limit: configuration.laneCount - owned,
            seconds: seconds)
        for lease in acquired { await partition(ofLane: lease.lane).adopt(lease, validUntil: validUntil) }
        if !acquired.isEmpty {
            await schedules?.held(renewed + acquired, validUntil: validUntil)
            await batches?.held(renewed + acquired)
            services.logger.info("lanes acquired", metadata: ["count": "\(acquired.count)"])
        }
    }

    // MARK: Routing

    private func partition(ofLane lane: Int16) -> Partition { router.partition(ofLane: lane) }

    func partition(_ namespace: NamespaceID, _ workflow: WorkflowID) -> Partition {
        router.partition(namespace, workflow)
    }

    func partition(_ target: RunTarget) -> Partition { partition(target.namespace, target.workflow) }
    func partition(_ key: RunKey) -> Partition { partition(key.namespace, key.workflow) }

    /// Takes a message of another node's run for a run of this node.
    ///
    /// Delivering it twice changes nothing.
    public func deliver(_ message: RunMessage) async throws -> MessageOutcome {
        try await services.route.deliverHere(message)
    }

    /// Counters of the whole host.
    public func metrics() async -> HostMetrics {
        var sum = HostMetrics()
        for partition in partitions { sum.add(await partition.snapshotOfMetrics()) }
        sum.offers = services.queues.offerCount
        return sum
    }

    /// Folds the stored events of a run again, compares with its snapshot and walks its hash chain.
    ///
    /// - Returns: what is wrong, in words; empty when everything agrees.
    public func verify(_ target: RunTarget) async throws -> [String] { try await partition(target).verify(target) }

    public func readiness() async -> Readiness {
        var lanes = 0
        for partition in partitions { lanes += await partition.ownedLanes }
        let isReachable: Bool
        do {
            _ = try await stores.leases.laneOwners()
            isReachable = true
        } catch {
            isReachable = false
        }
        return Readiness(storeIsReachable: isReachable, relayIsConnected: relayIsConnected(), lanesOwned: lanes)
    }
}

/// Tells the partitions that a task queue has room again; exists because the queues are made before the partitions.
private final class DrainSignal: Sendable {
    private let partitions = Mutex<[Partition]>([])

    func connect(_ partitions: [Partition]) { self.partitions.withLock { $0 = partitions } }

    func fire() {
        for partition in partitions.withLock({ $0 }) { partition.queueHasRoom() }
    }
}
