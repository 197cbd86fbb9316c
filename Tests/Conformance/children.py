"""Child workflows, driven by Temporal's own Python SDK: children.py [ADDRESS [NAME]]."""
import contextlib
import sys

from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, ParentClosePolicy
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique
from related_workflows import (
    RELATED,
    CancelsChild,
    Child,
    LeavesChildren,
    ManyChildren,
    Parent,
    SignalsChild,
    StartsTwice,
)


@contextlib.asynccontextmanager
async def worker(client: Client, **options):
    queue = unique("queue")
    async with Worker(client, task_queue=queue, workflows=RELATED, workflow_runner=UnsandboxedWorkflowRunner(), **options):
        yield queue


async def types(handle) -> list[str]:
    events = (await handle.fetch_history()).events
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]


async def replays(handle) -> None:
    await Replayer(workflows=RELATED, workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(await handle.fetch_history())


async def test_a_child_answers_its_parent(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "echo", id=unique("parent"), task_queue=queue)
        assert await handle.result() == f"child of {handle.id}"
        names = await types(handle)
        order = [names.index(f"{name}") for name in (
            "START_CHILD_WORKFLOW_EXECUTION_INITIATED", "CHILD_WORKFLOW_EXECUTION_STARTED", "CHILD_WORKFLOW_EXECUTION_COMPLETED",
        )]
        assert order == sorted(order)
        child = client.get_workflow_handle(f"{handle.id}-child")
        started = (await child.fetch_history()).events[0].workflow_execution_started_event_attributes
        assert started.parent_workflow_execution.workflow_id == handle.id
        assert started.parent_workflow_execution.run_id == handle.result_run_id
        assert started.parent_workflow_namespace == "default"
        assert started.parent_initiated_event_id == 5
        assert started.root_workflow_execution.workflow_id == handle.id
        info = (await child.describe()).raw_description.workflow_execution_info
        assert info.parent_execution.workflow_id == handle.id and info.root_execution.workflow_id == handle.id
        assert info.parent_namespace_id
        await replays(handle)


async def test_a_failed_child_fails_with_its_failure(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "fail", id=unique("parent"), task_queue=queue)
        assert await handle.result() == "ApplicationError: no luck"
        event = [e for e in (await handle.fetch_history()).events if e.HasField("child_workflow_execution_failed_event_attributes")][0]
        assert event.child_workflow_execution_failed_event_attributes.failure.application_failure_info.type == "NoLuck"
        await replays(handle)


async def test_the_last_run_of_a_chain_answers(client: Client):
    async with worker(client) as queue:
        for what, result in (("again", "second run"), ("flaky", "attempt 3")):
            handle = await client.start_workflow(Parent.run, what, id=unique("parent"), task_queue=queue)
            assert await handle.result() == result
            assert (await types(handle)).count("CHILD_WORKFLOW_EXECUTION_COMPLETED") == 1


async def test_a_child_times_out(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "timeout", id=unique("parent"), task_queue=queue)
        assert (await handle.result()).startswith("TimeoutError")
        assert "CHILD_WORKFLOW_EXECUTION_TIMED_OUT" in await types(handle)


async def test_a_terminated_child(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "wait", id=unique("parent"), task_queue=queue)
        child = client.get_workflow_handle(f"{handle.id}-child")

        async def is_pending():
            children = (await handle.describe()).raw_description.pending_children
            return len(children) == 1 and children[0].run_id

        await eventually(is_pending, what="the child is pending")
        pending = (await handle.describe()).raw_description.pending_children[0]
        assert pending.workflow_id == child.id and pending.workflow_type_name == "Child" and pending.initiated_id == 5
        assert pending.parent_close_policy == ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE
        await child.terminate("stop")
        assert (await handle.result()).startswith("TerminatedError")
        assert "CHILD_WORKFLOW_EXECUTION_TERMINATED" in await types(handle)


async def test_grandchildren_know_the_root(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "parent", id=unique("parent"), task_queue=queue)
        assert await handle.result() == handle.id


async def test_cancellation_types(client: Client):
    async with worker(client) as queue:
        for kind in (1, 2, 3, 0):
            handle = await client.start_workflow(CancelsChild.run, kind, id=unique("canceller"), task_queue=queue)
            assert await handle.result() == "CancelledError", kind
            names = await types(handle)
            assert ("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED" in names) == (kind != 0), kind
            if kind == 2:
                assert "CHILD_WORKFLOW_EXECUTION_CANCELED" in names
            await replays(handle)


async def test_an_id_that_is_taken(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(StartsTwice.run, id=unique("twice"), task_queue=queue)
        assert await handle.result() == "WorkflowAlreadyStartedError"
        assert "START_CHILD_WORKFLOW_EXECUTION_FAILED" in await types(handle)


async def check_policies(client: Client, handle) -> None:
    async def status(policy: int):
        return (await client.get_workflow_handle(f"{handle.id}-{policy}").describe()).status

    async def done():
        return [await status(p) for p in (1, 3)] == [WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED]

    await eventually(done, what="the policies took effect")
    assert await status(2) == WorkflowExecutionStatus.RUNNING
    events = (await client.get_workflow_handle(f"{handle.id}-1").fetch_history()).events
    terminated = events[-1].workflow_execution_terminated_event_attributes
    assert (terminated.reason, terminated.identity) == ("by parent close policy", "history-service")
    events = (await client.get_workflow_handle(f"{handle.id}-3").fetch_history()).events
    requested = [e for e in events if e.HasField("workflow_execution_cancel_requested_event_attributes")]
    assert len(requested) == 1
    attributes = requested[0].workflow_execution_cancel_requested_event_attributes
    assert attributes.external_workflow_execution.workflow_id == handle.id
    await client.get_workflow_handle(f"{handle.id}-2").terminate()


async def test_parent_close_policies(client: Client):
    async with worker(client) as queue:
        for how in ("complete", "fail", "continue", "terminate", "cancel"):
            handle = await client.start_workflow(LeavesChildren.run, False, id=unique(how), task_queue=queue)

            async def began():
                try:
                    for policy in (1, 2, 3):
                        if (await client.get_workflow_handle(f"{handle.id}-{policy}").describe()).history_length < 4:
                            return False
                    return True
                except RPCError:
                    return False

            await eventually(began, what="three children began")
            if how == "terminate":
                await handle.terminate()
            elif how == "cancel":
                await handle.cancel()
            else:
                await handle.signal(LeavesChildren.finish, how)
            with contextlib.suppress(WorkflowFailureError):
                await handle.result()
            await check_policies(client, handle)


async def test_signals_to_a_child_keep_their_order(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(SignalsChild.run, id=unique("signaller"), task_queue=queue)
        assert await handle.result() == "a,b,c"
        await replays(handle)


async def test_a_hundred_children(client: Client):
    async with worker(client) as queue:
        assert await client.execute_workflow(ManyChildren.run, 100, id=unique("many"), task_queue=queue) == 100


async def test_a_worker_without_cache(client: Client):
    async with worker(client, max_cached_workflows=0) as queue:
        assert await client.execute_workflow(ManyChildren.run, 5, id=unique("many"), task_queue=queue) == 5


async def test_a_child_in_a_namespace_that_is_not_there(client: Client):
    """Sent by hand: SDKs only start children in their own namespace."""
    import temporalio.api.command.v1 as command
    import temporalio.api.taskqueue.v1 as taskqueue
    import temporalio.api.workflowservice.v1 as service

    queue = unique("queue")
    handle = await client.start_workflow("ByHand", id=unique("byhand"), task_queue=queue)
    poll = await client.workflow_service.poll_workflow_task_queue(
        service.PollWorkflowTaskQueueRequest(namespace="default", task_queue=taskqueue.TaskQueue(name=queue), identity="hand"))
    wish = command.StartChildWorkflowExecutionCommandAttributes(
        namespace="nowhere", workflow_id=unique("child"), workflow_type=WorkflowType(name="Child"))
    await client.workflow_service.respond_workflow_task_completed(service.RespondWorkflowTaskCompletedRequest(
        task_token=poll.task_token, identity="hand",
        commands=[command.Command(command_type=11, start_child_workflow_execution_command_attributes=wish)]))

    async def failed():
        events = (await handle.fetch_history()).events
        found = [e for e in events if e.HasField("start_child_workflow_execution_failed_event_attributes")]
        return found and found[0].start_child_workflow_execution_failed_event_attributes.cause == 2

    await eventually(failed, what="NAMESPACE_NOT_FOUND")
    await handle.terminate()


async def bad_command(client: Client, attributes: dict, number: int) -> str:
    """The message with which a workflow task that holds a bad command is refused."""
    import temporalio.api.command.v1 as command
    import temporalio.api.taskqueue.v1 as taskqueue
    import temporalio.api.workflowservice.v1 as service

    queue = unique("queue")
    handle = await client.start_workflow("ByHand", id=unique("byhand"), task_queue=queue)
    poll = await client.workflow_service.poll_workflow_task_queue(
        service.PollWorkflowTaskQueueRequest(namespace="default", task_queue=taskqueue.TaskQueue(name=queue), identity="hand"))
    try:
        await client.workflow_service.respond_workflow_task_completed(service.RespondWorkflowTaskCompletedRequest(
            task_token=poll.task_token, identity="hand", commands=[command.Command(command_type=number, **attributes)]))
    except RPCError as error:
        failed = (await handle.fetch_history()).events[3]
        assert failed.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        await handle.terminate()
        return error.message
    raise AssertionError("the command was taken")


async def test_bad_commands(client: Client):
    execution = WorkflowExecution(workflow_id="w", run_id="not-a-uuid")
    child = {"workflow_type": WorkflowType(name="Child")}
    cases = [
        (11, {"start_child_workflow_execution_command_attributes": child}, "BadStartChildExecutionAttributes: WorkflowId"),
        (11, {"start_child_workflow_execution_command_attributes": {"workflow_id": "w"}}, "BadStartChildExecutionAttributes: WorkflowType"),
        (11, {"start_child_workflow_execution_command_attributes": {"workflow_id": "w", "cron_schedule": "no", **child}},
         "BadStartChildExecutionAttributes: invalid CronSchedule."),
        (11, {"start_child_workflow_execution_command_attributes": {"workflow_id": "w" * 1001, **child}}, "BadStartChildExecutionAttributes"),
        (12, {"signal_external_workflow_execution_command_attributes": {"signal_name": "s"}}, "BadSignalWorkflowExecutionAttributes: Execution"),
        (12, {"signal_external_workflow_execution_command_attributes": {"execution": WorkflowExecution(workflow_id="w")}},
         "BadSignalWorkflowExecutionAttributes: SignalName"),
        (12, {"signal_external_workflow_execution_command_attributes": {"execution": execution, "signal_name": "s"}},
         "BadSignalWorkflowExecutionAttributes: Invalid RunId"),
        (8, {"request_cancel_external_workflow_execution_command_attributes": {"workflow_id": ""}},
         "BadRequestCancelExternalWorkflowExecutionAttributes: WorkflowId"),
        (8, {"request_cancel_external_workflow_execution_command_attributes": {"workflow_id": "w", "run_id": "x"}},
         "BadRequestCancelExternalWorkflowExecutionAttributes: Invalid RunId"),
    ]
    for number, attributes, expected in cases:
        message = await bad_command(client, attributes, number)
        assert message.startswith(expected), (message, expected)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
