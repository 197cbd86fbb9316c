import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Delivers the provider's events: at least once, in no promised order, with retries.
///
/// Faults make it deliver twice, late or never. What was delivered is in the journal, so a restarted sandbox goes on with the rest.
actor WebhookCourier {
    private let store: SandboxStore
    private let client: HTTPClient
    private let logger: Logger
    /// Events whose delivery waits until the next event has been delivered.
    private var held: [ProviderEvent] = []
    private var known: Set<String> = []
    private var deliveries: [String: Task<Void, Never>] = [:]

    private static let attemptsMax = 40
    private static let attemptSecondsMax: Int64 = 10

    /// Sign status callbacks of SMS, by account.
    private let smsTokens: [String: String]
    private let smsToken: String

    init(store: SandboxStore, client: HTTPClient, configuration: SandboxConfiguration, logger: Logger) {
        self.store = store
        self.smsTokens = configuration.smsTokens
        self.smsToken = configuration.smsToken
        self.client = client
        self.logger = logger
    }

    /// Takes up every event that is not delivered and not under way.
    func wake() {
        for event in self.store.undeliveredEvents() where self.known.insert(event.id).inserted {
            let fault = self.store.webhookFault(event)
            switch fault?.action {
            case .loseWebhook: self.store.noteWebhook(event, url: "", status: 0, fault: fault?.action.rawValue)
            case .reorderWebhook: self.held.append(event)
            case .duplicateWebhook: self.start(event, copies: max(2, fault?.copies ?? 2))
            case .dropBefore, .dropAfter, .delay, .status, .decline, nil: self.start(event, copies: 1)
            }
        }
    }

    func stop() {
        for delivery in self.deliveries.values { delivery.cancel() }
        self.deliveries = [:]
    }

    private func start(_ event: ProviderEvent, copies: Int) {
        self.deliveries[event.id] = Task { await self.deliver(event, copies: copies) }
    }

    private func deliver(_ event: ProviderEvent, copies: Int) async {
        let own = event.callback.map { ProviderState.WebhookEndpoint(id: "", url: $0.url, secret: $0.account) }
        for endpoint in own.map({ [$0] }) ?? self.store.endpoints() {
            var left = copies
            for attempt in 0..<WebhookCourier.attemptsMax where left > 0 {
                let status = await self.post(event, to: endpoint)
                self.store.noteWebhook(event, url: endpoint.url, status: status, fault: nil)
                if (200..<300).contains(status) {
                    left -= 1
                    continue
                }
                let pause = min(30_000, 250 << min(attempt, 10))
                do {
                    try await Task.sleep(for: .milliseconds(pause))
                } catch {
                    return
                }
            }
        }
        self.deliveries[event.id] = nil
        let released = self.held
        self.held = []
        for event in released { self.start(event, copies: 1) }
    }

    private func post(_ event: ProviderEvent, to endpoint: ProviderState.WebhookEndpoint) async -> Int {
        var request = HTTPClientRequest(url: endpoint.url)
        request.method = .POST
        if let callback = event.callback {
            let fields = callback.fields.map { (name: $0.name, value: $0.value.string ?? "") }
            request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            request.headers.add(
                name: "x-twilio-signature",
                value: SmsCallbackSignature.header(
                    url: callback.url, fields: fields, token: self.smsTokens[callback.account] ?? self.smsToken))
            request.body = .bytes(ByteBuffer(string: Form.text(fields)))
        } else {
            let body = event.json.text
            request.headers.add(name: "content-type", value: "application/json")
            request.headers.add(
                name: "stripe-signature",
                value: WebhookSignature.header(
                    body: body, secret: endpoint.secret, timestamp: Int(Date().timeIntervalSince1970)))
            request.body = .bytes(ByteBuffer(string: body))
        }
        do {
            let response = try await self.client.execute(request, timeout: .seconds(WebhookCourier.attemptSecondsMax))
            for try await _ in response.body {}
            return Int(response.status.code)
        } catch {
            self.logger.debug("webhook not delivered", metadata: ["event": "\(event.id)"])
            return 0
        }
    }
}
