import Foundation

/// The upgrade endpoints, as the command line uses them.
extension GatewayAddress {
    /// Uploads a set unless it is there.
    func upload(_ files: [String: String], sha256: String) async throws {
        let names = files.keys.sorted()
        let texts: [(String, Printable)] = names.map { name in (name, Printable.string(files[name] ?? "")) }
        let body = Printable.object([("files", Printable.object(texts))])
        _ = try await ask("PUT", "/v1/migration-sets/\(sha256)", body: body)
    }

    /// Starts an upgrade.
    func startUpgrade(_ request: Printable, key: String = UUID().uuidString) async throws -> JSONValue {
        try await ask("POST", "/v1/schema-upgrades", body: request, headers: [("idempotency-key", key)])
    }

    func upgrade(_ id: String, wait: Bool = false) async throws -> JSONValue {
        try await ask("GET", "/v1/schema-upgrades/\(id)", headers: wait ? [("prefer", "wait=1")] : [])
    }
}
