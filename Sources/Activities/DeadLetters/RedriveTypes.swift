/// What a redrive is asked to do: the input of `ntf.Redrive`.
public struct RedriveInput: Codable, Hashable, Sendable {
    public var jobID: String
    public var source: String
    public var filter: DeadLetterFilter
    /// New workflows a second.
    public var perSecond: Double
    public var limit: Int
    /// `template.version`, `channel`, `provider`: what the new runs do differently.
    public var overrides: [String: String]
    public var reason: String
    public var actor: String
    /// Takes entries too that were redriven in vain three times.
    public var isForced: Bool

    public static let perSecondMax = 500.0
    public static let entriesMax = 100_000

    enum CodingKeys: String, CodingKey {
        case source, filter, limit, overrides, reason, actor
        case jobID = "job_id"
        case perSecond = "per_second"
        case isForced = "force"
    }

    public init(
        jobID: String, source: String, filter: DeadLetterFilter = DeadLetterFilter(), perSecond: Double = 10,
        limit: Int = RedriveInput.entriesMax, overrides: [String: String] = [:], reason: String, actor: String,
        isForced: Bool = false
    ) {
        self.jobID = jobID
        self.source = source
        self.filter = filter
        self.perSecond = perSecond
        self.limit = limit
        self.overrides = overrides
        self.reason = reason
        self.actor = actor
        self.isForced = isForced
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            jobID: try values.decode(String.self, forKey: .jobID),
            source: try values.decode(String.self, forKey: .source),
            filter: try values.decodeIfPresent(DeadLetterFilter.self, forKey: .filter) ?? DeadLetterFilter(),
            perSecond: try values.decodeIfPresent(Double.self, forKey: .perSecond) ?? 10,
            limit: try values.decodeIfPresent(Int.self, forKey: .limit) ?? Self.entriesMax,
            overrides: try values.decodeIfPresent([String: String].self, forKey: .overrides) ?? [:],
            reason: try values.decodeIfPresent(String.self, forKey: .reason) ?? "",
            actor: try values.decodeIfPresent(String.self, forKey: .actor) ?? "",
            isForced: try values.decodeIfPresent(Bool.self, forKey: .isForced) ?? false)
    }
}

/// `OpenRedrive` answers how many entries the job took on.
public struct OpenedRedrive: Codable, Hashable, Sendable {
    public var total: Int
    public init(total: Int) { self.total = total }
}

/// `RedriveBatch`: so many entries of the job become workflows.
public struct RedriveBatchInput: Codable, Hashable, Sendable {
    public var job: RedriveInput
    public var count: Int

    public init(job: RedriveInput, count: Int) {
        self.job = job
        self.count = count
    }
}

public struct RedriveBatchResult: Codable, Hashable, Sendable {
    /// Entries this batch looked at: what the pace counts.
    public var taken: Int
    /// Of the whole job, so far.
    public var done: Int
    public var failed: Int
    /// Whether there was nothing more to take.
    public var isEmpty: Bool

    public init(taken: Int = 0, done: Int = 0, failed: Int = 0, isEmpty: Bool) {
        self.taken = taken
        self.done = done
        self.failed = failed
        self.isEmpty = isEmpty
    }
}

/// `CloseRedrive`: ends the job; entries it did not come to are free again.
public struct CloseRedriveInput: Codable, Hashable, Sendable {
    public var job: RedriveInput
    /// COMPLETED or CANCELED.
    public var state: String

    public init(job: RedriveInput, state: String) {
        self.job = job
        self.state = state
    }
}

/// How a redrive ended.
public struct RedriveResult: Codable, Hashable, Sendable {
    public var jobID: String
    public var state: String
    public var total: Int
    public var done: Int
    public var failed: Int

    enum CodingKeys: String, CodingKey {
        case state, total, done, failed
        case jobID = "job_id"
    }

    public init(jobID: String, state: String, total: Int, done: Int, failed: Int) {
        self.jobID = jobID
        self.state = state
        self.total = total
        self.done = done
        self.failed = failed
    }
}

/// The task queue of redrives.
public enum DeadLetterQueues {
    public static let main = "dlq"

    public static func workflow(source: String) -> String { "redrive:\(source)" }
}
