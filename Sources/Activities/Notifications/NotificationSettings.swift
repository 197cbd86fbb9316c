/// Where the channels' providers are, and who we are to them.
public struct NotificationSettings: Sendable {
    public struct Mail: Sendable {
        public enum Security: String, Sendable {
            /// In the clear: a relay on the same machine.
            case none
            /// STARTTLS, or no mail.
            case startTLS = "starttls"
            /// TLS from the first byte.
            case tls
        }

        public var name = "smtp"
        public var host = "127.0.0.1"
        public var port = 25
        public var security = Security.none
        public var user: String?
        public var password: String?
        /// A file of certificates to trust instead of the system's.
        public var trustFile: String?
        /// The name we greet with.
        public var greeting = "localhost"
        public var fromAddress = "noreply@localhost"
        public var fromName = ""
        /// The right side of every Message-ID.
        public var messageHost = "localhost"
        public var replySecondsMax = 20.0
        /// nil: mail is not signed here; the relay may do it.
        public var dkim: DKIMSigner?

        public init(host: String = "127.0.0.1", port: Int = 25) {
            self.host = host
            self.port = port
        }
    }

    public struct Sms: Sendable {
        public var name: String
        public var baseURL: String
        public var account: String
        public var token: String
        public var from = "+15005550006"
        /// Where status callbacks go, `{provider}` replaced by the name; nil asks for none.
        public var callbackURL: String?

        public init(name: String, baseURL: String, account: String, token: String) {
            self.name = name
            self.baseURL = baseURL
            self.account = account
            self.token = token
        }
    }

    public struct WeChat: Sendable {
        public var name = "wechat"
        public var baseURL: String
        public var appID: String
        public var secret: String

        public init(baseURL: String, appID: String, secret: String) {
            self.baseURL = baseURL
            self.appID = appID
            self.secret = secret
        }
    }

    public var mail: [Mail] = []
    public var sms: [Sms] = []
    public var wechat: [WeChat] = []
    public var unsubscribe = UnsubscribeLinks(baseURL: "http://127.0.0.1:8080", secret: "unsubscribe")

    public init() {}

    /// Everything at one sandbox, with two carriers for SMS, and mail to a relay.
    public static func sandbox(url: String, mail: Mail) -> NotificationSettings {
        var settings = NotificationSettings()
        settings.mail = [mail]
        settings.sms = [
            Sms(name: "sms-a", baseURL: url, account: "ACa", token: "sk_sms_a"),
            Sms(name: "sms-b", baseURL: url, account: "ACb", token: "sk_sms_b"),
        ]
        settings.wechat = [WeChat(baseURL: url, appID: "wx1", secret: "sk_wx")]
        return settings
    }
}
