import Engine
import History

/// Says what is wrong between the histories of runs that told each other things, once everything has arrived.
public struct FamilyChecker {
    private let family: RunFamily
    private var faults: [String] = []
    /// The runs that recorded a signal themselves, with how often; what a reset took over is not counted.
    private var received: [RequestID: Int] = [:]
    /// Workflows that were asked to cancel themselves.
    private var canceled: Set<WorkflowID> = []

    private init(_ family: RunFamily) { self.family = family }

    /// Everything that is wrong in a family whose life has ended.
    public static func faults(in family: RunFamily) throws -> [String] {
        guard family.faults.isEmpty else { return family.faults }
        var checker = FamilyChecker(family)
        checker.collect()
        for place in family.members.indices { try checker.check(place) }
        checker.checkSignals()
        return checker.faults
    }

    private mutating func collect() {
        for member in family.members {
            for event in member.own {
                if case .workflowExecutionSignaled(let signal) = event.kind {
                    received[signal.requestID, default: 0] += 1
                }
            }
            if member.run.cancelRequested { canceled.insert(member.run.key.workflow) }
        }
    }

    private mutating func note(_ place: Int, _ text: String) {
        faults.append("run \(place) (\(family.members[place].run.key.workflow)): \(text)")
    }

    private mutating func check(_ place: Int) throws {
        let member = family.members[place]
        let run = member.run
        if run.hasMessages { note(place, "still has messages") }
        let bytes = run.snapshot()
        if try Run(snapshot: bytes).snapshot() != bytes { note(place, "another snapshot after a load") }
        let fold = try Run.fold(member.history, key: run.key)
        if let difference = try Run(snapshot: bytes).agrees(withFoldOf: fold) { note(place, "snapshot: \(difference)") }
        if run.status == .running, family.currents[run.key.workflow] != place { note(place, "is open, not current") }
        checkPromises(place, member)
        if run.status == .running { checkPending(place, run) }
        checkParent(place, run)
        for event in member.own { check(event, place) }
    }

    /// What was acknowledged is in the history.
    private mutating func checkPromises(_ place: Int, _ member: RunFamily.Member) {
        var signals: Set<RequestID> = []
        var completed: Set<EventID> = []
        var cancelRequests = 0
        for event in member.history {
            switch event.kind {
            case .workflowExecutionSignaled(let signal):
                if !signal.requestID.isEmpty, !signals.insert(signal.requestID).inserted {
                    note(place, "signal \(signal.requestID) twice")
                }
            case .activityTaskCompleted(let end): completed.insert(end.scheduledEventID)
            case .workflowExecutionCancelRequested: cancelRequests += 1
            default: break
            }
        }
        for signal in member.signals where !signals.contains(signal) { note(place, "signal \(signal) was lost") }
        for activity in member.activities where !completed.contains(activity) {
            note(place, "the result of activity \(activity) was lost")
        }
        if cancelRequests > 1 { note(place, "\(cancelRequests) cancel requests") }
    }

    private mutating func checkPending(_ place: Int, _ run: Run) {
        for child in run.pendingChildren {
            guard let first = child.run else {
                note(place, "child \(child.initiatedEventID) was never started")
                continue
            }
            let runs = chain(child.workflowID, first)
            if !runs.contains(where: { $0.run.status == .running }), !endedUnheard(child, runs.last?.run, place) {
                note(place, "still waits for child \(child.workflowID), which closed")
            }
        }
        if run.pendingExternalCount > 0 { note(place, "still waits for answers") }
    }

    /// Did the child close before a reset brought this run to wait for it again, and no run of its parent was there to hear it?
    private func endedUnheard(_ child: PendingChildDescription, _ last: Run?, _ place: Int) -> Bool {
        guard let reset = family.members[place].run.resetTime, let closed = last?.closeTime, closed <= reset,
            let base = family.members[place].base.flatMap({ family.places[$0] })
        else { return false }
        return !family.members[base].history.contains { event in
            guard case .childWorkflow(.ended(let ended)) = event.kind else { return false }
            return ended.initiatedEventID == child.initiatedEventID
        }
    }

