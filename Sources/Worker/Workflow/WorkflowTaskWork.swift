import Foundation
import History
import Replay
import TemporalAPI
import TemporalCodec

extension WorkflowTaskProcessor {
    /// One task on its way to a state and the events that state has not seen.
    struct Work {
        enum Prepared {
            case ready(WorkflowCore, HistorySteps)
            case failed(WorkflowTaskProblem)
            case unreachable(RPCFailure)
        }

        let task: WorkflowTaskProcessor.Task
        let cached: WorkflowCore?
        let processor: WorkflowTaskProcessor

        /// Decides whether the run in memory can go on, and fetches what the task does not carry.
        ///
        /// The run in memory goes on if the task continues exactly where it stands. A whole history replaces it; a part that
        /// does not fit means that the whole history is fetched.
        func prepare(_ history: any HistoryPages) async -> Prepared {
            do {
                var decoded = try Decoded(task.history.events)
                let begins = decoded.events.first?.id ?? .none
                if let core = cached, begins != .first,
                    core.machine.startedEventID.value == task.previousStartedEventID,
                    begins == .none ? task.hasQuery : begins <= core.machine.lastEventID.next
                {
                    try await complete(&decoded, history, token: [UInt8](task.nextPageToken))
                    decoded.drop(through: core.machine.lastEventID)
                    return .ready(core, try steps(decoded, core))
                }
                cached?.evict()
                let core = try processor.makeCore(task)
                if begins == .first {
                    try await complete(&decoded, history, token: [UInt8](task.nextPageToken))
                } else {
                    decoded = Decoded()
                    try await complete(&decoded, history, token: nil)
                }
                return .ready(core, try steps(decoded, core))
            } catch let failure as RPCFailure {
                cached?.evict()
                return .unreachable(failure)
            } catch let problem as WorkflowTaskProblem {
                cached?.evict()
                return .failed(problem)
            } catch {
                cached?.evict()
                return .failed(WorkflowTaskProblem(cause: .workflowWorkerUnhandledFailure, error: error))
            }
        }

        /// Adds pages until the task's own start is there, or there are no more.
        ///
        /// - Parameter token: nil begins with the first page; an empty one means that nothing is missing.
        private func complete(_ decoded: inout Decoded, _ history: any HistoryPages, token: [UInt8]?) async throws {
            var token = token
            while token?.isEmpty != true {
                if task.startedEventID > 0, let last = decoded.events.last, last.id.value >= task.startedEventID {
                    break
                }
                let page = try await history.page(of: task.workflowExecution, token: token ?? [])
                try decoded.append(page.events.events)
                token = page.nextToken
            }
            if task.startedEventID > 0 { decoded.cut(after: EventID(task.startedEventID)) }
        }

        private func steps(_ decoded: Decoded, _ core: WorkflowCore) throws(Corruption) -> HistorySteps {
            core.machine.ignoredEvents.formUnion(decoded.ignored)
            return try HistorySteps(decoded.events, ignored: core.machine.ignoredEvents)
        }
    }

    /// Events and what was left out of them.
    struct Decoded {
        var events: [Event] = []
        var ignored: Set<EventID> = []

        init() {}
        init(_ encoded: [Data]) throws(UndecodableEvent) { try append(encoded) }

        /// - Throws: ``UndecodableEvent`` unless the event says that it may be ignored.
        mutating func append(_ encoded: [Data]) throws(UndecodableEvent) {
            events.reserveCapacity(events.count + encoded.count)
            for bytes in encoded {
                do {
                    events.append(try EventCodec.decode([UInt8](bytes)))
                } catch  where error.workerMayIgnore {
                    ignored.insert(error.id)
                }
            }
        }

        mutating func drop(through id: EventID) { events.removeAll { $0.id <= id } }
        mutating func cut(after id: EventID) {
            while let last = events.last, last.id > id { events.removeLast() }
        }
    }
}
