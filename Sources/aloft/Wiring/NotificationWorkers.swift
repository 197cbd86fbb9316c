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

    private func channels() throws -> NotificationSettings {
        var settings = NotificationSettings.sandbox(url: messagesURL, mail: try MailRelay.settings(smtpURL))
        settings.unsubscribe = .configured()
        guard let publicURL else { return settings }
        for index in settings.sms.indices { settings.sms[index].callbackURL = "\(publicURL)/v1/hooks/ntf/{provider}" }
        return settings
    }

    func services(pool: PostgresPool, client: HTTPClient, failpoints: Failpoints) throws -> NotificationServices {
        let policy: NotificationPolicy
        do {
            policy = try NotificationPolicy.configured()
        } catch {
            throw CommandFailure("ALOFT_NTF_POLICY: not a JSON object of settings by name: \(error)")
        }
        guard let master = MasterKey.configured() else {
            throw CommandFailure("ALOFT_MASTER_KEY: expected 64 hexadecimal digits")
        }
        let keys = SubjectKeys(pool: pool, master: master)
        return NotificationServices(
            pool: pool, client: client, renderer: TemplateRenderer(pool: pool), schedule: DeliveryTime(),
            settings: try channels(), policy: policy, failpoints: failpoints,
            opener: { try await keys.open($0) })
    }
}
