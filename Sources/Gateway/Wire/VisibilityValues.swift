import History
import Runtime

/// What a literal means for the column it is compared with.
enum VisibilityValues {
    /// - Throws: INVALID_ARGUMENT for a literal that is no value of the column.
    static func value(_ literal: VisibilityToken, of column: VisibilityColumn) throws(Rejection) -> VisibilityValue {
        let text = literal.text
        switch column {
        case .workflowID, .workflowType, .taskQueue: return .text(text)
        case .runID: return .text(text.lowercased())
        case .status: return .number(Int64(try status(text).rawValue))
        case .startTime, .executionTime, .closeTime:
            if let nanoseconds = Int64(text) { return .number(nanoseconds) }
            guard let time = RFC3339.time(text) else {
                throw VisibilityError.expression("unable to parse datetime '\(text)'")
            }
            return .number(time.nanoseconds)
        case .executionDuration:
            guard let span = duration(text) else {
                throw VisibilityError.expression("invalid duration value '\(text)'")
            }
            return .number(span)
        case .historyLength, .historySizeBytes:
            guard let number = Int64(text) else {
                throw VisibilityError.expression("unable to parse int '\(text)'")
            }
            return .number(number)
        }
    }

    /// A status by its name or number.
    static func status(_ name: String) throws(Rejection) -> WorkflowStatus {
        if let number = Int32(name), let status = WorkflowStatus(rawValue: number) { return status }
        for status in all where RunNames.name(of: status) == name { return status }
        throw VisibilityError.expression("invalid ExecutionStatus value '\(name)'")
    }

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
