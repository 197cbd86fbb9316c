/// All stand-ins together: one value, folded from requests.
///
/// ``handle(_:at:)`` decides and records; folding the journal's requests again gives the same state, the same ids and the
/// same answers, which is how a killed sandbox comes back.
struct SandboxState: Sendable {
    var provider = ProviderState()
    var shipping = ShippingState()
    var sms = SmsState()
    var wechat = WeChatState()
    private(set) var faults: [Fault] = []
    private(set) var journal: [JournalEntry] = []
    private(set) var delivered: Set<String> = []
    private var stored: [String: StoredAnswer] = [:]
    private var inFlight: Set<String> = []
    private var lastFault = 0

    private struct StoredAnswer: Sendable {
        var fingerprint: String
        var answer: SandboxAnswer
    }

    /// The journal keeps at most this many lines in memory.
    private static let journalMax = 200_000

    /// Answers one request and writes its line.
    ///
    /// - Returns: the answer and the journal line; the caller stores the line before it lets the answer go.
    mutating func handle(_ request: SandboxRequest, at now: Double) -> (answer: SandboxAnswer, entry: JournalEntry) {
        if request.segments.first == "_ctl" {
            let answer = self.control(request, at: now)
            return (answer, self.note(request, at: now, answer, .control, fault: nil))
        }
        if request.segments.first == "v1", request.authorization != .valid {
            let refusal = ProviderError(
                status: 401, kind: .invalidRequest, message: "Invalid API Key provided.")
            let answer = SandboxAnswer(401, refusal.json)
            return (answer, self.note(request, at: now, answer, .refused, fault: nil))
        }
        if request.segments.first == "2010-04-01", request.authorization != .valid {
            let answer = SandboxAnswer(
                401, SmsState.Refusal(status: 401, code: 20003, message: "Authenticate").json)
            return (answer, self.note(request, at: now, answer, .refused, fault: nil))
        }
        if let key = self.scope(request) {
            if self.inFlight.contains(key) {
                let busy = ProviderError(
                    status: 409, kind: .idempotency, code: "idempotency_key_in_use",
                    message: "There is currently another in-progress request using this Idempotent Key.")
                let answer = SandboxAnswer(409, busy.json)
                return (answer, self.note(request, at: now, answer, .inFlight, fault: nil))
            }
            if let earlier = self.stored[key] { return self.replay(earlier, request, at: now) }
        }
        return self.execute(request, at: now)
    }

    /// Marks a key as in use until ``release(_:)``, while its answer is held back.
    mutating func hold(_ request: SandboxRequest) {
        if let key = self.scope(request) { self.inFlight.insert(key) }
    }

    mutating func release(_ request: SandboxRequest) {
        if let key = self.scope(request) { self.inFlight.remove(key) }
    }

    /// Folds a line of the journal file in again.
    mutating func refold(_ entry: JournalEntry) {
        switch entry.outcome {
        case .inFlight: self.append(entry)
        case .webhook: self.fold(webhook: entry)
        case .executed, .replayed, .mismatch, .refused, .dropped, .faked, .control:
            _ = self.handle(entry.request, at: entry.at)
        }
    }

    /// Writes down one attempt to deliver an event.
    mutating func noteWebhook(_ event: ProviderEvent, url: String, status: Int, fault: String?, at now: Double)
        -> JournalEntry
    {
        var form = Form()
        form.merge(Form(parsing: "event=\(event.id)"))
        let request = SandboxRequest(
            method: "WEBHOOK", path: event.type, form: form, key: event.id, authorization: .valid)
        let entry = JournalEntry(
            seq: self.journal.count + 1, at: now, request: request, status: status, outcome: .webhook, fault: fault,
            answered: status > 0, paymentID: event.object["metadata"]?["payment_id"]?.string, effects: [])
        self.fold(webhook: entry)
        return entry
    }

