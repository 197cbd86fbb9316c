import Foundation
import ServerTestKit
import Testing

/// families.md section 4 through the gateway, with the real program.
@Suite(
    "Notifications over HTTP, end to end", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: MailSink.isAvailable, "aiosmtpd is not there: run scripts/setup.sh --python"))
struct NotificationDoorTests {
    private static let policy = #"{"receiptSeconds": {}}"#

    /// Posts a notification and waits for its end.
    private func send(_ body: String, _ desk: PaymentDesk) async throws -> [String: Any] {
        let accepted = try await desk.call("POST", "\(desk.stage.gatewayURL)/v1/notifications", body: body)
        guard accepted.status == 202, let id = accepted.json["notification_id"] as? String else {
            throw ServerFailure("expected 202, got \(accepted.status): \(accepted.text)")
        }
        var last: [String: Any] = [:]
        try await desk.until("the end of \(id)") {
            last = try await desk.call("GET", "\(desk.stage.gatewayURL)/v1/notifications/\(id)").json
            return last["closed_at"] is String
        }
        return last
    }

    private func put(_ path: String, _ body: String, _ desk: PaymentDesk, method: String = "PUT") async throws {
        let answer = try await desk.call(method, desk.stage.gatewayURL + path, body: body)
        #expect((200...201).contains(answer.status), "\(path): \(answer.text)")
    }

