import Foundation
import NotifyClient

/// Sends messages that nobody takes, says when they are stored, and waits to be killed.
@main
struct NotifyChild {
    private struct Nobody: NotifyTransport {
        func post(_ body: Data, key: String, timeout: Duration) async throws -> Int { 503 }
    }

    static func main() async throws {
        let words = CommandLine.arguments
        guard words.count == 3, let count = Int(words[2]) else { return }
        let client = NotifyClient(folder: URL(filePath: words[1]), transport: Nobody())
        for number in 0..<count { client.send(NotifyMessage(body: Data("{\"n\":\(number)}".utf8))) }
        let work = Task { await client.run() }
        while client.counts.stored < count { try await Task.sleep(for: .milliseconds(2)) }
        _ = FileManager.default.createFile(atPath: words[1] + ".ready", contents: nil)
        await work.value
    }
}
