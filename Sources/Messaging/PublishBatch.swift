import Synchronization

/// A batch of messages on its way: collects the acknowledgements, which arrive on libnats' threads.
final class PublishBatch: Sendable {
    private struct State {
        var indexes: [String: Int]
        var sequences: [UInt64]
        var remaining: Int
        var waiter: CheckedContinuation<Result<[UInt64], NATSError>, Never>?
        var outcome: Result<[UInt64], NATSError>?
    }
    private let state: Mutex<State>

    init(ids: [String]) {
        var indexes: [String: Int] = [:]
        indexes.reserveCapacity(ids.count)
        for (index, id) in ids.enumerated() { indexes[id] = index }
        state = Mutex(
            State(indexes: indexes, sequences: Array(repeating: 0, count: ids.count), remaining: indexes.count))
    }

    func acknowledged(id: String, sequence: UInt64) {
        let waiter = state.withLock { state -> (CheckedContinuation<Result<[UInt64], NATSError>, Never>, [UInt64])? in
            guard state.outcome == nil, let index = state.indexes.removeValue(forKey: id) else { return nil }
            state.sequences[index] = sequence
            state.remaining -= 1
            guard state.remaining == 0 else { return nil }
            state.outcome = .success(state.sequences)
            guard let waiter = state.waiter else { return nil }
            state.waiter = nil
            return (waiter, state.sequences)
        }
        if let (waiter, sequences) = waiter { waiter.resume(returning: .success(sequences)) }
    }

    func failed(_ error: NATSError) {
        let waiter = state.withLock { state -> CheckedContinuation<Result<[UInt64], NATSError>, Never>? in
            guard state.outcome == nil else { return nil }
            state.outcome = .failure(error)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: .failure(error))
    }

    /// Waits for the last acknowledgement or the first failure.
    func result() async -> Result<[UInt64], NATSError> {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Result<[UInt64], NATSError>? in
                if let outcome = state.outcome { return outcome }
                state.waiter = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}

/// Leads callbacks of one connection to the batch in flight. One batch at a time: the order on the stream is the order of calls.
final class CallbackRouter: Sendable {
    private struct State {
        var batch: PublishBatch?
        var isClosed = false
        var onClose: (@Sendable () -> Void)?
        var readers: [@Sendable () -> Void] = []
    }
    private let state = Mutex(State())

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func begin(_ batch: PublishBatch) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.batch = batch
            return true
        }
    }

    func end() { state.withLock { $0.batch = nil } }

    var batch: PublishBatch? { state.withLock { $0.batch } }

    func whenClosed(_ action: @escaping @Sendable () -> Void) {
        let already = state.withLock { state in
            state.onClose = action
            return state.isClosed
        }
        if already { action() }
    }

    func whenReaderShouldEnd(_ action: @escaping @Sendable () -> Void) {
        let already = state.withLock { state in
            state.readers.append(action)
            return state.isClosed
        }
        if already { action() }
    }

    func closed() {
        let ended = state.withLock { state -> State? in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            return state
        }
        ended?.batch?.failed(.notConnected)
        ended?.onClose?()
        for action in ended?.readers ?? [] { action() }
    }
}
