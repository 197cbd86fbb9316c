import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

typealias WorkerHeartbeatMessage = Temporal_Api_Worker_V1_WorkerHeartbeat

/// Workers that come, live and go.
extension WireService {
    func recordWorkerHeartbeat(
        _ request: Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatResponse {
        let namespace = try await namespace(request.namespace)
        for heartbeat in request.workerHeartbeat {
            try await record(try Self.heartbeat(heartbeat), in: namespace.id)
        }
        return .init()
    }

    func shutdownWorker(
        _ request: Temporal_Api_Workflowservice_V1_ShutdownWorkerRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ShutdownWorkerResponse {
        let namespace = try await namespace(request.namespace)
        let sticky = request.stickyTaskQueue.isEmpty ? nil : TaskQueueName(request.stickyTaskQueue)
        try await backend.shutdownWorker(
            namespace: namespace.id, stickyQueue: sticky, identity: request.identity,
            instanceKey: request.workerInstanceKey)
        if request.hasWorkerHeartbeat, var heartbeat = try? Self.heartbeat(request.workerHeartbeat) {
            heartbeat.status = .shutdown
            try await record(heartbeat, in: namespace.id)
        }
        return .init()
    }

    func listWorkers(
        _ request: Temporal_Api_Workflowservice_V1_ListWorkersRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListWorkersResponse {
        let after = String(decoding: request.nextPageToken, as: UTF8.self)
        let rest = try await workers(request.namespace, query: request.query).filter { $0.workerInstanceKey > after }
        let most = options.limits.visibilityPageMax
        let page = rest.prefix(request.pageSize > 0 ? min(Int(request.pageSize), most) : most)
        return .with {
            $0.workersInfo = page.map { worker in .with { $0.workerHeartbeat = worker } }
            $0.workers = page.map(Self.line)
            if page.count < rest.count, let last = page.last { $0.nextPageToken = Data(last.workerInstanceKey.utf8) }
        }
    }

    func countWorkers(
        _ request: Temporal_Api_Workflowservice_V1_CountWorkersRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_CountWorkersResponse {
        let count = try await workers(request.namespace, query: request.query).count
        return .with { $0.count = Int64(count) }
    }

    func describeWorker(
        _ request: Temporal_Api_Workflowservice_V1_DescribeWorkerRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeWorkerResponse {
        try checks.identifier(request.workerInstanceKey, "WorkerInstanceKey")
        let all = try await workers(request.namespace, query: "")
        guard let worker = all.first(where: { $0.workerInstanceKey == request.workerInstanceKey }) else {
            throw Rejection.notFound("worker \(request.workerInstanceKey) not found")
        }
        return .with { $0.workerInfo = .with { $0.workerHeartbeat = worker } }
    }

    // MARK: Parts

    private static func heartbeat(_ data: Data) throws(Rejection) -> WorkerHeartbeatMessage {
        guard let heartbeat = try? WorkerHeartbeatMessage(serializedBytes: data) else {
            throw .invalid("the worker heartbeat is not a valid message")
        }
        return heartbeat
    }

    private func record(_ heartbeat: WorkerHeartbeatMessage, in namespace: NamespaceID) async throws {
        try checks.identifier(heartbeat.workerInstanceKey, "WorkerInstanceKey")
        let bytes: [UInt8] = try heartbeat.serializedBytes()
        try checks.blobs(Data(bytes))
        try await backend.recordWorker(
            WorkerRecord(instanceKey: heartbeat.workerInstanceKey, heartbeat: Blob(bytes), receivedAt: now),
            in: namespace)
    }

    private func workers(_ namespaceName: String, query: String) async throws -> [WorkerHeartbeatMessage] {
        let namespace = try await namespace(namespaceName)
        let filter = try VisibilityParser.parse(query, attributes: Self.attributes).filter
        return try await backend.workers(in: namespace.id).compactMap { record in
            guard let worker = try? WorkerHeartbeatMessage(serializedBytes: record.heartbeat.bytes) else { return nil }
            return filter.map { Self.matches(worker, $0, namespace.id) } ?? true ? worker : nil
        }
    }

    /// What list queries can ask of a worker, beside its `TaskQueue` and `StartTime`.
    private static let attributes: [String: SearchAttributeType] = [
        "WorkerInstanceKey": .keyword, "WorkerIdentity": .keyword, "HostName": .keyword, "DeploymentName": .keyword,
        "BuildId": .keyword, "SdkName": .keyword, "SdkVersion": .keyword, "WorkerStatus": .keyword, "Status": .keyword,
        "HeartbeatTime": .datetime, "LastHeartbeatTime": .datetime,
    ]

    private static func matches(
        _ worker: WorkerHeartbeatMessage, _ filter: VisibilityFilter, _ namespace: NamespaceID
    ) -> Bool {
        let status = statusName(worker.status)
        let heard = SearchValue.Content.number(Timestamp(worker.heartbeatTime).nanoseconds)
        let texts = [
            ("WorkerInstanceKey", worker.workerInstanceKey), ("WorkerIdentity", worker.workerIdentity),
            ("HostName", worker.hostInfo.hostName), ("DeploymentName", worker.deploymentVersion.deploymentName),
            ("BuildId", worker.deploymentVersion.buildID), ("SdkName", worker.sdkName),
            ("SdkVersion", worker.sdkVersion), ("WorkerStatus", status), ("Status", status),
        ]
        var values = texts.map { SearchValue(name: $0.0, type: .keyword, content: .words([$0.1])) }
        values.append(SearchValue(name: "HeartbeatTime", type: .datetime, content: heard))
        values.append(SearchValue(name: "LastHeartbeatTime", type: .datetime, content: heard))
        let key = RunKey(namespace: namespace, workflow: "", run: "")
        let start = Timestamp(worker.startTime)
        let facts = RunSummary(
            key: key, firstRunID: "", workflowType: "", taskQueue: TaskQueueName(worker.taskQueue), status: .running,
            startTime: start, executionTime: start, closeTime: nil, historyLength: 0, historySizeBytes: 0,
            startRequestID: "", memo: nil, searchAttributes: nil)
        return filter.matches(facts, values) == true
    }

    private static func statusName(_ status: Temporal_Api_Enums_V1_WorkerStatus) -> String {
        switch status {
        case .running: "Running"
        case .shuttingDown: "ShuttingDown"
        case .shutdown: "Shutdown"
        case .unspecified, .UNRECOGNIZED: "Unspecified"
        }
    }

    private static func line(_ worker: WorkerHeartbeatMessage) -> Temporal_Api_Worker_V1_WorkerListInfo {
        .with {
            $0.workerInstanceKey = worker.workerInstanceKey
            $0.workerIdentity = worker.workerIdentity
            $0.taskQueue = worker.taskQueue
            if worker.hasDeploymentVersion { $0.deploymentVersion = worker.deploymentVersion }
            $0.sdkName = worker.sdkName
            $0.sdkVersion = worker.sdkVersion
            $0.status = worker.status
            if worker.hasStartTime { $0.startTime = worker.startTime }
            $0.hostName = worker.hostInfo.hostName
            $0.workerGroupingKey = worker.hostInfo.workerGroupingKey
            $0.processID = worker.hostInfo.processID
            $0.plugins = worker.plugins
            $0.drivers = worker.drivers
        }
    }
}
