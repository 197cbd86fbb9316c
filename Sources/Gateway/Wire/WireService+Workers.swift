import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Workers that come, live and go.
extension WireService {
    /// Accepted and forgotten: nothing depends on it yet.
    func recordWorkerHeartbeat(
        _ request: Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatResponse {
        _ = try await namespace(request.namespace)
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
        return .init()
    }

    func describeTaskQueue(
        _ request: Temporal_Api_Workflowservice_V1_DescribeTaskQueueRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeTaskQueueResponse {
        let namespace = try await namespace(request.namespace)
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue)
        let kind: TaskKind = request.taskQueueType == .activity ? .activity : .workflow
        let described = try await backend.describeTaskQueue(namespace: namespace.id, queue: queue.name, kind: kind)
        return .with {
            $0.pollers = described.pollers.map { poller in
                .with {
                    $0.identity = poller.identity
                    $0.lastAccessTime = Google_Protobuf_Timestamp(poller.lastAccess)
                    $0.ratePerSecond = 100_000
                }
            }
            if request.includeTaskQueueStatus {
                $0.taskQueueStatus = .with { $0.backlogCountHint = Int64(described.backlogCount) }
            }
            if request.reportStats {
                $0.stats = .with {
                    $0.approximateBacklogCount = Int64(described.backlogCount)
                    $0.approximateBacklogAge = Google_Protobuf_Duration(described.oldestTaskAge)
                }
            }
        }
    }
}
