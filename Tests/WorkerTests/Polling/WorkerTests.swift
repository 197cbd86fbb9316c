import Foundation
import Logging
import SwiftProtobuf
import Synchronization
import TemporalAPI
import Testing

@testable import Worker

private typealias WorkflowPoll = Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueRequest
private typealias WorkflowTask = Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse
private typealias ActivityPoll = Temporal_Api_Workflowservice_V1_PollActivityTaskQueueRequest
private typealias ActivityTask = Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse
private typealias Completion = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedRequest
private typealias CompletionAnswer = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskCompletedResponse
private typealias TaskFailed = Temporal_Api_Workflowservice_V1_RespondWorkflowTaskFailedRequest

/// Answers every workflow task as a test says.
private final class ScriptedProcessor: WorkflowTaskProcessing {
    private let answer: @Sendable (WorkflowTask) -> WorkflowTaskAnswer
    private let state = Mutex((tasks: [WorkflowTask](), evicted: [String]()))

    init(_ answer: @escaping @Sendable (WorkflowTask) -> WorkflowTaskAnswer) { self.answer = answer }

    var tasks: [WorkflowTask] { state.withLock { $0.tasks } }
    var evicted: [String] { state.withLock { $0.evicted } }
    var cachedRuns: Int { state.withLock { $0.tasks.count } }

    func process(_ task: WorkflowTask, history: any HistoryPages) async -> WorkflowTaskAnswer {
        state.withLock { $0.tasks.append(task) }
        return answer(task)
    }
    func evict(runID: String) async { state.withLock { $0.evicted.append(runID) } }

    func forgetTask(runID: String, backTo started: Int64) async {}
}

/// Hands out tasks once each; a poll that finds none waits until the server ends all polls.
private final class TaskList: Sendable {
    private struct State {
        var tasks: [[UInt8]]
        var isOver = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>
    init(_ tasks: [any Message]) throws {
        let encoded: [[UInt8]] = try tasks.map { try $0.serializedBytes() }
        state = Mutex(State(tasks: encoded))
    }
    func next() async -> [UInt8] {
        if let task = state.withLock({ $0.tasks.isEmpty ? nil : $0.tasks.removeFirst() }) { return task }
        await withCheckedContinuation { turn in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(turn) }
                return state.isOver
            }
            if isOver { turn.resume() }
        }
        return []
    }
    /// Ends all polls, now and later, with the empty answer.
    func endPolls() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for turn in waiting { turn.resume() }
    }
}

@Suite("Worker")
struct WorkerLifeTests {
    private let server = ScriptedServer()
    private let clock = ManualClock()

    private func prepare(workflowTasks: [any Message] = [], activityTasks: [any Message] = []) throws {
        let (workflows, activities) = (try TaskList(workflowTasks), try TaskList(activityTasks))
        server.on("GetSystemInfo") { _ in [] }
        server.on("DescribeNamespace") { (_: Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest) in
            var response = Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse()
            response.namespaceInfo.capabilities.workerPollCompleteOnShutdown = true
            return response
        }
        server.on("PollWorkflowTaskQueue") { call in
            // Tasks come from the normal queue only.
            let request = try call.request(as: WorkflowPoll.self)
            if request.taskQueue.kind == .sticky { return await (try TaskList([])).nextUntil(workflows) }
            return await workflows.next()
        }
        server.on("PollActivityTaskQueue") { _ in await activities.next() }
        server.on("ShutdownWorker") { _ in
            workflows.endPolls()
            activities.endPolls()
            return []
        }
        for method in [
            "RespondActivityTaskCompleted", "RespondActivityTaskFailed", "RespondWorkflowTaskFailed",
            "RespondQueryTaskCompleted", "RespondWorkflowTaskCompleted",
        ] { server.on(method) { _ in [] } }
    }
    private func worker(
        _ processor: (any WorkflowTaskProcessing)?, _ activities: RegisteredActivity...,
        gracePeriod: Duration = .seconds(10),
        activitiesMax: Int = 10
    ) -> Worker {
        var options = WorkerOptions(
            activitiesMax: activitiesMax, workflowPollsMax: 2, activityPollsMax: 2, gracePeriod: gracePeriod)
        options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return Worker(
            client: server.client(), taskQueue: "q", processor: processor, activities: activities, options: options,
            clock: clock)
    }
    private func workflowTask(_ run: String, attempt: Int32 = 1) -> WorkflowTask {
        var task = WorkflowTask()
        task.taskToken = Data(run.utf8)
        task.workflowExecution.workflowID = "w"
        task.workflowExecution.runID = run
        task.attempt = attempt
        return task
    }
    private func activityTask(_ type: String) -> ActivityTask {
        var task = ActivityTask()
        task.taskToken = Data(type.utf8)
        task.activityType.name = type
        task.attempt = 1
        return task
    }
    private func schedule(_ type: String, queue: String = "q") -> Temporal_Api_Command_V1_Command {
        var command = Temporal_Api_Command_V1_Command()
        command.commandType = .scheduleActivityTask
        command.scheduleActivityTaskCommandAttributes.activityType.name = type
        command.scheduleActivityTaskCommandAttributes.taskQueue.name = queue
        command.scheduleActivityTaskCommandAttributes.requestEagerExecution = true
        return command
    }

