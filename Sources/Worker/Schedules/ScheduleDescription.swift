public import Foundation
import SwiftProtobuf
import TemporalAPI

/// One action that a schedule took.
public struct ScheduleActionResult: Hashable, Sendable {
    /// What the calendar said, without jitter.
    public var scheduledAt: Date
    public var startedAt: Date
    public var workflowID: String
    public var firstRunID: String
    public var status: WorkflowRunStatus

    init(_ wire: Temporal_Api_Schedule_V1_ScheduleActionResult) {
        scheduledAt = wire.scheduleTime.date
        startedAt = wire.actualTime.date
        workflowID = wire.startWorkflowResult.workflowID
        firstRunID = wire.startWorkflowResult.runID
        status = WorkflowRunStatus(rawValue: wire.startWorkflowStatus.rawValue) ?? .unspecified
    }
}

/// What became of a schedule so far, and what is next.
public struct ScheduleInfo: Sendable {
    public var actionCount: Int
    public var missedCatchupWindow: Int
    public var skippedByOverlap: Int
    public var bufferDropped: Int
    public var bufferSize: Int
    /// Workflow ids and first runs.
    public var running: [(workflowID: String, firstRunID: String)]
    /// Oldest first.
    public var recentActions: [ScheduleActionResult]
    /// With jitter.
    public var nextActionTimes: [Date]
    public var createdAt: Date
    public var updatedAt: Date?
}

/// A schedule in detail.
public struct ScheduleDescription: Sendable {
    public var id: String
    public var schedule: Schedule
    public var info: ScheduleInfo
    /// Names the state that was described.
    public var conflictToken: [UInt8]
    private let memoFields: [String: Payload]
    private let attributes: [String: Payload]
    private let converter: DataConverter

    /// A value of the memo; nil when there is none of this name.
    public func memo<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        try memoFields[name].map { try converter.value(type, from: $0) }
    }

    /// A search attribute; nil when there is none of this name.
    public func searchAttribute<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        try attributes[name].map { try DataConverter.default.value(type, from: $0) }
    }

    init(
        id: String, _ response: Temporal_Api_Workflowservice_V1_DescribeScheduleResponse, converter: DataConverter
    ) {
        self.id = id
        schedule = Schedule(response.schedule)
        let wire = response.info
        info = ScheduleInfo(
            actionCount: Int(wire.actionCount), missedCatchupWindow: Int(wire.missedCatchupWindow),
            skippedByOverlap: Int(wire.overlapSkipped), bufferDropped: Int(wire.bufferDropped),
            bufferSize: Int(wire.bufferSize), running: wire.runningWorkflows.map { ($0.workflowID, $0.runID) },
            recentActions: wire.recentActions.map { ScheduleActionResult($0) },
            nextActionTimes: wire.futureActionTimes.map(\.date), createdAt: wire.createTime.date,
            updatedAt: wire.hasUpdateTime ? wire.updateTime.date : nil)
        conflictToken = [UInt8](response.conflictToken)
        memoFields = (try? Payload.fields(wire: response.memo)) ?? [:]
        attributes = (try? Payload.fields(wire: response.searchAttributes)) ?? [:]
        self.converter = converter
    }
}

/// A schedule as lists show it.
public struct ScheduleListEntry: Sendable {
    public var id: String
    public var spec: ScheduleSpec
    public var workflowType: String
    public var note: String
    public var paused: Bool
    public var recentActions: [ScheduleActionResult]
    public var nextActionTimes: [Date]

    init(_ wire: Temporal_Api_Schedule_V1_ScheduleListEntry) {
        id = wire.scheduleID
        spec = ScheduleSpec(wire.info.spec)
        workflowType = wire.info.workflowType.name
        note = wire.info.notes
        paused = wire.info.paused
        recentActions = wire.info.recentActions.map { ScheduleActionResult($0) }
        nextActionTimes = wire.info.futureActionTimes.map(\.date)
    }
}
