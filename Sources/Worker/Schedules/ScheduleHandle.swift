public import Foundation
import SwiftProtobuf
import TemporalAPI

/// One schedule, seen from outside.
public struct ScheduleHandle: Sendable {
    let client: WorkflowClient
    public let id: String

    /// What it is, what it did and what it will do next.
    ///
    /// - Throws: ``ScheduleNotFound``; ``RPCFailure``.
    public func describe() async throws -> ScheduleDescription {
        var request = Temporal_Api_Workflowservice_V1_DescribeScheduleRequest()
        request.namespace = client.namespace
        request.scheduleID = id
        let response: Temporal_Api_Workflowservice_V1_DescribeScheduleResponse = try await client.scheduleCall(
            "DescribeSchedule", request)
        return ScheduleDescription(id: id, response, converter: client.converter)
    }

    /// Changes the schedule as `change` does; begins again when somebody else changed it meanwhile.
    ///
    /// - Parameter change: May be called more than once; false leaves the schedule as it is.
    public func update(_ change: @Sendable (inout Schedule) throws -> Bool) async throws {
        for attempt in 1... {
            let description = try await describe()
            var schedule = description.schedule
            guard try change(&schedule) else { return }
            var request = Temporal_Api_Workflowservice_V1_UpdateScheduleRequest()
            request.namespace = client.namespace
            request.scheduleID = id
            request.schedule = try schedule.message(client)
            request.conflictToken = Data(description.conflictToken)
            request.identity = client.identity
            request.requestID = UUID().uuidString.lowercased()
            do {
                let _: Temporal_Api_Workflowservice_V1_UpdateScheduleResponse = try await client.scheduleCall(
                    "UpdateSchedule", request)
                return
            } catch let failure as RPCFailure where failure.code == .failedPrecondition && attempt < Self.updatesMax {
                continue
            }
        }
    }

    /// How often an update is tried while others change the schedule, too.
    static let updatesMax = 10

    /// Acts now, whatever the calendar says.
    public func trigger(overlap: ScheduleOverlapPolicy? = nil) async throws {
        try await patch { $0.triggerImmediately = .with { $0.overlapPolicy = overlap?.message ?? .unspecified } }
    }

    /// Acts as if these stretches of time passed now.
    public func backfill(_ backfills: ScheduleBackfill...) async throws {
        try await patch { $0.backfillRequest = backfills.map(\.message) }
    }

    /// It does nothing by itself until it is unpaused; triggers and backfills still work.
    public func pause(note: String = "Paused via the Swift client") async throws { try await patch { $0.pause = note } }

    public func unpause(note: String = "Unpaused via the Swift client") async throws {
        try await patch { $0.unpause = note }
    }

    /// What it started goes on.
    public func delete() async throws {
        var request = Temporal_Api_Workflowservice_V1_DeleteScheduleRequest()
        request.namespace = client.namespace
        request.scheduleID = id
        request.identity = client.identity
        let _: Temporal_Api_Workflowservice_V1_DeleteScheduleResponse = try await client.scheduleCall(
            "DeleteSchedule", request)
    }

    /// When it would act between two moments, at most a thousand times.
    public func matchingTimes(from start: Date, through end: Date) async throws -> [Date] {
        var request = Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesRequest()
        request.namespace = client.namespace
        request.scheduleID = id
        request.startTime = Google_Protobuf_Timestamp(date: start)
        request.endTime = Google_Protobuf_Timestamp(date: end)
        let response: Temporal_Api_Workflowservice_V1_ListScheduleMatchingTimesResponse = try await client.scheduleCall(
            "ListScheduleMatchingTimes", request)
        return response.startTime.map(\.date)
    }

    private func patch(_ fill: (inout Temporal_Api_Schedule_V1_SchedulePatch) -> Void) async throws {
        var request = Temporal_Api_Workflowservice_V1_PatchScheduleRequest()
        request.namespace = client.namespace
        request.scheduleID = id
        request.identity = client.identity
        request.requestID = UUID().uuidString.lowercased()
        fill(&request.patch)
        let _: Temporal_Api_Workflowservice_V1_PatchScheduleResponse = try await client.scheduleCall(
            "PatchSchedule", request)
    }
}

