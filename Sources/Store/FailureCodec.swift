import History

/// Keeps a failure of an activity attempt whole in one column. Our own small format: a version, then tagged parts.
enum FailureCodec {
    private static let version: UInt8 = 1

    static func encode(_ failure: Failure) -> [UInt8] {
        var writer = Writer()
        writer.byte(version)
        writer.failure(failure)
        return writer.bytes
    }

    /// Nil for bytes that ``encode(_:)`` did not make.
    static func decode(_ bytes: [UInt8]) -> Failure? {
        var reader = Reader(bytes: bytes)
        guard reader.byte() == version, let failure = reader.failure(depth: 0), reader.isAtEnd else { return nil }
        return failure
    }

    /// Causes nest; deeper ones than this were not made by us.
    private static let depthMax = 64

    private enum Tag {
        static let opaque: UInt8 = 1
        static let timeout: UInt8 = 2
        static let server: UInt8 = 3
        static let reset: UInt8 = 4
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func byte(_ value: UInt8) { bytes.append(value) }
        mutating func integer(_ value: Int64) { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }
        mutating func text(_ value: String) { data(Array(value.utf8)) }

        mutating func data(_ value: [UInt8]) {
            integer(Int64(value.count))
            bytes.append(contentsOf: value)
        }

        mutating func optional<Value>(_ value: Value?, _ put: (inout Writer, Value) -> Void) {
            byte(value == nil ? 0 : 1)
            if let value { put(&self, value) }
        }

        mutating func failure(_ failure: Failure) {
            switch failure {
            case .opaque(let blob, let traits):
                byte(Tag.opaque)
                data(blob.bytes)
                self.traits(traits)
            case .timeout(let message, let type, let details, let cause):
                byte(Tag.timeout)
                text(message)
                integer(Int64(type.rawValue))
                optional(details) { $0.data($1.bytes) }
                optional(cause) { $0.failure($1) }
            case .server(let message, let nonRetryable):
                byte(Tag.server)
                text(message)
                byte(nonRetryable ? 1 : 0)
            case .reset(let message):
                byte(Tag.reset)
                text(message)
            }
        }

        mutating func traits(_ traits: FailureTraits) {
            byte(traits.kind.rawValue)
            text(traits.type)
            byte(traits.nonRetryable ? 1 : 0)
            optional(traits.nextRetryDelay) { $0.integer($1.nanoseconds) }
            optional(traits.timeoutType) { $0.integer(Int64($1.rawValue)) }
            text(traits.message)
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        mutating func byte() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }

        mutating func integer() -> Int64? {
            guard bytes.count - position >= 8 else { return nil }
            defer { position += 8 }
            return bytes[position..<position + 8].reduce(0) { $0 << 8 | Int64($1) }
        }

        mutating func data() -> [UInt8]? {
            guard let count = integer(), count >= 0, count <= bytes.count - position else { return nil }
            defer { position += Int(count) }
            return Array(bytes[position..<position + Int(count)])
        }

        mutating func text() -> String? { data().map { String(decoding: $0, as: UTF8.self) } }

        mutating func flag() -> Bool? {
            switch byte() {
            case 0: false
            case 1: true
            default: nil
            }
        }

        /// Nil when the bytes are bad; `.some(nil)` when the value is absent.
        mutating func optional<Value>(_ take: (inout Reader) -> Value?) -> Value?? {
            guard let isPresent = flag() else { return nil }
            if !isPresent { return .some(nil) }
            guard let value = take(&self) else { return nil }
            return .some(value)
        }

        mutating func timeoutType() -> TimeoutType? {
            integer().flatMap { TimeoutType(rawValue: Int32(truncatingIfNeeded: $0)) }
        }

        mutating func failure(depth: Int) -> Failure? {
            guard depth < FailureCodec.depthMax else { return nil }
            switch byte() {
            case Tag.opaque:
                guard let blob = data(), let traits = traits() else { return nil }
                return .opaque(Blob(blob), traits: traits)
            case Tag.timeout:
                guard let message = text(), let type = timeoutType(), let details = optional({ $0.data() }),
                    let cause = optional({ $0.failure(depth: depth + 1) })
                else { return nil }
                return .timeout(
                    message: message, type: type, lastHeartbeatDetails: details.map { Blob($0) }, cause: cause)
            case Tag.server:
                guard let message = text(), let nonRetryable = flag() else { return nil }
                return .server(message: message, nonRetryable: nonRetryable)
            case Tag.reset:
                return text().map { .reset(message: $0) }
            default:
                return nil
            }
        }

        mutating func traits() -> FailureTraits? {
            guard let kind = byte().flatMap({ FailureTraits.Kind(rawValue: $0) }), let type = text(),
                let nonRetryable = flag(),
                let delay = optional({ $0.integer() }), let timeoutType = optional({ $0.timeoutType() }),
                let message = text()
            else { return nil }
            return FailureTraits(
                kind: kind, type: type, nonRetryable: nonRetryable,
                nextRetryDelay: delay.map { TimeSpan(nanoseconds: $0) },
                timeoutType: timeoutType, message: message)
        }
    }
}
