import Crypto
import Foundation
import Postgres

/// Step 4, and what becomes of the files.
extension UpgradeServices {
    func backup(_ step: TenantStep, _ scope: EffectScope) async throws -> BackupReport {
        try await self.failpoints.pass("Backup", .beforeEffect)
        let op = step.op("Backup/\(step.pass.rawValue)")
        if let known = try await self.storedBackup(UpgradeStatements.backup, { $0.text(op.value) }) { return known }
        let url = try await self.reference(step.tenant, service: step.service).url
        try await self.withTenant(step, op: op) { _ in }  // the lease is ours, and the database is there
        let folder = self.settings.backupFolder.appending(path: step.upgrade)
        let place = folder.appending(path: "\(step.tenant)-g\(step.generation).dump")
        let draft = folder.appending(path: "\(step.tenant)-\(UUID().uuidString).part")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw EffectFailure(.transient, "the folder for backups cannot be made")
        }
        defer { try? FileManager.default.removeItem(at: draft) }
        try await self.dump(url, to: draft, [])
        let listed = try await ProgramRun.run(self.program("pg_restore"), ["--list", draft.path])
        guard listed.status == 0 else {
            throw EffectFailure(.transient, "the backup cannot be read back: \(listed.complaint)")
        }
        let (sha256, bytes) = try Self.digest(of: draft)
        try? FileManager.default.removeItem(at: place)
        do {
            try FileManager.default.moveItem(at: draft, to: place)
        } catch {
            throw EffectFailure(.transient, "the backup cannot be put in its place")
        }
        let report = BackupReport(path: place.path, sha256: sha256, bytes: bytes)
        try await self.query(UpgradeStatements.putBackup) { parameters in
            parameters.text(op.value)
            parameters.text(step.upgrade)
            parameters.text(step.tenant)
            parameters.text(report.path)
            parameters.text(report.sha256)
            parameters.int64(report.bytes)
            parameters.double(self.settings.backupRetentionSeconds)
        }
        try await self.failpoints.pass("Backup", .afterEffect)
        try await self.noteStep(step, "Backup", op: op, scope)
        return report
    }

    func dump(_ url: String, to file: URL, _ options: [String]) async throws {
        let target = DumpTarget(url)
        let dumped = try await ProgramRun.run(
            self.program("pg_dump"), ["--format=custom", "--file", file.path, "--dbname", target.url] + options,
            secrets: target.secrets)
        guard dumped.status == 0 else {
            let isFull = dumped.complaint.contains("No space left")
            throw EffectFailure(isFull ? .permanent(code: "DiskFull") : .transient, "pg_dump: \(dumped.complaint)")
        }
    }

    func program(_ name: String) -> String { "\(self.settings.programFolder)/\(name)" }

    private func storedBackup(
        _ statement: Statement, _ fill: (inout Parameters) -> Void
    ) async throws -> BackupReport? {
        let rows = try await self.query(statement, fill)
        guard rows.count == 1 else { return nil }
        let report = BackupReport(
            path: try rows[0].text(0), sha256: try rows[0].text(1), bytes: try rows[0].int64(2))
        guard FileManager.default.fileExists(atPath: report.path) else { return nil }
        return report
    }

    /// SHA-256 and size of a file, read in pieces.
    private static func digest(of file: URL) throws(EffectFailure) -> (String, Int64) {
        do {
            let handle = try FileHandle(forReadingFrom: file)
            defer { try? handle.close() }
            var hash = SHA256()
            var bytes: Int64 = 0
            while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
                hash.update(data: part)
                bytes += Int64(part.count)
            }
            let digits = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return (digits, bytes)
        } catch {
            throw EffectFailure(.transient, "the backup cannot be read")
        }
    }

    /// Puts a tenant's database back to the backup that this upgrade made of it: everything in it is replaced.
    func restoreBackup(_ step: TenantStep, _ scope: EffectScope) async throws -> Done {
        let found = try await self.storedBackup(UpgradeStatements.newestBackup) {
            $0.text(step.upgrade)
            $0.text(step.tenant)
        }
        guard let backup = found else {
            throw EffectFailure(.permanent(code: "NoBackup"), "there is no backup of \(step.tenant) in this upgrade")
        }
        guard try Self.digest(of: URL(filePath: backup.path)).0 == backup.sha256 else {
            throw EffectFailure(.permanent(code: "NoBackup"), "the backup of \(step.tenant) was changed")
        }
        let url = try await self.reference(step.tenant, service: step.service).url
        try await self.withTenant(step, op: step.op("RestoreBackup"), isLong: true) { session in
            let rows = try await session.query(TenantStatements.schemas)
            for schema in try rows.map({ row throws(PostgresError) in try row.text(0) }) {
                try await session.script("drop schema \(SQLName.quoted(schema)) cascade")
            }
            try await session.script("create schema if not exists public")
        }
        let target = DumpTarget(url)
        let restored = try await ProgramRun.run(
            self.program("pg_restore"),
            ["--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--dbname", target.url, backup.path],
            secrets: target.secrets)
        guard restored.status == 0 else { throw EffectFailure(.transient, "pg_restore: \(restored.complaint)") }
        return Done()
    }

    /// Deletes the files of an upgrade's backups whose time is over; asks to be called again while there are more.
    func deleteBackups(_ step: FleetStep, _ scope: EffectScope) async throws -> Done {
        while true {
            let rows = try await self.query(UpgradeStatements.backupsToDelete) { $0.text(step.upgrade) }
            let backups = try rows.map { row throws(PostgresError) in (try row.text(0), try row.text(1)) }
            if backups.isEmpty { return Done() }
            for (op, path) in backups {
                try? FileManager.default.removeItem(atPath: path)
                try await self.query(UpgradeStatements.deletedBackup) { $0.text(op) }
            }
        }
    }
}
