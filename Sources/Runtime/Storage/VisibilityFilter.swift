public import History

/// What can be asked of a run in a list: a column of its row, or a search attribute that it may carry.
public enum VisibilityColumn: Sendable, Hashable {
    case workflowID, workflowType, runID, taskQueue
    case parentWorkflowID, parentRunID, rootWorkflowID, rootRunID
    case status
    case startTime, executionTime, closeTime, executionDuration
    case historyLength, historySizeBytes, stateTransitionCount
    case attribute(String, SearchAttributeType)

    /// Every column but the search attributes.
    public static let ofRow: [VisibilityColumn] = [
        .workflowID, .workflowType, .runID, .taskQueue, .parentWorkflowID, .parentRunID, .rootWorkflowID, .rootRunID,
        .status, .startTime, .executionTime, .closeTime, .executionDuration, .historyLength, .historySizeBytes,
        .stateTransitionCount,
    ]

    /// What its values are; moments and spans are nanoseconds, the status is its number.
    public enum ValueKind: Sendable, Hashable { case text, number, real }

    public var valueKind: ValueKind {
        switch self {
        case .workflowID, .workflowType, .runID, .taskQueue, .parentWorkflowID, .parentRunID, .rootWorkflowID,
            .rootRunID:
            .text
        case .status, .startTime, .executionTime, .closeTime, .executionDuration, .historyLength, .historySizeBytes,
            .stateTransitionCount:
            .number
        case .attribute(_, let type):
            switch type {
            case .text, .keyword, .keywordList: .text
            case .int, .bool, .datetime: .number
            case .double: .real
            }
        }
    }
}

public enum VisibilityValue: Sendable, Hashable {
    case text(String)
    case number(Int64)
    case real(Double)
}

/// A condition on runs, as the list query language builds it. It follows SQL: a comparison with a value that is not there (the
/// close time of an open run) is neither true nor false. A comparison with an attribute of many entries asks whether one of
/// them is equal, or that none is.
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
    public func matches(_ run: RunSummary, _ attributes: [SearchValue] = []) -> Bool? {
        switch self {
        case .all(let parts):
            let answers = parts.map { $0.matches(run, attributes) }
            return answers.contains(false) ? false : answers.contains(nil) ? nil : true
        case .any(let parts):
            let answers = parts.map { $0.matches(run, attributes) }
            return answers.contains(true) ? true : answers.contains(nil) ? nil : false
        case .not(let part): return part.matches(run, attributes).map { !$0 }
        case .compare(let column, .notEqual, let value):
            return Self.compare(Self.values(of: column, run, attributes), .equal, value).map { !$0 }
        case .compare(let column, let comparison, let value):
            return Self.compare(Self.values(of: column, run, attributes), comparison, value)
        case .between(let column, let low, let high):
            return Self.all([.compare(column, .greaterOrEqual, low), .compare(column, .lessOrEqual, high)])
                .matches(run, attributes)
        case .oneOf(let column, let values):
            return Self.any(values.map { .compare(column, .equal, $0) }).matches(run, attributes)
        case .startsWith(let column, let prefix):
            let answers = Self.values(of: column, run, attributes).compactMap { value -> Bool? in
                if case .text(let text) = value { text.utf8.starts(with: prefix.utf8) } else { nil }
            }
            return answers.isEmpty ? nil : answers.contains(true)
        case .isMissing(let column): return Self.values(of: column, run, attributes).isEmpty
        }
    }

    private static func compare(
        _ values: [VisibilityValue], _ comparison: Comparison, _ other: VisibilityValue
    ) -> Bool? {
        let answers = values.compactMap { order($0, other) }.map { comparison.holds($0) }
        return answers.isEmpty ? nil : answers.contains(true)
    }

    /// None for what is not there, several for lists.
    private static func values(
        of column: VisibilityColumn, _ run: RunSummary, _ attributes: [SearchValue]
    ) -> [VisibilityValue] {
        switch column {
        case .workflowID: [.text(run.key.workflow.value)]
        case .workflowType: [.text(run.workflowType)]
        case .runID: [.text(run.key.run.value)]
        case .taskQueue: [.text(run.taskQueue.value)]
        case .parentWorkflowID: run.parent.map { [.text($0.workflow.value)] } ?? []
        case .parentRunID: run.parent?.run.map { [.text($0.value)] } ?? []
        case .rootWorkflowID: [.text(run.root?.workflow.value ?? run.key.workflow.value)]
        case .rootRunID: [.text((run.root?.run ?? run.key.run).value)]
        case .status: [.number(Int64(run.status.rawValue))]
        case .startTime: [.number(run.startTime.nanoseconds)]
        case .executionTime: [.number(run.executionTime.nanoseconds)]
        case .closeTime: run.closeTime.map { [.number($0.nanoseconds)] } ?? []
        case .executionDuration: run.closeTime.map { [.number($0.since(run.executionTime).nanoseconds)] } ?? []
        case .historyLength: [.number(run.historyLength)]
        case .historySizeBytes: [.number(run.historySizeBytes)]
        case .stateTransitionCount: [.number(run.transitionCount)]
        case .attribute(let name, let type):
            attributes.filter { $0.name == name && $0.type == type }.flatMap { attribute -> [VisibilityValue] in
                switch attribute.content {
                case .words(let words): words.map { .text($0) }
                case .number(let number): [.number(number)]
                case .real(let real): [.real(real)]
                }
            }
        }
    }

    /// Texts are compared by their bytes. nil for values of different kinds.
    private static func order(_ left: VisibilityValue, _ right: VisibilityValue) -> Int? {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right ? -1 : left == right ? 0 : 1
        case (.real(let left), .real(let right)): left < right ? -1 : left == right ? 0 : 1
        case (.text(let left), .text(let right)):
            left.utf8.elementsEqual(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
        case (.number, _), (.text, _), (.real, _): nil
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
