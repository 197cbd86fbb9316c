import History
import RunTestKit
import Testing

@testable import Engine

/// A schedule with a world that answers its wishes.
struct ScheduleRig {
    var schedule: Schedule
    var times: ScheduleTimes
    var now: Timestamp
    /// Runs by the request id that began them: a start is idempotent.
    var begun: [RequestID: RunID] = [:]
    var nominals: [RunID: Timestamp] = [:]
    var open: [RunID] = []
    var asked: [RunID] = []
    var nextRun = 1

    static let start = Timestamp(nanoseconds: 1_800_000_000 * 1_000_000_000)

    init(
        seconds: Int64 = 10, overlap: ScheduleOverlapPolicy = .skip,
        change: (inout ScheduleDefinition, inout ScheduleSpecRequest) -> Void = { _, _ in }
    ) throws {
        var request = ScheduleSpecRequest()
        request.intervals = [ScheduleInterval(every: .seconds(seconds))]
        let action = ScheduledStart(
            attributes: WorkflowExecutionStarted(
                workflowType: "W", workflowID: "wid", taskQueue: TaskQueue("q"), originalExecutionRunID: "",
                firstExecutionRunID: ""), info: .empty)
        var definition = ScheduleDefinition(
            spec: try ScheduleSpec(request), action: action, policies: SchedulePolicies(overlap: overlap))
        change(&definition, &request)
        definition.spec = try ScheduleSpec(request)
        now = Self.start
        schedule = Schedule(
            namespace: "ns", id: "s", incarnation: "i", definition: definition, memo: nil, searchAttributes: nil,
            requestID: "r", at: now)
        times = ScheduleTimes(definition.spec, zone: .utc, seed: "s")
    }

    /// Fulfils every wish; nothing closes by itself.
    mutating func fulfil() {
        while let wish = schedule.wishes.first {
            switch wish {
            case .start(let due):
                let run = begun[due.requestID] ?? RunID("run-\(nextRun)")
                if begun[due.requestID] == nil {
                    nextRun += 1
                    begun[due.requestID] = run
                    nominals[run] = due.nominal
                    open.append(run)
                }
                schedule.started(due.requestID, run: run, at: now)
            case .cancel(let running), .terminate(let running):
                asked.append(running.run)
                schedule.stopAsked(running.run)
            }
        }
    }

    mutating func pass(_ span: TimeSpan) {
        now = now.advanced(by: span)
        while schedule.advance(to: now, times) {}
        fulfil()
    }

    mutating func close(_ run: RunID, _ ending: Schedule.Ending = .completed(result: nil)) {
        open.removeAll { $0 == run }
        schedule.closed(run, ending)
        fulfil()
    }
}

@Suite("A schedule decides what starts")
struct ScheduleTests {
    @Test("What is due starts once, with the time in its workflow id")
    func starts() throws {
        var rig = try ScheduleRig()
        rig.pass(.seconds(9))
        #expect(rig.open.isEmpty)
        rig.pass(.seconds(1))
        #expect(rig.open == ["run-1"])
        #expect(rig.schedule.recent.map(\.workflow) == ["wid-2027-01-15T08:00:10Z"])
        #expect(rig.schedule.actionCount == 1)
        #expect(rig.schedule.running.count == 1)
        rig.close("run-1")
        #expect(rig.schedule.running.isEmpty)
        #expect(rig.schedule.recent.map(\.status) == [.completed])
    }

    @Test("Skip: what comes while another runs is left out")
    func skip() throws {
        var rig = try ScheduleRig()
        rig.pass(.seconds(30))
        #expect(rig.nextRun == 2)
        #expect(rig.schedule.overlapSkipped == 2)
    }

    @Test("Buffer one: the first that comes waits, the others are left out")
    func bufferOne() throws {
        var rig = try ScheduleRig(overlap: .bufferOne)
        rig.pass(.seconds(40))
        #expect(rig.schedule.buffered.count == 1)
        #expect(rig.schedule.overlapSkipped == 2)
        rig.close("run-1")
        #expect(rig.open == ["run-2"])
        #expect(rig.nominals["run-2"]?.since(ScheduleRig.start) == .seconds(20))
    }

    @Test("Buffer all: each waits its turn, in order")
    func bufferAll() throws {
        var rig = try ScheduleRig(overlap: .bufferAll)
        rig.pass(.seconds(40))
        #expect(rig.schedule.buffered.count == 3)
        for number in 1...3 { rig.close(RunID("run-\(number)")) }
        #expect(rig.open == ["run-4"])
        #expect(rig.nominals["run-4"]?.since(ScheduleRig.start) == .seconds(40))
    }

