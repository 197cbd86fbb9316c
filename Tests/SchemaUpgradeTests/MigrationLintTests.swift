import Testing

@testable import Activities

@Suite("The gate refuses what would hurt")
struct MigrationLintTests {
    /// Findings of one migration behind a table `people`, as `rule` or `(rule)` when allowed.
    private func rules(
        _ sql: String, phase: String = "expand", header: String = "", before: String = ""
    ) throws -> [String] {
        var files = [
            "V1.0__people.sql": "-- phase: expand\n-- down: d.sql\ncreate table people (id bigint primary key);",
            "d.sql": "drop table people;", "d2.sql": "select 1;",
        ]
        if !before.isEmpty { files["V1.1__before.sql"] = "-- phase: expand\n-- down: d2.sql\n\(before)" }
        files["V1.2__this.sql"] = "-- phase: \(phase)\n-- down: d2.sql\n\(header)\n\(sql)"
        return MigrationLint.findings(of: try MigrationSet(files: files)).filter { $0.file == "V1.2__this.sql" }.map {
            $0.isBlocking ? $0.rule.rawValue : "(\($0.rule.rawValue))"
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var sql: String
        var rules: [String]
        var testDescription: String { self.sql }
        init(_ sql: String, _ rules: String...) {
            self.sql = sql
            self.rules = rules
        }
    }

    static let cases: [Case] = [
        Case("alter table people add column name text;"),
        Case("alter table people add column n int not null default 0;"),
        Case("alter table people add column at timestamptz default now();"),
        Case(
            "create table pets (id int primary key, owner bigint references people, doc jsonb); create index on pets (owner);"
        ),
        Case("alter table people drop column name;", "drop-column", "contract-in-expand"),
        Case("alter table people rename column a to b;", "rename-column"),
        Case("alter table people rename a to b;", "rename-column"),
        Case("alter table people rename to persons;", "rename-table"),
        Case("drop table if exists public.people, other;", "drop-table", "contract-in-expand"),
        Case("alter table people alter column n type bigint;", "change-type"),
        Case("alter table people alter n set data type bigint using n::bigint;", "change-type"),
        Case("alter table people add constraint f foreign key (a) references b (id);", "constraint-without-not-valid"),
        Case("alter table people add constraint f foreign key (a) references b (id) not valid;"),
        Case("alter table people add check (n > 0);", "constraint-without-not-valid"),
        Case("alter table people add constraint u unique (n);", "unique-constraint"),
        Case("alter table people add constraint u unique using index people_n;"),
        Case("create unique index people_n on people (n);", "index-not-concurrently"),
        Case("create index concurrently people_n on people (n);"),
        Case("create index concurrently on people (n);", "index-needs-name"),
        Case("drop index people_n;", "index-not-concurrently"),
        Case("reindex index people_n;", "index-not-concurrently"),
        Case("alter table people add column doc json;", "json-column"),
        Case("alter table people add column key uuid default gen_random_uuid();", "volatile-default"),
        Case("alter table people add column n bigserial;", "volatile-default"),
        Case("alter table people alter column n set not null;", "set-not-null"),
        Case("alter table people add column n int not null;", "set-not-null"),
        Case(
            "alter table people add column full_name text generated always as (a || b) stored;",
            "stored-generated-column"),
        Case("alter type mood rename value 'sad' to 'blue';", "rename-enum-value"),
        Case("alter schema app rename to app2;", "rename-schema"),
        Case(
            "alter table people add column n int; update people set n = 1;", "backfill-in-ddl-transaction"),
        Case("begin; alter table people add column n int; commit;", "transaction-control", "transaction-control"),
        Case(
            "alter table people alter n type bigint, alter m type bigint;", "change-type", "change-type",
            "several-rewrites"),
        Case("vacuum people; alter table people add column n int;", "mixed-transaction"),
        Case(
            "alter type mood add value 'fine'; alter table people add column m mood default 'fine';",
            "enum-value-in-its-transaction"),
        Case("-- 'drop table people;' in a comment\nselect 'drop table people';"),
    ]

    @Test("Each statement breaks exactly its rules", arguments: cases)
    func statements(of one: Case) throws {
        #expect(try self.rules(one.sql) == one.rules)
    }

    @Test("Dropping is what phase contract is for")
    func contract() throws {
        #expect(try self.rules("alter table people drop column name;", phase: "contract") == [])
        #expect(try self.rules("drop table people;", phase: "contract") == [])
        #expect(try self.rules("alter table people rename column a to b;", phase: "contract") == ["rename-column"])
    }

    @Test("A column may become NOT NULL once a check for it was validated")
    func notNull() throws {
        let check = "alter table people add constraint c check (n is not null) not valid;"
        #expect(try self.rules("alter table people alter n set not null;", before: check) == ["set-not-null"])
        #expect(
            try self.rules(
                "alter table people alter n set not null;",
                before: check + "alter table people validate constraint c;") == [])
    }

    @Test("The header may say tx only as the statements need it")
    func tx() throws {
        let index = "create index concurrently people_n on people (n);"
        #expect(try self.rules(index, header: "-- tx: true") == ["wrong-tx"])
        #expect(try self.rules(index, header: "-- tx: false") == [])
        #expect(try self.rules("select 1;", header: "-- tx: false") == ["wrong-tx"])
    }

    @Test("A migration without a way back must say so")
    func down() throws {
        let files = ["V1__a.sql": "-- phase: expand\nselect 1;"]
        #expect(MigrationLint.findings(of: try MigrationSet(files: files)).map(\.rule) == [.missingDown])
        let said = ["V1__a.sql": "-- phase: expand\n-- down: irreversible\nselect 1;"]
        #expect(MigrationLint.findings(of: try MigrationSet(files: said)).isEmpty)
    }

    @Test("A backfill is one UPDATE of its own table")
    func backfill() throws {
        let header = "-- backfill: people,id,10,0"
        #expect(try self.rules("update people set n = 1;", phase: "backfill", header: header) == [])
        #expect(try self.rules("update pets set n = 1;", phase: "backfill", header: header) == ["backfill-form"])
        #expect(
            try self.rules("update people set n = 1 returning id;", phase: "backfill", header: header)
                == ["backfill-form"])
    }

    @Test("A GIN index on a json column is found across files, and an allowance needs its reason")
    func ginOnJson() throws {
        let column = "-- allow: json-column known\nalter table people add column settings json;"
        let index = "create index concurrently people_settings on people using gin (settings);"
        #expect(try self.rules(index, before: column) == ["gin-on-json"])
        #expect(
            try self.rules(index, header: "-- allow: gin-on-json to see it fail", before: column) == ["(gin-on-json)"])
    }

    @Test("A backfill of a column that its default has filled matches nothing")
    func backfillMatchesNothing() throws {
        let column = "alter table people add column seen_at timestamptz default now();"
        let update = "update people set seen_at = now() where seen_at is null;"
        #expect(
            try self.rules(column + update) == ["backfill-matches-nothing", "backfill-in-ddl-transaction"])
        #expect(
            try self.rules(update, phase: "backfill", header: "-- backfill: people,id,100,0", before: column)
                == ["backfill-matches-nothing"])
        #expect(
            try self.rules(
                "update people set seen_at = now() where seen_at is null or n = 1;", phase: "backfill",
                header: "-- backfill: people,id,100,0", before: column) == [])
    }
}
