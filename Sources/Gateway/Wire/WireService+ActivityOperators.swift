import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Taking pending activities by the hand (protocol.md section 4).
extension WireService {
    func pauseActivity(
        _ request: Temporal_Api_Workflowservice_V1_PauseActivityRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_PauseActivityResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let selection: ActivitySelection
        switch request.activity {
        case .id(let id): selection = try chosen(id: id)
        case .type(let type): selection = try chosen(type: type)
        case nil: throw Self.noActivity
        }
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        try checks.length(request.reason, "Reason")
        let requestID = RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID)
        _ = try await backend.operate(
            on: selection, of: target, .pause(reason: request.reason, requestID: requestID), identity: request.identity)
        return .init()
    }

    func unpauseActivity(
        _ request: Temporal_Api_Workflowservice_V1_UnpauseActivityRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UnpauseActivityResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let selection: ActivitySelection
        switch request.activity {
        case .id(let id): selection = try chosen(id: id)
        case .type(let type): selection = try chosen(type: type)
        case .unpauseAll: selection = .all
        case nil: throw Self.noActivity
        }
        try checks.length(request.identity, "Identity")
        let delay = try randomDelay(request.jitter, isSet: request.hasJitter)
        _ = try await backend.operate(
            on: selection, of: target,
            .unpause(
                resetAttempts: request.resetAttempts, resetHeartbeat: request.resetHeartbeat, delay: delay),
            identity: request.identity)
        return .init()
    }

    func resetActivity(
        _ request: Temporal_Api_Workflowservice_V1_ResetActivityRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ResetActivityResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let selection: ActivitySelection
        switch request.activity {
        case .id(let id): selection = try chosen(id: id)
        case .type(let type): selection = try chosen(type: type)
        case .matchAll: selection = .all
        case nil: throw Self.noActivity
        }
        try checks.length(request.identity, "Identity")
        let delay = try randomDelay(request.jitter, isSet: request.hasJitter)
        _ = try await backend.operate(
            on: selection, of: target,
            .reset(
                resetHeartbeat: request.resetHeartbeat, keepPaused: request.keepPaused,
                restoreOriginal: request.restoreOriginalOptions, delay: delay),
            identity: request.identity)
        return .init()
    }

    func updateActivityOptions(
        _ request: Temporal_Api_Workflowservice_V1_UpdateActivityOptionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateActivityOptionsResponse {
        let target = try await target(request.namespace, request.execution, isSet: request.hasExecution)
        let selection: ActivitySelection
        switch request.activity {
        case .id(let id): selection = try chosen(id: id)
        case .type(let type): selection = try chosen(type: type)
        case .matchAll: selection = .all
        case nil: throw Self.noActivity
        }
        try checks.length(request.identity, "Identity")
        let operation = try ActivityOptionsMask.operation(
            request.hasActivityOptions ? request.activityOptions : nil,
            request.hasUpdateMask ? request.updateMask : nil, restoreOriginal: request.restoreOriginal, checks)
        let options = try await backend.operate(on: selection, of: target, operation, identity: request.identity)
        return .with { if let options { $0.activityOptions = .init(options) } }
    }

    // MARK: Parts

    private static let noActivity = Rejection.invalid("Either activity ID or activity type must be set on request.")

    private func chosen(id: String) throws(Rejection) -> ActivitySelection {
        try checks.identifier(id, "ActivityId")
        return .id(ActivityID(id))
    }

    func chosen(type: String) throws(Rejection) -> ActivitySelection {
        try checks.identifier(type, "ActivityType")
        return .type(type)
    }

    /// Somewhere between at once and the jitter.
    func randomDelay(_ jitter: Google_Protobuf_Duration, isSet: Bool) throws(Rejection) -> TimeSpan {
        let longest = try checks.span(jitter, isSet: isSet, "Jitter").nanoseconds
        return longest > 0 ? TimeSpan(nanoseconds: Int64.random(in: 0...longest)) : .zero
    }
}

