import Foundation
import SwiftProtobuf
import TemporalAPI

/// How far an update has to come before its caller goes on.
public enum WorkflowUpdateStage: Int, Hashable, Sendable {
    /// The workflow's validator said yes: the update will be done, or fail, in this run.
    case accepted = 2
    /// The handler has ended.
    case completed = 3
}

/// The workflow rejected the update, or its handler failed; ``cause`` says why.
public struct WorkflowUpdateFailed: Error, Sendable, CustomStringConvertible {
    public let updateID: String
    public let cause: any TemporalFailure
    public var description: String { "update \(updateID) failed: \(cause)" }
}

/// One update of one run, seen from outside.
public struct WorkflowUpdateHandle<Answer: Decodable & Sendable>: Sendable {
    let client: WorkflowClient
    /// Unique in its run; asking again under the same id attaches to the same update.
    public let id: String
    public let workflowID: String
    /// nil means the current run.
    public let runID: String?
    /// Set when the first answer of the server said it already.
    let known: Temporal_Api_Update_V1_Outcome?

    /// How far the update has come now; nil while no worker has accepted it.
    public func stage() async throws -> WorkflowUpdateStage? {
        WorkflowUpdateStage(rawValue: try await poll(waitFor: .unspecified).stage.rawValue)
    }

    /// Waits until the handler has ended, and gives its answer.
    ///
    /// - Throws: ``WorkflowUpdateFailed``; ``WorkflowNotFound`` for an id that the run does not know; ``RPCFailure``.
    public func result() async throws -> Answer {
        if let known { return try value(of: known) }
        while true {
            let response = try await poll(waitFor: .completed)
            if response.hasOutcome { return try value(of: response.outcome) }
        }
    }

    private func poll(
        waitFor stage: Temporal_Api_Enums_V1_UpdateWorkflowExecutionLifecycleStage
    ) async throws -> Temporal_Api_Workflowservice_V1_PollWorkflowExecutionUpdateResponse {
        var request = Temporal_Api_Workflowservice_V1_PollWorkflowExecutionUpdateRequest()
        request.namespace = client.namespace
        request.identity = client.identity
        request.updateRef.workflowExecution.workflowID = workflowID
        request.updateRef.workflowExecution.runID = runID ?? ""
        request.updateRef.updateID = id
        request.waitPolicy.lifecycleStage = stage
        while true {
            do throws(RPCFailure) {
                return try await client.service.call(
                    "PollWorkflowExecutionUpdate", request, deadline: WorkflowService.longPollDeadline)
            } catch {
                // A deadline on a long poll says only that nothing happened.
                if error.code == .deadlineExceeded { continue }
                throw ClientError.translated(error, workflowID: workflowID)
            }
        }
    }

    private func value(of outcome: Temporal_Api_Update_V1_Outcome) throws -> Answer {
        let converter = client.converter.scoped(namespace: client.namespace, workflowID: workflowID)
        switch outcome.value {
        case .failure(let failure):
            throw WorkflowUpdateFailed(updateID: id, cause: converter.error(fromFailure: failure))
        case .success(let payloads): return try converter.value(Answer.self, fromWire: payloads)
        case nil: return try converter.value(Answer.self, fromWire: [])
        }
    }
}

/// An update as a client sends it.
struct UpdateWish: Sendable {
    var name: String
    var arguments: [any Encodable & Sendable]
    var id: String?
    var stage: WorkflowUpdateStage

    /// The request, with an id that its repetitions keep.
    func request(
        _ client: WorkflowClient, workflowID: String
    ) throws -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest {
        let converter = client.converter.scoped(namespace: client.namespace, workflowID: workflowID)
        var request = Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest()
        request.namespace = client.namespace
        request.workflowExecution.workflowID = workflowID
        request.waitPolicy.lifecycleStage = .init(rawValue: stage.rawValue) ?? .accepted
        request.request.meta.updateID = id ?? UUID().uuidString.lowercased()
        request.request.meta.identity = client.identity
        request.request.input.name = name
        let input = try converter.arguments(arguments)
        if !input.isEmpty { request.request.input.args = Data(input) }
        return request
    }
}

extension WorkflowClient {
    /// Repeats a call until the update is at least accepted. The server answers each after a while, however far it came.
    func untilAccepted(
        workflowID: String,
        _ call: () async throws -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse {
        while true {
            try Task.checkCancellation()
            do {
                let response = try await call()
                if response.stage.rawValue >= WorkflowUpdateStage.accepted.rawValue { return response }
            } catch let failure as RPCFailure {
                if failure.code == .deadlineExceeded { continue }
                throw ClientError.translated(failure.firstOfOperations, workflowID: workflowID)
            }
        }
    }

    func updateHandle<Answer: Decodable & Sendable>(
        _ response: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionResponse, workflowID: String
    ) -> WorkflowUpdateHandle<Answer> {
        WorkflowUpdateHandle(
            client: self, id: response.updateRef.updateID, workflowID: workflowID,
            runID: response.updateRef.workflowExecution.runID, known: response.hasOutcome ? response.outcome : nil)
    }
}

extension WorkflowHandle {
    /// Asks the workflow for an update and waits for its handler's answer.
    ///
    /// - Parameter id: Asking again under the same id gives the first answer again; made up if not given.
    /// - Throws: ``WorkflowUpdateFailed`` when the workflow rejects it or its handler fails; ``WorkflowNotFound``;
    ///   ``RPCFailure``.
    public func executeUpdate<Answer: Decodable & Sendable>(
        _ name: String, _ arguments: any Encodable & Sendable..., id: String? = nil,
        returning: Answer.Type = Answer.self
    ) async throws -> Answer {
        try await startUpdate(name, arguments: arguments, id: id, waitFor: .completed, returning: returning).result()
    }

    /// Asks the workflow for an update and waits until it is accepted.
    ///
    /// A rejected update has ended: the handle's ``WorkflowUpdateHandle/result()`` throws.
    public func startUpdate<Answer: Decodable & Sendable>(
        _ name: String, _ arguments: any Encodable & Sendable..., id: String? = nil,
        waitFor stage: WorkflowUpdateStage = .accepted, returning: Answer.Type = Answer.self
    ) async throws -> WorkflowUpdateHandle<Answer> {
        try await startUpdate(name, arguments: arguments, id: id, waitFor: stage, returning: returning)
    }

    /// Asks with a list of arguments.
    public func startUpdate<Answer: Decodable & Sendable>(
        _ name: String, arguments: [any Encodable & Sendable], id: String? = nil,
        waitFor stage: WorkflowUpdateStage = .accepted, returning: Answer.Type = Answer.self
    ) async throws -> WorkflowUpdateHandle<Answer> {
        let wish = UpdateWish(name: name, arguments: arguments, id: id, stage: stage)
        var request = try wish.request(client, workflowID: workflowID)
        request.workflowExecution.runID = runID ?? ""
        request.firstExecutionRunID = firstRunID ?? ""
        let asked = request
        let response = try await client.untilAccepted(workflowID: workflowID) {
            try await client.service.call(
                "UpdateWorkflowExecution", asked, deadline: WorkflowService.longPollDeadline)
        }
        return client.updateHandle(response, workflowID: workflowID)
    }

    /// A handle to an update that somebody asked for; asks nothing of the server.
    public func updateHandle<Answer: Decodable & Sendable>(
        id: String, returning: Answer.Type = Answer.self
    ) -> WorkflowUpdateHandle<Answer> {
        WorkflowUpdateHandle(client: client, id: id, workflowID: workflowID, runID: runID ?? firstRunID, known: nil)
    }
}
