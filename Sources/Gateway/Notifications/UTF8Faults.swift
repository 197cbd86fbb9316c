/// Finds the field whose text is not UTF-8, so that a refusal can name it.
enum UTF8Faults {
    /// - Returns: the JSON pointer of the first value or name with a byte that is no part of UTF-8; nil when there is none.
    static func pointer(in body: [UInt8]) -> String? {
        guard String(validating: body, as: UTF8.self) == nil else { return nil }
        // Each bad byte becomes a mark that no good text of this request has; then the text is read as usual.
        let mark = "\u{FFFE}"
        let repaired = String(decoding: body, as: UTF8.self).replacing("\u{FFFD}", with: mark)
        guard let value = try? JSONParser.parse(Array(repaired.utf8)) else { return "" }
        return value.firstPointer { $0.contains(mark) } ?? ""
    }
}
