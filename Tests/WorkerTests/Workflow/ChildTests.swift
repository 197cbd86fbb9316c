import History
import TemporalAPI
import Testing

@testable import Worker

/// A parent that treats its child as its input says.
private struct ParentOf: WorkflowDefinition {
    static let name = "ParentOf"
    struct Input: Codable, Sendable {
        var cancellation: Int
        var gives: Duration = .seconds(60)
    }

    func run(_ input: Input, _ context: WorkflowContext) async throws -> String {
        let kinds: [ChildWorkflowOptions.Cancellation] = [.tryCancel, .waitCompleted, .waitRequested, .abandon]
        let options = ChildWorkflowOptions(id: "child", cancellation: kinds[input.cancellation])
        do {
            return try await context.withTimeout(input.gives) {
                try await context.executeChildWorkflow("Child", "hi", options: options, returning: String.self)
            }
        } catch let failure as ChildWorkflowFailure {
            return "child: \(failure.cause.map { "\($0)" } ?? "")"
        } catch let failure as TimeoutFailure {
            return "late: \(failure.message)"
        } catch is WorkflowAlreadyStarted {
            return "taken"
        }
    }
}

/// Starts a child, goes on, and asks for its result later; several ask.
private struct AsksLater: WorkflowDefinition {
    static let name = "AsksLater"
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> [String] {
        let child = try await context.startChildWorkflow(
            "Child", "hi", options: ChildWorkflowOptions(id: "child"), returning: String.self)
        try await child.signal("note", "one")
        try await context.sleep(for: .seconds(10))
        async let left = child.result()
        async let right = child.result()
        return [try await left, try await right, child.firstRunID]
    }
}

/// Signals and cancels another workflow.
private struct Meddler: WorkflowDefinition {
    static let name = "Meddler"
    func run(_ input: NoValue, _ context: WorkflowContext) async throws -> String {
        let other = context.externalWorkflow("other")
        try await other.signal("poke", 1)
        do {
            try await other.cancel(reason: "enough")
        } catch let failure as ApplicationFailure where failure.type == ExternalWorkflowHandle.notFoundType {
            return failure.message
        }
        return "told"
    }
}

@Suite("Workflows and other workflows")
struct ChildTests {
    private let parent = [RegisteredWorkflow(ParentOf.self)]
    private static let child = WorkflowReference(workflow: "child", run: "child-run")
    private static let here = NamespaceReference(name: "default", id: "")

    private func initiated(_ run: PlayedRun, _ type: String) throws -> EventID {
        try #require(run.events.last { $0.kind.typeName == type }).id
    }

    private func startChild(_ run: PlayedRun) throws -> (initiated: EventID, started: EventID) {
        let event = try initiated(run, "StartChildWorkflowExecutionInitiated")
        let started = run.add(
            .childWorkflow(
                .started(
                    ChildWorkflowStarted(
                        namespace: Self.here, initiatedEventID: event, execution: Self.child, workflowType: "Child"))))
        return (event, started)
    }

    private func endChild(_ run: PlayedRun, _ child: (initiated: EventID, started: EventID), _ end: ChildEnd) {
        run.add(
            .childWorkflow(
                .ended(
                    ChildWorkflowEnded(
                        end: end, namespace: Self.here, execution: Self.child, workflowType: "Child",
                        initiatedEventID: child.initiated, startedEventID: child.started))))
    }

    @Test("A child's result reaches its parent, live and in every replay")
    func result() async throws {
        let run = try PlayedRun(parent, input: ParentOf.Input(cancellation: 1))
        #expect(Set(try await run.step()) == ["timer 1 60.0s", "start child Child child"])
        let child = try startChild(run)
        #expect(try await run.step() == [])
        endChild(run, child, .completed(result: Blob(try DataConverter.default.result("hello"))))
        #expect(try await run.step() == ["cancel timer 1", "complete \"hello\""])
        #expect(try run.replay(parent).isIdentical)
    }

    @Test("A child's failure comes with its cause, its ids and the reason why it was not tried again")
    func failure() async throws {
        let run = try PlayedRun(parent, input: ParentOf.Input(cancellation: 1))
        try await run.step()
        let child = try startChild(run)
        let bytes = DataConverter.default.failure(for: ApplicationFailure("no luck", type: "NoLuck"))
        endChild(run, child, .failed(.opaque(Blob(bytes), traits: FailureTraits()), .maximumAttemptsReached))
        #expect(try await run.step().last?.contains("no luck") == true)
        #expect(try run.replay(parent).isIdentical)
    }

