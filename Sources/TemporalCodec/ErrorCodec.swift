public import History

/// A rejection as a gRPC call ends with it.
public struct EncodedError: Hashable, Sendable {
    /// The gRPC status code.
    public let code: Int
    public let message: String
    /// The encoded `google.rpc.Status` for the trailer `grpc-status-details-bin`: code and message again, and the detail.
    public let status: [UInt8]
}

/// Rejections to and from gRPC errors (protocol.md 1.3).
///
/// Clients refuse header lists over 16 KiB. The message may cost ``messageCostMax`` bytes, percent-encoded, and the
/// detail ``detailBytesMax``; with base64 around the status that stays below 15 KiB.
public enum ErrorCodec {
    public static let messageCostMax = 2 << 10
    public static let detailBytesMax = 6 << 10

    public static func encode(_ rejection: Rejection) -> EncodedError {
        let message = shortened(rejection.message, costMax: messageCostMax)
        let code = code(of: rejection.kind)
        var writer = ProtobufWriter()
        writer.integer(1, Int32(code))
        writer.text(2, message)
        if let detail = detail(of: rejection.kind) {
            writer.message(3) {
                $0.text(1, "type.googleapis.com/temporal.api.errordetails.v1." + detail.type)
                $0.encoded(2, detail.bytes.count <= detailBytesMax ? detail.bytes : [])
            }
        }
        return EncodedError(code: code, message: message, status: writer.bytes)
    }

    /// The number of a kind's gRPC status.
    public static func code(of kind: Rejection.Kind) -> Int {
        switch kind {
        case .canceled: 1
        case .invalidArgument, .queryFailed: 3
        case .deadlineExceeded: 4
        case .notFound, .namespaceNotFound: 5
        case .namespaceAlreadyExists, .workflowAlreadyStarted: 6
        case .permissionDenied: 7
        case .resourceExhausted: 8
        case .workflowNotReady, .failedPrecondition, .namespaceInvalidState: 9
        case .unimplemented: 12
        case .unavailable: 14
        case .unauthenticated: 16
        }
    }

    private static func detail(of kind: Rejection.Kind) -> (type: String, bytes: [UInt8])? {
        var writer = ProtobufWriter()
        switch kind {
        case .invalidArgument, .failedPrecondition, .unauthenticated, .deadlineExceeded, .unavailable, .unimplemented,
            .canceled:
            return nil
        case .notFound: return ("NotFoundFailure", [])
        case .namespaceNotFound(let name):
            writer.text(1, name)
            return ("NamespaceNotFoundFailure", writer.bytes)
        case .namespaceAlreadyExists: return ("NamespaceAlreadyExistsFailure", [])
        case .namespaceInvalidState(let name, let state, let allowed):
            writer.text(1, name)
            writer.integer(2, state)
            for state in allowed { writer.integer(3, state) }
            return ("NamespaceInvalidStateFailure", writer.bytes)
        case .workflowAlreadyStarted(let startRequestID, let run):
            writer.text(1, startRequestID)
            writer.text(2, run)
            return ("WorkflowExecutionAlreadyStartedFailure", writer.bytes)
        case .workflowNotReady: return ("WorkflowNotReadyFailure", [])
        case .queryFailed(let failure):
            if let failure { writer.encoded(1, FailureCodec.shortened(failure.bytes, countMax: detailBytesMax - 8)) }
            return ("QueryFailedFailure", writer.bytes)
        case .resourceExhausted(let cause):
            writer.integer(1, cause)
            writer.integer(2, Int32(1))
            return ("ResourceExhaustedFailure", writer.bytes)
        case .permissionDenied(let reason):
            writer.text(1, reason)
            return ("PermissionDeniedFailure", writer.bytes)
        }
    }

    /// The longest beginning of `message` that costs at most `costMax` bytes in a percent-encoded header.
    static func shortened(_ message: String, costMax: Int) -> String {
        var cost = 0
        for index in message.unicodeScalars.indices {
            let scalar = message.unicodeScalars[index]
            let plain = scalar.value >= 0x20 && scalar.value < 0x7F && scalar != "%"
            cost += plain ? 1 : 3 * UTF8.width(scalar)
            if cost > costMax { return String(message.unicodeScalars[..<index]) }
        }
        return message
    }
}

extension FailureCodec {
    /// A failure that fits: the bytes as they are, or only the message, as far as it fits, with the type.
    static func shortened(_ bytes: [UInt8], countMax: Int) -> [UInt8] {
        guard bytes.count > countMax else { return bytes }
        let traits = traits(of: bytes)
        var writer = ProtobufWriter()
        writer.text(1, ErrorCodec.shortened(traits.message, costMax: countMax / 2))
        writer.message(5) {
            $0.text(1, ErrorCodec.shortened(traits.type, costMax: countMax / 4))
            $0.flag(2, traits.nonRetryable)
        }
        return writer.bytes
    }
}
