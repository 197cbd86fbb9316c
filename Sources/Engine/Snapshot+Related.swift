import History

// What a run keeps about other runs.
extension SnapshotCoder {
    mutating func code(_ value: inout NamespaceReference) throws(Corruption) {
        try code(&value.name)
        try code(&value.id)
    }

    mutating func code(_ value: inout WorkflowReference) throws(Corruption) {
        try code(&value.workflow)
        try code(&value.run)
    }

    mutating func code(_ value: inout WorkflowReference?) throws(Corruption) {
        try code(&value, .blank) { coder, reference throws(Corruption) in try coder.code(&reference) }
    }

    mutating func code(_ value: inout ParentWorkflow?) throws(Corruption) {
        let blank = ParentWorkflow(namespace: .blank, execution: .blank, initiatedEventID: .none)
        try code(&value, blank) { coder, parent throws(Corruption) in
            try coder.code(&parent.namespace)
            try coder.code(&parent.execution)
            try coder.code(&parent.initiatedEventID)
        }
    }

    mutating func code(_ value: inout ChildEnd) throws(Corruption) {
        var tag = UInt8(truncatingIfNeeded: value.typeNumber)
        try code(&tag)
        var (blob, failure, state): (Blob?, Failure?, RetryState) = (nil, nil, .timeout)
        switch value {
        case .completed(let result): blob = result
        case .failed(let cause, let reason): (failure, state) = (cause, reason)
        case .canceled(let details): blob = details
        case .timedOut(let reason): state = reason
        case .terminated: break
        }
        try code(&blob)
        try code(&failure)
        try code(&state)
        guard isReading else { return }
        switch tag {
        case 32: value = .completed(result: blob)
        case 33:
            guard let failure else { throw Corruption("snapshot: a failed child without its failure") }
            value = .failed(failure, state)
        case 34: value = .canceled(details: blob)
        case 35: value = .timedOut(state)
        case 36: value = .terminated
        case let other: throw Corruption("snapshot: \(other) is not an end of a child")
        }
    }

    mutating func code(_ value: inout ChildWorkflowEnded) throws(Corruption) {
        try code(&value.end)
        try code(&value.namespace)
        try code(&value.execution)
        try code(&value.workflowType)
        try code(&value.initiatedEventID)
    }

    mutating func code(_ value: inout ChildWorkflowStarted) throws(Corruption) {
        try code(&value.namespace)
        try code(&value.initiatedEventID)
        try code(&value.execution)
        try code(&value.workflowType)
        try code(&value.header)
    }

    mutating func code(_ value: inout StartChildWorkflowFailed) throws(Corruption) {
        try code(&value.namespace)
        try code(&value.workflowID)
        try code(&value.workflowType)
        try code(&value.cause)
        try code(&value.control)
        try code(&value.initiatedEventID)
        try code(&value.workflowTaskCompletedEventID)
    }

    mutating func code(_ value: inout ExternalFailed) throws(Corruption) {
        try code(&value.cause)
        try code(&value.namespace)
        try code(&value.execution)
        try code(&value.initiatedEventID)
        try code(&value.control)
        try code(&value.workflowTaskCompletedEventID)
    }

    mutating func code(_ value: inout ExternalTold) throws(Corruption) {
        try code(&value.namespace)
        try code(&value.execution)
        try code(&value.initiatedEventID)
        try code(&value.control)
    }

    // MARK: Buffered facts

    mutating func write(_ fact: RelatedFact) throws(Corruption) {
        var tag: UInt8
        switch fact {
        case .childStartFailed(var attributes):
            tag = 1
            try code(&tag)
            try code(&attributes)
        case .childStarted(var attributes):
            tag = 2
            try code(&tag)
            try code(&attributes)
        case .childEnded(var attributes):
            tag = 3
            try code(&tag)
            try code(&attributes)
        case .cancelFailed(var attributes):
            tag = 4
            try code(&tag)
            try code(&attributes)
        case .cancelRequested(var attributes):
            tag = 5
            try code(&tag)
            try code(&attributes)
        case .signalFailed(var attributes):
            tag = 6
            try code(&tag)
            try code(&attributes)
        case .signaled(var attributes):
            tag = 7
            try code(&tag)
            try code(&attributes)
        }
    }

    mutating func readRelatedFact() throws(Corruption) -> RelatedFact {
        var tag: UInt8 = 0
        try code(&tag)
        var failed = ExternalFailed(
            cause: .notFound, namespace: .blank, execution: .blank, initiatedEventID: .none,
            workflowTaskCompletedEventID: .none)
        var told = ExternalTold(namespace: .blank, execution: .blank, initiatedEventID: .none)
        switch tag {
        case 1:
            var attributes = StartChildWorkflowFailed(
                namespace: .blank, workflowID: "", workflowType: "", cause: .namespaceNotFound,
                initiatedEventID: .none, workflowTaskCompletedEventID: .none)
            try code(&attributes)
            return .childStartFailed(attributes)
        case 2:
            var attributes = ChildWorkflowStarted(
                namespace: .blank, initiatedEventID: .none, execution: .blank, workflowType: "")
            try code(&attributes)
            return .childStarted(attributes)
        case 3:
            var attributes = ChildWorkflowEnded(
                end: .terminated, namespace: .blank, execution: .blank, workflowType: "", initiatedEventID: .none)
            try code(&attributes)
            return .childEnded(attributes)
        case 4, 6:
            try code(&failed)
            return tag == 4 ? .cancelFailed(failed) : .signalFailed(failed)
        case 5, 7:
            try code(&told)
            return tag == 5 ? .cancelRequested(told) : .signaled(told)
        case let other: throw Corruption("snapshot: \(other) is not a kind of news from another run")
        }
    }
}

extension NamespaceReference {
    /// What reading begins with.
    static var blank: NamespaceReference { NamespaceReference(name: "", id: "") }
}

extension WorkflowReference {
    /// What reading begins with.
    static var blank: WorkflowReference { WorkflowReference(workflow: "") }
}

extension ChildMachine {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = table.all
        let blank = PendingChild(
            StartChildWorkflowInitiated(
                namespace: .blank, workflowID: "", workflowType: "", taskQueue: TaskQueue(""),
                workflowTaskCompletedEventID: .none), id: .none)
        try coder.code(&all, blank) { coder, child throws(Corruption) in
            try coder.code(&child.initiatedEventID)
            try coder.code(&child.namespace)
            try coder.code(&child.workflowID)
            try coder.code(&child.workflowType)
            try coder.code(&child.parentClosePolicy)
            try coder.code(&child.control)
            try coder.code(&child.run)
            try coder.code(&child.startedEventID)
            try coder.code(&child.bufferedRun)
            try coder.code(&child.endIsBuffered)
        }
        guard coder.isReading else { return }
        for child in all { table.insert(child, for: child.initiatedEventID) }
    }
}

extension ExternalMachine {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = table.all
        let blank = PendingExternal(
            initiatedEventID: .none, kind: .signal, namespace: .blank, execution: .blank, control: "")
        try coder.code(&all, blank) { coder, pending throws(Corruption) in
            try coder.code(&pending.initiatedEventID)
            try coder.code(&pending.kind)
            try coder.code(&pending.namespace)
            try coder.code(&pending.execution)
            try coder.code(&pending.control)
            try coder.code(&pending.answerIsBuffered)
        }
        guard coder.isReading else { return }
        for pending in all { insert(pending) }
    }
}
