import Foundation
import Postgres

/// From accepting to the moment a message may leave: steps 1 to 5.
extension NotificationServices {
    /// Writes the row; says when the same was accepted before under another id.
    func accept(_ input: NotificationRequest, _ scope: EffectScope) async throws -> AcceptedNotification {
        var policy = self.policy
        try await self.readTenant(input.tenant, into: &policy)
        let op = OperationID(workflow: scope.workflowID, step: "AcceptNotification")
        let known = policy
        return try await self.once("AcceptNotification", op: op, input, scope: scope) { connection in
            if input.redrive > 0 {
                try await connection.query(NotificationStatements.reopen) {
                    $0.text(input.tenant)
                    $0.text(input.id)
                    $0.text(scope.workflowID)
                }
                try await self.publish(
                    "ntf.redriven", input, ["redrive": .integer(Int64(input.redrive))], op: op.value, scope: scope,
                    in: connection)
                return AcceptedNotification(policy: known)
            }
            guard try await self.insert(input, scope, connection) else {
                let rows = try await connection.query(NotificationStatements.byDedupKey) {
                    $0.text(input.tenant)
                    $0.text(input.dedupKey)
                }
                let earlier = rows.count == 1 ? try rows[0].text(0) : input.id
                return AcceptedNotification(duplicateOf: earlier == input.id ? nil : earlier, policy: known)
            }
            try await self.publish(
                "ntf.accepted", input, ["priority": .string(input.priority.rawValue)], op: op.value, scope: scope,
                in: connection)
            return AcceptedNotification(policy: known)
        }
    }

    private func insert(
        _ input: NotificationRequest, _ scope: EffectScope, _ connection: PostgresTransaction
    ) async throws -> Bool {
        let text = try PaymentJSON.text(input)
        let inserted = try await connection.query(NotificationStatements.accept) { parameters in
            parameters.text(input.tenant)
            parameters.text(input.id)
            parameters.text(input.dedupKey)
            parameters.text(input.recipient.subject)
            parameters.text(input.template.id)
            parameters.int32(Int32(clamping: input.template.version))
            parameters.text(input.template.locale ?? "")
            parameters.text(input.category.rawValue)
            parameters.text(input.priority.rawValue)
            parameters.texts(input.channels.map(\.rawValue))
            parameters.text(text)
            parameters.text(scope.workflowID)
        }
        return inserted.count == 1
    }

    /// The tenant's own profile and changes of the retry table.
    private func readTenant(_ tenant: String, into policy: inout NotificationPolicy) async throws {
        let profile = try await self.query(NotificationStatements.mailProfile) { $0.text(tenant) }
        if profile.count == 1, try profile[0].text(0) == "direct" { policy.retries[.email] = RetryPolicyTable.direct }
        let rows = try await self.query(NotificationStatements.tenantRetries) { $0.text(tenant) }
        for index in 0..<rows.count {
            let row = rows[index]
            guard let channel = Channel(rawValue: try row.text(0)) else { continue }
            var changed = policy.retries[channel]
            if let base = try row.doubleOrNil(1) { changed.baseSeconds = base }
            if let factor = try row.doubleOrNil(2) { changed.factor = factor }
            if let cap = try row.doubleOrNil(3) { changed.capSeconds = cap }
            if let jitter = try row.doubleOrNil(4) { changed.jitter = jitter }
            if let retries = try row.int32OrNil(5) {
                changed.retries[SendOutcome.Class.transient.rawValue] = Int(retries)
                changed.retries[SendOutcome.Class.throttled.rawValue] = Int(retries)
            }
            if let within = try row.doubleOrNil(6) { changed.withinSeconds = within }
            policy.retries[channel] = changed
        }
    }

    /// Whether and when this person may be written to on this channel.
    func checkPolicy(_ input: PolicyInput, _ scope: EffectScope) async throws -> PolicyVerdict {
        try scope.checkTime()
        let request: NotificationRequest
        do {
            request = try await self.opener(input.request)
        } catch let failure as EffectFailure {
            guard case .permanent = failure.kind else { throw failure }
            return .suppressed(reason: "erased")
        }
        let known = try await self.recipient(request, input.channel)
        guard let address = known.contact.address(for: input.channel) else {
            return .suppressed(reason: "no_contact")
        }
        if known.isOptedOut { return .suppressed(reason: "opted_out") }
        if request.category == .marketing, !known.hasConsent { return .suppressed(reason: "no_consent") }
        let hash = AddressHash(input.channel, address)
        let suppressed = try await self.query(NotificationStatements.isSuppressed) {
            $0.text(request.tenant)
            $0.text(input.channel.rawValue)
            $0.bytea(hash.bytes)
        }
        if suppressed.count > 0 { return .suppressed(reason: "suppressed_address") }
        let earliest = max(input.now, input.ignoresWindow ? 0 : request.sendAt ?? 0)
        let isAlways = request.category == .security || input.ignoresWindow
        guard
            let opens = self.schedule.nextOpening(
                notBefore: earliest, window: isAlways ? nil : request.window,
                quietHours: isAlways ? nil : known.quietHours, timeZone: known.contact.timeZone)
        else { return .neverOpen }
        return .allowed(at: opens)
    }

