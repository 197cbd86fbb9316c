import Engine
import History
import Synchronization

/// Brings tasks and pollers together, in memory. What waits here can be derived again from the stored runs, so nothing of it
/// is durable; an offer is checked against its run when it is taken, and a stale one is dropped then.
///
/// Every method only locks for a moment; nothing blocks.
final class TaskQueues: Sendable {
    private static let shardCount = 16

    struct Shard {
        var queues: [TaskQueueKey: TaskQueueState] = [:]
    }

    /// A mutex that can stand in an array.
    final class Box: Sendable {
        let state = Mutex(Shard())
    }

    let shards: [Box] = (0..<TaskQueues.shardCount).map { _ in Box() }
    private let clock: any RuntimeClock
    private let offered = Atomic<Int>(0)
    /// Where parked pollers wait; the host runs it.
    let parking: ParkingLot<Delivery>
    /// Called when a queue that had to drop offers has room again.
    private let onDrained: @Sendable () -> Void
    private let isClosed = Atomic<Bool>(false)
    private let offersMax: Int

    /// - Parameter offersMax: so many offers of a queue are kept in memory; more are found again from what is stored.
    init(clock: any RuntimeClock, offersMax: Int, onDrained: @escaping @Sendable () -> Void) {
        self.clock = clock
        self.offersMax = offersMax
        self.onDrained = onDrained
        parking = ParkingLot(clock: clock)
    }

    /// How many offers were made so far.
    var offerCount: Int { offered.load(ordering: .relaxed) }

    // MARK: Offers

    func offer(_ effect: Effect, of run: RunKey) {
        switch effect {
        case .offerWorkflowTask(let offer):
            self.offer(
                TaskOffer(run: run, work: .workflowTask(offer), queue: offer.queue, offeredAt: clock.now()), .workflow)
        case .offerActivityTask(let offer):
            let queue = TaskQueue(offer.queue)
            self.offer(TaskOffer(run: run, work: .activity(offer), queue: queue, offeredAt: clock.now()), .activity)
        case .closed, .updateMoved: break
        }
    }

    /// Hands the task to the poller that waits longest, or puts it in line. A sticky queue that nobody polls passes it on to
    /// its normal queue at once.
    func offer(_ offer: TaskOffer, _ kind: TaskKind) {
        let queue = offer.queue
        offered.add(1, ordering: .relaxed)
        var key = TaskQueueKey(namespace: offer.run.namespace, name: queue.name, kind: kind)
        if queue.kind == .sticky, let normal = queue.normalName, !isAlive(key) { key.name = normal }
        hand(offer, to: key)
    }

    /// Is anybody there for this sticky queue?
    func isAlive(_ key: TaskQueueKey) -> Bool {
        let now = clock.now()
        return shard(key).state.withLock { $0.queues[key]?.isAlive(at: now) ?? false }
    }

    private func hand(_ offer: TaskOffer, to key: TaskQueueKey) {
        let box = shard(key)
        while true {
            let poller = box.state.withLock { shard -> TaskQueueState.Poller? in
                var queue = shard.queues[key] ?? TaskQueueState(now: offer.offeredAt)
                shard.queues[key] = nil
                defer { shard.queues[key] = queue }
                if queue.parked.isEmpty {
                    queue.insert(offer, most: offersMax)
                    return nil
                }
                queue.passed(at: offer.offeredAt)
                return queue.parked.removeFirst()
            }
            guard let poller else { return }
            if parking.resolve(poller.ticket, .offer(offer)) { return }
        }
    }

    /// Gives back what a poller could not take.
    func putBack(_ delivery: Delivery, key: TaskQueueKey) {
        let box = shard(key)
        let now = clock.now()
        while true {
            let poller = box.state.withLock { shard -> TaskQueueState.Poller? in
                var queue = shard.queues[key] ?? TaskQueueState(now: now)
                shard.queues[key] = nil
                defer { shard.queues[key] = queue }
                guard queue.parked.isEmpty else { return queue.parked.removeFirst() }
                switch delivery {
                case .offer(let offer): queue.putBack(offer)
                case .startedActivity(let task): queue.insert(undelivered: task)
                }
                return nil
            }
            guard let poller else { return }
            if parking.resolve(poller.ticket, delivery) { return }
        }
    }

    // MARK: Polls

    /// The next task of the queue; nil when the deadline passed, the worker shut down, or the task was cancelled. A task is
    /// never lost on the way: cancelled after the hand-over, it is put back.
    func take(_ poll: TaskPoll, _ kind: TaskKind) async -> Delivery? {
        let key = TaskQueueKey(namespace: poll.namespace, name: poll.queue.name, kind: kind)
        let now = clock.now()
        guard !isClosed.load(ordering: .relaxed), now < poll.deadline, !Task.isCancelled else { return nil }
        let box = shard(key)
        if let rate = poll.tasksPerSecondMax, rate > 0, !(await rest(poll, key, rate)) { return nil }
        let ticket = parking.open()
        let (taken, drained) = box.state.withLock { shard -> (Delivery?, Bool) in
            var queue = shard.queues[key] ?? TaskQueueState(now: now)
            shard.queues[key] = nil
            defer { shard.queues[key] = queue }
            queue.polled(by: poll.identity, at: now)
            if let found = queue.takeFirst() {
                queue.dispatched(at: now)
                return (found, queue.takeSpill())
            }
            queue.parked.append(TaskQueueState.Poller(ticket: ticket, instanceKey: poll.workerInstanceKey))
            return (nil, queue.takeSpill())
        }
        if drained { onDrained() }
        if let taken {
            parking.close(ticket)
            return taken
        }
        let delivery = await parking.wait(ticket, until: poll.deadline)
        let after = clock.now()
        box.state.withLock { shard in
            shard.queues[key]?.pollEnded(at: after)
            if delivery == nil { shard.queues[key]?.parked.removeAll { $0.ticket == ticket } }
        }
        if let delivery, Task.isCancelled {
            putBack(delivery, key: key)
            return nil
        }
        return delivery
    }

