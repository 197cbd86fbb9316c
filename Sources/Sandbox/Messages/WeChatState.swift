/// WeChat's subscription messages: an access token, and messages that are refused by error code with status 200.
///
/// Recipients decide what happens: `nofollow…` 43004, `unsub…` 43101, `bad…` 40003.
struct WeChatState: Sendable {
    private(set) var tokenNumber = 0
    private var messages = 0
    private var effects: [SandboxEffect] = []

    private var token: String { "wxtoken_\(self.tokenNumber)" }

    /// - Returns: the answer, and whether anything was executed.
    mutating func answer(_ request: SandboxRequest) -> (SandboxAnswer, Bool) {
        switch (request.method, request.path) {
        case ("GET", "/cgi-bin/token"):
            guard let appID = request.form["appid"], appID.hasPrefix("wx") else {
                return (Self.error(40013, "invalid appid"), false)
            }
            guard let secret = request.form["secret"], secret.hasPrefix("sk_") else {
                return (Self.error(40125, "invalid appsecret"), false)
            }
            self.tokenNumber = max(1, self.tokenNumber)
            return (SandboxAnswer(200, ["access_token": .string(self.token), "expires_in": 7200]), false)
        case ("POST", "/cgi-bin/message/subscribe/send"): return self.send(request)
        default: return (SandboxAnswer(404, ["errcode": 404, "errmsg": "no such path"]), false)
        }
    }

    mutating func takeEffects() -> [SandboxEffect] {
        defer { self.effects = [] }
        return self.effects
    }

    /// The token that is out there is no good any more.
    mutating func expireToken() { self.tokenNumber += 1 }

    static func error(_ code: Int, _ message: String) -> SandboxAnswer {
        SandboxAnswer(200, ["errcode": .int(code), "errmsg": .string(message)])
    }

    private mutating func send(_ request: SandboxRequest) -> (SandboxAnswer, Bool) {
        guard request.form["access_token"] == self.token, self.tokenNumber > 0 else {
            return (Self.error(40001, "invalid credential, access_token is invalid or not latest"), false)
        }
        guard let document = request.document, let user = document["touser"]?.string, !user.isEmpty else {
            return (Self.error(47003, "argument invalid"), false)
        }
        if user.hasPrefix("bad") { return (Self.error(40003, "invalid openid"), false) }
        if user.hasPrefix("nofollow") { return (Self.error(43004, "require subscribe"), false) }
        if user.hasPrefix("unsub") { return (Self.error(43101, "user refuse to accept the msg"), false) }
        guard document["template_id"]?.string?.isEmpty == false else {
            return (Self.error(40037, "invalid template_id"), false)
        }
        self.messages += 1
        self.effects.append(
            SandboxEffect(kind: "wechat.sent", id: String(self.messages), reference: request.key))
        return (SandboxAnswer(200, ["errcode": 0, "errmsg": "ok", "msgid": .int(self.messages)]), true)
    }
}
