import Postgres
import ServerTestKit
import Testing

@Suite("A lost connection says what may have happened")
struct LostConnectionTests {
    private let insert = Statement("insert_number", "insert into numbers values ($1::int8)")
    private let count = Statement("count_numbers", "select count(*) from numbers")

    /// A pool behind a proxy, with one warm connection, and a pool that goes around the proxy.
    private func pools() async throws -> (CuttingProxy, PostgresPool, PostgresPool) {
        let direct = PostgresPool(try await TestServer.shared.database())
        try await direct.withConnection { try await $0.script("create table numbers (n bigint primary key)") }
        let database = try await direct.query(Statement("name", "select current_database()::text"))[0].text(0)
        let proxy = try CuttingProxy(target: try await TestServer.shared.server().socketFolder)
        var limits = PostgresPool.Limits()
        limits.connectionsMax = 1
        let cut = PostgresPool(PostgresConfiguration(url: proxy.url(database: database)), limits: limits)
        try await cut.query(insert) { $0.int64(0) }
        return (proxy, cut, direct)
    }

    @Test("After the Sync the outcome is unknown, whether it arrived or not", arguments: [true, false])
    func pipeline(arrives: Bool) async throws {
        let (proxy, cut, direct) = try await pools()
        defer { proxy.stop() }
        proxy.arm(arrives ? .afterRequest : .beforeRequest)
        let error = await #expect(throws: PostgresError.self) { try await cut.query(insert) { $0.int64(1) } }
        #expect(error?.kind == .outcomeUnknown)
        #expect(error?.isSafeToRetry == false)
        #expect(try await direct.query(count)[0].int64(0) == (arrives ? 2 : 1))
        #expect(try await cut.query(count)[0].int64(0) == (arrives ? 2 : 1))
    }

    @Test("Inside a transaction a loss before COMMIT changes nothing and may be repeated")
    func insideTransaction() async throws {
        let (proxy, cut, direct) = try await pools()
        defer { proxy.stop() }
        let error = await #expect(throws: PostgresError.self) {
            try await cut.withTransaction { transaction in
                try await transaction.query(insert) { $0.int64(1) }
                proxy.arm(.afterRequest)
                try await transaction.query(insert) { $0.int64(2) }
            }
        }
        #expect(error?.kind == .connectionLost)
        #expect(error?.isSafeToRetry == true)
        #expect(try await direct.query(count)[0].int64(0) == 1)
    }

    @Test("A loss of COMMIT itself leaves the outcome unknown")
    func atCommit() async throws {
        let (proxy, cut, direct) = try await pools()
        defer { proxy.stop() }
        let error = await #expect(throws: PostgresError.self) {
            try await cut.withTransaction { transaction in
                try await transaction.query(insert) { $0.int64(1) }
                proxy.arm(.afterRequest)
            }
        }
        #expect(error?.kind == .outcomeUnknown)
        #expect(try await direct.query(count)[0].int64(0) == 2)
    }

    @Test("A server that falls silent is given up after the answer timeout, with an unknown outcome")
    func silence() async throws {
        var configuration = try await TestServer.shared.configuration()
        configuration.answerTimeout = .milliseconds(50)
        let connection = try await PostgresConnection.connect(configuration)
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query(Statement("sleep", "select pg_sleep(30)").call())
        }
        #expect(error?.kind == .outcomeUnknown)
        #expect(!connection.isUsable)
    }
}
