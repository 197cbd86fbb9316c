import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// The checks every request goes through before anything is asked of the engine, with the texts of protocol.md 1.3.
struct RequestChecks: Sendable {
    let limits: Limits

    /// - Throws: `<name> is not set on request.` or what ``length(_:_:)`` throws.
    func identifier(_ value: String, _ name: String, required: Bool = true) throws(Rejection) {
        if required && value.isEmpty { throw .invalid("\(name) is not set on request.") }
        try length(value, name)
    }

    /// - Throws: `<name> length exceeds limit.`, or that it holds a NUL, which no store of ours can keep in text.
    func length(_ value: String, _ name: String) throws(Rejection) {
        if value.utf8.count > limits.identifierBytesMax { throw .invalid("\(name) length exceeds limit.") }
        try text(value, name)
    }

    /// Text of any length.
    func text(_ value: String, _ name: String) throws(Rejection) {
        if value.utf8.contains(0) { throw .invalid("\(name) contains a NUL character.") }
    }

    func blobs(_ blobs: Data?...) throws(Rejection) {
        for blob in blobs {
            if let blob, blob.count > limits.blobBytesMax { throw .invalid("Blob data size exceeds limit.") }
        }
    }

    func memo(_ memo: Data?) throws(Rejection) {
        if let memo, memo.count > limits.memoBytesMax { throw .invalid("Blob data size exceeds limit.") }
    }

    /// The run id of a request: nil means the current run.
    func run(_ text: String) throws(Rejection) -> RunID? {
        if text.isEmpty { return nil }
        guard UUIDs.isValid(text) else { throw .invalid("Invalid RunId.") }
        return RunID(text.lowercased())
    }

    func priority(_ priority: Temporal_Api_Common_V1_Priority) throws(Rejection) {
        guard priority.priorityKey >= 0 else { throw .invalid("priority key can't be negative") }
        guard priority.fairnessKey.utf8.count <= Self.fairnessKeyBytesMax else {
            throw .invalid("fairness key length exceeds limit")
        }
        guard priority.fairnessWeight >= 0 else { throw .invalid("fairness weight can't be negative") }
    }

    static let fairnessKeyBytesMax = 64

    /// What a start leaves with the open run that answers it.
    func onConflict(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest
    ) throws(Rejection) {
        guard request.hasOnConflictOptions else { return }
        let options = request.onConflictOptions
        if options.attachCompletionCallbacks || options.attachLinks, !options.attachRequestID {
            throw .invalid("OnConflictOptions: attach_request_id must be true when callbacks or links are attached.")
        }
    }

    func taskQueue(_ queue: Temporal_Api_Taskqueue_V1_TaskQueue, isSet: Bool) throws(Rejection) -> TaskQueue {
        guard isSet, !queue.name.isEmpty else { throw .invalid("taskQueue is not set") }
        try length(queue.name, "taskQueue")
        if queue.name.hasPrefix("/_sys/") { throw .invalid("task queue name cannot start with reserved prefix /_sys/") }
        return TaskQueue(queue)
    }

    func span(_ duration: Google_Protobuf_Duration, isSet: Bool, _ name: String) throws(Rejection) -> TimeSpan {
        guard isSet else { return .zero }
        guard duration.seconds >= 0, duration.nanos >= 0 else { throw .invalid("Invalid \(name).") }
        return TimeSpan(duration)
    }

    /// The policy with its zero fields filled, or nil when none was given.
    func retryPolicy(_ policy: Temporal_Api_Common_V1_RetryPolicy, isSet: Bool) throws(Rejection) -> RetryPolicy? {
        guard isSet else { return nil }
        var filled = RetryPolicy(policy)
        if filled.initialInterval < .zero { throw .invalid("InitialInterval cannot be negative on retry policy.") }
        if filled.maximumInterval < .zero { throw .invalid("MaximumInterval cannot be negative on retry policy.") }
        if filled.maximumAttempts < 0 { throw .invalid("MaximumAttempts cannot be negative on retry policy.") }
        if filled.backoffCoefficient == 0 { filled.backoffCoefficient = 2 }
        if !(filled.backoffCoefficient >= 1) {
            throw .invalid("BackoffCoefficient cannot be less than 1 on retry policy.")
        }
        if !filled.initialInterval.isPositive { filled.initialInterval = .seconds(1) }
        if !filled.maximumInterval.isPositive {
            let (hundredfold, overflow) = filled.initialInterval.nanoseconds.multipliedReportingOverflow(by: 100)
            filled.maximumInterval = TimeSpan(nanoseconds: overflow ? .max : hundredfold)
        }
        if filled.maximumInterval < filled.initialInterval {
            throw .invalid("MaximumInterval cannot be less than InitialInterval on retry policy.")
        }
        return filled
    }
}
