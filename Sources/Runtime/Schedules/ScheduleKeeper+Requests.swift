import Engine
import History

extension ScheduleKeeper {
    func create(_ request: CreateScheduleRequest) async throws -> Int64 {
        let zone = try zone(of: request.definition.spec)
        return try await again { () async throws in
            if let hot = try await self.find(request.key) {
                try await self.stored(hot)
                if hot.schedule.createRequestID == request.requestID { return hot.schedule.conflictToken }
                throw Rejection(
                    .workflowAlreadyStarted(
                        startRequestID: hot.schedule.createRequestID, run: RunID(hot.schedule.incarnation)),
                    "schedule with this ID is already registered: \(request.key.id)")
            }
            return try await self.begin(request, zone)
        }
    }

    private func begin(_ request: CreateScheduleRequest, _ zone: ZoneRules) async throws -> Int64 {
        let lane = try check(request.key)
        let now = clock.now()
        var schedule = Schedule(
            namespace: request.key.namespace, id: request.key.id, incarnation: services.ids.uuid(),
            definition: request.definition, memo: request.memo, searchAttributes: request.searchAttributes,
            requestID: request.requestID, at: now)
        if let patch = request.patch { _ = try schedule.patch(patch, requestID: "", at: now) }
        let times = ScheduleTimes(request.definition.spec, zone: zone, seed: schedule.jitterSeed)
        let hot = HotSchedule(
            key: request.key, lane: lane.lane, epoch: lane.epoch, schedule: schedule, times: times, version: nil)
        hot.doubtful = []
        schedules[request.key] = hot
        markDirty(hot)
        turn(hot)
        let token = hot.schedule.conflictToken
        try await stored(hot)
        return token
    }

    func update(_ request: UpdateScheduleRequest) async throws {
        let zone = try zone(of: request.definition.spec)
        try await again { () async throws in
            let hot = try await self.writable(request.key)
            // Under the old times, up to now.
            self.turn(hot)
            let isNew = try hot.schedule.update(
                request.definition, memo: request.memo, searchAttributes: request.searchAttributes,
                token: request.conflictToken, requestID: request.requestID, at: self.clock.now())
            if isNew {
                hot.times = ScheduleTimes(
                    request.definition.spec, zone: zone, seed: hot.schedule.jitterSeed)
                self.markDirty(hot)
                self.turn(hot)
            }
            try await self.stored(hot)
        }
    }

    func patch(_ key: ScheduleKey, _ patch: SchedulePatch, requestID: RequestID) async throws {
        try await again { () async throws in
            let hot = try await self.writable(key)
            self.turn(hot)
            if try hot.schedule.patch(patch, requestID: requestID, at: self.clock.now()) {
                self.markDirty(hot)
                self.turn(hot)
            }
            try await self.stored(hot)
        }
    }

    func delete(_ key: ScheduleKey) async throws {
        try await again { () async throws in
            let hot = try await self.writable(key)
            // A row that is not there yet could not be deleted.
            if hot.version == nil { try await self.stored(hot) }
            _ = try self.check(key)
            hot.isDeleted = true
            self.markDirty(hot)
            try await self.stored(hot)
        }
    }

    /// For a change: a schedule that is not there answers as the reference server does.
    private func writable(_ key: ScheduleKey) async throws -> HotSchedule {
        guard let hot = try await find(key) else {
            throw Rejection.notFound("workflow execution already completed")
        }
        return hot
    }

    /// Decides again after a commit that failed or is in doubt: request ids make that harmless.
    private func again<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        var retries = 0
        while true {
            do {
                return try await body()
            } catch let error as StoreError where retries < Self.retriesMax {
                switch error {
                case .unavailable, .conflict, .alreadyExists, .outcomeUnknown: retries += 1
                case .notOwner, .outOfStep, .corrupt, .closed: throw error
                }
            }
        }
    }

    private nonisolated func zone(of spec: ScheduleSpec) throws(Rejection) -> ZoneRules {
        do throws(ScheduleProblem) {
            return try zones.zone(of: spec)
        } catch {
            throw .invalid("Invalid schedule spec: \(error.message)")
        }
    }

    // MARK: Reading

    func describe(_ key: ScheduleKey) async throws -> ScheduleDescription {
        let schedule = try await current(key)
        return description(schedule)
    }

    /// As it is stored, from memory when this node has it.
    private func current(_ key: ScheduleKey) async throws -> Schedule {
        if (try? check(key)) != nil {
            let hot = try await resident(key)
            try await stored(hot)
            return hot.schedule
        }
        guard let stored = try await store.loadSchedule(key) else { throw Rejection.scheduleNotFound }
        return try decode(stored)
    }

    nonisolated func description(_ schedule: Schedule) -> ScheduleDescription {
        let future = schedule.futureTimes(from: clock.now(), times(of: schedule))
        return ScheduleDescription(
            schedule: schedule, futureTimes: future, stateBytes: schedule.snapshot().count)
    }

    func times(_ key: ScheduleKey, from start: Timestamp, through end: Timestamp, limit: Int) async throws
        -> [Timestamp]
    {
        let schedule = try await current(key)
        let before = start.advanced(by: TimeSpan(nanoseconds: -1))
        return times(of: schedule).times(after: before, through: end, limit: limit).map(\.actual)
    }

    nonisolated func list(
        namespace: NamespaceID, after: ScheduleID?, limit: Int
    ) async throws -> [ScheduleDescription] {
        let rows = try await store.listSchedules(namespace: namespace, after: after, limit: limit)
        return try rows.map { description(try decode($0)) }
    }

    func snapshotOfMetrics() -> ScheduleMetrics { metrics }
}
