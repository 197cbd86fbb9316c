public import History

/// What became of one part of a multi-operation.
public enum OperationStatus: Hashable, Sendable {
    case done
    /// Not tried, or taken back, because the other one failed.
    case aborted
    case failed(Rejection)

    public static let abortedMessage = "Operation was aborted."
}

extension ErrorCodec {
    /// The error of an update-with-start: one status for each part; code of the first that failed by itself.
    public static func encode(_ statuses: [OperationStatus]) -> EncodedError {
        var code = 10
        for status in statuses.reversed() {
            if case .failed(let rejection) = status { code = Self.code(of: rejection.kind) }
        }
        var detail = ProtobufWriter()
        for status in statuses {
            switch status {
            case .done: detail.message(1) { _ in }
            case .aborted:
                detail.message(1) {
                    $0.integer(1, Int32(10))
                    $0.text(2, OperationStatus.abortedMessage)
                    $0.message(3) {
                        $0.text(1, "type.googleapis.com/temporal.api.failure.v1.MultiOperationExecutionAborted")
                    }
                }
            // A status of our errors and one of these have the same fields.
            case .failed(let rejection): detail.encoded(1, encode(rejection).status)
            }
        }
        var writer = ProtobufWriter()
        writer.integer(1, Int32(code))
        writer.text(2, multiOperationMessage)
        writer.message(3) {
            $0.text(1, "type.googleapis.com/temporal.api.errordetails.v1.MultiOperationExecutionFailure")
            $0.encoded(2, detail.bytes)
        }
        return EncodedError(code: code, message: multiOperationMessage, status: writer.bytes)
    }

    private static let multiOperationMessage = "Update-with-Start could not be executed."
}
