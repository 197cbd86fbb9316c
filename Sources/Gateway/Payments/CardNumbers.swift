/// Finds what looks like a card number, so that none is ever stored or logged.
enum CardNumbers {
    private static let lengths = 13...19
    private static let groups = 3...6

    /// The JSON pointer of the first value or name that holds 13 to 19 digits with a valid check digit.
    static func find(in value: JSONValue) -> String? { value.firstPointer(where: holdsCardNumber) }

    /// Digits in one run, or in groups of 3 to 6 with single spaces or dashes between them, as cards are printed.
    static func holdsCardNumber(_ text: String) -> Bool {
        var run: [UInt8] = []
        var grouped: [UInt8] = []
        var separated = false
        func ends() -> Bool {
            let joined = grouped + run
            return isCardNumber(run) || (groups.contains(run.count) && isCardNumber(joined))
        }
        for byte in text.utf8 {
            if (0x30...0x39).contains(byte) {
                run.append(byte - 0x30)
                separated = false
            } else if byte == 0x20 || byte == 0x2D, !separated {
                if ends() { return true }
                grouped = groups.contains(run.count) ? grouped + run : []
                run = []
                separated = true
            } else {
                if ends() { return true }
                grouped = []
                run = []
                separated = false
            }
        }
        return ends()
    }

    private static func isCardNumber(_ digits: [UInt8]) -> Bool {
        guard lengths.contains(digits.count), digits.contains(where: { $0 != 0 }) else { return false }
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let weighted = index % 2 == 1 ? Int(digit) * 2 : Int(digit)
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum % 10 == 0
    }
}
