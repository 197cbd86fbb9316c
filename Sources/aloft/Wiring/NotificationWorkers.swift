import Activities
import AsyncHTTPClient
import Foundation
import Postgres

/// What the workers of notifications need to reach.
struct NotificationWorkerSettings: Sendable {
    /// See ``MailRelay``.
    var smtpURL = "smtp://127.0.0.1:2525"
    /// The carriers of SMS and WeChat: the sandbox, unless told otherwise.
    var messagesURL: String
    /// Where carriers reach the gateway with their status callbacks.
    var publicURL: String?
    /// nil: what the environment says.
    var policy: NotificationPolicy?

    private func channels() throws -> NotificationSettings {
        var mail = try MailRelay.settings(smtpURL)
        do {
            mail.dkim = try DKIMSigner.configured()
            if let from = ProcessInfo.processInfo.environment["ALOFT_MAIL_FROM"] { mail.fromAddress = from }
        } catch {
            throw CommandFailure(error.description)
        }
        var settings = NotificationSettings.sandbox(url: messagesURL, mail: mail)
        settings.unsubscribe = .configured()
        guard let publicURL else { return settings }
        for index in settings.sms.indices { settings.sms[index].callbackURL = "\(publicURL)/v1/hooks/ntf/{provider}" }
        return settings
    }

    /// - Parameter keys: nil: requests are not sealed.
    func services(
        pool: PostgresPool, client: HTTPClient, keys: SubjectKeys?, failpoints: Failpoints
    ) throws -> NotificationServices {
        let policy: NotificationPolicy
        do {
            policy = try self.policy ?? NotificationPolicy.configured()
        } catch {
            throw CommandFailure("ALOFT_NTF_POLICY: not a JSON object of settings by name: \(error)")
        }
        return NotificationServices(
            pool: pool, client: client, renderer: TemplateRenderer(pool: pool), schedule: DeliveryTime(),
            settings: try channels(), policy: policy, failpoints: failpoints,
            opener: { request in try await keys?.open(request) ?? request })
    }

    /// The keys of subjects; nil without a master key.
    static func keys(pool: PostgresPool) throws -> SubjectKeys? {
        do {
            return try MasterKey.configured().map { SubjectKeys(pool: pool, master: $0) }
        } catch {
            throw CommandFailure("ALOFT_MASTER_KEY: expected 64 hexadecimal digits")
        }
    }
}
