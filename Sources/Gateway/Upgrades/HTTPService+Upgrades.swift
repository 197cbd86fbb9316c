import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// `/v1/schema-upgrades`, `/v1/migration-sets`, `/v1/tenants`: the platform team's view of `mig.Fleet`.
extension HTTPService {
    static let upgradeQueue = TaskQueueName("mig")
    private static let upgradeTemplate = "/v1/schema-upgrades"

    static func addUpgradeRoutes(_ table: inout RouteTable<Handler>) {
        table.add("PUT", "/v1/migration-sets/{sha256}") { try await $0.storeSet($1, sha256: $2["sha256"] ?? "") }
        table.add("GET", "/v1/migration-sets/{sha256}") { service, _, values in
            .json(try Self.value(try await service.upgradeDesk().set(sha256: values["sha256"] ?? "")))
        }
        table.add("POST", upgradeTemplate) { service, question, _ in try await service.startUpgrade(question) }
        table.add("GET", upgradeTemplate) { service, question, _ in
            var rest = question
            rest.query.append(("type", "mig.Fleet"))
            return try await service.list(rest, view: UpgradeView.self, prefix: nil)
        }
        table.add("GET", "/v1/schema-upgrades/{id}") { try await $0.upgrade($1, id: $2["id"] ?? "") }
        table.add("GET", "/v1/schema-upgrades/{id}/tenants") { try await $0.upgradeTenants($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/schema-upgrades/{id}/approvals") { try await $0.decide($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/schema-upgrades/{id}/{action}") {
            try await $0.steer($1, id: $2["id"] ?? "", action: $2["action"] ?? "")
        }
        table.add("PUT", "/v1/tenants/{id}") { service, question, values in
            .json(
                try Self.value(
                    try await service.upgradeDesk().saveTenant(
                        id: values["id"] ?? "", body: service.strictJSON(question))))
        }
        table.add("GET", "/v1/tenants/{id}") { service, _, values in
            .json(try Self.value(try await service.upgradeDesk().tenant(id: values["id"] ?? "")))
        }
        table.add("GET", "/v1/tenants") { service, question, _ in
            let desk = try service.upgradeDesk()
            return try await service.page(question, list: "tenants", filter: "") { after, limit in
                try await desk.allTenants(after: after, limit: limit)
            }
        }
    }

    private func upgradeDesk() throws(Problem) -> any UpgradeDesk {
        guard let desk = options.upgrades else { throw .notFound("schema upgrades are not served here") }
        return desk
    }

    private func storeSet(_ question: HTTPQuestion, sha256: String) async throws -> HTTPAnswer {
        let stored = try Self.value(try await upgradeDesk().storeSet(sha256: sha256, body: strictJSON(question)))
        return .json(stored, status: stored["created"]?.bool == true ? 201 : 200)
    }

    // MARK: Starting

    private func startUpgrade(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let key = try IdempotencyKey.read(question)
        let json = try strictJSON(question)
        let draft = try UpgradeDraft(json)
        let prepared = try Self.value(try await upgradeDesk().prepare(draft.request))
        if prepared["nothing_to_do"]?.bool == true {
            return .json(.record(("status", "SUCCEEDED"), ("note", "nothing to do: all tenants have this version")))
        }
        let request = prepared["request"] ?? .null
        let service = request["service"]?.text ?? ""
        let id = UUIDs.timeOrdered(at: now)
        let input = JSONValue.record(
            ("upgrade", .string(id)), ("request", request),
            ("requestedBy", question.header("x-actor").map { .string($0) }))
        let namespace = try await domainNamespace()
        let attributes = WorkflowExecutionStarted(
            workflowType: "mig.Fleet", workflowID: WorkflowID("mig:\(service)"),
            taskQueue: TaskQueue(Self.upgradeQueue), input: PlainPayloads.encode(input),
            workflowTaskTimeout: Limits().workflowTaskTimeoutDefault, originalExecutionRunID: RunID(""),
            firstExecutionRunID: RunID(""), identity: "http-gateway", requestID: RequestID(id))
        let start = StartWorkflowRequest(
            namespace: namespace.id, attributes: attributes, requestID: RequestID(id), reusePolicy: .allowDuplicate,
            conflictPolicy: .fail, actor: "http-gateway")
        let submission = Submission(
            kind: "schema-upgrade", template: Self.upgradeTemplate, key: key,
            fingerprint: IdempotencyKey.fingerprint(question, json), operationID: id, start: start)
        return try await submit(submission, answer: Self.upgradeAccepted)
    }

    private static func upgradeAccepted(_ stored: StoredRequest) -> HTTPAnswer {
        let id = stored.claim.operationID
        let path = "\(upgradeTemplate)/\(id)"
        let body = JSONValue.record(
            ("upgrade_id", .string(id)), ("operation_id", .string(id)), ("status", "RUNNING"),
            ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
            ("workflow_id", .string(stored.run?.workflow.value ?? "")),
            ("links", .record(("upgrade", .string(path)), ("operation", .string(operationPath(id))))))
        return .json(
            body, status: 202, headers: [.init("Location", operationPath(id)), .init("Retry-After", "1")])
    }

    // MARK: Looking

    private func storedUpgrade(_ id: String) async throws -> (request: StoredRequest, run: RunKey) {
        guard UUIDs.isValid(id), let stored = try await backend.operation(id: id.lowercased()), let run = stored.run,
            stored.claim.operationKind == "schema-upgrade"
        else { throw Problem.notFound("there is no schema upgrade with this id") }
        return (stored, run)
    }

    /// The workflow's own progress while it is the service's newest upgrade; the tables tell of those before.
    private func upgrade(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedUpgrade(id)
        let report = try await report(stored.run, wait: preferredWait(question))
        let isNewest = report.input?["upgrade"]?.text == id.lowercased()
        var row = JSONValue.null
        if case .ok(let value) = try await upgradeDesk().upgrade(id: id.lowercased()) { row = value }
        let status = isNewest ? report.status : row["state"]?.text ?? "RUNNING"
        let body = JSONValue.record(
            ("upgrade_id", .string(id)), ("status", .string(status)), ("service", row["service"]),
            ("target_version", row["target_version"]), ("migration_set", row["migration_set"]),
            ("created_at", .string(RFC3339.text(stored.request.claim.createdAt))), ("counts", row["counts"]),
            ("progress", isNewest ? report.progress ?? .null : .null),
            ("result", isNewest ? report.result : nil), ("error", isNewest ? report.error : nil),
            ("workflow_id", .string(stored.run.workflow.value)),
            ("links", .record(("tenants", .string("\(Self.upgradeTemplate)/\(id)/tenants")))))
        return Self.conditional(question, body, headers: isNewest ? retryHint(report) : [])
    }

    private func upgradeTenants(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        _ = try await storedUpgrade(id)
        let desk = try upgradeDesk()
        let state = question.parameter("state") ?? ""
        var rest = question
        rest.query = question.query.filter { $0.name != "state" }
        return try await page(rest, list: "upgrade-tenants", filter: "\(id)\n\(state)") { after, limit in
            try await desk.tenants(upgrade: id.lowercased(), state: state, after: after, limit: limit)
        }
    }

    // MARK: Steering

    private func decide(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let json = try strictJSON(question)
        var fields = FieldReader(json)
        let gate = fields.text("gate", required: true, lengths: 1...20) ?? ""
        if !["start", "after_canary", "contract"].contains(gate) {
            fields.fault("gate", "expected start, after_canary or contract")
        }
        let decision = fields.text("decision", required: true, lengths: 1...10) ?? ""
        if !["approve", "reject"].contains(decision) { fields.fault("decision", "expected approve or reject") }
        let by = fields.text("by", required: true, lengths: 1...100) ?? ""
        let reason = fields.text("reason", lengths: 1...1000) ?? ""
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw Problem.validation(fields.faults) }
        return try await update(
            id, decision, .record(("gate", .string(gate)), ("by", .string(by)), ("reason", .string(reason))))
    }

