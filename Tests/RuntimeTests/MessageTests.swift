import Engine
import EngineTestKit
import History
import Runtime
import Synchronization
import Testing

@Suite("Runs tell each other things, once", .timeLimit(.minutes(3)))
struct MessageTests {
    /// A worker for a parent that starts a child and signals a peer, waits for both, and then completes.
    private static func work(_ rig: Rig) async {
        while let task = try? await rig.host.pollWorkflowTask(rig.poll(seconds: 1_000_000)) {
            guard let names = try? task.names(rig.encoder) else { continue }
            let commands: [WorkflowCommand.Kind]
            switch task.workflowType {
            case "Parent": commands = parentCommands(names)
            case "Peer": commands = names.contains("WorkflowExecutionSignaled") ? [.finish] : []
            default: commands = [.finish]
            }
            _ = try? await rig.complete(task, commands)
        }
    }

    private static func parentCommands(_ names: [String]) -> [WorkflowCommand.Kind] {
        guard names.contains("StartChildWorkflowExecutionInitiated") else {
            return [
                .startChildWorkflow(StartChildWorkflow(workflowID: "child-1", workflowType: "Child")),
                .signalExternalWorkflow(
                    SignalExternal(execution: WorkflowReference(workflow: "peer-1"), signalName: "go")),
            ]
        }
        let isDone =
            names.contains("ChildWorkflowExecutionCompleted") && names.contains("ExternalWorkflowExecutionSignaled")
        return isDone ? [.finish] : []
    }

    private static func startBoth(_ rig: Rig) async throws {
        try await rig.start("peer-1") { $0.attributes.workflowType = "Peer" }
        try await rig.start("parent-1") { $0.attributes.workflowType = "Parent" }
    }

    private static func status(_ rig: Rig, _ workflow: WorkflowID) async throws -> WorkflowStatus {
        try await rig.host.describe(rig.target(workflow)).summary.status
    }

    /// What must hold however often something was delivered.
    private static func checkOutcome(_ rig: Rig) async throws {
        let parent = try await rig.names("parent-1")
        for name in [
            "StartChildWorkflowExecutionInitiated", "ChildWorkflowExecutionStarted", "ChildWorkflowExecutionCompleted",
            "SignalExternalWorkflowExecutionInitiated", "ExternalWorkflowExecutionSignaled",
        ] { #expect(parent.filter { $0 == name }.count == 1, "\(name) in \(parent)") }
        let peer = try await rig.names("peer-1")
        #expect(peer.filter { $0 == "WorkflowExecutionSignaled" }.count == 1)
        #expect(rig.store.runKeys.filter { $0.workflow == "child-1" }.count == 1)
        try await rig.verifyAll()
    }

    @Test("A child runs, its parent learns how it ended, and nothing stays under way")
    func aChildRuns() async throws {
        try await Rig().run { rig in
            try await Self.startBoth(rig)
            let worker = Task { await Self.work(rig) }
            try await rig.until("the parent completes") { try await Self.status(rig, "parent-1") == .completed }
            try await rig.until("nothing is under way") {
                rig.store.runKeys.allSatisfy { rig.store.wakeAt($0.run) == nil }
            }
            try await Self.checkOutcome(rig)
            let child = try await rig.events("child-1")
            guard case .workflowExecutionStarted(let started) = try #require(child.first).kind else {
                throw Rig.NeverHappened()
            }
            #expect(started.parent?.execution.workflow == "parent-1")
            #expect(started.root == started.parent?.execution)
            worker.cancel()
            await worker.value
        }
    }

    /// How often the family commits when nothing goes wrong.
    private static let boundaries = 14

    @Test(
        "Killed at any commit of parent, child and peer, a new host finishes them", arguments: 1...boundaries,
        [true, false])
    func killedAtEveryCommit(commit: Int, after: Bool) async throws {
        let first = Rig(seed: 1)
        let isDead = Atomic<Bool>(false)
        first.store.setFault { number, _ in
            if number > commit { return .unavailable }
            guard number == commit else { return nil }
            isDead.store(true, ordering: .relaxed)
            return after ? nil : .unavailable
        }
        try await first.host.start()
        let worker = Task { await Self.work(first) }
        let starts = Task { try? await Self.startBoth(first) }
        // A family that needs fewer commits is done by then.
        for _ in 0..<20_000 where !isDead.load(ordering: .relaxed) { await Task.yield() }
        await first.host.abandon()
        _ = await starts.value
        await worker.value
        first.store.setFault(nil)
        first.clock.advance(by: .seconds(61))
        let second = Rig(seed: 2, on: first)
        try await second.host.start()
        try await Self.startBoth(second)
        let again = Task { await Self.work(second) }
        try await second.until("the parent completes") {
            second.clock.advance(by: .milliseconds(100))
            for _ in 0..<50 { await Task.yield() }
            return try await Self.status(second, "parent-1") == .completed
        }
        try await second.until("nothing is under way") {
            second.clock.advance(by: .milliseconds(100))
            return second.store.runKeys.allSatisfy { second.store.wakeAt($0.run) == nil }
        }
        try await Self.checkOutcome(second)
        await second.host.shutdown()
        await again.value
    }

