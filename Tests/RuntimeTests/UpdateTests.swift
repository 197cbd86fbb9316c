import Engine
import EngineTestKit
import History
import Runtime
import Testing

@Suite("Updates through the host")
struct UpdateTests {
    private func request(
        _ rig: Rig, _ id: UpdateID, stage: UpdateStage = .completed, run: RunID? = nil
    ) -> UpdateWorkflowRequest {
        UpdateWorkflowRequest(
            target: rig.target(run: run), update: UpdateRun(id: id, request: Blob([7])), stage: stage, actor: "client")
    }

    private func far(_ rig: Rig) -> Timestamp { rig.clock.now().advanced(by: .minutes(5)) }

    private func accept(_ request: ProtocolMessage) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(request.id)/accept", update: request.update,
            body: .acceptance(requestMessageID: request.id, sequencingEventID: request.eventID, request: Blob([7])))
    }

    private func complete(_ update: UpdateID) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(update)/request/complete", update: update, body: .response(identity: "i", outcome: Blob([9])))
    }

    private func reject(_ request: ProtocolMessage) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(request.id)/reject", update: request.update, body: .rejection(failure: Blob([6]), request: nil))
    }

    /// Starts a run and answers its first workflow task.
    private func begin(_ rig: Rig) async throws {
        try await rig.start()
        try await rig.complete(try await rig.workflowTask())
    }

    @Test("An update is carried by a task of its own and answered with what is stored")
    func goodCase() async throws {
        let rig = Rig()
        try await rig.run { rig in
            try await begin(rig)
            async let answer = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            let task = try await rig.workflowTask()
            #expect(task.messages.map(\.id) == ["u/request"])
            try await rig.complete(task) { $0.messages = [accept(task.messages[0]), complete("u")] }
            let result = try await answer
            #expect(result.stage == .completed && result.end == .outcome(Blob([9])))
            let again = try await rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            #expect(again == result)
            let polled = try await rig.host.pollUpdate(rig.target(), "u", stage: .completed, deadline: far(rig))
            #expect(polled == result)
            #expect(
                try await rig.names().suffix(2) == [
                    "WorkflowExecutionUpdateAccepted", "WorkflowExecutionUpdateCompleted",
                ])
            try await rig.verifyAll()
        }
    }

    @Test("Two callers of one id wait for the same update, each for its stage")
    func attaching() async throws {
        let rig = Rig()
        try await rig.run { rig in
            try await begin(rig)
            async let accepted = rig.host.updateWorkflow(request(rig, "u", stage: .accepted), deadline: far(rig))
            async let completed = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            let task = try await rig.workflowTask()
            #expect(task.messages.count == 1)
            try await rig.complete(task) { $0.messages = [accept(task.messages[0])] }
            let early = try await accepted
            #expect(early.stage >= .accepted)
            try await rig.signal("go")
            try await rig.complete(try await rig.workflowTask()) { $0.messages = [complete("u")] }
            #expect(try await completed.end == .outcome(Blob([9])))
        }
    }

    @Test("A rejection answers its caller and leaves no trace")
    func rejection() async throws {
        let rig = Rig()
        try await rig.run { rig in
            try await begin(rig)
            async let answer = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            let task = try await rig.workflowTask()
            let completed = try await rig.complete(task) { $0.messages = [reject(task.messages[0])] }
            #expect(completed.resetHistory == EventID(3))
            #expect(try await answer.end == .rejected(failure: Blob([6])))
            #expect(try await rig.events().count == 4)
            await #expect(throws: Rejection.notFound("update \"u\" not found")) {
                try await rig.host.pollUpdate(rig.target(), "u", stage: .completed, deadline: far(rig))
            }
        }
    }

    @Test("Without a worker the call ends after its wait with the stage reached; the repeat attaches")
    func noWorker() async throws {
        let rig = Rig()
        try await rig.run { rig in
            try await begin(rig)
            let deadline = far(rig)
            async let answer = rig.host.updateWorkflow(request(rig, "u"), deadline: deadline)
            try await rig.until("the update is admitted") {
                (try? await rig.host.pollUpdate(rig.target(), "u", stage: nil, deadline: deadline))?.stage == .admitted
            }
            rig.clock.advance(by: .seconds(21))
            let result = try await answer
            #expect(result.stage == .admitted && result.end == nil)
            async let repeated = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            let task = try await rig.workflowTask()
            #expect(task.messages.count == 1)
            try await rig.complete(task) { $0.messages = [accept(task.messages[0]), complete("u")] }
            #expect(try await repeated.stage == .completed)
        }
    }

    @Test("Continue as new passes an unseen update on to the next run")
    func continueAsNew() async throws {
        var limits = Limits()
        limits.continueAsNewIntervalMin = .zero
        let rig = Rig(limits: limits)
        try await rig.run { rig in
            let first = try await rig.start()
            let task = try await rig.workflowTask()
            async let answer = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            try await rig.until("the update is admitted") {
                (try? await rig.host.pollUpdate(rig.target(), "u", stage: nil, deadline: far(rig))) != nil
            }
            try await rig.complete(task, [.continueAsNewWorkflowExecution(ContinueAsNew())])
            let next = try await rig.workflowTask()
            #expect(next.run.run != first.run)
            var messages = next.messages
            if messages.isEmpty {
                try await rig.complete(next)
                let carried = try await rig.workflowTask()
                messages = carried.messages
                try await rig.complete(carried) { $0.messages = [accept(messages[0]), complete("u")] }
            } else {
                try await rig.complete(next) { $0.messages = [accept(messages[0]), complete("u")] }
            }
            let result = try await answer
            #expect(result.run.run == next.run.run && result.stage == .completed)
        }
    }

    @Test("Closing answers those who wait: accepted ones fail, others are told that they came too late")
    func closing() async throws {
        let rig = Rig()
        try await rig.run { rig in
            try await begin(rig)
            async let accepted = rig.host.updateWorkflow(request(rig, "a"), deadline: far(rig))
            let task = try await rig.workflowTask()
            try await rig.complete(task) { $0.messages = [accept(task.messages[0])] }
            try await rig.host.terminateWorkflow(rig.target(), WorkflowExecutionTerminated(reason: "x", identity: ""))
            #expect(try await accepted.end == .outlivedRun)
            let polled = try await rig.host.pollUpdate(rig.target(), "a", stage: .completed, deadline: far(rig))
            #expect(polled.end == .outlivedRun)
            await #expect(throws: Rejection.notFound("workflow execution already completed")) {
                try await rig.host.updateWorkflow(request(rig, "late"), deadline: far(rig))
            }
        }
    }

    @Test("Update with start: a new run gets the update with its first task; a running one is used; ids attach")
    func updateWithStart() async throws {
        let rig = Rig()
        try await rig.run { rig in
            func both(_ id: UpdateID, requestID: RequestID) async throws -> UpdateWithStartResult {
                let start = rig.request(requestID: requestID) { $0.conflictPolicy = .useExisting }
                return try await rig.host.updateWithStart(start, request(rig, id), deadline: far(rig))
            }
            async let first = both("u", requestID: "s1")
            let task = try await rig.workflowTask()
            #expect(task.messages.map(\.update) == ["u"] && task.startedEventID == EventID(3))
            try await rig.complete(task) { $0.messages = [accept(task.messages[0]), complete("u")] }
            let begun = try await first
            #expect(begun.start.started && begun.update.end == .outcome(Blob([9])))
            let repeated = try await both("u", requestID: "s2")
            #expect(!repeated.start.started && repeated.start.run == begun.start.run)
            #expect(repeated.update == begun.update)
            async let second = both("v", requestID: "s3")
            let next = try await rig.workflowTask()
            try await rig.complete(next) { $0.messages = [reject(next.messages[0])] }
            #expect(try await second.update.end == .rejected(failure: Blob([6])))
            let failing = rig.request(requestID: "s4") { $0.conflictPolicy = .fail }
            do {
                _ = try await rig.host.updateWithStart(failing, request(rig, "w"), deadline: far(rig))
                Issue.record("a running workflow with conflict policy fail is an error")
            } catch let failure as UpdateWithStartFailure {
                guard case .start(let rejection) = failure, case .workflowAlreadyStarted = rejection.kind else {
                    Issue.record("\(failure)")
                    return
                }
            }
        }
    }

    @Test("A run with a waiting update stays in memory")
    func notEvicted() async throws {
        let rig = Rig { $0.hotRunsMax = 1 }
        try await rig.run { rig in
            try await begin(rig)
            async let answer = rig.host.updateWorkflow(request(rig, "u"), deadline: far(rig))
            try await rig.until("the update is admitted") {
                (try? await rig.host.pollUpdate(rig.target(), "u", stage: nil, deadline: far(rig))) != nil
            }
            for number in 0..<100 {
                try await rig.start(WorkflowID("other-\(number)")) { $0.attributes.taskQueue = TaskQueue("o") }
            }
            let task = try await rig.workflowTask()
            try await rig.complete(task) { $0.messages = [accept(task.messages[0]), complete("u")] }
            #expect(try await answer.stage == .completed)
        }
    }
}
