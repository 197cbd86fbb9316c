import History
import Postgres
public import Runtime

extension PostgresStore {
    public func request(scope: String, key: String) async throws(StoreError) -> StoredRequest? {
        let result = try await read(
            RequestStatements.find.call {
                $0.text(scope)
                $0.text(key)
            })
        return try storedRequest(result)
    }

    public func saveAnswer(scope: String, key: String, answer: StoredAnswer) async throws(StoreError) {
        _ = try await run([
            RequestStatements.saveAnswer.call {
                $0.text(scope)
                $0.text(key)
                $0.int32(Int32(answer.status))
                $0.texts(answer.headers)
                $0.bytea(answer.body)
            }
        ])
    }

    public func operation(id: String) async throws(StoreError) -> StoredRequest? {
        try storedRequest(try await read(RequestStatements.findOperation.call { $0.text(id) }))
    }

    private func storedRequest(_ result: ResultSet) throws(StoreError) -> StoredRequest? {
        guard let row = result.first else { return nil }
        return try decode { () throws(PostgresError) in
            let claim = RequestClaim(
                scope: try row.text(0), key: try row.text(1), fingerprint: try row.bytea(2),
                operationID: try row.text(3),
                operationKind: try row.text(4), createdAt: Timestamp(nanoseconds: try row.int64(5)),
                expiresAt: Timestamp(nanoseconds: try row.int64(6)))
            let run = RunKey(
                namespace: NamespaceID(try row.uuid(7)), workflow: WorkflowID(try row.text(8)),
                run: RunID(try row.uuid(9)))
            let answer: StoredAnswer?
            if let status = try row.int32OrNil(10) {
                answer = StoredAnswer(status: Int(status), headers: try row.texts(11), body: try row.bytea(12))
            } else {
                answer = nil
            }
            return StoredRequest(claim: claim, run: run, answer: answer)
        }
    }
}
