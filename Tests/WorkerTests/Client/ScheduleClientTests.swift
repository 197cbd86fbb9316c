import Foundation
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import Worker

private typealias CreateRequest = Temporal_Api_Workflowservice_V1_CreateScheduleRequest
private typealias CreateResponse = Temporal_Api_Workflowservice_V1_CreateScheduleResponse
private typealias DescribeRequest = Temporal_Api_Workflowservice_V1_DescribeScheduleRequest
private typealias DescribeResponse = Temporal_Api_Workflowservice_V1_DescribeScheduleResponse
private typealias UpdateRequest = Temporal_Api_Workflowservice_V1_UpdateScheduleRequest
private typealias PatchRequest = Temporal_Api_Workflowservice_V1_PatchScheduleRequest

@Suite("Schedules client")
struct ScheduleClientTests {
    private let server = ScriptedServer()

    private var schedule: Schedule {
        Schedule(
            action: .start(
                workflowType: "Report", arguments: ["daily"], options: StartOptions(id: "report", taskQueue: "reports")),
            spec: ScheduleSpec(
                calendars: [ScheduleCalendarSpec(hour: [8], dayOfWeek: [ScheduleRange(1, 5)])],
                intervals: [ScheduleIntervalSpec(every: .seconds(3600), offset: .seconds(60))],
                cronExpressions: ["@daily"], jitter: .milliseconds(1500), timeZoneName: "Europe/Berlin"),
            policy: SchedulePolicy(overlap: .bufferOne, catchupWindow: .seconds(60), pauseOnFailure: true),
            state: ScheduleState(note: "a note", paused: true, remainingActions: 7))
    }

    @Test("What is created comes back from describe as it was said")
    func roundTrip() async throws {
        server.on("CreateSchedule") { (_: CreateRequest) in CreateResponse() }
        let handle = try await server.client().createSchedule(
            id: "s", schedule, triggersImmediately: true, memo: ["who": "me"])
        let request = try #require(server.calls("CreateSchedule").first).request(as: CreateRequest.self)
        #expect(request.namespace == "test" && request.scheduleID == "s" && !request.requestID.isEmpty)
        #expect(request.initialPatch.triggerImmediately.overlapPolicy == .bufferOne)
        #expect(request.schedule.action.startWorkflow.hasInput)
        server.on("DescribeSchedule") { (_: DescribeRequest) in
            DescribeResponse.with {
                $0.schedule = request.schedule
                $0.memo = request.memo
                $0.info.actionCount = 3
            }
        }
        let description = try await handle.describe()
        #expect(description.schedule.spec == schedule.spec)
        #expect(description.schedule.policy == schedule.policy)
        #expect(description.schedule.state == schedule.state)
        #expect(description.schedule.action.workflowType == "Report")
        #expect(description.schedule.action.workflowID == "report")
        #expect(description.info.actionCount == 3)
        #expect(try description.memo("who", as: String.self) == "me")
    }

    @Test("An update begins again when somebody else was faster, with the token of what it saw")
    func update() async throws {
        let first = try schedule.message(server.client())
        let tokens = AnswerList([Data([1]), Data([2])])
        server.on("DescribeSchedule") { (_: DescribeRequest) in
            DescribeResponse.with {
                $0.schedule = first
                $0.conflictToken = tokens.next()
            }
        }
        server.on("UpdateSchedule") { (request: UpdateRequest) in
            if request.conflictToken == Data([1]) {
                throw RPCFailure(.failedPrecondition, "mismatched conflict token")
            }
            return Temporal_Api_Workflowservice_V1_UpdateScheduleResponse()
        }
        try await server.client().schedule(id: "s").update { schedule in
            schedule.state.note = "changed"
            return true
        }
        let last = try #require(server.calls("UpdateSchedule").last).request(as: UpdateRequest.self)
        #expect(server.calls("UpdateSchedule").count == 2)
        #expect(last.schedule.state.notes == "changed")
        #expect(last.schedule.action == first.action)
    }

    @Test("Triggers, backfills and pauses are patches")
    func patches() async throws {
        server.on("PatchSchedule") { (_: PatchRequest) in Temporal_Api_Workflowservice_V1_PatchScheduleResponse() }
        let handle = server.client().schedule(id: "s")
        try await handle.trigger(overlap: .allowAll)
        try await handle.pause(note: "why")
        try await handle.unpause()
        let start = Date(timeIntervalSince1970: 1_000)
        try await handle.backfill(ScheduleBackfill(startAt: start, endAt: start + 60))
        let patches = try server.calls("PatchSchedule").map { try $0.request(as: PatchRequest.self).patch }
        #expect(patches[0].triggerImmediately.overlapPolicy == .allowAll)
        #expect(patches[1].pause == "why" && patches[1].unpause.isEmpty)
        #expect(!patches[2].unpause.isEmpty)
        #expect(patches[3].backfillRequest.first?.startTime.seconds == 1_000)
    }

    @Test("A missing schedule and one that exists already are errors of their own")
    func errors() async throws {
        server.on("DescribeSchedule") { (_: DescribeRequest) throws -> DescribeResponse in
            throw RPCFailure(.notFound, "schedule not found")
        }
        server.on("CreateSchedule") { (_: CreateRequest) throws -> CreateResponse in
            throw RPCFailure(.alreadyExists, "there")
        }
        await #expect(throws: ScheduleNotFound(message: "schedule not found")) {
            try await server.client().schedule(id: "s").describe()
        }
        await #expect(throws: ScheduleAlreadyExists(id: "s")) {
            try await server.client().createSchedule(id: "s", schedule)
        }
    }
}
