/// What a mail server answered last, and the class of it.
struct SMTPReply: Hashable, Sendable {
    /// 0: none came.
    var code: Int
    /// Such as `5.1.1`; empty when there is none.
    var status: String
    var text: String

    /// Reads the last reply of what a server said, line by line.
    init(lines: [UInt8], code: Int) {
        let all = String(decoding: lines, as: UTF8.self).split(whereSeparator: \.isNewline)
        let own = all.filter { $0.hasPrefix("\(code)") }
        self.code = code
        self.text = own.suffix(4).joined(separator: " ")
        let words = (own.last ?? "").dropFirst(4).split(separator: " ")
        let parts = words.first?.split(separator: ".") ?? []
        let isStatus = parts.count == 3 && parts.allSatisfy { $0.count <= 3 && $0.allSatisfy(\.isNumber) }
        self.status = isStatus ? String(words[0]) : ""
    }

    /// A reply that is no success, as the retry table wants it.
    var failure: EffectFailure {
        var failure: EffectFailure
        switch self.code {
        case 421: failure = EffectFailure(.transient, self.text)
        case 400..<500:
            failure = EffectFailure(.transient, self.text)
            failure.isAboutRecipient = true
        case 530, 534, 535, 538: failure = EffectFailure(.permanent(code: "provider_auth"), self.text)
        case 550, 551, 553:
            let isRejected = self.status.hasPrefix("5.7")
            failure = EffectFailure(.permanent(code: isRejected ? "rejected" : "invalid_address"), self.text)
        default: failure = EffectFailure(.permanent(code: "rejected"), self.text)
        }
        if case .permanent = failure.kind { return failure }
        failure.code = "smtp_\(self.code)"
        return failure
    }
}
