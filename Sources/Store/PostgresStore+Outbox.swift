import History
import Postgres
public import Runtime

extension PostgresStore {
    public func outboxEntries(lane: Int16, after sequence: Int64, limit: Int) async throws(StoreError) -> [OutboxEntry]
    {
        let result = try await read(
            OutboxStatements.entries.call {
                $0.int16(lane)
                $0.int64(sequence)
                $0.int64(Int64(limit))
            })
        return try decode { () throws(PostgresError) in
            var entries: [OutboxEntry] = []
            for index in 0..<result.count {
                let row = result[index]
                let sequence = try row.int64(0)
                if entries.last?.sequence != sequence {
                    let key = RunKey(
                        namespace: NamespaceID(try row.uuid(1)), workflow: WorkflowID(try row.text(2)),
                        run: RunID(try row.uuid(3)))
                    entries.append(
                        OutboxEntry(lane: lane, sequence: sequence, run: key, workflowType: try row.text(4), events: [])
                    )
                }
                entries[entries.count - 1].events.append(try Self.event(row, from: 5))
            }
            return entries
        }
    }

    public func domainEvents(after sequence: Int64, limit: Int) async throws(StoreError) -> [DomainEvent] {
        // Placing events twice is harmless, so a lost connection is simply asked again by the next call.
        let results = try await run([
            OutboxStatements.assignPositions.call { $0.int32(Int32(limit)) },
            OutboxStatements.domainEvents.call {
                $0.int64(sequence)
                $0.int64(Int64(limit))
            },
        ])
        return try decode { () throws(PostgresError) in
            try results[1].map { row throws(PostgresError) in
                DomainEvent(
                    id: try row.uuid(0).description, sequence: try row.int64(1), namespace: try row.text(2),
                    family: try row.text(3),
                    type: try row.text(4), tenant: try row.text(5), source: try row.text(6), subject: try row.text(7),
                    subjectSequence: try row.int64(8), operationID: try row.text(9),
                    time: Timestamp(nanoseconds: try row.int64(10)),
                    data: try row.jsonb(11))
            }
        }
    }

    public func domainEventSignals() -> AsyncStream<Void> {
        let events = PostgresListener(configuration.postgres, channels: ["aloft_outbox"]).events()
        // One pending signal says as much as a thousand.
        return AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                for await _ in events { continuation.yield() }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    public func saveMarks(_ marks: [RelayMark]) async throws(StoreError) {
        guard !marks.isEmpty else { return }
        _ = try await run([
            OutboxStatements.saveMarks.call {
                $0.column(of: .int2, marks) { $0.int16($1.lane) }
                $0.column(of: .int8, marks) { $0.int64($1.sequence) }
                $0.column(of: .int8, marks) { $0.int64(Int64(bitPattern: $1.streamSequence)) }
                $0.column(of: .int8, marks) { $0.int64($1.streamCreated) }
                $0.column(of: .text, marks) { $0.text($1.messageID) }
            },
            OutboxStatements.trimMarks.call {
                $0.int16s(Set(marks.map(\.lane)).sorted())
                $0.int64(Int64(configuration.relayMarksMax))
            },
        ])
    }

    public func latestMarks() async throws(StoreError) -> [RelayMark] {
        try marks(try await read(OutboxStatements.latestMarks.call()))
    }

    public func marks(atOrBefore streamSequence: UInt64, streamCreated: Int64) async throws(StoreError) -> [RelayMark] {
        let result = try await read(
            OutboxStatements.marksAtOrBefore.call {
                $0.int64(Int64(bitPattern: streamSequence))
                $0.int64(streamCreated)
            })
        return try marks(result)
    }

    private func marks(_ result: ResultSet) throws(StoreError) -> [RelayMark] {
        try decode { () throws(PostgresError) in
            try result.map { row throws(PostgresError) in
                RelayMark(
                    lane: try row.int16(0), sequence: try row.int64(1),
                    streamSequence: UInt64(bitPattern: try row.int64(2)),
                    streamCreated: try row.int64(3), messageID: try row.text(4))
            }
        }
    }
}
