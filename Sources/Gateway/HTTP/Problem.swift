import History

/// An error of the HTTP API as RFC 9457 tells it.
struct Problem: Error, Hashable, Sendable {
    struct Field: Hashable, Sendable {
        /// A JSON pointer into the body.
        var pointer: String
        var detail: String
    }

    /// The last part of the problem's type; a client decides by it.
    enum Kind: String, Hashable, Sendable {
        case validation
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case unauthenticated
        case forbidden
        case alreadyRunning = "conflict/already-running"
        case keyMissing = "idempotency/missing"
        case keyReused = "idempotency/reused"
        case inFlight = "idempotency/in-flight"
        case precondition
        case payloadTooLarge = "payload-too-large"
        case quotaExceeded = "quota-exceeded"
        case temporarilyUnavailable = "temporarily-unavailable"
        case timeout
        case unimplemented
        case internalError = "internal"
    }

    var kind: Kind
    var status: Int
    var title: String
    var detail: String
    var errors: [Field] = []
    var isRetryable = false
    /// The URL of the operation this is about.
    var operation: String?
    var headers: [HTTPAnswer.Header] = []

    init(
        _ kind: Kind, status: Int, _ title: String, detail: String, errors: [Field] = [], isRetryable: Bool = false,
        operation: String? = nil, headers: [HTTPAnswer.Header] = []
    ) {
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.isRetryable = isRetryable
        self.operation = operation
        self.headers = headers
    }

    static func notFound(_ detail: String) -> Problem {
        Problem(.notFound, status: 404, "Not found", detail: detail)
    }

    static func validation(_ errors: [Field]) -> Problem {
        Problem(
            .validation, status: 422, "The request is not valid", detail: "\(errors.count) field(s) were refused",
            errors: errors)
    }

    static func malformed(_ detail: String, pointer: String? = nil) -> Problem {
        Problem(
            .validation, status: 400, "The request cannot be read", detail: detail,
            errors: pointer.map { [Field(pointer: $0, detail: detail)] } ?? [])
    }

    /// Any error as a problem: gRPC codes in one table, nothing of our inside shown.
    init(any error: any Error) {
        if let problem = error as? Problem {
            self = problem
            return
        }
        let failure = WireFailure(any: error)
        let (kind, status, title) = Self.meaning(failure.code)
        self.init(kind, status: status, title, detail: failure.message, isRetryable: status == 503 || status == 429)
        if isRetryable { headers = [.init("Retry-After", "1")] }
        // The domain endpoints start their workflows with the operation's id as request id.
        if case .workflowAlreadyStarted(let request, _)? = (error as? Rejection)?.kind, UUIDs.isValid(request.value) {
            operation = HTTPService.operationPath(request.value)
        }
    }

    private static func meaning(_ code: WireFailure.Code) -> (Kind, Int, String) {
        switch code {
        case .invalidArgument, .outOfRange: (.validation, 400, "The request is not valid")
        case .notFound: (.notFound, 404, "Not found")
        case .alreadyExists: (.alreadyRunning, 409, "It is already running")
        case .failedPrecondition: (.precondition, 409, "The state does not allow it")
        case .permissionDenied: (.forbidden, 403, "Not allowed")
        case .unauthenticated: (.unauthenticated, 401, "Not authenticated")
        case .resourceExhausted: (.quotaExceeded, 429, "Too much")
        case .deadlineExceeded: (.timeout, 504, "It took too long")
        case .unimplemented: (.unimplemented, 501, "Not implemented")
        case .unavailable, .aborted, .cancelled: (.temporarilyUnavailable, 503, "Try again")
        case .unknown, .internalError, .dataLoss: (.internalError, 500, "Something went wrong here")
        }
    }

    func answer(requestID: String) -> HTTPAnswer {
        let fields = errors.map { JSONValue.record(("pointer", .string($0.pointer)), ("detail", .string($0.detail))) }
        let body = JSONValue.record(
            ("type", .string("urn:aloft:problem:\(kind.rawValue)")), ("title", .string(title)),
            ("status", .integer(status)),
            ("detail", .string(detail)), ("instance", .string(requestID)),
            ("errors", fields.isEmpty ? nil : .array(fields)),
            ("retryable", .bool(isRetryable)), ("operation", operation.map { .string($0) }))
        return .json(body, status: status, headers: headers, type: "application/problem+json")
    }
}
