/// Which locales are tried for a wish: `zh-Hant-TW`, `zh-Hant`, `zh`, then the default (an empty name).
public enum LocaleChain {
    /// The locale a template has when nothing fits.
    public static let standard = ""

    /// From the most special to the most general; the last is always ``standard``.
    public static func of(_ wish: String?) -> [String] {
        var chain: [String] = []
        var words = (wish ?? "").split(whereSeparator: { $0 == "-" || $0 == "_" }).map(String.init)
        while !words.isEmpty, chain.count < 8 {
            chain.append(self.canonical(words))
            words.removeLast()
        }
        return chain.filter { $0 != self.standard } + [self.standard]
    }

    /// As tags are written: language in small letters, script with a capital, region in capitals.
    static func canonical(_ words: [String]) -> String {
        words.enumerated().map { index, word in
            if index == 0 { return word.lowercased() }
            if word.count == 4, word.first?.isLetter == true {
                return word.prefix(1).uppercased() + word.dropFirst().lowercased()
            }
            return word.count == 2 ? word.uppercased() : word.lowercased()
        }.joined(separator: "-")
    }

    /// A locale as it is stored.
    public static func canonical(_ tag: String) -> String {
        tag == self.standard
            ? tag : self.canonical(tag.split(whereSeparator: { $0 == "-" || $0 == "_" }).map(String.init))
    }
}
