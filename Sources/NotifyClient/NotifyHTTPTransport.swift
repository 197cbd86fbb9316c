public import AsyncHTTPClient
public import Foundation
import NIOCore
import NIOHTTP1

/// Posts to a gateway.
public struct NotifyHTTPTransport: NotifyTransport {
    private let client: HTTPClient
    private let url: String
    private let token: String?

    /// - Parameters:
    ///   - url: the gateway's address, for example `https://aloft.example`.
    ///   - token: sent as a bearer token.
    public init(url: String, token: String? = nil, client: HTTPClient = .shared) {
        self.url = url
        self.token = token
        self.client = client
    }

    public func post(_ body: Data, key: String, timeout: Duration) async throws -> Int {
        var request = HTTPClientRequest(url: self.url + "/v1/notifications")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "idempotency-key", value: key)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        request.body = .bytes(ByteBuffer(bytes: body))
        let response = try await self.client.execute(request, timeout: TimeAmount(timeout))
        return Int(response.status.code)
    }
}
