import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Task queues as tools look at them.
extension WireService {
    /// What a poller without a limit of its own could have.
    private static let rateUnlimited = 100_000.0

    func describeTaskQueue(
        _ request: Temporal_Api_Workflowservice_V1_DescribeTaskQueueRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeTaskQueueResponse {
        let namespace = try await namespace(request.namespace)
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue).name
        if request.apiMode == .enhanced { return try await describeByVersion(request, queue, in: namespace.id) }
        let kind: TaskKind = request.taskQueueType == .activity ? .activity : .workflow
        let described = try await backend.describeTaskQueue(namespace: namespace.id, queue: queue, kind: kind)
        return .with {
            $0.pollers = Self.pollers(described)
            if request.includeTaskQueueStatus {
                $0.taskQueueStatus = .with {
                    $0.backlogCountHint = Int64(described.backlogCount)
                    $0.ratePerSecond = described.rateLimit ?? Self.rateUnlimited
                }
            }
            if request.reportStats {
                $0.stats = Self.stats(described)
                for backlog in described.byPriority {
                    $0.statsByPriorityKey[backlog.priority] = .with {
                        $0.approximateBacklogCount = Int64(backlog.count)
                        $0.approximateBacklogAge = Google_Protobuf_Duration(backlog.oldestTaskAge)
                    }
                }
            }
            if request.reportConfig, let limit = described.rateLimit {
                $0.effectiveRateLimit = .with {
                    $0.requestsPerSecond = Float(limit)
                    $0.rateLimitSource = .worker
                }
            }
        }
    }

    /// The older form: by build id, of which there is only "none" here, and by type.
    private func describeByVersion(
        _ request: Temporal_Api_Workflowservice_V1_DescribeTaskQueueRequest, _ queue: TaskQueueName,
        in namespace: NamespaceID
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeTaskQueueResponse {
        var types = request.taskQueueTypes.isEmpty ? [.workflow, .activity] : request.taskQueueTypes
        types.removeAll { $0 != .workflow && $0 != .activity }
        var infos: [Int32: Temporal_Api_Taskqueue_V1_TaskQueueTypeInfo] = [:]
        for type in types {
            let described = try await backend.describeTaskQueue(
                namespace: namespace, queue: queue, kind: type == .activity ? .activity : .workflow)
            infos[Int32(type.rawValue)] = .with {
                if request.reportPollers { $0.pollers = Self.pollers(described) }
                if request.reportStats { $0.stats = Self.stats(described) }
            }
        }
        return .with { response in
            response.versionsInfo[""] = .with {
                $0.typesInfo = infos
                if request.reportTaskReachability { $0.taskReachability = .reachable }
            }
        }
    }

    func listTaskQueuePartitions(
        _ request: Temporal_Api_Workflowservice_V1_ListTaskQueuePartitionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListTaskQueuePartitionsResponse {
        _ = try await namespace(request.namespace)
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue)
        // A queue is one line here.
        let only = Temporal_Api_Taskqueue_V1_TaskQueuePartitionMetadata.with {
            $0.key = queue.name.value
            $0.ownerHostName = options.clusterID
        }
        return .with {
            $0.activityTaskQueuePartitions = [only]
            $0.workflowTaskQueuePartitions = [only]
        }
    }

    private static func pollers(_ described: TaskQueueDescription) -> [Temporal_Api_Taskqueue_V1_PollerInfo] {
        described.pollers.map { poller in
            .with {
                $0.identity = poller.identity
                $0.lastAccessTime = Google_Protobuf_Timestamp(poller.lastAccess)
                $0.ratePerSecond = described.rateLimit ?? rateUnlimited
            }
        }
    }

    private static func stats(_ described: TaskQueueDescription) -> Temporal_Api_Taskqueue_V1_TaskQueueStats {
        .with {
            $0.approximateBacklogCount = Int64(described.backlogCount)
            $0.approximateBacklogAge = Google_Protobuf_Duration(described.oldestTaskAge)
            $0.tasksAddRate = Float(described.tasksAddRate)
            $0.tasksDispatchRate = Float(described.tasksDispatchRate)
        }
    }
}
