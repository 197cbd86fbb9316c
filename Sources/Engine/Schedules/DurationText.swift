import History

/// Durations in text: `1h30m`, `1.5s`, `2d`.
enum DurationText {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ms", 1e6), ("us", 1e3), ("µs", 1e3), ("ns", 1), ("d", 86_400e9), ("h", 3600e9), ("m", 60e9), ("s", 1e9),
    ]

    /// - Returns: nil for text that is no duration, or is longer than a Timestamp reaches.
    static func span(_ text: Substring) -> TimeSpan? {
        var rest = text.drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(String(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            guard let unit = units.first(where: { rest.hasPrefix($0.name) }) else { return nil }
            rest = rest.dropFirst(unit.name.count)
            total += number * unit.nanoseconds
        }
        return total < 9e18 ? TimeSpan(nanoseconds: Int64(total)) : nil
    }
}
