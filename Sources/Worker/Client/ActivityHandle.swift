import Foundation
import SwiftProtobuf
import TemporalAPI

/// An activity that somebody outside the worker completes; see ``ActivityCompletesLater``.
public struct ActivityHandle: Sendable {
    enum Reference: Hashable, Sendable {
        case token([UInt8])
        case id(workflowID: String, runID: String, activityID: String)
    }
    let client: WorkflowClient
    let reference: Reference

    private var converter: DataConverter {
        switch reference {
        case .token: client.converter.scoped(namespace: client.namespace, workflowID: "")
        case .id(let workflowID, _, _): client.converter.scoped(namespace: client.namespace, workflowID: workflowID)
        }
    }

    /// Reports the result. The activity has ended when this returns.
    ///
    /// - Throws: ``WorkflowNotFound`` when the activity is not open (any more).
    public func complete(_ result: any Encodable & Sendable = NoValue()) async throws {
        let wire = Data(try converter.result(result))
        switch reference {
        case .token(let token):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            request.taskToken = Data(token)
            request.result = wire
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedResponse = try await call(
                "RespondActivityTaskCompleted", request)
        case .id(let workflowID, let runID, let activityID):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            (request.workflowID, request.runID, request.activityID) = (workflowID, runID, activityID)
            request.result = wire
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedByIdResponse = try await call(
                "RespondActivityTaskCompletedById", request)
        }
    }

    /// Reports a failure; the activity is tried again as its policy says.
    public func fail(_ error: any Error) async throws {
        let wire = Data(converter.failure(for: error))
        switch reference {
        case .token(let token):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            request.taskToken = Data(token)
            request.failure = wire
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedResponse = try await call(
                "RespondActivityTaskFailed", request)
        case .id(let workflowID, let runID, let activityID):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            (request.workflowID, request.runID, request.activityID) = (workflowID, runID, activityID)
            request.failure = wire
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedByIdResponse = try await call(
                "RespondActivityTaskFailedById", request)
        }
    }

    /// Reports that the activity stopped because it was asked to.
    public func reportCanceled(_ details: any Encodable & Sendable...) async throws {
        let wire = details.isEmpty ? nil : Data(Payload.wire(try converter.payloads(for: details)))
        switch reference {
        case .token(let token):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            request.taskToken = Data(token)
            if let wire { request.details = wire }
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledResponse = try await call(
                "RespondActivityTaskCanceled", request)
        case .id(let workflowID, let runID, let activityID):
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledByIdRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            (request.workflowID, request.runID, request.activityID) = (workflowID, runID, activityID)
            if let wire { request.details = wire }
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledByIdResponse = try await call(
                "RespondActivityTaskCanceledById", request)
        }
    }

    /// Tells the server that somebody still works on it. Not throttled.
    ///
    /// - Throws: ``AsyncActivityCanceled`` when the work should stop.
    public func heartbeat(_ details: any Encodable & Sendable...) async throws {
        let wire = details.isEmpty ? nil : Data(Payload.wire(try converter.payloads(for: details)))
        switch reference {
        case .token(let token):
            var request = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            request.taskToken = Data(token)
            if let wire { request.details = wire }
            let answer: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatResponse = try await call(
                "RecordActivityTaskHeartbeat", request)
            try check(
                cancelRequested: answer.cancelRequested, reset: answer.activityReset, paused: answer.activityPaused)
        case .id(let workflowID, let runID, let activityID):
            var request = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatByIdRequest()
            (request.namespace, request.identity) = (client.namespace, client.identity)
            (request.workflowID, request.runID, request.activityID) = (workflowID, runID, activityID)
            if let wire { request.details = wire }
            let answer: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatByIdResponse = try await call(
                "RecordActivityTaskHeartbeatById", request)
            try check(
                cancelRequested: answer.cancelRequested, reset: answer.activityReset, paused: answer.activityPaused)
        }
    }

    private func check(cancelRequested: Bool, reset: Bool, paused: Bool) throws {
        if cancelRequested { throw AsyncActivityCanceled(reason: .requested) }
        if reset { throw AsyncActivityCanceled(reason: .reset) }
        if paused { throw AsyncActivityCanceled(reason: .paused) }
    }

    private func call<Request: Message, Response: Message>(_ name: String, _ request: Request) async throws -> Response
    {
        do {
            return try await client.service.call(name, request)
        } catch {
            throw ClientError.translated(error, workflowID: "")
        }
    }
}

extension WorkflowClient {
    /// An open activity by the token of its attempt; a later attempt has another.
    public func activity(taskToken: [UInt8]) -> ActivityHandle {
        ActivityHandle(client: self, reference: .token(taskToken))
    }

    /// An open activity by its id, whatever its attempt.
    ///
    /// - Parameter runID: nil means the current run.
    public func activity(id: String, workflowID: String, runID: String? = nil) -> ActivityHandle {
        ActivityHandle(client: self, reference: .id(workflowID: workflowID, runID: runID ?? "", activityID: id))
    }
}
