import Activities
import Foundation
import ServerTestKit
import Testing
import Worker

/// families.md section 4, with the real program: what needs real processes, real crashes and a real mail server.
@Suite(
    "Notifications, end to end", .serialized, .timeLimit(.minutes(20)),
    .enabled(if: MailSink.isAvailable, "aiosmtpd is not there: run scripts/setup.sh --python"))
struct NotificationAcceptanceTests {
    /// Waits short enough to be waited for.
    private static let policy = """
        {"receiptSeconds": {}, "breakerOpenSeconds": 2, "breakerRampSeconds": 1, "retries": {"rows": {
            "email": {"baseSeconds": 1, "factor": 2, "capSeconds": 60, "jitter": 0.1,
                "retries": {"Transient": 3, "Throttled": 3, "Ambiguous": 1}, "retriesByCode": {}},
            "sms": {"baseSeconds": 0.5, "factor": 1, "capSeconds": 1, "jitter": 0.1,
                "retries": {"Transient": 1000, "Throttled": 1000, "Ambiguous": 1000}, "retriesByCode": {}}}}}
        """

    @Test("1, 2, 3: mails reach the server once each; an unknown user is one attempt; greylisting survives a restart")
    func mail() async throws {
        try await NotificationOffice.with(policy: Self.policy) { office in
            try await office.start([
                office.mail("gone-1", "nouser@example.com"), office.mail("grey-1", "grey@example.com"),
            ])
            try await office.start((0..<1000).map { office.mail("ok-\($0)", "ok\($0)@example.com") })
            try await office.until("the first greylisting") {
                try await office.count("wf_ntf.attempt", "class = 'Transient'") >= 1
            }
            await office.stage.kill("server")
            try await office.stage.startServer()
            try await office.untilOver(1002, seconds: 900)
            #expect(try await office.count("wf_ntf.notification", "state = 'SENT'") == 1001)
            let messages = try office.sink.lines("message")
            #expect(messages.count == 1001)
            #expect(Set(messages.compactMap(\.messageID)).count == 1001)
            let greylisted = try office.sink.lines("rcpt").filter { $0.to == "grey@example.com" }
            #expect(greylisted.map(\.code) == [451, 451, 250])
            #expect(
                try await office.texts("select concat_ws(' ', code, state) from wf_dlq.dlq_entry") == [
                    "invalid_address PARKED"
                ])
            try await office.start([office.mail("gone-2", "nouser@example.com")])
            try await office.untilOver(1003)
            #expect(
                try await office.texts(
                    "select concat_ws(' ', state, reason) from wf_ntf.notification where id = 'gone-2'")
                    == ["SUPPRESSED suppressed_address"])
            #expect(try office.sink.lines("rcpt").count { $0.to == "nouser@example.com" } == 1)
        }
    }

    @Test("5: a worker killed after the server took the message sends at most one copy more, with at_most_once none")
    func killedAfterTheDot() async throws {
        try await NotificationOffice.with(policy: Self.policy, failpoint: "SendEmail.after_effect:kill9") { office in
            try await office.start([office.mail("twice", "ok1@example.com")])
            await office.stage.waitForEnd(of: "worker")
            try await office.startWorker()
            try await office.untilOver(1)
            await office.stage.kill("worker")
            try await office.startWorker(failpoint: "SendEmail.after_effect:kill9")
            try await office.start([office.mail("once", "ok2@example.com") { $0.atMostOnce = true }])
            await office.stage.waitForEnd(of: "worker")
            try await office.startWorker()
            try await office.untilOver(2)
            let messages = try office.sink.lines("message")
            #expect(messages.count { $0.to == "ok1@example.com" } == 2)
            #expect(messages.count { $0.to == "ok2@example.com" } == 1)
            #expect(Set(messages.compactMap(\.messageID)).count == 2)
            #expect(
                try await office.texts(
                    "select trim(concat_ws(' ', state, reason)) from wf_ntf.notification order by id")
                    == ["DEAD unknown", "SENT"])
        }
    }

    @Test("6: 500 SMS while the worker is killed thirty times: 500 effects, each reference once")
    func crashes() async throws {
        let seed =
            ProcessInfo.processInfo.environment["ALOFT_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...1_000_000)
        try await NotificationOffice.with(policy: Self.policy) { office in
            var random = SeededNumbers(seed: seed)
            // Slow enough that there is something to interrupt.
            try await office.run("update wf_ntf.provider set per_second = 20 where channel = 'sms'")
            try await office.start((0..<500).map { office.sms("s-\($0)", "+4917010\(10000 + $0)") })
            for _ in 0..<30 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 200...900, using: &random)))
                await office.stage.kill("worker")
                try await office.startWorker()
            }
            try await office.run("update wf_ntf.provider set per_second = 1000 where channel = 'sms'")
            await office.stage.kill("worker")
            try await office.startWorker()
            try await office.untilOver(500, seconds: 240)
            let references = try await office.effects("sms.sent")
            #expect(references.count == 500, "seed \(seed)")
            #expect(Set(references).count == 500, "seed \(seed)")
            #expect(try await office.count("wf_ntf.notification", "state = 'SENT'") == 500, "seed \(seed)")
        }
    }

    @Test("11: a carrier that fails is left alone, mail goes on meanwhile, and the backlog drains when it is back")
    func breaker() async throws {
        try await NotificationOffice.with(policy: Self.policy) { office in
            try await office.run("update wf_ntf.provider set is_enabled = false where name = 'sms-b'")
            try await office.fault(
                #"{"match": "POST /2010-04-01/Accounts/ACa/Messages.json", "action": "status", "status": 500, "count": 0}"#
            )
            let begun = ContinuousClock.now
            try await office.start((0..<60).map { office.sms("s-\($0)", "+4917010\(10000 + $0)") })
            try await office.start((0..<60).map { office.mail("m-\($0)", "ok\($0)@example.com") })
            try await office.until("all mail, while no SMS leaves") {
                try await office.count("wf_ntf.notification", "state = 'SENT' and 'email' = any(channels)") == 60
            }
            #expect(try await office.effects("sms.sent") == [])
            let calls = try await office.requests("/2010-04-01/Accounts/ACa/Messages.json")
            // Ten calls open it, whatever was under way then ends; after that three probes each time it half opens.
            let probes = Int((begun.duration(to: .now) / .seconds(2)).rounded(.up)) * 3
            #expect(calls <= 10 + 10 + probes, "\(calls) calls")
            try await office.clearFaults()
            try await office.untilOver(120, seconds: 120)
            #expect(try await office.effects("sms.sent").count == 60)
            #expect(try await office.count("wf_dlq.dlq_entry") == 0)
        }
    }
}
