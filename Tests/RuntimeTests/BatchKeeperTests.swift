import Engine
import EngineTestKit
import History
import Runtime
import Synchronization
import Testing

@Suite("Batch operations go to every run", .timeLimit(.minutes(1)))
struct BatchKeeperTests {
    private func request(
        _ id: BatchJobID = "job", _ action: BatchAction = .cancel(identity: "me"), query: String = "all",
        rate: Double = 1000
    ) -> StartBatchRequest {
        StartBatchRequest(
            key: BatchKey(namespace: Rig.namespace, id: id), action: action, reason: "why", query: query,
            executions: [], operationsPerSecond: rate)
    }

    private func connect(_ rig: Rig) async {
        await rig.host.connectBatches(
            BatchServices(query: { namespace, _ in VisibilityQuery(namespace: namespace, limit: 10) }))
    }

    private func described(_ rig: Rig, _ id: BatchJobID = "job") async throws -> BatchOperation {
        try await rig.host.describeBatch(BatchKey(namespace: Rig.namespace, id: id))
    }

    @Test("A killed host goes on where it was, and signals no run twice")
    func restart() async throws {
        var rig = Rig()
        try await rig.host.start()
        await connect(rig)
        for number in 0..<30 { try await rig.start(WorkflowID("w\(number)")) }
        let signal = BatchAction.signal(name: "say", input: nil, header: nil, identity: "me")
        try await rig.host.startBatch(request("job", signal, rate: 20))
        // The same wish again is the same operation.
        try await rig.host.startBatch(request("job", signal, rate: 20))
        for round in 1...4 {
            let before = try await described(rig).succeeded
            try await rig.pass("progress", step: .milliseconds(50)) { try await described(rig).succeeded > before }
            await rig.host.abandon()
            rig = Rig(seed: UInt64(round) + 10, on: rig)
            try await rig.host.start()
            await connect(rig)
        }
        let last = rig
        try await last.pass("the end", step: .milliseconds(100)) { try await !described(last).isOpen }
        let operation = try await described(last)
        #expect(operation.state == .completed)
        #expect(operation.total == 30)
        #expect(operation.succeeded == 30)
        for number in 0..<30 {
            let names = try await last.names(WorkflowID("w\(number)"))
            #expect(names.filter { $0 == "WorkflowExecutionSignaled" }.count == 1)
        }
        await last.host.shutdown()
    }

    @Test("One is open at a time; a stopped one ends at once and says so")
    func stop() async throws {
        try await Rig().run { rig in
            await connect(rig)
            for number in 0..<5 { try await rig.start(WorkflowID("w\(number)")) }
            let terminate = BatchAction.terminate(details: nil, identity: "me")
            try await rig.host.startBatch(request("job", terminate, rate: 0.001))
            try await rig.until("one is done") { try await described(rig).succeeded == 1 }
            await #expect(throws: Rejection.self) { try await rig.host.startBatch(request("other", terminate)) }
            await #expect(throws: Rejection.self) {
                try await rig.host.startBatch(request("job", .cancel(identity: "")))
            }
            try await rig.host.stopBatch(
                BatchKey(namespace: Rig.namespace, id: "job"), identity: "me", reason: "enough")
            #expect(try await described(rig).state == .failed)
            #expect(try await described(rig).succeeded == 1)
            try await rig.host.startBatch(request("other", terminate))
            try await rig.pass("the other one ends") { try await !described(rig, "other").isOpen }
            #expect(try await described(rig, "other").succeeded == 5)
        }
    }
}
