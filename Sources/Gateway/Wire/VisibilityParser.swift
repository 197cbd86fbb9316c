import History
import Runtime

/// A list query in the language of Temporal's SQL stores (protocol.md 5.11): `AND OR NOT ( )`, comparisons, `IN`, `BETWEEN`,
/// `STARTS_WITH`, `IS NULL` over the columns that describe a run, its search attributes included.
struct VisibilityParser {
    struct Parsed {
        var filter: VisibilityFilter?
        /// `GROUP BY ExecutionStatus` stood at the end.
        var isGroupedByStatus = false
    }

    /// Conditions in one query.
    static let termsMax = 200
    /// Brackets and NOTs in each other.
    static let depthMax = 50

    private let attributes: [String: SearchAttributeType]
    private let tokens: [VisibilityToken]
    private let textEnd: Int
    private var next = 0
    private var terms = 0
    private var depth = 0

    /// - Parameter attributes: those that are defined beside the ones that exist everywhere.
    /// - Throws: INVALID_ARGUMENT that says what is wrong or not supported.
    static func parse(_ text: String, attributes: [String: SearchAttributeType] = [:]) throws(Rejection) -> Parsed {
        if text.utf8.contains(0) { throw .invalid("invalid query: it contains a NUL character") }
        var parser = VisibilityParser(
            attributes: attributes, tokens: try VisibilityToken.all(of: text), textEnd: text.count + 1)
        var parsed = Parsed()
        if let first = parser.peek, !first.isKeyword("GROUP"), !first.isKeyword("ORDER"), !first.isKeyword("LIMIT") {
            parsed.filter = try parser.either()
        }
        parsed.isGroupedByStatus = try parser.end()
        return parsed
    }

    private init(attributes: [String: SearchAttributeType], tokens: [VisibilityToken], textEnd: Int) {
        self.attributes = attributes
        self.tokens = tokens
        self.textEnd = textEnd
    }

    // MARK: Tokens

    private var peek: VisibilityToken? { next < tokens.count ? tokens[next] : nil }

    private mutating func take() throws(Rejection) -> VisibilityToken {
        guard let token = peek else { throw VisibilityError.syntax(at: textEnd) }
        next += 1
        return token
    }

    private mutating func takes(_ keyword: String) -> Bool {
        guard peek?.isKeyword(keyword) ?? false else { return false }
        next += 1
        return true
    }

    private mutating func takes(sign: String) -> Bool {
        guard peek?.isSign(sign) ?? false else { return false }
        next += 1
        return true
    }

    private mutating func expect(_ matches: Bool) throws(Rejection) {
        if !matches { throw VisibilityError.syntax(at: peek?.position ?? textEnd) }
    }

    // MARK: Grammar

    private mutating func either() throws(Rejection) -> VisibilityFilter {
        var parts = [try both()]
        while takes("OR") { parts.append(try both()) }
        return parts.count == 1 ? parts[0] : .any(parts)
    }

