import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// One HTTP call with a deadline, and the class of whatever can go wrong with it.
struct HTTPCall: Sendable {
    var method: HTTPMethod
    var url: String
    var headers: [(name: String, value: String)]
    var body: String?

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPHeaders
        var body: Data
    }

    private static let answerBytesMax = 4 << 20

    /// Makes the call.
    ///
    /// - Throws: `transient` when nothing can have been applied, `ambiguous` when it may have been.
    func run(_ client: HTTPClient, within limit: Duration) async throws(EffectFailure) -> Answer {
        var request = HTTPClientRequest(url: self.url)
        request.method = self.method
        for header in self.headers { request.headers.add(name: header.name, value: header.value) }
        if let body = self.body { request.body = .bytes(ByteBuffer(string: body)) }
        do {
            let response = try await client.execute(request, timeout: TimeAmount(limit))
            let body = try await response.body.collect(upTo: Self.answerBytesMax)
            return Answer(
                status: Int(response.status.code), headers: response.headers, body: Data(body.readableBytesView))
        } catch let error as HTTPClientError where HTTPCall.neverSent.contains(error) {
            throw EffectFailure(.transient, "not connected: \(error.shortDescription)")
        } catch let error as NIOConnectionError {
            throw EffectFailure(.transient, "not connected to \(error.host)")
        } catch {
            if self.method == .GET { throw EffectFailure(.transient, "no answer: \(error)") }
            throw EffectFailure(.ambiguous, "no answer: \(error)")
        }
    }

    private static let neverSent: [HTTPClientError] = [
        .connectTimeout, .getConnectionFromPoolTimeout, .invalidURL, .emptyHost, .tlsHandshakeTimeout,
    ]
}
