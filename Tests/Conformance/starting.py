"""How runs begin and follow one another: ids, delays, retries, cron, time-outs, continue-as-new: starting.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import sys
import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client, WorkflowContinuedAsNewError, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, TimeoutError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique
from workflows import ACTIVITIES, Chat, Hello, Naps

RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=50), maximum_attempts=3)


@workflow.defn
class FailsUntil:
    """Fails its first attempts, then tells which attempt it is."""

    @workflow.run
    async def run(self, attempts: int) -> int:
        attempt = workflow.info().attempt
        if attempt < attempts:
            raise ApplicationError(f"attempt {attempt}", type="Early")
        return attempt


@workflow.defn
class Refuses:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("never", type="Never", non_retryable=True)


@workflow.defn
class CountsDown:
    """Continues as new until nothing is left; the chain's past travels with it."""

    @workflow.run
    async def run(self, left: int, past: list[str]) -> list[str]:
        info = workflow.info()
        past = [*past, info.run_id]
        if left:
            workflow.continue_as_new(args=[left - 1, past], memo={"left": left - 1})
        return past


@workflow.defn
class Ticks:
    """Counts its cron runs by the result of the one before."""

    @workflow.run
    async def run(self) -> int:
        return (workflow.get_last_completion_result(int) or 0) + 1 if workflow.has_last_completion_result() else 1


WORKFLOWS = [FailsUntil, Refuses, CountsDown, Ticks, Chat, Hello, Naps]


@contextlib.asynccontextmanager
async def worker(client: Client):
    queue = unique("queue")
    async with Worker(
        client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield queue


async def refused(call, status: RPCStatusCode, text: str) -> None:
    try:
        await call
    except RPCError as error:
        assert error.status == status and text in error.message, (error.status, error.message)
        return
    raise AssertionError(f"not refused: {text}")


async def events(handle, kind: str) -> list:
    wanted = EventType.Value(f"EVENT_TYPE_{kind}")
    return [event async for event in handle.fetch_history_events() if event.event_type == wanted]


def raw_start(workflow_id: str, **more) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace="default", workflow_id=workflow_id, workflow_type=WorkflowType(name="Chat"),
        task_queue=TaskQueue(name=unique("idle")), **{"request_id": uuid.uuid4().hex, **more},
    )


# Ids


async def test_the_same_request_starts_once(client: Client):
    request = raw_start(unique("same"))
    first = await client.workflow_service.start_workflow_execution(request)
    second = await client.workflow_service.start_workflow_execution(request)
    assert first.run_id == second.run_id and first.started and second.started
    await client.get_workflow_handle(request.workflow_id).terminate()


