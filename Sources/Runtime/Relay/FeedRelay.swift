public import History
public import Logging
import Synchronization

/// Publishes committed events to the stream: in order per run, at least once, never blocking a commit.
///
/// Entries arrive from memory after their commit. A durable mark per lane says how far the stream is known to have them. On every
/// connect the stream is compared with the marks: a wiped or rolled-back stream is filled again from the store.
public final class FeedRelay: FeedSink {
    struct State {
        var lanes: [Int16: LaneProgress] = [:]
        var isConnected = false
        /// Moves with every new session, so that a session's end is not missed.
        var session = 0
        var domainMayHaveMore = true
        var publishedCount: Int64 = 0
        var isWakeScheduled = false
        var refusals = FeedRefusals()
    }
    let state = Mutex(State())
    let broker: any Broker
    let outbox: any OutboxStore
    let encoder: any EventEncoder
    /// Namespace names by id, for subjects.
    let namespaceName: @Sendable (NamespaceID) -> String
    /// Takes what the broker does not.
    let deadLetters: any DeadLetterSink
    let log: Logger
    private let wakeups: AsyncStream<Void>
    private let wakeup: AsyncStream<Void>.Continuation

    public static let batchMessagesMax = 512
    public static let markSecondsMin = 1

    public init(
        broker: any Broker, outbox: any OutboxStore, encoder: any EventEncoder, deadLetters: any DeadLetterSink,
        log: Logger,
        namespaceName: @escaping @Sendable (NamespaceID) -> String
    ) {
        self.broker = broker
        self.outbox = outbox
        self.encoder = encoder
        self.deadLetters = deadLetters
        self.log = log
        self.namespaceName = namespaceName
        (wakeups, wakeup) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func laneAcquired(_ lease: LaneLease) {
        state.withLock { state in
            // Where to begin is found from the marks when the stream is next compared.
            state.lanes[lease.lane] = LaneProgress(published: 0, committed: lease.lastOutboxSequence, mark: nil)
            if lease.lane == 0 {
                state.lanes[RelayMark.domainLane] = LaneProgress(published: 0, committed: 0, mark: nil)
            }
            state.session += 1
        }
        wakeup.yield()
    }

    public func laneLost(_ lane: Int16) {
        state.withLock { state in
            state.lanes[lane] = nil
            if lane == 0 { state.lanes[RelayMark.domainLane] = nil }
        }
    }

    public func committed(_ entries: [OutboxEntry]) {
        state.withLock { state in
            for entry in entries { state.lanes[entry.lane]?.add(entry) }
        }
        wakeup.yield()
    }

    public var isConnected: Bool { state.withLock { $0.isConnected } }

    /// Messages acknowledged since the start, and entries that wait.
    public var counters: (published: Int64, waiting: Int64) {
        state.withLock { state in
            var waiting: Int64 = 0
            for (_, lane) in state.lanes { waiting += lane.committed - lane.published }
            return (state.publishedCount, waiting)
        }
    }

    /// Publishes until the task is cancelled; then saves how far it came.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await isConnected in self.broker.connectionChanges() {
                    self.state.withLock { state in
                        state.isConnected = isConnected
                        state.session += 1
                    }
                    self.wakeup.yield()
                }
            }
            group.addTask {
                for await _ in self.outbox.domainEventSignals() {
                    self.state.withLock { $0.domainMayHaveMore = true }
                    self.wakeup.yield()
                }
            }
            await publishLoop()
            group.cancelAll()
        }
    }

    private func publishLoop() async {
        var comparedSession = -1
        var stream = StreamState(created: 0, firstSequence: 0, lastSequence: 0)
        var marks = MarkKeeper()
        for await _ in wakeups {
            var mustComeBack = false
            while !Task.isCancelled {
                let (session, isConnected) = state.withLock { ($0.session, $0.isConnected) }
                guard isConnected else { break }
                if session != comparedSession {
                    guard let found = await compare() else {
                        mustComeBack = true
                        break
                    }
                    stream = found
                    comparedSession = session
                }
                guard let saved = await publishOnce(stream: stream) else { break }
                marks.add(saved)
                if marks.isDue { await save(&marks) }
            }
            if Task.isCancelled { break }
            if marks.isDue { await save(&marks) }
            if marks.isDirty || mustComeBack { wakeLater() }
        }
        let rest = marks
        await Task { [self] in
            var rest = rest
            await save(&rest)
        }.value
    }

    /// One delayed wake-up at a time: for marks that may not be saved yet, and for another try.
    private func wakeLater() {
        let isFirst = state.withLock { state in
            defer { state.isWakeScheduled = true }
            return !state.isWakeScheduled
        }
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: .seconds(Self.markSecondsMin))
            state.withLock { $0.isWakeScheduled = false }
            wakeup.yield()
        }
    }

    private func save(_ marks: inout MarkKeeper) async {
        guard marks.isDirty else { return }
        do {
            try await outbox.saveMarks(marks.pending)
            marks.saved()
        } catch {
            log.warning("relay marks not saved", metadata: ["error": "\(error)"])
            marks.postponed()
        }
    }

    /// Publishes one batch.
    /// - Returns: the new marks, or nil when there was nothing to do or the broker failed.
    private func publishOnce(stream: StreamState) async -> [RelayMark]? {
        let plan = await nextPlan()
        guard !plan.messages.isEmpty else { return plan.didMove ? [] : nil }
        do {
            let sequences = try await publish(plan.messages)
            return state.withLock { state in
                state.publishedCount += Int64(plan.messages.count)
                return plan.parts.compactMap { part in
                    let index = part.lastMessage
                    let mark = RelayMark(
                        lane: part.lane, sequence: part.lastSequence, streamSequence: sequences[index],
                        streamCreated: stream.created, messageID: plan.messages[index].id)
                    guard state.lanes[part.lane] != nil else { return nil }
                    state.lanes[part.lane]?.acknowledged(through: part.lastSequence, mark: mark)
                    return mark
                }
            }
        } catch is StoreError {
            // A dead letter could not be kept: the session is good, only the time was not.
            wakeLater()
            return nil
        } catch {
            log.debug("feed publish failed; it will be repeated", metadata: ["error": "\(error)"])
            state.withLock { state in
                // The session is over: wait for the next one.
                state.isConnected = false
                state.session += 1
            }
            return nil
        }
    }
}

/// Marks that wait to be saved: at most one write a second.
struct MarkKeeper: Sendable {
    private(set) var byLane: [Int16: RelayMark] = [:]
    private var lastSave: ContinuousClock.Instant?

    var isDirty: Bool { !byLane.isEmpty }
    var pending: [RelayMark] { byLane.keys.sorted().compactMap { byLane[$0] } }
    var isDue: Bool {
        guard isDirty else { return false }
        guard let lastSave else { return true }
        return ContinuousClock.now - lastSave >= .seconds(FeedRelay.markSecondsMin)
    }

    mutating func add(_ marks: [RelayMark]) { for mark in marks { byLane[mark.lane] = mark } }
    mutating func saved() {
        byLane.removeAll()
        lastSave = .now
    }
    mutating func postponed() { lastSave = .now }
}
