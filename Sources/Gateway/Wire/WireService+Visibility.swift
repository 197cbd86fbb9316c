import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Finding runs.
extension WireService {
    func listWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse {
        let (runs, token) = try await list(
            request.namespace, query: request.query, size: request.pageSize, token: request.nextPageToken)
        return .with {
            $0.executions = runs
            $0.nextPageToken = token
        }
    }

    func scanWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_ScanWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ScanWorkflowExecutionsResponse {
        let (runs, token) = try await list(
            request.namespace, query: request.query, size: request.pageSize, token: request.nextPageToken)
        return .with {
            $0.executions = runs
            $0.nextPageToken = token
        }
    }

    func countWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsResponse {
        let namespace = try await namespace(request.namespace)
        let parsed = try await parsed(request.query, in: namespace)
        let query = parsed.query(namespace: namespace.id, limit: 0)
        guard parsed.isGroupedByStatus else {
            let count = try await backend.countRuns(query)
            return .with { $0.count = count }
        }
        let groups = try await backend.countRunsByStatus(query)
        return .with {
            $0.count = groups.reduce(0) { $0 + $1.count }
            $0.groups = groups.map { group in
                .with {
                    $0.groupValues = [Self.keyword(RunNames.name(of: group.status))]
                    $0.count = group.count
                }
            }
        }
    }

    /// A search attribute's value of type Keyword, as a payload; `name` needs no escapes.
    private static func keyword(_ name: String) -> Data {
        let payload = Temporal_Api_Common_V1_Payload.with {
            $0.metadata = ["encoding": Data("json/plain".utf8), "type": Data("Keyword".utf8)]
            $0.data = Data("\"\(name)\"".utf8)
        }
        return (try? payload.serializedData()) ?? Data()
    }

    /// A list query in the words of its namespace; another node may have defined an attribute just now.
    func parsed(_ text: String, in namespace: Namespace) async throws -> VisibilityParser.Parsed {
        do {
            return try VisibilityParser.parse(text, attributes: namespace.searchAttributes)
        } catch  where error.message.hasSuffix("is not a valid search attribute") {
            let fresh = try await backend.refreshedNamespace(namespace.id)
            return try VisibilityParser.parse(text, attributes: fresh.searchAttributes)
        }
    }

    private func list(
        _ namespaceName: String, query text: String, size: Int32, token: Data
    ) async throws -> ([Temporal_Api_Workflow_V1_WorkflowExecutionInfo], Data) {
        let namespace = try await namespace(namespaceName)
        let parsed = try await parsed(text, in: namespace)
        if parsed.isGroupedByStatus {
            throw Rejection.invalid("invalid query: operation is not supported: 'GROUP BY' clause")
        }
        return try await page(parsed, in: namespace, size: size, token: token)
    }

    /// One page of the runs that meet a condition.
    func page(
        _ parsed: VisibilityParser.Parsed, in namespace: Namespace, size: Int32, token: Data
    ) async throws -> ([Temporal_Api_Workflow_V1_WorkflowExecutionInfo], Data) {
        let most = options.limits.visibilityPageMax
        let limit = size <= 0 ? most : min(Int(size), most)
        var query = parsed.query(namespace: namespace.id, limit: limit)
        if !token.isEmpty { query.after = try RunPosition.decode(token, namespace: namespace.id) }
        let runs = try await backend.listRuns(query)
        return (runs.map(Self.info), runs.count == limit ? runs.last.map(RunPosition.encode) ?? Data() : Data())
    }
}

/// The place of a run in a list, as a page token or cursor carries it.
enum RunPosition {
    static func encode(_ run: RunSummary) -> Data {
        let info = Temporal_Api_Workflow_V1_WorkflowExecutionInfo.with {
            $0.execution = Temporal_Api_Common_V1_WorkflowExecution(run.key)
            $0.startTime = Google_Protobuf_Timestamp(run.startTime)
            if let close = run.closeTime { $0.closeTime = Google_Protobuf_Timestamp(close) }
            $0.status = run.status.wire
        }
        return (try? info.serializedData()) ?? Data()
    }

    /// - Throws: INVALID_ARGUMENT for bytes that are no position.
    static func decode(_ data: Data, namespace: NamespaceID) throws(Rejection) -> RunSummary {
        guard let info = try? Temporal_Api_Workflow_V1_WorkflowExecutionInfo(serializedBytes: data),
            info.hasExecution, UUIDs.isValid(info.execution.runID), let status = WorkflowStatus(info.status)
        else { throw .invalid("Invalid NextPageToken.") }
        let key = RunKey(
            namespace: namespace, workflow: WorkflowID(info.execution.workflowID), run: RunID(info.execution.runID))
        return RunSummary(
            key: key, firstRunID: key.run, workflowType: "", taskQueue: "", status: status,
            startTime: Timestamp(info.startTime),
            executionTime: Timestamp(info.startTime), closeTime: info.hasCloseTime ? Timestamp(info.closeTime) : nil,
            historyLength: 0, historySizeBytes: 0, startRequestID: "", memo: nil, searchAttributes: nil)
    }
}
