import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Small values keep their meaning")
struct ValuesTests {
    @Test("Times and spans come back to the nanosecond", arguments: UInt64(0)..<100)
    func times(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let (span, time) = (values.span(), values.time())
        #expect(TimeSpan(Google_Protobuf_Duration(span)) == span, "seed \(seed)")
        #expect(Timestamp(Google_Protobuf_Timestamp(time)) == time, "seed \(seed)")
        #expect(Google_Protobuf_Timestamp(time).nanos >= 0)
    }

    @Test("Durations beyond the range saturate")
    func saturation() {
        #expect(TimeSpan(Google_Protobuf_Duration(seconds: .max, nanos: 0)).nanoseconds == .max)
        #expect(TimeSpan(Google_Protobuf_Duration(seconds: .min, nanos: 0)).nanoseconds == .min)
        #expect(Timestamp(Google_Protobuf_Timestamp(seconds: 253_402_300_799, nanos: 0)) == .distantFuture)
    }

    @Test("Policies, queues and priorities come back as they were", arguments: UInt64(0)..<50)
    func messages(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let (policy, queue, priority) = (values.policy(), values.queue(), values.priority())
        #expect(RetryPolicy(Temporal_Api_Common_V1_RetryPolicy(policy)) == policy, "seed \(seed)")
        #expect(TaskQueue(Temporal_Api_Taskqueue_V1_TaskQueue(queue)) == queue, "seed \(seed)")
        #expect(Priority(Temporal_Api_Common_V1_Priority(priority)) == priority, "seed \(seed)")
    }

    @Test("Numbers of closed choices agree with the protos")
    func choices() {
        for status in WorkflowStatus.allCases { #expect(WorkflowStatus(status.wire) == status) }
        #expect(WorkflowStatus.timedOut.wire == .timedOut)
        #expect(WorkflowStatus.continuedAsNew.wire == .continuedAsNew)
        #expect(TimeoutType.heartbeat.wire == .heartbeat)
        #expect(TimeoutType(.unspecified) == nil)
        #expect(RetryState.cancelRequested.wire == .cancelRequested)
        #expect(WorkflowIDReusePolicy.terminateIfRunning.wire == .terminateIfRunning)
        #expect(WorkflowIDConflictPolicy.terminateExisting.wire == .terminateExisting)
        #expect(WorkflowTaskFailedCause.payloadsTooLarge.wire == .payloadsTooLarge)
        #expect(WorkflowTaskFailedCause(.UNRECOGNIZED(4711)) == .unspecified)
        #expect(ContinueAsNewInitiator.cronSchedule.wire == .cronSchedule)
        #expect(TaskQueue(Temporal_Api_Taskqueue_V1_TaskQueue()).kind == .normal)
    }
}
