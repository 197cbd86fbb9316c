/// A field that was refused, by its JSON pointer.
public struct DeskFault: Hashable, Sendable {
    public var pointer: String
    public var detail: String

    public init(_ pointer: String, _ detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

/// What came of a question to a desk.
public enum DeskVerdict: Sendable {
    case ok(JSONValue)
    case refused([DeskFault])
    case notFound(String)
    /// The state does not allow it.
    case conflict(String)
    /// Somebody else has to do it.
    case forbidden(String)
}

/// A list's page and where it goes on.
public struct DeskPage: Sendable {
    public var items: [JSONValue]
    /// The place after the last item; nil at the end.
    public var next: [String]?

    public init(items: [JSONValue], next: [String]? = nil) {
        self.items = items
        self.next = next
    }
}

/// What the notification endpoints need of the family's tables and keys. The gateway knows neither.
public protocol NotificationDesk: Sendable {
    /// Pins the template's version, checks it against the variables, and seals what is personal.
    ///
    /// - Returns: `ok` with the workflow's input.
    func prepare(_ draft: NotificationDraft) async throws -> DeskVerdict

    /// The name under which a recipient's keys and choices are kept; never an address.
    ///
    /// - Parameter recipient: as a draft has it.
    func subject(of recipient: JSONValue) throws -> DeskVerdict

    /// The workflow that has a notification in hand: after a redrive another one than at first. nil when none is known.
    func workflow(tenant: String, notification: String) async throws -> String?

    // MARK: Templates

    func templates(tenant: String) async throws -> DeskVerdict
    func template(tenant: String, id: String) async throws -> DeskVerdict
    func saveTemplate(tenant: String, id: String, version: Int?, body: JSONValue) async throws -> DeskVerdict
    /// - Parameter alongside: other active versions stay active: an A/B test.
    func activateTemplate(tenant: String, id: String, version: Int, alongside: Bool) async throws -> DeskVerdict

    // MARK: People

    func preferences(tenant: String, subject: String) async throws -> DeskVerdict
    func setPreference(tenant: String, subject: String, body: JSONValue) async throws -> DeskVerdict
    func suppressions(tenant: String, after: [String]?, limit: Int) async throws -> DeskPage
    func suppress(tenant: String, channel: String, address: String, reason: String) async throws -> DeskVerdict
    func unsuppress(tenant: String, channel: String, address: String) async throws -> DeskVerdict

    /// What a link's token says: the list that it leaves; nil for a token that is not ours.
    func list(ofToken token: String) -> String?
    /// Opts out; once is enough, again changes nothing.
    ///
    /// - Returns: false for a token that is not ours.
    func optOut(token: String) async throws -> Bool

    // MARK: Receipts

    /// Takes a provider's verified report once.
    func receipt(_ delivery: WebhookDelivery) async throws -> WebhookVerdict

    // MARK: Batches

    func openBatch(id: String, tenant: String, total: Int) async throws
    func batchRows(id: String, _ rows: [BatchRow]) async throws
    func closeBatch(id: String, total: Int) async throws
    func batch(id: String) async throws -> DeskVerdict
}

/// What became of one recipient of a batch.
public struct BatchRow: Hashable, Sendable {
    /// From 1.
    public var number: Int
    /// nil when it was refused.
    public var notification: String?
    public var faults: [DeskFault]

    public init(number: Int, notification: String?, faults: [DeskFault] = []) {
        self.number = number
        self.notification = notification
        self.faults = faults
    }
}

/// What the dead letter endpoints need.
public protocol DeadLetterDesk: Sendable {
    func list(_ filter: JSONValue, after: [String]?, limit: Int) async throws -> DeskPage
    func show(_ id: String) async throws -> DeskVerdict
    func stats() async throws -> DeskVerdict
    func preview(_ filter: JSONValue) async throws -> DeskVerdict
    func resolve(_ id: String, note: String, actor: String) async throws -> DeskVerdict
    func askPurge(_ filter: JSONValue, reason: String, actor: String) async throws -> DeskVerdict
    func approvePurge(_ id: String, actor: String) async throws -> DeskVerdict
    func jobs(limit: Int) async throws -> DeskVerdict
    func job(_ id: String) async throws -> DeskVerdict
}
