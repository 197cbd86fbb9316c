import Activities
import History
import Postgres
import Runtime

/// Keeps the server's own dead letters in the one table of all sources.
struct DeadLetterOffice: DeadLetterSink {
    let pool: PostgresPool
    let names: NamespaceNames

    /// - Throws: ``StoreError`` when the letter could not be stored; park it again.
    func park(_ letter: DeadLetter) async throws {
        let (source, namespace): (DeadLetterEntry.Source, String) =
            switch letter.source {
            case .outbox: (.outbox, letter.namespace)
            case .workflowTask: (.workflowTask, names.name(of: NamespaceID(letter.namespace)))
            }
        let entry = DeadLetterEntry(
            source: source, tenant: namespace, key: letter.key, failureClass: "Server", code: letter.code,
            message: letter.message, attempts: [], payloadReference: letter.reference,
            workflowID: letter.workflow.value)
        do {
            try await pool.withTransaction { connection in
                try await entry.park(in: connection, namespace: namespace, op: "\(source.rawValue)/\(letter.key)")
            }
        } catch {
            throw StoreError.unavailable("dead letter \(letter.key): \(error)")
        }
    }
}