extension WorkflowClient {
    /// Makes a schedule.
    ///
    /// - Parameters:
    ///   - triggersImmediately: Acts once at once, too.
    ///   - backfills: Acts through these stretches of time at once, too.
    /// - Throws: ``ScheduleAlreadyExists``; ``RPCFailure`` (`invalidArgument` for a spec that cannot be).
    public func createSchedule(
        id: String, _ schedule: Schedule, triggersImmediately: Bool = false, backfills: [ScheduleBackfill] = [],
        memo: [String: any Encodable & Sendable] = [:], searchAttributes: [String: SearchAttributeValue] = [:]
    ) async throws -> ScheduleHandle {
        var request = Temporal_Api_Workflowservice_V1_CreateScheduleRequest()
        request.namespace = namespace
        request.scheduleID = id
        request.schedule = try schedule.message(self)
        request.identity = identity
        request.requestID = UUID().uuidString.lowercased()
        if triggersImmediately {
            request.initialPatch.triggerImmediately = .with { $0.overlapPolicy = schedule.policy.overlap.message }
        }
        if !backfills.isEmpty { request.initialPatch.backfillRequest = backfills.map(\.message) }
        if !memo.isEmpty {
            request.memo = Data(Payload.wire(fields: try memo.mapValues { try converter.payload(for: $0) }))
        }
        if !searchAttributes.isEmpty {
            request.searchAttributes = Data(Payload.wire(fields: try searchAttributes.mapValues { try $0.payload() }))
        }
        do {
            let _: Temporal_Api_Workflowservice_V1_CreateScheduleResponse = try await scheduleCall(
                "CreateSchedule", request)
        } catch let failure as RPCFailure where failure.code == .alreadyExists {
            throw ScheduleAlreadyExists(id: id)
        }
        return ScheduleHandle(client: self, id: id)
    }

    /// A handle to a schedule that is there already; asks nothing of the server.
    public func schedule(id: String) -> ScheduleHandle { ScheduleHandle(client: self, id: id) }

    /// One page of the schedules, in order of their ids.
    ///
    /// - Returns: The schedules, and a token that is empty after the last page.
    public func listSchedulesPage(
        query: String = "", pageSize: Int = 100, pageToken: [UInt8] = []
    ) async throws -> (schedules: [ScheduleListEntry], nextPageToken: [UInt8]) {
        var request = Temporal_Api_Workflowservice_V1_ListSchedulesRequest()
        request.namespace = namespace
        request.query = query
        request.maximumPageSize = Int32(pageSize)
        request.nextPageToken = Data(pageToken)
        let response: Temporal_Api_Workflowservice_V1_ListSchedulesResponse = try await scheduleCall(
            "ListSchedules", request)
        return (response.schedules.map { ScheduleListEntry($0) }, [UInt8](response.nextPageToken))
    }

    /// All schedules that a query finds.
    public func listSchedules(query: String = "", pageSize: Int = 100) async throws -> [ScheduleListEntry] {
        var found: [ScheduleListEntry] = []
        var token: [UInt8] = []
        repeat {
            let page = try await listSchedulesPage(query: query, pageSize: pageSize, pageToken: token)
            found += page.schedules
            token = page.nextPageToken
        } while !token.isEmpty
        return found
    }

    func scheduleCall<Request: Message, Response: Message>(
        _ name: String, _ request: Request
    ) async throws -> Response {
        do {
            return try await service.call(name, request)
        } catch {
            switch error.code {
            case .notFound where error.detail("NamespaceNotFoundFailure") == nil:
                throw ScheduleNotFound(message: error.message)
            case .notFound: throw ClientError.translated(error, workflowID: "")
            case .cancelled: throw CancellationError()
            case .unknown, .invalidArgument, .deadlineExceeded, .alreadyExists, .permissionDenied, .resourceExhausted,
                .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internalError, .unavailable, .dataLoss,
                .unauthenticated:
                throw error
            }
        }
    }
}

/// There is a schedule of this name already.
public struct ScheduleAlreadyExists: Error, Hashable, Sendable {
    public let id: String
}

/// The server knows no such schedule.
public struct ScheduleNotFound: Error, Hashable, Sendable {
    public let message: String
}