    @Test("A worker polls both queues, answers a task, and says goodbye once")
    func life() async throws {
        try prepare(workflowTasks: [workflowTask("r1")], activityTasks: [activityTask("greet")])
        let processor = ScriptedProcessor { _ in .completed(Completion()) }
        let worker = worker(processor, RegisteredActivity("greet") { (_: NoValue, _) in "hi" })
        async let run: Void = worker.run()
        await server.wait(for: "RespondWorkflowTaskCompleted")
        await server.wait(for: "RespondActivityTaskCompleted")
        worker.shutDown()
        worker.shutDown()
        try await run
        let completion = try server.calls("RespondWorkflowTaskCompleted")[0].request(as: Completion.self)
        #expect(completion.taskToken == Data("r1".utf8))
        #expect(completion.identity == "tester")
        #expect(completion.returnNewWorkflowTask)
        #expect(completion.stickyAttributes.scheduleToStartTimeout.seconds == 10)
        let polls = try server.calls("PollWorkflowTaskQueue").map { try $0.request(as: WorkflowPoll.self) }
        let sticky = try #require(polls.first { $0.taskQueue.kind == .sticky })
        #expect(sticky.taskQueue.name == completion.stickyAttributes.workerTaskQueue.name)
        #expect(sticky.taskQueue.name.hasPrefix("tester-"))
        #expect(sticky.taskQueue.normalName == "q")
        #expect(polls.contains { $0.taskQueue.kind == .normal && $0.taskQueue.name == "q" })
        #expect(Set(polls.map(\.workerInstanceKey)).count == 1)
        let goodbyes = server.calls("ShutdownWorker")
        #expect(goodbyes.count == 1)
        let goodbye = try goodbyes[0].request(as: Temporal_Api_Workflowservice_V1_ShutdownWorkerRequest.self)
        #expect(goodbye.stickyTaskQueue == sticky.taskQueue.name)
        #expect(goodbye.workerInstanceKey == sticky.workerInstanceKey)
        #expect(server.calls("PollWorkflowTaskQueue").allSatisfy { $0.deadline == .seconds(70) })
    }

