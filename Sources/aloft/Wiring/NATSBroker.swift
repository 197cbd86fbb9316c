import Messaging
import Runtime

/// JetStream as the relay wants it.
struct NATSBroker: Broker {
    let client: JetStreamClient

    func prepareStream(name: String, subjects: [String]) async throws(BrokerError) -> StreamState {
        do throws(NATSError) {
            let info = try await client.prepareStream(name: name, subjects: subjects)
            return StreamState(
                created: info.created, firstSequence: info.firstSequence, lastSequence: info.lastSequence)
        } catch {
            throw Self.translate(error)
        }
    }

    func publish(_ messages: [FeedMessage], stream: String) async throws(BrokerError) -> [UInt64] {
        do throws(NATSError) {
            return try await client.publish(
                messages.map { OutgoingMessage(subject: $0.subject, id: $0.id, headers: $0.headers, body: $0.body) },
                stream: stream)
        } catch {
            throw Self.translate(error)
        }
    }

    func messageID(stream: String, sequence: UInt64) async throws(BrokerError) -> String? {
        do throws(NATSError) {
            return try await client.messageID(stream: stream, sequence: sequence)
        } catch {
            throw Self.translate(error)
        }
    }

    func connectionChanges() -> AsyncStream<Bool> { client.connectionChanges() }

    private static func translate(_ error: NATSError) -> BrokerError {
        switch error {
        case .notConnected: .notConnected
        case .timeout: .timeout
        case .notFound: .refused("not found")
        case .tooLarge: .messageRefused("\(error)")
        case .failed(let text): .refused(text)
        }
    }
}
