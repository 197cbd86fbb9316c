import Engine
import History
import RunTestKit
import Testing

@Suite("Updates")
struct UpdateTests {
    private var driver = RunDriver()
    private let sticky = StickyAttributes(queue: "sticky", scheduleToStartTimeout: .seconds(10))

    /// A run whose first workflow task is done: events 1 to 4.
    private mutating func begin() throws {
        try driver.start()
        try driver.work()
    }

    private mutating func ask(_ id: UpdateID) throws -> UpdateStanding? {
        let reply = try driver.handle(.update(UpdateRun(id: id, request: Blob([7])))).reply
        guard case .update(let standing) = reply else { return nil }
        return standing
    }

    private func accept(_ request: ProtocolMessage) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(request.id)/accept", update: request.update,
            body: .acceptance(requestMessageID: request.id, sequencingEventID: request.eventID, request: Blob([8])))
    }

    private func complete(_ update: UpdateID) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(update)/request/complete", update: update, body: .response(identity: "i", outcome: Blob([9])))
    }

    private func reject(_ request: ProtocolMessage) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(request.id)/reject", update: request.update,
            body: .rejection(failure: Blob([6]), request: nil))
    }

    @discardableResult
    private mutating func answer(
        _ task: StartedWorkflowTask, _ messages: [ProtocolMessage], commands: [WorkflowCommand.Kind] = [],
        _ change: (inout CompleteWorkflowTask) -> Void = { _ in }
    ) throws -> Transition {
        let placed = messages.compactMap { message -> WorkflowCommand.Kind? in
            if case .rejection = message.body { return nil }
            return .protocolMessage(messageID: message.id)
        }
        return try driver.complete(task, placed + commands) { request in
            request.messages = messages
            change(&request)
        }
    }

    private func moves(_ transition: Transition) -> [UpdateStanding] {
        transition.effects.compactMap { effect in
            if case .updateMoved(_, let standing) = effect { return standing }
            return nil
        }
    }

    @Test("An update is admitted without a write, carried by a task of its own, recorded when it is accepted")
    mutating func acceptedAndCompleted() throws {
        try begin()
        #expect(try ask("u") == .admitted)
        #expect(driver.lastTransition.events.isEmpty && !driver.lastTransition.isDurable)
        #expect(driver.lastTransition.effects.compactMap(\.workflowTask).map(\.scheduledEventID) == [EventID(5)])
        let task = try driver.poll()
        #expect(task.messages.map(\.id) == ["u/request"] && task.messages[0].eventID == EventID(5))
        #expect(task.unrecorded.map(\.id) == [EventID(5), EventID(6)])
        let transition = try answer(task, [accept(task.messages[0]), complete("u")])
        #expect(
            Array(driver.listing.suffix(5)) == [
                "5 WorkflowTaskScheduled", "6 WorkflowTaskStarted", "7 WorkflowTaskCompleted",
                "8 WorkflowExecutionUpdateAccepted", "9 WorkflowExecutionUpdateCompleted",
            ])
        #expect(moves(transition) == [.accepted, .completed(.outcome(Blob([9])))])
        guard case .workflowExecutionUpdateAccepted(let accepted) = driver.history[7].kind else { return }
        #expect(accepted.request == Blob([7]) && accepted.sequencingEventID == EventID(5))
        #expect(try ask("u") == .completed(.recorded(EventID(9))))
        try driver.reload()
        #expect(try ask("u") == .completed(.recorded(EventID(9))))
        let fold = try Run.fold(driver.history, key: driver.run.key)
        #expect(driver.run.agrees(withFoldOf: fold) == nil)
    }

    @Test("A rejected update leaves nothing: not even its task")
    mutating func rejected() throws {
        try begin()
        _ = try ask("u")
        let task = try driver.poll()
        let transition = try answer(task, [reject(task.messages[0])])
        #expect(driver.history.count == 4 && !transition.isDurable)
        #expect(moves(transition) == [.completed(.rejected(failure: Blob([6])))])
        guard case .workflowTaskCompleted(nil, _, let reset) = transition.reply else {
            return #expect(Bool(false), "\(transition.reply)")
        }
        #expect(reset == EventID(3))
        #expect(driver.run.standing(of: "u") == nil && driver.run.pendingWorkflowTask == nil)
        let refusal = driver.refusal { copy throws(Rejection) in try copy.complete(task) }
        #expect(refusal == Rejection.notFound("Workflow task not found."))
    }

    @Test("An update that the worker ignores is rejected by the server")
    mutating func unprocessed() throws {
        try begin()
        _ = try ask("u")
        let task = try driver.poll()
        let transition = try answer(task, [])
        #expect(moves(transition) == [.completed(.unprocessed)])
        #expect(driver.history.count == 4)
    }

    @Test("A task that has brought the worker many events is not forgotten with its update")
    mutating func notDiscardable() throws {
        try driver.start()
        try driver.work(.timer("t", .seconds(1)), .timer("u", .seconds(100)))
        _ = try ask("u")
        let task = try driver.poll()
        try answer(task, [reject(task.messages[0])])
        #expect(driver.listing.suffix(1) == ["9 WorkflowTaskCompleted"])
    }

    @Test("While a task is started an update waits for the next one, which its worker may take at once")
    mutating func waitsForTheStartedTask() throws {
        try driver.start()
        let first = try driver.poll()
        _ = try ask("u")
        #expect(driver.lastTransition.effects.isEmpty)
        let sticky = sticky
        let transition = try answer(first, []) { request in
            request.returnNewTask = "next"
            request.sticky = sticky
        }
        guard case .workflowTaskCompleted(let next?, _, nil) = transition.reply else {
            return #expect(Bool(false), "\(transition.reply)")
        }
        #expect(next.messages.map(\.update) == ["u"] && next.unrecorded.count == 2)
        #expect(driver.history.count == 4)
    }

    @Test("A signal makes the scheduled task for updates an ordinary one; a started one too, and waits for its end")
    mutating func signalsRecordTheTask() throws {
        try begin()
        _ = try ask("u")
        try driver.signal()
        #expect(
            Array(driver.listing.suffix(2)) == ["5 WorkflowTaskScheduled", "6 WorkflowExecutionSignaled"])
        let task = try driver.poll()
        #expect(task.messages.map(\.eventID) == [EventID(6)])
        try answer(task, [accept(task.messages[0])])
        #expect(try ask("u") == .accepted)
        _ = try ask("v")
        let second = try driver.poll()
        try driver.signal()
        #expect(
            Array(driver.listing.suffix(2)) == ["10 WorkflowTaskScheduled", "11 WorkflowTaskStarted"])
        try answer(second, [reject(second.messages[0]), complete("u")])
        #expect(
            Array(driver.listing.suffix(4)) == [
                "12 WorkflowTaskCompleted", "13 WorkflowExecutionUpdateCompleted", "14 WorkflowExecutionSignaled",
                "15 WorkflowTaskScheduled",
            ])
    }

    @Test("A failed or timed-out task is recorded; the next one carries its updates")
    mutating func failedTask() throws {
        try begin()
        _ = try ask("u")
        try driver.fail(driver.poll())
        #expect(driver.listing.suffix(1) == ["7 WorkflowTaskFailed"])
        let again = try driver.poll()
        #expect(again.token.attempt == 2 && again.messages.map(\.update) == ["u"])
        try driver.passToDeadline()
        #expect(
            moves(driver.lastTransition) == [
                .aborted(
                    Rejection(
                        .workflowNotReady,
                        "Unable to perform workflow execution update due to Workflow Task in failed state."))
            ])
        let refusal = driver.refusal { copy throws(Rejection) in
            try copy.handle(.update(UpdateRun(id: "v", request: .empty)))
        }
        #expect(refusal?.kind == .workflowNotReady)
    }

    @Test("An answer that the server refuses aborts the updates its worker has seen")
    mutating func refusedAnswer() throws {
        try begin()
        _ = try ask("u")
        let task = try driver.poll()
        let transition = try answer(task, [accept(task.messages[0]), accept(task.messages[0])])
        guard case .rejected(let rejection) = transition.reply else { return #expect(Bool(false)) }
        #expect(rejection.message.hasPrefix("BadUpdateWorkflowExecutionMessage: invalid state transition"))
        #expect(moves(transition).count == 1)
        #expect(driver.listing.suffix(1) == ["7 WorkflowTaskFailed"])
        #expect(driver.run.standing(of: "u") == nil)
        let fold = try Run.fold(driver.history, key: driver.run.key)
        #expect(driver.run.agrees(withFoldOf: fold) == nil)
    }

    @Test("Wrong messages fail the task with their own texts")
    mutating func wrongMessages() throws {
        try begin()
        let cases: [([ProtocolMessage], [WorkflowCommand.Kind], String)] = [
            ([], [.protocolMessage(messageID: "x")], "ProtocolMessageCommand referenced absent message ID x"),
            ([complete("nobody")], [], "update nobody wasn't found on the server."),
            ([ProtocolMessage(id: "a", update: "u", body: .unknown(type: "t"))], [], "message a is neither"),
        ]
        for (messages, commands, text) in cases {
            var copy = driver
            try copy.signal()
            let transition = try copy.complete(copy.poll(), commands) { $0.messages = messages }
            guard case .rejected(let rejection) = transition.reply else { return #expect(Bool(false), "\(text)") }
            #expect(rejection.message.hasPrefix("BadUpdateWorkflowExecutionMessage: \(text)"), "\(rejection.message)")
        }
    }

    @Test("An acceptance brings an update back that a crash has forgotten")
    mutating func resurrected() throws {
        try begin()
        _ = try ask("u")
        let task = try driver.poll()
        try driver.signal()
        try driver.reload()
        #expect(driver.run.standing(of: "u") == nil)
        try answer(task, [accept(task.messages[0])])
        #expect(driver.run.standing(of: "u") == .accepted)
    }

    @Test("A closing run tells those who wait what became of it")
    mutating func closing() throws {
        try begin()
        _ = try ask("accepted")
        var task = try driver.poll()
        try answer(task, [accept(task.messages[0])])
        _ = try ask("sent")
        task = try driver.poll()
        _ = try ask("admitted")
        var copy = self
        let closed = try answer(task, [], commands: [.completeWorkflowExecution(result: nil)])
        let aborted = UpdateStanding.aborted(.notFound("workflow update was aborted by closing workflow"))
        #expect(moves(closed) == [aborted, aborted, .completed(.outlivedRun)])
        #expect(driver.run.standing(of: "accepted") == .completed(.outlivedRun))
        let refusal = driver.refusal { copy throws(Rejection) in
            try copy.handle(.update(UpdateRun(id: "late", request: .empty)))
        }
        #expect(refusal == Rejection.notFound("workflow execution already completed"))
        let continued = try copy.answer(task, [], commands: [.continueAsNewWorkflowExecution(ContinueAsNew())])
        #expect(moves(continued) == [.aborted(.runIsClosing), .aborted(.runIsClosing), .completed(.outlivedRun)])
    }

    @Test("Limits: updates in flight, their bytes, updates of a run")
    mutating func limits() throws {
        try begin()
        driver.limits.updatesInFlightMax = 2
        driver.limits.updatesPerRunMax = 3
        driver.limits.updateBytesInFlightMax = 1000
        func refusal(_ id: UpdateID, _ request: Blob = .empty) -> Rejection? {
            driver.refusal { copy throws(Rejection) in try copy.handle(.update(UpdateRun(id: id, request: request))) }
        }
        let tooBig = refusal("big", Blob(Array(repeating: 0, count: 1000)))
        #expect(tooBig?.message == "limit on total payload size of in-flight updates has been reached (1000 bytes)")
        _ = try ask("a")
        _ = try ask("b")
        #expect(try ask("a") == .admitted)
        let third = refusal("c")
        #expect(third?.kind == .resourceExhausted(cause: 2))
        #expect(third?.message == "limit on number of concurrent in-flight updates has been reached (2)")
        let task = try driver.poll()
        try answer(task, task.messages.flatMap { [accept($0), complete($0.update)] })
        _ = try ask("c")
        let fourth = refusal("d")
        #expect(fourth?.kind == .failedPrecondition)
        #expect(fourth?.message.contains("total number of distinct updates in this workflow") == true)
    }

    @Test("A task for updates leaves a sticky queue that nobody polls, without an event")
    mutating func stickyQueue() throws {
        try driver.start()
        let (sticky, first) = (sticky, try driver.poll())
        try driver.complete(first) { $0.sticky = sticky }
        _ = try ask("u")
        #expect(driver.run.outstandingOffers.compactMap(\.workflowTask).first?.queue.kind == .sticky)
        try driver.passToDeadline()
        #expect(driver.history.count == 4)
        let offer = driver.run.outstandingOffers.compactMap(\.workflowTask).first
        #expect(offer?.queue.kind == .normal)
        #expect(try driver.poll().messages.count == 1)
    }

    @Test("A run that waits for its first task admits updates; the task brings them")
    mutating func beforeTheFirstTask() throws {
        try driver.start { $0.firstWorkflowTaskBackoff = .seconds(5) }
        #expect(try ask("u") == .admitted)
        #expect(driver.run.outstandingOffers.isEmpty)
        try driver.pass(.seconds(5))
        #expect(try driver.poll().messages.map(\.update) == ["u"])
    }

    @Test("An admitted update in the history waits for its acceptance, which does not repeat the request")
    mutating func admittedByReset() throws {
        try begin()
        var events = driver.history
        events.append(
            Event(
                id: EventID(5), time: driver.now,
                kind: .workflowExecutionUpdateAdmitted(
                    WorkflowExecutionUpdateAdmitted(update: "u", request: Blob([1])))))
        var run = try Run.fold(events, key: driver.run.key)
        #expect(run.standing(of: "u") == .admitted)
        _ = try run.handle(.wake, at: driver.now, limits: driver.limits)
        #expect(run.pendingWorkflowTask?.scheduledEventID == EventID(6))
        let restored = try Run(snapshot: run.snapshot())
        #expect(restored.standing(of: "u") == .admitted)
    }
}