    /// An open parent waits for its open child.
    private mutating func checkParent(_ place: Int, _ run: Run) {
        guard run.status == .running, let first = run.started?.firstExecutionRunID, let parent = run.started?.parent,
            let parentRun = parent.execution.run,
            let above = family.places[
                RunKey(namespace: RunFamily.namespace, workflow: parent.execution.workflow, run: parentRun)],
            family.members[above].run.status == .running,
            // A child that was reset may have told its end before.
            chain(run.key.workflow, first).allSatisfy({ $0.base == nil })
        else { return }
        if !family.members[above].run.awaitsChild(run.key.workflow, firstRun: first) {
            note(place, "its parent \(above) does not wait for it")
        }
    }

    private mutating func check(_ event: Event, _ place: Int) {
        switch event.kind {
        case .childWorkflow(.started(let started)): checkStarted(started, place)
        case .childWorkflow(.ended(let ended)):
            let child = family.places[
                RunKey(
                    namespace: RunFamily.namespace, workflow: ended.execution.workflow,
                    run: ended.execution.run ?? "")]
            guard let child else { return note(place, "event \(event.id) names a child that is not there") }
            if ChildEnd(status: family.members[child].run.status)?.typeNumber != ended.end.typeNumber {
                note(place, "event \(event.id) says that child \(child) ended otherwise than it did")
            }
        case .externalWorkflow(.signaled(let told)):
            let sender = family.members[place].run.key.run
            let request =
                family.taken[sender]?[told.initiatedEventID]
                ?? family.members[place].base.flatMap { family.taken[$0.run]?[told.initiatedEventID] }
            guard let request, received[request] ?? 0 > 0 else {
                return note(place, "event \(event.id): the signal to \(told.execution) never arrived")
            }
        case .externalWorkflow(.cancelRequested(let told)):
            if !canceled.contains(told.execution.workflow) { note(place, "event \(event.id): nobody was canceled") }
        default: break
        }
    }

    private mutating func checkStarted(_ started: ChildWorkflowStarted, _ place: Int) {
        guard let first = started.execution.run else { return note(place, "a child without a run") }
        let runs = chain(started.execution.workflow, first)
        guard let last = runs.last else { return note(place, "child \(first) is not there") }
        let parent = family.members[place]
        // Whoever came from a reset has its own fate.
        guard parent.run.status != .running, !parent.isReplaced, runs.allSatisfy({ $0.base == nil }),
            last.run.status == .running, let policy = policy(started.initiatedEventID, of: parent)
        else { return }
        switch policy {
        case .abandon: break
        case .terminate: note(place, "closed, its child \(first) goes on")
        case .requestCancel:
            if !runs.contains(where: \.run.cancelRequested) {
                note(place, "closed, its child \(first) was not asked to cancel itself")
            }
        }
    }

    private func policy(_ initiated: EventID, of member: RunFamily.Member) -> ParentClosePolicy? {
        guard initiated.value > 0, initiated.value <= member.history.count,
            case .childWorkflow(.initiated(let attributes)) = member.history[Int(initiated.value) - 1].kind
        else { return nil }
        return attributes.parentClosePolicy
    }

    /// The runs of a chain, oldest first.
    private func chain(_ workflow: WorkflowID, _ first: RunID) -> [RunFamily.Member] {
        family.members.filter {
            $0.run.key.workflow == workflow && $0.run.started?.firstExecutionRunID == first
        }
    }

    /// Every signal arrived once, and only once; one that a reset sent again may have been taken by a later run, too.
    private mutating func checkSignals() {
        for (request, count) in received.sorted(by: { $0.key < $1.key }) where !request.isEmpty {
            if count > max(1, family.senders[request]?.count ?? 1) {
                faults.append("signal \(request) was recorded \(count) times")
            }
        }
    }
}

extension ChildEnd {
    /// The kind of end that a closed run's status stands for.
    fileprivate init?(status: WorkflowStatus?) {
        switch status {
        case .completed: self = .completed(result: nil)
        case .failed: self = .failed(.application(), .retryPolicyNotSet)
        case .canceled: self = .canceled(details: nil)
        case .timedOut: self = .timedOut(.timeout)
        case .terminated: self = .terminated
        case .running, .continuedAsNew, nil: return nil
        }
    }
}
