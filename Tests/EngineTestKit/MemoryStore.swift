public import Engine
public import History
public import Runtime
import Synchronization

/// What goes wrong with one commit.
public enum MemoryFault: Sendable, Hashable {
    /// The store cannot be reached; nothing happens.
    case unavailable
    /// It happens, but the answer is lost.
    case answerLost
    /// The connection breaks, and it did not happen; the writer cannot know.
    case requestLost
    /// Somebody else wrote one of the runs.
    case conflict
    /// The store takes this many turns of the scheduler.
    case slow(turns: Int)
}

/// The whole storage in memory, with the same promises as `PostgresStore`, and faults on demand.
///
/// Several hosts may work on one store: leases, epochs and versions are checked in every commit.
public final class MemoryStore: Sendable {
    struct Row {
        var summary: RunSummary
        var version: Int64
        var isCurrent: Bool
        var snapshot: [UInt8]
        var wakeAt: Timestamp?
        var slot: Int16
        var events: [StoredEvent]
        var attempts: [ActivityAttempt]
        var searchValues: [SearchValue] = []
    }

    struct WorkflowName: Hashable {
        var namespace: NamespaceID
        var workflow: WorkflowID
    }

    struct Lane {
        var owner: String?
        var epoch: Int64 = 0
        var expiresAt = Timestamp.zero
        var lastSequence: Int64 = 0
    }

    struct State {
        var rows: [RunID: Row] = [:]
        var currents: [WorkflowName: RunID] = [:]
        var lanes: [Int16: Lane] = [:]
        var outbox: [Int16: [OutboxEntry]] = [:]
        var domain: [DomainEvent] = []
        var marks: [RelayMark] = []
        var requests: [String: StoredRequest] = [:]
        var namespaces: [NamespaceID: Namespace] = [:]
        var schedules: [ScheduleKey: ScheduleRow] = [:]
        var batches: [BatchKey: BatchRow] = [:]
        var scheduleFault: (@Sendable (_ batch: ScheduleBatch) -> MemoryFault?)?
        var commits = 0
        var reads = 0
        var isDown = false
        var fault: (@Sendable (_ commit: Int, _ batch: CommitBatch) -> MemoryFault?)?
        var log: [CommitBatch] = []
        var keepsLog = false
    }

    let state: Mutex<State>
    let clock: any RuntimeClock

    public init(clock: any RuntimeClock, laneCount: Int = 16) {
        self.clock = clock
        var state = State()
        for lane in 0..<Int16(laneCount) { state.lanes[lane] = Lane() }
        self.state = Mutex(state)
    }

    // MARK: What a test can do to it

