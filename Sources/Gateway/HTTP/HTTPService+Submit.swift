import History
import Logging
import Runtime

/// A start that an Idempotency-Key guards.
struct Submission: Sendable {
    var kind: String
    /// The path template: part of the key's scope, so that one key may serve several endpoints.
    var template: String
    var key: String
    var fingerprint: [UInt8]
    var operationID: String
    var start: StartWorkflowRequest
}

extension HTTPService {
    /// Starts what is submitted unless the key was used before; then the first answer is repeated byte for byte.
    ///
    /// The key is claimed in the transaction of the start, so a crash between the commit and the answer leaves a claim from
    /// which the same answer is made again.
    func submit(
        _ submission: Submission, answer: (StoredRequest) async throws -> HTTPAnswer
    ) async throws -> HTTPAnswer {
        let scope = "|POST|\(submission.template)"
        let inFlightKey = "\(scope)|\(submission.key)"
        guard keysInFlight.enter(inFlightKey) else { throw Self.inFlight }
        defer { keysInFlight.leave(inFlightKey) }
        if let repeated = try await repeated(submission, scope: scope, answer: answer) { return repeated }
        let claim = RequestClaim(
            scope: scope, key: submission.key, fingerprint: submission.fingerprint, operationID: submission.operationID,
            operationKind: submission.kind, createdAt: now, expiresAt: now.advanced(by: options.keyLifetime))
        var start = submission.start
        start.claim = claim
        do {
            let started = try await backend.startWorkflow(start)
            let run = RunKey(namespace: start.namespace, workflow: start.attributes.workflowID, run: started.run)
            return try await save(
                try await answer(StoredRequest(claim: claim, run: run, answer: nil)), scope, submission.key)
        } catch StoreError.alreadyExists {
            // Another server claimed the key, or its commit was ours and only the answer was lost.
            if let repeated = try await repeated(submission, scope: scope, answer: answer) { return repeated }
            throw Self.inFlight
        }
    }

    private func repeated(
        _ submission: Submission, scope: String, answer: (StoredRequest) async throws -> HTTPAnswer
    ) async throws -> HTTPAnswer? {
        guard let stored = try await backend.storedRequest(scope: scope, key: submission.key),
            stored.claim.expiresAt > now
        else {
            return nil
        }
        guard stored.claim.fingerprint == submission.fingerprint else {
            throw Problem(
                .keyReused, status: 422, "The Idempotency-Key was used for another request",
                detail: "the first request with this key had another body",
                operation: Self.operationPath(stored.claim.operationID))
        }
        if let kept = stored.answer { return Self.replayed(kept) }
        guard stored.run != nil else { throw Self.inFlight }
        _ = try await save(try await answer(stored), scope, submission.key)
        guard let kept = try await backend.storedRequest(scope: scope, key: submission.key)?.answer else {
            throw Self.inFlight
        }
        return Self.replayed(kept)
    }

    /// Keeps an answer for repetitions. A failure to keep it does no harm: it can be made again.
    private func save(_ answer: HTTPAnswer, _ scope: String, _ key: String) async throws -> HTTPAnswer {
        let kept = StoredAnswer(
            status: answer.status, headers: answer.headers.flatMap { [$0.name, $0.value] }, body: answer.body)
        do {
            try await backend.saveAnswer(scope: scope, key: key, answer: kept)
        } catch {
            logger.warning("answer of an idempotent request was not kept", metadata: ["error": "\(type(of: error))"])
        }
        return answer
    }

    private static func replayed(_ kept: StoredAnswer) -> HTTPAnswer {
        var headers: [HTTPAnswer.Header] = []
        for index in stride(from: 0, to: kept.headers.count - 1, by: 2) {
            headers.append(.init(kept.headers[index], kept.headers[index + 1]))
        }
        return HTTPAnswer(
            status: kept.status, headers: headers + [.init("Idempotent-Replayed", "true")], body: kept.body)
    }

    private static var inFlight: Problem {
        Problem(
            .inFlight, status: 409, "The same request is being worked on", detail: "ask again in a moment",
            isRetryable: true,
            headers: [.init("Retry-After", "1")])
    }

    static func operationPath(_ id: String) -> String { "/v1/operations/\(id)" }
}
