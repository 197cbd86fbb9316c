/// A unary call of a gRPC service, named as on the wire.
public struct RPCMethod: Hashable, Sendable, CustomStringConvertible {
    /// The full name of the service, for example `temporal.api.workflowservice.v1.WorkflowService`.
    public let service: String
    public let name: String

    public init(service: String, name: String) {
        self.service = service
        self.name = name
    }

    /// A method of Temporal's workflow service.
    public static func workflowService(_ name: String) -> RPCMethod {
        RPCMethod(service: "temporal.api.workflowservice.v1.WorkflowService", name: name)
    }

    /// The path of the HTTP/2 request without the leading slash.
    public var description: String { "\(service)/\(name)" }
}

/// Text metadata of a call, in the order in which it is sent.
public typealias RPCMetadata = [(key: String, value: String)]

/// Carries encoded requests to a server and encoded responses back.
///
/// It knows no message: whoever calls has encoded the request and decodes the response. One transport serves many
/// concurrent calls. Cancelling the calling task abandons the call, and the server hears of it.
public protocol Transport: Sendable {
    /// Sends one request and waits for its response.
    ///
    /// - Parameters:
    ///   - deadline: How long the caller waits; the server is told.
    /// - Throws: ``RPCFailure`` with the server's answer, or with `unavailable`, `deadlineExceeded` or `cancelled` when there
    ///   was none; then it is unknown whether the server acted.
    func call(_ method: RPCMethod, request: [UInt8], metadata: RPCMetadata, deadline: Duration) async throws(RPCFailure)
        -> [UInt8]
}

/// A server in the same process: the same bytes, no network.
public struct InProcessTransport: Transport {
    /// Answers one call; throws an ``RPCFailure`` to answer with a status other than OK.
    public typealias Handler =
        @Sendable (_ method: RPCMethod, _ request: [UInt8], _ metadata: RPCMetadata, _ deadline: Duration) async throws
        -> [UInt8]
    private let handler: Handler

    /// - Parameter handler: Called on the caller's task; it honours the deadline and cancellation itself.
    public init(_ handler: @escaping Handler) { self.handler = handler }

    public func call(
        _ method: RPCMethod, request: [UInt8], metadata: RPCMetadata, deadline: Duration
    ) async throws(RPCFailure) -> [UInt8] {
        do {
            return try await handler(method, request, metadata, deadline)
        } catch let failure as RPCFailure {
            throw failure
        } catch is CancellationError {
            throw RPCFailure(.cancelled, "the caller went away")
        } catch {
            throw RPCFailure(.unknown, "\(error)")
        }
    }
}
