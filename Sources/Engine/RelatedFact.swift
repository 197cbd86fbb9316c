import History

/// What other runs tell a run: recorded at once, or kept until the started workflow task ends.
enum RelatedFact: Hashable, Sendable {
    case childStartFailed(StartChildWorkflowFailed)
    case childStarted(ChildWorkflowStarted)
    /// Its started event is filled in when it is recorded.
    case childEnded(ChildWorkflowEnded)
    case cancelFailed(ExternalFailed)
    case cancelRequested(ExternalTold)
    case signalFailed(ExternalFailed)
    case signaled(ExternalTold)

    /// Ends of children move behind everything else that is buffered.
    var isEnd: Bool {
        switch self {
        case .childEnded: true
        case .childStartFailed, .childStarted, .cancelFailed, .cancelRequested, .signalFailed, .signaled: false
        }
    }

    /// The child that it is about.
    var child: EventID? {
        switch self {
        case .childStartFailed(let attributes): attributes.initiatedEventID
        case .childStarted(let attributes): attributes.initiatedEventID
        case .childEnded(let attributes): attributes.initiatedEventID
        case .cancelFailed, .cancelRequested, .signalFailed, .signaled: nil
        }
    }

    /// The event; `childStarted` is the one that recorded the start of the child.
    func event(childStarted: EventID) -> EventKind {
        switch self {
        case .childStartFailed(let attributes): return .childWorkflow(.startFailed(attributes))
        case .childStarted(let attributes): return .childWorkflow(.started(attributes))
        case .childEnded(var attributes):
            attributes.startedEventID = childStarted
            return .childWorkflow(.ended(attributes))
        case .cancelFailed(let attributes): return .externalWorkflow(.cancelFailed(attributes))
        case .cancelRequested(let attributes): return .externalWorkflow(.cancelRequested(attributes))
        case .signalFailed(let attributes): return .externalWorkflow(.signalFailed(attributes))
        case .signaled(let attributes): return .externalWorkflow(.signaled(attributes))
        }
    }

    /// About how much it holds.
    var bytes: Int {
        switch self {
        case .childStartFailed, .cancelFailed, .cancelRequested, .signalFailed, .signaled: 96
        case .childStarted(let attributes): 96 + (attributes.header?.count ?? 0)
        case .childEnded(let attributes):
            switch attributes.end {
            case .completed(let result): 96 + (result?.count ?? 0)
            case .failed(let failure, _): 96 + failure.bytes
            case .canceled(let details): 96 + (details?.count ?? 0)
            case .timedOut, .terminated: 96
            }
        }
    }
}

extension Run {
    /// Notes what the buffer now holds, so that the same is not buffered twice.
    mutating func noteBuffered(_ fact: RelatedFact) {
        switch fact {
        case .childStarted(let attributes):
            children.table.update(attributes.initiatedEventID) { $0.bufferedRun = attributes.execution.run }
        case .childStartFailed(let attributes):
            children.table.update(attributes.initiatedEventID) { $0.endIsBuffered = true }
        case .childEnded(let attributes):
            children.table.update(attributes.initiatedEventID) { $0.endIsBuffered = true }
        case .cancelFailed(let attributes), .signalFailed(let attributes):
            externals.table.update(attributes.initiatedEventID) { $0.answerIsBuffered = true }
        case .cancelRequested(let attributes), .signaled(let attributes):
            externals.table.update(attributes.initiatedEventID) { $0.answerIsBuffered = true }
        }
    }
}
