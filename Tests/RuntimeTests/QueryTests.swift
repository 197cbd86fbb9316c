import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Queries", .timeLimit(.minutes(5)))
struct QueryTests {
    private let question = QueryRequest(type: "state", arguments: nil, header: nil)

    private func ask(_ rig: Rig, _ question: QueryRequest, seconds: Int64 = 30) -> Task<QueryResult, any Error> {
        let deadline = rig.clock.now().advanced(by: .seconds(seconds))
        return Task { try await rig.host.query(rig.target(), question, deadline: deadline) }
    }

    @Test("An idle run is asked directly, with its whole history on the normal queue")
    func direct() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.activity()])
            let answer = ask(rig, question)
            let task = try await rig.workflowTask()
            guard case .query(let token, let request) = task.work else {
                Issue.record("expected a query")
                return
            }
            #expect(request == question && task.history.count == 5 && task.startedEventID == .none)
            try await rig.host.answerQuery(token, .answered(Blob([7])))
            #expect(try await answer.value == .answered(Blob([7])))
            let late = await #expect(throws: Rejection.self) { try await rig.host.answerQuery(token, .answered(nil)) }
            #expect(late?.kind == .notFound)
            #expect(try await rig.events().count == 5)
        }
    }

    @Test("A query after a signal goes with the task that brings the signal")
    func readYourOwnSignal() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask())
            try await rig.signal("change")
            let answer = ask(rig, question)
            try await rig.until("the query waits") { try await waits(rig) }
            let task = try await rig.workflowTask()
            #expect(try task.names(rig.encoder).contains("WorkflowExecutionSignaled"))
            let query = try #require(task.queries.first)
            try await rig.complete(task) { $0.queryResults = [(query.id, .failed(message: "no", failure: Blob([1])))] }
            let refused = await #expect(throws: Rejection.self) { _ = try await answer.value }
            #expect(refused == Rejection(.queryFailed(failure: Blob([1])), "no"))
        }
    }

    /// Lets the query reach the run: nothing outside shows that it waits there.
    private func waits(_ rig: Rig) async throws -> Bool {
        for _ in 0..<2_000 { await Task.yield() }
        return true
    }

    @Test("Without a worker the query runs into its deadline")
    func deadline() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask())
            let answer = ask(rig, question, seconds: 3)
            try await rig.until("the query is offered") {
                try await rig.host.describeTaskQueue(namespace: Rig.namespace, queue: "queue", kind: .workflow)
                    .backlogCount == 1
            }
            rig.clock.advance(by: .seconds(3))
            let refused = await #expect(throws: Rejection.self) { _ = try await answer.value }
            #expect(refused == Rejection(.deadlineExceeded, "query timed out before a worker could process it"))
        }
    }

    @Test("A closed run is asked, or the query is refused as its condition says")
    func closed() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.finish])
            var careful = question
            careful.rejectCondition = .notOpen
            #expect(try await ask(rig, careful).value == .rejected(.completed))
            careful.rejectCondition = .notCompletedCleanly
            let answer = ask(rig, careful)
            guard case .query(let token, _) = try await rig.workflowTask().work else {
                Issue.record("expected a query")
                return
            }
            try await rig.host.answerQuery(token, .answered(nil))
            #expect(try await answer.value == .answered(nil))
        }
    }

    @Test("A run that never completed a workflow task is not ready")
    func notReady() async throws {
        try await Rig().run { rig in
            try await rig.start { $0.attributes.firstWorkflowTaskBackoff = .seconds(600) }
            let early = await #expect(throws: Rejection.self) { _ = try await ask(rig, question).value }
            #expect(early == Rejection(.workflowNotReady, "Workflow task is not scheduled yet."))
            try await rig.host.terminateWorkflow(rig.target(), WorkflowExecutionTerminated(reason: "x"))
            let closed = await #expect(throws: Rejection.self) { _ = try await ask(rig, question).value }
            #expect(closed?.message == "Unable to query workflow due to Workflow Task in failed state.")
        }
    }
}
