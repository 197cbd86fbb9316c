import Foundation
import Postgres
import Testing

/// Dead letters and the notification doors, with real processes (families.md 4 and 6.2).
@Suite("Dead letters on the real program", .serialized)
struct DeadLetterAcceptanceTests {
    private static func park(_ count: Int, _ desk: PaymentDesk) async throws {
        _ = try await desk.rows(
            """
            with n as (
                insert into wf_ntf.notification (id, tenant, subject, template, template_version, category, channels, request,
                    workflow_id)
                select 'n' || g, 'acme', 'user:u' || g, 'w', 1, 'transactional', '{email}',
                    jsonb_build_object('id', 'n' || g, 'tenant', 'acme', 'recipient', jsonb_build_object('user_id', 'u' || g),
                        'template', jsonb_build_object('id', 'w', 'version', 1), 'category', 'transactional'),
                    'ntf:acme:n' || g
                from generate_series(1, \(count)) g returning id)
            insert into wf_dlq.dlq_entry (source, tenant, key, class, code, message, payload_ref, workflow_id)
            select 'notification', 'acme', 'ntf:acme:' || id, 'Transient', 'provider_5xx', 'the provider failed',
                'wf_ntf.notification/' || id, 'ntf:acme:' || id
            from n returning id::text
            """)
    }

    private static func states(_ desk: PaymentDesk) async throws -> [String] {
        try await desk.rows(
            "select state || ' ' || count(*) from wf_dlq.dlq_entry group by state order by state")
    }

    @Test(
        "A worker killed in the middle of a redrive loses no entry and doubles none; the gauges are the table's counts")
    func crash() async throws {
        try await Stage.with(worker: false) { stage in
            let desk = PaymentDesk(stage: stage)
            try await Self.park(120, desk)
            try await stage.startWorker(failpoint: "RedriveBatch.after_effect:kill9@37")
            let preview = try await stage.run([
                "dlq", "redrive", "--dry-run", "--http-address", stage.gatewayURL, "--output", "json",
            ])
            #expect(preview.output.contains("\"count\":120"), "\(preview.output)")
            #expect(try await Self.states(desk) == ["PARKED 120"])
            let started = try await stage.run([
                "dlq", "redrive", "--code", "provider_5xx", "--rate", "50", "--reason", "it is back", "--actor", "ann",
                "--http-address", stage.gatewayURL,
            ])
            #expect(started.status == 0, "\(started.output)")
            let second = try await stage.run([
                "dlq", "redrive", "--reason", "again", "--actor", "bob", "--http-address", stage.gatewayURL,
            ])
            #expect(second.status != 0, "\(second.output)")
            await stage.waitForEnd(of: "worker")
            try await stage.startWorker()
            try await desk.until("all redriven", seconds: 180) { try await Self.states(desk) == ["REDRIVEN 120"] }
            let runs = try await desk.rows(
                "select workflow_id from aloft.runs where workflow_id like 'ntf:acme:%'")
            #expect(Set(runs) == Set((1...120).map { "ntf:acme:n\($0):r1" }))
            #expect(runs.count == 120)
            try await desk.until("the gauge is the table's count") {
                let metrics = try await desk.call("GET", "\(stage.gatewayURL)/metrics").text
                return metrics.contains("aloft_dlq_depth{source=\"notification\"} 0\n")
                    && metrics.contains(
                        "aloft_dlq_parked_total{source=\"notification\",code=\"provider_5xx\"} 120\n")
            }
            try await desk.until("the job says that it is over") {
                try await stage.run(["dlq", "job", "list", "--http-address", stage.gatewayURL, "-o", "json"])
                    .output.contains("\"COMPLETED\"")
            }
        }
    }

    @Test("A cancel stops within a second; a purge needs a second person; every command has both outputs")
    func operators() async throws {
        try await Stage.with { stage in
            let desk = PaymentDesk(stage: stage)
            try await Self.park(60, desk)
            func dlq(_ words: String...) async throws -> (status: Int32, output: String) {
                try await stage.run(["dlq"] + words + ["--http-address", stage.gatewayURL])
            }
            try await desk.until("the gauge shows them") {
                try await desk.call("GET", "\(stage.gatewayURL)/metrics").text
                    .contains("aloft_dlq_depth{source=\"notification\"} 60")
            }
            let started = try await desk.call(
                "POST", "\(stage.gatewayURL)/v1/redrives",
                body: #"{"filter":{},"rate":5,"reason":"try","actor":"ann"}"#)
            #expect(started.status == 202, "\(started.text)")
            let id = started.json["job_id"] as? String ?? ""
            try await desk.until("some are done") { try await Self.states(desk) != ["PARKED 60"] }
            let begin = ContinuousClock.now
            #expect(try await dlq("job", "cancel", id).status == 0)
            try await desk.until("the job is over", seconds: 10) {
                try await desk.rows("select state from wf_dlq.redrive_job where id = '\(id)'") == ["CANCELED"]
            }
            let took = ContinuousClock.now - begin
            try await desk.until("nothing is half done") {
                try await !Self.states(desk).contains { $0.hasPrefix("REDRIVING") }
            }
            let after = try await Self.states(desk)
            #expect(after.count == 2, "\(after), \(took)")
            #expect(try await dlq("stats").output.contains("provider_5xx"))
            let list = try await dlq("list", "--limit", "3", "--output", "json")
            #expect(list.output.contains("\"items\""))
            let entry = try await desk.rows("select id::text from wf_dlq.dlq_entry where state = 'PARKED' limit 1")[0]
            #expect(try await dlq("show", entry).output.contains("provider_5xx"))
            #expect(try await dlq("resolve", entry, "--note", "called", "--actor", "ann").status == 0)
            let asked = try await dlq(
                "purge", "--code", "provider_5xx", "--reason", "old", "--actor", "ann", "-o", "json")
            let purge = asked.output.split(separator: "\"").map(String.init).first { $0.count == 36 } ?? ""
            let refused = try await dlq("purge", "--approve", purge, "--actor", "ann")
            #expect(refused.status != 0)
            #expect(try await !Self.states(desk).contains { $0.hasPrefix("PURGED") })
            #expect(try await dlq("purge", "--approve", purge, "--actor", "bob").status == 0)
            #expect(try await Self.states(desk) == ["PURGED 60"])
            #expect(try await dlq("export").output.split(separator: "\n").count == 60)
        }
    }
}
