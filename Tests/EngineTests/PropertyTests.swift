import Engine
import History
import RunTestKit
import Testing

@Suite("A run's history tells its whole story")
struct PropertyTests {
    static let seeds = Array(UInt64(0)..<400)
    static let steps = 120

    /// Goal: live state and replayed state never differ, whatever commands arrive.
    ///
    /// Method: random commands per seed; every event is folded into a second run, which must agree after every step.
    @Test("Replaying the history rebuilds the same run", arguments: stride(from: 0, to: 400, by: 50).map { $0 })
    func replayRebuildsTheSameRun(first: Int) throws {
        for seed in Self.seeds[first..<first + 50] {
            var subject = SeededRun(seed: seed)
            var replay = Run()
            var checker = HistoryChecker()
            var recorded = 0
            for step in 0..<Self.steps where !subject.isClosed {
                _ = subject.perform(subject.nextCommand())
                for event in subject.driver.history[recorded...] {
                    try replay.apply(event)
                    checker.check(event)
                }
                recorded = subject.driver.history.count
                let difference = subject.driver.run.agrees(withFoldOf: replay)
                try #require(difference == nil, "seed \(seed), step \(step): \(difference ?? "")")
                try #require(checker.faults.isEmpty, "seed \(seed), step \(step): \(checker.faults)")
                compareOffers(subject.driver.run, replay, "seed \(seed), step \(step)")
            }
        }
    }

    /// What a load without a snapshot would offer: at least all that the live run offers.
    private func compareOffers(_ live: Run, _ replay: Run, _ place: Comment) {
        let folded = replay.outstandingOffers
        let foldedActivities = folded.compactMap(\.activityTask).map(\.scheduledEventID)
        for activity in live.pendingActivities {
            #expect(foldedActivities.contains(activity.scheduledEventID), place)
        }
        let task = live.outstandingOffers.compactMap(\.workflowTask).first
        // A task for updates is made again when they are asked for again.
        if let task, live.pendingWorkflowTask?.isSpeculative == false {
            #expect(folded.compactMap(\.workflowTask).first?.scheduledEventID == task.scheduledEventID, place)
        }
    }

    @Test("A refused command changes nothing", arguments: stride(from: 0, to: 100, by: 50).map { $0 })
    func aRefusalChangesNothing(first: Int) throws {
        var refusals = 0
        for seed in Self.seeds[first..<first + 50] {
            var subject = SeededRun(seed: seed)
            for step in 0..<Self.steps where !subject.isClosed {
                let command = subject.nextCommand()
                let before = subject.driver.run
                let count = subject.driver.history.count
                guard subject.perform(command) != nil else { continue }
                refusals += 1
                try #require(subject.driver.run == before, "seed \(seed), step \(step)")
                try #require(subject.driver.history.count == count, "seed \(seed), step \(step)")
            }
        }
        #expect(refusals > 100)
    }

    @Test("A snapshot brings the same run back", arguments: stride(from: 0, to: 100, by: 50).map { $0 })
    func aSnapshotBringsTheRunBack(first: Int) throws {
        for seed in Self.seeds[first..<first + 50] {
            var subject = SeededRun(seed: seed)
            for step in 0..<Self.steps where !subject.isClosed {
                _ = subject.perform(subject.nextCommand())
                let bytes = subject.driver.run.snapshot()
                let loaded = try Run(snapshot: bytes)
                try #require(loaded.snapshot() == bytes, "seed \(seed), step \(step)")
                // Only a lease in memory may be forgotten, and updates that nobody has accepted.
                let live = subject.driver.run
                let isSpeculative = live.pendingWorkflowTask?.isSpeculative ?? false
                if loaded.startedWorkflowTask == live.startedWorkflowTask, !live.hasWaitingUpdates, !isSpeculative {
                    try #require(loaded == live, "seed \(seed), step \(step)")
                }
                if step % 13 == 5 { try subject.crash() }
            }
            let replay = try Run.fold(subject.driver.history, key: subject.driver.run.key)
            let difference = subject.driver.run.agrees(withFoldOf: replay)
            #expect(difference == nil, "seed \(seed): \(difference ?? "")")
        }
    }

