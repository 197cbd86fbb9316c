import Testing

@testable import Activities

/// A set of one expand migration, to change in tests.
private func files(_ changes: [String: String] = [:]) -> [String: String] {
    var files = [
        "V1.0__people.sql":
            "-- phase: expand\n-- down: V1.0__people.down.sql\ncreate table people (id bigint primary key);",
        "V1.0__people.down.sql": "drop table people;",
    ]
    for (name, text) in changes { files[name] = text }
    return files
}

private func faults(_ files: [String: String]) -> [String] {
    do throws(MigrationSet.Unusable) {
        _ = try MigrationSet(files: files)
        return []
    } catch {
        return error.faults.map(\.description)
    }
}

@Suite("A migration set is read whole or refused with every fault")
struct MigrationSetTests {
    @Test("Versions have an order of numbers, not of texts")
    func versions() throws {
        let texts = ["V1.10", "V1.9", "2", "V1"]
        let versions = try texts.map { try #require(MigrationVersion($0)) }.sorted()
        #expect(versions.map(\.description) == ["V1.0", "V1.9", "V1.10", "V2.0"])
        for wrong in ["", "V", "V1.", "V1.2.3", "Vx", "V-1", "V1.9999999999"] {
            #expect(MigrationVersion(wrong) == nil, "\(wrong)")
        }
    }

    @Test("The header says phase, transaction, what undoes it, the backfill and the queries")
    func headers() throws {
        let set = try MigrationSet(
            files: files([
                "V1.1__name.sql": """
                -- phase: backfill
                -- backfill: people, id, 1000, 5
                -- expect: 3
                -- verify: V1.1__name.verify.sql
                update people set name = 'x' where name is null;
                """,
                "V1.1__name.verify.sql": "select id from people where name is null;",
                "V1.2__gone.sql":
                    "-- phase: contract\n-- tx: true\n-- down: irreversible\nalter table people drop column old;",
            ]))
        #expect(set.migrations.map(\.version.description) == ["V1.0", "V1.1", "V1.2"])
        #expect(
            set.migrations[1].backfill == BackfillPlan(table: "people", key: "id", batch: 1000, sleepMilliseconds: 5))
        #expect(set.migrations[1].expectation == .rows(3))
        #expect(set.migrations[1].verify?.hasPrefix("select") == true)
        #expect(set.migrations[2].isIrreversible)
        #expect(set.migrations[2].statedTx == true)
    }

    @Test("Every fault names its file and its field")
    func faultsAreNamed() {
        #expect(
            faults(["V1.0__a.sql": "select 1;"]) == [
                "V1.0__a.sql: phase: expected '-- phase: expand|backfill|contract'"
            ])
        #expect(
            faults(files(["V1.1__b.sql": "-- phase: soon\n-- tx: maybe\n-- down: nowhere.sql\nselect 1;"])) == [
                "V1.1__b.sql: phase: expected expand, backfill or contract, got 'soon'",
                "V1.1__b.sql: tx: expected true or false, got 'maybe'",
                "V1.1__b.sql: phase: expected '-- phase: expand|backfill|contract'",
                "V1.1__b.sql: down: there is no file 'nowhere.sql' in the set",
            ])
        #expect(
            faults(files(["V1.1__b.sql": "-- phase: backfill\n-- backfill: a,b\nupdate a set x = 1;"])) == [
                "V1.1__b.sql: backfill: expected table,key,batch,sleep_ms, got 'a,b'",
                "V1.1__b.sql: backfill: expected '-- backfill: table,key,batch,sleep_ms'",
            ])
        #expect(
            faults(files(["V1__again.sql": "-- phase: expand\nselect 1;"])) == [
                "V1__again.sql: version: V1.0 is also the version of V1.0__people.sql"
            ])
        #expect(faults(files(["notes.sql": "x"])) == ["notes.sql: name: belongs to no migration: no header names it"])
        #expect(
            faults(files(["V1.1__b.sql": "-- phase: expand\n-- allow: drop-column\n-- allow: no-such why\nselect 'x;"]))
                == [
                    "V1.1__b.sql: allow: drop-column: expected a reason behind the rule",
                    "V1.1__b.sql: allow: 'no-such' is not the name of a rule",
                    "V1.1__b.sql: text: line 4: a quote does not end",
                ])
        #expect(faults([:]) == [": files: there is no migration in the set"])
    }

    @Test("A byte changed anywhere changes the set's name; a changed file changes only its own checksum")
    func checksums() throws {
        let one = try MigrationSet(files: files())
        let other = try MigrationSet(files: files(["V1.0__people.down.sql": "drop table people ;"]))
        #expect(one.sha256 != other.sha256)
        #expect(one.sha256 == MigrationSet.sha256(of: files()))
        #expect(one.migrations[0].checksum != other.migrations[0].checksum)
        let more = try MigrationSet(files: files(["V1.1__b.sql": "-- phase: expand\nselect 1;"]))
        #expect(more.migrations[0].checksum == one.migrations[0].checksum)
    }

    @Test("Pending is what is neither applied nor beyond the target nor of another phase")
    func pending() throws {
        let set = try MigrationSet(
            files: files([
                "V1.1__b.sql": "-- phase: expand\nselect 1;", "V1.2__c.sql": "-- phase: contract\nselect 1;",
                "V1.3__d.sql": "-- phase: expand\nselect 1;",
            ]))
        let pending = set.pending(
            to: MigrationVersion(1, 2), applied: [MigrationVersion(1, 0)], phases: [.expand, .backfill])
        #expect(pending.map(\.version.description) == ["V1.1"])
    }

    @Test("SQL is cut at semicolons that end statements, and at no others")
    func statements() throws {
        let script = try SQLScript(
            """
            -- a comment; with one
            create function f() returns int language sql begin atomic select case when true then 1 end; end;
            /* outer /* inner; */ still; */ insert into t values ('a;b', "c;d", E'\\';');
            do $body$ begin perform 1; end; $body$;
            select $1;
            """)
        #expect(script.statements.map { $0.tokens.first?.text } == ["create", "insert", "do", "select"])
        #expect(script.statements.map(\.line) == [2, 3, 4, 5])
    }
}

@Suite("Waves and times")
struct WavePlanTests {
    @Test("Waves are shares of all tenants, those before included; the last takes the rest")
    func sizes() {
        #expect(WavePlan.sizes(of: WaveSpec.standard, total: 50) == [1, 4, 45])
        #expect(WavePlan.sizes(of: WaveSpec.standard, total: 1) == [1, 0, 0])
        #expect(WavePlan.sizes(of: WaveSpec.standard, total: 1000) == [10, 90, 900])
        #expect(WavePlan.assignment(of: WaveSpec.standard, total: 12) == [0, 1] + Array(repeating: 2, count: 10))
    }

    @Test("However the waves are cut, every tenant is in one", arguments: 0..<200)
    func complete(total: Int) {
        let waves = [
            WaveSpec(name: "a", percent: 3, min: 4, soakSeconds: 0), WaveSpec(name: "b", percent: 55, soakSeconds: 0),
            WaveSpec(name: "c", percent: 100, soakSeconds: 0),
        ]
        let sizes = WavePlan.sizes(of: waves, total: total)
        #expect(sizes.reduce(0, +) == total && sizes.allSatisfy { $0 >= 0 }, "\(total): \(sizes)")
    }
}