    @Test("Buffer all keeps a thousand and counts what it drops")
    func bufferIsBounded() throws {
        var rig = try ScheduleRig(seconds: 1, overlap: .bufferAll)
        rig.pass(.seconds(1500))
        #expect(rig.schedule.buffered.count == 1000)
        #expect(rig.schedule.bufferDropped == 499)
    }

    @Test(
        "Cancel and terminate other: what runs is asked to stop, the newest starts when it has",
        arguments: [
            ScheduleOverlapPolicy.cancelOther, .terminateOther,
        ])
    func stopOther(_ overlap: ScheduleOverlapPolicy) throws {
        var rig = try ScheduleRig(overlap: overlap)
        rig.pass(.seconds(10))
        rig.pass(.seconds(20))
        #expect(rig.asked == ["run-1"])
        #expect(rig.open == ["run-1"])
        rig.close("run-1", overlap == .cancelOther ? .canceled : .terminated)
        #expect(rig.open == ["run-2"])
        #expect(rig.nominals["run-2"]?.since(ScheduleRig.start) == .seconds(30))
        #expect(rig.schedule.overlapSkipped == 1)
    }

    @Test("Allow all: nothing waits")
    func allowAll() throws {
        var rig = try ScheduleRig(overlap: .allowAll)
        rig.pass(.seconds(40))
        #expect(rig.open.count == 4)
    }

    @Test("Actions missed for longer than the catch-up window are counted, not taken")
    func catchup() throws {
        var rig = try ScheduleRig(overlap: .allowAll) { definition, _ in
            definition.policies.catchupWindow = .seconds(30)
        }
        rig.pass(.seconds(100))
        #expect(rig.open.count == 4)
        #expect(rig.schedule.missedCatchupWindow == 6)
    }

    @Test("A paused schedule lets time pass; triggers work all the same")
    func pause() throws {
        var rig = try ScheduleRig()
        _ = try rig.schedule.patch(SchedulePatch(pause: "why"), requestID: "p", at: rig.now)
        rig.pass(.seconds(100))
        #expect(rig.open.isEmpty)
        #expect(rig.schedule.definition.notes == "why")
        #expect(rig.schedule.nextMoment(rig.times) == nil)
        #expect(rig.schedule.futureTimes(from: rig.now, rig.times).count == 10)
        _ = try rig.schedule.patch(SchedulePatch(trigger: .init()), requestID: "t", at: rig.now)
        rig.fulfil()
        #expect(rig.open.count == 1)
        _ = try rig.schedule.patch(SchedulePatch(unpause: "go"), requestID: "u", at: rig.now)
        rig.pass(.seconds(5))
        #expect(rig.open.count == 1)
    }

    @Test("A repeated request changes nothing")
    func repeated() throws {
        var rig = try ScheduleRig(overlap: .allowAll)
        #expect(try rig.schedule.patch(SchedulePatch(trigger: .init()), requestID: "t", at: rig.now))
        #expect(try !rig.schedule.patch(SchedulePatch(trigger: .init()), requestID: "t", at: rig.now))
        rig.fulfil()
        #expect(rig.open.count == 1)
    }

    @Test("A limited schedule stops when its actions are used up; triggers do not count")
    func limited() throws {
        var rig = try ScheduleRig(overlap: .allowAll) { definition, _ in
            definition.isLimited = true
            definition.remainingActions = 2
        }
        _ = try rig.schedule.patch(SchedulePatch(trigger: .init()), requestID: "t", at: rig.now)
        rig.pass(.seconds(100))
        #expect(rig.open.count == 3)
        #expect(rig.schedule.definition.remainingActions == 0)
        #expect(rig.schedule.futureTimes(from: rig.now, rig.times) == [])
    }

    @Test("A failure pauses a schedule that asks for it, and is passed on; a result stays")
    func failure() throws {
        var rig = try ScheduleRig { definition, _ in definition.policies.pausesOnFailure = true }
        rig.pass(.seconds(10))
        rig.close("run-1", .completed(result: Blob([7])))
        rig.pass(.seconds(10))
        rig.close("run-2", .failed(.server(message: "boom", nonRetryable: false)))
        #expect(rig.schedule.definition.isPaused)
        #expect(rig.schedule.definition.notes == "paused due to workflow failure: wid-2027-01-15T08:00:20Z: boom")
        let due = Schedule.Due(nominal: rig.now, due: rig.now, overlap: .skip, isManual: true, requestID: "x")
        let attributes = rig.schedule.attributes(of: due, at: rig.now)
        #expect(attributes.lastCompletionResult == Blob([7]))
        #expect(attributes.continuedFailure != nil)
    }

