import Foundation
import Testing

@testable import Activities

@Suite("SMS and WeChat", .serialized, .timeLimit(.minutes(3)))
struct MessageActivityTests {
    private func sms(_ id: String, _ number: String = "+4917012345678") -> NotificationRequest {
        NotificationBench.request(id, Recipient(phone: number), .sms)
    }

    private func wechat(_ id: String, _ openID: String = "o_ann") -> NotificationRequest {
        NotificationBench.request(id, Recipient(wechatOpenID: openID), .wechat)
    }

    @Test("An SMS whose worker died after the call is one effect under one key")
    func onceAtTheCarrier() async throws {
        try await NotificationBench.with { bench in
            let dying = bench.services(failpoints: "SendSms.after_effect:error")
            let services = bench.services()
            await #expect(throws: EffectFailure.self) { try await bench.send(dying, self.sms("n1")) }
            let outcome = try await bench.send(services, self.sms("n1"))
            #expect(outcome.outcome == .accepted)
            #expect(outcome.providerRef?.hasPrefix("SM") == true)
            #expect(try await bench.effects() == ["sms.sent ntf:shop:n1/Send/sms/g0"])
            #expect(try await bench.requests("/2010-04-01/Accounts/ACa/Messages.json") == 2)
        }
    }

    @Test(
        "The carrier's codes are what the retry table says",
        arguments: [
            ("+15005550001", SendOutcome.Class.permanent, "21211"), ("+15005550009", .permanent, "21614"),
            ("+15005550004", .permanent, "21610"),
        ])
    func refusals(_ number: String, _ outcome: SendOutcome.Class, _ code: String) async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            let refused = try await bench.send(services, self.sms("n1", number))
            #expect(refused.outcome == outcome)
            #expect(refused.code == code)
            #expect(!refused.text.contains(number))
            let reason = code == "21610" ? "opted_out" : "suppressed_address"
            #expect(try await bench.policy(services, self.sms("n2", number)) == .suppressed(reason: reason))
            #expect(try await bench.effects() == [])
        }
    }

    @Test("A carrier that is busy or broken is tried again under the same key")
    func passing() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            try await bench.fault(
                #"{"match": "POST /2010-04-01/Accounts/*/Messages.json", "action": "status", "status": 429, "retry_after": 7}"#
            )
            let busy = try await bench.send(services, self.sms("n1"))
            #expect(busy.outcome == .throttled)
            #expect(busy.code == "20429")
            #expect((busy.notBefore ?? 0) > Date().timeIntervalSince1970 + 5)
            try await bench.fault(
                #"{"match": "POST /2010-04-01/Accounts/*/Messages.json", "action": "status", "status": 500}"#)
            let broken = try await bench.send(services, self.sms("n1"), attempt: 2)
            #expect(broken.outcome == .transient)
            #expect(broken.code == "provider_5xx")
            try await bench.fault(#"{"match": "POST /2010-04-01/Accounts/*/Messages.json", "action": "drop_after"}"#)
            #expect(try await bench.send(services, self.sms("n1"), attempt: 3).outcome == .ambiguous)
            #expect(try await bench.send(services, self.sms("n1"), attempt: 4).outcome == .accepted)
            #expect(try await bench.effects() == ["sms.sent ntf:shop:n1/Send/sms/g0"])
        }
    }

    @Test("11: a carrier that fails is left alone after ten calls, and the second takes over")
    func secondCarrier() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            try await bench.fault(
                #"{"match": "POST /2010-04-01/Accounts/ACa/Messages.json", "action": "status", "status": 500, "count": 0}"#
            )
            for number in 0..<10 {
                #expect(try await bench.send(services, self.sms("n\(number)")).code == "provider_5xx")
            }
            for number in 10..<20 {
                let outcome = try await bench.send(services, self.sms("n\(number)"))
                #expect(outcome.outcome == .accepted)
                #expect(outcome.provider == "sms-b")
            }
            #expect(try await bench.requests("/2010-04-01/Accounts/ACa/Messages.json") == 10)
            #expect(try await bench.effects().count == 10)
        }
    }

    @Test("The longest prefix names the carrier, and an uncertain message stays with the one that may have it")
    func routing() async throws {
        try await NotificationBench.with { bench in
            try await bench.run("update wf_ntf.provider set prefix = '+49', rank = 5 where name = 'sms-b'")
            let services = bench.services()
            #expect(try await bench.send(services, self.sms("n1")).provider == "sms-b")
            #expect(try await bench.send(services, self.sms("n2", "+33612345678")).provider == "sms-a")
            try await bench.fault(#"{"match": "POST /2010-04-01/Accounts/ACb/Messages.json", "action": "drop_after"}"#)
            #expect(try await bench.send(services, self.sms("n3")).outcome == .ambiguous)
            try await bench.run("update wf_ntf.provider set prefix = '+1' where name = 'sms-b'")
            let later = bench.services()
            #expect(try await bench.send(later, self.sms("n3"), attempt: 2).provider == "sms-b")
            #expect(try await bench.send(later, self.sms("n4")).provider == "sms-a")
        }
    }

    @Test("WeChat: a stale token is fetched anew within the attempt; followers who left are suppressed")
    func weChat() async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            #expect(try await bench.send(services, self.wechat("n1")).outcome == .accepted)
            _ = try await bench.control("POST", "/_ctl/wechat", "{}")
            #expect(try await bench.send(services, self.wechat("n2")).outcome == .accepted)
            let gone = try await bench.send(services, self.wechat("n3", "nofollow_bob"))
            #expect(gone.outcome == .permanent)
            #expect(gone.code == "43004")
            #expect(
                try await bench.policy(services, self.wechat("n4", "nofollow_bob"))
                    == .suppressed(reason: "suppressed_address"))
            #expect(try await bench.effects().count == 2)
            #expect(try await bench.texts("select count(*)::text from wf_ntf.attempt") == ["3"])
        }
    }

    @Test("13: WeChat's quotas name their time", arguments: [(45011, 60.0), (45009, nil as Double?)])
    func quotas(_ code: Int, _ seconds: Double?) async throws {
        try await NotificationBench.with { bench in
            let services = bench.services()
            try await bench.fault(
                #"{"match": "POST /cgi-bin/message/subscribe/send", "action": "status", "status": 200, "code": \#(code)}"#
            )
            let outcome = try await bench.send(services, self.wechat("n1"))
            #expect(outcome.outcome == .throttled)
            #expect(outcome.code == String(code))
            let wait = (outcome.notBefore ?? 0) - Date().timeIntervalSince1970
            #expect(abs(wait - (seconds ?? WeChatProvider.secondsToNewDay(Date()))) < 5)
        }
    }
}
