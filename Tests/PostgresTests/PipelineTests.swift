import Postgres
import Testing

@Suite("A pipeline is one transaction")
struct PipelineTests {
    private let insert = Statement("insert_number", "insert into numbers values ($1::int8)")
    private let count = Statement("count_numbers", "select count(*) from numbers")

    private func connection() async throws -> PostgresConnection {
        let connection = try await PostgresConnection.connect(try await TestServer.shared.database())
        try await connection.script("create table numbers (n bigint primary key)")
        return connection
    }

    @Test("Results come back in the order of the calls")
    func order() async throws {
        let connection = try await connection()
        let calls = (0..<100).map { n in insert.call { $0.int64(n) } } + [count.call()]
        let results = try await connection.pipeline(calls)
        #expect(results.count == 101)
        #expect(results[5].affectedRows == 1)
        #expect(results[5].tag == "INSERT 0 1")
        #expect(try results[100][0].int64(0) == 100)
    }

    @Test("One failing call undoes them all, names itself and leaves the connection usable")
    func failure() async throws {
        let connection = try await connection()
        let error = await #expect(throws: PostgresError.self) {
            _ = try await connection.pipeline([
                insert.call { $0.int64(1) }, insert.call { $0.int64(1) }, insert.call { $0.int64(2) },
            ])
        }
        #expect(error?.kind == .server)
        #expect(error?.sqlState == "23505")
        #expect(error?.statement == "insert_number")
        #expect(error?.constraint == "numbers_pkey")
        #expect(error?.isUniqueViolation == true)
        #expect(connection.isUsable)
        #expect(!connection.isInTransaction)
        #expect(try await connection.query(count.call())[0].int64(0) == 0)
    }

    @Test("A statement that cannot be prepared fails by name, and a later good one with that name works")
    func badStatement() async throws {
        let connection = try await connection()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query(Statement("nonsense", "select from nowhere where").call())
        }
        #expect(error?.sqlState == "42601")
        #expect(error?.statement == "nonsense")
        #expect(try await connection.query(Statement("nonsense", "select 1::int4").call())[0].int32(0) == 1)
    }

    @Test("A statement first used behind a failing one is prepared when it is used again")
    func preparedBehindFailure() async throws {
        let connection = try await connection()
        await #expect(throws: PostgresError.self) {
            _ = try await connection.pipeline([Statement("bad", "select 1/0").call(), count.call()])
        }
        #expect(try await connection.query(count.call())[0].int64(0) == 0)
    }

    @Test("Other parameter types than a statement was prepared with are an error before anything is sent")
    func otherTypes() async throws {
        let connection = try await connection()
        let statement = Statement("typed", "select $1::int8")
        try await connection.query(statement.call { $0.int64(1) })
        let error = await #expect(throws: PostgresError.self) {
            _ = try await connection.pipeline([insert.call { $0.int64(1) }, statement.call { $0.text("1") }])
        }
        #expect(error?.statement == "typed")
        #expect(try await connection.query(count.call())[0].int64(0) == 0)
    }

    @Test("An error's description shows neither values nor the server's text")
    func blandErrors() async throws {
        let connection = try await connection()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.query(Statement("cast", "select $1::text::int4").call { $0.text("hunter2") })
        }
        #expect(error.map { !"\($0)".contains("hunter2") } == true)
        #expect(error?.serverMessage.contains("hunter2") == true)
    }

    @Test("A script runs many statements and undoes them all when one fails")
    func scripts() async throws {
        let connection = try await connection()
        await #expect(throws: PostgresError.self) {
            try await connection.script("insert into numbers values (1); select 1/0;")
        }
        #expect(try await connection.query(count.call())[0].int64(0) == 0)
        try await connection.script("insert into numbers values (1); insert into numbers values (2);")
        #expect(try await connection.query(count.call())[0].int64(0) == 2)
    }

    @Test("Work queued by many tasks on one connection all gets done")
    func manyTasks() async throws {
        let connection = try await connection()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<200 {
                group.addTask { _ = try await connection.pipeline([insert.call { $0.int64(Int64(n)) }]) }
            }
            try await group.waitForAll()
        }
        #expect(try await connection.query(count.call())[0].int64(0) == 200)
    }

    @Test("A pipeline larger than every socket buffer does not stall")
    func largePipeline() async throws {
        let connection = try await PostgresConnection.connect(try await TestServer.shared.configuration())
        let echo = Statement("echo", "select $1::bytea")
        let value = [UInt8](repeating: 7, count: 1 << 20)
        let results = try await connection.pipeline((0..<24).map { _ in echo.call { $0.bytea(value) } })
        #expect(try results.allSatisfy { try $0[0].bytea(0) == value })
    }

    @Test("A server that cannot be reached is a connect failure")
    func unreachable() async throws {
        let error = await #expect(throws: PostgresError.self) {
            _ = try await PostgresConnection.connect(PostgresConfiguration(url: "host=/nonexistent port=1"))
        }
        #expect(error?.kind == .connectFailed)
        #expect(error?.isSafeToRetry == true)
    }
}
