import Activities
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import ServerTestKit

/// Hands notifications over and measures what they cost.
struct BenchNotifyRun: Sendable {
    let channel: Activities.Channel
    let count: Int
    let concurrency: Int
    let rate: Double
    let rateSeconds: Double
    let stage: BenchNotifyStage

    /// Notifications of one request.
    private static let batch = 100
    private static let commitsOfProbe = 100

    func measure() async throws -> BenchNotifyResult {
        try await prepare()
        try await busy("warm", count: min(200, count))
        let commitSeconds = try await commitProbe()
        let before = try await BenchNotifyCosts(stage)
        let began = ContinuousClock.now
        try await busy("busy", count: count)
        let wall = (ContinuousClock.now - began).seconds
        let after = try await BenchNotifyCosts(stage)
        let busyLatencies = try await latencies("busy")
        try await calmly("calm")
        return BenchNotifyResult(
            channel: channel.rawValue, count: count, wall: wall, busy: busyLatencies, calmRate: rate,
            calm: try await latencies("calm"), costs: after.since(before), commitSeconds: commitSeconds)
    }

    private func prepare() async throws {
        _ = try await stage.pool.query(BenchNotifyStatements.unbound)
        for tenant in ["warm", "busy", "calm"] {
            let body =
                channel == .email
                ? #"{"bodies":[{"channel":"email","subject":"Order {{order}}","text":"Dear {{name}}, order {{order}} is on its way."}]}"#
                : #"{"bodies":[{"channel":"sms","text":"{{name}}, order {{order}} is on its way."}]}"#
            _ = try await ask("PUT", "/v1/templates/shipped?tenant=\(tenant)", body)
            _ = try await ask("POST", "/v1/templates/shipped/versions/1/activate?tenant=\(tenant)", "")
        }
    }

    private func recipient(_ number: Int) -> String {
        let address =
            channel == .email ? "\"email\":\"ok\(number)@example.com\"" : "\"phone\":\"+49170\(1_000_000 + number)\""
        return "\"recipient\":{\(address)},\"variables\":{\"name\":\"Customer \(number)\",\"order\":\"A-\(number)\"}"
    }

    private func shared(_ tenant: String) -> String {
        "\"tenant\":\"\(tenant)\",\"template\":{\"id\":\"shipped\"},\"category\":\"transactional\",\"channels\":[\"\(channel.rawValue)\"]"
    }

    /// As fast as it goes, until everything is over.
    private func busy(_ tenant: String, count: Int) async throws {
        let firsts = Array(stride(from: 0, to: count, by: Self.batch))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, first) in firsts.enumerated() {
                if index >= concurrency { try await group.next() }
                group.addTask {
                    let numbers = first..<min(first + Self.batch, count)
                    let recipients = numbers.map { "{\(self.recipient($0))}" }.joined(separator: ",")
                    _ = try await ask(
                        "POST", "/v1/notifications:bulk", "{\(shared(tenant)),\"recipients\":[\(recipients)]}")
                }
            }
            try await group.waitForAll()
        }
        try await untilOver(tenant, count: count)
    }

    /// At a fixed rate, for the latency of a server that has nothing else to do.
    private func calmly(_ tenant: String) async throws {
        let total = Int(rate * rateSeconds)
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<total {
                group.addTask {
                    try await Task.sleep(until: began + .seconds(Double(number) / rate), clock: .continuous)
                    _ = try await ask("POST", "/v1/notifications", "{\(shared(tenant)),\(recipient(number))}")
                }
            }
            try await group.waitForAll()
        }
        try await untilOver(tenant, count: total)
    }

    private func untilOver(_ tenant: String, count: Int) async throws {
        let end = ContinuousClock.now + .seconds(60 + count / 5)
        while ContinuousClock.now < end {
            let rows = try await stage.pool.query(BenchNotifyStatements.over) { $0.text(tenant) }
            let (ended, sent) = (try rows[0].int64(0), try rows[0].int64(1))
            if ended >= count {
                guard sent == ended else { throw CommandFailure("\(ended - sent) notifications were not sent") }
                return
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw CommandFailure("the notifications were not over in time")
    }

    private func latencies(_ tenant: String) async throws -> Latencies {
        let rows = try await stage.pool.query(BenchNotifyStatements.latencies) { $0.text(tenant) }
        return Latencies(try rows.map { row throws(PostgresError) in try row.double(0) })
    }

    /// How long one small commit takes alone: mostly the disk's flush.
    private func commitProbe() async throws -> Double {
        let began = ContinuousClock.now
        for _ in 0..<Self.commitsOfProbe { _ = try await stage.pool.query(BenchNotifyStatements.probe) }
        return (ContinuousClock.now - began).seconds / Double(Self.commitsOfProbe)
    }

    private func ask(_ method: String, _ path: String, _ body: String) async throws -> JSONValue {
        var request = HTTPClientRequest(url: stage.gatewayURL + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(300))
        let bytes = try await response.body.collect(upTo: 16 << 20)
        let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))) ?? .null
        guard (200..<300).contains(Int(response.status.code)) else {
            throw CommandFailure("\(method) \(path) answered \(response.status.code): \(value.text)")
        }
        return value
    }
}

/// The measurement's questions.
enum BenchNotifyStatements {
    /// The provider's rate is not what is measured.
    static let unbound = Statement("bench_ntf_unbound", "update wf_ntf.provider set per_second = 1000000")

    static let over = Statement(
        "bench_ntf_over",
        """
        select count(ended_at), count(ended_at) filter (where state in ('SENT', 'DELIVERED')) from wf_ntf.notification
        where tenant = $1::text
        """)

    /// An id begins with the milliseconds at which the gateway had the request.
    static let latencies = Statement(
        "bench_ntf_latencies",
        """
        select extract(epoch from sent_at)::float8
            - ('x' || left(replace(id, '-', ''), 12))::bit(48)::bigint::float8 / 1000
        from wf_ntf.notification where tenant = $1::text and sent_at is not null
        """)

    static let probe = Statement("bench_ntf_probe", "select pg_current_xact_id()::text")
}
