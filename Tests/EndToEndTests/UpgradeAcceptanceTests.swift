import Foundation
import Postgres
import ServerTestKit
import Testing

/// families.md section 2, on the real program in separate processes. The number of each scenario is in its name.
@Suite("Schema upgrades, end to end", .serialized, .timeLimit(.minutes(10)))
struct UpgradeAcceptanceTests {
    private func with(
        tenants: Int, rows: Int = 200, failpoint: String? = nil,
        _ body: (Stage, UpgradeYard, [String]) async throws -> Void
    ) async throws {
        try await Stage.with(worker: false) { stage in
            let yard = UpgradeYard(stage: stage)
            let names = try await yard.makeTenants(tenants, rows: rows)
            try await stage.startWorker(failpoint: failpoint)
            try await body(stage, yard, names)
        }
    }

    private func replays(_ stage: Stage, _ workflow: String) async throws {
        let (status, output) = try await stage.run(
            ["replay", "run", workflow, "--address", stage.grpcAddress, "--output", "json"])
        #expect(status == 0, "\(output)")
    }

    @Test("1, 2: all tenants in waves, five at once, each migration once, although the worker is killed at the seventh")
    func killedBeforeApply() async throws {
        try await self.with(tenants: 8, failpoint: "ApplyTx.before_effect:kill9@7") { stage, yard, tenants in
            let id = try await yard.start(with: ["backup": true])
            await stage.waitForEnd(of: "worker")
            try await stage.startWorker()
            let end = try await yard.until(id, "SUCCEEDED", seconds: 90)
            #expect((end["counts"] as? [String: Int])?["done"] == 8)
            for tenant in tenants {
                #expect(try await yard.history(tenant) == ["V1.0 applied", "V2.0 applied", "V3.0 applied"])
            }
            let overlaps = try await yard.rows(
                """
                select max(n)::text from (select count(*) n from wf_mig.tenant_run a join wf_mig.tenant_run b
                    on b.started_at <= a.started_at and b.ended_at > a.started_at group by a.tenant) x
                """)
            #expect(Int(overlaps[0]) ?? 99 <= 5)
            let order = try await yard.rows("select wave::text from wf_mig.tenant_run order by started_at")
            #expect(order == order.sorted())
            #expect(
                try await yard.rows("select distinct route_version from wf_mig.tenant_version") == ["V3.0"])
            #expect(try await yard.rows("select count(*)::text from wf_mig.backup") == ["8"])
            try await self.replays(stage, "mig:shop")
            try await self.replays(stage, "mig:shop:t07")
            // Once more: there is nothing to do, and no run for it.
            let again = try await yard.post([:], set: try await yard.upload())
            #expect(again.status == 200 && again.text.contains("nothing to do"))
        }
    }

    @Test("3, 9: killed between change and commit, and in the middle of a backfill: nothing twice, nothing lost")
    func killedInTheMiddle() async throws {
        try await self.with(tenants: 1, rows: 5_000, failpoint: "CommitTx.before_effect:kill9") { stage, yard, _ in
            let id = try await yard.start()
            await stage.waitForEnd(of: "worker")
            try await yard.eventually("the backend is gone") {
                try await yard.texts(
                    "select count(*)::text from pg_stat_activity where application_name like 'mig:%'", in: "t01") == [
                        "0"
                    ]
            }
            #expect(try await yard.history("t01") == [])
            #expect(!(try await yard.schema("t01").contains { $0.hasPrefix("age ") }))
            try await stage.startWorker(failpoint: "BackfillBatch.after_effect:kill9@40")
            await stage.waitForEnd(of: "worker")
            #expect(try await yard.texts("select touched::text from _wf.backfill", in: "t01") == ["2000"])
            try await stage.startWorker()
            try await yard.until(id, "SUCCEEDED")
            #expect(try await yard.history("t01") == ["V1.0 applied", "V2.0 applied", "V3.0 applied"])
            #expect(
                try await yard.texts("select visited || ' ' || touched from _wf.backfill", in: "t01") == ["5000 5000"]
            )
            #expect(try await yard.texts("select count(*)::text from people where changes <> 1", in: "t01") == ["0"])
        }
    }

    @Test("4, 5: killed while its backend works, and while an index is built concurrently")
    func killedWhileRunning() async throws {
        try await self.with(tenants: 1) { stage, yard, _ in
            try await yard.run("create table slow (n int); insert into slow values (30)", in: "t01")
            var files = UpgradeYard.set
            files["V1.0__age.sql"] =
                "-- phase: expand\n-- down: V1.0.down.sql\nalter table people add column age int; select pg_sleep(n) from slow;"
            let id = try await yard.start(files)
            let asked =
                "select count(*)::text from pg_stat_activity where application_name like 'mig:%ApplyTx%' and state = 'active'"
            try await yard.eventually("the statement runs") { try await yard.texts(asked, in: "t01") == ["1"] }
            await stage.kill("worker")
            try await yard.run("update slow set n = 0", in: "t01")
            // Holds the index up, so that the worker can be killed in the middle of building it.
            let reader = try await PostgresConnection.connect(PostgresConfiguration(url: stage.tenantURL("t01")))
            try await reader.script("begin")
            _ = try await reader.query(Statement("", "select 1 from slow, txid_current()").call())
            try await stage.startWorker()
            let began = ContinuousClock.now
            try await yard.eventually("the retry is through") {
                try await yard.texts("select version from _wf.schema_history where state = 'applied'", in: "t01") == [
                    "V1.0"
                ]
            }
            #expect(ContinuousClock.now - began < .seconds(8))
            let building = "select count(*)::text from pg_stat_progress_create_index"
            try await yard.eventually("the index is built") { try await yard.texts(building, in: "t01") == ["1"] }
            await stage.kill("worker")
            try await reader.script("rollback")
            reader.close()
            try await stage.startWorker()
            try await yard.until(id, "SUCCEEDED")
            #expect(
                try await yard.texts(
                    "select indisvalid::text from pg_index where indexrelid::regclass::text like 'people_email%'",
                    in: "t01")
                    == ["true"])
        }
    }

    @Test("6, 17: a broken tenant goes back, the rest waits for an operator; a second upgrade is refused meanwhile")
    func brokenTenant() async throws {
        try await self.with(tenants: 8) { stage, yard, _ in
            try await yard.run("update people set email = 'same' where id < 3", in: "t05")
            let before = try await yard.schema("t05")
            let id = try await yard.start(with: ["max_concurrent": 2])
            let waiting = try await yard.until(id, "operator")
            #expect((waiting["counts"] as? [String: Int])?["rolled_back"] == 1)
            #expect(try await yard.schema("t05") == before)
            #expect(try await yard.history("t05") == ["V1.0 rolled_back", "V2.0 rolled_back"])
            #expect(try await yard.states(id).contains("t05 rolled_back"))
            #expect(try await yard.states(id).contains("t08 pending"))
            let second = try await yard.post([:], set: try await yard.upload())
            #expect(second.status == 409 && second.text.contains("/v1/operations/\(id)"), "\(second.text)")
            let tenant = try await yard.rows("select error from wf_mig.tenant_run where tenant = 't05'")
            #expect(tenant[0].hasPrefix("DataViolation: could not create unique index"), "\(tenant)")
            // Mended, it is tried again, and all come to their end.
            try await yard.run("update people set email = 'p' || id where id < 3", in: "t05")
            #expect(try await yard.steer(id, "retry-tenant", #"{"tenant": "t01"}"#).status == 409)
            #expect(try await yard.steer(id, "retry-tenant", #"{"tenant": "t05"}"#).status == 200)
            let end = try await yard.until(id, "SUCCEEDED")
            #expect((end["counts"] as? [String: Int])?["done"] == 8)
            try await self.replays(stage, "mig:shop")
        }
    }

    @Test("7, 16: with room for failures a broken and an unreachable tenant stop nobody")
    func continueOnError() async throws {
        try await self.with(tenants: 6) { _, yard, _ in
            try await yard.run("update people set email = 'same' where id < 3", in: "t03")
            try await yard.put("t04", reference: "main/nowhere")
            let id = try await yard.start(with: [
                "on_error": "continue", "max_failed_tenants": 3, "tenant_timeout": "PT4S",
            ])
            let end = try await yard.until(id, "SUCCEEDED")
            #expect(
                try await yard.states(id) == [
                    "t01 done", "t02 done", "t03 rolled_back", "t04 failed", "t05 done", "t06 done",
                ])
            #expect(((end["result"] as? [String: Any])?["failures"] as? [Any])?.count == 2)
        }
    }

    @Test("10, 15: paused it stays paused over a restart of the server; aborted it takes back what it did")
    func pauseAndAbort() async throws {
        try await self.with(tenants: 8) { stage, yard, tenants in
            let before = try await yard.schema("t01")
            let id = try await yard.start(with: ["max_concurrent": 1])
            try await yard.eventually("a tenant is done") {
                try await yard.states(id).contains { $0.hasSuffix("done") }
            }
            #expect(try await yard.steer(id, "pause").status == 202)
            try await yard.until(id, "PAUSED")
            try await yard.eventually("nobody runs") { try await !yard.states(id).contains { $0.hasSuffix("running") } }
            let done = try await yard.states(id).count { $0.hasSuffix("done") }
            await stage.kill("server")
            try await stage.startServer()
            try await yard.until(id, "PAUSED")
            #expect(try await yard.states(id).count { $0.hasSuffix("done") } == done && done < 8)
            #expect(try await yard.steer(id, "resume").status == 202)
            try await yard.eventually("one more is done") {
                try await yard.states(id).count { $0.hasSuffix("done") } > done
            }
            #expect(try await yard.steer(id, "abort", #"{"mode": "rollback_done", "by": "ann"}"#).status == 200)
            try await yard.until(id, "ROLLED_BACK")
            for tenant in tenants { #expect(try await yard.schema(tenant) == before, "\(tenant)") }
            let back = try await yard.rows(
                "select tenant from wf_mig.tenant_run where state = 'rolled_back' order by ended_at")
            #expect(back.count > done && back == back.sorted().reversed())
        }
    }

    @Test(
        "11, 14: the contract pass runs after its approval; a changed file stops the next upgrade with the tenants' names"
    )
    func contractAndDrift() async throws {
        try await self.with(tenants: 3) { _, yard, tenants in
            var files = UpgradeYard.set
            files["V4.0__gone.sql"] =
                "-- phase: contract\n-- down: irreversible\nalter table people drop column old_name;"
            let id = try await yard.start(files, to: "V4")
            try await yard.until(id, "contract")
            for tenant in tenants { #expect(try await yard.schema(tenant).contains { $0.hasPrefix("old_name") }) }
            let wrong = try await yard.steer(id, "approvals", #"{"gate": "start", "decision": "approve", "by": "bob"}"#)
            #expect(wrong.status == 409)
            let yes = try await yard.steer(
                id, "approvals", #"{"gate": "contract", "decision": "approve", "by": "bob"}"#)
            #expect(yes.status == 200, "\(yes.text)")
            try await yard.until(id, "SUCCEEDED")
            for tenant in tenants { #expect(!(try await yard.schema(tenant).contains { $0.hasPrefix("old_name") })) }
            #expect(try await yard.rows("select gate || ' ' || by from wf_mig.approval") == ["contract bob"])
            files["V1.0__age.sql"]? += " -- changed"
            files["V5.0__more.sql"] =
                "-- phase: expand\n-- down: V5.0.down.sql\nalter table people add column more int;"
            files["V5.0.down.sql"] = "alter table people drop column more;"
            let next = try await yard.start(files, to: "V5", with: ["on_error": "continue", "max_failed_tenants": 3])
            let end = try await yard.until(next, "SUCCEEDED")
            let text = "\(end["result"] ?? "")"
            for tenant in tenants { #expect(text.contains("\(tenant) has applied another V1.0")) }
        }
    }

    @Test("12, 13: both broken migrations are caught: by the gate, by the scratch database, by the verification")
    func brokenMigrations() async throws {
        try await self.with(tenants: 2) { stage, yard, _ in
            let json = [
                "V1.1__settings.sql":
                    "-- phase: expand\n-- down: d.sql\nalter table people add column settings json;\ncreate index people_settings on people using gin (settings);",
                "d.sql": "alter table people drop column settings;",
            ]
            let folder = stage.folder.appending(path: "migrations")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (name, text) in json { try Data(text.utf8).write(to: folder.appending(path: name)) }
            let (status, output) = try await stage.run(["migrate", "lint", folder.path])
            #expect(status == 1 && output.contains("V1.1__settings.sql:4: gin-on-json"), "\(output)")
            let blocked = try await yard.start(json, to: "V1.1")
            try await yard.eventually("the gate blocks") {
                try await yard.upgrade(blocked)["status"] as? String == "FAILED"
            }
            #expect("\(try await yard.upgrade(blocked)["error"] ?? "")".contains("gin-on-json"))
            var allowed = json
            allowed["V1.1__settings.sql"]? =
                "-- allow: json-column test\n-- allow: gin-on-json test\n-- allow: index-not-concurrently test\n"
                + (json["V1.1__settings.sql"] ?? "")
            let shadow = try await yard.start(allowed, to: "V1.1")
            try await yard.eventually("it fails") { try await yard.upgrade(shadow)["status"] as? String == "FAILED" }
            #expect("\(try await yard.upgrade(shadow)["error"] ?? "")".contains("no default operator class"))
            #expect(try await yard.texts("select 1::text where to_regnamespace('_wf') is not null", in: "t01") == [])
            let vain = [
                "V1.2__seen.sql":
                    "-- phase: expand\n-- down: e.sql\nalter table people add column seen_at timestamptz default now();",
                "e.sql": "alter table people drop column seen_at;",
                "V1.3__fill.sql":
                    "-- phase: backfill\n-- backfill: people,id,100,0\n-- allow: backfill-matches-nothing test\nupdate people set seen_at = now() where seen_at is null;",
            ]
            let verified = try await yard.start(
                vain, to: "V1.3", with: ["on_error": "continue", "max_failed_tenants": 2])
            let end = try await yard.until(verified, "SUCCEEDED")
            #expect("\(end["result"] ?? "")".contains("backfill touched 0 of 200 rows"), "\(end)")
            #expect(!(try await yard.schema("t01").contains { $0.hasPrefix("seen_at") }))
        }
    }

    @Test("What cannot be meant is refused with the field's name, and starts nothing")
    func refusals() async throws {
        try await self.with(tenants: 1) { _, yard, _ in
            let set = try await yard.upload()
            let cases: [([String: Any], String)] = [
                (["tenants": ["t99"]], "/tenants/0"), (["tenants": ["tier": "none"]], "/tenants"),
                (["waves": [["name": "a", "percent": 101]]], "/waves/0/percent"),
                (["waves": [["name": "a", "percent": 50], ["name": "b", "percent": 10]]], "/waves/1/percent"),
                (["window": ["tz": "Mars/Olympus", "from": "22:00", "to": "04:00"]], "/window/tz"),
                (["target_version": "V9"], "/target_version"), (["target_version": "nine"], "/target_version"),
                (["migration_set": String(repeating: "0", count: 64)], "/migration_set"),
                (["max_concurrent": 51], "/max_concurrent"), (["surprise": 1], "/surprise"),
                (["on_error": "maybe"], "/on_error"), (["tenant_timeout": "soon"], "/tenant_timeout"),
            ]
            for (fields, pointer) in cases {
                let answer = try await yard.post(fields, set: set)
                #expect(answer.status == 422 && answer.text.contains("\"\(pointer)\""), "\(fields): \(answer.text)")
            }
            #expect(try await yard.rows("select count(*)::text from wf_mig.fleet_run") == ["0"])
        }
    }
}
