public import Engine
public import History

/// Several runs that start, signal, cancel and close each other, with messages that are lost, repeated and late, and crashes
/// between any two steps. The seed determines everything.
public struct RunFamily: Sendable {
    public private(set) var runs: [RunKey: Run] = [:]
    public private(set) var histories: [RunKey: [Event]] = [:]
    /// Every run, in the order in which they began.
    public private(set) var order: [RunKey] = []
    private var currents: [WorkflowID: RunKey] = [:]
    private var tasks: [RunKey: StartedWorkflowTask] = [:]
    private var random: SplitMix64
    private var now = RunDriver.beginning
    private var names: UInt64 = 0
    public let seed: UInt64
    public private(set) var deliveries = 0
    public private(set) var repeated = 0

    static let namespace = NamespaceID("namespace-1")
    static let limits = {
        var limits = Limits()
        limits.continueAsNewIntervalMin = .zero
        limits.bufferedEventsMax = 30
        return limits
    }()

    public init(seed: UInt64) throws(Rejection) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        for name in ["a", "b"] { try begin(Self.start(WorkflowID(name), nextRun()), after: nil) }
    }

    private static func start(_ workflow: WorkflowID, _ run: RunID) -> StartRun {
        let key = RunKey(namespace: namespace, workflow: workflow, run: run)
        return StartRun(key: key, attributes: RunDriver.attributes(key))
    }

    private mutating func nextRun() -> RunID {
        names += 1
        return RunDriver.key(seed &* 10_000 &+ names).run
    }

    // MARK: Steps

    /// Something happens somewhere.
    public mutating func step() throws {
        now = now.advanced(by: .milliseconds(Int64(random.below(50))))
        guard let key = random.pick(order) else { return }
        switch random.below(10) {
        case 0..<3: try work(key)
        case 3..<5: try take(key)
        case 5..<9: try deliver(from: random.pick(order.filter { runs[$0]?.hasMessages ?? false }) ?? key)
        default: try crash(key)
        }
    }

    /// Everything that is under way arrives; started workflow tasks end.
    public mutating func calm() throws {
        for key in order where tasks[key] != nil { try complete(key, []) }
        while let key = order.first(where: { runs[$0]?.hasMessages ?? false }) {
            for message in runs[key]?.messages() ?? [] { try deliver(message, losesAnswer: false) }
        }
        for key in order where tasks[key] != nil { try complete(key, []) }
    }

    private mutating func crash(_ key: RunKey) throws(Corruption) {
        guard let run = runs[key] else { return }
        let loaded = try Run(snapshot: run.snapshot())
        runs[key] = loaded
        if loaded.startedWorkflowTask?.token != tasks[key]?.token { tasks[key] = nil }
    }

    /// A worker takes the task and keeps it for a while.
    private mutating func take(_ key: RunKey) throws(Rejection) {
        guard tasks[key] == nil, let offer = runs[key]?.outstandingOffers.compactMap(\.workflowTask).first else {
            return
        }
        names += 1
        let transition = try handle(
            key,
            .startWorkflowTask(
                StartWorkflowTask(
                    scheduledEventID: offer.scheduledEventID, stamp: offer.stamp, identity: "worker",
                    requestID: RequestID("request-\(names)"), fromSticky: false)))
        if case .workflowTask(let task) = transition.reply { tasks[key] = task }
    }

    private mutating func work(_ key: RunKey) throws(Rejection) {
        try take(key)
        guard tasks[key] != nil else { return }
        var commands: [WorkflowCommand.Kind] = []
        for _ in 0..<random.below(4) { commands.append(command(for: key)) }
        if random.chance(12) { commands.append(closing()) }
        try complete(key, commands)
    }

    private mutating func complete(_ key: RunKey, _ commands: [WorkflowCommand.Kind]) throws(Rejection) {
        guard let task = tasks.removeValue(forKey: key) else { return }
        let completed = WorkflowTaskCompleted(
            scheduledEventID: task.token.scheduledEventID, startedEventID: task.token.startedEventID, identity: "worker"
        )
        let request = CompleteWorkflowTask(
            token: task.token, commands: commands.map { WorkflowCommand($0) }, completed: completed,
            newRunID: nextRun(), namespaceName: "default")
        do { _ = try handle(key, .completeWorkflowTask(request)) } catch {
            guard error.kind == .invalidArgument || error.kind == .notFound else { throw error }
        }
    }

    private mutating func command(for key: RunKey) -> WorkflowCommand.Kind {
        let child = WorkflowID("\(key.workflow)-\(random.below(3))")
        let other = random.pick(order)?.workflow ?? "nobody"
        let isFar = key.workflow.value.utf8.count > 6
        switch random.below(6) {
        case 0..<3 where !isFar:
            let policies: [ParentClosePolicy?] = [nil, .terminate, .abandon, .requestCancel]
            return .startChildWorkflow(
                StartChildWorkflow(
                    workflowID: child, workflowType: "Child", parentClosePolicy: random.pick(policies) ?? nil))
        case 3: return .requestCancelExternalWorkflow(RequestCancelExternal(execution: .init(workflow: other)))
        case 4 where runs[key]?.pendingChildren.contains { $0.run != nil } ?? false:
            let child = runs[key]?.pendingChildren.first { $0.run != nil }
            return .requestCancelExternalWorkflow(
                RequestCancelExternal(
                    execution: WorkflowReference(workflow: child?.workflowID ?? "", run: child?.run),
                    childWorkflowOnly: true))
        default:
            let target = random.chance(10) ? WorkflowID("nobody") : other
            return .signalExternalWorkflow(
                SignalExternal(execution: WorkflowReference(workflow: target), signalName: "s"))
        }
    }

    private mutating func closing() -> WorkflowCommand.Kind {
        switch random.below(4) {
        case 0: .failWorkflowExecution(failure: .application())
        case 1: .cancelWorkflowExecution(details: nil)
        case 2: .continueAsNewWorkflowExecution(ContinueAsNew())
        default: .completeWorkflowExecution(result: Blob([5]))
        }
    }

    // MARK: Messages

    private mutating func deliver(from key: RunKey) throws {
        guard let message = random.pick(runs[key]?.messages() ?? []) else { return }
        if random.chance(10) { try deliver(message, losesAnswer: true) }
        try deliver(message, losesAnswer: random.chance(25))
    }

    private mutating func deliver(_ message: RunMessage, losesAnswer: Bool) throws {
        deliveries += 1
        // As between nodes.
        let outcome = try MessageOutcome(bytes: receive(RunMessage(bytes: message.bytes)).bytes)
        if losesAnswer {
            repeated += 1
            return
        }
        try handle(message.id.sender, .settleMessage(SettleMessage(number: message.id.number, outcome: outcome)))
    }

    private mutating func receive(_ message: RunMessage) throws -> MessageOutcome {
        let target = message.target
        if case .startChild(let child) = message.body { return try startChild(child) }
        var key = target.run.map { RunKey(namespace: target.namespace, workflow: target.workflow, run: $0) }
        if case .childClosed(let closed) = message.body {
            let here = [key, currents[target.workflow]].compactMap { $0 }
            key = here.first {
                runs[$0]?.awaitsChild(message.id.sender.workflow, firstRun: closed.firstRun) ?? false
            }
        } else if key == nil {
            key = currents[target.workflow]
        }
        guard let key, let run = runs[key],
            target.firstRun == nil || run.started?.firstExecutionRunID == target.firstRun,
            key != message.id.sender
        else {
            switch message.body {
            case .signal, .requestCancel: return .failed(.notFound)
            case .startChild, .releaseChild, .closeChild, .childClosed: return .done
            }
        }
        let transition = try handle(key, .receive(message))
        if case .received(let outcome) = transition.reply { return outcome }
        return .done
    }

    private mutating func startChild(_ child: ChildStart) throws -> MessageOutcome {
        let key = child.start.key
        if runs[key] != nil { return .childStarted(key.run) }
        let old = currents[key.workflow]
        if let old, runs[old]?.status == .running { return .childRefused(.workflowAlreadyExists) }
        try begin(child.start, after: old)
        return .childStarted(key.run)
    }

    // MARK: Runs

    private mutating func begin(_ start: StartRun, after old: RunKey?) throws(Rejection) {
        var start = start
        if let old, let run = runs[old] { start.deliveredMessages = run.deliveredMessages }
        runs[start.key] = Run()
        order.append(start.key)
        currents[start.key.workflow] = start.key
        try handle(start.key, .start(start))
    }

    @discardableResult
    private mutating func handle(_ key: RunKey, _ command: RunCommand) throws(Rejection) -> Transition {
        guard var run = runs[key] else { throw .notFound("no run \(key)") }
        let transition = try run.handle(command, at: now, limits: Self.limits)
        runs[key] = run
        histories[key, default: []] += transition.events
        if run.startedWorkflowTask?.token != tasks[key]?.token { tasks[key] = run.startedWorkflowTask }
        if let successor = transition.successor { try begin(successor, after: key) }
        return transition
    }
}
