import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI

/// Temporal's HTTP paths, each one WireService method: path and query values and the body make the request message.
struct TemporalRoute: Sendable {
    let method: String
    let read: @Sendable (JSONValue) throws -> [UInt8]
    let show: @Sendable ([UInt8], JSONTranscoder) throws -> JSONValue

    init<Request: Message, Response: Message>(_ method: String, _: Request.Type, _: Response.Type) {
        self.method = method
        read = { try JSONTranscoder().read($0, as: Request.self).serializedBytes() }
        show = { try $1.show(Response(serializedBytes: $0)) }
    }

    static let table: RouteTable<TemporalRoute> = {
        var table = RouteTable<TemporalRoute>()
        func add(_ verb: String, _ paths: [String], _ route: TemporalRoute) {
            for path in paths { table.add(verb, path, route) }
        }
        func namespaced(_ path: String) -> [String] {
            ["/api/v1/namespaces/{namespace}/\(path)", "/namespaces/{namespace}/\(path)"]
        }
        for (verb, paths, route) in serverRoutes { add(verb, paths, route) }
        for (verb, path, route) in runRoutes + scheduleRoutes { add(verb, namespaced(path), route) }
        return table
    }()

    private static let serverRoutes: [(String, [String], TemporalRoute)] = [
        (
            "GET", ["/api/v1/system-info", "/system-info"],
            .init(
                "GetSystemInfo", Temporal_Api_Workflowservice_V1_GetSystemInfoRequest.self,
                Temporal_Api_Workflowservice_V1_GetSystemInfoResponse.self)
        ),
        (
            "GET", ["/api/v1/cluster-info", "/cluster"],
            .init(
                "GetClusterInfo", Temporal_Api_Workflowservice_V1_GetClusterInfoRequest.self,
                Temporal_Api_Workflowservice_V1_GetClusterInfoResponse.self)
        ),
        (
            "GET", ["/api/v1/namespaces", "/cluster/namespaces"],
            .init(
                "ListNamespaces", Temporal_Api_Workflowservice_V1_ListNamespacesRequest.self,
                Temporal_Api_Workflowservice_V1_ListNamespacesResponse.self)
        ),
        (
            "POST", ["/api/v1/namespaces", "/cluster/namespaces"],
            .init(
                "RegisterNamespace", Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest.self,
                Temporal_Api_Workflowservice_V1_RegisterNamespaceResponse.self)
        ),
        (
            "GET", ["/api/v1/namespaces/{namespace}", "/cluster/namespaces/{namespace}"],
            .init(
                "DescribeNamespace", Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest.self,
                Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse.self)
        ),
        (
            "POST", ["/api/v1/namespaces/{namespace}/update", "/cluster/namespaces/{namespace}/update"],
            .init(
                "UpdateNamespace", Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest.self,
                Temporal_Api_Workflowservice_V1_UpdateNamespaceResponse.self)
        ),
    ]

    private static let runRoutes: [(String, String, TemporalRoute)] = [
        (
            "GET", "workflows",
            .init(
                "ListWorkflowExecutions", Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest.self,
                Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse.self)
        ),
        (
            "GET", "workflow-count",
            .init(
                "CountWorkflowExecutions", Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsRequest.self,
                Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsResponse.self)
        ),
        (
            "POST", "workflows/{workflow_id}",
            .init(
                "StartWorkflowExecution", Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse.self)
        ),
        (
            "GET", "workflows/{execution.workflow_id}",
            .init(
                "DescribeWorkflowExecution", Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionResponse.self)
        ),
        (
            "GET", "workflows/{execution.workflow_id}/history",
            .init(
                "GetWorkflowExecutionHistory", Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryRequest.self,
                Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse.self)
        ),
        (
            "GET", "workflows/{execution.workflow_id}/history-reverse",
            .init(
                "GetWorkflowExecutionHistoryReverse",
                Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryReverseRequest.self,
                Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryReverseResponse.self)
        ),
        (
            "POST", "workflows/{workflow_execution.workflow_id}/signal/{signal_name}",
            .init(
                "SignalWorkflowExecution", Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_SignalWorkflowExecutionResponse.self)
        ),
        (
            "POST", "workflows/{workflow_id}/signal-with-start/{signal_name}",
            .init(
                "SignalWithStartWorkflowExecution",
                Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionResponse.self)
        ),
        (
            "POST", "workflows/{execution.workflow_id}/query/{query.query_type}",
            .init(
                "QueryWorkflow", Temporal_Api_Workflowservice_V1_QueryWorkflowRequest.self,
                Temporal_Api_Workflowservice_V1_QueryWorkflowResponse.self)
        ),
        (
            "POST", "workflows/{workflow_execution.workflow_id}/cancel",
            .init(
                "RequestCancelWorkflowExecution",
                Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_RequestCancelWorkflowExecutionResponse.self)
        ),
        (
            "POST", "workflows/{workflow_execution.workflow_id}/terminate",
            .init(
                "TerminateWorkflowExecution", Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionRequest.self,
                Temporal_Api_Workflowservice_V1_TerminateWorkflowExecutionResponse.self)
        ),
        (
            "GET", "task-queues/{task_queue.name}",
            .init(
                "DescribeTaskQueue", Temporal_Api_Workflowservice_V1_DescribeTaskQueueRequest.self,
                Temporal_Api_Workflowservice_V1_DescribeTaskQueueResponse.self)
        ),
    ]
}
