import Foundation
import SwiftProtobuf
import TemporalAPI

/// Typed calls of Temporal's workflow service over a ``Transport``: encoding, metadata, deadlines, retries.
struct WorkflowService: Sendable {
    let transport: any Transport
    let identity: String
    let namespace: String
    var retryPolicy: RPCRetryPolicy = .default
    var clock: any Clock<Duration> = ContinuousClock()

    /// The deadline of an ordinary call.
    static let callDeadline = Duration.seconds(30)
    /// The deadline of a call that waits for something to happen.
    static let longPollDeadline = Duration.seconds(70)

    static let clientName = "temporal-swift-aloft"
    static let clientVersion = "0.1.0"
    /// A closed run that another one follows is told as it was, because ``WorkflowHandle/result(followsRuns:)`` follows it.
    static let supportedFeatures = "follows-next-run-id"

    /// Makes one call, repeating it as the policy says.
    ///
    /// Repeating is safe because every request that changes something carries a request id or a task token.
    func call<Request: Message, Response: Message>(
        _ name: String, _ request: Request, as response: Response.Type = Response.self,
        deadline: Duration = WorkflowService.callDeadline, retry: RPCRetryPolicy? = nil
    ) async throws(RPCFailure) -> Response {
        let method = RPCMethod.workflowService(name)
        let policy = retry ?? retryPolicy
        let bytes = try Self.encoded(request)
        let started = ContinuousClock.now
        var attempt = 0
        while true {
            do {
                let answer = try await transport.call(method, request: bytes, metadata: metadata, deadline: deadline)
                return try Self.decoded(answer, method)
            } catch {
                attempt += 1
                guard let wait = policy.wait(after: error, attempt: attempt, elapsed: ContinuousClock.now - started)
                else {
                    throw error
                }
                do { try await clock.sleep(for: wait) } catch {
                    throw RPCFailure(.cancelled, "cancelled between attempts")
                }
            }
        }
    }

    private var metadata: RPCMetadata {
        var metadata: RPCMetadata = [
            ("client-name", Self.clientName), ("client-version", Self.clientVersion),
            ("supported-features", Self.supportedFeatures),
        ]
        if !namespace.isEmpty { metadata.append(("temporal-namespace", namespace)) }
        return metadata
    }

    private static func encoded(_ request: some Message) throws(RPCFailure) -> [UInt8] {
        do { return try request.serializedBytes() } catch {
            throw RPCFailure(.internalError, "the request cannot be encoded: \(error)")
        }
    }

    private static func decoded<Response: Message>(_ bytes: [UInt8], _ method: RPCMethod) throws(RPCFailure) -> Response
    {
        do { return try Response(serializedBytes: bytes) } catch {
            throw RPCFailure(.dataLoss, "the response of \(method.name) cannot be decoded: \(error)")
        }
    }
}
