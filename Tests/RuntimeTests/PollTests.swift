import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Polls", .timeLimit(.minutes(5)))
struct PollTests {
    @Test("An empty poll ends at its deadline")
    func emptyPoll() async throws {
        try await Rig().run { rig in
            let poll = Task { try await rig.host.pollWorkflowTask(rig.poll(seconds: 5)) }
            try await rig.until("the poll is parked") { await parkedPollers(rig, .workflow) == 1 }
            try await rig.until("the poll ends") {
                rig.clock.advance(by: .seconds(1))
                return await parkedPollers(rig, .workflow) == 1
                    && rig.clock.now() > MemoryClock.beginning.advanced(by: .seconds(5))
            }
            #expect(try await poll.value == nil)
        }
    }

    @Test("Cancelled polls lose no workflow task", arguments: UInt64(0)..<20)
    func cancelledWorkflowPolls(seed: UInt64) async throws {
        try await Rig(seed: seed).run { rig in
            let count = 10
            for number in 0..<count { try await rig.start(WorkflowID("order-\(number)")) }
            let polls = (0..<30).map { _ in Task { try await rig.host.pollWorkflowTask(rig.poll()) } }
            for (number, poll) in polls.enumerated() {
                for _ in 0..<Int((seed &* 31 &+ UInt64(number)) % 17) { await Task.yield() }
                poll.cancel()
            }
            var seen: Set<WorkflowID> = []
            for poll in polls {
                guard let task = try await poll.value else { continue }
                #expect(seen.insert(task.run.workflow).inserted, "seed \(seed): handed out twice")
            }
            while seen.count < count {
                let task = try await rig.workflowTask()
                #expect(seen.insert(task.run.workflow).inserted, "seed \(seed): handed out twice")
            }
        }
    }

    @Test("Cancelled polls lose no activity", arguments: UInt64(0)..<20)
    func cancelledActivityPolls(seed: UInt64) async throws {
        try await Rig(seed: seed).run { rig in
            rig.store.setFault { number, _ in .slow(turns: Int((seed &+ UInt64(number)) % 13)) }
            try await rig.start()
            let ids = (0..<10).map { ActivityID("a\($0)") }
            try await rig.complete(try await rig.workflowTask(), ids.map { .activity($0) })
            let polls = (0..<30).map { _ in Task { try await rig.host.pollActivityTask(rig.poll()) } }
            for (number, poll) in polls.enumerated() {
                for _ in 0..<Int((seed &* 7 &+ UInt64(number)) % 23) { await Task.yield() }
                poll.cancel()
            }
            var seen: Set<ActivityID> = []
            for poll in polls {
                guard let task = try await poll.value else { continue }
                #expect(seen.insert(task.activity.token.activityID).inserted, "seed \(seed): handed out twice")
                #expect(task.activity.token.attempt == 1, "seed \(seed)")
            }
            while seen.count < ids.count {
                let task = try await rig.activityTask()
                #expect(seen.insert(task.token.activityID).inserted, "seed \(seed): handed out twice")
            }
        }
    }

    @Test("Tasks come in the order of their priority, then in the order in which they were made")
    func order() async throws {
        try await Rig().run { rig in
            for (number, priority) in [3, 3, 1, 5, 1].enumerated() {
                try await rig.start(WorkflowID("order-\(number)")) {
                    $0.attributes.priority = Priority(key: Int32(priority))
                }
            }
            var order: [String] = []
            for _ in 0..<5 { order.append(try await rig.workflowTask().run.workflow.value) }
            #expect(order == ["order-2", "order-4", "order-0", "order-1", "order-3"])
        }
    }

    @Test("A task queue shows its backlog and its pollers")
    func description() async throws {
        try await Rig().run { rig in
            try await rig.start()
            rig.clock.advance(by: .seconds(7))
            let waiting = try await rig.host.describeTaskQueue(
                namespace: Rig.namespace, queue: "queue", kind: .workflow)
            #expect(waiting.backlogCount == 1 && waiting.oldestTaskAge == .seconds(7))
            _ = try await rig.workflowTask()
            let taken = try await rig.host.describeTaskQueue(namespace: Rig.namespace, queue: "queue", kind: .workflow)
            #expect(taken.backlogCount == 0 && taken.pollers.map(\.identity) == ["worker"])
        }
    }

    @Test("A backlog larger than the queue's memory is found again in what is stored")
    func spill() async throws {
        try await Rig(configure: {
            $0.hotRunsMax = 100
            $0.offersPerQueueMax = 50
        }).run { rig in
            let count = 400
            await withTaskGroup(of: Void.self) { group in
                for worker in 0..<50 {
                    group.addTask {
                        for number in stride(from: worker, to: count, by: 50) {
                            _ = try? await rig.start(WorkflowID("order-\(number)"))
                        }
                    }
                }
            }
            #expect(rig.store.runKeys.count == count)
            var seen: Set<WorkflowID> = []
            while seen.count < count {
                let task = try await rig.workflowTask()
                #expect(seen.insert(task.run.workflow).inserted)
                try await rig.complete(task, [.finish])
            }
        }
    }
}
