import History

/// A child that was asked for and has not ended.
///
/// initiated → start failed | started → ended. Until it is started, a message to the child is under way.
struct PendingChild: Hashable, Sendable, Deadlined {
    var initiatedEventID: EventID
    var namespace: NamespaceReference
    var workflowID: WorkflowID
    var workflowType: String
    var parentClosePolicy: ParentClosePolicy
    var control: String
    /// The first run of the child's chain, once its start is recorded.
    var run: RunID?
    var startedEventID: EventID = .none

    // The live part.

    /// Known as soon as the child is started, even while the event waits in the buffer.
    var bufferedRun: RunID?
    /// It ended, or could not be started, while a workflow task was started; the event waits in the buffer.
    var endIsBuffered = false

    init(_ event: StartChildWorkflowInitiated, id: EventID) {
        initiatedEventID = id
        namespace = event.namespace
        workflowID = event.workflowID
        workflowType = event.workflowType
        parentClosePolicy = event.parentClosePolicy
        control = event.control
    }

    var deadline: Timestamp? { nil }
    var isStarted: Bool { run != nil || bufferedRun != nil }

    /// The part that the history determines.
    var recorded: PendingChild {
        var copy = self
        copy.bufferedRun = nil
        copy.endIsBuffered = false
        return copy
    }
}

/// The pending children of a run.
struct ChildMachine: Hashable, Sendable {
    var table = EventTable<PendingChild>()

    /// Folds events 29–36.
    mutating func fold(_ event: ChildWorkflowEvent, id: EventID) throws(Corruption) {
        switch event {
        case .initiated(let attributes): table.insert(PendingChild(attributes, id: id), for: id)
        case .startFailed(let attributes):
            guard let child = table[attributes.initiatedEventID], child.run == nil else {
                throw Corruption("event \(id): no child waits for its start since \(attributes.initiatedEventID)")
            }
            table.remove(attributes.initiatedEventID)
        case .started(let attributes):
            guard let child = table[attributes.initiatedEventID], child.run == nil else {
                throw Corruption("event \(id): no child waits for its start since \(attributes.initiatedEventID)")
            }
            table.update(attributes.initiatedEventID) {
                $0.run = attributes.execution.run
                $0.bufferedRun = nil
                $0.startedEventID = id
            }
        case .ended(let attributes):
            guard let child = table[attributes.initiatedEventID], child.startedEventID == attributes.startedEventID,
                child.run != nil
            else { throw Corruption("event \(id): child \(attributes.initiatedEventID) was not started") }
            table.remove(attributes.initiatedEventID)
        }
    }

    mutating func removeAll() { table.removeAll() }
    mutating func rollBack() { table.rollBack { _, _, _ in } }
}

/// A signal or cancel request to another workflow that was not answered yet.
struct PendingExternal: Hashable, Sendable, Deadlined {
    enum Kind: UInt8, Hashable, Sendable { case signal = 1, cancel = 2 }

    var initiatedEventID: EventID
    var kind: Kind
    var namespace: NamespaceReference
    var execution: WorkflowReference
    var control: String
    /// The answer came while a workflow task was started; the event waits in the buffer.
    var answerIsBuffered = false

    var deadline: Timestamp? { nil }

    var recorded: PendingExternal {
        var copy = self
        copy.answerIsBuffered = false
        return copy
    }
}

/// What a run has asked of other workflows.
struct ExternalMachine: Hashable, Sendable {
    var table = EventTable<PendingExternal>()
    private(set) var signalCount = 0
    private(set) var cancelCount = 0

    /// Folds events 22–24 and 37–39.
    mutating func fold(_ event: ExternalWorkflowEvent, id: EventID) throws(Corruption) {
        switch event {
        case .cancelInitiated(let attributes):
            insert(
                PendingExternal(
                    initiatedEventID: id, kind: .cancel, namespace: attributes.namespace,
                    execution: attributes.execution, control: attributes.control))
        case .signalInitiated(let attributes):
            insert(
                PendingExternal(
                    initiatedEventID: id, kind: .signal, namespace: attributes.namespace,
                    execution: attributes.execution, control: attributes.control))
        case .cancelFailed(let attributes): try end(attributes.initiatedEventID, .cancel, by: id)
        case .cancelRequested(let attributes): try end(attributes.initiatedEventID, .cancel, by: id)
        case .signalFailed(let attributes): try end(attributes.initiatedEventID, .signal, by: id)
        case .signaled(let attributes): try end(attributes.initiatedEventID, .signal, by: id)
        }
    }

    mutating func insert(_ pending: PendingExternal) {
        table.insert(pending, for: pending.initiatedEventID)
        count(pending.kind, 1)
    }

    private mutating func end(_ key: EventID, _ kind: PendingExternal.Kind, by id: EventID) throws(Corruption) {
        guard let pending = table[key], pending.kind == kind else {
            throw Corruption("event \(id): nothing was asked of another workflow by event \(key)")
        }
        table.remove(key)
        count(kind, -1)
    }

    private mutating func count(_ kind: PendingExternal.Kind, _ step: Int) {
        switch kind {
        case .signal: signalCount += step
        case .cancel: cancelCount += step
        }
    }

    mutating func removeAll() {
        table.removeAll()
        signalCount = 0
        cancelCount = 0
    }

    mutating func rollBack() {
        var (signals, cancels) = (signalCount, cancelCount)
        table.rollBack { _, taken, restored in
            if let taken { if taken.kind == .signal { signals -= 1 } else { cancels -= 1 } }
            if let restored { if restored.kind == .signal { signals += 1 } else { cancels += 1 } }
        }
        (signalCount, cancelCount) = (signals, cancels)
    }
}
