"""Options of open runs, starts that meet one, and what a reset tells the new run: options.py [ADDRESS [NAME]]."""
import sys

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import workflow
from temporalio.api.batch.v1 import BatchOperationReset
from temporalio.api.common.v1 import Payloads, Priority, ResetOptions, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, WorkflowIdConflictPolicy
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import OnConflictOptions, PostResetOperation, VersioningOverride, WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionRequest,
    PollWorkflowTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    StartBatchOperationRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client
from temporalio.converter import default as converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

UPDATED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED


@workflow.defn
class Collects:
    """Signals, until there are enough of them."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @workflow.run
    async def run(self, enough: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self.notes) >= enough)
        return self.notes

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)


def worker(client: Client, queue: str, **more) -> Worker:
    return Worker(client, task_queue=queue, workflows=[Collects], workflow_runner=UnsandboxedWorkflowRunner(), **more)


async def change(client: Client, workflow_id: str, paths: list[str], run_id: str = "", **options):
    request = UpdateWorkflowExecutionOptionsRequest(
        namespace="default", workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
        workflow_execution_options=WorkflowExecutionOptions(**options), update_mask=FieldMask(paths=paths), identity="operator",
    )
    return (await client.workflow_service.update_workflow_execution_options(request)).workflow_execution_options


async def described(client: Client, workflow_id: str):
    return await client.workflow_service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id=workflow_id)))


async def refused(status: RPCStatusCode, call, text: str) -> None:
    try:
        await call
    except RPCError as error:
        assert error.status == status and text in error.message, f"{error.status.name}: {error.message}"
    else:
        raise AssertionError(f"not refused: {text}")


async def events(handle, kind: int) -> list:
    return [event for event in (await handle.fetch_history()).events if event.event_type == kind]


async def test_a_priority_decides_who_is_next(client: Client):
    queue = unique("queue")
    first, second = unique("first"), unique("second")
    for name in (first, second):
        await client.start_workflow("Waits", id=name, task_queue=queue)
    now = await change(client, second, ["priority.priority_key"], priority=Priority(priority_key=1, fairness_key="left out"))
    assert now.priority == Priority(priority_key=1), now
    assert (await described(client, second)).workflow_execution_info.priority.priority_key == 1
    poll = PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), identity="raw")
    order = [(await client.workflow_service.poll_workflow_task_queue(poll)).workflow_execution.workflow_id for _ in range(2)]
    assert order == [second, first], order
    for name in (first, second):
        await client.get_workflow_handle(name).terminate()


async def test_the_event_is_no_matter_for_workers(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Collects.run, 2, id=unique("collects"), task_queue=queue)
        await handle.signal(Collects.note, "a")
        await change(client, handle.id, ["priority"], priority=Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.5))
        await change(client, handle.id, ["priority"], priority=Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.5))
        await handle.signal(Collects.note, "b")
        assert await handle.result() == ["a", "b"]
    [event] = await events(handle, UPDATED)
    told = event.workflow_execution_options_updated_event_attributes
    assert told.priority.fairness_key == "tenant" and told.identity == "operator" and event.worker_may_ignore
    await Replayer(workflows=[Collects], workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(await handle.fetch_history())


async def test_bad_changes(client: Client):
    handle = await client.start_workflow("Waits", id=unique("waits"), task_queue=unique("nobody"))
    bad, gone, early = RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION
    await refused(bad, change(client, handle.id, []), "UpdateMask")
    await refused(bad, change(client, handle.id, ["nonsense"]), "nonsense")
    await refused(bad, change(client, handle.id, ["priority"], priority=Priority(priority_key=-1)), "priority key")
    await refused(bad, change(client, handle.id, ["priority"], priority=Priority(fairness_key="x" * 65)), "fairness key")
    await refused(gone, change(client, unique("missing"), ["priority"]), "")
    pinned = VersioningOverride()
    pinned.pinned.version.deployment_name = "web"
    pinned.pinned.version.build_id = "7"
    await refused(early, change(client, handle.id, ["versioning_override"], versioning_override=pinned), "web:7")
    await refused(bad, change(client, handle.id, ["versioning_override"], versioning_override=VersioningOverride(auto_upgrade=False)), "override")
    assert not await events(handle, UPDATED)
    await handle.terminate()
    await refused(gone, change(client, handle.id, ["priority"], priority=Priority(priority_key=1)), "already completed")


async def test_an_override_comes_and_goes(client: Client):
    handle = await client.start_workflow("Waits", id=unique("waits"), task_queue=unique("nobody"))
    override = VersioningOverride(auto_upgrade=True)
    assert (await change(client, handle.id, ["versioningOverride"], versioning_override=override)).versioning_override == override
    info = (await described(client, handle.id)).workflow_execution_info
    assert info.versioning_info.versioning_override == override
    assert not (await change(client, handle.id, ["versioning_override"])).HasField("versioning_override")
    assert len(await events(handle, UPDATED)) == 2
    await handle.terminate()


def start(workflow_id: str, queue: str, request_id: str, **options) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace="default", workflow_id=workflow_id, workflow_type=WorkflowType(name="Waits"), task_queue=TaskQueue(name=queue),
        identity="client", request_id=request_id,
        workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
        on_conflict_options=OnConflictOptions(**options) if options else None,
    )


async def test_a_start_that_meets_a_run_leaves_its_request_id(client: Client):
    name, queue = unique("meets"), unique("nobody")
    service = client.workflow_service
    first = await service.start_workflow_execution(start(name, queue, "one", attach_request_id=True))
    assert first.started
    for _ in range(2):
        met = await service.start_workflow_execution(start(name, queue, "two", attach_request_id=True))
        assert not met.started and met.run_id == first.run_id
    plain = await service.start_workflow_execution(start(name, queue, "three"))
    assert not plain.started
    handle = client.get_workflow_handle(name)
    [event] = await events(handle, UPDATED)
    assert event.workflow_execution_options_updated_event_attributes.attached_request_id == "two"
    infos = (await described(client, name)).workflow_extended_info.request_id_infos
    assert sorted(infos) == ["one", "two"], sorted(infos)
    assert infos["two"].event_id == event.event_id and infos["two"].event_type == UPDATED
    await refused(
        RPCStatusCode.INVALID_ARGUMENT, service.start_workflow_execution(start(name, queue, "four", attach_links=True)), "attach_request_id")
    await handle.terminate()
    # Its answer may have been lost: repeated, it is still answered with the run, and no second one begins.
    again = await service.start_workflow_execution(start(name, queue, "two", attach_request_id=True))
    assert not again.started and again.run_id == first.run_id


async def settled(client: Client, workflow_id: str, length: int) -> None:
    async def idle():
        answer = await described(client, workflow_id)
        return answer.workflow_execution_info.history_length >= length and not answer.HasField("pending_workflow_task")

    await eventually(idle, what=f"{workflow_id} with {length} events and no task")


async def test_operations_after_a_reset(client: Client):
    queue = unique("queue")
    async with worker(client, queue):
        handle = await client.start_workflow(Collects.run, 2, id=unique("collects"), task_queue=queue)
        await handle.signal(Collects.note, "before")
        await settled(client, handle.id, 5)
        tell = PostResetOperation()
        tell.signal_workflow.signal_name = "note"
        tell.signal_workflow.input.CopyFrom(Payloads(payloads=converter().payload_converter.to_payloads(["after"])))
        options = PostResetOperation()
        options.update_workflow_options.workflow_execution_options.priority.priority_key = 5
        options.update_workflow_options.update_mask.paths.append("priority")
        request = ResetWorkflowExecutionRequest(
            namespace="default", workflow_execution=WorkflowExecution(workflow_id=handle.id), reason="again", request_id=unique("reset"),
            workflow_task_finish_event_id=4, identity="operator", post_reset_operations=[tell, options],
        )
        answers = [await client.workflow_service.reset_workflow_execution(request) for _ in range(2)]
        assert answers[0].run_id == answers[1].run_id
        new = client.get_workflow_handle(handle.id, run_id=answers[0].run_id)
        assert await new.result() == ["before", "after"]
    [event] = await events(new, UPDATED)
    assert event.workflow_execution_options_updated_event_attributes.priority.priority_key == 5
    assert [e.workflow_execution_signaled_event_attributes.identity for e in await events(new, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)][-1] == "operator"
    empty = ResetWorkflowExecutionRequest()
    empty.CopyFrom(request)
    del empty.post_reset_operations[:]
    empty.post_reset_operations.add()
    empty.request_id = unique("reset")
    await refused(RPCStatusCode.INVALID_ARGUMENT, client.workflow_service.reset_workflow_execution(empty), "PostResetOperations")


async def test_a_batch_goes_back_to_a_build(client: Client):
    queue = unique("queue")
    name = unique("collects")
    async with worker(client, queue, build_id="good"):
        await client.start_workflow(Collects.run, 2, id=name, task_queue=queue)
        await settled(client, name, 4)
    async with worker(client, queue, build_id="bad", max_cached_workflows=0):
        await client.get_workflow_handle(name).signal(Collects.note, "a")
        # Ten seconds at most: the first worker's sticky queue is given up then, if it did not say that it stops.
        await settled(client, name, 8)
    job = unique("job")
    before = (await described(client, name)).workflow_execution_info.execution.run_id
    await client.workflow_service.start_batch_operation(
        StartBatchOperationRequest(
            namespace="default", job_id=job, reason="bad build", executions=[WorkflowExecution(workflow_id=name)],
            reset_operation=BatchOperationReset(identity="operator", options=ResetOptions(build_id="bad")),
        ))

    async def new_run():
        return (await described(client, name)).workflow_execution_info.execution.run_id != before

    await eventually(new_run, what="the reset")
    handle = client.get_workflow_handle(name)
    builds = [e.workflow_task_completed_event_attributes.worker_version.build_id for e in await events(handle, EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)]
    assert builds == ["good"], builds
    await handle.terminate()


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
