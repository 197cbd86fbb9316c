import Foundation
import History
import Logging
import Replay

/// Why a workflow task (not the workflow) failed.
struct WorkflowTaskProblem: Error {
    let cause: WorkflowTaskFailedCause
    let error: any Error
}

extension WorkflowCore {
    /// What one workflow task gave.
    struct Round {
        var commands: [WorkflowCommand]
        /// What is said of updates.
        var messages: [ProtocolMessage] = []
        /// The run's end is among the commands.
        var isClosing: Bool
    }

    /// Takes in one workflow task and runs the workflow until nothing moves.
    ///
    /// - Parameters:
    ///   - answer: The events that record the answer to this task, where it has been answered.
    ///   - messages: The updates that the task brings, where it has not.
    /// - Throws: ``WorkflowTaskProblem``; the run must then be evicted.
    func activate(
        _ step: HistoryStep, answer: ArraySlice<Event>, messages: [ProtocolMessage] = []
    ) throws(WorkflowTaskProblem) -> Round {
        try begin(step, answer: answer, messages: messages)
        return try conclude()
    }

    /// Takes in one workflow task and runs the workflow as far as it goes; ``conclude()`` must follow, and local activities may
    /// end in between.
    func begin(
        _ step: HistoryStep, answer: ArraySlice<Event>, messages: [ProtocolMessage] = []
    ) throws(WorkflowTaskProblem) {
        let activation: Activation
        do {
            activation = try machine.begin(
                step, markers: Self.markers(in: step.events), answer: Self.meanings(in: answer),
                updates: Self.arrivals(step, answer: answer, messages: messages))
        } catch {
            throw Self.problem(error)
        }
        now = activation.now
        localActivityEnds = 0
        isReplaying = activation.isReplaying
        suggestContinueAsNew = activation.suggestContinueAsNew
        historyBytes = activation.historyBytes
        for case .patch(let patch) in activation.answeredMarkers { recordedPatches[patch.id] = patch }
        if let seed = activation.seed { random = SeededRandom(seed: seed) }
        executor.occupy {
            for job in Self.settled(activation.jobs, step, answer: answer) { apply(job) }
            // Handlers of what came with the start go first.
            if let starting {
                self.starting = nil
                start(starting.input)
            }
            settle()
            for case .localActivity(let end) in activation.answeredMarkers { replayLocalActivity(end) }
        }
    }

    /// Compares what follows the last workflow task with what the code asked for.
    func verify(rest: ArraySlice<Event>) throws(WorkflowTaskProblem) {
        do {
            try machine.verify(rest: rest, markers: Self.markers(in: rest))
        } catch {
            throw Self.problem(error)
        }
    }

    private static func problem(_ failure: ReplayFailure) -> WorkflowTaskProblem {
        switch failure {
        case .nondeterminism(let difference): WorkflowTaskProblem(cause: .nonDeterministicError, error: difference)
        case .corruption(let corruption): WorkflowTaskProblem(cause: .workflowWorkerUnhandledFailure, error: corruption)
        }
    }

    private func apply(_ job: Job) {
        switch job {
        case .start(let started):
            info = makeInfo(started)
            readProperties(started)
            starting = started
        case .update(let update): deliver(update)
        case .signal(let signal): deliver(signal)
        case .requestCancel(let cause): cancelMain(cause: cause)
        case .resolve(let future, let resolution): resolve(future, resolution)
        }
    }

    private func deliver(_ signal: WorkflowExecutionSignaled) {
        guard outcome == nil, problem == nil else { return }
        do {
            switch try receive(signal) {
            case .done: break
            case .task(let work): startHandler(work)
            case nil: log.warning("signal without handler dropped", metadata: ["signal": "\(signal.signalName)"])
            }
        } catch let undecodable as UndecodableArgument {
            log.error(
                "signal with undecodable argument dropped",
                metadata: ["signal": "\(signal.signalName)", "reason": "\(undecodable.reason)"])
        } catch {
            problem = error
        }
    }

