import Foundation
import Postgres
import Synchronization

/// The demo's counters, read from the family's tables.
final class DemoCounts: Sendable {
    struct Reading: Sendable {
        var accepted = 0
        var ended = 0
        var mails = 0
        var texts = 0
        var parked = 0
        var wanted = 0
        var note = ""
        var seconds = ""

        /// Messages that have left, by any channel.
        var left: Int { mails + texts }

        var text: String {
            "\(seconds)  accepted \(accepted)/\(wanted)  mail sent \(mails)  SMS sent \(texts)  on the way \(accepted - ended)"
                + "  dead letters \(parked)\(note.isEmpty ? "" : "  \(note)")"
        }
    }

    private let pool: PostgresPool
    private let wanted: Int
    private let began = ContinuousClock.now
    private let note = Mutex("")

    private static let counters = Statement(
        "demo_counters",
        """
        select count(*), count(ended_at), count(*) filter (where channel = 'email' and state in ('SENT', 'DELIVERED')),
            count(*) filter (where channel = 'sms' and state in ('SENT', 'DELIVERED')),
            (select count(*) from wf_dlq.dlq_entry where state in ('PARKED', 'REDRIVING'))
        from wf_ntf.notification where tenant = 'demo'
        """)

    init(databaseURL: String, wanted: Int) {
        var limits = PostgresPool.Limits()
        limits.connectionsMax = 1
        pool = PostgresPool(PostgresConfiguration(url: databaseURL, applicationName: "aloft demo"), limits: limits)
        self.wanted = wanted
    }

    func close() { pool.close() }

    /// Shown behind the counters from now on.
    func note(_ text: String) { note.withLock { $0 = text } }

    static func seconds(since began: ContinuousClock.Instant) -> String {
        "\((ContinuousClock.now - began).components.seconds) s"
    }

    func read() async throws -> Reading {
        let rows = try await pool.query(Self.counters)
        guard let row = rows.first else { throw CommandFailure("Postgres tells no counters") }
        return Reading(
            accepted: Int(try row.int64(0)), ended: Int(try row.int64(1)), mails: Int(try row.int64(2)),
            texts: Int(try row.int64(3)), parked: Int(try row.int64(4)), wanted: wanted, note: note.withLock { $0 },
            seconds: Self.seconds(since: began))
    }

    /// Shows the counters until the task is cancelled.
    func watch(_ screen: LiveLine, every pause: Duration) async throws {
        while !Task.isCancelled {
            screen.show(try await read().text)
            try await Task.sleep(for: pause)
        }
    }

    func until(_ what: String, seconds: Int, _ condition: (Reading) -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if condition(try await read()) { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw CommandFailure("did not happen in \(seconds) s: \(what); \(try await read().text)")
    }
}
