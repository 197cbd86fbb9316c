import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Errors carry the code, the text and the detail that clients look for")
struct ErrorCodecTests {
    private func status(_ rejection: Rejection) throws -> (error: EncodedError, status: Google_Rpc_Status) {
        let error = ErrorCodec.encode(rejection)
        return (error, try Google_Rpc_Status(serializedBytes: error.status))
    }

    private static let kinds: [(kind: Rejection.Kind, code: Int, detail: String?)] = [
        (.invalidArgument, 3, nil), (.notFound, 5, "NotFoundFailure"),
        (.namespaceNotFound(name: "n"), 5, "NamespaceNotFoundFailure"),
        (.namespaceAlreadyExists, 6, "NamespaceAlreadyExistsFailure"),
        (.workflowAlreadyStarted(startRequestID: "q", run: "r"), 6, "WorkflowExecutionAlreadyStartedFailure"),
        (.workflowNotReady, 9, "WorkflowNotReadyFailure"), (.queryFailed(failure: nil), 3, "QueryFailedFailure"),
        (.failedPrecondition, 9, nil), (.resourceExhausted(cause: 2), 8, "ResourceExhaustedFailure"),
        (.permissionDenied(reason: "no"), 7, "PermissionDeniedFailure"), (.unauthenticated, 16, nil),
        (.deadlineExceeded, 4, nil), (.unavailable, 14, nil), (.unimplemented, 12, nil), (.canceled, 1, nil),
    ]

    @Test("Each kind of rejection has its code and its detail")
    func everyKind() throws {
        for (kind, code, detail) in Self.kinds {
            let (error, status) = try status(Rejection(kind, "text"))
            #expect(error.code == code && error.message == "text")
            #expect(Int(status.code) == code && status.message == "text")
            let urls = detail.map { ["type.googleapis.com/temporal.api.errordetails.v1." + $0] } ?? []
            #expect(status.details.map(\.typeURL) == urls)
        }
    }

    @Test("The detail of a taken id names the run")
    func alreadyStartedDetail() throws {
        let (_, status) = try status(Rejection(.workflowAlreadyStarted(startRequestID: "q", run: "r"), "taken"))
        let detail = try Temporal_Api_Errordetails_V1_WorkflowExecutionAlreadyStartedFailure(
            unpackingAny: try #require(status.details.first))
        #expect(detail.startRequestID == "q" && detail.runID == "r" && detail.firstExecutionRunID.isEmpty)
    }

    @Test("The detail of a failed query carries the worker's failure byte for byte")
    func queryFailedDetail() throws {
        var failure = Temporal_Api_Failure_V1_Failure()
        failure.message = "no such query"
        let bytes: [UInt8] = try failure.serializedBytes()
        let (_, status) = try status(Rejection(.queryFailed(failure: Blob(bytes)), "no such query"))
        let detail = try Temporal_Api_Errordetails_V1_QueryFailedFailure(
            unpackingAny: try #require(status.details.first))
        #expect([UInt8](detail.failure) == bytes)
    }

    @Test("Trailers stay below 16 KiB whatever the text and the failure")
    func trailersAreBounded() throws {
        var failure = Temporal_Api_Failure_V1_Failure()
        failure.message = String(repeating: "猫", count: 100_000)
        failure.stackTrace = String(repeating: "x", count: 100_000)
        failure.applicationFailureInfo.type = String(repeating: "t", count: 100_000)
        let blob = Blob(try failure.serializedBytes() as [UInt8])
        let longText = String(repeating: "é", count: 50_000)
        let kinds: [Rejection.Kind] = [
            .queryFailed(failure: blob), .permissionDenied(reason: longText), .namespaceNotFound(name: longText),
            .notFound,
        ]
        for kind in kinds {
            let (error, status) = try status(Rejection(kind, longText))
            let percentEncoded = error.message.utf8.count * 3
            let base64 = (error.status.count + 2) / 3 * 4
            #expect(percentEncoded + base64 < 15 << 10)
            #expect(!error.message.isEmpty && longText.hasPrefix(error.message))
            #expect(status.details.count == 1)
        }
        let (_, status) = try status(Rejection(.queryFailed(failure: blob), "q"))
        let detail = try Temporal_Api_Errordetails_V1_QueryFailedFailure(
            unpackingAny: try #require(status.details.first))
        #expect(FailureCodec.traits(of: [UInt8](detail.failure)).kind == .application)
    }
}
