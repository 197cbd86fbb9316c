import FoundationEssentials
import History
import TemporalAPI
import TemporalCodec

/// Fields that ask for something this server does not do. Each is refused by its name: a client that is not told would
/// wait for what never comes.
extension RequestChecks {
    /// A link is small: what it names is somewhere else.
    private static let linksMax = 10
    private static let linkBytesMax = 4000

    func isServed(_ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest) throws(Rejection) {
        try callbacks(request.completionCallbacks)
        if request.hasTimeSkippingConfig, !request.timeSkippingConfig.isEmpty {
            throw notServed("time_skipping_config")
        }
    }

    /// No address may be called, as on a server that nobody configured for callbacks.
    func callbacks(_ callbacks: [Data]) throws(Rejection) {
        guard callbacks.isEmpty else {
            throw .invalid("completion_callbacks: no address is configured that this server may call.")
        }
    }

    func links(_ links: [Data]) throws(Rejection) -> [Blob] {
        if links.count > Self.linksMax { throw .invalid("cannot attach more than \(Self.linksMax) links per request.") }
        for link in links where link.count > Self.linkBytesMax {
            throw .invalid("link exceeds allowed size of \(Self.linkBytesMax).")
        }
        return links.map { Blob($0) }
    }

    func isServed(
        _ request: Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest, cluster: String
    ) throws(Rejection) {
        if request.isGlobalNamespace { throw .invalid("is_global_namespace: there is one cluster only.") }
        try isOnly(cluster, active: request.activeClusterName, all: request.clusters.map(\.clusterName))
        try archival(history: request.historyArchivalState, visibility: request.visibilityArchivalState)
    }

    func isServed(
        _ request: Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest, cluster: String
    ) throws(Rejection) {
        if request.promoteNamespace { throw .invalid("promote_namespace: there is one cluster only.") }
        if !request.deleteBadBinary.isEmpty { throw notServed("delete_bad_binary") }
        let replication = request.replicationConfig
        try isOnly(cluster, active: replication.activeClusterName, all: replication.clusters.map(\.clusterName))
        guard request.hasConfig else { return }
        if !request.config.badBinaries.binaries.isEmpty { throw notServed("bad_binaries") }
        if !request.config.customSearchAttributeAliases.isEmpty { throw notServed("custom_search_attribute_aliases") }
        try archival(history: request.config.historyArchivalState, visibility: request.config.visibilityArchivalState)
    }

    private func isOnly(_ cluster: String, active: String, all: [String]) throws(Rejection) {
        if !active.isEmpty, active != cluster { throw .invalid("active_cluster_name: there is no cluster \(active).") }
        for name in all where name != cluster { throw .invalid("clusters: there is no cluster \(name).") }
    }

    private func archival(
        history: Temporal_Api_Enums_V1_ArchivalState, visibility: Temporal_Api_Enums_V1_ArchivalState
    ) throws(Rejection) {
        if history == .enabled { throw .invalid("history_archival_state: nothing can be archived here.") }
        if visibility == .enabled { throw .invalid("visibility_archival_state: nothing can be archived here.") }
    }

    private func notServed(_ field: String) -> Rejection { Rejection(.unimplemented, "\(field) is not implemented") }
}
