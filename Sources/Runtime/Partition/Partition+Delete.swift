import Engine
import History
import Logging

/// Deleted runs: closed at once, removed from the store when everybody who must hear of the end has heard.
extension Partition {
    func delete(_ target: RunTarget) async throws {
        _ = try await perform(target, .delete(identity: "history-service"), by: "history-service")
    }

    /// Called when everything decided about `hot` so far is stored, or was just loaded.
    func forgetIfDeleted(_ hot: HotRun) {
        guard hot.run.isDeleted, !hot.run.hasMessages, hot.isSettled, !isDraining else { return }
        toForget.append(hot.key)
        courierBell.ring()
    }

    func removeDeleted(_ key: RunKey) async {
        do {
            try await services.runs.removeDeletedRun(key)
            if let hot = runs[key] { forget(hot) }
        } catch {
            services.logger.warning("run not removed", metadata: ["run": "\(key)", "why": "\(error)"])
            await clock.sleep(until: clock.now().advanced(by: Self.retryPause))
            if let hot = runs[key] { forgetIfDeleted(hot) }
        }
    }
}
