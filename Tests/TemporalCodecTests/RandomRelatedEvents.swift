import History

extension RandomValues {
    /// Events about other workflows, one of each kind.
    mutating func relatedKinds() -> [EventKind] { childKinds() + externalKinds() }

    mutating func namespace() -> NamespaceReference { NamespaceReference(name: name(), id: NamespaceID(name())) }

    mutating func reference() -> WorkflowReference {
        WorkflowReference(workflow: WorkflowID(text()), run: optional { $0.run() })
    }

    mutating func parent() -> ParentWorkflow {
        ParentWorkflow(namespace: namespace(), execution: reference(), initiatedEventID: id())
    }

    private mutating func childKinds() -> [EventKind] {
        let initiated = StartChildWorkflowInitiated(
            namespace: namespace(), workflowID: WorkflowID(text()), workflowType: text(), taskQueue: queue(),
            input: optional { $0.blob() }, header: optional { $0.blob() }, workflowExecutionTimeout: span(),
            workflowRunTimeout: span(), workflowTaskTimeout: span(),
            parentClosePolicy: pick([.terminate, .abandon, .requestCancel]), control: text(),
            workflowTaskCompletedEventID: id(), reusePolicy: pick([.allowDuplicate, .rejectDuplicate]),
            retryPolicy: optional { $0.policy() }, cronSchedule: text(), memo: optional { $0.blob() },
            searchAttributes: optional { $0.blob() }, priority: optional { $0.priority() },
            versioningOverride: optional { $0.blob() }, inheritBuildID: chance(50))
        let ends: [ChildEnd] = [
            .completed(result: optional { $0.blob() }), .failed(failure(), retryState()),
            .canceled(details: optional { $0.blob() }), .timedOut(retryState()), .terminated,
        ]
        let kinds: [ChildWorkflowEvent] = [
            .initiated(initiated),
            .startFailed(
                .init(
                    namespace: namespace(), workflowID: WorkflowID(text()), workflowType: text(),
                    cause: pick([.workflowAlreadyExists, .namespaceNotFound]), control: text(),
                    initiatedEventID: id(), workflowTaskCompletedEventID: id())),
            .started(
                .init(
                    namespace: namespace(), initiatedEventID: id(), execution: reference(), workflowType: text(),
                    header: optional { $0.blob() })),
        ]
        var all = kinds.map(EventKind.childWorkflow)
        for end in ends {
            all.append(
                .childWorkflow(
                    .ended(
                        .init(
                            end: end, namespace: namespace(), execution: reference(), workflowType: text(),
                            initiatedEventID: id(), startedEventID: id()))))
        }
        return all
    }

    private mutating func externalFailed() -> ExternalFailed {
        ExternalFailed(
            cause: pick([.notFound, .namespaceNotFound]), namespace: namespace(), execution: reference(),
            initiatedEventID: id(), control: text(), workflowTaskCompletedEventID: id())
    }

    private mutating func externalKinds() -> [EventKind] {
        let kinds: [ExternalWorkflowEvent] = [
            .cancelInitiated(
                .init(
                    namespace: namespace(), execution: reference(), control: text(), childWorkflowOnly: chance(50),
                    reason: text(), workflowTaskCompletedEventID: id())),
            .cancelFailed(externalFailed()),
            .cancelRequested(.init(namespace: namespace(), execution: reference(), initiatedEventID: id())),
            .signalInitiated(
                .init(
                    namespace: namespace(), execution: reference(), signalName: text(), input: optional { $0.blob() },
                    header: optional { $0.blob() }, control: text(), childWorkflowOnly: chance(50),
                    workflowTaskCompletedEventID: id())),
            .signalFailed(externalFailed()),
            .signaled(
                .init(namespace: namespace(), execution: reference(), initiatedEventID: id(), control: text())),
        ]
        return kinds.map(EventKind.externalWorkflow)
    }

    /// Commands about other workflows, one of each kind.
    mutating func relatedCommands() -> [WorkflowCommand.Kind] {
        [
            .startChildWorkflow(
                StartChildWorkflow(
                    namespace: NamespaceReference(name: text(), id: ""), workflowID: WorkflowID(text()),
                    workflowType: text(), taskQueue: optional { TaskQueueName($0.name()) },
                    input: optional { $0.blob() }, header: optional { $0.blob() }, workflowExecutionTimeout: span(),
                    workflowRunTimeout: span(), workflowTaskTimeout: span(),
                    parentClosePolicy: pick([nil, .terminate, .abandon, .requestCancel]), control: text(),
                    reusePolicy: pick([.allowDuplicate, .rejectDuplicate]), retryPolicy: optional { $0.policy() },
                    cronSchedule: text(), memo: optional { $0.blob() }, searchAttributes: optional { $0.blob() },
                    priority: optional { $0.priority() }, versioningOverride: optional { $0.blob() },
                    inheritBuildID: chance(50))),
            .requestCancelExternalWorkflow(
                RequestCancelExternal(
                    namespace: NamespaceReference(name: text(), id: ""), execution: reference(), control: text(),
                    childWorkflowOnly: chance(50), reason: text())),
            .signalExternalWorkflow(
                SignalExternal(
                    namespace: NamespaceReference(name: text(), id: ""), execution: optional { $0.reference() },
                    signalName: text(), input: optional { $0.blob() }, header: optional { $0.blob() },
                    control: text(), childWorkflowOnly: chance(50))),
        ]
    }
}
