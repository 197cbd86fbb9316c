import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Finding schedules.
extension WireService {
    func listSchedules(
        _ request: Temporal_Api_Workflowservice_V1_ListSchedulesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_ListSchedulesResponse {
        let namespace = try await namespace(request.namespace)
        let most = options.limits.visibilityPageMax
        let size = Int(request.maximumPageSize)
        let limit = size <= 0 ? most : min(size, most)
        let filter = try await scheduleFilter(request.query, in: namespace)
        var cursor = try Self.cursor(request.nextPageToken)
        var found: [ScheduleDescription] = []
        // A filter may leave out much: read on until the page is full.
        while found.count < limit {
            let page = try await backend.listSchedules(namespace: namespace.id, after: cursor, limit: limit)
            for description in page where found.count < limit {
                cursor = description.schedule.id
                if filter.matches(description.schedule) { found.append(description) }
            }
            if page.count < limit {
                cursor = found.count < limit ? nil : cursor
                break
            }
        }
        return .with {
            $0.schedules = found.map { .init($0) }
            $0.nextPageToken = cursor.map { Data($0.value.utf8) } ?? Data()
        }
    }

    private static func cursor(_ token: Data) throws(Rejection) -> ScheduleID? {
        if token.isEmpty { return nil }
        guard let text = String(validating: token, as: UTF8.self), !text.utf8.contains(0) else {
            throw .invalid("Invalid NextPageToken.")
        }
        return ScheduleID(text)
    }

    func countSchedules(
        _ request: Temporal_Api_Workflowservice_V1_CountSchedulesRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_CountSchedulesResponse {
        let namespace = try await namespace(request.namespace)
        let filter = try await scheduleFilter(request.query, in: namespace)
        if filter.isEmpty {
            let count = try await backend.countSchedules(namespace: namespace.id)
            return .with { $0.count = count }
        }
        let pageSize = options.limits.visibilityPageMax
        var count: Int64 = 0
        var cursor: ScheduleID?
        while true {
            let page = try await backend.listSchedules(namespace: namespace.id, after: cursor, limit: pageSize)
            for description in page where filter.matches(description.schedule) { count += 1 }
            guard page.count == pageSize, let last = page.last else { break }
            cursor = last.schedule.id
        }
        return .with { $0.count = count }
    }
}

/// A list query over schedules: their `ScheduleId`, `TemporalSchedulePaused`, `StartTime`, and the search attributes they carry.
struct ScheduleFilter {
    private let filter: VisibilityFilter?

    var isEmpty: Bool { filter == nil }

    /// What queries about schedules may name beside the attributes of the namespace.
    static let attributes: [String: SearchAttributeType] = ["ScheduleId": .keyword, "TemporalSchedulePaused": .bool]

    init(_ parsed: VisibilityParser.Parsed) throws(Rejection) {
        if parsed.isGroupedByStatus {
            throw .invalid("invalid query: operation is not supported: 'GROUP BY' clause")
        }
        filter = parsed.filter
    }

    func matches(_ schedule: Schedule) -> Bool {
        guard let filter else { return true }
        let key = RunKey(
            namespace: schedule.namespace, workflow: WorkflowID(schedule.id.value), run: RunID(schedule.incarnation))
        let row = RunSummary(
            key: key, firstRunID: key.run, workflowType: schedule.definition.action.attributes.workflowType,
            taskQueue: schedule.definition.action.attributes.taskQueue.name, status: .running,
            startTime: schedule.createTime, executionTime: schedule.createTime, closeTime: nil, historyLength: 0,
            historySizeBytes: 0, startRequestID: "", memo: nil, searchAttributes: nil)
        let own = [
            SearchValue(name: "ScheduleId", type: .keyword, content: .words([schedule.id.value])),
            SearchValue(
                name: "TemporalSchedulePaused", type: .bool, content: .number(schedule.definition.isPaused ? 1 : 0)),
        ]
        let carried = schedule.searchAttributes.map { SearchAttributeCodec.values($0) } ?? []
        return filter.matches(row, own + carried) == true
    }
}

extension WireService {
    private func scheduleFilter(_ query: String, in namespace: Namespace) async throws -> ScheduleFilter {
        var namespace = namespace
        namespace.searchAttributes.merge(ScheduleFilter.attributes) { $1 }
        return try ScheduleFilter(try await parsed(query, in: namespace))
    }
}