    @Test("A workflow type runs: its first task is answered with what its code wants")
    func runsWorkflow() async throws {
        final class Hello: WorkflowDefinition {
            init() {}
            func run(_ input: String, _ context: WorkflowContext) async throws -> String { "Hello, \(input)" }
        }
        func event(
            _ id: Int64, _ type: Temporal_Api_Enums_V1_EventType,
            _ change: (inout Temporal_Api_History_V1_HistoryEvent) -> Void
        ) throws -> Data {
            var event = Temporal_Api_History_V1_HistoryEvent()
            event.eventID = id
            event.eventType = type
            event.eventTime.seconds = 1_700_000_000 + id
            change(&event)
            return try event.serializedBytes()
        }
        let input = Data(try DataConverter.default.arguments(["Ann"]))
        var task = workflowTask("0191b2c3-0000-7000-8000-000000000001")
        task.workflowType.name = "Hello"
        task.workflowExecutionTaskQueue.name = "q"
        task.startedEventID = 3
        task.history.events = [
            try event(1, .workflowExecutionStarted) {
                $0.workflowExecutionStartedEventAttributes.workflowType.name = "Hello"
                $0.workflowExecutionStartedEventAttributes.taskQueue.name = "q"
                $0.workflowExecutionStartedEventAttributes.input = input
                $0.workflowExecutionStartedEventAttributes.originalExecutionRunID =
                    "0191b2c3-0000-7000-8000-000000000001"
            },
            try event(2, .workflowTaskScheduled) { $0.workflowTaskScheduledEventAttributes.taskQueue.name = "q" },
            try event(3, .workflowTaskStarted) { $0.workflowTaskStartedEventAttributes.scheduledEventID = 2 },
        ]
        try prepare(workflowTasks: [task])
        var options = WorkerOptions(workflowPollsMax: 2)
        options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let worker = Worker(
            client: server.client(), taskQueue: "q", workflows: [RegisteredWorkflow(Hello.self)], options: options)
        async let run: Void = worker.run()
        await server.wait(for: "RespondWorkflowTaskCompleted")
        worker.shutDown()
        try await run
        let completion = try server.calls("RespondWorkflowTaskCompleted")[0].request(as: Completion.self)
        let command = try #require(completion.commands.first)
        #expect(command.commandType == .completeWorkflowExecution)
        let result = command.completeWorkflowExecutionCommandAttributes.result
        #expect(try DataConverter.default.value(String.self, fromWire: result) == "Hello, Ann")
        #expect(server.calls("PollActivityTaskQueue").isEmpty)
    }

    @Test("The next task in an answer is worked on without a poll")
    func nextTask() async throws {
        try prepare(workflowTasks: [workflowTask("r1")])
        let next = workflowTask("r1-next")
        server.on("RespondWorkflowTaskCompleted") { (request: Completion) in
            var answer = CompletionAnswer()
            if request.taskToken == Data("r1".utf8) { answer.workflowTask = next }
            return answer
        }
        let processor = ScriptedProcessor { _ in .completed(Completion()) }
        let worker = worker(processor)
        async let run: Void = worker.run()
        await server.wait(for: "RespondWorkflowTaskCompleted", count: 2)
        worker.shutDown()
        try await run
        #expect(processor.tasks.map(\.workflowExecution.runID) == ["r1", "r1-next"])
    }

    @Test("Eager activities take free slots, at most three, of known types on the same queue")
    func eager() async throws {
        try prepare(workflowTasks: [workflowTask("r1")])
        let commands = [
            schedule("a"), schedule("a", queue: "elsewhere"), schedule("unknown"), schedule("a"), schedule("a"),
            schedule("a"),
        ]
        let started = activityTask("a")
        server.on("RespondWorkflowTaskCompleted") { (_: Completion) in
            var answer = CompletionAnswer()
            answer.activityTasks = [started]
            return answer
        }
        let processor = ScriptedProcessor { _ in
            var completion = Completion()
            completion.commands = commands
            return .completed(completion)
        }
        let worker = worker(processor, RegisteredActivity("a") { (_: NoValue, _) in 1 })
        async let run: Void = worker.run()
        await server.wait(for: "RespondActivityTaskCompleted")
        worker.shutDown()
        try await run
        let completion = try server.calls("RespondWorkflowTaskCompleted")[0].request(as: Completion.self)
        let wishes = completion.commands.map(\.scheduleActivityTaskCommandAttributes.requestEagerExecution)
        #expect(wishes == [true, false, false, true, true, false])
    }

