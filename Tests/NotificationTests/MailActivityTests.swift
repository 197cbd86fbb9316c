import Foundation
import ServerTestKit
import Testing

@testable import Activities

@Suite(
    "Mail over SMTP", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: MailSink.isAvailable, "aiosmtpd is not there: run scripts/setup.sh --python"))
struct MailActivityTests {
    private static let options = NotificationBench.Options(sink: MailSink.Options())

    private func mail(_ id: String, _ address: String, _ change: (inout NotificationRequest) -> Void = { _ in })
        -> NotificationRequest
    {
        NotificationBench.request(id, Recipient(email: address), .email, change)
    }

    @Test("1: a hundred mails are a hundred deliveries with a hundred Message-IDs, rows and events")
    func many() async throws {
        try await NotificationBench.with(Self.options) { bench in
            let services = bench.services()
            defer { services.close() }
            try await withThrowingTaskGroup(of: SendOutcome.self) { group in
                for number in 0..<100 {
                    group.addTask { try await bench.send(services, self.mail("n\(number)", "ok\(number)@example.com")) }
                }
                for try await outcome in group { #expect(outcome.outcome == .accepted, "\(outcome)") }
            }
            let messages = try bench.seen("message")
            #expect(messages.count == 100)
            #expect(Set(messages.compactMap(\.messageID)).count == 100)
            #expect(messages.contains { $0.messageID == "<shop.n7.email@localhost>" })
            #expect(try await bench.texts("select count(*)::text from wf_ntf.delivery where state = 'SENT'") == ["100"])
            #expect(try await bench.events("n7") == ["ntf.accepted", "ntf.sent"])
        }
    }

    @Test("2: an unknown user is one attempt; the address is suppressed and the reply names it nowhere")
    func unknownUser() async throws {
        try await NotificationBench.with(Self.options) { bench in
            let services = bench.services()
            defer { services.close() }
            let request = self.mail("n1", "nouser@example.com")
            #expect(try await bench.policy(services, request) == .allowed(at: 1_800_000_000))
            let outcome = try await bench.send(services, request)
            #expect(outcome.outcome == .permanent)
            #expect(outcome.code == "invalid_address")
            #expect(outcome.text.hasPrefix("550 5.1.1"))
            #expect(!outcome.text.contains("nouser"))
            let next = self.mail("n2", "NoUser@example.com")
            #expect(try await bench.policy(services, next) == .suppressed(reason: "suppressed_address"))
            #expect(try bench.seen("rcpt").count == 1)
            let stored = try await bench.texts("select reply from wf_ntf.attempt")
            #expect(stored.allSatisfy { !$0.contains("nouser") })
        }
    }

    @Test(
        "3 and 4: replies are what the retry table says",
        arguments: [
            ("grey@example.com", SendOutcome.Class.transient, "smtp_451"), ("full@example.com", .transient, "smtp_452"),
            ("spam@example.com", .permanent, "rejected"), ("busy@example.com", .transient, "smtp_451"),
            ("bad address@example.com", .permanent, "invalid_address"),
            ("two@at@example.com", .permanent, "invalid_address"),
        ])
    func replies(_ address: String, _ outcome: SendOutcome.Class, _ code: String) async throws {
        try await NotificationBench.with(Self.options) { bench in
            let services = bench.services()
            defer { services.close() }
            let request = self.mail("n1", address)
            let first = try await bench.send(services, request)
            #expect(first.outcome == outcome)
            #expect(first.code == code)
            guard address.hasPrefix("grey") else { return }
            #expect(try await bench.send(services, request, attempt: 2).outcome == .transient)
            #expect(try await bench.send(services, request, attempt: 3).outcome == .accepted)
            #expect(
                try await bench.texts("select class from wf_ntf.attempt order by number") == [
                    "Transient", "Transient", "Accepted",
                ])
            // A repeated attempt is answered from the table.
            #expect(try await bench.send(services, request, attempt: 3).outcome == .accepted)
            #expect(try bench.seen("message").count == 1)
        }
    }

    @Test("5: lost after the final dot is ambiguous; the second copy has the same Message-ID")
    func lostReply() async throws {
        try await NotificationBench.with(Self.options) { bench in
            let services = bench.services()
            defer { services.close() }
            let request = self.mail("n1", "drop@example.com")
            #expect(try await bench.send(services, request).outcome == .ambiguous)
            #expect(try await bench.send(services, request, attempt: 2).outcome == .accepted)
            let messages = try bench.seen("message")
            #expect(messages.count == 2)
            #expect(Set(messages.compactMap(\.messageID)).count == 1)
        }
    }

