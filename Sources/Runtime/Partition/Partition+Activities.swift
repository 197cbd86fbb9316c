import Engine
import History

extension Partition {
    /// A poller takes an attempt of an activity; stored before the worker sees it.
    ///
    /// - Throws: ``Rejection`` `notFound` for a stale offer: drop it and try the next.
    func startActivity(_ offer: ActivityTaskOffer, of key: RunKey, identity: String) async throws -> PolledActivityTask
    {
        let command = StartActivity(
            scheduledEventID: offer.scheduledEventID, attempt: offer.attempt, stamp: offer.stamp, identity: identity,
            requestID: RequestID(services.ids.uuid()))
        let (_, transition) = try await perform(RunTarget(key), .startActivity(command), by: identity)
        guard case .activity(let started) = transition.reply else {
            throw Rejection.notFound("activity task not found")
        }
        return PolledActivityTask(activity: started)
    }

    /// Any command whose answer is that it was done.
    func tell(_ target: RunTarget, _ command: RunCommand, by actor: String) async throws {
        let (_, transition) = try await perform(target, command, by: actor)
        if case .rejected(let rejection) = transition.reply { throw rejection }
    }

    func heartbeat(_ target: RunTarget, _ heartbeat: HeartbeatActivity) async throws -> HeartbeatResult {
        let (_, transition) = try await perform(target, .heartbeatActivity(heartbeat), by: heartbeat.identity)
        guard case .heartbeat(let cancelRequested, let paused, let reset) = transition.reply else {
            return HeartbeatResult(cancelRequested: false)
        }
        return HeartbeatResult(cancelRequested: cancelRequested, paused: paused, reset: reset)
    }
}
