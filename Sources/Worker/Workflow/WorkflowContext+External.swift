import History
import Replay

extension WorkflowContext {
    /// Another workflow, to signal or to cancel.
    ///
    /// - Parameter runID: nil is whichever run is current when the message arrives.
    public func externalWorkflow(_ id: String, runID: String? = nil) -> ExternalWorkflowHandle {
        ExternalWorkflowHandle(id: id, runID: runID, core: core)
    }
}

/// A workflow that is not a child of this one.
public struct ExternalWorkflowHandle: Sendable {
    /// The type of the ``ApplicationFailure`` that says: there is no such workflow, or it has closed.
    public static let notFoundType = "ExternalWorkflowExecutionNotFound"

    public let id: String
    public let runID: String?
    let core: WorkflowCore

    private var reference: WorkflowReference {
        WorkflowReference(workflow: WorkflowID(id), run: runID.map { RunID($0) })
    }

    /// Sends it a signal; returns when it has recorded it.
    ///
    /// A task that is cancelled while it waits goes on waiting: the signal may have been received.
    /// - Throws: ``ApplicationFailure`` of type ``notFoundType`` when there is no such workflow or it has closed.
    public func signal(_ name: String, _ value: some Encodable) async throws {
        let converter = core.converter.scoped(namespace: core.namespace, workflowID: id)
        try await core.signal(
            SignalExternal(
                execution: reference, signalName: name, input: Blob(try converter.arguments([value]))))
    }

    /// Sends it a signal without a value.
    public func signal(_ name: String) async throws {
        try await core.signal(SignalExternal(execution: reference, signalName: name))
    }

    /// Asks it to cancel itself; returns when it has recorded the request.
    ///
    /// - Throws: ``ApplicationFailure`` of type ``notFoundType`` when there is no such workflow or it has closed.
    public func cancel(reason: String = "") async throws {
        try await core.admitWait()
        let future = core.machine.requestCancelExternal(RequestCancelExternal(execution: reference, reason: reason))
        try await core.wait(forAnswer: future, refusal: "Unable to cancel external workflow because not found")
    }
}

extension WorkflowCore {
    func signal(_ command: SignalExternal) async throws {
        try await admitWait()
        let future = machine.signalExternal(try intercepted(command))
        try await wait(
            forAnswer: future, refusal: "Unable to signal external workflow because it was not found")
    }

    /// Waits for what another workflow's server says to a signal or a cancel request.
    func wait(forAnswer future: FutureID, refusal: String) async throws {
        switch try await wait(for: future) {
        case .externalTold: return
        case .externalFailed(let cause):
            switch cause {
            case .notFound:
                throw ApplicationFailure(refusal, type: ExternalWorkflowHandle.notFoundType, isNonRetryable: true)
            case .namespaceNotFound:
                throw ApplicationFailure("namespace not found", type: "NamespaceNotFound", isNonRetryable: true)
            case .signalCountLimitExceeded:
                throw ApplicationFailure(
                    "the workflow has got too many signals", type: "SignalCountLimitExceeded", isNonRetryable: true)
            }
        case .externalCanceled: throw CanceledFailure("Canceled before it was sent")
        case .activityCompleted, .activityFailed, .activityTimedOut, .activityCanceled, .timerFired, .timerCanceled,
            .childStarted, .childStartFailed, .childEnded, .localActivity:
            throw WorkflowMisuse("future \(future) is an answer of another workflow")
        }
    }
}
