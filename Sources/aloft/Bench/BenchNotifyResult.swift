import Foundation
import Postgres
import ServerTestKit

/// What the processes of a measurement had used up at a moment, or between two.
struct BenchNotifyCosts: Sendable {
    var server: Double
    var worker: Double
    var postgres: Double
    /// Sandbox, and this process that hands the notifications over.
    var others: Double
    var machine: MachineTime
    var counters: PostgresCounters

    init(_ stage: BenchNotifyStage) async throws {
        counters = try await PostgresCounters.read(stage.pool)
        server = ProcessCosts.cpuSeconds(stage.server.processIdentifier)
        worker = ProcessCosts.cpuSeconds(stage.worker.processIdentifier)
        postgres = ProcessCosts.treeCPUSeconds(stage.postgres)
        others = ProcessCosts.cpuSeconds(stage.sandbox.processIdentifier) + ProcessCosts.cpuSeconds(getpid())
        machine = MachineTime.read()
    }

    func since(_ earlier: BenchNotifyCosts) -> BenchNotifyCosts {
        var costs = self
        costs.server -= earlier.server
        costs.worker -= earlier.worker
        costs.postgres -= earlier.postgres
        costs.others -= earlier.others
        costs.machine.busy -= earlier.machine.busy
        costs.machine.waiting -= earlier.machine.waiting
        costs.machine.idle -= earlier.machine.idle
        costs.counters.commits -= earlier.counters.commits
        costs.counters.walBytes -= earlier.counters.walBytes
        return costs
    }
}

/// What the cores of the machine did, in seconds of all cores.
struct MachineTime: Sendable {
    var busy = 0.0
    /// Idle while something waited for the disk.
    var waiting = 0.0
    var idle = 0.0

    static func read() -> MachineTime {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("cpu ") })
        else { return MachineTime() }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }.map { $0 / ticks }
        guard fields.count >= 5 else { return MachineTime() }
        let all = fields.prefix(8).reduce(0, +)
        return MachineTime(busy: all - fields[3] - fields[4], waiting: fields[4], idle: fields[3])
    }
}

/// What was measured; costs are per notification.
struct BenchNotifyResult: Sendable {
    var channel: String
    var count: Int
    var wall: Double
    var busy: Latencies
    var calmRate: Double
    var calm: Latencies
    var costs: BenchNotifyCosts
    /// One commit alone.
    var commitSeconds: Double

    private static let fullCores = 0.85
    private static let fullDisk = 0.7

    var perSecond: Double { Double(count) / wall }
    private func each(_ seconds: Double) -> Double { seconds * 1000 / Double(count) }

    var coresShare: Double {
        let machine = costs.machine
        return machine.busy / max(0.001, machine.busy + machine.waiting + machine.idle)
    }

    /// The share of the time that commits would take one after the other.
    var commitShare: Double { costs.counters.commits * commitSeconds / wall }

    /// Which resource is used up.
    var limit: String {
        let cores = String(format: "%.0f %%", coresShare * 100)
        let commits = String(format: "%.0f %% of the time at %.2f ms each", commitShare * 100, commitSeconds * 1000)
        let own = costs.server + costs.worker + costs.postgres
        let shares = String(
            format: "server %.0f %%, worker %.0f %%, Postgres %.0f %%", costs.server / own * 100,
            costs.worker / own * 100, costs.postgres / own * 100)
        if coresShare >= Self.fullCores {
            return "limited by the cores: \(cores) busy (of our own CPU: \(shares)); commits take \(commits)"
        }
        if commitShare >= Self.fullDisk {
            return "limited by commits (fsync): \(commits); cores \(cores) busy"
        }
        return
            "limited by neither: cores \(cores) busy, commits \(commits); it waits for slots and round trips (\(shares))"
    }

    static let header = [
        "CHANNEL", "SENT/S", "P50 ms", "P99 ms", "P50 calm", "P99 calm", "SERVER ms", "WORKER ms", "POSTGRES ms",
        "COMMITS", "WAL KB", "CORES",
    ]

    var row: [String] {
        func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        return [
            channel, text(perSecond, 0), text(busy.percentileMilliseconds(50), 0),
            text(busy.percentileMilliseconds(99), 0), text(calm.percentileMilliseconds(50), 1),
            text(calm.percentileMilliseconds(99), 1), text(each(costs.server), 2), text(each(costs.worker), 2),
            text(each(costs.postgres), 2), text(costs.counters.commits / Double(count), 2),
            text(costs.counters.walBytes / Double(count) / 1024, 1), text(coresShare * 100, 0) + " %",
        ]
    }

    var printable: Printable {
        .object([
            ("channel", .string(channel)), ("notifications", .integer(Int64(count))), ("perSecond", .number(perSecond)),
            ("p50Milliseconds", .number(busy.percentileMilliseconds(50))),
            ("p99Milliseconds", .number(busy.percentileMilliseconds(99))), ("calmRate", .number(calmRate)),
            ("calmP50Milliseconds", .number(calm.percentileMilliseconds(50))),
            ("calmP99Milliseconds", .number(calm.percentileMilliseconds(99))),
            ("serverCPUMilliseconds", .number(each(costs.server))),
            ("workerCPUMilliseconds", .number(each(costs.worker))),
            ("postgresCPUMilliseconds", .number(each(costs.postgres))),
            ("otherCPUMilliseconds", .number(each(costs.others))),
            ("commitsPerNotification", .number(costs.counters.commits / Double(count))),
            ("walBytesPerNotification", .number(costs.counters.walBytes / Double(count))),
            ("coresShare", .number(coresShare)), ("commitMilliseconds", .number(commitSeconds * 1000)),
            ("commitShare", .number(commitShare)), ("limit", .string(limit)),
        ])
    }
}