    struct KnownRecipient: Sendable {
        var contact: ContactPoints
        var quietHours: QuietHours?
        var isOptedOut: Bool
        var hasConsent: Bool
    }

    /// What the request says about the recipient goes before what the profile says.
    func recipient(_ request: NotificationRequest, _ channel: Channel) async throws -> KnownRecipient {
        let recipient = request.recipient
        let rows = try await self.query(NotificationStatements.recipient) {
            $0.text(request.tenant)
            $0.text(recipient.userID ?? "")
            $0.text(recipient.subject)
            $0.text(channel.rawValue)
            $0.text(request.category.rawValue)
        }
        guard rows.count == 1 else { throw EffectFailure(.transient, "the recipient could not be read") }
        let row = rows[0]
        return KnownRecipient(
            contact: ContactPoints(
                email: try recipient.email ?? row.textOrNil(0), phone: try recipient.phone ?? row.textOrNil(1),
                wechatOpenID: try recipient.wechatOpenID ?? row.textOrNil(2), locale: try row.text(3),
                timeZone: try row.text(4)),
            quietHours: QuietHours(from: try row.text(5), until: try row.text(6)), isOptedOut: try row.bool(7),
            hasConsent: try row.bool(8))
    }

    /// One place in the sliding window; a retry finds its own place again.
    func reserveCap(_ input: CapInput, _ scope: EffectScope) async throws -> CapVerdict {
        try scope.checkTime()
        let request = input.request
        let subject = request.recipient.subject
        let op = OperationID(
            workflow: request.root, step: "ReserveCap", index: input.channel.rawValue, generation: request.generation)
        let category = request.category.rawValue
        return try await self.transaction { connection in
            try await connection.query(NotificationStatements.lockCap) {
                $0.text("\(request.tenant)/\(subject)/\(input.channel.rawValue)/\(category)")
            }
            let own = try await connection.query(NotificationStatements.slot) { $0.text(op.value) }
            if own.count > 0 { return .reserved }
            let full = try await connection.query(NotificationStatements.fullSlot) { parameters in
                parameters.text(request.tenant)
                parameters.text(subject)
                parameters.text(input.channel.rawValue)
                parameters.text(category)
                parameters.double(input.now - input.limit.seconds)
                parameters.double(input.now)
                parameters.int32(Int32(clamping: input.limit.count - 1))
            }
            if full.count > 0 {
                let isDropped = try await self.dropsOverCap(request, input.channel, connection)
                return isDropped ? .dropped : .deferred(until: try full[0].double(0) + input.limit.seconds + 0.001)
            }
            try await connection.query(NotificationStatements.takeSlot) { parameters in
                parameters.text(op.value)
                parameters.text(request.tenant)
                parameters.text(subject)
                parameters.text(input.channel.rawValue)
                parameters.text(category)
                parameters.text(request.id)
                parameters.double(input.now)
            }
            return .reserved
        }
    }

    private func dropsOverCap(
        _ request: NotificationRequest, _ channel: Channel, _ connection: PostgresTransaction
    ) async throws -> Bool {
        let rows = try await connection.query(NotificationStatements.overCap) {
            $0.text(request.tenant)
            $0.text(request.template.id)
            $0.int32(Int32(clamping: request.template.version))
            $0.text(channel.rawValue)
        }
        guard rows.count == 1 else { return false }
        return try rows[0].text(0) == "drop"
    }
}

extension QuietHours {
    /// From `22:00` and `08:00`; nil for empty texts.
    init?(from: String, until: String) {
        guard let from = QuietHours.minute(from), let until = QuietHours.minute(until), from != until else {
            return nil
        }
        self.init(fromMinute: from, untilMinute: until)
    }

    private static func minute(_ text: String) -> Int? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let hour = Int(parts[0]), let minute = Int(parts[1]), (0..<24).contains(hour),
            (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }
}
