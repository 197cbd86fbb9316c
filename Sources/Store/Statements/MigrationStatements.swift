import Postgres

enum MigrationStatements {
    static let applied = Statement(
        "migrations_applied", "select version, name, checksum from aloft.schema_migrations order by version")

    static let tableExists = Statement(
        "migrations_table_exists", "select to_regclass('aloft.schema_migrations') is not null")

    static let all = [tableExists, applied]
}
