import Postgres

/// Statements over `aloft.nodes` and `aloft.lanes`. All times are the database's.
enum LeaseStatements {
    static let addLanes = Statement(
        "lanes_add",
        "insert into aloft.lanes (lane) select generate_series(0, $1::int4 - 1) on conflict (lane) do nothing")

    static let countLanes = Statement("lanes_count", "select count(*) from aloft.lanes")

    static let seeNode = Statement(
        "nodes_see",
        """
        insert into aloft.nodes (node, address, seen_at) values ($1::text, $2::text, clock_timestamp())
        on conflict (node) do update set address = excluded.address, seen_at = excluded.seen_at
        """)

    private static let lease = """
        l.lane, l.epoch, l.expires_at,
        greatest(
            (select o.seq from aloft.outbox o where o.lane = l.lane order by o.seq desc limit 1),
            (select m.seq from aloft.relay_marks m where m.lane = l.lane order by m.seq desc limit 1), 0)
        """

    static let acquire = Statement(
        "lanes_acquire",
        """
        update aloft.lanes l
        set owner = $1::text, epoch = l.epoch + 1, expires_at = clock_timestamp() + $3::int4 * interval '1 second'
        from (
            select lane from aloft.lanes where owner is null or expires_at < clock_timestamp()
            order by lane limit $2::int4 for update skip locked) free
        where l.lane = free.lane
        returning \(lease)
        """)

    static let renew = Statement(
        "lanes_renew",
        """
        update aloft.lanes l set expires_at = clock_timestamp() + $2::int4 * interval '1 second'
        where l.owner = $1::text
        returning \(lease)
        """)

    /// The epoch moves on, so that nothing of the old owner can be written any more.
    static let release = Statement(
        "lanes_release",
        "update aloft.lanes set owner = null, expires_at = null, epoch = epoch + 1 where owner = $1::text")

    static let owners = Statement(
        "lanes_owners",
        """
        select lane, owner from aloft.lanes where owner is not null and expires_at >= clock_timestamp()
        """)

    static let addresses = Statement(
        "lanes_addresses",
        """
        select l.lane, n.address from aloft.lanes l join aloft.nodes n on n.node = l.owner
        where l.expires_at >= clock_timestamp()
        """)

    static let all = [addLanes, countLanes, seeNode, acquire, renew, release, owners, addresses]
}
