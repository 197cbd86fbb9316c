import Foundation
import Postgres
import Testing

@testable import Activities

@Suite("Steps of a fleet", .serialized, .timeLimit(.minutes(5)))
struct FleetActivityTests {
    @Test("The scratch database shows locks and both catalogs, and is gone afterwards")
    func shadow() async throws {
        try await UpgradeBench.with { bench in
            var files = UpgradeBench.expand
            files["V1.3__gone.sql"] = "-- phase: contract\n-- down: irreversible\nalter table people drop column email;"
            let fleet = try await bench.begin(files)
            let services = bench.services()
            let report = try await services.shadowRun(fleet, UpgradeBench.scope())
            #expect(
                report.locks.contains(
                    .init(version: UpgradeBench.version("V1.0"), relation: "people", mode: "AccessExclusiveLock")))
            #expect(report.expanded != report.contracted)
            #expect(
                try await bench.texts("select datname::text from pg_database where datname like 'aloft_shadow%'") == [])
            let step = try await bench.leased(fleet)
            for (version, body) in [("V1.0", services.applyTx), ("V1.1", services.applyStatements)] {
                _ = try await body(step.at(UpgradeBench.version(version)), UpgradeBench.scope())
            }
            #expect(try await bench.fingerprint() == report.expanded)
            _ = try await services.verify(step, UpgradeBench.scope())
            try await bench.run("create table odd (id int)")
            let failure = await bench.failure { try await services.verify(step, UpgradeBench.scope()) }
            #expect(failure.hasPrefix("VerifyFailed: the catalog"), "\(failure)")
        }
    }

    @Test("12: a json column with a GIN index fails on the scratch database in Postgres' own words")
    func ginOnJson() async throws {
        try await UpgradeBench.with { bench in
            let files = [
                "V1.1__settings.sql": """
                -- phase: expand
                -- down: d.sql
                -- allow: json-column to see it fail
                -- allow: index-not-concurrently to see it fail
                -- allow: gin-on-json to see it fail
                alter table people add column settings json;
                create index people_settings on people using gin (settings);
                """, "d.sql": "alter table people drop column settings;",
            ]
            let fleet = try await bench.begin(files)
            let lint = try await bench.services().lint(fleet, UpgradeBench.scope())
            #expect(lint.blocking.isEmpty && lint.allowed == 3)
            let failure = await bench.failure { try await bench.services().shadowRun(fleet, UpgradeBench.scope()) }
            #expect(
                failure.contains(#"data type json has no default operator class for access method "gin""#),
                "\(failure)")
            #expect(try await bench.texts("select nspname::text from pg_namespace where nspname = '_wf'") == [])
        }
    }

    @Test("A down script that does not lead back is found out")
    func wrongDown() async throws {
        try await UpgradeBench.with { bench in
            let files = [
                "V1.0__a.sql":
                    "-- phase: expand\n-- down: d.sql\nalter table people add column a int, add column b int;",
                "d.sql": "alter table people drop column a;",
            ]
            let fleet = try await bench.begin(files)
            let failure = await bench.failure { try await bench.services().shadowRun(fleet, UpgradeBench.scope()) }
            #expect(failure == "ShadowFailed: the down scripts do not lead back to the schema as it was")
        }
    }

    @Test("Tenants are written down once, in waves, and given out in order")
    func selection() async throws {
        try await UpgradeBench.with(tenants: []) { bench in
            for number in 1...12 {
                try await bench.pool.query(UpgradeStatements.putTenant) {
                    $0.text(number < 10 ? "t0\(number)" : "t\(number)")
                    $0.text("")
                    $0.text("main/t\(number)")
                    $0.text("eu")
                    $0.text(number > 10 ? "gold" : "free")
                }
            }
            let services = bench.services()
            let fleet = try await bench.begin()
            let selected = try await services.selectTenants(fleet, UpgradeBench.scope())
            #expect(selected.waves == [1, 1, 10])
            let page = try await services.nextTenants(
                NextTenants(step: fleet, pass: .expand, wave: 2, after: 3, limit: 2), UpgradeBench.scope())
            #expect(page.tenants == [.init(tenant: "t04", ordinal: 4), .init(tenant: "t05", ordinal: 5)])
            let gold = try await bench.begin(upgrade: "up-000000000002") { $0.tenants.tier = "gold" }
            #expect(try await services.selectTenants(gold, UpgradeBench.scope()).total == 2)
        }
    }

    @Test("A window may go over midnight, and knows time zones")
    func windows() throws {
        let window = UpgradeWindow(timeZone: "Europe/Berlin", fromMinute: 22 * 60, untilMinute: 4 * 60)
        // UTC, in June.
        let noon = 1_750_000_000.0 - 1_750_000_000.0.truncatingRemainder(dividingBy: 86_400) + 12 * 3600
        let next = try #require(window.opening(at: noon))
        #expect(next.opensAt == noon + 8 * 3600 && next.closesAt == noon + 14 * 3600)
        let night = try #require(window.opening(at: noon + 13 * 3600))
        #expect(night == next)
        #expect(UpgradeWindow(timeZone: "Mars/Olympus", fromMinute: 0, untilMinute: 1).opening(at: noon) == nil)
    }

    @Test("An address stays with the worker: a reference names a cluster and a plain database")
    func references() {
        let settings = UpgradeSettings(
            clusters: ["main": "postgresql://u:p@h/{database}"], backupFolder: .init(filePath: "/"))
        #expect(settings.url(of: "main/t1")?.url == "postgresql://u:p@h/t1")
        for wrong in ["other/t1", "main", "main/", "main/t1?host=evil", "main/a b"] {
            #expect(settings.url(of: wrong) == nil, "\(wrong)")
        }
        let target = DumpTarget("postgresql://u:p%40@h/t1")
        #expect(target.url == "postgresql://u@h/t1" && target.secrets == ["PGPASSWORD": "p@"])
    }
}
