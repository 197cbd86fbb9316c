public import History
import Postgres
public import Runtime

extension PostgresStore {
    public func insertNamespace(_ namespace: Namespace) async throws(StoreError) {
        try await write(namespace, NamespaceStatements.insert)
    }

    public func updateNamespace(_ namespace: Namespace) async throws(StoreError) {
        try await write(namespace, NamespaceStatements.update)
    }

    private func write(_ namespace: Namespace, _ statement: Statement) async throws(StoreError) {
        let uuid = try requireUUID(namespace.id.uuid, "namespace id")
        let call = statement.call {
            $0.uuid(uuid)
            $0.text(namespace.name)
            $0.int32(namespace.state)
            $0.int64(namespace.retention.nanoseconds)
            $0.text(namespace.description)
            $0.text(namespace.ownerEmail)
            $0.texts(namespace.data.map(\.name))
            $0.byteas(namespace.data.map(\.value.bytes))
        }
        do throws(PostgresError) {
            try await readers.query(call)
        } catch {
            throw error.isUniqueViolation ? .alreadyExists([]) : StoreError(error)
        }
    }

    public func namespaces() async throws(StoreError) -> [Namespace] {
        let results = try await run([NamespaceStatements.list.call(), NamespaceStatements.listAttributes.call()])
        return try decode { () throws(PostgresError) in
            var attributes: [PostgresUUID: [String: SearchAttributeType]] = [:]
            for index in 0..<results[1].count {
                let row = results[1][index]
                let type = SearchAttributeType(rawValue: Int32(try row.int16(2)))
                attributes[try row.uuid(0), default: [:]][try row.text(1)] = type
            }
            return try results[0].map { row throws(PostgresError) in
                Namespace(
                    id: NamespaceID(try row.uuid(0)), name: try row.text(1), description: try row.text(4),
                    ownerEmail: try row.text(5),
                    data: zip(try row.texts(6), try row.byteas(7)).map { NamedBlob($0, Blob($1)) },
                    retention: TimeSpan(nanoseconds: try row.int64(3)), state: try row.int32(2),
                    searchAttributes: attributes[try row.uuid(0)] ?? [:])
            }
        }
    }

    public func addSearchAttributes(
        _ attributes: [String: SearchAttributeType], to namespace: NamespaceID
    ) async throws(StoreError) {
        let uuid = try requireUUID(namespace.uuid, "namespace id")
        let rows = attributes.sorted { $0.key < $1.key }
        _ = try await run([
            NamespaceStatements.addAttributes.call {
                $0.uuid(uuid)
                $0.column(of: .text, rows) { $0.text($1.key) }
                $0.column(of: .int2, rows) { $0.int16(Int16($1.value.rawValue)) }
            }
        ])
    }

    public func removeSearchAttributes(
        _ names: [String], from namespace: NamespaceID
    ) async throws(StoreError) {
        let uuid = try requireUUID(namespace.uuid, "namespace id")
        _ = try await run([
            NamespaceStatements.removeAttributes.call {
                $0.uuid(uuid)
                $0.texts(names)
            }
        ])
    }

    public func removeEmptyNamespace(_ namespace: NamespaceID) async throws(StoreError) {
        let uuid = try requireUUID(namespace.uuid, "namespace id")
        _ = try await run([NamespaceStatements.remove.call { $0.uuid(uuid) }])
    }
}
