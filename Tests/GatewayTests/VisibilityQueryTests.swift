import Gateway
import History
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import Testing

@Suite("The list query language")
struct VisibilityQueryTests {
    typealias List = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest
    typealias Listed = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse
    typealias Count = Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsRequest
    typealias Counted = Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsResponse

    private static func list(_ query: String) -> List {
        .with {
            $0.namespace = "default"
            $0.query = query
        }
    }

    private static func parse(_ query: String) async throws -> VisibilityQuery {
        let backend = ScriptedBackend()
        _ = try await Wire(backend).call("ListWorkflowExecutions", list(query), returning: Listed.self)
        return try #require(backend.state.withLock { $0.lists.last })
    }

    static let meanings: [(String, VisibilityFilter)] = [
        ("HistoryLength between 1 and '5'", .between(.historyLength, .number(1), .number(5))),
        ("TaskQueue is not null", .not(.isMissing(.taskQueue))),
        (
            "WorkflowId IN ('a','b') OR RunId != 'X'",
            .any([.oneOf(.workflowID, [.text("a"), .text("b")]), .compare(.runID, .notEqual, .text("x"))])
        ),
        (
            "ExecutionDuration > '1.5s' and not (CloseTime is null)",
            .all([
                .compare(.executionDuration, .greater, .number(1_500_000_000)), .not(.isMissing(.closeTime)),
            ])
        ),
        ("WorkflowType NOT STARTS_WITH 'P'", .not(.startsWith(.workflowType, "P"))),
        ("not ExecutionStatus = 1", .not(.compare(.status, .equal, .number(1)))),
        ("ExecutionDuration < '01:00:01'", .compare(.executionDuration, .less, .number(3_601_000_000_000))),
        ("ExecutionDuration < \"2d3h4m\"", .compare(.executionDuration, .less, .number(183_840_000_000_000))),
        (
            "StartTime between '2020-01-01T00:00:00.5Z' and '2020-01-01T02:00:00+02:00'",
            .between(.startTime, .number(1_577_836_800_500_000_000), .number(1_577_836_800_000_000_000))
        ),
        ("StartTime >= '1969-12-31T23:59:59-00:01'", .compare(.startTime, .greaterOrEqual, .number(59_000_000_000))),
        ("BuildIds IN ('unversioned')", .oneOf(.attribute("BuildIds", .keywordList), [.text("unversioned")])),
        ("TemporalSchedulePaused = true", .compare(.attribute("TemporalSchedulePaused", .bool), .equal, .number(1))),
        ("ParentWorkflowId = 'p'", .compare(.parentWorkflowID, .equal, .text("p"))),
        (
            "CloseTime < 7 or (StartTime=1 AND StartTime=2)",
            .any([
                .compare(.closeTime, .less, .number(7)),
                .all([.compare(.startTime, .equal, .number(1)), .compare(.startTime, .equal, .number(2))]),
            ])
        ),
    ]

    @Test("A condition means what it says", arguments: meanings)
    func meaning(_ query: String, _ filter: VisibilityFilter) async throws {
        #expect(try await Self.parse(query).filter == filter)
    }

    @Test("The common conditions have fields of their own, and only once")
    func commonConditions() async throws {
        let query = try await Self.parse(
            "WorkflowId = 'a' AND `WorkflowType` = \"W\" AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH 'b'"
        )
        #expect(query.workflowID == "a" && query.workflowType == "W" && query.status == .running)
        #expect(query.workflowIDPrefix == "b" && query.filter == nil)
        let twice = try await Self.parse("WorkflowId = 'a' AND WorkflowId = 'b'")
        #expect(twice.workflowID == "a" && twice.filter == .compare(.workflowID, .equal, .text("b")))
    }

