import Engine
import History

extension Partition {
    /// Starts a workflow, or uses the one that runs, and asks it for an update: the first workflow task of a new run carries
    /// it (protocol.md 1.10).
    ///
    /// - Throws: ``UpdateWithStartFailure``; ``StoreError``.
    func updateWithStart(
        _ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest, deadline: Timestamp
    ) async throws -> UpdateWithStartResult {
        let until = min(deadline, clock.now().advanced(by: configuration.updateWait))
        var attempts = 0
        while true {
            attempts += 1
            let companion = UpdateCompanion(update)
            let started: StartWorkflowResult
            do {
                started = try await self.start(start, with: companion)
            } catch let rejection as Rejection {
                if let wait = companion.wait { giveUp(wait) }
                guard let refusal = companion.refusal else { throw UpdateWithStartFailure.start(rejection) }
                throw UpdateWithStartFailure.update(refusal, started: false)
            } catch {
                if let wait = companion.wait { giveUp(wait) }
                throw error
            }
            guard let wait = companion.wait else { throw StoreError.unavailable("the update was not admitted") }
            do {
                if let result = try await end(of: wait, until: until) {
                    return UpdateWithStartResult(start: started, update: result)
                }
                // Forgotten with the run's memory: asked for again under the same id.
                var again = update
                again.target.run = started.run
                return UpdateWithStartResult(start: started, update: try await self.update(again, deadline: deadline))
            } catch let rejection as Rejection {
                // The run that was there closed before it saw the update: the next attempt begins another, once.
                if !started.started, attempts == 1, rejection.mayBeOfAnotherRun, clock.now() < until { continue }
                throw UpdateWithStartFailure.update(rejection, started: started.started)
            }
        }
    }
}

/// The update that goes with a start: asked for as soon as it is known which run takes it, before anything is awaited.
final class UpdateCompanion {
    let request: UpdateWorkflowRequest
    private(set) var wait: UpdateWait?
    private(set) var refusal: Rejection?

    init(_ request: UpdateWorkflowRequest) { self.request = request }

    /// Does this run know the update already? Then nothing is started.
    func isKnown(to hot: HotRun) -> Bool { hot.run.standing(of: request.update.id) != nil }

    func ask(_ hot: HotRun, in partition: isolated Partition) throws(Rejection) {
        if let wait { partition.giveUp(wait) }
        wait = nil
        do throws(Rejection) {
            wait = try partition.ask(hot, request)
        } catch {
            refusal = error
            throw error
        }
    }
}

extension Rejection {
    /// Was the update refused only because its run was ending?
    fileprivate var mayBeOfAnotherRun: Bool {
        self == .runIsClosing || self == .notFound("workflow update was aborted by closing workflow")
            || self == .notFound("workflow execution already completed")
    }
}
