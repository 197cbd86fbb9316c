public import Foundation
public import Rollouts

/// The queries that measure one version, with places for what differs: `{server}`, `{version}`, `{window}` and `{quantile}`.
public struct TrackQueries: Hashable, Sendable, Codable {
    public var requests: String
    public var errors: String
    public var latency: String

    /// HAProxy's own exporter counts the answers; the latency comes from the service's histogram.
    public init(
        requests: String = #"sum(increase(haproxy_server_http_responses_total{server="{server}"}[{window}]))"#,
        errors: String = #"sum(increase(haproxy_server_http_responses_total{server="{server}",code="5xx"}[{window}]))"#,
        latency: String =
            #"histogram_quantile({quantile}, sum by (le) (increase(http_request_duration_seconds_bucket{version="{version}"}[{window}])))"#
    ) {
        self.requests = requests
        self.errors = errors
        self.latency = latency
    }
}

/// One version, as router and monitoring know it.
public struct Track: Hashable, Sendable, Codable {
    public var version: String
    /// `backend/server`.
    public var server: String

    public init(version: String, server: String) {
        self.version = version
        self.server = server
    }
}

extension PrometheusReader {
    /// Measures one version over a window that ends at `end`.
    ///
    /// Series that are absent among others that are there count as 0: a version without errors has no series of errors. A version
    /// without any request has no numbers at all.
    public func window(
        of track: Track, _ queries: TrackQueries, seconds: Double, quantile: Double, end: Date
    ) async throws(EffectFailure) -> MetricWindow {
        let server = track.server.split(separator: "/").last.map(String.init) ?? track.server
        func filled(_ query: String) -> String {
            query.replacingOccurrences(of: "{server}", with: Self.quoted(server))
                .replacingOccurrences(of: "{version}", with: Self.quoted(track.version))
                .replacingOccurrences(of: "{window}", with: "\(max(1, Int(seconds.rounded())))s")
                .replacingOccurrences(of: "{quantile}", with: "\(quantile)")
        }
        guard let requests = try await self.value(filled(queries.requests), at: end), requests > 0 else {
            return MetricWindow(requests: 0, errors: 0, latency: nil)
        }
        let errors = try await self.value(filled(queries.errors), at: end) ?? 0
        let latency = try await self.value(filled(queries.latency), at: end)
        return MetricWindow(
            requests: Int(requests.rounded()), errors: Int(errors.rounded()),
            latency: latency.flatMap { $0.isFinite ? $0 : nil })
    }

    /// The inside of a label's value.
    private static func quoted(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }
}
