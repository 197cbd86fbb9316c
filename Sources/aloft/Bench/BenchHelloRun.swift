import Foundation
import Postgres
import Synchronization
import Worker

/// Where the parts of a measurement run.
struct BenchSubjects: Sendable {
    /// Process ids; the same one twice when server and worker share a process.
    var server: Int32
    var worker: Int32
    var postgres: Int32
    var pool: PostgresPool
}

/// What was measured; per workflow where it says so.
struct BenchResult: Sendable {
    var mode: String
    var count: Int
    var perSecond: Double
    var busy: Latencies
    var calm: Latencies
    var calmRate: Double
    var serverCPU: Double
    var postgresCPU: Double
    var workerCPU: Double?
    var commits: Double
    var walBytes: Double
    var serverMegabytes: Double

    var printable: Printable {
        .object([
            ("mode", .string(mode)), ("workflows", .integer(Int64(count))), ("workflowsPerSecond", .number(perSecond)),
            ("p50Milliseconds", .number(busy.percentileMilliseconds(50))),
            ("p99Milliseconds", .number(busy.percentileMilliseconds(99))),
            ("calmRate", .number(calmRate)), ("calmP50Milliseconds", .number(calm.percentileMilliseconds(50))),
            ("calmP99Milliseconds", .number(calm.percentileMilliseconds(99))),
            ("serverCPUMilliseconds", .number(serverCPU * 1000)),
            ("postgresCPUMilliseconds", .number(postgresCPU * 1000)),
            ("workerCPUMilliseconds", workerCPU.map { .number($0 * 1000) } ?? .null),
            ("commitsPerWorkflow", .number(commits)), ("walBytesPerWorkflow", .number(walBytes)),
            ("serverMegabytes", .number(serverMegabytes)),
        ])
    }

    static let header = [
        "MODE", "WF/S", "P50 ms", "P99 ms", "P50 calm", "P99 calm", "SERVER ms", "POSTGRES ms", "WORKER ms", "COMMITS",
        "WAL KB", "RSS MB",
    ]

    var row: [String] {
        func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        return [
            mode, text(perSecond, 0), text(busy.percentileMilliseconds(50), 1),
            text(busy.percentileMilliseconds(99), 1),
            text(calm.percentileMilliseconds(50), 1), text(calm.percentileMilliseconds(99), 1),
            text(serverCPU * 1000, 2),
            text(postgresCPU * 1000, 2), workerCPU.map { text($0 * 1000, 2) } ?? "(in server)", text(commits, 2),
            text(walBytes / 1024, 1),
            text(serverMegabytes, 0),
        ]
    }
}

/// Drives workflows through a client and measures what they cost.
struct BenchHelloRun: Sendable {
    var count: Int
    var concurrency: Int
    var rate: Double
    var rateSeconds: Double
    let taskQueue = "bench-\(UInt32.random(in: 0..<0xFFFF_FFFF))"

    func measure(mode: String, client: WorkflowClient, subjects: BenchSubjects) async throws -> BenchResult {
        _ = try await busy(client, count: min(200, count))
        let before = try await Costs(subjects)
        let began = ContinuousClock.now
        let latencies = try await busy(client, count: count)
        let wall = (ContinuousClock.now - began).seconds
        let after = try await Costs(subjects)
        let calm = try await calmly(client)
        let each = Double(count)
        let isShared = subjects.server == subjects.worker
        return BenchResult(
            mode: mode, count: count, perSecond: each / wall, busy: Latencies(latencies), calm: Latencies(calm),
            calmRate: rate,
            serverCPU: (after.server - before.server) / each, postgresCPU: (after.postgres - before.postgres) / each,
            workerCPU: isShared ? nil : (after.worker - before.worker) / each,
            commits: (after.counters.commits - before.counters.commits) / each,
            walBytes: (after.counters.walBytes - before.counters.walBytes) / each,
            serverMegabytes: ProcessCosts.residentMegabytes(subjects.server))
    }

    private struct Costs {
        var server: Double
        var worker: Double
        var postgres: Double
        var counters: PostgresCounters
        init(_ subjects: BenchSubjects) async throws {
            counters = try await PostgresCounters.read(subjects.pool)
            server = ProcessCosts.cpuSeconds(subjects.server)
            worker = ProcessCosts.cpuSeconds(subjects.worker)
            postgres = ProcessCosts.treeCPUSeconds(subjects.postgres)
        }
    }

    private func one(_ client: WorkflowClient, _ id: String) async throws -> Double {
        let began = ContinuousClock.now
        let handle = try await client.start(
            workflowType: BenchHello.name, "a", options: StartOptions(id: id, taskQueue: taskQueue),
            returning: String.self)
        let result = try await handle.result()
        guard result == BenchWorker.answer else { throw CommandFailure("the workflow answered something else") }
        return (ContinuousClock.now - began).seconds
    }

    /// As fast as it goes with `concurrency` at once.
    private func busy(_ client: WorkflowClient, count: Int) async throws -> [Double] {
        let next = Ticket()
        let run = "b-\(UInt32.random(in: 0..<0xFFFF_FFFF))"
        return try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<concurrency {
                group.addTask {
                    var latencies: [Double] = []
                    while true {
                        let number = next.take()
                        guard number < count else { return latencies }
                        latencies.append(try await self.one(client, "\(run)-\(number)"))
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// At a fixed rate, for the latency of an unloaded server.
    private func calmly(_ client: WorkflowClient) async throws -> [Double] {
        let total = Int(rate * rateSeconds)
        let run = "c-\(UInt32.random(in: 0..<0xFFFF_FFFF))"
        let began = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Double.self) { group in
            for number in 0..<total {
                group.addTask {
                    try await Task.sleep(until: began + .seconds(Double(number) / self.rate), clock: .continuous)
                    return try await self.one(client, "\(run)-\(number)")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Numbers from 0 on, to tasks that run at once.
private final class Ticket: Sendable {
    private let next = Mutex(0)
    func take() -> Int {
        next.withLock { next in
            defer { next += 1 }
            return next
        }
    }
}