    @Test("Without free slots nothing is asked to start eagerly")
    func eagerWithoutSlots() async throws {
        try prepare()
        let command = schedule("a")
        let processor = ScriptedProcessor { _ in
            var completion = Completion()
            completion.commands = [command]
            return .completed(completion)
        }
        // The only slot is held by the open poll, which is there before the workflow task comes.
        let worker = worker(processor, RegisteredActivity("a") { (_: NoValue, _) in 1 }, activitiesMax: 1)
        let task: [UInt8] = try workflowTask("r1").serializedBytes()
        let first = AnswerList([true, false])
        server.on("DescribeNamespace") { _ in [] }
        let (end, endPolls) = AsyncStream<Void>.makeStream()
        server.on("ShutdownWorker") { _ in
            endPolls.finish()
            throw RPCFailure(.unimplemented, "unknown method")
        }
        server.on("PollActivityTaskQueue") { _ in
            try await ContinuousClock().sleep(for: .seconds(3600))
            return []
        }
        server.on("PollWorkflowTaskQueue") { [server] call in
            if try call.request(as: WorkflowPoll.self).taskQueue.kind == .normal, first.next() {
                await server.wait(for: "PollActivityTaskQueue")
                return task
            }
            for await _ in end {}
            return []
        }
        async let run: Void = worker.run()
        await server.wait(for: "RespondWorkflowTaskCompleted")
        worker.shutDown()
        try await run
        let completion = try server.calls("RespondWorkflowTaskCompleted")[0].request(as: Completion.self)
        #expect(!completion.commands[0].scheduleActivityTaskCommandAttributes.requestEagerExecution)
    }

    @Test("An answer the server does not take evicts the run; a failure is reported for the first attempt only")
    func refused() async throws {
        try prepare(workflowTasks: [
            workflowTask("refused"), workflowTask("fails"), workflowTask("again", attempt: 2), workflowTask("last"),
        ])
        server.on("RespondWorkflowTaskCompleted") { (request: Completion) in
            if request.taskToken == Data("refused".utf8) { throw RPCFailure(.invalidArgument, "UnhandledCommand") }
            return CompletionAnswer()
        }
        let processor = ScriptedProcessor { task in
            switch task.workflowExecution.runID {
            case "fails", "again": .failed(TaskFailed())
            default: .completed(Completion())
            }
        }
        let worker = worker(processor)
        async let run: Void = worker.run()
        await server.wait(for: "RespondWorkflowTaskCompleted", count: 2)
        await server.wait(for: "RespondWorkflowTaskFailed")
        worker.shutDown()
        try await run
        #expect(processor.evicted == ["refused"])
        let failed = try server.calls("RespondWorkflowTaskFailed").map { try $0.request(as: TaskFailed.self).taskToken }
        #expect(failed == [Data("fails".utf8)])
    }

    @Test("A shutdown lets an activity finish within the grace period")
    func graceful() async throws {
        try prepare(activityTasks: [activityTask("slow")])
        let (started, start) = AsyncStream<Void>.makeStream()
        let (finish, letFinish) = AsyncStream<Void>.makeStream()
        let slow = RegisteredActivity("slow") { (_: NoValue, _) -> String in
            start.finish()
            for await _ in finish {}
            return Task.isCancelled ? "cancelled" : "done"
        }
        let worker = worker(nil, slow)
        async let run: Void = worker.run()
        for await _ in started {}
        worker.shutDown()
        await clock.waitForSleepers()
        clock.advance(by: .seconds(9))
        letFinish.finish()
        try await run
        let report = try server.calls("RespondActivityTaskCompleted")[0].request(
            as: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest.self)
        #expect(try DataConverter.default.value(String.self, fromWire: report.result) == "done")
    }

    @Test("After the grace period an activity is cancelled and reported as retryable")
    func graceOver() async throws {
        try prepare(activityTasks: [activityTask("endless")])
        let (started, start) = AsyncStream<Void>.makeStream()
        let endless = RegisteredActivity("endless") { (_: NoValue, _) -> NoValue in
            start.finish()
            try await ContinuousClock().sleep(for: .seconds(3600))
            return NoValue()
        }
        let worker = worker(nil, endless, gracePeriod: .seconds(3))
        async let run: Void = worker.run()
        for await _ in started {}
        worker.shutDown()
        while server.calls("RespondActivityTaskFailed").isEmpty {
            clock.advance(by: .seconds(3))
            await Task.yield()
        }
        try await run
        let report = try server.calls("RespondActivityTaskFailed")[0].request(
            as: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedRequest.self)
        let failure = DataConverter.default.error(fromFailure: report.failure) as? ApplicationFailure
        #expect(failure?.type == "WorkerShutdown")
        #expect(failure?.isNonRetryable == false)
    }

