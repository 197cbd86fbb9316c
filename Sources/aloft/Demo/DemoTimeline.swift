import Foundation
import Worker

/// Everything that is known of one message that died and was redriven: attempts, histories, events of the feed.
struct DemoTimeline: Sendable {
    let addresses: DevStack.Addresses
    let office: DemoOffice

    private static let linesMax = 16

    func show() async throws {
        let letter = try await office.redrivenLetter()
        let first = letter["workflow_id"]?.string ?? ""
        let second = letter["redriven_as"]?.string ?? ""
        Terminal.line("\nthe whole story of one message, \(first)")
        Terminal.line("  attempts, as its dead letter keeps them (GET /v1/dlq/{id}):")
        for attempt in letter["attempts"]?.items ?? [] {
            Self.line(
                at: attempt["at"], attempt["channel"], attempt["provider"], attempt["class"], attempt["code"],
                attempt["text"])
        }
        Self.line(at: letter["last_at"], .string("became a dead letter:"), letter["code"], letter["state"])
        Terminal.line("  attempts of \(second) (query 'attempts'):")
        for attempt in try await attempts(of: second) {
            let outcome = attempt["outcome"]
            Self.line(
                at: attempt["at"], attempt["channel"], outcome?["provider"], outcome?["class"], outcome?["code"],
                outcome?["provider_ref"])
        }
        let program = CommandLine.arguments[0]
        for workflow in [first, second] {
            Terminal.line("  history of \(workflow) (aloft workflow show):")
            try await DemoTool.run(
                [program, "workflow", "show", "--workflow-id", workflow, "--address", addresses.server.grpcAddress],
                shownLinesMax: Self.linesMax)
        }
        Terminal.line("  its events on the feed (aloft feed tail):")
        let parts = first.split(separator: ":").map(String.init)
        let subject = parts.count == 3 ? "\(parts[1])/\(parts[2])" : ""
        try await DemoTool.run([
            program, "feed", "tail", "--all", "--nats-url", addresses.natsURL, "--subject", "aloft.default.ntf.>",
            "--workflow-id", subject,
        ])
        Terminal.line("  its replay (aloft replay run):")
        try await DemoTool.run([program, "replay", "run", second, "--address", addresses.server.grpcAddress])
    }

    private func attempts(of workflow: String) async throws -> [JSONValue] {
        guard let options = GRPCTransportOptions(address: addresses.server.grpcAddress) else {
            throw CommandFailure("bad address \(addresses.server.grpcAddress)")
        }
        return try await WorkflowClient.withConnection(to: options) { client in
            try await client.handle(workflowID: workflow, returning: JSONValue.self)
                .query("attempts", returning: JSONValue.self).items
        }
    }

    private static func line(at: JSONValue?, _ words: JSONValue?...) {
        let seconds: Double =
            switch at {
            case .number(let seconds): seconds
            case .integer(let seconds): Double(seconds)
            case .null, .boolean, .string, .array, .object, nil: 0
            }
        let time = Date(timeIntervalSince1970: seconds).ISO8601Format(
            .iso8601(timeZone: .gmt, includingFractionalSeconds: true))
        Terminal.line("    \(time)  \(words.compactMap { $0?.shown }.filter { !$0.isEmpty }.joined(separator: "  "))")
    }
}
