import Testing

@testable import Activities

private let frame = SenderFrame(
    senderName: "Example GmbH", postalAddress: "Hauptstr. 1, 10115 Berlin",
    unsubscribeURL: "https://n.example/u/abc?x=1&y=2")

private func fill(
    _ body: TemplateBody, _ values: [String: JSONScalar] = [:], channel: String = "email", marketing: Bool = false
) throws -> FilledTemplate {
    try body.fill(TemplateVariables(values), channel: channel, isMarketing: marketing, frame: frame)
}

private func fault(_ body: () throws -> Void) -> TemplateFault? {
    do {
        try body()
        return nil
    } catch {
        return error as? TemplateFault
    }
}

@Suite("Templates")
struct TemplateTests {
    @Test("A value is escaped in the HTML part and plain in the text part and the subject")
    func escaping() throws {
        let body = TemplateBody(subject: "Hi {{name}}", html: "<p>{{name}}</p>", text: "Hi {{name}}, 1 < 2")
        let message = try fill(body, ["name": .string("<b>A & \"B\"</b>")])
        #expect(message.html == "<p>&lt;b&gt;A &amp; &quot;B&quot;&lt;/b&gt;</p>")
        #expect(message.text == "Hi <b>A & \"B\"</b>, 1 < 2")
        #expect(message.subject == "Hi <b>A & \"B\"</b>")
    }

    @Test(
        "A missing variable is an error that names it",
        arguments: [
            ("{{order.id}}", "order.id"), ("{{#items}}{{sku}}{{/items}}", "sku"), ("{{#vip}}x{{/vip}}", "vip"),
            ("{{nothing}}", "nothing"), ("{{#items}}{{order.total}}{{/items}}", "order.total"),
        ])
    func missing(source: String, name: String) throws {
        let values: [String: JSONScalar] = [
            "items": .array([.object(["name": .string("mug")])]), "order": .object(["ref": .integer(1)]),
            "nothing": .null,
        ]
        let found = fault { _ = try fill(TemplateBody(subject: "s", text: source), values) }
        #expect(found?.kind == .missingVariable)
        #expect(found?.name == name)
    }

    @Test("Sections: lists, flags, objects, outer names, inverted ones and those that may be missing")
    func sections() throws {
        let source =
            "{{#items}}{{sku}} for {{shop}};{{/items}}{{^none}}empty{{/none}}{{#on}}!{{/on}}{{#gone}}x{{/gone}}"
            + "{{#list}}{{.}},{{/list}}{{! a note }}"
        let message = try fill(
            TemplateBody(subject: "s", text: source, optional: ["gone"]),
            [
                "items": .array([.object(["sku": .string("a")]), .object(["sku": .string("b")])]),
                "shop": .string("S"), "none": .array([]), "on": .bool(true),
                "list": .array([.integer(1), .integer(2)]),
            ])
        #expect(message.text == "a for S;b for S;empty!1,2,")
    }

    @Test(
        "A value that looks like a template stays a text",
        arguments: [
            "{{secret}}", "{{#items}}{{/items}}", "{{> other}}", "{{{secret}}}", "{{=<% %>=}}",
            "{{% CONTENT_TYPE:HTML}}",
        ])
    func injection(value: String) throws {
        let body = TemplateBody(subject: "{{v}}", html: "<i>{{v}}</i>", text: "{{v}}")
        let message = try fill(body, ["v": .string(value), "secret": .string("S3CRET")])
        #expect(message.text == value)
        #expect(message.subject == value)
        #expect(message.html?.contains("S3CRET") == false)
    }

    @Test(
        "Partials, other delimiters, pragmas, raw variables and transforms are no part of a template",
        arguments: [
            "{{> other}}", "{{< base}}{{/base}}", "{{$block}}{{/block}}", "{{=<% %>=}}", "{{% CONTENT_TYPE:TEXT}}",
            "{{{raw}}}", "{{& raw}}", "{{uppercased(name)}}", "{{a..b}}", "{{}}", "{{#open}}", "{{/close}}",
            "{{unclosed",
            "{{#a}}{{/b}}",
        ])
    func refusedSyntax(source: String) {
        #expect(fault { _ = try TemplateText(source, .html) }?.kind == .syntax)
    }

    @Test(
        "A subject cannot begin another header, whatever a variable brings",
        arguments: [
            "a\r\nBcc: x@y.example", "a\nX: 1", "a\u{0}b", "a\u{2028}b", "a\u{202E}b", "a\u{85}b",
        ])
    func headerInjection(value: String) {
        let found = fault { _ = try fill(TemplateBody(subject: "Hi {{v}}", text: "t"), ["v": .string(value)]) }
        #expect(found?.kind == .unsafeHeader)
        #expect(found?.name == "subject")
    }

