import Foundation
import Synchronization
import Worker

/// Waits a month, unless it is cancelled before.
final class Subscription: WorkflowDefinition {
    private var renewals = 0
    private var plan = "basic"

    static func registerHandlers(_ handlers: inout WorkflowHandlers<Subscription>) {
        handlers.signal("plan", String.self) { workflow, plan in workflow.plan = plan }
        handlers.query("renewals") { workflow in workflow.renewals }
    }

    func run(_ months: Int, _ context: WorkflowContext) async throws -> String {
        while renewals < months {
            try await context.sleep(for: .seconds(30 * 24 * 3600), summary: "next renewal")
            renewals += 1
            try await context.executeActivity(
                "charge", plan, options: ActivityOptions(startToCloseTimeout: .seconds(10)))
        }
        return "\(plan) × \(renewals)"
    }
}

/// Runs one local activity with the given options.
final class Local: WorkflowDefinition {
    struct Input: Codable, Sendable {
        var activity = "local"
        var value = "x"
        var maximumAttempts: Int?
        var initialInterval = 0.001
        var threshold = 60.0
    }

    func run(_ input: Input, _ context: WorkflowContext) async throws -> String {
        let before = context.now
        let result = try await context.executeLocalActivity(
            input.activity, input.value,
            options: LocalActivityOptions(
                startToCloseTimeout: .seconds(60),
                retryPolicy: RetryPolicy(
                    initialInterval: .seconds(input.initialInterval), maximumAttempts: input.maximumAttempts),
                localRetryThreshold: .seconds(input.threshold)), returning: String.self)
        return context.now >= before ? result : "time went back"
    }
}

/// Counts how often it was called.
final class Calls: Sendable {
    private let state = Mutex(0)
    var count: Int { state.withLock { $0 } }
    @discardableResult
    func next() -> Int {
        state.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Collects lines from anywhere.
final class Journal: Sendable {
    private let state = Mutex<[String]>([])
    var lines: [String] { state.withLock { $0 } }
    func add(_ line: String) { state.withLock { $0.append(line) } }
}
