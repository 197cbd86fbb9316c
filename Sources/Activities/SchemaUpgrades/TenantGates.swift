import Synchronization

/// The breakers in front of the tenants' databases, one each, as a worker process holds them.
final class TenantGates: Sendable {
    private let gates = Mutex<[String: PeerGate]>([:])

    /// Five failures, then thirty seconds of rest.
    private static let breaker = {
        var settings = CircuitBreaker.Settings()
        settings.window = 5
        settings.failuresPercentMax = 100
        settings.rampFor = .zero
        return settings
    }()

    subscript(tenant: String) -> PeerGate {
        self.gates.withLock { gates in
            if let gate = gates[tenant] { return gate }
            let gate = PeerGate(name: "the database of \(tenant)", breaker: Self.breaker, wait: .seconds(10))
            gates[tenant] = gate
            return gate
        }
    }
}

/// The migration sets a worker used last.
final class SetCache: Sendable {
    private let sets = Mutex<[MigrationSet]>([])
    private static let countMax = 4

    subscript(sha256: String) -> MigrationSet? {
        self.sets.withLock { sets in sets.first { $0.sha256 == sha256 } }
    }

    func keep(_ set: MigrationSet) {
        self.sets.withLock { sets in
            sets.append(set)
            if sets.count > Self.countMax { sets.removeFirst() }
        }
    }
}
