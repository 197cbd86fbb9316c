import TemporalCodec

/// A call that did not end with OK.
public struct RPCFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status codes of gRPC.
    public enum Code: Int, Hashable, Sendable, CaseIterable {
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case internalError = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    /// One message of the status details.
    public struct Detail: Hashable, Sendable {
        /// The full name of the message, for example `temporal.api.errordetails.v1.NotFoundFailure`.
        public let typeName: String
        /// The encoded message.
        public let body: [UInt8]

        public init(typeName: String, body: [UInt8]) {
            self.typeName = typeName
            self.body = body
        }
    }

    public var code: Code
    public var message: String
    public var details: [Detail]

    public init(_ code: Code, _ message: String, details: [Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// - Parameter statusDetails: The content of the trailer `grpc-status-details-bin`: an encoded `google.rpc.Status`.
    ///   Bytes that are none are ignored, as code and message say enough.
    public init(_ code: Code, _ message: String, statusDetails: [UInt8]?) {
        self.init(code, message, details: statusDetails.flatMap { try? Self.details(status: $0) } ?? [])
    }

    public var description: String { "\(code): \(message)" }

    /// The body of the first detail of this kind in `temporal.api.errordetails.v1`.
    public func detail(_ name: String) -> [UInt8]? {
        details.first { $0.typeName == "temporal.api.errordetails.v1.\(name)" }?.body
    }

    private static func details(status: [UInt8]) throws(MalformedMessage) -> [Detail] {
        var details: [Detail] = []
        var reader = ProtobufReader(status)
        while let (number, value) = try reader.next() {
            guard number == 3 else { continue }
            var url = ""
            var body: [UInt8] = []
            var any = ProtobufReader(value.body)
            while let (number, value) = try any.next() {
                if number == 1 { url = value.text }
                if number == 2 { body = value.array }
            }
            details.append(Detail(typeName: url.split(separator: "/").last.map(String.init) ?? url, body: body))
        }
        return details
    }
}
