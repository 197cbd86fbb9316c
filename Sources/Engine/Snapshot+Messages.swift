import History

extension OutgoingMessages {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var last = lastNumber
        var all = entries
        try coder.code(&last)
        let blank = Entry(number: 0, target: .blank, body: .releaseChild)
        try coder.code(&all, blank) { coder, entry throws(Corruption) in
            try coder.code(&entry.number)
            try coder.code(&entry.target)
            if coder.isReading { entry.body = try coder.readBody() } else { try coder.write(entry.body) }
        }
        if coder.isReading { restore(all, lastNumber: last) }
    }
}

extension MessageTarget {
    /// What reading begins with.
    static var blank: MessageTarget { MessageTarget(namespace: "", workflow: "") }
}

extension SnapshotCoder {
    mutating func code(_ value: inout MessageTarget) throws(Corruption) {
        try code(&value.namespace)
        try code(&value.workflow)
        try code(&value.run)
        try code(&value.firstRun)
    }

    mutating func write(_ body: RunMessage.Body) throws(Corruption) {
        var tag: UInt8
        switch body {
        case .startChild(var child):
            tag = 1
            try code(&tag)
            try code(&child)
        case .releaseChild:
            tag = 2
            try code(&tag)
        case .closeChild(var policy):
            tag = 3
            try code(&tag)
            try code(&policy)
        case .signal(var signal):
            tag = 4
            try code(&tag)
            try code(&signal.attributes)
            try code(&signal.childWorkflowOnly)
            try code(&signal.initiatedEventID)
        case .requestCancel(var cancel):
            tag = 5
            try code(&tag)
            try code(&cancel.attributes)
            try code(&cancel.childWorkflowOnly)
        case .childClosed(var closed):
            tag = 6
            try code(&tag)
            try code(&closed)
        }
    }

    mutating func readBody() throws(Corruption) -> RunMessage.Body {
        var tag: UInt8 = 0
        try code(&tag)
        switch tag {
        case 1:
            let key = RunKey(namespace: "", workflow: "", run: "")
            var child = ChildStart(
                start: StartRun(key: key, attributes: .blank), reusePolicy: .allowDuplicate, adoptsOpenChild: false)
            try code(&child)
            return .startChild(child)
        case 2: return .releaseChild
        case 3:
            var policy = ParentClosePolicy.terminate
            try code(&policy)
            return .closeChild(policy)
        case 4:
            var signal = ExternalSignal(
                attributes: WorkflowExecutionSignaled(signalName: ""), childWorkflowOnly: false,
                initiatedEventID: .none)
            try code(&signal.attributes)
            try code(&signal.childWorkflowOnly)
            try code(&signal.initiatedEventID)
            return .signal(signal)
        case 5:
            var cancel = ExternalCancel(attributes: WorkflowExecutionCancelRequested(), childWorkflowOnly: false)
            try code(&cancel.attributes)
            try code(&cancel.childWorkflowOnly)
            return .requestCancel(cancel)
        case 6:
            var closed = ChildClosed(end: .terminated, run: "", firstRun: "", initiatedEventID: .none)
            try code(&closed)
            return .childClosed(closed)
        case let other: throw Corruption("snapshot: \(other) is not a kind of message")
        }
    }

    private mutating func code(_ value: inout ChildStart) throws(Corruption) {
        var (namespace, workflow, run) = (value.start.key.namespace, value.start.key.workflow, value.start.key.run)
        try code(&namespace)
        try code(&workflow)
        try code(&run)
        value.start.key = RunKey(namespace: namespace, workflow: workflow, run: run)
        try code(&value.start.attributes)
        try code(&value.start.userMetadata)
        try code(&value.start.isHeld)
        try code(&value.reusePolicy)
        try code(&value.adoptsOpenChild)
    }

    private mutating func code(_ value: inout ChildClosed) throws(Corruption) {
        try code(&value.end)
        try code(&value.run)
        try code(&value.firstRun)
        try code(&value.initiatedEventID)
    }
}
