public import History

/// FNV-1a: the same in every process, on every machine, for ever. Slots depend on it.
struct StableHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ text: String) {
        for byte in text.utf8 { combine(byte) }
        combine(0)
    }

    private mutating func combine(_ byte: UInt8) {
        value ^= UInt64(byte)
        value = value &* 0x0000_0100_0000_01B3
    }
}

/// Where runs live: all runs of a workflow id share a slot; a lane is a contiguous range of slots with one writer.
public enum Slots {
    public static let count: Int16 = 1024

    public static func slot(namespace: NamespaceID, workflow: WorkflowID) -> Int16 {
        var hash = StableHash()
        hash.combine(namespace.value)
        hash.combine(workflow.value)
        // The high bits of FNV are mixed better than the low ones.
        return Int16((hash.value ^ (hash.value >> 32)) % UInt64(count))
    }

    public static func lane(of slot: Int16, laneCount: Int) -> Int16 { slot / (count / Int16(laneCount)) }

    public static func slots(ofLane lane: Int16, laneCount: Int) -> ClosedRange<Int16> {
        let width = count / Int16(laneCount)
        return (lane * width)...(lane * width + width - 1)
    }
}
