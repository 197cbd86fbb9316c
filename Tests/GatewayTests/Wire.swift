import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import TemporalAPI

/// Calls a method of the wire service with messages.
struct Wire: Sendable {
    let service: WireService

    init(_ backend: any Backend) { service = WireService(backend: backend) }

    func call<Request: Message, Response: Message>(
        _ name: String, _ request: Request, returning: Response.Type, metadata: [(name: String, value: String)] = [],
        seconds: Int64? = 30
    ) async throws -> Response {
        let deadline = seconds.map { SystemTime.now().advanced(by: .seconds($0)) }
        let call = WireCall(
            method: WireMethod(name: name), request: try request.serializedBytes(), metadata: metadata,
            deadline: deadline)
        return try Response(serializedBytes: try await service.handle(call).get())
    }

    /// The failure of a call that must fail.
    func failure(_ name: String, _ request: some Message, seconds: Int64? = 30) async throws -> WireFailure {
        let deadline = seconds.map { SystemTime.now().advanced(by: .seconds($0)) }
        let call = WireCall(method: WireMethod(name: name), request: try request.serializedBytes(), deadline: deadline)
        switch await service.handle(call) {
        case .success: throw UnexpectedSuccess()
        case .failure(let failure): return failure
        }
    }
}

struct UnexpectedSuccess: Error {}

enum Requests {
    static func start(
        _ change: (inout Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest) -> Void = { _ in }
    ) -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest {
        .with {
            $0.namespace = "default"
            $0.workflowID = "w"
            $0.workflowType.name = "Hello"
            $0.taskQueue.name = "hello"
            change(&$0)
        }
    }

    static func history(
        _ change: (inout Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest) -> Void = { _ in }
    ) -> Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest {
        .with {
            $0.namespace = "default"
            $0.execution.workflowID = "w"
            change(&$0)
        }
    }

    static func poll(
        _ change: (inout Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueRequest) -> Void = { _ in }
    ) -> Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueRequest {
        .with {
            $0.namespace = "default"
            $0.taskQueue.name = "hello"
            $0.identity = "me"
            change(&$0)
        }
    }
}