    private func steer(_ question: HTTPQuestion, id: String, action: String) async throws -> HTTPAnswer {
        let names = [
            "pause": "", "resume": "", "abort": "abort", "skip-tenant": "skip_tenant", "retry-tenant": "retry_tenant",
            "concurrency": "set_concurrency",
        ]
        guard let name = names[action] else { throw Problem.notFound("there is no action of this name") }
        let stored = try await storedUpgrade(id)
        guard name.isEmpty else { return try await update(id, name, try strictJSON(question)) }
        try await backend.signalWorkflow(
            RunTarget(namespace: stored.run.namespace, workflow: stored.run.workflow),
            WorkflowExecutionSignaled(
                signalName: action, identity: "http-gateway", requestID: RequestID(UUIDs.random())))
        return .json(.record(("upgrade_id", .string(id)), ("accepted", true)), status: 202)
    }

    /// Asks the workflow for an update and waits for its answer; a rejection is a conflict with the workflow's own words.
    private func update(_ id: String, _ name: String, _ argument: JSONValue) async throws -> HTTPAnswer {
        let stored = try await storedUpgrade(id)
        let namespace = try await domainNamespace()
        let request = Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest.with {
            $0.namespace = namespace.name
            $0.workflowExecution.workflowID = stored.run.workflow.value
            $0.waitPolicy.lifecycleStage = .completed
            $0.request.meta.updateID = UUIDs.random()
            $0.request.meta.identity = "http-gateway"
            $0.request.input.name = name
            $0.request.input.args = PlainPayloads.encode(argument).data
        }
        let call = WireCall(
            method: WireMethod(name: "UpdateWorkflowExecution"), request: [], deadline: now.advanced(by: .seconds(30)))
        let response = try await wire.updateWorkflowExecution(request, call)
        switch response.outcome.value {
        case .failure(let bytes)?:
            let failure = try? Temporal_Api_Failure_V1_Failure(serializedBytes: bytes)
            let isInvalid = failure?.applicationFailureInfo.type == "Invalid"
            throw Problem(
                isInvalid ? .validation : .precondition, status: isInvalid ? 422 : 409,
                isInvalid ? "The request is not valid" : "The state does not allow it", detail: failure?.message ?? "",
                operation: Self.operationPath(id))
        case .success(let payloads)?:
            let counts = PlainPayloads.decode(Blob(Array(payloads)))
            return .json(.record(("upgrade_id", .string(id)), ("accepted", true), ("counts", counts)))
        case nil: return .json(.record(("upgrade_id", .string(id)), ("accepted", true)), status: 202)
        }
    }
}

enum UpgradeView: RunListView {
    static let listName = "schema-upgrades"

    static func item(_ run: RunSummary) -> JSONValue {
        let id = run.startRequestID.value
        return .record(
            ("upgrade_id", .string(id)), ("service", .string(String(run.key.workflow.value.dropFirst(4)))),
            ("workflow_status", .string(RunNames.name(of: run.status))),
            ("created_at", .string(RFC3339.text(run.startTime))),
            ("closed_at", run.closeTime.map { .string(RFC3339.text($0)) }),
            ("links", .record(("upgrade", .string("/v1/schema-upgrades/\(id)")))))
    }
}
