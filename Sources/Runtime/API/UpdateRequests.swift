public import Engine
public import History

/// How far an update has to come before its caller is answered.
public enum UpdateStage: Int32, Sendable, Hashable, Comparable {
    case admitted = 1
    case accepted = 2
    case completed = 3

    public static func < (left: UpdateStage, right: UpdateStage) -> Bool { left.rawValue < right.rawValue }
}

public struct UpdateWorkflowRequest: Sendable {
    public var target: RunTarget
    public var update: UpdateRun
    public var stage: UpdateStage
    public var actor: String
    public init(target: RunTarget, update: UpdateRun, stage: UpdateStage, actor: String = "") {
        self.target = target
        self.update = update
        self.stage = stage
        self.actor = actor
    }
}

/// How far an update has come; `end` is set exactly when `stage` is completed, and is never `.recorded`.
public struct UpdateWorkflowResult: Sendable, Hashable {
    public var run: RunKey
    public var stage: UpdateStage
    public var end: UpdateEnd?
    public init(run: RunKey, stage: UpdateStage, end: UpdateEnd? = nil) {
        self.run = run
        self.stage = stage
        self.end = end
    }
}

public struct UpdateWithStartResult: Sendable {
    public var start: StartWorkflowResult
    public var update: UpdateWorkflowResult
    public init(start: StartWorkflowResult, update: UpdateWorkflowResult) {
        self.start = start
        self.update = update
    }
}

/// Why an update-with-start came to nothing: one of the two was refused.
public enum UpdateWithStartFailure: Error, Sendable, Hashable {
    case start(Rejection)
    /// `started`: the run was begun all the same.
    case update(Rejection, started: Bool)
}
