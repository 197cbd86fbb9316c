/// How many segments a short message takes: 160 GSM-7 characters alone or 153 in each of several, 70 or 67 in UCS-2.
public struct SMSSegments: Hashable, Sendable {
    public enum Encoding: String, Codable, Hashable, Sendable {
        case gsm7, ucs2
    }

    public let encoding: Encoding
    /// Septets or UTF-16 units.
    public let units: Int
    public let count: Int

    public init(_ text: String) {
        if let sizes = Self.septets(text) {
            self.encoding = .gsm7
            self.units = sizes.reduce(0, +)
            self.count = self.units <= 160 ? min(self.units, 1) : Self.fill(sizes, 153)
        } else {
            // A pair of surrogates stays in one segment.
            let sizes = text.unicodeScalars.map { $0.value > 0xFFFF ? 2 : 1 }
            self.encoding = .ucs2
            self.units = sizes.reduce(0, +)
            self.count = self.units <= 70 ? 1 : Self.fill(sizes, 67)
        }
    }

    /// Segments of `size` units that hold characters of these sizes, none of them cut.
    private static func fill(_ sizes: [Int], _ size: Int) -> Int {
        var segments = 1
        var used = 0
        for unit in sizes {
            if used + unit > size {
                segments += 1
                used = 0
            }
            used += unit
        }
        return segments
    }

    private static func septets(_ text: String) -> [Int]? {
        var sizes: [Int] = []
        for scalar in text.unicodeScalars {
            if self.basic.contains(scalar) {
                sizes.append(1)
            } else if self.escaped.contains(scalar) {
                sizes.append(2)
            } else {
                return nil
            }
        }
        return sizes
    }

    /// GSM 03.38: the default alphabet, and what comes after an escape.
    private static let basic = Set(
        ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
            + "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà").unicodeScalars)
    private static let escaped = Set("\u{0C}^{}\\[~]|€".unicodeScalars)
}
