import Postgres
import Runtime
import Synchronization

/// Look-ups of current runs that come while others are on their way go together in one query: every start makes one, and a
/// query of its own would cost Postgres as much as the start itself.
///
/// Nobody waits for company: a look-up that finds nothing on its way is sent at once. What is answered was read after it was
/// asked for.
final class CurrentRunLookups: Sendable {
    struct Key: Sendable {
        var slot: Int16
        var namespace: PostgresUUID
        var workflow: String
    }
    typealias Answer = Result<StoredRun?, StoreError>
    typealias Waiter = (key: Key, turn: CheckedContinuation<Turn, Never>)

    /// What a waiter is told.
    enum Turn: Sendable {
        case answer(Answer)
        /// It asks, for itself and for these.
        case ask([Waiter])
    }

    private struct State {
        var isAsking = false
        var waiting: [Waiter] = []
    }

    /// The most that one query looks up.
    static let keysMax = 256

    private let state = Mutex(State())
    private let ask: @Sendable ([Key]) async -> Result<[StoredRun?], StoreError>

    /// - Parameter ask: Answers the keys in their order.
    init(ask: @escaping @Sendable ([Key]) async -> Result<[StoredRun?], StoreError>) { self.ask = ask }

    func find(_ key: Key) async -> Answer {
        let turn = await withCheckedContinuation { (turn: CheckedContinuation<Turn, Never>) in
            let isFirst = state.withLock { state in
                defer { state.isAsking = true }
                if state.isAsking { state.waiting.append((key, turn)) }
                return !state.isAsking
            }
            if isFirst { turn.resume(returning: .ask([])) }
        }
        switch turn {
        case .answer(let answer): return answer
        case .ask(let others):
            let answers = await ask([key] + others.map(\.key))
            passOn()
            for (index, other) in others.enumerated() {
                other.turn.resume(returning: .answer(answers.map { $0[index + 1] }))
            }
            return answers.map { $0[0] }
        }
    }

    /// The one who waits longest asks next.
    private func passOn() {
        let next = state.withLock { state -> [Waiter] in
            let next = state.waiting.prefix(Self.keysMax)
            state.waiting.removeFirst(next.count)
            state.isAsking = !next.isEmpty
            return Array(next)
        }
        next.first?.turn.resume(returning: .ask(Array(next.dropFirst())))
    }
}
