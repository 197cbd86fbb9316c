import Foundation
import Postgres

/// States on the way, receipts, and the end: steps 10 and 11.
extension NotificationServices {
    /// A state on the way, with its event.
    func mark(_ input: MarkInput, _ scope: EffectScope) async throws -> Done {
        let op = OperationID(workflow: scope.workflowID, step: "MarkNotification", index: String(input.index))
        let type = input.state == .scheduled ? "ntf.scheduled" : "ntf.deferred"
        return try await self.once("MarkNotification", op: op, input.request, scope: scope) { connection in
            try await self.setState(
                input.request, .scheduled, reason: input.reason, channel: nil, isTerminal: false, connection)
            var data: [String: JSONScalar] = ["reason": .string(input.reason)]
            if let until = input.until { data["until"] = .number(until) }
            try await self.publish(type, input.request, data, op: op.value, scope: scope, in: connection)
            return Done()
        }
    }

    /// What a provider reported: written once, with what it means for the address.
    func recordReceipt(_ input: ReceiptInput, _ scope: EffectScope) async throws -> Done {
        let (request, event) = (input.request, input.event)
        let op = OperationID(workflow: request.root, step: "RecordReceipt", index: event.eventID)
        return try await self.once("RecordReceipt", op: op, request, scope: scope) { connection in
            try await connection.query(NotificationStatements.insertReceipt) { parameters in
                parameters.text(event.eventID)
                parameters.text(request.tenant)
                parameters.text(request.id)
                parameters.text(event.channel.rawValue)
                parameters.text(event.kind.rawValue)
                parameters.text(event.code)
                parameters.text(event.bounce?.rawValue ?? "")
            }
            let found = try await connection.query(NotificationStatements.deliveryOfReceipt) {
                $0.text(request.tenant)
                $0.text(request.id)
                $0.text(event.channel.rawValue)
            }
            if found.count == 1 {
                try await self.apply(
                    event, request, delivery: try found[0].text(0), hash: try found[0].bytea(1), connection)
            }
            try await self.publish(
                "ntf.\(event.kind.rawValue)", request,
                ["channel": .string(event.channel.rawValue), "code": .string(event.code)], op: op.value, scope: scope,
                in: connection)
            return Done()
        }
    }

    private func apply(
        _ event: ReceiptEvent, _ request: NotificationRequest, delivery: String, hash: [UInt8],
        _ connection: PostgresTransaction
    ) async throws {
        switch event.kind {
        case .delivered: try await self.endDelivery(delivery, "DELIVERED", nil, connection)
        case .complained:
            try await self.optOut(request, channel: event.channel.rawValue, category: "*", connection)
        case .bounced:
            try await self.endDelivery(delivery, "FAILED", nil, connection)
            switch event.bounce {
            case .permanent where event.code != "30007":
                try await self.suppress(request, event.channel, hash, reason: "bounced", connection)
            case .undetermined:
                let counted = try await connection.query(NotificationStatements.countBounce) {
                    $0.text(request.tenant)
                    $0.text(event.channel.rawValue)
                    $0.bytea(hash)
                }
                if try counted[0].int32(0) >= Int32(clamping: self.policy.undeterminedBouncesMax) {
                    try await self.suppress(request, event.channel, hash, reason: "bounced", connection)
                }
            case .permanent, .transient, nil: break
            }
        }
    }

    /// The end: row, event, slots given back, and the dead letter where there is one, together.
    func finish(_ input: FinishInput, _ scope: EffectScope) async throws -> Done {
        let request = input.request
        let op = OperationID(workflow: scope.workflowID, step: "FinishNotification")
        return try await self.once("FinishNotification", op: op, request, scope: scope) { connection in
            try await self.setState(
                request, input.state, reason: input.reason, channel: input.channel, isTerminal: true, connection)
            let hasLeft = input.state == .sent || input.state == .delivered
            try await connection.query(NotificationStatements.releaseSlots) {
                $0.text(request.tenant)
                $0.text(request.id)
                $0.text(hasLeft ? input.channel?.rawValue : nil)
            }
            if !hasLeft {
                try await self.publish(
                    "ntf.\(input.state.rawValue.lowercased())", request,
                    ["reason": .string(input.reason), "attempts": .integer(Int64(input.attempts.count))],
                    op: op.value, scope: scope, in: connection)
            }
            if input.state == .dead {
                try await Self.deadLetter(input, workflowID: scope.workflowID).park(
                    in: connection, namespace: scope.namespace, op: op.value)
            }
            return Done()
        }
    }

    static func deadLetter(_ input: FinishInput, workflowID: String) -> DeadLetterEntry {
        let last = input.attempts.last
        let isKnown = input.reason != "unknown" && !input.attempts.contains { $0.outcome.outcome == .ambiguous }
        return DeadLetterEntry(
            source: .notification, tenant: input.request.tenant, key: workflowID,
            failureClass: last?.outcome.outcome.rawValue ?? "Permanent", code: input.reason,
            message: last?.outcome.text ?? "",
            attempts: input.attempts.map { attempt in
                DeadLetterEntry.Attempt(
                    at: attempt.at, channel: attempt.channel.rawValue, provider: attempt.outcome.provider,
                    failureClass: attempt.outcome.outcome.rawValue, code: attempt.outcome.code,
                    text: attempt.outcome.text)
            },
            payloadReference: "wf_ntf.notification/\(input.request.tenant)/\(input.request.id)",
            workflowID: workflowID, redriveCount: input.request.redrive, isOutcomeKnown: isKnown)
    }

    // MARK: Writing

    func setState(
        _ request: NotificationRequest, _ state: NotificationState, reason: String, channel: Channel?,
        isTerminal: Bool, _ connection: PostgresTransaction
    ) async throws {
        try await connection.query(NotificationStatements.setState) { parameters in
            parameters.text(request.tenant)
            parameters.text(request.id)
            parameters.text(state.rawValue)
            parameters.text(reason)
            parameters.text(channel?.rawValue)
            parameters.bool(isTerminal)
        }
    }

    func endDelivery(_ op: String, _ state: String, _ reference: String?, _ connection: PostgresTransaction)
        async throws
    {
        try await connection.query(NotificationStatements.endDelivery) {
            $0.text(op)
            $0.text(state)
            $0.text(reference)
        }
    }

    func suppress(
        _ request: NotificationRequest, _ channel: Channel, _ hash: [UInt8], reason: String,
        _ connection: PostgresTransaction
    ) async throws {
        try await connection.query(NotificationStatements.suppress) {
            $0.text(request.tenant)
            $0.text(channel.rawValue)
            $0.bytea(hash)
            $0.text(reason)
        }
    }

    func optOut(
        _ request: NotificationRequest, channel: String, category: String, _ connection: PostgresTransaction
    ) async throws {
        try await connection.query(NotificationStatements.optOut) {
            $0.text(request.tenant)
            $0.text(request.recipient.subject)
            $0.text(channel)
            $0.text(category)
        }
    }
}
