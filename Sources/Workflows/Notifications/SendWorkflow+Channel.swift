import Activities
import Worker

/// One channel from the look at the recipient to the receipt.
extension SendWorkflow {
    enum ChannelEnd: Hashable, Sendable {
        /// The notification is over.
        case ended(Ending)
        /// This channel may not be used.
        case refused(String)
        /// This channel was tried and cannot.
        case failed(String)
    }

    /// What is counted on one channel.
    private struct Tries {
        let began: Double
        var number = 0
        var failures = 0
        var bounces = 0
        var generation: Int
        var hasSlot = false
        /// Since when nothing even left.
        var heldSince: Double?
    }

    private static let generationsOfRedrive = 100
    /// Closer than this a time has come: what is left is the rounding of seconds.
    private static let nearSeconds = 0.001
    /// Rounds of one channel; more are a mistake of ours.
    private static let roundsMax = 1000

    func deliver(on channel: Channel, isLast: Bool) async throws -> ChannelEnd {
        guard let generation = self.request?.generation else { return .refused("no_request") }
        // Receipts make generations too: those of a redrive begin beyond them.
        var tries = Tries(began: self.now, generation: generation * Self.generationsOfRedrive)
        for _ in 0..<Self.roundsMax {
            try await self.holdWhilePaused()
            if let end = try await self.untilAllowed(on: channel, &tries) { return end }
            let outcome = try await self.attempt(on: channel, &tries)
            switch outcome.outcome {
            case .accepted:
                if let end = try await self.follow(outcome, on: channel, &tries) { return end }
            case .transient, .throttled, .ambiguous, .permanent, .invalid:
                if let end = try await self.afterFailure(outcome, on: channel, isLast: isLast, &tries) { return end }
            }
        }
        return .failed("too_many_rounds")
    }

    /// Steps 2 to 5: recipient, policy, time, cap; again after every wait.
    ///
    /// - Returns: nil when it may be sent now.
    private func untilAllowed(on channel: Channel, _ tries: inout Tries) async throws -> ChannelEnd? {
        for _ in 0..<Self.roundsMax {
            if let ended = self.endedMeanwhile { return ended }
            guard let request else { return .refused("no_request") }
            let seen = self.wakeUps
            let verdict: PolicyVerdict = try await self.call(
                .checkPolicy,
                PolicyInput(request: request, channel: channel, now: self.now, ignoresWindow: self.ignoresWindow))
            var opens: Double
            switch verdict {
            case .suppressed(let reason): return .refused(reason)
            case .neverOpen: return .refused("never_open")
            case .allowed(let at): opens = at
            }
            var event = NotificationState.scheduled
            if self.hasCome(opens), !tries.hasSlot, let cap = self.policy.caps[request.category.rawValue] {
                let place: CapVerdict = try await self.call(
                    .reserveCap, CapInput(request: request, channel: channel, now: self.now, limit: cap))
                switch place {
                case .reserved: tries.hasSlot = true
                case .dropped: return .refused("over_cap")
                case .deferred(let until):
                    opens = until
                    event = .accepted
                }
            }
            if self.hasCome(opens) || self.wakeUps != seen {
                if self.wakeUps == seen, self.cancelReason == nil { return nil }
                continue
            }
            if let expires = request.expiresAt, expires <= opens {
                return .ended(Ending(state: .expired, reason: "expired"))
            }
            try await self.mark(event, reason: event == .accepted ? "cap" : "window", until: opens)
            _ = try await self.wait(.timer, event == .accepted ? "cap" : "schedule", until: opens) {
                self.wakeUps != seen || self.cancelReason != nil
            }
        }
        return .failed("too_many_rounds")
    }

    private func hasCome(_ time: Double) -> Bool { time <= self.now + Self.nearSeconds }

    private var endedMeanwhile: ChannelEnd? {
        if self.cancelReason != nil { return .ended(Ending(state: .canceled, reason: "canceled")) }
        if let expires = self.request?.expiresAt, expires <= self.now {
            return .ended(Ending(state: .expired, reason: "expired"))
        }
        return nil
    }

    /// Steps 6 to 8.
    private func attempt(on channel: Channel, _ tries: inout Tries) async throws -> SendOutcome {
        guard let request else { return SendOutcome(.invalid, code: "no_request") }
        tries.number += 1
        self.state = .sending
        self.hasLeft = true
        defer { self.hasLeft = false }
        let outcome: SendOutcome = try await self.call(
            .send(channel),
            SendInput(request: request, channel: channel, generation: tries.generation, attempt: tries.number))
        if outcome.isCounted {
            self.attempts.append(
                AttemptRecord(
                    channel: channel, generation: tries.generation, number: tries.number, at: self.now, outcome: outcome
                ))
        } else {
            tries.number -= 1
        }
        return outcome
    }

