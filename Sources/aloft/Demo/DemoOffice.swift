import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The demo's sender of notifications, its operator, and whoever breaks the carrier: all over HTTP.
struct DemoOffice: Sendable {
    let gateway: String
    let sandbox: String
    private let http = HTTPClient.shared

    private static let carrier = "POST /2010-04-01/Accounts/*/Messages.json"

    // MARK: Sending

    /// One template with a text for mail and one for SMS.
    func makeTemplate() async throws {
        let bodies = Printable.list([
            .object([
                ("channel", .string("email")), ("subject", .string("Your order {{order}}")),
                ("text", .string("Dear {{name}},\n\nyour order {{order}} is on its way.\n")),
            ]),
            .object([
                ("channel", .string("sms")), ("text", .string("{{name}}, your order {{order}} is on its way.")),
            ]),
        ])
        let made = try await ask(
            "PUT", "\(gateway)/v1/templates/shipped?tenant=demo", .object([("bodies", bodies)]))
        guard case .integer(let version)? = made["version"] else {
            throw CommandFailure("PUT /v1/templates/shipped answered \(made.text)")
        }
        _ = try await ask("POST", "\(gateway)/v1/templates/shipped/versions/\(version)/activate?tenant=demo")
    }

    /// Messages `first..<first + count`: every other one is a mail.
    func post(first: Int, count: Int) async throws {
        let recipients = (first..<first + count).map { number in
            let isMail = number % 2 == 0
            let address: (String, Printable) =
                isMail
                ? ("email", .string("ok\(number)@example.com"))
                : ("phone", .string("+49170\(1_000_000 + number)"))
            return Printable.object([
                ("recipient", .object([address])), ("channels", .list([.string(isMail ? "email" : "sms")])),
                (
                    "variables",
                    .object([("name", .string("Customer \(number)")), ("order", .string("A-\(10_000 + number)"))])
                ),
            ])
        }
        let answer = try await ask(
            "POST", "\(gateway)/v1/notifications:bulk",
            .object([
                ("tenant", .string("demo")), ("template", .object([("id", .string("shipped"))])),
                ("category", .string("transactional")), ("recipients", .list(recipients)),
            ]))
        guard answer["accepted"] == .integer(Int64(count)) else {
            throw CommandFailure("POST /v1/notifications:bulk answered \(answer.text)")
        }
    }

    // MARK: The carrier

    func breakCarrier() async throws {
        _ = try await ask(
            "POST", "\(sandbox)/_ctl/faults",
            .object([
                ("match", .string(Self.carrier)), ("action", .string("status")), ("status", .integer(500)),
                ("count", .integer(0)),
            ]))
    }

    func repairCarrier() async throws { _ = try await ask("DELETE", "\(sandbox)/_ctl/faults") }

    /// The references of everything of a kind that the sandbox did.
    func effects(_ kind: String) async throws -> [String] {
        let journal = try await ask("GET", "\(sandbox)/_ctl/journal")
        return (journal["entries"]?.items ?? []).flatMap { entry in
            (entry["effects"]?.items ?? []).filter { $0["kind"]?.string == kind }.compactMap { $0["reference"]?.string }
        }
    }

    // MARK: The operator

    /// What a redrive would take.
    func preview() async throws -> String {
        let seen = try await ask("POST", "\(gateway)/v1/redrives", .object([("dry_run", .boolean(true))]))
        var codes: [String] = []
        if case .object(let byCode)? = seen["by_code"] {
            codes = byCode.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shown)" }
        }
        return "\(seen["count"]?.shown ?? "?") dead letters: \(codes.joined(separator: ", "))"
    }

    /// - Returns: the job's id.
    func redrive(perSecond: Int) async throws -> String {
        let started = try await ask(
            "POST", "\(gateway)/v1/redrives",
            .object([
                ("rate", .integer(Int64(perSecond))), ("reason", .string("the carrier is back")),
                ("actor", .string("operator")),
            ]))
        return started["job_id"]?.string ?? ""
    }

    /// The redriven dead letter with the most attempts.
    func redrivenLetter() async throws -> JSONValue {
        let page = try await ask("GET", "\(gateway)/v1/dlq?state=REDRIVEN&limit=200")
        let letters = page["items"]?.items ?? []
        guard let chosen = letters.max(by: { ($0["attempts"]?.items.count ?? 0) < ($1["attempts"]?.items.count ?? 0) })
        else { throw CommandFailure("there is no redriven dead letter") }
        return chosen
    }

    private func ask(_ method: String, _ url: String, _ body: Printable? = nil) async throws -> JSONValue {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        if let body { request.body = .bytes(ByteBuffer(string: body.json)) }
        let response = try await http.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))) ?? .null
        guard (200..<300).contains(Int(response.status.code)) else {
            throw CommandFailure("\(method) \(url) answered \(response.status.code): \(value.text)")
        }
        return value
    }
}
