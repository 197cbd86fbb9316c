import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import Gateway
import Glibc
import History
import Logging
import Runtime
import SwiftProtobuf
import Synchronization
import TemporalAPI
import Testing

@Suite("gRPC over a real socket", .serialized)
struct GRPCServerTests {
    struct Bytes: MessageSerializer, MessageDeserializer {
        func serialize<Buffer: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Buffer { Buffer(message) }
        func deserialize<Buffer: GRPCContiguousBytes>(_ bytes: Buffer) throws -> [UInt8] {
            bytes.withUnsafeBytes { [UInt8]($0) }
        }
    }

    struct Client: Sendable {
        let client: GRPCClient<HTTP2ClientTransport.Posix>

        func call(
            _ method: String, _ request: some Message, service: String = WireMethod.workflowService, gzip: Bool = false,
            timeout: Duration = .seconds(120)
        ) async throws -> [UInt8] {
            var options = CallOptions.defaults
            options.timeout = timeout
            options.compression = gzip ? .gzip : CompressionAlgorithm.none
            options.maxRequestMessageBytes = 64 << 20
            let bytes: [UInt8] = try request.serializedBytes()
            return try await client.unary(
                request: ClientRequest(message: bytes),
                descriptor: MethodDescriptor(fullyQualifiedService: service, method: method),
                serializer: Bytes(), deserializer: Bytes(), options: options
            ) { try $0.message }
        }

        func error(
            _ method: String, _ request: some Message, service: String = WireMethod.workflowService, gzip: Bool = false
        ) async throws -> RPCError {
            do {
                _ = try await call(method, request, service: service, gzip: gzip)
            } catch let error as RPCError {
                return error
            }
            throw UnexpectedSuccess()
        }
    }

    /// Serves a backend on a free port for the time of `body`.
    static func serving(
        _ backend: any Backend, _ body: @Sendable (Client, Int) async throws -> Void
    ) async throws {
        let server = try GRPCServer(
            service: WireService(backend: backend), options: GRPCServerOptions(port: 0), logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let port = try await server.port
            let client = GRPCClient(
                transport: try HTTP2ClientTransport.Posix(
                    target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext,
                    config: .defaults { $0.compression = .init(algorithm: .none, enabledAlgorithms: [.gzip, .none]) }))
            group.addTask { try await client.runConnections() }
            let result = await Result { try await body(Client(client: client), port) }
            client.beginGracefulShutdown()
            server.shutDown()
            try await group.waitForAll()
            try result.get()
        }
    }

    @Test("Calls are answered, compressed or not")
    func calls() async throws {
        let backend = ScriptedBackend()
        try await Self.serving(backend) { client, _ in
            for gzip in [false, true] {
                let bytes = try await client.call("StartWorkflowExecution", Requests.start(), gzip: gzip)
                let answer = try Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse(serializedBytes: bytes)
                #expect(answer.started)
                let info = try await client.call("GetSystemInfo", Google_Protobuf_Empty(), gzip: gzip)
                #expect(!info.isEmpty)
            }
        }
        #expect(backend.state.withLock { $0.starts.count } == 2)
    }

