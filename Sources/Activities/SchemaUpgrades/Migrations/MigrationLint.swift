/// The gate in front of every upgrade: reads a set from its first migration to its last and notes what would hurt.
///
/// A value: the same set gives the same findings.
public struct MigrationLint: Sendable {
    private var findings: [LintFinding] = []
    /// Columns of type json, by table; what was learnt from the files so far.
    private var jsonColumns: Set<ColumnKey> = []
    private var defaultedColumns: Set<ColumnKey> = []
    /// Validated `check (column is not null)`.
    private var checkedColumns: Set<ColumnKey> = []
    private var pendingChecks: [String: ColumnKey] = [:]

    struct ColumnKey: Hashable, Sendable {
        var table: String
        var column: String
    }

    /// All findings, those that were allowed included.
    public static func findings(of set: MigrationSet) -> [LintFinding] {
        var lint = MigrationLint()
        for migration in set.migrations { lint.read(migration) }
        return lint.findings
    }

    private mutating func read(_ migration: Migration) {
        var file = FileLint(migration: migration)
        do {
            file.statements = try SQLScript(migration.up).statements.map { ($0, StatementClassifier.kind(of: $0)) }
        } catch {
            return  // the set would not have been read
        }
        self.form(&file)
        for (statement, kind) in file.statements { self.note(kind, statement, &file) }
        self.whole(&file)
        self.findings += file.findings
    }

    // MARK: One statement

    private mutating func note(_ kind: StatementKind, _ statement: SQLStatement, _ file: inout FileLint) {
        switch kind {
        case .transactionControl: file.add(.transactionControl, statement)
        case .createTable(let table, let columns, _):
            file.newTables.insert(table)
            for column in columns { self.json(table, column, statement, &file) }
        case .alterTable(let table, let actions):
            for action in actions { self.note(action, of: table, statement, &file) }
        case .dropTable(let tables):
            if tables.contains(where: { !file.newTables.contains($0) }) {
                self.contract(.dropTable, statement, &file)
            }
        case .createIndex(let index): self.note(index, statement, &file)
        case .dropIndex(_, let isConcurrent):
            if !isConcurrent { file.add(.indexNotConcurrent, statement) }
        case .reindex(let isConcurrent):
            if !isConcurrent { file.add(.indexNotConcurrent, statement) }
        case .addEnumValue(_, let value): file.newEnumValues.insert(value)
        case .renameEnumValue: file.add(.renameEnumValue, statement)
        case .renameSchema: file.add(.renameSchema, statement)
        case .dropSchema: self.contract(.dropTable, statement, &file)
        case .update(let update): self.note(update, statement, &file)
        case .insert, .delete, .outsideTransaction, .other: break
        }
        if kind.changesRows, file.hasSchemaChange, file.migration.phase != .backfill {
            file.add(.backfillInTransaction, statement)
        }
        if !file.newEnumValues.isEmpty, statement.tokens.contains(where: { file.usesNewEnumValue($0, kind) }) {
            file.add(.enumValueInTransaction, statement)
        }
        if !kind.changesRows { file.hasSchemaChange = true }
    }

    /// Dropping is what phase contract is for; elsewhere it breaks two rules.
    private func contract(_ rule: LintRule, _ statement: SQLStatement, _ file: inout FileLint) {
        guard file.migration.phase != .contract else { return }
        file.add(rule, statement)
        file.add(.contractInExpand, statement)
    }

    private mutating func note(
        _ action: TableAction, of table: String, _ statement: SQLStatement, _ file: inout FileLint
    ) {
        let isNew = file.newTables.contains(table)
        if action.rewritesTable, !isNew { file.rewrites += 1 }
        switch action {
        case .addColumn(let column): self.added(column, to: table, isNew: isNew, statement, &file)
        case .addConstraint(let constraint): self.added(constraint, to: table, isNew: isNew, statement, &file)
        case .dropColumn: if !isNew { self.contract(.dropColumn, statement, &file) }
        case .dropConstraint, .detachConcurrently, .other: break
        case .changeType: if !isNew { file.add(.changeType, statement) }
        case .setNotNull(let column):
            let key = ColumnKey(table: table, column: column)
            if !isNew, !self.checkedColumns.contains(key) { file.add(.setNotNull, statement) }
        case .renameColumn: if !isNew { file.add(.renameColumn, statement) }
        case .renameTable: if !isNew { file.add(.renameTable, statement) }
        case .validateConstraint(let name):
            if let key = self.pendingChecks["\(table).\(name)"] { self.checkedColumns.insert(key) }
        case .rewrite: if !isNew { file.add(.changeType, statement) }
        }
    }

