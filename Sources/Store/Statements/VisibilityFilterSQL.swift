import History
import Postgres
import Runtime

/// Writes a list's filter as a condition over `aloft.runs r`; every value becomes a parameter. `$1` is the namespace.
struct VisibilityFilterSQL {
    /// The attribute that hides a run from those who do not ask for it.
    static let divisionAttribute = "TemporalNamespaceDivision"

    private(set) var values: [VisibilityValue] = []
    /// The number of the first parameter that is free.
    private let firstParameter: Int

    init(firstParameter: Int) { self.firstParameter = firstParameter }

    /// A condition that has to be true: what it says of an attribute may lead the search.
    mutating func required(_ filter: VisibilityFilter) -> String {
        switch filter {
        case .all(let parts) where !parts.isEmpty:
            return parts.map { required($0) }.joined(separator: " and ")
        case .compare(.attribute(let name, let type), let comparison, let value) where comparison != .notEqual:
            return exists(name, type, "\(Self.sign(comparison)) \(parameter(value))")
        case .between(.attribute(let name, let type), let low, let high):
            let (low, high) = (parameter(low), parameter(high))
            return exists(name, type, "between \(low) and \(high)")
        case .oneOf(.attribute(let name, let type), let values) where !values.isEmpty:
            return exists(name, type, "in (\(values.map { parameter($0) }.joined(separator: ", ")))")
        case .startsWith(.attribute(let name, let type), let prefix):
            return exists(name, type, "^@ \(parameter(.text(prefix)))")
        case .all, .any, .not, .compare, .between, .oneOf, .startsWith, .isMissing: return condition(filter)
        }
    }

    /// The rows of `aloft.search_values v` whose column equals a value: where a search may begin.
    mutating func driver(_ name: String, _ type: SearchAttributeType, _ value: VisibilityValue) -> String {
        "v.namespace_id = $1::uuid and v.name = \(parameter(.text(name))) and v.type = \(type.rawValue) "
            + "and \(Self.column(type)) = \(parameter(value))"
    }

    mutating func condition(_ filter: VisibilityFilter) -> String {
        switch filter {
        case .all(let parts): return joined(parts, "and", whenEmpty: "true")
        case .any(let parts): return joined(parts, "or", whenEmpty: "false")
        case .not(let part): return "not (\(condition(part)))"
        case .compare(.attribute(let name, let type), .notEqual, let value):
            return "not (\(condition(.compare(.attribute(name, type), .equal, value))))"
        case .compare(let column, let comparison, let value):
            return test(column) { "\(Self.sign(comparison)) \($0.parameter(value))" }
        case .between(let column, let low, let high):
            return test(column) { sql in
                let (low, high) = (sql.parameter(low), sql.parameter(high))
                return "between \(low) and \(high)"
            }
        case .oneOf(let column, let values):
            if values.isEmpty { return "false" }
            return test(column) { sql in "in (\(values.map { sql.parameter($0) }.joined(separator: ", ")))" }
        case .startsWith(let column, let prefix): return test(column) { "^@ \($0.parameter(.text(prefix)))" }
        case .isMissing(.attribute(let name, let type)): return "not \(exists(name, type, "is not null"))"
        case .isMissing(let column): return "\(Self.expression(column)) is null"
        }
    }

    /// Appends the values, in the order of their numbers.
    func put(into parameters: inout Parameters) {
        for value in values {
            switch value {
            case .text(let text): parameters.text(text)
            case .number(let number): parameters.int64(number)
            case .real(let real): parameters.double(real)
            }
        }
    }

    /// Runs of a division are shown only to those who ask for one. `row` is the alias of the table that holds slot and run.
    ///
    /// Asked once whether there are any at all: without them, the planner sees nothing but the walk of an index.
    static func shown(_ row: String) -> String {
        let hidden = """
            select from aloft.search_values h where h.namespace_id = $1::uuid and h.name = '\(divisionAttribute)' \
            and h.word is not null
            """
        return
            "((select not exists (\(hidden))) or not exists (\(hidden) and h.slot = \(row).slot and h.run_id = \(row).run_id))"
    }

    private mutating func joined(_ parts: [VisibilityFilter], _ word: String, whenEmpty: String) -> String {
        if parts.isEmpty { return whenEmpty }
        return "(" + parts.map { condition($0) }.joined(separator: " \(word) ") + ")"
    }

    mutating func parameter(_ value: VisibilityValue) -> String {
        values.append(value)
        let number = firstParameter + values.count - 1
        return switch value {
        case .text: "$\(number)::text"
        case .number: "$\(number)::int8"
        case .real: "$\(number)::float8"
        }
    }

    // MARK: Attributes

    private mutating func rows(_ name: String, _ type: SearchAttributeType) -> String {
        """
        from aloft.search_values v where v.slot = r.slot and v.run_id = r.run_id and v.namespace_id = $1::uuid \
        and v.name = \(parameter(.text(name))) and v.type = \(type.rawValue)
        """
    }

    private mutating func exists(_ name: String, _ type: SearchAttributeType, _ test: String) -> String {
        "exists (select \(rows(name, type)) and \(Self.column(type)) \(test))"
    }

    /// `rest` writes what stands behind the column. Null when the run does not have the attribute.
    private mutating func test(
        _ column: VisibilityColumn, _ rest: (inout VisibilityFilterSQL) -> String
    ) -> String {
        let test = rest(&self)
        guard case .attribute(let name, let type) = column else { return "\(Self.expression(column)) \(test)" }
        if type.hasManyEntries { return "(select bool_or(\(Self.column(type)) \(test)) \(rows(name, type)))" }
        return "(select \(Self.column(type)) \(test) \(rows(name, type)) limit 1)"
    }

    private static func column(_ type: SearchAttributeType) -> String {
        switch type {
        case .text, .keyword, .keywordList: "v.word"
        case .int, .bool, .datetime: "v.number"
        case .double: "v.real"
        }
    }

    // MARK: Columns

    /// Texts compare by their bytes, whatever the database's language.
    private static func expression(_ column: VisibilityColumn) -> String {
        switch column {
        case .workflowID: "r.workflow_id collate \"C\""
        case .workflowType: "r.workflow_type collate \"C\""
        case .runID: "r.run_id::text collate \"C\""
        case .taskQueue: "r.task_queue collate \"C\""
        case .parentWorkflowID: "r.parent_workflow_id collate \"C\""
        case .parentRunID: "r.parent_run_id::text collate \"C\""
        case .rootWorkflowID: "coalesce(r.root_workflow_id, r.workflow_id) collate \"C\""
        case .rootRunID: "coalesce(r.root_run_id, r.run_id)::text collate \"C\""
        case .status: "r.status"
        case .startTime: "r.start_time"
        case .executionTime: "r.execution_time"
        case .closeTime: "r.close_time"
        case .executionDuration: "(r.close_time - r.execution_time)"
        case .historyLength: "r.history_length"
        case .historySizeBytes: "r.history_size"
        case .stateTransitionCount: "r.version"
        case .attribute: preconditionFailure("an attribute is not a column of the run's row")
        }
    }

    private static func sign(_ comparison: VisibilityFilter.Comparison) -> String {
        switch comparison {
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }
}
