import Foundation
import Testing

@testable import Activities

@Suite("Parts of notifications that are values")
struct NotificationValueTests {
    private func mail(_ change: (inout MailMessage) -> Void = { _ in }) -> MailMessage {
        var mail = MailMessage(
            from: MailAddress("shop@example.com", name: "The Shop"), to: MailAddress("ann@example.com"),
            messageID: "n1.email@example.com", date: Date(timeIntervalSince1970: 1_800_000_000), subject: "Hello",
            text: "Hi", html: nil)
        change(&mail)
        return mail
    }

    private func lines(_ mail: MailMessage) throws -> [String] {
        String(decoding: try mail.bytes(), as: UTF8.self).components(separatedBy: "\r\n")
    }

    @Test("A plain mail has its headers in a fixed order, and the same message the same bytes")
    func plain() throws {
        let lines = try self.lines(self.mail())
        #expect(
            Array(lines.prefix(9)) == [
                "Message-ID: <n1.email@example.com>", "Date: Fri, 15 Jan 2027 08:00:00 +0000",
                "From: The Shop <shop@example.com>", "To: <ann@example.com>", "Subject: Hello", "MIME-Version: 1.0",
                "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "",
            ])
        #expect(try self.mail().bytes() == self.mail().bytes())
    }

    @Test("Everything beyond ASCII is encoded, long subjects are folded, no line is too long")
    func encoding() throws {
        let subject = String(repeating: "你好，世界 ", count: 30)
        let mail = self.mail {
            $0.subject = subject
            $0.html = "<p>\(subject)</p>"
            $0.from.name = "Käse & Co"
        }
        let lines = try self.lines(mail)
        #expect(lines.allSatisfy { $0.utf8.count <= 90 && $0.utf8.allSatisfy { $0 < 0x7F } })
        #expect(lines.contains { $0.hasPrefix("Content-Type: multipart/alternative; boundary=") })
    }

    @Test(
        "What would break out of a header is refused",
        arguments: [
            "a\r\nBcc: all@example.com", "a\nb", "a\rb", "a\u{0}b", "a\u{7F}b",
        ])
    func injection(_ text: String) {
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.subject = text }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.from.name = text }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.to.address = "\(text)@example.com" }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.messageID = text }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.unsubscribeURL = text }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.headers = ["X-A": text] }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.headers = [text: "a"] }.bytes() }
        #expect(throws: MailMessage.Unusable.self) { try self.mail { $0.headers = ["Bcc": "a"] }.bytes() }
    }

    @Test(
        "Replies of mail servers have the classes of the table",
        arguments: [
            (421, "", "Transient"), (450, "4.2.1", "Transient"), (451, "4.7.1", "Transient"),
            (452, "4.2.2", "Transient"),
            (550, "5.1.1", "invalid_address"), (551, "", "invalid_address"), (553, "5.1.3", "invalid_address"),
            (550, "5.7.1", "rejected"), (552, "5.2.2", "rejected"), (554, "5.7.1", "rejected"),
            (535, "5.7.8", "provider_auth"),
        ])
    func replies(_ code: Int, _ status: String, _ type: String) {
        let line = "\(code) \(status)\(status.isEmpty ? "" : " ")because\r\n"
        let reply = SMTPReply(lines: Array("220 hello\r\n250 fine\r\n\(line)".utf8), code: code)
        #expect(reply.status == status)
        #expect(reply.text == line.dropLast(2) || reply.text + "\r\n" == line)
        #expect(reply.failure.type == type)
    }

    @Test("Pauses grow by two from thirty seconds, ten percent either way, up to four hours")
    func pauses() {
        let row = RetryPolicyTable()[.email]
        #expect(row.pause(after: 1, share: 0.5) == 30)
        #expect(row.pause(after: 2, share: 0.5) == 60)
        #expect(row.pause(after: 1, share: 0) == 27)
        #expect(row.pause(after: 60, share: 0.5) == 4 * 3600)
        let failed = SendOutcome(.transient, code: "smtp_451")
        #expect((1...5).map { row.allows(after: $0, failed, elapsed: 0) } == [true, true, true, false, false])
        let lost = SendOutcome(.ambiguous, code: "no_answer")
        #expect((1...2).map { row.allows(after: $0, lost, elapsed: 0) } == [true, false])
        #expect(!row.allows(after: 1, SendOutcome(.permanent, code: "rejected"), elapsed: 0))
        let direct = RetryPolicyTable.direct
        #expect(direct.allows(after: 50, failed, elapsed: 71 * 3600))
        #expect(!direct.allows(after: 2, failed, elapsed: 72 * 3600))
        let sms = RetryPolicyTable()[.sms]
        #expect(sms.allows(after: 1, SendOutcome(.transient, code: "30003"), elapsed: 0))
        #expect(!sms.allows(after: 2, SendOutcome(.transient, code: "30003"), elapsed: 0))
    }

    @Test("A policy in JSON changes what it names")
    func policy() throws {
        let text = #"{"receiptSeconds": {}, "throttledSecondsMax": 5}"#
        let policy = try JSONDecoder().decode(NotificationPolicy.self, from: Data(text.utf8))
        #expect(policy.receiptSeconds == [:])
        #expect(policy.throttledSecondsMax == 5)
        #expect(policy.caps["marketing"]?.count == 3)
    }

    @Test("WeChat's day begins anew at 00:05 in Shanghai")
    func newDay() throws {
        let evening = try Date("2026-03-01T12:00:00Z", strategy: .iso8601)  // 20:00 in Shanghai
        #expect(WeChatProvider.secondsToNewDay(evening) == 4 * 3600 + 300)
        let justAfter = try Date("2026-03-01T16:01:00Z", strategy: .iso8601)
        #expect(WeChatProvider.secondsToNewDay(justAfter) == 240)
    }

    @Test("A bucket gives a second's worth at once and then its rate")
    func bucket() {
        var bucket = TokenBucket(perSecond: 2, at: .zero)
        #expect(bucket.take(at: .zero) == nil)
        #expect(bucket.take(at: .zero) == nil)
        #expect(bucket.take(at: .zero) == .milliseconds(500))
        #expect(bucket.take(at: .milliseconds(600)) == nil)
        #expect(bucket.take(at: .milliseconds(600)) != nil)
        #expect(bucket.take(at: .seconds(100)) == nil)
        #expect(bucket.take(at: .seconds(100)) == nil)
        #expect(bucket.take(at: .seconds(100)) != nil)
    }

    @Test("Of fourteen tokens ten go to high, three to normal, one to low; nobody waits for an empty line")
    func priorities() {
        var line = PriorityLine()
        var kinds: [UInt64: Priority] = [:]
        for id in UInt64(0)..<60 {
            let priority = Priority.allCases[Int(id % 3)]
            kinds[id] = priority
            line.add(id, priority)
        }
        let first = (0..<14).compactMap { _ in line.next() }.compactMap { kinds[$0] }
        #expect(first.count { $0 == .high } == 10)
        #expect(first.count { $0 == .normal } == 3)
        #expect(first.count { $0 == .low } == 1)
        var left = 0
        while line.next() != nil { left += 1 }
        #expect(left == 46)
        #expect(line.isEmpty)
    }

    @Test("Tokens that come too late are not waited for, and those who waited get theirs")
    func throttle() async {
        let throttle = TokenThrottle()
        #expect(await throttle.take("a", priority: .normal, perSecond: 0.001, within: .zero))
        #expect(await !throttle.take("a", priority: .normal, perSecond: 0.001, within: .milliseconds(5)))
        #expect(await throttle.take("b", priority: .normal, perSecond: 1, within: .zero))
        #expect(await throttle.take("a", priority: .high, perSecond: 50, within: .seconds(20)))
    }

    @Test("A subject has no address in its name, and one address has one name")
    func subjects() {
        let ann = Recipient(email: "Ann@Example.com").subject
        #expect(ann == Recipient(email: "ann@example.com").subject)
        #expect(!ann.lowercased().contains("example"))
        #expect(Recipient(userID: "7", email: "ann@example.com").subject == "user:7")
        #expect(Recipient(phone: "+49 170 1").subject == Recipient(phone: "+491701").subject)
    }

    @Test("A Message-ID is made of safe characters, and different names stay different")
    func messageIDs() {
        #expect(MailProvider.atom("shop.n-1") == "shop.n-1")
        #expect(MailProvider.atom("shop@a>\r\n") == "shop_40a_3e_d_a")
    }
}
