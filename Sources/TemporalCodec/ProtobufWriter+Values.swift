package import History

/// The values that many messages carry.
extension ProtobufWriter {
    mutating func eventID(_ field: Int, _ value: EventID) { integer(field, value.value) }

    mutating func text(_ field: Int, _ value: some StringIdentifier) { text(field, value.value) }

    mutating func text(_ field: Int, _ value: RunID?) {
        if let value { text(field, value.value) }
    }

    mutating func blob(_ field: Int, _ value: Blob?) {
        if let value { encoded(field, value.bytes) }
    }

    /// A duration, present even when it is zero.
    package mutating func span(_ field: Int, _ value: TimeSpan) {
        message(field) {
            $0.integer(1, value.nanoseconds / 1_000_000_000)
            $0.integer(2, value.nanoseconds % 1_000_000_000)
        }
    }

    package mutating func timestamp(_ field: Int, _ value: Timestamp) {
        let (seconds, nanoseconds) = value.split
        message(field) {
            $0.integer(1, seconds)
            $0.integer(2, nanoseconds)
        }
    }

    /// A message whose only field is a name: WorkflowType, ActivityType.
    mutating func named(_ field: Int, _ name: String) { message(field) { $0.text(1, name) } }

    mutating func taskQueue(_ field: Int, _ value: TaskQueue) {
        message(field) {
            $0.text(1, value.name)
            $0.integer(2, value.kind.rawValue)
            if let normal = value.normalName { $0.text(3, normal) }
        }
    }

    mutating func retryPolicy(_ field: Int, _ value: RetryPolicy) {
        message(field) {
            $0.span(1, value.initialInterval)
            $0.double(2, value.backoffCoefficient)
            $0.span(3, value.maximumInterval)
            $0.integer(4, value.maximumAttempts)
            for type in value.nonRetryableErrorTypes { $0.element(5, type) }
        }
    }

    mutating func priority(_ field: Int, _ value: Priority) {
        message(field) {
            $0.integer(1, value.key)
            $0.text(2, value.fairnessKey)
            $0.float(3, value.fairnessWeight)
        }
    }

    mutating func failure(_ field: Int, _ value: Failure?) {
        switch value {
        case nil: return
        case .opaque(let blob, _): encoded(field, blob.bytes)
        case .some(let made): message(field) { $0.failureFields(made) }
        }
    }

    /// An entry of map<string, bytes>.
    mutating func entry(_ field: Int, _ value: NamedBlob) {
        message(field) {
            $0.text(1, value.name)
            $0.encoded(2, value.value.bytes)
        }
    }
}

extension Timestamp {
    /// Whole seconds, rounded down, and the nanoseconds above them.
    var split: (seconds: Int64, nanoseconds: Int64) {
        let rest = nanoseconds % 1_000_000_000
        return rest < 0
            ? (nanoseconds / 1_000_000_000 - 1, rest + 1_000_000_000) : (nanoseconds / 1_000_000_000, rest)
    }
}
