import Postgres

/// Every SQL statement on the control tables of the schema upgrades.
enum UpgradeStatements {
    // MARK: Effects

    static let claimOp = Statement(
        "mig_claim_op", "insert into wf_mig.op (op_id) values ($1::text) on conflict do nothing returning op_id")

    static let readOp = Statement("mig_read_op", "select result::text from wf_mig.op where op_id = $1::text")

    static let endOp = Statement("mig_end_op", "update wf_mig.op set result = $2::text::jsonb where op_id = $1::text")

    static let publish = Statement(
        "mig_publish",
        """
        select outbox.publish($1::text, $2::text, $3::text, $4::text, $5::text::jsonb, $6::text, $7::text, $8::text)::text
        """)

    // MARK: Tenants

    static let putTenant = Statement(
        "mig_put_tenant",
        """
        insert into wf_mig.tenant (id, name, dsn_ref, region, tier)
        values ($1::text, $2::text, $3::text, $4::text, $5::text)
        on conflict (id) do update set name = excluded.name, dsn_ref = excluded.dsn_ref, region = excluded.region,
            tier = excluded.tier
        """)

    static let tenant = Statement(
        "mig_tenant",
        """
        select t.dsn_ref, v.schema_version, v.route_version, t.status from wf_mig.tenant t
        left join wf_mig.tenant_version v on v.tenant = t.id and v.service = $2::text where t.id = $1::text
        """)

    static let tenantsOf = Statement(
        "mig_tenants_of",
        """
        select t.id, v.schema_version from wf_mig.tenant t
        left join wf_mig.tenant_version v on v.tenant = t.id and v.service = $1::text
        where t.status = 'active' and ($2::text[] = '{}' or t.id = any($2::text[]))
            and ($3::text = '' or t.tier = $3::text) and ($4::text = '' or t.region = $4::text)
        order by t.id limit $5::int4
        """)

    static let saveSchemaVersion = Statement(
        "mig_save_schema_version",
        """
        insert into wf_mig.tenant_version as v (tenant, service, schema_version) values ($1::text, $2::text, $3::text)
        on conflict (tenant, service) do update set schema_version = excluded.schema_version, version = v.version + 1,
            updated_at = now()
        where v.schema_version is distinct from excluded.schema_version
        """)

    static let route = Statement(
        "mig_route",
        """
        select route_version, version from wf_mig.tenant_version where tenant = $1::text and service = $2::text for update
        """)

    static let saveRoute = Statement(
        "mig_save_route",
        """
        insert into wf_mig.tenant_version as v (tenant, service, route_version) values ($1::text, $2::text, $3::text)
        on conflict (tenant, service) do update set route_version = excluded.route_version, version = v.version + 1,
            updated_at = now()
        where v.version = $4::int8
        """)

    static let routeEvent = Statement(
        "mig_route_event",
        """
        insert into wf_mig.route_event (op_id, tenant, service, kind, from_version, to_version)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text)
        """)

    // MARK: Leases

    /// Takes a lease that is free, over, or our own; each new holder gets the next fence number.
    static let takeLease = Statement(
        "mig_take_lease",
        """
        insert into wf_mig.lease as l (tenant, holder, fence, expires)
        values ($1::text, $2::text, 1, now() + make_interval(secs => $3::float8))
        on conflict (tenant) do update set
            fence = case when l.holder = excluded.holder and l.expires > now() then l.fence else l.fence + 1 end,
            holder = excluded.holder, expires = excluded.expires
        where l.holder = excluded.holder or l.expires <= now()
        returning fence
        """)

    static let renewLease = Statement(
        "mig_renew_lease",
        """
        update wf_mig.lease set expires = now() + make_interval(secs => $3::float8)
        where tenant = $1::text and fence = $2::int8 returning fence
        """)

    static let dropLease = Statement(
        "mig_drop_lease",
        "update wf_mig.lease set expires = now() where tenant = $1::text and fence = $2::int8 and expires > now()")

    // MARK: Sets

