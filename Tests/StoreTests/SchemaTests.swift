import Foundation
import History
import Postgres
import Runtime
import ServerTestKit
import Store
import Testing

@Suite("The schema is what the migrations make")
struct SchemaTests {
    private let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test("schema.sql equals all migrations together")
    func schemaFile() async throws {
        let server = try await TestStore.shared.server()
        let migrated = try await TestStore.shared.database(withSchema: false)
        let written = try await TestStore.shared.database(withSchema: false)
        _ = try await SchemaMigrator(try await TestStore.shared.configuration(migrated)).apply()
        let connection = try await PostgresConnection.connect(try await TestStore.shared.configuration(written))
        try await connection.script(try String(contentsOf: repository.appending(path: "schema.sql"), encoding: .utf8))
        // A newer pg_dump may write a random key against injection; it means nothing.
        func schema(_ database: String) async throws -> [String] {
            try await server.dumpSchema(database: database).split(separator: "\n").map(String.init).filter {
                !$0.hasPrefix("\\")
            }
        }
        let left = try await schema(migrated)
        let right = try await schema(written)
        #expect(left.count > 100)
        #expect(left.difference(from: right).isEmpty, "\(left.difference(from: right))")
    }

    @Test("Applying twice, and from several programs at once, applies each migration once")
    func applyTwice() async throws {
        let configuration = try await TestStore.shared.configuration(
            try await TestStore.shared.database(withSchema: false))
        let migrator = SchemaMigrator(configuration)
        #expect(try await migrator.status() == .behind(missing: 1, isEmpty: true))
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<5 { group.addTask { try await migrator.apply() } }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(applied == ["first schema"])
        #expect(try await migrator.status() == .upToDate)
        #expect(try await migrator.apply().isEmpty)
    }

    @Test("A database that a newer or another program changed is refused by name")
    func incompatible() async throws {
        let configuration = try await TestStore.shared.configuration(try await TestStore.shared.database())
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.script(
            "insert into aloft.schema_migrations (version, name, checksum) values (99, 'future', 'x')")
        guard case .incompatible = try await SchemaMigrator(configuration).status() else {
            Issue.record("a future migration was accepted")
            return
        }
        await #expect(throws: StoreError.self) {
            _ = try await PostgresStore.open(PostgresStore.Configuration(configuration, laneCount: 1))
        }
        try await connection.script(
            "delete from aloft.schema_migrations where version = 99; update aloft.schema_migrations set checksum = 'edited'"
        )
        guard case .incompatible = try await SchemaMigrator(configuration).status() else {
            Issue.record("an edited migration was accepted")
            return
        }
    }

    @Test("Every statement can be prepared, and no two share a name")
    func statements() async throws {
        let connection = try await PostgresConnection.connect(
            try await TestStore.shared.configuration(try await TestStore.shared.database()))
        for statement in AllStatements.list {
            await #expect(throws: Never.self, "\(statement.name)") {
                try await connection.script("prepare \"\(statement.name)\" as \(statement.sql)")
            }
        }
        #expect(Set(AllStatements.list.map(\.name)).count == AllStatements.list.count)
    }

    @Test("A family may publish and do nothing else; the server may not change history")
    func rights() async throws {
        let connection = try await PostgresConnection.connect(
            try await TestStore.shared.configuration(try await TestStore.shared.database()))
        func attempt(as role: String, _ sql: String) async -> String? {
            do throws(PostgresError) {
                try await connection.script("begin; set local role \(role); \(sql); rollback")
                return nil
            } catch {
                try? await connection.script("rollback")
                return error.sqlState
            }
        }
        let denied = "42501"
        let publish = "select outbox.publish('default', 'pay', 'charged', 'p-1', '{}')"
        #expect(await attempt(as: "aloft_family", publish) == nil)
        for sql in [
            "select * from outbox.event", "insert into outbox.subject values ('a', 'b', 'c', 1)",
            "select * from aloft.runs",
            "select outbox.assign_positions(1)", "delete from aloft.events",
        ] {
            #expect(await attempt(as: "aloft_family", sql) == denied, "\(sql)")
        }
        #expect(await attempt(as: "aloft_server", "select * from aloft.runs") == nil)
        #expect(await attempt(as: "aloft_server", publish) == nil)
        for sql in [
            "update aloft.events set actor = ''", "delete from aloft.events", "truncate aloft.events",
            "drop table aloft.events",
        ] {
            #expect(await attempt(as: "aloft_server", sql) == denied, "\(sql)")
        }
    }

    @Test("The whole store works as the server's own role")
    func asServerRole() async throws {
        let database = try await TestStore.shared.database()
        var configuration = try await TestStore.shared.configuration(database)
        configuration.settings = [("role", "aloft_server")]
        let store = try await PostgresStore.open(PostgresStore.Configuration(configuration, laneCount: 4))
        let lease = try await store.acquireLanes(node: "a", address: "", limit: 4, seconds: 60)[0]
        let run = key("order")
        let claim = RequestClaim(
            scope: "s", key: "k", fingerprint: [1], operationID: "op", operationKind: "pay", createdAt: .zero,
            expiresAt: .distantFuture)
        try await store.commit(CommitBatch(lane: 0, epoch: lease.epoch, writes: [start(run, outbox: 1, claim: claim)]))
        try await store.commit(
            CommitBatch(
                lane: 0, epoch: lease.epoch,
                writes: [StoreTests.update(run, version: 1, events: [event(3, type: 40)], outbox: 2)]))
        try await store.insertNamespace(Namespace(id: Fixture.namespace, name: "default", retention: .days(1)))
        try await store.saveMarks([RelayMark(lane: 0, sequence: 1, streamSequence: 1, streamCreated: 1, messageID: "m")]
        )
        #expect(try await store.outboxEntries(lane: 0, after: 0, limit: 9).count == 2)
        #expect(try await store.domainEvents(after: 0, limit: 9).isEmpty)
        #expect(try await store.listRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 9)).count == 1)
        try await store.releaseLanes(node: "a")
    }
}
