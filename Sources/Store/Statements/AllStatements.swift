public import Postgres

/// Every statement of the store; a test prepares each of them against the migrated schema.
public enum AllStatements {
    public static let list: [Statement] =
        RunStatements.all + SearchStatements.all + RetentionStatements.all + VisibilityStatements.all
        + LeaseStatements.all + OutboxStatements.all
        + NamespaceStatements.all
        + RequestStatements.all + MigrationStatements.all + ScheduleStatements.all
        + BatchStatements.all
}
