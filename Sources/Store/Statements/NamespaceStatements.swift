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

    static let all = [insert, update, list]
}
