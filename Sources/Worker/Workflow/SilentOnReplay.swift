import Logging

/// Knows whether a run is replaying; weak, so that a logger kept too long keeps no run.
final class ReplayGate: @unchecked Sendable {
    private weak var core: WorkflowCore?
    init(core: WorkflowCore) { self.core = core }
    var isOpen: Bool {
        guard let core else { return false }
        return !core.isReplaying && !core.isEvicted
    }
}

/// A log handler that says everything once: the first time the code runs, and not when history is replayed.
struct SilentOnReplay: LogHandler {
    var base: any LogHandler
    let gate: ReplayGate

    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        guard gate.isOpen else { return }
        base.log(event: event)
    }
}
