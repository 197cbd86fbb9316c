import Engine
import History

/// Resets, as a partition does them: the base's first events, what it and its followers were told after them, and the end of
/// whichever run is open.
extension RunFamily {
    mutating func reset() throws {
        guard members.count < Self.membersMax, let base = random.pick(Array(members.indices)) else { return }
        let history = members[base].history
        let finish = resetPoint(in: history)
        do {
            try Run.checkResetPoint(finish, in: history, last: history.last?.id ?? .none)
        } catch {
            tally.count(.resetRefused)
            return
        }
        let exclusions = random.pick([ReapplyExclusions(), [], .signals, .updates, .cancelRequests, .everything]) ?? []
        let key = members[base].run.key
        guard let old = currents[key.workflow] else { return }
        var request = ResetRun(
            key: RunKey(
                namespace: key.namespace, workflow: key.workflow,
                run: RunDriver.key(newSubject().seed &* 1000 &+ 999).run),
            baseRun: key.run, copied: history.filter { $0.id < finish },
            reapplied: reapplied(from: base, finish, exclusions), reason: "again", identity: "operator",
            requestID: RequestID("reset-\(members.count)"), namespaceName: "",
            deliveredMessages: members[old].run.deliveredMessages)
        var trial = Run()
        do { _ = try trial.handle(.reset(request), at: now, limits: members[base].subject.driver.limits) } catch {
            tally.count(.resetRefused)
            return
        }
        if members[old].run.status == .running {
            let isReplaced =
                members[old].run.started?.firstExecutionRunID == members[base].run.started?.firstExecutionRunID
            members[old].isReplaced = isReplaced
            let end = WorkflowExecutionTerminated(reason: "again", identity: "history-resetter")
            let transition = try perform(.terminate(TerminateRun(end, leavesChildren: isReplaced)), old)
            request.reapplied += (transition?.events ?? []).compactMap {
                ReappliedFact($0, except: exclusions, isOfBase: old == base)
            }
        }
        for fact in request.reapplied { tally.count(fact) }
        let place = add(request.key, newSubject())
        members[place].base = key
        let transition = try perform(.reset(request), place)
        let added = Array(transition?.events.dropFirst(request.copied.count) ?? [])
        tally.count(added)
        for event in added {
            if case .childWorkflow = event.kind { tally.count(.childReapplied) }
        }
        if transition == nil { fault(place, "a reset that was tried was refused") }
        members[place].subject.knowUpdates()
        tally.count(.reset)
    }

    /// The end of a workflow task, or its start; now and then any event.
    private mutating func resetPoint(in history: [Event]) -> EventID {
        if random.chance(10) { return EventID(Int64(random.below(history.count + 3))) }
        var points: [EventID] = []
        for event in history {
            guard case .workflowTaskStarted = event.kind else { continue }
            points.append(event.id)
            if event.id.next <= history.last?.id ?? .none { points += [event.id.next, event.id.next] }
        }
        return random.pick(points) ?? .first
    }

    private func reapplied(from base: Int, _ finish: EventID, _ exclusions: ReapplyExclusions) -> [ReappliedFact] {
        var facts: [ReappliedFact] = []
        var next: Int? = base
        while let place = next {
            next = nil
            for event in members[place].history where place != base || event.id >= finish {
                if let fact = ReappliedFact(event, except: exclusions, isOfBase: place == base) { facts.append(fact) }
                if case .workflowExecutionContinuedAsNew(let attributes) = event.kind {
                    let key = members[place].run.key
                    next =
                        places[
                            RunKey(
                                namespace: key.namespace, workflow: key.workflow, run: attributes.newExecutionRunID)]
                }
            }
        }
        return facts
    }
}

extension SeededRun {
    /// The workers of a run that came from a reset know the updates of its base.
    mutating func knowUpdates() {
        for event in driver.history {
            if case .workflowExecutionUpdateAccepted(let accepted) = event.kind {
                runningUpdates.append(accepted.update)
            }
        }
        runningUpdates.removeAll { driver.run.standing(of: $0) != .accepted }
    }
}
