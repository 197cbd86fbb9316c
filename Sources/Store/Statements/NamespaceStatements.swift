import Postgres

enum NamespaceStatements {
    static let insert = Statement(
        "namespaces_insert",
        """
        insert into aloft.namespaces (id, name, state, retention, description, owner_email, data_names, data_values)
        values ($1::uuid, $2::text, $3::int4, $4::int8, $5::text, $6::text, $7::text[], $8::bytea[])
        """)

    static let update = Statement(
        "namespaces_update",
        """
        with changed as (
            update aloft.namespaces set name = $2::text, state = $3::int4, retention = $4::int8, description = $5::text,
                owner_email = $6::text, data_names = $7::text[], data_values = $8::bytea[]
            where id = $1::uuid returning 1)
        select aloft.expect_rows((select count(*) from changed), 1, 'AL001')
        """)

    static let list = Statement(
        "namespaces_list",
        "select id, name, state, retention, description, owner_email, data_names, data_values from aloft.namespaces order by name"
    )

    static let listAttributes = Statement(
        "search_attributes_list", "select namespace_id, name, type from aloft.search_attributes")

    static let addAttributes = Statement(
        "search_attributes_add",
        """
        insert into aloft.search_attributes (namespace_id, name, type)
        select $1::uuid, i.name, i.type from unnest($2::text[], $3::int2[]) as i (name, type)
        on conflict (namespace_id, name) do nothing
        """)

    static let removeAttributes = Statement(
        "search_attributes_remove",
        "delete from aloft.search_attributes where namespace_id = $1::uuid and name = any($2::text[])")

    /// Only one that is deleted and empty.
    static let remove = Statement(
        "namespaces_remove",
        """
        with gone as (
            delete from aloft.namespaces n where n.id = $1::uuid and n.state = 3
                and not exists (select from aloft.runs r where r.namespace_id = n.id)
            returning n.id)
        delete from aloft.search_attributes a using gone where a.namespace_id = gone.id
        """)

    static let all = [insert, update, list, listAttributes, addAttributes, removeAttributes, remove]
}
