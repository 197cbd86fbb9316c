import Foundation
import History
import Logging
import Synchronization
import TemporalAPI
import TemporalCodec

@testable import Worker

/// A server for one run, played by a test: it keeps the history, hands out workflow tasks and records the answers.
final class PlayedRun {
    typealias Poll = Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse
    typealias Completion = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest

    let workflowType: String
    let workflowID: String
    let runID: String
    private(set) var events: [Event] = []
    private(set) var now = Timestamp(nanoseconds: 1_800_000_000_000_000_000)
    private var completedStart: EventID = .none
    private var openStart: EventID = .none
    private var scheduledActivities: [String: EventID] = [:]
    private var startedTimers: [String: EventID] = [:]
    let processor: WorkflowTaskProcessor

    init(
        _ workflows: [RegisteredWorkflow], type: String? = nil, input: (any Encodable)? = nil,
        runID: String = UUID().uuidString,
        cachedRunsMax: Int = 10, log: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws {
        workflowType = type ?? workflows[0].name
        workflowID = "wf"
        self.runID = runID.lowercased()
        processor = WorkflowTaskProcessor(
            workflows: workflows, namespace: "default", cachedRunsMax: cachedRunsMax, log: log)
        add(
            .workflowExecutionStarted(
                WorkflowExecutionStarted(
                    workflowType: workflowType, workflowID: WorkflowID(workflowID), taskQueue: TaskQueue("queue"),
                    input: try input.map { Blob(try DataConverter.default.arguments([$0])) },
                    workflowTaskTimeout: .seconds(10), originalExecutionRunID: RunID(self.runID),
                    firstExecutionRunID: RunID(self.runID))))
    }

    func advance(_ span: TimeSpan) { now = now.advanced(by: span) }

    @discardableResult
    func add(_ kind: EventKind) -> EventID {
        let id = EventID(Int64(events.count) + 1)
        now = now.advanced(by: .milliseconds(1))
        events.append(Event(id: id, time: now, kind: kind))
        return id
    }

    // MARK: What happens outside

    func signal(_ name: String, _ value: any Encodable) throws {
        let input = Blob(try DataConverter.default.arguments([value]))
        add(.workflowExecutionSignaled(WorkflowExecutionSignaled(signalName: name, input: input)))
    }

    func requestCancel() { add(.workflowExecutionCancelRequested(WorkflowExecutionCancelRequested(cause: "please"))) }

    func completeActivity(_ id: String, _ value: any Encodable = NoValue()) throws {
        let scheduled = try activity(id)
        let started = add(.activityTaskStarted(ActivityTaskStarted(scheduledEventID: scheduled, attempt: 1)))
        add(
            .activityTaskCompleted(
                ActivityTaskCompleted(
                    result: Blob(try DataConverter.default.result(value)), scheduledEventID: scheduled,
                    startedEventID: started)))
    }

    func failActivity(_ id: String, _ failure: ApplicationFailure) throws {
        let scheduled = try activity(id)
        let started = add(.activityTaskStarted(ActivityTaskStarted(scheduledEventID: scheduled, attempt: 1)))
        let bytes = DataConverter.default.failure(for: failure)
        add(
            .activityTaskFailed(
                ActivityTaskFailed(
                    failure: .opaque(Blob(bytes), traits: FailureTraits(type: failure.type)),
                    scheduledEventID: scheduled,
                    startedEventID: started, retryState: .nonRetryableFailure)))
    }

    func timeOutActivity(_ id: String) throws {
        add(
            .activityTaskTimedOut(
                ActivityTaskTimedOut(
                    failure: .timeout(message: "late", type: .startToClose, lastHeartbeatDetails: nil, cause: nil),
                    scheduledEventID: try activity(id), retryState: .maximumAttemptsReached)))
    }

    func reportActivityCanceled(_ id: String) throws {
        let scheduled = try activity(id)
        add(
            .activityTaskCanceled(
                ActivityTaskCanceled(latestCancelRequestedEventID: .none, scheduledEventID: scheduled)))
    }

    func fireTimer(_ id: String) throws {
        guard let started = startedTimers.removeValue(forKey: id) else {
            throw Unplayable("timer \(id) is not running")
        }
        add(.timerFired(TimerFired(timerID: TimerID(id), startedEventID: started)))
    }

    private func activity(_ id: String) throws -> EventID {
        guard let scheduled = scheduledActivities.removeValue(forKey: id) else {
            throw Unplayable("activity \(id) is not pending")
        }
        return scheduled
    }

    // MARK: Workflow tasks

    /// Starts a workflow task; sticky tasks carry only what is new.
    func poll(sticky: Bool = false, queries: [String: String] = [:]) -> Poll {
        let scheduled = add(
            .workflowTaskScheduled(
                WorkflowTaskScheduled(taskQueue: TaskQueue("queue"), startToCloseTimeout: .seconds(10))))
        openStart = add(.workflowTaskStarted(WorkflowTaskStarted(scheduledEventID: scheduled)))
        var task = header(previous: completedStart)
        task.startedEventID = openStart.value
        let known = sticky ? Int(completedStart.value) : 0
        task.history.events = events.dropFirst(known).map { Data(EventCodec.encode($0)) }
        for (id, name) in queries { task.queries[id, default: .init()].queryType = name }
        task.messages = updates.map { request in
            ProtocolMessageCodec.encode(
                ProtocolMessage(id: request.id, update: request.update, eventID: scheduled, body: request.body))
        }
        updates = []
        return task
    }

    /// A task that only asks.
    func query(_ name: String, _ argument: (any Encodable)? = nil, whole: Bool = true) throws -> Poll {
        var task = header(previous: completedStart)
        task.query.queryType = name
        if let argument { task.query.queryArgs = Data(try DataConverter.default.arguments([argument])) }
        if whole { task.history.events = events.map { Data(EventCodec.encode($0)) } }
        return task
    }

    private func header(previous: EventID) -> Poll {
        var task = Poll()
        task.taskToken = Data([1])
        task.workflowExecution.workflowID = workflowID
        task.workflowExecution.runID = runID
        task.workflowType.name = workflowType
        task.workflowExecutionTaskQueue.name = "queue"
        task.previousStartedEventID = previous.value
        task.attempt = 1
        task.history = .init()
        return task
    }

    /// Runs one workflow task and records its answer.
    /// - Returns: The commands in words.
    @discardableResult
    func step(sticky: Bool = true, queries: [String: String] = [:]) async throws -> [String] {
        let answer = await processor.process(poll(sticky: sticky, queries: queries), history: self)
        guard case .completed(let completion) = answer else {
            throw Unplayable("the task was not completed: \(answer)")
        }
        lastCompletion = completion
        return accept(completion)
    }
    private(set) var lastCompletion = Completion()
    var accepted: [UpdateID: EventID] = [:]
    /// Updates that the next task brings.
    var updates: [ProtocolMessage] = []

    /// Runs one workflow task that fails.
    func failingStep(sticky: Bool = false) async throws -> (cause: Int, message: String, type: String) {
        let scheduledAt = events.count
        let answer = await processor.process(poll(sticky: sticky), history: self)
        guard case .failed(let request) = answer else { throw Unplayable("the task did not fail: \(answer)") }
        events.removeLast(events.count - scheduledAt)
        let failure = DataConverter.default.error(fromFailure: [UInt8](request.failure))
        return (request.cause.rawValue, failure.message, (failure as? ApplicationFailure)?.type ?? "")
    }

    /// The server forgets the last task, as it does when nothing came of it.
    func forgetLastTask(keeping count: Int) async {
        events.removeLast(events.count - count)
        completedStart = EventID(Int64(count) - 1)
        await processor.forgetTask(runID: runID, backTo: completedStart.value)
    }

    private func accept(_ completion: Completion) -> [String] {
        completedStart = openStart
        let answer = add(
            .workflowTaskCompleted(
                WorkflowTaskCompleted(scheduledEventID: openStart.previous, startedEventID: openStart)))
        return completion.commands.map { record(CommandCodec.decode($0), answer) }
    }

    private func record(_ command: WorkflowCommand, _ answer: EventID) -> String {
        switch command.kind {
        case .scheduleActivityTask(let wish):
            scheduledActivities[wish.activityID.value] = add(
                .activityTaskScheduled(
                    ActivityTaskScheduled(
                        activityID: wish.activityID, activityType: wish.activityType, taskQueue: TaskQueue("queue"),
                        input: wish.input, workflowTaskCompletedEventID: answer, retryPolicy: History.RetryPolicy())))
            return "schedule \(wish.activityType) \(wish.activityID)"
        case .requestCancelActivityTask(let scheduled):
            add(
                .activityTaskCancelRequested(
                    ActivityTaskCancelRequested(scheduledEventID: scheduled, workflowTaskCompletedEventID: answer)))
            return "cancel activity \(scheduled)"
        case .startTimer(let wish):
            startedTimers[wish.timerID.value] = add(
                .timerStarted(
                    TimerStarted(
                        timerID: wish.timerID, startToFireTimeout: wish.startToFireTimeout,
                        workflowTaskCompletedEventID: answer)))
            return "timer \(wish.timerID) \(wish.startToFireTimeout)"
        case .cancelTimer(let id):
            let started = startedTimers.removeValue(forKey: id.value) ?? .none
            add(
                .timerCanceled(
                    TimerCanceled(timerID: id, startedEventID: started, workflowTaskCompletedEventID: answer)))
            return "cancel timer \(id)"
        case .completeWorkflowExecution(let result):
            add(
                .workflowExecutionCompleted(
                    WorkflowExecutionCompleted(result: result, workflowTaskCompletedEventID: answer)))
            let payload = try? Payload.list(wire: result?.bytes ?? []).first
            return "complete \(String(decoding: payload?.data ?? [], as: UTF8.self))"
        case .failWorkflowExecution(let failure):
            guard case .opaque(let bytes, _)? = failure else { return "fail" }
            add(
                .workflowExecutionFailed(
                    WorkflowExecutionFailed(
                        failure: failure ?? .server(message: "", nonRetryable: true), retryState: .retryPolicyNotSet,
                        workflowTaskCompletedEventID: answer)))
            return "fail \(DataConverter.default.error(fromFailure: bytes.bytes).message)"
        case .cancelWorkflowExecution:
            add(.workflowExecutionCanceled(WorkflowExecutionCanceled(workflowTaskCompletedEventID: answer)))
            return "canceled"
        case .continueAsNewWorkflowExecution(let request):
            add(
                .workflowExecutionContinuedAsNew(
                    WorkflowExecutionContinuedAsNew(
                        newExecutionRunID: "next", workflowType: request.workflowType ?? "",
                        taskQueue: TaskQueue("queue"),
                        input: request.input, workflowTaskCompletedEventID: answer)))
            return "continue as new \(request.workflowType ?? "")"
        case .startChildWorkflow(let wish):
            add(
                .childWorkflow(
                    .initiated(
                        StartChildWorkflowInitiated(
                            namespace: wish.namespace, workflowID: wish.workflowID, workflowType: wish.workflowType,
                            taskQueue: TaskQueue("queue"), input: wish.input, workflowTaskCompletedEventID: answer))))
            return "start child \(wish.workflowType) \(wish.workflowID)"
        case .requestCancelExternalWorkflow(let wish):
            add(
                .externalWorkflow(
                    .cancelInitiated(
                        RequestCancelExternalInitiated(
                            namespace: wish.namespace, execution: wish.execution,
                            childWorkflowOnly: wish.childWorkflowOnly, workflowTaskCompletedEventID: answer))))
            return "cancel workflow \(wish.execution.workflow)"
        case .signalExternalWorkflow(let wish):
            let execution = wish.execution ?? WorkflowReference(workflow: "")
            add(
                .externalWorkflow(
                    .signalInitiated(
                        SignalExternalInitiated(
                            namespace: wish.namespace, execution: execution, signalName: wish.signalName,
                            input: wish.input, workflowTaskCompletedEventID: answer))))
            return "signal \(wish.signalName) to \(execution.workflow)"
        case .recordMarker(let marker):
            add(
                .markerRecorded(
                    MarkerRecorded(
                        markerName: marker.markerName, details: marker.details, workflowTaskCompletedEventID: answer)))
            return "marker \(marker.markerName)"
        case .upsertWorkflowSearchAttributes(let attributes):
            add(
                .upsertWorkflowSearchAttributes(
                    UpsertWorkflowSearchAttributes(searchAttributes: attributes, workflowTaskCompletedEventID: answer)))
            return "upsert"
        case .modifyWorkflowProperties(let memo):
            add(
                .workflowPropertiesModified(
                    WorkflowPropertiesModified(upsertedMemo: memo, workflowTaskCompletedEventID: answer)))
            return "memo"
        case .protocolMessage(let id): return recordUpdate(id)
        case .unsupported(let type): return "unsupported \(type)"
        case .refused(let cause, _): return "refused \(cause)"
        }
    }

    /// What a query task answers: the value as JSON, or `!` and the error.
    func ask(_ name: String, _ argument: (any Encodable)? = nil, whole: Bool = true) async throws -> String {
        let answer = await processor.process(try query(name, argument, whole: whole), history: self)
        guard case .query(let request) = answer else { throw Unplayable("not an answer to a query: \(answer)") }
        guard request.completedType == .answered else { return "!\(request.errorMessage)" }
        let payloads = try Payload.list(wire: request.queryResult)
        return String(decoding: payloads.first?.data ?? [], as: UTF8.self)
    }

    /// Replays what happened so far with other (or the same) code.
    func replay(_ workflows: [RegisteredWorkflow]) throws -> ReplayReport {
        try WorkflowReplayer(workflows: workflows, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            .replay(events, workflowID: workflowID, runID: runID)
    }

    var fetchedPages: Int { pages.load(ordering: .relaxed) }
    private let pages = Atomic<Int>(0)
}

/// A test asked for something that the played server cannot do.
struct Unplayable: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension PlayedRun: HistoryPages, @unchecked Sendable {
    /// Pages of five events.
    func page(
        of execution: Temporal_Api_Common_V1_WorkflowExecution, token: [UInt8]
    ) async throws(RPCFailure) -> (events: Temporal_Api_History_V1_History, nextToken: [UInt8]) {
        pages.add(1, ordering: .relaxed)
        let begin = Int(token.first ?? 0)
        var history = Temporal_Api_History_V1_History()
        history.events = events.dropFirst(begin).prefix(5).map { Data(EventCodec.encode($0)) }
        let next = begin + 5
        return (history, next < events.count ? [UInt8(next)] : [])
    }
}
