import Foundation

/// A mail as it goes over the wire. Built of validated parts only: no value can become a header of its own.
struct MailMessage: Sendable {
    /// What cannot become a mail; names the part.
    struct Unusable: Error, Hashable, Sendable {
        var part: String
    }

    var from: MailAddress
    var to: MailAddress
    /// Without the angle brackets. The same message always has the same one.
    var messageID: String
    var date: Date
    var subject: String
    var text: String
    var html: String?
    /// Further headers, by name.
    var headers: [String: String] = [:]
    var unsubscribeURL: String?
    var unsubscribeMailbox: String?

    private static let lineMax = 76
    private static let ownHeaders: Set<String> = [
        "from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version", "content-type",
        "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "received", "return-path",
        "dkim-signature",
    ]

    /// The bytes between DATA and the final dot, before dots are doubled.
    func bytes() throws(Unusable) -> [UInt8] {
        var lines: [String] = []
        lines.append("Message-ID: <\(try Self.plain(self.messageID, part: "message_id"))>")
        lines.append("Date: \(Self.dateText(self.date))")
        lines.append("From: \(try self.from.header())")
        lines.append("To: \(try self.to.header())")
        lines.append("Subject: \(try Self.encoded(self.subject, part: "subject"))")
        lines.append("MIME-Version: 1.0")
        try self.addUnsubscribe(to: &lines)
        for (name, value) in self.headers.sorted(by: { $0.key < $1.key }) {
            guard Self.isHeaderName(name), !Self.ownHeaders.contains(name.lowercased()) else {
                throw Unusable(part: "header")
            }
            lines.append("\(name): \(try Self.encoded(value, part: "header"))")
        }
        if let html {
            let boundary = "=_\(Self.boundary(self.messageID))"
            lines.append("Content-Type: multipart/alternative; boundary=\"\(boundary)\"")
            lines.append("")
            lines.append("--\(boundary)")
            lines += Self.part(self.text, type: "text/plain")
            lines.append("--\(boundary)")
            lines += Self.part(html, type: "text/html")
            lines.append("--\(boundary)--")
        } else {
            lines += Self.part(self.text, type: "text/plain")
        }
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    private func addUnsubscribe(to lines: inout [String]) throws(Unusable) {
        guard let unsubscribeURL else { return }
        var targets = ["<\(try Self.plain(unsubscribeURL, part: "unsubscribe_url"))>"]
        if let mailbox = self.unsubscribeMailbox {
            targets.append("<mailto:\(try Self.plain(mailbox, part: "unsubscribe_mailbox"))>")
        }
        lines.append("List-Unsubscribe: \(targets.joined(separator: ",\r\n "))")
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    }

    // MARK: Parts

    private static func part(_ text: String, type: String) -> [String] {
        let normal = text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n")
        let encoded = Array(Data(normal.utf8).base64EncodedString().utf8)
        var lines = ["Content-Type: \(type); charset=utf-8", "Content-Transfer-Encoding: base64", ""]
        var index = 0
        while index < encoded.count {
            let end = min(index + Self.lineMax, encoded.count)
            lines.append(String(decoding: encoded[index..<end], as: UTF8.self))
            index = end
        }
        return lines
    }

    /// The same for the same message, and in no base64 text.
    private static func boundary(_ messageID: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in messageID.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 36)
    }

    // MARK: Headers

    /// Printable ASCII without blanks and brackets, or nothing.
    private static func plain(_ text: String, part: String) throws(Unusable) -> String {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3C && $0 != 0x3E }) else {
            throw Unusable(part: part)
        }
        return text
    }

    /// A header's text: as it is where that is safe, encoded words otherwise. Control characters are refused.
    static func encoded(_ text: String, part: String) throws(Unusable) -> String {
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw Unusable(part: part)
        }
        let isPlain = text.utf8.allSatisfy { $0 < 0x7F } && !text.contains("=?") && text.utf8.count <= 60
        if isPlain { return text }
        var words: [String] = []
        var chunk: [UInt8] = []
        for character in text {
            let bytes = Array(String(character).utf8)
            if !chunk.isEmpty, chunk.count + bytes.count > 42 {
                words.append(Self.word(chunk))
                chunk = []
            }
            chunk += bytes
        }
        if !chunk.isEmpty { words.append(Self.word(chunk)) }
        return words.joined(separator: "\r\n ")
    }

    private static func word(_ bytes: [UInt8]) -> String { "=?utf-8?B?\(Data(bytes).base64EncodedString())?=" }

    private static func isHeaderName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    return true
                default: return false
                }
            }
    }

    private static func dateText(_ date: Date) -> String {
        let format = Date.VerbatimFormatStyle(
            format:
                "\(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .padded(4)) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\(second: .twoDigits) +0000",
            locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian))
        return date.formatted(format)
    }
}

/// An address with the name that is shown beside it.
struct MailAddress: Hashable, Sendable {
    var name: String
    var address: String

    init(_ address: String, name: String = "") {
        self.address = address
        self.name = name
    }

    /// Whether the address may be put between angle brackets, in a header and in an SMTP command.
    var isUsable: Bool {
        let parts = self.address.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, self.address.utf8.count <= 254 else {
            return false
        }
        return self.address.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && scalar.value != 0x7F && !"<>(),;:\\\"[]".unicodeScalars.contains(scalar)
        }
    }

    func header() throws(MailMessage.Unusable) -> String {
        guard self.isUsable else { throw MailMessage.Unusable(part: "address") }
        if self.name.isEmpty { return "<\(self.address)>" }
        let isWord = self.name.utf8.allSatisfy { byte in
            byte == 0x20 || (byte >= 0x30 && byte < 0x3A) || (byte >= 0x41 && byte < 0x5B)
                || (byte >= 0x61 && byte < 0x7B)
        }
        if isWord { return "\(self.name) <\(self.address)>" }
        let encoded = try MailMessage.encoded(self.name + "\u{200B}", part: "name")
        return "\(encoded)\r\n <\(self.address)>"
    }
}
