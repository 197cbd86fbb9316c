public import Engine
public import History

public struct CreateScheduleRequest: Sendable {
    public var key: ScheduleKey
    public var definition: ScheduleDefinition
    public var patch: SchedulePatch?
    public var memo: Blob?
    public var searchAttributes: Blob?
    public var requestID: RequestID

    public init(
        key: ScheduleKey, definition: ScheduleDefinition, patch: SchedulePatch? = nil, memo: Blob? = nil,
        searchAttributes: Blob? = nil, requestID: RequestID
    ) {
        self.key = key
        self.definition = definition
        self.patch = patch
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.requestID = requestID
    }
}

public struct UpdateScheduleRequest: Sendable {
    public var key: ScheduleKey
    public var definition: ScheduleDefinition
    /// nil = whatever it is now.
    public var conflictToken: Int64?
    /// nil leaves what is there; an empty message removes it.
    public var memo: Blob?
    public var searchAttributes: Blob?
    public var requestID: RequestID

    public init(
        key: ScheduleKey, definition: ScheduleDefinition, conflictToken: Int64? = nil, memo: Blob? = nil,
        searchAttributes: Blob? = nil, requestID: RequestID
    ) {
        self.key = key
        self.definition = definition
        self.conflictToken = conflictToken
        self.memo = memo
        self.searchAttributes = searchAttributes
        self.requestID = requestID
    }
}

public struct ScheduleDescription: Sendable {
    public var schedule: Schedule
    public var futureTimes: [Timestamp]
    public var stateBytes: Int
    public init(schedule: Schedule, futureTimes: [Timestamp], stateBytes: Int) {
        self.schedule = schedule
        self.futureTimes = futureTimes
        self.stateBytes = stateBytes
    }
}

/// The part of ``Backend`` that is about schedules.
public protocol ScheduleBackend: Sendable {
    /// - Returns: the conflict token.
    func createSchedule(_ request: CreateScheduleRequest) async throws -> Int64
    func describeSchedule(_ key: ScheduleKey) async throws -> ScheduleDescription
    func updateSchedule(_ request: UpdateScheduleRequest) async throws
    func patchSchedule(_ key: ScheduleKey, _ patch: SchedulePatch, requestID: RequestID) async throws
    func deleteSchedule(_ key: ScheduleKey) async throws
    /// Actual times, jitter included, of nominal times in `start ... end`; at most `limit`.
    func scheduleTimes(_ key: ScheduleKey, from start: Timestamp, through end: Timestamp, limit: Int) async throws
        -> [Timestamp]
    /// In order of their ids.
    func listSchedules(namespace: NamespaceID, after: ScheduleID?, limit: Int) async throws -> [ScheduleDescription]
    func countSchedules(namespace: NamespaceID) async throws -> Int64
}
