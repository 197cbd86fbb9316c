import History
import Runtime

/// `/v1/payments`: the checkout's view of `pay.Charge` and `pay.Refund`.
extension HTTPService {
    static let paymentQueue = TaskQueueName("pay")

    func createPayment(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let key = try IdempotencyKey.read(question)
        let json = try json(question)
        let payment = try PaymentRequest(json, rules: options.payments)
        let id = UUIDs.timeOrdered(at: now)
        var input = payment.body
        input["payment_id"] = .string(id)
        input["idempotency_key"] = .string(key)
        input["operation_id"] = .string(id)
        let start = try await start(
            "pay.Charge", workflow: "pay:\(payment.merchantID):\(id)", input: input, operation: id)
        let submission = Submission(
            kind: "payment", template: "/v1/payments", key: key,
            fingerprint: IdempotencyKey.fingerprint(question, json),
            operationID: id, start: start)
        return try await submit(submission, answer: Self.accepted)
    }

    /// The answer to a payment that was just started: made from the claim alone, so that it is the same every time.
    private static func accepted(_ stored: StoredRequest) -> HTTPAnswer {
        let id = stored.claim.operationID
        let body = JSONValue.record(
            ("payment_id", .string(id)), ("operation_id", .string(id)), ("status", "PENDING"),
            ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
            ("workflow_id", .string(stored.run?.workflow.value ?? "")),
            ("links", .record(("payment", .string("/v1/payments/\(id)")), ("operation", .string(operationPath(id))))))
        return .json(
            body, status: 202, headers: [.init("Location", operationPath(id)), .init("Retry-After", "1")])
    }

    func payment(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedPayment(id)
        let report = try await report(stored.run, wait: preferredWait(question))
        return Self.conditional(question, PaymentView.view(report, id: id), headers: retryHint(report))
    }

    private func storedPayment(_ id: String) async throws -> (request: StoredRequest, run: RunKey) {
        guard UUIDs.isValid(id), let stored = try await backend.operation(id: id.lowercased()), let run = stored.run,
            stored.claim.operationKind == "payment"
        else { throw Problem.notFound("there is no payment with this id") }
        return (stored, run)
    }

    // MARK: Refunds

    func createRefund(_ question: HTTPQuestion, payment id: String) async throws -> HTTPAnswer {
        let key = try IdempotencyKey.read(question)
        let json = try json(question)
        let refund = try RefundRequest(json)
        let payment = try await storedPayment(id)
        let operation = UUIDs.timeOrdered(at: now)
        let refundID = refund.refundID ?? operation
        let merchant = payment.run.workflow.value.split(separator: ":").dropFirst().first.map(String.init) ?? ""
        let input = JSONValue.record(
            ("refund_id", .string(refundID)), ("payment_id", .string(id.lowercased())),
            ("merchant_id", .string(merchant)),
            ("amount", .integer(refund.amount)), ("reason", .string(refund.reason)), ("idempotency_key", .string(key)),
            ("operation_id", .string(operation)))
        let start = try await start("pay.Refund", workflow: "refund:\(refundID)", input: input, operation: operation)
        let submission = Submission(
            kind: "refund", template: "/v1/payments/{id}/refunds", key: key,
            fingerprint: IdempotencyKey.fingerprint(question, json), operationID: operation, start: start)
        return try await submit(submission) { try await self.refundAnswer($0, refundID: refundID, payment: id) }
    }

    /// A refund is decided within moments as a rule; one that is not is answered as running.
    private func refundAnswer(_ stored: StoredRequest, refundID: String, payment: String) async throws -> HTTPAnswer {
        guard let run = stored.run else { throw Problem.notFound("there is no refund with this key") }
        let report = try await report(run, wait: options.refundWait, withProgress: false)
        let path = Self.operationPath(stored.claim.operationID)
        if let error = report.error {
            let detail = error["message"]?.text ?? ""
            let problem = Problem(
                .validation, status: 422, "The refund was refused", detail: detail,
                errors: [.init(pointer: "/amount", detail: detail)], operation: path)
            return problem.answer(requestID: stored.claim.operationID)
        }
        let body = JSONValue.record(
            ("refund_id", .string(refundID)), ("operation_id", .string(stored.claim.operationID)),
            ("payment_id", .string(payment)), ("status", .string(report.isOpen ? "PENDING" : report.status)),
            ("created_at", .string(RFC3339.text(stored.claim.createdAt))), ("result", report.result),
            ("links", .record(("payment", .string("/v1/payments/\(payment)")), ("operation", .string(path)))))
        return .json(body, status: report.isOpen ? 202 : 200, headers: [.init("Location", path)])
    }

    // MARK: Starting

    private func start(
        _ type: String, workflow: String, input: JSONValue, operation: String
    ) async throws -> StartWorkflowRequest {
        let namespace = try await domainNamespace()
        let requestID = RequestID(operation)
        let attributes = WorkflowExecutionStarted(
            workflowType: type, workflowID: WorkflowID(workflow), taskQueue: TaskQueue(Self.paymentQueue),
            input: PlainPayloads.encode(input), workflowTaskTimeout: Limits().workflowTaskTimeoutDefault,
            originalExecutionRunID: RunID(""), firstExecutionRunID: RunID(""), identity: "http-gateway",
            requestID: requestID)
        return StartWorkflowRequest(
            namespace: namespace.id, attributes: attributes, requestID: requestID, reusePolicy: .rejectDuplicate,
            conflictPolicy: .fail, actor: "http-gateway")
    }
}

/// What a shop sees of a payment.
enum PaymentView: RunListView {
    static let listName = "payments"

    static func view(_ report: RunReport, id: String) -> JSONValue {
        let input = report.input
        let amount = input?["amount"]?.int ?? 0
        let currency = input?["currency"]?.text ?? ""
        return .record(
            ("payment_id", .string(id)), ("status", .string(status(report))), ("merchant_id", input?["merchant_id"]),
            ("order_id", input?["order_id"]), ("amount", input?["amount"]), ("currency", input?["currency"]),
            ("amount_text", .string(Currencies.text(amount, currency))), ("provider", input?["provider"]),
            ("created_at", .string(RFC3339.text(report.summary.startTime))),
            ("closed_at", report.summary.closeTime.map { .string(RFC3339.text($0)) }),
            ("progress", report.progress ?? .null),
            ("result", report.result), ("error", report.error),
            ("workflow_id", .string(report.summary.key.workflow.value)),
            ("links", .record(("operation", .string(HTTPService.operationPath(id))))))
    }

    /// PENDING, PROCESSING, then what the workflow said: COMPLETED, FAILED or REFUNDED.
    private static func status(_ report: RunReport) -> String {
        if let said = report.result?["status"]?.text { return said }
        switch report.summary.status {
        case .running, .continuedAsNew: return report.progress == nil ? "PENDING" : "PROCESSING"
        case .completed: return "COMPLETED"
        case .failed, .canceled, .terminated, .timedOut: return "FAILED"
        }
    }

    static func item(_ run: RunSummary) -> JSONValue {
        let id = run.key.workflow.value.split(separator: ":").last.map(String.init) ?? ""
        return .record(
            ("payment_id", .string(id)), ("workflow_status", .string(RunNames.name(of: run.status))),
            ("created_at", .string(RFC3339.text(run.startTime))),
            ("closed_at", run.closeTime.map { .string(RFC3339.text($0)) }),
            ("links", .record(("payment", .string("/v1/payments/\(id)")))))
    }
}