    @Test("Polls of a server that does not end them are broken off")
    func brokenOff() async throws {
        try prepare()
        server.on("DescribeNamespace") { _ in [] }
        server.on("ShutdownWorker") { _ in throw RPCFailure(.unimplemented, "unknown method") }
        server.on("PollActivityTaskQueue") { _ in
            try await ContinuousClock().sleep(for: .seconds(3600))
            return []
        }
        let worker = worker(nil, RegisteredActivity("a") { (_: NoValue, _) in 1 })
        async let run: Void = worker.run()
        await server.wait(for: "PollActivityTaskQueue", count: 2)
        worker.shutDown()
        try await run
    }

    @Test("An unknown namespace ends the worker before its first poll")
    func unknownNamespace() async throws {
        try prepare()
        server.on("DescribeNamespace") { _ in throw RPCFailure(.notFound, "Namespace test is not found.") }
        await #expect(throws: WorkflowNotFound.self) {
            try await worker(nil, RegisteredActivity("a") { (_: NoValue, _) in 1 }).run()
        }
        #expect(server.calls("PollActivityTaskQueue").isEmpty)
    }

    @Test("A failed poll waits before the next one, and never longer than its bound")
    func pollBackoff() async throws {
        let fails = AnswerList([true, true, false])
        let life = WorkerLife()
        let poller = Poller(
            slots: FixedSlots(1), life: life, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock,
            backoff: RetryBackoff(base: .seconds(1), cap: .seconds(1))
        ) { () throws(RPCFailure) in
            if fails.next() { throw RPCFailure(.unavailable, "away") }
            life.shutDown()
            return .empty
        }
        async let run: Void = poller.run()
        for _ in 0..<2 {
            await clock.waitForSleepers()
            clock.advance(by: .seconds(1))
        }
        await run
        #expect(life.isShuttingDown)
        #expect(poller.slots.available == 1)
    }
}

extension WorkerLifeTests {
    @Test("A server that never waits is not asked without pause")
    func hastyServer() async throws {
        let polls = Mutex(0)
        let life = WorkerLife()
        let poller = Poller(
            slots: FixedSlots(1), life: life, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            clock: clock,
            backoff: RetryBackoff(base: .seconds(1), cap: .seconds(1))
        ) { () throws(RPCFailure) in
            polls.withLock { $0 += 1 }
            return .empty
        }
        async let run: Void = poller.run()
        await clock.waitForSleepers()
        #expect(polls.withLock { $0 } >= 4)
        life.shutDown()
        clock.advance(by: .seconds(1))
        await run
    }
}

extension TaskList {
    /// Waits like `other`, and gives nothing.
    fileprivate func nextUntil(_ other: TaskList) async -> [UInt8] {
        await other.waitForEnd()
        return []
    }
    fileprivate func waitForEnd() async {
        await withCheckedContinuation { turn in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(turn) }
                return state.isOver
            }
            if isOver { turn.resume() }
        }
    }
}

@Suite("Slots and polls")
struct SlotTests {
    @Test("Slots go to waiters in order, and a cancelled waiter leaves the line")
    func slots() async throws {
        let pool = SlotPool(size: 2)
        #expect(await pool.acquire())
        #expect(pool.take(upTo: 5) == 1)
        #expect(pool.free == 0)
        let cancelled = Task { await pool.acquire() }
        cancelled.cancel()
        #expect(await cancelled.value == false)
        async let waiting = pool.acquire()
        pool.release()
        #expect(await waiting)
        pool.release(2)
        #expect(pool.free == 2)
        pool.overdraw(3)
        #expect(pool.free == -1)
        #expect(pool.take(upTo: 1) == 0)
        pool.release(3)
        #expect(pool.free == 2)
    }

    @Test("Every queue has a poll; the rest follow the cache")
    func balance() {
        let balance = PollBalance(polls: 5, keepsRuns: true)
        #expect((0..<5).map { _ in balance.next(cachedRuns: 0) } == [.normal, .sticky, .normal, .normal, .normal])
        for queue in [PollBalance.Queue.normal, .normal, .normal] { balance.close(queue) }
        #expect((0..<3).map { _ in balance.next(cachedRuns: 9) } == [.normal, .sticky, .sticky])
        #expect(!PollBalance(polls: 1, keepsRuns: true).usesSticky)
        #expect(PollBalance(polls: 5, keepsRuns: false).next(cachedRuns: 3) == .normal)
    }
}
