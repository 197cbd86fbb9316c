import History
import Runtime

/// `/v1/dlq` and `/v1/redrives`: what could not be done, and doing it again.
extension HTTPService {
    static func addDeadLetterRoutes(_ table: inout RouteTable<Handler>) {
        table.add("GET", "/v1/dlq") { service, question, _ in try await service.deadLetters(question) }
        table.add("GET", "/v1/dlq/stats") { service, _, _ in
            .json(try Self.value(try await service.deadLetterDesk().stats()))
        }
        table.add("GET", "/v1/dlq/{id}") { service, _, values in
            .json(try Self.value(try await service.deadLetterDesk().show(values["id"] ?? "")))
        }
        table.add("POST", "/v1/dlq/{id}/resolve") { try await $0.resolve($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/dlq:purge") { service, question, _ in try await service.askPurge(question) }
        table.add("POST", "/v1/purges/{id}/approve") { try await $0.approvePurge($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/redrives") { service, question, _ in try await service.startRedrive(question) }
        table.add("GET", "/v1/redrives") { service, _, _ in
            .json(try Self.value(try await service.deadLetterDesk().jobs(limit: service.options.listLimit)))
        }
        table.add("GET", "/v1/redrives/{id}") { service, _, values in
            .json(try Self.value(try await service.deadLetterDesk().job(values["id"] ?? "")))
        }
        table.add("POST", "/v1/redrives/{id}/cancel") { try await $0.cancelRedrive($1, id: $2["id"] ?? "") }
        table.add("DELETE", "/v1/redrives/{id}") { try await $0.cancelRedrive($1, id: $2["id"] ?? "") }
    }

    private func deadLetterDesk() throws(Problem) -> any DeadLetterDesk {
        guard let desk = options.deadLetters else { throw .notFound("dead letters are not served here") }
        return desk
    }

    // MARK: Looking

    private static let filterNames = ["source", "tenant", "code", "class", "state", "since", "q"]

    private func deadLetters(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        var faults: [Problem.Field] = []
        for parameter in question.query where !(Self.filterNames + ["limit", "after"]).contains(parameter.name) {
            faults.append(.init(pointer: "/\(parameter.name)", detail: "is not a known parameter"))
        }
        let given = Self.filterNames.compactMap { name in
            question.parameter(name).map { JSONValue.Member(name, .string($0)) }
        }
        guard faults.isEmpty else { throw Problem.validation(faults) }
        let filter = try Self.filter(.object(given), path: [])
        let desk = try deadLetterDesk()
        let scope = String(decoding: JSONWriter.write(filter, canonical: true), as: UTF8.self)
        return try await page(question, list: "dlq", filter: scope) { after, limit in
            try await desk.list(filter, after: after, limit: limit)
        }
    }

    /// A filter as the desk takes it: times in unix seconds.
    private static func filter(_ value: JSONValue, path: [String]) throws(Problem) -> JSONValue {
        var fields = FieldReader(value, path: path)
        var members: [JSONValue.Member] = []
        for name in ["source", "tenant", "code", "class", "state", "q"] {
            if let text = fields.text(name, lengths: 1...200) { members.append(.init(name, .string(text))) }
        }
        if let text = fields.text("since", lengths: 1...40) {
            if let time = RFC3339.time(text) {
                members.append(.init("since", .number("\(Double(time.nanoseconds) / 1e9)")))
            } else if let seconds = ISODuration.seconds(text) {
                members.append(
                    .init("since", .number("\(Double(SystemTime.now().nanoseconds) / 1e9 - Double(seconds))")))
            } else {
                fields.fault("since", "expected a date and time (RFC 3339) or a length of time like PT1H")
            }
        }
        if let ids = fields.value("ids") {
            let texts = (ids.elements ?? []).compactMap(\.text).filter { UUIDs.isValid($0) }
            if texts.isEmpty || texts.count != ids.elements?.count || texts.count > 10_000 {
                fields.fault("ids", "expected 1 to 10000 ids")
            }
            members.append(.init("ids", .array(texts.map { .string($0.lowercased()) })))
        }
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
        return .object(members)
    }

    // MARK: Settling

    /// Who asks, and why: every action of an operator says both.
    static func actor(_ fields: inout FieldReader) -> String {
        let actor = fields.text("actor", required: true, lengths: 1...100) ?? ""
        if !HeaderText.isSafe(actor) { fields.fault("actor", "contains a control character") }
        return actor
    }

    private func resolve(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        var fields = FieldReader(try strictJSON(question))
        let actor = Self.actor(&fields)
        let note = fields.text("note", required: true, lengths: 1...1000) ?? ""
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw Problem.validation(fields.faults) }
        return .json(try Self.value(try await deadLetterDesk().resolve(id, note: note, actor: actor)))
    }

    private func askPurge(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let json = try strictJSON(question)
        var fields = FieldReader(json)
        let actor = Self.actor(&fields)
        let reason = fields.text("reason", required: true, lengths: 1...1000) ?? ""
        let filter = fields.value("filter", required: true)
        fields.refuseOthers()
        guard fields.faults.isEmpty, let filter else { throw Problem.validation(fields.faults) }
        let chosen = try Self.filter(filter, path: ["filter"])
        return .json(
            try Self.value(try await deadLetterDesk().askPurge(chosen, reason: reason, actor: actor)), status: 202)
    }

    private func approvePurge(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        var fields = FieldReader(try strictJSON(question))
        let actor = Self.actor(&fields)
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw Problem.validation(fields.faults) }
        return .json(try Self.value(try await deadLetterDesk().approvePurge(id, actor: actor)))
    }

    // MARK: Redriving

    private struct RedriveOrder {
        var source: String
        var filter: JSONValue
        var input: JSONValue
        var isDryRun: Bool
    }

    private func order(_ json: JSONValue, id: String) throws(Problem) -> RedriveOrder {
        var fields = FieldReader(json)
        let source = fields.text("source", lengths: 1...40) ?? "notification"
        let isDryRun = fields.flag("dry_run") ?? false
        let reason = fields.text("reason", required: !isDryRun, lengths: 1...1000) ?? ""
        let actor = isDryRun ? fields.text("actor", lengths: 1...100) ?? "" : Self.actor(&fields)
        let rate = fields.integer("rate", in: 1...500) ?? 10
        let limit = fields.integer("limit", in: 1...100_000) ?? 100_000
        let force = fields.flag("force") ?? false
        let overrides = Self.overrides(&fields)
        let given = fields.value("filter") ?? .object([])
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
        var filter = try Self.filter(given, path: ["filter"])
        filter["source"] = .string(source)
        let input = JSONValue.record(
            ("job_id", .string(id)), ("source", .string(source)), ("filter", filter), ("per_second", .integer(rate)),
            ("limit", .integer(limit)), ("overrides", overrides), ("reason", .string(reason)),
            ("actor", .string(actor)),
            ("force", .bool(force)))
        return RedriveOrder(source: source, filter: filter, input: input, isDryRun: isDryRun)
    }

    private static func overrides(_ fields: inout FieldReader) -> JSONValue {
        guard let value = fields.value("overrides") else { return .object([]) }
        var overrides = FieldReader(value, path: ["overrides"])
        var members: [JSONValue.Member] = []
        if let version = overrides.value("template.version") {
            let number = version.int ?? version.text.flatMap { Int64($0) }
            if let number, number > 0 {
                members.append(.init("template.version", .string("\(number)")))
            } else {
                overrides.fault("template.version", "expected a number from 1")
            }
        }
        if let channel = overrides.text("channel", lengths: 1...10) {
            if ["email", "sms", "wechat"].contains(channel) {
                members.append(.init("channel", .string(channel)))
            } else {
                overrides.fault("channel", "expected one of email, sms, wechat")
            }
        }
        if let provider = overrides.text("provider", lengths: 1...40) {
            members.append(.init("provider", .string(provider)))
        }
        if value.members != nil { overrides.refuseOthers() }
        fields.add(overrides.faults)
        return .object(members)
    }

    /// One active per source: the workflow's id says so, and a second one is told which operation runs.
    private func startRedrive(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let id = UUIDs.timeOrdered(at: now)
        let json = question.body.isEmpty ? JSONValue.object([]) : try strictJSON(question)
        let order = try order(json, id: id)
        let desk = try deadLetterDesk()
        if order.isDryRun { return .json(try Self.value(try await desk.preview(order.filter))) }
        let namespace = try await domainNamespace()
        let requestID = RequestID(id)
        let workflow = WorkflowID("redrive:\(order.source)")
        let attributes = WorkflowExecutionStarted(
            workflowType: "ntf.Redrive", workflowID: workflow, taskQueue: TaskQueue(TaskQueueName("dlq")),
            input: PlainPayloads.encode(order.input), workflowTaskTimeout: Limits().workflowTaskTimeoutDefault,
            originalExecutionRunID: RunID(""), firstExecutionRunID: RunID(""), identity: "http-gateway",
            requestID: requestID)
        var start = StartWorkflowRequest(
            namespace: namespace.id, attributes: attributes, requestID: requestID, reusePolicy: .allowDuplicate,
            conflictPolicy: .fail, actor: "http-gateway")
        let key = question.header("idempotency-key") == nil ? id : try IdempotencyKey.read(question)
        start.claim = nil
        let submission = Submission(
            kind: "redrive", template: "/v1/redrives", key: key,
            fingerprint: IdempotencyKey.fingerprint(question, json), operationID: id, start: start)
        return try await submit(submission) { stored in
            let path = "/v1/redrives/\(stored.claim.operationID)"
            return .json(
                .record(
                    ("job_id", .string(stored.claim.operationID)),
                    ("operation_id", .string(stored.claim.operationID)), ("status", "RUNNING"),
                    ("workflow_id", .string(workflow.value)),
                    ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
                    ("links", .record(("job", .string(path))))), status: 202,
                headers: [.init("Location", path), .init("Retry-After", "1")])
        }
    }

    private func cancelRedrive(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        guard UUIDs.isValid(id), let stored = try await backend.operation(id: id.lowercased()),
            stored.claim.operationKind == "redrive"
        else { throw Problem.notFound("there is no redrive with this id") }
        return try await cancelOperation(question, id: id)
    }
}
