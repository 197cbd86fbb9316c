import CNats
import Glibc
import Synchronization

/// A message read from a stream.
public struct IncomingMessage: Sendable {
    public var subject: String
    public var sequence: UInt64
    public var headers: [String: String]
    public var body: [UInt8]
}

extension JetStreamClient {
    /// Reads a stream in order with an ordered consumer, from `sequence` (0 or 1: from the beginning), as long as the session lasts.
    ///
    /// - Parameter subject: a filter such as `aloft.default.history.>`.
    public func read(stream: String, subject: String, from sequence: UInt64) async throws(NATSError) -> AsyncStream<
        IncomingMessage
    > {
        let connection = try session()
        let (messages, continuation) = AsyncStream<IncomingMessage>.makeStream(bufferingPolicy: .unbounded)
        let sink = ReaderSink(continuation)
        connection.router.whenReaderShouldEnd { continuation.finish() }
        let subscription = try await connection.subscribe(stream: stream, subject: subject, from: sequence, sink: sink)
        continuation.onTermination = { _ in connection.unsubscribe(subscription) }
        return messages
    }
}

/// Takes messages on libnats' threads.
final class ReaderSink: Sendable {
    let continuation: AsyncStream<IncomingMessage>.Continuation
    init(_ continuation: AsyncStream<IncomingMessage>.Continuation) { self.continuation = continuation }
}

/// A subscription pointer on its way between threads; used on the connection's queue only.
struct SubscriptionPointer: @unchecked Sendable {
    let pointer: OpaquePointer
}

extension JetStreamConnection {
    func subscribe(stream: String, subject: String, from sequence: UInt64, sink: ReaderSink) async throws(NATSError)
        -> SubscriptionPointer
    {
        try await run { () throws(NATSError) in
            try self.withContext { context throws(NATSError) in
                var options = jsSubOptions()
                try check(jsSubOptions_Init(&options))
                let name = strdup(stream)
                defer { free(name) }
                options.Stream = UnsafePointer(name)
                options.Ordered = true
                if sequence > 1 {
                    options.Config.DeliverPolicy = js_DeliverByStartSequence
                    options.Config.OptStartSeq = sequence
                } else {
                    options.Config.DeliverPolicy = js_DeliverAll
                }
                var subscription: OpaquePointer?
                // Late callbacks may follow the end of the subscription: the sink (one pointer) is never freed.
                let closure = Unmanaged.passRetained(sink).toOpaque()
                try check(js_Subscribe(&subscription, context, subject, deliver, closure, nil, &options, nil))
                guard let subscription else { throw .failed("no subscription") }
                return SubscriptionPointer(pointer: subscription)
            }
        }
    }

    func unsubscribe(_ subscription: SubscriptionPointer) {
        Task {
            try? await self.run { () throws(NATSError) in
                natsSubscription_Unsubscribe(subscription.pointer)
                natsSubscription_Destroy(subscription.pointer)
            }
        }
    }
}

private func deliver(
    _ connection: OpaquePointer?, _ subscription: OpaquePointer?, _ message: OpaquePointer?,
    _ closure: UnsafeMutableRawPointer?
) {
    guard let message, let closure else { return }
    defer { natsMsg_Destroy(message) }
    let sink = Unmanaged<ReaderSink>.fromOpaque(closure).takeUnretainedValue()
    var metadata: UnsafeMutablePointer<jsMsgMetaData>?
    var sequence: UInt64 = 0
    if natsMsg_GetMetaData(&metadata, message) == NATS_OK, let metadata {
        sequence = metadata.pointee.Sequence.Stream
        jsMsgMetaData_Destroy(metadata)
    }
    var headers: [String: String] = [:]
    var keys: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    var count: Int32 = 0
    if natsMsgHeader_Keys(message, &keys, &count) == NATS_OK, let keys {
        for index in 0..<Int(count) {
            guard let key = keys[index] else { continue }
            var value: UnsafePointer<CChar>?
            if natsMsgHeader_Get(message, key, &value) == NATS_OK, let value {
                headers[String(cString: key)] = String(cString: value)
            }
        }
        free(UnsafeMutableRawPointer(mutating: keys))
    }
    let length = Int(natsMsg_GetDataLength(message))
    let body = natsMsg_GetData(message).map { data in
        data.withMemoryRebound(to: UInt8.self, capacity: length) {
            Array(UnsafeBufferPointer(start: $0, count: length))
        }
    }
    sink.continuation.yield(
        IncomingMessage(
            subject: String(cString: natsMsg_GetSubject(message)), sequence: sequence, headers: headers,
            body: body ?? []))
}
