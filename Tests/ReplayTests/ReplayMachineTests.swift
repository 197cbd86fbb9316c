import History
import Replay
import Testing

@Suite("A worker's machine")
struct ReplayMachineTests {
    /// Lets a machine take in all steps of a history that it has not seen.
    private func begin(_ machine: inout ReplayMachine, _ script: HistoryScript) throws -> Activation {
        let known = Int(machine.lastEventID.value)
        let steps = try HistorySteps(Array(script.events[known...]))
        return try machine.begin(try #require(steps.steps.last))
    }

    @Test("The start is learned first, with the seed of the run")
    func start() throws {
        var script = HistoryScript(run: "r1")
        script.task()
        var machine = ReplayMachine()
        let activation = try begin(&machine, script)
        #expect(activation.jobs.count == 1)
        #expect(activation.seed == "r1")
        #expect(activation.isReplaying == false)
        #expect(activation.startedEventID == EventID(3))
    }

    @Test("Activities and timers are numbered by kind, in the order of the wishes")
    func numbering() throws {
        var machine = ReplayMachine()
        _ = machine.startTimer(.seconds(1))
        _ = machine.scheduleActivity(activity("a"), cancellation: .tryCancel)
        _ = machine.startTimer(.seconds(2))
        let commands = machine.finish().map(\.kind)
        guard case .startTimer(let first) = commands[0], case .scheduleActivityTask(let second) = commands[1],
            case .startTimer(let third) = commands[2]
        else { throw Corruption("expected timer, activity, timer") }
        #expect(first.timerID == "1" && second.activityID == "1" && third.timerID == "2")
    }

    @Test("An activity's end resolves its waiter once, and the machine forgets it")
    func activityEnd() throws {
        var script = HistoryScript()
        script.task()
        var machine = ReplayMachine()
        _ = try begin(&machine, script)
        let future = machine.scheduleActivity(activity("a"), cancellation: .tryCancel)
        let scheduled = script.answer(machine.finish())[0]
        script.complete(activity: scheduled, Blob([7]))
        script.task()
        #expect(try begin(&machine, script).jobs == [.resolve(future, .activityCompleted(result: Blob([7])))])
        _ = machine.finish()
        script.answer([])
        script.complete(activity: scheduled)
        script.task()
        #expect(throws: ReplayFailure.self) { try begin(&machine, script) }
    }

    @Test("A wish taken back in the same task is never a command")
    func takenBack() throws {
        var machine = ReplayMachine()
        let timer = machine.startTimer(.seconds(1))
        let work = machine.scheduleActivity(activity("a"), cancellation: .waitCompleted)
        #expect(machine.cancel(timer) == .timerCanceled)
        guard case .activityCanceled = machine.cancel(work) else { throw Corruption("expected a cancelled activity") }
        #expect(machine.finish().isEmpty)
        #expect(machine.cancel(timer) == nil)
    }

    @Test(
        "A cancelled activity is asked to stop, waited for or let alone",
        arguments: [
            ActivityCancellation.tryCancel, .waitCompleted, .abandon,
        ])
    func cancellation(policy: ActivityCancellation) throws {
        var script = HistoryScript()
        script.task()
        var machine = ReplayMachine()
        _ = try begin(&machine, script)
        let future = machine.scheduleActivity(activity("a"), cancellation: policy)
        let scheduled = script.answer(machine.finish())[0]
        script.task()
        _ = try begin(&machine, script)
        let resolution = machine.cancel(future)
        #expect((resolution == nil) == (policy == .waitCompleted))
        let commands = machine.finish()
        #expect(commands.count == (policy == .abandon ? 0 : 1))
        script.answer(commands)
        script.complete(activity: scheduled, Blob([1]))
        script.task()
        let late = try begin(&machine, script).jobs
        #expect(late == (policy == .waitCompleted ? [.resolve(future, .activityCompleted(result: Blob([1])))] : []))
    }

    @Test("A timer that fires is learned, one that was cancelled is not")
    func timers() throws {
        var script = HistoryScript()
        script.task()
        var machine = ReplayMachine()
        _ = try begin(&machine, script)
        let kept = machine.startTimer(.seconds(1))
        let dropped = machine.startTimer(.seconds(1))
        script.answer(machine.finish())
        script.task()
        _ = try begin(&machine, script)
        #expect(machine.cancel(dropped) == .timerCanceled)
        script.answer(machine.finish())
        script.fire(timer: "1")
        script.task()
        #expect(try begin(&machine, script).jobs == [.resolve(kept, .timerFired)])
    }

    @Test("A missing, an additional and another command are named with their event")
    func differences() throws {
        func difference(recorded: (inout ReplayMachine) -> Void, code: (inout ReplayMachine) -> Void) throws
            -> Nondeterminism
        {
            var script = HistoryScript()
            script.task()
            var first = ReplayMachine()
            _ = try begin(&first, script)
            recorded(&first)
            script.answer(first.finish())
            script.task()
            let steps = try HistorySteps(script.events)
            var second = ReplayMachine()
            _ = try second.begin(steps.steps[0])
            code(&second)
            _ = second.finish()
            do {
                _ = try second.begin(steps.steps[1])
            } catch .nondeterminism(let difference) {
                return difference
            }
            throw Corruption("no difference was found")
        }
        let timer = { (machine: inout ReplayMachine) in _ = machine.startTimer(.seconds(1)) }
        let work = { (machine: inout ReplayMachine) in
            _ = machine.scheduleActivity(activity("a"), cancellation: .tryCancel)
        }
        #expect(
            try difference(recorded: timer, code: { _ in })
                == Nondeterminism(eventID: EventID(5), expected: "TimerStarted(id 1)", actual: "no further command"))
        #expect(
            try difference(recorded: { _ in }, code: work)
                == Nondeterminism(
                    eventID: EventID(4), expected: "no further command", actual: "ScheduleActivityTask(id 1, type a)"))
        #expect(
            try difference(recorded: work, code: timer)
                == Nondeterminism(
                    eventID: EventID(5), expected: "ActivityTaskScheduled(id 1, type a)", actual: "StartTimer(id 1)"))
    }

    @Test("Nothing is asked for after the end of the run")
    func closing() throws {
        var machine = ReplayMachine()
        machine.complete(result: nil)
        machine.fail(.server(message: "late", nonRetryable: true))
        #expect(machine.finish().map(\.kind) == [.completeWorkflowExecution(result: nil)])
        #expect(machine.isClosing)
    }

    @Test("A reset gives a new seed")
    func reset() throws {
        var script = HistoryScript(run: "old")
        script.task()
        script.add(
            .workflowTaskFailed(
                WorkflowTaskFailed(
                    scheduledEventID: EventID(2), startedEventID: EventID(3), cause: .resetWorkflow, newRunID: "new")))
        script.task()
        var machine = ReplayMachine()
        #expect(try begin(&machine, script).seed == "new")
    }

    @Test("Random numbers depend on the run and on nothing else")
    func random() {
        var first = SeededRandom(seed: "run-1")
        var second = SeededRandom(seed: "run-1")
        var other = SeededRandom(seed: "run-2")
        #expect((0..<10).map { _ in first.next() } == (0..<10).map { _ in second.next() })
        #expect(first.next() != other.next())
        let uuid = SeededRandom(seed: 0).firstUUID
        #expect(uuid.count == 36 && uuid == SeededRandom(seed: 0).firstUUID)
        #expect(Array(uuid)[14] == "4" && "89ab".contains(Array(uuid)[19]))
    }
}

