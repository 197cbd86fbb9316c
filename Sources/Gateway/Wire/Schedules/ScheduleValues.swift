import Engine
import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

// Schedules as their messages show them.

extension ScheduleOverlapPolicy {
    /// nil for "not set" and for numbers that this program does not know.
    init?(_ wire: Temporal_Api_Enums_V1_ScheduleOverlapPolicy) {
        self.init(rawValue: Int32(truncatingIfNeeded: wire.rawValue))
    }
    var wire: Temporal_Api_Enums_V1_ScheduleOverlapPolicy { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension SchedulePolicies {
    /// With the defaults filled in.
    init(_ wire: Temporal_Api_Schedule_V1_SchedulePolicies) throws(Rejection) {
        let window = TimeSpan(wire.catchupWindow)
        if wire.hasCatchupWindow, window < .zero { throw .invalid("catchup_window is negative") }
        self.init(
            overlap: ScheduleOverlapPolicy(wire.overlapPolicy) ?? .skip,
            catchupWindow: window.isPositive ? max(window, Self.catchupWindowMin) : .days(365),
            pausesOnFailure: wire.pauseOnFailure, keepsWorkflowID: wire.keepOriginalWorkflowID)
    }
}

extension SchedulePatch {
    init(_ wire: Temporal_Api_Schedule_V1_SchedulePatch) throws(Rejection) {
        self.init()
        if wire.hasTriggerImmediately {
            let asked = wire.triggerImmediately
            trigger = Trigger(
                overlap: ScheduleOverlapPolicy(asked.overlapPolicy),
                scheduledTime: asked.hasScheduledTime ? Timestamp(asked.scheduledTime) : nil)
        }
        for asked in wire.backfillRequest {
            guard asked.hasStartTime, asked.hasEndTime else {
                throw .invalid("a backfill needs a start time and an end time")
            }
            backfills.append(
                Backfill(
                    start: Timestamp(asked.startTime), end: Timestamp(asked.endTime),
                    overlap: ScheduleOverlapPolicy(asked.overlapPolicy)))
        }
        if !wire.pause.isEmpty { pause = wire.pause }
        if !wire.unpause.isEmpty { unpause = wire.unpause }
    }
}

extension Temporal_Api_Schedule_V1_Schedule {
    init(_ definition: ScheduleDefinition) {
        self.init()
        spec = .init(definition.spec)
        if let info = try? Temporal_Api_Workflow_V1_NewWorkflowExecutionInfo(
            serializedBytes: definition.action.info.bytes)
        {
            action = .with { $0.startWorkflow = info }
        }
        policies = .with {
            $0.overlapPolicy = definition.policies.overlap.wire
            $0.catchupWindow = Google_Protobuf_Duration(definition.policies.catchupWindow)
            $0.pauseOnFailure = definition.policies.pausesOnFailure
            $0.keepOriginalWorkflowID = definition.policies.keepsWorkflowID
        }
        state = .with {
            $0.notes = definition.notes
            $0.paused = definition.isPaused
            $0.limitedActions = definition.isLimited
            $0.remainingActions = definition.remainingActions
        }
    }
}

extension Temporal_Api_Schedule_V1_ScheduleActionResult {
    fileprivate init(_ recent: Schedule.Recent) {
        self.init()
        scheduleTime = Google_Protobuf_Timestamp(recent.nominal)
        actualTime = Google_Protobuf_Timestamp(recent.actual)
        startWorkflowResult = .init(workflow: recent.workflow, run: recent.run)
        startWorkflowStatus = recent.status.wire
    }
}

extension Temporal_Api_Schedule_V1_ScheduleInfo {
    init(_ description: ScheduleDescription) {
        self.init()
        let schedule = description.schedule
        actionCount = schedule.actionCount
        missedCatchupWindow = schedule.missedCatchupWindow
        overlapSkipped = schedule.overlapSkipped
        bufferDropped = schedule.bufferDropped
        bufferSize = Int64(schedule.buffered.count)
        runningWorkflows = schedule.running.map { .init(workflow: $0.workflow, run: $0.run) }
        recentActions = schedule.recent.map { .init($0) }
        futureActionTimes = description.futureTimes.map { Google_Protobuf_Timestamp($0) }
        createTime = Google_Protobuf_Timestamp(schedule.createTime)
        if let time = schedule.updateTime { updateTime = Google_Protobuf_Timestamp(time) }
        stateSizeBytes = Int64(description.stateBytes)
    }
}

extension Temporal_Api_Schedule_V1_ScheduleListEntry {
    /// Lists show this many actions before and after now.
    private static let actionsMax = 5

    init(_ description: ScheduleDescription) {
        self.init()
        let schedule = description.schedule
        scheduleID = schedule.id.value
        if let found = schedule.memo { memo = found.data }
        if let found = schedule.searchAttributes { searchAttributes = found.data }
        info = .with {
            $0.spec = .init(schedule.definition.spec)
            $0.workflowType = .with { $0.name = schedule.definition.action.attributes.workflowType }
            $0.notes = schedule.definition.notes
            $0.paused = schedule.definition.isPaused
            $0.recentActions = schedule.recent.suffix(Self.actionsMax).map { .init($0) }
            $0.futureActionTimes = description.futureTimes.prefix(Self.actionsMax).map { Google_Protobuf_Timestamp($0) }
            $0.stateSizeBytes = Int64(description.stateBytes)
        }
    }
}

/// A schedule's version as clients hand it back.
enum ConflictToken {
    static func encode(_ number: Int64) -> Data {
        Data((0..<8).map { UInt8(truncatingIfNeeded: UInt64(bitPattern: number) >> UInt64(56 - $0 * 8)) })
    }

    /// nil when there is none: the change is made whatever the schedule is now.
    static func decode(_ data: Data) throws(Rejection) -> Int64? {
        if data.isEmpty { return nil }
        guard data.count == 8 else { throw Rejection(.failedPrecondition, "mismatched conflict token") }
        let number = data.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return number == 0 ? nil : Int64(bitPattern: number)
    }
}
