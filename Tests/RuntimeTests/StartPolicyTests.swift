import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Starting a workflow id that was used before", .timeLimit(.minutes(5)))
struct StartPolicyTests {
    @Test("The same request id is the same start")
    func idempotent() async throws {
        try await Rig().run { rig in
            let first = try await rig.start(requestID: "r-1")
            let again = try await rig.start(requestID: "r-1")
            #expect(again.run == first.run && again.started)
            #expect(rig.store.runKeys.count == 1)
        }
    }

    @Test("An open run refuses a second start, is used, or gives way")
    func conflictPolicies() async throws {
        try await Rig().run { rig in
            let first = try await rig.start(requestID: "r-1")
            let refused = await #expect(throws: Rejection.self) { try await rig.start(requestID: "r-2") }
            #expect(refused?.kind == .workflowAlreadyStarted(startRequestID: "r-1", run: first.run))
            #expect(
                refused?.message == "Workflow execution is already running. WorkflowId: order-1, RunId: \(first.run).")
            let used = try await rig.start(requestID: "r-3") { $0.conflictPolicy = .useExisting }
            #expect(used.run == first.run && !used.started)
            rig.store.keepLog()
            let next = try await rig.start(requestID: "r-4") { $0.conflictPolicy = .terminateExisting }
            #expect(next.run != first.run && next.started)
            #expect(rig.store.log.last?.writes.count == 2)
            let old = try await rig.events(run: first.run)
            guard case .workflowExecutionTerminated(let terminated) = old.last?.kind else {
                Issue.record("expected a terminated run, got \(String(describing: old.last?.kind.typeName))")
                return
            }
            #expect(
                terminated.reason == "TerminateIfRunning WorkflowIdReusePolicy"
                    && terminated.identity == "history-service")
            try await rig.verifyAll()
        }
    }

    @Test("A closed run is followed, unless the reuse policy says no")
    func reusePolicies() async throws {
        try await Rig().run { rig in
            let first = try await rig.start(requestID: "r-1")
            try await rig.complete(try await rig.workflowTask(), [.finish])
            for policy in [WorkflowIDReusePolicy.rejectDuplicate, .allowDuplicateFailedOnly] {
                let refused = await #expect(throws: Rejection.self) {
                    try await rig.start(requestID: "r-2") { $0.reusePolicy = policy }
                }
                #expect(refused?.kind == .workflowAlreadyStarted(startRequestID: "r-1", run: first.run))
            }
            let second = try await rig.start(requestID: "r-3")
            #expect(second.run != first.run)
            try await rig.host.terminateWorkflow(rig.target(), WorkflowExecutionTerminated(reason: "stop"))
            let third = try await rig.start(requestID: "r-4") { $0.reusePolicy = .allowDuplicateFailedOnly }
            #expect(third.run != second.run)
            #expect(try await rig.host.listRuns(VisibilityQuery(namespace: Rig.namespace, limit: 10)).count == 3)
        }
    }

    @Test("Signal with start begins a run with the signal, or signals the one that is there")
    func signalWithStart() async throws {
        try await Rig().run { rig in
            let signal = WorkflowExecutionSignaled(signalName: "go", requestID: "s-1")
            let first = try await rig.start(requestID: "r-1") {
                $0.signal = signal
                $0.conflictPolicy = .useExisting
            }
            #expect(
                try await rig.names() == [
                    "WorkflowExecutionStarted", "WorkflowExecutionSignaled", "WorkflowTaskScheduled",
                ])
            let second = try await rig.start(requestID: "r-2") {
                $0.signal = WorkflowExecutionSignaled(signalName: "go", requestID: "s-2")
                $0.conflictPolicy = .useExisting
            }
            #expect(second.run == first.run && !second.started)
            #expect(try await rig.names().filter { $0 == "WorkflowExecutionSignaled" }.count == 2)
        }
    }

    @Test("Unknown runs are named as the protocol says")
    func unknownRuns() async throws {
        try await Rig().run { rig in
            let current = await #expect(throws: Rejection.self) { try await rig.signal("x", "nobody") }
            #expect(current == .notFound("workflow not found for ID: nobody"))
            let run: RunID = "00000000-0000-4000-8000-000000000001"
            let exact = await #expect(throws: Rejection.self) {
                _ = try await rig.host.describe(rig.target("nobody", run: run))
            }
            #expect(exact == .notFound("workflow execution not found for workflow ID \"nobody\" and run ID \"\(run)\""))
            let malformed = await #expect(throws: Rejection.self) {
                _ = try await rig.host.describe(rig.target("nobody", run: "nope"))
            }
            #expect(malformed == .invalid("Invalid RunId."))
            try await rig.start()
            var wrongChain = rig.target()
            wrongChain.firstRun = run
            await #expect(throws: Rejection.self) { _ = try await rig.host.describe(wrongChain) }
        }
    }

    @Test("A namespace is found by name and id, and refused twice")
    func namespaces() async throws {
        try await Rig().run { rig in
            let namespace = Namespace(id: Rig.namespace, name: "default", retention: .days(1))
            try await rig.host.registerNamespace(namespace)
            #expect(try await rig.host.namespace(named: "default") == namespace)
            #expect(try await rig.host.namespace(named: Rig.namespace.value) == namespace)
            let again = await #expect(throws: Rejection.self) { try await rig.host.registerNamespace(namespace) }
            #expect(again?.message == "Namespace \"default\" already exists")
            let unknown = await #expect(throws: Rejection.self) { _ = try await rig.host.namespace(named: "x") }
            #expect(unknown?.message == "Namespace x is not found.")
        }
    }
}
