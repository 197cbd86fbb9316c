import Engine
import History

extension Partition {
    func describe(_ target: RunTarget) async throws -> RunDescription {
        guard isOwned(target) else {
            let found = try await readStored(target)
            return RunDescription(summary: found.summary, state: found.run, transitionCount: found.version)
        }
        let hot = try await resident(target)
        // Show nothing that is not stored; a busy run is shown as it is after its next commit.
        if !hot.isSettled { try await stored(hot) }
        return RunDescription(summary: hot.summary(), state: hot.run, transitionCount: hot.version ?? 0)
    }

    private func isOwned(_ target: RunTarget) -> Bool {
        (try? ownedLane(of: WorkflowKey(namespace: target.namespace, workflow: target.workflow))) != nil
    }

    /// A page of a run's history; waits for new events, or for the last one, until `deadline` when asked to.
    func history(_ request: HistoryRequest, deadline: Timestamp) async throws -> HistoryPage {
        let most = services.limits.historyPageEventsMax
        let limit = request.limit <= 0 ? most : min(request.limit, most)
        guard isOwned(request.target) else { return try await storedHistory(request, limit: limit) }
        let until = min(deadline, clock.now().advanced(by: configuration.historyWait))
        var target = request.target
        while true {
            let hot = try await resident(target)
            target.run = hot.key.run
            let isClosed = hot.run.status?.isOpen == false && hot.durableLast == hot.run.lastEventID
            switch request.filter {
            case .closeEvent:
                if isClosed {
                    let last = hot.durableLast
                    let events = try await bodies(of: hot, from: last, through: last, limit: 1)
                    return HistoryPage(run: hot.key, events: events, next: nil, isOpen: false)
                }
                if !request.waitForNew { return HistoryPage(run: hot.key, events: [], next: nil, isOpen: true) }
            case .allEvents:
                let isEmpty = request.first > hot.durableLast
                if !isEmpty || isClosed || !request.waitForNew || request.last != .none {
                    return try await page(of: hot, request, limit: limit, isClosed: isClosed)
                }
            }
            if try await wait(for: hot, until: until) { continue }
            let next = request.filter == .closeEvent ? hot.durableLast.next : request.first
            return HistoryPage(run: hot.key, events: [], next: next, isOpen: true)
        }
    }

    /// Waits until events of `hot` were stored (or it left memory); `false` when the time is up.
    private func wait(for hot: HotRun, until deadline: Timestamp) async throws -> Bool {
        guard !hot.isDropped else { return true }
        let ticket = services.readers.open()
        hot.readers.append(ticket)
        if await services.readers.wait(ticket, until: deadline) != nil { return true }
        hot.readers.removeAll { $0 == ticket }
        return false
    }

    private func page(of hot: HotRun, _ request: HistoryRequest, limit: Int, isClosed: Bool) async throws -> HistoryPage
    {
        let durable = hot.durableLast
        let upper = request.last == .none ? durable : min(request.last, durable)
        if request.newestFirst {
            let lower = max(EventID(upper.value - Int64(limit) + 1), request.first)
            guard lower <= upper else { return HistoryPage(run: hot.key, events: [], next: nil, isOpen: !isClosed) }
            let events = try await bodies(of: hot, from: lower, through: upper, limit: limit)
            let next = lower > request.first ? lower.previous : nil
            return HistoryPage(run: hot.key, events: events.reversed(), next: next, isOpen: !isClosed)
        }
        let unrecorded = hot.run.lastEventID == durable ? hot.run.unrecordedEvents : []
        var events: [[UInt8]] = []
        if request.first <= upper {
            events = try await bodies(of: hot, from: request.first, through: upper, limit: limit)
        }
        let next = EventID(request.first.value + Int64(events.count))
        if next <= upper { return HistoryPage(run: hot.key, events: events, next: next, isOpen: !isClosed) }
        if request.waitForNew, request.last == .none {
            return HistoryPage(run: hot.key, events: events, next: isClosed ? nil : next, isOpen: !isClosed)
        }
        // The end: a started workflow task is shown although it is not stored yet.
        for event in unrecorded where event.id >= request.first && (request.last == .none || event.id <= request.last) {
            events.append(services.encoder.encodePending(event))
        }
        return HistoryPage(run: hot.key, events: events, next: nil, isOpen: !isClosed)
    }

    /// The history of a run that another node writes: what is stored of it, without waiting.
    private nonisolated func storedHistory(_ request: HistoryRequest, limit: Int) async throws -> HistoryPage {
        let (summary, run, _) = try await readStored(request.target)
        let isOpen = summary.status.isOpen
        let end = run.lastEventID
        var first = request.first
        let upper = request.last == .none ? end : min(request.last, end)
        if request.filter == .closeEvent {
            if isOpen {
                return HistoryPage(
                    run: summary.key, events: [], next: request.waitForNew ? end.next : nil, isOpen: true)
            }
            first = end
        }
        let events = try await services.runs.readEvents(
            summary.key, from: first, through: upper, limit: limit, newestFirst: request.newestFirst)
        var next: EventID?
        if let last = events.last?.id {
            if request.newestFirst {
                next = last > first ? last.previous : nil
            } else {
                next = last < upper ? last.next : nil
            }
        }
        if next == nil, isOpen, request.waitForNew {
            next = max(first, end.next)
            // Nobody tells this node of new events: keep the caller from asking again at once.
            if events.isEmpty { await services.clock.sleep(until: services.clock.now().advanced(by: Self.retryPause)) }
        }
        return HistoryPage(run: summary.key, events: events.map(\.body), next: next, isOpen: isOpen)
    }

    /// Does what is stored of a run agree with itself? Folds the events again, compares with the snapshot, walks the hash chain.
    ///
    /// Reads the whole history; for tests and the command line.
    nonisolated func verify(_ target: RunTarget) async throws -> [String] {
        let stored = try await services.runs.loadRun(
            namespace: target.namespace, workflow: target.workflow, run: target.run)
        guard let stored else { throw Rejection.workflowNotFound(target) }
        return try await RunVerifier(runs: services.runs, encoder: services.encoder).verify(stored).problems
    }

    /// A failure that the server made comes back from storage as bytes: the same start, written differently.
    private nonisolated func isSameStart(_ run: Run, _ fold: Run) -> Bool {
        guard let here = run.started, let there = fold.started, here != there, run.lastEventID == fold.lastEventID,
            run.status == fold.status
        else { return false }
        func encoded(_ started: WorkflowExecutionStarted) -> [UInt8] {
            services.encoder.encode(Event(id: .first, time: run.startTime, kind: .workflowExecutionStarted(started)))
        }
        return encoded(here) == encoded(there)
    }

    func snapshotOfMetrics() -> HostMetrics {
        var copy = metrics
        copy.hotRuns = runs.count
        copy.lanesOwned = lanes.count
        copy.waitingTransitions = waitingTransitions
        return copy
    }
}
