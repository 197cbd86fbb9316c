import History
import Postgres
import Runtime

/// How a list or a count is looked for: by a workflow id, by an attribute's value, or through all runs of the namespace.
struct VisibilityPlan {
    private(set) var sql: VisibilityFilterSQL
    /// The slot and the id of the one workflow that is meant, as parameters.
    private(set) var workflow: (slot: String, id: String)?
    /// The condition on `aloft.search_values v` where the search begins.
    private(set) var driver: String?
    /// What else has to be true of `aloft.runs r`.
    private(set) var condition: String
    /// A status that few runs have, and nothing that leads to them: they are looked for type by type.
    private(set) var isRareStatus = false

    /// - Parameter leader: which of ``leaders(of:)`` the search begins with.
    init(_ query: VisibilityQuery, parametersBefore count: Int, leader: Int = 0) {
        var sql = VisibilityFilterSQL(firstParameter: count + 1)
        var parts: [VisibilityFilter] = []
        Self.flatten(query.filter, into: &parts)
        var conditions: [String] = []
        if let id = query.workflowID {
            let slot = Slots.slot(namespace: query.namespace, workflow: id)
            workflow = (sql.parameter(.number(Int64(slot))), sql.parameter(.text(id.value)))
        } else if let index = parts.indices.filter({ Self.leads(parts[$0]) }).dropFirst(leader).first,
            case .compare(let column, _, let value) = parts[index],
            case .attribute(let name, let type) = column
        {
            driver = sql.driver(name, type, value)
            parts.remove(at: index)
        }
        if let prefix = query.workflowIDPrefix {
            conditions.append("starts_with(r.workflow_id, \(sql.parameter(.text(prefix))))")
        }
        if let type = query.workflowType { conditions.append("r.workflow_type = \(sql.parameter(.text(type)))") }
        if let status = query.status {
            conditions.append("r.status = \(status.rawValue)")
            // The index that lists walk has the open runs at its end.
            if status == .running {
                conditions.append("coalesce(r.close_time, 9223372036854775807) = 9223372036854775807")
            }
        }
        conditions += parts.map { sql.required($0) }
        if workflow == nil, driver == nil, query.workflowType == nil, let status = query.status {
            isRareStatus = status != .running && status != .completed
        }
        if !Self.asksForDivision(query.filter) { conditions.append(VisibilityFilterSQL.shown("r")) }
        condition = conditions.isEmpty ? "true" : conditions.joined(separator: " and ")
        self.sql = sql
    }

    /// The equalities with attributes of which any could lead; none when the workflow is named.
    static func leaders(
        of query: VisibilityQuery
    ) -> [(name: String, type: SearchAttributeType, value: VisibilityValue)] {
        guard query.workflowID == nil else { return [] }
        var parts: [VisibilityFilter] = []
        flatten(query.filter, into: &parts)
        return parts.compactMap {
            guard case .compare(.attribute(let name, let type), .equal, let value) = $0 else { return nil }
            return (name, type, value)
        }
    }

    /// Are the counters enough?
    static func isCounted(_ query: VisibilityQuery) -> Bool {
        query.workflowID == nil && query.workflowIDPrefix == nil && query.workflowType == nil && query.filter == nil
    }

    private static func flatten(_ filter: VisibilityFilter?, into parts: inout [VisibilityFilter]) {
        guard let filter else { return }
        if case .all(let inner) = filter, !inner.isEmpty {
            for part in inner { flatten(part, into: &parts) }
        } else {
            parts.append(filter)
        }
    }

    /// Equality with an attribute's value: its index has the matching runs in the order of lists.
    private static func leads(_ part: VisibilityFilter) -> Bool {
        if case .compare(.attribute, .equal, _) = part { true } else { false }
    }

    private static func asksForDivision(_ filter: VisibilityFilter?) -> Bool {
        func isDivision(_ column: VisibilityColumn) -> Bool {
            if case .attribute(let name, _) = column { name == VisibilityFilterSQL.divisionAttribute } else { false }
        }
        return switch filter {
        case nil: false
        case .all(let parts), .any(let parts): parts.contains { asksForDivision($0) }
        case .not(let part): asksForDivision(part)
        case .compare(let column, _, _), .between(let column, _, _), .oneOf(let column, _), .startsWith(let column, _),
            .isMissing(let column):
            isDivision(column)
        }
    }
}