    @Test("5: a worker that dies after the message left sends it once more, or with at_most_once never again")
    func deadWorker() async throws {
        try await NotificationBench.with(Self.options) { bench in
            let (first, second) = (bench.services(failpoints: "SendEmail.after_effect:error"), bench.services())
            defer {
                first.close()
                second.close()
            }
            let request = self.mail("n1", "ok1@example.com")
            await #expect(throws: EffectFailure.self) { try await bench.send(first, request) }
            #expect(try await bench.send(second, request).outcome == .accepted)
            let third = bench.services(failpoints: "SendEmail.after_effect:error")
            defer { third.close() }
            let once = self.mail("n2", "ok2@example.com") { $0.atMostOnce = true }
            await #expect(throws: EffectFailure.self) { try await bench.send(third, once) }
            let outcome = try await bench.send(second, once)
            #expect(outcome.outcome == .ambiguous)
            #expect(outcome.code == "unknown")
            let messages = try bench.seen("message")
            #expect(messages.count { $0.to == "ok1@example.com" } == 2)
            #expect(messages.count { $0.to == "ok2@example.com" } == 1)
            #expect(Set(messages.compactMap(\.messageID)).count == 2)
        }
    }

    @Test("STARTTLS and AUTH are used; a certificate nobody trusts, or a wrong password, sends nothing")
    func security() async throws {
        let options = NotificationBench.Options(sink: .init(isSecure: true, login: "relay:secret"))
        try await NotificationBench.with(options) { bench in
            let sink = try #require(bench.sink)
            func services(trusted: Bool, password: String) -> NotificationServices {
                var mail = NotificationSettings.Mail(host: "localhost", port: sink.port)
                mail.security = .startTLS
                mail.user = "relay"
                mail.password = password
                mail.trustFile = trusted ? sink.certificate : nil
                var settings = bench.settings
                settings.mail = [mail]
                return NotificationServices(
                    pool: bench.pool, client: bench.http, renderer: PlainRenderer(), schedule: AlwaysOpen(),
                    settings: settings)
            }
            let (strange, wrong) = (
                services(trusted: false, password: "secret"), services(trusted: true, password: "x")
            )
            let good = services(trusted: true, password: "secret")
            defer { for each in [strange, wrong, good] { each.close() } }
            let refused = try await bench.send(strange, self.mail("n1", "ok1@example.com"))
            #expect(refused.outcome == .permanent)
            #expect(refused.code == "provider_auth")
            #expect(try await bench.send(wrong, self.mail("n2", "ok2@example.com")).code == "provider_auth")
            #expect(try sink.lines("message").isEmpty)
            let sent = try await bench.send(good, self.mail("n3", "ok3@example.com"))
            #expect(sent.outcome == .accepted, "\(sent)")
            #expect(try sink.lines("message").first?.tls == true)
            #expect(try sink.lines("message").first?.user == "relay")
        }
    }

    @Test("Marketing mail carries the headers of one-click unsubscribing, and their token is ours")
    func unsubscribe() async throws {
        try await NotificationBench.with(Self.options) { bench in
            let services = bench.services()
            defer { services.close() }
            let request = self.mail("n1", "ok@example.com") { $0.category = .marketing }
            #expect(try await bench.send(services, request).outcome == .accepted)
            let headers = try #require(try bench.seen("message").first?.headers)
            #expect(headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click")
            let link = try #require(headers["List-Unsubscribe"])
            let token = try #require(link.split(separator: "/").last?.dropLast())
            let claim = bench.settings.unsubscribe.claim(String(token))
            #expect(claim?.subject == request.recipient.subject)
            #expect(claim?.list == "marketing")
            #expect(bench.settings.unsubscribe.claim(String(token).replacing(".", with: "..")) == nil)
        }
    }

    @Test("A relay that is away is transient, and its breaker holds the rest back without using up tries")
    func breaker() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            defer { services.close() }
            var counted = 0
            for number in 0..<14 {
                let outcome = try await bench.send(services, self.mail("n\(number)", "ok@example.com"))
                if outcome.isCounted {
                    counted += 1
                    #expect(outcome.code == "no_connection")
                } else {
                    #expect(outcome.outcome == .throttled)
                }
            }
            #expect(counted == 10)
        }
    }
}
