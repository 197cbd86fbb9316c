import History
import Runtime

/// What a literal means for the column it is compared with.
enum VisibilityValues {
    /// The values that a literal stands for: one, or every word of a text.
    ///
    /// - Throws: INVALID_ARGUMENT for a literal that is no value of the column.
    static func values(
        _ literal: VisibilityToken, of column: VisibilityColumn, named name: String
    ) throws(Rejection) -> [VisibilityValue] {
        guard case .attribute(_, .text) = column else { return [try value(literal, of: column, named: name)] }
        return SearchValue.words(of: literal.text).map { .text($0) }
    }

    static func value(
        _ literal: VisibilityToken, of column: VisibilityColumn, named name: String
    ) throws(Rejection) -> VisibilityValue {
        let text = literal.text
        switch column {
        case .workflowID, .workflowType, .taskQueue, .parentWorkflowID, .rootWorkflowID: return .text(text)
        case .runID, .parentRunID, .rootRunID: return .text(text.lowercased())
        case .status: return .number(try status(text))
        case .startTime, .executionTime, .closeTime: return .number(try moment(text))
        case .executionDuration:
            guard let span = duration(text) else {
                throw VisibilityError.expression("invalid duration value '\(text)'")
            }
            return .number(span)
        case .historyLength, .historySizeBytes, .stateTransitionCount: return .number(try integer(text))
        case .attribute(_, let type):
            switch type {
            case .keyword, .keywordList, .text: return .text(text)
            case .int: return .number(try integer(text))
            case .datetime: return .number(try moment(text))
            case .double:
                guard let number = Double(text), number.isFinite else {
                    throw VisibilityError.expression("unable to parse double '\(text)'")
                }
                return .real(number)
            case .bool:
                guard ["true", "false"].contains(text.lowercased()) else {
                    throw VisibilityError.expression(
                        "invalid value for search attribute \(name) of type Bool: '\(text)'")
                }
                return .number(text.lowercased() == "true" ? 1 : 0)
            }
        }
    }

    private static func integer(_ text: String) throws(Rejection) -> Int64 {
        guard let number = Int64(text) else { throw VisibilityError.expression("unable to parse int '\(text)'") }
        return number
    }

    /// RFC 3339, or nanoseconds.
    private static func moment(_ text: String) throws(Rejection) -> Int64 {
        if let nanoseconds = Int64(text) { return nanoseconds }
        guard let time = RFC3339.time(text) else {
            throw VisibilityError.expression("unable to parse datetime '\(text)'")
        }
        return time.nanoseconds
    }

    /// A status by its name or number.
    static func status(_ name: String) throws(Rejection) -> Int64 {
        if let number = Int64(name), (1...pausedNumber).contains(number) { return number }
        for status in all where RunNames.name(of: status) == name { return Int64(status.rawValue) }
        if name == "Paused" { return pausedNumber }
        throw VisibilityError.expression("invalid ExecutionStatus value '\(name)'")
    }

    /// A status that the protocol knows and no run here has.
    private static let pausedNumber: Int64 = 8

    private static let all: [WorkflowStatus] = [
        .running, .completed, .failed, .canceled, .terminated, .continuedAsNew, .timedOut,
    ]

    /// Nanoseconds from `5000000000`, `1h30m`, `1.5s`, `2d` or `01:30:00`.
    static func duration(_ text: String) -> Int64? {
        if let nanoseconds = Int64(text) { return nanoseconds }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 3 {
            let numbers = parts.compactMap { Int64($0) }
            guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }), numbers[1] < 60, numbers[2] < 60
            else { return nil }
            return (numbers[0] * 3600 + numbers[1] * 60 + numbers[2]) * 1_000_000_000
        }
        return sumOfUnits(text)
    }

    private static func sumOfUnits(_ text: String) -> Int64? {
        var rest = Substring(text)
        let isNegative = rest.hasPrefix("-")
        if isNegative { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest[unit.endIndex...]
            guard let amount = Double(digits), let size = size(of: unit) else { return nil }
            total += amount * size
        }
        return Int64(exactly: (isNegative ? -total : total).rounded())
    }

    private static func size(of unit: Substring) -> Double? {
        switch unit {
        case "ns": 1
        case "us", "µs": 1e3
        case "ms": 1e6
        case "s": 1e9
        case "m": 60e9
        case "h": 3600e9
        case "d": 86_400e9
        default: nil
        }
    }
}
