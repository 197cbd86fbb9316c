import Engine
import History

/// Updates: admitted in memory, carried to the worker by a workflow task, answered when what the worker said is stored.
///
/// A run that leaves memory forgets the updates that nobody has accepted; their callers ask again, under the same id.
extension Partition {
    /// Asks for an update, or attaches to the one with this id, and waits until it has come far enough or the time is over.
    func update(_ request: UpdateWorkflowRequest, deadline: Timestamp) async throws -> UpdateWorkflowResult {
        let until = min(deadline, clock.now().advanced(by: configuration.updateWait))
        let workflow = WorkflowKey(namespace: request.target.namespace, workflow: request.target.workflow)
        var retries = 0
        var run: RunID?
        while true {
            do {
                let hot = try await resident(request.target)
                run = hot.key.run
                let asked = Result { () throws(Rejection) in try ask(hot, request) }
                guard let wait = try? asked.get() else {
                    // Even a refusal may rest on something that is not stored yet.
                    try await stored(hot)
                    _ = try asked.get()
                    continue
                }
                if let result = try await end(of: wait, until: until) { return result }
            } catch let rejection as Rejection where rejection == .runIsClosing && request.target.run == nil {
                // The next run of the workflow id takes it, once there is one.
                guard let next = currents[workflow], next != run, clock.now() < until else { throw rejection }
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    /// Waits for an update that was asked for before.
    ///
    /// - Parameter stage: nil asks only how far it has come.
    func pollUpdate(
        _ target: RunTarget, _ update: UpdateID, stage: UpdateStage?, deadline: Timestamp
    ) async throws -> UpdateWorkflowResult {
        let until = min(deadline, clock.now().advanced(by: configuration.updateWait))
        var retries = 0
        while true {
            do {
                let hot = try await resident(target)
                guard let standing = hot.run.standing(of: update) else {
                    try await stored(hot)
                    throw Rejection.notFound("update \"\(update)\" not found")
                }
                let wait = wait(for: update, at: standing, until: stage ?? .admitted, of: hot)
                if let result = try await end(of: wait, until: until) { return result }
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    /// Admits the update and begins to wait; awaits nothing, so that no news is missed.
    func ask(_ hot: HotRun, _ request: UpdateWorkflowRequest) throws(Rejection) -> UpdateWait {
        let transition = try decide(hot, .update(request.update), by: request.actor)
        guard case .update(let standing) = transition.reply else {
            preconditionFailure("the answer to an update is how far it has come")
        }
        return wait(for: request.update.id, at: standing, until: request.stage, of: hot)
    }

    func wait(for update: UpdateID, at standing: UpdateStanding, until stage: UpdateStage, of hot: HotRun) -> UpdateWait
    {
        var ticket: ParkingLot<UpdateNews>.Ticket?
        if !standing.reaches(stage) {
            let opened = services.updates.open()
            hot.updateWaiters.append(UpdateWaiter(update: update, stage: stage, ticket: opened))
            ticket = opened
        }
        return UpdateWait(hot: hot, update: update, stage: stage, standing: standing, ticket: ticket)
    }

    /// Nobody waits for this any more.
    func giveUp(_ wait: UpdateWait) {
        guard let ticket = wait.ticket else { return }
        wait.hot.updateWaiters.removeAll { $0.ticket == ticket }
        services.updates.close(ticket)
    }

    /// How far the update came until it reached its stage or the time was over; nil when it was forgotten meanwhile.
    func end(of wait: UpdateWait, until deadline: Timestamp) async throws -> UpdateWorkflowResult? {
        let hot = wait.hot
        var standing = wait.standing
        if let ticket = wait.ticket {
            let news = await services.updates.wait(ticket, until: deadline)
            hot.updateWaiters.removeAll { $0.ticket == ticket }
            switch news {
            case .moved(let moved): standing = moved
            case .lost: return nil
            case nil: standing = hot.run.standing(of: wait.update) ?? standing
            }
        }
        try await stored(hot)
        switch standing {
        case .admitted: return UpdateWorkflowResult(run: hot.key, stage: .admitted)
        case .accepted: return UpdateWorkflowResult(run: hot.key, stage: .accepted)
        case .completed(let end):
            return UpdateWorkflowResult(run: hot.key, stage: .completed, end: try await told(end, of: hot))
        case .aborted(let rejection): throw rejection
        }
    }

    /// The end of an update in full: what stands in the history is read there.
    private func told(_ end: UpdateEnd, of hot: HotRun) async throws -> UpdateEnd {
        guard case .recorded(let id) = end else { return end }
        guard let body = try await bodies(of: hot, from: id, through: id, limit: 1).first,
            case .workflowExecutionUpdateCompleted(let completed) = try services.encoder.decode(body).kind
        else { throw StoreError.corrupt("run \(hot.key): event \(id) completes no update") }
        return .outcome(completed.outcome)
    }

    /// Tells those who wait for `update`, if it has come far enough for them.
    func tellWaiters(of hot: HotRun, _ update: UpdateID, _ standing: UpdateStanding) {
        guard !hot.updateWaiters.isEmpty else { return }
        hot.updateWaiters.removeAll { waiter in
            guard waiter.update == update, standing.reaches(waiter.stage) else { return false }
            services.updates.resolve(waiter.ticket, .moved(standing))
            return true
        }
    }

    /// The run leaves memory: everybody who waits asks again.
    func loseUpdateWaiters(of hot: HotRun) {
        for waiter in hot.updateWaiters { services.updates.resolve(waiter.ticket, .lost) }
        hot.updateWaiters = []
    }
}
