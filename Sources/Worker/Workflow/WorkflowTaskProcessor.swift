import Foundation
import History
import Logging
import Replay
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Runs workflow code for workflow tasks: continues runs that are in memory, rebuilds the others from their history.
///
/// Safe to call from many tasks at the same time; tasks of one run are worked on one after another. The work itself is done
/// on the calling thread.
final class WorkflowTaskProcessor: WorkflowTaskProcessing {
    typealias Task = Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse

    static let sdkName = "aloft-swift"
    static let sdkVersion = "0.1.0"

    private let workflows: WorkflowTypes
    private let interceptors: [any WorkerInterceptor]
    let clock: any Clock<Duration>
    private let namespace: String
    private let converter: DataConverter
    private let log: Logger
    private let cache: RunCache

    /// - Parameters:
    ///   - workflows: Of two with the same name the later one counts.
    ///   - cachedRunsMax: Runs kept in memory between their tasks; 0 replays every time.
    init(
        workflows: [RegisteredWorkflow], namespace: String, converter: DataConverter = .default,
        cachedRunsMax: Int = 1000, interceptors: [any WorkerInterceptor] = [],
        clock: any Clock<Duration> = ContinuousClock(), log: Logger = Logger(label: "workflows")
    ) {
        self.workflows = WorkflowTypes(workflows)
        self.interceptors = interceptors
        self.clock = clock
        self.namespace = namespace
        self.converter = converter
        self.log = log
        self.cache = RunCache(capacity: cachedRunsMax)
    }

    var cachedRuns: Int { cache.count }
    /// Runs stay in memory between their tasks.
    var keepsRuns: Bool { cache.capacity > 0 }

    func process(_ task: Task, history: any HistoryPages) async -> WorkflowTaskAnswer {
        let run = task.workflowExecution.runID
        let cached = await cache.take(run)
        let work = await Work(task: task, cached: cached, processor: self).prepare(history)
        var keep: WorkflowCore?
        defer { giveBack(run, keep) }
        switch work {
        case .ready(let core, let steps):
            let (answer, isKept) =
                task.hasQuery
                ? answerQuery(task, core, steps) : await self.answer(task, core, steps, history)
            if isKept { keep = core } else { core.evict() }
            return answer
        case .failed(let problem): return failed(task, problem)
        case .unreachable(let failure):
            log.warning("history could not be fetched", metadata: metadata(task, ["error": "\(failure)"]))
            return .dropped
        }
    }

    func evict(runID: String) async {
        await cache.take(runID)?.evict()
        giveBack(runID, nil)
    }

    func forgetTask(runID: String, backTo started: Int64) async {
        let core = await cache.take(runID)
        core?.machine.forgetTask(backTo: EventID(started))
        giveBack(runID, core)
    }

    private func giveBack(_ run: String, _ core: WorkflowCore?) {
        let unclean = cache.giveBack(run, core)
        if unclean > 0 { log.error("an evicted workflow did not end", metadata: ["count": "\(unclean)"]) }
    }

    /// A fresh state for the task's run.
    func makeCore(_ task: Task) throws(WorkflowTaskProblem) -> WorkflowCore {
        let type = task.workflowType.name
        guard let workflow = workflows.workflow(ofType: type) else {
            throw WorkflowTaskProblem(
                cause: .workflowWorkerUnhandledFailure,
                error: ApplicationFailure("workflow type \(type) is not registered with this worker", type: "NotFound"))
        }
        let core = WorkflowCore(
            body: workflow.makeBody(), workflowType: type, namespace: namespace,
            workflowID: task.workflowExecution.workflowID, runID: task.workflowExecution.runID, converter: converter,
            log: log)
        core.interceptorSources = interceptors
        return core
    }

    // MARK: Answers