    @Test("Variables beyond 64 KiB or nested too deeply, and texts that would grow without end, are refused")
    func bounds() throws {
        let large = fault { _ = try TemplateVariables(["v": .string(String(repeating: "x", count: 10 << 20))]) }
        #expect(large?.kind == .tooLarge)
        var deep = JSONScalar.integer(1)
        for _ in 0..<20 { deep = .array([deep]) }
        #expect(fault { _ = try TemplateVariables(["v": deep]) }?.kind == .tooLarge)
        let list = JSONScalar.array(Array(repeating: .integer(1), count: 2000))
        let bomb = TemplateBody(subject: "s", text: "{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}")
        #expect(fault { _ = try fill(bomb, ["a": list]) }?.kind == .tooLarge)
    }

    @Test("What must be given is known from the template alone")
    func variables() throws {
        let body = TemplateBody(
            subject: "{{name}}", html: "{{#items}}{{sku}}{{/items}}{{unsubscribe_url}}", text: "{{name}} {{x.y}}",
            optional: ["x.y"])
        #expect(try body.check(channel: "email") == ["items", "name", "sku"])
        #expect(fault { _ = try TemplateBody(text: "x").check(channel: "email") }?.name == "subject")
        #expect(
            fault { _ = try TemplateBody(subject: "{{> a}}", text: "x").check(channel: "email") }?.name == "subject")
    }

    @Test("Marketing mail shows who sends it, from where, and how to get no more of it")
    func compliance() throws {
        let good = "<p>News</p><p>{{sender_name}}<br>{{postal_address}}</p><a href=\"{{unsubscribe_url}}\">no more</a>"
        let body = TemplateBody(
            subject: "s", html: good, text: "{{sender_name}} {{postal_address}} {{unsubscribe_url}}")
        _ = try fill(body, marketing: true)
        let bad = [
            ("<a href=\"{{unsubscribe_url}}\">x</a>{{sender_name}}", "postal_address"),
            ("<a href=\"{{unsubscribe_url}}\">x</a>{{postal_address}}", "sender_name"),
            ("{{sender_name}}{{postal_address}}", "unsubscribe_url"),
            ("<a href=\"{{unsubscribe_url}}\"></a>{{sender_name}}{{postal_address}}", "unsubscribe_url"),
            ("<!-- <a href=\"{{unsubscribe_url}}\">x</a> -->{{sender_name}}{{postal_address}}", "unsubscribe_url"),
            (
                "<div style=\"display: none\"><a href=\"{{unsubscribe_url}}\">x</a></div>{{sender_name}}{{postal_address}}",
                "unsubscribe_url"
            ),
            (
                "<a href=\"{{unsubscribe_url}}\">x</a>{{sender_name}}<p hidden>{{postal_address}}</p>",
                "postal_address"
            ),
        ]
        for (html, name) in bad {
            let found = fault { _ = try fill(TemplateBody(subject: "s", html: html), marketing: true) }
            #expect(found?.kind == .compliance, "\(html)")
            #expect(found?.name == name, "\(html)")
            _ = try fill(TemplateBody(subject: "s", html: html))  // a receipt needs none of it
        }
        // A message cannot bring its own.
        let faked = try fill(
            TemplateBody(subject: "s", text: "{{unsubscribe_url}}"),
            ["unsubscribe_url": .string("https://evil.example")])
        #expect(faked.text == frame.unsubscribeURL)
    }

    @Test(
        "Segments of short messages",
        arguments: [
            (String(repeating: "a", count: 160), 1), (String(repeating: "a", count: 161), 2),
            (String(repeating: "a", count: 306), 2), (String(repeating: "a", count: 307), 3),
            (String(repeating: "€", count: 80), 1), (String(repeating: "€", count: 81), 2),
            (String(repeating: "你", count: 70), 1), (String(repeating: "你", count: 71), 2),
            (String(repeating: "你", count: 134), 2), (String(repeating: "你", count: 135), 3),
            (String(repeating: "😀", count: 35), 1), (String(repeating: "😀", count: 36), 2),
            // 33 pairs fit into 67 units; the 34th pair is not cut.
            (String(repeating: "😀", count: 67), 3), ("", 0),
            // An escape and its character stay together: 76 of them in 153 septets.
            (String(repeating: "{", count: 153), 3),
        ])
    func segments(text: String, count: Int) { #expect(SMSSegments(text).count == count) }

    @Test(
        "Locales are tried from the most special to the default",
        arguments: [
            ("zh-Hant-TW", ["zh-Hant-TW", "zh-Hant", "zh", ""]), ("DE_at", ["de-AT", "de", ""]),
            (nil, [""]), ("", [""]), ("zh-hant", ["zh-Hant", "zh", ""]),
        ] as [(String?, [String])])
    func locales(wish: String?, chain: [String]) { #expect(LocaleChain.of(wish) == chain) }

    @Test("A recipient always gets the same version, and the versions get about equally many")
    func buckets() {
        var counts = [0, 0]
        for number in 0..<4000 {
            let version = TemplateBucket.version(of: "welcome", for: "user-\(number)", among: [2, 1])
            #expect(version == TemplateBucket.version(of: "welcome", for: "user-\(number)", among: [1, 2]))
            counts[(version ?? 1) - 1] += 1
        }
        #expect(abs(counts[0] - counts[1]) < 400, "\(counts)")
        #expect(TemplateBucket.version(of: "welcome", for: "u", among: []) == nil)
    }
}
