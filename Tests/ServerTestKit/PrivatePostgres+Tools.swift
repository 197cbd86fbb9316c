import Foundation

extension PrivatePostgres {
    /// Makes an empty database.
    public func createDatabase(_ name: String) async throws {
        try await tool(["createdb", name])
    }

    /// The schema of a database as `pg_dump --schema-only` writes it.
    public func dumpSchema(database: String) async throws -> String {
        let file = dataFolder.deletingLastPathComponent().appending(path: "\(database).dump")
        try? FileManager.default.removeItem(at: file)
        try await tool(["pg_dump", "--schema-only", database], output: file)
        return try String(contentsOf: file, encoding: .utf8)
    }

    private func tool(_ words: [String], output: URL? = nil) async throws {
        let child = try ChildProcess.start(
            ["\(Self.binaries)/\(words[0])", "-h", socketFolder.path, "-U", Self.superuser] + words.dropFirst(),
            output: output)
        let status = await child.wait()
        guard status == 0 else { throw ServerFailure("\(words[0]) ended with \(status)") }
    }

    /// Temporary folders of programs that were killed before they could tidy up: an hour old and without a living server.
    static func removeAbandonedFolders() {
        let files = FileManager.default
        let names = (try? files.contentsOfDirectory(atPath: "/tmp")) ?? []
        for name in names where name.hasPrefix("aloft-pg-") && !name.hasPrefix("aloft-pg-template") {
            let folder = URL(filePath: "/tmp/\(name)")
            let pidFile = folder.appending(path: "data/postmaster.pid")
            let changed = (try? files.attributesOfItem(atPath: folder.path)[.modificationDate]) as? Date
            guard let changed, changed.timeIntervalSinceNow < -3600 else { continue }
            let firstLine = (try? String(contentsOf: pidFile, encoding: .utf8))?.split(separator: "\n").first
            if let firstLine, files.fileExists(atPath: "/proc/\(firstLine)") { continue }
            try? files.removeItem(at: folder)
        }
    }
}
