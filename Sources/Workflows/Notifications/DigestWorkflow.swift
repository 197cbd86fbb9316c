public import Activities
import Foundation
public import Worker

/// Collects triggers for one person and key, and sends one message with the list when the window ends; then goes on as a new run.
///
/// Every trigger is a signal `trigger` sent with a start. A window without triggers ends the digest; the next trigger begins it again.
public final class DigestWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "ntf.Digest"

    /// More than this a window does not collect: what is over it waits for the next.
    public static let itemsMax = 500
    /// Signals one run takes before it goes on as a new one.
    private static let triggersMax = 5000

    private var items: [DigestItem] = []
    private var isFlushed = false
    private var triggers = 0

    public init() {}

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<DigestWorkflow>) {
        handlers.signal("trigger", DigestItem.self) { workflow, item in
            workflow.triggers += 1
            if !workflow.items.contains(where: { $0.id == item.id }) { workflow.items.append(item) }
        }
        handlers.signal("flush") { $0.isFlushed = true }
        handlers.query("items") { $0.items }
    }

    public func run(_ input: DigestInput, _ context: WorkflowContext) async throws -> NotificationResult {
        let early = self.items
        self.items = input.items
        for item in early where !self.items.contains(where: { $0.id == item.id }) { self.items.append(item) }
        guard let digest = input.request.digest else {
            throw ApplicationFailure("a digest needs its key and window", type: "Invalid", isNonRetryable: true)
        }
        try await context.waitCondition(timeout: .seconds(max(1, digest.everySeconds))) {
            self.isFlushed || self.triggers >= Self.triggersMax
        }
        let taken = Array(self.items.prefix(Self.itemsMax))
        guard !taken.isEmpty else {
            return NotificationResult(id: input.request.id, state: .accepted, reason: "empty")
        }
        var message = input.request
        message.id = "\(input.request.id)-w\(input.window)-\(context.info.firstRunID.prefix(8))"
        message.digest = nil
        message.dedupKey = nil
        message.sendAt = nil
        message.variables["count"] = .integer(Int64(taken.count))
        message.variables["items"] = .array(taken.map { .object($0.variables) })
        _ = try await context.startChildWorkflow(
            SendWorkflow.self, message,
            options: ChildWorkflowOptions(
                id: message.workflowID, taskQueue: NotificationQueues.main, parentClosePolicy: .abandon))
        self.items.removeFirst(taken.count)
        let rest = DigestInput(request: input.request, window: input.window + 1, items: self.items)
        throw try context.continueAsNew(rest)
    }
}
