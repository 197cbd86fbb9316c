"""What a workflow does inside its tasks: local activities, patches, memo, metadata, activities completed from outside: inside.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import AsyncActivityCancelledError, Client, WorkflowFailureError
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

SHORT = timedelta(seconds=30)
tokens: dict[str, bytes] = {}


@activity.defn
async def shout(text: str) -> str:
    return text.upper()


@activity.defn
async def third_time(name: str) -> int:
    if activity.info().attempt < 3:
        raise RuntimeError(f"{name}: attempt {activity.info().attempt}")
    return activity.info().attempt


@activity.defn
async def never(name: str) -> None:
    raise ApplicationError(name, type="Never", non_retryable=True)


@activity.defn
async def elsewhere() -> str:
    """Is completed by somebody else."""
    info = activity.info()
    tokens[info.workflow_id] = info.task_token
    activity.raise_complete_async()


@workflow.defn
class Locals:
    @workflow.run
    async def run(self) -> list:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=10))
        options = dict(start_to_close_timeout=SHORT, retry_policy=policy)
        first = await workflow.execute_local_activity(shout, "one", **options)
        both = await asyncio.gather(
            workflow.execute_local_activity(third_time, "x", **options),
            workflow.execute_activity(shout, "two", start_to_close_timeout=SHORT),
        )
        try:
            await workflow.execute_local_activity(never, "no", **options)
        except (ActivityError, ApplicationError) as error:
            return [first, *both, (error.cause or error).type]
        return []


@workflow.defn
class Patched:
    @workflow.run
    async def run(self) -> list[bool]:
        first = workflow.patched("one")
        workflow.deprecate_patch("two")
        await workflow.sleep(0.01)
        return [first, workflow.patched("one")]


@workflow.defn
class Remembers:
    @workflow.run
    async def run(self) -> dict:
        workflow.upsert_memo({"stage": "middle", "gone": "soon"})
        await workflow.sleep(0.01)
        workflow.upsert_memo({"stage": "end", "gone": None})
        return dict(workflow.memo())


@workflow.defn
class Details:
    def __init__(self) -> None:
        self.done = False

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("in the middle")
        await workflow.execute_activity(shout, "x", start_to_close_timeout=SHORT, summary="shouts", priority=Priority(priority_key=2))
        await workflow.sleep(0.01, summary="naps")
        await workflow.wait_condition(lambda: self.done)


@workflow.defn
class Elsewhere:
    @workflow.run
    async def run(self, cancel: bool) -> str:
        handle = workflow.start_activity(
            elsewhere, activity_id="the-one", start_to_close_timeout=SHORT, heartbeat_timeout=SHORT,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
        if cancel:
            await workflow.sleep(1)
            handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            return type(error.cause).__name__


WORKFLOWS = [Locals, Patched, Remembers, Details, Elsewhere]
ACTIVITIES = [shout, third_time, never, elsewhere]


@contextlib.asynccontextmanager
async def worker(client: Client, **options):
    queue = unique("queue")
    async with Worker(
        client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner(), **options
    ):
        yield queue


async def replays(handle) -> None:
    await Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(await handle.fetch_history())


async def events(handle, kind: str) -> list:
    wanted = EventType.Value(f"EVENT_TYPE_{kind}")
    return [event async for event in handle.fetch_history_events() if event.event_type == wanted]


async def test_local_activities_leave_markers(client: Client):
    for cached in (1000, 0):
        async with worker(client, max_cached_workflows=cached) as queue:
            handle = await client.start_workflow(Locals.run, id=unique("locals"), task_queue=queue)
            assert await handle.result() == ["ONE", 3, "TWO", "Never"]
            markers = [event.marker_recorded_event_attributes for event in await events(handle, "MARKER_RECORDED")]
            assert [marker.marker_name for marker in markers] == ["core_local_activity"] * 3
            await replays(handle)


async def test_patches_leave_markers(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Patched.run, id=unique("patched"), task_queue=queue)
        assert await handle.result() == [True, True]
        names = [event.marker_recorded_event_attributes.marker_name for event in await events(handle, "MARKER_RECORDED")]
        assert names == ["core_patch", "core_patch"]
        await replays(handle)


async def test_memo_is_merged_and_a_null_removes(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Remembers.run, id=unique("memo"), task_queue=queue, memo={"kept": 1})
        assert await handle.result() == {"kept": 1, "stage": "end"}
        assert await (await handle.describe()).memo() == {"kept": 1, "stage": "end"}
        await replays(handle)


async def test_summaries_and_details_are_kept(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(
            Details.run, id=unique("details"), task_queue=queue, static_summary="a summary", static_details="some details",
            priority=Priority(priority_key=3))
        description = await handle.describe()
        assert await description.static_summary() == "a summary" and await description.static_details() == "some details"
        await eventually(lambda: events(handle, "TIMER_FIRED"), what="the nap")
        scheduled = (await events(handle, "ACTIVITY_TASK_SCHEDULED"))[0]
        assert b"shouts" in scheduled.user_metadata.summary.data
        assert scheduled.activity_task_scheduled_event_attributes.priority.priority_key == 2
        timer = (await events(handle, "TIMER_STARTED"))[0]
        assert b"naps" in timer.user_metadata.summary.data
        started = (await events(handle, "WORKFLOW_EXECUTION_STARTED"))[0]
        assert started.workflow_execution_started_event_attributes.priority.priority_key == 3
        await handle.signal(Details.finish)
        await handle.result()


async def outside(client: Client, queue: str, cancel: bool = False):
    handle = await client.start_workflow(Elsewhere.run, cancel, id=unique("outside"), task_queue=queue)
    await eventually(lambda: tokens.get(handle.id), what="the activity is started")

    async def started():
        pending = (await handle.describe()).raw_description.pending_activities
        return pending and pending[0].activity_id == "the-one"

    await eventually(started, what="the activity is pending")
    by_token = client.get_async_activity_handle(task_token=tokens[handle.id])
    by_id = client.get_async_activity_handle(workflow_id=handle.id, run_id=None, activity_id="the-one")
    return handle, by_token, by_id


async def test_an_activity_is_completed_by_token_and_by_id(client: Client):
    async with worker(client) as queue:
        for way in (1, 2):
            handle, *handles = await outside(client, queue)
            await handles[way - 1].heartbeat("alive")
            await handles[way - 1].complete("done")
            assert await handle.result() == "done"
            try:
                await handles[way - 1].complete("again")
                raise AssertionError("completed twice")
            except RPCError as error:
                assert error.status == RPCStatusCode.NOT_FOUND, error


async def test_an_activity_is_failed_by_token_and_by_id(client: Client):
    async with worker(client) as queue:
        for way in (1, 2):
            handle, *handles = await outside(client, queue)
            await handles[way - 1].fail(ApplicationError("no", type="No", non_retryable=True))
            assert await handle.result() == "ApplicationError"


async def test_a_cancelled_activity_hears_it_by_heartbeat(client: Client):
    async with worker(client) as queue:
        for way in (1, 2):
            handle, *handles = await outside(client, queue, cancel=True)
            ours = handles[way - 1]

            async def cancelled():
                try:
                    await ours.heartbeat()
                    return False
                except AsyncActivityCancelledError:
                    return True

            await eventually(cancelled, what="the heartbeat says so")
            await ours.report_cancellation()
            assert await handle.result() == "CancelledError"


async def test_a_cancellation_that_nobody_asked_for_is_refused(client: Client):
    async with worker(client) as queue:
        handle, by_token, by_id = await outside(client, queue)
        for ours in (by_token, by_id):
            try:
                await ours.report_cancellation()
                raise AssertionError("it was cancelled")
            except RPCError as error:
                assert error.status == RPCStatusCode.INVALID_ARGUMENT, error
                assert "unable to mark activity as canceled without activity being request canceled first" in error.message
        await by_id.complete("done")
        assert await handle.result() == "done"


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