    /// The fault that hits a webhook, if any.
    mutating func webhookFault(_ event: ProviderEvent) -> Fault? {
        self.nextFault(
            method: "WEBHOOK", path: event.type, key: event.id,
            paymentID: event.object["metadata"]?["payment_id"]?.string
        ) { action in
            switch action {
            case .duplicateWebhook, .reorderWebhook, .loseWebhook: return true
            case .dropBefore, .dropAfter, .delay, .status, .decline: return false
            }
        }
    }

    mutating func addFault(_ document: JSONValue) -> Fault? {
        guard let fault = Fault(document, id: self.lastFault + 1) else { return nil }
        self.lastFault += 1
        self.faults.append(fault)
        return fault
    }

    mutating func clearFaults() { self.faults = [] }

    private mutating func fold(webhook entry: JournalEntry) {
        if (200..<300).contains(entry.status) || entry.fault == Fault.Action.loseWebhook.rawValue,
            let id = entry.request.key
        {
            self.delivered.insert(id)
        }
        self.append(entry)
    }

    private mutating func append(_ entry: JournalEntry) {
        self.journal.append(entry)
        if self.journal.count > Self.journalMax { self.journal.removeFirst(Self.journalMax / 10) }
    }

    private func scope(_ request: SandboxRequest) -> String? {
        guard request.method == "POST", let key = request.key, !key.isEmpty else { return nil }
        return "\(request.segments.first ?? "")/\(key)"
    }

    private mutating func note(
        _ request: SandboxRequest, at now: Double, _ answer: SandboxAnswer, _ outcome: JournalEntry.Outcome,
        fault: Fault?
    ) -> JournalEntry {
        let effects =
            self.provider.takeEffects() + self.shipping.takeEffects() + self.sms.takeEffects()
            + self.wechat.takeEffects()
        let entry = JournalEntry(
            seq: self.journal.count + 1, at: now, request: request, status: answer.status, outcome: outcome,
            fault: fault?.action.rawValue, answered: answer.transport == .send,
            paymentID: effects.first?.paymentID ?? request.paymentID ?? self.payment(of: request), effects: effects)
        self.append(entry)
        return entry
    }

    /// The payment behind an intent named in the path or the form.
    private func payment(of request: SandboxRequest) -> String? {
        let segments = request.segments
        let id = request.form["payment_intent"] ?? (segments.count > 2 ? segments[2] : "")
        return self.provider.intents[id]?.metadata["payment_id"]
    }
}

extension SandboxState {
    private mutating func replay(
        _ earlier: StoredAnswer, _ request: SandboxRequest, at now: Double
    ) -> (answer: SandboxAnswer, entry: JournalEntry) {
        guard earlier.fingerprint == request.fingerprint else {
            let reuse = ProviderError(
                status: 400, kind: .idempotency,
                message:
                    "Keys for idempotent requests can only be used with the same parameters they were first used with.")
            let answer = SandboxAnswer(400, reuse.json)
            return (answer, self.note(request, at: now, answer, .mismatch, fault: nil))
        }
        var answer = earlier.answer
        answer.headers["idempotent-replayed"] = "true"
        let fault = self.nextFault(request) { action in
            switch action {
            case .dropBefore, .dropAfter, .delay: return true
            case .status, .decline, .duplicateWebhook, .reorderWebhook, .loseWebhook: return false
            }
        }
        SandboxState.disturb(&answer, by: fault)
        return (answer, self.note(request, at: now, answer, .replayed, fault: fault))
    }

    private mutating func execute(
        _ request: SandboxRequest, at now: Double
    ) -> (answer: SandboxAnswer, entry: JournalEntry) {
        let fault = self.nextFault(request) { action in
            switch action {
            case .dropBefore, .dropAfter, .delay, .status, .decline: return true
            case .duplicateWebhook, .reorderWebhook, .loseWebhook: return false
            }
        }
        var answer = SandboxAnswer(0, nil)
        guard fault?.action != .dropBefore else {
            answer.transport = .drop
            return (answer, self.note(request, at: now, answer, .dropped, fault: fault))
        }
        var isExecuted = true
        var outcome = JournalEntry.Outcome.executed
        if let fault, fault.action == .status {
            if fault.effect { _ = self.serve(request, at: now, fault: nil) }
            answer = SandboxState.fake(fault, for: request)
            // Carriers of messages keep only what they took.
            isExecuted = fault.isStored && ["v1", "shipping"].contains(request.segments.first)
            outcome = fault.effect ? .executed : .faked
        } else {
            (answer, isExecuted) = self.serve(request, at: now, fault: fault)
            if !isExecuted { outcome = .refused }
        }
        if isExecuted, let key = self.scope(request) {
            self.stored[key] = StoredAnswer(fingerprint: request.fingerprint, answer: answer)
        }
        SandboxState.disturb(&answer, by: fault)
        return (answer, self.note(request, at: now, answer, outcome, fault: fault))
    }

