import Engine
import EngineTestKit
import History
import RunTestKit
import Runtime
import Synchronization
import Testing

extension Rig {
    func schedule(
        _ id: ScheduleID = "s", seconds: Int64 = 10, overlap: ScheduleOverlapPolicy = .skip, jitter: TimeSpan? = nil,
        requestID: RequestID = "create", change: (inout ScheduleDefinition) -> Void = { _ in }
    ) throws -> CreateScheduleRequest {
        var spec = ScheduleSpecRequest()
        spec.intervals = [ScheduleInterval(every: .seconds(seconds))]
        spec.jitter = jitter
        let action = ScheduledStart(
            attributes: WorkflowExecutionStarted(
                workflowType: "Hello", workflowID: WorkflowID("run-of-\(id)"), taskQueue: TaskQueue("queue"),
                workflowTaskTimeout: .seconds(10), originalExecutionRunID: "", firstExecutionRunID: ""), info: .empty)
        var definition = ScheduleDefinition(
            spec: try ScheduleSpec(spec), action: action, policies: SchedulePolicies(overlap: overlap))
        change(&definition)
        return CreateScheduleRequest(
            key: ScheduleKey(namespace: Self.namespace, id: id), definition: definition, requestID: requestID)
    }

    func described(_ id: ScheduleID = "s") async throws -> Schedule {
        try await host.describeSchedule(ScheduleKey(namespace: Self.namespace, id: id)).schedule
    }

    /// Moves the clock step by step until `condition` holds.
    func pass(_ what: String, step: TimeSpan = .milliseconds(500), until condition: () async throws -> Bool)
        async throws
    {
        for _ in 0..<4000 {
            if try await condition() { return }
            clock.advance(by: step)
            for _ in 0..<60 { await Task.yield() }
        }
        Issue.record("never happened: \(what)")
        throw NeverHappened()
    }
}

@Suite("Schedules start workflows", .timeLimit(.minutes(2)))
struct ScheduleKeeperTests {
    @Test("A workflow starts at its time, and its end is noticed and passed on")
    func firesAndWatches() async throws {
        try await Rig().run { rig in
            _ = try await rig.host.createSchedule(try rig.schedule())
            try await rig.pass("an action") { try await rig.described().actionCount == 1 }
            let schedule = try await rig.described()
            let recent = try #require(schedule.recent.first)
            let started = try #require(try await rig.host.describe(rig.target(recent.workflow)).state.started)
            #expect(started.identity == "temporal-scheduler-s")
            #expect(started.searchAttributes != nil)
            #expect(schedule.running.map(\.workflow) == [recent.workflow])
            try await rig.complete(try await rig.workflowTask(), [.finish])
            try await rig.until("the close is noticed") { try await rig.described().running.isEmpty }
            let closed = try await rig.described()
            #expect(closed.recent.map(\.status) == [.completed])
            #expect(closed.lastResult == Blob([42]))
            try await rig.pass("the next action") { try await rig.described().actionCount == 2 }
            let next = try #require(try await rig.described().recent.last)
            let second = try #require(try await rig.host.describe(rig.target(next.workflow)).state.started)
            #expect(second.lastCompletionResult == Blob([42]))
        }
    }

    @Test("A deletion that comes while a change is being stored is stored after it")
    func deletedWhileStoring() async throws {
        try await Rig().run { rig in
            let key = ScheduleKey(namespace: Rig.namespace, id: "s")
            _ = try await rig.host.createSchedule(try rig.schedule())
            let isStoring = Mutex(false)
            rig.store.setScheduleFault { batch in
                let isFirst = isStoring.withLock { (isStoring: inout Bool) in
                    defer { isStoring = true }
                    return !isStoring
                }
                return isFirst && batch.writes.allSatisfy { $0.snapshot != nil } ? .slow(turns: 5_000) : nil
            }
            var pause = SchedulePatch()
            pause.pause = "for a while"
            async let patched: Void = rig.host.patchSchedule(key, pause, requestID: "patch")
            try await rig.until("the change is being stored") { isStoring.withLock { $0 } }
            try await rig.host.deleteSchedule(key)
            try await patched
            await #expect(throws: Rejection.self) { try await rig.described() }
            #expect(try await rig.store.loadSchedule(key) == nil)
        }
    }

    @Test("What continues as new is still running; its last end counts")
    func continuedAsNew() async throws {
        try await Rig().run { rig in
            _ = try await rig.host.createSchedule(try rig.schedule(overlap: .bufferOne))
            try await rig.pass("an action") { try await rig.described().actionCount == 1 }
            let first = try #require(try await rig.described().running.first)
            try await rig.host.terminateWorkflow(
                rig.target(first.workflow), WorkflowExecutionTerminated(reason: "over", details: nil, identity: "me"))
            try await rig.until("the close is noticed") { try await rig.described().running.isEmpty }
            #expect(try await rig.described().recent.first?.status == .terminated)
        }
    }

