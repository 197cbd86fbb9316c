import History

/// Writes or reads the bytes of a snapshot: one description of the fields serves both ways, so they cannot disagree.
///
/// Numbers are variable-length, texts and lists carry their length. Reading checks every length against what is left.
struct SnapshotCoder {
    private(set) var bytes: [UInt8]
    private var position = 0
    let isReading: Bool

    /// A writer.
    init() {
        bytes = []
        bytes.reserveCapacity(512)
        isReading = false
    }

    /// A reader of `bytes`.
    init(reading bytes: [UInt8]) {
        self.bytes = bytes
        isReading = true
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func code(_ value: inout UInt8) throws(Corruption) {
        if isReading { value = try readByte() } else { bytes.append(value) }
    }

    mutating func code(_ value: inout UInt64) throws(Corruption) {
        guard isReading else {
            var rest = value
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
            return
        }
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let byte = try readByte()
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                value = result
                return
            }
        }
        throw Corruption("snapshot: a number is too long at byte \(position)")
    }

    private mutating func readByte() throws(Corruption) -> UInt8 {
        guard position < bytes.count else { throw Corruption("snapshot ends early at byte \(position)") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func code(_ value: inout Int64) throws(Corruption) {
        var folded = UInt64(bitPattern: (value << 1) ^ (value >> 63))
        try code(&folded)
        if isReading { value = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1) }
    }

    mutating func code(_ value: inout Int) throws(Corruption) {
        var wide = Int64(value)
        try code(&wide)
        if isReading { value = Int(wide) }
    }

    mutating func code(_ value: inout Int32) throws(Corruption) {
        var wide = Int64(value)
        try code(&wide)
        guard isReading else { return }
        guard let narrow = Int32(exactly: wide) else { throw Corruption("snapshot: \(wide) is not a 32-bit number") }
        value = narrow
    }

    mutating func code(_ value: inout Bool) throws(Corruption) {
        var byte: UInt8 = value ? 1 : 0
        try code(&byte)
        if isReading { value = byte != 0 }
    }

    mutating func code(_ value: inout Double) throws(Corruption) {
        var bits = value.bitPattern.byteSwapped
        try code(&bits)
        if isReading { value = Double(bitPattern: bits.byteSwapped) }
    }

    mutating func code(_ value: inout Float) throws(Corruption) {
        var wide = Double(value)
        try code(&wide)
        if isReading { value = Float(wide) }
    }

    mutating func code(_ value: inout [UInt8]) throws(Corruption) {
        var count = value.count
        try code(&count)
        guard isReading else {
            bytes.append(contentsOf: value)
            return
        }
        guard count >= 0, count <= bytes.count - position else {
            throw Corruption("snapshot: \(count) bytes expected, \(bytes.count - position) left")
        }
        value = Array(bytes[position..<position + count])
        position += count
    }

    mutating func code(_ value: inout String) throws(Corruption) {
        guard isReading else {
            var count = value.utf8.count
            try code(&count)
            bytes.append(contentsOf: value.utf8)
            return
        }
        var text: [UInt8] = []
        try code(&text)
        value = String(decoding: text, as: UTF8.self)
    }

    mutating func code<ID: StringIdentifier>(_ value: inout ID) throws(Corruption) {
        var text = value.value
        try code(&text)
        if isReading { value = ID(text) }
    }

    mutating func code(_ value: inout EventID) throws(Corruption) {
        var number = value.value
        try code(&number)
        if isReading { value = EventID(number) }
    }

    mutating func code(_ value: inout Timestamp) throws(Corruption) {
        var number = value.nanoseconds
        try code(&number)
        if isReading { value = Timestamp(nanoseconds: number) }
    }

    mutating func code(_ value: inout TimeSpan) throws(Corruption) {
        var number = value.nanoseconds
        try code(&number)
        if isReading { value = TimeSpan(nanoseconds: number) }
    }

    mutating func code(_ value: inout Blob) throws(Corruption) {
        var inside = value.bytes
        try code(&inside)
        if isReading { value = Blob(inside) }
    }

    mutating func code<Value: RawRepresentable>(_ value: inout Value) throws(Corruption)
    where Value.RawValue: FixedWidthInteger {
        var number = Int64(value.rawValue)
        try code(&number)
        guard isReading else { return }
        guard let raw = Value.RawValue(exactly: number), let known = Value(rawValue: raw) else {
            throw Corruption("snapshot: \(number) is not a \(Value.self)")
        }
        value = known
    }

    /// A value that may be missing; `blank` is what reading begins with.
    mutating func code<Value>(
        _ value: inout Value?, _ blank: @autoclosure () -> Value,
        _ body: (inout SnapshotCoder, inout Value) throws(Corruption) -> Void
    ) throws(Corruption) {
        var isThere = value != nil
        try code(&isThere)
        guard isThere else {
            if isReading { value = nil }
            return
        }
        var inside = value ?? blank()
        try body(&self, &inside)
        if isReading { value = inside }
    }

    mutating func code<Value>(
        _ list: inout [Value], _ blank: @autoclosure () -> Value,
        _ body: (inout SnapshotCoder, inout Value) throws(Corruption) -> Void
    ) throws(Corruption) {
        var count = list.count
        try code(&count)
        guard isReading else {
            for index in list.indices { try body(&self, &list[index]) }
            return
        }
        guard count >= 0, count <= bytes.count - position else {
            throw Corruption("snapshot: \(count) entries expected, \(bytes.count - position) bytes left")
        }
        list = []
        list.reserveCapacity(count)
        for _ in 0..<count {
            var inside = blank()
            try body(&self, &inside)
            list.append(inside)
        }
    }

    mutating func code(_ value: inout Blob?) throws(Corruption) {
        try code(&value, .empty) { coder, inside throws(Corruption) in try coder.code(&inside) }
    }

    mutating func code(_ value: inout Timestamp?) throws(Corruption) {
        try code(&value, .zero) { coder, inside throws(Corruption) in try coder.code(&inside) }
    }

    mutating func code(_ value: inout TimeSpan?) throws(Corruption) {
        try code(&value, .zero) { coder, inside throws(Corruption) in try coder.code(&inside) }
    }

    mutating func code<ID: StringIdentifier>(_ value: inout ID?) throws(Corruption) {
        try code(&value, ID("")) { coder, inside throws(Corruption) in try coder.code(&inside) }
    }

    mutating func code(_ list: inout [Blob]) throws(Corruption) {
        try code(&list, .empty) { coder, inside throws(Corruption) in try coder.code(&inside) }
    }

    mutating func code(_ list: inout [String]) throws(Corruption) {
        try code(&list, "") { coder, inside throws(Corruption) in try coder.code(&inside) }
    }
}