    private mutating func both() throws(Rejection) -> VisibilityFilter {
        var parts = [try one()]
        while takes("AND") { parts.append(try one()) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func one() throws(Rejection) -> VisibilityFilter {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw VisibilityError.unsupported("more than \(Self.depthMax) levels") }
        if takes("NOT") { return .not(try one()) }
        if takes(sign: "(") {
            let inner = try either()
            try expect(takes(sign: ")"))
            return inner
        }
        terms += 1
        guard terms <= Self.termsMax else { throw VisibilityError.unsupported("more than \(Self.termsMax) conditions") }
        return try condition()
    }

    private mutating func condition() throws(Rejection) -> VisibilityFilter {
        let name = try take()
        guard name.kind == .word || name.kind == .column else { throw VisibilityError.syntax(at: name.position) }
        if name.kind == .word, peek?.isSign("(") ?? false {
            guard tokens[next...].contains(where: { $0.isSign(")") }) else { throw VisibilityError.syntax(at: textEnd) }
            throw VisibilityError.unsupported("functions")
        }
        if takes("IS") {
            let isNegated = takes("NOT")
            try expect(takes("NULL"))
            let missing = VisibilityFilter.isMissing(try column(name))
            return isNegated ? .not(missing) : missing
        }
        let isNegated = takes("NOT")
        let sign = try take()
        let filter = try condition(on: name, sign)
        if isNegated, sign.kind == .sign { throw VisibilityError.syntax(at: sign.position) }
        return isNegated ? .not(filter) : filter
    }

    private mutating func condition(
        on name: VisibilityToken, _ sign: VisibilityToken
    ) throws(Rejection) -> VisibilityFilter {
        if sign.isKeyword("IN") {
            try expect(takes(sign: "("))
            var literals = [try literal()]
            while takes(sign: ",") { literals.append(try literal()) }
            try expect(takes(sign: ")"))
            terms += literals.count - 1
            let column = try column(name)
            let shown = "(\(literals.map { Self.shown($0) }.joined(separator: ", ")))"
            try check(.oneOf, column, name, sign, shown)
            var values: [VisibilityValue] = []
            for literal in literals { values += try VisibilityValues.values(literal, of: column, named: name.text) }
            return .oneOf(column, values)
        }
        if sign.isKeyword("BETWEEN") {
            let low = try literal()
            try expect(takes("AND"))
            let high = try literal()
            let column = try column(name)
            guard column.hasRanges else {
                throw VisibilityError.expression("cannot do range condition on search attribute '\(name.text)'")
            }
            return .between(
                column, try VisibilityValues.value(low, of: column, named: name.text),
                try VisibilityValues.value(high, of: column, named: name.text))
        }
        let literal = try literal()
        if sign.isKeyword("STARTS_WITH") {
            let column = try column(name)
            try check(.startsWith, column, name, sign, Self.shown(literal))
            return .startsWith(column, literal.text)
        }
        guard let comparison = Self.comparisons[sign.text] else {
            throw invalidOperator(name, sign, Self.shown(literal))
        }
        let column = try column(name)
        try check(.compare(comparison), column, name, sign, Self.shown(literal))
        let values = try VisibilityValues.values(literal, of: column, named: name.text)
        guard values.count != 1 else { return .compare(column, comparison, values[0]) }
        return comparison == .notEqual ? .not(.oneOf(column, values)) : .oneOf(column, values)
    }

    /// What stands between a column and its values.
    private enum Operator {
        case compare(VisibilityFilter.Comparison)
        case oneOf, startsWith
    }

    /// - Throws: INVALID_ARGUMENT for an operator that the column's type does not have.
    private func check(
        _ sign: Operator, _ column: VisibilityColumn, _ name: VisibilityToken, _ token: VisibilityToken, _ shown: String
    ) throws(Rejection) {
        let isKnown: Bool =
            switch sign {
            case .compare(.equal), .compare(.notEqual): true
            case .compare: column.hasRanges
            case .oneOf: !column.isWords
            case .startsWith: column.valueKind == .text && column.hasRanges
            }
        if !isKnown { throw invalidOperator(name, token, shown) }
    }

    private mutating func literal() throws(Rejection) -> VisibilityToken {
        let token = try take()
        switch token.kind {
        case .string, .number: return token
        case .word where token.isKeyword("TRUE") || token.isKeyword("FALSE"): return token
        case .word, .column:
            throw VisibilityError.unsupported(
                "column name on the right side of comparison expression (did you forget to quote '\(token.text)'?)")
        case .sign: throw VisibilityError.syntax(at: token.position)
        }
    }

    private func invalidOperator(_ name: VisibilityToken, _ sign: VisibilityToken, _ shown: String) -> Rejection {
        let sign = sign.text.lowercased()
        return VisibilityError.expression("invalid operator '\(sign)' in `\(name.text) \(sign) \(shown)`")
    }

    private static func shown(_ literal: VisibilityToken) -> String {
        literal.kind == .string ? "'\(literal.text)'" : literal.text
    }

    private func column(_ token: VisibilityToken) throws(Rejection) -> VisibilityColumn {
        if let column = Self.columns[token.text] { return column }
        // Custom attributes may be written with the prefix that tells them from the others.
        let name = token.text.hasPrefix("CustomSearchAttribute.") ? String(token.text.dropFirst(22)) : token.text
        guard let type = SystemAttributes.predefined[name] ?? attributes[name] else {
            throw VisibilityError.unknownColumn(token.text)
        }
        return .attribute(name, type)
    }

    /// What may stand behind the conditions. Returns whether runs are to be counted by their status.
    private mutating func end() throws(Rejection) -> Bool {
        guard let token = peek else { return false }
        if token.isKeyword("ORDER") { throw VisibilityError.unsupported("'ORDER BY' clause") }
        if token.isKeyword("LIMIT") { throw VisibilityError.unsupported("'LIMIT' clause") }
        try expect(takes("GROUP"))
        try expect(takes("BY"))
        let name = try take()
        guard Self.columns[name.text] == .status, peek == nil else {
            throw VisibilityError.unsupported("'GROUP BY' clause is only supported for ExecutionStatus")
        }
        return true
    }

    private static let comparisons: [String: VisibilityFilter.Comparison] = [
        "=": .equal, "!=": .notEqual, "<>": .notEqual, "<": .less, "<=": .lessOrEqual, ">": .greater,
        ">=": .greaterOrEqual,
    ]

    private static let columns: [String: VisibilityColumn] = [
        "WorkflowId": .workflowID, "WorkflowType": .workflowType, "RunId": .runID, "TaskQueue": .taskQueue,
        "ExecutionStatus": .status, "StartTime": .startTime, "ExecutionTime": .executionTime, "CloseTime": .closeTime,
        "ExecutionDuration": .executionDuration, "HistoryLength": .historyLength,
        "HistorySizeBytes": .historySizeBytes, "StateTransitionCount": .stateTransitionCount,
        "ParentWorkflowId": .parentWorkflowID, "ParentRunId": .parentRunID, "RootWorkflowId": .rootWorkflowID,
        "RootRunId": .rootRunID,
    ]
}

extension VisibilityColumn {
    /// Can its values be put in an order that means something?
    fileprivate var hasRanges: Bool {
        switch self {
        case .status: false
        case .attribute(_, let type):
            switch type {
            case .keyword, .int, .double, .datetime: true
            case .text, .keywordList, .bool: false
            }
        case .workflowID, .workflowType, .runID, .taskQueue, .parentWorkflowID, .parentRunID, .rootWorkflowID,
            .rootRunID, .startTime, .executionTime, .closeTime, .executionDuration, .historyLength, .historySizeBytes,
            .stateTransitionCount:
            true
        }
    }