    @Test("A store with random faults delivers every message once", arguments: UInt64(1)...20)
    func faults(seed: UInt64) async throws {
        let random = Mutex(SplitMix(seed: seed))
        let rig = Rig(seed: seed)
        rig.store.setFault { _, _ in
            random.withLock { random in
                switch random.next() % 12 {
                case 0: .unavailable
                case 1: .answerLost
                case 2: .requestLost
                case 3: .conflict
                case 4: .slow(turns: 20)
                default: nil
                }
            }
        }
        try await rig.host.start()
        let worker = Task { await Self.work(rig) }
        var isStarted = false
        for _ in 0..<50 where !isStarted { isStarted = (try? await Self.startBoth(rig)) != nil }
        try await rig.until("the parent completes") {
            rig.clock.advance(by: .milliseconds(500))
            for _ in 0..<50 { await Task.yield() }
            return (try? await Self.status(rig, "parent-1")) == .completed
        }
        rig.store.setFault(nil)
        try await Self.checkOutcome(rig)
        await rig.host.shutdown()
        await worker.value
    }

    @Test("Parent, child and peer on two nodes find each other")
    func twoNodes() async throws {
        let link = Link()
        let first = Rig(seed: 1, peers: link.toSecond)
        first.store.reserve(lanes: Array(0..<8), for: "node-2")
        let second = Rig(seed: 2, node: "node-2", on: first, peers: link.toFirst)
        link.toFirst.host.withLock { $0 = first.host }
        link.toSecond.host.withLock { $0 = second.host }
        try await first.host.start()
        try await second.host.start()
        let workers = [Task { await Self.work(first) }, Task { await Self.work(second) }]
        // Which node has which workflow is a matter of its hash: ask both.
        func start(_ workflow: WorkflowID, _ type: String) async throws {
            do {
                try await first.start(workflow) { $0.attributes.workflowType = type }
            } catch let rejection as Rejection where rejection.kind == .unavailable {
                try await second.start(workflow) { $0.attributes.workflowType = type }
            }
        }
        try await start("peer-1", "Peer")
        try await start("parent-1", "Parent")
        try await first.until("the parent completes") { try await Self.status(first, "parent-1") == .completed }
        #expect(try await Self.status(second, "child-1") == .completed)
        let lanes = Set(
            first.store.runKeys.map {
                Slots.lane(of: Slots.slot(namespace: $0.namespace, workflow: $0.workflow), laneCount: 16) < 8
            })
        #expect(lanes == [true, false], "the names are chosen so that both nodes have a part")
        await first.host.shutdown()
        await second.host.shutdown()
        for worker in workers { await worker.value }
    }

    @Test(
        "A parent that closes does to its children what they were started with",
        arguments: [ParentClosePolicy.terminate, .requestCancel, .abandon])
    func parentClosePolicies(policy: ParentClosePolicy) async throws {
        try await Rig().run { rig in
            try await rig.start("parent-1")
            try await rig.complete(
                try await rig.workflowTask(),
                [
                    .startChildWorkflow(
                        StartChildWorkflow(workflowID: "child-1", workflowType: "Child", parentClosePolicy: policy))
                ])
            try await rig.until("the child began") {
                (try? await rig.host.describe(rig.target("child-1")).state.pendingWorkflowTask) != nil
            }
            try await rig.host.terminateWorkflow(rig.target("parent-1"), WorkflowExecutionTerminated(reason: "enough"))
            try await rig.until("nothing is under way") {
                try await rig.host.describe(rig.target("parent-1")).state.hasMessages == false
            }
            let names = try await rig.names("child-1")
            switch policy {
            case .terminate: #expect(names.last == "WorkflowExecutionTerminated")
            case .requestCancel: #expect(names.contains("WorkflowExecutionCancelRequested"))
            case .abandon: #expect(names == ["WorkflowExecutionStarted", "WorkflowTaskScheduled"])
            }
            try await rig.verifyAll()
        }
    }

    @Test("A child whose id is taken is not started, and a workflow that is not there is not told")
    func refusals() async throws {
        try await Rig().run { rig in
            try await rig.start("taken")
            _ = try await rig.workflowTask()
            try await rig.start("parent-1")
            try await rig.complete(
                try await rig.workflowTask(),
                [
                    .startChildWorkflow(StartChildWorkflow(workflowID: "taken", workflowType: "Child")),
                    .signalExternalWorkflow(
                        SignalExternal(execution: WorkflowReference(workflow: "nobody"), signalName: "s")),
                    .requestCancelExternalWorkflow(
                        RequestCancelExternal(execution: WorkflowReference(workflow: "parent-1"))),
                ])
            try await rig.until("all are answered") {
                let state = try await rig.host.describe(rig.target("parent-1")).state
                return state.pendingChildren.isEmpty && state.pendingExternalCount == 0
            }
            let names = try await rig.names("parent-1")
            #expect(names.contains("StartChildWorkflowExecutionFailed"))
            #expect(names.contains("SignalExternalWorkflowExecutionFailed"))
            #expect(names.contains("RequestCancelExternalWorkflowExecutionFailed"))
        }
    }
}

/// Brings messages from one host of a test to the other.
private final class Link: Sendable {
    final class End: MessageCarrier {
        let host = Mutex<Host?>(nil)
        func deliver(_ message: RunMessage) async throws -> MessageOutcome {
            guard let host = host.withLock({ $0 }) else { throw Rejection(.unavailable, "no host") }
            return try await host.deliver(message)
        }
    }
    let toFirst = End()
    let toSecond = End()
}
