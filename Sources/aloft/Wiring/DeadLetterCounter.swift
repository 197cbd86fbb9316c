import Activities
import Foundation
import Gateway
import Postgres
import Synchronization

/// The gateway's way to the dead letters, and their gauges for `/metrics`.
struct DeadLetterCounter: DeadLetterDesk {
    let store: DeadLetterStore
    private let gauges = GaugeCache()

    init(pool: PostgresPool) { store = DeadLetterStore(pool: pool) }

    func list(_ filter: Gateway.JSONValue, after: [String]?, limit: Int) async throws -> DeskPage {
        let chosen = try Bridge.decode(DeadLetterFilter.self, filter)
        let place = after.flatMap { values in
            values.count == 2 ? Int64(values[0]).map { DeadLetterStore.Place(microseconds: $0, id: values[1]) } : nil
        }
        let found = try await store.list(chosen, after: place, limit: limit + 1)
        let page = found.prefix(limit)
        return DeskPage(
            items: try page.map { try Bridge.encode($0.entry) },
            next: found.count > limit ? page.last.map { ["\($0.place.microseconds)", $0.place.id] } : nil)
    }

    func show(_ id: String) async throws -> DeskVerdict {
        try await Self.verdict { try Bridge.encode(try await store.show(id)) }
    }

    func stats() async throws -> DeskVerdict {
        let stats = try await store.stats()
        return .ok(
            .record(("parked", .integer(stats.parked)), ("rows", .array(try stats.rows.map { try Bridge.encode($0) }))))
    }

    func preview(_ filter: Gateway.JSONValue) async throws -> DeskVerdict {
        .ok(try Bridge.encode(try await store.preview(Bridge.decode(DeadLetterFilter.self, filter))))
    }

    func resolve(_ id: String, note: String, actor: String) async throws -> DeskVerdict {
        try await Self.verdict {
            try await store.resolve(id, note: note, actor: actor)
            return try Bridge.encode(try await store.show(id))
        }
    }

    func askPurge(_ filter: Gateway.JSONValue, reason: String, actor: String) async throws -> DeskVerdict {
        let chosen = try Bridge.decode(DeadLetterFilter.self, filter)
        let id = try await store.askPurge(chosen, reason: reason, actor: actor)
        return .ok(.record(("purge_id", .string(id)), ("state", "WAITS_FOR_APPROVAL")))
    }

    func approvePurge(_ id: String, actor: String) async throws -> DeskVerdict {
        try await Self.verdict {
            let purged = try await store.approvePurge(id, actor: actor)
            return .record(("purge_id", .string(id)), ("state", "PURGED"), ("purged", .integer(purged)))
        }
    }

    func jobs(limit: Int) async throws -> DeskVerdict {
        let jobs = try await store.jobs(limit: limit)
        return .ok(.record(("items", .array(try jobs.map { try Bridge.encode($0) }))))
    }

    func job(_ id: String) async throws -> DeskVerdict {
        guard let job = try await store.jobs(id: id, limit: 1).first else {
            return .notFound("there is no redrive with this id")
        }
        return .ok(try Bridge.encode(job))
    }

    private static func verdict(_ body: () async throws -> Gateway.JSONValue) async throws -> DeskVerdict {
        do {
            return .ok(try await body())
        } catch let refusal as DeadLetterStore.Refusal {
            switch refusal {
            case .notFound(let detail): return .notFound(detail)
            case .precondition(let detail): return .conflict(detail)
            case .needsAnother(let detail): return .forbidden(detail)
            }
        }
    }

    /// Asked of the table at most every few seconds; nil when it does not answer.
    func metrics() async -> DeadLetterStore.Gauges? {
        let known = gauges.fresh()
        if let known { return known }
        guard let read = try? await store.gauges() else { return nil }
        gauges.keep(read)
        return read
    }
}

private final class GaugeCache: Sendable {
    private static let lifetime = Duration.seconds(5)
    private let kept = Mutex<(gauges: DeadLetterStore.Gauges, at: ContinuousClock.Instant)?>(nil)

    func fresh() -> DeadLetterStore.Gauges? {
        kept.withLock { kept in kept.flatMap { ContinuousClock.now - $0.at < Self.lifetime ? $0.gauges : nil } }
    }

    func keep(_ gauges: DeadLetterStore.Gauges) { kept.withLock { $0 = (gauges, .now) } }
}