    private mutating func added(
        _ column: ColumnDefinition, to table: String, isNew: Bool, _ statement: SQLStatement, _ file: inout FileLint
    ) {
        self.json(table, column, statement, &file)
        if column.defaultWords != nil {
            self.defaultedColumns.insert(ColumnKey(table: table, column: column.name))
        }
        guard !isNew else { return }
        if column.hasVolatileDefault || column.isIdentity { file.add(.volatileDefault, statement) }
        if column.isStoredGenerated { file.add(.storedGeneratedColumn, statement) }
        if column.isUnique || column.isPrimaryKey { file.add(.uniqueConstraint, statement) }
        if column.isReference || column.hasCheck, column.defaultWords != nil {
            file.add(.constraintNotValid, statement)
        }
        if column.isNotNull, column.defaultWords == nil, !column.isStoredGenerated, !column.isIdentity,
            !column.hasVolatileDefault
        {
            file.add(.setNotNull, statement)
        }
    }

    private mutating func added(
        _ constraint: ConstraintDefinition, to table: String, isNew: Bool, _ statement: SQLStatement,
        _ file: inout FileLint
    ) {
        if let name = constraint.name, let column = constraint.notNullColumn {
            self.pendingChecks["\(table).\(name)"] = ColumnKey(table: table, column: column)
        }
        guard !isNew else { return }
        switch constraint.kind {
        case .foreignKey, .check: if !constraint.isNotValid { file.add(.constraintNotValid, statement) }
        case .unique, .primaryKey: if !constraint.usesIndex { file.add(.uniqueConstraint, statement) }
        case .exclusion: file.add(.uniqueConstraint, statement)
        }
    }

    private mutating func json(
        _ table: String, _ column: ColumnDefinition, _ statement: SQLStatement, _ file: inout FileLint
    ) {
        guard column.type == "json" || column.type == "json[]" else { return }
        self.jsonColumns.insert(ColumnKey(table: table, column: column.name))
        file.add(.jsonColumn, statement)
    }

    private func note(_ index: IndexDefinition, _ statement: SQLStatement, _ file: inout FileLint) {
        if index.isConcurrent, index.name == nil { file.add(.indexNeedsName, statement) }
        if !index.isConcurrent, !file.newTables.contains(index.table) { file.add(.indexNotConcurrent, statement) }
        let isOnJson = index.columns.contains {
            self.jsonColumns.contains(ColumnKey(table: index.table, column: $0))
        }
        if index.method == "gin", isOnJson { file.add(.ginOnJson, statement) }
    }

    private func note(_ update: UpdateDefinition, _ statement: SQLStatement, _ file: inout FileLint) {
        let isVain = update.nullColumns.contains {
            self.defaultedColumns.contains(ColumnKey(table: update.table, column: $0))
        }
        if isVain { file.add(.backfillMatchesNothing, statement) }
    }

    // MARK: The whole file

    private func form(_ file: inout FileLint) {
        guard let plan = file.migration.backfill else { return }
        let isForm = file.statements.count == 1 && file.statements.allSatisfy { Self.fits($0.kind, plan) }
        if !isForm { file.add(.backfillForm, file.statements.first?.statement) }
    }

    private static func fits(_ kind: StatementKind, _ plan: BackfillPlan) -> Bool {
        guard case .update(let update) = kind else { return false }
        return update.table == plan.table && !update.hasReturning
    }

    private func whole(_ file: inout FileLint) {
        let migration = file.migration
        if file.rewrites > 1 { file.add(.severalRewrites, file.statements.first?.statement) }
        if migration.down == nil, !migration.isIrreversible, migration.backfill == nil {
            file.add(.missingDown, file.statements.first?.statement)
        }
        let outside = file.statements.filter { $0.kind.needsNoTransaction }
        if !outside.isEmpty, outside.count < file.statements.count {
            file.add(.mixedTransaction, file.statements.first { !$0.kind.needsNoTransaction }?.statement)
        }
        if let stated = migration.statedTx, stated != outside.isEmpty {
            let needed = outside.isEmpty ? "tx: true" : "tx: false"
            file.add(
                .wrongTx, outside.first?.statement ?? file.statements.first?.statement, "the statements need \(needed)")
        }
    }
}

/// What is known of the file that is being read.
private struct FileLint {
    let migration: Migration
    var statements: [(statement: SQLStatement, kind: StatementKind)] = []
    var findings: [LintFinding] = []
    var newTables: Set<String> = []
    var newEnumValues: Set<String> = []
    var hasSchemaChange = false
    var rewrites = 0

    init(migration: Migration) { self.migration = migration }

    func usesNewEnumValue(_ token: SQLToken, _ kind: StatementKind) -> Bool {
        if case .addEnumValue = kind { return false }
        return token.kind == .string && self.newEnumValues.contains(token.text)
    }

    mutating func add(_ rule: LintRule, _ statement: SQLStatement?, _ detail: String = "") {
        let allowance = self.migration.allowances.first { $0.rule == rule }
        self.findings.append(
            LintFinding(
                rule: rule, file: self.migration.file, line: statement?.line ?? 1,
                statement: statement?.headline ?? "",
                message: detail.isEmpty ? rule.advice : "\(rule.advice): \(detail)",
                allowedBecause: allowance?.reason))
    }
}

extension Migration {
    /// Whether it runs in one transaction, as its statements need it.
    public var isTransactional: Bool {
        guard let script = try? SQLScript(self.up) else { return true }
        return !script.statements.contains { StatementClassifier.kind(of: $0).needsNoTransaction }
    }
}
