import Activities
import Foundation

/// `smtp://[name:password@]host[:port]`, with `smtp+starttls://` or `smtps://` where the relay speaks TLS.
enum MailRelay {
    static func settings(_ text: String) throws -> NotificationSettings.Mail {
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty else {
            throw CommandFailure("--smtp-url: '\(text)' is not smtp://HOST:PORT")
        }
        var mail = NotificationSettings.Mail(host: host, port: url.port ?? 25)
        switch url.scheme {
        case "smtp": mail.security = .none
        case "smtp+starttls": mail.security = .startTLS
        case "smtps": mail.security = .tls
        default: throw CommandFailure("--smtp-url: the scheme is one of smtp, smtp+starttls, smtps")
        }
        mail.user = url.user
        mail.password = url.password
        return mail
    }
}
