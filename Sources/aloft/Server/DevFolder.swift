import Foundation

/// Where development mode keeps its data between runs.
struct DevFolder: Sendable {
    let root: URL

    /// Postgres runs as its own user when we are root, and may not enter root's home.
    static var standard: URL {
        if geteuid() == 0 { return URL(filePath: "/var/lib/aloft") }
        return FileManager.default.homeDirectoryForCurrentUser.appending(path: ".local/share/aloft")
    }

    var postgresData: URL { root.appending(path: "postgres/data") }
    var nats: URL { root.appending(path: "nats") }
    var sandboxJournal: URL { root.appending(path: "sandbox.journal") }
    /// Signs list cursors; made at the first start.
    var signingKeyFile: URL { root.appending(path: "signing-key") }

    /// Unix socket paths may have only 107 bytes, so the socket folder may have to be elsewhere.
    var postgresSocket: URL {
        let near = root.appending(path: "postgres/socket")
        if near.path.utf8.count < 80 { return near }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in root.path.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return URL(filePath: "/tmp/aloft-\(String(hash, radix: 36))")
    }

    func prepare() throws { try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true) }
}
