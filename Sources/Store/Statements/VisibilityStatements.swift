import Postgres

/// Lists and counts over `aloft.runs`. `$1` is the namespace; lists have the place after which they go on in `$2` to `$4` and
/// their length in `$5`. What else is asked for follows as further parameters, in a text made for the question: the planner
/// sees the values and picks the index.
enum VisibilityStatements {
    static let listParameterCount = 5
    static let countParameterCount = 1

    private static let listedAt = "coalesce(r.close_time, 9223372036854775807)"
    private static let after = "< ($2::int8, $3::int8, $4::uuid)"
    private static let order = "order by \(listedAt) desc, r.start_time desc, r.run_id desc limit $5::int8"

    /// Every run of the namespace: walks the index `runs_listed` backwards from the last row of the page before.
    static let list = list(where: VisibilityFilterSQL.shown("r"), name: "runs_list")

    static let all = [list]

    static func list(where condition: String, name: String = "") -> Statement {
        Statement(
            name,
            """
            select \(RunStatements.summaryColumns) from aloft.runs r
            where r.namespace_id = $1::uuid and (\(listedAt), r.start_time, r.run_id) \(after) and \(condition)
            \(order)
            """)
    }

    /// All runs of one workflow id: the current one and those before it, each by its index.
    static func listWorkflow(slot: String, id: String, where condition: String) -> Statement {
        let of = "slot = \(slot)::int2 and namespace_id = $1::uuid and workflow_id = \(id)"
        return Statement(
            "",
            """
            select \(RunStatements.summaryColumns) from (
                select * from aloft.runs where \(of) and is_current
                union all
                select * from aloft.runs where \(of) and not is_current) r
            where (\(listedAt), r.start_time, r.run_id) \(after) and \(condition)
            \(order)
            """)
    }

    /// Walks the index of an attribute's value, whose rows know their place in lists, and looks at the run of each: never the
    /// other way round, whatever the planner thinks of the numbers.
    static func listAttribute(_ driver: String, where condition: String) -> Statement {
        Statement(
            "",
            """
            select \(RunStatements.summaryColumns) from aloft.search_values v
            cross join lateral (
                select * from aloft.runs r where r.slot = v.slot and r.run_id = v.run_id and \(condition) limit 1) r
            where \(driver) and (v.closed_at, v.start_time, v.run_id) \(after)
            order by v.closed_at desc, v.start_time desc, v.run_id desc limit $5::int8
            """)
    }

    /// How many runs each of the values has, as far as it matters; one column each.
    static func sizes(of drivers: [String]) -> Statement {
        let columns = drivers.map {
            "(select count(*) from (select from aloft.search_values v where \($0) limit \(sizeMax)) found)"
        }
        return Statement("", "select \(columns.joined(separator: ", "))")
    }

    /// Values with more runs than this are all the same to a search.
    static let sizeMax = 5000
    /// Of more attributes than these the first ones are looked at.
    static let leadersMax = 8

    /// Runs of a status that few have: the newest of each type, each by the index `runs_typed`.
    static func listStatus(where condition: String) -> Statement {
        Statement(
            "",
            """
            with recursive types (name) as (
                select min(workflow_type) from aloft.runs where namespace_id = $1::uuid
                union all
                select (select min(k.workflow_type) from aloft.runs k
                        where k.namespace_id = $1::uuid and k.workflow_type > types.name)
                from types where types.name is not null)
            select \(RunStatements.summaryColumns) from types
            cross join lateral (
                select * from aloft.runs r
                where r.namespace_id = $1::uuid and r.workflow_type = types.name
                    and (\(listedAt), r.start_time, r.run_id) \(after) and \(condition)
                \(order)) r
            where types.name is not null
            \(order)
            """)
    }

    static func count(byStatus: Bool, from source: CountSource, where condition: String) -> Statement {
        let rows =
            switch source {
            case .runs: "aloft.runs r where r.namespace_id = $1::uuid"
            case .workflow(let slot, let id):
                "aloft.runs r where r.slot = \(slot)::int2 and r.namespace_id = $1::uuid and r.workflow_id = \(id)"
            case .attribute(let driver):
                "aloft.search_values v join aloft.runs r on r.slot = v.slot and r.run_id = v.run_id where \(driver)"
            }
        let text =
            byStatus
            ? "select r.status, count(*) from \(rows) and \(condition) group by r.status order by r.status"
            : "select count(*) from \(rows) and \(condition)"
        return Statement("", text)
    }

    /// Where the rows to count come from.
    enum CountSource {
        case runs
        /// The parameters of the workflow id and its slot.
        case workflow(slot: String, id: String)
        /// The condition on `aloft.search_values v`.
        case attribute(String)
    }
}