    private func answer(
        _ task: Task, _ core: WorkflowCore, _ history: HistorySteps, _ surroundings: any HistoryPages
    ) async -> (WorkflowTaskAnswer, isKept: Bool) {
        let began = ContinuousClock.now
        do {
            guard let last = history.steps.last, !last.isCompleted, last.startedEvent.value == task.startedEventID
            else {
                throw WorkflowTaskProblem(
                    cause: .workflowWorkerUnhandledFailure,
                    error: Corruption("history does not end with the start of task \(task.startedEventID)"))
            }
            for index in history.steps.indices.dropLast() {
                _ = try core.activate(history.steps[index], answer: history.answer(to: index))
            }
            try core.begin(
                last, answer: history.rest, messages: task.messages.map(ProtocolMessageCodec.decode))
            var completion = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest()
            switch try await attend(core, surroundings, began: began) {
            case .settled: break
            case .mustKeepAlive: completion.forceCreateNewWorkflowTask = true
            case .abandoned: return (.dropped, isKept: false)
            }
            let round = try core.conclude()
            if round.isClosing { core.desk.stopAll() }
            completion.versioningBehavior =
                .init(rawValue: workflows.versioning(ofType: core.workflowType)) ?? .unspecified
            completion.commands = round.commands.map(CommandCodec.encode)
            completion.messages = round.messages.map(ProtocolMessageCodec.encode)
            for (id, query) in task.queries { completion.queryResults[id] = queryResult(query, core) }
            if task.previousStartedEventID == 0 { completion.sdkMetadata = Self.sdkMetadata }
            return (.completed(completion), isKept: !round.isClosing)
        } catch let problem as WorkflowTaskProblem {
            return (failed(task, problem), isKept: false)
        } catch {
            return (
                failed(task, WorkflowTaskProblem(cause: .workflowWorkerUnhandledFailure, error: error)), isKept: false
            )
        }
    }

    private func answerQuery(
        _ task: Task, _ core: WorkflowCore, _ history: HistorySteps
    ) -> (WorkflowTaskAnswer, isKept: Bool) {
        var request = Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedRequest()
        do {
            for index in history.steps.indices where history.steps[index].isCompleted {
                _ = try core.activate(history.steps[index], answer: history.answer(to: index))
            }
        } catch {
            request.completedType = .failed
            request.errorMessage = "\(error.error)"
            request.failure = Data(core.converter.failure(for: error.error))
            return (.query(request), isKept: false)
        }
        let result = queryResult(task.query, core)
        request.completedType = result.resultType
        request.errorMessage = result.errorMessage
        if result.hasAnswer { request.queryResult = result.answer }
        if result.hasFailure { request.failure = result.failure }
        return (.query(request), isKept: core.outcome == nil)
    }

    private func queryResult(
        _ query: Temporal_Api_Query_V1_WorkflowQuery, _ core: WorkflowCore
    ) -> Temporal_Api_Query_V1_WorkflowQueryResult {
        var result = Temporal_Api_Query_V1_WorkflowQueryResult()
        let header = query.hasHeader ? (try? Payload.fields(wire: query.header)) ?? [:] : [:]
        switch core.query(query.queryType, query.hasQueryArgs ? Blob([UInt8](query.queryArgs)) : nil, header: header) {
        case .answered(let bytes):
            result.resultType = .answered
            result.answer = Data(bytes)
        case .failed(let error):
            result.resultType = .failed
            result.errorMessage = (error as? any TemporalFailure)?.message ?? "\(error)"
            result.failure = Data(core.converter.failure(for: error))
        }
        return result
    }

    private func failed(_ task: Task, _ problem: WorkflowTaskProblem) -> WorkflowTaskAnswer {
        log.warning(
            "workflow task failed",
            metadata: metadata(task, ["cause": "\(problem.cause)", "error": "\(problem.error)"]))
        let converter = converter.scoped(namespace: namespace, workflowID: task.workflowExecution.workflowID)
        let failure = Data(converter.failure(for: problem.error))
        if task.hasQuery {
            var request = Temporal_Api_Workflowservice_V1_RespondQueryTaskCompletedRequest()
            request.completedType = .failed
            request.errorMessage = "\(problem.error)"
            request.failure = failure
            return .query(request)
        }
        var request = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest()
        request.cause =
            Temporal_Api_Enums_V1_WorkflowTaskFailedCause(rawValue: Int(problem.cause.rawValue)) ?? .unspecified
        request.failure = failure
        return .failed(request)
    }

    private func metadata(_ task: Task, _ more: Logger.Metadata) -> Logger.Metadata {
        more.merging([
            "workflow": "\(task.workflowExecution.workflowID)", "run": "\(task.workflowExecution.runID)",
            "type": "\(task.workflowType.name)",
        ]) { first, _ in first }
    }

    private static let sdkMetadata: Data = {
        var metadata = Temporal_Api_Sdk_V1_WorkflowTaskCompletedMetadata()
        // What Temporal's SDK core must know to replay our histories: ids and types agree, and a patch also writes its attribute.
        metadata.coreUsedFlags = [1, 2]
        metadata.sdkName = sdkName
        metadata.sdkVersion = sdkVersion
        return (try? metadata.serializedBytes()) ?? Data()
    }()
}

extension HistorySteps {
    /// The events that record the answer to a step.
    func answer(to index: Int) -> ArraySlice<Event> {
        index + 1 < steps.count ? steps[index + 1].events : rest
    }
}
