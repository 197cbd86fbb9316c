"""Batch operations over many runs, by raw requests of Temporal's own Python SDK: batch.py [ADDRESS [NAME]]."""
import asyncio
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads, WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeBatchOperationRequest,
    ListBatchOperationsRequest,
    PauseActivityRequest,
    StartBatchOperationRequest,
    StopBatchOperationRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RetryPolicy
from temporalio.service import RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique
from schedules import refused


@workflow.defn
class Collects:
    """Says which signals it got, when it is told to end."""

    def __init__(self) -> None:
        self.got: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "end" in self.got)
        return self.got

    @workflow.signal
    def say(self, what: str) -> None:
        self.got.append(what)


async def several(client: Client, count: int):
    """Runs of a task queue of their own that nobody works on."""
    queue = unique("batch-queue")
    handles = await asyncio.gather(
        *[client.start_workflow(Collects.run, id=unique("batched"), task_queue=queue) for _ in range(count)]
    )
    return queue, handles


def request(**fields) -> StartBatchOperationRequest:
    return StartBatchOperationRequest(namespace="default", reason="because", job_id=unique("job"), **fields)


async def described(client: Client, job: str):
    return await client.workflow_service.describe_batch_operation(DescribeBatchOperationRequest(namespace="default", job_id=job))


async def ended(client: Client, job: str):
    async def closed():
        found = await described(client, job)
        return found if found.HasField("close_time") else None

    return await eventually(closed, timeout=40, what="the end of the batch operation")


async def start(client: Client, asked: StartBatchOperationRequest) -> str:
    """Only one may be open in a namespace: waits for its turn."""

    async def accepted():
        try:
            await client.workflow_service.start_batch_operation(asked)
            return True
        except Exception as error:
            assert "Max concurrent" in str(error), error
            return False

    await eventually(accepted, timeout=40, what="the turn of a batch operation")
    return asked.job_id


async def statuses(handles):
    return [(await handle.describe()).status for handle in handles]


async def test_terminate_by_query(client: Client):
    queue, handles = await several(client, 30)
    asked = request(visibility_query=f"TaskQueue = '{queue}'", max_operations_per_second=500)
    asked.termination_operation.identity = "tester"
    found = await ended(client, await start(client, asked))
    assert (found.state, found.total_operation_count, found.complete_operation_count) == (2, 30, 30)
    assert found.failure_operation_count == 0 and found.identity == "tester" and found.reason == "because"
    assert set(await statuses(handles)) == {WorkflowExecutionStatus.TERMINATED}


async def test_cancel_named_executions(client: Client):
    _, handles = await several(client, 3)
    asked = request(executions=[WorkflowExecution(workflow_id=h.id, run_id=h.first_execution_run_id) for h in handles[:2]])
    asked.cancellation_operation.identity = "tester"
    found = await ended(client, await start(client, asked))
    assert found.total_operation_count == found.complete_operation_count == 2
    for handle, is_asked in zip(handles, (True, True, False)):
        raw = (await handle.describe()).raw_description
        assert raw.workflow_extended_info.cancel_requested == is_asked
        await handle.terminate()


async def test_signal_reaches_each_once(client: Client):
    queue, handles = await several(client, 10)
    asked = request(visibility_query=f"TaskQueue = '{queue}' AND ExecutionStatus = 'Running'", max_operations_per_second=200)
    asked.signal_operation.signal = "say"
    asked.signal_operation.input.CopyFrom(Payloads(payloads=await client.data_converter.encode(["end"])))
    await ended(client, await start(client, asked))
    async with Worker(client, task_queue=queue, workflows=[Collects], workflow_runner=UnsandboxedWorkflowRunner()):
        assert await asyncio.gather(*[handle.result() for handle in handles]) == [["end"]] * 10


async def test_delete_leaves_nothing(client: Client):
    queue, handles = await several(client, 8)
    await handles[0].terminate()
    asked = request(visibility_query=f"TaskQueue = '{queue}'", max_operations_per_second=200)
    asked.deletion_operation.identity = "tester"
    found = await ended(client, await start(client, asked))
    assert (found.total_operation_count, found.failure_operation_count) == (8, 0)

    async def gone():
        return (await client.count_workflows(f"TaskQueue = '{queue}'")).count == 0

    await eventually(gone, what="they are gone")


