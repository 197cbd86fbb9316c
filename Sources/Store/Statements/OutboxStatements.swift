import Postgres

/// Statements over `aloft.outbox`, `aloft.relay_marks` and the schema `outbox`.
enum OutboxStatements {
    /// One row per event, its entry's columns first.
    static let entries = Statement(
        "outbox_entries",
        """
        select o.seq, r.namespace_id, r.workflow_id, o.run_id, r.workflow_type, e.event_id, e.type, e.time, e.actor, e.body, e.hash
        from (
            select * from aloft.outbox e where lane = $1::int2 and seq > $2::int8
                -- A page of runs that were removed since must not look like the end.
                and exists (select from aloft.runs k where k.slot = e.slot and k.run_id = e.run_id)
            order by seq limit $3::int8) o
        join aloft.runs r on r.slot = o.slot and r.run_id = o.run_id
        join aloft.events e on e.slot = o.slot and e.run_id = o.run_id and e.event_id between o.first_event_id and o.last_event_id
        order by o.seq, e.event_id
        """)

    static let assignPositions = Statement("outbox_assign_positions", "select outbox.assign_positions($1::int4)")

    static let domainEvents = Statement(
        "outbox_domain_events",
        """
        select id, position, namespace, family, type, tenant, source, subject, subject_seq, operation_id, time, data
        from outbox.event where position > $1::int8 order by position limit $2::int8
        """)

    static let saveMarks = Statement(
        "marks_save",
        """
        insert into aloft.relay_marks (lane, seq, stream_sequence, stream_created, message_id)
        select * from unnest($1::int2[], $2::int8[], $3::int8[], $4::int8[], $5::text[])
        on conflict (lane, seq) do update set
            stream_sequence = excluded.stream_sequence, stream_created = excluded.stream_created, message_id = excluded.message_id
        """)

    /// Forgets a lane's oldest marks beyond a number.
    static let trimMarks = Statement(
        "marks_trim",
        """
        delete from aloft.relay_marks m
        using unnest($1::int2[]) as i (lane)
        where m.lane = i.lane and m.seq <= (
            select k.seq from aloft.relay_marks k where k.lane = i.lane order by k.seq desc offset $2::int8 limit 1)
        """)

    private static let markColumns = "m.lane, m.seq, m.stream_sequence, m.stream_created, m.message_id"
    /// Every lane that has marks, found by jumping through the index.
    private static let markedLanes = """
        with recursive marked (lane) as (
            select min(lane) from aloft.relay_marks
            union all
            select (select min(k.lane) from aloft.relay_marks k where k.lane > marked.lane) from marked where marked.lane is not null)
        """

    static let latestMarks = Statement(
        "marks_latest",
        """
        \(markedLanes)
        select \(markColumns) from marked l
        cross join lateral (select * from aloft.relay_marks k where k.lane = l.lane order by k.seq desc limit 1) m
        where l.lane is not null order by m.lane
        """)

    static let marksAtOrBefore = Statement(
        "marks_at_or_before",
        """
        \(markedLanes)
        select \(markColumns) from marked l
        cross join lateral (
            select * from aloft.relay_marks k
            where k.lane = l.lane and k.stream_created = $2::int8 and k.stream_sequence <= $1::int8
            order by k.seq desc limit 1) m
        where l.lane is not null order by m.lane
        """)

    static let all = [entries, assignPositions, domainEvents, saveMarks, trimMarks, latestMarks, marksAtOrBefore]
}
