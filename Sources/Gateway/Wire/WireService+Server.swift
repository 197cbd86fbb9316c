import SwiftProtobuf
import TemporalAPI

/// What the server says about itself. Only what works is advertised; every absent flag is safe.
extension WireService {
    func getSystemInfo(
        _ request: Temporal_Api_Workflowservice_V1_GetSystemInfoRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_GetSystemInfoResponse {
        .with {
            $0.serverVersion = options.serverVersion
            $0.capabilities = .with {
                $0.signalAndQueryHeader = true
                $0.internalErrorDifferentiation = true
                $0.activityFailureIncludeHeartbeat = true
                $0.encodedFailureAttributes = true
                $0.buildIDBasedVersioning = true
                $0.supportsSchedules = true
                $0.upsertMemo = true
                $0.eagerWorkflowStart = true
                $0.sdkMetadata = true
                $0.countGroupByExecutionStatus = true
            }
        }
    }

    func getClusterInfo(
        _ request: Temporal_Api_Workflowservice_V1_GetClusterInfoRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_GetClusterInfoResponse {
        .with {
            $0.serverVersion = options.serverVersion
            $0.clusterID = options.clusterID
            $0.clusterName = options.clusterName
            $0.historyShardCount = 1
            $0.persistenceStore = "postgres"
            $0.visibilityStore = "postgres"
            $0.supportedClients = [
                "temporal-cli": "<2.0.0", "temporal-dotnet": "<2.0.0", "temporal-go": "<2.0.0",
                "temporal-java": "<2.0.0",
                "temporal-php": "<3.0.0", "temporal-python": "<2.0.0", "temporal-ruby": "<2.0.0",
                "temporal-server": "<2.0.0",
                "temporal-typescript": "<2.0.0", "temporal-ui": "<3.0.0",
            ]
        }
    }

    func getSearchAttributes(
        _ request: Temporal_Api_Workflowservice_V1_GetSearchAttributesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_GetSearchAttributesResponse {
        .with { for (name, type) in SystemAttributes.types { $0.keys[name] = .init(type) } }
    }
}
