import SwiftProtobuf
import Synchronization
import TemporalAPI

@testable import Worker

/// A server whose answers a test writes down: a closure for each method; every call is kept.
final class ScriptedServer: Sendable {
    struct Call: Sendable {
        var method: String
        var request: [UInt8]
        var metadata: [String: String]
        var deadline: Duration

        func request<Request: Message>(as type: Request.Type) throws -> Request {
            try Request(serializedBytes: request)
        }
    }
    typealias Answer = @Sendable (Call) async throws -> [UInt8]

    private struct State {
        var answers: [String: Answer] = [:]
        var calls: [Call] = []
        var waiting: [(isThere: @Sendable ([Call]) -> Bool, turn: CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())

    var transport: InProcessTransport {
        InProcessTransport { [self] method, request, metadata, deadline in
            let call = Call(
                method: method.name, request: request,
                metadata: Dictionary(metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }), deadline: deadline)
            let (answer, woken) = state.withLock { state in
                state.calls.append(call)
                let calls = state.calls
                let woken = state.waiting.filter { $0.isThere(calls) }.map(\.turn)
                state.waiting.removeAll { $0.isThere(calls) }
                return (state.answers[call.method], woken)
            }
            for turn in woken { turn.resume() }
            guard let answer else { throw RPCFailure(.unimplemented, "unknown method \(call.method)") }
            return try await answer(call)
        }
    }

    func on(_ method: String, _ answer: @escaping Answer) { state.withLock { $0.answers[method] = answer } }

    func on<Request: Message, Response: Message>(
        _ method: String, _ answer: @escaping @Sendable (Request) async throws -> Response
    ) {
        on(method) { call in try await answer(try Request(serializedBytes: call.request)).serializedBytes() }
    }

    func calls(_ method: String) -> [Call] { state.withLock { $0.calls.filter { $0.method == method } } }

    /// Returns when the method was called this often.
    func wait(for method: String, count: Int = 1) async {
        await withCheckedContinuation { turn in
            let isThere: @Sendable ([Call]) -> Bool = { $0.filter { $0.method == method }.count >= count }
            let isDone = state.withLock { state in
                if isThere(state.calls) { return true }
                state.waiting.append((isThere, turn))
                return false
            }
            if isDone { turn.resume() }
        }
    }

    func client(converter: DataConverter = .default, retryPolicy: RPCRetryPolicy = .never) -> WorkflowClient {
        WorkflowClient(
            transport: transport, namespace: "test", identity: "tester", converter: converter, retryPolicy: retryPolicy)
    }
}

/// Answers one call after another from a list; the last answer stays.
final class AnswerList<Value: Sendable>: Sendable {
    private let values: Mutex<[Value]>
    init(_ values: [Value]) { self.values = Mutex(values) }
    func next() -> Value { values.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
}

extension RPCFailure {
    /// A failure with one detail, as a server sends it in the trailer.
    init(_ code: Code, _ message: String, detail name: String, _ body: some Message) throws {
        let bytes: [UInt8] = try body.serializedBytes()
        self.init(code, message, details: [Detail(typeName: "temporal.api.errordetails.v1.\(name)", body: bytes)])
    }
}
