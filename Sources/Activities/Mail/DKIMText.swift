/// A mail in the form that is signed: canonicalization `relaxed` of RFC 6376, 3.4.
struct DKIMText: Hashable, Sendable {
    struct Header: Hashable, Sendable {
        /// In small letters.
        var name: String
        var value: [UInt8]
    }

    private(set) var headers: [Header] = []
    private(set) var body: [UInt8] = []

    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")

    /// - Parameter message: Lines that end in CR LF.
    init(_ message: [UInt8]) {
        var isBody = false
        for line in Self.lines(message) {
            if isBody {
                self.body += line + [Self.carriageReturn, Self.lineFeed]
            } else if line.isEmpty {
                isBody = true
            } else if let first = line.first, Self.isSpace(first), !self.headers.isEmpty {
                self.headers[self.headers.count - 1].value += line
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
                self.headers.append(Header(name: name, value: Array(line[(colon + 1)...])))
            }
        }
    }

    /// The named headers, of equal ones the last first; a name without a header adds nothing.
    func relaxed(_ names: [String]) -> [UInt8] {
        var used: [String: Int] = [:]
        var bytes: [UInt8] = []
        for name in names {
            let own = self.headers.filter { $0.name == name }
            let index = own.count - 1 - used[name, default: 0]
            used[name, default: 0] += 1
            guard index >= 0 else { continue }
            bytes += Array("\(name):".utf8) + Self.relaxed(own[index].value) + [Self.carriageReturn, Self.lineFeed]
        }
        return bytes
    }

    /// Lines without space at their ends, no empty lines at the end.
    var relaxedBody: [UInt8] {
        var lines = Self.lines(self.body).map { line in
            var squeezed = Self.squeezed(line)
            if squeezed.last == UInt8(ascii: " ") { squeezed.removeLast() }
            return squeezed
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.flatMap { $0 + [Self.carriageReturn, Self.lineFeed] }
    }

    /// A header's value: unfolded, runs of space as one, none at the ends.
    static func relaxed(_ value: [UInt8]) -> [UInt8] {
        var squeezed = Self.squeezed(value.filter { $0 != Self.carriageReturn && $0 != Self.lineFeed })
        if squeezed.first == UInt8(ascii: " ") { squeezed.removeFirst() }
        if squeezed.last == UInt8(ascii: " ") { squeezed.removeLast() }
        return squeezed
    }

    private static func squeezed(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if !Self.isSpace(byte) {
                result.append(byte)
            } else if result.last != UInt8(ascii: " ") {
                result.append(UInt8(ascii: " "))
            }
        }
        return result
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        for byte in bytes {
            if byte == Self.lineFeed, line.last == Self.carriageReturn {
                line.removeLast()
                lines.append(line)
                line = []
            } else {
                line.append(byte)
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }
}
