import Crypto
import Foundation
import SwiftProtobuf
import TemporalAPI
import TemporalCodec
import Testing

@testable import Worker

private struct CardDeclined: Error {}

private struct Throttled: ApplicationFailureConvertible {
    var applicationFailure: ApplicationFailure {
        ApplicationFailure("slow down", type: "Throttled", nextRetryDelay: .milliseconds(2500))
    }
}

@Suite("Failures")
struct FailureTests {
    private let converter = DataConverter.default

    private func message(_ error: any Error, _ converter: DataConverter = .default) throws
        -> Temporal_Api_Failure_V1_Failure
    {
        try Temporal_Api_Failure_V1_Failure(serializedBytes: converter.failure(for: error))
    }

    @Test("An application failure keeps every field on the wire and back")
    func application() throws {
        let failure = ApplicationFailure(
            "declined", type: "CardDeclined", isNonRetryable: true, details: FailureDetails(["insufficient_funds", 3]),
            nextRetryDelay: .milliseconds(1500), category: .benign, cause: CanceledFailure("inner"))
        let wire = try message(failure)
        #expect(wire.message == "declined")
        #expect(wire.source == "SwiftSDK")
        #expect(wire.applicationFailureInfo.type == "CardDeclined")
        #expect(wire.applicationFailureInfo.nonRetryable)
        #expect(wire.applicationFailureInfo.details.payloads.count == 2)
        #expect(wire.applicationFailureInfo.nextRetryDelay == Google_Protobuf_Duration(seconds: 1, nanos: 500_000_000))
        #expect(wire.applicationFailureInfo.category == .benign)
        #expect(wire.cause.canceledFailureInfo == Temporal_Api_Failure_V1_CanceledFailureInfo())

        let back = try #require(converter.error(fromFailure: converter.failure(for: failure)) as? ApplicationFailure)
        #expect(back.message == "declined")
        #expect(back.type == "CardDeclined")
        #expect(back.isNonRetryable)
        #expect(try back.details.value(String.self) == "insufficient_funds")
        #expect(try back.details.value(Int.self, at: 1) == 3)
        #expect(back.nextRetryDelay == .milliseconds(1500))
        #expect(back.category == .benign)
        #expect((back.cause as? CanceledFailure)?.message == "inner")
    }

    @Test("A plain Swift error becomes an application failure named after its type")
    func plainError() throws {
        let wire = try message(CardDeclined())
        #expect(wire.applicationFailureInfo.type == "CardDeclined")
        #expect(!wire.applicationFailureInfo.nonRetryable)
    }

    @Test("An error may say itself how it travels, and a cancellation is a cancelled failure")
    func convertible() throws {
        #expect(try message(Throttled()).applicationFailureInfo.nextRetryDelay.seconds == 2)
        #expect(try message(CancellationError()).failureInfo == .canceledFailureInfo(.init()))
    }

    @Test("A chain that a server sent reads as nested errors")
    func serverChain() throws {
        var timeout = Temporal_Api_Failure_V1_Failure()
        timeout.message = "activity Heartbeat timeout"
        timeout.source = "Server"
        timeout.timeoutFailureInfo.timeoutType = .heartbeat
        timeout.timeoutFailureInfo.lastHeartbeatDetails.payloads = [
            try Temporal_Api_Common_V1_Payload(serializedBytes: converter.payload(for: 17).wire)
        ]
        var activity = Temporal_Api_Failure_V1_Failure()
        activity.message = "activity error"
        activity.activityFailureInfo.activityID = "5"
        activity.activityFailureInfo.activityType.name = "Capture"
        activity.activityFailureInfo.scheduledEventID = 7
        activity.activityFailureInfo.retryState = .maximumAttemptsReached
        activity.cause = timeout
        let bytes: [UInt8] = try activity.serializedBytes()
        let failure = try #require(converter.error(fromFailure: bytes) as? ActivityFailure)
        #expect(failure.activityType == "Capture")
        #expect(failure.activityID == "5")
        #expect(failure.scheduledEventID == 7)
        #expect(failure.retryOutcome == .maximumAttemptsReached)
        let cause = try #require(failure.cause as? TimeoutFailure)
        #expect(cause.kind == .heartbeat)
        #expect(cause.source == "Server")
        #expect(try cause.lastHeartbeatDetails.value(Int.self) == 17)
        #expect(failure.rootCause is TimeoutFailure)
    }

    @Test("Every kind of failure survives being sent on")
    func roundTrips() throws {
        let failures: [any TemporalFailure] = [
            TimeoutFailure("t", kind: .scheduleToClose, lastHeartbeatDetails: FailureDetails([1])),
            CanceledFailure("c", details: FailureDetails(["d"]), identity: "me"),
            TerminatedFailure("x", identity: "op"),
            ServerFailure("s", isNonRetryable: true), ResetWorkflowFailure("r"),
            ActivityFailure(
                activityType: "A", activityID: "1", startedEventID: 9, identity: "w", cause: CanceledFailure()),
            ChildWorkflowFailure(
                namespace: "n", workflowID: "w", runID: "r", workflowType: "T", initiatedEventID: 3, startedEventID: 4,
                retryOutcome: .timeout, cause: ServerFailure("s")),
        ]
        for failure in failures {
            let once = converter.failure(for: failure)
            let back = converter.error(fromFailure: once)
            #expect(Swift.type(of: back) == Swift.type(of: failure))
            #expect(converter.failure(for: back) == once)
        }
    }

    @Test("An unknown kind of failure is passed on byte for byte")
    func unknownKind() throws {
        var writer = ProtobufWriter()
        writer.text(1, "nexus broke")
        writer.field(14, [10, 1, 65])
        let failure = try #require(converter.error(fromFailure: writer.bytes) as? OtherFailure)
        #expect(failure.message == "nexus broke")
        #expect(converter.failure(for: failure) == writer.bytes)
        #expect(converter.error(fromFailure: [0xff]) is OtherFailure)
    }

    @Test("With an encoded text the message travels through the codec")
    func encodedText() throws {
        let codec = AES256GCMCodec(
            keys: FixedEncryptionKeys(current: EncryptionKey(id: "k", key: SymmetricKey(size: .bits256))))
        let sealed = DataConverter(codec: codec, encodesFailureText: true)
        let wire = try message(ApplicationFailure("card 4111", details: FailureDetails(["4111"])), sealed)
        #expect(wire.message == "Encoded failure")
        #expect(wire.applicationFailureInfo.details.payloads[0].metadata["encoding"] == Data("binary/encrypted".utf8))
        let bytes: [UInt8] = try wire.serializedBytes()
        let back = try #require(sealed.error(fromFailure: bytes) as? ApplicationFailure)
        #expect(back.message == "card 4111")
        #expect(try back.details.value(String.self) == "4111")
    }

    @Test("A cause chain without end is cut, and undecodable details do not lose the failure")
    func hostile() throws {
        var failure = ApplicationFailure("0")
        for depth in 1..<100 { failure = ApplicationFailure("\(depth)", cause: failure) }
        var depth = 0
        var next: (any Error)? = converter.error(fromFailure: converter.failure(for: failure))
        while let failure = next as? any TemporalFailure {
            depth += 1
            next = failure.cause
        }
        #expect(depth == 33)
        let wire = try message(ApplicationFailure("lost", details: FailureDetails([Double.infinity])))
        #expect(wire.message == "lost (details could not be encoded)")
    }
}
