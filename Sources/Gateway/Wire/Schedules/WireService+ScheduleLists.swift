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
        let filter = try ScheduleFilter(request.query)
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
        let filter = try ScheduleFilter(request.query)
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

/// A list query over schedules.
struct ScheduleFilter {
    var isEmpty: Bool

    init(_ query: String) throws(Rejection) {
        isEmpty = query.allSatisfy(\.isWhitespace)
        guard isEmpty else { throw .invalid("invalid query: schedules are listed without a query") }
    }

    func matches(_ schedule: Schedule) -> Bool { true }
}
