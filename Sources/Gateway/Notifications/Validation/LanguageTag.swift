/// Well-formed language tags (BCP 47).
enum LanguageTag {
    private static let lengthMax = 64

    static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= lengthMax, text.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
        var words = text.split(separator: "-", omittingEmptySubsequences: false)[...]
        guard words.allSatisfy({ (1...8).contains($0.count) && $0.allSatisfy { $0.isLetter || $0.isNumber } }) else {
            return false
        }
        if words.first?.lowercased() == "x" { return words.count > 1 }
        guard let language = words.popFirst(), isLetters(language, 2...8), language.count != 4 else { return false }
        if language.count <= 3 {
            for _ in 0..<3 { if words.first.map({ isLetters($0, 3...3) }) == true { words.removeFirst() } }
        }
        if words.first.map({ isLetters($0, 4...4) }) == true { words.removeFirst() }
        if let region = words.first, isLetters(region, 2...2) || (region.count == 3 && region.allSatisfy(\.isNumber)) {
            words.removeFirst()
        }
        while let variant = words.first,
            (5...8).contains(variant.count) || (variant.count == 4 && variant.first?.isNumber == true)
        {
            words.removeFirst()
        }
        return extensionsAreValid(words)
    }

    /// A letter or digit alone begins an extension of longer words; after `x` anything goes.
    private static func extensionsAreValid(_ words: ArraySlice<Substring>) -> Bool {
        var rest = words
        var seen: Set<String> = []
        while let singleton = rest.popFirst() {
            guard singleton.count == 1 else { return false }
            let name = singleton.lowercased()
            if name == "x" { return !rest.isEmpty }
            guard seen.insert(name).inserted else { return false }
            var count = 0
            while let word = rest.first, word.count >= 2 {
                rest.removeFirst()
                count += 1
            }
            if count == 0 { return false }
        }
        return true
    }

    private static func isLetters(_ word: Substring, _ lengths: ClosedRange<Int>) -> Bool {
        lengths.contains(word.count) && word.allSatisfy(\.isLetter)
    }
}

/// Lengths of time as ISO 8601 writes them, without years and months: `PT15M`, `P1DT12H`.
enum ISODuration {
    /// - Returns: whole seconds; nil for anything else.
    static func seconds(_ text: String) -> Int64? {
        guard text.utf8.count <= 32, text.first == "P" else { return nil }
        var total: Int64 = 0
        var number = ""
        var inTime = false
        var units: [Character] = ["W", "D"]
        var found = false
        for character in text.dropFirst() {
            if character == "T" {
                guard !inTime, number.isEmpty else { return nil }
                (inTime, units) = (true, ["H", "M", "S"])
            } else if character.isASCII, character.isNumber {
                number.append(character)
            } else {
                guard let place = units.firstIndex(of: character), let value = Int64(number), value <= 1_000_000_000
                else {
                    return nil
                }
                let weights: [Character: Int64] = ["W": 604_800, "D": 86_400, "H": 3600, "M": 60, "S": 1]
                total += value * (weights[character] ?? 0)
                units.removeSubrange(...place)
                number = ""
                found = true
            }
        }
        return found && number.isEmpty ? total : nil
    }
}
