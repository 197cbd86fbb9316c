/// The tables of the schema upgrades: `wf_mig` beside the engine's own, and `_wf` inside each tenant's database.
public enum UpgradeSchema {
    public static let name = "wf_mig"

    /// Applied after the engine's schema, which brings `outbox`. Every statement may run again.
    public static let sql = [tenants, sets, runs].joined(separator: "\n")

    private static let tenants = """
        create schema if not exists wf_mig;

        create table if not exists wf_mig.tenant (
            id text primary key,
            name text not null default '',
            -- `{cluster}/{database}`; the worker knows the clusters. Never an address, never a password.
            dsn_ref text not null,
            region text not null default '',
            tier text not null default '',
            status text not null default 'active' check (status in ('active', 'suspended')),
            created_at timestamptz not null default now()
        );

        -- Which version a tenant's schema has and which version of the service it is sent to.
        create table if not exists wf_mig.tenant_version (
            tenant text not null references wf_mig.tenant,
            service text not null,
            schema_version text,
            route_version text,
            version bigint not null default 1,
            updated_at timestamptz not null default now(),
            primary key (tenant, service)
        );

        create table if not exists wf_mig.lease (
            tenant text primary key,
            holder text not null,
            fence bigint not null,
            expires timestamptz not null
        );

        create table if not exists wf_mig.route_event (
            id bigint generated always as identity primary key,
            op_id text not null unique,
            tenant text not null,
            service text not null,
            kind text not null,
            from_version text,
            to_version text,
            at timestamptz not null default now()
        );
        create index if not exists route_event_by_tenant on wf_mig.route_event (tenant, at);
        """

    private static let sets = """
        create table if not exists wf_mig.migration_set (
            sha256 text primary key,
            -- Name and content of every file.
            files jsonb not null,
            created_at timestamptz not null default now()
        );

        create table if not exists wf_mig.migration (
            set_sha256 text not null references wf_mig.migration_set,
            version text not null,
            ordinal int not null,
            name text not null,
            checksum text not null,
            up text not null,
            down text,
            phase text not null check (phase in ('expand', 'backfill', 'contract')),
            tx boolean not null,
            primary key (set_sha256, version)
        );

        create table if not exists wf_mig.lint_finding (
            set_sha256 text not null references wf_mig.migration_set,
            number int not null,
            rule text not null,
            file text not null,
            line int not null,
            statement text not null,
            message text not null,
            allowed_because text,
            primary key (set_sha256, number)
        );
        """

    private static let runs = """
        create table if not exists wf_mig.fleet_run (
            upgrade text primary key,
            service text not null,
            set_sha256 text not null,
            target text not null,
            workflow_id text not null,
            request jsonb not null,
            state text not null default 'RUNNING',
            total int not null default 0,
            -- What the scratch database showed: locks and fingerprints.
            shadow jsonb,
            started_at timestamptz not null default now(),
            ended_at timestamptz
        );
        create index if not exists fleet_run_by_service on wf_mig.fleet_run (service, started_at);

        create table if not exists wf_mig.tenant_run (
            upgrade text not null references wf_mig.fleet_run,
            pass text not null check (pass in ('expand', 'contract', 'all')),
            tenant text not null,
            ordinal int not null,
            wave int not null,
            state text not null default 'pending' check (state in
                ('pending', 'running', 'done', 'failed', 'rolled_back', 'skipped', 'needs_operator')),
            step text not null default '',
            generation int not null default 0,
            from_version text,
            -- The catalog as the upgrade found it.
            fingerprint text,
            error text,
            started_at timestamptz,
            ended_at timestamptz,
            primary key (upgrade, pass, tenant)
        );
        create index if not exists tenant_run_by_place on wf_mig.tenant_run (upgrade, pass, wave, ordinal);
        create index if not exists tenant_run_by_state on wf_mig.tenant_run (upgrade, state, tenant);

        create table if not exists wf_mig.approval (
            id bigint generated always as identity primary key,
            upgrade text not null references wf_mig.fleet_run,
            gate text not null,
            is_approved boolean not null,
            by text not null,
            reason text not null default '',
            at timestamptz not null default now()
        );

        create table if not exists wf_mig.backup (
            op_id text primary key,
            upgrade text not null,
            tenant text not null,
            path text not null,
            sha256 text not null,
            bytes bigint not null,
            created_at timestamptz not null default now(),
            expires_at timestamptz not null,
            deleted_at timestamptz
        );
        create index if not exists backup_by_upgrade on wf_mig.backup (upgrade, tenant);

        -- Results of steps on these tables, by the key of the effect.
        create table if not exists wf_mig.op (
            op_id text primary key,
            result jsonb,
            at timestamptz not null default now()
        );
        """

    /// Inside each tenant's database.
    static let tenantSQL = """
        create schema if not exists _wf;
        create table if not exists _wf.schema_history (
            version text primary key,
            name text not null,
            checksum text not null,
            phase text not null,
            -- running, applied, rolled_back
            state text not null check (state in ('running', 'applied', 'rolled_back')),
            -- The upgrade that did it.
            applied_by text not null,
            op_id text not null,
            fence bigint not null,
            started timestamptz not null default clock_timestamp(),
            finished timestamptz,
            ms bigint
        );
        create table if not exists _wf.backfill (
            version text primary key,
            last_key text,
            visited bigint not null default 0,
            touched bigint not null default 0,
            done boolean not null default false,
            fence bigint not null,
            updated timestamptz not null default clock_timestamp()
        );
        -- The newest fence number seen here: whoever has an older one may not write any more.
        create table if not exists _wf.fence (
            one boolean primary key default true check (one),
            fence bigint not null
        );
        """
}