    @Test("A wake is never early and never too little", arguments: stride(from: 0, to: 100, by: 50).map { $0 })
    func aWakeIsNeverEarly(first: Int) throws {
        for seed in Self.seeds[first..<first + 50] {
            var subject = SeededRun(seed: seed)
            for step in 0..<Self.steps where !subject.isClosed {
                _ = subject.perform(subject.nextCommand())
                let place: Comment = "seed \(seed), step \(step)"
                guard let next = subject.driver.run.nextDeadline else { continue }
                let before = Timestamp(nanoseconds: next.nanoseconds - 1)
                if before >= subject.driver.now {
                    var early = subject.driver.run
                    let nothing = try early.handle(.wake, at: before, limits: subject.driver.limits)
                    try #require(nothing.events.isEmpty && nothing.effects.isEmpty && !nothing.isDurable, place)
                    try #require(early == subject.driver.run, place)
                }
                let moment = max(next, subject.driver.now)
                var onTime = subject.driver.run
                let something = try onTime.handle(.wake, at: moment, limits: subject.driver.limits)
                try #require(onTime != subject.driver.run || !something.events.isEmpty, place)
                try #require(onTime.nextDeadline.map { $0 > moment } ?? true, place)
            }
        }
    }

    /// Goal: the random commands are worth something.
    @Test("The random commands reach every kind of event")
    func everythingIsReached() {
        var kinds: Set<Int32> = []
        var (retries, rejected, accepted, refused) = (0, 0, 0, 0)
        var causes: Set<WorkflowTaskFailedCause> = []
        for seed in Self.seeds {
            var subject = SeededRun(seed: seed)
            for _ in 0..<Self.steps where !subject.isClosed {
                _ = subject.perform(subject.nextCommand())
                if case .rejected = subject.driver.lastTransition.reply { rejected += 1 }
            }
            for event in subject.driver.history {
                kinds.insert(event.kind.typeNumber)
                if case .workflowTaskFailed(let failed) = event.kind { causes.insert(failed.cause) }
            }
            retries += subject.driver.attempts.count
            accepted += subject.accepted
            refused += subject.refused
        }
        let known: Set<Int32> = Set(1...41).union([43, 46])
        #expect(kinds == known, "missing \(known.subtracting(kinds).sorted())")
        #expect(causes.isSuperset(of: [.unhandledCommand, .forceCloseCommand, .workflowWorkerUnhandledFailure]))
        #expect(retries > 50 && rejected > 50 && refused > 1000 && accepted > 10_000)
    }

    @Test("A history with a hole is refused at the hole")
    func aHistoryWithAHoleIsRefused() throws {
        var subject = SeededRun(seed: 11)
        for _ in 0..<60 where !subject.isClosed { _ = subject.perform(subject.nextCommand()) }
        let history = subject.driver.history
        for missing in history.indices.dropLast() {
            var events = history
            events.remove(at: missing)
            #expect(throws: Corruption.self) { try Run.fold(events) }
        }
    }

    @Test("A damaged snapshot is refused or read, never a crash")
    func aDamagedSnapshotIsNoCrash() throws {
        var subject = SeededRun(seed: 3)
        for _ in 0..<40 where !subject.isClosed { _ = subject.perform(subject.nextCommand()) }
        let bytes = subject.driver.run.snapshot()
        for length in 0..<bytes.count {
            #expect(throws: Corruption.self) { try Run(snapshot: Array(bytes.prefix(length))) }
        }
        var random = SplitMix64(seed: 1)
        for _ in 0..<500 {
            var damaged = bytes
            damaged[random.below(damaged.count)] = UInt8(truncatingIfNeeded: random.next())
            _ = try? Run(snapshot: damaged)
        }
    }
}
