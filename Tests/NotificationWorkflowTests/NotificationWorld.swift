import Activities
import Synchronization
import Worker

/// Activities without a world: they note that they ran and answer what the test wrote down, or the good answer.
final class NotificationWorld: Sendable {
    struct Sent: Hashable, Sendable {
        var channel: Channel
        var generation: Int
        var attempt: Int
        var id: String
        var items: Int
    }

    private struct State: Sendable {
        var calls: [String] = []
        var sends: [Sent] = []
        var outcomes: [Channel: [SendOutcome]] = [:]
        var verdict: @Sendable (PolicyInput) -> PolicyVerdict = { .allowed(at: max($0.now, $0.request.sendAt ?? 0)) }
        var caps: [CapVerdict] = []
        var ends: [FinishInput] = []
        var receipts: [String] = []
        var policy = NotificationPolicy()
    }

    private let state = Mutex(State())

    init() {
        self.state.withLock { $0.policy.receiptSeconds = [:] }  // most tests have no receipts
    }

    var calls: [String] { self.state.withLock { $0.calls } }
    var sends: [Sent] { self.state.withLock { $0.sends } }
    var ends: [FinishInput] { self.state.withLock { $0.ends } }
    var receipts: [String] { self.state.withLock { $0.receipts } }

    func answers(_ channel: Channel, _ outcomes: SendOutcome...) {
        self.state.withLock { $0.outcomes[channel, default: []] += outcomes }
    }

    func caps(_ verdicts: CapVerdict...) { self.state.withLock { $0.caps += verdicts } }
    func policy(_ change: @Sendable (inout NotificationPolicy) -> Void) { self.state.withLock { change(&$0.policy) } }
    func verdict(_ verdict: @escaping @Sendable (PolicyInput) -> PolicyVerdict) {
        self.state.withLock { $0.verdict = verdict }
    }

    private func note<Output>(_ name: String, _ body: (inout State) -> Output) -> Output {
        self.state.withLock { state in
            state.calls.append(name)
            return body(&state)
        }
    }

    var activities: [RegisteredActivity] {
        [
            RegisteredActivity("AcceptNotification") { [self] (_: NotificationRequest, _) in
                note("AcceptNotification") { AcceptedNotification(policy: $0.policy) }
            },
            RegisteredActivity("CheckPolicy") { [self] (input: PolicyInput, _) in
                note("CheckPolicy") { $0.verdict }(input)
            },
            RegisteredActivity("ReserveCap") { [self] (_: CapInput, _) in
                note("ReserveCap") { $0.caps.isEmpty ? CapVerdict.reserved : $0.caps.removeFirst() }
            },
            RegisteredActivity("MarkNotification") { [self] (input: MarkInput, _) in
                note("Mark \(input.reason)") { _ in Done() }
            },
            self.sending("SendEmail"), self.sending("SendSms"), self.sending("SendWeChat"),
            RegisteredActivity("RecordReceipt") { [self] (input: ReceiptInput, _) in
                note("RecordReceipt") { state in
                    state.receipts.append(input.event.eventID)
                    return Done()
                }
            },
            RegisteredActivity("FinishNotification") { [self] (input: FinishInput, _) in
                note("Finish \(input.state.rawValue)") { state in
                    state.ends.append(input)
                    return Done()
                }
            },
        ]
    }

    private func sending(_ name: String) -> RegisteredActivity {
        RegisteredActivity(name) { [self] (input: SendInput, _) in
            note(name) { state -> SendOutcome in
                var items = 0
                if case .array(let list) = input.request.variables["items"] ?? .null { items = list.count }
                state.sends.append(
                    Sent(
                        channel: input.channel, generation: input.generation, attempt: input.attempt,
                        id: input.request.id, items: items))
                guard var left = state.outcomes[input.channel], !left.isEmpty else {
                    return SendOutcome(.accepted, provider: "p", providerRef: "ref")
                }
                let next = left.removeFirst()
                state.outcomes[input.channel] = left
                return next
            }
        }
    }
}
