/// How a sandbox runs.
public struct SandboxConfiguration: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes any free port.
    public var port = 0
    /// Where events are delivered, besides endpoints registered through the API.
    public var webhookURL: String?
    /// The secret that signs them.
    public var webhookSecret = "whsec_sandbox"
    /// The tokens that sign status callbacks of SMS, by account, as carriers do it.
    public var smsTokens = ["ACa": "sk_sms_a", "ACb": "sk_sms_b"]
    /// For every other account.
    public var smsToken = "sk_sms"
    /// The journal's file; nil keeps it in memory.
    public var journalPath: String?

    public init(
        host: String = "127.0.0.1", port: Int = 0, webhookURL: String? = nil, webhookSecret: String = "whsec_sandbox",
        journalPath: String? = nil
    ) {
        self.host = host
        self.port = port
        self.webhookURL = webhookURL
        self.webhookSecret = webhookSecret
        self.journalPath = journalPath
    }
}
