import Crypto
import History
import Runtime

/// `/v1/notifications`: "tell user U about X".
extension HTTPService {
    static let notificationQueue = TaskQueueName("ntf")

    static func addNotificationRoutes(_ table: inout RouteTable<Handler>) {
        table.add("POST", "/v1/notifications") { service, question, _ in try await service.createNotification(question)
        }
        table.add("GET", "/v1/notifications") { service, question, _ in try await service.notifications(question) }
        table.add("GET", "/v1/notifications/{id}") { try await $0.notification($1, id: $2["id"] ?? "") }
        table.add("DELETE", "/v1/notifications/{id}") { try await $0.cancelNotification($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/notifications/{id}/cancel") { try await $0.cancelNotification($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/notifications:bulk") { service, question, _ in try await service.createBatch(question) }
        table.add("GET", "/v1/notification-batches/{id}") { service, _, values in
            try await service.batch(id: values["id"] ?? "")
        }
    }

    func notificationDesk() throws(Problem) -> any NotificationDesk {
        guard let desk = options.notifications else { throw .notFound("notifications are not served here") }
        return desk
    }

    func createNotification(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let json = try strictJSON(question)
        let id = UUIDs.timeOrdered(at: now)
        let draft = try NotificationDraft(json, id: id, now: now)
        let header = question.header("idempotency-key") == nil ? nil : try IdempotencyKey.read(question)
        let submission = try await submission(
            draft, key: draft.dedupKey ?? header ?? id,
            // A sender's own key alone says that it is the same; a repeated request says so with its whole body.
            fingerprint: draft.dedupKey.map { Array(Crypto.SHA256.hash(data: Array($0.utf8))) }
                ?? IdempotencyKey.fingerprint(question, json))
        return try await submit(submission, answer: Self.notificationAccepted)
    }

    /// The start of a draft's workflow, with its key.
    func submission(_ draft: NotificationDraft, key: String, fingerprint: [UInt8]) async throws -> Submission {
        let input = try Self.value(try await notificationDesk().prepare(draft))
        let namespace = try await domainNamespace()
        let requestID = RequestID(draft.id)
        func attributes(_ type: String, _ workflow: String, _ input: JSONValue) -> WorkflowExecutionStarted {
            WorkflowExecutionStarted(
                workflowType: type, workflowID: WorkflowID(workflow), taskQueue: TaskQueue(Self.notificationQueue),
                input: PlainPayloads.encode(input), workflowTaskTimeout: Limits().workflowTaskTimeoutDefault,
                originalExecutionRunID: RunID(""), firstExecutionRunID: RunID(""), identity: "http-gateway",
                requestID: requestID)
        }
        func submission(_ kind: String, _ start: StartWorkflowRequest) -> Submission {
            Submission(
                kind: kind, template: "/v1/notifications|\(draft.tenant)", key: key, fingerprint: fingerprint,
                operationID: draft.id, start: start)
        }
        guard let digest = draft.digestKey else {
            return submission(
                "notification",
                StartWorkflowRequest(
                    namespace: namespace.id,
                    attributes: attributes("ntf.Send", "ntf:\(draft.tenant):\(draft.id)", input),
                    requestID: requestID, reusePolicy: .rejectDuplicate, conflictPolicy: .fail, actor: "http-gateway"))
        }
        // One workflow for each person and key collects; every request is a trigger for it.
        let subject = input["subject"]?.text ?? input["recipient"]?["sealed"]?["subject"]?.text ?? ""
        let variables = input["recipient"]?["sealed"].map { JSONValue.record(("sealed", $0)) } ?? draft.variables
        let trigger = JSONValue.record(
            ("id", .string(draft.id)), ("at", .number("\(Double(now.nanoseconds) / 1e9)")), ("variables", variables))
        let signal = WorkflowExecutionSignaled(
            signalName: "trigger", input: PlainPayloads.encode(trigger), identity: "http-gateway", requestID: requestID)
        return submission(
            "notification-digest",
            StartWorkflowRequest(
                namespace: namespace.id,
                attributes: attributes(
                    "ntf.Digest", "digest:\(draft.tenant):\(subject):\(digest)",
                    .record(("request", input), ("window", 0), ("items", .array([])))),
                requestID: requestID, reusePolicy: .allowDuplicate, conflictPolicy: .useExisting, signal: signal,
                actor: "http-gateway"))
    }

    /// Made from the claim alone, so that it is the same every time.
    private static func notificationAccepted(_ stored: StoredRequest) -> HTTPAnswer {
        let id = stored.claim.operationID
        let path = "/v1/notifications/\(id)"
        let body = JSONValue.record(
            ("notification_id", .string(id)), ("operation_id", .string(id)), ("status", "ACCEPTED"),
            ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
            ("workflow_id", .string(stored.run?.workflow.value ?? "")),
            ("links", .record(("notification", .string(path)), ("operation", .string(operationPath(id))))))
        return .json(body, status: 202, headers: [.init("Location", path), .init("Retry-After", "1")])
    }

    func notification(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedNotification(id)
        let run = try await present(stored.run, of: id)
        let report = try await report(run, wait: preferredWait(question))
        let attempts = await answer(to: "attempts", of: run)
        let body = JSONValue.record(
            ("notification_id", .string(id)), ("status", .string(Self.state(report))),
            ("reason", report.result?["reason"]), ("channel", report.result?["channel"]),
            ("created_at", .string(RFC3339.text(stored.request.claim.createdAt))),
            ("closed_at", report.summary.closeTime.map { .string(RFC3339.text($0)) }),
            ("progress", report.progress ?? .null), ("attempts", attempts ?? .array([])), ("error", report.error),
            ("workflow_id", .string(report.summary.key.workflow.value)),
            ("links", .record(("operation", .string(Self.operationPath(id))))))
        return Self.conditional(question, body, headers: retryHint(report))
    }

    /// The run that has the notification in hand: a redrive is another workflow.
    private func present(_ run: RunKey, of id: String) async throws -> RunKey {
        let parts = run.workflow.value.split(separator: ":")
        guard parts.count == 3, parts[0] == "ntf",
            let workflow = try await notificationDesk().workflow(tenant: String(parts[1]), notification: id)
        else { return run }
        return RunKey(namespace: run.namespace, workflow: WorkflowID(workflow), run: run.run)
    }

    private static func state(_ report: RunReport) -> String {
        if let said = report.result?["state"]?.text { return said }
        switch report.summary.status {
        case .running, .continuedAsNew: return report.progress?["phase"]?.text ?? report.status
        case .completed: return "SENT"
        case .canceled: return "CANCELED"
        case .failed, .terminated, .timedOut: return "DEAD"
        }
    }

    /// The answer to a query without arguments; nil when no worker gives one in time.
    private func answer(to name: String, of run: RunKey) async -> JSONValue? {
        let target = RunTarget(namespace: run.namespace, workflow: run.workflow)
        let query = QueryRequest(type: name, arguments: nil, header: nil)
        guard
            let answer = try? await backend.query(target, query, deadline: now.advanced(by: options.progressWait)),
            case .answered(let blob) = answer
        else { return nil }
        return PlainPayloads.decode(blob)
    }

    func cancelNotification(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        _ = try await storedNotification(id)
        return try await cancelOperation(question, id: id)
    }

    private func storedNotification(_ id: String) async throws -> (request: StoredRequest, run: RunKey) {
        guard UUIDs.isValid(id), let stored = try await backend.operation(id: id.lowercased()), let run = stored.run,
            stored.claim.operationKind.hasPrefix("notification")
        else { throw Problem.notFound("there is no notification with this id") }
        return (stored, run)
    }

    /// The list of one tenant's notifications; the tenant is part of the cursor's filter by the prefix of the ids.
    private func notifications(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        guard let tenant = question.parameter("tenant"), TenantName.isValid(tenant) else {
            throw Problem.validation([.init(pointer: "/tenant", detail: "is required: \(TenantName.expected)")])
        }
        var rest = question
        rest.query = question.query.filter { $0.name != "tenant" }
        return try await list(rest, view: NotificationView.self, prefix: "ntf:\(tenant):")
    }

    // MARK: What every endpoint of the family needs

    /// The body as JSON; a text that is not UTF-8 is a refused field like any other.
    func strictJSON(_ question: HTTPQuestion) throws(Problem) -> JSONValue {
        if let fault = UTF8Faults.pointer(in: question.body) {
            throw .validation([.init(pointer: fault, detail: "is not valid UTF-8")])
        }
        return try json(question)
    }

    static func value(_ verdict: DeskVerdict) throws(Problem) -> JSONValue {
        switch verdict {
        case .ok(let value): return value
        case .refused(let faults):
            throw .validation(faults.map { Problem.Field(pointer: $0.pointer, detail: $0.detail) })
        case .notFound(let detail): throw .notFound(detail)
        case .conflict(let detail):
            throw Problem(.precondition, status: 409, "The state does not allow it", detail: detail)
        case .forbidden(let detail): throw Problem(.forbidden, status: 403, "Not allowed", detail: detail)
        }
    }

    /// The tenant of a request, as the query names it.
    func tenant(_ question: HTTPQuestion) throws(Problem) -> String {
        guard let tenant = question.parameter("tenant"), TenantName.isValid(tenant) else {
            throw .validation([.init(pointer: "/tenant", detail: "is required: \(TenantName.expected)")])
        }
        return tenant
    }
}

enum NotificationView: RunListView {
    static let listName = "notifications"

    static func item(_ run: RunSummary) -> JSONValue {
        let id = run.startRequestID.value
        return .record(
            ("notification_id", .string(id)), ("workflow_id", .string(run.key.workflow.value)),
            ("workflow_status", .string(RunNames.name(of: run.status))),
            ("created_at", .string(RFC3339.text(run.startTime))),
            ("closed_at", run.closeTime.map { .string(RFC3339.text($0)) }),
            ("links", .record(("notification", .string("/v1/notifications/\(id)")))))
    }
}
