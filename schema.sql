-- The whole schema of Aloft, for a reader with psql.
--
-- This file is what all migrations together make (Sources/Store/Migrations); a test compares the two. Times are nanoseconds
-- since 1970-01-01 UTC, as Temporal's protocol has them: `select aloft.at(start_time) …` shows one as people read it.
--
-- A run lives in a slot (a hash of its namespace and workflow id), a slot in a lane, and a lane has one writer at a time.
--
-- Errors of our own: AL001 a run's version is not the expected one, AL002 the lane is leased to somebody else, AL003 a request
-- key is taken, AL004 the run to follow is not the current one, AL009 history must not change.

create schema aloft;
create schema outbox;

-- Which migrations this database has seen; `aloft schema apply` writes it.
create table aloft.schema_migrations (
    version    int4 primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default clock_timestamp()
);

-- Login roles are granted one of these. The server writes the engine's tables; family activities only publish events.
do $$
begin
    if not exists (select from pg_roles where rolname = 'aloft_server') then create role aloft_server nologin; end if;
    if not exists (select from pg_roles where rolname = 'aloft_family') then create role aloft_family nologin; end if;
exception when duplicate_object or unique_violation then null;  -- another database of this cluster was faster
end
$$;

create function aloft.at(nanoseconds int8) returns timestamptz language sql immutable parallel safe
    return to_timestamp(nanoseconds / 1e9);

create function aloft.now_nanoseconds() returns int8 language sql volatile
    return (extract(epoch from clock_timestamp()) * 1000000)::int8 * 1000;

-- Aborts the transaction unless a statement touched as many rows as it must.
create function aloft.expect_rows(actual int8, expected int8, state text) returns void language plpgsql as $$
begin
    if actual <> expected then
        raise exception using errcode = state, message = format('expected %s rows, touched %s', expected, actual);
    end if;
end
$$;

-- Only aloft.forget_runs may delete.
create function aloft.refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('aloft.forgetting', true) = 'yes' then return null; end if;
    raise exception using errcode = 'AL009', message = format('%s.%s is append-only', tg_table_schema, tg_table_name);
end
$$;

---------------------------------------------------------------------------------------------------------------- namespaces

create table aloft.namespaces (
    id           uuid   primary key,
    name         text   not null constraint namespaces_name unique,
    state        int4   not null,  -- 1 registered, 2 deprecated, 3 deleted
    retention    int8   not null,  -- nanoseconds that a closed run is kept
    description  text   not null default '',
    owner_email  text   not null default '',
    data_names   text[] not null default '{}',
    data_values  bytea[] not null default '{}'
);

-- The search attributes that are defined in a namespace, beside those that exist in each.
create table aloft.search_attributes (
    namespace_id uuid not null,
    type         int2 not null,  -- temporal.api.enums.v1.IndexedValueType
    name         text not null,
    constraint search_attributes_pkey primary key (namespace_id, name),
    constraint search_attributes_type check (type between 1 and 7)
);

------------------------------------------------------------------------------------------------------------- runs and events

-- One row per run: its current state and what lists show. Written by compare-and-set on `version`.
--
-- `wake_at` takes the place of a timers table: null = nothing happens by itself; 0 = work is in flight, load me after a crash;
-- otherwise my nearest deadline. It stays 0 through a short run, so that its updates touch no index (heap-only tuples);
-- hence the fill factor.
create table aloft.runs (
    version           int8     not null,  -- 1 with the first commit, one more with each further one
    start_time        int8     not null,
    execution_time    int8     not null,  -- when the first workflow task was due
    close_time        int8,
    wake_at           int8,
    history_length    int8     not null,  -- events
    history_size      int8     not null,  -- bytes
    slot              int2     not null,
    status            int2     not null,  -- temporal.api.enums.v1.WorkflowExecutionStatus; 1 = running
    is_current        boolean  not null,  -- the newest run of its workflow id
    namespace_id      uuid     not null,
    run_id            uuid     not null,
    first_run_id      uuid     not null,  -- where its chain of continue-as-new, retry and cron began
    parent_run_id     uuid,               -- the run that started it as a child
    root_run_id       uuid,               -- the top of its tree; null when it is its own root
    workflow_id       text     not null,
    workflow_type     text     not null,
    task_queue        text     not null,
    start_request_id  text     not null,
    parent_workflow_id text,
    root_workflow_id  text,
    memo              bytea,              -- encoded temporal.api.common.v1.Memo
    search_attributes bytea,              -- encoded temporal.api.common.v1.SearchAttributes
    snapshot          bytea    not null,  -- the run as the engine holds it; can be rebuilt from its events
    constraint runs_pkey primary key (slot, run_id),
    constraint runs_status check (status between 1 and 7),
    constraint runs_closed check ((close_time is null) = (status = 1))
) with (fillfactor = 70);

