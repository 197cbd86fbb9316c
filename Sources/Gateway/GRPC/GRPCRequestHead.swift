import History
import NIOHPACK

/// What a request's headers say.
struct GRPCRequestHead: Sendable {
    enum Encoding: Hashable, Sendable {
        case identity
        /// gzip or deflate: zlib tells them apart.
        case zlib
        case unknown(String)
    }

    var method: WireMethod
    var metadata: [(name: String, value: String)]
    var encoding: Encoding
    /// When the caller stops waiting.
    var deadline: Timestamp?

    /// - Returns: `nil` for a request that is no gRPC.
    init?(_ headers: HPACKHeaders, now: Timestamp) {
        guard headers.first(name: ":method") == "POST", let path = headers.first(name: ":path"),
            let method = GRPCHeaders.method(path),
            headers.first(name: "content-type")?.hasPrefix("application/grpc") == true
        else { return nil }
        self.method = method
        deadline = GRPCHeaders.deadline(headers, now)
        metadata = GRPCHeaders.metadata(headers)
        switch headers.first(name: "grpc-encoding") {
        case nil, "identity": encoding = .identity
        case "gzip", "deflate": encoding = .zlib
        case .some(let name): encoding = .unknown(name)
        }
    }
}