    @Test("A child whose id is taken is an error of its own")
    func taken() async throws {
        let run = try PlayedRun(parent, input: ParentOf.Input(cancellation: 1))
        try await run.step()
        run.add(
            .childWorkflow(
                .startFailed(
                    StartChildWorkflowFailed(
                        namespace: Self.here, workflowID: "child", workflowType: "Child",
                        cause: .workflowAlreadyExists,
                        initiatedEventID: try initiated(run, "StartChildWorkflowExecutionInitiated"),
                        workflowTaskCompletedEventID: .none))))
        #expect(try await run.step() == ["cancel timer 1", "complete \"taken\""])
        #expect(try run.replay(parent).isIdentical)
    }

    @Test("A cancelled wait treats the child as its options say", arguments: 0..<4)
    func cancellation(kind: Int) async throws {
        let run = try PlayedRun(parent, input: ParentOf.Input(cancellation: kind))
        try await run.step()
        let child = try startChild(run)
        try await run.step()
        try run.fireTimer("1")
        let commands = try await run.step()
        let completes = "complete \"late: not done within 60.0 seconds\""
        switch kind {
        case 0: #expect(commands == ["cancel workflow child", completes])
        case 3: #expect(commands == [completes])
        default:
            #expect(commands == ["cancel workflow child"])
            let asked = try initiated(run, "RequestCancelExternalWorkflowExecutionInitiated")
            run.add(
                .externalWorkflow(
                    .cancelRequested(
                        ExternalTold(namespace: Self.here, execution: Self.child, initiatedEventID: asked))))
            if kind == 1 {
                #expect(try await run.step() == [])
                endChild(run, child, .canceled(details: nil))
            }
            #expect(try await run.step() == [completes])
        }
        #expect(try run.replay(parent).isIdentical)
    }

    @Test("A child that ends before anybody asks keeps its result for all who ask")
    func asksLater() async throws {
        let workflows = [RegisteredWorkflow(AsksLater.self)]
        let run = try PlayedRun(workflows)
        #expect(try await run.step() == ["start child Child child"])
        let child = try startChild(run)
        #expect(try await run.step() == ["signal note to child"])
        let asked = try initiated(run, "SignalExternalWorkflowExecutionInitiated")
        run.add(
            .externalWorkflow(
                .signaled(ExternalTold(namespace: Self.here, execution: Self.child, initiatedEventID: asked))))
        #expect(try await run.step() == ["timer 1 10.0s"])
        endChild(run, child, .completed(result: Blob(try DataConverter.default.result("early"))))
        #expect(try await run.step() == [])
        try run.fireTimer("1")
        #expect(try await run.step() == ["complete [\"early\",\"early\",\"child-run\"]"])
        #expect(try run.replay(workflows).isIdentical)
    }

    @Test("Another workflow is signalled and cancelled; one that is not there says so", arguments: [true, false])
    func external(isThere: Bool) async throws {
        let workflows = [RegisteredWorkflow(Meddler.self)]
        let run = try PlayedRun(workflows)
        let other = WorkflowReference(workflow: "other")
        #expect(try await run.step() == ["signal poke to other"])
        let signal = try initiated(run, "SignalExternalWorkflowExecutionInitiated")
        run.add(
            .externalWorkflow(
                .signaled(ExternalTold(namespace: Self.here, execution: other, initiatedEventID: signal))))
        #expect(try await run.step() == ["cancel workflow other"])
        let cancel = try initiated(run, "RequestCancelExternalWorkflowExecutionInitiated")
        if isThere {
            run.add(
                .externalWorkflow(
                    .cancelRequested(ExternalTold(namespace: Self.here, execution: other, initiatedEventID: cancel))))
            #expect(try await run.step() == ["complete \"told\""])
        } else {
            run.add(
                .externalWorkflow(
                    .cancelFailed(
                        ExternalFailed(
                            cause: .notFound, namespace: Self.here, execution: other, initiatedEventID: cancel,
                            workflowTaskCompletedEventID: .none))))
            #expect(
                try await run.step() == ["complete \"Unable to cancel external workflow because not found\""])
        }
        #expect(try run.replay(workflows).isIdentical)
    }
}
