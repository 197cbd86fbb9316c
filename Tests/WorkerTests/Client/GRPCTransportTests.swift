import GRPCCore
import GRPCNIOTransportHTTP2
import SwiftProtobuf
import Synchronization
import TemporalAPI
import TemporalCodec
import Testing

@testable import Worker

/// A gRPC server that answers a few methods with raw bytes.
private struct RawService: RegistrableRPCService {
    struct Bytes: MessageSerializer, MessageDeserializer {
        func serialize<Output: GRPCContiguousBytes>(_ message: [UInt8]) -> Output { Output(message) }
        func deserialize<Input: GRPCContiguousBytes>(_ bytes: Input) -> [UInt8] {
            bytes.withUnsafeBytes { [UInt8]($0) }
        }
    }
    let arrived = AsyncStream<Void>.makeStream()
    let cancelled = AsyncStream<Void>.makeStream()

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        register("Echo", with: &router) { request, _ in
            var answer: [UInt8] = []
            for try await part in request.messages { answer += part }
            for key in ["authorization", "temporal-namespace", "extra"] {
                answer += Array((request.metadata[stringValues: key].first { _ in true } ?? "-").utf8)
            }
            return answer
        }
        register("Fail", with: &router) { _, _ in
            var any = ProtobufWriter()
            any.text(1, "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure")
            any.field(2, [])
            var status = ProtobufWriter()
            status.number(1, 5)
            status.text(2, "gone")
            status.field(3, any.bytes)
            throw RPCError(
                code: .notFound, message: "gone", metadata: ["grpc-status-details-bin": .binary(status.bytes)])
        }
        register("Wait", with: &router) { [arrived, cancelled] _, context in
            arrived.continuation.finish()
            try? await context.cancellation.cancelled
            cancelled.continuation.finish()
            return []
        }
    }

    private func register<Transport: ServerTransport>(
        _ name: String, with router: inout RPCRouter<Transport>,
        _ answer: @escaping @Sendable (StreamingServerRequest<[UInt8]>, ServerContext) async throws -> [UInt8]
    ) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "test.Raw", method: name), deserializer: Bytes(),
            serializer: Bytes()
        ) { request, context in
            StreamingServerResponse(single: ServerResponse(message: try await answer(request, context)))
        }
    }
}

@Suite("gRPC transport")
struct GRPCTransportTests {
    private func method(_ name: String) -> RPCMethod { RPCMethod(service: "test.Raw", name: name) }

    /// Runs a server and a client on a free port of this machine.
    private func withPair(
        _ change: (inout GRPCTransportOptions) -> Void = { _ in },
        _ body: @Sendable (GRPCTransport, RawService) async throws -> Void
    ) async throws {
        let service = RawService()
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext,
            config: .defaults { $0.compression.enabledAlgorithms = [.gzip, .none] })
        var options = GRPCTransportOptions()
        change(&options)
        let base = options
        try await withGRPCServer(transport: transport, services: [service]) { server in
            let address = try #require(try await server.listeningAddress?.ipv4)
            var options = base
            options.port = address.port
            try await GRPCTransport.withTransport(options) { client in try await body(client, service) }
        }
    }

    @Test("Bytes, metadata and the API key arrive", arguments: [false, true])
    func echo(compressed: Bool) async throws {
        try await withPair {
            $0.apiKey = "secret"
            $0.metadata = [("extra", "x")]
            $0.compressesRequests = compressed
        } _: { client, _ in
            let answer = try await client.call(
                method("Echo"), request: [1, 2], metadata: [("temporal-namespace", "n")], deadline: .seconds(120))
            #expect(answer == [1, 2] + Array("Bearer secretnx".utf8))
        }
    }

    @Test("A status comes back with its code, message and details")
    func status() async throws {
        try await withPair { client, _ in
            do {
                _ = try await client.call(method("Fail"), request: [], metadata: [], deadline: .seconds(120))
                Issue.record("expected a failure")
            } catch let error as RPCFailure {
                #expect(error.code == .notFound)
                #expect(error.message == "gone")
                #expect(error.detail("NotFoundFailure") == [])
            }
            do {
                _ = try await client.call(method("Missing"), request: [], metadata: [], deadline: .seconds(120))
                Issue.record("expected a failure")
            } catch let error as RPCFailure {
                #expect(error.code == .unimplemented)
            }
        }
    }

    @Test("A call ends at its deadline")
    func deadline() async throws {
        try await withPair { client, _ in
            do {
                _ = try await client.call(method("Wait"), request: [], metadata: [], deadline: .milliseconds(50))
                Issue.record("expected a failure")
            } catch let error as RPCFailure {
                #expect(error.code == .deadlineExceeded)
            }
        }
    }

    @Test("Many calls share the connection; a cancelled one ends alone, and the server hears of it")
    func shared() async throws {
        try await withPair { client, service in
            let waiting = Task {
                try await client.call(method("Wait"), request: [], metadata: [], deadline: .seconds(60))
            }
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for number in 0..<50 as Range<UInt8> {
                    group.addTask {
                        try await client.call(method("Echo"), request: [number], metadata: [], deadline: .seconds(120))
                    }
                }
                var numbers: Set<UInt8> = []
                for try await answer in group { numbers.insert(answer[0]) }
                #expect(numbers.count == 50)
            }
            for await _ in service.arrived.stream {}
            waiting.cancel()
            await #expect(throws: RPCFailure.self) { try await waiting.value }
            for await _ in service.cancelled.stream {}
        }
    }

    @Test("A server that is not there is unavailable or too late, not a hang")
    func nobody() async throws {
        var options = GRPCTransportOptions()
        options.port = 1
        try await GRPCTransport.withTransport(options) { client in
            do {
                _ = try await client.call(method("Echo"), request: [], metadata: [], deadline: .milliseconds(300))
                Issue.record("expected a failure")
            } catch let error as RPCFailure {
                #expect(error.code == .unavailable || error.code == .deadlineExceeded)
            }
        }
    }
}
