import Activities
import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import ServerTestKit
import Worker

/// A sender of notifications and the world outside, talking to a stage over gRPC, HTTP and SQL.
struct NotificationOffice: Sendable {
    let stage: Stage
    let sink: MailSink
    private let pool: PostgresPool
    private let policy: String
    private let http = HTTPClient.shared

    private static let quiet = Logger(label: "office") { _ in SwiftLogNoOpLogHandler() }

    /// A stage with a mail server and a worker.
    static func with(
        policy: String, failpoint: String? = nil, environment: [String: String] = [:], callbacks: Bool = false,
        _ body: @escaping @Sendable (NotificationOffice) async throws -> Void
    ) async throws {
        let sink = try await MailSink.start()
        let result: Result<Void, any Error>
        do {
            try await Stage.with(worker: false, environment: environment) { stage in
                let pool = PostgresPool(PostgresConfiguration(url: stage.databaseURL, applicationName: "office"))
                defer { pool.close() }
                let office = NotificationOffice(stage: stage, sink: sink, pool: pool, policy: policy)
                try await office.run(
                    """
                    insert into wf_ntf.template (tenant, id, version, channel, subject, body) values
                        ('shop', 'hello', 1, 'email', 'Hello', 'Dear {{name}}'), ('shop', 'hello', 1, 'sms', '', 'Dear {{name}}')
                    """)
                try await office.startWorker(failpoint: failpoint, callbacks: callbacks)
                try await body(office)
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await sink.stop()
        try result.get()
    }

    func startWorker(failpoint: String? = nil, callbacks: Bool = false) async throws {
        try await self.stage.startWorker(
            failpoint: failpoint, notificationPolicy: self.policy, smtpURL: "smtp://127.0.0.1:\(self.sink.port)",
            callbacks: callbacks)
    }

    // MARK: Sending

    func mail(_ id: String, _ address: String, _ change: (inout NotificationRequest) -> Void = { _ in })
        -> NotificationRequest
    {
        var request = NotificationRequest(
            id: id, tenant: "shop", recipient: Recipient(email: address), template: .init(id: "hello"),
            variables: ["name": .string("Ann")], channels: [.email])
        change(&request)
        return request
    }

    func sms(_ id: String, _ number: String) -> NotificationRequest {
        self.mail(id, "") {
            $0.recipient = Recipient(phone: number)
            $0.channels = [.sms]
        }
    }

    func start(_ requests: [NotificationRequest]) async throws {
        guard let address = GRPCTransportOptions(address: self.stage.grpcAddress) else {
            throw ServerFailure("no address \(self.stage.grpcAddress)")
        }
        try await WorkflowClient.withConnection(to: address) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, request) in requests.enumerated() {
                    if index >= 16 { try await group.next() }
                    group.addTask {
                        _ = try await client.start(
                            workflowType: "ntf.Send", request,
                            options: StartOptions(id: request.workflowID, taskQueue: NotificationQueues.main),
                            returning: NotificationResult.self)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    // MARK: Looking

    func texts(_ sql: String) async throws -> [String] {
        let rows = try await self.pool.query(Statement("office_\(sql.hashValue.magnitude)", sql))
        return try rows.map { row throws(PostgresError) in try row.textOrNil(0) ?? "NULL" }
    }

    func run(_ sql: String) async throws {
        try await self.pool.withConnection { connection in try await connection.script(sql) }
    }

    func count(_ table: String, _ condition: String = "true") async throws -> Int {
        Int(try await self.texts("select count(*)::text from \(table) where \(condition)").first ?? "") ?? -1
    }

    func until(_ what: String, seconds: Double = 60, _ condition: () async throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            if (try? await condition()) == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        let states = try await self.texts(
            "select concat_ws(' ', state, reason, count(*)) from wf_ntf.notification group by state, reason")
        throw ServerFailure("did not happen in \(seconds) s: \(what); \(states)")
    }

    /// Waits until so many notifications have ended.
    func untilOver(_ count: Int, seconds: Double = 120) async throws {
        try await self.until("\(count) ended", seconds: seconds) {
            try await self.count("wf_ntf.notification", "ended_at is not null") >= count
        }
    }

    // MARK: The outside

    private func control(_ method: String, _ path: String, _ body: String? = nil) async throws -> [String: Any] {
        var request = HTTPClientRequest(url: self.stage.sandboxURL + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await self.http.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return (try? JSONSerialization.jsonObject(with: Data(bytes.readableBytesView))) as? [String: Any] ?? [:]
    }

    func fault(_ json: String) async throws { _ = try await self.control("POST", "/_ctl/faults", json) }
    func clearFaults() async throws { _ = try await self.control("DELETE", "/_ctl/faults") }

    private func journal() async throws -> [[String: Any]] {
        try await self.control("GET", "/_ctl/journal")["entries"] as? [[String: Any]] ?? []
    }

    /// The references of all effects of a kind.
    func effects(_ kind: String) async throws -> [String] {
        try await self.journal().flatMap { entry in
            (entry["effects"] as? [[String: Any]] ?? []).filter { $0["kind"] as? String == kind }
                .compactMap { $0["reference"] as? String }
        }
    }

    func requests(_ path: String) async throws -> Int {
        try await self.journal().count { $0["path"] as? String == path }
    }
}

/// Numbers from a seed.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