extension SeededRandom {
    fileprivate var firstUUID: String {
        var copy = self
        return copy.uuid()
    }
}

@Suite("Replaying a history asks for the same commands")
struct ReplayPropertyTests {
    /// Goal: a machine that lives through a run and one that replays its history ask for the same.
    ///
    /// Method: per seed, 30 tasks in which random wishes are made and random pending things end; then the same wishes are made
    /// against the whole history, and against parts of it by a copy of the machine.
    @Test("Live, replayed and continued machines agree", arguments: UInt64(0)..<100)
    func agree(seed: UInt64) throws {
        var script = HistoryScript(run: RunID("run-\(seed)"))
        var outside = SeededRandom(seed: seed)
        var live = ReplayMachine()
        var commands: [[WorkflowCommand]] = []
        var timers: [TimerID] = []
        var activities: [EventID] = []
        for _ in 0..<30 {
            if !timers.isEmpty, outside.next() % 2 == 0 {
                script.fire(timer: timers.remove(at: Int(outside.next() % UInt64(timers.count))))
            }
            if !activities.isEmpty, outside.next() % 2 == 0 {
                script.complete(activity: activities.remove(at: Int(outside.next() % UInt64(activities.count))))
            }
            script.task()
            if outside.next() % 5 == 0 {
                script.failTask()
                script.task()
            }
            let known = Int(live.lastEventID.value)
            let step = try #require(try HistorySteps(Array(script.events[known...])).steps.last)
            let activation = try live.begin(step)
            let asked = Self.wish(&live, activation)
            commands.append(asked)
            for (command, event) in zip(asked, script.answer(asked)) {
                switch command.kind {
                case .startTimer(let timer): timers.append(timer.timerID)
                case .cancelTimer(let id): timers.removeAll { $0 == id }
                case .scheduleActivityTask: activities.append(event)
                default: break
                }
            }
        }
        var replayed = ReplayMachine()
        let steps = try HistorySteps(script.events)
        #expect(steps.steps.count == 30, "seed \(seed)")
        for (step, expected) in zip(steps.steps, commands) {
            let activation = try replayed.begin(step)
            #expect(Self.wish(&replayed, activation) == expected, "seed \(seed)")
        }
        try replayed.verify(rest: steps.rest)
    }

    /// What a workflow might do: decided by what it learned and by the machine's own time alone.
    private static func wish(_ machine: inout ReplayMachine, _ activation: Activation) -> [WorkflowCommand] {
        var random = SeededRandom(
            seed: UInt64(bitPattern: activation.startedEventID.value &* 31 &+ Int64(activation.jobs.count)))
        for _ in 0..<Int(random.next() % 4) {
            switch random.next() % 3 {
            case 0: _ = machine.startTimer(.seconds(Int64(random.next() % 100)))
            case 1: _ = machine.scheduleActivity(activity("a\(random.next() % 3)"), cancellation: .tryCancel)
            default: _ = machine.cancel(FutureID(Int(random.next() % 40)))
            }
        }
        return machine.finish()
    }
}
