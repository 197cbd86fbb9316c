import Engine
import History
import Logging
import Synchronization

/// Decides for the runs of some lanes and writes them: the one writer that decision 6 of the architecture asks for.
///
/// A command is decided at once on the newest state in memory. What it changes joins the batch that is filling, whatever its
/// lane; while one batch is on its way to the store, the next one fills, so that nobody waits for a timer and the cost per
/// transition falls as the load rises. Replies and effects go out after the commit. When a commit fails, its runs are dropped
/// from memory, with everything decided since that builds on them, and loaded again before anything else is decided about them.
actor Partition {
    let index: Int
    let services: Services
    var lanes: [Int16: LaneState] = [:]
    var runs: [RunKey: HotRun] = [:]
    var currents: [WorkflowKey: RunID] = [:]
    var useCount: UInt64 = 0
    private var nextEviction: UInt64 = 0

    // Commits.
    /// Batches that wait, the oldest first; the last one grows.
    var waitingBatches = Fifo<Batch>()
    var growingBatch: Batch?
    /// The batch on its way to the store: one at a time, so that a lane's outbox numbers follow its commits.
    var sealedBatch: Batch?
    var idleLoop: CheckedContinuation<Void, Never>?
    var waitingTransitions = 0
    var isDraining = false

    // Timers.
    var deadlines = DeadlineHeap()
    /// Deadlines up to here are in the heap.
    var horizon = Timestamp.zero
    /// Lanes whose stored work has not been looked through since they were acquired.
    var lanesToRecover: [LaneState] = []
    /// A task queue dropped offers and has room again.
    nonisolated let tasksWereDropped = Atomic<Bool>(false)
    var toLoad = Fifo<RunKey>()
    nonisolated let timerAlarm: Alarm
    nonisolated let scanAlarm: Alarm
    nonisolated let loadBell = Bell()

    // Messages between runs.
    var letters = Fifo<Letter>()
    var lettersUnderWay = 0
    /// Deleted runs that nobody needs any more.
    var toForget = Fifo<RunKey>()
    var lastStay: UInt64 = 0
    nonisolated let courierBell = Bell()

    // Queries on their way to a worker, by id.
    var directQueries: [String: DirectQuery] = [:]

    var metrics = HostMetrics()

    init(index: Int, services: Services) {
        self.index = index
        self.services = services
        timerAlarm = Alarm(clock: services.clock)
        scanAlarm = Alarm(clock: services.clock)
    }

    var configuration: HostConfiguration { services.configuration }
    var clock: any RuntimeClock { services.clock }

    // MARK: Lanes

    func slot(_ workflow: WorkflowKey) -> Int16 {
        Slots.slot(namespace: workflow.namespace, workflow: workflow.workflow)
    }

    func laneNumber(of workflow: WorkflowKey) -> Int16 {
        Slots.lane(of: slot(workflow), laneCount: configuration.laneCount)
    }

    /// The lane of a workflow id, if this node may decide for it now.
    ///
    /// - Throws: ``Rejection`` (`unavailable`) when it may not: by its own clock the lease has run out, or it has none.
    func ownedLane(of workflow: WorkflowKey) throws(Rejection) -> LaneState {
        guard let lane = lanes[laneNumber(of: workflow)] else { throw .laneElsewhere }
        try check(lane)
        return lane
    }

    func check(_ lane: LaneState) throws(Rejection) {
        guard !isDraining else { throw .shuttingDown }
        guard !lane.isLost, !lane.isInDoubt, clock.monotonic() < lane.validUntil else { throw .laneElsewhere }
    }

    // MARK: Deciding

    /// Decides `command` for `target` and returns when what it changed is stored; loads the run and decides again when the
    /// store refused it without a change.
    func perform(
        _ target: RunTarget, _ command: RunCommand, by actor: String
    ) async throws -> (hot: HotRun, transition: Transition) {
        var retries = 0
        while true {
            do {
                let hot = try await resident(target)
                let decided = Result { () throws(Rejection) in try decide(hot, command, by: actor) }
                // Even a refusal may rest on something that is not stored yet.
                try await stored(hot)
                return (hot, try decided.get())
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    /// Decides on the newest state and puts the change into the filling batch.
    func decide(_ hot: HotRun, _ command: RunCommand, by actor: String) throws(Rejection) -> Transition {
        try check(hot.lane)
        guard !hot.isDropped else { throw .leftMemory }
        guard waitingTransitions < configuration.waitingTransitionsMax else { throw .overloaded }
        let now = clock.now()
        let zones = services.cronZones(of: hot.run, for: command)
        let transition = try hot.run.handle(command, at: now, limits: services.limits, zones: zones)
        touch(hot)
        if transition.isDurable {
            record(transition, of: hot, by: actor, at: now)
        } else {
            if transition.reply != .duplicate, command.leavesState { hot.hasUnwrittenState = true }
            announce(transition.effects, of: hot)
        }
        schedule(hot)
        return transition
    }

    /// Effects of a change that needs no write: out at once, or with the write that is still under way.
    private func announce(_ effects: [Effect], of hot: HotRun) {
        guard !effects.isEmpty else { return }
        if let batch = hot.openBatch ?? hot.sealedBatch {
            batch.write(for: hot).effects += effects
        } else {
            for effect in effects { deliver(effect, of: hot) }
        }
    }

    /// Does what a change wants done in the outside world.
    func deliver(_ effect: Effect, of hot: HotRun) {
        switch effect {
        case .offerWorkflowTask, .offerActivityTask: services.queues.offer(effect, of: hot.key)
        case .updateMoved(let update, let standing): tellWaiters(of: hot, update, standing)
        case .closed: break
        }
    }

    /// Adds a transition to the open batch, and the run that follows it, if any.
    private func record(_ transition: Transition, of hot: HotRun, by actor: String, at now: Timestamp) {
        let batch = join(hot)
        let write = batch.write(for: hot)
        for event in transition.events { append(event, to: write, in: batch, by: actor) }
        write.attempts += transition.attempts
        write.effects += transition.effects
        write.transitions += 1
        waitingTransitions += 1
        metrics.transitions += 1
        guard let successor = transition.successor else { return }
        do {
            _ = try begin(successor, in: batch, lane: hot.lane, supersedes: hot, claim: nil, by: actor, at: now)
        } catch {
            services.logger.error("successor refused", metadata: ["run": "\(hot.key)", "why": "\(error.message)"])
        }
    }

    /// Begins a new run in `batch`; it becomes the current one of its workflow id.
    func begin(
        _ request: StartRun, in batch: Batch, lane: LaneState, supersedes old: HotRun?, claim: RequestClaim?,
        by actor: String,
        at now: Timestamp
    ) throws(Rejection) -> (hot: HotRun, transition: Transition) {
        var run = Run()
        let command = RunCommand.start(request)
        let transition = try run.handle(
            command, at: now, limits: services.limits, zones: services.cronZones(of: run, for: command))
        let workflow = WorkflowKey(namespace: request.key.namespace, workflow: request.key.workflow)
        let hot = HotRun(
            key: request.key, slot: slot(workflow), lane: lane, run: run, version: nil, isCurrent: true,
            lastHash: HashChain.seed(for: request.key).bytes)
        hot.durableLast = .none
        hot.openBatch = batch
        let write = batch.write(for: hot)
        for event in transition.events { append(event, to: write, in: batch, by: actor) }
        write.effects = transition.effects
        write.claim = claim
        if let old {
            write.supersedes = old.key.run
            old.isCurrent = false
        }
        write.transitions += 1
        waitingTransitions += 1
        metrics.transitions += 1
        runs[hot.key] = hot
        currents[workflow] = hot.key.run
        touch(hot)
        schedule(hot)
        return (hot, transition)
    }

    /// Encodes an event once, ties it into the hash chain and keeps it at hand for readers.
    func append(
        _ event: Event, body: [UInt8]? = nil, to write: OpenWrite, in batch: Batch, by actor: String
    ) {
        let hot = write.hot
        let body = body ?? services.encoder.encode(event)
        guard let previous = SHA256.Digest(bytes: hot.lastHash) else {
            preconditionFailure("run \(hot.key): a hash of \(hot.lastHash.count) bytes")
        }
        let hash = HashChain.next(after: previous, body).bytes
        let stored = StoredEvent(
            id: event.id, type: event.kind.typeNumber, time: event.time, actor: actor, body: body, hash: hash)
        hot.run.addHistoryBytes(body.count)
        hot.lastHash = hash
        hot.tail.append(stored)
        write.events.append(stored)
        write.kinds.append(event.kind)
        batch.bytes += body.count
        metrics.events += 1
    }

    // MARK: Memory

    func touch(_ hot: HotRun) {
        useCount += 1
        hot.lastUse = useCount
    }

    /// Room for the newest: throws out the runs that nobody used for the longest time.
    func evictIfFull() {
        let most = max(configuration.hotRunsMax / configuration.partitionCount, 16)
        // Looking through all of them is dear: not again before something has happened.
        guard runs.count > most, useCount >= nextEviction else { return }
        nextEviction = useCount + UInt64(most / 10)
        var idle = runs.values.filter { $0.isEvictable }
        idle.sort { $0.lastUse < $1.lastUse }
        for hot in idle.prefix(max(runs.count - most, most / 10)) { evict(hot) }
    }

    private func evict(_ hot: HotRun) {
        forget(hot)
        metrics.evictions += 1
        guard let next = hot.run.nextDeadline else { return }
        // Where the store says "load me" and not when, the moment is kept here.
        let margin = TimeSpan(nanoseconds: configuration.timerWindow.nanoseconds * 2)
        let isIndexed = hot.run.wakeHint(at: clock.now(), horizon: margin) != .zero
        if !isIndexed || next <= horizon { push(Deadline(at: next, key: hot.key)) }
    }

    /// Takes a run out of memory; whoever holds it must load it again.
    func forget(_ hot: HotRun) {
        hot.isDropped = true
        if let deadline = hot.deadline { deadlines.cancel(deadline) }
        hot.deadline = nil
        if runs[hot.key] === hot { runs[hot.key] = nil }
        if currents[hot.workflowKey] == hot.key.run { currents[hot.workflowKey] = nil }
        wakeReaders(of: hot)
        for query in hot.queries { services.answers.resolve(query.ticket, .lost) }
        hot.queries = []
        loseUpdateWaiters(of: hot)
    }

    func wakeReaders(of hot: HotRun) {
        for ticket in hot.readers { services.readers.resolve(ticket, ()) }
        hot.readers = []
    }
}

extension RunCommand {
    /// Can it change the run in memory without a write? Then the run stays until something is written.
    var leavesState: Bool {
        switch self {
        case .startWorkflowTask, .heartbeatActivity, .resetSticky, .failWorkflowTask: true
        case .start, .reset, .signal, .requestCancel, .terminate, .completeWorkflowTask, .startActivity,
            .completeActivity,
            .failActivity, .cancelActivity, .operateActivities, .wake, .delete, .receive, .settleMessage, .update,
            .updateOptions:
            false
        }
    }
}
