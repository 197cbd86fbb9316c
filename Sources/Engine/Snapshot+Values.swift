import History

extension SnapshotCoder {
    mutating func code(_ value: inout RetryPolicy) throws(Corruption) {
        try code(&value.initialInterval)
        try code(&value.backoffCoefficient)
        try code(&value.maximumInterval)
        try code(&value.maximumAttempts)
        try code(&value.nonRetryableErrorTypes)
    }

    mutating func code(_ value: inout TaskQueue) throws(Corruption) {
        try code(&value.name)
        try code(&value.kind)
        try code(&value.normalName)
    }

    mutating func code(_ value: inout Priority?) throws(Corruption) {
        try code(&value, Priority()) { coder, priority throws(Corruption) in
            try coder.code(&priority.key)
            try coder.code(&priority.fairnessKey)
            try coder.code(&priority.fairnessWeight)
        }
    }

    mutating func code(_ value: inout FailureTraits) throws(Corruption) {
        try code(&value.kind)
        try code(&value.type)
        try code(&value.nonRetryable)
        try code(&value.nextRetryDelay)
        try code(&value.timeoutType, .startToClose) { coder, type throws(Corruption) in try coder.code(&type) }
        try code(&value.message)
    }

    mutating func code(_ value: inout Failure?) throws(Corruption) {
        try code(&value, .reset(message: "")) { coder, failure throws(Corruption) in try coder.code(&failure) }
    }

    mutating func code(_ value: inout Failure) throws(Corruption) {
        if isReading {
            value = try readFailure()
            return
        }
        var tag: UInt8
        switch value {
        case .opaque(var blob, var traits):
            tag = 1
            try code(&tag)
            try code(&blob)
            try code(&traits)
        case .timeout(var message, var type, var details, var cause):
            tag = 2
            try code(&tag)
            try code(&message)
            try code(&type)
            try code(&details)
            try code(&cause)
        case .server(var message, var nonRetryable):
            tag = 3
            try code(&tag)
            try code(&message)
            try code(&nonRetryable)
        case .reset(var message):
            tag = 4
            try code(&tag)
            try code(&message)
        }
    }

    private mutating func readFailure() throws(Corruption) -> Failure {
        var tag: UInt8 = 0
        try code(&tag)
        var message = ""
        switch tag {
        case 1:
            var blob = Blob.empty
            var traits = FailureTraits()
            try code(&blob)
            try code(&traits)
            return .opaque(blob, traits: traits)
        case 2:
            var type = TimeoutType.startToClose
            var details: Blob?
            var cause: Failure?
            try code(&message)
            try code(&type)
            try code(&details)
            try code(&cause)
            return .timeout(message: message, type: type, lastHeartbeatDetails: details, cause: cause)
        case 3:
            var nonRetryable = false
            try code(&message)
            try code(&nonRetryable)
            return .server(message: message, nonRetryable: nonRetryable)
        case 4:
            try code(&message)
            return .reset(message: message)
        case let other: throw Corruption("snapshot: \(other) is not a kind of failure")
        }
    }
}
