/// What the schema upgrade endpoints need of the family's tables. The gateway knows neither.
public protocol UpgradeDesk: Sendable {
    /// Stores a migration set under its checksum; the same again changes nothing.
    ///
    /// - Returns: `ok` with `created`.
    func storeSet(sha256: String, body: JSONValue) async throws -> DeskVerdict
    /// What is in a set, with the gate's findings.
    func set(sha256: String) async throws -> DeskVerdict

    /// Checks what is asked for, and fills in the defaults.
    ///
    /// - Returns: `ok` with `request`, the workflow's own, and `nothing_to_do`.
    func prepare(_ body: JSONValue) async throws -> DeskVerdict

    /// An upgrade as the tables have it, with its counts; `notFound` before its first step.
    func upgrade(id: String) async throws -> DeskVerdict
    func tenants(upgrade: String, state: String, after: [String]?, limit: Int) async throws -> DeskPage

    func saveTenant(id: String, body: JSONValue) async throws -> DeskVerdict
    /// The versions and routes of a tenant.
    func tenant(id: String) async throws -> DeskVerdict
    func allTenants(after: [String]?, limit: Int) async throws -> DeskPage
}
