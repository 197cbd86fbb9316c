import Engine
import EngineTestKit
import History
import Runtime
import Synchronization
import Testing

@Suite("After a crash everything goes on", .timeLimit(.minutes(5)))
struct RecoveryTests {
    /// One worker that does whatever is there, until its host is gone.
    private func work(_ rig: Rig) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                while let task = try? await rig.host.pollWorkflowTask(rig.poll(seconds: 1_000_000)) {
                    let done = (try? task.names(rig.encoder).filter { $0 == "ActivityTaskCompleted" }.count) ?? 0
                    let commands: [WorkflowCommand.Kind] = done < 2 ? [.activity(ActivityID("a\(done)"))] : [.finish]
                    _ = try? await rig.complete(task, commands)
                }
            }
            group.addTask {
                while let task = try? await rig.host.pollActivityTask(rig.poll(seconds: 1_000_000)) {
                    try? await rig.complete(task.activity)
                }
            }
        }
    }

    /// How often a workflow with two activities commits, from its start to its end, when nothing goes wrong.
    private static let boundaries = 8

    @Test(
        "Killed at any commit of a workflow, before or after it, a new host finishes it", arguments: 1...boundaries,
        [true, false])
    func killedAtEveryCommit(commit: Int, after: Bool) async throws {
        let first = Rig(seed: 1)
        let isDead = Atomic<Bool>(false)
        first.store.setFault { number, _ in
            if number > commit { return .unavailable }
            guard number == commit else { return nil }
            isDead.store(true, ordering: .relaxed)
            // After: it is stored, but nobody lives to hear of it.
            return after ? nil : .unavailable
        }
        try await first.host.start()
        let worker = Task { await work(first) }
        let started = try? await first.start()
        try await first.until("the store fails") { isDead.load(ordering: .relaxed) }
        await first.host.abandon()
        await worker.value
        first.store.setFault(nil)
        // The attempt that died with the host ends by its timeout.
        first.clock.advance(by: .seconds(61))
        let second = Rig(seed: 2, on: first)
        try await second.host.start()
        if started == nil { try await second.start() }
        let again = Task { await work(second) }
        try await second.until("the workflow completes") {
            second.clock.advance(by: .milliseconds(100))
            for _ in 0..<50 { await Task.yield() }
            return try await second.host.describe(second.target()).summary.status == .completed
        }
        try await second.verifyAll()
        let ids = try await second.events().map(\.id.value)
        #expect(ids == Array(1...Int64(ids.count)))
        await second.host.shutdown()
        await again.value
    }

    @Test("Workflows survive a store with random faults and hosts that come and go", arguments: UInt64(1)...6)
    func soak(seed: UInt64) async throws {
        let random = Mutex(SplitMix(seed: seed))
        let count = 40
        var rig = Rig(seed: seed)
        let faults: @Sendable (Int, CommitBatch) -> MemoryFault? = { _, _ in
            random.withLock { random in
                switch random.next() % 20 {
                case 0: .unavailable
                case 1: .answerLost
                case 2: .requestLost
                case 3: .conflict
                case 4: .slow(turns: 5)
                default: nil
                }
            }
        }
        rig.store.setFault(faults)
        try await rig.host.start()
        var worker = Task { [rig] in await work(rig) }
        var unstarted = (0..<count).map { WorkflowID("order-\($0)") }
        var lives = 1
        while true {
            for workflow in unstarted where (try? await rig.start(workflow)) != nil {
                unstarted.removeAll { $0 == workflow }
            }
            for _ in 0..<100 {
                rig.clock.advance(by: .milliseconds(200))
                for _ in 0..<20 { await Task.yield() }
            }
            let closed = try await rig.store.countRuns(
                VisibilityQuery(namespace: Rig.namespace, status: .completed, limit: 0))
            if closed == Int64(count) { break }
            try #require(lives < 60, "seed \(seed): \(closed) of \(count) closed")
            guard random.withLock({ $0.next() % 3 }) == 0 else {
                lives += 1
                continue
            }
            await rig.host.abandon()
            await worker.value
            lives += 1
            rig = Rig(seed: seed &* 1000 &+ UInt64(lives), on: rig)
            try await rig.host.start()
            worker = Task { [rig] in await work(rig) }
        }
        rig.store.setFault(nil)
        #expect(rig.store.runKeys.count == count, "seed \(seed): a start was done twice")
        try await rig.verifyAll()
        await rig.host.shutdown()
        await worker.value
        try await checkOutbox(rig, seed: seed)
    }

    /// Every event of every run stands in the outbox once, in order.
    private func checkOutbox(_ rig: Rig, seed: UInt64) async throws {
        var seen: [RunKey: [Int64]] = [:]
        for lane in Int16(0)..<16 {
            var last: Int64 = 0
            for entry in try await rig.store.outboxEntries(lane: lane, after: 0, limit: .max) {
                #expect(entry.sequence == last + 1, "seed \(seed), lane \(lane)")
                last = entry.sequence
                seen[entry.run, default: []] += entry.events.map(\.id.value)
            }
        }
        for key in rig.store.runKeys {
            let stored = try await rig.store.readEvents(
                key, from: .first, through: EventID(.max), limit: .max, newestFirst: false)
            #expect(seen[key] == stored.map(\.id.value), "seed \(seed), run \(key)")
        }
    }

    @Test("A changed event is found by the check")
    func tampering() async throws {
        try await Rig().run { rig in
            let started = try await rig.start()
            try await rig.complete(try await rig.workflowTask(), [.finish])
            #expect(try await rig.host.verify(rig.target()) == [])
            rig.store.tamper(started.run, event: EventID(2))
            #expect(try await rig.host.verify(rig.target()).contains { $0.contains("event 2") })
        }
    }

    @Test("Runs leave memory when there are many, and come back when they are needed")
    func eviction() async throws {
        try await Rig(configure: { $0.hotRunsMax = 40 }).run { rig in
            for number in 0..<300 {
                try await rig.start(WorkflowID("order-\(number)"))
                try await rig.complete(try await rig.workflowTask(), [.timer(seconds: 100)])
            }
            #expect(await rig.host.metrics().hotRuns < 150)
            rig.clock.advance(by: .seconds(100))
            for _ in 0..<300 { try await rig.complete(try await rig.workflowTask(), [.finish]) }
            try await rig.verifyAll()
        }
    }
}

/// Random numbers that a seed determines.
struct SplitMix: Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
