import History
import Runtime
import TemporalCodec

/// An error as a caller on the wire sees it: a gRPC status with at most one typed detail (protocol.md 1.3).
public struct WireFailure: Error, Hashable, Sendable {
    /// The gRPC status codes.
    public enum Code: Int, Hashable, Sendable, CaseIterable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case internalError = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    public var code: Code
    public var message: String
    /// The encoded `google.rpc.Status`, for the trailer `grpc-status-details-bin`; empty when there is none.
    public var statusDetails: [UInt8]

    public init(_ code: Code, _ message: String, statusDetails: [UInt8] = []) {
        self.code = code
        self.message = message
        self.statusDetails = statusDetails
    }

    init(_ rejection: Rejection) {
        let encoded = ErrorCodec.encode(rejection)
        self.init(Code(rawValue: encoded.code) ?? .unknown, encoded.message, statusDetails: encoded.status)
    }

    /// A request above the limit; SDKs look for these texts (protocol.md 1.2).
    static func requestTooLarge(_ size: Int, isCompressed: Bool, max: Int) -> WireFailure {
        WireFailure(
            .resourceExhausted,
            isCompressed
                ? "grpc: received message after decompression larger than max \(max)"
                : "grpc: received message larger than max (\(size) vs. \(max))")
    }

    /// Any error as the wire tells it: the caller's fault keeps its kind, our own is worth another try or is data loss.
    public init(any error: any Error) {
        switch error {
        case let failure as WireFailure: self = failure
        case let rejection as Rejection: self.init(rejection)
        case let store as StoreError: self.init(store)
        case is CancellationError:
            self.init(Rejection(.unavailable, "the call was cancelled or the server is shutting down"))
        case is Corruption, is UndecodableEvent: self.init(.dataLoss, "stored data are corrupt")
        default: self.init(Rejection(.unavailable, "the server could not answer, try again"))
        }
    }

    private init(_ store: StoreError) {
        switch store {
        case .unavailable, .outcomeUnknown, .closed: self.init(Rejection(.unavailable, "the store is away, try again"))
        case .conflict, .notOwner, .outOfStep:
            self.init(Rejection(.unavailable, "another server owns the run, try again"))
        case .alreadyExists: self.init(.aborted, "somebody else did the same at the same time, try again")
        case .corrupt: self.init(.dataLoss, "stored data are corrupt")
        }
    }
}
