import Crypto
public import Foundation

/// All migrations of a service, in order, with everything that belongs to them.
public struct MigrationSet: Codable, Hashable, Sendable {
    public let migrations: [Migration]
    /// SHA-256 over the names and contents of all files, in hexadecimal: the set's name.
    public let sha256: String

    /// More files than this are no migration set.
    public static let filesMax = 2_000
    public static let fileBytesMax = 1 << 20

    /// What is wrong with a set; all of it.
    public struct Unusable: Error, Hashable, Sendable, CustomStringConvertible {
        public var faults: [MigrationFault]
        public var description: String { self.faults.map(\.description).joined(separator: "\n") }
    }

    /// The set's name, from the contents of its files.
    public static func sha256(of files: [String: String]) -> String {
        let lines = files.keys.sorted().map { "\($0)\n\(Self.digest(files[$0] ?? ""))\n" }
        return Self.digest(lines.joined())
    }

    static func digest(_ text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0\(digits)" : digits
        }.joined()
    }

    /// Reads a set from its files.
    public init(files: [String: String]) throws(Unusable) {
        var faults: [MigrationFault] = []
        var migrations: [Migration] = []
        var used = Set<String>()
        for file in files.keys.sorted() where Self.isMigration(file) {
            let text = files[file] ?? ""
            used.insert(file)
            guard let (version, name) = Self.parts(of: file) else {
                faults.append(MigrationFault(file, "name", "expected V{major.minor}__name.sql"))
                continue
            }
            let header = MigrationHeader(text, file: file)
            faults += header.faults
            let migration = Self.migration(version, name, file, text, header, files, &used, &faults)
            migrations.append(migration)
        }
        for file in files.keys.sorted() where !used.contains(file) {
            faults.append(MigrationFault(file, "name", "belongs to no migration: no header names it"))
        }
        if files.count > Self.filesMax {
            faults.append(MigrationFault("", "files", "expected at most \(Self.filesMax) files, got \(files.count)"))
        }
        if migrations.isEmpty { faults.append(MigrationFault("", "files", "there is no migration in the set")) }
        migrations.sort { $0.version < $1.version }
        for (one, next) in zip(migrations, migrations.dropFirst()) where one.version == next.version {
            faults.append(MigrationFault(next.file, "version", "\(next.version) is also the version of \(one.file)"))
        }
        guard faults.isEmpty else { throw Unusable(faults: faults) }
        self.migrations = migrations
        self.sha256 = Self.sha256(of: files)
    }

    /// Reads a set from a folder: every file that ends with `.sql`.
    public init(folder: URL) throws {
        try self.init(files: Self.files(in: folder))
    }

    /// The files of a folder, by name.
    ///
    /// - Throws: ``Unusable`` when the folder cannot be read.
    public static func files(in folder: URL) throws(Unusable) -> [String: String] {
        var files: [String: String] = [:]
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".sql") {
                files[name] = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            }
        } catch {
            throw Unusable(faults: [MigrationFault(folder.path, "folder", "cannot be read")])
        }
        return files
    }

    public var latest: MigrationVersion { self.migrations.last?.version ?? MigrationVersion(0, 0) }

    public subscript(version: MigrationVersion) -> Migration? { self.migrations.first { $0.version == version } }

    /// What has to be applied to come to a target, in order.
    public func pending(
        to target: MigrationVersion, applied: Set<MigrationVersion>, phases: [MigrationPhase]
    ) -> [Migration] {
        self.migrations.filter {
            $0.version <= target && !applied.contains($0.version) && phases.contains($0.phase)
        }
    }

    private static func isMigration(_ file: String) -> Bool {
        file.hasPrefix("V") && !file.hasSuffix(".down.sql") && !file.hasSuffix(".verify.sql")
    }

    private static func parts(of file: String) -> (MigrationVersion, String)? {
        guard file.hasSuffix(".sql"), let separator = file.range(of: "__"),
            let version = MigrationVersion(file[..<separator.lowerBound])
        else { return nil }
        let name = file[separator.upperBound...].dropLast(4)
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
        return name.isEmpty || !isPlain ? nil : (version, String(name))
    }

    private static func migration(
        _ version: MigrationVersion, _ name: String, _ file: String, _ text: String, _ header: MigrationHeader,
        _ files: [String: String], _ used: inout Set<String>, _ faults: inout [MigrationFault]
    ) -> Migration {
        func companion(_ field: String, _ name: String?) -> String? {
            guard let name else { return nil }
            guard let text = files[name] else {
                faults.append(MigrationFault(file, field, "there is no file '\(name)' in the set"))
                return nil
            }
            used.insert(name)
            return text
        }
        let isIrreversible = header.down == "irreversible"
        let down = companion("down", isIrreversible ? nil : header.down)
        let verify = companion("verify", header.verify)
        for (field, text) in [("text", text), ("down", down ?? ""), ("verify", verify ?? "")] {
            if text.utf8.count > Self.fileBytesMax {
                faults.append(MigrationFault(file, field, "is larger than \(Self.fileBytesMax) bytes"))
            }
            do {
                _ = try SQLScript(text)
            } catch {
                faults.append(MigrationFault(file, field, "line \(error.line): \(error.reason)"))
            }
        }
        return Migration(
            version: version, name: name, file: file, phase: header.phase ?? .expand, statedTx: header.tx, up: text,
            down: down, isIrreversible: isIrreversible, backfill: header.backfill, expectation: header.expectation,
            verify: verify, allowances: header.allowances,
            checksum: Self.digest([text, down ?? "", verify ?? ""].map(Self.digest).joined(separator: "\n")))
    }
}
