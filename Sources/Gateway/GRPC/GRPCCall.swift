import GRPCCore
import GRPCNIOTransportHTTP2
import History
import Logging
import SwiftProtobuf
import TemporalAPI

/// One stream of the gRPC server: reads the request, asks the service, writes the answer or the error.
struct GRPCCall: Sendable {
    typealias Stream = RPCStream<
        RPCAsyncSequence<RPCRequestPart<GRPCNIOTransportBytes>, any Error>,
        RPCWriter<RPCResponsePart<GRPCNIOTransportBytes>>.Closable
    >

    let service: WireService
    let logger: Logger

    func handle(_ stream: Stream, _ context: ServerContext) async {
        let method = WireMethod(
            service: stream.descriptor.service.fullyQualifiedService, name: stream.descriptor.method)
        let result: Result<[UInt8], WireFailure>
        do {
            let (metadata, request) = try await Self.read(stream.inbound)
            let call = WireCall(
                method: method, request: request, metadata: Self.plain(metadata),
                deadline: Self.deadline(metadata, service.now),
                principal: "")
            result = await answer(call, context)
        } catch {
            logger.debug("request could not be read", metadata: ["method": "\(method.name)"])
            result = .failure(WireFailure(.internalError, "the request could not be read"))
        }
        await Self.write(result, to: stream.outbound)
    }

    private func answer(_ call: WireCall, _ context: ServerContext) async -> Result<[UInt8], WireFailure> {
        if call.method.service == WireMethod.healthService { return HealthService.answer(call) }
        guard WireService.mayWait(call.method) else { return await service.handle(call) }
        // A waiting call is given up when its caller goes away or the server shuts down; any other is better finished.
        let waiting = Task { await service.handle(call) }
        return await withRPCCancellationHandler {
            await withTaskCancellationHandler {
                await waiting.value
            } onCancel: {
                waiting.cancel()
            }
        } onCancelRPC: {
            waiting.cancel()
        }
    }

    // MARK: The stream

    private static func read(
        _ inbound: RPCAsyncSequence<RPCRequestPart<GRPCNIOTransportBytes>, any Error>
    ) async throws -> (Metadata, [UInt8]) {
        var metadata = Metadata()
        for try await part in inbound {
            switch part {
            case .metadata(let received): metadata = received
            case .message(let bytes): return (metadata, bytes.withUnsafeBytes { [UInt8]($0) })
            }
        }
        throw RPCError(code: .internalError, message: "no request message")
    }

    private static func write(
        _ result: Result<[UInt8], WireFailure>, to outbound: RPCWriter<RPCResponsePart<GRPCNIOTransportBytes>>.Closable
    ) async {
        let parts: [RPCResponsePart<GRPCNIOTransportBytes>]
        switch result {
        case .success(let bytes):
            parts = [
                .metadata([:]), .message(GRPCNIOTransportBytes(bytes)), .status(Status(code: .ok, message: ""), [:]),
            ]
        case .failure(let failure):
            var trailers = Metadata()
            if !failure.statusDetails.isEmpty {
                trailers.addBinary(failure.statusDetails, forKey: "grpc-status-details-bin")
            }
            let code = Status.Code(rawValue: failure.code.rawValue) ?? .unknown
            parts = [.status(Status(code: code, message: failure.message), trailers)]
        }
        // A write fails only when the caller is gone.
        try? await outbound.write(contentsOf: parts)
        await outbound.finish()
    }

    private static func plain(_ metadata: Metadata) -> [(name: String, value: String)] {
        var plain: [(name: String, value: String)] = []
        for (key, value) in metadata {
            if case .string(let text) = value { plain.append((key, text)) }
        }
        return plain
    }

    /// `grpc-timeout` is a number of at most eight digits and a unit.
    static func deadline(_ metadata: Metadata, _ now: Timestamp) -> Timestamp? {
        for text in metadata[stringValues: "grpc-timeout"] {
            guard let unit = text.last, let count = Int64(text.dropLast()), (0...99_999_999).contains(count) else {
                return nil
            }
            switch unit {
            case "H": return now.advanced(by: .hours(count))
            case "M": return now.advanced(by: .minutes(count))
            case "S": return now.advanced(by: .seconds(count))
            case "m": return now.advanced(by: .milliseconds(count))
            case "u": return now.advanced(by: TimeSpan(nanoseconds: count * 1000))
            case "n": return now.advanced(by: TimeSpan(nanoseconds: count))
            default: return nil
            }
        }
        return nil
    }
}

/// `grpc.health.v1.Health`: the known services serve, others do not exist.
enum HealthService {
    static func answer(_ call: WireCall) -> Result<[UInt8], WireFailure> {
        guard call.method.name == "Check" else {
            return .failure(
                WireFailure(
                    .unimplemented, "unknown method \(call.method.name) for service \(WireMethod.healthService)"))
        }
        guard let request = try? Grpc_Health_V1_HealthCheckRequest(serializedBytes: call.request) else {
            return .failure(WireFailure(Rejection.invalid("the request is not a valid HealthCheckRequest")))
        }
        let known = ["", WireMethod.workflowService, WireMethod.healthService]
        guard known.contains(request.service) else {
            return .failure(WireFailure(.notFound, "unknown service"))
        }
        let response = Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serving }
        let bytes: [UInt8]? = try? response.serializedBytes()
        return .success(bytes ?? [])
    }
}
