public import Foundation
import Synchronization

/// Stands between a client and a Postgres' unix socket, and cuts a connection at the worst moment when told to.
public final class CuttingProxy: Sendable {
    /// What happens to the next request of any connection; then everything passes again.
    public enum Cut: Sendable, Hashable {
        /// The request reaches the server; its answer is lost together with the connection.
        case afterRequest
        /// The request is lost together with the connection.
        case beforeRequest
    }

    /// Give this to the client as its host.
    public let socketFolder: URL
    private let target: URL
    private let armed = Mutex<Cut?>(nil)
    private let listener: Int32

    /// - Parameter target: The server's socket folder; its socket must be that of port 5432.
    public init(target: URL) throws {
        self.target = target
        socketFolder = URL(filePath: "/tmp/aloft-px-\(UInt64.random(in: 0..<0xFFFF_FFFF))")
        try FileManager.default.createDirectory(at: socketFolder, withIntermediateDirectories: true)
        listener = socket(AF_UNIX, Self.stream, 0)
        let path = Self.socketPath(socketFolder)
        let bound = Self.withAddress(path) { bind(listener, $0, $1) }
        guard listener >= 0, bound == 0, listen(listener, 64) == 0 else {
            throw ServerFailure("the proxy cannot listen at \(path)")
        }
        let thread = Thread { [self] in acceptAll() }
        thread.start()
    }

    public func url(database: String, user: String = PrivatePostgres.superuser) -> String {
        "host=\(socketFolder.path) user=\(user) dbname=\(database)"
    }

    /// Cuts at the next request.
    public func arm(_ cut: Cut) { armed.withLock { $0 = cut } }

    /// Ends the listening; open connections go on.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        try? FileManager.default.removeItem(at: socketFolder)
    }

    private static let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)

    private static func socketPath(_ folder: URL) -> String { folder.appending(path: ".s.PGSQL.5432").path }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = socket(AF_UNIX, Self.stream, 0)
            let connected = Self.withAddress(Self.socketPath(target)) { connect(server, $0, $1) }
            guard connected == 0 else {
                close(client)
                close(server)
                continue
            }
            let thread = Thread { [self] in pump(client, server) }
            thread.start()
        }
        close(listener)
    }

    private func pump(_ client: Int32, _ server: Int32) {
        defer {
            close(client)
            close(server)
        }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var dropsAnswers = false
        while true {
            var entries = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) > 0 else { return }
            if entries[0].revents != 0 {
                let cut = armed.withLock { armed in
                    defer { armed = nil }
                    return armed
                }
                if cut == .beforeRequest { return }
                if cut == .afterRequest { dropsAnswers = true }
                guard Self.move(client, server, &buffer) else { return }
            }
            if entries[1].revents != 0 {
                // The answer to the Sync is the last one: by the time the server waits for more, it has committed.
                if dropsAnswers { return Self.readUntilIdle(server, &buffer) }
                guard Self.move(server, client, &buffer) else { return }
            }
        }
    }

    /// ReadyForQuery ends an answer: 'Z', length 5, state.
    private static func readUntilIdle(_ server: Int32, _ buffer: inout [UInt8]) {
        var tail: [UInt8] = []
        while true {
            let count = recv(server, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            tail = Array((tail + buffer[0..<count]).suffix(6))
            if tail.count == 6, tail[0] == UInt8(ascii: "Z"), tail[4] == 5 { return }
        }
    }

    private static func move(_ source: Int32, _ target: Int32, _ buffer: inout [UInt8]) -> Bool {
        let count = recv(source, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        var sent = 0
        while sent < count {
            let written = buffer.withUnsafeBytes {
                send(target, $0.baseAddress.map { $0 + sent }, count - sent, Int32(MSG_NOSIGNAL))
            }
            guard written > 0 else { return false }
            sent += written
        }
        return true
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
