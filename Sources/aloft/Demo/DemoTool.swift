import Foundation
import ServerTestKit

/// Commands of this program, shown as part of a demo.
enum DemoTool {
    /// Runs a command of this program with its output on ours; of a long one, the first and the last lines.
    static func run(_ words: [String], shownLinesMax: Int = .max) async throws {
        let file = URL(filePath: "/tmp/aloft-demo-out-\(UInt32.random(in: 0..<0xFFFF_FFFF))")
        defer { try? FileManager.default.removeItem(at: file) }
        let status = try await ChildProcess.start(words, output: file).wait()
        let lines = ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
        if lines.count <= shownLinesMax {
            for line in lines { Terminal.line("    \(line)") }
        } else {
            for line in lines.prefix(shownLinesMax / 2) { Terminal.line("    \(line)") }
            Terminal.line("    … \(lines.count - shownLinesMax / 2 * 2) more …")
            for line in lines.suffix(shownLinesMax / 2) { Terminal.line("    \(line)") }
        }
        guard status == 0 else {
            throw CommandFailure("'\(words.dropFirst().joined(separator: " "))' ended with \(status)")
        }
    }
}

extension DevStack {
    /// Runs the stack for as long as `body` takes.
    func play(_ body: @escaping @Sendable (Addresses) async throws -> Void) async throws {
        let (ends, end) = AsyncStream<Void>.makeStream()
        let problem = FirstProblem()
        try await run(until: { for await _ in ends { return } }) { addresses in
            do {
                try await body(addresses)
            } catch {
                await problem.set(error)
            }
            end.yield()
        }
        if let error = await problem.error { throw error }
    }
}

private actor FirstProblem {
    private(set) var error: (any Error)?
    func set(_ error: any Error) { if self.error == nil { self.error = error } }
}
