import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("A workflow runs through a host", .timeLimit(.minutes(5)))
struct WorkflowPathTests {
    @Test("Start, task, activity, result, close: every event is stored, chained and told to the feed")
    func wholePath() async throws {
        try await Rig().run { rig in
            let started = try await rig.start()
            #expect(started.started && started.status == .running)
            let first = try await rig.workflowTask()
            #expect(
                try first.names(rig.encoder) == [
                    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted",
                ])
            try await rig.complete(first, [.activity()])
            let activity = try await rig.activityTask()
            #expect(activity.scheduled.activityType == "Greet")
            try await rig.complete(activity)
            let second = try await rig.workflowTask()
            #expect(second.history.count == 9 && second.previousStartedEventID == EventID(3))
            try await rig.complete(second, [.finish])
            let names = try await rig.names()
            #expect(
                names == [
                    "WorkflowExecutionStarted", "WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted",
                    "ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted", "WorkflowTaskScheduled",
                    "WorkflowTaskStarted", "WorkflowTaskCompleted", "WorkflowExecutionCompleted",
                ])
            let shown = try await rig.host.describe(rig.target())
            #expect(shown.summary.status == .completed && shown.summary.historyLength == 11)
            #expect(rig.feed.entries.flatMap(\.events).map(\.id.value) == Array(1...11))
            try await rig.verifyAll()
            // One workflow with one activity: at most four logical transitions of its own, and the start of the activity.
            #expect(await rig.host.metrics().transitions <= 5)
        }
    }

    @Test("A sticky worker gets only what it does not know, and the next task in the same answer")
    func stickyWorker() async throws {
        try await Rig().run { rig in
            try await rig.start()
            let sticky = TaskQueue("sticky-1", kind: .sticky, normalName: "queue")
            let parked = Task { try await rig.host.pollWorkflowTask(rig.poll(sticky)) }
            let first = try await rig.workflowTask()
            let answer = try await rig.complete(first, [.activity()]) {
                $0.sticky = StickyAttributes(queue: "sticky-1", scheduleToStartTimeout: .seconds(10))
                $0.returnNewTask = true
            }
            #expect(answer.newTask == nil)
            try await rig.complete(try await rig.activityTask())
            let second = try #require(try await parked.value)
            #expect(
                try second.names(rig.encoder) == [
                    "WorkflowTaskCompleted", "ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted",
                    "WorkflowTaskScheduled", "WorkflowTaskStarted",
                ])
            try await rig.signal("more")
            let next = try await rig.complete(second) {
                $0.sticky = StickyAttributes(queue: "sticky-1", scheduleToStartTimeout: .seconds(10))
                $0.returnNewTask = true
            }
            let third = try #require(next.newTask)
            #expect(
                try third.names(rig.encoder) == [
                    "WorkflowTaskCompleted", "WorkflowExecutionSignaled", "WorkflowTaskScheduled",
                    "WorkflowTaskStarted",
                ])
            try await rig.complete(third, [.finish])
            try await rig.verifyAll()
        }
    }

    @Test("A task goes to the normal queue when nobody polls the sticky one, with the whole history")
    func stickyFallback() async throws {
        try await Rig().run { rig in
            try await rig.start()
            try await rig.complete(try await rig.workflowTask()) {
                $0.sticky = StickyAttributes(queue: "sticky-1", scheduleToStartTimeout: .seconds(10))
            }
            try await rig.signal("go")
            let task = try await rig.workflowTask()
            #expect(task.history.count == Int(task.startedEventID.value))
            try await rig.complete(task, [.finish])
        }
    }

    @Test("A worker that shuts down ends its polls and frees its sticky tasks at once")
    func workerShutdown() async throws {
        try await Rig().run { rig in
            try await rig.start()
            let sticky = TaskQueue("sticky-1", kind: .sticky, normalName: "queue")
            // Somebody was there a moment ago, so the sticky queue counts as alive.
            #expect(try await rig.host.pollWorkflowTask(rig.poll(sticky, seconds: 0)) == nil)
            let parked = Task { try await rig.host.pollActivityTask(rig.poll(key: "leaving")) }
            try await rig.until("the poll is parked") { await parkedPollers(rig, .activity) == 1 }
            try await rig.complete(try await rig.workflowTask()) {
                $0.sticky = StickyAttributes(queue: "sticky-1", scheduleToStartTimeout: .seconds(10))
            }
            try await rig.signal("go")
            try await rig.host.shutdownWorker(
                namespace: Rig.namespace, stickyQueue: "sticky-1", identity: "worker", instanceKey: "leaving")
            #expect(try await parked.value == nil)
            try await rig.complete(try await rig.workflowTask(), [.finish])
        }
    }

    @Test("Eager start and eager activities come with the answer")
    func eager() async throws {
        try await Rig().run { rig in
            let started = try await rig.start(requestID: "r") { $0.requestEagerTask = true }
            let task = try #require(started.eagerTask)
            #expect(task.history.count == 3)
            let repeated = try await rig.start(requestID: "r") { $0.requestEagerTask = true }
            #expect(repeated.run == started.run && repeated.eagerTask?.history == task.history)
            let answer = try await rig.complete(task, [.activity("a", eager: true), .activity("b")]) {
                $0.eagerActivitiesMax = 3
            }
            #expect(answer.eagerActivities.map(\.activity.token.activityID) == ["a"])
            #expect(try await rig.activityTask().token.activityID == "b")
        }
    }

    @Test("Continue as new begins the next run in the same commit")
    func continueAsNew() async throws {
        try await Rig().run { rig in
            let first = try await rig.start()
            rig.store.keepLog()
            try await rig.complete(try await rig.workflowTask(), [.continueAsNewWorkflowExecution(ContinueAsNew())])
            #expect(rig.store.log.last?.writes.count == 2)
            let now = try await rig.host.describe(rig.target())
            #expect(now.summary.key.run != first.run && now.summary.firstRunID == first.run)
            rig.clock.advance(by: .seconds(1))
            let task = try await rig.workflowTask()
            #expect(task.run == now.summary.key)
            try await rig.complete(task, [.finish])
            try await rig.verifyAll()
        }
    }

    @Test("Waiting for the result ends with the close event, and with an empty page when the time is up")
    func waitingForTheResult() async throws {
        try await Rig().run { rig in
            try await rig.start()
            var request = HistoryRequest(target: rig.target(), limit: 0, filter: .closeEvent, waitForNew: true)
            let early = Task { [request] in
                try await rig.host.history(request, deadline: rig.clock.now().advanced(by: .seconds(60)))
            }
            try await rig.until("the reader waits") {
                rig.clock.nextDue.map { $0 <= rig.clock.now().advanced(by: .seconds(20)) } ?? false
            }
            rig.clock.advance(by: .seconds(9))
            rig.clock.advance(by: .seconds(11))
            let empty = try await early.value
            #expect(empty.events.isEmpty && empty.isOpen && empty.next != nil)
            request.target.run = empty.run.run
            let waiting = Task { [request] in
                try await rig.host.history(request, deadline: rig.clock.now().advanced(by: .seconds(60)))
            }
            try await rig.complete(try await rig.workflowTask(), [.finish])
            let page = try await waiting.value
            #expect(try page.events.map { try rig.encoder.decode($0).kind.typeName } == ["WorkflowExecutionCompleted"])
            #expect(page.next == nil && !page.isOpen)
        }
    }
}

/// How many pollers the queue has seen, by its description.
func parkedPollers(_ rig: Rig, _ kind: TaskKind) async -> Int {
    ((try? await rig.host.describeTaskQueue(namespace: Rig.namespace, queue: "queue", kind: kind))?.pollers.count) ?? 0
}