    private func makeTemplate(_ id: String, _ bodies: String, _ desk: PaymentDesk) async throws {
        try await self.put("/v1/templates/\(id)?tenant=shop", #"{"bodies": [\#(bodies)]}"#, desk)
        try await self.put("/v1/templates/\(id)/versions/1/activate?tenant=shop", "", desk, method: "POST")
    }

    @Test("12, 18: a text that lacks a variable is dead without a try; the next channel takes over when one has failed")
    func channels() async throws {
        try await NotificationOffice.with(policy: Self.policy) { office in
            let desk = PaymentDesk(stage: office.stage)
            try await self.makeTemplate(
                "welcome",
                """
                {"channel": "email", "subject": "Hi {{name}}", "text": "Dear {{name}}"},
                {"channel": "sms", "text": "Dear {{name}}"},
                {"channel": "email", "locale": "de", "subject": "Hallo {{vorname}}", "text": "Hallo {{vorname}}"}
                """, desk)
            try await office.run(
                """
                insert into wf_ntf.user_profile (tenant, user_id, email, phone, locale) values
                    ('shop', 'hans', 'ok@example.com', '+4917011112222', 'de-DE'),
                    ('shop', 'gone', 'nouser@example.com', '+4917033334444', '')
                """)
            let broken = try await self.send(
                #"{"tenant": "shop", "recipient": {"user_id": "hans"}, "template": {"id": "welcome"}, "category": "transactional", "variables": {"name": "Hans"}}"#,
                desk)
            #expect(broken["status"] as? String == "DEAD")
            #expect(broken["reason"] as? String == "template_error")
            #expect(try office.sink.lines().isEmpty)
            try await desk.until("the counter") {
                try await desk.call("GET", "\(office.stage.gatewayURL)/metrics").text.contains(
                    "aloft_dlq_parked_total{source=\"notification\",code=\"template_error\"} 1\n")
            }
            try await self.repair(broken, desk)
            #expect(try office.sink.lines("message").count == 1)
            let second = try await self.send(
                #"{"tenant": "shop", "recipient": {"user_id": "gone"}, "template": {"id": "welcome"}, "category": "transactional", "variables": {"name": "Ann"}, "channels": ["email", "sms"]}"#,
                desk)
            #expect(second["status"] as? String == "SENT")
            #expect(second["channel"] as? String == "sms")
            #expect(try office.sink.lines("rcpt").map(\.code) == [250, 550])
            #expect(try await office.effects("sms.sent").count == 1)
        }
    }

    /// An operator repairs the template and takes the dead letter up again with it.
    private func repair(_ broken: [String: Any], _ desk: PaymentDesk) async throws {
        try await self.put(
            "/v1/templates/welcome/versions?tenant=shop",
            #"{"bodies": [{"channel": "email", "subject": "Hi {{name}}", "text": "Dear {{name}}"}]}"#, desk,
            method: "POST")
        let asked = try await desk.call(
            "POST", "\(desk.stage.gatewayURL)/v1/redrives",
            body:
                #"{"filter": {"code": "template_error"}, "overrides": {"template.version": 2}, "reason": "repaired", "actor": "ann"}"#
        )
        #expect(asked.status == 202, "\(asked.text)")
        let id = broken["notification_id"] as? String ?? ""
        try await desk.until("the repaired one is sent") {
            try await desk.call("GET", "\(desk.stage.gatewayURL)/v1/notifications/\(id)").json["status"] as? String
                == "SENT"
        }
    }

    @Test("14: one click twice is one opt-out and two good answers; looking changes nothing; then nothing more is sent")
    func oneClick() async throws {
        try await NotificationOffice.with(policy: Self.policy) { office in
            let desk = PaymentDesk(stage: office.stage)
            try await self.makeTemplate(
                "news",
                """
                {"channel": "email", "subject": "News", "text": "For {{name}} {{sender_name}} {{postal_address}} {{unsubscribe_url}}",
                "html": "<p>For {{name}}</p><p>{{sender_name}}, {{postal_address}} <a href=\\"{{unsubscribe_url}}\\">No more</a></p>"}
                """,
                desk)
            try await office.run(
                """
                insert into wf_ntf.user_profile (tenant, user_id, email) values ('shop', 'ann', 'ok@example.com');
                insert into wf_ntf.tenant_setting (tenant, sender_name, sender_address, postal_address)
                    values ('shop', 'The Shop', 'news@shop.example', '1 Main Street, Springfield')
                    on conflict (tenant) do update set sender_name = 'The Shop', sender_address = 'news@shop.example',
                        postal_address = '1 Main Street, Springfield';
                """)
            try await self.put(
                "/v1/preferences/user:ann?tenant=shop", #"{"category": "marketing", "consent": true}"#, desk)
            let body =
                #"{"tenant": "shop", "recipient": {"user_id": "ann"}, "template": {"id": "news"}, "category": "marketing", "variables": {"name": "Ann"}}"#
            let first = try await self.send(body, desk)
            #expect(first["status"] as? String == "SENT", "\(first)")
            let headers = try #require(try office.sink.lines("message").first?.headers)
            #expect(headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
            let link = try #require(
                headers["List-Unsubscribe"]?.split(separator: "<").last { $0.contains("/u/") }?.prefix { $0 != ">" })
            let optOuts = "select count(*)::text from wf_ntf.preference where is_opted_out"
            for _ in 0..<2 { #expect(try await desk.call("GET", String(link)).status == 200) }
            #expect(try await office.texts(optOuts) == ["0"])
            for _ in 0..<2 {
                #expect(try await desk.call("POST", String(link), body: "List-Unsubscribe=One-Click").status == 200)
            }
            #expect(try await office.texts(optOuts) == ["1"])
            #expect(try await desk.call("POST", String(link) + "0").status == 404)
            let after = try await self.send(body, desk)
            #expect(after["status"] as? String == "SUPPRESSED")
            #expect(try office.sink.lines("message").count == 1)
        }
    }

    @Test("17: after an erasure nothing of the person is readable anywhere, and every proof still holds")
    func erasure() async throws {
        let key = String(repeating: "5a", count: 32)
        try await NotificationOffice.with(policy: Self.policy, environment: ["ALOFT_MASTER_KEY": key]) { office in
            let desk = PaymentDesk(stage: office.stage)
            let needles = ["zq.secret", "Zebulon", "nouser+zq", "17055556666"].map { Needle($0) }
            try await office.run(
                """
                insert into wf_ntf.user_profile (tenant, user_id, email, phone) values
                    ('shop', 'zq', 'zq.secret@example.com', '+4917055556666')
                """)
            func request(_ recipient: String, _ more: String = "") -> String {
                #"{"tenant": "shop", "recipient": {\#(recipient)}, "template": {"id": "hello"}, "category": "transactional", "variables": {"name": "Zebulon Quark"}\#(more)}"#
            }
            _ = try await self.send(request(#""user_id": "zq""#), desk)
            _ = try await self.send(request(#""email": "zq.secret@example.com""#), desk)
            _ = try await self.send(request(#""phone": "+4917055556666""#, #", "channels": ["sms"]"#), desk)
            let dead = try await self.send(request(#""email": "nouser+zq@example.com""#), desk)
            #expect(dead["status"] as? String == "DEAD")
            let later = ISO8601DateFormatter().string(from: Date(timeIntervalSinceNow: 7200))
            let waiting = try await desk.call(
                "POST", "\(office.stage.gatewayURL)/v1/notifications",
                body: request(#""user_id": "zq""#, #", "send_at": "\#(later)""#))
            #expect(waiting.status == 202)
            let before = try await self.everything(office)
            #expect(needles.contains { $0.isIn(before) }, "the search finds nothing at all")
            for recipient in [#""user_id": "zq""#, #""email": "nouser+zq@example.com""#] {
                let asked = try await desk.call(
                    "POST", "\(office.stage.gatewayURL)/v1/erasures",
                    body: #"{"tenant": "shop", "recipient": {\#(recipient)}, "actor": "dpo", "reason": "GDPR 17"}"#)
                #expect(asked.status == 202, "\(asked.text)")
                let operation = asked.json["operation_id"] as? String ?? ""
                try await desk.until("the erasure") {
                    try await desk.call("GET", "\(office.stage.gatewayURL)/v1/operations/\(operation)").json["status"]
                        as? String == "SUCCEEDED"
                }
            }
            let after = try await self.everything(office)
            for needle in needles {
                #expect(!needle.isIn(after), "\(needle.text) is still there: \(needle.place(in: after))")
            }
            let verified = try await office.stage.run(["replay", "verify", "--database-url", office.stage.databaseURL])
            #expect(verified.status == 0, "\(verified.output)")
        }
    }

    /// All that the system keeps or shows: tables, histories as they are exported, the feed, logs.
    private func everything(_ office: NotificationOffice) async throws -> String {
        let stage = office.stage
        let file = stage.folder.appending(path: "dump.sql")
        let dump = try ChildProcess.start(
            ["/usr/lib/postgresql/15/bin/pg_dump", "--inserts", "--dbname", stage.databaseURL], output: file)
        guard await dump.wait() == 0 else { throw ServerFailure("pg_dump failed") }
        var all = try String(contentsOf: file, encoding: .utf8)
        try FileManager.default.removeItem(at: file)
        for workflow in try await office.texts("select workflow_id from aloft.runs order by 1") {
            all += try await stage.run(
                ["workflow", "show", workflow, "--address", stage.grpcAddress, "--output", "json"]
            ).output
        }
        all += try await stage.run(
            ["feed", "tail", "--nats-url", stage.natsURL, "--all", "--output", "json"]
        ).output
        for name in ["server", "worker"] {
            all += (try? String(contentsOf: stage.folder.appending(path: "\(name).log"), encoding: .utf8)) ?? ""
        }
        return all
    }
}

/// A text in every shape in which it may stand: as it is, as hexadecimal digits, as part of a base64 text.
private struct Needle {
    let text: String
    private let shapes: [String]

    init(_ text: String) {
        self.text = text
        let bytes = Array(text.utf8)
        var shapes = [text, bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()]
        for shift in 0..<3 {
            let encoded = Data(Array(repeating: 0, count: shift) + bytes).base64EncodedString()
            // The digits that hold bits of the neighbours are left out.
            let first = (shift * 8 + 5) / 6
            let last = (shift + bytes.count) * 8 / 6
            shapes.append(String(encoded.dropFirst(first).prefix(last - first)))
        }
        self.shapes = shapes
    }

    func isIn(_ haystack: String) -> Bool { self.shapes.contains { haystack.contains($0) } }

    func place(in haystack: String) -> String {
        for shape in self.shapes {
            if let range = haystack.range(of: shape) {
                let start = haystack.index(range.lowerBound, offsetBy: -150, limitedBy: haystack.startIndex)
                return String(haystack[(start ?? haystack.startIndex)..<range.upperBound])
            }
        }
        return ""
    }
}
