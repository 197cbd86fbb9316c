public import Activities

/// What a fleet's query `progress` answers: the progress of every operation, with waves and the time left.
public struct FleetProgress: Codable, Hashable, Sendable {
    public var common: OperationProgress
    public var passes: [FleetState.Pass]
    /// Seconds, from what the tenants took so far; nil before one has ended.
    public var etaSeconds: Double?
    /// Tenants that failed and are not settled.
    public var failures: [TenantOutcome]

    enum CodingKeys: String, CodingKey {
        case passes, failures
        case etaSeconds = "eta_seconds"
    }

    init(common: OperationProgress, passes: [FleetState.Pass], etaSeconds: Double?, failures: [TenantOutcome]) {
        self.common = common
        self.passes = passes
        self.etaSeconds = etaSeconds
        self.failures = failures
    }

    public init(from decoder: any Decoder) throws {
        self.common = try OperationProgress(from: decoder)
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.passes = try values.decode([FleetState.Pass].self, forKey: .passes)
        self.etaSeconds = try values.decodeIfPresent(Double.self, forKey: .etaSeconds)
        self.failures = try values.decode([TenantOutcome].self, forKey: .failures)
    }

    public func encode(to encoder: any Encoder) throws {
        try self.common.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(self.passes, forKey: .passes)
        try values.encodeIfPresent(self.etaSeconds, forKey: .etaSeconds)
        try values.encode(self.failures, forKey: .failures)
    }
}

/// Query `tenants`: one page of the tenants that this run has seen, by name.
public struct TenantsQuestion: Codable, Hashable, Sendable {
    /// The last tenant of the page before.
    public var cursor: String?
    public var state: TenantState?

    public init(cursor: String? = nil, state: TenantState? = nil) {
        self.cursor = cursor
        self.state = state
    }
}

/// Query `plan`.
public struct FleetPlan: Codable, Hashable, Sendable {
    public var target: MigrationVersion
    public var strategy: UpgradeStrategy
    public var migrations: [LoadedSet.Item]
    public var passes: [FleetState.Pass]
    public var gates: [UpgradeGate]
    public var locks: [ShadowReport.Lock]
    public var lint: LintReport?
}
