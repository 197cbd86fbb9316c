public import Activities

/// What a fleet's workflow is started with.
public struct FleetInput: Codable, Hashable, Sendable {
    /// The operation's id.
    public var upgrade: String
    public var request: UpgradeRequest
    /// Who asked; may not approve what takes things away.
    public var requestedBy: String?
    /// What the runs before this one did.
    public var state: FleetState?

    public init(upgrade: String, request: UpgradeRequest, requestedBy: String? = nil, state: FleetState? = nil) {
        self.upgrade = upgrade
        self.request = request
        self.requestedBy = requestedBy
        self.state = state
    }
}

/// Where a fleet stands; goes from run to run.
public struct FleetState: Codable, Hashable, Sendable {
    /// Counts of one wave in one pass.
    public struct Wave: Codable, Hashable, Sendable {
        public var name: String
        public var total: Int
        public var counts: [String: Int] = [:]

        var ended: Int { self.counts.filter { $0.key != TenantState.running.rawValue }.values.reduce(0, +) }
        func count(_ state: TenantState) -> Int { self.counts[state.rawValue] ?? 0 }
    }

    public struct Pass: Codable, Hashable, Sendable {
        public var pass: UpgradePass
        public var waves: [Wave]
    }

    /// A tenant that is not simply done.
    public struct Exception: Codable, Hashable, Sendable {
        public var outcome: TenantOutcome
        public var pass: UpgradePass
        public var wave: Int
        public var isSettled = false
    }

    public enum Abort: String, Codable, Hashable, Sendable {
        case leaveDone = "leave_done"
        case rollBackDone = "rollback_done"
    }

    public internal(set) var passes: [Pass] = []
    /// The pass and the wave that are under way, and the place in the order of tenants.
    public internal(set) var passIndex = 0
    public internal(set) var waveIndex = 0
    public internal(set) var after = 0
    public internal(set) var isPrepared = false
    public internal(set) var isIrreversible = false
    public internal(set) var exceptions: [Exception] = []
    /// Tries of tenants that were asked to try again.
    public internal(set) var generations: [String: Int] = [:]
    public internal(set) var retries: [String] = []
    /// Tenants to pass over, with the reason, before their turn comes.
    public internal(set) var skips: [String: String] = [:]
    public internal(set) var isPaused = false
    public internal(set) var maxConcurrent = 5
    public internal(set) var abort: Abort?
    public internal(set) var passedGates: [UpgradeGate] = []
    /// Notes written so far; numbers their effects.
    public internal(set) var notes = 0
    /// Unix seconds at which the first tenant began.
    public internal(set) var beganAt: Double?
    public internal(set) var steps: [OperationProgress.Step] = []

    public init() {}

    var pass: UpgradePass { self.passes.indices.contains(self.passIndex) ? self.passes[self.passIndex].pass : .expand }
    var isLastPass: Bool { self.passIndex == self.passes.count - 1 }

    /// Failures nobody has settled yet.
    var failures: [TenantOutcome] { self.exceptions.filter { !$0.isSettled }.map(\.outcome) }

    func count(_ state: TenantState) -> Int {
        self.passes.reduce(0) { sum, pass in sum + pass.waves.reduce(0) { $0 + $1.count(state) } }
    }

    var total: Int { self.passes.reduce(0) { sum, pass in sum + pass.waves.reduce(0) { $0 + $1.total } } }
    var ended: Int { self.passes.reduce(0) { sum, pass in sum + pass.waves.reduce(0) { $0 + $1.ended } } }

    /// The second pass is for those tenants that the first brought to the new version.
    mutating func takeOverDone() {
        guard self.passIndex == 1, self.passes[1].waves.allSatisfy({ $0.counts.isEmpty }) else { return }
        for wave in self.passes[1].waves.indices {
            self.passes[1].waves[wave].total = self.passes[0].waves[wave].count(.done)
        }
    }

    // MARK: Counting

    /// A tenant goes from one state to another; nil is that it was not counted before.
    mutating func move(_ pass: UpgradePass, _ wave: Int, from: TenantState?, to: TenantState?) {
        guard let place = self.passes.firstIndex(where: { $0.pass == pass }),
            self.passes[place].waves.indices.contains(wave)
        else { return }
        if let from {
            let left = self.passes[place].waves[wave].count(from) - 1
            self.passes[place].waves[wave].counts[from.rawValue] = left > 0 ? left : nil
        }
        if let to { self.passes[place].waves[wave].counts[to.rawValue, default: 0] += 1 }
    }

    mutating func began(_ pass: UpgradePass, _ wave: Int) { self.move(pass, wave, from: nil, to: .running) }

    /// A running tenant ended, or waits for a person.
    mutating func ended(_ outcome: TenantOutcome, _ pass: UpgradePass, _ wave: Int) {
        self.move(pass, wave, from: .running, to: outcome.state)
        guard outcome.state != .done else { return }
        self.exceptions.removeAll { $0.outcome.tenant == outcome.tenant && $0.pass == pass }
        self.exceptions.append(
            Exception(outcome: outcome, pass: pass, wave: wave, isSettled: outcome.state == .skipped))
    }

    /// A tenant that waited for a person stands otherwise now.
    mutating func resolved(_ outcome: TenantOutcome) {
        guard
            let index = self.exceptions.lastIndex(where: {
                $0.outcome.tenant == outcome.tenant && $0.outcome.state == .needsOperator
            })
        else { return }
        let known = self.exceptions[index]
        self.move(known.pass, known.wave, from: .needsOperator, to: outcome.state)
        self.exceptions[index].outcome = outcome
    }

    /// Takes a tenant that failed out of the failures: it will be tried again, or is passed over.
    ///
    /// - Returns: where it failed; nil when it did not.
    mutating func settle(_ tenant: String, as state: TenantState?) -> Exception? {
        guard
            let index = self.exceptions.lastIndex(where: {
                $0.outcome.tenant == tenant && !$0.isSettled
                    && ($0.outcome.state == .failed || $0.outcome.state == .rolledBack)
            })
        else { return nil }
        let known = self.exceptions[index]
        self.move(known.pass, known.wave, from: known.outcome.state, to: state)
        if let state {
            self.exceptions[index].outcome.state = state
            self.exceptions[index].isSettled = true
        } else {
            self.exceptions.remove(at: index)
        }
        return known
    }
}

// MARK: What signals and updates carry

/// A reason, for updates that want one.
public struct FleetReason: Codable, Hashable, Sendable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}

/// Updates `skip_tenant` and `retry_tenant`.
public struct TenantWish: Codable, Hashable, Sendable {
    public var tenant: String
    public var reason: String?

    public init(tenant: String, reason: String? = nil) {
        self.tenant = tenant
        self.reason = reason
    }
}

/// Update `set_concurrency`.
public struct ConcurrencyWish: Codable, Hashable, Sendable {
    public var count: Int

    public init(count: Int) { self.count = count }
}

/// Update `abort`.
public struct AbortWish: Codable, Hashable, Sendable {
    public var mode: FleetState.Abort
    public var by: String?
    public var reason: String?

    public init(mode: FleetState.Abort, by: String? = nil, reason: String? = nil) {
        self.mode = mode
        self.by = by
        self.reason = reason
    }
}

/// How a fleet ended.
public struct FleetResult: Codable, Hashable, Sendable {
    public var upgrade: String
    /// SUCCEEDED, CANCELED or ROLLED_BACK.
    public var status: String
    public var note: String
    public var counts: [String: Int]
    public var failures: [TenantOutcome]
}