    static let putSet = Statement(
        "mig_put_set",
        """
        insert into wf_mig.migration_set (sha256, files) values ($1::text, $2::text::jsonb) on conflict do nothing
        returning sha256
        """)

    static let putMigration = Statement(
        "mig_put_migration",
        """
        insert into wf_mig.migration (set_sha256, version, ordinal, name, checksum, up, down, phase, tx)
        values ($1::text, $2::text, $3::int4, $4::text, $5::text, $6::text, $7::text, $8::text, $9::bool)
        """)

    static let putFinding = Statement(
        "mig_put_finding",
        """
        insert into wf_mig.lint_finding (set_sha256, number, rule, file, line, statement, message, allowed_because)
        values ($1::text, $2::int4, $3::text, $4::text, $5::int4, $6::text, $7::text, $8::text) on conflict do nothing
        """)

    static let set = Statement("mig_set", "select files::text from wf_mig.migration_set where sha256 = $1::text")

    // MARK: Fleets

    static let putFleet = Statement(
        "mig_put_fleet",
        """
        insert into wf_mig.fleet_run (upgrade, service, set_sha256, target, workflow_id, request)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text::jsonb) on conflict do nothing
        """)

    static let putTenantRun = Statement(
        "mig_put_tenant_run",
        """
        insert into wf_mig.tenant_run (upgrade, pass, tenant, ordinal, wave)
        select $1::text, $2::text, t.id, t.ordinal, t.wave
        from unnest($3::text[], $4::int4[], $5::int4[]) t(id, ordinal, wave) on conflict do nothing
        """)

    static let setTotal = Statement(
        "mig_set_total", "update wf_mig.fleet_run set total = $2::int4 where upgrade = $1::text")

    static let saveShadow = Statement(
        "mig_save_shadow", "update wf_mig.fleet_run set shadow = $2::text::jsonb where upgrade = $1::text")

    static let shadow = Statement("mig_shadow", "select shadow::text from wf_mig.fleet_run where upgrade = $1::text")

    static let setFleetState = Statement(
        "mig_set_fleet_state",
        """
        update wf_mig.fleet_run set state = $2::text, ended_at = case when $3::bool then now() else null end
        where upgrade = $1::text
        """)

    static let putApproval = Statement(
        "mig_put_approval",
        """
        insert into wf_mig.approval (upgrade, gate, is_approved, by, reason)
        values ($1::text, $2::text, $3::bool, $4::text, $5::text)
        """)

    static let nextTenants = Statement(
        "mig_next_tenants",
        """
        select tenant, ordinal from wf_mig.tenant_run
        where upgrade = $1::text and pass = $2::text and wave = $3::int4 and ordinal > $4::int4
            and state in ('pending', 'running')
        order by ordinal limit $5::int4
        """)

    /// Tenants that were brought to the new version, last first.
    static let doneTenants = Statement(
        "mig_done_tenants",
        """
        select tenant, ordinal from wf_mig.tenant_run
        where upgrade = $1::text and pass <> 'contract' and ordinal < $2::int4 and state = 'done'
        order by ordinal desc limit $3::int4
        """)

    static let tenantsOfWave = Statement(
        "mig_tenants_of_wave",
        """
        select tenant from wf_mig.tenant_run
        where upgrade = $1::text and pass = $2::text and wave = $3::int4 and state = 'done' order by ordinal
        """)

    /// Whose copy of the schema the scratch database becomes: the one farthest behind.
    static let tenantsByVersion = Statement(
        "mig_tenants_by_version",
        """
        select r.tenant, v.schema_version from wf_mig.tenant_run r
        left join wf_mig.tenant_version v on v.tenant = r.tenant and v.service = $2::text
        where r.upgrade = $1::text and r.pass <> 'contract' order by v.schema_version nulls first, r.ordinal limit 1
        """)

    // MARK: Tenants of a fleet

