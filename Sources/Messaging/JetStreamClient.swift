public import Logging
import Synchronization

/// The broker as the rest of the program sees it: connects, reconnects with back-off, and says so.
///
/// Calls fail with ``NATSError/notConnected`` while there is no session; nothing is queued here.
public final class JetStreamClient: Sendable {
    private struct State {
        var connection: JetStreamConnection?
        var listeners: [Int: AsyncStream<Bool>.Continuation] = [:]
        var nextListener = 0
    }
    private let state = Mutex(State())
    private let configuration: NATSConfiguration
    private let log: Logger

    public init(_ configuration: NATSConfiguration, log: Logger) {
        self.configuration = configuration
        self.log = log
    }

    /// Keeps a session open until the task is cancelled.
    public func run() async {
        var pause = MessagingLimits.reconnectMillisecondsMin
        while !Task.isCancelled {
            do throws(NATSError) {
                let connection = try await JetStreamConnection.connect(configuration)
                pause = MessagingLimits.reconnectMillisecondsMin
                log.info("connected to NATS", metadata: ["url": "\(configuration.url)"])
                await hold(connection)
                if !Task.isCancelled { log.warning("lost the connection to NATS") }
            } catch {
                log.debug("cannot connect to NATS", metadata: ["error": "\(error)"])
            }
            let wait = Int.random(
                in: MessagingLimits.reconnectMillisecondsMin...max(pause, MessagingLimits.reconnectMillisecondsMin + 1))
            try? await Task.sleep(for: .milliseconds(wait))
            pause = min(pause * 2, MessagingLimits.reconnectMillisecondsMax)
        }
    }

    private func hold(_ connection: JetStreamConnection) async {
        let (closed, signal) = AsyncStream<Void>.makeStream()
        connection.router.whenClosed { signal.finish() }
        change(to: connection)
        await withTaskCancellationHandler {
            for await _ in closed {}
        } onCancel: {
            connection.close()
        }
        change(to: nil)
        connection.close()
    }

    private func change(to connection: JetStreamConnection?) {
        let listeners = state.withLock { state in
            state.connection = connection
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.yield(connection != nil) }
    }

    /// `true` on each new session, `false` on each loss; begins with the present state.
    public func connectionChanges() -> AsyncStream<Bool> {
        let (stream, continuation) = AsyncStream<Bool>.makeStream(bufferingPolicy: .unbounded)
        let (key, isConnected) = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            return (state.nextListener, state.connection != nil)
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: key) }
        }
        continuation.yield(isConnected)
        return stream
    }

    public var isConnected: Bool { state.withLock { $0.connection != nil } }

    func session() throws(NATSError) -> JetStreamConnection {
        guard let connection = state.withLock({ $0.connection }) else { throw .notConnected }
        return connection
    }

    /// Publishes in order and returns the stream sequences once all are acknowledged. One call at a time keeps the order.
    ///
    /// A refused message ends the session, so that nothing later overtakes it.
    public func publish(_ messages: [OutgoingMessage], stream: String) async throws(NATSError) -> [UInt64] {
        let connection = try session()
        do {
            return try await connection.publish(messages, stream: stream)
        } catch {
            connection.close()
            throw error
        }
    }

    public func prepareStream(name: String, subjects: [String], duplicateWindowSeconds: Int64 = 600)
        async throws(NATSError)
        -> StreamInfo
    {
        try await session().prepareStream(
            name: name, subjects: subjects, duplicateWindowSeconds: duplicateWindowSeconds)
    }

    public func messageID(stream: String, sequence: UInt64) async throws(NATSError) -> String? {
        try await session().messageID(stream: stream, sequence: sequence)
    }
}
