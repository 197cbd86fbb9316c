public import History

public struct Namespace: Sendable, Hashable {
    public var id: NamespaceID
    public var name: String
    public var description: String
    public var ownerEmail: String
    public var data: [NamedBlob]
    public var retention: TimeSpan
    /// 1 registered, 2 deprecated, 3 deleted (temporal.api.enums.v1.NamespaceState).
    public var state: Int32
    /// The search attributes defined in it, beside those that exist everywhere.
    public var searchAttributes: [String: SearchAttributeType]
    public init(
        id: NamespaceID, name: String, description: String = "", ownerEmail: String = "", data: [NamedBlob] = [],
        retention: TimeSpan, state: Int32 = 1, searchAttributes: [String: SearchAttributeType] = [:]
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.ownerEmail = ownerEmail
        self.data = data
        self.retention = retention
        self.state = state
        self.searchAttributes = searchAttributes
    }

    public static let registered: Int32 = 1
    public static let deprecated: Int32 = 2
    /// Its runs are being removed; only its id is known any more.
    public static let deleted: Int32 = 3
}

public protocol NamespaceStore: Sendable {
    /// - Throws: ``StoreError/alreadyExists(_:)`` when the name is taken.
    func insertNamespace(_ namespace: Namespace) async throws(StoreError)
    /// Everything but the search attributes.
    func updateNamespace(_ namespace: Namespace) async throws(StoreError)
    func namespaces() async throws(StoreError) -> [Namespace]
    /// Defines search attributes; those that exist stay as they are.
    func addSearchAttributes(_ attributes: [String: SearchAttributeType], to namespace: NamespaceID)
        async throws(StoreError)
    func removeSearchAttributes(_ names: [String], from namespace: NamespaceID) async throws(StoreError)
    /// Removes a deleted namespace that has no runs left; otherwise nothing happens.
    func removeEmptyNamespace(_ namespace: NamespaceID) async throws(StoreError)
}
