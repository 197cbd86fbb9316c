import Foundation
import RunTestKit
import Testing

@Suite("The core does not depend on the process")
struct DigestTests {
    /// Two processes hash differently: whatever depends on the order of a set or dictionary shows here.
    @Test("The same seeds give the same digest in two processes")
    func twoProcesses() throws {
        let first = try digest()
        #expect(first.count == 64)
        #expect(try digest() == first)
        #expect(try SeededRuns.digest(seeds: 0..<60, steps: 120) == first)
    }

    private func digest() throws -> String {
        let process = Process()
        process.executableURL = try program()
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// `replay-digest` stands beside the test's own program.
    private func program() throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent("replay-digest")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
