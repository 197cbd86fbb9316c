import Activities
import Logging
import Postgres
import Runtime
import Store

/// The engine's schema and the families', applied in that order.
enum SchemaTool {
    /// - Returns: what was applied, by name; empty when nothing was missing.
    static func apply(url: String, log: Logger) async throws -> [String] {
        let configuration = PostgresConfiguration(url: url, applicationName: "aloft schema")
        do {
            let applied = try await SchemaMigrator(configuration).apply()
            try await FamilySchemas.apply(configuration)
            return applied
        } catch let error as StoreError {
            throw CommandFailure("\(error)")
        } catch let error as PostgresError {
            throw CommandFailure("\(error)")
        }
    }

    /// What `apply` would do.
    static func missing(url: String, log: Logger) async throws -> [String] {
        let configuration = PostgresConfiguration(url: url, applicationName: "aloft schema")
        let status: SchemaMigrator.Status
        do {
            status = try await SchemaMigrator(configuration).status()
        } catch {
            throw CommandFailure("\(error)")
        }
        switch status {
        case .upToDate: return []
        case .behind(let missing, let isEmpty): return [isEmpty ? "the whole schema" : "\(missing) migration(s)"]
        case .incompatible(let reason): throw CommandFailure(reason)
        }
    }
}

/// The business tables of the built-in families.
enum FamilySchemas {
    /// Every statement may run again.
    static func apply(_ configuration: PostgresConfiguration) async throws(PostgresError) {
        let connection = try await PostgresConnection.connect(configuration)
        try await connection.script(DeadLetterSchema.sql)
        try await connection.script(PaymentSchema.sql)
        try await connection.script(NotificationSchema.sql)
        try await connection.script(UpgradeSchema.sql)
        try await connection.script(RedriveSchema.sql)
    }
}
