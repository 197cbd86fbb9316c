import Foundation
import Testing

@testable import Activities

@Suite("Recipients, caps, receipts, dead letters", .serialized, .timeLimit(.minutes(3)))
struct PolicyActivityTests {
    private func mail(_ id: String, _ change: (inout NotificationRequest) -> Void = { _ in }) -> NotificationRequest {
        NotificationBench.request(id, Recipient(userID: "ann"), .email, change)
    }

    private static let ann = """
        insert into wf_ntf.user_profile (tenant, user_id, email, phone, time_zone)
        values ('shop', 'ann', 'ann@example.com', '+4917012345678', 'Asia/Shanghai')
        """

    @Test("Contact, opt-out, consent and suppression decide; security asks for no consent and heeds an opt-out")
    func verdicts() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            #expect(try await bench.policy(services, self.mail("n1")) == .suppressed(reason: "no_contact"))
            try await bench.run(Self.ann)
            #expect(try await bench.policy(services, self.mail("n1")) == .allowed(at: 1_800_000_000))
            let offer = self.mail("n2") { $0.category = .marketing }
            #expect(try await bench.policy(services, offer) == .suppressed(reason: "no_consent"))
            try await bench.run(
                """
                insert into wf_ntf.consent (tenant, subject, category, is_given, source)
                values ('shop', 'user:ann', 'marketing', true, 'form')
                """)
            #expect(try await bench.policy(services, offer) == .allowed(at: 1_800_000_000))
            try await bench.run(
                """
                insert into wf_ntf.preference (tenant, subject, channel, category, is_opted_out)
                values ('shop', 'user:ann', 'email', 'security', true)
                """)
            let alarm = self.mail("n3") { $0.category = .security }
            #expect(try await bench.policy(services, alarm) == .suppressed(reason: "opted_out"))
            #expect(try await bench.policy(services, self.mail("n1")) == .allowed(at: 1_800_000_000))
        }
    }

    /// Notes what it was asked.
    private struct Noon: DeliverySchedule {
        func nextOpening(
            notBefore earliest: Double, window: DeliveryWindow?, quietHours: QuietHours?, timeZone: String
        ) -> Double? {
            guard timeZone == "Asia/Shanghai", let quietHours else { return earliest }
            return quietHours == QuietHours(fromMinute: 22 * 60, untilMinute: 8 * 60) ? earliest + 1000 : nil
        }
    }

    @Test("Quiet hours are read in the recipient's zone; security does not wait for them")
    func quietHours() async throws {
        try await NotificationBench.with { bench in
            try await bench.run(Self.ann)
            try await bench.run(
                "insert into wf_ntf.tenant_setting (tenant, quiet_from, quiet_until) values ('shop', '22:00', '08:00')")
            let services = bench.services(schedule: Noon())
            #expect(try await bench.policy(services, self.mail("n1")) == .allowed(at: 1_800_001_000))
            let alarm = self.mail("n2") { $0.category = .security }
            #expect(try await bench.policy(services, alarm) == .allowed(at: 1_800_000_000))
        }
    }

    @Test("10: of five marketing messages three have a place and two wait; a retry keeps its own, an end gives it back")
    func caps() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let limit = NotificationPolicy.Cap(count: 3, seconds: 24 * 3600)
            func reserve(_ number: Int, at now: Double) async throws -> CapVerdict {
                let request = self.mail("n\(number)") { $0.category = .marketing }
                return try await services.reserveCap(
                    CapInput(request: request, channel: .email, now: now, limit: limit),
                    NotificationBench.scope(request))
            }
            let begin = 1_800_000_000.0
            for number in 0..<3 { #expect(try await reserve(number, at: begin + Double(number)) == .reserved) }
            for number in 3..<5 {
                #expect(try await reserve(number, at: begin + 10) == .deferred(until: begin + 24 * 3600 + 0.001))
            }
            #expect(try await reserve(1, at: begin + 20) == .reserved)
            #expect(try await reserve(1, at: begin + 30) == .reserved)
            #expect(try await bench.texts("select count(*)::text from wf_ntf.cap_slot") == ["3"])
            let dropped = self.mail("n2") { $0.category = .marketing }
            _ = try await services.finish(
                FinishInput(request: dropped, state: .canceled, reason: "canceled", channel: nil, attempts: []),
                NotificationBench.scope(dropped))
            #expect(try await reserve(3, at: begin + 40) == .reserved)
            #expect(try await reserve(4, at: begin + 24 * 3600 + 1) == .reserved)
        }
    }

    @Test("Twenty at once take three places")
    func cappedRace() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let reserved = try await withThrowingTaskGroup(of: CapVerdict.self) { group in
                for number in 0..<20 {
                    let request = self.mail("n\(number)") { $0.category = .marketing }
                    group.addTask {
                        try await services.reserveCap(
                            CapInput(
                                request: request, channel: .email, now: 1_800_000_000,
                                limit: .init(count: 3, seconds: 86_400)), NotificationBench.scope(request))
                    }
                }
                var reserved = 0
                for try await verdict in group where verdict == .reserved { reserved += 1 }
                return reserved
            }
            #expect(reserved == 3)
        }
    }

    @Test("4 and 12: the end of a dead notification is one row, one event, one dead letter with every attempt")
    func deadLetter() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let request = self.mail("n1")
            let scope = NotificationBench.scope(request)
            _ = try await services.accept(request, scope)
            let attempts = (1...4).map { number in
                AttemptRecord(
                    channel: .email, generation: 0, number: number, at: 1_800_000_000 + Double(number),
                    outcome: SendOutcome(.transient, code: "smtp_451", text: "451 later", provider: "smtp"))
            }
            let input = FinishInput(
                request: request, state: .dead, reason: "smtp_451", channel: .email, attempts: attempts)
            for _ in 0..<3 { _ = try await services.finish(input, scope) }
            #expect(
                try await bench.texts(
                    """
                    select concat_ws('|', source, tenant, key, class, code, message, jsonb_array_length(attempts),
                        attempts -> 3 ->> 'text', state, extract(epoch from first_at)::int, is_outcome_known)
                    from wf_dlq.dlq_entry
                    """) == [
                        "notification|shop|ntf:shop:n1|Transient|smtp_451|451 later|4|451 later|PARKED|1800000001|t"
                    ])
            #expect(try await bench.events("n1") == ["ntf.accepted", "ntf.dead"])
            #expect(try await bench.texts("select type from outbox.event where family = 'dlq'") == ["dlq.parked"])
            #expect(
                try await bench.texts("select concat_ws(' ', state, reason) from wf_ntf.notification") == [
                    "DEAD smtp_451"
                ])
        }
    }

    @Test("12: a broken template sends nothing")
    func brokenTemplate() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let request = NotificationBench.request("n1", Recipient(phone: "+4917012345678"), .sms) {
                $0.variables["broken"] = .bool(true)
            }
            let outcome = try await bench.send(services, request)
            #expect(outcome.outcome == .invalid)
            #expect(outcome.code == "template_error")
            #expect(try await bench.effects() == [])
        }
    }

    @Test("The same key is the same notification")
    func duplicate() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let first = self.mail("n1") { $0.dedupKey = "order-7" }
            let second = self.mail("n2") { $0.dedupKey = "order-7" }
            var earlier: [String?] = []
            for request in [first, first, second] {
                earlier.append(try await services.accept(request, NotificationBench.scope(request)).duplicateOf)
            }
            #expect(earlier == [nil, nil, "n1"])
        }
    }

    @Test("A tenant's own retry table goes before the built-in one")
    func tenantRetries() async throws {
        try await NotificationBench.with { bench in
            try await bench.run(
                """
                insert into wf_ntf.retry_policy (tenant, channel, base_seconds, retries) values ('*', 'email', 5, 1),
                    ('shop', 'email', null, 7);
                insert into wf_ntf.tenant_setting (tenant, email_profile) values ('other', 'direct');
                """)
            let services = bench.services()
            let own = self.mail("n1")
            let policy = try await services.accept(own, NotificationBench.scope(own)).policy
            #expect(policy.retries[.email].baseSeconds == 5)
            #expect(policy.retries[.email].retries["Transient"] == 7)
            let other = self.mail("n2") { $0.tenant = "other" }
            let direct = try await services.accept(other, NotificationBench.scope(other)).policy.retries[.email]
            #expect(direct.withinSeconds == Double(72 * 3600))
        }
    }

    @Test("Receipts: permanent bounces and the third undetermined one suppress, complaints opt out; each counts once")
    func receipts() async throws {
        try await NotificationBench.with { bench in
            try await bench.run(Self.ann)
            let services = bench.services()
            var number = 0
            func tell(
                _ kind: ReceiptEvent.Kind, _ bounce: ReceiptEvent.Bounce? = nil, to phone: String, times: Int = 1
            ) async throws {
                number += 1
                let request = NotificationBench.request("n\(number)", Recipient(phone: phone), .sms)
                #expect(try await bench.send(services, request).outcome == .accepted)
                for _ in 0..<times {
                    _ = try await services.recordReceipt(
                        ReceiptInput(
                            request: request,
                            event: ReceiptEvent(eventID: "e\(number)", channel: .sms, kind: kind, bounce: bounce),
                            generation: 0), NotificationBench.scope(request))
                }
            }
            func verdict(_ phone: String) async throws -> PolicyVerdict {
                try await bench.policy(services, NotificationBench.request("x", Recipient(phone: phone), .sms))
            }
            try await tell(.bounced, .permanent, to: "+4917000000001")
            #expect(try await verdict("+4917000000001") == .suppressed(reason: "suppressed_address"))
            for count in 1...3 {
                try await tell(.bounced, .undetermined, to: "+4917000000002", times: 4)
                let isSuppressed = try await verdict("+4917000000002") != .allowed(at: 1_800_000_000)
                #expect(isSuppressed == (count == 3))
            }
            try await tell(.complained, to: "+4917000000003")
            #expect(try await verdict("+4917000000003") == .suppressed(reason: "opted_out"))
            try await tell(.delivered, to: "+4917000000004")
            #expect(
                try await bench.texts("select state from wf_ntf.delivery where notification = 'n\(number)'")
                    == ["DELIVERED"])
        }
    }
}
