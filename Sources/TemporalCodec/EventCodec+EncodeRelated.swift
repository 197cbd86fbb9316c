import History

/// The fields of the events about other workflows. Numbers are those of `temporal/history.proto`.
extension ProtobufWriter {
    mutating func execution(_ field: Int, _ value: WorkflowReference) {
        message(field) {
            $0.text(1, value.workflow)
            $0.text(2, value.run)
        }
    }

    /// The attributes message of an event about a child.
    mutating func attributes(_ event: ChildWorkflowEvent) {
        switch event {
        case .initiated(let a): message(34) { $0.fields(a) }
        case .startFailed(let a): message(35) { $0.fields(a) }
        case .started(let a): message(36) { $0.fields(a) }
        case .ended(let a):
            switch a.end {
            case .completed(let result): message(37) { $0.fields(a, blob: result) }
            case .failed(let cause, let state): message(38) { $0.fields(a, cause, state) }
            case .canceled(let details): message(39) { $0.fields(a, blob: details) }
            case .timedOut(let state):
                message(40) {
                    $0.shortFields(a)
                    $0.integer(6, state.rawValue)
                    $0.text(7, a.namespace.id)
                }
            case .terminated:
                message(41) {
                    $0.shortFields(a)
                    $0.text(6, a.namespace.id)
                }
            }
        }
    }

    /// The attributes message of an event about another workflow.
    mutating func attributes(_ event: ExternalWorkflowEvent) {
        switch event {
        case .cancelInitiated(let a): message(30) { $0.fields(a) }
        case .cancelFailed(let a): message(31) { $0.fields(a) }
        case .cancelRequested(let a):
            message(32) {
                $0.eventID(1, a.initiatedEventID)
                $0.text(2, a.namespace.name)
                $0.execution(3, a.execution)
                $0.text(4, a.namespace.id)
            }
        case .signalInitiated(let a): message(42) { $0.fields(a) }
        case .signalFailed(let a): message(43) { $0.fields(a) }
        case .signaled(let a):
            message(44) {
                $0.eventID(1, a.initiatedEventID)
                $0.text(2, a.namespace.name)
                $0.execution(3, a.execution)
                $0.text(4, a.control)
                $0.text(5, a.namespace.id)
            }
        }
    }

    private mutating func fields(_ a: StartChildWorkflowInitiated) {
        text(1, a.namespace.name)
        text(2, a.workflowID)
        named(3, a.workflowType)
        taskQueue(4, a.taskQueue)
        blob(5, a.input)
        span(6, a.workflowExecutionTimeout)
        span(7, a.workflowRunTimeout)
        span(8, a.workflowTaskTimeout)
        integer(9, a.parentClosePolicy.rawValue)
        text(10, a.control)
        eventID(11, a.workflowTaskCompletedEventID)
        integer(12, a.reusePolicy.rawValue)
        if let policy = a.retryPolicy { retryPolicy(13, policy) }
        text(14, a.cronSchedule)
        blob(15, a.header)
        blob(16, a.memo)
        blob(17, a.searchAttributes)
        text(18, a.namespace.id)
        flag(19, a.inheritBuildID)
        if let priority = a.priority { self.priority(20, priority) }
        blob(24, a.versioningOverride)
    }

    private mutating func fields(_ a: StartChildWorkflowFailed) {
        text(1, a.namespace.name)
        text(2, a.workflowID)
        named(3, a.workflowType)
        integer(4, a.cause.rawValue)
        text(5, a.control)
        eventID(6, a.initiatedEventID)
        eventID(7, a.workflowTaskCompletedEventID)
        text(8, a.namespace.id)
    }

    private mutating func fields(_ a: ChildWorkflowStarted) {
        text(1, a.namespace.name)
        eventID(2, a.initiatedEventID)
        execution(3, a.execution)
        named(4, a.workflowType)
        blob(5, a.header)
        text(6, a.namespace.id)
    }

    /// Events 32 and 34.
    private mutating func fields(_ a: ChildWorkflowEnded, blob value: Blob?) {
        blob(1, value)
        longFields(a)
        text(7, a.namespace.id)
    }

    private mutating func fields(_ a: ChildWorkflowEnded, _ cause: Failure, _ state: RetryState) {
        failure(1, cause)
        longFields(a)
        integer(7, state.rawValue)
        text(8, a.namespace.id)
    }

    private mutating func longFields(_ a: ChildWorkflowEnded) {
        text(2, a.namespace.name)
        execution(3, a.execution)
        named(4, a.workflowType)
        eventID(5, a.initiatedEventID)
        eventID(6, a.startedEventID)
    }

    /// Events 35 and 36 have nothing before the namespace.
    private mutating func shortFields(_ a: ChildWorkflowEnded) {
        text(1, a.namespace.name)
        execution(2, a.execution)
        named(3, a.workflowType)
        eventID(4, a.initiatedEventID)
        eventID(5, a.startedEventID)
    }

    private mutating func fields(_ a: RequestCancelExternalInitiated) {
        eventID(1, a.workflowTaskCompletedEventID)
        text(2, a.namespace.name)
        execution(3, a.execution)
        text(4, a.control)
        flag(5, a.childWorkflowOnly)
        text(6, a.reason)
        text(7, a.namespace.id)
    }

    private mutating func fields(_ a: SignalExternalInitiated) {
        eventID(1, a.workflowTaskCompletedEventID)
        text(2, a.namespace.name)
        execution(3, a.execution)
        text(4, a.signalName)
        blob(5, a.input)
        text(6, a.control)
        flag(7, a.childWorkflowOnly)
        blob(8, a.header)
        text(9, a.namespace.id)
    }

    /// Events 23 and 38.
    private mutating func fields(_ a: ExternalFailed) {
        integer(1, a.cause.rawValue)
        eventID(2, a.workflowTaskCompletedEventID)
        text(3, a.namespace.name)
        execution(4, a.execution)
        eventID(5, a.initiatedEventID)
        text(6, a.control)
        text(7, a.namespace.id)
    }
}
