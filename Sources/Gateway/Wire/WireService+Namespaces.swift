import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

extension WireService {
    func registerNamespace(
        _ request: Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_RegisterNamespaceResponse {
        try checks.identifier(request.namespace, "Namespace")
        try checkTexts(description: request.description_p, owner: request.ownerEmail, data: request.data)
        try checks.isServed(request, cluster: options.clusterName)
        guard request.hasWorkflowExecutionRetentionPeriod else {
            throw Rejection.invalid("A valid retention period is not set on request.")
        }
        let retention = try retention(request.workflowExecutionRetentionPeriod)
        let namespace = Namespace(
            id: NamespaceID(UUIDs.random()), name: request.namespace, description: request.description_p,
            ownerEmail: request.ownerEmail, data: Self.data(request.data), retention: retention)
        do {
            try await backend.registerNamespace(namespace)
        } catch StoreError.alreadyExists {
            throw Rejection(.namespaceAlreadyExists, "Namespace \"\(request.namespace)\" already exists")
        }
        return .init()
    }

    func describeNamespace(
        _ request: Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse {
        let named = request.namespace.isEmpty ? request.id : request.namespace
        return description(of: try await namespace(named))
    }

    func listNamespaces(
        _ request: Temporal_Api_Workflowservice_V1_ListNamespacesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListNamespacesResponse {
        let known = try await backend.listNamespaces()
        let all = known.filter { request.namespaceFilter.includeDeleted || $0.state != Namespace.deleted }
            .sorted { $0.name < $1.name }
        let after = String(decoding: request.nextPageToken, as: UTF8.self)
        let rest = all.drop { !after.isEmpty && $0.name <= after }
        let size = request.pageSize > 0 ? Int(request.pageSize) : Self.namespacePageSize
        let page = rest.prefix(size)
        return .with {
            $0.namespaces = page.map(description(of:))
            if page.count < rest.count, let last = page.last { $0.nextPageToken = .init(last.name.utf8) }
        }
    }

    func updateNamespace(
        _ request: Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_UpdateNamespaceResponse {
        var namespace = try await namespace(request.namespace)
        try checks.isServed(request, cluster: options.clusterName)
        if request.hasUpdateInfo {
            let info = request.updateInfo
            try checkTexts(description: info.description_p, owner: info.ownerEmail, data: info.data)
            if !info.description_p.isEmpty { namespace.description = info.description_p }
            if !info.ownerEmail.isEmpty { namespace.ownerEmail = info.ownerEmail }
            if !info.data.isEmpty {
                var data = Dictionary(namespace.data.map { ($0.name, Self.text($0.value)) }) { $1 }
                data.merge(info.data) { $1 }
                namespace.data = Self.data(data)
            }
            if info.state != .unspecified { namespace.state = try state(info.state, after: namespace.state) }
        }
        if request.hasConfig, request.config.hasWorkflowExecutionRetentionTtl {
            namespace.retention = try retention(request.config.workflowExecutionRetentionTtl)
        }
        try await backend.updateNamespace(namespace)
        let described = description(of: namespace)
        return .with {
            $0.namespaceInfo = described.namespaceInfo
            $0.config = described.config
            $0.replicationConfig = described.replicationConfig
        }
    }

    /// A namespace only goes towards its end.
    private func state(
        _ state: Temporal_Api_Enums_V1_NamespaceState, after before: Int32
    ) throws(Rejection) -> Int32 {
        let number = Int32(state.rawValue)
        guard number == before || (before == Namespace.registered && number == Namespace.deprecated) else {
            throw .invalid("Invalid namespace state transition from \(before) to \(number).")
        }
        return number
    }

    func deprecateNamespace(
        _ request: Temporal_Api_Workflowservice_V1_DeprecateNamespaceRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_DeprecateNamespaceResponse {
        var namespace = try await namespace(request.namespace)
        namespace.state = Namespace.deprecated
        try await backend.updateNamespace(namespace)
        return .init()
    }

    /// - Throws: FAILED_PRECONDITION when the namespace takes no new runs any more.
    func checkTakesStarts(_ namespace: Namespace) throws(Rejection) {
        guard namespace.state != Namespace.registered else { return }
        let name = namespace.state == Namespace.deprecated ? "Deprecated" : "Deleted"
        throw Rejection(
            .namespaceInvalidState(name: namespace.name, state: namespace.state, allowed: [Namespace.registered]),
            "Namespace has invalid state: \(name). Must be Registered.")
    }

    private static func text(_ value: Blob) -> String { String(decoding: value.bytes, as: UTF8.self) }

    private func checkTexts(description: String, owner: String, data: [String: String]) throws(Rejection) {
        try checks.text(description, "Description")
        try checks.text(owner, "OwnerEmail")
        for name in data.keys.sorted() { try checks.text(name, "Data") }
    }

    private static let namespacePageSize = 100

    private static func data(_ values: [String: String]) -> [NamedBlob] {
        values.keys.sorted().map { NamedBlob($0, Blob([UInt8]((values[$0] ?? "").utf8))) }
    }

    private func retention(_ duration: Google_Protobuf_Duration) throws(Rejection) -> TimeSpan {
        let span = TimeSpan(duration)
        if span < options.retentionMin {
            throw .invalid("A minimum retention of \(options.retentionMin) is required, got \(span).")
        }
        return span
    }

    private func description(of namespace: Namespace) -> Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse {
        .with {
            $0.namespaceInfo = .with {
                $0.name = namespace.name
                $0.id = namespace.id.value
                $0.state = .init(rawValue: Int(namespace.state)) ?? .registered
                $0.supportsSchedules = true
                $0.description_p = namespace.description
                $0.ownerEmail = namespace.ownerEmail
                for entry in namespace.data { $0.data[entry.name] = Self.text(entry.value) }
                $0.capabilities = .with {
                    $0.eagerWorkflowStart = true
                    $0.syncUpdate = true
                    $0.asyncUpdate = true
                    $0.workerHeartbeats = true
                    $0.workerPollCompleteOnShutdown = true
                }
                $0.limits = .with {
                    $0.blobSizeLimitError = Int64(options.limits.blobBytesMax)
                    $0.memoSizeLimitError = Int64(options.limits.memoBytesMax)
                }
            }
            $0.config = .with {
                $0.workflowExecutionRetentionTtl = Google_Protobuf_Duration(namespace.retention)
                $0.badBinaries = .init()
                $0.historyArchivalState = .disabled
                $0.visibilityArchivalState = .disabled
            }
            $0.replicationConfig = .with {
                $0.activeClusterName = options.clusterName
                $0.clusters = [.with { $0.clusterName = options.clusterName }]
                $0.state = .normal
            }
        }
    }
}
