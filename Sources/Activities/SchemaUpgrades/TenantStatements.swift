import Postgres

/// Every SQL statement inside a tenant's database.
enum TenantStatements {
    // MARK: Sessions

    static let limit = Statement("wf_limit", "select set_config($1::text, $2::text, $3::bool)")

    static let terminateNamesakes = Statement(
        "wf_terminate_namesakes",
        """
        select count(pg_terminate_backend(pid)) from pg_stat_activity
        where application_name = $1::text and datname = current_database() and pid <> pg_backend_pid()
        """)

    static let terminate = Statement("wf_terminate", "select pg_terminate_backend($1::int4)")

    static let server = Statement(
        "wf_server",
        """
        select current_setting('server_version_num')::int4, pg_database_size(current_database())
        """)

    static let oldTransactions = Statement(
        "wf_old_transactions",
        """
        select count(*) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
            and xact_start < now() - make_interval(secs => $1::float8)
        """)

    static let replicaLag = Statement(
        "wf_replica_lag",
        "select coalesce(max(extract(epoch from replay_lag)), 0)::float8 from pg_stat_replication")

    static let activeSessions = Statement(
        "wf_active_sessions",
        """
        select count(*) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and state = 'active'
            and pid <> pg_backend_pid()
        """)

    static let relationBytes = Statement(
        "wf_relation_bytes", "select coalesce(pg_total_relation_size(to_regclass($1::text)), 0)")

    static let dataFolder = Statement(
        "wf_data_folder", "select coalesce((select setting from pg_settings where name = 'data_directory'), '')")

    // MARK: Fence and history

    /// Whoever has an older number than the newest seen gets no row.
    static let fence = Statement(
        "wf_fence",
        """
        insert into _wf.fence as f (fence) values ($1::int8)
        on conflict (one) do update set fence = excluded.fence where f.fence <= excluded.fence returning fence
        """)

    static let history = Statement(
        "wf_history",
        "select version, checksum, state, applied_by, op_id, coalesce(ms, 0) from _wf.schema_history order by version")

    static let historyOf = Statement(
        "wf_history_of",
        """
        select version, checksum, state, applied_by, op_id, coalesce(ms, 0) from _wf.schema_history
        where version = $1::text
        """)

    static let indexOfHistory = Statement(
        "wf_index_of_history", "select 1 where to_regclass('_wf.schema_history') is not null")

    static let putHistory = Statement(
        "wf_put_history",
        """
        insert into _wf.schema_history (version, name, checksum, phase, state, applied_by, op_id, fence, finished, ms)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::int8,
            case when $5::text = 'applied' then clock_timestamp() end, $9::int8)
        on conflict (version) do update set name = excluded.name, checksum = excluded.checksum, phase = excluded.phase,
            state = excluded.state, applied_by = excluded.applied_by, op_id = excluded.op_id, fence = excluded.fence,
            started = case when _wf.schema_history.state = 'running' then _wf.schema_history.started
                else clock_timestamp() end,
            finished = excluded.finished, ms = excluded.ms
        where _wf.schema_history.state <> 'applied'
        """)

    /// History rows as another database has them, for the scratch database.
    static let copyHistory = Statement(
        "wf_copy_history",
        """
        insert into _wf.schema_history (version, name, checksum, phase, state, applied_by, op_id, fence)
        values ($1::text, '', $2::text, '', 'applied', $3::text, $4::text, 0)
        """)

    static let rollBackHistory = Statement(
        "wf_roll_back_history",
        """
        update _wf.schema_history set state = 'rolled_back', fence = $2::int8, finished = clock_timestamp()
        where version = $1::text
        """)

    // MARK: Locks and the catalog

    /// What this transaction has locked, of the relations that were there before it.
    static let locks = Statement(
        "wf_locks",
        """
        select c.oid::regclass::text, l.mode from pg_locks l join pg_class c on c.oid = l.relation
        join pg_namespace n on n.oid = c.relnamespace
        where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted
            and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', '_wf')
        order by 1, 2
        """)

    /// Everything that makes up the schema, one text each; what is unordered in the catalog is ordered by its text.
    static let catalog = Statement(
        "wf_catalog",
        """
        with spaces as (
            select oid, nspname from pg_namespace
            where nspname not in ('pg_catalog', 'information_schema', 'pg_toast', '_wf') and nspname !~ '^(pg_|svc_)'
        )
        select 'relation ' || s.nspname || '.' || c.relname || ' ' || c.relkind::text
            from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
        union all
        select 'column ' || s.nspname || '.' || c.relname || '.' || a.attname || ' '
                || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attgenerated::text
                || a.attidentity::text || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
            from pg_attribute a join pg_class c on c.oid = a.attrelid join spaces s on s.oid = c.relnamespace
            left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
        union all
        select 'constraint ' || s.nspname || '.' || coalesce(c.relname, '') || '.' || k.conname || ' '
                || pg_get_constraintdef(k.oid) || ' ' || k.convalidated
            from pg_constraint k join spaces s on s.oid = k.connamespace left join pg_class c on c.oid = k.conrelid
        union all
        select 'index ' || pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid
            from pg_index i join pg_class c on c.oid = i.indexrelid join spaces s on s.oid = c.relnamespace
        union all
        select 'view ' || s.nspname || '.' || c.relname || ' ' || pg_get_viewdef(c.oid)
            from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind in ('v', 'm')
        union all
        select 'function ' || pg_get_functiondef(p.oid)
            from pg_proc p join spaces s on s.oid = p.pronamespace where p.prokind in ('f', 'p')
                and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
        union all
        select 'trigger ' || pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
            from pg_trigger t join pg_class c on c.oid = t.tgrelid join spaces s on s.oid = c.relnamespace
            where not t.tgisinternal
        union all
        select 'enum ' || s.nspname || '.' || y.typname || ' ' || string_agg(e.enumlabel, ',' order by e.enumsortorder)
            from pg_enum e join pg_type y on y.oid = e.enumtypid join spaces s on s.oid = y.typnamespace
            group by s.nspname, y.typname
        """)

