import History
import Replay
import Testing

@Suite("A history is cut at the workflow tasks that counted")
struct HistoryStepsTests {
    @Test("The open task is the last step, and it is not completed")
    func openTask() throws {
        var script = HistoryScript()
        script.task()
        let steps = try HistorySteps(script.events)
        #expect(steps.steps.map(\.startedEvent.value) == [3])
        #expect(steps.steps[0].isCompleted == false)
        #expect(steps.rest.isEmpty)
    }

    @Test("Events of tasks that failed belong to the next one, at its time")
    func failedTask() throws {
        var script = HistoryScript()
        script.task()
        script.failTask()
        script.add(.workflowExecutionSignaled(WorkflowExecutionSignaled(signalName: "s")))
        script.task()
        script.answer([])
        let steps = try HistorySteps(script.events)
        #expect(steps.steps.count == 1)
        #expect(steps.steps[0].events.count == 7)
        #expect(steps.steps[0].now == script.events[6].time)
        #expect(steps.steps[0].isCompleted)
        #expect(steps.rest.map(\.id.value) == [8])
    }

    @Test("A part of a history begins with the answer to a task that is known")
    func part() throws {
        var script = HistoryScript()
        script.task()
        script.answer([])
        script.add(.workflowExecutionSignaled(WorkflowExecutionSignaled(signalName: "s")))
        script.task()
        let steps = try HistorySteps(Array(script.events[3...]))
        #expect(steps.steps.count == 1)
        #expect(steps.steps[0].events.first?.id == EventID(4))
    }

    @Test("A history with a hole is refused at the hole, unless the hole may be ignored", arguments: 1..<6)
    func hole(position: Int) throws {
        var script = HistoryScript()
        script.task()
        script.answer([])
        script.add(.workflowExecutionSignaled(WorkflowExecutionSignaled(signalName: "s")))
        script.task()
        var events = script.events
        let missing = events.remove(at: position).id
        #expect(throws: Corruption("expected event \(missing), got \(missing.next)")) { try HistorySteps(events) }
        if position == 4 { #expect(try HistorySteps(events, ignored: [missing]).steps.count == 2) }
    }

    @Test("A completion of a task that is not open is refused")
    func strangeCompletion() throws {
        var script = HistoryScript()
        script.task()
        script.add(
            .workflowTaskCompleted(WorkflowTaskCompleted(scheduledEventID: EventID(2), startedEventID: EventID(9))))
        #expect(throws: Corruption.self) { try HistorySteps(script.events) }
    }
}
