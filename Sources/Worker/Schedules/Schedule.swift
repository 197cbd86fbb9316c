public import Foundation
import SwiftProtobuf
import TemporalAPI

/// What happens when an action is due while the one before still runs.
public enum ScheduleOverlapPolicy: Int, Hashable, Sendable, CaseIterable {
    case skip = 1
    /// The first that comes waits, the others are skipped.
    case bufferOne = 2
    case bufferAll = 3
    /// What runs is cancelled first.
    case cancelOther = 4
    case terminateOther = 5
    case allowAll = 6
}

public struct SchedulePolicy: Hashable, Sendable {
    public var overlap: ScheduleOverlapPolicy
    /// Actions missed (the server was down) for longer than this are given up. At least 10 s.
    public var catchupWindow: Duration
    public var pauseOnFailure: Bool
    /// Every run gets the very workflow id of the action, without the time behind it.
    public var keepOriginalWorkflowID: Bool

    public init(
        overlap: ScheduleOverlapPolicy = .skip, catchupWindow: Duration = .seconds(365 * 86_400),
        pauseOnFailure: Bool = false, keepOriginalWorkflowID: Bool = false
    ) {
        self.overlap = overlap
        self.catchupWindow = catchupWindow
        self.pauseOnFailure = pauseOnFailure
        self.keepOriginalWorkflowID = keepOriginalWorkflowID
    }
}

public struct ScheduleState: Hashable, Sendable {
    public var note: String
    public var paused: Bool
    /// How many actions it may still take by itself; nil is without limit.
    public var remainingActions: Int?

    public init(note: String = "", paused: Bool = false, remainingActions: Int? = nil) {
        self.note = note
        self.paused = paused
        self.remainingActions = remainingActions
    }
}

/// The workflow that a schedule starts.
///
/// The id of each run is the id in the options and the time, `report-2026-11-21T08:00:00Z`.
public struct ScheduleAction: Sendable {
    private enum Source: Sendable {
        case new(type: String, arguments: [any Encodable & Sendable], options: StartOptions)
        /// As the server answered it; handed back as it is.
        case known(Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo)
    }
    private let source: Source

    /// Starts a workflow of a known type.
    public static func start<Workflow: WorkflowDefinition>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, options: StartOptions
    ) -> ScheduleAction {
        ScheduleAction(source: .new(type: Workflow.name, arguments: [input], options: options))
    }

    /// Starts a workflow by the name of its type.
    public static func start(
        workflowType: String, arguments: [any Encodable & Sendable] = [], options: StartOptions
    ) -> ScheduleAction {
        ScheduleAction(source: .new(type: workflowType, arguments: arguments, options: options))
    }

    public var workflowType: String {
        switch source {
        case .new(let type, _, _): type
        case .known(let info): info.workflowType.name
        }
    }

    public var workflowID: String {
        switch source {
        case .new(_, _, let options): options.id
        case .known(let info): info.workflowID
        }
    }

    public var taskQueue: String {
        switch source {
        case .new(_, _, let options): options.taskQueue
        case .known(let info): info.taskQueue.name
        }
    }

    private init(source: Source) { self.source = source }

    init(_ info: Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo) { source = .known(info) }

    func message(_ client: WorkflowClient) throws -> Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo {
        switch source {
        case .known(let info): return info
        case .new(let type, let arguments, let options):
            let converter = client.converter.scoped(namespace: client.namespace, workflowID: options.id)
            var request = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest()
            try options.fill(
                &request, workflowType: type, input: try converter.arguments(arguments), converter: converter,
                service: client.service)
            return Self.info(request)
        }
    }

    private static func info(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest
    ) -> Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo {
        .with {
            $0.workflowID = request.workflowID
            $0.workflowType = request.workflowType
            $0.taskQueue = request.taskQueue
            $0.workflowIDReusePolicy = request.workflowIDReusePolicy
            $0.cronSchedule = request.cronSchedule
            if request.hasInput { $0.input = request.input }
            if request.hasWorkflowExecutionTimeout { $0.workflowExecutionTimeout = request.workflowExecutionTimeout }
            if request.hasWorkflowRunTimeout { $0.workflowRunTimeout = request.workflowRunTimeout }
            if request.hasWorkflowTaskTimeout { $0.workflowTaskTimeout = request.workflowTaskTimeout }
            if request.hasRetryPolicy { $0.retryPolicy = request.retryPolicy }
            if request.hasMemo { $0.memo = request.memo }
            if request.hasSearchAttributes { $0.searchAttributes = request.searchAttributes }
            if request.hasHeader { $0.header = request.header }
            if request.hasUserMetadata { $0.userMetadata = request.userMetadata }
            if request.hasPriority { $0.priority = request.priority }
        }
    }
}

