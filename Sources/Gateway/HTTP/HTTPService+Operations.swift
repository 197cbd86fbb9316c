import Crypto
import History
import Runtime

/// `/v1/operations/{id}`: one view of every job.
extension HTTPService {
    func operation(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedOperation(id)
        let report = try await report(stored.run, wait: preferredWait(question))
        return Self.conditional(question, Self.view(stored.request, report), headers: retryHint(report))
    }

    func operationResult(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedOperation(id)
        let report = try await report(stored.run, wait: preferredWait(question), withProgress: false)
        if report.isOpen {
            return .json(
                Self.view(stored.request, report), status: 202,
                headers: [.init("Location", Self.operationPath(id))] + retryHint(report))
        }
        if let error = report.error {
            throw Problem(
                .precondition, status: 409, "The operation did not succeed", detail: error["message"]?.text ?? "",
                operation: Self.operationPath(id))
        }
        return .json(report.result ?? .null)
    }

    func cancelOperation(_ question: HTTPQuestion, id: String) async throws -> HTTPAnswer {
        let stored = try await storedOperation(id)
        let target = RunTarget(namespace: stored.run.namespace, workflow: stored.run.workflow)
        let cancel = WorkflowExecutionCancelRequested(cause: "requested over HTTP", identity: "http-gateway")
        try await backend.requestCancelWorkflow(target, cancel, requestID: RequestID("cancel-\(id)"))
        let report = try await report(stored.run, withProgress: false)
        return .json(
            Self.view(stored.request, report), status: 202,
            headers: [.init("Location", Self.operationPath(id))] + retryHint(report))
    }

    func storedOperation(_ id: String) async throws -> (request: StoredRequest, run: RunKey) {
        guard UUIDs.isValid(id), let stored = try await backend.operation(id: id.lowercased()), let run = stored.run
        else {
            throw Problem.notFound("there is no operation with this id")
        }
        return (stored, run)
    }

    static func view(_ stored: StoredRequest, _ report: RunReport) -> JSONValue {
        let id = stored.claim.operationID
        return .record(
            ("operation_id", .string(id)), ("kind", .string(stored.claim.operationKind)),
            ("status", .string(report.status)),
            ("done", .bool(!report.isOpen)), ("workflow_id", .string(report.summary.key.workflow.value)),
            ("run_id", .string(report.summary.key.run.value)),
            ("workflow_status", .string(RunNames.name(of: report.summary.status))),
            ("created_at", .string(RFC3339.text(stored.claim.createdAt))),
            ("closed_at", report.summary.closeTime.map { .string(RFC3339.text($0)) }),
            ("cancel_requested", .bool(report.cancelRequested)), ("progress", report.progress ?? .null),
            ("result", report.isOpen ? nil : report.result ?? .null), ("error", report.error),
            ("result_url", report.isOpen ? nil : .string("\(operationPath(id))/result")))
    }

    // MARK: Waiting and caching

    /// `Prefer: wait=N`, at most the bound.
    func preferredWait(_ question: HTTPQuestion) -> TimeSpan {
        for preference in (question.header("prefer") ?? "").split(separator: ",") {
            let parts = preference.split(separator: "=").map { $0.filter { !$0.isWhitespace } }
            if parts.count == 2, parts[0].lowercased() == "wait", let seconds = Int64(parts[1]), seconds > 0 {
                return .seconds(min(seconds, options.preferWaitMax))
            }
        }
        return .zero
    }

    /// While it runs, when to ask again: from 1 s for a young run to 10 s for an old one.
    func retryHint(_ report: RunReport) -> [HTTPAnswer.Header] {
        guard report.isOpen else { return [] }
        let age = now.since(report.summary.startTime).nanoseconds / 1_000_000_000
        return [.init("Retry-After", "\(min(max(age / 6, 1), 10))")]
    }

    /// 304 when the client has this very answer.
    static func conditional(
        _ question: HTTPQuestion, _ body: JSONValue, headers: [HTTPAnswer.Header]
    ) -> HTTPAnswer {
        let bytes = JSONWriter.write(body)
        let tag = "\"\(Hex.encode(Crypto.SHA256.hash(data: bytes).prefix(12)))\""
        let headers = headers + [.init("ETag", tag), .init("Cache-Control", "no-cache")]
        if question.header("if-none-match") == tag { return HTTPAnswer(status: 304, headers: headers) }
        return HTTPAnswer(status: 200, headers: [.init("Content-Type", "application/json")] + headers, body: bytes)
    }
}

enum RunNames {
    static func name(of status: WorkflowStatus) -> String {
        switch status {
        case .running: "Running"
        case .completed: "Completed"
        case .failed: "Failed"
        case .canceled: "Canceled"
        case .terminated: "Terminated"
        case .continuedAsNew: "ContinuedAsNew"
        case .timedOut: "TimedOut"
        }
    }
}
