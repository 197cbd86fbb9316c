/// Merges encoded protobuf messages of the form `{ map<string, Payload> = 1 }`: `Memo`, `SearchAttributes`.
///
/// Later entries replace earlier ones of the same name; an entry whose payload is null, an empty list or has no data removes
/// the name.
public enum PayloadMap {
    /// The merged message; `nil` when nothing is left. Fields that are not map entries are dropped, and so is everything
    /// after bytes that are not protobuf.
    public static func merged(_ messages: [Blob]) -> Blob? {
        var order: [String] = []
        var entries: [String: ArraySlice<UInt8>] = [:]
        for message in messages {
            for entry in fields(message.bytes[...]) where entry.number == 1 {
                guard let name = fields(entry.bytes).last(where: { $0.number == 1 }) else { continue }
                let key = String(decoding: name.bytes, as: UTF8.self)
                if entries[key] == nil, !order.contains(key) { order.append(key) }
                entries[key] = isRemoval(entry.bytes) ? nil : entry.bytes
            }
        }
        var bytes: [UInt8] = []
        for name in order {
            guard let entry = entries[name] else { continue }
            bytes.append(1 << 3 | 2)
            append(varint: UInt64(entry.count), to: &bytes)
            bytes.append(contentsOf: entry)
        }
        return bytes.isEmpty ? nil : Blob(bytes)
    }

    private static func isRemoval(_ entry: ArraySlice<UInt8>) -> Bool {
        guard let payload = fields(entry).last(where: { $0.number == 2 }) else { return true }
        let parts = fields(payload.bytes)
        for metadata in parts where metadata.number == 1 {
            let pair = fields(metadata.bytes)
            if pair.last(where: { $0.number == 1 }).map({ Array($0.bytes) == Array("encoding".utf8) }) == true,
                pair.last(where: { $0.number == 2 }).map({ Array($0.bytes) == Array("binary/null".utf8) }) == true
            {
                return true
            }
        }
        guard let data = parts.last(where: { $0.number == 2 })?.bytes else { return true }
        return data.isEmpty || Array(data) == Array("null".utf8) || Array(data) == Array("[]".utf8)
    }

    /// The length-delimited fields of a message, in order.
    private static func fields(_ bytes: ArraySlice<UInt8>) -> [(number: UInt64, bytes: ArraySlice<UInt8>)] {
        var found: [(number: UInt64, bytes: ArraySlice<UInt8>)] = []
        var rest = bytes
        while let tag = takeVarint(&rest) {
            switch tag & 7 {
            case 0: guard takeVarint(&rest) != nil else { return found }
            case 1:
                guard rest.count >= 8 else { return found }
                rest = rest.dropFirst(8)
            case 2:
                guard let length = takeVarint(&rest), length <= UInt64(rest.count) else { return found }
                found.append((tag >> 3, rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            case 5:
                guard rest.count >= 4 else { return found }
                rest = rest.dropFirst(4)
            default: return found
            }
        }
        return found
    }

    private static func takeVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func append(varint value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
