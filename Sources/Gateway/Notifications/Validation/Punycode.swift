/// Labels of internationalized domain names between Unicode and ASCII (RFC 3492).
enum Punycode {
    static let prefix = "xn--"
    private static let base: UInt32 = 36
    private static let (low, high): (UInt32, UInt32) = (1, 26)
    private static let (skew, damp): (UInt32, UInt32) = (38, 700)
    private static let firstBias: UInt32 = 72
    private static let firstScalar: UInt32 = 128
    /// A label has at most 63 bytes; nothing longer is worked on.
    private static let lengthMax = 63

    /// - Parameter text: a label without its prefix.
    /// - Returns: nil for what is no such label.
    static func decode(_ text: some StringProtocol) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.count <= lengthMax, bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        let dash = bytes.lastIndex(of: UInt8(ascii: "-"))
        var scalars = bytes[..<(dash ?? 0)].map { UInt32($0) }
        var position = dash.map { $0 + 1 } ?? 0
        var (next, index, bias) = (firstScalar, UInt32(0), firstBias)
        while position < bytes.count {
            let before = index
            var (weight, step) = (UInt32(1), base)
            while true {
                guard position < bytes.count, let digit = digit(bytes[position]) else { return nil }
                position += 1
                let (part, tooLarge) = digit.multipliedReportingOverflow(by: weight)
                let (sum, overflow) = index.addingReportingOverflow(part)
                if tooLarge || overflow { return nil }
                index = sum
                let threshold = Self.threshold(step, bias)
                if digit < threshold { break }
                let (heavier, tooHeavy) = weight.multipliedReportingOverflow(by: base - threshold)
                if tooHeavy { return nil }
                weight = heavier
                step += base
            }
            let count = UInt32(scalars.count) + 1
            bias = adapted(index - before, count, isFirst: before == 0)
            next += index / count
            index %= count
            guard Unicode.Scalar(next) != nil else { return nil }
            scalars.insert(next, at: Int(index))
            index += 1
        }
        var result = String.UnicodeScalarView()
        for scalar in scalars { if let scalar = Unicode.Scalar(scalar) { result.append(scalar) } }
        return String(result)
    }

    /// - Returns: the label without its prefix; nil when it would be longer than a label may be.
    static func encode(_ text: some StringProtocol) -> String? {
        let scalars = text.unicodeScalars.map(\.value)
        guard scalars.count <= lengthMax else { return nil }
        var output = scalars.filter { $0 < 0x80 }.map { UInt8($0) }
        let basic = UInt32(output.count)
        var handled = basic
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var (next, delta, bias) = (firstScalar, UInt32(0), firstBias)
        while handled < scalars.count {
            guard let smallest = scalars.filter({ $0 >= next }).min() else { return nil }
            let (part, tooLarge) = (smallest - next).multipliedReportingOverflow(by: handled + 1)
            let (sum, overflow) = delta.addingReportingOverflow(part)
            if tooLarge || overflow { return nil }
            delta = sum
            next = smallest
            for scalar in scalars {
                if scalar < next { delta += 1 }
                guard scalar == next else { continue }
                var (rest, step) = (delta, base)
                while true {
                    let threshold = Self.threshold(step, bias)
                    if rest < threshold { break }
                    output.append(character(threshold + (rest - threshold) % (base - threshold)))
                    rest = (rest - threshold) / (base - threshold)
                    step += base
                }
                output.append(character(rest))
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            next += 1
        }
        return output.count + prefix.count <= lengthMax ? String(decoding: output, as: UTF8.self) : nil
    }

    private static func threshold(_ step: UInt32, _ bias: UInt32) -> UInt32 {
        step <= bias + low ? low : min(step - bias, high)
    }

    private static func adapted(_ delta: UInt32, _ count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var step: UInt32 = 0
        while delta > (base - low) * high / 2 {
            delta /= base - low
            step += base
        }
        return step + (base - low + 1) * delta / (delta + skew)
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a"))
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 26
        default: nil
        }
    }

    private static func character(_ digit: UInt32) -> UInt8 {
        digit < 26 ? UInt8(ascii: "a") + UInt8(digit) : UInt8(ascii: "0") + UInt8(digit - 26)
    }
}
