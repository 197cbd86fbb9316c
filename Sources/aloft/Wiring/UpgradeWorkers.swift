import Activities
import Foundation
import Postgres

/// What the workers of the schema upgrades need to reach.
struct UpgradeWorkerSettings: Sendable {
    /// A connection string for each cluster of tenants, with `{database}` in it.
    var clusters: [String: String] = [:]
    var backupFolder: URL

    /// `ALOFT_TENANT_CLUSTERS`: a JSON object of connection strings by cluster. `ALOFT_BACKUP_FOLDER`: where backups go.
    static func configured(clusters: [String: String] = [:], backupFolder: URL? = nil) throws -> UpgradeWorkerSettings {
        let environment = ProcessInfo.processInfo.environment
        var settings = UpgradeWorkerSettings(
            clusters: clusters,
            backupFolder: backupFolder ?? environment["ALOFT_BACKUP_FOLDER"].map { URL(filePath: $0) }
                ?? FileManager.default.temporaryDirectory.appending(path: "aloft-backups"))
        if let text = environment["ALOFT_TENANT_CLUSTERS"], !text.isEmpty {
            do {
                settings.clusters = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
            } catch {
                throw CommandFailure("ALOFT_TENANT_CLUSTERS: not a JSON object of connection strings by cluster")
            }
        }
        return settings
    }

    func services(pool: PostgresPool, failpoints: Failpoints) -> UpgradeServices {
        UpgradeServices(
            pool: pool, settings: UpgradeSettings(clusters: clusters, backupFolder: backupFolder),
            failpoints: failpoints)
    }
}
