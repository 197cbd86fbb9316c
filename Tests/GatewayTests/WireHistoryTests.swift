import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@Suite("Waiting for a result and reading history")
struct WireHistoryTests {
    typealias Page = Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse

    static let key = RunKey(namespace: ScriptedBackend.defaultNamespace.id, workflow: "w", run: ScriptedBackend.run)

    static func completed(next: RunID?) -> [UInt8] {
        EventCodec.encode(
            Event(
                id: EventID(5), time: Timestamp(nanoseconds: 1),
                kind: .workflowExecutionCompleted(
                    .init(result: Blob([1, 2]), workflowTaskCompletedEventID: EventID(4), newExecutionRunID: next))))
    }

    private func waitForClose(_ page: HistoryPage, metadata: [(name: String, value: String)] = []) async throws -> Page
    {
        let wire = Wire(ScriptedBackend(onHistory: { _ in page }))
        let request = Requests.history {
            $0.waitNewEvent = true
            $0.historyEventFilterType = .closeEvent
        }
        return try await wire.call("GetWorkflowExecutionHistory", request, returning: Page.self, metadata: metadata)
    }

    @Test("A run that is still open answers with no event and a token that pins the run")
    func stillOpen() async throws {
        let page = try await waitForClose(HistoryPage(run: Self.key, events: [[1]], next: nil, isOpen: true))
        #expect(page.history.events.isEmpty && !page.nextPageToken.isEmpty)
        let backend = ScriptedBackend()
        let again = Requests.history { $0.nextPageToken = page.nextPageToken }
        _ = try await Wire(backend).call("GetWorkflowExecutionHistory", again, returning: Page.self)
        #expect(backend.state.withLock { $0.histories.first?.target.run } == ScriptedBackend.run)
    }

    @Test("A closed run answers with exactly the last event and no token")
    func closed() async throws {
        let last = Self.completed(next: nil)
        let page = try await waitForClose(HistoryPage(run: Self.key, events: [[1], last], next: nil, isOpen: false))
        #expect(page.history.events == [Data(last)] && page.nextPageToken.isEmpty)
    }

    @Test("A client that does not follow runs sees the end as ContinuedAsNew, one that does sees it as it is")
    func followsRuns() async throws {
        let next = RunID(UUIDs.random())
        let last = Self.completed(next: next)
        let page = HistoryPage(run: Self.key, events: [last], next: nil, isOpen: false)
        let plain = try await waitForClose(page)
        let event = try EventCodec.decode([UInt8](plain.history.events[0]))
        guard case .workflowExecutionContinuedAsNew(let goesOn) = event.kind else {
            Issue.record("expected ContinuedAsNew, got \(event.kind)")
            return
        }
        #expect(
            goesOn.newExecutionRunID == next && goesOn.lastCompletionResult == Blob([1, 2]) && event.id == EventID(5))
        let following = try await waitForClose(page, metadata: [("supported-features", "x,follows-next-run-id")])
        #expect(following.history.events == [Data(last)])
    }

    @Test("A waiting reader gets a token for the event after those it has, until the run is closed")
    func waitingReader() async throws {
        let request = Requests.history { $0.waitNewEvent = true }
        let open = Wire(
            ScriptedBackend(onHistory: { _ in HistoryPage(run: Self.key, events: [[1], [2]], next: nil, isOpen: true) })
        )
        let first = try await open.call("GetWorkflowExecutionHistory", request, returning: Page.self)
        let backend = ScriptedBackend(onHistory: { _ in
            HistoryPage(run: Self.key, events: [[3]], next: nil, isOpen: false)
        })
        let rest = try await Wire(backend).call(
            "GetWorkflowExecutionHistory", request.with { $0.nextPageToken = first.nextPageToken }, returning: Page.self
        )
        #expect(backend.state.withLock { $0.histories.first?.first } == EventID(3))
        #expect(rest.nextPageToken.isEmpty && rest.history.events.count == 1)
    }

    @Test("Page sizes are bounded and forged tokens are refused")
    func pagesAndTokens() async throws {
        let backend = ScriptedBackend()
        let wire = Wire(backend)
        for size in [0, 100_000] as [Int32] {
            _ = try await wire.call(
                "GetWorkflowExecutionHistory", Requests.history { $0.maximumPageSize = size }, returning: Page.self)
        }
        #expect(backend.state.withLock { $0.histories.map(\.limit) } == [256, 256])
        for token in [Data([1]), Data(repeating: 7, count: 60)] {
            let failure = try await wire.failure(
                "GetWorkflowExecutionHistory", Requests.history { $0.nextPageToken = token })
            #expect(failure.code == .invalidArgument)
        }
    }

    @Test("A token of one run does not read another")
    func otherRun() async throws {
        let open = try await waitForClose(HistoryPage(run: Self.key, events: [], next: nil, isOpen: true))
        let failure = try await Wire(ScriptedBackend()).failure(
            "GetWorkflowExecutionHistory",
            Requests.history {
                $0.execution.runID = UUIDs.random()
                $0.nextPageToken = open.nextPageToken
            })
        #expect(failure.code == .invalidArgument)
    }
}
