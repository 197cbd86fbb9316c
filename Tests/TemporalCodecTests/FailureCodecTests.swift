import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Failures are read as far as the retry rules need, and no further")
struct FailureCodecTests {
    private typealias Message = Temporal_Api_Failure_V1_Failure

    private func traits(_ message: Message) throws -> FailureTraits {
        FailureCodec.traits(of: try message.serializedBytes())
    }

    @Test("An application failure shows its type, its finality and its delay")
    func applicationTraits() throws {
        var message = Message()
        message.message = "card declined"
        message.stackTrace = "line 1"
        message.cause.message = "inner"
        message.applicationFailureInfo.type = "Declined"
        message.applicationFailureInfo.nonRetryable = true
        message.applicationFailureInfo.nextRetryDelay = Google_Protobuf_Duration(seconds: 3, nanos: 500_000_000)
        let expected = FailureTraits(
            kind: .application, type: "Declined", nonRetryable: true, nextRetryDelay: .milliseconds(3500),
            message: "card declined")
        #expect(try traits(message) == expected)
    }

    @Test("Each kind of failure is told apart")
    func kinds() throws {
        var message = Message()
        #expect(try traits(message).kind == .other)
        message.canceledFailureInfo = .init()
        #expect(try traits(message).kind == .canceled)
        message.terminatedFailureInfo = .init()
        #expect(try traits(message).kind == .terminated)
        message.activityFailureInfo = .init()
        #expect(try traits(message).kind == .activity)
        message.childWorkflowExecutionFailureInfo = .init()
        #expect(try traits(message).kind == .child)
        message.serverFailureInfo.nonRetryable = true
        #expect(try traits(message) == FailureTraits(kind: .server, nonRetryable: true))
        message.timeoutFailureInfo.timeoutType = .heartbeat
        #expect(try traits(message) == FailureTraits(kind: .timeout, timeoutType: .heartbeat))
    }

    @Test("A failure of the server keeps its traits when it has become bytes", arguments: UInt64(0)..<200)
    func serverFailuresKeepTheirTraits(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let failure = values.failure()
        let bytes = FailureCodec.encode(failure)
        #expect(FailureCodec.traits(of: bytes) == failure.traits, "seed \(seed)")
        #expect(FailureCodec.encode(FailureCodec.decode(bytes)) == bytes, "seed \(seed)")
    }

    @Test("A timeout names the server, the deadline, the last heartbeat and the failure before it")
    func timeoutForm() throws {
        let details = Blob([0x0A, 0x03, 0x12, 0x01, 0x31])  // Payloads{payloads: [Payload{data: "1"}]}
        let inner = Failure.timeout(
            message: "activity StartToClose timeout", type: .startToClose, lastHeartbeatDetails: nil, cause: nil)
        let outer = Failure.timeout(
            message: "activity Heartbeat timeout", type: .heartbeat, lastHeartbeatDetails: details, cause: inner)
        let message = try Message(serializedBytes: FailureCodec.encode(outer))
        #expect(message.source == "Server")
        #expect(message.message == "activity Heartbeat timeout")
        #expect(message.timeoutFailureInfo.timeoutType == .heartbeat)
        #expect(message.timeoutFailureInfo.lastHeartbeatDetails.payloads.map(\.data) == [Data([0x31])])
        #expect(message.cause.timeoutFailureInfo.timeoutType == .startToClose)
        #expect(!message.cause.timeoutFailureInfo.hasLastHeartbeatDetails)
    }

    @Test("Bytes that are no failure have kind other and stay as they are", arguments: UInt64(0)..<200)
    func hostileBytes(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let bytes = values.bytes()
        #expect(FailureCodec.encode(FailureCodec.decode(bytes)) == bytes, "seed \(seed)")
        #expect(FailureCodec.traits(of: [0xFF]) == FailureTraits(kind: .other))
    }
}
