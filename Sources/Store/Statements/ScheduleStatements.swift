import Postgres

/// Statements over `aloft.schedules`.
enum ScheduleStatements {
    static let insert = Statement(
        "schedules_insert",
        """
        insert into aloft.schedules (
            version, slot, namespace_id, schedule_id, create_time, is_paused, wake_at, snapshot)
        select 1, * from unnest(
            $1::int2[], $2::uuid[], $3::text[], $4::int8[], $5::boolean[], $6::int8[], $7::bytea[])
        """)

    static let update = Statement(
        "schedules_update",
        """
        with changed as (
            update aloft.schedules s
            set version = s.version + 1, is_paused = i.is_paused, wake_at = i.wake_at, snapshot = i.snapshot
            from unnest($1::int2[], $2::uuid[], $3::text[], $4::int8[], $5::boolean[], $6::int8[], $7::bytea[])
                as i (slot, namespace_id, schedule_id, version, is_paused, wake_at, snapshot)
            where s.slot = i.slot and s.namespace_id = i.namespace_id and s.schedule_id = i.schedule_id
                and s.version = i.version
            returning 1)
        select aloft.expect_rows((select count(*) from changed), $8::int8, 'AL001')
        """)

    static let delete = Statement(
        "schedules_delete",
        """
        with gone as (
            delete from aloft.schedules s
            using unnest($1::int2[], $2::uuid[], $3::text[], $4::int8[]) as i (slot, namespace_id, schedule_id, version)
            where s.slot = i.slot and s.namespace_id = i.namespace_id and s.schedule_id = i.schedule_id
                and s.version = i.version
            returning 1)
        select aloft.expect_rows((select count(*) from gone), $5::int8, 'AL001')
        """)

    private static let columns = "namespace_id, schedule_id, version, snapshot"

    static let load = Statement(
        "schedules_load",
        """
        select \(columns) from aloft.schedules
        where slot = $1::int2 and namespace_id = $2::uuid and schedule_id = $3::text
        """)

    static let toWake = Statement(
        "schedules_to_wake",
        """
        select namespace_id, schedule_id, slot, wake_at from aloft.schedules
        where wake_at <= $3::int8 and slot between $1::int2 and $2::int2
            and (wake_at, slot, namespace_id, schedule_id) > ($4::int8, $5::int2, $6::uuid, $7::text)
        order by wake_at, slot, namespace_id, schedule_id limit $8::int8
        """)

    static let list = Statement(
        "schedules_list",
        """
        select \(columns) from aloft.schedules where namespace_id = $1::uuid and schedule_id > $2::text
        order by schedule_id limit $3::int8
        """)

    static let count = Statement(
        "schedules_count", "select count(*) from aloft.schedules where namespace_id = $1::uuid")

    static let all = [insert, update, delete, load, toWake, list, count]
}
