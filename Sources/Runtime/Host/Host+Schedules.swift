public import Engine
public import History

extension Host {
    private func keeper() throws(Rejection) -> ScheduleKeeper {
        guard let schedules else { throw Rejection(.unimplemented, "this server keeps no schedules") }
        return schedules
    }

    public func createSchedule(_ request: CreateScheduleRequest) async throws -> Int64 {
        try await keeper().create(request)
    }

    public func describeSchedule(_ key: ScheduleKey) async throws -> ScheduleDescription {
        try await keeper().describe(key)
    }

    public func updateSchedule(_ request: UpdateScheduleRequest) async throws { try await keeper().update(request) }

    public func patchSchedule(_ key: ScheduleKey, _ patch: SchedulePatch, requestID: RequestID) async throws {
        try await keeper().patch(key, patch, requestID: requestID)
    }

    public func deleteSchedule(_ key: ScheduleKey) async throws { try await keeper().delete(key) }

    public func scheduleTimes(
        _ key: ScheduleKey, from start: Timestamp, through end: Timestamp, limit: Int
    ) async throws -> [Timestamp] {
        try await keeper().times(key, from: start, through: end, limit: limit)
    }

    public func listSchedules(
        namespace: NamespaceID, after: ScheduleID?, limit: Int
    ) async throws -> [ScheduleDescription] {
        try await keeper().list(namespace: namespace, after: after, limit: limit)
    }

    public func countSchedules(namespace: NamespaceID) async throws -> Int64 {
        try await keeper().store.countSchedules(namespace: namespace)
    }

    /// Counters of the schedules.
    public func scheduleMetrics() async -> ScheduleMetrics { await schedules?.snapshotOfMetrics() ?? ScheduleMetrics() }
}
