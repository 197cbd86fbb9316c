import Foundation

extension UnsubscribeLinks {
    /// The links of this installation: `ALOFT_PUBLIC_URL` and `ALOFT_UNSUBSCRIBE_SECRET`, the same for the server and its workers.
    public static func configured() -> UnsubscribeLinks {
        let environment = ProcessInfo.processInfo.environment
        return UnsubscribeLinks(
            baseURL: environment["ALOFT_PUBLIC_URL"] ?? "http://127.0.0.1:7243",
            secret: environment["ALOFT_UNSUBSCRIBE_SECRET"] ?? "unsubscribe",
            mailbox: environment["ALOFT_UNSUBSCRIBE_MAILBOX"])
    }
}
