import Foundation
import Synchronization

/// Runs a program with its arguments as they are, never through a shell.
enum ProgramRun {
    struct Ended: Sendable {
        var status: Int32
        /// The end of what it said on standard error.
        var complaint: String
    }

    private static let complaintBytesMax = 2_000

    /// - Parameters:
    ///   - secrets: go into the environment: arguments are for everybody to see.
    ///   - output: takes standard output; nil throws it away.
    static func run(
        _ program: String, _ arguments: [String], secrets: [String: String] = [:], output: URL? = nil
    ) async throws(EffectFailure) -> Ended {
        let complaints = FileManager.default.temporaryDirectory.appending(path: "aloft-run-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: complaints) }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(secrets) { $1 }
        process.standardInput = FileHandle.nullDevice
        let held = Held(process)
        do {
            process.standardError = try Self.file(complaints)
            process.standardOutput = try output.map(Self.file) ?? FileHandle.nullDevice
        } catch {
            throw EffectFailure(.transient, "no file could be made for \(program)")
        }
        let status = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Int32?, Never>) in
                held.start(continuation)
            }
        } onCancel: {
            held.stop()
        }
        guard let status else { throw EffectFailure(.permanent(code: "Refused"), "\(program) cannot be run") }
        let said = (try? Data(contentsOf: complaints)) ?? Data()
        return Ended(
            status: status, complaint: String(decoding: said.suffix(Self.complaintBytesMax), as: UTF8.self))
    }

    private static func file(_ url: URL) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: url.path, contents: nil)
        return try FileHandle(forWritingTo: url)
    }

    /// The process, started once and stopped at most once.
    private final class Held: Sendable {
        private let process: Mutex<Process>

        init(_ process: sending Process) { self.process = Mutex(process) }

        func start(_ continuation: CheckedContinuation<Int32?, Never>) {
            let isStarted = self.process.withLock { process in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do {
                    try process.run()
                    return true
                } catch {
                    process.terminationHandler = nil
                    return false
                }
            }
            if !isStarted { continuation.resume(returning: nil) }
        }

        func stop() {
            self.process.withLock { process in
                if process.isRunning { process.terminate() }
            }
        }
    }
}

/// A connection string without its password, which goes by the environment.
struct DumpTarget: Sendable {
    var url: String
    var secrets: [String: String] = [:]

    init(_ url: String) {
        self.url = url
        guard var parts = URLComponents(string: url), let password = parts.password else { return }
        parts.password = nil
        self.secrets = ["PGPASSWORD": password]
        self.url = parts.string ?? url
    }
}