    @Test("Errors carry their code, text and details")
    func errors() async throws {
        try await Self.serving(ScriptedBackend()) { client, _ in
            let error = try await client.error(
                "StartWorkflowExecution", Requests.start { $0.namespace = "nowhere" }, gzip: true)
            #expect(error.code == .notFound && error.message == "Namespace nowhere is not found.")
            let details = try #require(error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true })
            let status = try Google_Rpc_Status(serializedBytes: details)
            #expect(status.code == 5 && status.details.count == 1)
            let unknown = try await client.error("Nonsense", Google_Protobuf_Empty())
            #expect(unknown.code == .unimplemented)
            #expect(
                unknown.message == "unknown method Nonsense for service temporal.api.workflowservice.v1.WorkflowService"
            )
            let rules = try await client.error("ListWorkflowRules", Google_Protobuf_Empty())
            #expect(rules.code == .unimplemented)
            let service = try await client.error("Do", Google_Protobuf_Empty(), service: "no.such.Service")
            #expect(service.code == .unimplemented && service.message == "unknown service no.such.Service")
        }
    }

    @Test(
        "A message above the limit is refused with the text that SDKs look for, and nothing starts",
        arguments: [false, true])
    func tooLarge(gzip: Bool) async throws {
        let backend = ScriptedBackend()
        try await Self.serving(backend) { client, _ in
            let request = Requests.start { $0.input = Data(count: 5 << 20) }
            let error = try await client.error("StartWorkflowExecution", request, gzip: gzip)
            #expect(error.code == .resourceExhausted)
            #expect(
                error.message.hasPrefix(
                    gzip
                        ? "grpc: received message after decompression larger than max"
                        : "grpc: received message larger than max"))
        }
        #expect(backend.state.withLock { $0.starts.isEmpty })
    }

    @Test("Health knows our services and no others")
    func health() async throws {
        try await Self.serving(ScriptedBackend()) { client, _ in
            for name in ["", WireMethod.workflowService] {
                let bytes = try await client.call(
                    "Check", Grpc_Health_V1_HealthCheckRequest.with { $0.service = name },
                    service: WireMethod.healthService)
                #expect(try Grpc_Health_V1_HealthCheckResponse(serializedBytes: bytes).status == .serving)
            }
            let error = try await client.error(
                "Check", Grpc_Health_V1_HealthCheckRequest.with { $0.service = "nope" },
                service: WireMethod.healthService)
            #expect(error.code == .notFound && error.message == "unknown service")
        }
    }

    @Test("A poll whose caller goes away is cancelled")
    func cancelledPoll() async throws {
        let arrived = AsyncStream<Void>.makeStream()
        let ended = AsyncStream<Void>.makeStream()
        let backend = ScriptedBackend(onPollWorkflow: { _ in
            arrived.continuation.yield()
            defer { ended.continuation.yield() }
            try await Task.sleep(for: .seconds(60))
            return nil
        })
        try await Self.serving(backend) { client, _ in
            let poll = Task { try await client.call("PollWorkflowTaskQueue", Requests.poll(), timeout: .seconds(60)) }
            for await _ in arrived.stream { break }
            poll.cancel()
            for await _ in ended.stream { break }
            _ = await poll.result
        }
        #expect(backend.state.withLock { $0.cancelledPolls } == 1)
    }

    @Test("A shutdown ends parked polls")
    func shutdown() async throws {
        let arrived = AsyncStream<Void>.makeStream()
        let backend = ScriptedBackend(onPollWorkflow: { _ in
            arrived.continuation.yield()
            try await Task.sleep(for: .seconds(60))
            return nil
        })
        try await Self.serving(backend) { client, _ in
            Task { try await client.call("PollWorkflowTaskQueue", Requests.poll(), timeout: .seconds(60)) }
            for await _ in arrived.stream { break }
        }
        #expect(backend.state.withLock { $0.cancelledPolls } == 1)
    }

    @Test(
        "Garbage and torn HTTP/2 hurt only their own connection",
        arguments: [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0xFF, 0x00, 0x13, 0x37],
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8),
            Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [
                0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 1, 4, 0, 0, 0, 1, 0x82,
            ],
        ])
    func garbage(bytes: [UInt8]) async throws {
        try await Self.serving(ScriptedBackend()) { client, port in
            try RawSocket.send(bytes, port: port)
            let info = try await client.call("GetSystemInfo", Google_Protobuf_Empty())
            #expect(!info.isEmpty)
        }
    }
}

enum RawSocket {
    struct Failed: Error { let code: Int32 }

    /// Connects, writes and hangs up.
    static func send(_ bytes: [UInt8], port: Int) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failed(code: errno) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, write(descriptor, bytes, bytes.count) == bytes.count else { throw Failed(code: errno) }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