    /// Asked before every commit, with its number (1, 2, …).
    public func setFault(_ fault: (@Sendable (_ commit: Int, _ batch: CommitBatch) -> MemoryFault?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Nothing can be reached until it is up again.
    public func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    /// Keeps every batch that was stored.
    public func keepLog() { state.withLock { $0.keepsLog = true } }

    public var log: [CommitBatch] { state.withLock { $0.log } }
    public var commitCount: Int { state.withLock { $0.commits } }
    /// How many reads were made (lists and loads).
    public var readCount: Int { state.withLock { $0.reads } }
    public var runKeys: [RunKey] { state.withLock { $0.rows.values.map(\.summary.key).sorted { $0.run < $1.run } } }
    public func wakeAt(_ run: RunID) -> Timestamp? { state.withLock { $0.rows[run]?.wakeAt } }

    public func addDomainEvent(_ event: DomainEvent) { state.withLock { $0.domain.append(event) } }

    /// Changes stored bytes behind the store's back.
    public func tamper(_ run: RunID, event: EventID) {
        state.withLock { state in
            guard let index = state.rows[run]?.events.firstIndex(where: { $0.id == event }) else { return }
            state.rows[run]?.events[index].body.append(0)
        }
    }

    func reading<Result>(_ body: (inout State) throws(StoreError) -> Result) throws(StoreError) -> Result {
        try state.withLock { state throws(StoreError) in
            if state.isDown { throw .unavailable("the store is down") }
            state.reads += 1
            return try body(&state)
        }
    }
}

extension MemoryStore: RunStore {
    public func commit(_ batch: CommitBatch) async throws(StoreError) {
        let fault = state.withLock { state -> MemoryFault? in
            state.commits += 1
            return state.isDown ? .unavailable : state.fault?(state.commits, batch)
        }
        switch fault {
        case .unavailable: throw .unavailable("injected")
        case .requestLost: throw .outcomeUnknown("injected, did not happen")
        case .conflict: throw .conflict(batch.writes.prefix(1).map(\.summary.key))
        case .slow(let turns):
            for _ in 0..<turns { await Task.yield() }
            try store(batch)
        case .answerLost:
            try store(batch)
            throw .outcomeUnknown("injected, happened")
        case nil: try store(batch)
        }
    }

    private func store(_ batch: CommitBatch) throws(StoreError) {
        let now = clock.now()
        try state.withLock { state throws(StoreError) in
            let held = Set(
                batch.lanes.filter { named in
                    guard let lane = state.lanes[named.lane] else { return false }
                    return lane.owner != nil && lane.epoch == named.epoch && now < lane.expiresAt
                }.map(\.lane))
            let lost = batch.writes.filter { !held.contains($0.lane) }
            guard lost.isEmpty else { throw .notOwner(slots: lost.map(\.slot)) }
            try Self.check(batch, state)
            for write in batch.writes { Self.apply(write, lane: write.lane, &state) }
            if state.keepsLog { state.log.append(batch) }
        }
    }

    private static func check(_ batch: CommitBatch, _ state: State) throws(StoreError) {
        var changed: [RunKey] = []
        var taken: [RunKey] = []
        for write in batch.writes {
            let key = write.summary.key
            let row = state.rows[key.run]
            if let expected = write.expectedVersion {
                guard let row, row.version == expected else {
                    changed.append(key)
                    continue
                }
                let last = row.events.last?.id ?? .none
                if let first = write.events.first, first.id != last.next {
                    throw .corrupt("events of \(key) are not dense")
                }
            } else {
                let current = state.currents[WorkflowName(namespace: key.namespace, workflow: key.workflow)]
                if row != nil || current != write.supersedes { taken.append(key) }
            }
            if let claim = write.claim, state.requests["\(claim.scope)\n\(claim.key)"] != nil { taken.append(key) }
        }
        if !changed.isEmpty { throw .conflict(changed) }
        if !taken.isEmpty { throw .alreadyExists(taken) }
    }

    private static func apply(_ write: RunWrite, lane: Int16, _ state: inout State) {
        let key = write.summary.key
        let name = WorkflowName(namespace: key.namespace, workflow: key.workflow)
        if let old = write.supersedes { state.rows[old]?.isCurrent = false }
        if write.expectedVersion == nil {
            state.currents[name] = key.run
            state.rows[key.run] = Row(
                summary: write.summary, version: 1, isCurrent: true, snapshot: write.snapshot, wakeAt: write.wakeAt,
                slot: write.slot, events: write.events, attempts: write.attempts)
        } else {
            state.rows[key.run]?.version += 1
            let version = state.rows[key.run]?.version ?? 1
            state.rows[key.run]?.summary = write.summary
            state.rows[key.run]?.summary.transitionCount = version
            state.rows[key.run]?.snapshot = write.snapshot
            state.rows[key.run]?.wakeAt = write.wakeAt
            state.rows[key.run]?.events += write.events
            state.rows[key.run]?.attempts += write.attempts
        }
        if let values = write.searchValues { state.rows[key.run]?.searchValues = values }
        if let sequence = write.outboxSequence {
            precondition(
                sequence == (state.lanes[lane]?.lastSequence ?? 0) + 1,
                "the outbox of lane \(lane) has a hole before \(sequence)")
            state.lanes[lane]?.lastSequence = sequence
            state.outbox[lane, default: []].append(
                OutboxEntry(
                    lane: lane, sequence: sequence, run: key, workflowType: write.summary.workflowType,
                    events: write.events))
        }
        if let claim = write.claim {
            state.requests["\(claim.scope)\n\(claim.key)"] = StoredRequest(claim: claim, run: key, answer: nil)
        }
    }

    public func loadRun(namespace: NamespaceID, workflow: WorkflowID, run: RunID?) async throws(StoreError)
        -> StoredRun?
    {
        try reading { state throws(StoreError) in
            let name = WorkflowName(namespace: namespace, workflow: workflow)
            guard let id = run ?? state.currents[name], let row = state.rows[id], row.summary.key.workflow == workflow,
                row.summary.key.namespace == namespace
            else { return nil }
            return StoredRun(
                summary: row.summary, version: row.version, isCurrent: row.isCurrent, snapshot: row.snapshot,
                lastHash: row.events.last?.hash ?? [])
        }
    }

    public func readEvents(
        _ run: RunKey, from first: EventID, through last: EventID, limit: Int, newestFirst: Bool
    ) async throws(StoreError) -> [StoredEvent] {
        try reading { state throws(StoreError) in
            let found = (state.rows[run.run]?.events ?? []).filter { first <= $0.id && $0.id <= last }
            return Array((newestFirst ? found.reversed() : found).prefix(limit))
        }
    }

    public func readAttempts(_ run: RunKey, limit: Int) async throws(StoreError) -> [ActivityAttempt] {
        try reading { state throws(StoreError) in Array((state.rows[run.run]?.attempts ?? []).prefix(limit)) }
    }

    public func runsToWake(
        slots: ClosedRange<Int16>, until: Timestamp, after cursor: WakeEntry?, limit: Int
    ) async throws(StoreError) -> [WakeEntry] {
        func place(_ entry: WakeEntry) -> (Int64, Int16, String) {
            (entry.wakeAt.nanoseconds, entry.slot, entry.key.run.value)
        }
        return try reading { state throws(StoreError) in
            let all = state.rows.values.compactMap { row -> WakeEntry? in
                guard let wakeAt = row.wakeAt, wakeAt <= until, slots.contains(row.slot) else { return nil }
                return WakeEntry(key: row.summary.key, slot: row.slot, wakeAt: wakeAt)
            }
            let sorted = all.sorted { place($0) < place($1) }
            guard let cursor else { return Array(sorted.prefix(limit)) }
            return Array(sorted.filter { place(cursor) < place($0) }.prefix(limit))
        }
    }

    public func listRuns(_ query: VisibilityQuery) async throws(StoreError) -> [RunSummary] {
        func place(_ run: RunSummary) -> (Int64, Int64, String) {
            (-(run.closeTime?.nanoseconds ?? .max), -run.startTime.nanoseconds, run.key.run.value)
        }
        return try reading { state throws(StoreError) in
            let sorted = Self.matching(query, state).sorted { place($0) < place($1) }
            guard let after = query.after else { return Array(sorted.prefix(query.limit)) }
            return Array(sorted.filter { place(after) < place($0) }.prefix(query.limit))
        }
    }

    public func countRuns(_ query: VisibilityQuery) async throws(StoreError) -> Int64 {
        try reading { state throws(StoreError) in Int64(Self.matching(query, state).count) }
    }

    public func countRunsByStatus(_ query: VisibilityQuery) async throws(StoreError) -> [StatusCount] {
        try reading { state throws(StoreError) in
            let groups = Dictionary(grouping: Self.matching(query, state), by: \.status)
            return groups.map { StatusCount(status: $0, count: Int64($1.count)) }
                .sorted { $0.status.rawValue < $1.status.rawValue }
        }
    }

    private static func matching(_ query: VisibilityQuery, _ state: State) -> [RunSummary] {
        state.rows.values.filter { row in
            let run = row.summary
            return run.key.namespace == query.namespace && (query.workflowID.map { $0 == run.key.workflow } ?? true)
                && (query.workflowIDPrefix.map { run.key.workflow.value.hasPrefix($0) } ?? true)
                && (query.workflowType.map { $0 == run.workflowType } ?? true)
                && (query.status.map { $0 == run.status } ?? true)
                && (query.filter.map { $0.matches(run, row.searchValues) == true } ?? true)
        }
        .map(\.summary)
    }
}
