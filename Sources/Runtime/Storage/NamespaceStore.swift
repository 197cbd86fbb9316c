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
    public init(
        id: NamespaceID, name: String, description: String = "", ownerEmail: String = "", data: [NamedBlob] = [],
        retention: TimeSpan, state: Int32 = 1
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.ownerEmail = ownerEmail
        self.data = data
        self.retention = retention
        self.state = state
    }
}

public protocol NamespaceStore: Sendable {
    /// - Throws: ``StoreError/alreadyExists(_:)`` when the name is taken.
    func insertNamespace(_ namespace: Namespace) async throws(StoreError)
    func updateNamespace(_ namespace: Namespace) async throws(StoreError)
    func namespaces() async throws(StoreError) -> [Namespace]
}
