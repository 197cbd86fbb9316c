/// What marketing mail must show its reader: who sends it, where that is, and how to get no more of it.
public struct SenderFrame: Codable, Hashable, Sendable {
    public var senderName: String
    public var postalAddress: String
    public var unsubscribeURL: String

    public init(senderName: String, postalAddress: String, unsubscribeURL: String) {
        self.senderName = senderName
        self.postalAddress = postalAddress
        self.unsubscribeURL = unsubscribeURL
    }

    enum CodingKeys: String, CodingKey {
        case senderName = "sender_name"
        case postalAddress = "postal_address"
        case unsubscribeURL = "unsubscribe_url"
    }

    /// The variables of every template; a message cannot replace them.
    public var variables: [String: String] {
        [
            "sender_name": self.senderName, "postal_address": self.postalAddress,
            "unsubscribe_url": self.unsubscribeURL,
        ]
    }
}

/// Checks a rendered marketing mail part by part.
enum MarketingRules {
    /// - Throws: ``TemplateFault`` `compliance` that names what a reader of this part would not see.
    static func check(_ text: String, _ kind: TemplateText.Kind, _ frame: SenderFrame) throws(TemplateFault) {
        let words: String
        let hasLink: Bool
        switch kind {
        case .html:
            let visible = VisibleText(html: text)
            words = visible.words
            hasLink = visible.links.contains(frame.unsubscribeURL)
        case .text:
            words = text
            hasLink = text.contains(frame.unsubscribeURL)
        }
        let seen = self.squeezed(words)
        func require(_ isThere: Bool, _ name: String, _ what: String) throws(TemplateFault) {
            if !isThere { throw TemplateFault(.compliance, name: name, "\(what) is not visible in the \(kind) part") }
        }
        try require(!frame.unsubscribeURL.isEmpty && hasLink, "unsubscribe_url", "the unsubscribe link")
        try require(
            !frame.senderName.isEmpty && seen.contains(self.squeezed(frame.senderName)), "sender_name",
            "who sends it")
        try require(
            !frame.postalAddress.isEmpty && seen.contains(self.squeezed(frame.postalAddress)), "postal_address",
            "the sender's postal address")
    }

    /// Spaces and line ends do not matter.
    private static func squeezed(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
