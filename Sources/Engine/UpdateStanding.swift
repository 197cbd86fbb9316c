public import History

/// Asks a workflow for an update, or attaches to the one with the same id.
public struct UpdateRun: Hashable, Sendable {
    public var id: UpdateID
    /// An encoded `update.v1.Request`.
    public var request: Blob

    public init(id: UpdateID, request: Blob) {
        self.id = id
        self.request = request
    }
}

/// How an update ended.
public enum UpdateEnd: Hashable, Sendable {
    /// An encoded `update.v1.Outcome`.
    case outcome(Blob)
    /// The completion that the history holds in this event.
    case recorded(EventID)
    /// The workflow's validator said no; an encoded `Failure`.
    case rejected(failure: Blob?)
    /// The worker answered the task and not the update: it knows no updates.
    case unprocessed
    /// It was accepted, and the run ended before it did.
    case outlivedRun
}

/// How far an update has come.
public enum UpdateStanding: Hashable, Sendable {
    case admitted
    case accepted
    case completed(UpdateEnd)
    /// It will not be done, and the caller is told why.
    case aborted(Rejection)
}

extension Rejection {
    /// The run goes on as another one, which the caller may ask.
    public static let runIsClosing = Rejection(
        .resourceExhausted(cause: 5), "workflow operation can not be applied because workflow is closing")
    static let updateOutlivedRun = Rejection.notFound("workflow update was aborted by closing workflow")
    static let updateTaskFailed = Rejection(
        .workflowNotReady, "Unable to perform workflow execution update due to unexpected workflow task failure.")
    static let updateOfFailing = Rejection(
        .workflowNotReady, "Unable to perform workflow execution update due to Workflow Task in failed state.")

    static func updatesInFlight(_ most: Int) -> Rejection {
        Rejection(
            .resourceExhausted(cause: 2), "limit on number of concurrent in-flight updates has been reached (\(most))")
    }

    static func updateBytesInFlight(_ most: Int) -> Rejection {
        Rejection(
            .resourceExhausted(cause: 2),
            "limit on total payload size of in-flight updates has been reached (\(most) bytes)")
    }

    static func updatesPerRun(_ most: Int) -> Rejection {
        Rejection(
            .failedPrecondition,
            "The limit on the total number of distinct updates in this workflow has been reached (\(most)). Make sure any "
                + "duplicate updates share an Update ID so the server can deduplicate them, and consider rejecting updates "
                + "that you aren't going to process. You can also Continue-as-New to avoid this; we recommend you check "
                + "Continue-as-New Suggested in your Workflow.")
    }
}
