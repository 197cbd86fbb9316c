import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("A deleted run goes when everybody has heard of its end", .timeLimit(.minutes(2)))
struct DeleteTests {
    @Test("Open or closed, it is gone, and its id is free", arguments: [true, false])
    func itIsGone(isOpen: Bool) async throws {
        try await Rig().run { rig in
            try await rig.start()
            if !isOpen { try await rig.complete(try await rig.workflowTask(), [.finish]) }
            try await rig.host.deleteWorkflow(rig.target())
            try await rig.until("it is gone") { rig.store.runKeys.isEmpty }
            await #expect(throws: Rejection.self) { try await rig.host.describe(rig.target()) }
            try await rig.start(requestID: "again")
            try await rig.verifyAll()
        }
    }

    @Test("A parent hears of a deleted child, and a crash in between loses neither")
    func aParentHears() async throws {
        let first = Rig(seed: 1)
        try await first.host.start()
        try await first.start("parent-1")
        try await first.complete(
            try await first.workflowTask(),
            [
                .startChildWorkflow(
                    StartChildWorkflow(workflowID: "child-1", workflowType: "Child", taskQueue: "nobody"))
            ])
        try await first.until("the child is recorded") {
            try await first.names("parent-1").contains("ChildWorkflowExecutionStarted")
        }
        try await first.until("the child began") {
            try await first.names("child-1").contains("WorkflowTaskScheduled")
        }
        // The child's end is stored, but the parent cannot store that it heard of it.
        first.store.setFault { _, batch in
            batch.writes.contains { $0.summary.key.workflow == "parent-1" } ? .unavailable : nil
        }
        try await first.host.deleteWorkflow(first.target("child-1"))
        await first.host.abandon()
        first.store.setFault(nil)
        let second = Rig(seed: 2, on: first)
        try await second.host.start()
        try await second.until("the parent hears") {
            try await second.names("parent-1").contains("ChildWorkflowExecutionTerminated")
        }
        try await second.until("the child is gone") { second.store.runKeys.map(\.workflow) == ["parent-1"] }
        await second.host.shutdown()
    }
}
