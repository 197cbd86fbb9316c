import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Events keep everything on their way through bytes")
struct EventCodecTests {
    /// What an event looks like after a round trip: failures that the server made have become opaque.
    private func stored(_ failure: Failure) -> Failure { FailureCodec.decode(FailureCodec.encode(failure)) }

    private func stored(_ kind: EventKind) -> EventKind {
        switch kind {
        case .workflowExecutionStarted(var a):
            a.continuedFailure = a.continuedFailure.map(stored)
            return .workflowExecutionStarted(a)
        case .workflowExecutionFailed(var a):
            a.failure = stored(a.failure)
            return .workflowExecutionFailed(a)
        case .workflowExecutionContinuedAsNew(var a):
            a.failure = a.failure.map(stored)
            return .workflowExecutionContinuedAsNew(a)
        case .workflowTaskFailed(var a):
            a.failure = a.failure.map(stored)
            return .workflowTaskFailed(a)
        case .activityTaskStarted(var a):
            a.lastFailure = a.lastFailure.map(stored)
            return .activityTaskStarted(a)
        case .activityTaskFailed(var a):
            a.failure = stored(a.failure)
            return .activityTaskFailed(a)
        case .activityTaskTimedOut(var a):
            a.failure = stored(a.failure)
            return .activityTaskTimedOut(a)
        case .markerRecorded(var a):
            a.failure = a.failure.map(stored)
            return .markerRecorded(a)
        case .workflowExecutionCompleted, .workflowExecutionTimedOut, .workflowExecutionCancelRequested,
            .workflowExecutionCanceled, .workflowExecutionTerminated, .workflowExecutionSignaled,
            .workflowTaskScheduled,
            .workflowTaskStarted, .workflowTaskCompleted, .workflowTaskTimedOut, .activityTaskScheduled,
            .activityTaskCompleted, .activityTaskCancelRequested, .activityTaskCanceled, .timerStarted, .timerFired,
            .timerCanceled, .upsertWorkflowSearchAttributes, .workflowPropertiesModified, .externalWorkflow,
            .childWorkflow(.initiated), .childWorkflow(.startFailed), .childWorkflow(.started),
            .workflowExecutionUpdateAdmitted, .workflowExecutionUpdateAccepted, .workflowExecutionUpdateCompleted,
            .workflowExecutionOptionsUpdated:
            return kind
        case .childWorkflow(.ended(var a)):
            if case .failed(let failure, let state) = a.end { a.end = .failed(stored(failure), state) }
            return .childWorkflow(.ended(a))
        }
    }

