import Foundation
import ServerTestKit

/// Tells scripts the addresses: written whole, or not at all.
enum ReadyFile {
    static func write(_ fields: [(String, Printable)], to path: String?) throws {
        guard let path else { return }
        try Data((Printable.object(fields).json + "\n").utf8).write(to: URL(filePath: path), options: .atomic)
    }
}

extension ReadyFile {
    /// Waits until a child has written its ready file, and returns one of its fields.
    static func wait(_ file: URL, child: ChildProcess, field: String) async throws -> String {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            if let data = try? Data(contentsOf: file), let value = try? JSONDecoder().decode(JSONValue.self, from: data)
            {
                return value[field]?.string ?? ""
            }
            guard child.isRunning else {
                throw CommandFailure("a process ended before it was ready; see the logs beside \(file.path)")
            }
            guard ContinuousClock.now < end else {
                throw CommandFailure("a process was not ready in 60 s; see the logs beside \(file.path)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
