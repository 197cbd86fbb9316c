import Engine
import EngineTestKit
import History
import Runtime
import Synchronization
import Testing

@Suite("A host survives a store that misbehaves", .timeLimit(.minutes(5)))
struct CommitFaultTests {
    @Test("An answer lost after the commit is found out, and the start succeeds once")
    func answerLostAfterCommit() async throws {
        try await Rig().run { rig in
            rig.store.setFault { number, _ in number == 1 ? .answerLost : nil }
            let started = try await rig.start()
            #expect(started.started)
            #expect(rig.store.runKeys.count == 1)
            try await rig.complete(try await rig.workflowTask(), [.finish])
            #expect(try await rig.events().count == 5)
            #expect(rig.feed.entries.flatMap(\.events).map(\.id.value) == Array(1...5))
            try await rig.verifyAll()
        }
    }

    @Test("A request lost before the commit is decided again")
    func requestLost() async throws {
        try await Rig().run { rig in
            rig.store.setFault { number, _ in number == 1 ? .requestLost : nil }
            #expect(try await rig.start().started)
            #expect(rig.store.runKeys.count == 1)
            try await rig.complete(try await rig.workflowTask(), [.finish])
            try await rig.verifyAll()
        }
    }

    @Test(
        "A completion whose answer was lost is not done twice",
        arguments: [MemoryFault.answerLost, .requestLost, .unavailable, .conflict])
    func completionFault(fault: MemoryFault) async throws {
        try await Rig().run { rig in
            try await rig.start()
            let task = try await rig.workflowTask()
            let isHit = Atomic<Bool>(false)
            rig.store.setFault { _, _ in isHit.exchange(true, ordering: .relaxed) ? nil : fault }
            do {
                try await rig.complete(task, [.activity()])
            } catch let rejection as Rejection {
                // The lease was in memory only: the task is handed out again.
                #expect(fault != .answerLost && rejection.kind == .notFound)
                try await rig.complete(try await rig.workflowTask(), [.activity()])
            }
            try await rig.complete(try await rig.activityTask())
            try await rig.complete(try await rig.workflowTask(), [.finish])
            #expect(try await rig.names().filter { $0 == "ActivityTaskScheduled" }.count == 1)
            try await rig.verifyAll()
        }
    }

    @Test(
        "Starts that share a refused commit all succeed, each once, and the feed has them in order",
        arguments: [MemoryFault.conflict, .answerLost, .requestLost, .unavailable])
    func sharedFault(fault: MemoryFault) async throws {
        try await Rig().run { rig in
            rig.store.setFault { number, _ in
                switch number {
                case 1, 2: .slow(turns: 200)
                case 3, 4: fault
                default: nil
                }
            }
            let names = (1...24).map { WorkflowID("order-\($0)") }
            let started = try await withThrowingTaskGroup(of: Bool.self) { group in
                for name in names { group.addTask { try await rig.start(name).started } }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(started == names.count)
            #expect(rig.store.runKeys.count == names.count)
            let lanes = Dictionary(grouping: rig.feed.entries, by: \.lane)
            for (lane, entries) in lanes {
                #expect(entries.map(\.sequence) == Array(1...Int64(entries.count)), "lane \(lane)")
            }
            #expect(lanes.values.reduce(0) { $0 + $1.count } == names.count)
            try await rig.verifyAll()
        }
    }

    @Test("While the store is down callers learn it, and afterwards everything goes on")
    func storeDown() async throws {
        try await Rig().run { rig in
            try await rig.start()
            rig.store.setDown(true)
            await #expect(throws: StoreError.self) { try await rig.start("order-2") }
            rig.store.setDown(false)
            try await rig.start("order-2")
            var workflows: Set<WorkflowID> = []
            for _ in 0..<2 {
                let task = try await rig.workflowTask()
                workflows.insert(task.run.workflow)
                try await rig.complete(task, [.finish])
            }
            #expect(workflows == ["order-1", "order-2"])
        }
    }

    @Test("Only one of two hosts writes a run; the one that lost its lanes cannot")
    func fencing() async throws {
        let first = Rig(seed: 1, node: "node-1")
        let second = Rig(seed: 2, node: "node-2", on: first)
        try await first.host.start()
        try await first.start()
        let task = try await first.workflowTask()
        // The first host sleeps through its lease; by its own clock it still holds it.
        first.store.expireLeases()
        try await second.host.start()
        #expect(await second.host.readiness().lanesOwned == 16)
        try await second.signal("from the new owner")
        await #expect(throws: (any Error).self) { try await first.complete(task, [.finish]) }
        await #expect(throws: (any Error).self) { try await first.signal("from the old owner") }
        let taken = try await second.workflowTask()
        try await second.complete(taken, [.finish])
        #expect(
            try await second.names() == [
                "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowExecutionSignaled", "WorkflowTaskStarted",
                "WorkflowTaskCompleted", "WorkflowExecutionCompleted",
            ])
        try await second.verifyAll()
        await first.host.shutdown()
        await second.host.shutdown()
    }

    @Test("A process that comes back under the same name takes its lanes over at once and shuts the old one out")
    func sameName() async throws {
        let old = Rig(seed: 1)
        try await old.host.start()
        try await old.start()
        let new = Rig(seed: 2, on: old)
        try await new.host.start()
        #expect(await new.host.readiness().lanesOwned == 16)
        await #expect(throws: (any Error).self) { try await old.signal("late") }
        try await new.complete(try await new.workflowTask(), [.finish])
        await old.host.shutdown()
        #expect(await new.host.readiness().lanesOwned == 16)
        await new.host.shutdown()
    }

    @Test("After a lease ran out by the local clock nothing is decided until it is renewed")
    func leaseRunsOut() async throws {
        try await Rig(configure: { $0.leaseSeconds = 10 }).run { rig in
            try await rig.start()
            rig.store.setDown(true)
            rig.clock.advance(by: .seconds(30))
            await #expect(throws: (any Error).self) { try await rig.signal("too late") }
            rig.store.setDown(false)
            try await rig.until("the lease is renewed") {
                rig.clock.advance(by: .milliseconds(500))
                return (try? await rig.signal("again")) != nil
            }
        }
    }

    @Test("A claim of a request key is stored with the start, and a second one is refused")
    func claims() async throws {
        try await Rig().run { rig in
            let claim = RequestClaim(
                scope: "tenant", key: "key-1", fingerprint: [1], operationID: "op-1", operationKind: "payment",
                createdAt: rig.clock.now(), expiresAt: rig.clock.now().advanced(by: .days(1)))
            let started = try await rig.start { $0.claim = claim }
            let stored = try #require(try await rig.host.storedRequest(scope: "tenant", key: "key-1"))
            #expect(stored.run?.run == started.run)
            await #expect(throws: StoreError.self) { try await rig.start("order-2") { $0.claim = claim } }
            #expect(rig.store.runKeys.count == 1)
        }
    }
}