    fileprivate var isWords: Bool { if case .attribute(_, .text) = self { true } else { false } }
}

extension VisibilityParser.Parsed {
    /// As the store is asked: the common conditions by themselves, because they have prepared statements and indexes.
    func query(namespace: NamespaceID, limit: Int) -> VisibilityQuery {
        var query = VisibilityQuery(namespace: namespace, limit: limit)
        let parts: [VisibilityFilter]
        if case .all(let all) = filter { parts = all } else { parts = filter.map { [$0] } ?? [] }
        let rest = parts.filter { !query.take($0) }
        query.filter = rest.isEmpty ? nil : rest.count == 1 ? rest[0] : .all(rest)
        return query
    }
}

extension VisibilityQuery {
    /// Makes a condition a field of its own; `false` when it is not a common one or its field is taken.
    fileprivate mutating func take(_ part: VisibilityFilter) -> Bool {
        switch part {
        case .compare(.workflowID, .equal, .text(let id)) where workflowID == nil: workflowID = WorkflowID(id)
        case .compare(.workflowType, .equal, .text(let type)) where workflowType == nil: workflowType = type
        case .startsWith(.workflowID, let prefix) where workflowIDPrefix == nil: workflowIDPrefix = prefix
        case .compare(.status, .equal, .number(let number)) where status == nil:
            guard let known = Int32(exactly: number).flatMap(WorkflowStatus.init(rawValue:)) else { return false }
            status = known
        case .compare, .startsWith, .all, .any, .not, .between, .oneOf, .isMissing: return false
        }
        return true
    }
}