@activity.defn
async def fails() -> None:
    raise RuntimeError("not now")


@workflow.defn
class Tries:
    """An activity that goes on failing, slowly."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            fails, start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(initial_interval=timedelta(hours=1)))


async def test_options_of_many_runs(client: Client):
    _, handles = await several(client, 3)
    asked = request(executions=[WorkflowExecution(workflow_id=h.id) for h in handles])
    operation = asked.update_workflow_options_operation
    operation.identity = "tester"
    operation.workflow_execution_options.priority.priority_key = 2
    operation.update_mask.paths.append("priority.priority_key")
    found = await ended(client, await start(client, asked))
    assert (found.complete_operation_count, found.operation_type) == (3, 6), found
    for handle in handles:
        info = (await handle.describe()).raw_description.workflow_execution_info
        assert info.priority.priority_key == 2
        await handle.terminate()


async def test_activities_of_many_runs(client: Client):
    queue = unique("tries")
    async with Worker(client, task_queue=queue, workflows=[Tries], activities=[fails], workflow_runner=UnsandboxedWorkflowRunner()):
        handles = [await client.start_workflow(Tries.run, id=unique("tries"), task_queue=queue) for _ in range(3)]
        executions = [WorkflowExecution(workflow_id=h.id) for h in handles]

        async def pending():
            return [[*(await h.describe()).raw_description.pending_activities] for h in handles]

        async def all_with(check):
            found = await pending()
            return all(len(activities) == 1 and check(activities[0]) for activities in found)

        await eventually(lambda: all_with(lambda a: a.attempt == 2), what="the first failure of each")
        changed = request(executions=executions)
        operation = changed.update_activity_options_operation
        operation.match_all = True
        operation.activity_options.retry_policy.maximum_attempts = 7
        operation.update_mask.paths.append("retry_policy.maximum_attempts")
        assert (await ended(client, await start(client, changed))).complete_operation_count == 3
        assert await all_with(lambda a: a.maximum_attempts == 7)
        for execution in executions:
            await client.workflow_service.pause_activity(PauseActivityRequest(namespace="default", execution=execution, type="fails"))
        assert await all_with(lambda a: a.paused)
        kept = request(executions=executions)
        kept.reset_activities_operation.type = "fails"
        kept.reset_activities_operation.keep_paused = True
        assert (await ended(client, await start(client, kept))).complete_operation_count == 3
        assert await all_with(lambda a: a.paused and a.attempt == 1)
        on = request(executions=executions)
        on.unpause_activities_operation.type = "fails"
        assert (await ended(client, await start(client, on))).complete_operation_count == 3
        await eventually(lambda: all_with(lambda a: not a.paused and a.attempt == 2), what="another attempt of each")
        for handle in handles:
            await handle.terminate()


async def test_a_closed_or_missing_run_is_no_failure(client: Client):
    _, handles = await several(client, 1)
    await handles[0].terminate()
    asked = request(executions=[WorkflowExecution(workflow_id=handles[0].id), WorkflowExecution(workflow_id=unique("nope"))])
    asked.termination_operation.SetInParent()
    found = await ended(client, await start(client, asked))
    assert (found.total_operation_count, found.complete_operation_count, found.failure_operation_count) == (2, 2, 0)


async def test_nothing_matches(client: Client):
    asked = request(visibility_query=f"TaskQueue = '{unique('nobody')}'")
    asked.termination_operation.SetInParent()
    found = await ended(client, await start(client, asked))
    assert (found.state, found.total_operation_count) == (2, 0)


async def test_slow_one_is_stopped_and_holds_up_others(client: Client):
    queue, handles = await several(client, 10)
    asked = request(visibility_query=f"TaskQueue = '{queue}'", max_operations_per_second=1)
    asked.termination_operation.SetInParent()
    job = await start(client, asked)

    async def begun():
        found = await described(client, job)
        return found.complete_operation_count >= 1 and found.total_operation_count == 10

    await eventually(begun, what="the first operation")
    other = request(visibility_query=f"TaskQueue = '{queue}'")
    other.termination_operation.SetInParent()
    service = client.workflow_service
    await refused(RPCStatusCode.RESOURCE_EXHAUSTED, service.start_batch_operation(other), "Max concurrent batch operations is reached")
    # The same wish again is the same operation.
    await service.start_batch_operation(asked)
    await service.stop_batch_operation(StopBatchOperationRequest(namespace="default", job_id=job, reason="enough"))
    found = await described(client, job)
    assert found.state == 3 and found.HasField("close_time") and found.complete_operation_count < 10
    # Stopping it again does nothing.
    await service.stop_batch_operation(StopBatchOperationRequest(namespace="default", job_id=job, reason="enough"))
    for handle in handles:
        if (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:
            await handle.terminate()


async def test_list(client: Client):
    jobs = []
    for _ in range(3):
        asked = request(visibility_query=f"TaskQueue = '{unique('nobody')}'")
        asked.cancellation_operation.SetInParent()
        jobs.append(await start(client, asked))
        await ended(client, jobs[-1])
    listed, token = [], b""
    while True:
        page = await client.workflow_service.list_batch_operations(
            ListBatchOperationsRequest(namespace="default", page_size=2, next_page_token=token)
        )
        listed += [info.job_id for info in page.operation_info]
        token = page.next_page_token
        if not token:
            break
    assert [job for job in listed if job in jobs] == jobs[::-1] and len(set(listed)) == len(listed)


async def test_errors(client: Client):
    service = client.workflow_service
    bad = RPCStatusCode.INVALID_ARGUMENT
    missing = "must provide required parameters: BatchType/Reason/Namespace/Query/Executions"
    await refused(bad, service.start_batch_operation(StartBatchOperationRequest(namespace="default", job_id="j")), missing)
    asked = request()
    asked.termination_operation.SetInParent()
    await refused(bad, service.start_batch_operation(asked), missing)
    asked.visibility_query = "Nope = 1"
    await refused(bad, service.start_batch_operation(asked), "invalid query")
    asked.executions.add(workflow_id="w")
    await refused(bad, service.start_batch_operation(asked), "mutually exclusive")
    asked = request(executions=[WorkflowExecution(workflow_id="w", run_id="x")])
    asked.termination_operation.SetInParent()
    await refused(bad, service.start_batch_operation(asked), "Invalid RunId.")
    asked = request(visibility_query="WorkflowId = 'w'")
    asked.signal_operation.SetInParent()
    await refused(bad, service.start_batch_operation(asked), "SignalName is not set on request.")
    asked.job_id = ""
    await refused(bad, service.start_batch_operation(asked), "JobId is not set on request.")
    for fill, text in [
        (lambda a: a.update_workflow_options_operation.SetInParent(), "UpdateMask is not set on request."),
        (lambda a: a.unpause_activities_operation.SetInParent(), "Either activity type or match_all"),
        (lambda a: a.reset_activities_operation.SetInParent(), "Either activity type or match_all"),
        (lambda a: setattr(a.update_activity_options_operation, "match_all", True), "ActivityOptions are not set on request."),
    ]:
        asked = request(visibility_query="WorkflowId = 'w'")
        fill(asked)
        await refused(bad, service.start_batch_operation(asked), text)
    gone = RPCStatusCode.NOT_FOUND
    await refused(gone, described(client, unique("nope")))
    await refused(gone, service.stop_batch_operation(StopBatchOperationRequest(namespace="default", job_id=unique("nope"), reason="r")))
    await refused(bad, service.stop_batch_operation(StopBatchOperationRequest(namespace="default", job_id="j")), "Reason")


async def test_a_job_id_stands_for_one_wish(client: Client):
    asked = request(visibility_query=f"TaskQueue = '{unique('nobody')}'")
    asked.termination_operation.SetInParent()
    await ended(client, await start(client, asked))
    await client.workflow_service.start_batch_operation(asked)
    asked.reason = "another one"
    await refused(RPCStatusCode.ALREADY_EXISTS, client.workflow_service.start_batch_operation(asked), "exists already")


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
