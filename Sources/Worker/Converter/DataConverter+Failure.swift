import TemporalCodec

extension DataConverter {
    /// The name this library leaves in a failure it makes.
    public static let failureSource = "SwiftSDK"

    /// The encoded `temporal.api.failure.v1.Failure` for any error, with its causes.
    ///
    /// Total: details that cannot be encoded are left out, and the message says so, because losing a detail is better than
    /// losing the failure.
    public func failure(for error: any Error) -> [UInt8] { encode(error, depth: 0) }

    /// The error in an encoded `temporal.api.failure.v1.Failure`.
    ///
    /// Total: bytes that are no failure give an ``OtherFailure``.
    public func error(fromFailure wire: some Collection<UInt8>) -> any TemporalFailure {
        do {
            return try FailureReading(wire: Array(wire)[...], converter: self, depth: 0).failure
        } catch {
            return OtherFailure("\(error)", cause: nil, stackTrace: "", source: Self.failureSource, wire: Array(wire))
        }
    }

    /// A cause chain longer than this is cut.
    static var failureDepthMax: Int { 32 }
}

/// Text of a failure that went through the codec, as the other SDKs write it.
private struct FailureText: Codable {
    var message: String
    var stackTrace: String
    enum CodingKeys: String, CodingKey {
        case message
        case stackTrace = "stack_trace"
    }
}

// MARK: - Outwards

extension DataConverter {
    private func encode(_ error: any Error, depth: Int) -> [UInt8] {
        let failure = Self.temporalFailure(for: error)
        if let other = failure as? OtherFailure, !other.wire.isEmpty { return other.wire }
        var writer = ProtobufWriter()
        let info = information(of: failure)
        let message = info.lostDetails ? failure.message + " (details could not be encoded)" : failure.message
        let source = failure.source.isEmpty ? Self.failureSource : failure.source
        let text =
            encodesFailureText ? try? payload(for: FailureText(message: message, stackTrace: failure.stackTrace)) : nil
        writer.text(1, text == nil ? message : "Encoded failure")
        writer.text(2, source)
        if text == nil { writer.text(3, failure.stackTrace) }
        if let cause = failure.cause, depth < Self.failureDepthMax { writer.field(4, encode(cause, depth: depth + 1)) }
        if let number = info.number { writer.field(number, info.body) }
        if let text { writer.field(20, text.wire) }
        return writer.bytes
    }

    /// Any Swift error as one of the failures of the protocol.
    static func temporalFailure(for error: any Error) -> any TemporalFailure {
        switch error {
        case let failure as any TemporalFailure: return failure
        case let convertible as any ApplicationFailureConvertible: return convertible.applicationFailure
        case is CancellationError: return CanceledFailure()
        default:
            return ApplicationFailure("\(error)", type: "\(Swift.type(of: error))", source: failureSource)
        }
    }

    private struct Information {
        var number: Int?
        var body: [UInt8] = []
        var lostDetails = false
    }

    /// The `failure_info` of a failure: its field number and its bytes.
    private func information(of failure: any TemporalFailure) -> Information {
        var writer = ProtobufWriter()
        var lost = false
        func details(_ details: FailureDetails) -> [UInt8] {
            guard !details.isEmpty else { return [] }
            do { return try details.wire(self) } catch {
                lost = true
                return []
            }
        }
        func finish(_ number: Int) -> Information {
            Information(number: number, body: writer.bytes, lostDetails: lost)
        }
        switch failure {
        case let failure as ApplicationFailure:
            writer.text(1, failure.type)
            writer.number(2, failure.isNonRetryable ? 1 : 0)
            let body = details(failure.details)
            if !body.isEmpty { writer.field(3, body) }
            if let delay = failure.nextRetryDelay { writer.field(4, delay.wire) }
            writer.number(5, Int64(failure.category.rawValue))
            return finish(5)
        case let failure as TimeoutFailure:
            writer.number(1, Int64(failure.kind.rawValue))
            let body = details(failure.lastHeartbeatDetails)
            if !body.isEmpty { writer.field(2, body) }
            return finish(6)
        case let failure as CanceledFailure:
            let body = details(failure.details)
            if !body.isEmpty { writer.field(1, body) }
            writer.text(2, failure.identity)
            return finish(7)
        case let failure as TerminatedFailure:
            writer.text(1, failure.identity)
            return finish(8)
        case let failure as ServerFailure:
            writer.number(1, failure.isNonRetryable ? 1 : 0)
            return finish(9)
        case let failure as ResetWorkflowFailure:
            let body = details(failure.lastHeartbeatDetails)
            if !body.isEmpty { writer.field(1, body) }
            return finish(10)
        case let failure as ActivityFailure:
            return Information(number: 11, body: Self.body(of: failure))
        case let failure as ChildWorkflowFailure:
            return Information(number: 12, body: Self.body(of: failure))
        default: return Information()
        }
    }

