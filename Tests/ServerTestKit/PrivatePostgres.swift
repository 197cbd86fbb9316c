public import Foundation
import Synchronization

/// A Postgres server of our own: private data folder, unix socket only, started and stopped by us.
///
/// Used by the tests (temporary folder) and by development mode (a folder that stays).
public final class PrivatePostgres: Sendable {
    public let dataFolder: URL
    public let socketFolder: URL
    private let child = Mutex<ChildProcess?>(nil)
    private let settings: [String]
    private let isTemporary: Bool

    public static let binaries = "/usr/lib/postgresql/15/bin"
    /// The bootstrap superuser.
    public static let superuser = "aloft"

    /// - Parameters:
    ///   - dataFolder: Made on the first start if it is missing.
    ///   - socketFolder: Must be short (unix sockets: 107 bytes); inside the data folder's parent by default.
    ///   - settings: Extra `name=value` server settings.
    public init(dataFolder: URL, socketFolder: URL? = nil, settings: [String] = [], isTemporary: Bool = false) {
        self.dataFolder = dataFolder
        self.socketFolder = socketFolder ?? dataFolder.deletingLastPathComponent().appending(path: "socket")
        self.settings = settings
        self.isTemporary = isTemporary
    }

    /// A started server in a new temporary folder. `fsync` is off: what a test kills is the process, not the machine.
    public static func temporary(fsync: Bool = false, settings: [String] = []) async throws -> PrivatePostgres {
        removeAbandonedFolders()
        let folder = URL(filePath: "/tmp/aloft-pg-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
        let server = PrivatePostgres(
            dataFolder: folder.appending(path: "data"), socketFolder: folder.appending(path: "s"),
            settings: ["max_connections=400"] + (fsync ? [] : ["fsync=off"]) + settings, isTemporary: true)
        try await server.start()
        return server
    }

    /// A libpq connection string for a database.
    public func url(database: String = "postgres", user: String = superuser) -> String {
        let host = socketFolder.path.replacingOccurrences(of: "/", with: "%2F")
        return "postgresql://\(user)@\(host)/\(database)"
    }

    public var processIdentifier: Int32? { child.withLock { $0?.processIdentifier } }

    /// Starts the server and returns when it takes connections.
    public func start() async throws {
        try await waitForPredecessor()
        try await prepareFolders()
        var words = [
            "\(Self.binaries)/postgres", "-D", dataFolder.path, "-k", socketFolder.path, "-c", "listen_addresses=",
            "-c",
            "unix_socket_permissions=0700", "-c", "logging_collector=off", "-c", "log_min_messages=warning",
        ]
        for setting in settings { words += ["-c", setting] }
        let started = try ChildProcess.start(
            words, user: "postgres", deathSignal: "INT",
            output: dataFolder.deletingLastPathComponent().appending(path: "postgres.log"))
        child.withLock { $0 = started }
        let pidFile = dataFolder.appending(path: "postmaster.pid")
        try await waitUntil("starting Postgres (see postgres.log beside \(dataFolder.path))", seconds: 60) {
            guard started.isRunning else {
                throw ServerFailure("Postgres ended at once; see postgres.log beside \(dataFolder.path)")
            }
            guard let text = try? String(contentsOf: pidFile, encoding: .utf8) else { return false }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.count >= 8 && lines[0] == "\(started.processIdentifier)" && lines[7].hasPrefix("ready")
        }
    }

    /// Fast shutdown: open transactions are rolled back.
    public func stop() async {
        guard let running = child.withLock({ $0 }) else { return }
        await running.stop(SIGINT, seconds: 30)
        child.withLock { $0 = nil }
        if isTemporary { try? FileManager.default.removeItem(at: dataFolder.deletingLastPathComponent()) }
    }

    /// kill -9 of the postmaster and its backends, as a crash of the machine's process would be.
    public func crash() async {
        guard let running = child.withLock({ $0 }) else { return }
        running.signal(SIGQUIT)
        await running.wait()
        child.withLock { $0 = nil }
    }

    /// A postmaster of a killed predecessor on the same folder is told to stop by its death signal; wait for its end.
    private func waitForPredecessor() async throws {
        let pidFile = dataFolder.appending(path: "postmaster.pid")
        guard let text = try? String(contentsOf: pidFile, encoding: .utf8),
            let first = text.split(separator: "\n").first,
            let pid = Int32(first), FileManager.default.fileExists(atPath: "/proc/\(pid)"),
            let command = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8),
            command.contains(dataFolder.path)
        else { return }
        kill(pid, SIGINT)
        try await waitUntil("the end of the Postgres that still uses \(dataFolder.path)") {
            !FileManager.default.fileExists(atPath: "/proc/\(pid)")
        }
    }

    private func prepareFolders() async throws {
        let files = FileManager.default
        let parent = dataFolder.deletingLastPathComponent()
        try files.createDirectory(at: parent, withIntermediateDirectories: true)
        try files.createDirectory(at: socketFolder, withIntermediateDirectories: true)
        if !files.fileExists(atPath: dataFolder.appending(path: "PG_VERSION").path) {
            let template = try await PostgresTemplate.shared.folder()
            try await Self.runTool(["cp", "-a", template.path, dataFolder.path])
        }
        if geteuid() == 0 {
            try await Self.runTool(["chown", "-R", "postgres:postgres", socketFolder.path])
            try await Self.runTool(["chmod", "a+x", parent.path])
        }
    }

    static func runTool(_ words: [String], user: String? = nil) async throws {
        let child = try ChildProcess.start(["/usr/bin/env"] + words, user: user)
        let status = await child.wait()
        guard status == 0 else {
            throw ServerFailure("'\(words.prefix(3).joined(separator: " "))' ended with \(status)")
        }
    }
}

/// `initdb` takes seconds and always makes the same folder: made once a machine and copied.
actor PostgresTemplate {
    static let shared = PostgresTemplate()
    private var making: Task<URL, any Error>?

    func folder() async throws -> URL {
        if let making { return try await making.value }
        let task = Task { try await Self.make() }
        making = task
        return try await task.value
    }

    private static func make() async throws -> URL {
        let folder = URL(filePath: "/tmp/aloft-pg-template-15-\(geteuid())")
        let files = FileManager.default
        if files.fileExists(atPath: folder.appending(path: "PG_VERSION").path) { return folder }
        let draft = URL(filePath: folder.path + ".\(ProcessInfo.processInfo.processIdentifier)")
        try files.createDirectory(at: draft, withIntermediateDirectories: true)
        if geteuid() == 0 { try await PrivatePostgres.runTool(["chown", "postgres:postgres", draft.path]) }
        try await PrivatePostgres.runTool(
            [
                "\(PrivatePostgres.binaries)/initdb", "-D", draft.path, "-U", PrivatePostgres.superuser, "-A", "trust",
                "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ], user: "postgres")
        // Another process may have been faster: its folder is as good.
        if rename(draft.path, folder.path) != 0 { try? files.removeItem(at: draft) }
        return folder
    }
}
