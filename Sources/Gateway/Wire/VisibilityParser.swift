import History
import Runtime

/// The part of the list query language that is served: comparisons of WorkflowId, WorkflowType and ExecutionStatus with `=`, of
/// WorkflowId with `STARTS_WITH`, joined by `AND`.
enum VisibilityParser {
    /// - Throws: INVALID_ARGUMENT that says what is wrong or not supported.
    static func parse(_ text: String, namespace: NamespaceID, limit: Int) throws(Rejection) -> VisibilityQuery {
        var query = VisibilityQuery(namespace: namespace, limit: limit)
        var tokens = ArraySlice(try tokens(of: text))
        if tokens.isEmpty { return query }
        while true {
            try comparison(&tokens, into: &query)
            guard let joint = tokens.popFirst() else { return query }
            guard case .word(let word) = joint, word.uppercased() == "AND" else { throw unsupported(joint.text) }
        }
    }

    private enum Token {
        case word(String)
        case literal(String)
        case sign(String)

        var text: String {
            switch self {
            case .word(let text), .literal(let text), .sign(let text): text
            }
        }
    }

    private static func comparison(_ tokens: inout ArraySlice<Token>, into query: inout VisibilityQuery)
        throws(Rejection)
    {
        guard let first = tokens.popFirst() else { throw invalid("malformed SQL query: syntax error at the end") }
        guard case .word(let name) = first else { throw unsupported(first.text) }
        guard let sign = tokens.popFirst(), let operand = tokens.popFirst() else {
            throw invalid("malformed SQL query: syntax error at the end")
        }
        guard case .literal(let value) = operand else {
            throw invalid(
                "operation is not supported: column name on the right side of comparison expression "
                    + "(did you forget to quote '\(operand.text)'?)")
        }
        switch (name, sign.text.uppercased()) {
        case ("WorkflowId", "="): try set(&query.workflowID, WorkflowID(value), name)
        case ("WorkflowId", "STARTS_WITH"): try set(&query.workflowIDPrefix, value, name)
        case ("WorkflowType", "="): try set(&query.workflowType, value, name)
        case ("ExecutionStatus", "="): try set(&query.status, try status(value), name)
        default:
            guard SystemAttributes.types.contains(where: { $0.name == name }) else {
                throw invalid("invalid expression: column name '\(name)' is not a valid search attribute")
            }
            throw unsupported("\(name) \(sign.text)")
        }
    }

    private static func set<Value>(_ place: inout Value?, _ value: Value, _ name: String) throws(Rejection) {
        guard place == nil else { throw unsupported("\(name) twice") }
        place = value
    }

    static func status(_ name: String) throws(Rejection) -> WorkflowStatus {
        let names: [(String, WorkflowStatus)] = [
            ("Running", .running), ("Completed", .completed), ("Failed", .failed), ("Canceled", .canceled),
            ("Terminated", .terminated), ("ContinuedAsNew", .continuedAsNew), ("TimedOut", .timedOut),
        ]
        if let number = Int32(name), let status = WorkflowStatus(rawValue: number) { return status }
        for (known, status) in names where known == name { return status }
        throw invalid("invalid expression: invalid ExecutionStatus value '\(name)'")
    }

    private static func tokens(of text: String) throws(Rejection) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let character = rest.first {
            if character.isWhitespace {
                rest.removeFirst()
            } else if character == "'" || character == "\"" || character == "`" {
                rest.removeFirst()
                guard let end = rest.firstIndex(of: character) else {
                    throw invalid("malformed SQL query: syntax error at position \(text.count - rest.count)")
                }
                let inner = String(rest[..<end])
                tokens.append(character == "`" ? .word(inner) : .literal(inner))
                rest = rest[rest.index(after: end)...]
            } else if character.isLetter || character == "_" {
                tokens.append(.word(take(&rest) { $0.isLetter || $0.isNumber || $0 == "_" }))
            } else if character.isNumber || character == "-" {
                tokens.append(.literal(take(&rest) { $0.isNumber || $0 == "." || $0 == "-" }))
            } else if "=<>!".contains(character) {
                tokens.append(.sign(take(&rest) { "=<>!".contains($0) }))
            } else {
                tokens.append(.sign(String(rest.removeFirst())))
            }
        }
        return tokens
    }

    private static func take(_ rest: inout Substring, while matches: (Character) -> Bool) -> String {
        let taken = rest.prefix(while: matches)
        rest = rest[taken.endIndex...]
        return String(taken)
    }

    private static func invalid(_ reason: String) -> Rejection { .invalid("invalid query: \(reason)") }

    private static func unsupported(_ what: String) -> Rejection {
        invalid(
            "operation is not supported: '\(what)'; this server compares WorkflowId, WorkflowType and ExecutionStatus with =, "
                + "and WorkflowId with STARTS_WITH, joined by AND")
    }
}