    private static func body(of failure: ActivityFailure) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.number(1, failure.scheduledEventID)
        writer.number(2, failure.startedEventID)
        writer.text(3, failure.identity)
        writer.field(4, named(failure.activityType))
        writer.text(5, failure.activityID)
        writer.number(6, Int64(failure.retryOutcome.rawValue))
        return writer.bytes
    }

    private static func body(of failure: ChildWorkflowFailure) -> [UInt8] {
        var execution = ProtobufWriter()
        execution.text(1, failure.workflowID)
        execution.text(2, failure.runID)
        var writer = ProtobufWriter()
        writer.text(1, failure.namespace)
        writer.field(2, execution.bytes)
        writer.field(3, named(failure.workflowType))
        writer.number(4, failure.initiatedEventID)
        writer.number(5, failure.startedEventID)
        writer.number(6, Int64(failure.retryOutcome.rawValue))
        return writer.bytes
    }

    private static func named(_ name: String) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.text(1, name)
        return writer.bytes
    }
}

// MARK: - Inwards

/// One failure being read, with its causes.
private struct FailureReading {
    let failure: any TemporalFailure

    init(wire: ArraySlice<UInt8>, converter: DataConverter, depth: Int) throws(MalformedMessage) {
        var message = ""
        var source = ""
        var stackTrace = ""
        var cause: (any Error)?
        var info: (number: Int, body: ArraySlice<UInt8>)?
        var reader = ProtobufReader(wire)
        while let (number, value) = try reader.next() {
            switch number {
            case 1: message = value.text
            case 2: source = value.text
            case 3: stackTrace = value.text
            case 4 where depth < DataConverter.failureDepthMax:
                cause = try FailureReading(wire: value.body, converter: converter, depth: depth + 1).failure
            case 5...19: info = (number, value.body)
            case 20:
                if let payload = try? Payload(wire: value.body),
                    let text = try? converter.value(FailureText.self, from: payload)
                {
                    message = text.message
                    stackTrace = text.stackTrace
                }
            default: continue
            }
        }
        let fields = try Fields(info?.body ?? [])
        let head = Head(message: message, cause: cause, stackTrace: stackTrace, source: source)
        switch info?.number {
        case 5: failure = try Self.application(fields, head, converter)
        case 6:
            failure = TimeoutFailure(
                message, kind: TimeoutFailure.Kind(rawValue: fields.enumeration(1)) ?? .unspecified,
                lastHeartbeatDetails: try FailureDetails(wire: fields.body(2), converter: converter), cause: cause,
                stackTrace: stackTrace, source: source)
        case 7:
            failure = CanceledFailure(
                message, details: try FailureDetails(wire: fields.body(1), converter: converter),
                identity: fields.text(2),
                cause: cause, stackTrace: stackTrace, source: source)
        case 8:
            failure = TerminatedFailure(
                message, identity: fields.text(1), cause: cause, stackTrace: stackTrace, source: source)
        case 9:
            failure = ServerFailure(
                message, isNonRetryable: fields.integer(1) != 0, cause: cause, stackTrace: stackTrace, source: source)
        case 10:
            failure = ResetWorkflowFailure(
                message, lastHeartbeatDetails: try FailureDetails(wire: fields.body(1), converter: converter),
                cause: cause,
                stackTrace: stackTrace, source: source)
        case 11: failure = try Self.activity(fields, head)
        case 12: failure = try Self.child(fields, head)
        default:
            failure = OtherFailure(message, cause: cause, stackTrace: stackTrace, source: source, wire: Array(wire))
        }
    }

