import Postgres
import ServerTestKit
import Synchronization
import Testing

@Suite("The pool lends connections fairly and survives a lost server")
struct PoolTests {
    private let insert = Statement("insert_number", "insert into numbers values ($1::int8)")
    private let count = Statement("count_numbers", "select count(*) from numbers")
    private let processID = Statement("process_id", "select pg_backend_pid()")

    private func pool(connections: Int = 4) async throws -> PostgresPool {
        var limits = PostgresPool.Limits()
        limits.connectionsMax = connections
        return PostgresPool(try await TestServer.shared.configuration(), limits: limits)
    }

    @Test("Never more connections than allowed, and each caller gets an answer")
    func bounded() async throws {
        let pool = try await pool(connections: 3)
        defer { pool.close() }
        let seen = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<300 { group.addTask { try await pool.query(processID)[0].int32(0) } }
            var seen: Set<Int32> = []
            for try await id in group { seen.insert(id) }
            return seen
        }
        #expect(seen.count <= 3)
    }

    @Test("A caller cancelled in the queue leaves it, and the place is not lost")
    func cancellation() async throws {
        let pool = try await pool(connections: 1)
        defer { pool.close() }
        try await pool.withConnection { _ in
            let waiters = (0..<20).map { _ in
                Task { () -> PostgresError.Kind? in
                    do throws(PostgresError) {
                        try await pool.query(processID)
                        return nil
                    } catch {
                        return error.kind
                    }
                }
            }
            for waiter in waiters { waiter.cancel() }
            for waiter in waiters { #expect(await waiter.value == .cancelled) }
        }
        #expect(try await pool.query(processID).count == 1)
    }

    @Test("A storm of cancellations leaves the pool whole")
    func cancellationStorm() async throws {
        let pool = try await pool(connections: 2)
        defer { pool.close() }
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<400 {
                group.addTask {
                    let task = Task { _ = try await pool.query(processID) }
                    if index % 3 != 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        for _ in 0..<10 { #expect(try await pool.query(processID).count == 1) }
    }

    @Test("A connection the server ended while idle is replaced without the caller seeing it")
    func idleLoss() async throws {
        let pool = try await pool(connections: 1)
        defer { pool.close() }
        let victim = try await pool.query(processID)[0].int32(0)
        let killer = try await PostgresConnection.connect(try await TestServer.shared.configuration())
        try await killer.query(
            Statement("kill", "select pg_terminate_backend($1::int4, 5000)").call { $0.int32(victim) })
        let next = try await pool.query(processID)[0].int32(0)
        #expect(next != victim)
    }

    @Test("A connection left in a transaction does not come back")
    func openTransaction() async throws {
        let pool = try await pool(connections: 1)
        defer { pool.close() }
        let first = try await pool.withConnection { connection in
            try await connection.query(Statement("begin", "begin").call())
            return connection.backendProcessID
        }
        #expect(try await pool.query(processID)[0].int32(0) != first)
    }

    @Test("A transaction commits when its body returns and rolls back when it throws")
    func transactions() async throws {
        struct Stop: Error {}
        let pool = PostgresPool(try await TestServer.shared.database())
        defer { pool.close() }
        try await pool.withConnection { try await $0.script("create table numbers (n bigint primary key)") }
        try await pool.withTransaction { transaction in
            try await transaction.query(insert) { $0.int64(1) }
            #expect(try await transaction.query(count)[0].int64(0) == 1)
            #expect(try await pool.query(count)[0].int64(0) == 0)
        }
        await #expect(throws: Stop.self) {
            try await pool.withTransaction { transaction in
                try await transaction.query(insert) { $0.int64(2) }
                throw Stop()
            }
        }
        #expect(try await pool.query(count)[0].int64(0) == 1)
    }

    @Test("A transaction whose body swallowed an error does not pretend to have committed")
    func swallowedError() async throws {
        let pool = try await pool()
        defer { pool.close() }
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { transaction in
                _ = try? await transaction.query(Statement("division", "select 1/0").call())
            }
        }
        #expect(error?.sqlState == "25P02")
    }

    @Test("After a restart of the server the pool works again")
    func restart() async throws {
        let server = try await PrivatePostgres.temporary()
        let pool = PostgresPool(PostgresConfiguration(url: server.url()))
        defer { pool.close() }
        _ = try await pool.query(processID)
        await server.crash()
        async let during = pool.query(processID)
        try await server.start()
        #expect(try await during.count == 1)
        #expect(await pool.isReachable())
        await server.stop()
        #expect(await pool.isReachable() == false)
    }

    @Test("A listener hears what is notified and reports when it listens again after a loss")
    func listener() async throws {
        let configuration = try await TestServer.shared.configuration()
        let pool = PostgresPool(configuration)
        defer { pool.close() }
        let notify = Statement("notify", "select pg_notify('pool_test', $1::text)")
        let terminate = Statement(
            "terminate", "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen pool_test%'")
        var events = PostgresListener(configuration, channels: ["pool_test"]).events().makeAsyncIterator()
        #expect(await events.next() == .listening)
        try await pool.query(notify) { $0.text("hello") }
        guard case .notified(let notification) = await events.next() else {
            Issue.record("expected a notification")
            return
        }
        #expect(notification.channel == "pool_test")
        #expect(notification.payload == "hello")
        try await pool.query(terminate)
        #expect(await events.next() == .listening)
    }
}
