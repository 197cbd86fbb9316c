public import Engine
public import History

/// Several runs that start, signal, cancel, close and follow each other, with clients, workers and operators that do everything
/// they can do, in any order; messages between the runs are lost, repeated and late, and crashes come between any two steps.
///
/// The seed determines everything. After each step the run that moved is held against its own history.
public struct RunFamily {
    /// One run with what its events alone rebuild.
    ///
    /// A class: each step looks at many, and a copy of a whole run costs more than the step.
    public final class Member {
        public internal(set) var subject: SeededRun
        var replay = Run()
        var checker = HistoryChecker()
        /// Events that a reset took over or wrote: they happened to the base.
        var inherited = 0
        /// The run that a reset copied.
        var base: RunKey?
        /// A reset took its place.
        var isReplaced = false
        /// What its clients were told is done.
        var signals: [RequestID] = []
        var activities: [EventID] = []

        // What each step asks of every run.
        var isOpen = false
        var hasMessages = false
        var deadline: Timestamp?

        init(_ subject: SeededRun) { self.subject = subject }

        func look() {
            isOpen = subject.driver.run.status == .running
            hasMessages = subject.driver.run.hasMessages
            deadline = subject.driver.run.nextDeadline
        }

        public var run: Run { _read { yield subject.driver.run } }
        public var history: [Event] { _read { yield subject.driver.history } }
        /// What happened to this run itself.
        var own: ArraySlice<Event> { history.dropFirst(inherited) }
    }

    public let seed: UInt64
    /// Every run, in the order in which they began.
    public internal(set) var members: [Member] = []
    public internal(set) var tally = FamilyTally()
    public internal(set) var faults: [String] = []
    /// Who sent a signal to another workflow, by its request id: a reset may send one again.
    var senders: [RequestID: Set<RunID>] = [:]
    /// The signals that another workflow took, by the run and event that sent them.
    var taken: [RunID: [EventID: RequestID]] = [:]
    var places: [RunKey: Int] = [:]
    var currents: [WorkflowID: Int] = [:]
    var random: SplitMix64
    var now = RunDriver.beginning
    private var others: [WorkflowReference] = []
    private var steps = 0

    static let namespace = NamespaceID("namespace-1")
    static let roots: [WorkflowID] = ["a", "b", "c"]
    static let membersMax = 50

    public init(seed: UInt64) throws {
        self.seed = seed
        random = SplitMix64(seed: seed)
        for name in Self.roots.dropLast() { try begin(name, after: nil) }
    }

