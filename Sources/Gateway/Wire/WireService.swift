import History
public import Runtime
import SwiftProtobuf

/// Temporal's WorkflowService without a transport: encoded requests in, encoded answers or gRPC errors out.
///
/// gRPC, HTTP/JSON and workers in the same process all come through ``handle(_:)``. Nothing is kept between calls.
public final class WireService: Sendable {
    let backend: any Backend
    let options: WireOptions
    let checks: RequestChecks

    public init(backend: any Backend, options: WireOptions = WireOptions()) {
        self.backend = backend
        self.options = options
        checks = RequestChecks(limits: options.limits)
    }

    /// Answers one call.
    ///
    /// Cancelling the task ends a long poll; no task is lost by it. A repeated request is as harmless as its `request_id` makes it.
    public func handle(_ call: WireCall) async -> Result<[UInt8], WireFailure> {
        guard let entry = Self.entry(for: call.method) else { return .failure(Self.unknown(call.method)) }
        if call.request.count > options.requestBytesMax {
            return .failure(
                .requestTooLarge(
                    call.request.count, isCompressed: call.metadata(named: "grpc-encoding") == "gzip",
                    max: options.requestBytesMax))
        }
        do {
            return .success(try await entry.run(self, call))
        } catch {
            return .failure(WireFailure(any: error))
        }
    }

    /// May a call of this method wait for something to happen? Only such calls are worth cancelling.
    public static func mayWait(_ method: WireMethod) -> Bool { entry(for: method)?.mayWait ?? false }

    /// Every method that is served.
    public static var methods: [WireMethod] {
        WireEntry.workflowService.keys.map { WireMethod(name: $0) }
            + WireEntry.operatorService.keys.map { WireMethod(service: WireMethod.operatorService, name: $0) }
    }

    /// Is this method served?
    public static func isKnown(_ method: WireMethod) -> Bool { entry(for: method) != nil }

    private static func entry(for method: WireMethod) -> WireEntry? {
        if method == .deliverMessage { return WireEntry.deliverMessage }
        switch method.service {
        case WireMethod.workflowService: return WireEntry.workflowService[method.name]
        case WireMethod.operatorService: return WireEntry.operatorService[method.name]
        default: return nil
        }
    }

    static func unknown(_ method: WireMethod) -> WireFailure {
        switch method.service {
        case WireMethod.workflowService, WireMethod.operatorService, WireMethod.healthService:
            WireFailure(.unimplemented, "unknown method \(method.name) for service \(method.service)")
        default: WireFailure(.unimplemented, "unknown service \(method.service)")
        }
    }

    // MARK: What every handler needs

    var now: Timestamp { options.now() }

    func namespace(_ name: String) async throws -> Namespace {
        if name.isEmpty { throw Rejection.invalid("Namespace is empty.") }
        try checks.length(name, "Namespace")
        return try await backend.namespace(named: name)
    }

    /// When a long poll of at most `wait` has to be over.
    func deadline(of call: WireCall, wait: TimeSpan) -> Timestamp {
        let latest = now.advanced(by: wait)
        guard let theirs = call.deadline else { return latest }
        return min(latest, theirs.advanced(by: TimeSpan(nanoseconds: -options.deadlineMargin.nanoseconds)))
    }

    /// - Throws: FAILED_PRECONDITION when the caller gives a poll too little time to be worth it.
    func pollDeadline(of call: WireCall) throws(Rejection) -> Timestamp {
        if let theirs = call.deadline, theirs.since(now) < options.pollTimeMin {
            throw Rejection(.failedPrecondition, "Context timeout is too short.")
        }
        return deadline(of: call, wait: options.pollWait)
    }
}

/// How a method is served.
struct WireEntry: Sendable {
    let mayWait: Bool
    let run: @Sendable (WireService, WireCall) async throws -> [UInt8]
    /// The encoded request from its JSON.
    let read: @Sendable (JSONValue) throws(Rejection) -> [UInt8]
    /// The JSON of the encoded response.
    let show: @Sendable ([UInt8], JSONTranscoder) throws -> JSONValue

    static let deliverMessage = WireEntry { service, call in try await service.deliverMessage(call) }

    private init(_ run: @escaping @Sendable (WireService, WireCall) async throws -> [UInt8]) {
        mayWait = false
        self.run = run
        // Not for people: there is no JSON of it.
        read = { _ throws(Rejection) in throw .invalid("the request has no JSON form") }
        show = { _, _ in .null }
    }

    init<Request: Message, Response: Message>(
        mayWait: Bool = false, _ body: @escaping @Sendable (WireService) -> (Request, WireCall) async throws -> Response
    ) {
        self.mayWait = mayWait
        read = { json throws(Rejection) in
            let request = try JSONTranscoder().read(json, as: Request.self)
            do {
                return try request.serializedBytes()
            } catch {
                throw .invalid("the request is not a valid \(Request.protoMessageName)")
            }
        }
        show = { try $1.show(Response(serializedBytes: $0)) }
        run = { service, call in
            let request: Request
            do {
                request = try Request(serializedBytes: call.request)
            } catch {
                throw Rejection.invalid("the request is not a valid \(Request.protoMessageName)")
            }
            return try await body(service)(request, call).serializedBytes()
        }
    }
}