    /// Turns the workflow's end into a command, or into the failure of the task.
    func conclude() throws(WorkflowTaskProblem) -> Round {
        if executor.foreignJobs > 0 {
            throw escape(
                "a job came back from a foreign thread (Task {}, Task.detached, Task.sleep, @MainActor or another executor)"
            )
        }
        if let problem { throw WorkflowTaskProblem(cause: .workflowWorkerUnhandledFailure, error: problem) }
        if let outcome {
            try close(outcome)
        } else if waiters.isEmpty, conditions.isEmpty, machine.startedEventID != .none, body.signalNames.isEmpty,
            body.updateNames.isEmpty
        {
            throw escape(
                "it waits for something that is neither an activity, a timer, another workflow nor a condition")
        }
        let isClosing = machine.isClosing
        return Round(commands: machine.finish(), messages: machine.takeMessages(), isClosing: isClosing)
    }

    private func escape(_ reason: String) -> WorkflowTaskProblem {
        WorkflowTaskProblem(
            cause: .workflowWorkerUnhandledFailure, error: WorkflowEscape(workflowType: workflowType, reason: reason))
    }

    private func close(_ outcome: Outcome) throws(WorkflowTaskProblem) {
        switch outcome {
        case .returned(let result): machine.complete(result: Blob(result))
        case .threw(let error): try close(throwing: error)
        }
    }

    private func close(throwing error: any Error) throws(WorkflowTaskProblem) {
        if let request = error as? ContinueAsNewRequest {
            machine.continueAsNew(continuation(request))
        } else if cancelRequested, error.isCancellation {
            machine.cancelRun(details: nil)
        } else if error is any TemporalFailure || error is any ApplicationFailureConvertible {
            let wire = converter.failure(for: error)
            machine.fail(.opaque(Blob(wire), traits: FailureTraits()))
        } else {
            throw WorkflowTaskProblem(cause: .workflowWorkerUnhandledFailure, error: error)
        }
    }

    // MARK: Queries

    /// What a query gave.
    enum QueryAnswer {
        case answered([UInt8])
        case failed(any Error)
    }

    /// Asks the workflow's state; nothing may change and nothing may be asked for.
    func query(_ name: String, _ arguments: Blob?, header: [String: Payload] = [:]) -> QueryAnswer {
        let wasReplaying = isReplaying
        isReadOnly = true
        isReplaying = true
        defer {
            isReadOnly = false
            isReplaying = wasReplaying
        }
        return executor.occupy {
            do {
                if let result = try builtInQuery(name) { return .answered(result) }
                if let result = try ask(name, arguments, header) { return .answered(result) }
                let known = body.queryNames.joined(separator: ", ")
                return .failed(WorkflowMisuse("no query handler for \(name); known queries: \(known)"))
            } catch {
                return .failed(error)
            }
        }
    }

    // MARK: Info

    var runInfo: WorkflowInfo {
        info
            ?? WorkflowInfo(
                namespace: namespace, workflowID: workflowID, runID: runID, firstRunID: runID,
                workflowType: workflowType,
                taskQueue: "", attempt: 1, startTime: now.date, taskTimeout: .zero)
    }

    private func makeInfo(_ started: WorkflowExecutionStarted) -> WorkflowInfo {
        WorkflowInfo(
            namespace: namespace, workflowID: workflowID, runID: runID, firstRunID: started.firstExecutionRunID.value,
            continuedRunID: started.continuedExecutionRunID?.value, workflowType: workflowType,
            taskQueue: started.taskQueue.name.value, attempt: Int(started.attempt),
            cronSchedule: started.cronSchedule.isEmpty ? nil : started.cronSchedule, startTime: machine.startTime.date,
            executionTimeout: started.workflowExecutionTimeout.durationUnlessZero,
            runTimeout: started.workflowRunTimeout.durationUnlessZero,
            taskTimeout: started.workflowTaskTimeout.duration,
            parent: started.parent.map {
                ParentInfo(
                    namespace: $0.namespace.name, workflowID: $0.execution.workflow.value,
                    runID: $0.execution.run?.value ?? "")
            },
            continuedFailure: started.continuedFailure.map(error))
    }
}