    static let beginTenant = Statement(
        "mig_begin_tenant",
        """
        update wf_mig.tenant_run set state = 'running', step = 'TakeLease', generation = $4::int4, error = null,
            started_at = case when generation = $4::int4 then coalesce(started_at, now()) else now() end, ended_at = null
        where upgrade = $1::text and pass = $2::text and tenant = $3::text
        """)

    static let noteStep = Statement(
        "mig_note_step",
        """
        update wf_mig.tenant_run set step = $4::text
        where upgrade = $1::text and pass = $2::text and tenant = $3::text
        """)

    static let noteFound = Statement(
        "mig_note_found",
        """
        update wf_mig.tenant_run set step = 'Preflight', from_version = coalesce(from_version, $4::text),
            fingerprint = coalesce(fingerprint, $5::text)
        where upgrade = $1::text and pass = $2::text and tenant = $3::text
        """)

    static let endTenant = Statement(
        "mig_end_tenant",
        """
        update wf_mig.tenant_run set state = $4::text, error = $5::text,
            ended_at = case when $4::text = 'needs_operator' then null else now() end
        where upgrade = $1::text and pass = $2::text and tenant = $3::text
        """)

    /// Only a tenant that was brought to the new version can lose what only the old one needed.
    static let settleContract = Statement(
        "mig_settle_contract",
        """
        update wf_mig.tenant_run set state = case when $4::text = 'done' then 'pending' else 'skipped' end
        where upgrade = $1::text and tenant = $3::text and pass = 'contract' and $2::text = 'expand'
            and state in ('pending', 'skipped')
        """)

    static let skipTenant = Statement(
        "mig_skip_tenant",
        """
        update wf_mig.tenant_run set state = 'skipped', error = $3::text, ended_at = now()
        where upgrade = $1::text and tenant = $2::text and state in ('pending', 'failed', 'rolled_back')
        """)

    static let tenantPage = Statement(
        "mig_tenant_page",
        """
        select tenant, pass, wave, state, step, from_version, error, started_at, ended_at from wf_mig.tenant_run
        where upgrade = $1::text and ($2::text = '' or state = $2::text)
            and (pass, tenant) > ($3::text, $4::text)
        order by pass, tenant limit $5::int4
        """)

    // MARK: Asked for from outside

    static let fleet = Statement(
        "mig_fleet",
        "select service, target, set_sha256, state, total from wf_mig.fleet_run where upgrade = $1::text")

    static let counts = Statement(
        "mig_counts", "select state, count(*) from wf_mig.tenant_run where upgrade = $1::text group by state")

    static let tenantList = Statement(
        "mig_tenant_list",
        """
        select t.id, t.name, t.dsn_ref, t.region, t.tier,
            coalesce((select json_agg(json_build_object('service', v.service, 'schema_version', v.schema_version,
                'route_version', v.route_version) order by v.service)::text
                from wf_mig.tenant_version v where v.tenant = t.id), '[]')
        from wf_mig.tenant t where t.id > $1::text and ($2::text is null or t.id = $2::text)
        order by t.id limit $3::int4
        """)

    // MARK: Backups

    static let putBackup = Statement(
        "mig_put_backup",
        """
        insert into wf_mig.backup (op_id, upgrade, tenant, path, sha256, bytes, expires_at)
        values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::int8, now() + make_interval(secs => $7::float8))
        on conflict do nothing
        """)

    static let backup = Statement(
        "mig_backup",
        "select path, sha256, bytes from wf_mig.backup where op_id = $1::text and deleted_at is null")

    static let newestBackup = Statement(
        "mig_newest_backup",
        """
        select path, sha256, bytes from wf_mig.backup where upgrade = $1::text and tenant = $2::text and deleted_at is null
        order by created_at desc limit 1
        """)

    static let backupsToDelete = Statement(
        "mig_backups_to_delete",
        """
        select op_id, path from wf_mig.backup where upgrade = $1::text and deleted_at is null order by op_id limit 500
        """)

    static let deletedBackup = Statement(
        "mig_deleted_backup", "update wf_mig.backup set deleted_at = now() where op_id = $1::text")
}
