/// What every step on a tenant is told.
public struct TenantStep: Codable, Hashable, Sendable {
    /// The upgrade's operation id.
    public var upgrade: String
    public var service: String
    public var tenant: String
    public var migrationSet: String
    public var target: MigrationVersion
    public var pass: UpgradePass
    public var strategy: UpgradeStrategy
    /// Which try of the tenant in this upgrade; part of the keys of its effects.
    public var generation: Int
    /// From the lease; 0 before it is taken.
    public var fence: Int64 = 0
    public var lockTimeoutMilliseconds: Int
    public var statementTimeoutSeconds: Double
    /// The migration that the step is about.
    public var version: MigrationVersion?

    public init(_ request: UpgradeRequest, upgrade: String, tenant: String, pass: UpgradePass, generation: Int = 0) {
        self.upgrade = upgrade
        self.service = request.service
        self.tenant = tenant
        self.migrationSet = request.migrationSet
        self.target = request.targetVersion
        self.pass = pass
        self.strategy = request.strategy
        self.generation = generation
        self.lockTimeoutMilliseconds = request.lockTimeoutMilliseconds
        self.statementTimeoutSeconds = request.tenantTimeoutSeconds
    }

    public func at(_ version: MigrationVersion) -> TenantStep {
        var step = self
        step.version = version
        return step
    }

    /// The key of one effect. The upgrade is in it: the workflow id is the same for every upgrade of the tenant.
    func op(_ name: String) -> OperationID {
        let place = [String(self.upgrade.suffix(12)), self.version?.description].compactMap(\.self)
        return OperationID(
            workflow: "mig:\(self.service):\(self.tenant)", step: name, index: place.joined(separator: "/"),
            generation: self.generation)
    }

    /// Who holds the tenant's lease.
    var holder: String { "mig:\(self.service):\(self.tenant)#\(self.upgrade)" }
}

public struct ResolvedTenant: Codable, Hashable, Sendable {
    /// The cluster that the tenant's database is in: names the task queue of its steps.
    public var cluster: String
    public var schemaVersion: MigrationVersion?
    public var serverVersion: Int
    public var databaseBytes: Int64

    public init(cluster: String, schemaVersion: MigrationVersion?, serverVersion: Int, databaseBytes: Int64) {
        self.cluster = cluster
        self.schemaVersion = schemaVersion
        self.serverVersion = serverVersion
        self.databaseBytes = databaseBytes
    }
}

public struct TakenLease: Codable, Hashable, Sendable {
    public var fence: Int64

    public init(fence: Int64) { self.fence = fence }
}

/// How a migration is applied.
public enum MigrationKind: String, Codable, Hashable, Sendable {
    case transaction, statements, backfill
}

public struct PendingMigration: Codable, Hashable, Sendable {
    public var version: MigrationVersion
    public var kind: MigrationKind
    public var phase: MigrationPhase

    public init(version: MigrationVersion, kind: MigrationKind, phase: MigrationPhase = .expand) {
        self.version = version
        self.kind = kind
        self.phase = phase
    }
}

public struct PreflightReport: Codable, Hashable, Sendable {
    /// The version before this upgrade.
    public var from: MigrationVersion?
    public var pending: [PendingMigration]
    /// Of those, in the order of their versions, what this upgrade has applied already; for undoing it.
    public var applied: [PendingMigration]
    /// Of the catalog as it was found.
    public var fingerprint: String

    public init(
        from: MigrationVersion?, pending: [PendingMigration], applied: [PendingMigration] = [], fingerprint: String
    ) {
        self.from = from
        self.pending = pending
        self.applied = applied
        self.fingerprint = fingerprint
    }
}

public struct BackupReport: Codable, Hashable, Sendable {
    public var path: String
    public var sha256: String
    public var bytes: Int64
}

public struct AppliedMigration: Codable, Hashable, Sendable {
    public var version: MigrationVersion
    public var milliseconds: Int64
    /// Rows of a backfill: walked over, and changed.
    public var visited: Int64
    public var touched: Int64

    public init(version: MigrationVersion, milliseconds: Int64, visited: Int64 = 0, touched: Int64 = 0) {
        self.version = version
        self.milliseconds = milliseconds
        self.visited = visited
        self.touched = touched
    }
}

/// Where a tenant of an upgrade stands.
public enum TenantState: String, Codable, Hashable, Sendable, CaseIterable {
    case pending, running, done, failed
    case rolledBack = "rolled_back"
    case skipped
    case needsOperator = "needs_operator"
}

/// How a tenant ended; also tells of a tenant that waits for a person.
public struct TenantEnd: Codable, Hashable, Sendable {
    public var step: TenantStep
    public var state: TenantState
    public var error: String?
    public var isLastPass: Bool
    /// The version that the tenant's schema has now; nil before the first.
    public var schemaVersion: MigrationVersion?

    public init(
        step: TenantStep, state: TenantState, error: String? = nil, isLastPass: Bool = false,
        schemaVersion: MigrationVersion? = nil
    ) {
        self.step = step
        self.state = state
        self.error = error
        self.isLastPass = isLastPass
        self.schemaVersion = schemaVersion
    }
}

// MARK: The fleet's own steps

/// What the fleet's steps are told.
public struct FleetStep: Codable, Hashable, Sendable {
    public var upgrade: String
    public var workflowID: String
    public var request: UpgradeRequest

    public init(upgrade: String, workflowID: String, request: UpgradeRequest) {
        self.upgrade = upgrade
        self.workflowID = workflowID
        self.request = request
    }
}

