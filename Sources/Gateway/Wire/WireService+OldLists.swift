import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// The lists from before there was a query language.
extension WireService {
    func listOpenWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_ListOpenWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListOpenWorkflowExecutionsResponse {
        let namespace = try await namespace(request.namespace)
        var conditions: [VisibilityFilter] = [.compare(.status, .equal, Self.running)]
        switch request.filters {
        case .executionFilter(let filter): conditions += try execution(filter)
        case .typeFilter(let filter): conditions.append(.compare(.workflowType, .equal, .text(filter.name)))
        case nil: break
        }
        if request.hasStartTimeFilter { conditions += Self.window(request.startTimeFilter, on: .startTime) }
        let (runs, token) = try await page(
            .init(filter: .all(conditions)), in: namespace, size: request.maximumPageSize, token: request.nextPageToken)
        return .with {
            $0.executions = runs
            $0.nextPageToken = token
        }
    }

    func listClosedWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_ListClosedWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListClosedWorkflowExecutionsResponse {
        let namespace = try await namespace(request.namespace)
        var conditions: [VisibilityFilter] = []
        switch request.filters {
        case .executionFilter(let filter): conditions += try execution(filter)
        case .typeFilter(let filter): conditions.append(.compare(.workflowType, .equal, .text(filter.name)))
        case .statusFilter(let filter):
            guard filter.status != .unspecified, filter.status != .running else {
                throw Rejection.invalid("StatusFilter must be specified and must be not Running.")
            }
            conditions.append(.compare(.status, .equal, .number(Int64(filter.status.rawValue))))
        case nil: break
        }
        conditions.append(.compare(.status, .notEqual, Self.running))
        if request.hasStartTimeFilter { conditions += Self.window(request.startTimeFilter, on: .closeTime) }
        let (runs, token) = try await page(
            .init(filter: .all(conditions)), in: namespace, size: request.maximumPageSize, token: request.nextPageToken)
        return .with {
            $0.executions = runs
            $0.nextPageToken = token
        }
    }

    /// Nothing is archived: what its namespace keeps no longer is gone.
    func listArchivedWorkflowExecutions(
        _ request: Temporal_Api_Workflowservice_V1_ListArchivedWorkflowExecutionsRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListArchivedWorkflowExecutionsResponse {
        _ = try await namespace(request.namespace)
        throw Rejection.invalid("Namespace is not configured for visibility archival.")
    }

    private static let running = VisibilityValue.number(Int64(WorkflowStatus.running.rawValue))

    private func execution(
        _ filter: Temporal_Api_Filter_V1_WorkflowExecutionFilter
    ) throws(Rejection) -> [VisibilityFilter] {
        try checks.identifier(filter.workflowID, "WorkflowId")
        var conditions: [VisibilityFilter] = [.compare(.workflowID, .equal, .text(filter.workflowID))]
        if let run = try checks.run(filter.runID) { conditions.append(.compare(.runID, .equal, .text(run.value))) }
        return conditions
    }

    private static func window(
        _ filter: Temporal_Api_Filter_V1_StartTimeFilter, on column: VisibilityColumn
    ) -> [VisibilityFilter] {
        var conditions: [VisibilityFilter] = []
        if filter.hasEarliestTime {
            let earliest = Timestamp(filter.earliestTime).nanoseconds
            conditions.append(.compare(column, .greaterOrEqual, .number(earliest)))
        }
        if filter.hasLatestTime {
            let latest = Timestamp(filter.latestTime).nanoseconds
            conditions.append(.compare(column, .lessOrEqual, .number(latest)))
        }
        return conditions
    }
}
