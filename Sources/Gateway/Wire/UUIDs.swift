public import History

/// Makes and checks UUIDs in text form.
public enum UUIDs {
    /// A random UUID (version 4).
    public static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return text(
            high: generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63)
    }

    /// A UUID that sorts by the time it was made (version 7).
    public static func timeOrdered(at now: Timestamp) -> String {
        var generator = SystemRandomNumberGenerator()
        let milliseconds = UInt64(clamping: now.nanoseconds / 1_000_000)
        return text(
            high: milliseconds << 16 | 0x7000 | generator.next() & 0x0FFF,
            low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 1 << 63)
    }

    /// Is this a UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12?
    public static func isValid(_ text: String) -> Bool {
        guard text.utf8.count == 36 else { return false }
        for (index, byte) in text.utf8.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            if isDash != (byte == UInt8(ascii: "-")) { return false }
            if !isDash && Hex.value(byte) == nil { return false }
        }
        return true
    }

    private static func text(high: UInt64, low: UInt64) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(36)
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 { digits.append(UInt8(ascii: "-")) }
            let word = index < 16 ? high : low
            digits.append(Hex.digit(UInt8(truncatingIfNeeded: word >> UInt64(60 - (index % 16) * 4)) & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }
}

enum Hex {
    static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 48 : nibble + 87 }

    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }

    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        guard text.utf8.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let nibble = value(byte) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | nibble)
                high = nil
            } else {
                high = nibble
            }
        }
        return bytes
    }
}
