import History
import TemporalAPI

@testable import TemporalCodec

extension RandomValues {
    /// One event of each kind, in the order of ``EventKind``.
    mutating func everyKind() -> [EventKind] {
        runKinds() + workflowTaskKinds() + activityKinds() + otherKinds() + relatedKinds()
    }

    private mutating func runKinds() -> [EventKind] {
        [
            .workflowExecutionStarted(started()),
            .workflowExecutionCompleted(
                .init(
                    result: optional { $0.blob() }, workflowTaskCompletedEventID: id(),
                    newExecutionRunID: optional { $0.run() })),
            .workflowExecutionFailed(
                .init(
                    failure: failure(), retryState: retryState(), workflowTaskCompletedEventID: id(),
                    newExecutionRunID: optional { $0.run() })),
            .workflowExecutionTimedOut(.init(retryState: retryState(), newExecutionRunID: optional { $0.run() })),
            .workflowExecutionCancelRequested(
                .init(
                    cause: text(), identity: text(), external: optional { $0.reference() },
                    externalInitiatedEventID: id(), links: links())),
            .workflowExecutionCanceled(.init(details: optional { $0.blob() }, workflowTaskCompletedEventID: id())),
            .workflowExecutionTerminated(
                .init(reason: text(), details: optional { $0.blob() }, identity: text(), links: links())),
            .workflowExecutionContinuedAsNew(continued()),
            .workflowExecutionSignaled(
                .init(
                    signalName: text(), input: optional { $0.blob() }, header: optional { $0.blob() }, identity: text(),
                    requestID: RequestID(text()), external: optional { $0.reference() }, links: links())),
        ]
    }

    private mutating func links() -> [Blob] { chance(30) ? [blob(), blob()] : [] }

    private mutating func started() -> WorkflowExecutionStarted {
        WorkflowExecutionStarted(
            workflowType: text(), workflowID: WorkflowID(text()), taskQueue: queue(), input: optional { $0.blob() },
            header: optional { $0.blob() }, workflowExecutionTimeout: span(), workflowRunTimeout: span(),
            workflowTaskTimeout: span(), workflowExecutionExpirationTime: optional { $0.time() },
            originalExecutionRunID: run(), firstExecutionRunID: run(), continuedExecutionRunID: optional { $0.run() },
            initiator: optional { $0.pick([.workflow, .retry, .cronSchedule]) },
            continuedFailure: optional { $0.failure() },
            lastCompletionResult: optional { $0.blob() }, identity: text(), retryPolicy: optional { $0.policy() },
            attempt: int32(), cronSchedule: text(), firstWorkflowTaskBackoff: span(), memo: optional { $0.blob() },
            searchAttributes: optional { $0.blob() }, priority: optional { $0.priority() },
            eagerExecutionAccepted: chance(50),
            completionCallbacks: chance(30) ? [blob(), blob()] : [], versioningOverride: optional { $0.blob() },
            requestID: RequestID(text()), parent: optional { $0.parent() }, root: optional { $0.reference() },
            links: links())
    }

    private mutating func continued() -> WorkflowExecutionContinuedAsNew {
        WorkflowExecutionContinuedAsNew(
            newExecutionRunID: run(), workflowType: text(), taskQueue: queue(), input: optional { $0.blob() },
            header: optional { $0.blob() }, workflowRunTimeout: span(), workflowTaskTimeout: span(),
            workflowTaskCompletedEventID: id(), backoffStartInterval: span(),
            initiator: pick([.workflow, .retry, .cronSchedule]), failure: optional { $0.failure() },
            lastCompletionResult: optional { $0.blob() }, memo: optional { $0.blob() },
            searchAttributes: optional { $0.blob() })
    }

    private mutating func workflowTaskKinds() -> [EventKind] {
        [
            .workflowTaskScheduled(.init(taskQueue: queue(), startToCloseTimeout: span(), attempt: int32())),
            .workflowTaskStarted(
                .init(
                    scheduledEventID: id(), identity: text(), requestID: RequestID(text()),
                    suggestContinueAsNew: chance(50),
                    suggestReasons: pick([[], [.historySize], [.historyEvents, .updates]]),
                    historySizeBytes: id().value, workerVersion: optional { $0.blob() })),
            .workflowTaskCompleted(
                .init(
                    scheduledEventID: id(), startedEventID: id(), identity: text(), binaryChecksum: text(),
                    workerVersion: optional { $0.blob() }, sdkMetadata: optional { $0.blob() },
                    meteringMetadata: optional { $0.blob() }, versioningBehavior: pick([0, 1, 2]),
                    workerDeploymentName: text(), deploymentVersion: optional { $0.blob() })),
            .workflowTaskTimedOut(.init(scheduledEventID: id(), startedEventID: id(), timeoutType: timeoutType())),
            .workflowTaskFailed(
                .init(
                    scheduledEventID: id(), startedEventID: id(),
                    cause: pick([.unspecified, .unhandledCommand, .nonDeterministicError, .payloadsTooLarge]),
                    failure: optional { $0.failure() }, identity: text(), baseRunID: optional { $0.run() },
                    newRunID: optional { $0.run() }, binaryChecksum: text())),
        ]
    }

