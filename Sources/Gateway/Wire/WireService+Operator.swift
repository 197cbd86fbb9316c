import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// The OperatorService: search attributes and namespaces that go.
extension WireService {
    /// Names longer than this do not fit beside their values into an index.
    private static let attributeNameBytesMax = 255
    private static let attributesMax = 200

    func addSearchAttributes(
        _ request: Temporal_Api_Operatorservice_V1_AddSearchAttributesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Operatorservice_V1_AddSearchAttributesResponse {
        if request.searchAttributes.isEmpty { throw Rejection.invalid("SearchAttributes are not set on request.") }
        let namespace = try await backend.refreshedNamespace(namespace(request.namespace).id)
        var added: [String: SearchAttributeType] = [:]
        for (name, wireType) in request.searchAttributes.sorted(by: { $0.key < $1.key }) {
            try checks.text(name, "Search attribute")
            if name.isEmpty || name.utf8.count > Self.attributeNameBytesMax {
                throw Rejection.invalid(
                    "Search attribute name length must be between 1 and \(Self.attributeNameBytesMax).")
            }
            if SystemAttributes.isReserved(name) {
                throw Rejection.invalid("Search attribute \(name) is reserved by system.")
            }
            guard let type = SearchAttributeType(wireType) else {
                throw Rejection.invalid("Unknown search attribute type: \(wireType.rawValue).")
            }
            // One that exists stays as it is, whatever its type.
            if namespace.searchAttributes[name] == nil { added[name] = type }
        }
        if namespace.searchAttributes.count + added.count > Self.attributesMax {
            throw Rejection.invalid("cannot have more than \(Self.attributesMax) search attributes.")
        }
        if !added.isEmpty { try await backend.addSearchAttributes(added, to: namespace.id) }
        return .init()
    }

    func removeSearchAttributes(
        _ request: Temporal_Api_Operatorservice_V1_RemoveSearchAttributesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Operatorservice_V1_RemoveSearchAttributesResponse {
        if request.searchAttributes.isEmpty { throw Rejection.invalid("SearchAttributes are not set on request.") }
        let namespace = try await backend.refreshedNamespace(namespace(request.namespace).id)
        for name in request.searchAttributes {
            if SystemAttributes.isReserved(name) {
                throw Rejection.invalid("Unable to remove non-custom search attributes: \(name).")
            }
            guard namespace.searchAttributes[name] != nil else {
                throw Rejection.notFound("Search attribute \(name) doesn't exist.")
            }
        }
        try await backend.removeSearchAttributes(request.searchAttributes, from: namespace.id)
        return .init()
    }

    func listSearchAttributes(
        _ request: Temporal_Api_Operatorservice_V1_ListSearchAttributesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Operatorservice_V1_ListSearchAttributesResponse {
        let namespace = try await backend.refreshedNamespace(namespace(request.namespace).id)
        return .with {
            for (name, type) in namespace.searchAttributes { $0.customAttributes[name] = .init(type) }
            for (name, type) in SystemAttributes.types { $0.systemAttributes[name] = .init(type) }
            for (name, type) in SystemAttributes.types { $0.storageSchema[name] = type.name.lowercased() }
            for (name, type) in namespace.searchAttributes { $0.storageSchema[name] = type.name.lowercased() }
        }
    }

    /// The name is free at once; the runs go in the background.
    func deleteNamespace(
        _ request: Temporal_Api_Operatorservice_V1_DeleteNamespaceRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Operatorservice_V1_DeleteNamespaceResponse {
        if request.hasNamespaceDeleteDelay, TimeSpan(request.namespaceDeleteDelay).isPositive {
            throw Rejection(.unimplemented, "namespace_delete_delay is not implemented")
        }
        let named = request.namespace.isEmpty ? request.namespaceID : request.namespace
        var namespace = try await namespace(named)
        if namespace.name == Self.systemNamespace || namespace.state == Namespace.deleted {
            throw Rejection(.failedPrecondition, "unable to delete namespace \(namespace.name)")
        }
        namespace.state = Namespace.deleted
        namespace.name = "\(namespace.name)-deleted-\(namespace.id.value.prefix(5))"
        try await backend.updateNamespace(namespace)
        return .with { $0.deletedNamespace = namespace.name }
    }

    private static let systemNamespace = "temporal-system"
}
