import Foundation
import SwiftProtobuf
import TemporalAPI

extension WorkflowClient {
    /// Asks the workflow with this id for an update, and starts it first when it is not running; waits for the answer.
    ///
    /// ``StartOptions/idConflictPolicy`` must say what happens to a workflow that is running: `.useExisting` asks it.
    /// - Throws: ``WorkflowAlreadyStarted``; ``WorkflowUpdateFailed``; ``RPCFailure``.
    public func executeUpdateWithStart<Workflow: WorkflowDefinition, Answer: Decodable & Sendable>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, options: StartOptions, update: String,
        _ updateArguments: any Encodable & Sendable..., updateID: String? = nil, returning: Answer.Type = Answer.self
    ) async throws -> Answer {
        let (_, handle): (WorkflowHandle<Workflow.Output>, WorkflowUpdateHandle<Answer>) = try await updateWithStart(
            workflowType: Workflow.name, arguments: [input], options: options, update: update,
            updateArguments: updateArguments, updateID: updateID, waitFor: .completed)
        return try await handle.result()
    }

    /// Like ``executeUpdateWithStart(_:_:options:update:_:updateID:returning:)``, and goes on when the update is accepted.
    public func startUpdateWithStart<Workflow: WorkflowDefinition, Answer: Decodable & Sendable>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, options: StartOptions, update: String,
        _ updateArguments: any Encodable & Sendable..., updateID: String? = nil,
        waitFor stage: WorkflowUpdateStage = .accepted, returning: Answer.Type = Answer.self
    ) async throws -> (workflow: WorkflowHandle<Workflow.Output>, update: WorkflowUpdateHandle<Answer>) {
        try await updateWithStart(
            workflowType: Workflow.name, arguments: [input], options: options, update: update,
            updateArguments: updateArguments, updateID: updateID, waitFor: stage)
    }

    /// Starts by the name of the workflow type, with lists of arguments.
    public func updateWithStart<Output: Decodable & Sendable, Answer: Decodable & Sendable>(
        workflowType: String, arguments: [any Encodable & Sendable], options: StartOptions, update: String,
        updateArguments: [any Encodable & Sendable], updateID: String? = nil,
        waitFor stage: WorkflowUpdateStage = .accepted, returning: Output.Type = Output.self,
        answering: Answer.Type = Answer.self
    ) async throws -> (workflow: WorkflowHandle<Output>, update: WorkflowUpdateHandle<Answer>) {
        let converter = self.converter.scoped(namespace: namespace, workflowID: options.id)
        var start = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest()
        try options.fill(
            &start, workflowType: workflowType, input: try converter.arguments(arguments), converter: converter,
            service: service)
        let wish = UpdateWish(name: update, arguments: updateArguments, id: updateID, stage: stage)
        let asked = try wish.request(self, workflowID: options.id)
        var request = Temporal_Api_Workflowservice_V1_ExecuteMultiOperationRequest()
        request.namespace = namespace
        request.operations = [.with { $0.startWorkflow = start }, .with { $0.updateWorkflow = asked }]
        let both = request
        var runID = ""
        let response = try await untilAccepted(workflowID: options.id) {
            let answer: Temporal_Api_Workflowservice_V1_ExecuteMultiOperationResponse = try await service.call(
                "ExecuteMultiOperation", both, deadline: WorkflowService.longPollDeadline)
            guard answer.responses.count == 2 else {
                throw RPCFailure(.dataLoss, "expected two responses, got \(answer.responses.count)")
            }
            runID = answer.responses[0].startWorkflow.runID
            return answer.responses[1].updateWorkflow
        }
        let handle = WorkflowHandle<Output>(client: self, workflowID: options.id, runID: nil, firstRunID: runID)
        return (handle, updateHandle(response, workflowID: options.id))
    }
}

extension RPCFailure {
    /// Of a failed update-with-start: the part that failed by itself. Any other failure as it is.
    var firstOfOperations: RPCFailure {
        guard let body = detail("MultiOperationExecutionFailure"),
            let failure = try? Temporal_Api_Errordetails_V1_MultiOperationExecutionFailure(serializedBytes: body)
        else { return self }
        for status in failure.statuses where status.code != 0 {
            let details = status.details.map { detail in
                Detail(
                    typeName: detail.typeURL.split(separator: "/").last.map(String.init) ?? detail.typeURL,
                    body: [UInt8](detail.value))
            }
            if details.contains(where: { $0.typeName.hasSuffix("MultiOperationExecutionAborted") }) { continue }
            return RPCFailure(Code(rawValue: Int(status.code)) ?? .unknown, status.message, details: details)
        }
        return self
    }
}
