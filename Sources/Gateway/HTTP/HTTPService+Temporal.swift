import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI

/// Temporal's HTTP/JSON paths, on top of the wire service.
extension HTTPService {
    func temporal(_ route: TemporalRoute, _ question: HTTPQuestion, _ values: PathValues) async -> HTTPAnswer {
        let accept = question.header("accept") ?? ""
        let content = question.header("content-type") ?? ""
        let isPretty = question.parameter("pretty") != nil || accept.contains("+pretty")
        let isFull =
            question.parameter("noPayloadShorthand") != nil || accept.contains("+no-payload-shorthand")
            || content.contains("+no-payload-shorthand")
        do {
            guard let entry = route.entry else { throw WireService.unknown(route.method) }
            let request = try entry.read(try Self.message(question, values, for: entry))
            let call = WireCall(
                method: route.method, request: request, metadata: question.headers,
                deadline: now.advanced(by: .seconds(Self.requestSeconds)))
            let transcoder = JSONTranscoder(forms: PayloadForms(usesShorthand: !isFull))
            return .json(try entry.show(try await wire.handle(call).get(), transcoder), pretty: isPretty)
        } catch {
            return Self.temporalError(WireFailure(any: error))
        }
    }

    private static let requestSeconds: Int64 = 30

    /// Path and query values laid over the body.
    private static func message(
        _ question: HTTPQuestion, _ values: PathValues, for entry: WireEntry
    ) throws(Rejection) -> JSONValue {
        var message = JSONValue.object([])
        if !question.body.isEmpty, question.method != "GET" {
            do {
                message = try JSONParser.parse(question.body)
            } catch {
                throw .invalid("the body is not valid JSON: \(error.reason) (at byte \(error.offset))")
            }
            guard message.members != nil else { throw .invalid("expected a JSON object, got \(message.kindName)") }
        }
        var names: [String] = []
        for parameter in question.query where !["pretty", "noPayloadShorthand"].contains(parameter.name) {
            if !names.contains(parameter.name) { names.append(parameter.name) }
        }
        for name in names {
            let texts = question.query.filter { $0.name == name }.map(\.value)
            set(&message, path: name, to: value(texts, of: name, for: entry))
        }
        for (path, value) in values.sorted(by: { $0.key < $1.key }) { set(&message, path: path, to: .string(value)) }
        return message
    }

    private static func set(_ message: inout JSONValue, path: String, to value: JSONValue) {
        let names = path.split(separator: ".").map { OpaqueField.camel(String($0)) }
        set(&message, names: names[...], to: value)
    }

    private static func set(_ message: inout JSONValue, names: ArraySlice<String>, to value: JSONValue) {
        guard let name = names.first else { return }
        // The body may spell the name either way; only one of the two may stay.
        if let members = message.members, let old = members.first(where: { OpaqueField.camel($0.name) == name }),
            old.name != name
        {
            message[old.name] = nil
            message[name] = old.value
        }
        if names.count == 1 {
            message[name] = value
            return
        }
        var inner = message[name] ?? .object([])
        if inner.members == nil { inner = .object([]) }
        set(&inner, names: names.dropFirst(), to: value)
        message[name] = inner
    }

    /// Query parameters are text; what the field wants to be is found by trying.
    private static func value(_ texts: [String], of path: String, for entry: WireEntry) -> JSONValue {
        let readings = texts.map(readings)
        let single = readings.last ?? []
        let lists = (0..<readingsMax).map { index in
            JSONValue.array(readings.map { $0.indices.contains(index) ? $0[index] : $0[0] })
        }
        for form in single + lists {
            var message = JSONValue.object([])
            set(&message, path: path, to: form)
            if (try? entry.read(message)) != nil { return form }
        }
        return single.first ?? .null
    }

    private static let readingsMax = 3

    /// A text as itself, as a flag, as a number; at most ``readingsMax``.
    private static func readings(_ text: String) -> [JSONValue] {
        var readings: [JSONValue] = [.string(text)]
        if text == "" || text == "true" || text == "1" { readings.append(.bool(true)) }
        if text == "false" || text == "0" { readings.append(.bool(false)) }
        if let number = Int64(text) { readings.append(.integer(number)) }
        return readings
    }

    static func temporalError(_ failure: WireFailure) -> HTTPAnswer {
        var details: [JSONValue] = []
        if detailsAreRegistered, let status = try? Google_Rpc_Status(serializedBytes: failure.statusDetails) {
            let shown = try? JSONTranscoder().show(status)
            details = shown?["details"]?.elements ?? []
        }
        let body = JSONValue.record(
            ("code", .integer(failure.code.rawValue)), ("message", .string(failure.message)),
            ("details", .array(details)))
        return .json(body, status: httpStatus(failure.code))
    }

    private static let detailsAreRegistered: Bool = {
        let types: [any SwiftProtobuf.Message.Type] = [
            Temporal_Api_Errordetails_V1_NotFoundFailure.self,
            Temporal_Api_Errordetails_V1_NamespaceNotFoundFailure.self,
            Temporal_Api_Errordetails_V1_NamespaceAlreadyExistsFailure.self,
            Temporal_Api_Errordetails_V1_NamespaceInvalidStateFailure.self,
            Temporal_Api_Errordetails_V1_QueryFailedFailure.self,
            Temporal_Api_Errordetails_V1_WorkflowExecutionAlreadyStartedFailure.self,
            Temporal_Api_Errordetails_V1_WorkflowNotReadyFailure.self,
            Temporal_Api_Errordetails_V1_PermissionDeniedFailure.self,
            Temporal_Api_Errordetails_V1_ResourceExhaustedFailure.self,
        ]
        for type in types { Google_Protobuf_Any.register(messageType: type) }
        return true
    }()

    private static func httpStatus(_ code: WireFailure.Code) -> Int {
        switch code {
        case .invalidArgument, .failedPrecondition, .outOfRange: 400
        case .unauthenticated: 401
        case .permissionDenied: 403
        case .notFound: 404
        case .alreadyExists, .aborted: 409
        case .resourceExhausted: 429
        case .cancelled: 499
        case .unknown, .internalError, .dataLoss: 500
        case .unimplemented: 501
        case .unavailable: 503
        case .deadlineExceeded: 504
        }
    }
}
