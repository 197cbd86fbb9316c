import FoundationEssentials
import History
public import Logging
public import Runtime

/// The HTTP API without a server: Temporal's HTTP/JSON paths and the domain's own, requests in, answers out.
public final class HTTPService: Sendable {
    typealias Handler = @Sendable (HTTPService, HTTPQuestion, PathValues) async throws -> HTTPAnswer

    let backend: any Backend
    let wire: WireService
    let options: HTTPOptions
    let logger: Logger
    let keysInFlight = KeysInFlight()

    public init(backend: any Backend, wire: WireService, options: HTTPOptions, logger: Logger) {
        self.backend = backend
        self.wire = wire
        self.options = options
        self.logger = logger
    }

    /// Answers one request; errors become answers too. Every answer carries `X-Request-Id`.
    public func answer(_ question: HTTPQuestion) async -> HTTPAnswer {
        var answer: HTTPAnswer
        do {
            answer = try await route(question)
        } catch {
            answer = Problem(any: error).answer(requestID: question.requestID)
            if answer.status >= 500 {
                logger.warning(
                    "request failed",
                    metadata: [
                        "request": "\(question.requestID)", "method": "\(question.method)",
                        "status": "\(answer.status)",
                    ])
            }
        }
        answer.headers.append(.init("X-Request-Id", question.requestID))
        return answer
    }

    private func route(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        if question.body.count > options.bodyBytesMax(of: question.path) {
            throw Self.tooLarge(options.bodyBytesMax(of: question.path), path: question.path)
        }
        switch Self.ownRoutes.match(method: question.method, path: question.path) {
        case .found(let handler, let values): return try await handler(self, question, values)
        case .otherMethods(let allowed): throw Self.methodNotAllowed(question, allowed)
        case .nothing: break
        }
        switch TemporalRoute.table.match(method: question.method, path: question.path) {
        case .found(let route, let values): return await temporal(route, question, values)
        case .otherMethods(let allowed): throw Self.methodNotAllowed(question, allowed)
        case .nothing: break
        }
        if question.path.hasPrefix("/api/v1/") || question.path.hasPrefix("/namespaces/") {
            return Self.temporalError(WireFailure(.notFound, "Not Found"))
        }
        throw Problem.notFound("there is nothing at this path")
    }

    static func tooLarge(_ limit: Int, path: String) -> Problem {
        // Of a notification only the variables can be that large.
        let field = path == "/v1/notifications" ? "/variables" : nil
        return Problem(
            .payloadTooLarge, status: 413, "The body is too large", detail: "expected at most \(limit) bytes",
            errors: field.map { [.init(pointer: $0, detail: "the body is larger than \(limit) bytes")] } ?? [])
    }

    private static func methodNotAllowed(_ question: HTTPQuestion, _ allowed: [String]) -> Problem {
        let list = allowed.sorted().joined(separator: ", ")
        return Problem(
            .methodNotAllowed, status: 405, "Method not allowed", detail: "expected \(list), got \(question.method)",
            headers: [.init("Allow", list)])
    }

    static let ownRoutes: RouteTable<Handler> = {
        var table = RouteTable<Handler>()
        table.add("GET", "/healthz") { _, _, _ in HTTPAnswer.json(["status": "ok"]) }
        table.add("GET", "/readyz") { service, _, _ in await service.readiness() }
        table.add("GET", "/metrics") { service, _, _ in await service.metricsText() }
        table.add("POST", "/v1/payments") { service, question, _ in try await service.createPayment(question) }
        table.add("GET", "/v1/payments") { service, question, _ in
            try await service.list(question, view: PaymentView.self, prefix: "pay:")
        }
        table.add("GET", "/v1/payments/{id}") { try await $0.payment($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/payments/{id}/refunds") { try await $0.createRefund($1, payment: $2["id"] ?? "") }
        table.add("GET", "/v1/operations") { service, question, _ in
            try await service.list(question, view: OperationListView.self, prefix: nil)
        }
        table.add("GET", "/v1/operations/{id}") { try await $0.operation($1, id: $2["id"] ?? "") }
        table.add("DELETE", "/v1/operations/{id}") { try await $0.cancelOperation($1, id: $2["id"] ?? "") }
        table.add("POST", "/v1/operations/{id}/cancel") { try await $0.cancelOperation($1, id: $2["id"] ?? "") }
        table.add("GET", "/v1/operations/{id}/result") { try await $0.operationResult($1, id: $2["id"] ?? "") }
        table.add("GET", "/v1/workflows") { service, question, _ in
            try await service.list(question, view: WorkflowListView.self, prefix: nil)
        }
        table.add("POST", "/v1/hooks/psp/{provider}") {
            try await $0.receiveWebhook($1, provider: $2["provider"] ?? "")
        }
        addNotificationRoutes(&table)
        addTemplateRoutes(&table)
        addUnsubscribeRoutes(&table)
        addReceiptRoutes(&table)
        addErasureRoutes(&table)
        addDeadLetterRoutes(&table)
        addUpgradeRoutes(&table)
        return table
    }()

    // MARK: The server itself

    private func readiness() async -> HTTPAnswer {
        let readiness = await backend.readiness()
        let body = JSONValue.record(
            ("ready", .bool(readiness.storeIsReachable)), ("store", .bool(readiness.storeIsReachable)),
            ("relay", .bool(readiness.relayIsConnected)), ("lanes", .integer(readiness.lanesOwned)))
        return .json(body, status: readiness.storeIsReachable ? 200 : 503)
    }

    private func metricsText() async -> HTTPAnswer {
        HTTPAnswer(
            status: 200, headers: [.init("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
            body: Array(await options.metrics().utf8))
    }

    // MARK: What every endpoint needs

    var now: Timestamp { options.now() }

    func domainNamespace() async throws -> Namespace { try await backend.namespace(named: options.namespace) }

    /// The body as JSON, without NUL characters: no table of ours could keep them.
    ///
    /// - Throws: a 400 or 422 problem with the place of the fault.
    func json(_ question: HTTPQuestion) throws(Problem) -> JSONValue {
        let body: JSONValue
        do {
            body = try JSONParser.parse(question.body)
        } catch {
            throw .malformed("\(error.reason) (at byte \(error.offset))", pointer: error.pointer)
        }
        if let pointer = body.firstPointer(where: { $0.utf8.contains(0) }) {
            throw .validation([.init(pointer: pointer, detail: "contains a NUL character")])
        }
        return body
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}
