import Engine
import History
import Logging

/// Decides for the schedules of this node's lanes and writes them, as partitions do for runs.
///
/// A change joins the batch that is filling; while one is stored the next one fills. What a schedule wants done (a start, a
/// cancel) is done only once the state that says so is stored, and is asked for again after a crash: its request id makes
/// the repetition harmless. Nothing is polled: the next moment is in a heap, and partitions tell when a watched run closed.
actor ScheduleKeeper {
    struct HeldLane {
        var epoch: Int64
        /// By the monotonic clock.
        var validUntil: Timestamp
    }

    let store: any ScheduleStore
    let services: Services
    let router: RunRouter
    let zones = ZoneFiles()

    var lanes: [Int16: HeldLane] = [:]
    var schedules: [ScheduleKey: HotSchedule] = [:]
    var dirty = Fifo<HotSchedule>()
    var isDraining = false
    nonisolated let writerBell = Bell()

    var moments = MomentHeap<ScheduleKey>()
    /// Moments up to here are in the heap.
    var horizon = Timestamp.zero
    var lanesToRecover: [Int16] = []
    nonisolated let timerAlarm: Alarm
    nonisolated let scanAlarm: Alarm

    /// Which schedules wait for a workflow to close.
    var watchers: [WorkflowKey: Set<ScheduleKey>] = [:]

    /// What is to be done outside of the actor.
    nonisolated let errands: AsyncStream<ScheduleErrand>
    nonisolated let errandQueue: AsyncStream<ScheduleErrand>.Continuation

    var metrics = ScheduleMetrics()

    static let batchMax = 512
    static let wakePageMax = 500
    static let hotMax = 20_000
    static let turnsAtOnceMax = 256
    static let retryPause = TimeSpan.seconds(1)
    static let retriesMax = 5
    /// How often runs that another node writes are looked at.
    static let foreignRunsPause = TimeSpan.seconds(5)

    init(store: any ScheduleStore, services: Services, router: RunRouter) {
        self.store = store
        self.services = services
        self.router = router
        timerAlarm = Alarm(clock: services.clock)
        scanAlarm = Alarm(clock: services.clock)
        (errands, errandQueue) = AsyncStream.makeStream()
    }

    nonisolated var clock: any RuntimeClock { services.clock }

    /// Every loop, until the task is cancelled.
    nonisolated func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.runCommits() }
            group.addTask { await self.runTimers() }
            group.addTask { await self.runScans() }
            group.addTask { await self.runCloses() }
            for await errand in errands {
                group.addTask { await self.fulfil(errand) }
            }
            group.cancelAll()
        }
    }

    // MARK: Lanes

    func laneNumber(_ key: ScheduleKey) -> Int16 {
        Slots.lane(of: key.slot, laneCount: services.configuration.laneCount)
    }

    /// - Throws: ``Rejection`` (`unavailable`) when this node may not decide for the schedule now.
    func check(_ key: ScheduleKey) throws(Rejection) -> (lane: Int16, epoch: Int64) {
        guard !isDraining else { throw .shuttingDown }
        let number = laneNumber(key)
        guard let lane = lanes[number], clock.monotonic() < lane.validUntil else { throw .laneElsewhere }
        return (number, lane.epoch)
    }

    /// The lanes that this node holds now; a new epoch means that somebody else may have written meanwhile.
    func held(_ leases: [LaneLease], validUntil: Timestamp) {
        var seen: Set<Int16> = []
        for lease in leases {
            seen.insert(lease.lane)
            if let old = lanes[lease.lane], old.epoch == lease.epoch {
                lanes[lease.lane]?.validUntil = max(old.validUntil, validUntil)
                continue
            }
            lose(lease.lane)
            lanes[lease.lane] = HeldLane(epoch: lease.epoch, validUntil: validUntil)
            lanesToRecover.append(lease.lane)
        }
        for lane in lanes.keys.sorted() where !seen.contains(lane) { lose(lane) }
        if !lanesToRecover.isEmpty { scanAlarm.ring() }
    }

    func lose(_ lane: Int16) {
        guard lanes.removeValue(forKey: lane) != nil else { return }
        lanesToRecover.removeAll { $0 == lane }
        for hot in schedules.values.filter({ $0.lane == lane }) { drop(hot, .notOwner(slots: [])) }
    }

    // MARK: Memory

    /// The schedule in memory, loaded if need be.
    ///
    /// - Throws: ``Rejection`` when there is none or this node may not decide for it; ``StoreError``.
    func resident(_ key: ScheduleKey) async throws -> HotSchedule {
        guard let hot = try await find(key) else { throw Rejection.scheduleNotFound }
        return hot
    }

    /// Returning nil, nothing was awaited since it was seen that there is none.
    func find(_ key: ScheduleKey) async throws -> HotSchedule? {
        _ = try check(key)
        if let hot = schedules[key] { return hot.isDeleted ? nil : hot }
        let stored = try await store.loadSchedule(key)
        let lane = try check(key)
        // Somebody else may have loaded or made it meanwhile: what is in memory is newer.
        if let hot = schedules[key] { return hot.isDeleted ? nil : hot }
        guard let stored else { return nil }
        return try install(stored, lane: lane)
    }

    private func install(_ stored: StoredSchedule, lane: (lane: Int16, epoch: Int64)) throws -> HotSchedule {
        let schedule = try decode(stored)
        evictIfFull()
        let hot = HotSchedule(
            key: stored.key, lane: lane.lane, epoch: lane.epoch, schedule: schedule, times: times(of: schedule),
            version: stored.version)
        schedules[stored.key] = hot
        for running in schedule.running { watch(running, of: hot) }
        act(on: schedule.wishes, of: hot)
        turn(hot)
        return hot
    }

    nonisolated func decode(_ stored: StoredSchedule) throws(StoreError) -> Schedule {
        do throws(Corruption) {
            return try Schedule(snapshot: stored.snapshot)
        } catch {
            services.logger.error(
                "schedule cannot be read", metadata: ["schedule": "\(stored.key)", "why": "\(error)"])
            throw .corrupt("schedule \(stored.key): \(error)")
        }
    }

    /// A zone that this machine does not know (any more) means no times, until it knows it again.
    nonisolated func times(of schedule: Schedule) -> ScheduleTimes {
        let spec = schedule.definition.spec
        do throws(ScheduleProblem) {
            return ScheduleTimes(spec, zone: try zones.zone(of: spec), seed: schedule.jitterSeed)
        } catch {
            services.logger.error(
                "schedule without times", metadata: ["schedule": "\(schedule.id)", "why": "\(error.message)"])
            return .none
        }
    }

    private func evictIfFull() {
        guard schedules.count >= Self.hotMax else { return }
        let idle = schedules.values.filter { hot in
            hot.isSettled && !hot.schedule.isBusy && (hot.armedFor.map { $0 > horizon } ?? true)
        }
        for hot in idle.prefix(Self.hotMax / 10) { forget(hot) }
    }

    func forget(_ hot: HotSchedule) {
        hot.isDropped = true
        if schedules[hot.key] === hot { schedules[hot.key] = nil }
        for running in hot.schedule.running { unwatch(running, of: hot) }
    }

    /// Takes it out of memory although it may not be stored; whoever waits is told why.
    func drop(_ hot: HotSchedule, _ error: StoreError) {
        forget(hot)
        let waiting = hot.waiting + hot.sealedWaiting
        hot.waiting = []
        hot.sealedWaiting = []
        for waiter in waiting { waiter.resume(throwing: error) }
    }

    // MARK: Deciding

    /// Lets the time pass for a schedule and stores what changed.
    func turn(_ hot: HotSchedule) {
        let before = hot.schedule
        let now = clock.now()
        let hasMore = hot.schedule.advance(to: now, hot.times)
        if hot.schedule != before { markDirty(hot) }
        if hasMore { arm(hot, for: now) } else if let next = hot.schedule.nextMoment(hot.times) { arm(hot, for: next) }
    }

    /// Once the keeper drains nothing more is stored: what is decided then is decided again by the next owner.
    func markDirty(_ hot: HotSchedule) {
        guard !hot.isDirty, !hot.isDropped, !isDraining else { return }
        hot.isDirty = true
        dirty.append(hot)
        writerBell.ring()
    }

    private func arm(_ hot: HotSchedule, for moment: Timestamp) {
        if let armed = hot.armedFor, armed <= moment { return }
        hot.armedFor = moment
        moments.push(moment, hot.key)
        timerAlarm.set(moment)
    }

    /// Returns when everything decided about it is stored.
    func stored(_ hot: HotSchedule) async throws {
        guard !hot.isDropped else { throw StoreError.unavailable("the schedule is being loaded again") }
        guard !hot.isSettled else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            if hot.isDirty { hot.waiting.append(continuation) } else { hot.sealedWaiting.append(continuation) }
        }
    }

    // MARK: Closes

    func watch(_ running: Schedule.Running, of hot: HotSchedule) {
        let workflow = WorkflowKey(namespace: hot.key.namespace, workflow: running.workflow)
        watchers[workflow, default: []].insert(hot.key)
        services.closes.watch(workflow)
        // It may have closed before anybody watched.
        errandQueue.yield(.look(hot.key, running))
    }

    func unwatch(_ running: Schedule.Running, of hot: HotSchedule) {
        let workflow = WorkflowKey(namespace: hot.key.namespace, workflow: running.workflow)
        services.closes.unwatch(workflow)
        guard !hot.schedule.running.contains(where: { $0.workflow == running.workflow && $0.run != running.run })
        else { return }
        watchers[workflow]?.remove(hot.key)
        if watchers[workflow]?.isEmpty ?? false { watchers[workflow] = nil }
    }

    func runCloses() async {
        while !Task.isCancelled {
            await services.closes.bell.wait()
            for run in services.closes.take() { look(WorkflowKey(namespace: run.namespace, workflow: run.workflow)) }
        }
    }

    /// Looks what became of the runs of a workflow id that schedules wait for.
    func look(_ workflow: WorkflowKey) {
        for key in (watchers[workflow] ?? []).sorted(by: { $0.id < $1.id }) {
            guard let hot = schedules[key] else { continue }
            for running in hot.schedule.running where running.workflow == workflow.workflow {
                errandQueue.yield(.look(key, running))
            }
        }
    }
}

/// Counters of the schedules since the start.
public struct ScheduleMetrics: Sendable, Hashable {
    /// Workflows that were started.
    public var actions = 0
    /// How much later than due they were there, summed and at most.
    public var latenessNanoseconds: Int64 = 0
    public var latenessNanosecondsMax: Int64 = 0
    public var commits = 0
    public var writes = 0
    public init() {}
}