    private struct Head {
        var message: String
        var cause: (any Error)?
        var stackTrace: String
        var source: String
    }

    private static func application(_ fields: Fields, _ head: Head, _ converter: DataConverter) throws(MalformedMessage)
        -> ApplicationFailure
    {
        ApplicationFailure(
            head.message, type: fields.text(1), isNonRetryable: fields.integer(2) != 0,
            details: try FailureDetails(wire: fields.body(3), converter: converter),
            nextRetryDelay: try fields.value(4).map { value throws(MalformedMessage) in try Duration(wire: value.body)
            },
            category: ApplicationFailure.Category(rawValue: fields.enumeration(5)) ?? .unspecified, cause: head.cause,
            stackTrace: head.stackTrace, source: head.source)
    }

    private static func activity(_ fields: Fields, _ head: Head) throws(MalformedMessage) -> ActivityFailure {
        ActivityFailure(
            head.message, activityType: try Fields(fields.body(4)).text(1), activityID: fields.text(5),
            scheduledEventID: fields.integer(1), startedEventID: fields.integer(2), identity: fields.text(3),
            retryOutcome: RetryOutcome(rawValue: fields.enumeration(6)) ?? .unspecified, cause: head.cause,
            stackTrace: head.stackTrace, source: head.source)
    }

    private static func child(_ fields: Fields, _ head: Head) throws(MalformedMessage) -> ChildWorkflowFailure {
        let execution = try Fields(fields.body(2))
        return ChildWorkflowFailure(
            head.message, namespace: fields.text(1), workflowID: execution.text(1), runID: execution.text(2),
            workflowType: try Fields(fields.body(3)).text(1), initiatedEventID: fields.integer(4),
            startedEventID: fields.integer(5),
            retryOutcome: RetryOutcome(rawValue: fields.enumeration(6)) ?? .unspecified,
            cause: head.cause, stackTrace: head.stackTrace, source: head.source)
    }

    /// The fields of a small message by number; of a repeated one the last.
    private struct Fields {
        private var values: [Int: ProtobufReader.Value] = [:]

        init(_ body: ArraySlice<UInt8>) throws(MalformedMessage) {
            var reader = ProtobufReader(body)
            while let (number, value) = try reader.next() { values[number] = value }
        }

        func value(_ number: Int) -> ProtobufReader.Value? { values[number] }
        func text(_ number: Int) -> String { values[number]?.text ?? "" }
        func body(_ number: Int) -> ArraySlice<UInt8> { values[number]?.body ?? [] }
        func integer(_ number: Int) -> Int64 { values[number]?.integer ?? 0 }
        func enumeration(_ number: Int) -> Int32 { Int32(truncatingIfNeeded: integer(number)) }
    }
}

extension Duration {
    /// The encoded `google.protobuf.Duration`.
    var wire: [UInt8] {
        var writer = ProtobufWriter()
        writer.number(1, components.seconds)
        writer.number(2, components.attoseconds / 1_000_000_000)
        return writer.bytes
    }

    init(wire: ArraySlice<UInt8>) throws(MalformedMessage) {
        self = .zero
        var reader = ProtobufReader(wire)
        while let (number, value) = try reader.next() {
            if number == 1 { self += .seconds(value.integer) }
            if number == 2 { self += .nanoseconds(value.integer) }
        }
    }
}