/// Which options of an activity a request changes, by the paths of its field mask.
enum ActivityOptionsMask {
    static func operation(
        _ options: Temporal_Api_Activity_V1_ActivityOptions?, _ mask: Google_Protobuf_FieldMask?, restoreOriginal: Bool,
        _ checks: RequestChecks
    ) throws(Rejection) -> ActivityOperation {
        if restoreOriginal {
            if mask != nil { throw .invalid("RestoreOriginal cannot be used with UpdateMask.") }
            return .restoreOptions
        }
        guard let options else { throw .invalid("ActivityOptions are not set on request.") }
        guard let mask, !mask.paths.isEmpty else { throw .invalid("UpdateMask is not set on request.") }
        return .change(try change(options, paths: mask.paths, checks))
    }

    /// - Throws: INVALID_ARGUMENT for a path that is no option.
    static func change(
        _ options: Temporal_Api_Activity_V1_ActivityOptions, paths: [String], _ checks: RequestChecks
    ) throws(Rejection) -> ActivityTaskOptionsChange {
        var change = ActivityTaskOptionsChange()
        for path in paths {
            switch path.filter({ $0 != "_" }).lowercased() {
            case "taskqueue", "taskqueue.name":
                change.taskQueue = try checks.taskQueue(options.taskQueue, isSet: options.hasTaskQueue).name
            case "scheduletoclosetimeout":
                change.scheduleToCloseTimeout = try checks.span(
                    options.scheduleToCloseTimeout, isSet: options.hasScheduleToCloseTimeout, "ScheduleToCloseTimeout")
            case "scheduletostarttimeout":
                change.scheduleToStartTimeout = try checks.span(
                    options.scheduleToStartTimeout, isSet: options.hasScheduleToStartTimeout, "ScheduleToStartTimeout")
            case "starttoclosetimeout":
                change.startToCloseTimeout = try checks.span(
                    options.startToCloseTimeout, isSet: options.hasStartToCloseTimeout, "StartToCloseTimeout")
            case "heartbeattimeout":
                change.heartbeatTimeout = try checks.span(
                    options.heartbeatTimeout, isSet: options.hasHeartbeatTimeout, "HeartbeatTimeout")
            case let part where part == "retrypolicy" || part.hasPrefix("retrypolicy."):
                try take(retryPolicy: options.retryPolicy, part, into: &change, path)
            case let part where part == "priority" || part.hasPrefix("priority."):
                guard change.priority.take(part, of: options.priority) else { throw unknown(path) }
            default: throw unknown(path)
            }
        }
        return change
    }

    private static func take(
        retryPolicy policy: Temporal_Api_Common_V1_RetryPolicy, _ part: String,
        into change: inout ActivityTaskOptionsChange, _ path: String
    ) throws(Rejection) {
        let parts = [
            "retrypolicy.initialinterval", "retrypolicy.backoffcoefficient", "retrypolicy.maximuminterval",
            "retrypolicy.maximumattempts", "retrypolicy.nonretryableerrortypes",
        ]
        guard part == "retrypolicy" || parts.contains(part) else { throw unknown(path) }
        func isMeant(_ index: Int) -> Bool { part == "retrypolicy" || part == parts[index] }
        if isMeant(0) { change.initialInterval = TimeSpan(policy.initialInterval) }
        if isMeant(1) { change.backoffCoefficient = policy.backoffCoefficient }
        if isMeant(2) { change.maximumInterval = TimeSpan(policy.maximumInterval) }
        if isMeant(3) { change.maximumAttempts = policy.maximumAttempts }
        if isMeant(4) { change.nonRetryableErrorTypes = policy.nonRetryableErrorTypes }
    }

    private static func unknown(_ path: String) -> Rejection { .invalid("UpdateMask: '\(path)' cannot be updated.") }
}

extension Temporal_Api_Activity_V1_ActivityOptions {
    init(_ options: ActivityTaskOptions) {
        self.init()
        taskQueue = .with {
            $0.name = options.taskQueue.value
            $0.kind = .normal
        }
        scheduleToCloseTimeout = Google_Protobuf_Duration(options.scheduleToCloseTimeout)
        scheduleToStartTimeout = Google_Protobuf_Duration(options.scheduleToStartTimeout)
        startToCloseTimeout = Google_Protobuf_Duration(options.startToCloseTimeout)
        heartbeatTimeout = Google_Protobuf_Duration(options.heartbeatTimeout)
        retryPolicy = Temporal_Api_Common_V1_RetryPolicy(options.retryPolicy)
        if let priority = options.priority { self.priority = Temporal_Api_Common_V1_Priority(priority) }
    }
}