public struct LoadedSet: Codable, Hashable, Sendable {
    public struct Item: Codable, Hashable, Sendable {
        public var version: MigrationVersion
        public var name: String
        public var phase: MigrationPhase
        public var isTransactional: Bool
        public var isIrreversible: Bool

        public init(
            version: MigrationVersion, name: String, phase: MigrationPhase, isTransactional: Bool = true,
            isIrreversible: Bool = false
        ) {
            self.version = version
            self.name = name
            self.phase = phase
            self.isTransactional = isTransactional
            self.isIrreversible = isIrreversible
        }
    }

    /// Up to the target.
    public var migrations: [Item]

    public init(migrations: [Item]) { self.migrations = migrations }
}

public struct SelectedTenants: Codable, Hashable, Sendable {
    /// Tenants in each wave.
    public var waves: [Int]
    /// The lowest version among them; nil when one's is not known.
    public var oldest: MigrationVersion?

    public init(waves: [Int], oldest: MigrationVersion? = nil) {
        self.waves = waves
        self.oldest = oldest
    }

    public var total: Int { self.waves.reduce(0, +) }
}

public struct LintReport: Codable, Hashable, Sendable {
    public var blocking: [LintFinding]
    public var allowed: Int

    public init(blocking: [LintFinding], allowed: Int = 0) {
        self.blocking = blocking
        self.allowed = allowed
    }
}

/// What the scratch database showed.
public struct ShadowReport: Codable, Hashable, Sendable {
    public struct Lock: Codable, Hashable, Sendable {
        public var version: MigrationVersion
        public var relation: String
        public var mode: String

        public init(version: MigrationVersion, relation: String, mode: String) {
            self.version = version
            self.relation = relation
            self.mode = mode
        }
    }

    /// The strongest lock on each relation, by migration.
    public var locks: [Lock]
    /// The catalog after the first pass and after all.
    public var expanded: String
    public var contracted: String

    public init(locks: [Lock] = [], expanded: String = "", contracted: String = "") {
        self.locks = locks
        self.expanded = expanded
        self.contracted = contracted
    }
}

/// A page of tenants that have not begun.
public struct NextTenants: Codable, Hashable, Sendable {
    public var step: FleetStep
    public var pass: UpgradePass
    public var wave: Int
    /// Behind this place in the order.
    public var after: Int
    public var limit: Int
    /// For taking an upgrade back: those that are done, last first.
    public var wantsDone: Bool

    public init(
        step: FleetStep, pass: UpgradePass, wave: Int, after: Int, limit: Int, wantsDone: Bool = false
    ) {
        self.step = step
        self.pass = pass
        self.wave = wave
        self.after = after
        self.limit = limit
        self.wantsDone = wantsDone
    }
}

public struct TenantPage: Codable, Hashable, Sendable {
    public struct Entry: Codable, Hashable, Sendable {
        public var tenant: String
        public var ordinal: Int

        public init(tenant: String, ordinal: Int) {
            self.tenant = tenant
            self.ordinal = ordinal
        }
    }

    public var tenants: [Entry]

    public init(tenants: [Entry]) { self.tenants = tenants }
}

/// Something that happened to the fleet, for its row and for the feed.
public struct FleetNote: Codable, Hashable, Sendable {
    public var step: FleetStep
    /// The part of the event's name behind `mig.fleet.`.
    public var event: String
    /// Counts up in the fleet, so that each note is its own effect.
    public var number: Int
    public var state: String
    public var data: [String: String]
    /// A decision that goes into the table of approvals.
    public var approval: GateDecision?

    public init(
        step: FleetStep, event: String, number: Int, state: String, data: [String: String] = [:],
        approval: GateDecision? = nil
    ) {
        self.step = step
        self.event = event
        self.number = number
        self.state = state
        self.data = data
        self.approval = approval
    }
}

/// What a person decided at a gate; update `approve` and update `reject`.
public struct GateDecision: Codable, Hashable, Sendable {
    public var gate: UpgradeGate
    public var by: String
    public var reason: String
    /// False is a rejection.
    public var isApproved: Bool

    public init(gate: UpgradeGate, by: String, reason: String, isApproved: Bool = true) {
        self.gate = gate
        self.by = by
        self.reason = reason
        self.isApproved = isApproved
    }

    enum CodingKeys: String, CodingKey {
        case gate, by, reason
        case isApproved = "approved"
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.gate = try values.decode(UpgradeGate.self, forKey: .gate)
        self.by = try values.decode(String.self, forKey: .by)
        self.reason = try values.decodeIfPresent(String.self, forKey: .reason) ?? ""
        self.isApproved = try values.decodeIfPresent(Bool.self, forKey: .isApproved) ?? true
    }
}

/// Whether tenants may be begun now, and when that changes. Unix seconds.
public struct WindowQuestion: Codable, Hashable, Sendable {
    public var window: UpgradeWindow
    public var now: Double

    public init(window: UpgradeWindow, now: Double) {
        self.window = window
        self.now = now
    }
}

public struct WindowAnswer: Codable, Hashable, Sendable {
    public var opensAt: Double
    public var closesAt: Double

    public init(opensAt: Double, closesAt: Double) {
        self.opensAt = opensAt
        self.closesAt = closesAt
    }
}

/// The health of a wave's finished tenants.
public struct WaveHealth: Codable, Hashable, Sendable {
    public var unhealthy: [String]

    public init(unhealthy: [String] = []) { self.unhealthy = unhealthy }
}
