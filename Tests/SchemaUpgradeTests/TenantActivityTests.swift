import Foundation
import Postgres
import ServerTestKit
import Testing

@testable import Activities

private let v10 = UpgradeBench.version("V1.0")
private let v11 = UpgradeBench.version("V1.1")
private let v12 = UpgradeBench.version("V1.2")

@Suite("Steps on a tenant's real database", .serialized, .timeLimit(.minutes(5)))
struct TenantActivityTests {
    @Test("17: a stale worker with an old fence number cannot write history")
    func fence() async throws {
        try await UpgradeBench.with { bench in
            let fleet = try await bench.begin()
            let services = bench.services()
            let old = try await bench.leased(fleet)
            #expect(try await bench.leased(fleet).fence == old.fence)  // asked again by the same holder
            var other = fleet
            other.upgrade = "up-000000000002"
            #expect(
                await bench.failure { try await bench.leased(other) }
                    == "Conflict: another upgrade holds the lease of t1")
            try await bench.run("update wf_mig.lease set expires = now() - interval '1 s'", in: "control")
            let new = try await bench.leased(other)
            #expect(new.fence == old.fence + 1)
            let lost = await bench.failure { try await services.applyTx(old.at(v10), UpgradeBench.scope()) }
            #expect(lost.hasPrefix("FenceLost"), "\(lost)")
            // Even with the control table out of sight, the tenant's own database knows the newer number.
            try await bench.run("update wf_mig.lease set fence = \(old.fence)", in: "control")
            let refused = await bench.failure { try await services.applyTx(old.at(v10), UpgradeBench.scope()) }
            #expect(refused.hasPrefix("FenceLost"), "\(refused)")
            #expect(try await bench.history() == [])
            #expect(try await bench.columns() == ["email", "id", "name"])
        }
    }

    @Test("2, 3: a migration and its history row are there together or not at all, and once")
    func applyTx() async throws {
        try await UpgradeBench.with { bench in
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet).at(v10)
            let broken = bench.services(failpoints: "CommitTx.before_effect:error")
            let failure = await bench.failure { try await broken.applyTx(step, UpgradeBench.scope()) }
            #expect(failure.hasPrefix("Transient"))
            #expect(try await bench.history() == [])
            #expect(try await bench.columns() == ["email", "id", "name"])
            for _ in 0..<2 {
                #expect(try await bench.services().applyTx(step, UpgradeBench.scope()).version == v10)
            }
            #expect(try await bench.history() == ["V1.0 applied"])
            #expect(try await bench.columns() == ["age", "email", "id", "name"])
            #expect(
                try await bench.texts(
                    "select count(*)::text from outbox.event where type = 'mig.tenant.step_done'", in: "control")
                    == ["1"])
        }
    }

    @Test("8: a lock is waited for no longer than lock_timeout, and readers behind it wait no longer either")
    func lockTimeout() async throws {
        try await UpgradeBench.with { bench in
            let fleet = try await bench.begin { $0.lockTimeoutMilliseconds = 300 }
            let step = try await bench.leased(fleet).at(v10)
            let reader = try await OpenTransaction(bench, "select count(*) from people")
            async let failed = bench.failure { try await bench.services().applyTx(step, UpgradeBench.scope()) }
            let began = ContinuousClock.now
            var slowest = Duration.zero
            while ContinuousClock.now - began < .seconds(1) {
                let asked = ContinuousClock.now
                _ = try await bench.texts("select count(*)::text from people")
                slowest = max(slowest, ContinuousClock.now - asked)
            }
            let failure = await failed
            #expect(failure.hasPrefix("Transient") && failure.contains("55P03"), "\(failure)")
            #expect(slowest < .seconds(2), "\(slowest)")
            try await reader.end()
            _ = try await bench.services().applyTx(step, UpgradeBench.scope())
            #expect(try await bench.history() == ["V1.0 applied"])
        }
    }

    @Test("4: a retry ends what an earlier attempt left running, soon")
    func namesakes() async throws {
        try await UpgradeBench.with { bench in
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet).at(v10)
            let name = TenantSession.applicationName(step.op("ApplyTx"))
            let url = bench.postgres.url(database: "t1")
            let left = Task {
                let connection = try await PostgresConnection.connect(
                    PostgresConfiguration(url: url, applicationName: name))
                try await connection.script("begin; alter table people add column age int; select pg_sleep(30)")
            }
            let asked = "select count(*)::text from pg_stat_activity where application_name = '\(name)'"
            while try await bench.texts(asked) != ["1"] { try await Task.sleep(for: .milliseconds(5)) }
            let began = ContinuousClock.now
            _ = try await bench.services().applyTx(step, UpgradeBench.scope())
            #expect(ContinuousClock.now - began < .seconds(5))
            await #expect(throws: PostgresError.self) { try await left.value }
            #expect(try await bench.history() == ["V1.0 applied"])
        }
    }

    @Test("5, 6: a half-built index is dropped and built again, or taken away, and the catalog is as before")
    func invalidIndex() async throws {
        try await UpgradeBench.with { bench in
            let before = try await bench.fingerprint()
            try await bench.run("update people set email = 'same' where id in (7, 8)")
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet).at(v11)
            let services = bench.services()
            let failure = await bench.failure { try await services.applyStatements(step, UpgradeBench.scope()) }
            #expect(failure.hasPrefix("DataViolation"), "\(failure)")
            let valid = "select indisvalid::text from pg_index where indexrelid = to_regclass('people_email')"
            #expect(try await bench.texts(valid) == ["false"])
            #expect(try await bench.history() == ["V1.1 running"])
            _ = try await services.runDown(step, UpgradeBench.scope())
            #expect(try await bench.texts(valid) == [])
            #expect(try await bench.fingerprint() == before)
            #expect(try await bench.history() == ["V1.1 rolled_back"])
            // A crash in the middle leaves the same: the next attempt finds it and builds it again.
            _ = await bench.failure { try await services.applyStatements(step, UpgradeBench.scope()) }
            #expect(try await bench.texts(valid) == ["false"])
            try await bench.run("update people set email = 'p' || id where id in (7, 8)")
            _ = try await services.applyStatements(step, UpgradeBench.scope())
            #expect(try await bench.texts(valid) == ["true"])
            #expect(try await bench.history() == ["V1.1 applied"])
        }
    }

    @Test("9: a backfill goes on at the stored key: no row twice, all rows counted")
    func backfill() async throws {
        try await UpgradeBench.with { bench in
            try await bench.run(
                """
                alter table people add column changes int not null default 0;
                create function count_changes() returns trigger language plpgsql as
                    'begin new.changes := old.changes + 1; return new; end';
                create trigger counting before update on people for each row execute function count_changes();
                """)
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet).at(v12)
            let broken = bench.services(failpoints: "BackfillBatch.after_effect:error@4")
            #expect(
                await bench.failure { try await broken.backfill(step, UpgradeBench.scope()) }.hasPrefix("Transient"))
            #expect(try await bench.texts("select last_key || ' ' || touched from _wf.backfill") == ["400 400"])
            let applied = try await bench.services().backfill(step, UpgradeBench.scope())
            #expect(applied.visited == 1000 && applied.touched == 1000)
            #expect(try await bench.services().backfill(step, UpgradeBench.scope()).touched == 1000)
            #expect(try await bench.texts("select count(*)::text from people where changes <> 1") == ["0"])
            #expect(try await bench.texts("select name from people where id = 1000") == ["n1000"])
            _ = try await bench.services().verify(step, UpgradeBench.scope())
        }
    }

    @Test("13: a backfill that matches nothing is found out")
    func vainBackfill() async throws {
        try await UpgradeBench.with { bench in
            let files = [
                "V1.1__seen.sql":
                    "-- phase: expand\n-- down: d.sql\nalter table people add column seen_at timestamptz default now();",
                "d.sql": "alter table people drop column seen_at;",
                "V1.2__fill.sql": """
                -- phase: backfill
                -- backfill: people,id,300,0
                -- allow: backfill-matches-nothing to see it found out
                update people set seen_at = now() where seen_at is null;
                """,
            ]
            let fleet = try await bench.begin(files)
            let step = try await bench.leased(fleet)
            let services = bench.services()
            _ = try await services.applyTx(step.at(v11), UpgradeBench.scope())
            _ = try await services.backfill(step.at(v12), UpgradeBench.scope())
            #expect(
                await bench.failure { try await services.verify(step, UpgradeBench.scope()) }
                    == "VerifyFailed: V1.2: backfill touched 0 of 1000 rows")
        }
    }

    @Test("14: a migration that was changed after it was applied stops the next upgrade, with the tenant's name")
    func drift() async throws {
        try await UpgradeBench.with { bench in
            let services = bench.services()
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet)
            _ = try await services.applyTx(step.at(v10), UpgradeBench.scope())
            let report = try await services.preflight(step, UpgradeBench.scope())
            #expect(report.from == nil && report.pending.map(\.version) == [v11, v12])
            #expect(report.pending.map(\.kind) == [.statements, .backfill] && report.applied.map(\.version) == [v10])
            var files = UpgradeBench.expand
            files["V1.0__age.sql"]? += " -- changed"
            let next = try await bench.begin(files, upgrade: "up-000000000002")
            try await bench.run("update wf_mig.lease set expires = now() - interval '1 s'", in: "control")
            let later = try await bench.leased(next)
            #expect(
                await bench.failure { try await services.preflight(later, UpgradeBench.scope()) }
                    == "ChecksumDrift: t1 has applied another V1.0 than the set's")
        }
    }

    @Test("An old transaction holds the preflight up")
    func oldTransaction() async throws {
        try await UpgradeBench.with { bench in
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet)
            let reader = try await OpenTransaction(bench, "select count(*) from people")
            let strict = bench.services { $0.oldTransactionSeconds = 0 }
            let failure = await bench.failure { try await strict.preflight(step, UpgradeBench.scope()) }
            #expect(failure == "Transient: 1 transactions are older than 0 s")
            try await reader.end()
            _ = try await strict.preflight(step, UpgradeBench.scope())
        }
    }

    @Test("A backup is written, checked, found again, restored, and deleted")
    func backup() async throws {
        try await UpgradeBench.with { bench in
            let services = bench.services()
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet)
            let before = try await bench.fingerprint()
            let report = try await services.backup(step, UpgradeBench.scope())
            #expect(report.bytes > 1000 && report.sha256.utf8.count == 64)
            #expect(try await services.backup(step, UpgradeBench.scope()) == report)
            try await bench.run("drop table people; create table wrong (id int)")
            _ = try await services.restoreBackup(step, UpgradeBench.scope())
            #expect(try await bench.fingerprint() == before)
            #expect(try await bench.texts("select count(*)::text from people") == ["1000"])
            _ = try await services.deleteBackups(fleet, UpgradeBench.scope())
            #expect(!FileManager.default.fileExists(atPath: report.path))
        }
    }

    @Test("The route changes with its event, once, and goes back to where it was")
    func routes() async throws {
        try await UpgradeBench.with { bench in
            let services = bench.services()
            let fleet = try await bench.begin()
            let step = try await bench.leased(fleet)
            let asked = "select coalesce(route_version, 'none') from wf_mig.tenant_version"
            _ = try await services.switchRouteBack(step, UpgradeBench.scope())  // nothing to undo
            for _ in 0..<2 { _ = try await services.switchRoute(step, UpgradeBench.scope()) }
            #expect(try await bench.texts(asked, in: "control") == ["V1.2"])
            for _ in 0..<2 { _ = try await services.switchRouteBack(step, UpgradeBench.scope()) }
            #expect(try await bench.texts(asked, in: "control") == ["none"])
            #expect(
                try await bench.texts(
                    "select type from outbox.event where type like 'route.%' order by subject_seq", in: "control")
                    == ["route.version_updated", "route.version_rolled_back"])
        }
    }

    @Test("Both versions are served side by side; what the contract phase drops is not in the new one's views")
    func versions() async throws {
        try await UpgradeBench.with { bench in
            let services = bench.services()
            var files = UpgradeBench.expand
            files["V1.3__gone.sql"] = "-- phase: contract\n-- down: irreversible\nalter table people drop column email;"
            let fleet = try await bench.begin(files) { $0.strategy = .blueGreen }
            let step = try await bench.leased(fleet)
            try await bench.run(
                "create schema svc_0_9; create view svc_0_9.people as select id, email from public.people")
            _ = try await services.applyTx(step.at(v10), UpgradeBench.scope())
            let before = try await bench.fingerprint()
            for _ in 0..<2 { _ = try await services.createVersion(step, UpgradeBench.scope()) }
            #expect(try await bench.fingerprint() == before)
            let columns = """
                select attname::text from pg_attribute where attrelid = 'svc_1_3.people'::regclass and attnum > 0 order by 1
                """
            #expect(try await bench.texts(columns) == ["age", "id", "name"])
            _ = try await services.dropOldVersions(step, UpgradeBench.scope())
            let schemas = "select nspname::text from pg_namespace where nspname like 'svc%'"
            #expect(try await bench.texts(schemas) == ["svc_1_3"])
            let contract = try await bench.leased(fleet, pass: .contract)
            _ = try await services.applyTx(contract.at(UpgradeBench.version("V1.3")), UpgradeBench.scope())
            #expect(try await bench.columns() == ["age", "id", "name"])
            for _ in 0..<2 { _ = try await services.dropVersion(step, UpgradeBench.scope()) }
            #expect(try await bench.texts(schemas) == [])
        }
    }
}