    /// Lets the service answer. The flag says whether anything was executed, so that the answer belongs to the key.
    private mutating func serve(_ request: SandboxRequest, at now: Double, fault: Fault?) -> (SandboxAnswer, Bool) {
        switch request.segments.first {
        case "v1":
            let override = ProviderState.Override(decline: fault?.action == .decline ? fault?.decline : nil)
            do {
                return (SandboxAnswer(200, try self.provider.answer(request, at: Int(now), override: override)), true)
            } catch {
                return (SandboxAnswer(error.status, error.json), error.executed)
            }
        case "shipping":
            do {
                return (SandboxAnswer(200, try self.shipping.answer(request, at: Int(now))), true)
            } catch {
                return (SandboxAnswer(error.status, error.json), error.executed)
            }
        case "2010-04-01":
            do {
                return (try self.sms.answer(request, at: Int(now)), true)
            } catch {
                return (SandboxAnswer(error.status, error.json), false)
            }
        case "cgi-bin": return self.wechat.answer(request)
        default:
            return (SandboxAnswer(404, ["error": ["code": "not_found", "message": "No such stand-in."]]), false)
        }
    }

    private static func fake(_ fault: Fault, for request: SandboxRequest) -> SandboxAnswer {
        if request.segments.first == "cgi-bin", let code = fault.errorCode {
            return WeChatState.error(code, "faulted")
        }
        if request.segments.first == "2010-04-01" {
            let code = fault.errorCode ?? (fault.status == 429 ? 20429 : 20500)
            var answer = SandboxAnswer(
                fault.status, SmsState.Refusal(status: fault.status, code: code, message: "faulted").json)
            if let seconds = fault.retryAfterSeconds { answer.headers["retry-after"] = String(seconds) }
            return answer
        }
        let error = ProviderError(
            status: fault.status, kind: fault.status < 500 && fault.status != 429 ? .invalidRequest : .api,
            code: fault.status == 429 ? "rate_limit" : nil, message: "An unknown error occurred.")
        var answer = SandboxAnswer(fault.status, error.json)
        if let seconds = fault.retryAfterSeconds { answer.headers["retry-after"] = String(seconds) }
        return answer
    }

    private static func disturb(_ answer: inout SandboxAnswer, by fault: Fault?) {
        switch fault?.action {
        case .dropBefore, .dropAfter: answer.transport = .drop
        case .delay: answer.delayMilliseconds = fault?.delayMilliseconds ?? 0
        case .status, .decline, .duplicateWebhook, .reorderWebhook, .loseWebhook, nil: break
        }
    }

    private mutating func nextFault(_ request: SandboxRequest, where wanted: (Fault.Action) -> Bool) -> Fault? {
        self.nextFault(
            method: request.method, path: request.path, key: request.key,
            paymentID: request.paymentID ?? self.payment(of: request), where: wanted)
    }

    /// The first fault that hits; every fault that matches counts the request.
    private mutating func nextFault(
        method: String, path: String, key: String?, paymentID: String?, where wanted: (Fault.Action) -> Bool
    ) -> Fault? {
        var hit: Fault?
        for index in self.faults.indices where wanted(self.faults[index].action) {
            guard self.faults[index].match.accepts(method: method, path: path, key: key, paymentID: paymentID) else {
                continue
            }
            if self.faults[index].hit(number: self.journal.count), hit == nil { hit = self.faults[index] }
        }
        return hit
    }
}
