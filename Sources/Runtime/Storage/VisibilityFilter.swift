import History

/// What can be asked of a run in a list: a column of its row.
public enum VisibilityColumn: Sendable, Hashable, CaseIterable {
    case workflowID, workflowType, runID, taskQueue
    case status
    case startTime, executionTime, closeTime, executionDuration
    case historyLength, historySizeBytes

    /// Its values are texts; those of the others are numbers (moments and spans in nanoseconds, the status by its number).
    public var isText: Bool {
        switch self {
        case .workflowID, .workflowType, .runID, .taskQueue: true
        case .status, .startTime, .executionTime, .closeTime, .executionDuration, .historyLength, .historySizeBytes:
            false
        }
    }
}

public enum VisibilityValue: Sendable, Hashable {
    case text(String)
    case number(Int64)
}

/// A condition on runs, as the list query language builds it. It follows SQL: a comparison with a value that is not there (the
/// close time of an open run) is neither true nor false.
public indirect enum VisibilityFilter: Sendable, Hashable {
    public enum Comparison: Sendable, Hashable, CaseIterable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    }

    case all([VisibilityFilter])
    case any([VisibilityFilter])
    case not(VisibilityFilter)
    case compare(VisibilityColumn, Comparison, VisibilityValue)
    case between(VisibilityColumn, VisibilityValue, VisibilityValue)
    case oneOf(VisibilityColumn, [VisibilityValue])
    case startsWith(VisibilityColumn, String)
    case isMissing(VisibilityColumn)

    /// Does the run meet the condition? nil means: neither true nor false. The meaning that every store has to have.
    public func matches(_ run: RunSummary) -> Bool? {
        switch self {
        case .all(let parts):
            let answers = parts.map { $0.matches(run) }
            return answers.contains(false) ? false : answers.contains(nil) ? nil : true
        case .any(let parts):
            let answers = parts.map { $0.matches(run) }
            return answers.contains(true) ? true : answers.contains(nil) ? nil : false
        case .not(let part): return part.matches(run).map { !$0 }
        case .compare(let column, let comparison, let value):
            return Self.value(of: column, run).flatMap { Self.order($0, value) }.map { comparison.holds($0) }
        case .between(let column, let low, let high):
            return Self.all([.compare(column, .greaterOrEqual, low), .compare(column, .lessOrEqual, high)]).matches(run)
        case .oneOf(let column, let values):
            return Self.value(of: column, run).map { value in values.contains { Self.order(value, $0) == 0 } }
        case .startsWith(let column, let prefix):
            guard case .text(let text) = Self.value(of: column, run) else { return nil }
            return text.utf8.starts(with: prefix.utf8)
        case .isMissing(let column): return Self.value(of: column, run) == nil
        }
    }

    private static func value(of column: VisibilityColumn, _ run: RunSummary) -> VisibilityValue? {
        switch column {
        case .workflowID: .text(run.key.workflow.value)
        case .workflowType: .text(run.workflowType)
        case .runID: .text(run.key.run.value)
        case .taskQueue: .text(run.taskQueue.value)
        case .status: .number(Int64(run.status.rawValue))
        case .startTime: .number(run.startTime.nanoseconds)
        case .executionTime: .number(run.executionTime.nanoseconds)
        case .closeTime: run.closeTime.map { .number($0.nanoseconds) }
        case .executionDuration: run.closeTime.map { .number($0.since(run.executionTime).nanoseconds) }
        case .historyLength: .number(run.historyLength)
        case .historySizeBytes: .number(run.historySizeBytes)
        }
    }

    /// Texts are compared by their bytes. nil for values of different kinds.
    private static func order(_ left: VisibilityValue, _ right: VisibilityValue) -> Int? {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right ? -1 : left == right ? 0 : 1
        case (.text(let left), .text(let right)):
            left.utf8.elementsEqual(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
        case (.number, .text), (.text, .number): nil
        }
    }
}

extension VisibilityFilter.Comparison {
    /// `order` is negative, zero or positive, as the left side is before, the same as or after the right one.
    fileprivate func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}
