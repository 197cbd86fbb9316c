public import AsyncHTTPClient
public import Foundation
import NIOHTTP1

/// Asks Prometheus (HTTP API v1).
public struct PrometheusReader: Sendable {
    public static let callMax = Duration.seconds(10)

    private let http: HTTPClient
    private let baseURL: String

    public init(http: HTTPClient, baseURL: String) {
        self.http = http
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
    }

    /// A query's only number at a time.
    ///
    /// - Returns: nil when nothing matches, and for a result that is no number (0/0).
    /// - Throws: ``EffectFailure``: `permanent(code: "BadQuery")` for a query that is none, or one that has several answers.
    public func value(_ query: String, at time: Date) async throws(EffectFailure) -> Double? {
        let answer = try await self.get(
            "/api/v1/query", [("query", query), ("time", "\(time.timeIntervalSince1970)")], Answer<Instant>.self)
        let found: Double?
        switch answer.data?.result {
        case .vector(let samples):
            guard samples.count <= 1 else {
                throw EffectFailure(
                    .permanent(code: "BadQuery"), "one number is expected, the query has \(samples.count)")
            }
            found = samples.first?.value.number
        case .scalar(let value): found = value.number
        case .other(let kind): throw EffectFailure(.permanent(code: "BadQuery"), "a \(kind) is no single moment")
        case nil: throw EffectFailure(.transient, "Prometheus answered without data")
        }
        return found.flatMap { $0.isNaN ? nil : $0 }
    }

    /// Whether an alert with these labels is firing.
    public func isFiring(_ labels: [String: String]) async throws(EffectFailure) -> Bool {
        let answer = try await self.get("/api/v1/alerts", [], Answer<Alerts>.self)
        return (answer.data?.alerts ?? []).contains { alert in
            alert.state == "firing" && labels.allSatisfy { alert.labels[$0.key] == $0.value }
        }
    }

    private func get<Body: Decodable>(
        _ path: String, _ parameters: [(String, String)], _ type: Body.Type
    ) async throws(EffectFailure) -> Body {
        var url = URLComponents(string: self.baseURL + path)
        if !parameters.isEmpty { url?.queryItems = parameters.map { URLQueryItem(name: $0.0, value: $0.1) } }
        // '+' would be read as a space.
        let query = url?.percentEncodedQuery?.replacingOccurrences(of: "+", with: "%2B")
        url?.percentEncodedQuery = query
        guard let text = url?.string else { throw EffectFailure(.invalid, "the address of Prometheus is no URL") }
        let answer = try await HTTPCall(method: .GET, url: text, headers: [], body: nil)
            .run(self.http, within: Self.callMax)
        guard answer.status < 500, answer.status != 429 else {
            throw EffectFailure(.transient, "Prometheus answered \(answer.status)")
        }
        guard answer.status == 200 else {
            let why = (try? JSONDecoder().decode(Refusal.self, from: answer.body))?.error ?? "\(answer.status)"
            throw EffectFailure(.permanent(code: "BadQuery"), "Prometheus refuses the query: \(why)")
        }
        do {
            return try JSONDecoder().decode(type, from: answer.body)
        } catch {
            throw EffectFailure(.transient, "Prometheus' answer cannot be read")
        }
    }

    // MARK: Answers

    private struct Refusal: Decodable { var error: String? }

    private struct Answer<Data: Decodable>: Decodable { var data: Data? }

    private struct Alerts: Decodable {
        struct Alert: Decodable {
            var labels: [String: String]
            var state: String
        }
        var alerts: [Alert]
    }

    /// `[time, "value"]`.
    private struct Sample: Decodable {
        var number: Double?

        init(from decoder: any Decoder) throws {
            var parts = try decoder.unkeyedContainer()
            _ = try parts.decode(Double.self)
            self.number = Double(try parts.decode(String.self))
        }
    }

    private struct Instant: Decodable {
        enum Result {
            case vector([Series])
            case scalar(Sample)
            case other(String)
        }
        struct Series: Decodable { var value: Sample }
        var result: Result

        enum CodingKeys: String, CodingKey { case resultType, result }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            switch try fields.decode(String.self, forKey: .resultType) {
            case "vector": self.result = .vector(try fields.decode([Series].self, forKey: .result))
            case "scalar": self.result = .scalar(try fields.decode(Sample.self, forKey: .result))
            case let kind: self.result = .other(kind)
            }
        }
    }
}
