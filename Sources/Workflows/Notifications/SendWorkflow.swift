public import Activities
import Foundation
public import Worker

/// Sends one notification: chooses channel and time, tries again what can pass later, parks what cannot.
///
/// Ends with a ``NotificationResult`` whatever the providers said; only a failure of our own fails it. Effects outside are keyed
/// below the notification's own name, so that a redrive knows what an earlier run did.
public final class SendWorkflow: WorkflowDefinition, @unchecked Sendable {
    public static let name = "ntf.Send"

    // Set by signals and updates; they may come before `run` has begun.
    private(set) var isPaused = false
    private(set) var cancelReason: String?
    /// Goes up with everything that makes a waiting notification look again.
    private(set) var wakeUps = 0
    private(set) var ignoresWindow = false
    private var rescheduled: Double?
    private(set) var receipts: [ReceiptEvent] = []
    /// Receipts that were acted on.
    var readReceipts: [String] = []

    var request: NotificationRequest?
    var policy = NotificationPolicy()
    var progress = OperationProgress()
    var attempts: [AttemptRecord] = []
    var marks = 0
    /// How far it is, for whoever asks: the phase of the progress.
    var state = NotificationState.accepted {
        didSet { self.progress.phase = self.state.rawValue }
    }
    /// Nothing can be taken back any more.
    var hasLeft = false
    private var isOver = false
    private(set) var context: WorkflowContext?

    public init() {}

    /// Farther ahead nothing is scheduled.
    private static let aheadSecondsMax = 366.0 * 24 * 3600

    public static func registerHandlers(_ handlers: inout WorkflowHandlers<SendWorkflow>) {
        handlers.signal("pause") { $0.isPaused = true }
        handlers.signal("resume") { $0.isPaused = false }
        handlers.signal("receipt", ReceiptEvent.self) { workflow, event in
            if !workflow.receipts.contains(where: { $0.eventID == event.eventID }) { workflow.receipts.append(event) }
        }
        handlers.signal("preference_changed") { $0.wakeUps += 1 }
        handlers.update(
            "cancel", CancelNotification.self, validator: { workflow, _ in try workflow.refuseWhenGone() }
        ) { workflow, wish in
            workflow.cancelReason = wish.reason
            return NotificationUpdated(state: .canceled)
        }
        handlers.update("send_now", validator: { try $0.refuseWhenGone() }) { workflow in
            workflow.ignoresWindow = true
            workflow.rescheduled = nil
            workflow.request?.sendAt = nil
            workflow.wakeUps += 1
            return NotificationUpdated(state: .sending)
        }
        handlers.update(
            "reschedule", RescheduleNotification.self, validator: { try $0.refuseReschedule($1) }
        ) { workflow, wish in
            workflow.ignoresWindow = false
            workflow.rescheduled = wish.at
            workflow.request?.sendAt = wish.at
            workflow.wakeUps += 1
            return NotificationUpdated(state: .scheduled)
        }
        handlers.query("progress") { workflow in
            var progress = workflow.progress
            progress.lastEventID = workflow.context?.historyLength ?? 0
            progress.counts = ["attempts": workflow.attempts.count, "receipts": workflow.receipts.count]
            return progress
        }
        handlers.query("attempts") { $0.attempts }
    }

    private func refuseWhenGone() throws {
        if self.hasLeft {
            throw ApplicationFailure("the message has left", type: "AlreadySent", isNonRetryable: true)
        }
        if self.isOver || self.cancelReason != nil {
            throw ApplicationFailure("the notification is over", type: "AlreadyOver", isNonRetryable: true)
        }
    }

    private func refuseReschedule(_ wish: RescheduleNotification) throws {
        try self.refuseWhenGone()
        let now = self.now
        guard wish.at.isFinite, wish.at > now, wish.at <= now + Self.aheadSecondsMax else {
            throw ApplicationFailure("not a time within the next year", type: "Invalid", isNonRetryable: true)
        }
        if let expires = self.request?.expiresAt, wish.at >= expires {
            throw ApplicationFailure("the notification expires before", type: "Invalid", isNonRetryable: true)
        }
    }

    var now: Double { self.context?.now.timeIntervalSince1970 ?? 0 }

    public func run(_ input: NotificationRequest, _ context: WorkflowContext) async throws -> NotificationResult {
        var request = input
        if let rescheduled { request.sendAt = rescheduled }
        if self.ignoresWindow { request.sendAt = nil }
        self.request = request
        self.context = context
        self.progress.operationID = input.id
        self.progress.workflowID = context.info.workflowID
        let accepted: AcceptedNotification = try await self.call(.accept, input)
        if let earlier = accepted.duplicateOf {
            self.isOver = true
            self.progress.status = .succeeded
            return NotificationResult(id: earlier, state: .accepted, reason: "duplicate")
        }
        self.policy = accepted.policy
        var ending: Ending
        do {
            ending = try await self.tryChannels(input.channels)
        } catch let failure as CanceledFailure {
            guard context.isCancelRequested else { throw failure }
            ending = Ending(state: .canceled, reason: "canceled")
        }
        self.isOver = true
        let last = ending
        try await context.shielded { try await self.finish(last) }
        if context.isCancelRequested, ending.state == .canceled { throw CanceledFailure("canceled before it was sent") }
        return NotificationResult(
            id: input.id, state: ending.state, reason: ending.reason, channel: ending.channel,
            attempts: self.attempts.count)
    }

    /// How a notification ends.
    struct Ending: Hashable, Sendable {
        var state: NotificationState
        var reason = ""
        var channel: Channel?
    }

    /// One channel after the other until one carries the message.
    private func tryChannels(_ channels: [Channel]) async throws -> Ending {
        var ending = Ending(state: .suppressed, reason: "no_channel")
        var hasFailed = false
        for (index, channel) in channels.enumerated() {
            switch try await self.deliver(on: channel, isLast: index == channels.count - 1) {
            case .ended(let ended): return ended
            case .refused(let reason): if !hasFailed { ending = Ending(state: .suppressed, reason: reason) }
            case .failed(let code):
                hasFailed = true
                ending = Ending(state: .dead, reason: code, channel: channel)
            }
            self.progress.percent = 100 * (index + 1) / (channels.count + 1)
        }
        return ending
    }

    private func finish(_ ending: Ending) async throws {
        guard let request else { return }
        let _: Done = try await self.call(
            .finish,
            FinishInput(
                request: request, state: ending.state, reason: ending.reason, channel: ending.channel,
                attempts: self.attempts))
        switch ending.state {
        case .canceled: self.progress.status = .canceled
        case .dead: self.progress.status = .failed
        case .accepted, .scheduled, .sending, .sent, .delivered, .suppressed, .expired:
            self.progress.status = .succeeded
        }
        self.state = ending.state
        self.progress.percent = 100
    }
}

/// Update `cancel`.
public struct CancelNotification: Codable, Hashable, Sendable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}

/// Update `reschedule`.
public struct RescheduleNotification: Codable, Hashable, Sendable {
    /// Unix seconds.
    public var at: Double

    public init(at: Double) { self.at = at }
}

/// What an update answers.
public struct NotificationUpdated: Codable, Hashable, Sendable {
    public var state: NotificationState
}
