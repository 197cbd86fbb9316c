import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("A reset begins a new run with the first part of an old one", .timeLimit(.minutes(5)))
struct ResetTests {
    private func reset(_ rig: Rig, to event: Int64, request: RequestID = "r", run: RunID? = nil) async throws -> RunID {
        try await rig.host.resetWorkflow(
            ResetWorkflowRequest(
                target: rig.target(run: run), finishEventID: EventID(event), reason: "why", requestID: request))
    }

    @Test("An open run is terminated, its signals are told again, and its timer runs on")
    func anOpenRun() async throws {
        try await Rig().run { rig in
            let base = try await rig.start().run
            try await rig.complete(try await rig.workflowTask(), [.timer(seconds: 100)])
            try await rig.signal("one")
            try await rig.complete(try await rig.workflowTask())
            try await rig.signal("two")
            let new = try await reset(rig, to: 8)
            #expect(try await rig.names(run: base).last == "WorkflowExecutionTerminated")
            #expect(
                try await rig.names() == [
                    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                    "WorkflowTaskCompleted", "TimerStarted", "WorkflowExecutionSignaled", "WorkflowTaskScheduled",
                    "WorkflowTaskStarted", "WorkflowTaskFailed", "WorkflowExecutionSignaled", "WorkflowTaskScheduled",
                ])
            #expect(try await rig.host.describe(rig.target()).summary.key.run == new)
            rig.clock.advance(by: .seconds(101))
            try await rig.until("the timer fires") { try await rig.names().contains("TimerFired") }
            try await rig.verifyAll()
        }
    }

    @Test("A repeated request gives the same run")
    func aRepeatedRequest() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask())
            let first = try await reset(rig, to: 4, request: "a")
            #expect(try await reset(rig, to: 4, request: "a") == first)
            #expect(try await reset(rig, to: 4, request: "b") != first)
            try await rig.verifyAll()
        }
    }

    @Test("Only the end of a workflow task is a point to go back to")
    func points() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.finish])
            for event: Int64 in [0, 1, 2, 5, 99] {
                await #expect(throws: Rejection.self) { try await reset(rig, to: event) }
            }
            #expect(try await rig.host.describe(rig.target()).summary.status == .completed)
            _ = try await reset(rig, to: 3)
            #expect(
                try await rig.names().prefix(4) == [
                    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskFailed",
                ])
            try await rig.verifyAll()
        }
    }

    @Test("A crash between any two commits of a reset leaves the old run or the new one")
    func crashes() async throws {
        for commit in 1...3 {
            let first = Rig(seed: 1)
            try await first.host.start()
            try await first.start()
            try await first.complete(try await first.workflowTask())
            let base = first.store.commitCount
            first.store.setFault { number, _ in number >= base + commit ? .unavailable : nil }
            _ = try? await reset(first, to: 4)
            await first.host.abandon()
            first.store.setFault(nil)
            let second = Rig(seed: 2, on: first)
            try await second.host.start()
            let run = try await reset(second, to: 4)
            #expect(try await second.host.describe(second.target()).summary.key.run == run)
            #expect(second.store.runKeys.count == 2)
            try await second.verifyAll()
            await second.host.shutdown()
        }
    }

    @Test("A child outlives the reset of its parent, and its end reaches the new run")
    func aChildIsKept() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(
                try await rig.workflowTask(),
                [
                    .startChildWorkflow(
                        StartChildWorkflow(workflowID: "child-1", workflowType: "Child", taskQueue: "other"))
                ])
            try await rig.until("the child is recorded") {
                try await rig.names().contains("ChildWorkflowExecutionStarted")
            }
            let parentTask = try await rig.workflowTask()
            let child = try await rig.workflowTask(TaskQueue("other"))
            try await rig.complete(parentTask)
            // The new run asks for the child again, under the same id: it is found.
            _ = try await reset(rig, to: 4)
            try await rig.complete(
                try await rig.workflowTask(),
                [
                    .startChildWorkflow(
                        StartChildWorkflow(workflowID: "child-1", workflowType: "Child", taskQueue: "other"))
                ])
            try await rig.until("the child is found") {
                try await rig.names().contains("ChildWorkflowExecutionStarted")
            }
            try await rig.complete(child, [.finish])
            try await rig.until("its end is known") {
                try await rig.names().contains("ChildWorkflowExecutionCompleted")
            }
            #expect(rig.store.runKeys.filter { $0.workflow == "child-1" }.count == 1)
            try await rig.verifyAll()
        }
    }
}
