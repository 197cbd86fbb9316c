import History
import Synchronization

/// The namespaces in memory; every request asks for one.
///
/// What another node registers or changes is found when it is first asked for, and after ``staleAfter`` at the latest.
final class NamespaceDirectory: Sendable {
    private static let staleAfter = TimeSpan.seconds(10)

    private struct State {
        var known: [String: Namespace] = [:]
        var readAt: Timestamp?
    }

    private let store: any NamespaceStore
    private let clock: any RuntimeClock
    private let state = Mutex(State())

    init(store: any NamespaceStore, clock: any RuntimeClock) {
        self.store = store
        self.clock = clock
    }

    /// By name, or by id. A deleted one has only its id.
    func namespace(_ nameOrID: String) async throws -> Namespace {
        if nameOrID.isEmpty { throw Rejection.invalid("Namespace is empty.") }
        let now = clock.monotonic()
        let (remembered, isStale) = state.withLock { state in
            let isStale = state.readAt.map { Self.staleAfter < now.since($0) } ?? true
            // One request reads the list again, the others go on with what is known.
            if isStale, state.known[nameOrID] != nil { state.readAt = now }
            return (state.known[nameOrID], isStale)
        }
        if let remembered, !isStale { return remembered }
        do {
            _ = try await all()
        } catch {
            guard let remembered else { throw error }
            return remembered
        }
        guard let found = state.withLock({ $0.known[nameOrID] }) else {
            throw Rejection(.namespaceNotFound(name: nameOrID), "Namespace \(nameOrID) is not found.")
        }
        return found
    }

    /// As it is stored now.
    func fresh(_ id: NamespaceID) async throws -> Namespace {
        _ = try await all()
        return try await namespace(id.value)
    }

    func all() async throws -> [Namespace] {
        let now = clock.monotonic()
        let list = try await store.namespaces()
        state.withLock { state in
            state.readAt = now
            state.known = [:]
            for namespace in list {
                state.known[namespace.id.value] = namespace
                if namespace.state != Namespace.deleted { state.known[namespace.name] = namespace }
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
        _ = try await all()
    }

    func update(_ namespace: Namespace) async throws {
        try await store.updateNamespace(namespace)
        _ = try await all()
    }
}
