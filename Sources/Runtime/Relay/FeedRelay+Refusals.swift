import History
import Logging
import Synchronization

/// What is known of messages that the broker does not take.
struct FeedRefusals: Sendable {
    /// A batch was refused: one of its messages is the cause, so they go one by one until all are through.
    var isCareful = false
    /// Why a message was refused when it went alone, by its id.
    var reasons: [String: String] = [:]
}

extension FeedRelay {
    /// Publishes a batch; returns the stream sequence of each message.
    ///
    /// A message that is refused alone is replaced by a short one that says so, under the same id, and becomes a dead letter:
    /// the feed goes on, and a reader who counts sees no gap.
    func publish(_ messages: [FeedMessage]) async throws -> [UInt64] {
        if !state.withLock({ $0.refusals.isCareful }) {
            do throws(BrokerError) {
                return try await broker.publish(messages, stream: FeedFormat.stream)
            } catch {
                if case .messageRefused = error { state.withLock { $0.refusals.isCareful = true } }
                throw error
            }
        }
        var sequences: [UInt64] = []
        for message in messages { sequences += try await publishAlone(message) }
        state.withLock { $0.refusals.isCareful = false }
        return sequences
    }

    private func publishAlone(_ message: FeedMessage) async throws -> [UInt64] {
        guard let reason = state.withLock({ $0.refusals.reasons[message.id] }) else {
            do throws(BrokerError) {
                return try await broker.publish([message], stream: FeedFormat.stream)
            } catch {
                if case .messageRefused(let reason) = error {
                    state.withLock { $0.refusals.reasons[message.id] = reason }
                }
                throw error
            }
        }
        let sequences = try await broker.publish(
            [FeedFormat.standIn(for: message, reason)], stream: FeedFormat.stream)
        log.error("the broker refuses a message", metadata: ["id": "\(message.id)", "why": "\(reason)"])
        try await deadLetters.park(
            DeadLetter(
                source: .outbox, namespace: FeedFormat.namespace(of: message), key: message.id, code: "refused",
                message: reason, reference: message.subject, workflow: FeedFormat.workflow(of: message)))
        state.withLock { $0.refusals.reasons[message.id] = nil }
        return sequences
    }
}

extension FeedFormat {
    /// The header of a message that stands for one the broker refused.
    public static let refusedHeader = "aloft-refused"

    static func standIn(for message: FeedMessage, _ reason: String) -> FeedMessage {
        var json = JSONWriter()
        json.object { json in
            json.field("refused", reason)
            json.field("bytes", Int64(message.body.count))
        }
        return FeedMessage(
            subject: message.subject, id: message.id,
            headers: message.headers + [(refusedHeader, headerValue(reason))], body: json.bytes)
    }

    static func namespace(of message: FeedMessage) -> String {
        let parts = message.subject.split(separator: ".")
        return parts.count > 1 ? String(parts[1]) : ""
    }

    /// The workflow a message is about; none for business events.
    static func workflow(of message: FeedMessage) -> WorkflowID {
        let isHistory = message.subject.split(separator: ".").dropFirst(2).first == "history"
        return WorkflowID(isHistory ? message.headers.first { $0.name == "ce-subject" }?.value ?? "" : "")
    }
}
