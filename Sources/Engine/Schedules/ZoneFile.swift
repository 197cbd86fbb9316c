extension ZoneRules {
    /// Reads a compiled zone file (TZif, RFC 8536), as `/usr/share/zoneinfo` holds them and as a request may bring one.
    ///
    /// - Returns: nil for bytes that are not such a file.
    public init?(zoneFile bytes: [UInt8]) {
        guard bytes.count <= Self.fileBytesMax, let first = ZoneFileHeader(bytes[...]) else { return nil }
        if first.version == 0 {
            self.init(first, bytes[first.bodyStart...], wordSize: 4, tail: nil)
            return
        }
        // From the second version on, everything comes twice: the second time with eight bytes for a moment.
        let start = first.bodyStart + first.bodySize(wordSize: 4)
        guard start <= bytes.count, let second = ZoneFileHeader(bytes[start...]) else { return nil }
        let footerStart = second.bodyStart + second.bodySize(wordSize: 8)
        guard footerStart <= bytes.count else { return nil }
        let footer = bytes[footerStart...].dropFirst().prefix { $0 != UInt8(ascii: "\n") }
        let text = String(decoding: footer, as: UTF8.self)
        let tail = ZoneTail(text)
        guard text.isEmpty || tail != nil else { return nil }
        self.init(second, bytes[second.bodyStart...], wordSize: 8, tail: tail)
    }

    private static let fileBytesMax = 1 << 20

    private init?(_ header: ZoneFileHeader, _ body: ArraySlice<UInt8>, wordSize: Int, tail: ZoneTail?) {
        guard body.count >= header.bodySize(wordSize: wordSize), header.typeCount > 0 else { return nil }
        let indexStart = body.startIndex + header.changeCount * wordSize
        let typeStart = indexStart + header.changeCount
        func offset(ofType type: Int) -> Int32? {
            guard type < header.typeCount else { return nil }
            return Int32(truncatingIfNeeded: number(body, at: typeStart + type * 6, size: 4))
        }
        guard let first = offset(ofType: 0) else { return nil }
        var changes: [Int64] = []
        var offsets: [Int32] = []
        for index in 0..<header.changeCount {
            guard let offset = offset(ofType: Int(body[indexStart + index])), abs(Int64(offset)) <= Self.offsetMax
            else { return nil }
            let change = number(body, at: body.startIndex + index * wordSize, size: wordSize)
            guard changes.last.map({ $0 < change }) ?? true else { return nil }
            changes.append(change)
            offsets.append(offset)
        }
        self.init(changes: changes, offsets: offsets, firstOffset: first, tail: tail)
    }
}

/// A signed big-endian number.
private func number(_ bytes: ArraySlice<UInt8>, at start: Int, size: Int) -> Int64 {
    var value: UInt64 = 0
    for byte in bytes[start..<start + size] { value = value << 8 | UInt64(byte) }
    return size == 4 ? Int64(Int32(truncatingIfNeeded: value)) : Int64(bitPattern: value)
}

private struct ZoneFileHeader {
    var version: UInt8
    var bodyStart: Int
    var utcFlagCount: Int
    var standardFlagCount: Int
    var leapCount: Int
    var changeCount: Int
    var typeCount: Int
    var letterCount: Int

    init?(_ bytes: ArraySlice<UInt8>) {
        let size = 44
        guard bytes.count >= size, bytes.starts(with: "TZif".utf8) else { return nil }
        let start = bytes.startIndex
        version = bytes[start + 4]
        bodyStart = start + size
        var counts: [Int] = []
        for index in 0..<6 {
            let count = number(bytes, at: start + 20 + index * 4, size: 4)
            guard (0...65_536).contains(count) else { return nil }
            counts.append(Int(count))
        }
        utcFlagCount = counts[0]
        standardFlagCount = counts[1]
        leapCount = counts[2]
        changeCount = counts[3]
        typeCount = counts[4]
        letterCount = counts[5]
    }

    func bodySize(wordSize: Int) -> Int {
        changeCount * (wordSize + 1) + typeCount * 6 + letterCount + leapCount * (wordSize + 4) + standardFlagCount
            + utcFlagCount
    }
}
