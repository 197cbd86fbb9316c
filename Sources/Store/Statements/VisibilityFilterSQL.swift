import Postgres
import Runtime

/// Writes a list's filter as a condition over `aloft.runs r`; every value becomes a parameter.
struct VisibilityFilterSQL {
    private(set) var values: [VisibilityValue] = []
    /// The number of the first parameter that is free.
    private let firstParameter: Int

    init(firstParameter: Int) { self.firstParameter = firstParameter }

    mutating func condition(_ filter: VisibilityFilter) -> String {
        switch filter {
        case .all(let parts): return joined(parts, "and", whenEmpty: "true")
        case .any(let parts): return joined(parts, "or", whenEmpty: "false")
        case .not(let part): return "not (\(condition(part)))"
        case .compare(let column, let comparison, let value):
            return "\(Self.expression(column)) \(Self.sign(comparison)) \(parameter(value))"
        case .between(let column, let low, let high):
            let (low, high) = (parameter(low), parameter(high))
            return "\(Self.expression(column)) between \(low) and \(high)"
        case .oneOf(let column, let values):
            if values.isEmpty { return "false" }
            return "\(Self.expression(column)) in (\(values.map { parameter($0) }.joined(separator: ", ")))"
        case .startsWith(let column, let prefix):
            return "starts_with(\(Self.expression(column)), \(parameter(.text(prefix))))"
        case .isMissing(let column): return "\(Self.expression(column)) is null"
        }
    }

    /// Appends the values, in the order of their numbers.
    func put(into parameters: inout Parameters) {
        for value in values {
            switch value {
            case .text(let text): parameters.text(text)
            case .number(let number): parameters.int64(number)
            }
        }
    }

    private mutating func joined(_ parts: [VisibilityFilter], _ word: String, whenEmpty: String) -> String {
        if parts.isEmpty { return whenEmpty }
        return "(" + parts.map { condition($0) }.joined(separator: " \(word) ") + ")"
    }

    private mutating func parameter(_ value: VisibilityValue) -> String {
        values.append(value)
        let number = firstParameter + values.count - 1
        return switch value {
        case .text: "$\(number)::text"
        case .number: "$\(number)::int8"
        }
    }

    /// Texts compare by their bytes, whatever the database's language.
    private static func expression(_ column: VisibilityColumn) -> String {
        switch column {
        case .workflowID: "r.workflow_id collate \"C\""
        case .workflowType: "r.workflow_type collate \"C\""
        case .runID: "r.run_id::text collate \"C\""
        case .taskQueue: "r.task_queue collate \"C\""
        case .status: "r.status"
        case .startTime: "r.start_time"
        case .executionTime: "r.execution_time"
        case .closeTime: "r.close_time"
        case .executionDuration: "(r.close_time - r.execution_time)"
        case .historyLength: "r.history_length"
        case .historySizeBytes: "r.history_size"
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