    @Test("A backfill takes both of its ends, in order, whatever the time is")
    func backfill() throws {
        var rig = try ScheduleRig(overlap: .skip)
        let end = ScheduleRig.start
        let start = end.advanced(by: .seconds(-100))
        _ = try rig.schedule.patch(
            SchedulePatch(backfills: [.init(start: start, end: end, overlap: .allowAll)]), requestID: "b", at: rig.now)
        rig.pass(.seconds(1))
        #expect(rig.open.count == 11)
        #expect(rig.open.compactMap { rig.nominals[$0] } == (0...10).map { start.advanced(by: .seconds($0 * 10)) })
    }

    @Test("A long backfill that buffers goes on as its runs close, and loses nothing")
    func longBackfill() throws {
        var rig = try ScheduleRig(seconds: 10, overlap: .skip)
        let start = ScheduleRig.start.advanced(by: .seconds(-9_990))
        _ = try rig.schedule.patch(
            SchedulePatch(backfills: [.init(start: start, end: ScheduleRig.start, overlap: .bufferAll)]),
            requestID: "b", at: rig.now)
        var count = 0
        rig.pass(.zero)
        while let run = rig.open.first {
            count += 1
            rig.close(run)
            rig.pass(.zero)
        }
        #expect(count == 1000)
        #expect(rig.schedule.bufferDropped == 0)
    }

    @Test("An update does not reach back, and a stale token is refused")
    func update() throws {
        var rig = try ScheduleRig()
        var definition = rig.schedule.definition
        definition.notes = "new"
        let token = rig.schedule.conflictToken
        rig.now = rig.now.advanced(by: .seconds(1000))
        _ = try rig.schedule.update(
            definition, memo: nil, searchAttributes: nil, token: token, requestID: "u1", at: rig.now)
        rig.pass(.seconds(10))
        #expect(rig.schedule.actionCount == 1)
        #expect(rig.schedule.missedCatchupWindow == 0)
        #expect(throws: Rejection.self) {
            try rig.schedule.update(
                definition, memo: nil, searchAttributes: nil, token: token, requestID: "u2", at: rig.now)
        }
    }

    @Test("A start that is refused for good makes way for the next")
    func refused() throws {
        var rig = try ScheduleRig()
        rig.now = rig.now.advanced(by: .seconds(10))
        _ = rig.schedule.advance(to: rig.now, rig.times)
        let due = try #require(rig.schedule.starting.first)
        rig.schedule.startRefused(due.requestID)
        #expect(rig.schedule.starting.isEmpty)
        rig.pass(.seconds(10))
        #expect(rig.open.count == 1)
    }

    /// Crashes between storing and fulfilling, in any order, neither lose an action nor take one twice.
    @Test("Restarts at any moment neither lose nor double an action", arguments: UInt64(0)..<300)
    func restarts(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let overlap = ScheduleOverlapPolicy.allCases[Int(random.next() % 6)]
        var rig = try ScheduleRig(seconds: 7, overlap: overlap) { definition, request in
            definition.policies.keepsWorkflowID = overlap != .allowAll && random.next() % 3 == 0
            request.jitter = random.next() % 2 == 0 ? nil : .seconds(5)
        }
        var stored = rig.schedule
        for step in 0..<80 {
            switch random.next() % 6 {
            case 0:
                // It dies: what was decided and not stored is gone; what the world did stays.
                rig.schedule = try Schedule(snapshot: stored.snapshot())
                #expect(rig.schedule == stored, "seed \(seed) step \(step)")
            case 1: rig.now = rig.now.advanced(by: .milliseconds(Int64(random.next() % 20_000)))
            case 2: _ = rig.schedule.advance(to: rig.now, rig.times)
            case 3:
                // Only what is stored is acted upon.
                stored = rig.schedule
                rig.fulfil()
            case 4:
                if let run = rig.open.first, rig.schedule.running.contains(where: { $0.run == run }) {
                    // The end of a run is told again until it is stored.
                    rig.schedule.closed(run, .completed(result: nil))
                }
            default:
                _ = try rig.schedule.patch(
                    SchedulePatch(trigger: .init()), requestID: RequestID("r\(step)"), at: rig.now)
                stored = rig.schedule
            }
            let ids = rig.begun.values
            #expect(Set(ids).count == ids.count, "seed \(seed) step \(step)")
            if overlap == .skip || overlap == .bufferAll {
                #expect(rig.schedule.running.count + rig.schedule.starting.count <= 1, "seed \(seed) step \(step)")
            }
        }
        if overlap == .allowAll {
            rig.pass(.zero)
            let due = rig.times.times(after: ScheduleRig.start, through: rig.now, limit: 10_000).filter {
                $0.actual <= rig.now
            }
            let own = rig.begun.keys.map(\.value).filter { !$0.contains("-m") }
            #expect(own.count == due.count, "seed \(seed)")
        }
    }
}
