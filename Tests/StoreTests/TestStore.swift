import Engine
import History
import Postgres
import Runtime
import ServerTestKit
import Store

/// One private server for all tests of this process; each test gets a database of its own with the schema applied.
actor TestStore {
    static let shared = TestStore()
    static let laneCount = 16
    private var starting: Task<PrivatePostgres, any Error>?
    private var databases = 0

    func server() async throws -> PrivatePostgres {
        if let starting { return try await starting.value }
        let task = Task { () throws -> PrivatePostgres in
            let server = try await PrivatePostgres.temporary()
            try await server.createDatabase("model")
            _ = try await SchemaMigrator(PostgresConfiguration(url: server.url(database: "model"))).apply()
            return server
        }
        starting = task
        return try await task.value
    }

    /// An empty database, with or without the schema.
    func database(withSchema: Bool = true) async throws -> String {
        let server = try await server()
        databases += 1
        let name = "t\(databases)"
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await admin.script("create database \(name) template \(withSchema ? "model" : "template0")")
        return name
    }

    func configuration(_ database: String) async throws -> PostgresConfiguration {
        PostgresConfiguration(url: try await server().url(database: database))
    }
}

/// A store on a database of its own that holds every lane.
struct Fixture {
    let store: PostgresStore
    let configuration: PostgresConfiguration
    let database: String
    let lanes: [LaneLease]

    static let namespace = NamespaceID("11111111-1111-4111-8111-111111111111")

    init() async throws {
        let database = try await TestStore.shared.database()
        self.database = database
        configuration = try await TestStore.shared.configuration(database)
        store = try await PostgresStore.open(PostgresStore.Configuration(configuration, laneCount: TestStore.laneCount))
        lanes = try await store.acquireLanes(node: "a", address: "a:1", limit: TestStore.laneCount, seconds: 60)
    }

    func batch(_ writes: [RunWrite], lane: Int16 = 0) -> CommitBatch {
        CommitBatch(lane: lane, epoch: lanes[Int(lane)].epoch, writes: writes)
    }

    func load(_ key: RunKey) async throws -> StoredRun? {
        try await store.loadRun(namespace: key.namespace, workflow: key.workflow, run: key.run)
    }
}

extension CommitBatch {
    /// A batch of one lane, whatever the slots say.
    init(lane: Int16, epoch: Int64, writes: [RunWrite]) {
        self.init(
            lanes: [LaneEpoch(lane: lane, epoch: epoch)],
            writes: writes.map { write in
                var write = write
                write.lane = lane
                return write
            })
    }
}

/// Repeatable random numbers.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The n-th run of a workflow id.
func key(_ workflow: String, _ run: UInt64 = 1) -> RunKey {
    var number: UInt64 = run
    for byte in workflow.utf8 { number = number &* 31 &+ UInt64(byte) }
    return RunKey(
        namespace: Fixture.namespace, workflow: WorkflowID(workflow),
        run: RunID(PostgresUUID(high: 0x0190_0000_0000_7000, low: number | 1 << 63).description))
}

func summary(
    _ key: RunKey, status: WorkflowStatus = .running, startTime: Int64 = 1_000, closeTime: Int64? = nil,
    length: Int64 = 2,
    type: String = "Hello"
) -> RunSummary {
    RunSummary(
        key: key, firstRunID: key.run, workflowType: type, taskQueue: "queue", status: status,
        startTime: Timestamp(nanoseconds: startTime), executionTime: Timestamp(nanoseconds: startTime + 1),
        closeTime: closeTime.map { Timestamp(nanoseconds: $0) }
            ?? (status.isOpen ? nil : Timestamp(nanoseconds: startTime + 5)),
        historyLength: length, historySizeBytes: length * 100, startRequestID: RequestID("request-\(key.run)"),
        memo: Blob([1, 2, 3]),
        searchAttributes: nil)
}

func event(_ id: Int64, type: Int32 = 1) -> StoredEvent {
    StoredEvent(
        id: EventID(id), type: type, time: Timestamp(nanoseconds: 5_000 + id), actor: "tester",
        body: [UInt8(truncatingIfNeeded: id), 0, 255],
        hash: [UInt8](repeating: UInt8(truncatingIfNeeded: id), count: 32))
}

func start(
    _ key: RunKey, wakeAt: Int64? = 0, startTime: Int64 = 1_000, type: String = "Hello", supersedes: RunID? = nil,
    outbox: Int64? = nil, claim: RequestClaim? = nil
) -> RunWrite {
    RunWrite(
        slot: Slots.slot(namespace: key.namespace, workflow: key.workflow), lane: 0, expectedVersion: nil,
        summary: summary(key, startTime: startTime, type: type), snapshot: [9, 9],
        wakeAt: wakeAt.map { Timestamp(nanoseconds: $0) },
        events: [event(1), event(2, type: 5)], supersedes: supersedes, outboxSequence: outbox, claim: claim)
}

func update(
    _ key: RunKey, version: Int64, status: WorkflowStatus = .running, wakeAt: Int64? = 0, events: [StoredEvent] = [],
    attempts: [ActivityAttempt] = [], outbox: Int64? = nil, startTime: Int64 = 1_000, closeTime: Int64? = nil
) -> RunWrite {
    var summary = summary(
        key, status: status, startTime: startTime, closeTime: closeTime, length: 2 + Int64(events.count))
    summary.transitionCount = version + 1
    return RunWrite(
        slot: Slots.slot(namespace: key.namespace, workflow: key.workflow), lane: 0, expectedVersion: version,
        summary: summary, snapshot: [7, UInt8(version)], wakeAt: wakeAt.map { Timestamp(nanoseconds: $0) },
        events: events, attempts: attempts, outboxSequence: outbox, previousStatus: .running)
}
