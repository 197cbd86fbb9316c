import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Durable timers", .timeLimit(.minutes(5)))
struct TimerTests {
    @Test("A timer never fires before its time, and fires at it")
    func neverEarly() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.timer(seconds: 20)])
            let waiting = Task { try await rig.workflowTask() }
            for _ in 0..<19 {
                rig.clock.advance(by: .seconds(1))
                for _ in 0..<200 { await Task.yield() }
            }
            rig.clock.advance(by: TimeSpan(nanoseconds: 999_999_999))
            for _ in 0..<1000 { await Task.yield() }
            #expect(try await rig.names().contains("TimerFired") == false)
            rig.clock.advance(by: TimeSpan(nanoseconds: 1))
            let task = try await waiting.value
            let fired = try #require(try await rig.events().first { $0.kind.typeName == "TimerFired" })
            let started = try #require(try await rig.events().first { $0.kind.typeName == "TimerStarted" })
            #expect(fired.time == started.time.advanced(by: .seconds(20)))
            try await rig.complete(task, [.finish])
        }
    }

    @Test("A timer far beyond the window in memory fires at its time")
    func beyondTheWindow() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.timer(seconds: 600)])
            let waiting = Task {
                try await rig.host.pollWorkflowTask(rig.poll(seconds: 3600))
            }
            let due = rig.clock.now().advanced(by: .seconds(600))
            try await rig.until("the timer fires") {
                if rig.clock.now() < due { rig.clock.advance(by: .milliseconds(500)) }
                for _ in 0..<50 { await Task.yield() }
                return try await rig.names().contains("TimerFired")
            }
            let fired = try #require(try await rig.events().first { $0.kind.typeName == "TimerFired" })
            #expect(fired.time == due)
            try await rig.complete(try #require(try await waiting.value), [.finish])
        }
    }

    @Test("What became due while no server ran happens at once", arguments: [5, 3600])
    func afterDowntime(seconds: Int64) async throws {
        let before = Rig(seed: 1)
        try await before.host.start()
        try await before.start()
        try await before.complete(try await before.workflowTask(), [.timer(seconds: seconds)])
        await before.host.abandon()
        before.clock.advance(by: .seconds(seconds + 100))
        try await Rig(seed: 2, on: before).run { rig in
            let task = try await rig.workflowTask()
            #expect(try task.names(rig.encoder).contains("TimerFired"))
            try await rig.complete(task, [.finish])
            try await rig.verifyAll()
        }
    }

    @Test("A workflow task that nobody finishes is handed out again after its timeout")
    func taskTimeout() async throws {
        try await Rig().run { rig in
            try await rig.start()
            let lost = try await rig.workflowTask()
            let again = Task { try await rig.workflowTask() }
            rig.clock.advance(by: .seconds(10))
            let task = try await again.value
            let late = await #expect(throws: Rejection.self) { try await rig.complete(lost, [.finish]) }
            #expect(late == .notFound("Workflow task not found."))
            try await rig.complete(task, [.finish])
        }
    }

    @Test("A failed activity is tried again after its back-off, and the attempt is journalled")
    func activityRetry() async throws {
        try await Rig().run { rig in
            let started = try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.activity()])
            let first = try await rig.activityTask()
            try await rig.host.failActivity(
                first.target, failure: .server(message: "no", nonRetryable: false), lastHeartbeatDetails: nil,
                identity: "worker")
            let waiting = Task { try await rig.activityTask() }
            rig.clock.advance(by: .seconds(1))
            let second = try await waiting.value
            #expect(second.token.attempt == 2)
            let key = RunKey(namespace: Rig.namespace, workflow: "order-1", run: started.run)
            #expect(try await rig.store.readAttempts(key, limit: 10).map(\.attempt) == [1])
            try await rig.complete(second)
            try await rig.complete(try await rig.workflowTask(), [.finish])
        }
    }

    @Test("An idle host asks the store for less than five statements a second")
    func idleTraffic() async throws {
        try await Rig(configure: { $0.leaseSeconds = 10 }).run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.timer(seconds: 3600)])
            try await rig.until("recovery has read every lane") { rig.store.readCount > 16 }
            let before = rig.store.readCount + rig.store.commitCount
            for _ in 0..<240 {
                rig.clock.advance(by: .milliseconds(250))
                for _ in 0..<100 { await Task.yield() }
            }
            let statements = rig.store.readCount + rig.store.commitCount - before
            #expect(statements < 5 * 60, "\(statements) statements in a minute")
            #expect(statements > 10, "leases and windows must be looked after")
        }
    }
}
