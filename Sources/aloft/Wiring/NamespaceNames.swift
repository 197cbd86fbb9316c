import History
import Runtime
import Synchronization

/// Names of namespaces by id, for the feed's subjects; learned at the start and when one is missing.
final class NamespaceNames: Sendable {
    private let store: any NamespaceStore
    private let known = Mutex<[NamespaceID: String]>([:])

    init(store: any NamespaceStore) { self.store = store }

    func load() async throws {
        let all = try await store.namespaces()
        known.withLock { known in for namespace in all { known[namespace.id] = namespace.name } }
    }

    /// The id stands in for a name that is not known yet (a namespace that was just registered); the name is fetched meanwhile.
    func name(of id: NamespaceID) -> String {
        if let name = known.withLock({ $0[id] }) { return name }
        Task { try? await self.load() }
        return id.value
    }
}