    static let index = Statement(
        "wf_index", "select indisvalid from pg_index where indexrelid = to_regclass($1::text)")

    static let invalidIndexes = Statement(
        "wf_invalid_indexes",
        """
        select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid
        join pg_namespace n on n.oid = c.relnamespace where not i.indisvalid and n.nspname !~ '^pg_'
        """)

    // MARK: Backfills

    static let backfill = Statement(
        "wf_backfill", "select last_key, visited, touched, done from _wf.backfill where version = $1::text")

    static let saveBackfill = Statement(
        "wf_save_backfill",
        """
        insert into _wf.backfill as b (version, last_key, visited, touched, done, fence)
        values ($1::text, $2::text, $3::int8, $4::int8, $5::bool, $6::int8)
        on conflict (version) do update set last_key = excluded.last_key, visited = excluded.visited,
            touched = excluded.touched, done = excluded.done, fence = excluded.fence, updated = clock_timestamp()
        """)

    static let forgetBackfill = Statement(
        "wf_forget_backfill", "delete from _wf.backfill where version = $1::text")

    /// The type of a key column, and whether it may be null.
    static let keyColumn = Statement(
        "wf_key_column",
        """
        select format_type(atttypid, atttypmod), attnotnull from pg_attribute
        where attrelid = to_regclass($1::text) and attname = $2::text and attnum > 0 and not attisdropped
        """)

    /// The end of the next batch: its last key as text, and how many rows are in it.
    static func batchEnd(_ plan: BackfillPlan, type: String, hasLower: Bool) -> Statement {
        let key = SQLName.quoted(plan.key)
        let lower = hasLower ? "where \(key) > $1::text::\(type)" : "where $1::text is null"
        return Statement(
            "",
            """
            select max(k)::text, count(*) from (
                select \(key) as k from \(SQLName.quotedPath(plan.table)) \(lower) order by \(key) limit $2::int4) batch
            """)
    }

    /// A backfill's own statement for the keys between two bounds.
    static func batch(_ sql: BackfillSQL, _ plan: BackfillPlan, type: String, hasLower: Bool) -> Statement {
        let key = "\(sql.alias).\(SQLName.quoted(plan.key))"
        let lower = hasLower ? "\(key) > $1::text::\(type)" : "$1::text is null"
        let range = "\(lower) and \(key) <= $2::text::\(type)"
        return Statement(
            "",
            sql.condition.isEmpty
                ? "\(sql.head) where \(range)" : "\(sql.head) where (\(sql.condition)) and \(range)")
    }

    // MARK: Versions side by side

    static let baseColumns = Statement(
        "wf_base_columns",
        """
        select c.relname::text, a.attname::text from pg_attribute a join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        order by c.relname, a.attnum
        """)

    /// Both names are quoted already.
    static func versionView(schema: String, table: String, columns: String) -> String {
        "create view \(schema).\(SQLName.quoted(table)) as select \(columns) from public.\(SQLName.quoted(table))"
    }

    static let schemas = Statement(
        "wf_schemas",
        """
        select nspname::text from pg_namespace where nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
            and nspname !~ '^pg_' order by nspname
        """)
}

/// Names as SQL quotes them.
enum SQLName {
    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A table's name, perhaps with a schema in front.
    static func quotedPath(_ path: String) -> String {
        path.split(separator: ".").map { self.quoted(String($0)) }.joined(separator: ".")
    }
}

/// The UPDATE of a backfill, cut where the bounds of a batch go in.
struct BackfillSQL: Hashable, Sendable {
    /// Everything before the condition.
    var head: String
    var condition: String
    /// By which name the table is known in it.
    var alias: String

    /// - Returns: nil when the text is no single UPDATE.
    init?(_ text: String) {
        guard let statement = try? SQLScript(text).statements.first,
            case .update(let update) = StatementClassifier.kind(of: statement)
        else { return nil }
        let bytes = Array(text.utf8)
        let tokens = statement.tokens
        let end = tokens[tokens.count - 1].range.upperBound
        let start = tokens[0].range.lowerBound
        if let first = update.conditionStart, first < tokens.count {
            self.head = String(decoding: bytes[start..<tokens[first - 1].range.lowerBound], as: UTF8.self)
            self.condition = String(decoding: bytes[tokens[first].range.lowerBound..<end], as: UTF8.self)
        } else {
            self.head = String(decoding: bytes[start..<end], as: UTF8.self)
            self.condition = ""
        }
        self.alias = Self.alias(tokens) ?? SQLName.quotedPath(update.table)
    }

    private static func alias(_ tokens: [SQLToken]) -> String? {
        var cursor = StatementCursor(tokens)
        _ = cursor.take("update") && cursor.take("only")
        guard cursor.name() != nil else { return nil }
        _ = cursor.takeSymbol("*")
        if cursor.take("as") { return cursor.peek.map { SQLName.quoted($0.text) } }
        guard let next = cursor.peek, next.isName, !next.isWord("set") else { return nil }
        return SQLName.quoted(next.text)
    }
}
