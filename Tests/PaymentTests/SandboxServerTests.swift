import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import ServerTestKit
import Testing

@testable import Activities
@testable import Sandbox

@Suite("Sandbox over HTTP", .timeLimit(.minutes(3)))
struct SandboxServerTests {
    private var quiet: Logger {
        var logger = Logger(label: "sandbox")
        logger.logLevel = .critical
        return logger
    }

    private func call(
        _ method: HTTPMethod, _ url: String, _ body: String = "", key: String? = nil,
        type: String = "application/x-www-form-urlencoded"
    ) async throws -> (status: UInt, body: JSONValue) {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers.add(name: "authorization", value: "Bearer sk_test_1")
        request.headers.add(name: "content-type", value: type)
        if let key { request.headers.add(name: "idempotency-key", value: key) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
        let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
        return (response.status.code, try #require(JSONValue(parsing: text)))
    }

    private let create = "amount=1250&currency=eur&payment_method=tok_visa&capture_method=manual&confirm=true"

    @Test("A new sandbox on an old journal has the same effects, answers and ids")
    func restart() async throws {
        let path = "/tmp/aloft-sandbox-\(UInt64.random(in: 0..<UInt64.max)).journal"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try SandboxServer(configuration: SandboxConfiguration(journalPath: path), logger: self.quiet)
        try await PaymentBench.withSandbox(first) { port in
            let intent = try await self.call(
                .POST, "http://127.0.0.1:\(port)/v1/payment_intents", self.create, key: "k1")
            #expect(intent.status == 200)
            let id = try #require(intent.body["id"]?.string)
            let captured = try await self.call(
                .POST, "http://127.0.0.1:\(port)/v1/payment_intents/\(id)/capture", key: "k2")
            #expect(captured.status == 200)
        }
        // A crash in the middle of a line.
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(#"{"seq":3,"at":1"#.utf8))
        try handle.close()
        let second = try SandboxServer(configuration: SandboxConfiguration(journalPath: path), logger: self.quiet)
        try await PaymentBench.withSandbox(second) { port in
            let again = try await self.call(
                .POST, "http://127.0.0.1:\(port)/v1/payment_intents", self.create, key: "k1")
            #expect(again.body["status"]?.string == "requires_capture")
            let id = try #require(again.body["id"]?.string)
            let now = try await self.call(.GET, "http://127.0.0.1:\(port)/v1/payment_intents/\(id)")
            #expect(now.body["status"]?.string == "succeeded")
            let totals = try await self.call(.GET, "http://127.0.0.1:\(port)/_ctl/totals").body
            #expect(totals["captured"]?["eur"]?.int == 1250)
        }
    }

    @Test("A held answer keeps its key in use: 409 meanwhile, the same answer afterwards")
    func inUse() async throws {
        let sandbox = try SandboxServer(logger: self.quiet)
        try await PaymentBench.withSandbox(sandbox) { port in
            let url = "http://127.0.0.1:\(port)/v1/payment_intents"
            _ = try await self.call(
                .POST, "http://127.0.0.1:\(port)/_ctl/faults",
                #"{"match": "POST /v1/payment_intents", "action": "delay", "delay_ms": 600000}"#,
                type: "application/json")
            async let slow = self.call(.POST, url, self.create, key: "k")
            while try await self.call(.GET, url).body["data"]?.array?.isEmpty == true { await Task.yield() }
            let busy = try await self.call(.POST, url, self.create, key: "k").status
            _ = try await self.call(.DELETE, "http://127.0.0.1:\(port)/_ctl/faults")
            let first = try await slow
            let last = try await self.call(.POST, url, self.create, key: "k")
            #expect(busy == 409)
            #expect(first.status == 200)
            #expect(last.body == first.body)
        }
    }

    @Test(
        "A cut connection gives no answer at all, with or without the effect", arguments: ["drop_before", "drop_after"])
    func cut(_ action: String) async throws {
        let sandbox = try SandboxServer(logger: self.quiet)
        try await PaymentBench.withSandbox(sandbox) { port in
            let url = "http://127.0.0.1:\(port)/v1/payment_intents"
            _ = try await self.call(
                .POST, "http://127.0.0.1:\(port)/_ctl/faults",
                #"{"match": "POST /v1/payment_intents", "action": "\#(action)"}"#,
                type: "application/json")
            await #expect(throws: (any Error).self) { try await self.call(.POST, url, self.create, key: "k") }
            let count = try await self.call(.GET, url).body["data"]?.array?.count
            #expect(count == (action == "drop_after" ? 1 : 0))
        }
    }

    @Test("Without a key to the house there is no answer but 401")
    func unauthorized() async throws {
        let sandbox = try SandboxServer(logger: self.quiet)
        try await PaymentBench.withSandbox(sandbox) { port in
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/v1/payment_intents")
            request.headers.add(name: "authorization", value: "Bearer sk_bad_1")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            #expect(response.status == .unauthorized)
        }
    }

    @Test("Webhooks are signed, delivered again after a refusal, twice, late or never as the faults say")
    func webhooks() async throws {
        let receiver = try SandboxServer(logger: self.quiet)  // takes anything: 404 for a POST it does not know
        try await PaymentBench.withSandbox(receiver) { receiverPort in
            let sandbox = try SandboxServer(
                configuration: SandboxConfiguration(webhookURL: "http://127.0.0.1:\(receiverPort)/_ctl/hook"),
                logger: self.quiet)
            try await PaymentBench.withSandbox(sandbox) { port in
                let base = "http://127.0.0.1:\(port)"
                _ = try await self.call(
                    .POST, base + "/_ctl/faults",
                    #"{"match": "WEBHOOK payment_intent.created", "action": "lose_webhook"}"#,
                    type: "application/json")
                _ = try await self.call(.POST, base + "/v1/payment_intents", self.create)
                var attempts: [String: Int] = [:]
                while attempts["payment_intent.amount_capturable_updated", default: 0] < 2 {
                    attempts = [:]
                    for entry in try await self.call(.GET, base + "/_ctl/journal").body["entries"]?.array ?? []
                    where entry["method"]?.string == "WEBHOOK" {
                        attempts[entry["path"]?.string ?? "", default: 0] += 1
                    }
                    await Task.yield()
                }
                #expect(attempts["payment_intent.created"] == 1)  // the note that it was lost
            }
        }
    }

    @Test("The unmodified stripe-python works against it")
    func stripe() async throws {
        let python = try await StripeEnvironment.python()
        let sandbox = try SandboxServer(logger: self.quiet)
        let output = URL(filePath: "/tmp/aloft-stripe-\(UInt64.random(in: 0..<UInt64.max)).txt")
        defer { try? FileManager.default.removeItem(at: output) }
        try await PaymentBench.withSandbox(sandbox) { port in
            let body = #"{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}"#
            let script = PaymentBench.root.appending(path: "Tests/Conformance/stripe_sandbox.py").path
            let child = try ChildProcess.start(
                [
                    python, script, "http://127.0.0.1:\(port)", body,
                    WebhookSignature.header(body: body, secret: "whsec_1", timestamp: 1_700_000_000), "whsec_1",
                ], output: output)
            let status = await child.wait()
            let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
            #expect(status == 0, "\(text)")
            #expect(text.contains("ok webhook signature"))
        }
    }
}

/// A Python with the pinned stripe package, made once a machine.
enum StripeEnvironment {
    static func python() async throws -> String {
        let folder = "/tmp/aloft-venv-stripe-16.1.0"
        let python = "\(folder)/bin/python"
        let marker = "\(folder)/ready"
        if FileManager.default.fileExists(atPath: marker) { return python }
        for command in [["python3", "-m", "venv", folder], ["\(folder)/bin/pip", "install", "-q", "stripe==16.1.0"]] {
            let child = try ChildProcess.start(["/usr/bin/env"] + command)
            let status = await child.wait()
            guard status == 0 else { throw ServerFailure("'\(command.joined(separator: " "))' ended with \(status)") }
        }
        try Data().write(to: URL(filePath: marker))
        return python
    }
}
