import Foundation
import Synchronization

/// The state behind one lock, with its file: an answer leaves only after its line is written.
final class SandboxStore: Sendable {
    private let state: Mutex<SandboxState>
    private let file: JournalFile?

    init(configuration: SandboxConfiguration) throws {
        var state = SandboxState()
        if let path = configuration.journalPath {
            let (file, entries) = try JournalFile.open(path: path)
            for entry in entries { state.refold(entry) }
            self.file = file
        } else {
            self.file = nil
        }
        if let url = configuration.webhookURL {
            state.provider.addEndpoint(url: url, secret: configuration.webhookSecret)
        }
        self.state = Mutex(state)
    }

    /// Handles one request under the lock. A key whose answer is held back stays in use until ``release(_:)``.
    func handle(_ request: SandboxRequest) throws -> SandboxAnswer {
        try self.state.withLock { state in
            let (answer, entry) = state.handle(request, at: Date().timeIntervalSince1970)
            try self.file?.append(entry)
            if answer.delayMilliseconds > 0 { state.hold(request) }
            return answer
        }
    }

    func release(_ request: SandboxRequest) {
        self.state.withLock { $0.release(request) }
    }

    func undeliveredEvents() -> [ProviderEvent] {
        self.state.withLock { state in
            let payments = state.provider.endpoints.isEmpty ? [] : state.provider.events
            return (payments + state.sms.events).filter { !state.delivered.contains($0.id) }
        }
    }

    func endpoints() -> [ProviderState.WebhookEndpoint] { self.state.withLock { $0.provider.endpoints } }

    func webhookFault(_ event: ProviderEvent) -> Fault? { self.state.withLock { $0.webhookFault(event) } }

    /// Notes an attempt; a journal that cannot be written costs at worst another delivery.
    func noteWebhook(_ event: ProviderEvent, url: String, status: Int, fault: String?) {
        self.state.withLock { state in
            let entry = state.noteWebhook(
                event, url: url, status: status, fault: fault, at: Date().timeIntervalSince1970)
            try? self.file?.append(entry)
        }
    }
}
