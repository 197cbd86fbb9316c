/// Stops calling a peer that fails, and lets traffic come back slowly.
///
/// | state | input | next |
/// |---|---|---|
/// | closed | 10 outcomes known, half of them failures | open for 30 s |
/// | open | time passed | half open |
/// | half open | 3 probes succeed | closed, admitting 10, 25, 50, 100 % over 20 s |
/// | half open | a probe fails | open for 30 s |
///
/// A value without a clock: time comes in as an argument. Refusals by the business (a declined card) are no failures.
public struct CircuitBreaker: Hashable, Sendable {
    public struct Settings: Hashable, Sendable {
        public var window = 10
        public var failuresPercentMax = 50
        public var openFor = Duration.seconds(30)
        public var probes = 3
        public var ramp: [Int] = [10, 25, 50, 100]
        public var rampFor = Duration.seconds(20)

        public init() {}
    }

    public enum Admission: Hashable, Sendable {
        case admitted
        /// Not now; come back after this long.
        case refused(after: Duration)
    }

    private enum State: Hashable, Sendable {
        case closed
        case ramping(since: Duration, offered: Int, admitted: Int)
        case open(until: Duration)
        case halfOpen(started: Int, succeeded: Int)
    }

    private let settings: Settings
    private var state = State.closed
    private var outcomes: [Bool] = []

    public init(settings: Settings = Settings()) {
        self.settings = settings
    }

    public var isOpen: Bool {
        switch self.state {
        case .open: return true
        case .closed, .ramping, .halfOpen: return false
        }
    }

    /// Asks to make one call; an admitted call must be followed by ``record(success:at:)`` or ``forget()``.
    public mutating func admit(at now: Duration) -> Admission {
        switch self.state {
        case .closed: return .admitted
        case .open(let until):
            guard now >= until else { return .refused(after: until - now) }
            self.state = .halfOpen(started: 1, succeeded: 0)
            return .admitted
        case .halfOpen(let started, let succeeded):
            guard started < self.settings.probes else { return .refused(after: .seconds(1)) }
            self.state = .halfOpen(started: started + 1, succeeded: succeeded)
            return .admitted
        case .ramping(let since, let offered, let admitted):
            let step = self.rampStep(now - since)
            guard step < self.settings.ramp.count - 1 else {
                self.state = .closed
                return .admitted
            }
            let share = self.settings.ramp[step]
            guard admitted * 100 < (offered + 1) * share else {
                self.state = .ramping(since: since, offered: offered + 1, admitted: admitted)
                return .refused(after: self.settings.rampFor / self.settings.ramp.count)
            }
            self.state = .ramping(since: since, offered: offered + 1, admitted: admitted + 1)
            return .admitted
        }
    }

    /// Tells how an admitted call ended.
    public mutating func record(success: Bool, at now: Duration) {
        switch self.state {
        case .open: return  // a call from before
        case .halfOpen(let started, let succeeded):
            guard success else { return self.open(at: now) }
            if succeeded + 1 >= self.settings.probes {
                self.outcomes = []
                self.state = .ramping(since: now, offered: 0, admitted: 0)
            } else {
                self.state = .halfOpen(started: started, succeeded: succeeded + 1)
            }
        case .closed, .ramping:
            self.outcomes.append(success)
            if self.outcomes.count > self.settings.window { self.outcomes.removeFirst() }
            let failures = self.outcomes.count { !$0 }
            if self.outcomes.count == self.settings.window,
                failures * 100 >= self.settings.window * self.settings.failuresPercentMax
            {
                self.open(at: now)
            }
        }
    }

    /// An admitted call that ended without saying anything about the peer.
    public mutating func forget() {
        if case .halfOpen(let started, let succeeded) = self.state {
            self.state = .halfOpen(started: max(0, started - 1), succeeded: succeeded)
        }
    }

    private mutating func open(at now: Duration) {
        self.outcomes = []
        self.state = .open(until: now + self.settings.openFor)
    }

    private func rampStep(_ elapsed: Duration) -> Int {
        guard self.settings.rampFor > .zero else { return self.settings.ramp.count - 1 }
        let share = elapsed / self.settings.rampFor
        return min(self.settings.ramp.count - 1, Int(share * Double(self.settings.ramp.count)))
    }
}
