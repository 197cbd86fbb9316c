import History
import Runtime

/// How a run looks in one of the lists.
protocol RunListView {
    static var listName: String { get }
    static func item(_ run: RunSummary) -> JSONValue
}

enum WorkflowListView: RunListView {
    static let listName = "workflows"

    static func item(_ run: RunSummary) -> JSONValue {
        .record(
            ("workflow_id", .string(run.key.workflow.value)), ("run_id", .string(run.key.run.value)),
            ("workflow_type", .string(run.workflowType)), ("task_queue", .string(run.taskQueue.value)),
            ("status", .string(RunNames.name(of: run.status))), ("started_at", .string(RFC3339.text(run.startTime))),
            ("closed_at", run.closeTime.map { .string(RFC3339.text($0)) }),
            ("history_length", .integer(run.historyLength)))
    }
}

/// The jobs of the domain families: an operation's id is its start's request id.
enum OperationListView: RunListView {
    static let listName = "operations"

    static func item(_ run: RunSummary) -> JSONValue {
        let id = run.startRequestID.value
        let isOperation = UUIDs.isValid(id)
        return .record(
            ("operation_id", isOperation ? .string(id) : nil), ("workflow_id", .string(run.key.workflow.value)),
            ("kind", .string(run.workflowType)), ("workflow_status", .string(RunNames.name(of: run.status))),
            ("created_at", .string(RFC3339.text(run.startTime))),
            ("closed_at", run.closeTime.map { .string(RFC3339.text($0)) }),
            ("links", isOperation ? .record(("operation", .string(HTTPService.operationPath(id)))) : nil))
    }
}

extension HTTPService {
    /// One page of runs, newest first. `limit`, `after`, `status`, `type`; no total.
    func list<View: RunListView>(_ question: HTTPQuestion, view: View.Type, prefix: String?) async throws -> HTTPAnswer
    {
        let namespace = try await domainNamespace()
        var fields: [Problem.Field] = []
        for parameter in question.query where !["limit", "after", "status", "type"].contains(parameter.name) {
            fields.append(.init(pointer: "/\(parameter.name)", detail: "is not a known parameter"))
        }
        let limit = question.parameter("limit").map { Int($0) ?? 0 } ?? options.listLimit
        if !(1...options.listLimitMax).contains(limit) {
            fields.append(.init(pointer: "/limit", detail: "expected 1 to \(options.listLimitMax)"))
        }
        let statusText = question.parameter("status")
        let number = statusText.flatMap { try? VisibilityValues.status($0) }
        let status = number.flatMap { Int32(exactly: $0) }.flatMap(WorkflowStatus.init(rawValue:))
        if statusText != nil && status == nil { fields.append(.init(pointer: "/status", detail: "is not a status")) }
        guard fields.isEmpty else {
            throw Problem(
                .validation, status: 400, "The request is not valid",
                detail: "\(fields.count) parameter(s) were refused",
                errors: fields)
        }
        let type = question.parameter("type")
        let filter = [View.listName, namespace.id.value, statusText ?? "", type ?? ""].joined(separator: "\n")
        let cursor = ListCursor(key: options.key)
        var query = VisibilityQuery(
            namespace: namespace.id, workflowIDPrefix: prefix, workflowType: type, status: status, limit: limit + 1)
        if let after = question.parameter("after") {
            query.after = try cursor.decode(after, filter: filter, namespace: namespace.id)
        }
        // One more than asked for shows whether there is a next page.
        let found = try await backend.listRuns(query)
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { cursor.encode($0, filter: filter) } : nil
        return .json(
            .record(("items", .array(page.map(View.item))), ("next", next.map { .string($0) } ?? .null)))
    }
}
