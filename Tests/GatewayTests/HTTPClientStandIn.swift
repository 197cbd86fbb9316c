import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request over a real connection.
enum HTTPClientStandIn {
    static func send(url: URL, path: String, body: [UInt8]?) async throws -> (body: String, status: Int) {
        var request = URLRequest(url: url.appending(path: path))
        if let body {
            request.httpMethod = "POST"
            request.httpBody = Data(body)
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        return (String(decoding: data, as: UTF8.self), (response as? HTTPURLResponse)?.statusCode ?? 0)
    }
}
