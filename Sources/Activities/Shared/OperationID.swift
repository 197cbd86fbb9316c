/// The key of one effect: `{workflow id}/{step}[/{index}]/g{generation}`.
///
/// No run id, attempt, clock or random number is in it, so that a retry, a replay, a crash and a reset all use the same key.
/// The generation is workflow state and moves only when the earlier one is known not to have happened.
public struct OperationID: Hashable, Sendable, CustomStringConvertible {
    public let value: String

    public init(workflow: String, step: String, index: String? = nil, generation: Int = 0) {
        self.value = "\(workflow)/\(step)\(index.map { "/\($0)" } ?? "")/g\(generation)"
    }

    public var description: String { self.value }
}
