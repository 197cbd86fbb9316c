import Postgres
import ServerTestKit

/// One private server for all tests of this process; each test makes what it needs in a database of its own.
actor TestServer {
    static let shared = TestServer()
    private var starting: Task<PrivatePostgres, any Error>?
    private var databases = 0

    func server() async throws -> PrivatePostgres {
        if let starting { return try await starting.value }
        let task = Task { () throws -> PrivatePostgres in try await PrivatePostgres.temporary() }
        starting = task
        return try await task.value
    }

    /// A configuration for a new, empty database.
    func database() async throws -> PostgresConfiguration {
        let server = try await server()
        databases += 1
        let name = "t\(databases)"
        try await server.createDatabase(name)
        return PostgresConfiguration(url: server.url(database: name))
    }

    /// A configuration for the shared database, for tests that store nothing.
    func configuration() async throws -> PostgresConfiguration {
        PostgresConfiguration(url: try await server().url())
    }
}