    @Test("Every kind of event comes back as it was", arguments: UInt64(0)..<40)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for kind in values.everyKind() {
            let event = values.event(kind)
            let decoded = try EventCodec.decode(EventCodec.encode(event))
            let expected = Event(
                id: event.id, time: event.time, kind: stored(kind), userMetadata: event.userMetadata,
                workerMayIgnore: event.workerMayIgnore)
            #expect(decoded == expected, "seed \(seed), \(kind.typeName)")
        }
    }

    @Test("Encoding a decoded event gives the same bytes", arguments: UInt64(100)..<120)
    func stableBytes(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for kind in values.everyKind() {
            let bytes = EventCodec.encode(values.event(kind))
            #expect(EventCodec.encode(try EventCodec.decode(bytes)) == bytes, "seed \(seed), \(kind.typeName)")
        }
    }

    @Test("Every field that is written is one the protos know", arguments: UInt64(200)..<220)
    func onlyKnownFields(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for kind in values.everyKind() {
            let event = values.event(kind)
            let bytes = EventCodec.encode(event)
            let message = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: bytes)
            #expect(message.eventType.rawValue == Int(kind.typeNumber))
            #expect(message.eventID == event.id.value)
            #expect(message.taskID > 0)
            // Unknown fields are kept and written again; a message without any is not longer than its known fields.
            var visitor = UnknownFieldFinder()
            try message.traverse(visitor: &visitor)
            #expect(visitor.found == 0, "seed \(seed), \(kind.typeName)")
        }
    }

    @Test("The search for unknown fields finds one deep inside")
    func unknownFieldsAreFound() throws {
        var writer = ProtobufWriter()
        writer.message(6) { $0.message(5) { $0.text(99, "x") } }
        let message = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: writer.bytes)
        var visitor = UnknownFieldFinder()
        try message.traverse(visitor: &visitor)
        #expect(visitor.found > 0)
    }

    @Test(
        "Long messages have their lengths in front, at every size of length",
        arguments: [0, 127, 128, 16_383, 16_384, 3 << 20])
    func lengths(count: Int) throws {
        let result = Blob([UInt8](repeating: 7, count: count))
        let kind = EventKind.workflowExecutionCompleted(.init(result: result, workflowTaskCompletedEventID: EventID(4)))
        let event = Event(id: EventID(5), time: .zero, kind: kind)
        #expect(try EventCodec.decode(EventCodec.encode(event)) == event)
    }

    @Test("Zero timeouts are present where a reference server has them")
    func zeroDurationsArePresent() throws {
        let scheduled = ActivityTaskScheduled(
            activityID: "1", activityType: "charge", taskQueue: TaskQueue("q"),
            workflowTaskCompletedEventID: EventID(4),
            retryPolicy: RetryPolicy(
                initialInterval: .seconds(1), backoffCoefficient: 2, maximumInterval: .seconds(100)))
        let event = Event(id: EventID(5), time: .zero, kind: .activityTaskScheduled(scheduled))
        let a = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: EventCodec.encode(event))
            .activityTaskScheduledEventAttributes
        #expect(
            a.hasScheduleToCloseTimeout && a.hasScheduleToStartTimeout && a.hasStartToCloseTimeout
                && a.hasHeartbeatTimeout)
        #expect(a.retryPolicy.maximumInterval.seconds == 100)
        #expect(!a.hasInput && !a.hasHeader && !a.hasPriority)
    }

    @Test("An empty payload list stays present, and an absent one absent")
    func presenceOfEmptyPayloads() throws {
        for result in [Blob.empty, nil] {
            let kind = EventKind.workflowExecutionCompleted(
                WorkflowExecutionCompleted(result: result, workflowTaskCompletedEventID: EventID(4)))
            let bytes = EventCodec.encode(Event(id: EventID(5), time: .zero, kind: kind))
            let message = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: bytes)
            #expect(message.workflowExecutionCompletedEventAttributes.hasResult == (result != nil))
            #expect(try EventCodec.decode(bytes).kind == kind)
        }
    }

    @Test("A pending event has no task id")
    func pendingEventsHaveNoTaskID() throws {
        let kind = EventKind.workflowTaskStarted(WorkflowTaskStarted(scheduledEventID: EventID(2)))
        let event = Event(id: EventID(3), time: .zero, kind: kind)
        let message = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: EventCodec.encodePending(event))
        #expect(message.taskID == 0)
        #expect(try EventCodec.decode(EventCodec.encodePending(event)) == event)
    }

    @Test("An event of an unknown type is named, not guessed")
    func unknownTypeIsNamed() throws {
        var message = Temporal_Api_History_V1_HistoryEvent()
        message.eventID = 7
        message.eventType = .nexusOperationScheduled
        message.workerMayIgnore = true
        let bytes: [UInt8] = try message.serializedBytes()
        let error = #expect(throws: UndecodableEvent.self) { try EventCodec.decode(bytes) }
        #expect(error?.id == EventID(7))
        #expect(error?.typeNumber == 48)
        #expect(error?.workerMayIgnore == true)
    }

    @Test("Bytes that are no event are refused and never crash", arguments: UInt64(300)..<400)
    func hostileBytes(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let bytes = values.bytes()
        _ = try? EventCodec.decode(bytes)
        var whole = EventCodec.encode(values.event(values.everyKind()[0]))
        whole[Int(seed) % whole.count] ^= 0xFF
        _ = try? EventCodec.decode(whole)
        _ = try? EventCodec.decode(Array(whole.prefix(Int(seed) % whole.count)))
    }
}
