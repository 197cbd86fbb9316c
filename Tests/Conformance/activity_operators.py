"""Operators take pending activities by the hand: activity_operators.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import sys
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import activity, workflow
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import RetryPolicy as RetryPolicyMessage
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PauseActivityRequest,
    ResetActivityRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

SHORT = timedelta(seconds=60)
PAUSED, PAUSE_REQUESTED = 4, 5
MISSING = "Can't find pending activity with such ID. Invalid activityID or activity already completed"
ATTEMPTS: dict[str, list[int]] = {}
MAY_PASS: set[str] = set()


@activity.defn
async def fails_until_allowed() -> str:
    info = activity.info()
    ATTEMPTS.setdefault(info.workflow_id, []).append(info.attempt)
    if info.workflow_id not in MAY_PASS:
        raise ApplicationError("not yet")
    return f"attempt {info.attempt} on {info.task_queue}"


@activity.defn
async def beats() -> str:
    """Beats until it is told something, and says what."""
    ATTEMPTS.setdefault(activity.info().workflow_id, []).append(activity.info().attempt)
    try:
        while activity.info().workflow_id not in MAY_PASS:
            activity.heartbeat("beat")
            await asyncio.sleep(0.1)
        return f"attempt {activity.info().attempt}"
    except asyncio.CancelledError:
        details = activity.cancellation_details()
        raise ApplicationError(f"paused={details.paused} reset={details.reset}")


@workflow.defn
class Operated:
    @workflow.run
    async def run(self, name: str, interval_ms: int) -> str:
        return await workflow.execute_activity(
            name,
            activity_id="the-one",
            result_type=str,
            start_to_close_timeout=SHORT,
            heartbeat_timeout=timedelta(seconds=2) if name == "beats" else None,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=interval_ms), backoff_coefficient=1.0),
        )


@workflow.defn
class Pair:
    @workflow.run
    async def run(self) -> list[str]:
        return list(
            await asyncio.gather(
                *[
                    workflow.execute_activity(
                        fails_until_allowed, start_to_close_timeout=SHORT, activity_id=f"a{i}",
                        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.0),
                    )
                    for i in range(2)
                ]
            )
        )


@contextlib.asynccontextmanager
async def worker(client: Client, queue: str | None = None):
    queue = queue or unique("act")
    async with Worker(
        client, task_queue=queue, workflows=[Operated, Pair], activities=[fails_until_allowed, beats],
        workflow_runner=UnsandboxedWorkflowRunner(), default_heartbeat_throttle_interval=timedelta(milliseconds=100),
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
    ):
        yield queue


async def refused(call) -> RPCError:
    try:
        await call
    except RPCError as error:
        return error
    raise AssertionError("it was accepted")


async def one(handle):
    found = (await handle.describe()).raw_description.pending_activities
    return found[0] if found else None


def target(handle, **rest) -> dict:
    return dict(namespace="default", execution=WorkflowExecution(workflow_id=handle.id), identity="operator", **rest)


async def begin(client: Client, queue: str, name: str, interval: int = 100):
    handle = await client.start_workflow(Operated.run, args=[name, interval], id=unique("operated"), task_queue=queue)
    await eventually(lambda: len(ATTEMPTS.get(handle.id, [])) > 0, what="the first attempt")
    return handle


async def test_a_paused_activity_is_not_tried_again_until_it_is_unpaused(client: Client):
    async with worker(client) as queue:
        handle = await begin(client, queue, "fails_until_allowed")
        request = PauseActivityRequest(**target(handle, id="the-one", reason="looking", request_id="p1"))
        for _ in range(2):
            await client.workflow_service.pause_activity(request)
        await eventually(lambda: paused(handle), what="the pause")
        pending = await one(handle)
        assert pending.paused and pending.pause_info.manual.reason == "looking" and pending.pause_info.manual.identity == "operator"
        tried = len(ATTEMPTS[handle.id])
        await asyncio.sleep(0.5)
        assert len(ATTEMPTS[handle.id]) == tried, "a paused activity was tried"
        error = await refused(client.workflow_service.pause_activity(PauseActivityRequest(**target(handle, id="the-one", request_id="p2"))))
        assert error.status == RPCStatusCode.FAILED_PRECONDITION
        MAY_PASS.add(handle.id)
        for _ in range(2):
            await client.workflow_service.unpause_activity(UnpauseActivityRequest(**target(handle, id="the-one", reset_attempts=True)))
        assert await handle.result() == f"attempt 1 on {queue}"


async def paused(handle) -> bool:
    pending = await one(handle)
    return pending is not None and pending.state == PAUSED


async def test_a_running_activity_hears_of_the_pause_with_its_heartbeat(client: Client):
    async with worker(client) as queue:
        handle = await begin(client, queue, "beats")
        await client.workflow_service.pause_activity(PauseActivityRequest(**target(handle, type="beats")))
        await eventually(lambda: paused(handle), what="the attempt's end")
        pending = await one(handle)
        assert "paused=True" in pending.last_failure.message or pending.last_failure.message
        MAY_PASS.add(handle.id)
        await client.workflow_service.unpause_activity(UnpauseActivityRequest(**target(handle, unpause_all=True)))
        assert (await handle.result()).startswith("attempt")


async def test_a_reset_counts_from_one_again(client: Client):
    async with worker(client) as queue:
        handle = await begin(client, queue, "fails_until_allowed", interval=60_000)
        await client.workflow_service.reset_activity(ResetActivityRequest(**target(handle, id="the-one")))
        # The back-off of a minute is over at once.
        await eventually(lambda: len(ATTEMPTS[handle.id]) == 2, what="the attempt after the reset")
        assert ATTEMPTS[handle.id] == [1, 1]
        MAY_PASS.add(handle.id)
        await client.workflow_service.reset_activity(ResetActivityRequest(**target(handle, match_all=True)))
        assert await handle.result() == f"attempt 1 on {queue}"


async def test_a_running_activity_hears_of_its_reset(client: Client):
    async with worker(client) as queue:
        handle = await begin(client, queue, "beats", interval=100)
        await client.workflow_service.reset_activity(ResetActivityRequest(**target(handle, id="the-one", reset_heartbeat=True)))
        await eventually(lambda: len(ATTEMPTS[handle.id]) >= 2, what="the next attempt")
        assert ATTEMPTS[handle.id][1] == 1
        MAY_PASS.add(handle.id)
        assert await handle.result() == "attempt 1"


async def test_options_change_for_the_attempts_to_come_and_can_be_restored(client: Client):
    other = unique("other")
    async with worker(client) as queue:
        handle = await begin(client, queue, "fails_until_allowed", interval=60_000)
        options = ActivityOptions(
            task_queue=TaskQueue(name=other), start_to_close_timeout=Duration(seconds=7),
            retry_policy=RetryPolicyMessage(initial_interval=Duration(nanos=100_000_000), maximum_attempts=50),
        )
        mask = FieldMask(paths=["task_queue.name", "start_to_close_timeout", "retry_policy.maximum_attempts"])
        request = UpdateActivityOptionsRequest(**target(handle, id="the-one", activity_options=options, update_mask=mask))
        for _ in range(2):
            changed = (await client.workflow_service.update_activity_options(request)).activity_options
            assert changed.task_queue.name == other and changed.start_to_close_timeout.seconds == 7
            assert changed.retry_policy.maximum_attempts == 50 and changed.retry_policy.initial_interval.seconds == 60
        assert (await one(handle)).activity_options.task_queue.name == other
        restored = (
            await client.workflow_service.update_activity_options(UpdateActivityOptionsRequest(**target(handle, id="the-one", restore_original=True)))
        ).activity_options
        assert restored.task_queue.name == queue and restored.start_to_close_timeout.seconds == 60 and restored.retry_policy.maximum_attempts == 0
        await client.workflow_service.update_activity_options(request)
        MAY_PASS.add(handle.id)
        await client.workflow_service.reset_activity(ResetActivityRequest(**target(handle, id="the-one")))
        async with worker(client, other):
            assert await handle.result() == f"attempt 1 on {other}"


async def test_a_type_means_all_activities_of_it(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Pair.run, id=unique("pair"), task_queue=queue)

        async def both(state: int) -> bool:
            found = (await handle.describe()).raw_description.pending_activities
            return len(found) == 2 and all(p.state == state for p in found)

        await eventually(lambda: len(ATTEMPTS.get(handle.id, [])) >= 2)
        await client.workflow_service.pause_activity(PauseActivityRequest(**target(handle, type="fails_until_allowed")))
        await eventually(lambda: both(PAUSED), what="both paused")
        MAY_PASS.add(handle.id)
        await client.workflow_service.unpause_activity(UnpauseActivityRequest(**target(handle, unpause_all=True)))
        assert len(await handle.result()) == 2


async def test_what_cannot_be_meant_is_refused(client: Client):
    service = client.workflow_service
    async with worker(client) as queue:
        handle = await begin(client, queue, "fails_until_allowed", interval=60_000)
        for call in (
            service.pause_activity(PauseActivityRequest(**target(handle, id="77"))),
            service.unpause_activity(UnpauseActivityRequest(**target(handle, type="nothing"))),
            service.reset_activity(ResetActivityRequest(**target(handle, id="77"))),
            service.update_activity_options(
                UpdateActivityOptionsRequest(
                    **target(handle, id="77", activity_options=ActivityOptions(), update_mask=FieldMask(paths=["heartbeat_timeout"]))
                )
            ),
        ):
            error = await refused(call)
            assert (error.status, error.message) == (RPCStatusCode.NOT_FOUND, MISSING)
        for call in (
            service.pause_activity(PauseActivityRequest(**target(handle))),
            service.update_activity_options(UpdateActivityOptionsRequest(**target(handle, id="the-one", activity_options=ActivityOptions()))),
            service.update_activity_options(
                UpdateActivityOptionsRequest(
                    **target(handle, id="the-one", activity_options=ActivityOptions(), update_mask=FieldMask(paths=["nonsense"]))
                )
            ),
            service.update_activity_options(
                UpdateActivityOptionsRequest(
                    **target(
                        handle, id="the-one", activity_options=ActivityOptions(start_to_close_timeout=Duration(seconds=-1)),
                        update_mask=FieldMask(paths=["start_to_close_timeout"]),
                    )
                )
            ),
        ):
            assert (await refused(call)).status == RPCStatusCode.INVALID_ARGUMENT
        await handle.terminate()
        error = await refused(service.pause_activity(PauseActivityRequest(**target(handle, id="the-one"))))
        assert error.status == RPCStatusCode.NOT_FOUND
        error = await refused(service.pause_activity(PauseActivityRequest(namespace="default", execution=WorkflowExecution(workflow_id="nope-x"), id="1")))
        assert error.status == RPCStatusCode.NOT_FOUND


harness.main(sys.modules[__name__])
