import Foundation
import RunTestKit
import Testing
import Worker

@Suite("Damaged histories", .timeLimit(.minutes(10)))
struct ReplayFuzzTests {
    /// `ALOFT_FUZZ` tries another number.
    static let tries = ProcessInfo.processInfo.environment["ALOFT_FUZZ"].flatMap { UInt64($0) } ?? 10_000

    private static func recorded() throws -> [WorkflowHistory] {
        let files = try FileManager.default.contentsOfDirectory(
            at: RecordingTests.folder, includingPropertiesForKeys: nil)
        return try files.sorted { $0.path < $1.path }.map { try WorkflowHistory(contentsOf: $0) }
    }

    private static func damage(
        _ history: inout WorkflowHistory, _ random: inout SplitMix64, others: [WorkflowHistory]
    ) {
        let (first, second) = (random.below(history.events.count), random.below(history.events.count))
        switch random.below(7) {
        case 0: history.events.remove(at: first)
        case 1: history.events.swapAt(first, second)
        case 2: history.events.insert(history.events[first], at: second)
        case 3: history.events.removeLast(history.events.count - first)
        case 4:
            let other = others[random.below(others.count)]
            history.events[first] = other.events[random.below(other.events.count)]
        case 5:
            guard !history.events[first].isEmpty else { return }
            history.events[first][random.below(history.events[first].count)] = UInt8(random.below(256))
        default: history.events[first].removeLast(random.below(history.events[first].count + 1))
        }
    }

    /// Goal: whatever bytes come, a replay ends with a report or a refusal.
    ///
    /// Method: damage recorded histories a few times each, by seed, and replay them; a crash or a hang fails the run.
    @Test("Each gives a report or a refusal, never a crash")
    func damaged() throws {
        let histories = try Self.recorded()
        let replayer = WorkflowReplayer(workflows: RecordedWorkflows.all, log: ReplayedHistoryTests.quiet)
        var identical: UInt64 = 0
        for seed in 0..<Self.tries {
            var random = SplitMix64(seed: seed)
            var history = histories[random.below(histories.count)]
            for _ in 0...random.below(3) where !history.events.isEmpty {
                Self.damage(&history, &random, others: histories)
            }
            if replayer.replay(all: [history])[0].isIdentical { identical += 1 }
        }
        // Bytes that nobody reads may change; most damage is noticed.
        #expect(identical < Self.tries / 2)
    }

    @Test("Bytes that are no history are refused", arguments: UInt64(0)..<500)
    func noise(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytes = (0..<random.below(200)).map { _ in UInt8(random.below(256)) }
        #expect(throws: WorkflowHistory.Unreadable.self) { try WorkflowHistory(binary: bytes) }
        #expect(throws: WorkflowHistory.Unreadable.self) { try WorkflowHistory(json: bytes) }
    }
}
