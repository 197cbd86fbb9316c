import SwiftProtobuf
import TemporalAPI

/// Which version of which deployment a worker is, so that the server can send each run to the version it belongs to.
public struct WorkerDeployment: Hashable, Sendable {
    /// The deployment: what is deployed together, in every version.
    public var name: String
    /// The version.
    public var buildID: String
    /// Whether the server routes by version; otherwise the version is only recorded.
    public var isVersioned: Bool
    /// For workflows that do not say it themselves.
    public var defaultBehavior: VersioningBehavior

    public init(
        name: String, buildID: String, isVersioned: Bool = false, defaultBehavior: VersioningBehavior = .unspecified
    ) {
        self.name = name
        self.buildID = buildID
        self.isVersioned = isVersioned
        self.defaultBehavior = defaultBehavior
    }

    var message: Temporal_Api_Deployment_V1_WorkerDeploymentOptions {
        .with {
            $0.deploymentName = name
            $0.buildID = buildID
            $0.workerVersioningMode = isVersioned ? .versioned : .unversioned
        }
    }
}
