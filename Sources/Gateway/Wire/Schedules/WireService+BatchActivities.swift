public import Engine
import FoundationEssentials
public import History
public import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// What batch operations do to a run when only the edge understands their requests.
extension WireService {
    /// Does to one run what a batch operation asks for; harmless when it is repeated with the same request id.
    public func carryOut(
        _ action: EdgeBatchAction, on target: RunTarget, _ request: Blob, reason: String, requestID: RequestID
    ) async throws {
        switch action {
        case .reset: try await reset(target, options: request, reason: reason, requestID: requestID)
        case .updateOptions:
            let asked = try Temporal_Api_Batch_V1_BatchOperationUpdateWorkflowExecutionOptions(
                serializedBytes: request.bytes)
            let change = try RunOptionsMask.change(asked, checks)
            _ = try await backend.updateOptions(of: target, change, identity: asked.identity)
        case .unpauseActivities:
            let asked = try Temporal_Api_Batch_V1_BatchOperationUnpauseActivities(serializedBytes: request.bytes)
            let delay = try randomDelay(asked.jitter, isSet: asked.hasJitter)
            try await operate(
                .unpause(resetAttempts: asked.resetAttempts, resetHeartbeat: asked.resetHeartbeat, delay: delay),
                on: try selection(asked.activity.map { .init($0) }), of: target, asked.identity)
        case .resetActivities:
            let asked = try Temporal_Api_Batch_V1_BatchOperationResetActivities(serializedBytes: request.bytes)
            let delay = try randomDelay(asked.jitter, isSet: asked.hasJitter)
            try await operate(
                .reset(
                    resetHeartbeat: asked.resetHeartbeat, keepPaused: asked.keepPaused,
                    restoreOriginal: asked.restoreOriginalOptions, delay: delay),
                on: try selection(asked.activity.map { .init($0) }), of: target, asked.identity)
        case .updateActivityOptions:
            let asked = try Temporal_Api_Batch_V1_BatchOperationUpdateActivityOptions(serializedBytes: request.bytes)
            try await operate(
                try operation(asked), on: try selection(asked.activity.map { .init($0) }), of: target, asked.identity)
        }
    }

    private func operate(
        _ operation: ActivityOperation, on selection: ActivitySelection, of target: RunTarget, _ identity: String
    ) async throws {
        _ = try await backend.operate(on: selection, of: target, operation, identity: identity)
    }

    /// Which activities of each run a batch operation means.
    enum BatchSelection {
        case type(String)
        case all(Bool)
    }

    func selection(_ asked: BatchSelection?) throws(Rejection) -> ActivitySelection {
        switch asked {
        case .type(let type)?: return try chosen(type: type)
        case .all(true)?: return .all
        case .all(false)?, nil: throw Rejection.invalid("Either activity type or match_all must be set on request.")
        }
    }

    func operation(
        _ asked: Temporal_Api_Batch_V1_BatchOperationUpdateActivityOptions
    ) throws(Rejection) -> ActivityOperation {
        try ActivityOptionsMask.operation(
            asked.hasActivityOptions ? asked.activityOptions : nil, asked.hasUpdateMask ? asked.updateMask : nil,
            restoreOriginal: asked.restoreOriginal, checks)
    }
}

extension RunOptionsMask {
    static func change(
        _ asked: Temporal_Api_Batch_V1_BatchOperationUpdateWorkflowExecutionOptions, _ checks: RequestChecks
    ) throws(Rejection) -> RunOptionsChange {
        try change(
            asked.workflowExecutionOptions, paths: asked.hasUpdateMask ? asked.updateMask.paths : [], checks)
    }
}

extension WireService.BatchSelection {
    init(_ activity: Temporal_Api_Batch_V1_BatchOperationUnpauseActivities.OneOf_Activity) {
        switch activity {
        case .type(let type): self = .type(type)
        case .matchAll(let all): self = .all(all)
        }
    }

    init(_ activity: Temporal_Api_Batch_V1_BatchOperationResetActivities.OneOf_Activity) {
        switch activity {
        case .type(let type): self = .type(type)
        case .matchAll(let all): self = .all(all)
        }
    }

    init(_ activity: Temporal_Api_Batch_V1_BatchOperationUpdateActivityOptions.OneOf_Activity) {
        switch activity {
        case .type(let type): self = .type(type)
        case .matchAll(let all): self = .all(all)
        }
    }
}
