import Foundation
import History
import Replay
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// The update whose handler is running.
public struct WorkflowUpdateInfo: Hashable, Sendable {
    public let id: String
    public let name: String
}

/// What a body says to an update.
enum UpdateDelivery {
    case done([UInt8])
    case task(() async throws -> [UInt8])
}

extension WorkflowContext {
    /// Have all handlers of signals and updates ended? `run` should wait for it before it ends or continues as new:
    /// `try await context.waitCondition { context.allHandlersFinished }`.
    public var allHandlersFinished: Bool { core.runningHandlers == 0 }
}

extension WorkflowCore {
    /// The updates that come with a workflow task: what its messages ask for or, on replay, what its answer accepted.
    static func arrivals(
        _ step: HistoryStep, answer: ArraySlice<Event>, messages: [ProtocolMessage]
    ) -> [UpdateArrival] {
        step.isCompleted ? UpdateArrival.accepted(in: answer) : messages.compactMap { UpdateArrival($0) }
    }

    /// An update that a reset carried over stands in the history before anybody accepts it: on replay the answer to its task
    /// says what became of it.
    static func settled(_ jobs: [Job], _ step: HistoryStep, answer: ArraySlice<Event>) -> [Job] {
        guard step.isCompleted else { return jobs }
        let accepted = answer.compactMap { event -> UpdateID? in
            guard case .workflowExecutionUpdateAccepted(let accepted) = event.kind else { return nil }
            return accepted.update
        }
        return jobs.compactMap { job in
            guard case .update(var arrival) = job, !arrival.wasAccepted else { return job }
            guard accepted.contains(arrival.id) else { return nil }
            arrival.wasAccepted = true
            return .update(arrival)
        }
    }

    /// Validates, accepts and begins an update.
    func deliver(_ update: UpdateArrival) {
        guard outcome == nil, problem == nil else { return }
        guard let request = try? Temporal_Api_Update_V1_Request(serializedBytes: update.request.bytes) else {
            problem = WorkflowMisuse("the request of update \(update.id) cannot be read")
            return
        }
        let name = request.input.name
        let fields = request.input.hasHeader ? try? Payload.fields(wire: request.input.header) : nil
        let call = UpdateCall(
            id: update.id.value, name: name,
            arguments: EncodedValues(wire: [UInt8](request.input.args), converter: converter), header: fields ?? [:])
        if !update.wasAccepted, let refusal = refusal(of: call) {
            machine.reject(update, failure: Blob(converter.failure(for: refusal)))
            return
        }
        machine.accept(update)
        let context = WorkflowContext(core: self, update: WorkflowUpdateInfo(id: update.id.value, name: name))
        do {
            let call = try intercepted(call, context)
            switch try body.update(call.name, Blob(call.arguments.wire), context) {
            case .done(let result): finish(update.id, request.meta.identity, .success(result))
            case .task(let work): begin(work, of: update.id, request.meta.identity)
            case nil: problem = WorkflowMisuse("the history has update \(name), which has no handler")
            }
        } catch {
            finish(update.id, request.meta.identity, .failure(error))
        }
    }

    /// Why an update is not accepted; nil when it is.
    private func refusal(of call: UpdateCall) -> (any Error)? {
        isReadOnly = true
        defer { isReadOnly = false }
        do {
            if try validate(call) { return nil }
            let known = body.updateNames.joined(separator: ", ")
            return ApplicationFailure("no update handler for \(call.name); known updates: \(known)", type: "NotFound")
        } catch {
            return error
        }
    }

    private func begin(_ work: @escaping () async throws -> [UInt8], of update: UpdateID, _ identity: String) {
        let work = Confined(work)
        let number = nextPart()
        runningHandlers += 1
        let task = Task(executorPreference: executor) {
            do {
                let result = try await work.value()
                self.finish(update, identity, .success(result))
            } catch {
                self.finish(update, identity, .failure(error))
            }
            self.runningHandlers -= 1
            self.removePart(number)
        }
        addPart(number) { task.cancel() }
    }

    private func finish(_ update: UpdateID, _ identity: String, _ result: Result<[UInt8], any Error>) {
        guard !isEvicted else { return }
        switch result {
        case .success(let payloads):
            machine.complete(update, identity: identity, outcome: UpdateOutcomeCodec.success(Blob(payloads)))
        case .failure(let error):
            // What a handler throws because the run has ended says nothing about the update.
            guard outcome == nil else { return }
            guard error is any TemporalFailure || error is any ApplicationFailureConvertible || error.isCancellation
            else {
                problem = error
                return
            }
            machine.complete(
                update, identity: identity, outcome: UpdateOutcomeCodec.failure(converter.failure(for: error)))
        }
    }
}
