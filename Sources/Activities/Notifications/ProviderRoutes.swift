import Postgres
import Synchronization

/// Which providers may carry a message, in the order in which they are asked: the longest prefix, then the rank.
///
/// The table changes rarely; what was read is good for a minute.
final class ProviderRoutes: Sendable {
    struct Candidate: Hashable, Sendable {
        var name: String
        var channel: Channel
        var prefix: String
        var rank: Int
        var perSecond: Double
    }

    private struct Known: Sendable {
        var candidates: [Candidate] = []
        var readAt: ContinuousClock.Instant?
    }

    private let pool: PostgresPool
    private let known = Mutex(Known())

    private static let goodFor = Duration.seconds(60)

    init(pool: PostgresPool) { self.pool = pool }

    /// - Parameter wanted: Only this one, where a redrive or an uncertain attempt names it.
    func candidates(channel: Channel, address: String, wanted: String?) async throws -> [Candidate] {
        let all = try await self.all()
        if let wanted { return all.filter { $0.name == wanted && $0.channel == channel } }
        return Self.order(all.filter { $0.channel == channel }, address: address)
    }

    /// Those whose prefix fits, the closest first.
    static func order(_ candidates: [Candidate], address: String) -> [Candidate] {
        candidates.filter { address.hasPrefix($0.prefix) }.sorted { left, right in
            if left.prefix.count != right.prefix.count { return left.prefix.count > right.prefix.count }
            return left.rank != right.rank ? left.rank < right.rank : left.name < right.name
        }
    }

    private func all() async throws -> [Candidate] {
        let known = self.known.withLock { $0 }
        if let readAt = known.readAt, readAt.duration(to: .now) < Self.goodFor { return known.candidates }
        let rows: ResultSet
        do {
            rows = try await self.pool.query(NotificationStatements.providers)
        } catch {
            throw EffectFailure(error)
        }
        var candidates: [Candidate] = []
        for index in 0..<rows.count {
            let row = rows[index]
            guard let channel = Channel(rawValue: try row.text(1)) else { continue }
            candidates.append(
                Candidate(
                    name: try row.text(0), channel: channel, prefix: try row.text(2), rank: Int(try row.int32(3)),
                    perSecond: try row.double(4)))
        }
        let read = candidates
        self.known.withLock { $0 = Known(candidates: read, readAt: .now) }
        return read
    }
}
