public import History
public import Logging
import Replay
import TemporalCodec

/// What a replay of a history with today's code found.
public struct ReplayReport: Sendable, Hashable {
    /// The first place where the code went another way.
    public struct Divergence: Sendable, Hashable, CustomStringConvertible {
        public var eventID: Int64
        /// What the history records there.
        public var expected: String
        /// What the code did.
        public var actual: String
        public var description: String { "event \(eventID): history has \(expected), the code gave \(actual)" }
    }
    /// nil when code and history agree.
    public var divergence: Divergence?
    /// The workflow, or the file, that was replayed.
    public var source = ""
    /// Events that were replayed.
    public var events: Int
    /// Workflow tasks that were run again.
    public var workflowTasks: Int
    /// Commands that were compared with their events.
    public var commands: Int
    /// The event that closed the run, if one did.
    public var closeEvent: String?

    public var isIdentical: Bool { divergence == nil }
}

/// Runs workflow code against recorded histories, without a server, and reports the first difference.
public struct WorkflowReplayer: Sendable {
    private let workflows: WorkflowTypes
    private let converter: DataConverter
    private let interceptors: [any WorkerInterceptor]
    private let log: Logger

    /// - Parameter converter: Must read the payloads of the histories.
    public init(
        workflows: [RegisteredWorkflow], converter: DataConverter = .default,
        interceptors: [any WorkerInterceptor] = [], log: Logger = Logger(label: "replay")
    ) {
        self.interceptors = interceptors
        self.workflows = WorkflowTypes(workflows)
        self.converter = converter
        self.log = log
    }

    /// Replays a history from its encoded `temporal.api.history.v1.HistoryEvent`s.
    ///
    /// - Throws: ``WorkflowReplayer/Unreplayable`` when the history cannot be read or its workflow type is not known.
    public func replay(
        encoded events: [[UInt8]], namespace: String = "default", workflowID: String, runID: String
    ) throws(Unreplayable) -> ReplayReport {
        var decoded: [Event] = []
        var ignored: Set<EventID> = []
        for bytes in events {
            do {
                decoded.append(try EventCodec.decode(bytes))
            } catch {
                guard error.workerMayIgnore else { throw Unreplayable(reason: error.description) }
                ignored.insert(error.id)
            }
        }
        return try replay(decoded, ignored: ignored, namespace: namespace, workflowID: workflowID, runID: runID)
    }

    /// Replays a whole history, from its first event; it may be that of an open run.
    ///
    /// - Parameter ignored: Events left out because a worker may pass over them.
    /// - Throws: ``WorkflowReplayer/Unreplayable`` when the history contradicts itself or its workflow type is not known.
    public func replay(
        _ events: [Event], ignored: Set<EventID> = [], namespace: String = "default", workflowID: String, runID: String
    ) throws(Unreplayable) -> ReplayReport {
        guard let first = events.first, case .workflowExecutionStarted(let started) = first.kind else {
            throw Unreplayable(reason: "a history begins with WorkflowExecutionStarted")
        }
        guard let workflow = workflows.workflow(ofType: started.workflowType) else {
            throw Unreplayable(reason: "workflow type \(started.workflowType) is not registered")
        }
        let history: HistorySteps
        do { history = try HistorySteps(events, ignored: ignored) } catch {
            throw Unreplayable(reason: error.description)
        }
        let core = WorkflowCore(
            body: workflow.makeBody(), workflowType: started.workflowType, namespace: namespace, workflowID: workflowID,
            runID: runID, converter: converter, log: log)
        defer { core.evict() }
        core.interceptorSources = interceptors
        core.machine.ignoredEvents = ignored
        var report = ReplayReport(source: workflowID, events: events.count, workflowTasks: 0, commands: 0)
        report.closeEvent = events.last { $0.kind.closesRun != nil }?.kind.typeName
        var at = first.id
        do {
            for index in history.steps.indices where history.steps[index].isCompleted {
                at = history.steps[index].startedEvent
                let round = try core.activate(history.steps[index], answer: history.answer(to: index))
                report.workflowTasks += 1
                report.commands += round.commands.count
            }
            if history.steps.last?.isCompleted == true { try core.verify(rest: history.rest) }
        } catch {
            report.divergence = try divergence(error, at: at)
            return report
        }
        report.divergence = resultDivergence(events, core)
        return report
    }

    private func divergence(_ problem: WorkflowTaskProblem, at event: EventID) throws(Unreplayable)
        -> ReplayReport.Divergence
    {
        switch problem.error {
        case let difference as Nondeterminism:
            return .init(eventID: difference.eventID.value, expected: difference.expected, actual: difference.actual)
        case let corruption as Corruption: throw Unreplayable(reason: corruption.description)
        default:
            return .init(eventID: event.value, expected: "a workflow task that succeeded", actual: "\(problem.error)")
        }
    }

    /// The same commands may still have carried another result.
    private func resultDivergence(_ events: [Event], _ core: WorkflowCore) -> ReplayReport.Divergence? {
        guard let close = events.last(where: { $0.kind.closesRun != nil }), let outcome = core.outcome else {
            return nil
        }
        switch (close.kind, outcome) {
        case (.workflowExecutionCompleted(let completed), .returned(let result)):
            let recorded = (try? core.converter.openedPayloads(wire: completed.result?.bytes ?? [])) ?? []
            let replayed = (try? core.converter.openedPayloads(wire: result)) ?? []
            guard recorded != replayed else { return nil }
            return .init(
                eventID: close.id.value, expected: "a result of \(recorded.first?.data.count ?? 0) bytes",
                actual: "another one of \(replayed.first?.data.count ?? 0) bytes")
        case (.workflowExecutionFailed(let failed), .threw(let error)):
            let replayed = core.converter.error(fromFailure: core.converter.failure(for: error))
            let recorded = core.error(for: failed.failure)
            guard "\(recorded)" != "\(replayed)" else { return nil }
            return .init(eventID: close.id.value, expected: "\(recorded)", actual: "\(replayed)")
        default: return nil
        }
    }

    /// The history cannot be replayed at all, whatever the code.
    public struct Unreplayable: Error, Hashable, Sendable, CustomStringConvertible {
        public let reason: String
        public var description: String { "cannot replay: \(reason)" }
    }
}
