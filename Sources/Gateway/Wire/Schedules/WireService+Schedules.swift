import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Making, changing and finding schedules.
extension WireService {
    func createSchedule(
        _ request: Temporal_Api_Workflowservice_V1_CreateScheduleRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_CreateScheduleResponse {
        let (namespace, key) = try await scheduleKey(request.namespace, request.scheduleID)
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        let attributes = try await scheduleAttributes(
            request.searchAttributes, isSet: request.hasSearchAttributes, in: namespace)
        try checks.memo(request.memo)
        guard request.hasSchedule else { throw Rejection.invalid("Schedule is not set on request.") }
        let token = try await backend.createSchedule(
            CreateScheduleRequest(
                key: key, definition: try await definition(request.schedule, namespace: namespace),
                patch: request.hasInitialPatch ? try SchedulePatch(request.initialPatch) : nil,
                memo: Blob(request.memo, isSet: request.hasMemo),
                searchAttributes: attributes.flatMap { $0.isEmpty ? nil : $0 },
                requestID: RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID)))
        return .with { $0.conflictToken = ConflictToken.encode(token) }
    }

    func describeSchedule(
        _ request: Temporal_Api_Workflowservice_V1_DescribeScheduleRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeScheduleResponse {
        let (_, key) = try await scheduleKey(request.namespace, request.scheduleID)
        let description = try await backend.describeSchedule(key)
        return .with {
            $0.schedule = .init(description.schedule.definition)
            $0.info = .init(description)
            $0.memo = description.schedule.memo?.data ?? Data()
            $0.searchAttributes = description.schedule.searchAttributes?.data ?? Data()
            $0.conflictToken = ConflictToken.encode(description.schedule.conflictToken)
        }
    }

    func updateSchedule(
        _ request: Temporal_Api_Workflowservice_V1_UpdateScheduleRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateScheduleResponse {
        let (namespace, key) = try await scheduleKey(request.namespace, request.scheduleID)
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        let attributes = try await scheduleAttributes(
            request.searchAttributes, isSet: request.hasSearchAttributes, in: namespace)
        try checks.memo(request.memo)
        guard request.hasSchedule else { throw Rejection.invalid("Schedule is not set on request.") }
        try await backend.updateSchedule(
            UpdateScheduleRequest(
                key: key, definition: try await definition(request.schedule, namespace: namespace),
                conflictToken: try ConflictToken.decode(request.conflictToken),
                memo: Blob(request.memo, isSet: request.hasMemo),
                searchAttributes: attributes, requestID: RequestID(request.requestID)))
        return .init()
    }

    func patchSchedule(
        _ request: Temporal_Api_Workflowservice_V1_PatchScheduleRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_PatchScheduleResponse {
        let (_, key) = try await scheduleKey(request.namespace, request.scheduleID)
        try checks.length(request.requestID, "RequestId")
        try checks.text(request.patch.pause, "Pause")
        try checks.text(request.patch.unpause, "Unpause")
        try await backend.patchSchedule(
            key, try SchedulePatch(request.patch), requestID: RequestID(request.requestID))
        return .init()
    }

    func deleteSchedule(
        _ request: Temporal_Api_Workflowservice_V1_DeleteScheduleRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DeleteScheduleResponse {
        let (_, key) = try await scheduleKey(request.namespace, request.scheduleID)
        try await backend.deleteSchedule(key)
        return .init()
    }

    func listScheduleMatchingTimes(
        _ request: Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesResponse {
        let (_, key) = try await scheduleKey(request.namespace, request.scheduleID)
        let times = try await backend.scheduleTimes(
            key, from: Timestamp(request.startTime), through: Timestamp(request.endTime),
            limit: options.limits.matchingTimesMax)
        return .with { $0.startTime = times.map { Google_Protobuf_Timestamp($0) } }
    }

    /// The schedule that a request names.
    private func scheduleKey(_ namespaceName: String, _ id: String) async throws -> (Namespace, ScheduleKey) {
        let namespace = try await namespace(namespaceName)
        try checks.identifier(id, "ScheduleId")
        return (namespace, ScheduleKey(namespace: namespace.id, id: ScheduleID(id)))
    }

    /// nil leaves what is there; empty removes it.
    private func scheduleAttributes(_ data: Data, isSet: Bool, in namespace: Namespace) async throws -> Blob? {
        guard isSet else { return nil }
        return try await searchAttributes(Blob(data), in: namespace) ?? .empty
    }

    // MARK: The definition

    private func definition(
        _ schedule: Temporal_Api_Schedule_V1_Schedule, namespace: Namespace
    ) async throws -> ScheduleDefinition {
        guard case .startWorkflow(let info)? = schedule.action.action else {
            throw Rejection.invalid("schedule action is not set on request.")
        }
        var action = try action(info, namespace: namespace)
        action.attributes.searchAttributes = try await searchAttributes(
            action.attributes.searchAttributes, in: namespace)
        try checks.text(schedule.state.notes, "Notes")
        let spec: ScheduleSpec
        do throws(ScheduleProblem) {
            spec = try ScheduleSpec(ScheduleSpecRequest(schedule.spec))
        } catch {
            throw Rejection.invalid("Invalid schedule spec: \(error.message)")
        }
        return ScheduleDefinition(
            spec: spec, action: action, policies: try SchedulePolicies(schedule.policies), notes: schedule.state.notes,
            isPaused: schedule.state.paused, isLimited: schedule.state.limitedActions,
            remainingActions: schedule.state.remainingActions)
    }

    /// The workflow to start, once it has passed the checks of a start.
    private func action(
        _ given: Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo, namespace: Namespace
    ) throws(Rejection) -> ScheduledStart {
        guard given.cronSchedule.isEmpty else { throw .invalid("Scheduled workflow must not contain CronSchedule") }
        switch given.workflowIDReusePolicy {
        case .unspecified, .allowDuplicate: break
        default: throw .invalid("Scheduled workflow must not contain WorkflowIDReusePolicy")
        }
        // The time is added to it: `-2026-11-21T08:00:00Z`.
        if given.workflowID.utf8.count > options.limits.identifierBytesMax - 21 {
            throw .invalid("WorkflowId length exceeds limit.")
        }
        let attributes = try startAttributes(Self.startRequest(given), namespace: namespace)
        var shown = given
        if shown.hasTaskQueue, shown.taskQueue.kind == .unspecified { shown.taskQueue.kind = .normal }
        guard let info = try? shown.serializedBytes() as [UInt8] else {
            throw .invalid("the action is not a valid message")
        }
        return ScheduledStart(
            attributes: attributes, userMetadata: Blob(given.userMetadata, isSet: given.hasUserMetadata),
            info: Blob(info))
    }

    private static func startRequest(
        _ info: Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo
    ) -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest {
        .with {
            $0.workflowID = info.workflowID
            if info.hasWorkflowType { $0.workflowType = info.workflowType }
            if info.hasTaskQueue { $0.taskQueue = info.taskQueue }
            if info.hasInput { $0.input = info.input }
            if info.hasWorkflowExecutionTimeout { $0.workflowExecutionTimeout = info.workflowExecutionTimeout }
            if info.hasWorkflowRunTimeout { $0.workflowRunTimeout = info.workflowRunTimeout }
            if info.hasWorkflowTaskTimeout { $0.workflowTaskTimeout = info.workflowTaskTimeout }
            if info.hasRetryPolicy { $0.retryPolicy = info.retryPolicy }
            if info.hasMemo { $0.memo = info.memo }
            if info.hasSearchAttributes { $0.searchAttributes = info.searchAttributes }
            if info.hasHeader { $0.header = info.header }
            if info.hasUserMetadata { $0.userMetadata = info.userMetadata }
            if info.hasVersioningOverride { $0.versioningOverride = info.versioningOverride }
            if info.hasPriority { $0.priority = info.priority }
        }
    }
}
