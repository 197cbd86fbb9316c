import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

extension WireService {
    func describeWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let described = try await backend.describe(target)
        let run = described.state
        let key = described.summary.key
        let userMetadata = try await event(.first, of: key)?.userMetadata
        let workerVersion = try await workerVersion(of: run, key)
        return .with {
            $0.workflowExecutionInfo = Self.info(described.summary)
            $0.workflowExecutionInfo.priority = run.options.priority.map { .init($0) } ?? .init()
            if let override = run.options.versioningOverride {
                $0.workflowExecutionInfo.versioningInfo.versioningOverride = override.data
            }
            if let parent = run.started?.parent {
                $0.workflowExecutionInfo.parentNamespaceID = parent.namespace.id.value
            }
            $0.workflowExecutionInfo.firstRunID = described.summary.firstRunID.value
            $0.workflowExecutionInfo.stateTransitionCount = described.transitionCount
            $0.workflowExecutionInfo.autoResetPoints = .init()
            if let workerVersion { $0.workflowExecutionInfo.mostRecentWorkerVersionStamp = workerVersion.data }
            if let started = run.started { $0.executionConfig = Self.config(started, userMetadata: userMetadata) }
            $0.workflowExtendedInfo = Self.extendedInfo(run)
            $0.pendingActivities = run.pendingActivities.map(Self.pending)
            $0.pendingChildren = run.pendingChildren.map(Self.pending)
            if let task = run.pendingWorkflowTask { $0.pendingWorkflowTask = Self.pending(task) }
        }
    }

    /// One event of a run: what only the history keeps (the text for people with the start, the version of the worker).
    private func event(_ id: EventID, of run: RunKey) async throws -> Event? {
        let target = RunTarget(namespace: run.namespace, workflow: run.workflow, run: run.run)
        let asked = HistoryRequest(target: target, first: id, last: id, limit: 1)
        let page = try await backend.history(asked, deadline: now.advanced(by: options.historyWait))
        guard let found = page.events.first else { return nil }
        return try? EventCodec.decode(found)
    }

    /// Which build answered the last workflow task. Its completion stands right after its start.
    private func workerVersion(of run: Run, _ key: RunKey) async throws -> Blob? {
        guard run.hasCompletedWorkflowTask else { return nil }
        let completion = try await event(run.lastCompletedStartedEventID.next, of: key)
        guard case .workflowTaskCompleted(let completed) = completion?.kind else { return nil }
        return completed.workerVersion
    }

    /// A run in a few lines, as lists and describe show it.
    static func info(_ run: RunSummary) -> Temporal_Api_Workflow_V1_WorkflowExecutionInfo {
        .with {
            $0.execution = Temporal_Api_Common_V1_WorkflowExecution(run.key)
            $0.type = .with { $0.name = run.workflowType }
            $0.startTime = Google_Protobuf_Timestamp(run.startTime)
            $0.executionTime = Google_Protobuf_Timestamp(run.executionTime)
            if let close = run.closeTime {
                $0.closeTime = Google_Protobuf_Timestamp(close)
                $0.executionDuration = Google_Protobuf_Duration(close.since(run.executionTime))
            }
            $0.status = run.status.wire
            $0.historyLength = run.historyLength
            $0.historySizeBytes = run.historySizeBytes
            $0.taskQueue = run.taskQueue.value
            $0.firstRunID = run.firstRunID.value
            if let parent = run.parent { $0.parentExecution = .init(workflow: parent.workflow, run: parent.run) }
            let root = run.root ?? WorkflowReference(workflow: run.key.workflow, run: run.key.run)
            $0.rootExecution = .init(workflow: root.workflow, run: root.run)
            $0.memo = (run.memo ?? .empty).data
            $0.searchAttributes = (run.searchAttributes ?? .empty).data
            $0.stateTransitionCount = run.transitionCount
        }
    }

    private static func config(
        _ started: WorkflowExecutionStarted, userMetadata: Blob?
    ) -> Temporal_Api_Workflow_V1_WorkflowExecutionConfig {
        .with {
            $0.taskQueue = Temporal_Api_Taskqueue_V1_TaskQueue(started.taskQueue)
            if started.workflowExecutionTimeout.isPositive {
                $0.workflowExecutionTimeout = Google_Protobuf_Duration(started.workflowExecutionTimeout)
            }
            if started.workflowRunTimeout.isPositive {
                $0.workflowRunTimeout = Google_Protobuf_Duration(started.workflowRunTimeout)
            }
            $0.defaultWorkflowTaskTimeout = Google_Protobuf_Duration(started.workflowTaskTimeout)
            if let userMetadata { $0.userMetadata = userMetadata.data }
        }
    }

    /// How the reference server writes "no such moment": the first one of year 1.
    private static let never = Google_Protobuf_Timestamp(seconds: -62_135_596_800)

    private static func extendedInfo(_ run: Run) -> Temporal_Api_Workflow_V1_WorkflowExecutionExtendedInfo {
        .with {
            if let time = run.started?.workflowExecutionExpirationTime {
                $0.executionExpirationTime = Google_Protobuf_Timestamp(time)
            }
            $0.runExpirationTime = run.runExpirationTime.map { Google_Protobuf_Timestamp($0) } ?? Self.never
            $0.cancelRequested = run.cancelRequested
            $0.originalStartTime = Google_Protobuf_Timestamp(run.startTime)
            if let time = run.resetTime { $0.lastResetTime = Google_Protobuf_Timestamp(time) }
            if let request = run.started?.requestID, !request.isEmpty {
                $0.requestIDInfos[request.value] = .with {
                    $0.eventType = .workflowExecutionStarted
                    $0.eventID = 1
                }
            }
            for attached in run.attachedRequests {
                $0.requestIDInfos[attached.request.value] = .with {
                    $0.eventType = .workflowExecutionOptionsUpdated
                    $0.eventID = attached.event.value
                }
            }
        }
    }

    private static func pending(_ task: PendingWorkflowTaskDescription)
        -> Temporal_Api_Workflow_V1_PendingWorkflowTaskInfo
    {
        .with {
            $0.state = task.isStarted ? .started : .scheduled
            $0.scheduledTime = Google_Protobuf_Timestamp(task.scheduledTime)
            $0.originalScheduledTime = Google_Protobuf_Timestamp(task.originalScheduledTime)
            if let time = task.startedTime { $0.startedTime = Google_Protobuf_Timestamp(time) }
            $0.attempt = task.attempt
        }
    }

    private static func pending(_ activity: PendingActivityDescription) -> Temporal_Api_Workflow_V1_PendingActivityInfo
    {
        .with {
            $0.activityID = activity.activityID.value
            $0.activityType = .with { $0.name = activity.activityType }
            $0.state = .init(rawValue: Int(activity.state.rawValue)) ?? .unspecified
            if let details = activity.heartbeatDetails { $0.heartbeatDetails = details.data }
            if let time = activity.lastHeartbeatTime { $0.lastHeartbeatTime = Google_Protobuf_Timestamp(time) }
            if let time = activity.lastStartedTime { $0.lastStartedTime = Google_Protobuf_Timestamp(time) }
            $0.attempt = activity.attempt
            $0.maximumAttempts = activity.maximumAttempts
            $0.scheduledTime = Google_Protobuf_Timestamp(activity.scheduledTime)
            if let time = activity.expirationTime { $0.expirationTime = Google_Protobuf_Timestamp(time) }
            if let time = activity.nextAttemptScheduledTime {
                $0.nextAttemptScheduleTime = Google_Protobuf_Timestamp(time)
            }
            if let failure = activity.lastFailure { $0.lastFailure = Data(FailureCodec.encode(failure)) }
            $0.lastWorkerIdentity = activity.lastWorkerIdentity
            if let priority = activity.priority { $0.priority = Temporal_Api_Common_V1_Priority(priority) }
            $0.activityOptions = Temporal_Api_Activity_V1_ActivityOptions(activity.options)
            guard let pause = activity.pause else { return }
            $0.paused = true
            $0.pauseInfo = .with {
                $0.pauseTime = Google_Protobuf_Timestamp(pause.time)
                $0.manual = .with {
                    $0.identity = pause.identity
                    $0.reason = pause.reason
                }
            }
        }
    }
}
