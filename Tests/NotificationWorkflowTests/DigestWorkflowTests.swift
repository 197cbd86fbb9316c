import Activities
import Testing
import Worker
import Workflows

@Suite("ntf.Digest", .serialized, .timeLimit(.minutes(3)))
struct DigestWorkflowTests {
    private func trigger(_ rig: NotificationRig, _ id: String) async throws -> WorkflowHandle<NotificationResult> {
        let request = NotificationRequest(
            id: "d1", tenant: "shop", recipient: Recipient(userID: "ann"), template: .init(id: "digest"),
            digest: .init(key: "comments", everySeconds: 600))
        return try await rig.client.signalWithStart(
            DigestWorkflow.self, DigestInput(request: request), signal: "trigger",
            DigestItem(id: id, at: rig.now, variables: ["who": .string(id)]),
            options: StartOptions(
                id: NotificationIDs.digest(tenant: "shop", subject: "user:ann", key: "comments"),
                taskQueue: NotificationQueues.main, idConflictPolicy: .useExisting))
    }

    @Test("Three triggers are one message with three items; the next window begins by itself and an empty one ends it")
    func windows() async throws {
        try await NotificationRig.with { rig in
            for id in ["a", "b", "a", "c"] { _ = try await self.trigger(rig, id) }
            let handle = try await self.trigger(rig, "c")
            try await rig.until("three items") {
                let items: [DigestItem] = try await handle.query("items")
                return items.map(\.id) == ["a", "b", "c"]
            }
            rig.skip(601)
            try await rig.until("the message") { rig.world.sends.count == 1 }
            #expect(rig.world.sends.first?.items == 3)
            _ = try await self.trigger(rig, "d")
            try await rig.until("the second window") {
                rig.skip(10)
                return rig.world.sends.count == 2
            }
            #expect(rig.world.sends.map(\.items) == [3, 1])
            #expect(Set(rig.world.sends.map(\.id)).count == 2)
            try await rig.until("the end") {
                rig.skip(100)
                return (try? await handle.describe().summary.status) == .completed
            }
        }
    }
}
