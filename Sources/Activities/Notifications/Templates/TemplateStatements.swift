import Postgres

/// The SQL of templates.
enum TemplateStatements {
    static let render = Statement(
        "ntf_render_template",
        """
        select t.locale, t.subject, t.body, t.html, t.schema::text, coalesce(s.sender_name, ''),
            coalesce(s.postal_address, '')
        from wf_ntf.template t left join wf_ntf.tenant_setting s on s.tenant = t.tenant
        where t.tenant = $1::text and t.id = $2::text and t.version = $3::int4 and t.channel = $4::text
            and t.locale = any($5::text[])
        order by array_position($5::text[], t.locale) limit 1
        """)

    static let sender = Statement(
        "ntf_template_sender",
        "select sender_name, postal_address from wf_ntf.tenant_setting where tenant = $1::text")

    static let versions = Statement(
        "ntf_template_versions",
        """
        select version, locale, channel, subject, body, html, schema::text, state, over_cap,
            extract(epoch from created_at)::float8
        from wf_ntf.template where tenant = $1::text and id = $2::text order by version desc, channel, locale
        """)

    static let list = Statement(
        "ntf_templates",
        """
        select id, max(version) filter (where state = 'active'), max(version)::int4,
            count(distinct version)::int8
        from wf_ntf.template where tenant = $1::text group by id order by id limit 1000
        """)

    static let activeVersions = Statement(
        "ntf_active_versions",
        """
        select distinct version from wf_ntf.template
        where tenant = $1::text and id = $2::text and state = 'active' order by version desc
        """)

    static let lockTemplate = Statement(
        "ntf_lock_template",
        "select pg_advisory_xact_lock(hashtext('wf_ntf.template'), hashtext($1::text || '/' || $2::text))::text")

    static let nextVersion = Statement(
        "ntf_next_version",
        "select coalesce(max(version), 0) + 1 from wf_ntf.template where tenant = $1::text and id = $2::text")

    static let versionState = Statement(
        "ntf_version_state",
        """
        select state from wf_ntf.template where tenant = $1::text and id = $2::text and version = $3::int4 limit 1
        """)

    static let clearDraft = Statement(
        "ntf_clear_draft",
        """
        delete from wf_ntf.template
        where tenant = $1::text and id = $2::text and version = $3::int4 and state = 'draft'
        """)

    static let insert = Statement(
        "ntf_insert_template",
        """
        insert into wf_ntf.template (tenant, id, version, locale, channel, subject, body, html, schema, state, over_cap)
        values ($1::text, $2::text, $3::int4, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text::jsonb, 'draft',
            $10::text)
        """)

    static let retireOthers = Statement(
        "ntf_retire_others",
        """
        update wf_ntf.template set state = 'retired'
        where tenant = $1::text and id = $2::text and version <> $3::int4 and state = 'active'
        """)

    static let activate = Statement(
        "ntf_activate_template",
        """
        update wf_ntf.template set state = 'active'
        where tenant = $1::text and id = $2::text and version = $3::int4
        """)
}