alter table aloft.runs alter column snapshot set compression lz4;

-- At most one current run of a workflow id; finds it, too.
create unique index runs_current on aloft.runs (slot, namespace_id, workflow_id) where is_current;
-- The runs before it. A workflow id that was used once costs nothing here.
create index runs_former on aloft.runs (slot, namespace_id, workflow_id) where not is_current;
-- What to load next. Time leads, because a lane asks for what is due, not for everything that sleeps.
create index runs_wake on aloft.runs (wake_at, slot, run_id) where wake_at is not null;
-- Lists, read backwards: open runs first, then by close time. Written when a run starts and when it closes.
create index runs_listed on aloft.runs (namespace_id, (coalesce(close_time, 9223372036854775807)), start_time, run_id);
-- The same for the runs of one type and status.
create index runs_typed on aloft.runs (
    namespace_id, workflow_type, status, (coalesce(close_time, 9223372036854775807)), start_time, run_id);
-- The children of a workflow; other runs cost nothing here.
create index runs_children on aloft.runs (namespace_id, parent_workflow_id) where parent_workflow_id is not null;

-- How many runs of a namespace have a status: the sum over the lanes. Each commit counts under one of its own lanes, so that
-- no two writers meet; -1 counts what was removed.
create table aloft.run_counts (
    runs         int8 not null,
    lane         int2 not null,
    status       int2 not null,
    namespace_id uuid not null,
    constraint run_counts_pkey primary key (namespace_id, lane, status)
) with (fillfactor = 50);

-- The search attributes of runs as they are searched for: one row for a value, or for each element of a list and each word of a
-- text. Written with the start and the close of a run and with every change of its attributes, in the commit of the run itself.
-- A run without attributes has no row here.
create table aloft.search_values (
    start_time   int8 not null,  -- with closed_at the run's place in lists
    closed_at    int8 not null,  -- 9223372036854775807 while it is open
    number       int8,           -- Int; Bool as 0 or 1; Datetime in nanoseconds
    real         float8,         -- Double
    slot         int2 not null,
    type         int2 not null,
    namespace_id uuid not null,
    run_id       uuid not null,
    name         text collate "C" not null,
    word         text collate "C",  -- Keyword, element of a KeywordList, word of a Text
    constraint search_values_type check (type between 1 and 7)
);

create index search_values_of_run on aloft.search_values (slot, run_id, name);
create index search_values_word on aloft.search_values (namespace_id, name, word, closed_at, start_time, run_id)
    where word is not null;
create index search_values_number on aloft.search_values (namespace_id, name, number, closed_at, start_time, run_id)
    where number is not null;
create index search_values_real on aloft.search_values (namespace_id, name, real, closed_at, start_time, run_id)
    where real is not null;

-- The histories: append-only, one row per event, encoded once and served as it is.
create table aloft.events (
    event_id  int8  not null,  -- 1, 2, 3, … within its run
    time      int8  not null,
    slot      int2  not null,
    type      int2  not null,  -- temporal.api.enums.v1.EventType
    run_id    uuid  not null,
    actor     text  not null,  -- who caused it
    hash      bytea not null,  -- SHA-256(hash of the event before ‖ body)
    body      bytea not null,  -- encoded temporal.api.history.v1.HistoryEvent
    constraint events_pkey primary key (slot, run_id, event_id)
);

alter table aloft.events alter column body set compression lz4;

create trigger events_append_only before update or delete or truncate on aloft.events
    for each statement execute function aloft.refuse_change();

