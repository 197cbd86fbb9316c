import Foundation
import Logging
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@testable import Worker

@Suite("What a worker tells the server about itself")
struct WorkerStatusTests {
    private let server = ScriptedServer()
    private let clock = ManualClock()
    /// Ends the polls when the worker says goodbye.
    private let goodbye: AsyncStream<Void>
    private let sayGoodbye: AsyncStream<Void>.Continuation

    init() { (goodbye, sayGoodbye) = AsyncStream.makeStream() }

    private func prepare(heartbeats: Bool) {
        server.on("GetSystemInfo") { _ in [] }
        server.on("DescribeNamespace") { (_: Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest) in
            var response = Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse()
            response.namespaceInfo.capabilities.workerPollCompleteOnShutdown = true
            response.namespaceInfo.capabilities.workerHeartbeats = heartbeats
            return response
        }
        server.on("PollActivityTaskQueue") { [goodbye] _ in
            for await _ in goodbye {}
            return []
        }
        server.on("ShutdownWorker") { [sayGoodbye] _ in
            sayGoodbye.finish()
            return []
        }
        server.on("RecordWorkerHeartbeat") { _ in [] }
    }

    private func worker(_ change: (inout WorkerOptions) -> Void = { _ in }) -> Worker {
        var options = WorkerOptions(activityPollsMax: 1)
        options.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        change(&options)
        return Worker(
            client: server.client(), taskQueue: "q", processor: nil,
            activities: [RegisteredActivity("a") { (_: NoValue, _) in 1 }], options: options, clock: clock)
    }

    /// The texts of a message's fields by number.
    private func texts(_ message: some Collection<UInt8>) throws -> [Int: String] {
        var reader = ProtobufReader(Array(message))
        var found: [Int: String] = [:]
        while let (number, value) = try reader.next() { found[number] = value.text }
        return found
    }

    @Test("It reports at once, then every minute, and says goodbye with its last status")
    func heartbeats() async throws {
        prepare(heartbeats: true)
        let worker = worker { $0.deployment = WorkerDeployment(name: "shop", buildID: "7") }
        async let end: Void = worker.run()
        await server.wait(for: "RecordWorkerHeartbeat")
        await clock.waitForSleepers()
        clock.advance(by: .seconds(60))
        await server.wait(for: "RecordWorkerHeartbeat", count: 2)
        worker.shutDown()
        await server.wait(for: "ShutdownWorker")
        clock.advance(by: .seconds(60))
        try await end
        let request = try #require(server.calls("RecordWorkerHeartbeat").first).request(
            as: Temporal_Api_Workflowservice_V1_RecordWorkerHeartbeatRequest.self)
        let status = try texts(try #require(request.workerHeartbeat.first))
        #expect(status[2] == "tester" && status[4] == "q" && status[6] == WorkflowTaskProcessor.sdkName)
        let goodbye = try #require(server.calls("ShutdownWorker").first).request(
            as: Temporal_Api_Workflowservice_V1_ShutdownWorkerRequest.self)
        #expect(try texts(goodbye.workerHeartbeat)[1] == status[1])
    }

    @Test("A server that does not know heartbeats is asked once; one that does not want them never")
    func unwanted() async throws {
        prepare(heartbeats: true)
        server.on("RecordWorkerHeartbeat") { _ in throw RPCFailure(.unimplemented, "unknown method") }
        let first = worker()
        async let end: Void = first.run()
        await server.wait(for: "RecordWorkerHeartbeat")
        await server.wait(for: "PollActivityTaskQueue")
        first.shutDown()
        try await end
        #expect(server.calls("RecordWorkerHeartbeat").count == 1)
    }

    @Test("Polls name the deployment and the queue's rate; every call names what the client understands")
    func pollAttributes() async throws {
        prepare(heartbeats: false)
        let worker = worker {
            $0.deployment = WorkerDeployment(name: "shop", buildID: "7", isVersioned: true)
            $0.taskQueueActivitiesPerSecond = 2.5
        }
        async let end: Void = worker.run()
        await server.wait(for: "PollActivityTaskQueue")
        worker.shutDown()
        try await end
        let call = try #require(server.calls("PollActivityTaskQueue").first)
        let poll = try call.request(as: Temporal_Api_Workflowservice_V1_PollActivityTaskQueueRequest.self)
        #expect(poll.deploymentOptions.deploymentName == "shop" && poll.deploymentOptions.buildID == "7")
        #expect(poll.deploymentOptions.workerVersioningMode == .versioned)
        #expect(poll.taskQueueMetadata.maxTasksPerSecond.value == 2.5)
        #expect(call.metadata["supported-features"] == "follows-next-run-id")
        #expect(server.calls("RecordWorkerHeartbeat").isEmpty)
    }
}

@Suite("Slots by a supplier, and rates")
struct SlotSupplierTests {
    /// Counts, and gives no more than one slot for all kinds.
    final class OneForAll: SlotSupplier {
        let log = Mutex<[String]>([])
        private let pool = FixedSlots(1)

        func reserve(_ request: SlotRequest) async -> Bool {
            guard await pool.reserve(request) else { return false }
            log.withLock { $0.append("+\(request.kind)") }
            return true
        }
        func tryReserve(_ request: SlotRequest) -> Bool { pool.tryReserve(request) }
        func release(_ request: SlotRequest) {
            log.withLock { $0.append("-\(request.kind)") }
            pool.release(request)
        }
        var kind: String { "OneForAll" }
    }

    @Test("A poller asks its supplier before it polls, and gives the slot back when nothing came")
    func supplier() async {
        let supplier = OneForAll()
        let life = WorkerLife()
        let poller = Poller(
            slots: supplier, life: life, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            request: SlotRequest(kind: .activity, taskQueue: "q")
        ) { () throws(RPCFailure) in
            life.shutDown()
            return .empty
        }
        await poller.run()
        #expect(supplier.log.withLock { $0 } == ["+activity", "-activity"])
    }

    @Test("A rate keeps callers apart")
    func rate() async throws {
        #expect(RateLimiter(perSecond: nil, clock: ManualClock()) == nil)
        #expect(RateLimiter(perSecond: 0, clock: ManualClock()) == nil)
        let clock = ManualClock()
        let limiter = try #require(RateLimiter(perSecond: 0.001, clock: clock))
        #expect(await limiter.wait())
        async let second = limiter.wait()
        await clock.waitForSleepers()
        clock.advance(by: .seconds(1000))
        #expect(await second)
    }
}
