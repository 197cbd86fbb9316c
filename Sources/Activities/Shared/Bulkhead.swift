/// Keeps one peer, and one tenant, from taking all of a worker.
///
/// At most `permits` calls run at once, at most half of them for one tenant; who finds no place waits in order, and not
/// for long. A value without a clock or tasks.
public struct Bulkhead: Hashable, Sendable {
    public struct Settings: Hashable, Sendable {
        public var permits = 20
        /// A tenant's share, in percent, of the permits.
        public var tenantPercentMax = 50
        public var waitersMax = 1000

        public init() {}
    }

    public enum Entry: Hashable, Sendable {
        case entered
        case waiting
        /// The queue is full.
        case refused
    }

    private struct Waiter: Hashable, Sendable {
        var id: UInt64
        var tenant: String
    }

    private let settings: Settings
    private var running: [String: Int] = [:]
    private var runningTotal = 0
    private var waiters: [Waiter] = []

    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Asks for a place; `id` names the caller while it waits.
    public mutating func enter(id: UInt64, tenant: String) -> Entry {
        if self.hasPlace(for: tenant) {
            self.take(tenant)
            return .entered
        }
        guard self.waiters.count < self.settings.waitersMax else { return .refused }
        self.waiters.append(Waiter(id: id, tenant: tenant))
        return .waiting
    }

    /// Gives a place back.
    ///
    /// - Returns: the waiter that has it now.
    public mutating func leave(tenant: String) -> UInt64? {
        self.runningTotal -= 1
        self.running[tenant, default: 1] -= 1
        if self.running[tenant] == 0 { self.running[tenant] = nil }
        guard let index = self.waiters.firstIndex(where: { self.hasPlace(for: $0.tenant) }) else { return nil }
        let waiter = self.waiters.remove(at: index)
        self.take(waiter.tenant)
        return waiter.id
    }

    /// A waiter that waited long enough.
    ///
    /// - Returns: false when it has a place already.
    public mutating func giveUp(id: UInt64) -> Bool {
        guard let index = self.waiters.firstIndex(where: { $0.id == id }) else { return false }
        self.waiters.remove(at: index)
        return true
    }

    public var runningCount: Int { self.runningTotal }

    private func hasPlace(for tenant: String) -> Bool {
        let share = max(1, self.settings.permits * self.settings.tenantPercentMax / 100)
        return self.runningTotal < self.settings.permits && self.running[tenant, default: 0] < share
    }

    private mutating func take(_ tenant: String) {
        self.runningTotal += 1
        self.running[tenant, default: 0] += 1
    }
}