-- Attempts of activities that ended without leaving an event: Temporal's history keeps only the last one of each activity.
create table aloft.activity_attempts (
    id                 int8 generated always as identity,
    scheduled_event_id int8 not null,
    scheduled_at       int8 not null,
    started_at         int8,
    ended_at           int8 not null,
    retry_at           int8,           -- when the next attempt is due
    attempt            int4 not null,
    slot               int2 not null,
    outcome            int2 not null,  -- 1 failed, 2 timed out, 3 canceled, 4 completed
    run_id             uuid not null,
    activity_id        text not null,
    identity           text not null,  -- the worker
    failure_type       text,           -- to read and to count by
    failure            bytea,          -- the whole failure (Sources/Store/FailureCodec.swift)
    constraint activity_attempts_pkey primary key (slot, run_id, id),
    constraint activity_attempts_outcome check (outcome between 1 and 4)
);

create trigger activity_attempts_append_only before update or truncate on aloft.activity_attempts
    for each statement execute function aloft.refuse_change();

-------------------------------------------------------------------------------------------------------------- schedules

-- One row per schedule: when it acts next and its whole state, written by compare-and-set on `version` under the lane's lease.
-- `wake_at` as in `runs`: null = nothing will happen by itself; 0 = something it started is not over, load me after a crash.
create table aloft.schedules (
    version      int8    not null,  -- 1 with the first commit, one more with each further one
    create_time  int8    not null,
    wake_at      int8,
    slot         int2    not null,
    is_paused    boolean not null,
    namespace_id uuid    not null,
    schedule_id  text    collate "C" not null,
    snapshot     bytea   not null,  -- the schedule as the engine holds it
    constraint schedules_pkey primary key (slot, namespace_id, schedule_id)
) with (fillfactor = 70);

create index schedules_wake on aloft.schedules (wake_at, slot, namespace_id, schedule_id) where wake_at is not null;
create index schedules_listed on aloft.schedules (namespace_id, schedule_id);

-- Operations over many runs: what is to be done and how far it has come.
create table aloft.batch_operations (
    version      int8  not null,
    start_time   int8  not null,
    close_time   int8,
    slot         int2  not null,
    state        int2  not null,  -- temporal.api.enums.v1.BatchOperationState
    namespace_id uuid  not null,
    job_id       text  collate "C" not null,
    snapshot     bytea not null,  -- the operation as the engine holds it
    constraint batch_operations_pkey primary key (slot, namespace_id, job_id),
    constraint batch_operations_state check (state between 1 and 3),
    constraint batch_operations_closed check ((close_time is null) = (state = 1))
) with (fillfactor = 70);

-- At most one open operation of a namespace.
create unique index batch_operations_open on aloft.batch_operations (namespace_id) where close_time is null;
create index batch_operations_listed on aloft.batch_operations (namespace_id, start_time, job_id);

-- The runs that an open operation goes through, as they were when it began; gone when it ends.
create table aloft.batch_targets (
    ordinal      int8 not null,  -- 1, 2, 3, … within its operation
    slot         int2 not null,  -- the operation's
    namespace_id uuid not null,
    run_id       uuid,           -- null: the current one
    job_id       text collate "C" not null,
    workflow_id  text not null,
    constraint batch_targets_pkey primary key (slot, namespace_id, job_id, ordinal),
    constraint batch_targets_run unique (slot, namespace_id, job_id, workflow_id, run_id)
);

-------------------------------------------------------------------------------------------------------------- event feed

-- Which events each transition brought, in the order of its lane. The relay walks it after a crash or a broken stream; the
-- events themselves are above. The lane's writer counts `seq` in memory.
create table aloft.outbox (
    seq            int8 not null,
    first_event_id int8 not null,
    last_event_id  int8 not null,
    lane           int2 not null,
    slot           int2 not null,
    run_id         uuid not null,
    constraint outbox_pkey primary key (lane, seq),
    constraint outbox_range check (first_event_id between 1 and last_event_id)
);

