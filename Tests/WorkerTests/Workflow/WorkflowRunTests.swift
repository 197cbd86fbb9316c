import History
import TemporalAPI
import Testing

@testable import Worker

@Suite("A workflow's code and its history")
struct WorkflowRunTests {
    @Test("A workflow with an activity schedules it, learns its result and completes")
    func activity() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Greet.self)], input: "Ada")
        #expect(try await run.step() == ["schedule greet 1"])
        #expect(run.lastCompletion.hasSdkMetadata)
        try run.completeActivity("1", "Hello Ada")
        #expect(try await run.step() == ["complete \"Hello Ada!\""])
        #expect(run.processor.cachedRuns == 0)
        #expect(try run.replay([RegisteredWorkflow(Greet.self)]).isIdentical)
    }

    @Test("The failure of an activity reaches the workflow with its type, and fails it")
    func activityFailure() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Greet.self)], input: "Ada")
        try await run.step()
        try run.failActivity("1", ApplicationFailure("no voice", type: "Mute", isNonRetryable: true))
        #expect(try await run.step() == ["fail Activity task failed"])
        #expect(try run.replay([RegisteredWorkflow(Greet.self)]).isIdentical)
    }

    @Test("A timer that fires ends the wait, a signal takes the timer back", arguments: [false, true])
    func timerOrSignal(isSignaled: Bool) async throws {
        let run = try PlayedRun([RegisteredWorkflow(Approval.self)])
        #expect(try await run.step() == ["timer 1 3600.0s"])
        if isSignaled {
            try run.signal("decide", "yes")
            #expect(try await run.step() == ["cancel timer 1", "complete \"yes\""])
        } else {
            try run.fireTimer("1")
            #expect(try await run.step() == ["complete \"expired\""])
        }
        #expect(try run.replay([RegisteredWorkflow(Approval.self)]).isIdentical)
    }

    @Test("A signal that comes with the start is there before the code waits")
    func signalWithStart() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Approval.self)])
        try run.signal("decide", "at once")
        #expect(try await run.step() == ["complete \"at once\""])
    }

    @Test("A signal's handler may wait, and a query sees what it did")
    func waitingHandler() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Approval.self)])
        try await run.step()
        try run.signal("note", "helo")
        #expect(try await run.step() == ["schedule spell 1"])
        #expect(try await run.ask("notes", whole: false) == "[]")
        try run.completeActivity("1", "hello")
        #expect(try await run.step(queries: ["q": "notes"]) == [])
        #expect(run.lastCompletion.queryResults["q"]?.resultType == .answered)
        #expect(try await run.ask("notes", whole: false) == "[\"hello\"]")
        #expect(try await run.ask("noteAt", 0) == "\"hello\"")
        #expect(try await run.ask("noteAt", 7) == "!no note 7")
        #expect(try await run.ask("nothing").hasPrefix("!no query handler for nothing"))
        try run.signal("decide", "yes")
        try await run.step()
        #expect(try await run.ask("notes") == "[\"hello\"]")
    }

    @Test("Child tasks give the same commands in every run of the code", arguments: 0..<50)
    func childTasks(seed: Int) async throws {
        let workflows = [RegisteredWorkflow(Fan.self)]
        let run = try PlayedRun(
            workflows, input: NoValue(), runID: "00000000-0000-4000-8000-0000000000\(10 + seed % 5)")
        #expect(try await run.step() == ["schedule left 1", "schedule right 2"])
        try run.completeActivity("2", "r")
        #expect(try await run.step() == [])
        try run.completeActivity("1", "l")
        let leaves = try await run.step()
        #expect(leaves.count == 3)
        for id in ["4", "3", "5"] { try run.completeActivity(id, "leaf \(id)") }
        #expect(try await run.step() == ["complete [\"l\",\"r\",\"leaf 4\",\"leaf 3\",\"leaf 5\"]"])
        let report = try run.replay(workflows)
        #expect(report.isIdentical, "seed \(seed): \(String(describing: report.divergence))")
        #expect(report.workflowTasks == 4)
        #expect(report.commands == 6)
    }

    @Test("A run that left the cache is rebuilt from pages of history, and goes on")
    func rebuilt() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Fan.self)], input: NoValue(), cachedRunsMax: 0)
        #expect(try await run.step(sticky: false) == ["schedule left 1", "schedule right 2"])
        try run.completeActivity("2", "r")
        try run.completeActivity("1", "l")
        #expect(try await run.step(sticky: true).count == 3)
        #expect(run.fetchedPages == 3)
        #expect(run.processor.cachedRuns == 0)
    }

    @Test("A task of the sticky queue continues the run in memory, a whole history begins it anew")
    func stickyAndWhole() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Fan.self)], input: NoValue())
        try await run.step(sticky: true)
        #expect(run.processor.cachedRuns == 1)
        try run.completeActivity("2", "r")
        try await run.step(sticky: true)
        try run.completeActivity("1", "l")
        #expect(try await run.step(sticky: false).count == 3)
        #expect(run.fetchedPages == 0)
        #expect(run.processor.cachedRuns == 1)
    }

    @Test("A workflow type that is not registered fails the task by name")
    func unknownType() async throws {
        let run = try PlayedRun([RegisteredWorkflow(Greet.self)], type: "Nobody")
        let failure = try await run.failingStep()
        #expect(failure.message == "workflow type Nobody is not registered with this worker")
    }
}
