import Foundation
import Rollouts
import ServerTestKit
import Testing

@Suite("Judging a candidate")
struct JudgeTests {
    private func window(_ requests: Int, _ errors: Int, _ latency: Double? = 0.1) -> MetricWindow {
        MetricWindow(requests: requests, errors: errors, latency: latency)
    }

    private func verdict(
        _ candidate: MetricWindow, stable: MetricWindow? = nil, alert: Bool = false, burn: (Double, Double)? = nil
    ) -> Verdict {
        ThresholdJudge().judge(
            Measurement(
                stable: stable ?? self.window(100_000, 0), candidate: candidate, hasCriticalAlert: alert,
                longErrorRate: burn?.0, shortErrorRate: burn?.1))
    }

    @Test("No errors among too few requests show nothing")
    func samples() {
        #expect(self.verdict(self.window(3000, 0)) == .pass)
        #expect(
            self.verdict(self.window(2999, 0))
                == .inconclusive(reason: "2999 requests of the candidate, 3000 are needed"))
        #expect(self.verdict(self.window(0, 0, nil)) == .inconclusive(reason: "the candidate had no requests"))
    }

    @Test("3: over the limit fails with both numbers, five times over it aborts")
    func errors() {
        #expect(self.verdict(self.window(20_000, 20)) == .pass)
        #expect(self.verdict(self.window(20_000, 30)) == .fail(reason: "error_rate 0.0015 > 0.001"))
        #expect(self.verdict(self.window(20_000, 100)) == .fail(reason: "error_rate 0.005 > 0.001"))
        #expect(self.verdict(self.window(20_000, 101)) == .abort(reason: "error_rate 0.0051 > 0.001"))
    }

    @Test("4: thirty percent slower fails, eight percent passes; the stable version without errors has the rate 0")
    func latency() {
        #expect(self.verdict(self.window(5000, 0, 0.130)) == .fail(reason: "latency_increase 0.3 > 0.1"))
        #expect(self.verdict(self.window(5000, 0, 0.108)) == .pass)
        #expect(self.verdict(self.window(5000, 0, 0.2)) == .abort(reason: "latency_increase 1.0 > 0.1"))
        #expect(self.window(10, 0).errorRate == 0)
        #expect(self.window(0, 0).errorRate == nil)
    }

    @Test("11: a critical alert aborts whatever the metrics say; so does a burn rate over both windows, not over one")
    func emergencies() {
        #expect(self.verdict(self.window(5000, 0), alert: true) == .abort(reason: "a critical alert is firing"))
        #expect(
            self.verdict(self.window(10, 0), burn: (0.02, 0.02))
                == .abort(reason: "burn rate over 14.4 in both windows"))
        #expect(self.verdict(self.window(5000, 0), burn: (0.001, 0.02)) == .pass)
    }

    private struct Case: Decodable {
        var stable: [Double]
        var candidate: [Double]
        var result: MetricJudge.Result
    }

    private static let python = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: ".cache/venv/bin/python").path
    private static let oracle = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Conformance/mannwhitney_oracle.py").path

    @Test(
        "16: ten thousand pairs of samples are judged as SciPy judges them",
        .enabled(if: FileManager.default.fileExists(atPath: python), "run scripts/setup.sh --python"))
    func oracle() async throws {
        let seed =
            ProcessInfo.processInfo.environment["ALOFT_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...1_000_000)
        let file = URL(filePath: "/tmp/aloft-oracle-\(UInt64.random(in: 0..<0xFFFF_FFFF)).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let child = try ChildProcess.start([Self.python, Self.oracle, "10000", "\(seed)"], output: file)
        #expect(await child.wait() == 0)
        let judge = MetricJudge(direction: .either)
        var seen: [MetricJudge.Result: Int] = [:]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            let known = try JSONDecoder().decode(Case.self, from: Data(line.utf8))
            let result = judge.judge(stable: known.stable, candidate: known.candidate)
            #expect(result == known.result, "seed \(seed): \(line)")
            seen[result, default: 0] += 1
        }
        #expect(seen.values.reduce(0, +) == 10_000)
        #expect(seen.count == 3, "all three results occur: \(seen)")
    }

    @Test("Direction, missing samples, outliers and the size of the effect decide what counts")
    func settings() {
        let low = (0..<30).map { Double($0 % 5) }
        let high = low.map { $0 + 10 }
        #expect(MetricJudge(direction: .increase).judge(stable: low, candidate: high) == .high)
        #expect(MetricJudge(direction: .decrease).judge(stable: low, candidate: high) == .pass)
        #expect(MetricJudge(direction: .decrease).judge(stable: high, candidate: low) == .low)
        #expect(MetricJudge(direction: .either).judge(stable: low, candidate: low) == .pass)
        #expect(MetricJudge(direction: .either).judge(stable: [1, 1, 1], candidate: [1, 1]) == .pass)
        #expect(MetricJudge(direction: .increase, allowedIncrease: 20).judge(stable: low, candidate: high) == .pass)
        let absent = Array(repeating: Double.nan, count: 30)
        #expect(MetricJudge(direction: .increase).judge(stable: absent, candidate: high) == .noData)
        #expect(MetricJudge(direction: .increase, missing: .replace).judge(stable: absent, candidate: high) == .high)
        let spiky = low.dropLast(4) + [1000, 1000, 1000, 1000]
        #expect(
            MetricJudge(direction: .increase, removesOutliers: true).judge(stable: low, candidate: Array(spiky))
                == .pass)
    }

    @Test("Groups count by weight; a critical metric or half without data brings the score to nothing")
    func scores() {
        func entry(_ group: String, _ result: MetricJudge.Result, critical: Bool = false) -> Scorecard.Entry {
            Scorecard.Entry(metric: "m-\(group)", group: group, result: result, isCritical: critical)
        }
        #expect(Scorecard(entries: [entry("a", .pass), entry("b", .pass)]).mark == .pass)
        let mixed = Scorecard(entries: [entry("a", .pass), entry("b", .high)], weights: ["a": 80, "b": 20])
        #expect(abs(mixed.score - 80) < 1e-9)
        #expect(mixed.mark == .marginal)
        #expect(mixed.against == ["m-b"])
        #expect(
            Scorecard(entries: [entry("a", .pass), entry("a", .pass), entry("b", .low, critical: true)]).score == 0)
        #expect(Scorecard(entries: [entry("a", .pass), entry("b", .noData)]).score == 0)
        #expect(Scorecard(entries: [entry("a", .pass), entry("a", .pass), entry("b", .noData)]).score == 100)
        #expect(Scorecard(entries: []).score == 0)
    }
}
