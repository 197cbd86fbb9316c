import Activities
import Testing
import Worker
import Workflows

private func transient(_ code: String = "smtp_451") -> SendOutcome {
    SendOutcome(.transient, code: code, text: "\(code) come back later", provider: "p")
}

private func permanent(_ code: String) -> SendOutcome {
    SendOutcome(.permanent, code: code, text: "no", provider: "p")
}

@Suite("ntf.Send", .serialized, .timeLimit(.minutes(3)))
struct SendWorkflowTests {
    @Test("A message leaves by the steps of the table and replays")
    func good() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send()
            #expect(
                try await handle.result() == NotificationResult(id: "n1", state: .sent, channel: .email, attempts: 1))
            #expect(rig.world.calls == ["AcceptNotification", "CheckPolicy", "SendEmail", "Finish SENT"])
            let progress: OperationProgress = try await handle.query("progress")
            #expect(progress.status == .succeeded)
            #expect(progress.percent == 100)
            try await rig.checkReplay(handle)
        }
    }

    @Test("2: an address that does not exist costs one attempt and a dead letter")
    func invalidAddress() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, permanent("invalid_address"))
            let result = try await rig.send().result()
            #expect(
                result
                    == NotificationResult(
                        id: "n1", state: .dead, reason: "invalid_address", channel: .email, attempts: 1))
            #expect(rig.world.sends.count == 1)
        }
    }

    @Test("3: greylisting is waited out: about 0, 30 and 90 seconds")
    func greylisting() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, transient(), transient())
            let handle = try await rig.send()
            for (number, seconds) in [(1, 30.0), (2, 60.0)] {
                try await rig.untilWaiting(for: "back-off", handle)
                #expect(rig.world.sends.count == number)
                let progress: OperationProgress = try await handle.query("progress")
                let pause = (progress.waitingFor?.until ?? 0) - rig.now
                #expect(abs(pause - seconds) <= seconds * 0.1 + 0.1, "\(pause)")
                rig.skip(seconds * 0.89)
                try await rig.untilWaiting(for: "back-off", handle)
                #expect(rig.world.sends.count == number)
                rig.skip(seconds * 0.22)
                try await rig.until("attempt \(number + 1)") { rig.world.sends.count == number + 1 }
            }
            #expect(try await handle.result().state == .sent)
            #expect(rig.world.sends.map(\.attempt) == [1, 2, 3])
            #expect(Set(rig.world.sends.map(\.generation)) == [0])
            let attempts: [AttemptRecord] = try await handle.query("attempts")
            #expect(attempts.map(\.outcome.outcome) == [.transient, .transient, .accepted])
            try await rig.checkReplay(handle)
        }
    }

    @Test("4: refused for ever is four attempts and a dead letter with all of them")
    func exhausted() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, transient(), transient(), transient(), transient(), transient())
            let handle = try await rig.send()
            for number in 1...3 {
                try await rig.until("attempt \(number)") { rig.world.sends.count == number }
                try await rig.untilWaiting(for: "back-off", handle)
                rig.skip(4 * 3600)
            }
            let result = try await handle.result()
            #expect(
                result
                    == NotificationResult(
                        id: "n1", state: .dead, reason: "smtp_451", channel: .email, attempts: 4))
            let end = try #require(rig.world.ends.first)
            #expect(end.attempts.map(\.outcome.code) == ["smtp_451", "smtp_451", "smtp_451", "smtp_451"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("At most once: an outcome nobody knows is the end, not another try")
    func atMostOnce() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, SendOutcome(.ambiguous, code: "no_answer"))
            let result = try await rig.send { $0.atMostOnce = true }.result()
            #expect(result.state == .dead)
            #expect(result.reason == "unknown")
            #expect(rig.world.sends.count == 1)
        }
    }

    @Test("At least once: an outcome nobody knows is tried once more under the same key")
    func ambiguous() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(
                .email, SendOutcome(.ambiguous, code: "no_answer"), SendOutcome(.ambiguous, code: "no_answer"))
            let handle = try await rig.send()
            try await rig.untilWaiting(for: "back-off", handle)
            rig.skip(40)
            #expect(try await handle.result().reason == "no_answer")
            #expect(rig.world.sends.map(\.generation) == [0, 0])
        }
    }

    @Test("9: who opts out while the message waits gets none")
    func optOutWhileWaiting() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send { $0.sendAt = rig.now + 3600 }
            try await rig.untilWaiting(for: "schedule", handle)
            rig.world.verdict { _ in .suppressed(reason: "opted_out") }
            try await handle.signal("preference_changed")
            let result = try await handle.result()
            #expect(result.state == .suppressed)
            #expect(result.reason == "opted_out")
            #expect(rig.world.sends == [])
            try await rig.checkReplay(handle)
        }
    }

    @Test("The recipient is looked at again after the wait, told or not")
    func lookAgain() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send { $0.sendAt = rig.now + 3600 }
            try await rig.untilWaiting(for: "schedule", handle)
            rig.world.verdict { _ in .suppressed(reason: "opted_out") }
            rig.skip(3600)
            #expect(try await handle.result().state == .suppressed)
            #expect(rig.world.sends == [])
        }
    }

    @Test("10: over the cap it waits until a place comes free, and a retry takes no second place")
    func cap() async throws {
        try await NotificationRig.with { rig in
            rig.world.caps(.deferred(until: rig.now + 7200), .reserved)
            rig.world.answers(.email, transient())
            let handle = try await rig.send { $0.category = .marketing }
            try await rig.untilWaiting(for: "cap", handle)
            rig.skip(7201)
            try await rig.untilWaiting(for: "back-off", handle)
            rig.skip(40)
            #expect(try await handle.result().state == .sent)
            #expect(rig.world.calls.count { $0 == "ReserveCap" } == 2)
            #expect(rig.world.calls.contains("Mark cap"))
            try await rig.checkReplay(handle)
        }
    }

    @Test("13: a day's quota that is used up is waited for until the provider's next day")
    func dayQuota() async throws {
        try await NotificationRig.with(at: "2026-03-01T12:00:00Z") { rig in
            let midnight = try NotificationRig.seconds("2026-03-01T16:05:00Z")
            rig.world.answers(
                .wechat, SendOutcome(.throttled, code: "45009", provider: "wechat", notBefore: midnight))
            let handle = try await rig.send { $0.channels = [.wechat] }
            try await rig.untilWaiting(for: "back-off", handle)
            let progress: OperationProgress = try await handle.query("progress")
            #expect(abs((progress.waitingFor?.until ?? 0) - midnight) < 1)
            rig.skip(4 * 3600 + 300 - 2)
            try await rig.untilWaiting(for: "back-off", handle)
            rig.skip(3)
            #expect(try await handle.result().state == .sent)
            try await rig.checkReplay(handle)
        }
    }

    @Test("18: the next channel takes over when the first has failed for good")
    func fallback() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, permanent("invalid_address"))
            let handle = try await rig.send { $0.channels = [.email, .sms] }
            #expect(
                try await handle.result() == NotificationResult(id: "n1", state: .sent, channel: .sms, attempts: 2))
            #expect(rig.world.sends.map(\.channel) == [.email, .sms])
            try await rig.checkReplay(handle)
        }
    }

    @Test("With another channel left the first is not tried longer than fallback_after says")
    func fallbackAfter() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, transient(), transient(), transient(), transient())
            let handle = try await rig.send {
                $0.channels = [.email, .sms]
                $0.fallbackAfterSeconds = 60
            }
            try await rig.untilWaiting(for: "back-off", handle)
            rig.skip(34)
            #expect(try await handle.result().channel == .sms)
            #expect(rig.world.sends.map(\.channel) == [.email, .email, .sms])
        }
    }

    @Test("No contact on any channel suppresses; nothing is sent, nothing is dead")
    func noContact() async throws {
        try await NotificationRig.with { rig in
            rig.world.verdict { _ in .suppressed(reason: "no_contact") }
            let result = try await rig.send { $0.channels = [.email, .sms] }.result()
            #expect(result.state == .suppressed)
            #expect(result.reason == "no_contact")
            #expect(rig.world.calls.count { $0 == "CheckPolicy" } == 2)
        }
    }

    @Test("12: a template that cannot become a message is dead without a try")
    func templateError() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, SendOutcome(.invalid, code: "template_error", text: "name is missing"))
            let result = try await rig.send().result()
            #expect(result.state == .dead)
            #expect(result.reason == "template_error")
        }
    }

    @Test("What expires while it waits is not sent")
    func expiry() async throws {
        try await NotificationRig.with { rig in
            rig.world.answers(.email, transient())
            let handle = try await rig.send { $0.expiresAt = rig.now + 10 }
            #expect(try await handle.result().state == .expired)
            let other = try await rig.send {
                $0.id = "n2"
                $0.sendAt = rig.now + 100
                $0.expiresAt = rig.now + 50
            }
            #expect(try await other.result().state == .expired)
            #expect(rig.world.sends.count == 1)
        }
    }

    @Test("An open breaker or no token uses up no try")
    func uncounted() async throws {
        try await NotificationRig.with { rig in
            let held = SendOutcome(.throttled, code: "throttled", provider: "p", isCounted: false)
            rig.world.answers(.sms, held, held, held, held, held)
            let handle = try await rig.send { $0.channels = [.sms] }
            for count in 2...6 {
                try await rig.until("send \(count)") {
                    rig.skip(0.3)
                    return rig.world.sends.count >= count
                }
            }
            let result = try await handle.result()
            #expect(result == NotificationResult(id: "n1", state: .sent, channel: .sms, attempts: 1))
            #expect(Set(rig.world.sends.map(\.attempt)) == [1])
        }
    }
}

