import Engine
import History

/// Checks one run's stored facts against each other: the hash chain, dense event ids, the snapshot against a fold of the events.
///
/// Reads the store alone. On a run that moves meanwhile it may see the row newer than the events; check closed or idle runs.
public struct RunVerifier: Sendable {
    public struct Finding: Sendable, Hashable {
        public var events: Int64
        /// What is wrong, in words; empty when everything agrees.
        public var problems: [String]
    }

    private let runs: any RunStore
    private let encoder: any EventEncoder

    public init(runs: any RunStore, encoder: any EventEncoder) {
        self.runs = runs
        self.encoder = encoder
    }

    public static let pageEvents = 1000
    static let problemsMax = 20

    public func verify(_ stored: StoredRun) async throws(StoreError) -> Finding {
        let key = stored.summary.key
        var problems: [String] = []
        var fold = Run()
        var hash = HashChain.seed(for: key)
        var next = EventID.first
        while problems.count < Self.problemsMax {
            let page = try await runs.readEvents(
                key, from: next, through: EventID(.max), limit: Self.pageEvents, newestFirst: false)
            for event in page {
                if event.id != next { problems.append("expected event \(next), got \(event.id)") }
                hash = HashChain.next(after: hash, event.body)
                if hash.bytes != event.hash { problems.append("event \(event.id): the hash chain is broken") }
                do {
                    try fold.apply(try encoder.decode(event.body))
                } catch {
                    problems.append("event \(event.id): \(error)")
                    return Finding(events: next.previous.value, problems: problems)
                }
                next = event.id.next
            }
            if page.count < Self.pageEvents { break }
        }
        if hash.bytes != stored.lastHash { problems.append("the stored last hash is not that of the last event") }
        if stored.summary.historyLength != next.previous.value {
            problems.append("expected \(stored.summary.historyLength) events, found \(next.previous)")
        }
        do {
            if let difference = try Run(snapshot: stored.snapshot).agrees(withFoldOf: fold) {
                problems.append("the snapshot differs from the folded events: \(difference)")
            }
        } catch {
            problems.append("the snapshot cannot be read: \(error)")
        }
        return Finding(events: next.previous.value, problems: problems)
    }
}
