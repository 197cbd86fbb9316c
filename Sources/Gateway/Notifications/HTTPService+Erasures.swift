import History
import Runtime

/// `POST /v1/erasures`: makes everything about one person unreadable.
extension HTTPService {
    static func addErasureRoutes(_ table: inout RouteTable<Handler>) {
        table.add("POST", "/v1/erasures") { service, question, _ in try await service.createErasure(question) }
    }

    /// Erasing a person twice is one operation while it runs, and changes nothing afterwards.
    private func createErasure(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let json = try strictJSON(question)
        let id = UUIDs.timeOrdered(at: now)
        var fields = FieldReader(json)
        let (tenant, recipient) = NotificationDraft.person(&fields)
        let actor = Self.actor(&fields)
        let reason = fields.text("reason", required: true, lengths: 1...1000) ?? ""
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw Problem.validation(fields.faults) }
        guard let subject = try Self.value(notificationDesk().subject(of: recipient)).text else {
            throw Problem.notFound("there is no such person")
        }
        let requestID = RequestID(id)
        // The address itself must not enter a history.
        let input = JSONValue.record(
            ("tenant", .string(tenant)), ("subject", .string(subject)), ("reason", .string(reason)),
            ("actor", .string(actor)))
        let attributes = WorkflowExecutionStarted(
            workflowType: "ntf.Erase", workflowID: WorkflowID("erase:\(tenant):\(subject)"),
            taskQueue: TaskQueue(Self.notificationQueue), input: PlainPayloads.encode(input),
            workflowTaskTimeout: Limits().workflowTaskTimeoutDefault, originalExecutionRunID: RunID(""),
            firstExecutionRunID: RunID(""), identity: "http-gateway", requestID: requestID)
        let submission = Submission(
            kind: "erasure", template: "/v1/erasures|\(tenant)",
            key: question.header("idempotency-key") == nil ? id : try IdempotencyKey.read(question),
            fingerprint: IdempotencyKey.fingerprint(question, json), operationID: id,
            start: StartWorkflowRequest(
                namespace: try await domainNamespace().id, attributes: attributes, requestID: requestID,
                reusePolicy: .allowDuplicate, conflictPolicy: .useExisting, actor: "http-gateway"))
        return try await submit(submission) { stored in
            let path = Self.operationPath(stored.claim.operationID)
            return .json(
                .record(
                    ("operation_id", .string(stored.claim.operationID)), ("subject", .string(subject)),
                    ("status", "RUNNING"), ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
                    ("links", .record(("operation", .string(path))))), status: 202,
                headers: [.init("Location", path), .init("Retry-After", "1")])
        }
    }
}