async def test_a_running_id_fails_is_used_or_is_replaced(client: Client):
    workflow_id, queue = unique("conflict"), unique("idle")
    first = await client.start_workflow(Chat.run, id=workflow_id, task_queue=queue)
    try:
        await client.start_workflow(Chat.run, id=workflow_id, task_queue=queue)
        raise AssertionError("started twice")
    except WorkflowAlreadyStartedError as error:
        assert error.run_id == first.result_run_id
    used = await client.start_workflow(
        Chat.run, id=workflow_id, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    assert used.result_run_id == first.result_run_id
    replaced = await client.start_workflow(
        Chat.run, id=workflow_id, task_queue=queue, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    assert replaced.result_run_id != first.result_run_id
    assert (await first.describe()).run_id == replaced.result_run_id
    old = client.get_workflow_handle(workflow_id, run_id=first.result_run_id)
    assert (await old.describe()).status == WorkflowExecutionStatus.TERMINATED
    ended = (await events(old, "WORKFLOW_EXECUTION_TERMINATED"))[0].workflow_execution_terminated_event_attributes
    assert ended.reason == "TerminateIfRunning WorkflowIdReusePolicy" and ended.identity == "history-service"
    await replaced.terminate()


async def test_a_closed_id_follows_the_reuse_policy(client: Client):
    async with worker(client) as queue:
        workflow_id = unique("reuse")
        await client.execute_workflow(Naps.run, 1, id=workflow_id, task_queue=queue)
        for policy in (WorkflowIDReusePolicy.REJECT_DUPLICATE, WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY):
            try:
                await client.start_workflow(Naps.run, 1, id=workflow_id, task_queue=queue, id_reuse_policy=policy)
                raise AssertionError(f"started with {policy}")
            except WorkflowAlreadyStartedError:
                pass
        handle = await client.start_workflow(Refuses.run, id=workflow_id, task_queue=queue)
        with contextlib.suppress(WorkflowFailureError):
            await handle.result()
        again = await client.start_workflow(
            Naps.run, 1, id=workflow_id, task_queue=queue, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
        await again.result()
        assert again.result_run_id != handle.result_run_id


async def test_policies_that_exclude_each_other(client: Client):
    service = client.workflow_service
    await refused(
        service.start_workflow_execution(raw_start(unique("x"), workflow_id_reuse_policy=4, workflow_id_conflict_policy=1)),
        RPCStatusCode.INVALID_ARGUMENT, "")
    await refused(
        service.start_workflow_execution(raw_start(unique("x"), workflow_id_reuse_policy=3, workflow_id_conflict_policy=3)),
        RPCStatusCode.INVALID_ARGUMENT, "")


async def test_signal_with_start_starts_once_and_signals_always(client: Client):
    async with worker(client) as queue:
        workflow_id = unique("sws")
        handles = [
            await client.start_workflow(
                Chat.run, id=workflow_id, task_queue=queue, start_signal="say", start_signal_args=[text])
            for text in ("one", "two")
        ]
        assert handles[0].result_run_id == handles[1].result_run_id
        await handles[0].signal(Chat.finish)
        assert await handles[0].result() == ["one", "two"]


# Delay, time-outs


async def test_a_delayed_start_waits_and_a_signal_does_not_hurry_it(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Chat.run, id=unique("delay"), task_queue=queue, start_delay=timedelta(seconds=2))
        await handle.signal(Chat.finish)
        description = await handle.describe()
        delay = (description.execution_time - description.start_time).total_seconds()
        assert 1.9 <= delay <= 2.1, delay
        await handle.result()
        first = (await events(handle, "WORKFLOW_TASK_STARTED"))[0].event_time.ToDatetime()
        started = (await events(handle, "WORKFLOW_EXECUTION_STARTED"))[0].event_time.ToDatetime()
        assert (first - started).total_seconds() >= 2


async def test_delay_and_cron_exclude_each_other(client: Client):
    await refused(
        client.start_workflow(
            Chat.run, id=unique("x"), task_queue="x", cron_schedule="* * * * *", start_delay=timedelta(seconds=1)),
        RPCStatusCode.INVALID_ARGUMENT, "")


async def test_a_run_time_out_ends_the_run(client: Client):
    handle = await client.start_workflow(
        Chat.run, id=unique("timeout"), task_queue=unique("idle"), run_timeout=timedelta(seconds=1))
    try:
        await handle.result()
        raise AssertionError("it ended")
    except WorkflowFailureError as error:
        assert isinstance(error.cause, TimeoutError)
    assert (await handle.describe()).status == WorkflowExecutionStatus.TIMED_OUT


async def test_an_execution_time_out_ends_a_chain_of_retries(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(
            FailsUntil.run, 1000, id=unique("chain"), task_queue=queue, execution_timeout=timedelta(seconds=2),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=300), backoff_coefficient=1))
        try:
            await handle.result()
            raise AssertionError("it ended")
        except WorkflowFailureError as error:
            assert isinstance(error.cause, (ApplicationError, TimeoutError)), error.cause


# Retries, cron, continue-as-new


async def test_a_workflow_is_retried_until_it_succeeds(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(FailsUntil.run, 3, id=unique("retry"), task_queue=queue, retry_policy=RETRY)
        assert await handle.result() == 3
        first = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
        failed = (await events(first, "WORKFLOW_EXECUTION_FAILED"))[0].workflow_execution_failed_event_attributes
        assert failed.new_execution_run_id and failed.retry_state == 1
        second = client.get_workflow_handle(handle.id, run_id=failed.new_execution_run_id)
        started = (await events(second, "WORKFLOW_EXECUTION_STARTED"))[0].workflow_execution_started_event_attributes
        assert started.attempt == 2 and started.continued_failure.message == "attempt 1"
        assert started.continued_execution_run_id == handle.result_run_id
        assert started.first_execution_run_id == handle.result_run_id


async def test_retries_end_with_the_attempts_and_with_a_final_error(client: Client):
    async with worker(client) as queue:
        for run, arguments, state in ((FailsUntil.run, [99], 4), (Refuses.run, [], 2)):
            handle = await client.start_workflow(run, args=arguments, id=unique("end"), task_queue=queue, retry_policy=RETRY)
            try:
                await handle.result()
                raise AssertionError("it ended well")
            except WorkflowFailureError as error:
                assert isinstance(error.cause, ApplicationError)
            last = client.get_workflow_handle(handle.id)
            failed = (await events(last, "WORKFLOW_EXECUTION_FAILED"))[0].workflow_execution_failed_event_attributes
            assert failed.retry_state == state, failed.retry_state


async def test_a_cron_workflow_hands_its_result_on(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Ticks.run, id=unique("cron"), task_queue=queue, cron_schedule="@every 1s")

        async def third():
            run = client.get_workflow_handle(handle.id)
            found = await events(run, "WORKFLOW_EXECUTION_STARTED")
            if not found:
                return False  # asked between two runs
            started = found[0].workflow_execution_started_event_attributes
            assert started.initiator == 3, started.initiator
            return started.last_completion_result.payloads and started.last_completion_result.payloads[0].data == b"2"

        await eventually(third, what="the third cron run")
        await client.get_workflow_handle(handle.id).terminate()


async def test_a_bad_cron_schedule_is_refused(client: Client):
    await refused(
        client.start_workflow(Ticks.run, id=unique("x"), task_queue="x", cron_schedule="every monday"),
        RPCStatusCode.INVALID_ARGUMENT, "invalid CronSchedule.")


async def test_cron_in_a_time_zone(client: Client):
    for prefix in "CRON_TZ=", "TZ=":
        handle = await client.start_workflow(
            Ticks.run, id=unique("zone"), task_queue=unique("nobody"), cron_schedule=prefix + "Europe/Berlin 0 9 * * *")
        description = await handle.describe()
        first = description.execution_time.astimezone(ZoneInfo("Europe/Berlin"))
        assert (first.hour, first.minute, first.second) == (9, 0, 0), first
        assert first - description.start_time <= timedelta(hours=25), first
        await handle.terminate()
    for prefix in "CRON_TZ=", "TZ=":
        await refused(
            client.start_workflow(Ticks.run, id=unique("x"), task_queue="x", cron_schedule=prefix + "Nope/No 0 9 * * *"),
            RPCStatusCode.INVALID_ARGUMENT, "invalid CronSchedule: unknown time zone Nope/No.")


async def test_a_chain_of_continued_runs(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(CountsDown.run, args=[3, []], id=unique("can"), task_queue=queue, memo={"left": 3})
        past = await handle.result()
        assert len(set(past)) == 4 and past[0] == handle.result_run_id
        assert (await client.get_workflow_handle(handle.id).describe()).run_id == past[-1]
        assert await (await client.get_workflow_handle(handle.id).describe()).memo() == {"left": 0}
        for before, run_id in zip(past, past[1:]):
            run = client.get_workflow_handle(handle.id, run_id=run_id)
            started = (await events(run, "WORKFLOW_EXECUTION_STARTED"))[0].workflow_execution_started_event_attributes
            assert started.continued_execution_run_id == before and started.initiator == 1
            assert started.first_execution_run_id == past[0]
        try:
            await client.get_workflow_handle(handle.id, run_id=past[0]).result(follow_runs=False)
            raise AssertionError("the first run ended by itself")
        except WorkflowContinuedAsNewError as error:
            assert error.new_execution_run_id == past[1]


async def test_a_wrong_first_run_is_not_found(client: Client):
    handle = await client.start_workflow(Chat.run, id=unique("first"), task_queue=unique("idle"))
    other = client.get_workflow_handle(handle.id, first_execution_run_id=str(uuid.uuid4()))
    await refused(other.terminate(), RPCStatusCode.NOT_FOUND, "")
    await refused(other.cancel(), RPCStatusCode.NOT_FOUND, "")
    await client.get_workflow_handle(handle.id, first_execution_run_id=handle.first_execution_run_id).terminate()


async def test_an_eager_start_brings_the_first_task_along(client: Client):
    request = raw_start(unique("eager"), request_eager_execution=True)
    answer = await client.workflow_service.start_workflow_execution(request)
    if answer.HasField("eager_workflow_task"):
        task = answer.eager_workflow_task
        assert task.workflow_execution == WorkflowExecution(workflow_id=request.workflow_id, run_id=answer.run_id)
        assert task.attempt == 1 and task.task_token and task.history.events[0].event_id == 1
        again = await client.workflow_service.start_workflow_execution(request)
        assert again.run_id == answer.run_id and again.eager_workflow_task.started_event_id == task.started_event_id
    await client.get_workflow_handle(request.workflow_id).terminate()


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
