/// Where Postgres is and how to talk to it. Its description never shows the password.
public struct PostgresConfiguration: Sendable, CustomStringConvertible {
    /// A connection URI (`postgresql://…`) or a libpq conninfo string (`host=… dbname=…`).
    public var url: String
    /// Shown in `pg_stat_activity`.
    public var applicationName: String
    /// Server settings of every connection, for example `("jit", "off")`.
    public var settings: [(name: String, value: String)]
    /// How long one attempt to connect may take.
    public var connectTimeout: Duration
    /// How long the server may stay silent while it owes an answer; after that the connection is given up.
    public var answerTimeout: Duration

    public init(
        url: String, applicationName: String = "aloft", settings: [(name: String, value: String)] = [],
        connectTimeout: Duration = .seconds(5), answerTimeout: Duration = .seconds(60)
    ) {
        self.url = url
        self.applicationName = applicationName
        self.settings = settings
        self.connectTimeout = connectTimeout
        self.answerTimeout = answerTimeout
    }

    public init(
        host: String, port: Int, database: String, user: String, password: String? = nil,
        applicationName: String = "aloft"
    ) {
        var parts = [("host", host), ("port", String(port)), ("dbname", database), ("user", user)]
        if let password { parts.append(("password", password)) }
        let conninfo = parts.map { "\($0.0)='\(Self.escaped($0.1))'" }.joined(separator: " ")
        self.init(url: conninfo, applicationName: applicationName)
    }

    public var description: String { "postgres as \(applicationName)" }

    /// The libpq keywords, in order; `dbname` may hold the whole URL and is expanded by libpq.
    var keywords: [(name: String, value: String)] {
        var all = [
            ("dbname", url), ("fallback_application_name", applicationName), ("client_encoding", "UTF8"),
            ("tcp_user_timeout", String(answerTimeout.milliseconds)),
        ]
        if !settings.isEmpty {
            let options = settings.map { "-c \($0.name)=\(Self.optionEscaped($0.value))" }.joined(separator: " ")
            all.append(("options", options))
        }
        return all
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value {
            if character == "'" || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result
    }

    private static func optionEscaped(_ value: String) -> String {
        var result = ""
        for character in value {
            if character == " " || character == "\\" { result.append("\\") }
            result.append(character)
        }
        return result
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
