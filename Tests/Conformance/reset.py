"""Resetting runs: reset.py [ADDRESS [NAME]]."""
import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType, ResetReapplyType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique
from related_workflows import RELATED, Child

CALLS: dict[str, int] = {}


@activity.defn
async def count(name: str) -> int:
    CALLS[name] = CALLS.get(name, 0) + 1
    if name.startswith("stuck") and CALLS[name] == 1:
        await asyncio.sleep(3600)
    return CALLS[name]


@workflow.defn
class Steps:
    """An activity, then signals until there are enough, then a timer, then another activity."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @workflow.run
    async def run(self, enough: int, name: str) -> list[str]:
        first = await workflow.execute_activity(count, name, start_to_close_timeout=timedelta(seconds=3600))
        await workflow.wait_condition(lambda: len(self.notes) >= enough)
        return [str(first), *self.notes]

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)


@workflow.defn
class KeepsChild:
    """A child that outlives a reset of its parent."""

    def __init__(self) -> None:
        self.notes = 0

    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(0.01)
        child = await workflow.start_child_workflow(Child.run, "signals", id=workflow.info().workflow_id + "-child")
        await workflow.wait_condition(lambda: self.notes > 0)
        for text in ("a", "b", "c"):
            await child.signal(Child.note, text)
        return await child

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes += 1


def worker(client: Client, queue: str) -> Worker:
    return Worker(
        client, task_queue=queue, workflows=[Steps, KeepsChild, *RELATED], activities=[count],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def reset(client: Client, handle, event: int, **fields) -> str:
    request = ResetWorkflowExecutionRequest(
        namespace="default", workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=fields.pop("run_id", "")),
        workflow_task_finish_event_id=event, reason=fields.pop("reason", "why not"), request_id=fields.pop("request_id", unique("reset")),
        **fields,
    )
    return (await client.workflow_service.reset_workflow_execution(request)).run_id


async def events(client: Client, workflow_id: str, run_id: str):
    return (await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()).events


async def idle(handle, length: int) -> None:
    async def settled():
        described = await handle.describe()
        return described.history_length >= length and not described.raw_description.HasField("pending_workflow_task")

    await eventually(settled, what="the workflow waits")


async def test_a_closed_run_begins_again_with_its_signals(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[2, unique("n")], id=unique("reset"), task_queue=queue)
        await idle(handle, 10)
        await handle.signal(Steps.note, "a")
        await handle.signal(Steps.note, "b")
        base = handle.first_execution_run_id
        assert (await handle.result())[1:] == ["a", "b"]
        before = len(await events(client, handle.id, base))
        new = await reset(client, handle, 4, reason="because")
        result = await client.get_workflow_handle(handle.id, run_id=new).result()
        assert result == ["2", "a", "b"], result
        history = await events(client, handle.id, new)
        failed = history[3].workflow_task_failed_event_attributes
        assert (failed.base_run_id, failed.new_run_id, failed.failure.message) == (base, new, "because")
        assert failed.cause == 20 and failed.failure.HasField("reset_workflow_failure_info")
        assert [e.event_type for e in history[4:6]] == [EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED] * 2
        assert history[6].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
        assert history[6].workflow_task_scheduled_event_attributes.attempt == 1
        assert history[0] == (await events(client, handle.id, base))[0]
        assert len(await events(client, handle.id, base)) == before
        await Replayer(workflows=[Steps], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(
            await client.get_workflow_handle(handle.id, run_id=new).fetch_history())


async def test_an_open_run_is_terminated(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[2, unique("n")], id=unique("reset"), task_queue=queue)
        await idle(handle, 10)
        await handle.signal(Steps.note, "a")
        await idle(handle, 14)
        new = await reset(client, handle, 4)
        base = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        described = await base.describe()
        assert described.status == WorkflowExecutionStatus.TERMINATED
        current = client.get_workflow_handle(handle.id)
        assert (await current.describe()).run_id == new
        await current.signal(Steps.note, "b")
        assert (await client.get_workflow_handle(handle.id, run_id=new).result())[1:] == ["a", "b"]
        info = (await client.get_workflow_handle(handle.id, run_id=new).describe()).raw_description
        assert info.workflow_extended_info.HasField("last_reset_time")


async def test_exclusions(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        for fields in (
            {"reset_reapply_exclude_types": [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL]},
            {"reset_reapply_type": ResetReapplyType.RESET_REAPPLY_TYPE_NONE},
        ):
            handle = await client.start_workflow(Steps.run, args=[1, unique("n")], id=unique("reset"), task_queue=queue)
            await idle(handle, 10)
            await handle.signal(Steps.note, "lost")
            await handle.result()
            new = client.get_workflow_handle(handle.id, run_id=await reset(client, handle, 4, **fields))
            await new.signal(Steps.note, "kept")
            assert (await new.result())[1:] == ["kept"]


async def test_a_cancel_request_is_told_again(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[1, unique("n")], id=unique("reset"), task_queue=queue)
        await idle(handle, 10)
        await handle.cancel()
        try:
            await handle.result()
        except WorkflowFailureError:
            pass
        new = client.get_workflow_handle(handle.id, run_id=await reset(client, handle, 4))

        async def cancelled():
            return (await new.describe()).status == WorkflowExecutionStatus.CANCELED

        await eventually(cancelled, what="the new run is cancelled")
        excluded = [ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_CANCEL_REQUEST]
        other = client.get_workflow_handle(
            handle.id, run_id=await reset(client, handle, 4, run_id=handle.first_execution_run_id, reset_reapply_exclude_types=excluded))
        await other.signal(Steps.note, "a")
        assert (await other.result())[1:] == ["a"]


async def test_a_pending_activity_begins_again(client: Client):
    queue, name = unique("queue"), unique("stuck")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[1, name], id=unique("reset"), task_queue=queue)

        async def started():
            pending = (await handle.describe()).raw_description.pending_activities
            return pending and pending[0].state == 2 and CALLS.get(name) == 1

        await eventually(started, what="the activity is started")
        await handle.signal(Steps.note, "a")
        await idle(handle, 9)
        # To the end of the second workflow task: the activity is pending in what is copied.
        new = client.get_workflow_handle(handle.id, run_id=await reset(client, handle, 8))
        assert await new.result() == ["2", "a"]


async def test_a_repeated_request_gives_the_same_run(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[2, unique("n")], id=unique("reset"), task_queue=queue)
        await idle(handle, 10)
        request = unique("request")
        first = await reset(client, handle, 4, request_id=request)
        assert await reset(client, handle, 4, request_id=request) == first
        assert await reset(client, handle, 4) != first
        await client.get_workflow_handle(handle.id).terminate()


async def test_a_child_is_kept(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(KeepsChild.run, id=unique("keeps"), task_queue=queue)
        child = client.get_workflow_handle(f"{handle.id}-child")

        async def child_waits():
            try:
                return (await child.describe()).history_length >= 4
            except RPCError:
                return False

        await eventually(child_waits, what="the child waits")
        await idle(handle, 12)
        run = (await child.describe()).run_id
        new = client.get_workflow_handle(handle.id, run_id=await reset(client, handle, 4))
        await client.get_workflow_handle(handle.id).signal(KeepsChild.note, "go")
        assert await new.result() == "a,b,c"
        assert (await child.describe()).run_id == run


async def refused(client: Client, handle, event: int, **fields) -> RPCError:
    try:
        await reset(client, handle, event, **fields)
    except RPCError as error:
        return error
    raise AssertionError("the reset was taken")


async def test_refusals(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Steps.run, args=[1, unique("n")], id=unique("reset"), task_queue=queue)
        await handle.signal(Steps.note, "a")
        await handle.result()
        for event in (0, 1, 99):
            error = await refused(client, handle, event)
            assert error.status == RPCStatusCode.INVALID_ARGUMENT
            assert error.message == "Workflow task finish ID must be > 1 && <= workflow last event ID.", error.message
        error = await refused(client, handle, 2)
        assert error.status == RPCStatusCode.INVALID_ARGUMENT and error.message.startswith("Can only reset workflow to event ID in range")
        assert (await refused(client, handle, 4, run_id="nonsense")).status == RPCStatusCode.INVALID_ARGUMENT
        nobody = client.get_workflow_handle(unique("nobody"))
        assert (await refused(client, nobody, 4)).status == RPCStatusCode.NOT_FOUND


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
