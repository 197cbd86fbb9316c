public import History
import Synchronization

/// Makes the ids that the core is given from outside.
public protocol IDSource: Sendable {
    /// A new run's id, ordered by time (UUIDv7).
    func runID(at now: Timestamp) -> RunID
    /// A random UUID in lower-case text.
    func uuid() -> String
}

/// Ids from the system's random numbers.
public struct RandomIDSource: IDSource {
    public init() {}

    public func runID(at now: Timestamp) -> RunID {
        var generator = SystemRandomNumberGenerator()
        return RunID(UUIDText.version7(milliseconds: now.nanoseconds / 1_000_000, generator.next(), generator.next()))
    }

    public func uuid() -> String {
        var generator = SystemRandomNumberGenerator()
        return UUIDText.version4(generator.next(), generator.next())
    }
}

/// Repeatable ids for tests and simulation.
public final class SeededIDSource: IDSource {
    private let state: Mutex<UInt64>

    public init(seed: UInt64) { state = Mutex(seed) }

    public func runID(at now: Timestamp) -> RunID {
        RunID(UUIDText.version7(milliseconds: now.nanoseconds / 1_000_000, next(), next()))
    }

    public func uuid() -> String { UUIDText.version4(next(), next()) }

    /// SplitMix64.
    private func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}

/// Writes 128 bits as a UUID.
enum UUIDText {
    static let zero = "00000000-0000-0000-0000-000000000000"
    private static let digits = Array("0123456789abcdef".utf8)

    static func version4(_ high: UInt64, _ low: UInt64) -> String {
        text((high & ~0xF000) | 0x4000, (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    static func version7(milliseconds: Int64, _ high: UInt64, _ low: UInt64) -> String {
        let time = UInt64(bitPattern: milliseconds) << 16
        return text(time | 0x7000 | (high & 0x0FFF), (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000)
    }

    /// Is this a UUID in text form?
    static func isValid(_ text: String) -> Bool {
        var count = 0
        for byte in text.utf8 {
            switch count {
            case 8, 13, 18, 23: if byte != UInt8(ascii: "-") { return false }
            default:
                let isDigit = (48...57).contains(byte) || (97...102).contains(byte) || (65...70).contains(byte)
                if !isDigit { return false }
            }
            count += 1
        }
        return count == 36
    }

    private static func text(_ high: UInt64, _ low: UInt64) -> String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var position = 0
            for index in 0..<32 {
                if index == 8 || index == 12 || index == 16 || index == 20 {
                    buffer[position] = UInt8(ascii: "-")
                    position += 1
                }
                let word = index < 16 ? high : low
                let shift = UInt64(60 - (index % 16) * 4)
                buffer[position] = digits[Int((word >> shift) & 0xF)]
                position += 1
            }
            return position
        }
    }
}
