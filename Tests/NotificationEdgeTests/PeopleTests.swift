import Foundation
import Postgres
import Testing

@testable import Activities

@Suite("Templates in the table, people and receipts", .serialized)
struct PeopleTests {
    private static let mail = TemplateBody(
        subject: "Hi {{name}}", html: "<p>{{name}}</p>", text: "Hi {{name}}")

    private static func render(
        _ bench: DeadLetterBench, _ locale: String, version: Int = 1,
        variables: [String: JSONScalar] = ["name": .string("Ann")]
    ) async throws -> RenderedMessage {
        try await TemplateRenderer(pool: bench.pool).render(
            RenderRequest(
                tenant: "acme", template: "w", version: version, locale: locale, channel: .email,
                category: .transactional, variables: variables))
    }

    @Test("Versions are drafts until activated, never change after, and the nearest locale is taken")
    func versions() async throws { try await DeadLetterBench.with { try await Self.checkVersions($0) } }

    private static func checkVersions(_ bench: DeadLetterBench) async throws {
        let store = TemplateStore(pool: bench.pool)
        var german = Self.mail
        german.text = "Hallo {{name}}"
        let entries = [
            TemplateEntry(channel: "email", body: Self.mail),
            TemplateEntry(locale: "DE", channel: "email", body: german),
        ]
        #expect(try await store.save(tenant: "acme", id: "w", version: nil, entries: entries) == 1)
        #expect(try await store.activeVersions(tenant: "acme", id: "w") == [])
        #expect(try await store.save(tenant: "acme", id: "w", version: 1, entries: entries) == 1)
        #expect(try await store.activate(tenant: "acme", id: "w", version: 1, alongside: false))
        #expect(try await store.save(tenant: "acme", id: "w", version: 1, entries: entries) == nil)
        #expect(try await store.save(tenant: "acme", id: "w", version: nil, entries: [entries[0]]) == 2)
        #expect(try await store.activate(tenant: "acme", id: "w", version: 2, alongside: true))
        #expect(try await store.activeVersions(tenant: "acme", id: "w") == [2, 1])
        #expect(try await store.activate(tenant: "acme", id: "w", version: 2, alongside: false))
        #expect(try await store.activeVersions(tenant: "acme", id: "w") == [2])
        #expect(try await !store.activate(tenant: "acme", id: "w", version: 9, alongside: false))
        #expect(try await Self.render(bench, "de-AT").text == "Hallo Ann")
        #expect(try await Self.render(bench, "fr").text == "Hi Ann")
        #expect(try await store.list(tenant: "acme").map { $0.id } == ["w"])
        #expect(try await store.list(tenant: "other").isEmpty)
        #expect(
            try await store.check(
                tenant: "acme", id: "w", version: 1, channel: "email", locale: "", variables: [:])?.missing == ["name"])
        #expect(
            try await store.check(
                tenant: "acme", id: "w", version: 1, channel: "email", locale: "",
                variables: ["name": .string("Ann\r\nBcc: x@y.example")])?.unsafe == ["name"])
        #expect(
            try await store.check(
                tenant: "acme", id: "w", version: 1, channel: "sms", locale: "", variables: [:]) == nil)
        await #expect(throws: TemplateFault.self) {
            try await store.save(
                tenant: "acme", id: "w", version: nil,
                entries: [TemplateEntry(channel: "email", body: TemplateBody(subject: "{{> x}}", text: "t"))])
        }
    }

    @Test(
        "A missing variable, an unknown version and mail that hides its sender are template errors that name what is wrong"
    )
    func templateErrors() async throws {
        try await DeadLetterBench.with { bench in
            let store = TemplateStore(pool: bench.pool)
            _ = try await store.save(
                tenant: "acme", id: "w", version: nil, entries: [TemplateEntry(channel: "email", body: Self.mail)])
            func failure(_ body: () async throws -> Void) async -> EffectFailure? {
                do {
                    try await body()
                    return nil
                } catch {
                    return error as? EffectFailure
                }
            }
            let missing = await failure { _ = try await Self.render(bench, "", variables: [:]) }
            #expect(missing?.kind == .permanent(code: "TemplateError"))
            #expect(missing?.message.contains("name") == true)
            let unknown = await failure { _ = try await Self.render(bench, "", version: 7) }
            #expect(unknown?.kind == .permanent(code: "TemplateError"))
            let marketing = await failure {
                _ = try await TemplateRenderer(pool: bench.pool).render(
                    RenderRequest(
                        tenant: "acme", template: "w", version: 1, locale: "", channel: .email, category: .marketing,
                        variables: ["name": .string("Ann")], unsubscribeURL: "https://n.example/u/t"))
            }
            #expect(marketing?.message.contains("unsubscribe") == true)
        }
    }

    @Test("One click twice is one opt-out, one line in the ledger, one event")
    func optOut() async throws {
        try await DeadLetterBench.with { bench in
            let people = PeopleStore(pool: bench.pool)
            let links = UnsubscribeLinks(baseURL: "https://n.example", secret: "s")
            let token = links.token(tenant: "acme", subject: "user:ann", list: "marketing")
            let claim = try #require(links.claim(token))
            #expect(links.claim(token + "A") == nil)
            #expect(UnsubscribeLinks(baseURL: "", secret: "other").claim(token) == nil)
            for _ in 0..<2 { try await people.optOut(claim) }
            let (preferences, consents) = try await people.preferences(tenant: "acme", subject: "user:ann")
            #expect(preferences == [PeopleStore.Preference(category: "marketing", isOptedOut: true)])
            #expect(consents.map(\.isGiven) == [false])
            #expect(try await bench.texts("select count(*)::text from wf_ntf.consent") == ["1"])
            #expect(
                try await bench.texts("select count(*)::text from outbox.event where type = 'ntf.opted_out'") == ["1"])
        }
    }

    @Test("Suppressed addresses are kept as hashes and listed page by page")
    func suppressions() async throws {
        try await DeadLetterBench.with { bench in
            let people = PeopleStore(pool: bench.pool)
            for number in 0..<5 {
                for _ in 0..<2 {
                    try await people.suppress(
                        tenant: "acme", channel: .email, address: "A\(number)@x.example", reason: "by hand")
                }
            }
            let first = try await people.suppressions(tenant: "acme", after: nil, limit: 3)
            let last = try #require(first.last)
            let rest = try await people.suppressions(
                tenant: "acme", after: (last.channel, last.addressHash), limit: 3)
            #expect(Set((first + rest).map(\.addressHash)).count == 5)
            #expect(try await people.unsuppress(tenant: "acme", channel: .email, address: "a1@x.example"))
            #expect(try await !people.unsuppress(tenant: "acme", channel: .email, address: "a1@x.example"))
            #expect(try await bench.places(of: "x.example") == [])
        }
    }

    @Test("A batch counts what it brought, says what was refused, and shows how far it is")
    func batch() async throws {
        try await DeadLetterBench.with { bench in
            let batches = BatchStore(pool: bench.pool)
            try await bench.park(1)
            try await batches.open(id: "b", tenant: "acme", total: 0)
            let rows = [
                BatchStore.Row(number: 1, notification: "n1", errors: "[]"),
                BatchStore.Row(number: 2, notification: "n2", errors: "[]"),
                BatchStore.Row(number: 3, notification: nil, errors: #"[{"pointer":"/tenant","detail":"x"}]"#),
            ]
            for _ in 0..<2 { try await batches.add(rows, to: "b") }
            try await batches.close(id: "b", total: 3)
            let view = try #require(try await batches.show("b"))
            #expect(view.total == 3)
            #expect(view.accepted == 2)
            #expect(view.refused == 1)
            #expect(view.states == ["ACCEPTED": 1, "STARTING": 1])
            #expect(view.faults.map(\.number) == [3])
            #expect(try await batches.show("none") == nil)
        }
    }

    @Test("A receipt finds its running workflow; after the workflow's end a hard bounce suppresses the address, once")
    func receipts() async throws {
        try await DeadLetterBench.with { bench in
            try await bench.park(1)
            _ = try await bench.texts(
                """
                insert into wf_ntf.delivery (op_id, tenant, notification, channel, provider, provider_ref, address_hash)
                values ('op', 'acme', 'n1', 'sms', 'sms-a', 'SM1', '\\x0102') returning op_id
                """)
            let intake = ReceiptIntake(pool: bench.pool)
            let body = Array(
                #"{"id":"e1","type":"message.bounced","reference":"SM1","code":"30003","bounce_type":"Permanent","extra":1}"#
                    .utf8)
            let taken = try await intake.take(provider: "sms-a", body: body)
            #expect(taken.notice?.workflowID == "ntf:acme:n1")
            #expect(taken.notice?.event.bounce == .permanent)
            _ = try await bench.texts("update wf_ntf.notification set ended_at = now() where id = 'n1' returning id")
            for isNew in [true, false] {
                let late = try await intake.take(provider: "sms-a", body: body)
                #expect(late.notice == nil)
                #expect(late.isNew == isNew)
            }
            #expect(try await bench.texts("select reason from wf_ntf.suppression") == ["bounced"])
            #expect(try await bench.texts("select count(*)::text from wf_ntf.receipt") == ["1"])
            await #expect(throws: ReceiptIntake.Unreadable(pointer: "/reference")) {
                try await intake.take(provider: "sms-a", body: Array(#"{"id":"e2","type":"delivered"}"#.utf8))
            }
            let unknown = try await intake.take(
                provider: "sms-a", body: Array(#"{"id":"e3","type":"delivered","reference":"SM9"}"#.utf8))
            #expect(unknown.notice == nil)
        }
    }
}