/// What a schedule does, when, and how.
public struct Schedule: Sendable {
    public var action: ScheduleAction
    public var spec: ScheduleSpec
    public var policy: SchedulePolicy
    public var state: ScheduleState

    public init(
        action: ScheduleAction, spec: ScheduleSpec, policy: SchedulePolicy = SchedulePolicy(),
        state: ScheduleState = ScheduleState()
    ) {
        self.action = action
        self.spec = spec
        self.policy = policy
        self.state = state
    }

    init(_ wire: Temporal_Api_Schedule_V1_Schedule) {
        self.init(
            action: ScheduleAction(wire.action.startWorkflow), spec: ScheduleSpec(wire.spec),
            policy: SchedulePolicy(
                overlap: ScheduleOverlapPolicy(rawValue: wire.policies.overlapPolicy.rawValue) ?? .skip,
                catchupWindow: wire.policies.catchupWindow.duration, pauseOnFailure: wire.policies.pauseOnFailure,
                keepOriginalWorkflowID: wire.policies.keepOriginalWorkflowID),
            state: ScheduleState(
                note: wire.state.notes, paused: wire.state.paused,
                remainingActions: wire.state.limitedActions ? Int(wire.state.remainingActions) : nil))
    }

    func message(_ client: WorkflowClient) throws -> Temporal_Api_Schedule_V1_Schedule {
        let start = try action.message(client)
        return .with {
            $0.spec = spec.message
            $0.action = .with { $0.startWorkflow = start }
            $0.policies = .with {
                $0.overlapPolicy = policy.overlap.message
                $0.catchupWindow = policy.catchupWindow.message
                $0.pauseOnFailure = policy.pauseOnFailure
                $0.keepOriginalWorkflowID = policy.keepOriginalWorkflowID
            }
            $0.state = .with {
                $0.notes = state.note
                $0.paused = state.paused
                $0.limitedActions = state.remainingActions != nil
                $0.remainingActions = Int64(state.remainingActions ?? 0)
            }
        }
    }
}

extension ScheduleOverlapPolicy {
    var message: Temporal_Api_Enums_V1_ScheduleOverlapPolicy { .init(rawValue: rawValue) ?? .unspecified }
}

/// A stretch of time to act through now, as if it passed again; both ends belong to it.
public struct ScheduleBackfill: Hashable, Sendable {
    public var startAt: Date
    public var endAt: Date
    /// nil is the schedule's own.
    public var overlap: ScheduleOverlapPolicy?

    public init(startAt: Date, endAt: Date, overlap: ScheduleOverlapPolicy? = nil) {
        self.startAt = startAt
        self.endAt = endAt
        self.overlap = overlap
    }

    var message: Temporal_Api_Schedule_V1_BackfillRequest {
        .with {
            $0.startTime = Google_Protobuf_Timestamp(date: startAt)
            $0.endTime = Google_Protobuf_Timestamp(date: endAt)
            $0.overlapPolicy = overlap?.message ?? .unspecified
        }
    }
}