    private mutating func activityKinds() -> [EventKind] {
        [
            .activityTaskScheduled(
                .init(
                    activityID: ActivityID(text()), activityType: text(), taskQueue: queue(),
                    header: optional { $0.blob() },
                    input: optional { $0.blob() }, scheduleToCloseTimeout: span(), scheduleToStartTimeout: span(),
                    startToCloseTimeout: span(), heartbeatTimeout: span(), workflowTaskCompletedEventID: id(),
                    retryPolicy: policy(), priority: optional { $0.priority() }, useWorkflowBuildID: chance(50))),
            .activityTaskStarted(
                .init(
                    scheduledEventID: id(), identity: text(), requestID: RequestID(text()), attempt: int32(),
                    lastFailure: optional { $0.failure() })),
            .activityTaskCompleted(
                .init(result: optional { $0.blob() }, scheduledEventID: id(), startedEventID: id(), identity: text())),
            .activityTaskFailed(
                .init(
                    failure: failure(), scheduledEventID: id(), startedEventID: id(), identity: text(),
                    retryState: retryState())),
            .activityTaskTimedOut(
                .init(failure: failure(), scheduledEventID: id(), startedEventID: id(), retryState: retryState())),
            .activityTaskCancelRequested(.init(scheduledEventID: id(), workflowTaskCompletedEventID: id())),
            .activityTaskCanceled(
                .init(
                    details: optional { $0.blob() }, latestCancelRequestedEventID: id(), scheduledEventID: id(),
                    startedEventID: id(), identity: text())),
        ]
    }

    private mutating func otherKinds() -> [EventKind] {
        [
            .timerStarted(
                .init(timerID: TimerID(text()), startToFireTimeout: span(), workflowTaskCompletedEventID: id())),
            .timerFired(.init(timerID: TimerID(text()), startedEventID: id())),
            .timerCanceled(
                .init(
                    timerID: TimerID(text()), startedEventID: id(), workflowTaskCompletedEventID: id(), identity: text()
                )),
            .markerRecorded(
                .init(
                    markerName: text(), details: namedBlobs(), failure: optional { $0.failure() },
                    header: optional { $0.blob() }, workflowTaskCompletedEventID: id())),
            .upsertWorkflowSearchAttributes(.init(searchAttributes: blob(), workflowTaskCompletedEventID: id())),
            .workflowPropertiesModified(.init(upsertedMemo: blob(), workflowTaskCompletedEventID: id())),
        ] + updateKinds()
    }

    private mutating func updateKinds() -> [EventKind] {
        let update = UpdateID(text())
        return [
            .workflowExecutionOptionsUpdated(
                .init(
                    versioningOverride: optional { $0.blob() }, unsetVersioningOverride: chance(50),
                    attachedRequestID: RequestID(text()), identity: text(),
                    priority: optional { Priority(key: 2, fairnessKey: $0.text(), fairnessWeight: 1.5) },
                    links: links())),
            .workflowExecutionUpdateAdmitted(.init(update: update, request: updateRequest(update))),
            .workflowExecutionUpdateAccepted(
                .init(
                    update: UpdateID(text()), requestMessageID: text(), sequencingEventID: id(),
                    request: optional { $0.updateRequest("id") })),
            .workflowExecutionUpdateCompleted(
                .init(
                    update: UpdateID(text()), identity: text(), acceptedEventID: id(),
                    outcome: chance(50) ? UpdateOutcomeCodec.success(blob()) : UpdateOutcomeCodec.failure(bytes()))),
        ]
    }

    /// An encoded `update.v1.Request`.
    mutating func updateRequest(_ update: UpdateID) -> Blob {
        var request = Temporal_Api_Update_V1_Request()
        request.meta.updateID = update.value
        request.meta.identity = text()
        request.input.name = name()
        if chance(50) { request.input.args = blob().data }
        return Blob(encoding: request)
    }
}
