import History

/// A request as the HTTP service sees it, whatever server read it.
public struct HTTPQuestion: Sendable {
    public var method: String
    /// Still percent-encoded, without the query.
    public var path: String
    public var query: [(name: String, value: String)]
    /// Lower-case names.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Given by the client or made here; every answer and log line carries it.
    public var requestID: String

    public init(
        method: String, path: String, query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], requestID: String? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        let given = requestID ?? headers.first { $0.name == "x-request-id" }?.value
        let isUsable = given.map {
            !$0.isEmpty && $0.utf8.count <= 128 && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        }
        self.requestID = isUsable == true ? given ?? "" : UUIDs.random()
    }

    func header(_ name: String) -> String? {
        for header in headers where header.name == name { return header.value }
        return nil
    }

    func parameter(_ name: String) -> String? {
        for parameter in query where parameter.name == name { return parameter.value }
        return nil
    }
}

/// An answer, complete in memory.
public struct HTTPAnswer: Hashable, Sendable {
    public struct Header: Hashable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var status: Int
    public var headers: [Header]
    public var body: [UInt8]

    public init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    public static func json(
        _ value: JSONValue, status: Int = 200, headers: [Header] = [], type: String = "application/json",
        pretty: Bool = false
    ) -> HTTPAnswer {
        HTTPAnswer(
            status: status, headers: [Header("Content-Type", type)] + headers,
            body: JSONWriter.write(value, pretty: pretty))
    }

    public func header(_ name: String) -> String? {
        for header in headers where header.name.lowercased() == name.lowercased() { return header.value }
        return nil
    }
}
