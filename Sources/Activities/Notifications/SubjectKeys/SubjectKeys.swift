import Crypto
import Foundation
public import Postgres
import Synchronization

/// The key that wraps the keys of subjects, so that the table alone opens nothing.
public struct MasterKey: Sendable {
    let key: SymmetricKey

    init(_ key: SymmetricKey) { self.key = key }

    /// The key in the variable `ALOFT_MASTER_KEY`: 64 hexadecimal digits, the same for servers and workers.
    ///
    /// - Returns: nil without the variable: then requests are not sealed.
    /// - Throws: ``EffectFailure`` `invalid` for a text that is no such key.
    public static func configured() throws(EffectFailure) -> MasterKey? {
        guard let text = ProcessInfo.processInfo.environment["ALOFT_MASTER_KEY"] else { return nil }
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == 64, digits.count == text.count else {
            throw EffectFailure(.invalid, "ALOFT_MASTER_KEY: expected 64 hexadecimal digits")
        }
        return MasterKey(
            SymmetricKey(data: stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }))
    }

    /// A key that everybody knows, for tests.
    public static let development = MasterKey(SymmetricKey(data: SHA256.hash(data: Data("aloft development".utf8))))

    func wrap(_ key: SymmetricKey, id: String) throws -> [UInt8] {
        let plain = key.withUnsafeBytes { Data($0) }
        return [UInt8](try AES.GCM.seal(plain, using: self.key, authenticating: Data(id.utf8)).combined ?? Data())
    }

    func unwrap(_ bytes: [UInt8], id: String) throws(EffectFailure) -> SymmetricKey {
        do {
            let box = try AES.GCM.SealedBox(combined: Data(bytes))
            return SymmetricKey(data: try AES.GCM.open(box, using: self.key, authenticating: Data(id.utf8)))
        } catch {
            throw EffectFailure(.permanent(code: "Unreadable"), "the master key does not open the subject's key")
        }
    }
}

/// One key for each subject (docs/decisions/0016-subject-keys.md): destroying it makes every copy of what it sealed unreadable,
/// while the stored bytes, and the proofs over them, stay as they are.
public final class SubjectKeys: Sendable {
    /// Opened keys stay in memory this long, in other processes than the one that erases.
    public static let cacheSeconds = 30.0
    private static let cachedMax = 10_000

    private struct Cached {
        var key: SymmetricKey
        var until: ContinuousClock.Instant
    }

    private let pool: PostgresPool
    private let master: MasterKey
    private let cache = Mutex<[String: Cached]>([:])

    public init(pool: PostgresPool, master: MasterKey) {
        self.pool = pool
        self.master = master
    }

    /// Seals what is personal in a request. The subject gets a key when it has none.
    public func seal(_ request: NotificationRequest) async throws -> NotificationRequest {
        guard request.recipient.sealed == nil else { return request }
        let content = SealedPerson.Content(recipient: request.recipient, variables: request.variables)
        let (id, key) = try await self.sealingKey(tenant: request.tenant, subject: request.recipient.subject)
        var sealed = request
        sealed.recipient = Recipient()
        sealed.recipient.sealed = try SealedPerson.seal(content, keyID: id, key: key)
        sealed.variables = [:]
        return sealed
    }

    /// Opens what was sealed; a request that was not is answered as it is.
    ///
    /// - Throws: ``EffectFailure`` `permanent(code: "Erased")` when the key was destroyed.
    public func open(_ request: NotificationRequest) async throws -> NotificationRequest {
        guard let person = request.recipient.sealed else { return request }
        let content = try person.open(try await self.openingKey(person.keyID))
        var opened = request
        opened.recipient = content.recipient
        // What was added to the sealed request since, such as a digest's items, stays.
        opened.variables = content.variables.merging(request.variables) { $1 }
        if case .array(let items)? = request.variables["items"] {
            var plain: [JSONScalar] = []
            for item in items { plain.append(try await self.open(item: item)) }
            opened.variables["items"] = .array(plain)
        }
        return opened
    }

    /// A digest's trigger: its variables, sealed like a request's.
    private func open(item: JSONScalar) async throws -> JSONScalar {
        guard case .object(let members) = item, let box = members["sealed"] else { return item }
        let person = try PaymentJSON.value(SealedPerson.self, try PaymentJSON.text(box))
        return .object(try person.open(try await self.openingKey(person.keyID)).variables)
    }

    func forget(_ ids: [String]) {
        self.cache.withLock { cache in for id in ids { cache[id] = nil } }
    }

    private func sealingKey(tenant: String, subject: String) async throws -> (String, SymmetricKey) {
        let fresh = SymmetricKey(size: .bits256)
        let freshID = UUID().uuidString.lowercased()
        let wrapped = try self.master.wrap(fresh, id: freshID)
        let rows = try await self.query(SubjectKeyStatements.makeKey) {
            $0.text(tenant)
            $0.text(subject)
            $0.text(freshID)
            $0.bytea(wrapped)
        }
        guard rows.count == 1, let known = try rows[0].byteaOrNil(1) else {
            throw EffectFailure(.transient, "the subject's key is being destroyed")
        }
        let id = try rows[0].text(0)
        let key = id == freshID ? fresh : try self.master.unwrap(known, id: id)
        self.keep(key, id)
        return (id, key)
    }

    private func openingKey(_ id: String) async throws -> SymmetricKey {
        let now = ContinuousClock.now
        if let cached = self.cache.withLock({ $0[id] }), cached.until > now { return cached.key }
        let rows = try await self.query(SubjectKeyStatements.readKey) { $0.text(id) }
        guard rows.count == 1, let wrapped = try rows[0].byteaOrNil(0) else {
            self.forget([id])
            throw EffectFailure(.permanent(code: "Erased"), "the subject was erased")
        }
        let key = try self.master.unwrap(wrapped, id: id)
        self.keep(key, id)
        return key
    }

    private func keep(_ key: SymmetricKey, _ id: String) {
        let cached = Cached(key: key, until: .now + .seconds(Self.cacheSeconds))
        self.cache.withLock { cache in
            if cache.count >= Self.cachedMax { cache = [:] }
            cache[id] = cached
        }
    }

    private func query(_ statement: Statement, _ fill: (inout Parameters) -> Void) async throws -> ResultSet {
        do {
            return try await self.pool.query(statement, fill)
        } catch {
            throw EffectFailure(error)
        }
    }
}
