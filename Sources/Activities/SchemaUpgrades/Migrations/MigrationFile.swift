/// When a migration may run: before, during or after the tenants' programs move to the new version.
public enum MigrationPhase: String, Codable, Hashable, Sendable, CaseIterable {
    /// Adds things; programs of the old version go on working.
    case expand
    /// Fills in data, in batches.
    case backfill
    /// Takes away what only the old version needed.
    case contract
}

/// How rows are walked through: by a key, in batches.
public struct BackfillPlan: Codable, Hashable, Sendable {
    public var table: String
    public var key: String
    public var batch: Int
    public var sleepMilliseconds: Int

    static let batchMax = 100_000
    static let sleepMillisecondsMax = 60_000
}

/// How many rows a backfill must have changed.
public enum BackfillExpectation: Codable, Hashable, Sendable {
    /// At least one, where there are rows.
    case some
    /// Every row of the table.
    case all
    case rows(Int)
}

/// A rule that its author switched off for one file, and why.
public struct LintAllowance: Codable, Hashable, Sendable {
    public var rule: LintRule
    public var reason: String
}

/// One migration: a file `V{major.minor}__name.sql` with what its header says and the files that belong to it.
public struct Migration: Codable, Hashable, Sendable {
    public var version: MigrationVersion
    /// The part of the file's name behind the version.
    public var name: String
    public var file: String
    public var phase: MigrationPhase
    /// What the header says of the transaction; nil leaves it to the statements.
    public var statedTx: Bool?
    public var up: String
    /// The text that undoes it; nil when it was declared irreversible, or is missing.
    public var down: String?
    public var isIrreversible: Bool
    public var backfill: BackfillPlan?
    public var expectation: BackfillExpectation
    /// Queries that must find no row.
    public var verify: String?
    public var allowances: [LintAllowance]
    /// SHA-256 of the migration and of the files that belong to it, in hexadecimal.
    public var checksum: String
}

/// What is wrong with a migration set, with the file and the field of its header.
public struct MigrationFault: Error, Codable, Hashable, Sendable, CustomStringConvertible {
    public var file: String
    public var field: String
    public var reason: String

    public init(_ file: String, _ field: String, _ reason: String) {
        self.file = file
        self.field = field
        self.reason = reason
    }

    public var description: String { "\(self.file): \(self.field): \(self.reason)" }
}

/// The header of a migration: its first lines, as far as they are comments.
struct MigrationHeader: Hashable, Sendable {
    var phase: MigrationPhase?
    var tx: Bool?
    var down: String?
    var backfill: BackfillPlan?
    var expectation = BackfillExpectation.some
    var verify: String?
    var allowances: [LintAllowance] = []
    var faults: [MigrationFault] = []

    private static let keys: Set<String> = ["phase", "tx", "down", "backfill", "expect", "verify", "allow"]

    init(_ text: String, file: String) {
        var seen = Set<String>()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = line.trimmed
            if line.isEmpty { continue }
            guard line.hasPrefix("--") else { break }
            guard let colon = line.firstIndex(of: ":") else { continue }
            let key = String(line[line.index(line.startIndex, offsetBy: 2)..<colon].trimmed)
            guard Self.keys.contains(key) else { continue }
            if key != "allow", !seen.insert(key).inserted {
                self.faults.append(MigrationFault(file, key, "is given twice"))
            }
            self.read(key, line[line.index(after: colon)...].trimmed, file)
        }
        if self.phase == nil {
            self.faults.append(MigrationFault(file, "phase", "expected '-- phase: expand|backfill|contract'"))
        }
        if self.phase == .backfill, self.backfill == nil {
            self.faults.append(MigrationFault(file, "backfill", "expected '-- backfill: table,key,batch,sleep_ms'"))
        }
        if self.backfill != nil, let phase, phase != .backfill {
            self.faults.append(MigrationFault(file, "backfill", "belongs to phase backfill, not \(phase.rawValue)"))
        }
    }

    private mutating func read(_ key: String, _ value: Substring, _ file: String) {
        func fault(_ reason: String) { self.faults.append(MigrationFault(file, key, reason)) }
        switch key {
        case "phase":
            self.phase = MigrationPhase(rawValue: String(value))
            if self.phase == nil { fault("expected expand, backfill or contract, got '\(value)'") }
        case "tx":
            self.tx = value == "true" ? true : value == "false" ? false : nil
            if self.tx == nil { fault("expected true or false, got '\(value)'") }
        case "down":
            self.down = String(value)
            if value.isEmpty { fault("expected a file or 'irreversible'") }
        case "verify":
            self.verify = String(value)
            if value.isEmpty { fault("expected a file") }
        case "backfill":
            self.backfill = Self.plan(value)
            if self.backfill == nil { fault("expected table,key,batch,sleep_ms, got '\(value)'") }
        case "expect":
            if let expectation = Self.expectation(value) {
                self.expectation = expectation
            } else {
                fault("expected some, all or a number of rows, got '\(value)'")
            }
        case "allow":
            let parts = value.split(separator: " ", maxSplits: 1)
            guard let first = parts.first, let rule = LintRule(rawValue: String(first)) else {
                return fault("'\(parts.first ?? "")' is not the name of a rule")
            }
            guard rule.isAllowable else { return fault("\(rule.rawValue) cannot be allowed") }
            guard parts.count == 2, !parts[1].trimmed.isEmpty else {
                return fault("\(rule.rawValue): expected a reason behind the rule")
            }
            self.allowances.append(LintAllowance(rule: rule, reason: String(parts[1].trimmed)))
        default: return
        }
    }

    private static func plan(_ value: Substring) -> BackfillPlan? {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        guard parts.count == 4, !parts[0].isEmpty, !parts[1].isEmpty, let batch = Int(parts[2]),
            (1...BackfillPlan.batchMax).contains(batch), let sleep = Int(parts[3]),
            (0...BackfillPlan.sleepMillisecondsMax).contains(sleep)
        else { return nil }
        return BackfillPlan(
            table: String(parts[0]), key: String(parts[1]), batch: batch, sleepMilliseconds: sleep)
    }

    private static func expectation(_ value: Substring) -> BackfillExpectation? {
        switch value {
        case "some": return .some
        case "all": return .all
        default: return Int(value).flatMap { $0 >= 0 ? .rows($0) : nil }
        }
    }
}

extension Substring {
    /// Without white space at both ends.
    var trimmed: Substring {
        var result = self
        while let first = result.first, first.isWhitespace { result.removeFirst() }
        while let last = result.last, last.isWhitespace { result.removeLast() }
        return result
    }
}
