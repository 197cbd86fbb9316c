import Postgres

/// The demo's own SQL: tenants' tables, the load on them, and what the tables say of an upgrade.
enum DemoTenantsStatements {
    static let template = """
        create table people (id bigint primary key, email text not null, name text, seen int not null default 0);
        insert into people (id, email) select n, 'p' || n || '@example.org' from generate_series(1, 2000) n;
        """

    /// Two people with one address: the unique index cannot be built.
    static let poison = "update people set email = 'same@example.org' where id in (7, 8)"

    static let read = Statement("demo_read", "select count(*) from people where id between $1::int8 and $1::int8 + 50")
    static let write = Statement("demo_write", "update people set seen = seen + 1 where id = $1::int8")

    static let grid = Statement(
        "demo_grid", "select tenant, state, step from wf_mig.tenant_run where pass = 'expand' order by ordinal")

    /// Sessions of the family's steps, in all databases.
    static let connections = Statement(
        "demo_connections", "select count(*) from pg_stat_activity where application_name like 'mig:%'")

    static let schema = Statement(
        "demo_schema",
        """
        select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a
            where a.attrelid = 'people'::regclass and a.attnum > 0 and not a.attisdropped
        union all select pg_get_indexdef(indexrelid) || ' ' || indisvalid from pg_index
            where indrelid = 'people'::regclass order by 1
        """)

    static let migrations = [
        "V1.0__age.sql": "-- phase: expand\n-- down: V1.0.down.sql\nalter table people add column age int;",
        "V1.0.down.sql": "alter table people drop column age;",
        "V2.0__email.sql": """
        -- phase: expand
        -- tx: false
        -- down: V2.0.down.sql
        create unique index concurrently people_email on people (email);
        """,
        "V2.0.down.sql": "drop index concurrently if exists people_email;",
        "V3.0__names.sql": """
        -- phase: backfill
        -- backfill: people,id,500,5
        -- verify: V3.0.verify.sql
        update people set name = 'person ' || id where name is null;
        """,
        "V3.0.verify.sql": "select id from people where name is null;",
    ]
}
