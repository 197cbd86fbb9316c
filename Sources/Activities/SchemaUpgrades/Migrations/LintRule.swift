/// What the gate refuses. The raw value is the rule's name in findings and in `-- allow:`.
public enum LintRule: String, Codable, Hashable, Sendable, CaseIterable {
    case dropColumn = "drop-column"
    case renameColumn = "rename-column"
    case dropTable = "drop-table"
    case renameTable = "rename-table"
    case changeType = "change-type"
    case constraintNotValid = "constraint-without-not-valid"
    case uniqueConstraint = "unique-constraint"
    case indexNotConcurrent = "index-not-concurrently"
    case indexNeedsName = "index-needs-name"
    case jsonColumn = "json-column"
    case volatileDefault = "volatile-default"
    case setNotNull = "set-not-null"
    case storedGeneratedColumn = "stored-generated-column"
    case renameEnumValue = "rename-enum-value"
    case renameSchema = "rename-schema"
    case backfillInTransaction = "backfill-in-ddl-transaction"
    case backfillForm = "backfill-form"
    case missingDown = "missing-down"
    case transactionControl = "transaction-control"
    case severalRewrites = "several-rewrites"
    case contractInExpand = "contract-in-expand"
    case ginOnJson = "gin-on-json"
    case backfillMatchesNothing = "backfill-matches-nothing"
    case wrongTx = "wrong-tx"
    case mixedTransaction = "mixed-transaction"
    case enumValueInTransaction = "enum-value-in-its-transaction"

    /// Whether a file may switch it off with a reason. The others would break the run itself.
    public var isAllowable: Bool {
        switch self {
        case .missingDown, .transactionControl, .wrongTx, .mixedTransaction, .enumValueInTransaction, .backfillForm,
            .indexNeedsName:
            return false
        case .dropColumn, .renameColumn, .dropTable, .renameTable, .changeType, .constraintNotValid, .uniqueConstraint,
            .indexNotConcurrent, .jsonColumn, .volatileDefault, .setNotNull, .storedGeneratedColumn, .renameEnumValue,
            .renameSchema, .backfillInTransaction, .severalRewrites, .contractInExpand, .ginOnJson,
            .backfillMatchesNothing:
            return true
        }
    }

    /// Why it is refused, and what to do instead.
    public var advice: String {
        switch self {
        case .dropColumn: return "programs of the old version still read the column; drop it in phase contract"
        case .renameColumn: return "breaks the old or the new program; add a column, fill it, drop the old one later"
        case .dropTable: return "programs of the old version still read the table; drop it in phase contract"
        case .renameTable: return "breaks the old or the new program; make a view or a new table instead"
        case .changeType: return "writes the whole table again under an exclusive lock; add a new column instead"
        case .constraintNotValid:
            return "reads the whole table under a lock; add it NOT VALID and validate it in a later migration"
        case .uniqueConstraint:
            return "builds an index under an exclusive lock; build it CONCURRENTLY, then add it USING INDEX"
        case .indexNotConcurrent: return "blocks writes while it is built or dropped; use CONCURRENTLY with tx: false"
        case .indexNeedsName: return "without a name a half-built index cannot be found again"
        case .jsonColumn: return "json has no equality and no index classes; use jsonb"
        case .volatileDefault: return "computes the default for every row under an exclusive lock; backfill instead"
        case .setNotNull:
            return "reads the whole table under an exclusive lock; validate CHECK (column IS NOT NULL) before"
        case .storedGeneratedColumn: return "writes the whole table again under an exclusive lock"
        case .renameEnumValue: return "programs that know the old value break"
        case .renameSchema: return "programs that know the old name break"
        case .backfillInTransaction:
            return "holds the locks of the schema change while rows are changed; use a file of "
                + "phase backfill"
        case .backfillForm: return "a backfill is one UPDATE of its own table, without RETURNING"
        case .missingDown: return "every migration has a file that undoes it, or is declared irreversible"
        case .transactionControl: return "the transaction belongs to the runner, with its locks and its history row"
        case .severalRewrites: return "each of them writes a whole table again; one a file"
        case .contractInExpand: return "takes away what the old version needs; use phase contract"
        case .ginOnJson: return "data type json has no default operator class for gin; make the column jsonb"
        case .backfillMatchesNothing: return "the default has filled every row already, so no row is null"
        case .wrongTx: return "the header must say what the statements need"
        case .mixedTransaction: return "statements outside a transaction stand in a file of their own"
        case .enumValueInTransaction: return "a new enum value cannot be used in the transaction that adds it"
        }
    }
}

/// One breach of one rule.
public struct LintFinding: Codable, Hashable, Sendable {
    public var rule: LintRule
    public var file: String
    public var line: Int
    public var statement: String
    public var message: String
    /// Why its author lets it pass; nil when it blocks.
    public var allowedBecause: String?

    public init(
        rule: LintRule, file: String, line: Int, statement: String, message: String, allowedBecause: String? = nil
    ) {
        self.rule = rule
        self.file = file
        self.line = line
        self.statement = statement
        self.message = message
        self.allowedBecause = allowedBecause
    }

    public var isBlocking: Bool { self.allowedBecause == nil }

    enum CodingKeys: String, CodingKey {
        case rule, file, line, statement, message
        case allowedBecause = "allowed_because"
    }
}
