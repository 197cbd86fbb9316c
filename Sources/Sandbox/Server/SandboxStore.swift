import Foundation
import Synchronization

/// The state behind one lock, with its file: an answer leaves only after its line is written.
final class SandboxStore: Sendable {
    private let state: Mutex<SandboxState>
    private let file: JournalFile?
    private let held = Mutex<[UInt64: Task<Void, Never>]>([:])

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

    /// Handles one request under the lock.
    ///
    /// - Returns: the answer, and what to wait for before it leaves: its delay, or that the faults are cleared. Its key stays in
    ///   use until then.
    func handle(_ request: SandboxRequest) throws -> (answer: SandboxAnswer, hold: Task<Void, Never>?) {
        let (answer, hold) = try self.state.withLock { state in
            let (answer, entry) = state.handle(request, at: Date().timeIntervalSince1970)
            try self.file?.append(entry)
            guard answer.delayMilliseconds > 0 else { return (answer, Task<Void, Never>?.none) }
            state.hold(request)
            return (answer, self.hold(request, for: answer.delayMilliseconds))
        }
        if request.clearsFaults { self.held.withLock { $0.values.forEach { $0.cancel() } } }
        return (answer, hold)
    }

    private func hold(_ request: SandboxRequest, for milliseconds: Int) -> Task<Void, Never> {
        let number = UInt64.random(in: 0...UInt64.max)
        let hold = Task {
            _ = try? await Task.sleep(for: .milliseconds(milliseconds))
            self.state.withLock { $0.release(request) }
            self.held.withLock { _ = $0.removeValue(forKey: number) }
        }
        self.held.withLock { $0[number] = hold }
        return hold
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
