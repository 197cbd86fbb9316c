import Gateway
import History
import Synchronization

/// A notification desk that remembers what it was told.
final class ScriptedDesk: NotificationDesk {
    struct State: Sendable {
        var drafts: [NotificationDraft] = []
        var optOuts: Set<String> = []
        var receipts: [String] = []
        var rows: [BatchRow] = []
        var total = 0
        var suppressed: [String] = []
    }

    let state = Mutex(State())
    let verdict: DeskVerdict?

    init(verdict: DeskVerdict? = nil) { self.verdict = verdict }

    func prepare(_ draft: NotificationDraft) async throws -> DeskVerdict {
        state.withLock { $0.drafts.append(draft) }
        return verdict ?? .ok(draft.input)
    }

    func subject(of recipient: JSONValue) throws -> DeskVerdict { .ok(.string("user:u")) }
    func workflow(tenant: String, notification: String) async throws -> String? { nil }
    func templates(tenant: String) async throws -> DeskVerdict { .ok([:]) }
    func template(tenant: String, id: String) async throws -> DeskVerdict { .notFound("there is no template") }
    func saveTemplate(tenant: String, id: String, version: Int?, body: JSONValue) async throws -> DeskVerdict {
        version == nil ? .ok(.record(("version", 1))) : .conflict("the version is not a draft any more")
    }
    func activateTemplate(tenant: String, id: String, version: Int, alongside: Bool) async throws -> DeskVerdict {
        .ok(.record(("alongside", .bool(alongside))))
    }
    func preferences(tenant: String, subject: String) async throws -> DeskVerdict { .ok([:]) }
    func setPreference(tenant: String, subject: String, body: JSONValue) async throws -> DeskVerdict { .ok(body) }

    func suppressions(tenant: String, after: [String]?, limit: Int) async throws -> DeskPage {
        let start = after?.first.flatMap { Int($0) } ?? 0
        return DeskPage(
            items: (start..<start + limit).map { .integer($0) }, next: start + limit < 10 ? ["\(start + limit)"] : nil)
    }
    func suppress(tenant: String, channel: String, address: String, reason: String) async throws -> DeskVerdict {
        state.withLock { $0.suppressed.append(address) }
        return .ok([:])
    }
    func unsuppress(tenant: String, channel: String, address: String) async throws -> DeskVerdict { .ok([:]) }

    func list(ofToken token: String) -> String? { token == "good" ? "marketing" : nil }
    func optOut(token: String) async throws -> Bool {
        guard token == "good" else { return false }
        state.withLock { _ = $0.optOuts.insert(token) }
        return true
    }

    func receipt(_ delivery: WebhookDelivery) async throws -> WebhookVerdict {
        state.withLock { state in
            defer { state.receipts.append(delivery.eventID) }
            return state.receipts.contains(delivery.eventID)
                ? .duplicate
                : .accepted([WebhookSignal(workflow: "ntf:acme:1", name: "receipt", input: delivery.json)])
        }
    }

    func openBatch(id: String, tenant: String, total: Int) async throws {}
    func batchRows(id: String, _ rows: [BatchRow]) async throws { state.withLock { $0.rows += rows } }
    func closeBatch(id: String, total: Int) async throws { state.withLock { $0.total = total } }
    func batch(id: String) async throws -> DeskVerdict {
        .ok(.record(("total", .integer(state.withLock { $0.total }))))
    }
}

enum NotificationBodies {
    static let good =
        #"{"tenant":"acme","recipient":{"email":"ann@example.com"},"template":{"id":"welcome"},"category":"transactional"}"#

    /// The good body with the member at a path replaced or added.
    static func with(_ path: String, _ value: String) -> String {
        var json = (try? JSONParser.parse(Array(good.utf8))) ?? .null
        let replacement = (try? JSONParser.parse(Array(value.utf8))) ?? .null
        let words = path.split(separator: "/").map(String.init)
        if words.count == 1 {
            json[words[0]] = replacement
        } else {
            var inner = json[words[0]] ?? [:]
            inner[words[1]] = replacement
            json[words[0]] = inner
        }
        return String(decoding: JSONWriter.write(json), as: UTF8.self)
    }
}
