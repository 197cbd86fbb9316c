"""Schedules, driven by Temporal's own Python SDK: schedules.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import sys
import uuid
from datetime import datetime, timedelta, timezone

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.schedule.v1 import Range, StructuredCalendarSpec
from temporalio.api.workflowservice.v1 import (
    CountSchedulesRequest,
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DescribeScheduleRequest,
    ListScheduleMatchingTimesRequest,
    ListSchedulesRequest,
    PatchScheduleRequest,
    UpdateScheduleRequest,
)
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

YEARLY = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=365))])
EVERY_SECOND = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])


@workflow.defn
class Counts:
    """Returns one more than the run before it."""

    @workflow.run
    async def run(self, kind: str) -> int:
        before = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else 0
        if kind == "fail":
            raise ApplicationError("as asked")
        if kind == "fail once" and not workflow.get_last_failure():
            raise ApplicationError("only the first time")
        if kind == "continue" and not workflow.info().continued_run_id:
            workflow.continue_as_new("continue")
        return before + 1


@workflow.defn
class Waits:
    """Ends when it is told to, or is cancelled."""

    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.over)
        return "told"

    @workflow.signal
    def end(self) -> None:
        self.over = True


@contextlib.asynccontextmanager
async def worker(client: Client):
    queue = unique("queue")
    async with Worker(client, task_queue=queue, workflows=[Counts, Waits], workflow_runner=UnsandboxedWorkflowRunner()):
        yield queue


@contextlib.asynccontextmanager
async def schedule(client: Client, queue: str, run=Counts.run, args=("count",), spec=YEARLY, policy=None, state=None, **more):
    """A schedule that is deleted in the end, with everything it still runs."""
    id = unique("schedule")
    handle = await client.create_schedule(
        id,
        Schedule(
            action=ScheduleActionStartWorkflow(run, args=list(args), id=f"{id}-run", task_queue=queue),
            spec=spec,
            policy=policy or SchedulePolicy(),
            state=state or ScheduleState(),
        ),
        **more,
    )
    try:
        yield handle
    finally:
        with contextlib.suppress(RPCError):
            running = (await handle.describe()).info.running_actions
            await handle.delete()
            for action in running:
                with contextlib.suppress(RPCError):
                    await client.get_workflow_handle(action.workflow_id).terminate()


async def actions(handle, count: int):
    async def taken():
        info = (await handle.describe()).info
        return info if info.num_actions >= count else None

    return await eventually(taken, what=f"{count} actions")


async def settled(handle, count: int):
    """`count` actions were taken and all of them ended."""

    async def ended():
        info = (await handle.describe()).info
        return info if info.num_actions >= count and not info.running_actions else None

    return await eventually(ended, what=f"{count} ended actions")


async def refused(code: RPCStatusCode, call, text: str = ""):
    try:
        await call
    except RPCError as error:
        assert error.status == code, f"{error.status}: {error}"
        assert text in str(error), str(error)
        return error
    raise AssertionError(f"{code} was expected")


async def result_of(client: Client, info, index: int = -1):
    action = info.recent_actions[index].action
    return await client.get_workflow_handle(action.workflow_id, first_execution_run_id=action.first_execution_run_id).result()


# The good case


async def test_every_second_it_starts_a_workflow_and_passes_its_result_on(client: Client):
    async with worker(client) as queue, schedule(client, queue, spec=EVERY_SECOND) as handle:
        info = await actions(handle, 3)
        assert await result_of(client, info) >= 2
        times = [action.scheduled_at for action in info.recent_actions]
        assert all(later - earlier == timedelta(seconds=1) for earlier, later in zip(times, times[1:])), times
        for action in info.recent_actions:
            assert action.action.workflow_id.endswith(action.scheduled_at.strftime("-run-%Y-%m-%dT%H:%M:%SZ"))
            assert timedelta(0) <= action.started_at - action.scheduled_at < timedelta(seconds=10)


async def test_what_it_starts_says_so_in_its_search_attributes(client: Client):
    async with worker(client) as queue, schedule(client, queue) as handle:
        await handle.trigger()
        info = await actions(handle, 1)
        description = await client.get_workflow_handle(info.recent_actions[0].action.workflow_id).describe()
        fields = description.raw_description.workflow_execution_info.search_attributes.indexed_fields
        assert fields["TemporalScheduledById"].data == f'"{handle.id}"'.encode()
        assert fields["TemporalScheduledStartTime"].metadata["type"] == b"Datetime"


async def test_describe_shows_what_was_created_in_numbers(client: Client):
    spec = ScheduleSpec(
        cron_expressions=["0 12 * * MON-FRI # lunch", "@every 10m/3m"],
        calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(7)], comment="early")],
        intervals=[ScheduleIntervalSpec(every=timedelta(hours=1), offset=timedelta(minutes=5))],
        skip=[ScheduleCalendarSpec(month=[ScheduleRange(8)])],
        start_at=datetime(2027, 1, 1, tzinfo=timezone.utc),
        end_at=datetime(2028, 1, 1, tzinfo=timezone.utc),
        jitter=timedelta(seconds=80),
        time_zone_name="Europe/Berlin",
    )
    policy = SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ONE, catchup_window=timedelta(minutes=5), pause_on_failure=True)
    state = ScheduleState(note="a note", paused=True, limited_actions=True, remaining_actions=30)
    async with schedule(client, "nobody", spec=spec, policy=policy, state=state, memo={"who": "me"}) as handle:
        description = await handle.describe()
        found = description.schedule
        assert found.policy == policy and found.state == state
        assert [c.comment for c in found.spec.calendars] == ["early", "lunch"]
        assert list(found.spec.calendars[1].day_of_week) == [ScheduleRange(1, 5)] and not found.spec.cron_expressions
        assert found.spec.intervals[1] == ScheduleIntervalSpec(every=timedelta(minutes=10), offset=timedelta(minutes=3))
        assert list(found.spec.skip[0].month) == [ScheduleRange(8)] and found.spec.jitter == timedelta(seconds=80)
        assert found.spec.time_zone_name == "Europe/Berlin" and found.spec.start_at == spec.start_at
        assert await description.memo() == {"who": "me"}
        assert len(description.info.next_action_times) == 10
        assert description.info.next_action_times == sorted(description.info.next_action_times)
        assert all(time >= spec.start_at for time in description.info.next_action_times)


# Overlap


async def overlapping(client: Client, queue: str, overlap: ScheduleOverlapPolicy):
    return schedule(client, queue, run=Waits.run, args=(), spec=EVERY_SECOND, policy=SchedulePolicy(overlap=overlap))


async def end_first(client: Client, handle):
    first = (await handle.describe()).info.recent_actions[0].action
    await client.get_workflow_handle(first.workflow_id).signal(Waits.end)
    return first


async def test_skip_counts_what_it_leaves_out(client: Client):
    async with worker(client) as queue, await overlapping(client, queue, ScheduleOverlapPolicy.SKIP) as handle:

        async def skipped():
            return (await handle.describe()).info.num_actions_skipped_overlap >= 2

        await eventually(skipped, what="two skipped actions")
        info = (await handle.describe()).info
        assert info.num_actions == 1 and len(info.running_actions) == 1
        await end_first(client, handle)
        await actions(handle, 2)


async def test_buffer_one_keeps_one(client: Client):
    async with worker(client) as queue, await overlapping(client, queue, ScheduleOverlapPolicy.BUFFER_ONE) as handle:

        async def kept():
            info = (await handle.describe()).raw_description.info
            return info.buffer_size == 1 and info.overlap_skipped >= 1

        await eventually(kept, what="one in the buffer and one skipped")
        await handle.pause()
        # What was buffered by itself does not start while it is paused.
        await end_first(client, handle)
        await settled(handle, 1)


async def test_buffer_all_keeps_all_in_order(client: Client):
    async with worker(client) as queue, await overlapping(client, queue, ScheduleOverlapPolicy.BUFFER_ALL) as handle:

        async def kept():
            return (await handle.describe()).raw_description.info.buffer_size >= 2

        await eventually(kept, what="two in the buffer")
        first = await end_first(client, handle)
        info = await actions(handle, 2)
        times = [a.scheduled_at for a in info.recent_actions]
        assert times[1] - times[0] == timedelta(seconds=1) and info.recent_actions[0].action == first


async def test_cancel_other_and_terminate_other(client: Client):
    for overlap, status in ((ScheduleOverlapPolicy.CANCEL_OTHER, "CANCELED"), (ScheduleOverlapPolicy.TERMINATE_OTHER, "TERMINATED")):
        async with worker(client) as queue, await overlapping(client, queue, overlap) as handle:
            info = await actions(handle, 2)
            description = await client.get_workflow_handle(info.recent_actions[0].action.workflow_id).describe()
            assert description.status.name == status


async def test_allow_all_runs_beside_each_other(client: Client):
    async with worker(client) as queue, await overlapping(client, queue, ScheduleOverlapPolicy.ALLOW_ALL) as handle:
        info = await actions(handle, 3)
        assert len(info.running_actions) >= 3


# Patches


async def test_trigger_pause_and_unpause(client: Client):
    async with worker(client) as queue, schedule(client, queue, spec=EVERY_SECOND, state=ScheduleState(paused=True)) as handle:
        await handle.trigger()
        await settled(handle, 1)
        await asyncio.sleep(2.1)
        assert (await handle.describe()).info.num_actions == 1
        await handle.unpause(note="go on")
        description = await handle.describe()
        assert not description.schedule.state.paused and description.schedule.state.note == "go on"
        await actions(handle, 3)
        await handle.pause(note="enough")
        assert (await handle.describe()).schedule.state.note == "enough"
        count = (await settled(handle, 3)).num_actions
        await asyncio.sleep(2.1)
        assert (await handle.describe()).info.num_actions == count


async def test_backfill_includes_both_ends(client: Client):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(hours=1)
    async with worker(client) as queue, schedule(client, queue, spec=spec, state=ScheduleState(paused=True)) as handle:
        await handle.backfill(
            ScheduleBackfill(start_at=end - timedelta(minutes=2), end_at=end, overlap=ScheduleOverlapPolicy.ALLOW_ALL),
            ScheduleBackfill(start_at=end - timedelta(minutes=12), end_at=end - timedelta(minutes=10), overlap=ScheduleOverlapPolicy.BUFFER_ALL),
        )
        info = await settled(handle, 6)
        assert sorted(a.scheduled_at for a in info.recent_actions) == [end - timedelta(minutes=m) for m in (12, 11, 10, 2, 1, 0)]
        assert info.num_actions == 6


async def test_created_with_trigger_and_backfill(client: Client):
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(days=1)
    async with worker(client) as queue, schedule(
        client, queue, spec=spec, trigger_immediately=True, policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
        backfill=[ScheduleBackfill(start_at=end, end_at=end + timedelta(minutes=1), overlap=ScheduleOverlapPolicy.ALLOW_ALL)],
    ) as handle:
        await settled(handle, 3)


async def test_limited_actions_run_out(client: Client):
    state = ScheduleState(limited_actions=True, remaining_actions=2)
    async with worker(client) as queue, schedule(client, queue, spec=EVERY_SECOND, state=state) as handle:
        await settled(handle, 2)
        await asyncio.sleep(2.1)
        description = await handle.describe()
        assert description.info.num_actions == 2 and description.schedule.state.remaining_actions == 0
        assert not description.info.next_action_times
        await handle.trigger()
        await settled(handle, 3)


async def test_a_failure_pauses_it(client: Client):
    policy = SchedulePolicy(pause_on_failure=True)
    async with worker(client) as queue, schedule(client, queue, args=("fail",), spec=EVERY_SECOND, policy=policy) as handle:

        async def paused():
            return (await handle.describe()).schedule.state.paused

        await eventually(paused, what="the pause")
        assert "as asked" in (await handle.describe()).schedule.state.note


async def test_a_failure_is_passed_on(client: Client):
    async with worker(client) as queue, schedule(client, queue, args=("fail once",)) as handle:
        await handle.trigger()
        await settled(handle, 1)
        await handle.trigger()
        info = await settled(handle, 2)
        assert await result_of(client, info) == 1


async def test_a_chain_of_runs_is_one_action(client: Client):
    async with worker(client) as queue, schedule(client, queue, args=("continue",)) as handle:
        await handle.trigger()
        info = await settled(handle, 1)
        assert await result_of(client, info) == 1
        raw = (await handle.describe()).raw_description.info.recent_actions[0]
        assert raw.start_workflow_status == 2


async def test_update_replaces_and_resumes(client: Client):
    async with worker(client) as queue, schedule(client, queue) as handle:

        async def change(input):
            found = input.description.schedule
            found.spec = EVERY_SECOND
            found.state.note = "changed"
            return ScheduleUpdate(schedule=found)

        await handle.update(change)
        description = await handle.describe()
        assert description.schedule.state.note == "changed" and description.info.last_updated_at
        await actions(handle, 2)
        await handle.update(lambda input: None)


async def test_keep_original_workflow_id(client: Client):
    async with worker(client) as queue, schedule(client, queue) as handle:
        service = client.workflow_service
        found = await service.describe_schedule(DescribeScheduleRequest(namespace="default", schedule_id=handle.id))
        found.schedule.policies.keep_original_workflow_id = True
        await service.update_schedule(
            UpdateScheduleRequest(namespace="default", schedule_id=handle.id, schedule=found.schedule, request_id=str(uuid.uuid4()))
        )
        for count in (1, 2):
            await handle.trigger()
            info = await settled(handle, count)
        assert {a.action.workflow_id for a in info.recent_actions} == {f"{handle.id}-run"}
        assert len({a.action.first_execution_run_id for a in info.recent_actions}) == 2


# Finding


async def test_list_and_count(client: Client):
    ids = []
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(5):
            ids.append((await stack.enter_async_context(schedule(client, "nobody", memo={"n": 1}))).id)
        found = {}
        async for entry in await client.list_schedules(page_size=2):
            found[entry.id] = entry
        assert set(ids) <= set(found)
        entry = found[ids[0]]
        assert entry.schedule.action.workflow == "Counts" and len(entry.info.next_action_times) == 5
        assert entry.schedule.spec.intervals and not entry.schedule.state.paused
        count = await client.workflow_service.count_schedules(CountSchedulesRequest(namespace="default"))
        assert count.count == len(found)


async def test_matching_times_in_a_zone(client: Client):
    spec = ScheduleSpec(cron_expressions=["CRON_TZ=Europe/Berlin 30 2 * * *"])
    async with schedule(client, "nobody", spec=spec) as handle:
        request = ListScheduleMatchingTimesRequest(namespace="default", schedule_id=handle.id)
        request.start_time.FromDatetime(datetime(2026, 3, 27))
        request.end_time.FromDatetime(datetime(2026, 3, 31))
        times = [t.ToDatetime() for t in (await client.workflow_service.list_schedule_matching_times(request)).start_time]
        # On the 29th there is no half past two.
        assert times == [datetime(2026, 3, 27, 1, 30), datetime(2026, 3, 28, 1, 30), datetime(2026, 3, 30, 0, 30)]


# Errors


def raw(id: str, **spec) -> CreateScheduleRequest:
    request = CreateScheduleRequest(namespace="default", schedule_id=id, request_id=str(uuid.uuid4()))
    action = request.schedule.action.start_workflow
    action.workflow_id, action.workflow_type.name, action.task_queue.name = "w", "W", "q"
    request.schedule.spec.cron_string.extend(spec.get("cron", []))
    request.schedule.spec.timezone_name = spec.get("zone", "")
    return request


async def test_bad_specs(client: Client):
    create = client.workflow_service.create_schedule
    bad = RPCStatusCode.INVALID_ARGUMENT
    start = "Invalid schedule spec: "
    await refused(bad, create(raw("x", cron=["x y"])), start + "CronString does not have 5-7 fields")
    await refused(bad, create(raw("x", cron=["* * * * *"], zone="Nope/No")), start + "unknown time zone Nope/No")
    await refused(bad, create(raw("x", cron=["CRON_TZ=Europe/Berlin 5 4 * * *", "1 * * * *"])), start + "conflicting timezone names")
    await refused(bad, create(raw("x", cron=["@every 10ms"])), start + "interval is too small")
    request = raw("x")
    request.schedule.spec.structured_calendar.append(StructuredCalendarSpec(hour=[Range(start=25, end=25)]))
    await refused(bad, create(request), start + "invalid calendar spec: Hour Start is not in range [0-23], Hour End is before Start or not in range [0-23]")
    request = raw("x")
    request.schedule.spec.timezone_data = b"no zone file"
    await refused(bad, create(request), start)


async def test_bad_requests(client: Client):
    create = client.workflow_service.create_schedule
    bad = RPCStatusCode.INVALID_ARGUMENT
    await refused(bad, create(raw("")), "ScheduleId is not set on request.")
    await refused(bad, create(raw("x" * 1001)), "ScheduleId length exceeds limit.")
    request = raw("x")
    request.schedule.action.start_workflow.cron_schedule = "* * * * *"
    await refused(bad, create(request), "CronSchedule")
    request = raw("x")
    request.schedule.action.start_workflow.workflow_id_reuse_policy = WorkflowIDReusePolicy.REJECT_DUPLICATE
    await refused(bad, create(request), "WorkflowIDReusePolicy")
    request = raw("x")
    request.schedule.action.start_workflow.workflow_id = ""
    await refused(bad, create(request), "WorkflowId is not set on request.")
    request = raw("x")
    request.schedule.ClearField("action")
    await refused(bad, create(request), "action")
    request = raw("x")
    request.namespace = "nope-ns"
    await refused(RPCStatusCode.NOT_FOUND, create(request), "Namespace nope-ns is not found.")
    request = raw("x")
    request.search_attributes.indexed_fields["NoSuch"].CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=b"1"))
    await refused(bad, create(request), "NoSuch")


async def test_unknown_schedules(client: Client):
    service, id = client.workflow_service, unique("nope")
    missing = RPCStatusCode.NOT_FOUND
    await refused(missing, service.describe_schedule(DescribeScheduleRequest(namespace="default", schedule_id=id)))
    await refused(missing, service.patch_schedule(PatchScheduleRequest(namespace="default", schedule_id=id)))
    await refused(missing, service.delete_schedule(DeleteScheduleRequest(namespace="default", schedule_id=id)))
    await refused(missing, service.list_schedule_matching_times(ListScheduleMatchingTimesRequest(namespace="default", schedule_id=id)))
    request = UpdateScheduleRequest(namespace="default", schedule_id=id, schedule=raw(id).schedule)
    await refused(missing, service.update_schedule(request))


async def test_a_token_that_is_too_old(client: Client):
    service = client.workflow_service
    async with schedule(client, "nobody") as handle:
        found = await service.describe_schedule(DescribeScheduleRequest(namespace="default", schedule_id=handle.id))
        await handle.pause()
        request = UpdateScheduleRequest(namespace="default", schedule_id=handle.id, schedule=found.schedule, conflict_token=found.conflict_token)
        await refused(RPCStatusCode.FAILED_PRECONDITION, service.update_schedule(request), "mismatched conflict token")
        assert (await handle.describe()).schedule.state.paused


# Repetition


async def test_repeated_requests_change_nothing(client: Client):
    service = client.workflow_service
    request = raw(unique("twice"))
    first = await service.create_schedule(request)
    assert await service.create_schedule(request) == first
    other = raw(request.schedule_id)
    await refused(RPCStatusCode.ALREADY_EXISTS, service.create_schedule(other))
    patch = PatchScheduleRequest(namespace="default", schedule_id=request.schedule_id, request_id=str(uuid.uuid4()))
    patch.patch.trigger_immediately.SetInParent()
    for _ in range(3):
        await service.patch_schedule(patch)
    described = DescribeScheduleRequest(namespace="default", schedule_id=request.schedule_id)

    async def started():
        return (await service.describe_schedule(described)).info.action_count

    await eventually(started, what="the action")
    assert (await service.describe_schedule(described)).info.action_count == 1
    update = UpdateScheduleRequest(namespace="default", schedule_id=request.schedule_id, schedule=request.schedule, request_id=str(uuid.uuid4()))
    await service.update_schedule(update)
    token = (await service.describe_schedule(described)).conflict_token
    await service.update_schedule(update)
    assert (await service.describe_schedule(described)).conflict_token == token
    for action in (await service.describe_schedule(described)).info.running_workflows:
        await client.get_workflow_handle(action.workflow_id).terminate()
    await service.delete_schedule(DeleteScheduleRequest(namespace="default", schedule_id=request.schedule_id))
    await refused(RPCStatusCode.NOT_FOUND, service.describe_schedule(described), "schedule not found")


async def test_the_sdk_sees_the_duplicate(client: Client):
    async with schedule(client, "nobody") as handle:
        try:
            await client.create_schedule(handle.id, (await handle.describe()).schedule)
            raise AssertionError("a second schedule of one name")
        except ScheduleAlreadyRunningError:
            pass


async def test_a_deleted_schedule_is_gone_and_its_name_free(client: Client):
    async with schedule(client, "nobody", spec=EVERY_SECOND) as handle:
        await handle.delete()
        await refused(RPCStatusCode.NOT_FOUND, handle.describe(), "schedule not found")
        await refused(RPCStatusCode.NOT_FOUND, handle.delete(), "workflow execution already completed")
        again = raw(handle.id)
        await client.workflow_service.create_schedule(again)
        assert (await handle.describe()).info.num_actions == 0


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
