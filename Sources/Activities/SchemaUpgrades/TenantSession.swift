import Crypto
import Foundation
import Postgres

/// A connection to a tenant's database for one operation.
///
/// The server looks every half second whether we still live, and the session carries the operation's name, so that a retry can end
/// what an earlier attempt left behind.
final class TenantSession: Sendable {
    private let connection: PostgresConnection
    private let configuration: PostgresConfiguration

    private init(_ connection: PostgresConnection, _ configuration: PostgresConfiguration) {
        self.connection = connection
        self.configuration = configuration
    }

    /// How long the leftovers of an earlier attempt may take to go.
    private static let leftoversWait = Duration.seconds(10)

    /// Connects, and ends sessions of earlier attempts at the same operation.
    static func open(
        url: String, op: OperationID, answerTimeout: Duration
    ) async throws(EffectFailure) -> TenantSession {
        let name = self.applicationName(op)
        let configuration = PostgresConfiguration(
            url: url, applicationName: name,
            settings: [
                ("client_connection_check_interval", "500ms"), ("idle_in_transaction_session_timeout", "5min"),
            ], answerTimeout: answerTimeout)
        do throws(PostgresError) {
            let connection = try await PostgresConnection.connect(configuration)
            let session = TenantSession(connection, configuration)
            try await session.endNamesakes(name)
            return session
        } catch {
            throw EffectFailure(tenant: error)
        }
    }

    /// Postgres keeps 63 bytes; a longer name ends with a hash of the whole.
    static func applicationName(_ op: OperationID) -> String {
        let name = op.value
        guard name.utf8.count > 63 else { return name }
        let hash = SHA256.hash(data: Data(name.utf8)).prefix(8).map { String($0, radix: 16) }.joined()
        return String(decoding: name.utf8.prefix(44), as: UTF8.self) + "~" + hash
    }

    private func endNamesakes(_ name: String) async throws(PostgresError) {
        let end = ContinuousClock.now + Self.leftoversWait
        while ContinuousClock.now < end {
            let rows = try await self.connection.query(TenantStatements.terminateNamesakes.call { $0.text(name) })
            guard try rows[0].int64(0) > 0 else { return }
            try? await Task.sleep(for: .milliseconds(50))
        }
        throw PostgresError(.connectFailed, reason: "an earlier attempt does not end")
    }

    func close() { self.connection.close() }

    // MARK: Work

    @discardableResult
    func query(_ statement: Statement, _ fill: (inout Parameters) -> Void = { _ in }) async throws -> ResultSet {
        try await self.watched { () async throws(PostgresError) in try await self.connection.query(statement.call(fill))
        }
    }

    /// Statements without parameters; outside a transaction of ours they are one of their own.
    func script(_ sql: String) async throws {
        try await self.watched { () async throws(PostgresError) in try await self.connection.script(sql) }
    }

    /// Limits of the session, or of the open transaction.
    func limit(_ name: String, milliseconds: Int, isLocal: Bool) async throws {
        try await self.query(TenantStatements.limit) {
            $0.text(name)
            $0.text("\(milliseconds)ms")
            $0.bool(isLocal)
        }
    }

    /// A transaction of the holder of a fence number: committed when `body` returns, rolled back when it throws.
    ///
    /// - Throws: `FenceLost` when somebody with a newer number has been here.
    func transaction<Result>(_ step: TenantStep, _ body: () async throws -> Result) async throws -> Result {
        try await self.script("begin")
        do {
            try await self.limit("lock_timeout", milliseconds: step.lockTimeoutMilliseconds, isLocal: true)
            try await self.limit(
                "statement_timeout", milliseconds: Int(step.statementTimeoutSeconds * 1000), isLocal: true)
            try await self.checkFence(step.fence)
            let result = try await body()
            try await self.script("commit")
            return result
        } catch {
            try? await self.connection.script("rollback")
            throw error
        }
    }

    func checkFence(_ fence: Int64) async throws {
        let rows = try await self.query(TenantStatements.fence) { $0.int64(fence) }
        guard rows.count == 1 else {
            throw EffectFailure(.permanent(code: "FenceLost"), "somebody else has taken the tenant's lease since")
        }
    }

    /// When the attempt is told to stop, the server is told to stop the statement: its connection only waits.
    private func watched<Result>(_ body: () async throws(PostgresError) -> Result) async throws -> Result {
        let process = self.connection.backendProcessID
        let configuration = self.configuration
        let outcome: Swift.Result<Result, PostgresError> = await withTaskCancellationHandler {
            do throws(PostgresError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        } onCancel: {
            Task {
                guard let other = try? await PostgresConnection.connect(configuration) else { return }
                _ = try? await other.query(TenantStatements.terminate.call { $0.int32(process) })
                other.close()
            }
        }
        switch outcome {
        case .success(let result): return result
        case .failure(let error): throw EffectFailure(tenant: error)
        }
    }
}

extension EffectFailure {
    /// What a tenant's database said. Its own words are for the operator who wrote the migration, so they are told.
    init(tenant error: PostgresError) {
        let text = error.serverMessage.isEmpty ? error.description : "\(error.serverMessage) (\(error.sqlState))"
        let state = error.sqlState
        switch error.kind {
        case .outcomeUnknown: self.init(.ambiguous, text)
        case .connectFailed, .connectionLost, .poolExhausted, .closed, .cancelled: self.init(.transient, text)
        case .unexpectedAnswer: self.init(.permanent(code: "Refused"), text)
        case .server:
            if ["55P03", "40P01", "40001", "57014"].contains(state) || state.hasPrefix("57P") || state.hasPrefix("08")
                || state == "53300"
            {
                self.init(.transient, text, code: state)
            } else if state.hasPrefix("23") || state.hasPrefix("22") {
                self.init(.permanent(code: "DataViolation"), text)
            } else if state.hasPrefix("42") {
                self.init(.permanent(code: "SyntaxError"), text)
            } else if state == "53100" {
                self.init(.permanent(code: "DiskFull"), text)
            } else {
                self.init(.permanent(code: "Refused"), text)
            }
        }
    }
}
