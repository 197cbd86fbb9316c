/// The texts of a template for one channel: what a version of it says in one locale.
public struct TemplateBody: Codable, Hashable, Sendable {
    /// Mail only.
    public var subject: String?
    /// Mail only.
    public var html: String?
    /// The whole of a short message; the plain alternative of a mail.
    public var text: String?
    /// WeChat: the fields of the platform's own template, by name.
    public var fields: [String: String]?
    /// WeChat: which of the platform's templates.
    public var platformTemplate: String?
    /// Sections that may be missing.
    public var optional: [String]?

    public init(
        subject: String? = nil, html: String? = nil, text: String? = nil, fields: [String: String]? = nil,
        platformTemplate: String? = nil, optional: [String]? = nil
    ) {
        self.subject = subject
        self.html = html
        self.text = text
        self.fields = fields
        self.platformTemplate = platformTemplate
        self.optional = optional
    }

    enum CodingKeys: String, CodingKey {
        case subject, html, text, fields, optional
        case platformTemplate = "platform_template"
    }

    /// The parts that have a text, with the JSON pointer's last word.
    var parts: [(name: String, source: String, kind: TemplateText.Kind)] {
        var parts: [(String, String, TemplateText.Kind)] = []
        if let subject { parts.append(("subject", subject, .text)) }
        if let html { parts.append(("html", html, .html)) }
        if let text { parts.append(("text", text, .text)) }
        for name in (self.fields ?? [:]).keys.sorted() {
            parts.append(("fields/\(name)", self.fields?[name] ?? "", .text))
        }
        return parts
    }

    /// Checks every part's syntax and that the channel has what it needs.
    ///
    /// - Returns: the names of the variables that must be given.
    /// - Throws: ``TemplateFault`` whose name is the part.
    public func check(channel: String) throws(TemplateFault) -> [String] {
        func require(_ isThere: Bool, _ name: String) throws(TemplateFault) {
            if !isThere { throw TemplateFault(.syntax, name: name, "is required for \(channel)") }
        }
        switch channel {
        case "email":
            try require(self.subject != nil, "subject")
            try require(self.html != nil || self.text != nil, "text")
        case "sms": try require(self.text != nil, "text")
        case "wechat": try require(self.fields?.isEmpty == false, "fields")
        default: throw TemplateFault(.syntax, name: "channel", "is no channel")
        }
        var names: [String] = []
        for part in self.parts {
            do throws(TemplateFault) {
                names += try TemplateText(part.source, part.kind).variables
            } catch {
                throw TemplateFault(error.kind, name: part.name, error.description)
            }
        }
        let own = Set(SenderFrame(senderName: "", postalAddress: "", unsubscribeURL: "").variables.keys)
        return Set(names).subtracting(own).subtracting(self.optional ?? []).sorted()
    }
}

/// A message as a channel sends it.
public struct FilledTemplate: Codable, Hashable, Sendable {
    public var subject: String?
    public var html: String?
    public var text: String?
    public var fields: [String: String]?
    public var platformTemplate: String?
    /// Short messages: how many segments it takes.
    public var segments: Int?
}

extension TemplateBody {
    /// Fills every part.
    ///
    /// - Parameter frame: who sends; marketing mail must show it.
    /// - Throws: ``TemplateFault``.
    public func fill(
        _ variables: TemplateVariables, channel: String, isMarketing: Bool, frame: SenderFrame
    ) throws(TemplateFault) -> FilledTemplate {
        let values = variables.adding(frame.variables)
        let optional = Set(self.optional ?? [])
        func filled(_ source: String?, _ kind: TemplateText.Kind) throws(TemplateFault) -> String? {
            guard let source else { return nil }
            return try TemplateText(source, kind).render(values, optional: optional)
        }
        var message = FilledTemplate()
        message.subject = try filled(self.subject, .text)
        message.html = try filled(self.html, .html)
        message.text = try filled(self.text, .text)
        message.platformTemplate = self.platformTemplate
        if let fields {
            var texts: [String: String] = [:]
            for name in fields.keys.sorted() { texts[name] = try filled(fields[name], .text) }
            message.fields = texts
        }
        if let subject = message.subject { try Self.checkHeader(subject) }
        switch channel {
        case "email":
            if isMarketing {
                if let html = message.html { try MarketingRules.check(html, .html, frame) }
                if let text = message.text { try MarketingRules.check(text, .text, frame) }
            }
        case "sms": message.segments = SMSSegments(message.text ?? "").count
        default: break
        }
        return message
    }

    /// A subject is one header line: nothing in it may begin another.
    private static func checkHeader(_ subject: String) throws(TemplateFault) {
        guard subject.unicodeScalars.allSatisfy({ !$0.isHeaderBreaking }) else {
            throw TemplateFault(.unsafeHeader, name: "subject", "contains a line break or another control character")
        }
        guard subject.utf8.count <= TemplateLimits.subjectBytesMax else {
            throw TemplateFault(
                .tooLarge, name: "subject", "expected at most \(TemplateLimits.subjectBytesMax) bytes")
        }
    }
}

extension Unicode.Scalar {
    /// Control characters, line and paragraph separators, and marks that turn the direction of text.
    var isHeaderBreaking: Bool {
        switch self.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
