import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Updates (protocol.md 1.9, 1.10): asked for, waited for, and together with a start.
extension WireService {
    func updateWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse {
        let update = try await checkedUpdate(request, call)
        let result = try await backend.updateWorkflow(update, deadline: deadline(of: call, wait: options.updateWait))
        return Self.response(result, update.update.id)
    }

    func pollWorkflowExecutionUpdate(
        _ request: Temporal_Api_Workflowservice_V1_PollWorkflowExecutionUpdateRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_PollWorkflowExecutionUpdateResponse {
        guard request.hasUpdateRef else { throw Rejection.invalid("UpdateRef is not set on request.") }
        let ref = request.updateRef
        let target = try await target(
            request.namespace, ref.workflowExecution, isSet: ref.hasWorkflowExecution)
        try checks.identifier(ref.updateID, "UpdateId")
        try checks.length(request.identity, "Identity")
        let stage = UpdateStage(rawValue: Int32(truncatingIfNeeded: request.waitPolicy.lifecycleStage.rawValue))
        let result = try await backend.pollUpdate(
            target, UpdateID(ref.updateID), stage: stage, deadline: deadline(of: call, wait: options.updateWait))
        return .with {
            let shown = Self.response(result, UpdateID(ref.updateID))
            $0.stage = shown.stage
            $0.updateRef = shown.updateRef
            if shown.hasOutcome { $0.outcome = shown.outcome }
        }
    }

    func executeMultiOperation(
        _ request: Temporal_Api_Workflowservice_V1_ExecuteMultiOperationRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ExecuteMultiOperationResponse {
        _ = try await namespace(request.namespace)
        guard request.operations.count == 2, case .startWorkflow(let start) = request.operations[0].operation,
            case .updateWorkflow(let update) = request.operations[1].operation
        else { throw Rejection.invalid("Operations have to be exactly [Start, Update].") }
        let parts = try await checkedParts(start, update, namespace: request.namespace, call)
        do {
            let result = try await backend.updateWithStart(
                parts.start, parts.update, deadline: deadline(of: call, wait: options.updateWait))
            return .with {
                $0.responses = [
                    .with { $0.startWorkflow = shown(result.start, parts.start, in: parts.namespace) },
                    .with { $0.updateWorkflow = Self.response(result.update, parts.update.update.id) },
                ]
            }
        } catch let failure as UpdateWithStartFailure {
            switch failure {
            case .start(let rejection): throw WireFailure([.failed(rejection), .aborted])
            case .update(let rejection, let started):
                throw WireFailure([started ? .done : .aborted, .failed(rejection)])
            }
        }
    }

    // MARK: Checks

    private func checkedUpdate(
        _ request: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> UpdateWorkflowRequest {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution,
            firstRun: request.firstExecutionRunID)
        return try update(request, of: target, call)
    }

    private func update(
        _ request: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest, of target: RunTarget,
        _ call: WireCall
    ) throws(Rejection) -> UpdateWorkflowRequest {
        var asked = request.request
        guard asked.hasMeta else { throw .invalid("Update meta is not set on request.") }
        try checks.length(asked.meta.updateID, "UpdateId")
        try checks.length(asked.meta.identity, "Identity")
        if asked.meta.updateID.isEmpty { asked.meta.updateID = UUIDs.random() }
        guard asked.hasInput else { throw .invalid("Update input is not set on request.") }
        if asked.input.name.isEmpty { throw .invalid("Update name is not set on request.") }
        try checks.length(asked.input.name, "UpdateName")
        try checks.blobs(asked.input.args, asked.input.header)
        try checks.callbacks(asked.completionCallbacks)
        let stage: UpdateStage
        switch request.waitPolicy.lifecycleStage {
        case .admitted:
            throw Rejection(
                .permissionDenied(reason: ""),
                "UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported.")
        case .completed: stage = .completed
        case .unspecified, .accepted, .UNRECOGNIZED: stage = .accepted
        }
        return UpdateWorkflowRequest(
            target: target, update: UpdateRun(id: UpdateID(asked.meta.updateID), request: Blob(encoding: asked)),
            stage: stage, actor: actor(call, identity: asked.meta.identity))
    }

    private struct Parts {
        var namespace: Namespace
        var start: StartWorkflowRequest
        var update: UpdateWorkflowRequest
    }

    /// Both parts, each checked as if it came alone; a fault is told with the part it is in.
    private func checkedParts(
        _ start: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest,
        _ update: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest, namespace name: String,
        _ call: WireCall
    ) async throws -> Parts {
        var (start, update) = (start, update)
        let mismatch = Rejection.invalid("Operation namespace did not match request's namespace.")
        let begun: (Namespace, StartWorkflowRequest)
        do {
            if !start.namespace.isEmpty, start.namespace != name { throw mismatch }
            start.namespace = name
            if !start.cronSchedule.isEmpty { throw Rejection.invalid("CronSchedule is not allowed.") }
            if start.requestEagerExecution { throw Rejection.invalid("RequestEagerExecution is not supported.") }
            if start.hasWorkflowStartDelay { throw Rejection.invalid("WorkflowStartDelay is not supported.") }
            if start.workflowIDConflictPolicy == .unspecified {
                throw Rejection.invalid("WorkflowIdConflictPolicy is not set on request.")
            }
            begun = try await checkedStart(start, call)
        } catch let rejection as Rejection {
            throw WireFailure([.failed(rejection), .aborted])
        }
        do {
            if !update.namespace.isEmpty, update.namespace != name { throw mismatch }
            update.namespace = name
            if !update.workflowExecution.runID.isEmpty { throw Rejection.invalid("RunId is not allowed.") }
            if !update.firstExecutionRunID.isEmpty { throw Rejection.invalid("FirstExecutionRunId is not allowed.") }
            if update.workflowExecution.workflowID != start.workflowID {
                throw Rejection.invalid("WorkflowId is not consistent with previous operation(s).")
            }
            return Parts(namespace: begun.0, start: begun.1, update: try await checkedUpdate(update, call))
        } catch let rejection as Rejection {
            throw WireFailure([.aborted, .failed(rejection)])
        }
    }

    // MARK: Answers

    private static func response(
        _ result: UpdateWorkflowResult, _ update: UpdateID
    ) -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse {
        .with {
            $0.updateRef = .with {
                $0.workflowExecution = Temporal_Api_Common_V1_WorkflowExecution(result.run)
                $0.updateID = update.value
            }
            $0.stage = .init(rawValue: Int(result.stage.rawValue)) ?? .unspecified
            if let end = result.end, let outcome = outcome(end) { $0.outcome = outcome }
        }
    }

    private static func outcome(_ end: UpdateEnd) -> Temporal_Api_Update_V1_Outcome? {
        let encoded: Blob
        switch end {
        case .outcome(let outcome): encoded = outcome
        case .rejected(let failure): encoded = UpdateOutcomeCodec.failure(failure?.bytes ?? [])
        case .unprocessed: encoded = UpdateOutcomeCodec.unprocessed
        case .outlivedRun: encoded = UpdateOutcomeCodec.outlivedRun
        case .recorded: return nil
        }
        return try? Temporal_Api_Update_V1_Outcome(serializedBytes: encoded.data)
    }
}

extension WireFailure {
    /// The failure of an update-with-start.
    fileprivate init(_ statuses: [OperationStatus]) {
        let encoded = ErrorCodec.encode(statuses)
        self.init(Code(rawValue: encoded.code) ?? .unknown, encoded.message, statusDetails: encoded.status)
    }
}
