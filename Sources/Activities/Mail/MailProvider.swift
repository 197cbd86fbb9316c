import Foundation

/// A relay for mail, behind its breaker and bulkhead.
struct MailProvider: Sendable {
    let settings: NotificationSettings.Mail
    let gate: PeerGate
    private let lanes: SMTPLanes

    init(settings: NotificationSettings.Mail, gate: PeerGate) {
        self.settings = settings
        self.gate = gate
        self.lanes = SMTPLanes(settings)
    }

    func close() { self.lanes.close() }

    /// - Parameter name: The notification; its mail has the same Message-ID however often it is sent.
    /// - Returns: the Message-ID.
    func send(
        _ message: RenderedMessage, to address: String, name: String, unsubscribeURL: String?, mailbox: String?,
        tenant: String, scope: EffectScope
    ) async throws(EffectFailure) -> String? {
        let to = MailAddress(address)
        guard to.isUsable else {
            throw EffectFailure(.permanent(code: "invalid_address"), "the address cannot be used")
        }
        let messageID = "\(Self.atom(name)).email@\(self.settings.messageHost)"
        var mail = MailMessage(
            from: MailAddress(self.settings.fromAddress, name: self.settings.fromName), to: to, messageID: messageID,
            date: Date(), subject: message.subject, text: message.text, html: message.html)
        mail.headers = message.headers
        mail.unsubscribeURL = unsubscribeURL
        mail.unsubscribeMailbox = mailbox
        let bytes = try self.signed(mail)
        let limit = scope.callLimit
        let seconds = min(
            self.settings.replySecondsMax,
            Double(limit.components.seconds) + Double(limit.components.attoseconds) * 1e-18)
        let letter = SMTPSession.Letter(from: self.settings.fromAddress, to: address, bytes: bytes, seconds: seconds)
        let lanes = self.lanes
        try await self.gate.call(tenant: tenant) { () async throws(EffectFailure) in try await lanes.send(letter) }
        return messageID
    }

    private func signed(_ mail: MailMessage) throws(EffectFailure) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = try mail.bytes()
        } catch {
            throw EffectFailure(.invalid, "\(error.part) cannot be put into a mail", code: "template_error")
        }
        guard let signer = self.settings.dkim else { return bytes }
        do {
            return try signer.signed(bytes, at: mail.date)
        } catch {
            throw EffectFailure(.permanent(code: "provider_auth"), error.description)
        }
    }

    /// A text as the left side of a Message-ID: everything unusual becomes `_` and its number.
    static func atom(_ text: String) -> String {
        var atom = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                atom.append(Character(UnicodeScalar(byte)))
            default: atom += "_" + String(byte, radix: 16)
            }
        }
        return atom
    }
}