    /// Every run with its events, for whoever looks into a fault.
    public var story: String {
        members.indices.map { place in
            let member = members[place]
            let title =
                "run \(place) \(member.run.key.workflow) \(member.run.key.run) base \(member.base?.run ?? "none")"
            return title + "\n"
                + member.history.map { "  \($0.id) \($0.time.nanoseconds) \($0.kind)" }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    // MARK: Steps

    /// Something happens somewhere.
    public mutating func step() throws {
        steps += 1
        now = now.advanced(by: .milliseconds(Int64(random.below(50))))
        switch random.below(100) {
        case 0..<63: try act()
        case 63..<84: try deliver()
        case 84..<90: try crash()
        case 90..<93: try reset()
        case 93..<95: try startAgain()
        default: try wakeNext()
        }
    }

    /// Runs `count` steps, or fewer when a fault shows, and lets everything under way arrive.
    public mutating func live(steps count: Int) throws {
        for _ in 0..<count where faults.isEmpty { try step() }
        if faults.isEmpty { try calm() }
    }

    /// A client, worker or operator does something to a run.
    private mutating func act() throws {
        let open = members.indices.filter { members[$0].isOpen }
        guard let place = random.chance(3) ? random.pick(Array(members.indices)) : random.pick(open) else { return }
        members[place].subject.others = others
        members[place].subject.driver.now = now
        let command = members[place].subject.nextCommand()
        now = max(now, members[place].subject.driver.now)
        try perform(command, place)
    }

    private mutating func wakeNext() throws {
        let due = members.indices.compactMap { place in members[place].deadline.map { (at: $0, place: place) } }
        guard let next = due.min(by: { $0.at < $1.at }) else { return }
        now = max(now, next.at)
        try perform(.wake, next.place)
    }

    private mutating func crash() throws {
        guard let place = random.pick(Array(members.indices)) else { return }
        if random.chance(50), try members[place].subject.crashWithoutSnapshot() {
            tally.count(.crashWithoutSnapshot)
        } else {
            try members[place].subject.crash()
            tally.count(.crash)
        }
        compare(place)
    }

    /// Everything that is under way arrives; started workflow tasks end.
    private mutating func calm() throws {
        for _ in 0..<1000 {
            var moved = false
            for place in members.indices {
                guard let task = members[place].run.startedWorkflowTask else { continue }
                let completed = WorkflowTaskCompleted(
                    scheduledEventID: task.token.scheduledEventID, startedEventID: task.token.startedEventID,
                    identity: "worker")
                let request = CompleteWorkflowTask(
                    token: task.token, commands: [], completed: completed, newRunID: RunDriver.key(0).run)
                if try perform(.completeWorkflowTask(request), place) == nil { fault(place, "a task could not end") }
                moved = true
            }
            for place in members.indices {
                guard members[place].hasMessages else { continue }
                for message in members[place].run.messages() {
                    try deliver(message, losesAnswer: false)
                    moved = true
                }
            }
            if !moved || !faults.isEmpty { return }
        }
        faults.append("the messages never end")
    }

    // MARK: Runs

    /// A client starts a workflow, whether a run of it is open or not.
    private mutating func startAgain() throws {
        guard let workflow = random.pick(Self.roots), members.count < Self.membersMax else { return }
        guard let old = currents[workflow] else { return try begin(workflow, after: nil) }
        guard members[old].isOpen else { return try begin(workflow, after: old) }
        guard random.chance(10) else { return }
        tally.count(.terminatedForStart)
        try perform(.terminate(TerminateRun(WorkflowExecutionTerminated(identity: "client"))), old)
        try begin(workflow, after: old)
    }

    private mutating func begin(_ workflow: WorkflowID, after old: Int?) throws {
        var subject = newSubject()
        let key = RunKey(namespace: Self.namespace, workflow: workflow, run: RunDriver.key(subject.seed &* 1000).run)
        var start = subject.startRequest(key)
        if let old { start.deliveredMessages = members[old].run.deliveredMessages }
        if start.signal != nil { tally.count(.signalWithStart) }
        if start.eager != nil { tally.count(.eagerStart) }
        try begin(start, subject)
    }

    func newSubject() -> SeededRun {
        SeededRun(seed: seed &* 100 &+ UInt64(members.count), label: "r\(members.count).", others: others)
    }

    mutating func begin(_ start: StartRun, _ subject: SeededRun? = nil) throws {
        let place = add(start.key, subject ?? newSubject())
        if try perform(.start(start), place) == nil { fault(place, "could not begin") }
    }

    /// Makes room for a run.
    mutating func add(_ key: RunKey, _ subject: SeededRun) -> Int {
        let place = members.count
        members.append(Member(subject))
        members[place].subject.driver.now = now
        places[key] = place
        currents[key.workflow] = place
        others.append(WorkflowReference(workflow: key.workflow))
        if random.chance(30) { others.append(WorkflowReference(workflow: key.workflow, run: key.run)) }
        return place
    }

    /// - Returns: nil when the command was refused.
    @discardableResult
    mutating func perform(_ command: RunCommand, _ place: Int) throws -> Transition? {
        members[place].subject.driver.now = now
        let before = steps % 8 == 0 ? members[place].run : nil
        guard members[place].subject.perform(command) == nil else {
            tally.count(.refusal)
            if let before, before != members[place].run { fault(place, "a refusal changed the run") }
            return nil
        }
        let transition = members[place].subject.driver.lastTransition
        var isReset = false
        if case .reset = command {
            isReset = true
            members[place].inherited = transition.events.count
        }
        try record(transition, place, isReset: isReset)
        note(command, transition, place)
        if let successor = transition.successor {
            tally.count(successor: successor)
            try begin(successor)
        }
        return transition
    }

    /// Folds what was recorded into the second run, and looks whether it is still the same.
    private mutating func record(_ transition: Transition, _ place: Int, isReset: Bool) throws {
        for event in transition.events {
            do { try members[place].replay.apply(event) } catch { fault(place, "event \(event.id): \(error.reason)") }
            members[place].checker.check(event)
        }
        if !isReset { tally.count(transition.events) }
        compare(place)
    }

    private mutating func compare(_ place: Int) {
        members[place].look()
        for found in members[place].checker.faults { fault(place, found) }
        if let difference = members[place].run.agrees(withFoldOf: members[place].replay) { fault(place, difference) }
    }

    mutating func fault(_ place: Int, _ text: String) {
        faults.append("step \(steps), run \(place) (\(members[place].run.key.workflow)): \(text)")
    }

    /// What the caller may rely on from now on, and what is counted.
    private mutating func note(_ command: RunCommand, _ transition: Transition, _ place: Int) {
        tally.count(command, transition)
        guard case .done = transition.reply, transition.isDurable else { return }
        switch command {
        case .signal(let request):
            if !request.attributes.requestID.isEmpty { members[place].signals.append(request.attributes.requestID) }
        case .completeActivity(let request):
            if case .token(let token) = request.activity { members[place].activities.append(token.scheduledEventID) }
        case .start, .reset, .requestCancel, .terminate, .update, .startWorkflowTask, .completeWorkflowTask,
            .failWorkflowTask, .startActivity, .failActivity, .cancelActivity, .heartbeatActivity, .operateActivities,
            .wake, .updateOptions, .resetSticky, .delete, .receive, .settleMessage:
            break
        }
    }
}
