"""Deleting runs: delete.py [ADDRESS [NAME]]."""
import sys

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

import harness
from children import worker
from harness import eventually, unique
from related_workflows import Parent


async def gone(client: Client, workflow_id: str, run_id: str) -> bool:
    try:
        await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)))
    except RPCError as error:
        return error.status == RPCStatusCode.NOT_FOUND
    return False


async def delete(client: Client, workflow_id: str, run_id: str = "") -> None:
    await client.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id)))


async def test_closed_and_open_runs_go(client: Client):
    async with worker(client) as queue:
        for what in ("fail", "wait"):
            handle = await client.start_workflow(Parent.run, what, id=unique("delete"), task_queue=queue)
            if what == "fail":
                await handle.result()
            run = handle.first_execution_run_id
            await delete(client, handle.id, run)
            await delete_again(client, handle.id, run)
            await eventually(lambda: gone(client, handle.id, run), what="the run is gone")
            assert [w async for w in client.list_workflows(f"WorkflowId = '{handle.id}'")] == []
            try:
                await client.get_workflow_handle(handle.id, run_id=run).fetch_history()
                raise AssertionError("the history is still there")
            except RPCError as error:
                assert error.status == RPCStatusCode.NOT_FOUND
            again = await client.start_workflow(Parent.run, "echo", id=f"{handle.id}", task_queue=unique("nobody"))
            await again.terminate()


async def delete_again(client: Client, workflow_id: str, run_id: str) -> None:
    """A repetition is taken, or there is nothing left to delete."""
    try:
        await delete(client, workflow_id, run_id)
    except RPCError as error:
        assert error.status == RPCStatusCode.NOT_FOUND


async def test_a_parent_hears_of_a_deleted_child(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Parent.run, "wait", id=unique("delete"), task_queue=queue)
        child = client.get_workflow_handle(f"{handle.id}-child")

        async def began():
            try:
                return (await child.describe()).history_length >= 4
            except RPCError:
                return False

        await eventually(began, what="the child began")
        run = (await child.describe()).run_id
        await delete(client, child.id)
        assert (await handle.result()).startswith("TerminatedError")
        await eventually(lambda: gone(client, child.id, run), what="the child is gone")


async def test_nobody(client: Client):
    try:
        await delete(client, unique("nobody"))
        raise AssertionError("nobody was deleted")
    except RPCError as error:
        assert error.status == RPCStatusCode.NOT_FOUND


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
