public import Activities
import Foundation
public import Worker

/// Turns dead letters into new workflows, at a pace, in the order in which they came.
///
/// Its id is `redrive:{source}`, so one is active per source. A pause holds before the next entries; a cancel ends it at once:
/// what was redriven stays so, the rest is parked as before.
public final class RedriveWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "ntf.Redrive"

    private var isPaused = false
    private var perSecond = 10.0
    private var progress = RedriveProgress()

    /// A run with more batches than this goes on in a new one.
    private static let batchesMax = 500
    /// One batch is at most a second's worth, and at most so many.
    private static let batchMax = 500

    public init() {}

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<RedriveWorkflow>) {
        handlers.signal("pause") { $0.isPaused = true }
        handlers.signal("resume") { $0.isPaused = false }
        handlers.signal("set_rate", Double.self) { workflow, rate in
            if rate > 0, rate <= RedriveInput.perSecondMax { workflow.perSecond = rate }
        }
        handlers.query("progress") { $0.progress }
    }

    public func run(_ input: RedriveInput, _ context: WorkflowContext) async throws -> RedriveResult {
        self.perSecond = min(max(input.perSecond, 0.01), RedriveInput.perSecondMax)
        self.progress.operationID = input.jobID
        self.progress.workflowID = context.info.workflowID
        do {
            let opened: OpenedRedrive = try await self.call("OpenRedrive", input, context)
            self.progress.total = opened.total
            try await self.redrive(input, context)
        } catch let request as ContinueAsNewRequest {
            throw request
        } catch {
            guard context.isCancelRequested, !context.isEvicted else { throw error }
            _ = try await context.shielded { try await self.close(input, "CANCELED", context) }
            throw CanceledFailure("\(self.progress.done) of \(self.progress.total) were redriven")
        }
        return try await self.close(input, "COMPLETED", context)
    }

    private func redrive(_ input: RedriveInput, _ context: WorkflowContext) async throws {
        var before: Int?
        for _ in 0..<Self.batchesMax {
            if self.isPaused {
                self.progress.status = "PAUSED"
                try await context.waitCondition { !self.isPaused }
                self.progress.status = "RUNNING"
            }
            let count = min(max(Int(self.perSecond), 1), Self.batchMax)
            let batch: RedriveBatchResult = try await self.call(
                "RedriveBatch", RedriveBatchInput(job: input, count: count), context)
            self.progress.done = batch.done
            self.progress.failed = batch.failed
            // An attempt that died moved some before the one that answers.
            let paced = before.map { batch.done + batch.failed - $0 } ?? batch.taken
            before = batch.done + batch.failed
            if paced > 0 {
                try await context.sleep(for: .milliseconds(Int64(Double(paced) / self.perSecond * 1000)))
            }
            if batch.isEmpty { return }
        }
        var next = input
        next.perSecond = self.perSecond
        throw try context.continueAsNew(next)
    }

    private func close(
        _ input: RedriveInput, _ state: String, _ context: WorkflowContext
    ) async throws -> RedriveResult {
        let rest: RedriveBatchResult = try await self.call(
            "CloseRedrive", CloseRedriveInput(job: input, state: state), context)
        self.progress.done = rest.done
        self.progress.failed = rest.failed
        self.progress.status = state == "CANCELED" ? "CANCELED" : "SUCCEEDED"
        return RedriveResult(
            jobID: input.jobID, state: state, total: self.progress.total, done: self.progress.done,
            failed: self.progress.failed)
    }

    private func call<Input: Encodable & Sendable, Output: Decodable>(
        _ name: String, _ input: Input, _ context: WorkflowContext
    ) async throws -> Output {
        let options = ActivityOptions(
            startToCloseTimeout: .seconds(60), heartbeatTimeout: .seconds(10),
            retryPolicy: RetryPolicy(
                initialInterval: .milliseconds(100), backoffCoefficient: 2, maximumInterval: .seconds(10)))
        return try await context.executeActivity(name, input, options: options, returning: Output.self)
    }
}

/// What the query `progress` of a redrive answers.
public struct RedriveProgress: Codable, Hashable, Sendable {
    public var operationID = ""
    public var workflowID = ""
    public var status = "RUNNING"
    public var total = 0
    public var done = 0
    public var failed = 0

    enum CodingKeys: String, CodingKey {
        case status, total, done, failed
        case operationID = "operation_id"
        case workflowID = "workflow_id"
    }

    public init() {}
}
