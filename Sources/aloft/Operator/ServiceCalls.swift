import ArgumentParser
import Foundation
import SwiftProtobuf
import Worker

/// Calls of the server's services by the messages of the protocol, for commands that no client library has.
struct ServiceCalls: Sendable {
    private static let deadline = Duration.seconds(30)
    static let operatorService = "temporal.api.operatorservice.v1.OperatorService"

    let transport: GRPCTransport
    let namespace: String

    func workflow<Request: Message, Response: Message>(
        _ name: String, _ request: Request, as: Response.Type = Response.self
    ) async throws -> Response {
        try await call(.workflowService(name), request)
    }

    func `operator`<Request: Message, Response: Message>(
        _ name: String, _ request: Request, as: Response.Type = Response.self
    ) async throws -> Response {
        try await call(RPCMethod(service: Self.operatorService, name: name), request)
    }

    private func call<Request: Message, Response: Message>(
        _ method: RPCMethod, _ request: Request
    ) async throws -> Response {
        let metadata: RPCMetadata = [("client-name", "aloft"), ("temporal-namespace", namespace)]
        let answer = try await transport.call(
            method, request: try request.serializedBytes(), metadata: metadata, deadline: Self.deadline)
        return try Response(serializedBytes: answer)
    }
}

extension ServerAddress {
    /// Connects, runs `body`, and turns failures into a message for standard error.
    func withCalls<Result: Sendable>(
        _ body: @Sendable @escaping (ServiceCalls) async throws -> Result
    ) async throws -> Result {
        let namespace = namespace
        do {
            return try await GRPCTransport.withTransport(try transportOptions) { transport in
                try await body(ServiceCalls(transport: transport, namespace: namespace))
            }
        } catch let failure as RPCFailure {
            let hint = failure.code == .unavailable ? " (is a server running at \(address)?)" : ""
            throw CommandFailure("\(failure.code): \(failure.message)\(hint)")
        }
    }
}

/// `3d`, `12h`, `90m`, `45s` on the command line.
struct SpanArgument: ExpressibleByArgument, Sendable {
    let seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()), count >= 0 else {
            return nil
        }
        seconds = count * unit
    }

    var duration: Google_Protobuf_Duration { Google_Protobuf_Duration(seconds: seconds) }

    /// The largest unit that says it without a rest.
    static func text(_ duration: Google_Protobuf_Duration) -> String {
        for (unit, size) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)]
        where duration.seconds > 0 && duration.seconds % size == 0 { return "\(duration.seconds / size)\(unit)" }
        return "\(duration.seconds)s"
    }
}
