/// How the schema and the route go to the new version.
public enum UpgradeStrategy: String, Codable, Hashable, Sendable, CaseIterable {
    /// All phases in one pass.
    case transactional
    /// Expand and backfill first, contract after an approval.
    case expandContract = "expand_contract"
    /// As expand and contract, with a schema of views for each version beside each other.
    case blueGreen = "blue_green"
}

/// Places where a person decides.
public enum UpgradeGate: String, Codable, Hashable, Sendable, CaseIterable {
    case start
    case afterCanary = "after_canary"
    case contract
}

/// Which tenants; all of them when nothing is said.
public struct TenantSelector: Codable, Hashable, Sendable {
    public var ids: [String]?
    public var tier: String?
    public var region: String?

    public init(ids: [String]? = nil, tier: String? = nil, region: String? = nil) {
        self.ids = ids
        self.tier = tier
        self.region = region
    }
}

/// Hours of the day in which tenants may be begun; it may go over midnight.
public struct UpgradeWindow: Codable, Hashable, Sendable {
    public var timeZone: String
    /// Minutes of the day.
    public var fromMinute: Int
    public var untilMinute: Int

    public init(timeZone: String, fromMinute: Int, untilMinute: Int) {
        self.timeZone = timeZone
        self.fromMinute = fromMinute
        self.untilMinute = untilMinute
    }
}

/// What `POST /v1/schema-upgrades` asks for, with its defaults filled in.
public struct UpgradeRequest: Codable, Hashable, Sendable {
    public enum OnError: String, Codable, Hashable, Sendable, CaseIterable { case stop, `continue` }

    public var service: String
    public var targetVersion: MigrationVersion
    /// SHA-256 of the uploaded set.
    public var migrationSet: String
    public var tenants = TenantSelector()
    public var waves = WaveSpec.standard
    public var strategy = UpgradeStrategy.expandContract
    public var maxConcurrent = 5
    public var tenantTimeoutSeconds = 300.0
    public var backup = true
    public var onError = OnError.stop
    public var maxFailedTenants = 0
    public var lockTimeoutMilliseconds = 2_000
    public var approvals: [UpgradeGate] = [.contract]
    public var window: UpgradeWindow?
    public var dryRun = false

    public static let maxConcurrentMax = 50

    public init(service: String, targetVersion: MigrationVersion, migrationSet: String) {
        self.service = service
        self.targetVersion = targetVersion
        self.migrationSet = migrationSet
    }

    public var workflowID: String { "mig:\(self.service)" }
    public func workflowID(of tenant: String) -> String { "mig:\(self.service):\(tenant)" }
}

/// Which phases one walk over the tenants applies.
public enum UpgradePass: String, Codable, Hashable, Sendable {
    case expand
    case contract
    case all

    public var phases: [MigrationPhase] {
        switch self {
        case .expand: return [.expand, .backfill]
        case .contract: return [.contract]
        case .all: return MigrationPhase.allCases
        }
    }
}
