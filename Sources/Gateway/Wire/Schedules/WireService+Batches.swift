import Engine
import FoundationEssentials
public import History
public import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Operations over many runs.
extension WireService {
    func startBatchOperation(
        _ request: Temporal_Api_Workflowservice_V1_StartBatchOperationRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_StartBatchOperationResponse {
        guard let asked = request.operation, !request.namespace.isEmpty, !request.reason.isEmpty,
            !(request.visibilityQuery.isEmpty && request.executions.isEmpty && request.targetExecutions.isEmpty)
        else {
            throw Rejection.invalid(
                "must provide required parameters: BatchType/Reason/Namespace/Query/Executions")
        }
        let (_, key) = try await batchKey(request.namespace, request.jobID)
        let executions = try self.executions(request)
        guard executions.isEmpty || request.visibilityQuery.isEmpty else {
            throw Rejection.invalid("batch query and executions are mutually exclusive")
        }
        try checks.text(request.reason, "Reason")
        try checks.text(request.visibilityQuery, "Query")
        guard request.maxOperationsPerSecond >= 0, request.maxOperationsPerSecond.isFinite else {
            throw Rejection.invalid("max_operations_per_second is negative")
        }
        let rate = request.maxOperationsPerSecond > 0 ? Double(request.maxOperationsPerSecond) : BatchLimits.rateDefault
        try await backend.startBatch(
            StartBatchRequest(
                key: key, action: try action(asked), reason: request.reason, query: request.visibilityQuery,
                executions: executions, operationsPerSecond: rate))
        return .init()
    }

    private func executions(
        _ request: Temporal_Api_Workflowservice_V1_StartBatchOperationRequest
    ) throws(Rejection) -> [(workflow: WorkflowID, run: RunID?)] {
        var found: [(workflow: WorkflowID, run: RunID?)] = []
        for execution in request.executions {
            try checks.identifier(execution.workflowID, "WorkflowId")
            found.append((WorkflowID(execution.workflowID), try checks.run(execution.runID)))
        }
        for execution in request.targetExecutions {
            guard execution.type == .workflow || execution.type == .unspecified else {
                throw Rejection(.unimplemented, "batch operations go to workflows only")
            }
            try checks.identifier(execution.businessID, "WorkflowId")
            found.append((WorkflowID(execution.businessID), try checks.run(execution.runID)))
        }
        if found.count > BatchLimits.executionsMax {
            throw .invalid("batch executions count exceeds limit of \(BatchLimits.executionsMax)")
        }
        return found
    }

    private func action(
        _ asked: Temporal_Api_Workflowservice_V1_StartBatchOperationRequest.OneOf_Operation
    ) throws(Rejection) -> BatchAction {
        switch asked {
        case .terminationOperation(let asked):
            try checks.blobs(asked.details)
            try checks.length(asked.identity, "Identity")
            return .terminate(details: Blob(asked.details, isSet: asked.hasDetails), identity: asked.identity)
        case .cancellationOperation(let asked):
            try checks.length(asked.identity, "Identity")
            return .cancel(identity: asked.identity)
        case .signalOperation(let asked):
            try checks.identifier(asked.signal, "SignalName")
            try checks.blobs(asked.input, asked.header)
            try checks.length(asked.identity, "Identity")
            return .signal(
                name: asked.signal, input: Blob(asked.input, isSet: asked.hasInput),
                header: Blob(asked.header, isSet: asked.hasHeader), identity: asked.identity)
        case .deletionOperation(let asked):
            try checks.length(asked.identity, "Identity")
            return .delete(identity: asked.identity)
        case .resetOperation(let asked):
            try check(asked)
            try checks.length(asked.identity, "Identity")
            return Self.edge(.reset, asked, identity: asked.identity)
        case .updateWorkflowOptionsOperation(let asked):
            _ = try RunOptionsMask.change(asked, checks)
            try checks.length(asked.identity, "Identity")
            return Self.edge(.updateOptions, asked, identity: asked.identity)
        case .unpauseActivitiesOperation(let asked):
            _ = try selection(asked.activity.map { .init($0) })
            try checks.length(asked.identity, "Identity")
            return Self.edge(.unpauseActivities, asked, identity: asked.identity)
        case .resetActivitiesOperation(let asked):
            _ = try selection(asked.activity.map { .init($0) })
            try checks.length(asked.identity, "Identity")
            return Self.edge(.resetActivities, asked, identity: asked.identity)
        case .updateActivityOptionsOperation(let asked):
            _ = try selection(asked.activity.map { .init($0) })
            _ = try operation(asked)
            try checks.length(asked.identity, "Identity")
            return Self.edge(.updateActivityOptions, asked, identity: asked.identity)
        case .cancelActivitiesOperation: throw Self.notServed("cancel_activities_operation")
        case .terminateActivitiesOperation: throw Self.notServed("terminate_activities_operation")
        case .deleteActivitiesOperation: throw Self.notServed("delete_activities_operation")
        }
    }

    /// Operations on activities that belong to no workflow.
    private static func notServed(_ operation: String) -> Rejection {
        Rejection(.unimplemented, "\(operation) is not implemented")
    }

    private static func edge(_ action: EdgeBatchAction, _ request: some Message, identity: String) -> BatchAction {
        .edge(action, request: Blob((try? request.serializedBytes()) ?? []), identity: identity)
    }

    func stopBatchOperation(
        _ request: Temporal_Api_Workflowservice_V1_StopBatchOperationRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_StopBatchOperationResponse {
        let (_, key) = try await batchKey(request.namespace, request.jobID)
        guard !request.reason.isEmpty else { throw Rejection.invalid("Reason is not set on request.") }
        try await backend.stopBatch(key, identity: request.identity, reason: request.reason)
        return .init()
    }

    func describeBatchOperation(
        _ request: Temporal_Api_Workflowservice_V1_DescribeBatchOperationRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeBatchOperationResponse {
        let (_, key) = try await batchKey(request.namespace, request.jobID)
        let operation = try await backend.describeBatch(key)
        return .with {
            $0.operationType = operation.action.wire
            $0.jobID = operation.id.value
            $0.state = operation.state.wire
            $0.startTime = Google_Protobuf_Timestamp(operation.startTime)
            if let close = operation.closeTime { $0.closeTime = Google_Protobuf_Timestamp(close) }
            $0.totalOperationCount = operation.total
            $0.completeOperationCount = operation.succeeded
            $0.failureOperationCount = operation.failed
            $0.identity = operation.action.identity
            $0.reason = operation.reason
            $0.query = operation.query
        }
    }

    func listBatchOperations(
        _ request: Temporal_Api_Workflowservice_V1_ListBatchOperationsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListBatchOperationsResponse {
        let namespace = try await namespace(request.namespace)
        let most = options.limits.visibilityPageMax
        let limit = request.pageSize <= 0 ? most : min(Int(request.pageSize), most)
        let found = try await backend.listBatches(
            namespace: namespace.id, after: try Self.position(request.nextPageToken), limit: limit)
        return .with {
            $0.operationInfo = found.map { operation in
                .with {
                    $0.jobID = operation.id.value
                    $0.state = operation.state.wire
                    $0.startTime = Google_Protobuf_Timestamp(operation.startTime)
                    if let close = operation.closeTime { $0.closeTime = Google_Protobuf_Timestamp(close) }
                    $0.operationType = operation.action.wire
                }
            }
            if found.count == limit, let last = found.last {
                let info = Temporal_Api_Batch_V1_BatchOperationInfo.with {
                    $0.jobID = last.id.value
                    $0.startTime = Google_Protobuf_Timestamp(last.startTime)
                }
                $0.nextPageToken = (try? info.serializedData()) ?? Data()
            }
        }
    }

    private static func position(_ token: Data) throws(Rejection) -> BatchListPosition? {
        if token.isEmpty { return nil }
        guard let info = try? Temporal_Api_Batch_V1_BatchOperationInfo(serializedBytes: token), info.hasStartTime,
            !info.jobID.utf8.contains(0)
        else { throw .invalid("Invalid NextPageToken.") }
        return BatchListPosition(startTime: Timestamp(info.startTime), id: BatchJobID(info.jobID))
    }

    private func batchKey(_ namespaceName: String, _ id: String) async throws -> (Namespace, BatchKey) {
        let namespace = try await namespace(namespaceName)
        try checks.identifier(id, "JobId")
        return (namespace, BatchKey(namespace: namespace.id, id: BatchJobID(id)))
    }

    /// A list query as a batch operation reads it.
    public func visibilityQuery(_ namespace: NamespaceID, _ text: String) async throws -> VisibilityQuery {
        let parsed = try await parsed(text, in: try await backend.namespace(named: namespace.value))
        if parsed.isGroupedByStatus {
            throw Rejection.invalid("invalid query: operation is not supported: 'GROUP BY' clause")
        }
        return parsed.query(namespace: namespace, limit: options.limits.visibilityPageMax)
    }
}

enum BatchLimits {
    /// Operations a second, when nobody says.
    static let rateDefault = 50.0
    /// Runs that one request may name.
    static let executionsMax = 1000
}

extension BatchAction {
    fileprivate var wire: Temporal_Api_Enums_V1_BatchOperationType {
        switch self {
        case .terminate: .terminate
        case .cancel: .cancel
        case .signal: .signal
        case .delete: .delete
        case .edge(let action, _, _): .init(rawValue: Int(action.rawValue)) ?? .unspecified
        }
    }
}

extension BatchState {
    fileprivate var wire: Temporal_Api_Enums_V1_BatchOperationState { .init(rawValue: Int(rawValue)) ?? .unspecified }
}
