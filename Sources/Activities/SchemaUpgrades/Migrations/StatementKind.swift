/// What a statement does, as far as a migration's reviewer cares. Names are without quotes; `public.` is left out.
enum StatementKind: Hashable, Sendable {
    /// `begin`, `commit`, `rollback`, `savepoint`, …
    case transactionControl(String)
    case createTable(String, columns: [ColumnDefinition], constraints: [ConstraintDefinition])
    case alterTable(String, [TableAction])
    case dropTable([String])
    case createIndex(IndexDefinition)
    case dropIndex([String], isConcurrent: Bool)
    case reindex(isConcurrent: Bool)
    case addEnumValue(type: String, value: String)
    case renameEnumValue(type: String)
    case renameSchema(String)
    case dropSchema(String)
    case update(UpdateDefinition)
    case insert(String)
    case delete(String)
    /// Never inside a transaction: `vacuum`, `create database`, …
    case outsideTransaction(String)
    case other(String)

    /// Postgres refuses it inside a transaction block.
    var needsNoTransaction: Bool {
        switch self {
        case .createIndex(let index): return index.isConcurrent
        case .dropIndex(_, let isConcurrent), .reindex(let isConcurrent): return isConcurrent
        case .outsideTransaction: return true
        case .alterTable(_, let actions): return actions.contains(.detachConcurrently)
        case .transactionControl, .createTable, .dropTable, .addEnumValue, .renameEnumValue, .renameSchema, .dropSchema,
            .update, .insert, .delete, .other:
            return false
        }
    }

    /// It changes rows, not the schema.
    var changesRows: Bool {
        switch self {
        case .update, .insert, .delete: return true
        case .transactionControl, .createTable, .alterTable, .dropTable, .createIndex, .dropIndex, .reindex,
            .addEnumValue, .renameEnumValue, .renameSchema, .dropSchema, .outsideTransaction, .other:
            return false
        }
    }
}

struct ColumnDefinition: Hashable, Sendable {
    var name: String
    /// Lower case, without spaces: `varchar(10)`, `json`.
    var type: String
    var isNotNull = false
    /// The words of the default; nil when there is none, or it is null.
    var defaultWords: [String]?
    var hasVolatileDefault = false
    var isStoredGenerated = false
    var isReference = false
    var isUnique = false
    var isPrimaryKey = false
    var hasCheck = false
    var isIdentity = false
}

struct ConstraintDefinition: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case foreignKey, check, unique, primaryKey, exclusion }

    var kind: Kind
    var name: String?
    var isNotValid = false
    var usesIndex = false
    /// The column of `check (column is not null)`.
    var notNullColumn: String?
}

enum TableAction: Hashable, Sendable {
    case addColumn(ColumnDefinition)
    case addConstraint(ConstraintDefinition)
    case dropColumn(String)
    case dropConstraint(String)
    case changeType(String)
    case setNotNull(String)
    case renameColumn(String)
    case renameTable
    case validateConstraint(String)
    case detachConcurrently
    /// `set logged`, `set tablespace`, `set access method`: every row is written again.
    case rewrite(String)
    case other(String)

    /// Every row is written again under an exclusive lock.
    var rewritesTable: Bool {
        switch self {
        case .addColumn(let column): return column.hasVolatileDefault || column.isStoredGenerated || column.isIdentity
        case .changeType, .rewrite: return true
        case .addConstraint, .dropColumn, .dropConstraint, .setNotNull, .renameColumn, .renameTable,
            .validateConstraint, .detachConcurrently, .other:
            return false
        }
    }
}

struct IndexDefinition: Hashable, Sendable {
    var name: String?
    var table: String
    var method: String
    var columns: [String]
    var isUnique: Bool
    var isConcurrent: Bool
}

struct UpdateDefinition: Hashable, Sendable {
    var table: String
    /// Where the condition begins, as an index of the statement's tokens; nil without one.
    var conditionStart: Int?
    var hasReturning: Bool
    /// Columns that the condition wants to be null, when it consists of such tests alone or joined by `and`.
    var nullColumns: [String]
}