    static let refusals: [(String, String)] = [
        ("ExecutionStatus='Running' ORDER BY StartTime", "operation is not supported: 'ORDER BY' clause"),
        ("RunId='x' LIMIT 3", "operation is not supported: 'LIMIT' clause"),
        ("GROUP BY ExecutionStatus", "operation is not supported: 'GROUP BY' clause"),
        (
            "GROUP BY WorkflowType",
            "operation is not supported: 'GROUP BY' clause is only supported for ExecutionStatus"
        ),
        ("StartTime > 'yesterday'", "invalid expression: unable to parse datetime 'yesterday'"),
        ("StartTime > '2020-02-30T00:00:00Z'", "invalid expression: unable to parse datetime '2020-02-30T00:00:00Z'"),
        ("WorkflowId LIKE 'p%'", "invalid expression: invalid operator 'like' in `WorkflowId like 'p%'`"),
        ("ExecutionStatus='Nope'", "invalid expression: invalid ExecutionStatus value 'Nope'"),
        ("Nope = 1", "invalid expression: column name 'Nope' is not a valid search attribute"),
        (
            "ExecutionStatus=Running",
            "operation is not supported: column name on the right side of comparison expression "
                + "(did you forget to quote 'Running'?)"
        ),
        ("BuildIds > 'x'", "invalid expression: invalid operator '>' in `BuildIds > 'x'`"),
        ("Customer between 1 and 2", "invalid expression: column name 'Customer' is not a valid search attribute"),
        (
            "TemporalSchedulePaused = 1",
            "invalid expression: invalid value for search attribute TemporalSchedulePaused of type Bool: '1'"
        ),
        ("foo(", "malformed SQL query: syntax error at position 32"),
        ("foo(1) = 2", "operation is not supported: functions"),
        ("WorkflowId = 'a' )", "malformed SQL query: syntax error at position 45"),
        ("WorkflowId = 'a", "malformed SQL query: syntax error at position 41"),
        ("WorkflowId =", "malformed SQL query: syntax error at position 40"),
        (String(repeating: "(", count: 60), "operation is not supported: more than 50 levels"),
    ]

    @Test("A query that cannot be answered says why", arguments: refusals)
    func refusal(_ query: String, _ message: String) async throws {
        let failure = try await Wire(ScriptedBackend()).failure("ListWorkflowExecutions", Self.list(query))
        #expect(failure.code == .invalidArgument)
        #expect(failure.message == "invalid query: \(message)")
    }

    @Test("Attributes of the namespace are searched by their types; a text by its words")
    func attributes() async throws {
        let backend = ScriptedBackend()
        try await backend.addSearchAttributes(
            ["Note": .text, "Amount": .int, "Price": .double, "Customer": .keyword],
            to: ScriptedBackend.defaultNamespace.id)
        func parse(_ query: String) async throws -> VisibilityFilter? {
            _ = try await Wire(backend).call("ListWorkflowExecutions", Self.list(query), returning: Listed.self)
            return backend.state.withLock { $0.lists.last?.filter }
        }
        let (note, price) = (VisibilityColumn.attribute("Note", .text), VisibilityColumn.attribute("Price", .double))
        #expect(try await parse("Note = 'Fast'") == .compare(note, .equal, .text("fast")))
        #expect(try await parse("Note != 'Fast, cheap'") == .not(.oneOf(note, [.text("fast"), .text("cheap")])))
        #expect(try await parse("Price >= 1.5") == .compare(price, .greaterOrEqual, .real(1.5)))
        #expect(
            try await parse("Amount between -1 and '3'")
                == .between(.attribute("Amount", .int), .number(-1), .number(3)))
        #expect(
            try await parse("Customer STARTS_WITH 'a'") == .startsWith(.attribute("Customer", .keyword), "a"))
        let failure = try await Wire(backend).failure("ListWorkflowExecutions", Self.list("Amount = 'x'"))
        #expect(failure.message == "invalid query: invalid expression: unable to parse int 'x'")
    }

    @Test("Runs are counted by status")
    func groups() async throws {
        let backend = ScriptedBackend(runs: [ScriptedBackend.summary("a"), ScriptedBackend.summary("b")])
        let request = Count.with {
            $0.namespace = "default"
            $0.query = "WorkflowType = 'W' GROUP BY ExecutionStatus"
        }
        let counted = try await Wire(backend).call("CountWorkflowExecutions", request, returning: Counted.self)
        #expect(counted.count == 2 && counted.groups.map(\.count) == [2])
        let value = try Temporal_Api_Common_V1_Payload(serializedBytes: counted.groups[0].groupValues[0])
        #expect(String(decoding: value.data, as: UTF8.self) == "\"Running\"")
        #expect(value.metadata["type"].map { String(decoding: $0, as: UTF8.self) } == "Keyword")
    }
}
