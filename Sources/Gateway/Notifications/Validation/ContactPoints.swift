/// A mail address as it is kept: the domain in small letters and ASCII.
struct EmailAddress: Hashable, Sendable {
    let text: String

    private static let lengthMax = 254
    private static let localLengthMax = 64
    private static let labelLengthMax = 63

    /// Why a text is no address that we take.
    struct Refusal: Error, Hashable, Sendable { var detail: String }

    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.lengthMax else {
            throw Refusal(detail: "expected at most \(Self.lengthMax) bytes, got \(text.utf8.count)")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && !HeaderText.breaks($0) }) else {
            throw Refusal(detail: "contains a space or a control character")
        }
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Refusal(detail: "expected one '@'") }
        let local = parts[0]
        guard (1...Self.localLengthMax).contains(local.utf8.count), Self.isDotAtom(local) else {
            throw Refusal(
                detail: "expected 1 to \(Self.localLengthMax) letters, digits and !#$%&'*+-/=?^_`{|}~. before the '@'")
        }
        self.text = "\(local)@\(try Self.domain(parts[1]))"
    }

    private static func isDotAtom(_ local: Substring) -> Bool {
        local.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
                }
        }
    }

    private static func domain(_ text: Substring) throws(Refusal) -> String {
        let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard (2...20).contains(labels.count) else { throw Refusal(detail: "expected a domain name with a dot") }
        let top = labels.last ?? ""
        let topIsASCII = top.utf8.allSatisfy { $0 < 0x80 } && !top.hasPrefix(Punycode.prefix)
        guard !top.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw Refusal(detail: "the domain ends in a number")
        }
        var result: [String] = []
        for label in labels { result.append(try self.label(label, topIsASCII: topIsASCII)) }
        let joined = result.joined(separator: ".")
        guard joined.utf8.count <= 253 else { throw Refusal(detail: "the domain is too long") }
        return joined
    }

    /// The label in ASCII. Punycode is opened first: what it hides is judged as if it were written out.
    private static func label(_ label: String, topIsASCII: Bool) throws(Refusal) -> String {
        guard !label.isEmpty, !label.hasPrefix("-"), !label.hasSuffix("-") else {
            throw Refusal(detail: "a part of the domain is empty or begins or ends with '-'")
        }
        var shown = label
        if label.hasPrefix(Punycode.prefix) {
            guard let opened = Punycode.decode(label.dropFirst(Punycode.prefix.count)),
                !opened.utf8.allSatisfy({ $0 < 0x80 }), opened == opened.lowercased()
            else { throw Refusal(detail: "a part of the domain is no valid punycode") }
            shown = opened
        }
        if let fault = LabelScripts.fault(shown, topIsASCII: topIsASCII) {
            throw Refusal(detail: "a part of the domain \(fault)")
        }
        if shown.utf8.allSatisfy({ $0 < 0x80 }) {
            guard shown.utf8.count <= Self.labelLengthMax else {
                throw Refusal(detail: "a part of the domain is too long")
            }
            return shown
        }
        guard let encoded = Punycode.encode(shown) else { throw Refusal(detail: "a part of the domain is too long") }
        return Punycode.prefix + encoded
    }
}

/// A telephone number as E.164 writes it: `+`, a country code, at most 15 digits.
enum PhoneNumber {
    static func isValid(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: "+") && (7...15).contains(digits.count)
            && digits.first != UInt8(ascii: "0") && digits.allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// Text that goes into a header line.
enum HeaderText {
    /// Control characters, line separators, and marks that turn the direction of text.
    static func breaks(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    static func isSafe(_ text: String) -> Bool { !text.unicodeScalars.contains(where: breaks) }
}
