public import Foundation
public import Logging
import Synchronization

/// Hands notifications to Aloft without ever holding up whoever sends them.
///
/// ``send(_:)`` returns at once, whatever the server and the disk do. Messages wait in a bounded queue on the disk, survive the
/// process, and leave as the server takes them, the urgent ones first. Each carries its id as Idempotency-Key, so that handing it
/// over twice, after a lost answer or a crash, is one notification.
public final class NotifyClient: Sendable {
    private struct State {
        var queue: NotifyQueue
        var records: [NotifyJournal.Record] = []
        var states: [NotifyID: NotifyState] = [:]
        var settled: [NotifyID] = []
        var counts = NotifyCounts()
        var failures = 0
        var pausedUntil: ContinuousClock.Instant?
    }

    /// What is remembered of messages that left.
    private static let settledMax = 10_000

    private let options: NotifyOptions
    private let transport: any NotifyTransport
    private let logger: Logger
    private let state: Mutex<State>
    private let folder: URL
    private let storeBell = NotifyBell()
    private let handBell = NotifyBell()

    /// Opens the queue of a folder lazily: nothing is read or written before ``run()``.
    ///
    /// - Parameter folder: this client's own; two clients must not share one.
    public init(
        folder: URL, transport: any NotifyTransport, options: NotifyOptions = NotifyOptions(),
        logger: Logger = Logger(label: "notify")
    ) {
        self.folder = folder
        self.transport = transport
        self.options = options
        self.logger = logger
        self.state = Mutex(State(queue: NotifyQueue(capacity: options.capacity)))
    }

    /// Takes a message over. Never waits and never fails: what became of it is asked with ``state(of:)``.
    @discardableResult
    public func send(_ message: NotifyMessage) -> NotifyID {
        let id = NotifyID(UUID().uuidString.lowercased())
        self.state.withLock { state in
            switch state.queue.offer(message, id: id) {
            case .taken:
                state.records.append(.add(id, message))
                state.states[id] = .accepted
            case .replaced(let victim):
                state.records.append(.add(id, message))
                state.states[id] = .accepted
                Self.settle(victim, .dropped, &state)
            case .refused: Self.settle(id, .dropped, &state)
            }
        }
        self.storeBell.ring()
        return id
    }

    /// nil for a message of long ago, or of another client.
    public func state(of id: NotifyID) -> NotifyState? { self.state.withLock { $0.states[id] } }

    public var counts: NotifyCounts {
        self.state.withLock { state in
            var counts = state.counts
            counts.waiting = state.queue.count
            counts.stored = state.queue.storedCount
            counts.isBreakerOpen = state.failures >= self.options.failuresMax
            return counts
        }
    }

    /// Stores and hands over until the task is cancelled. Call once; messages sent before are kept in memory.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.storeAsTheyCome() }
            group.addTask { await self.handOverAsTheyAreStored() }
            await group.waitForAll()
        }
    }

    private func storeAsTheyCome() async {
        var journal: NotifyJournal?
        do {
            let opened = try NotifyJournal(folder: self.folder)
            self.takeBack(try opened.read())
            journal = opened
        } catch {
            // Without its file the queue is one in memory: better than nothing, and nobody's request fails for it.
            self.logger.error("the queue's file cannot be used", metadata: ["error": "\(type(of: error))"])
        }
        while !Task.isCancelled {
            self.store(journal)
            self.handBell.ring()
            await self.storeBell.wait()
        }
        self.store(journal)
    }

    /// What an earlier process left.
    private func takeBack(_ known: [(NotifyID, NotifyMessage)]) {
        self.state.withLock { state in
            for (id, message) in known {
                switch state.queue.offer(message, id: id, isStored: true) {
                case .taken: state.states[id] = .stored
                case .replaced(let victim):
                    state.states[id] = .stored
                    Self.settle(victim, .dropped, &state)
                case .refused: Self.settle(id, .dropped, &state)
                }
            }
        }
    }

    private enum Turn { case handed, rang }

    private func handOverAsTheyAreStored() async {
        await withTaskGroup(of: Turn.self) { group in
            var underWay = 0
            var isListening = false
            while !Task.isCancelled {
                while underWay < self.callsAllowed, let item = self.state.withLock({ $0.queue.next() }) {
                    underWay += 1
                    group.addTask {
                        await self.hand(item)
                        return .handed
                    }
                }
                if !isListening {
                    isListening = true
                    let left = self.pauseLeft
                    group.addTask {
                        await self.handBell.wait(atMost: left)
                        return .rang
                    }
                }
                switch await group.next() {
                case .handed: underWay -= 1
                case .rang: isListening = false
                case nil: return
                }
            }
            group.cancelAll()
        }
    }

    // MARK: Storing

    private func store(_ journal: NotifyJournal?) {
        let records = self.state.withLock { state in
            defer { state.records = [] }
            return state.records
        }
        if !records.isEmpty {
            do {
                try journal?.append(records)
            } catch {
                self.logger.error("messages could not be stored", metadata: ["error": "\(type(of: error))"])
            }
        }
        let added = records.compactMap { record -> NotifyID? in
            if case .add(let id, _) = record { return id }
            return nil
        }
        let items = self.state.withLock { state in
            state.queue.markStored(added)
            for id in added where state.states[id] == .accepted { state.states[id] = .stored }
            return state.queue.all
        }
        try? journal?.compact(items)
    }

    private static func settle(_ id: NotifyID, _ outcome: NotifyState, _ state: inout State) {
        state.queue.remove(id)
        state.states[id] = outcome
        state.settled.append(id)
        state.records.append(.done(id))
        switch outcome {
        case .delivered: state.counts.delivered += 1
        case .refused: state.counts.refused += 1
        case .dropped: state.counts.dropped += 1
        case .accepted, .stored: break
        }
        if state.settled.count > Self.settledMax { state.states[state.settled.removeFirst()] = nil }
    }

    // MARK: Handing over

    /// None while paused; one as a probe after failures; else as many as the options say.
    private var callsAllowed: Int {
        self.state.withLock { state in
            if let until = state.pausedUntil, until > ContinuousClock.now { return 0 }
            return state.failures > 0 ? 1 : self.options.callsAtATime
        }
    }

    private func hand(_ item: NotifyQueue.Item) async {
        let status: Int?
        do {
            status = try await self.transport.post(
                item.message.body, key: item.id.value, timeout: self.options.callTimeout)
        } catch {
            status = nil
        }
        self.state.withLock { state in
            switch status {
            case .some(200..<300):
                Self.settle(item.id, .delivered, &state)
                state.failures = 0
                state.pausedUntil = nil
            case .some(let code) where (400..<500).contains(code) && code != 408 && code != 409 && code != 429:
                Self.settle(item.id, .refused(status: code), &state)
                state.failures = 0
                state.pausedUntil = nil
            default:
                state.queue.putBack(item.id)
                state.failures += 1
                state.pausedUntil = ContinuousClock.now + self.pause(after: state.failures)
            }
        }
        self.storeBell.ring()
        self.handBell.ring()
    }

    private func pause(after failures: Int) -> Duration {
        let bound = min(self.options.pause * (1 << min(failures - 1, 16)), self.options.pauseMax)
        return bound * Double.random(in: 0.5...1)
    }

    /// How long nothing may be handed over; nil without a pause.
    private var pauseLeft: Duration? {
        self.state.withLock { state -> Duration? in
            guard let until = state.pausedUntil else { return nil }
            let left: Duration = ContinuousClock.now.duration(to: until)
            return left > .zero ? left : nil
        }
    }
}
