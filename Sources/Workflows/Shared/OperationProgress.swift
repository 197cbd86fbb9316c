/// What the query `progress` answers, during a run and after it.
public struct OperationProgress: Codable, Hashable, Sendable {
    public enum Status: String, Codable, Hashable, Sendable {
        case running = "RUNNING"
        case paused = "PAUSED"
        case waiting = "WAITING"
        case compensating = "COMPENSATING"
        case succeeded = "SUCCEEDED"
        case failed = "FAILED"
        case rolledBack = "ROLLED_BACK"
        case canceled = "CANCELED"
    }

    public struct Step: Codable, Hashable, Sendable {
        public enum State: String, Codable, Hashable, Sendable {
            case running, done, failed
        }

        public var name: String
        public var state: State
        public var attempts: Int
        /// Unix seconds.
        public var startedAt: Double
        public var endedAt: Double?
        public var error: String?

        enum CodingKeys: String, CodingKey {
            case name, state, attempts, error
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }
    }

    public struct Wait: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Hashable, Sendable { case timer, approval, external, slot }

        public var kind: Kind
        public var name: String
        /// Unix seconds.
        public var until: Double?
    }

    public var operationID = ""
    public var workflowID = ""
    public var status = Status.running
    public var phase = "created"
    public var percent = 0
    public var steps: [Step] = []
    public var waitingFor: Wait?
    public var counts: [String: Int] = [:]
    public var lastEventID = 0

    enum CodingKeys: String, CodingKey {
        case operationID = "operation_id"
        case workflowID = "workflow_id"
        case status, phase, percent, steps, counts
        case waitingFor = "waiting_for"
        case lastEventID = "last_event_id"
    }

    public init() {}

    /// A step begins; the same step again is another attempt at it.
    mutating func begin(_ name: String, at now: Double) {
        if let index = self.steps.lastIndex(where: { $0.name == name }) {
            self.steps[index].attempts += 1
            self.steps[index].state = .running
            self.steps[index].endedAt = nil
        } else {
            self.steps.append(Step(name: name, state: .running, attempts: 1, startedAt: now))
        }
        self.phase = name
    }

    mutating func end(_ name: String, at now: Double, error: String? = nil) {
        guard let index = self.steps.lastIndex(where: { $0.name == name }) else { return }
        self.steps[index].state = error == nil ? .done : .failed
        self.steps[index].endedAt = now
        self.steps[index].error = error
    }
}