    /// Step 9: another try after a pause, the next channel, or the end.
    ///
    /// - Returns: nil when this channel is tried again.
    private func afterFailure(
        _ outcome: SendOutcome, on channel: Channel, isLast: Bool, _ tries: inout Tries
    ) async throws -> ChannelEnd? {
        guard let request else { return .refused("no_request") }
        if outcome.code == "suppressed" { return .refused("suppressed_address") }
        if request.atMostOnce, outcome.outcome == .ambiguous {
            return .ended(Ending(state: .dead, reason: "unknown", channel: channel))
        }
        var pause: Double
        if outcome.isCounted {
            tries.heldSince = nil
            tries.failures += 1
            let row = self.policy.retries[channel]
            guard row.allows(after: tries.failures, outcome, elapsed: self.now - tries.began) else {
                return .failed(outcome.code)
            }
            pause = row.pause(after: tries.failures, share: self.share())
        } else {
            let since = tries.heldSince ?? self.now
            tries.heldSince = since
            guard self.now - since < self.policy.throttledSecondsMax else { return .failed(outcome.code) }
            pause = 0.05 + self.share() * 0.2
        }
        let due = max(self.now + pause, outcome.notBefore ?? 0)
        if !isLast, due - tries.began > request.fallbackAfterSeconds { return .failed(outcome.code) }
        if let expires = request.expiresAt, expires <= due {
            return .ended(Ending(state: .expired, reason: outcome.code))
        }
        _ = try await self.wait(.timer, "back-off", until: due) { self.cancelReason != nil }
        return nil
    }

    /// A number in 0..<1 that replay repeats.
    private func share() -> Double {
        guard let context else { return 0.5 }
        var random = context.random
        return Double.random(in: 0..<1, using: &random)
    }

    /// Step 10: what the provider reports later.
    ///
    /// - Returns: nil when the message came back and is tried again.
    private func follow(
        _ outcome: SendOutcome, on channel: Channel, _ tries: inout Tries
    ) async throws -> ChannelEnd? {
        guard let request else { return .refused("no_request") }
        self.hasLeft = true
        self.state = .sent
        let ends = self.now + (self.policy.receiptSeconds[channel.rawValue] ?? 0)
        var read = 0
        var complaint = ""
        while self.now < ends {
            let isTold = try await self.wait(.external, "receipt", until: ends) { self.receipts.count > read }
            guard isTold else { break }
            while read < self.receipts.count {
                let event = self.receipts[read]
                read += 1
                guard event.channel == channel, !self.isRead(event) else { continue }
                self.readReceipts.append(event.eventID)
                let _: Done = try await self.call(
                    .recordReceipt, ReceiptInput(request: request, event: event, generation: tries.generation))
                switch event.kind {
                case .delivered: return .ended(Ending(state: .delivered, channel: channel))
                case .complained: complaint = "complained"
                case .bounced where event.bounce == .undetermined: break
                case .bounced:
                    self.hasLeft = false
                    return try await self.afterBounce(event, outcome, on: channel, &tries)
                }
            }
        }
        return .ended(Ending(state: .sent, reason: complaint, channel: channel))
    }

    private func isRead(_ event: ReceiptEvent) -> Bool { self.readReceipts.contains(event.eventID) }

    /// A message that came back is tried again under a new key, or the channel has failed.
    private func afterBounce(
        _ event: ReceiptEvent, _ outcome: SendOutcome, on channel: Channel, _ tries: inout Tries
    ) async throws -> ChannelEnd? {
        tries.bounces += 1
        let failed = SendOutcome(
            event.bounce == .transient ? .transient : .permanent, code: event.code, text: "receipt",
            provider: outcome.provider, providerRef: outcome.providerRef)
        self.attempts.append(
            AttemptRecord(
                channel: channel, generation: tries.generation, number: tries.number, at: self.now, outcome: failed))
        let row = self.policy.retries[channel]
        guard row.allows(after: tries.bounces, failed, elapsed: self.now - tries.began) else {
            return .failed(event.code.isEmpty ? "bounced" : event.code)
        }
        tries.generation += 1
        tries.number = 0
        _ = try await self.wait(.timer, "back-off", until: self.now + row.pause(after: tries.bounces, share: 0.5)) {
            self.cancelReason != nil
        }
        return nil
    }
}
