import Crypto
import Foundation
import Postgres
import Testing

@testable import Activities

private let address = "ann.secret@example.com"

private func request(_ id: String, _ recipient: Recipient = Recipient(email: address)) -> NotificationRequest {
    NotificationRequest(
        id: id, tenant: "acme", recipient: recipient, template: NotificationRequest.Template(id: "welcome"),
        variables: ["mail": .string(address), "n": .integer(7)], category: .transactional)
}

@Suite("Subjects' keys and erasing", .serialized)
struct SubjectKeyTests {
    @Test("A sealed request shows nothing personal, opens again, and keeps one key for a subject")
    func sealing() async throws {
        try await DeadLetterBench.with { bench in
            let keys = SubjectKeys(pool: bench.pool, master: .development)
            let plain = request("n1")
            let sealed = try await keys.seal(plain)
            #expect(sealed.variables.isEmpty)
            #expect(sealed.recipient.email == nil)
            #expect(sealed.recipient.subject == plain.recipient.subject)
            #expect(try !PaymentJSON.text(sealed).contains("ann.secret"))
            let again = try await keys.seal(request("n2"))
            #expect(again.recipient.sealed?.keyID == sealed.recipient.sealed?.keyID)
            #expect(again.recipient.sealed?.box != sealed.recipient.sealed?.box)
            // Another process, with an empty memory.
            let other = SubjectKeys(pool: bench.pool, master: .development)
            #expect(try await other.open(sealed) == plain)
            #expect(try await other.open(plain) == plain)
            #expect(try await bench.texts("select count(*)::text from wf_ntf.subject_key") == ["1"])
        }
    }

    @Test("Changed bytes, another subject's box and another master key do not open")
    func tampering() async throws {
        try await DeadLetterBench.with { bench in
            let keys = SubjectKeys(pool: bench.pool, master: .development)
            let sealed = try await keys.seal(request("n1"))
            let other = try await keys.seal(request("n2", Recipient(phone: "+4915112345678")))
            var swapped = sealed
            swapped.recipient.sealed?.box = other.recipient.sealed?.box ?? ""
            var renamed = sealed
            renamed.recipient.sealed?.subject = "user:somebody"
            for bad in [swapped, renamed] {
                await #expect(throws: EffectFailure.self) { try await keys.open(bad) }
            }
            let stranger = SubjectKeys(pool: bench.pool, master: MasterKey(.init(size: .bits256)))
            await #expect(throws: EffectFailure.self) { try await stranger.open(sealed) }
        }
    }

    @Test("After erasing a user no byte of an address is left in any table, and what was sealed never opens again")
    func erasing() async throws {
        try await DeadLetterBench.with { bench in
            let keys = SubjectKeys(pool: bench.pool, master: .development)
            _ = try await bench.texts(
                """
                insert into wf_ntf.user_profile (tenant, user_id, email, phone) values
                    ('acme', 'ann', '\(address)', '+4915112345678'), ('acme', 'bob', 'bob@example.com', null) returning user_id
                """)
            let byUser = try await keys.seal(request("n1", Recipient(userID: "ann")))
            let byAddress = try await keys.seal(request("n2"))
            let bystander = try await keys.seal(request("n3", Recipient(userID: "bob")))
            for sealed in [byUser, byAddress, bystander] {
                let text = try PaymentJSON.text(sealed)
                _ = try await bench.pool.query(
                    Statement(
                        "test_sealed",
                        """
                        insert into wf_ntf.notification (id, tenant, subject, template, template_version, category, channels,
                            request, workflow_id, dedup_key)
                        values ($1::text, 'acme', $2::text, 'welcome', 1, 'transactional', '{email}', $3::text::jsonb, $1::text,
                            'key of ' || $1::text)
                        """)
                ) {
                    $0.text(sealed.id)
                    $0.text(sealed.recipient.subject)
                    $0.text(text)
                }
            }
            try await DeadLetterEntryFixture.park(
                "n2", message: "550 no such user \(address)", workflow: byAddress.workflowID, bench)
            let services = EraseServices(pool: bench.pool, keys: keys)
            let scope = EffectScope(workflowID: "erase:acme:user:ann")
            let input = EraseInput(tenant: "acme", subject: "user:ann", reason: "asked for it", actor: "dpo")
            #expect(try await services.erase(input, scope) == Erased(keys: 2, notifications: 2))
            #expect(try await services.erase(input, scope) == Erased(keys: 0, notifications: 0))
            for needle in ["ann.secret", "+4915112345678"] {
                #expect(try await bench.places(of: needle) == [], "\(needle)")
            }
            #expect(try await bench.places(of: "bob@example.com") == ["wf_ntf.user_profile"])
            for sealed in [byUser, byAddress] {
                await #expect(throws: EffectFailure(.permanent(code: "Erased"), "the subject was erased")) {
                    try await keys.open(sealed)
                }
            }
            #expect(try await keys.open(bystander).variables["n"] == .integer(7))
            #expect(try await bench.texts("select count(*)::text from outbox.event where type = 'ntf.erased'") == ["1"])
            // Somebody who comes back gets a new key.
            let fresh = try await keys.seal(request("n4"))
            #expect(try await keys.open(fresh).recipient.email == address)
            await #expect(throws: EffectFailure.self) { try await keys.open(byAddress) }
        }
    }
}

enum DeadLetterEntryFixture {
    static func park(_ id: String, message: String, workflow: String, _ bench: DeadLetterBench) async throws {
        let attempt = DeadLetterEntry.Attempt(
            at: 1, channel: "email", provider: "smtp", failureClass: "Permanent", code: "550", text: message)
        let entry = DeadLetterEntry(
            source: .notification, tenant: "acme", key: workflow, failureClass: "Permanent", code: "invalid_address",
            message: message, attempts: [attempt], payloadReference: "wf_ntf.notification/\(id)", workflowID: workflow)
        try await bench.pool.withTransaction {
            try await entry.park(in: $0, namespace: "default", op: "\(workflow)/g0")
        }
    }
}

extension DeadLetterBench {
    /// The tables in which a text stands anywhere.
    func places(of needle: String) async throws -> [String] {
        let tables = try await self.texts(
            """
            select schemaname || '.' || tablename from pg_tables where schemaname in ('wf_ntf', 'wf_dlq', 'outbox', 'aloft')
            order by 1
            """)
        var found: [String] = []
        for table in tables {
            let count = try await self.pool.query(
                Statement(
                    "test_search_\(table.replacing(".", with: "_"))",
                    "select count(*)::int8 from \(table) t where strpos(t::text, $1::text) > 0")
            ) { $0.text(needle) }
            if try count[0].int64(0) > 0 { found.append(table) }
        }
        return found
    }
}
