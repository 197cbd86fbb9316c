import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Options of an open run, and what is told a new run after a reset (protocol.md 5.10).
extension WireService {
    func updateWorkflowExecutionOptions(
        _ request: Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionOptionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionOptionsResponse {
        let target = try await target(
            request.namespace, request.workflowExecution, isSet: request.hasWorkflowExecution)
        try checks.length(request.identity, "Identity")
        let mask = request.hasUpdateMask ? request.updateMask.paths : []
        let change = try RunOptionsMask.change(request.workflowExecutionOptions, paths: mask, checks)
        let options = try await backend.updateOptions(of: target, change, identity: request.identity)
        return .with {
            $0.workflowExecutionOptions = .init(options)
            $0.updateTime = Google_Protobuf_Timestamp(now)
        }
    }

    /// What a reset tells the new run after everything else.
    func operations(
        _ list: [Temporal_Api_Workflow_V1_PostResetOperation], identity: String
    ) throws(Rejection) -> [PostResetOperation] {
        var operations: [PostResetOperation] = []
        for operation in list {
            switch operation.variant {
            case .signalWorkflow(let signal)?:
                try checks.identifier(signal.signalName, "SignalName")
                try checks.blobs(signal.input, signal.header)
                operations.append(
                    .signal(
                        WorkflowExecutionSignaled(
                            signalName: signal.signalName, input: Blob(signal.input, isSet: signal.hasInput),
                            header: Blob(signal.header, isSet: signal.hasHeader), identity: identity)))
            case .updateWorkflowOptions(let update)?:
                let mask = update.hasUpdateMask ? update.updateMask.paths : []
                operations.append(
                    .updateOptions(try RunOptionsMask.change(update.workflowExecutionOptions, paths: mask, checks)))
            case nil: throw .invalid("PostResetOperations: an operation without a kind.")
            }
        }
        return operations
    }
}

/// Which options of a run a request changes, by the paths of its field mask.
enum RunOptionsMask {
    static func change(
        _ options: Temporal_Api_Workflow_V1_WorkflowExecutionOptions, paths: [String], _ checks: RequestChecks
    ) throws(Rejection) -> RunOptionsChange {
        guard !paths.isEmpty else { throw .invalid("UpdateMask is not set on request.") }
        var change = RunOptionsChange()
        for path in paths {
            switch path.filter({ $0 != "_" }).lowercased() {
            case "versioningoverride":
                guard options.hasVersioningOverride, !options.versioningOverride.isEmpty else {
                    change.versioningOverride = .unset
                    continue
                }
                change.versioningOverride = .set(try checks.versioningOverride(options.versioningOverride))
            case let part where part == "priority" || part.hasPrefix("priority."):
                guard change.priority.take(part, of: options.priority) else { throw unknown(path) }
                try checks.priority(options.priority)
            case "timeskippingconfig": throw Rejection(.unimplemented, "time skipping is not served: \(path)")
            default: throw unknown(path)
            }
        }
        return change
    }

    private static func unknown(_ path: String) -> Rejection { .invalid("UpdateMask: '\(path)' cannot be updated.") }
}

extension PriorityChange {
    /// Takes what `path` of a field mask means; false when it means nothing of a priority.
    mutating func take(_ path: String, of priority: Temporal_Api_Common_V1_Priority) -> Bool {
        let parts = ["priority.prioritykey", "priority.fairnesskey", "priority.fairnessweight"]
        guard path == "priority" || parts.contains(path) else { return false }
        if path == "priority" || path == parts[0] { key = priority.priorityKey }
        if path == "priority" || path == parts[1] { fairnessKey = priority.fairnessKey }
        if path == "priority" || path == parts[2] { fairnessWeight = priority.fairnessWeight }
        return true
    }
}

extension RequestChecks {
    /// No worker of a deployment ever polls here (docs/compatibility.md): a run cannot be pinned to a version of one.
    func versioningOverride(_ bytes: Data) throws(Rejection) -> Blob {
        let override: Temporal_Api_Workflow_V1_VersioningOverride
        do {
            override = try Temporal_Api_Workflow_V1_VersioningOverride(serializedBytes: bytes)
        } catch {
            throw .invalid("VersioningOverride cannot be read.")
        }
        switch override.override {
        case .autoUpgrade(true)?: return Blob(bytes)
        case .pinned(let pinned)?: throw .noSuchVersion(pinned.version)
        case .oneTime(let once)?: throw .noSuchVersion(once.targetDeploymentVersion)
        case .autoUpgrade(false)?, nil: break
        }
        switch override.behavior {
        case .autoUpgrade: return Blob(bytes)
        case .pinned: throw .noSuchVersion(named: override.pinnedVersion)
        case .unspecified, .UNRECOGNIZED: throw .invalid("VersioningOverride: no override is set.")
        }
    }
}

extension Rejection {
    fileprivate static func noSuchVersion(_ version: Temporal_Api_Deployment_V1_WorkerDeploymentVersion) -> Rejection {
        noSuchVersion(named: "\(version.deploymentName):\(version.buildID)")
    }

    fileprivate static func noSuchVersion(named version: String) -> Rejection {
        Rejection(.failedPrecondition, "Pinned version '\(version)' is not present in any task queue.")
    }
}

extension Temporal_Api_Workflow_V1_WorkflowExecutionOptions {
    init(_ options: RunOptions) {
        self.init()
        if let override = options.versioningOverride { versioningOverride = override.data }
        if let priority = options.priority { self.priority = Temporal_Api_Common_V1_Priority(priority) }
    }
}
