/// Listens to channels on a connection of its own, and connects again whenever it is lost.
public struct PostgresListener: Sendable {
    public enum Event: Sendable, Hashable {
        /// Listening from now on: whatever was notified before may have been missed, so look once.
        case listening
        case notified(PostgresNotification)
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]

    /// - Parameter channels: Plain lower-case names.
    public init(_ configuration: PostgresConfiguration, channels: [String]) {
        for channel in channels {
            precondition(
                channel.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (97...122).contains($0) || (48...57).contains($0) }
            )
        }
        self.configuration = configuration
        self.channels = channels
    }

    /// Everything that is heard, until the consumer stops reading or its task is cancelled.
    ///
    /// A slow consumer loses notifications beyond a bound but never the fact that there were some.
    public func events() -> AsyncStream<Event> {
        AsyncStream(bufferingPolicy: .bufferingNewest(Self.bufferedEventsMax)) { continuation in
            let task = Task { await listen(continuation) }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private static let bufferedEventsMax = 1024

    private func listen(_ continuation: AsyncStream<Event>.Continuation) async {
        var backoff = Backoff()
        while !Task.isCancelled {
            let (ended, end) = AsyncStream.makeStream(of: Never.self)
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(
                    configuration, onNotification: { continuation.yield(.notified($0)) }, onEnd: { end.finish() })
                try await connection.script(channels.map { "listen \($0);" }.joined(separator: "\n"))
                continuation.yield(.listening)
                backoff.reset()
                for await _ in ended {}
                connection.close()
            } catch {
                try? await Task.sleep(for: backoff.next())
            }
        }
        continuation.finish()
    }
}