@Suite("ntf.Send: updates and receipts", .serialized, .timeLimit(.minutes(3)))
struct SendWorkflowSteeringTests {
    @Test("Cancel ends a waiting notification; one that has left refuses it")
    func cancel() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send { $0.sendAt = rig.now + 3600 }
            try await rig.untilWaiting(for: "schedule", handle)
            let answer = try await handle.executeUpdate(
                "cancel", CancelNotification(reason: "not any more"), returning: NotificationUpdated.self)
            #expect(answer.state == .canceled)
            #expect(try await handle.result().state == .canceled)
            #expect(rig.world.sends == [])
            #expect(rig.world.calls.last == "Finish CANCELED")
            try await rig.checkReplay(handle)

            rig.world.policy { $0.receiptSeconds = ["email": 3600] }
            let gone = try await rig.send { $0.id = "n2" }
            try await rig.untilWaiting(for: "receipt", gone)
            await #expect(throws: WorkflowUpdateFailed.self) {
                try await gone.executeUpdate(
                    "cancel", CancelNotification(reason: "late"), returning: NotificationUpdated.self)
            }
            rig.skip(3600)
            #expect(try await gone.result().state == .sent)
        }
    }

    @Test("Send now puts window and time aside; reschedule moves the time and refuses what is no time")
    func steering() async throws {
        try await NotificationRig.with { rig in
            rig.world.verdict { input in
                .allowed(at: max(input.now, input.ignoresWindow ? 0 : input.request.sendAt ?? 0))
            }
            let handle = try await rig.send { $0.sendAt = rig.now + 3600 }
            try await rig.untilWaiting(for: "schedule", handle)
            await #expect(throws: WorkflowUpdateFailed.self) {
                try await handle.executeUpdate(
                    "reschedule", RescheduleNotification(at: rig.now - 5), returning: NotificationUpdated.self)
            }
            let later = rig.now + 7200
            _ = try await handle.executeUpdate(
                "reschedule", RescheduleNotification(at: later), returning: NotificationUpdated.self)
            try await rig.until("the new time") {
                let progress: OperationProgress = try await handle.query("progress")
                return abs((progress.waitingFor?.until ?? 0) - later) < 1
            }
            rig.skip(3700)
            try await rig.untilWaiting(for: "schedule", handle)
            #expect(rig.world.sends == [])
            _ = try await handle.executeUpdate("send_now", returning: NotificationUpdated.self)
            #expect(try await handle.result().state == .sent)
            try await rig.checkReplay(handle)
        }
    }

    @Test("A receipt makes it delivered; the same receipt twice is one")
    func delivered() async throws {
        try await NotificationRig.with { rig in
            rig.world.policy { $0.receiptSeconds = ["sms": 24 * 3600] }
            let handle = try await rig.send { $0.channels = [.sms] }
            try await rig.untilWaiting(for: "receipt", handle)
            let odd = ReceiptEvent(eventID: "e1", channel: .sms, kind: .bounced, bounce: .undetermined)
            for _ in 0..<2 { try await handle.signal("receipt", odd) }
            try await rig.until("the receipt is written") { rig.world.receipts == ["e1"] }
            try await handle.signal("receipt", ReceiptEvent(eventID: "e2", channel: .sms, kind: .delivered))
            #expect(try await handle.result().state == .delivered)
            #expect(rig.world.receipts == ["e1", "e2"])
            try await rig.checkReplay(handle)
        }
    }

    @Test(
        "A message that came back for a passing reason is sent once more under a new key; then the channel has failed")
    func bounced() async throws {
        try await NotificationRig.with { rig in
            rig.world.policy { $0.receiptSeconds = ["sms": 24 * 3600] }
            let handle = try await rig.send { $0.channels = [.sms] }
            func back(_ id: String) -> ReceiptEvent {
                ReceiptEvent(eventID: id, channel: .sms, kind: .bounced, code: "30003", bounce: .transient)
            }
            try await rig.untilWaiting(for: "receipt", handle)
            try await handle.signal("receipt", back("e1"))
            try await rig.untilWaiting(for: "back-off", handle)
            rig.skip(40)
            try await rig.until("the second send") { rig.world.sends.count == 2 }
            try await rig.untilWaiting(for: "receipt", handle)
            try await handle.signal("receipt", back("e2"))
            let result = try await handle.result()
            #expect(result.state == .dead)
            #expect(result.reason == "30003")
            #expect(rig.world.sends.map(\.generation) == [0, 1])
            try await rig.checkReplay(handle)
        }
    }

    @Test("Pause holds before the next side effect; resume goes on")
    func pause() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send { $0.sendAt = rig.now + 100 }
            try await rig.untilWaiting(for: "schedule", handle)
            rig.world.answers(.email, transient())
            rig.skip(101)
            try await rig.untilWaiting(for: "back-off", handle)
            try await handle.signal("pause")
            rig.skip(100)
            try await rig.until("paused") {
                let progress: OperationProgress = try await handle.query("progress")
                return progress.status == .paused
            }
            #expect(rig.world.sends.count == 1)
            try await handle.signal("resume")
            #expect(try await handle.result().state == .sent)
        }
    }

    @Test("A cancelled run ends as cancelled, with its row written")
    func canceledRun() async throws {
        try await NotificationRig.with { rig in
            let handle = try await rig.send { $0.sendAt = rig.now + 3600 }
            try await rig.untilWaiting(for: "schedule", handle)
            try await handle.cancel(reason: "operator")
            await #expect(throws: (any Error).self) { try await handle.result() }
            #expect(rig.world.calls.last == "Finish CANCELED")
            try await rig.checkReplay(handle)
        }
    }
}
