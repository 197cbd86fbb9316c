import Foundation

/// CPU time and memory of processes, read from /proc.
enum ProcessCosts {
    /// Seconds of CPU of a process and of its children that it has waited for.
    static func cpuSeconds(_ pid: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 14 else { return 0 }
        let ticks = (11...14).compactMap { Double(fields[$0]) }.reduce(0, +)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The process and its living children: a postmaster with its backends.
    static func treeCPUSeconds(_ pid: Int32) -> Double {
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        return cpuSeconds(pid) + children.split(separator: " ").compactMap { Int32($0) }.map(cpuSeconds).reduce(0, +)
    }

    static func residentMegabytes(_ pid: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
        else { return 0 }
        return kilobytes / 1024
    }
}

/// Sorted latencies in seconds.
struct Latencies: Sendable {
    private let sorted: [Double]
    init(_ values: [Double]) { sorted = values.sorted() }
    func percentileMilliseconds(_ percent: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * percent / 100))] * 1000
    }
}
