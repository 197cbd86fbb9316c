import Engine
import History

struct WorkflowKey: Hashable, Sendable {
    var namespace: NamespaceID
    var workflow: WorkflowID
}

/// A run in memory. Confined to its partition.
final class HotRun {
    let key: RunKey
    let slot: Int16
    let lane: LaneState
    /// The newest state, which may be ahead of what is stored.
    var run: Run
    /// The version of the stored row; nil while the run is new.
    var version: Int64?
    var isCurrent: Bool
    /// The status that it is counted under in the store, once the batches before are stored; nil while the run is new.
    var countedStatus: WorkflowStatus?
    /// Hash of the newest event.
    var lastHash: [UInt8]
    /// The newest event that is stored.
    var durableLast: EventID
    var tail = EventTail()
    /// The batch that its next transition joins; nil when none is waiting.
    var openBatch: Batch?
    /// The batch on its way to the store that it is part of.
    var sealedBatch: Batch?
    /// What it is in the timer heap for.
    var deadline: Deadline?
    /// Thrown out of memory: holders must load it again.
    var isDropped = false
    /// A change in memory that no write has carried yet (a lease, a heartbeat).
    var hasUnwrittenState = false
    /// Readers that wait for new events.
    var readers: [ParkingLot<Void>.Ticket] = []
    /// Queries that wait for the next workflow task, or are with the one that is started.
    var queries: [BufferedQuery] = []
    var updateWaiters: [UpdateWaiter] = []
    var lastUse: UInt64 = 0
    /// The newest of its messages that is stored.
    var durableMessage: Int64 = 0
    /// Whom messages are on their way to.
    var receivers: Set<WorkflowKey> = []
    /// Tells this stay in memory from others; 0 until something is sent.
    var stay: UInt64 = 0

    init(key: RunKey, slot: Int16, lane: LaneState, run: Run, version: Int64?, isCurrent: Bool, lastHash: [UInt8]) {
        self.key = key
        self.slot = slot
        self.lane = lane
        self.run = run
        self.version = version
        self.isCurrent = isCurrent
        self.lastHash = lastHash
        durableLast = run.lastEventID
    }

    var workflowKey: WorkflowKey { WorkflowKey(namespace: key.namespace, workflow: key.workflow) }

    /// Is everything decided about it stored?
    var isSettled: Bool { openBatch == nil && sealedBatch == nil }

    /// May it leave memory without anybody noticing?
    var isEvictable: Bool {
        isSettled && !hasUnwrittenState && readers.isEmpty && queries.isEmpty && run.startedWorkflowTask == nil
            && !run.hasMessages && !run.isDeleted && updateWaiters.isEmpty && !run.hasWaitingUpdates
    }

    func summary() -> RunSummary { RunSummary(of: run, key: key) }
}

extension RunSummary {
    /// What lists show of a run.
    init(of run: Run, key: RunKey) {
        let started = run.started
        self.init(
            key: key, firstRunID: started?.firstExecutionRunID ?? key.run, workflowType: started?.workflowType ?? "",
            taskQueue: started?.taskQueue.name ?? "", status: run.status ?? .running, startTime: run.beginTime,
            executionTime: run.executionTime,
            closeTime: run.closeTime,
            historyLength: run.lastEventID.value, historySizeBytes: run.historySizeBytes,
            startRequestID: started?.requestID ?? "", memo: run.memo, searchAttributes: run.searchAttributes,
            parent: started?.parent?.execution, root: started?.root)
    }
}
