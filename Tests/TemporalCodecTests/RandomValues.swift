import History

@testable import TemporalCodec

/// The same values for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Draws values of the vocabulary; often the corners: empty, absent, zero, largest.
struct RandomValues {
    var generator: SeededGenerator
    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }

    mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &generator)! }

    mutating func optional<Value>(_ draw: (inout RandomValues) -> Value) -> Value? { chance(50) ? draw(&self) : nil }

    mutating func text() -> String {
        if chance(20) { return "" }
        let alphabet: [Character] = ["a", "Z", "0", "-", " ", "é", "猫", "🛫", "%", "\n"]
        let length = chance(10) ? 200 : Int.random(in: 1...20, using: &generator)
        return String((0..<length).map { _ in alphabet.randomElement(using: &generator)! })
    }

    /// Text that is not empty, where empty and absent are the same on the wire.
    mutating func name() -> String { "n" + text() }

    /// Any bytes: the server must not care what an application puts there.
    mutating func bytes() -> [UInt8] {
        if chance(20) { return [] }
        let count = chance(10) ? 20_000 : Int.random(in: 1...300, using: &generator)
        var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: generator.next()), count: count)
        for index in bytes.indices.prefix(300) { bytes[index] = UInt8(truncatingIfNeeded: generator.next()) }
        return bytes
    }

    mutating func blob() -> Blob { Blob(bytes()) }
    mutating func id() -> EventID {
        EventID(pick([0, 1, 127, 128, 51_200, .max, Int64.random(in: 1...100_000, using: &generator)]))
    }
    mutating func int32() -> Int32 { pick([0, 1, .max, .min, -1, Int32.random(in: 0...1000, using: &generator)]) }
    mutating func span() -> TimeSpan {
        TimeSpan(
            nanoseconds: pick([
                0, 1, 999_999_999, 1_000_000_000, -1, .max, .min, Int64.random(in: 0...1 << 50, using: &generator),
            ]))
    }
    mutating func time() -> Timestamp {
        Timestamp(
            nanoseconds: pick([
                0, 1_800_000_000_123_456_789, -1, -1_000_000_000, .max,
                Int64.random(in: 0...1 << 60, using: &generator),
            ]))
    }
    mutating func queue() -> TaskQueue {
        TaskQueue(
            TaskQueueName(text()), kind: pick([.normal, .sticky]), normalName: optional { TaskQueueName($0.name()) })
    }
    mutating func policy() -> RetryPolicy {
        RetryPolicy(
            initialInterval: span(), backoffCoefficient: pick([0, 1, 2, 1.5, 1e300]), maximumInterval: span(),
            maximumAttempts: int32(),
            nonRetryableErrorTypes: (0..<Int.random(in: 0...3, using: &generator)).map { _ in text() })
    }
    mutating func priority() -> Priority {
        Priority(key: int32(), fairnessKey: text(), fairnessWeight: pick([0, 1, 0.25]))
    }
    mutating func run() -> RunID { RunID(name()) }
    mutating func retryState() -> RetryState {
        pick([
            .inProgress, .nonRetryableFailure, .timeout, .maximumAttemptsReached, .retryPolicyNotSet,
            .internalServerError, .cancelRequested,
        ])
    }
    mutating func timeoutType() -> TimeoutType {
        pick([.startToClose, .scheduleToStart, .scheduleToClose, .heartbeat])
    }

    mutating func failure(depth: Int = 2) -> Failure {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return FailureCodec.decode(bytes())
        case 1:
            let cause = depth > 0 && chance(50) ? failure(depth: depth - 1) : nil
            return .timeout(
                message: text(), type: timeoutType(), lastHeartbeatDetails: optional { $0.blob() }, cause: cause)
        case 2: return .server(message: text(), nonRetryable: chance(50))
        default: return .reset(message: text())
        }
    }

    mutating func namedBlobs() -> [NamedBlob] {
        let names = Set((0..<Int.random(in: 0...4, using: &generator)).map { _ in text() }).sorted()
        return names.map { NamedBlob($0, blob()) }
    }

    mutating func event(_ kind: EventKind) -> Event {
        Event(
            id: EventID(Int64.random(in: 1...51_200, using: &generator)), time: time(), kind: kind,
            userMetadata: optional { $0.blob() }, workerMayIgnore: chance(30))
    }
}