-- How far each lane (-1: the families' events) is known to be on the stream, and where there. Older marks are kept to find the
-- way back when the stream lost its tail.
create table aloft.relay_marks (
    seq             int8 not null,
    stream_sequence int8 not null,
    stream_created  int8 not null,  -- tells a recreated stream from the one before
    lane            int2 not null,
    message_id      text not null,
    constraint relay_marks_pkey primary key (lane, seq)
);

-- Business events of the families, written through outbox.publish in the transaction of the rows they tell of.
create table outbox.event (
    arrival      int8  generated always as identity,
    position     int8,  -- in commit order; given by outbox.assign_positions once the event is visible
    time         int8  not null,
    subject_seq  int8  not null,
    id           uuid  primary key,
    namespace    text  not null,
    family       text  not null,
    type         text  not null,
    tenant       text  not null,
    source       text  not null,  -- workflow id
    subject      text  not null,  -- what it is about: payment, notification, …
    operation_id text  not null,
    data         jsonb not null,
    constraint event_subject_seq unique (namespace, family, subject, subject_seq)
);

create unique index event_position on outbox.event (position) where position is not null;
create index event_unplaced on outbox.event (arrival) where position is null;

create table outbox.subject (
    namespace text not null,
    family    text not null,
    subject   text not null,
    last_seq  int8 not null,
    constraint subject_pkey primary key (namespace, family, subject)
) with (fillfactor = 70);

create sequence outbox.position;

-- Publishes one business event when, and only when, the caller's transaction commits. Returns its id (UUIDv7), the message id
-- on the feed.
--
-- Events of one subject are numbered without gaps, and come in that order: the subject's row is locked until the commit.
create function outbox.publish(
    p_namespace text, p_family text, p_type text, p_subject text, p_data jsonb, p_operation_id text default '',
    p_source text default '', p_tenant text default 'default'
) returns uuid language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_random text := replace(gen_random_uuid()::text, '-', '');
    v_now    int8 := (extract(epoch from clock_timestamp()) * 1000000)::int8;
    v_id     uuid := (lpad(to_hex(v_now / 1000), 12, '0') || '7' || substr(v_random, 14))::uuid;
    v_seq    int8;
begin
    insert into outbox.subject as s (namespace, family, subject, last_seq) values (p_namespace, p_family, p_subject, 1)
        on conflict (namespace, family, subject) do update set last_seq = s.last_seq + 1
        returning last_seq into v_seq;
    insert into outbox.event (time, subject_seq, id, namespace, family, type, tenant, source, subject, operation_id, data)
        values (v_now * 1000, v_seq, v_id, p_namespace, p_family, p_type, p_tenant, p_source, p_subject, p_operation_id, p_data);
    perform pg_notify('aloft_outbox', '');
    return v_id;
end
$$;

-- Gives the next positions to visible events. Whoever committed after an event was placed gets a later position, so nothing
-- earlier can appear behind the relay's mark, however long a transaction stays open. `arrival` keeps each subject's order.
create function outbox.assign_positions(p_limit int4) returns void language plpgsql as $$
begin
    if not exists (select from outbox.event where position is null) then return; end if;
    perform pg_advisory_xact_lock(hashtext('outbox.assign_positions'));
    update outbox.event e set position = n.position
        from (select w.id, nextval('outbox.position') as position
              from (select id from outbox.event where position is null order by arrival limit p_limit) w) n
        where e.id = n.id;
end
$$;

-------------------------------------------------------------------------------------------------------- nodes and leases

create table aloft.nodes (
    node     text primary key,
    address  text not null,
    seen_at  timestamptz not null
);

-- A lane's owner is the only writer of its slots. The owner's address is in `nodes`.
create table aloft.lanes (
    lane       int2 primary key,
    epoch      int8 not null default 0,
    owner      text,
    expires_at timestamptz,
    -- Because of this key a takeover (a new epoch) waits for commits that hold the row with `for key share`, and a renewal does not.
    constraint lanes_epoch unique (lane, epoch)
) with (fillfactor = 50);

-- The first statement of every commit: proves the leases of its lanes, and holds them until the commit is over.
create function aloft.expect_leases(p_lanes int2[], p_epochs int8[]) returns void language plpgsql as $$
declare
    v_held int8;
begin
    select count(*) into v_held from (
        select from aloft.lanes l join unnest(p_lanes, p_epochs) as i (lane, epoch) on l.lane = i.lane and l.epoch = i.epoch
        order by l.lane for key share of l) held;
    if v_held <> cardinality(p_lanes) then
        raise exception using errcode = 'AL002', message = format('%s of the lanes %s are held', v_held, p_lanes);
    end if;
end
$$;

------------------------------------------------------------------------------------------------- idempotent HTTP operations

-- What `/v1/operations/{id}` shows; written with the start of its run.
create table aloft.operations (
    created_at    int8 not null,
    expires_at    int8 not null,
    answer_status int4,             -- the stored answer, replayed byte for byte
    namespace_id  uuid not null,
    run_id        uuid not null,
    id            text primary key,
    kind          text not null,
    workflow_id   text not null,
    scope         text not null,
    key           text not null,
    fingerprint   bytea not null,   -- SHA-256 of method, path and canonical body
    answer_headers text[],
    answer_body   bytea
);

-- Which operation an idempotency key stands for until it expires.
create table aloft.requests (
    expires_at   int8 not null,
    scope        text not null,     -- principal, method and path template
    key          text not null,
    operation_id text not null,
    constraint requests_pkey primary key (scope, key)
);

------------------------------------------------------------------------------------------------- the end of the retention

-- Removes runs for good, with their histories: such that are closed and have nothing left to do, and all runs of deleted
-- namespaces; with p_awake also closed ones that their server has nothing left to do for. Others stay. It is the only way in which events leave the database. Returns how many runs were removed.
create function aloft.forget_runs(p_slots int2[], p_run_ids uuid[], p_awake boolean default false) returns int8
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set aloft.forgetting = 'yes' as $$
declare
    v_count int8;
begin
    with doomed as materialized (
        select r.slot, r.run_id from unnest(p_slots, p_run_ids) as i (slot, run_id)
        join aloft.runs r on r.slot = i.slot and r.run_id = i.run_id
        where (r.close_time is not null and (p_awake or r.wake_at is null))
            or exists (select from aloft.namespaces n where n.id = r.namespace_id and n.state = 3)
        order by r.slot, r.run_id for update of r),
    events as (delete from aloft.events e using doomed d where e.slot = d.slot and e.run_id = d.run_id),
    attempts as (delete from aloft.activity_attempts a using doomed d where a.slot = d.slot and a.run_id = d.run_id),
    vals as (delete from aloft.search_values v using doomed d where v.slot = d.slot and v.run_id = d.run_id),
    runs as (
        delete from aloft.runs r using doomed d where r.slot = d.slot and r.run_id = d.run_id
        returning r.namespace_id, r.status),
    counts as (
        insert into aloft.run_counts as c (lane, namespace_id, status, runs)
        select -1, r.namespace_id, r.status, -count(*) from runs r group by r.namespace_id, r.status
        on conflict (namespace_id, lane, status) do update set runs = c.runs + excluded.runs)
    select count(*) into v_count from runs;
    return v_count;
end
$$;

------------------------------------------------------------------------------------------------------------------- rights

revoke all on function outbox.publish(text, text, text, text, jsonb, text, text, text) from public;
revoke all on function outbox.assign_positions(int4) from public;
revoke all on function aloft.forget_runs(int2[], uuid[], boolean) from public;

grant usage on schema aloft, outbox to aloft_server;
grant select on aloft.schema_migrations to aloft_server;
grant select, insert, update on aloft.runs, aloft.run_counts, aloft.nodes, aloft.lanes, aloft.operations to aloft_server;
grant select, insert, update, delete on aloft.namespaces, aloft.relay_marks, aloft.requests to aloft_server;
grant select, insert, delete on aloft.search_attributes, aloft.search_values to aloft_server;
grant execute on function aloft.forget_runs(int2[], uuid[], boolean) to aloft_server;
grant select, insert, update, delete on aloft.schedules, aloft.batch_operations, aloft.batch_targets to aloft_server;
grant select, insert on aloft.events, aloft.activity_attempts, aloft.outbox to aloft_server;
grant select, update on outbox.event to aloft_server;
grant usage on sequence outbox.position to aloft_server;
grant execute on function outbox.assign_positions(int4) to aloft_server;
grant execute on function outbox.publish(text, text, text, text, jsonb, text, text, text) to aloft_server;

grant usage on schema outbox to aloft_family;
grant execute on function outbox.publish(text, text, text, text, jsonb, text, text, text) to aloft_family;
