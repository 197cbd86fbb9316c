import History
import Synchronization

/// The namespaces in memory; every request asks for one.
///
/// What another node registers is found when it is first asked for; what it changes, when this node reads the list again.
final class NamespaceDirectory: Sendable {
    private let store: any NamespaceStore
    private let known = Mutex<[String: Namespace]>([:])

    init(store: any NamespaceStore) { self.store = store }

    /// By name, or by id.
    func namespace(_ nameOrID: String) async throws -> Namespace {
        if nameOrID.isEmpty { throw Rejection.invalid("Namespace is empty.") }
        if let found = known.withLock({ $0[nameOrID] }) { return found }
        _ = try await all()
        guard let found = known.withLock({ $0[nameOrID] }) else {
            throw Rejection(.namespaceNotFound(name: nameOrID), "Namespace \(nameOrID) is not found.")
        }
        return found
    }

    func all() async throws -> [Namespace] {
        let list = try await store.namespaces()
        known.withLock { known in
            known = [:]
            for namespace in list {
                known[namespace.id.value] = namespace
                known[namespace.name] = namespace
            }
        }
        return list
    }

    func register(_ namespace: Namespace) async throws {
        do {
            try await store.insertNamespace(namespace)
        } catch .alreadyExists {
            throw Rejection(.namespaceAlreadyExists, "Namespace \"\(namespace.name)\" already exists")
        }
        remember(namespace)
    }

    func update(_ namespace: Namespace) async throws {
        try await store.updateNamespace(namespace)
        remember(namespace)
    }

    private func remember(_ namespace: Namespace) {
        known.withLock { known in
            known[namespace.id.value] = namespace
            known[namespace.name] = namespace
        }
    }
}