    @Test("Creating twice with one request id is creating once; with another it is refused")
    func createTwice() async throws {
        try await Rig().run { rig in
            let token = try await rig.host.createSchedule(try rig.schedule())
            #expect(try await rig.host.createSchedule(try rig.schedule()) == token)
            await #expect(throws: Rejection.self) {
                try await rig.host.createSchedule(try rig.schedule(requestID: "other"))
            }
        }
    }

    @Test("A deleted schedule does nothing any more, and its name is free")
    func delete() async throws {
        try await Rig().run { rig in
            let key = ScheduleKey(namespace: Rig.namespace, id: "s")
            _ = try await rig.host.createSchedule(try rig.schedule())
            try await rig.host.deleteSchedule(key)
            await #expect(throws: Rejection.notFound("schedule not found")) { try await rig.host.describeSchedule(key) }
            await #expect(throws: Rejection.self) { try await rig.host.deleteSchedule(key) }
            rig.clock.advance(by: .seconds(60))
            for _ in 0..<1000 { await Task.yield() }
            #expect(rig.store.runKeys.isEmpty)
            _ = try await rig.host.createSchedule(try rig.schedule(requestID: "again"))
            #expect(try await rig.host.listSchedules(namespace: Rig.namespace, after: nil, limit: 10).count == 1)
        }
    }

    @Test(
        "Cancel other asks the run to stop; terminate other ends it",
        arguments: [
            ScheduleOverlapPolicy.cancelOther, .terminateOther,
        ])
    func stopsOther(_ overlap: ScheduleOverlapPolicy) async throws {
        try await Rig().run { rig in
            _ = try await rig.host.createSchedule(try rig.schedule(overlap: overlap))
            try await rig.pass("an action") { try await rig.described().actionCount == 1 }
            let first = try #require(try await rig.described().running.first)
            if overlap == .cancelOther {
                try await rig.pass("the cancel") {
                    try await rig.names(first.workflow).contains("WorkflowExecutionCancelRequested")
                }
                let task = try await rig.workflowTask()
                try await rig.complete(task, [.cancelWorkflowExecution(details: nil)])
            }
            try await rig.pass("the second action") { try await rig.described().actionCount == 2 }
            let status = try await rig.host.describe(rig.target(first.workflow)).summary.status
            #expect(status == (overlap == .cancelOther ? .canceled : .terminated))
        }
    }

    @Test("A schedule far ahead acts at its time, from what is stored")
    func farAhead() async throws {
        let first = Rig()
        try await first.run { rig in
            _ = try await rig.host.createSchedule(try rig.schedule(seconds: 3600))
        }
        try await Rig(seed: 2, on: first).run { rig in
            let due = try #require(
                try await rig.host.describeSchedule(ScheduleKey(namespace: Rig.namespace, id: "s")).futureTimes.first)
            try await rig.pass("the action", step: .seconds(10)) { try await rig.described().actionCount == 1 }
            #expect(try await rig.described().recent.first?.nominal == due)
        }
    }

    /// Goal: every nominal time of an all-allowing schedule has exactly one run, whatever dies and whatever the store answers.
    ///
    /// Method: several schedules with jitter; hosts are abandoned at random moments, commits fail or lose their answers.
    @Test("Killed hosts and doubtful commits neither lose nor double an action", arguments: UInt64(1)...12)
    func crashes(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var rig = Rig(seed: seed)
        try await rig.host.start()
        let ids = (0..<5).map { ScheduleID("s\($0)") }
        for id in ids {
            _ = try await rig.host.createSchedule(
                try rig.schedule(id, seconds: 3, overlap: .allowAll, jitter: .seconds(2)))
        }
        let begun = rig.clock.now()
        for round in 0..<8 {
            let faults = SplitMix64(seed: seed &* 31 &+ UInt64(round))
            rig.store.setScheduleFault { batch in
                var dice = faults
                for _ in 0..<(batch.writes.count + Int(batch.writes.first?.expectedVersion ?? 0)) { _ = dice.next() }
                switch dice.next() % 8 {
                case 0: return .answerLost
                case 1: return .requestLost
                case 2: return .unavailable
                case 3: return .conflict
                default: return nil
                }
            }
            for _ in 0..<(random.next() % 20) {
                rig.clock.advance(by: .milliseconds(Int64(random.next() % 1500)))
                for _ in 0..<(random.next() % 300) { await Task.yield() }
            }
            await rig.host.abandon()
            rig = Rig(seed: seed &* 100 &+ UInt64(round), on: rig)
            try await rig.host.start()
        }
        rig.store.setScheduleFault(nil)
        let end = rig.clock.now()
        let final = rig
        try await final.pass("everything due is started") {
            for id in ids {
                let schedule = try await final.described(id)
                guard schedule.starting.isEmpty, schedule.buffered.isEmpty else { return false }
                guard let last = schedule.recent.last, last.nominal > end else { return false }
            }
            return true
        }
        for id in ids {
            let schedule = try await final.described(id)
            let times = ScheduleTimes(schedule.definition.spec, zone: .utc, seed: schedule.jitterSeed)
            let due = times.times(after: begun, through: end, limit: 10_000)
            let runs = try await final.host.listRuns(
                VisibilityQuery(namespace: Rig.namespace, workflowIDPrefix: "run-of-\(id)-", limit: 10_000))
            let names = runs.map(\.key.workflow.value).sorted()
            #expect(Set(names).count == names.count, "seed \(seed): doubled")
            #expect(schedule.actionCount == Int64(names.count), "seed \(seed)")
            #expect(names.count >= due.count, "seed \(seed): lost")
        }
        await final.host.shutdown()
    }
}
