import Activities
import Testing
import Worker
import Workflows

@Suite("ntf.Send in the recipient's time", .serialized, .timeLimit(.minutes(3)))
struct DeliveryTimeWorkflowTests {
    /// The verdict of the real activity, with its clock from the workflow.
    private static func verdict(
        _ input: PolicyInput, quietHours: QuietHours?, timeZone: String
    ) -> PolicyVerdict {
        let isAlways = input.request.category == .security
        let opens = DeliveryTime().nextOpening(
            notBefore: max(input.now, input.request.sendAt ?? 0), window: isAlways ? nil : input.request.window,
            quietHours: isAlways ? nil : quietHours, timeZone: timeZone)
        return opens.map { .allowed(at: $0) } ?? .neverOpen
    }

    @Test("7: accepted at 23:10 in Shanghai it is sent at 08:00 there; a security message at once")
    func quietHours() async throws {
        try await NotificationRig.with(at: "2026-03-01T15:10:00Z") { rig in
            rig.world.verdict {
                Self.verdict(
                    $0, quietHours: QuietHours(fromMinute: 22 * 60, untilMinute: 8 * 60), timeZone: "Asia/Shanghai")
            }
            let handle = try await rig.send()
            try await rig.untilWaiting(for: "schedule", handle)
            let morning = try NotificationRig.seconds("2026-03-02T00:00:00Z")
            let progress: OperationProgress = try await handle.query("progress")
            #expect(abs((progress.waitingFor?.until ?? 0) - morning) < 1)
            let alarm = try await rig.send {
                $0.id = "n2"
                $0.category = .security
            }
            #expect(try await alarm.result().state == .sent)
            rig.skip(morning - rig.now - 5)
            try await rig.untilWaiting(for: "schedule", handle)
            #expect(rig.world.sends.map(\.id) == ["n2"])
            rig.skip(6)
            #expect(try await handle.result().state == .sent)
            #expect(rig.world.sends.map(\.id) == ["n2", "n1"])
            try await rig.checkReplay(handle)
        }
    }

    @Test("8: a window that opens at 02:30 in the night that has no 02:30 opens at 03:00, once")
    func springForward() async throws {
        try await NotificationRig.with(at: "2026-03-28T23:00:00Z") { rig in
            rig.world.verdict { Self.verdict($0, quietHours: nil, timeZone: "Europe/Berlin") }
            let handle = try await rig.send { $0.window = DeliveryWindow(fromMinute: 150, untilMinute: 300) }
            try await rig.untilWaiting(for: "schedule", handle)
            let opening = try NotificationRig.seconds("2026-03-29T01:00:00Z")  // 03:00 local
            let progress: OperationProgress = try await handle.query("progress")
            #expect(abs((progress.waitingFor?.until ?? 0) - opening) < 1)
            rig.skip(opening - rig.now + 0.01)
            #expect(try await handle.result().state == .sent)
            #expect(rig.world.sends.count == 1)
            try await rig.checkReplay(handle)
        }
    }
}
