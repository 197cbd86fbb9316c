import Foundation

extension PrivatePostgres {
    /// Makes a database unless it was made before in this data folder.
    public func makeDatabase(_ name: String) async throws {
        let marker = dataFolder.deletingLastPathComponent().appending(path: "made-\(name)")
        guard !FileManager.default.fileExists(atPath: marker.path) else { return }
        try await createDatabase(name)
        try Data().write(to: marker)
    }
}
