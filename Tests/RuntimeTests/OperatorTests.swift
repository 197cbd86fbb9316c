import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Retention, rate limits, workers", .timeLimit(.minutes(1)))
struct OperatorTests {
    private static func isGone(_ rig: Rig, _ workflow: WorkflowID) async throws -> Bool {
        do {
            _ = try await rig.host.describe(rig.target(workflow))
            return false
        } catch let rejection as Rejection where rejection.kind == .notFound {
            return true
        }
    }

    @Test(
        "A closed run is removed when its namespace keeps it no longer; open and younger ones stay, and the id is free")
    func retention() async throws {
        try await Rig().run { rig in
            let namespace = Namespace(id: Rig.namespace, name: "default", retention: .hours(1))
            try await rig.host.registerNamespace(namespace)
            for workflow in ["open", "old", "young"] as [WorkflowID] { try await rig.start(workflow) }
            let terminate = WorkflowExecutionTerminated(reason: "", identity: "client")
            try await rig.host.terminateWorkflow(rig.target("old"), terminate)
            rig.clock.advance(by: .minutes(50))
            try await rig.host.terminateWorkflow(rig.target("young"), terminate)
            try await rig.until("the old run goes") {
                rig.clock.advance(by: .seconds(10))
                return try await Self.isGone(rig, "old")
            }
            #expect(try await !Self.isGone(rig, "young"))
            #expect(try await !Self.isGone(rig, "open"))
            #expect(Set(rig.store.runKeys.map(\.workflow)) == ["open", "young"])
            let again = try await rig.start("old", requestID: "again")
            #expect(again.started)
        }
    }

    @Test("A deleted namespace loses its open runs, then itself")
    func deletedNamespace() async throws {
        try await Rig().run { rig in
            var namespace = Namespace(id: Rig.namespace, name: "default", retention: .days(3))
            try await rig.host.registerNamespace(namespace)
            try await rig.start("open")
            namespace.state = Namespace.deleted
            namespace.name = "default-deleted"
            try await rig.host.updateNamespace(namespace)
            await #expect(throws: Rejection.self) { try await rig.host.namespace(named: "default-deleted") }
            try await rig.until("the namespace goes") {
                rig.clock.advance(by: .seconds(30))
                return try await rig.host.listNamespaces().isEmpty
            }
            #expect(rig.store.runKeys.isEmpty)
        }
    }

    @Test(
        "A queue hands out no more tasks a second than its newest poll wants, and a worker's shutdown ends a waiting poll"
    )
    func rateLimit() async throws {
        try await Rig().run { rig in
            try await rig.start()
            let activities = (0..<3).map { WorkflowCommand.Kind.activity(ActivityID("a\($0)")) }
            try await rig.complete(try await rig.workflowTask(), activities)
            var poll = rig.poll()
            poll.tasksPerSecondMax = 0.5
            let limited = poll
            #expect(try await rig.host.pollActivityTask(limited) != nil)
            let second = Task { try await rig.host.pollActivityTask(limited) }
            for _ in 0..<500 { await Task.yield() }
            rig.clock.advance(by: .milliseconds(1999))
            for _ in 0..<500 { await Task.yield() }
            let described = try await rig.host.describeTaskQueue(
                namespace: Rig.namespace, queue: "queue", kind: .activity)
            #expect(described.backlogCount == 2 && described.rateLimit == 0.5)
            rig.clock.advance(by: .milliseconds(1))
            #expect(try await second.value != nil)
            let third = Task { try await rig.host.pollActivityTask(limited) }
            for _ in 0..<500 { await Task.yield() }
            try await rig.host.shutdownWorker(
                namespace: Rig.namespace, stickyQueue: nil, identity: "worker", instanceKey: "instance")
            #expect(try await third.value == nil)
        }
    }

    @Test("The backlog is described by priority")
    func backlog() async throws {
        try await Rig().run { rig in
            for (number, key) in [5, 1, 0, 1].enumerated() {
                try await rig.start(WorkflowID("w-\(number)")) { $0.attributes.priority = Priority(key: Int32(key)) }
            }
            rig.clock.advance(by: .seconds(3))
            let described = try await rig.host.describeTaskQueue(
                namespace: Rig.namespace, queue: "queue", kind: .workflow)
            #expect(described.byPriority.map(\.priority) == [1, 3, 5])
            #expect(described.byPriority.map(\.count) == [2, 1, 1])
            #expect(described.byPriority.allSatisfy { $0.oldestTaskAge == .seconds(3) })
            #expect(described.tasksAddRate > 0 && described.tasksDispatchRate == 0)
        }
    }

    @Test("A worker that was silent for long is listed no more")
    func workers() async throws {
        try await Rig().run { rig in
            func record(_ key: String) -> WorkerRecord {
                WorkerRecord(instanceKey: key, heartbeat: Blob([]), receivedAt: rig.clock.now())
            }
            try await rig.host.recordWorker(record("a"), in: Rig.namespace)
            rig.clock.advance(by: .minutes(6))
            try await rig.host.recordWorker(record("b"), in: Rig.namespace)
            #expect(try await rig.host.workers(in: Rig.namespace).map(\.instanceKey) == ["a", "b"])
            rig.clock.advance(by: .minutes(6))
            #expect(try await rig.host.workers(in: Rig.namespace).map(\.instanceKey) == ["b"])
        }
    }
}
