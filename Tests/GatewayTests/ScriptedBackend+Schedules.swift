import Engine
import History
import Runtime

/// Schedules are tested with a whole server; here nobody has any.
extension ScriptedBackend {
    private static let nothing = Rejection(.notFound, "schedule not found")

    func createSchedule(_ request: CreateScheduleRequest) async throws -> Int64 { 1 }
    func describeSchedule(_ key: ScheduleKey) async throws -> ScheduleDescription { throw Self.nothing }
    func updateSchedule(_ request: UpdateScheduleRequest) async throws { throw Self.nothing }
    func patchSchedule(_ key: ScheduleKey, _ patch: SchedulePatch, requestID: RequestID) async throws {
        throw Self.nothing
    }
    func deleteSchedule(_ key: ScheduleKey) async throws { throw Self.nothing }
    func scheduleTimes(
        _ key: ScheduleKey, from start: Timestamp, through end: Timestamp, limit: Int
    ) async throws -> [Timestamp] { throw Self.nothing }
    func listSchedules(
        namespace: NamespaceID, after: ScheduleID?, limit: Int
    ) async throws -> [ScheduleDescription] { [] }
    func countSchedules(namespace: NamespaceID) async throws -> Int64 { 0 }

    func startBatch(_ request: StartBatchRequest) async throws {}
    func stopBatch(_ key: BatchKey, identity: String, reason: String) async throws { throw Self.nothing }
    func describeBatch(_ key: BatchKey) async throws -> BatchOperation { throw Self.nothing }
    func listBatches(
        namespace: NamespaceID, after: BatchListPosition?, limit: Int
    ) async throws -> [BatchOperation] { [] }
}
