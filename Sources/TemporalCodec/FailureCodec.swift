public import History

/// Failures to and from the bytes of `temporal.api.failure.v1.Failure`.
///
/// A worker's failure stays as it came; only its traits are read. The server's own failures are written here.
public enum FailureCodec {
    /// The bytes of a failure: a worker's own, or those of one the server made (source "Server").
    public static func encode(_ failure: Failure) -> [UInt8] {
        if case .opaque(let blob, _) = failure { return blob.bytes }
        var writer = ProtobufWriter()
        writer.failureFields(failure)
        return writer.bytes
    }

    /// A failure that came from outside: the bytes as they are, with the traits the retry rules need.
    public static func decode(_ bytes: [UInt8]) -> Failure { .opaque(Blob(bytes), traits: traits(of: bytes)) }

    /// Reads what the retry rules need and nothing more; causes, details and stack traces are passed over.
    ///
    /// Total: bytes that are no failure have kind `other`.
    public static func traits(of bytes: [UInt8]) -> FailureTraits {
        (try? readTraits(bytes)) ?? FailureTraits(kind: .other)
    }

    private static func readTraits(_ bytes: [UInt8]) throws(MalformedMessage) -> FailureTraits {
        var traits = FailureTraits(kind: .other)
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: traits.message = try value.text()
            case 5: try readApplication(try value.message(), into: &traits)
            case 6: try readTimeout(try value.message(), into: &traits)
            case 7: traits.kind = .canceled
            case 8: traits.kind = .terminated
            case 9: try readServer(try value.message(), into: &traits)
            case 10:
                traits.kind = .other
                traits.nonRetryable = true
            case 11: traits.kind = .activity
            case 12: traits.kind = .child
            default: break
            }
        }
        return traits
    }

    private static func readApplication(
        _ bytes: ArraySlice<UInt8>, into traits: inout FailureTraits
    ) throws(MalformedMessage) {
        traits.kind = .application
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: traits.type = try value.text()
            case 2: traits.nonRetryable = try value.flag()
            case 4: traits.nextRetryDelay = try TimeSpan(encoded: try value.message())
            default: break
            }
        }
    }

    private static func readTimeout(
        _ bytes: ArraySlice<UInt8>, into traits: inout FailureTraits
    ) throws(MalformedMessage) {
        traits.kind = .timeout
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            guard field == 1 else { continue }
            traits.timeoutType = TimeoutType(rawValue: Int32(truncatingIfNeeded: try value.integer()))
        }
    }

    private static func readServer(
        _ bytes: ArraySlice<UInt8>, into traits: inout FailureTraits
    ) throws(MalformedMessage) {
        traits.kind = .server
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            if field == 1 { traits.nonRetryable = try value.flag() }
        }
    }
}

extension ProtobufWriter {
    /// The fields of a failure that the server made.
    mutating func failureFields(_ failure: Failure) {
        text(1, failure.traits.message)
        text(2, "Server")
        switch failure {
        case .opaque: preconditionFailure("a worker's failure is written as it came")
        case .timeout(_, let type, let lastHeartbeatDetails, let cause):
            self.failure(4, cause)
            message(6) {
                $0.integer(1, type.rawValue)
                $0.blob(2, lastHeartbeatDetails)
            }
        case .server(_, let nonRetryable): message(9) { $0.flag(1, nonRetryable) }
        case .reset: message(10) { _ in }
        }
    }
}

extension TimeSpan {
    /// Reads an encoded Duration; saturates.
    init(encoded bytes: ArraySlice<UInt8>) throws(MalformedMessage) {
        var (seconds, nanoseconds) = (Int64(0), Int64(0))
        var reader = ProtobufReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: seconds = try value.integer()
            case 2: nanoseconds = try value.integer()
            default: break
            }
        }
        self.init(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// Seconds and nanoseconds together; saturates instead of overflowing.
    init(seconds: Int64, nanoseconds: Int64) {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(nanoseconds)
        self.init(nanoseconds: overflow || carry ? (seconds < 0 ? .min : .max) : sum)
    }
}
