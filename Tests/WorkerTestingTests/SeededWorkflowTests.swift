import Foundation
import Logging
import RunTestKit
import Testing
import Worker
import WorkerTesting

/// A program drawn from a seed: what a workflow does, step by step.
final class Seeded: WorkflowDefinition {
    private var signals = 0

    static func registerHandlers(_ handlers: inout WorkflowHandlers<Seeded>) {
        handlers.signal("poke") { workflow in workflow.signals += 1 }
    }

    func run(_ seed: UInt64, _ context: WorkflowContext) async throws -> Int {
        var random = SplitMix64(seed: seed)
        var sum = 0
        for _ in 0...random.below(4) {
            sum &+= try await step(&random, context, depth: 0)
        }
        return sum
    }

    private func step(_ random: inout SplitMix64, _ context: WorkflowContext, depth: Int) async throws -> Int {
        let seed = random.next()
        switch random.below(depth < 2 ? 8 : 6) {
        case 0:
            try await context.sleep(for: .seconds(Int(seed % 100_000)))
            return 1
        case 1:
            return try await context.executeActivity(
                "work", seed % 1000,
                options: ActivityOptions(
                    startToCloseTimeout: .seconds(60), retryPolicy: RetryPolicy(maximumAttempts: 3)))
        case 2:
            return try await context.executeLocalActivity(
                "work", seed % 1000,
                options: LocalActivityOptions(
                    startToCloseTimeout: .seconds(60),
                    retryPolicy: RetryPolicy(initialInterval: .milliseconds(1), maximumAttempts: 3),
                    localRetryThreshold: seed % 2 == 0 ? .zero : .seconds(60)))
        case 3: return context.patched("patch \(seed % 3)") ? 2 : 3
        case 4:
            try context.upsertMemo(["m\(seed % 3)": seed % 2 == 0 ? Int(seed % 9) : nil])
            return context.memoNames.count
        case 5:
            let before = signals
            return try await context.waitCondition(timeout: .seconds(3600)) { self.signals > before } ? 5 : 6
        case 6: return try await several(&random, context, depth: depth)
        default: return try await cut(&random, context, depth: depth)
        }
    }

    /// Some at once.
    private func several(_ random: inout SplitMix64, _ context: WorkflowContext, depth: Int) async throws -> Int {
        let seeds = (0...(1 + random.below(3))).map { _ in random.next() }
        let parts = Parts(self)
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for seed in seeds {
                group.addTask {
                    var random = SplitMix64(seed: seed)
                    return try await parts.workflow.step(&random, context, depth: depth + 1)
                }
            }
            return try await group.reduce(0, &+)
        }
    }

    /// Something that may be cut short by a timer.
    private func cut(_ random: inout SplitMix64, _ context: WorkflowContext, depth: Int) async throws -> Int {
        let limit = Duration.seconds(1 + random.below(50_000))
        let seed = random.next()
        do {
            return try await context.withTimeout(limit) {
                var random = SplitMix64(seed: seed)
                return try await self.step(&random, context, depth: depth + 1)
            }
        } catch {
            guard error is TimeoutFailure || error.isCancellation else { throw error }
            return 7
        }
    }

    private struct Parts: @unchecked Sendable {
        let workflow: Seeded
        init(_ workflow: Seeded) { self.workflow = workflow }
    }
}

@Suite("Workflows drawn from seeds", .timeLimit(.minutes(10)))
struct SeededWorkflowTests {
    /// `ALOFT_SEEDS` draws more.
    static let seeds = ProcessInfo.processInfo.environment["ALOFT_SEEDS"].flatMap { UInt64($0) } ?? 500

    /// Goal: what ran once replays to the same commands, whatever is mixed; and no run hangs.
    ///
    /// Method: run many programs on one server, some signals among them, without memory between the tasks of every other one,
    /// then replay every history.
    @Test("Their histories replay without a difference", arguments: [0, 1000])
    func replay(cachedRuns: Int) async throws {
        let work = RegisteredActivity("work") { (number: UInt64, context: ActivityContext) -> Int in
            if number % 7 == 0, context.info.attempt < 2 { throw ApplicationFailure("again") }
            return Int(number % 10)
        }
        try await TestEnvironment.run { environment in
            try await environment.withWorker(
                workflows: [RegisteredWorkflow(Seeded.self)], activities: [work],
                options: WorkerOptions(cachedRunsMax: cachedRuns)
            ) {
                let replayer = WorkflowReplayer(
                    workflows: [RegisteredWorkflow(Seeded.self)], log: ReplayedHistoryTests.quiet)
                for seed in 0..<Self.seeds {
                    let handle = try await environment.client.start(
                        Seeded.self, seed, options: StartOptions(id: "seed-\(seed)", taskQueue: environment.taskQueue))
                    if seed % 3 == 0 { try? await handle.signal("poke") }
                    if seed % 11 == 0 { try? await handle.cancel() }
                    _ = try? await handle.result()
                    let report = try replayer.replay(try await handle.fetchHistory())
                    #expect(
                        report.isIdentical,
                        "seed \(seed), cache \(cachedRuns): \(report.divergence.map(String.init(describing:)) ?? "")")
                }
            }
        }
    }
}