    /// Waits until the rate limit lets the poll have a task; `false` when its time is over before.
    private func rest(_ poll: TaskPoll, _ key: TaskQueueKey, _ rate: Double) async -> Bool {
        let box = shard(key)
        let now = clock.now()
        let ticket = parking.open()
        let moment = box.state.withLock { shard -> Timestamp? in
            var queue = shard.queues[key] ?? TaskQueueState(now: now)
            shard.queues[key] = nil
            defer { shard.queues[key] = queue }
            queue.polled(by: poll.identity, at: now)
            let moment = queue.reserve(rate, at: now, deadline: poll.deadline)
            if moment.map({ now < $0 }) ?? true {
                queue.resting.append(TaskQueueState.Poller(ticket: ticket, instanceKey: poll.workerInstanceKey))
            }
            return moment
        }
        if let moment, moment <= now {
            parking.close(ticket)
            return true
        }
        _ = await parking.wait(ticket, until: moment ?? poll.deadline)
        box.state.withLock { $0.queues[key]?.resting.removeAll { $0.ticket == ticket } }
        guard let moment, !Task.isCancelled else { return false }
        return moment <= clock.now()
    }

    // MARK: Workers that leave

    /// Ends the open polls of a worker and passes what its sticky queue held to the normal queues.
    func shutDown(namespace: NamespaceID, sticky: TaskQueueName?, instanceKey: String) {
        var pollers: [TaskQueueState.Poller] = []
        if !instanceKey.isEmpty {
            for box in shards {
                box.state.withLock { shard in
                    for (key, queue) in shard.queues where key.namespace == namespace {
                        let leaving = (queue.parked + queue.resting).filter { $0.instanceKey == instanceKey }
                        guard !leaving.isEmpty else { continue }
                        pollers += leaving
                        shard.queues[key]?.parked.removeAll { $0.instanceKey == instanceKey }
                        shard.queues[key]?.resting.removeAll { $0.instanceKey == instanceKey }
                    }
                }
            }
        }
        if let sticky, !sticky.isEmpty { kill(TaskQueueKey(namespace: namespace, name: sticky, kind: .workflow)) }
        for poller in pollers { parking.cancel(poller.ticket) }
    }

    private func kill(_ key: TaskQueueKey) {
        let now = clock.now()
        let left = shard(key).state.withLock { shard -> [TaskOffer] in
            shard.queues[key, default: TaskQueueState(now: now)].die()
        }
        for offer in left {
            if let normal = offer.queue.normalName {
                hand(offer, to: TaskQueueKey(namespace: key.namespace, name: normal, kind: key.kind))
            }
        }
    }

    /// Ends all polls and takes no more.
    func close() {
        isClosed.store(true, ordering: .relaxed)
        parking.finishAll()
    }

    // MARK: Reading

    func describe(_ key: TaskQueueKey) -> TaskQueueDescription {
        let now = clock.now()
        return shard(key).state.withLock { shard in
            guard let queue = shard.queues[key] else {
                return TaskQueueDescription(pollers: [], backlogCount: 0, oldestTaskAge: .zero)
            }
            let parkedNow = !queue.parked.isEmpty
            let pollers = queue.pollers.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                TaskQueueDescription.Poller(
                    identity: $0.key, lastAccess: parkedNow ? max($0.value, queue.lastPoll ?? $0.value) : $0.value)
            }
            func age(_ moment: Timestamp?) -> TimeSpan { moment.map { max(now.since($0), .zero) } ?? .zero }
            let rates = queue.rates.perSecond(at: now)
            return TaskQueueDescription(
                pollers: pollers, backlogCount: queue.count, oldestTaskAge: age(queue.oldest),
                byPriority: queue.waiting.filter { $0.count > 0 }
                    .map { .init(priority: $0.priority, count: $0.count, oldestTaskAge: age($0.oldest)) },
                tasksAddRate: rates.added, tasksDispatchRate: rates.dispatched, rateLimit: queue.limit?.perSecond)
        }
    }

    func backlog(_ key: TaskQueueKey) -> Int { shard(key).state.withLock { $0.queues[key]?.count ?? 0 } }

    /// Forgets queues that nobody uses any more (a sticky queue lives as long as its worker).
    func forgetIdle() {
        let now = clock.now()
        for box in shards {
            box.state.withLock { shard in
                for (key, queue) in shard.queues where queue.isForgettable(at: now) { shard.queues[key] = nil }
            }
        }
    }

    private func shard(_ key: TaskQueueKey) -> Box {
        var hash = StableHash()
        hash.combine(key.name.value)
        return shards[Int(hash.value % UInt64(Self.shardCount))]
    }
}
