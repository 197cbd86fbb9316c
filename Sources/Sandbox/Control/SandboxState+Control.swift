/// The control API, `/_ctl`: faults, the journal, and what people outside do (finish 3-D Secure, let a card expire).
extension SandboxState {
    mutating func control(_ request: SandboxRequest, at now: Double) -> SandboxAnswer {
        let path = Array(request.segments.dropFirst())
        switch (request.method, path.first) {
        case ("POST", "faults"):
            guard let document = request.document, let fault = self.addFault(document) else {
                return SandboxAnswer(400, ["error": ["message": "A fault needs `match` and a known `action`."]])
            }
            return SandboxAnswer(201, fault.json)
        case ("GET", "faults"): return SandboxAnswer(200, ["data": .array(self.faults.map(\.json))])
        case ("DELETE", "faults"):
            self.clearFaults()
            return SandboxAnswer(200, ["data": []])
        case ("GET", "journal"): return SandboxAnswer(200, self.journalPage(request))
        case ("GET", "totals"): return SandboxAnswer(200, self.totals)
        case ("POST", "intents"), ("POST", "refunds"), ("POST", "balance_transactions"):
            return self.outsideAction(Array(path), request, at: Int(now))
        case ("DELETE", "balance_transactions") where path.count == 2:
            self.provider.removeTransaction(path[1])
            return SandboxAnswer(200, ["deleted": true])
        case ("POST", "wechat"):
            self.wechat.expireToken()
            return SandboxAnswer(200, ["expired": true])
        case ("GET", "health"): return SandboxAnswer(200, ["status": "ok"])
        default: return SandboxAnswer(404, ["error": ["message": "No such control."]])
        }
    }

    private mutating func outsideAction(_ path: [String], _ request: SandboxRequest, at now: Int) -> SandboxAnswer {
        guard path.count >= 2 else { return SandboxAnswer(404, ["error": ["message": "No such control."]]) }
        do {
            switch (path[0], path.count > 2 ? path[2] : "") {
            case ("intents", "complete_action"):
                let succeeds = request.document?["outcome"]?.string != "fail"
                return SandboxAnswer(200, try self.provider.completeAction(path[1], succeeds: succeeds, at: now))
            case ("intents", "expire"): return SandboxAnswer(200, try self.provider.expireIntent(path[1], at: now))
            case ("refunds", "fail"): return SandboxAnswer(200, try self.provider.failRefund(path[1], at: now))
            case ("balance_transactions", ""):
                guard let amount = request.document?["amount"]?.int else {
                    return SandboxAnswer(400, ["error": ["message": "`amount` is missing."]])
                }
                self.provider.alterTransaction(path[1], amount: amount)
                return SandboxAnswer(200, ["altered": true])
            default: return SandboxAnswer(404, ["error": ["message": "No such control."]])
            }
        } catch {
            return SandboxAnswer(error.status, error.json)
        }
    }

    private func journalPage(_ request: SandboxRequest) -> JSONValue {
        let payment = request.form["payment_id"]
        let after = request.form["after"].flatMap { Int($0) } ?? 0
        let entries = self.journal.filter { entry in
            entry.outcome != .control && entry.seq > after
                && (payment == nil || entry.paymentID == payment || entry.effects.contains { $0.paymentID == payment })
        }
        return ["entries": .array(entries.map(\.json))]
    }

    /// Money per currency, counted from the provider's objects.
    private var totals: JSONValue {
        var captured: [String: Int] = [:]
        var refunded: [String: Int] = [:]
        var fees: [String: Int] = [:]
        var authorized: [String: Int] = [:]
        for intent in self.provider.intents.values {
            captured[intent.currency, default: 0] += intent.charge?.amountCaptured ?? 0
            refunded[intent.currency, default: 0] += intent.charge?.amountRefunded ?? 0
            authorized[intent.currency, default: 0] += intent.amountCapturable
        }
        for transaction in self.provider.transactions { fees[transaction.currency, default: 0] += transaction.fee }
        func table(_ sums: [String: Int]) -> JSONValue {
            .object(sums.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) })
        }
        return [
            "captured": table(captured), "refunded": table(refunded), "fees": table(fees),
            "authorized": table(authorized),
            "intents": .int(self.provider.intents.count),
        ]
    }
}
