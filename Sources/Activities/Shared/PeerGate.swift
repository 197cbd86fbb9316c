import Synchronization

/// The breaker and the bulkhead in front of one peer, as a worker process holds them.
public final class PeerGate: Sendable {
    private struct State: Sendable {
        var breaker: CircuitBreaker
        var bulkhead: Bulkhead
        var nextID: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
        /// What was decided about a waiter before it could wait.
        var decided: [UInt64: Bool] = [:]
    }

    private let state: Mutex<State>
    private let name: String
    private let wait: Duration
    private let start = ContinuousClock.now

    public init(
        name: String, breaker: CircuitBreaker.Settings = .init(), bulkhead: Bulkhead.Settings = .init(),
        wait: Duration = .milliseconds(100)
    ) {
        self.name = name
        self.wait = wait
        self.state = Mutex(State(breaker: CircuitBreaker(settings: breaker), bulkhead: Bulkhead(settings: bulkhead)))
    }

    /// Makes one call if the peer may be called now.
    ///
    /// - Throws: `throttled` without calling when the breaker is open or no place came free in time.
    public func call<Result>(
        tenant: String, _ body: () async throws(EffectFailure) -> Result
    ) async throws(EffectFailure) -> Result {
        try await self.enter(tenant: tenant)
        defer { self.leave(tenant: tenant) }
        let admission = self.state.withLock { $0.breaker.admit(at: self.now) }
        if case .refused(let after) = admission {
            throw EffectFailure.held(after: after, "the breaker of \(self.name) is open")
        }
        do throws(EffectFailure) {
            let result = try await body()
            self.state.withLock { $0.breaker.record(success: true, at: self.now) }
            return result
        } catch {
            self.state.withLock { state in
                switch error.kind {
                case _ where error.isReplayed: state.breaker.forget()
                case _ where error.isAboutRecipient: state.breaker.record(success: true, at: self.now)
                case .transient, .ambiguous, .unresolved: state.breaker.record(success: false, at: self.now)
                case .permanent: state.breaker.record(success: true, at: self.now)
                case .throttled, .invalid, .conflict: state.breaker.forget()
                }
            }
            throw error
        }
    }

    private var now: Duration { self.start.duration(to: .now) }

    private func enter(tenant: String) async throws(EffectFailure) {
        let (id, entry) = self.state.withLock { state in
            state.nextID += 1
            return (state.nextID, state.bulkhead.enter(id: state.nextID, tenant: tenant))
        }
        switch entry {
        case .entered: return
        case .refused: throw EffectFailure.held(after: .seconds(1), "too many calls wait for \(self.name)")
        case .waiting: break
        }
        let timer = Task { [wait] in
            try? await Task.sleep(for: wait)
            self.resume(id, entered: false)
        }
        let isIn = await withCheckedContinuation { continuation in
            let decided = self.state.withLock { state -> Bool? in
                if let decided = state.decided.removeValue(forKey: id) { return decided }
                state.waiting[id] = continuation
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
        timer.cancel()
        guard isIn else { throw EffectFailure.held(after: .milliseconds(100), "no place to call \(self.name)") }
    }

    private func leave(tenant: String) {
        let next = self.state.withLock { $0.bulkhead.leave(tenant: tenant) }
        if let next { self.resume(next, entered: true) }
    }

    private func resume(_ id: UInt64, entered: Bool) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if !entered, !state.bulkhead.giveUp(id: id) { return nil }
            if let continuation = state.waiting.removeValue(forKey: id) { return continuation }
            state.decided[id] = entered
            return nil
        }
        continuation?.resume(returning: entered)
    }
}
