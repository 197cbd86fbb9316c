import History
import Postgres
import Runtime

/// What a commit changes about how runs are found: the values of their search attributes, the counts by status.
extension CommitPlan {
    /// One row of `aloft.search_values`.
    struct SearchRow {
        var row: Row
        var name: String
        var type: SearchAttributeType
        var word: String?
        var number: Int64?
        var real: Double?
    }

    /// How many runs of a namespace came to have a status, or had it before.
    struct StatusChange: Hashable {
        var namespace: PostgresUUID
        var status: Int16
        var runs: Int64
    }

    var searchCalls: [StatementCall] {
        let changed = (starts + updates).filter { $0.write.searchValues != nil }
        guard !changed.isEmpty else { return [] }
        var calls: [StatementCall] = []
        let known = changed.filter { $0.write.expectedVersion != nil }
        if !known.isEmpty {
            calls.append(
                SearchStatements.remove.call {
                    $0.column(of: .int2, known) { $0.int16($1.write.slot) }
                    $0.column(of: .uuid, known) { $0.uuid($1.run) }
                })
        }
        let rows = changed.flatMap { row in (row.write.searchValues ?? []).flatMap { Self.searchRows($0, row) } }
        if !rows.isEmpty { calls.append(insertCall(rows)) }
        return calls
    }

    private static func searchRows(_ value: SearchValue, _ row: Row) -> [SearchRow] {
        let blank = SearchRow(row: row, name: value.name, type: value.type)
        func made(_ change: (inout SearchRow) -> Void) -> SearchRow {
            var made = blank
            change(&made)
            return made
        }
        switch value.content {
        case .words(let words): return words.map { word in made { $0.word = word } }
        case .number(let number): return [made { $0.number = number }]
        case .real(let real): return [made { $0.real = real }]
        }
    }

    private func insertCall(_ rows: [SearchRow]) -> StatementCall {
        SearchStatements.insert.call {
            $0.column(of: .int2, rows) { $0.int16($1.row.write.slot) }
            $0.column(of: .uuid, rows) { $0.uuid($1.row.run) }
            $0.column(of: .uuid, rows) { $0.uuid($1.row.namespace) }
            $0.column(of: .int8, rows) { $0.int64($1.row.write.summary.startTime.nanoseconds) }
            $0.column(of: .int8, rows) { $0.int64($1.row.write.summary.closeTime?.nanoseconds ?? .max) }
            $0.column(of: .text, rows) { $0.text($1.name) }
            $0.column(of: .int2, rows) { $0.int16(Int16($1.type.rawValue)) }
            $0.column(of: .text, rows) { $0.text($1.word) }
            $0.column(of: .int8, rows) { $0.int64($1.number) }
            $0.column(of: .float8, rows) { $0.double($1.real) }
        }
    }

    /// One row for each status of each namespace that this batch brings runs into or out of.
    var countCall: StatementCall? {
        guard let lane = lanes.first?.lane else { return nil }
        var runs: [StatusChange: Int64] = [:]
        func count(_ row: Row, _ status: WorkflowStatus, _ by: Int64) {
            runs[StatusChange(namespace: row.namespace, status: Int16(status.rawValue), runs: 0), default: 0] += by
        }
        for row in starts { count(row, row.write.summary.status, 1) }
        for row in updates {
            guard let before = row.write.previousStatus, before != row.write.summary.status else { continue }
            count(row, before, -1)
            count(row, row.write.summary.status, 1)
        }
        var changes: [StatusChange] = []
        for (key, sum) in runs where sum != 0 {
            changes.append(StatusChange(namespace: key.namespace, status: key.status, runs: sum))
        }
        guard !changes.isEmpty else { return nil }
        return SearchStatements.count.call {
            $0.int16(lane)
            $0.column(of: .uuid, changes) { $0.uuid($1.namespace) }
            $0.column(of: .int2, changes) { $0.int16($1.status) }
            $0.column(of: .int8, changes) { $0.int64($1.runs) }
        }
    }
}
