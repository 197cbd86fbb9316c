import Foundation
import History
import NIOCore
import Runtime
import Synchronization
import Testing

@testable import Gateway

private func web(_ backend: ScriptedBackend = ScriptedBackend(), _ desk: ScriptedDesk = ScriptedDesk()) -> Web {
    Web(backend) { options in
        options.notifications = desk
        options.now = { Timestamp(nanoseconds: 1_790_000_000_000_000_000) }
        options.webhookSecrets = ["ntf-sms": ["new", "old"]]
    }
}

@Suite("POST /v1/notifications")
struct NotificationEndpointTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let field: String
        let value: String
        var pointer: String?
        var testDescription: String { "\(field) = \(value.prefix(50))" }

        init(_ field: String, _ value: String, at pointer: String? = nil) {
            self.field = field
            self.value = value
            self.pointer = pointer
        }
    }

    static let bad: [Bad] = [
        Bad("tenant", "\"Acme\""), Bad("tenant", "\"a:b\""), Bad("tenant", "\"\""), Bad("tenant", "7"),
        Bad("recipient", "{}"), Bad("recipient", "[]"), Bad("recipient", "{\"name\":\"x\"}", at: "/recipient"),
        // Header injection, in addresses and elsewhere.
        Bad("recipient/email", #""a@b.example\r\nBcc: x@y.example""#), Bad("recipient/email", #""a\n@b.example""#),
        Bad("recipient/email", #""a b@c.example""#), Bad("recipient/email", #""a@b@c.example""#),
        Bad("recipient/email", #""@b.example""#), Bad("recipient/email", #""a@localhost""#),
        Bad("recipient/email", #""a..b@c.example""#), Bad("recipient/email", #""a@-b.example""#),
        Bad("recipient/email", #""a@10.0.0.1""#),
        Bad("recipient/email", "\"\(String(repeating: "a", count: 65))@b.example\""),
        Bad("recipient/email", "\"a@\(String(repeating: "b", count: 64)).example\""),
        // Homographs: Cyrillic а in a Latin name, the same as punycode, a wholly Cyrillic look-alike, Greek ο.
        Bad("recipient/email", #""a@p\u0430ypal.example""#), Bad("recipient/email", #""a@xn--pypal-4ve.example""#),
        Bad("recipient/email", #""a@\u0430\u0440\u0440\u04cf\u0435.com""#),
        Bad("recipient/email", #""a@xn--80ak6aa92e.com""#), Bad("recipient/email", #""a@g\u03bfogle.example""#),
        Bad("recipient/email", #""a@xn--.example""#), Bad("recipient/email", #""a@xn--a-b.example""#),
        Bad("recipient/email", #""a@b\u202ec.example""#), Bad("recipient/email", #""a@ex\u00admple.example""#),
        Bad("recipient/phone", "\"0151123\""), Bad("recipient/phone", "\"+0151123456\""),
        Bad("recipient/phone", "\"+4915112345678901\""), Bad("recipient/phone", "\"+49 151 123456\""),
        Bad("recipient/phone", "\"+٤٩١٥١١٢٣٤٥\""), Bad("recipient/user_id", #""a\r\nb""#),
        Bad("recipient/wechat_openid", "\"o b\""),
        Bad("template", "\"x\""), Bad("template/id", "\"a/b\""), Bad("template/version", "0"),
        Bad("template/version", "\"b\""), Bad("template/locale", "\"not a tag\""), Bad("template/locale", "\"e\""),
        Bad("template/more", "1"), Bad("category", "\"spam\""), Bad("channels", "[]"), Bad("channels", "[\"fax\"]"),
        Bad("channels", "[\"sms\",\"sms\"]"), Bad("priority", "\"urgent\""), Bad("fallback_after", "\"15 minutes\""),
        Bad("fallback_after", "\"PT0S\""), Bad("send_at", "\"tomorrow\""), Bad("send_at", "\"2029-01-01T00:00:00Z\""),
        Bad("expires_at", "\"2020-01-01T00:00:00Z\""), Bad("window/from", "\"25:00\""),
        Bad("window", #"{"from":"09:00","until":"09:00"}"#, at: "/window/until"),
        Bad("window", #"{"days":[]}"#, at: "/window/days"),
        Bad("window", #"{"days":["mon","mon"]}"#, at: "/window/days"),
        Bad("window", "7"), Bad("digest", "{}", at: "/digest/key"),
        Bad("digest", #"{"key":"k","every":"x"}"#, at: "/digest/every"),
        Bad("at_most_once", "1"), Bad("callback_url", "\"ftp://x\""), Bad("variables", "[]"), Bad("surprise", "1"),
        Bad("variables", "{\"v\":\"\(String(repeating: "x", count: 65 << 10))\"}"), Bad("dedup_key", "\"\""),
    ]

    @Test("A bad field is named and nothing starts", arguments: bad)
    func badField(_ bad: Bad) async {
        let (backend, desk) = (ScriptedBackend(), ScriptedDesk())
        let answer = await web(backend, desk).ask(
            "POST", "/v1/notifications", NotificationBodies.with(bad.field, bad.value))
        #expect(answer.status == 422)
        #expect(answer.header("content-type") == "application/problem+json")
        #expect(answer.pointers.first == bad.pointer ?? "/\(bad.field)", "\(answer.text)")
        #expect(backend.state.withLock { $0.starts.isEmpty && $0.requests.isEmpty })
        #expect(desk.state.withLock { $0.drafts.isEmpty })
    }

    @Test("Invalid UTF-8 is a refused field, wherever it stands")
    func invalidUTF8() async {
        var body = Array(NotificationBodies.with("variables", #"{"name":"XYZ"}"#).utf8)
        if let place = body.firstRange(of: Array("XYZ".utf8)) { body.replaceSubrange(place, with: [0xFF, 0xC0, 0x80]) }
        let backend = ScriptedBackend()
        let answer = await web(backend).service.answer(
            HTTPQuestion(method: "POST", path: "/v1/notifications", body: body))
        #expect(answer.status == 422)
        #expect(answer.pointers == ["/variables/name"])
        #expect(backend.state.withLock { $0.starts.isEmpty })
    }

    @Test("Ten megabytes of variables are refused before they are read, and named")
    func tenMegabytes() async {
        let text = NotificationBodies.with("variables", "{\"v\":\"\(String(repeating: "x", count: 10 << 20))\"}")
        let answer = await web().ask("POST", "/v1/notifications", text)
        #expect(answer.status == 413)
        #expect(answer.pointers == ["/variables"])
    }

    @Test(
        "Good addresses are taken as they are kept",
        arguments: [
            ("Ann.O'Neil+x@Example.COM", "Ann.O'Neil+x@example.com"), ("a@müller.de", "a@xn--mller-kva.de"),
            ("a@xn--mller-kva.de", "a@xn--mller-kva.de"), ("a@例え.jp", "a@xn--r8jz45g.jp"),
            ("a@яндекс.рф", "a@xn--d1acpjx3f.xn--p1ai"), ("a@bücher.example", "a@xn--bcher-kva.example"),
        ])
    func goodAddress(given: String, kept: String) throws {
        #expect(try EmailAddress(given).text == kept)
    }

    @Test(
        "Language tags",
        arguments: [
            ("de", true), ("zh-Hant-TW", true), ("en-US-u-ca-gregory", true), ("x-private", true),
            ("sl-rozaj-biske", true),
            ("de-1901", true), ("es-419", true), ("", false), ("d", false), ("de-", false), ("de_DE", false),
            ("en-u", false), ("en-a-bb-a-cc", false), ("abcdefghi", false), ("дe", false),
        ])
    func languageTags(text: String, isGood: Bool) { #expect(LanguageTag.isValid(text) == isGood) }

    @Test("The workflow gets the request as the family reads it, under the key of the tenant")
    func accepted() async throws {
        let (backend, desk) = (ScriptedBackend(), ScriptedDesk())
        let body = #"""
            {"tenant":"acme","dedup_key":"order-7","recipient":{"user_id":"u1"},"template":{"id":"w","version":"ab","locale":"de"},
            "variables":{"n":1},"category":"marketing","channels":["email","sms"],"fallback_after":"PT1H","priority":"high",
            "send_at":"2026-10-01T08:00:00+02:00","expires_at":"2026-10-02T00:00:00Z",
            "window":{"days":["mon",2],"from":"09:00","until":"24:00","tz":"Europe/Berlin"},"at_most_once":true}
            """#
        let answer = await web(backend, desk).ask("POST", "/v1/notifications", body)
        #expect(answer.status == 202)
        let id = try #require(answer.json["notification_id"]?.text)
        #expect(answer.header("location") == "/v1/notifications/\(id)")
        let start = try #require(backend.state.withLock { $0.starts.first })
        #expect(start.attributes.workflowID.value == "ntf:acme:\(id)")
        #expect(start.attributes.workflowType == "ntf.Send")
        #expect(start.claim?.key == "order-7")
        let input = try #require(PlainPayloads.decode(start.attributes.input))
        #expect(input["send_at"] == .number("1790834400.0"))
        #expect(input["fallback_after_seconds"]?.int == 3600)
        #expect(input["window"]?["days"] == .array([1, 2]))
        #expect(input["window"]?["until_minute"]?.int == 0)
        #expect(desk.state.withLock { $0.drafts.first?.version } == .test)
    }

    @Test("The sender's key makes it one notification, whatever the rest says; another tenant has keys of its own")
    func dedup() async {
        let backend = ScriptedBackend()
        let service = web(backend)
        let first = await service.ask("POST", "/v1/notifications", NotificationBodies.with("dedup_key", "\"k\""))
        let second = await service.ask(
            "POST", "/v1/notifications",
            #"{"tenant":"acme","dedup_key":"k","recipient":{"user_id":"z"},"template":{"id":"x"},"category":"security"}"#
        )
        #expect(second.status == 202)
        #expect(second.json["notification_id"] == first.json["notification_id"])
        #expect(second.header("idempotent-replayed") == "true")
        let other = await service.ask(
            "POST", "/v1/notifications",
            NotificationBodies.with("dedup_key", "\"k\"").replacing("\"acme\"", with: "\"other\""))
        #expect(other.json["notification_id"] != first.json["notification_id"])
        #expect(backend.state.withLock { $0.starts.count } == 2)
        // Without any key each request is one of its own.
        _ = await service.ask("POST", "/v1/notifications", NotificationBodies.good)
        _ = await service.ask("POST", "/v1/notifications", NotificationBodies.good)
        #expect(backend.state.withLock { $0.starts.count } == 4)
    }

    @Test("A digest's requests are triggers of one workflow for each person and key")
    func digest() async throws {
        let backend = ScriptedBackend()
        let sealed = JSONValue.record(
            ("recipient", .record(("sealed", .record(("subject", "addr:77"), ("key_id", "k"), ("box", "b"))))))
        let service = web(backend, ScriptedDesk(verdict: .ok(sealed)))
        let body = NotificationBodies.with("digest", #"{"key":"news","every":"PT1H"}"#)
        let answer = await service.ask("POST", "/v1/notifications", body)
        #expect(answer.status == 202)
        let start = try #require(backend.state.withLock { $0.starts.first })
        #expect(start.attributes.workflowID.value == "digest:acme:addr:77:news")
        #expect(start.attributes.workflowType == "ntf.Digest")
        let trigger = PlainPayloads.decode(start.signal?.input)
        #expect(trigger?["id"] == answer.json["notification_id"])
        #expect(trigger?["variables"]?["sealed"]?["box"]?.text == "b")
    }

    @Test("What the desk refuses is answered with its fields, and nothing starts")
    func refusedByDesk() async {
        let backend = ScriptedBackend()
        let desk = ScriptedDesk(verdict: .refused([DeskFault("/variables/name", "is missing for the template")]))
        let answer = await web(backend, desk).ask("POST", "/v1/notifications", NotificationBodies.good)
        #expect(answer.status == 422)
        #expect(answer.pointers == ["/variables/name"])
        #expect(backend.state.withLock { $0.starts.isEmpty })
    }

    @Test("A batch is refused whole with every place named, or started whole; repeated, it starts nothing twice")
    func batch() async {
        let (backend, desk) = (ScriptedBackend(), ScriptedDesk())
        let service = web(backend, desk)
        func body(_ recipients: String) -> String {
            #"{"tenant":"acme","template":{"id":"w"},"category":"transactional","recipients":[\#(recipients)]}"#
        }
        let bad = await service.ask(
            "POST", "/v1/notifications:bulk",
            body(#"{"recipient":{"user_id":"a"}},{"recipient":{"phone":"1"}},7"#))
        #expect(bad.status == 422)
        #expect(bad.pointers == ["/recipients/1/recipient/phone", "/recipients/2"])
        #expect(backend.state.withLock { $0.starts.isEmpty })
        let many = (0..<450).map { #"{"recipient":{"user_id":"u\#($0)"}}"# }.joined(separator: ",")
        for _ in 0..<2 {
            let good = await service.ask(
                "POST", "/v1/notifications:bulk", body(many), headers: [("idempotency-key", "b1")])
            #expect(good.status == 202)
            #expect(good.json["accepted"]?.int == 450)
        }
        #expect(backend.state.withLock { $0.starts.count } == 450)
        #expect(desk.state.withLock { $0.rows.count } == 900)
        let tooMany = await service.ask(
            "POST", "/v1/notifications:bulk",
            body((0...10_000).map { _ in "{}" }.joined(separator: ",")))
        #expect(tooMany.pointers == ["/recipients"])
    }

    @Test("An upload is read line by line: good lines start, bad ones are named, none is held for long")
    func upload() async {
        let (backend, desk) = (ScriptedBackend(), ScriptedDesk())
        let service = web(backend, desk).service
        let question = HTTPQuestion(
            method: "POST", path: "/v1/notifications:bulk", query: [("tenant", "acme")],
            headers: [("content-type", "application/x-ndjson"), ("idempotency-key", "up")])
        #expect(service.isUpload(question))
        let text =
            (0..<40).map { _ in NotificationBodies.good }.joined(separator: "\n") + "\n\n{bad\n"
            + NotificationBodies.with("tenant", "\"other\"") + "\n"
            + NotificationBodies.with("recipient/email", "\"no\"") + "\n"
            + "{\"v\":\"\(String(repeating: "x", count: 200_000))\"}\n" + NotificationBodies.good
        let parts = AsyncStream<ByteBuffer> { stream in
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: 777) {
                stream.yield(ByteBuffer(bytes: bytes[start..<min(start + 777, bytes.count)]))
            }
            stream.finish()
        }
        let answer = await service.upload(question, parts)
        #expect(answer.json["total"]?.int == 45)
        #expect(answer.json["accepted"]?.int == 41)
        #expect(answer.json["refused"]?.int == 4)
        #expect(backend.state.withLock { $0.starts.count } == 41)
        let faults = desk.state.withLock { $0.rows.flatMap { $0.faults.map(\.pointer) } }
        #expect(Set(faults) == ["", "/tenant", "/recipient/email", "/variables"])
    }
}

@Suite("Unsubscribing, receipts and lists")
struct NotificationDoorTests {
    @Test(
        "One click twice is one opt-out and both are answered; looking at the page changes nothing; a forged link is none"
    )
    func unsubscribe() async {
        let desk = ScriptedDesk()
        let service = web(ScriptedBackend(), desk)
        let page = await service.ask("GET", "/u/good")
        #expect(page.status == 200)
        #expect(page.header("content-type")?.hasPrefix("text/html") == true)
        #expect(desk.state.withLock { $0.optOuts.isEmpty })
        for _ in 0..<2 {
            let answer = await service.ask("POST", "/u/good", "List-Unsubscribe=One-Click")
            #expect(answer.status == 200)
        }
        #expect(desk.state.withLock { $0.optOuts.count } == 1)
        for method in ["GET", "POST"] { #expect(await service.ask(method, "/u/forged").status == 404) }
    }

    private func receipt(
        _ service: Web, _ body: String, secret: String = "new", age: Int64 = 0, signed: String? = nil
    ) async -> HTTPAnswer {
        let time = 1_790_000_000 - age
        let code = WebhookSignature.signature(time: time, body: Array((signed ?? body).utf8), secret: secret)
        return await service.ask(
            "POST", "/v1/hooks/ntf/sms", body, headers: [("webhook-signature", "t=\(time),v1=\(Hex.encode(code))")])
    }

    @Test(
        "A receipt with a good signature reaches its workflow once; forgeries, replays and changed bodies reach nobody")
    func receipts() async {
        let backend = ScriptedBackend()
        let service = web(backend)
        let body = #"{"id":"ev1","type":"delivered","reference":"SM1"}"#
        #expect(await receipt(service, body, secret: "wrong").status == 400)
        #expect(await receipt(service, body, age: 301).status == 400)
        #expect(await receipt(service, body, age: -301).status == 400)
        #expect(await receipt(service, body, signed: body.replacing("SM1", with: "SM2")).status == 400)
        #expect(await service.ask("POST", "/v1/hooks/ntf/sms", body).status == 400)
        #expect(await service.ask("POST", "/v1/hooks/ntf/nobody", body).status == 404)
        #expect(await receipt(service, #"{"type":"delivered"}"#).pointers == ["/id"])
        #expect(backend.state.withLock { $0.signals.isEmpty })
        #expect(await receipt(service, body).status == 200)
        let again = await receipt(service, body, secret: "old")
        #expect(again.json["duplicate"]?.bool == true)
        #expect(backend.state.withLock { $0.signals.count } == 1)
    }

    @Test("A carrier's status callback is a form with a signature over our address and its fields")
    func formReceipts() async {
        let backend = ScriptedBackend()
        let service = web(backend)
        func callback(_ status: String, sid: String = "SM1", secret: String = "old") async -> HTTPAnswer {
            let text = "http://aloft.example/v1/hooks/ntf/smsErrorCode30003MessageSid\(sid)MessageStatus\(status)"
            let signature = Data(FormSignature.code(text, secret: secret)).base64EncodedString()
            return await service.ask(
                "POST", "/v1/hooks/ntf/sms", "MessageSid=SM1&MessageStatus=\(status)&ErrorCode=30003",
                headers: [("x-twilio-signature", signature), ("host", "aloft.example")])
        }
        #expect(await callback("undelivered", secret: "wrong").status == 400)
        #expect(await callback("undelivered", sid: "SM2").status == 400)
        #expect(await callback("sent").status == 200)
        #expect(backend.state.withLock { $0.signals.isEmpty })
        #expect(await callback("undelivered").json["duplicate"]?.bool == false)
        #expect(await callback("undelivered").json["duplicate"]?.bool == true)
        #expect(backend.state.withLock { $0.signals.count } == 1)
    }

    @Test("Cursors are bound to their list and tenant")
    func cursors() async throws {
        let service = web()
        let first = await service.ask("GET", "/v1/suppressions", query: [("tenant", "acme"), ("limit", "4")])
        let next = try #require(first.json["next"]?.text)
        let second = await service.ask(
            "GET", "/v1/suppressions", query: [("tenant", "acme"), ("limit", "4"), ("after", next)])
        #expect(second.json["items"] == .array([4, 5, 6, 7]))
        for (tenant, cursor) in [("other", next), ("acme", next + "A"), ("acme", "AAAA")] {
            let refused = await service.ask(
                "GET", "/v1/suppressions", query: [("tenant", tenant), ("after", cursor)])
            #expect(refused.status == 400)
        }
        #expect(await service.ask("GET", "/v1/suppressions").pointers == ["/tenant"])
    }

    @Test("Addresses to suppress are checked like recipients")
    func suppressing() async {
        let desk = ScriptedDesk()
        let service = web(ScriptedBackend(), desk)
        let query = [(name: "tenant", value: "acme")]
        let bad = await service.ask("POST", "/v1/suppressions", #"{"channel":"email","address":"x"}"#, query: query)
        #expect(bad.pointers == ["/address"])
        _ = await service.ask("POST", "/v1/suppressions", #"{"channel":"email","address":"A@B.Example"}"#, query: query)
        #expect(desk.state.withLock { $0.suppressed } == ["A@b.example"])
        #expect(await service.ask("PUT", "/v1/templates/w/versions/1", "{}", query: query).status == 409)
        #expect(await service.ask("POST", "/v1/templates/w/versions", "{}", query: query).status == 201)
    }
}
