import Worker

/// Keeps an attempt alive at the server while it runs, so that a dead worker is noticed soon.
enum ActivityPulse {
    static func beat(_ context: ActivityContext) async {
        guard let limit = context.info.heartbeatTimeout else { return }
        while !Task.isCancelled {
            context.heartbeat()
            do {
                try await Task.sleep(for: limit / 4)
            } catch {
                return
            }
        }
    }
}
