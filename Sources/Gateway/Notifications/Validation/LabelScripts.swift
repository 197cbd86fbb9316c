/// The scripts of a domain label: letters of several that look alike are how one name passes for another.
enum LabelScripts {
    enum Script: Hashable, Sendable {
        case latin, greek, cyrillic, armenian, hebrew, arabic, devanagari, bengali, tamil, thai, georgian, hangul, kana
        case han, bopomofo
    }

    /// Why a label is refused; nil for a good one.
    ///
    /// - Parameter topIsASCII: the name's last label is Latin, so that a label of Cyrillic letters that all look Latin is a trap.
    static func fault(_ label: String, topIsASCII: Bool) -> String? {
        var scripts: Set<Script> = []
        for scalar in label.unicodeScalars where !isCommon(scalar) {
            guard let script = script(of: scalar) else { return "has a character that is not taken in a domain name" }
            scripts.insert(script)
        }
        if scripts.count > 1, !together.contains(where: { scripts.isSubset(of: $0) }) {
            return "mixes letters of different scripts"
        }
        if topIsASCII, scripts == [.cyrillic],
            label.unicodeScalars.allSatisfy({ isCommon($0) || looksLatin.contains($0) })
        {
            return "looks like a Latin name but is Cyrillic"
        }
        return nil
    }

    /// What is written together in one word.
    private static let together: [Set<Script>] = [
        [.han, .kana, .latin], [.han, .hangul, .latin], [.han, .bopomofo, .latin],
    ]

    private static let looksLatin = Set("асԁеһіјӏорԛѕԝхуъЬпгкмтвн".unicodeScalars)

    private static func isCommon(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "-" || ("0"..."9").contains(scalar)
    }

    private static func script(of scalar: Unicode.Scalar) -> Script? {
        switch scalar.value {
        case 0x61...0x7A, 0xDF...0xF6, 0xF8...0x24F, 0x1E00...0x1EFF: .latin
        case 0x370...0x3FF, 0x1F00...0x1FFF: .greek
        case 0x400...0x52F: .cyrillic
        case 0x530...0x58F: .armenian
        case 0x5D0...0x5F4: .hebrew
        case 0x620...0x669, 0x66E...0x6D3, 0x6F0...0x6F9: .arabic
        case 0x900...0x97F: .devanagari
        case 0x980...0x9FF: .bengali
        case 0xB80...0xBFF: .tamil
        case 0xE01...0xE4E: .thai
        case 0x10D0...0x10FF: .georgian
        case 0xAC00...0xD7A3, 0x1100...0x11FF: .hangul
        case 0x3041...0x3096, 0x309D...0x309E, 0x30A1...0x30FA, 0x30FC...0x30FE: .kana
        case 0x3105...0x312F: .bopomofo
        case 0x3005...0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0x20000...0x2A6DF: .han
        default: nil
        }
    }
}
