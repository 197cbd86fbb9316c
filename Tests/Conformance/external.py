"""Signals and cancel requests from workflow to workflow: external.py [ADDRESS [NAME]]."""
import sys
import uuid

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus

import harness
from children import replays, types, worker
from harness import eventually, unique
from related_workflows import Caller, Peer

SIGNAL_MISSING = "ExternalWorkflowExecutionNotFound: Unable to signal external workflow because it was not found"
CANCEL_MISSING = "ExternalWorkflowExecutionNotFound: Unable to cancel external workflow because not found"


async def test_a_signal_arrives_once_and_in_order(client: Client):
    async with worker(client) as queue:
        peer = await client.start_workflow(Peer.run, id=unique("peer"), task_queue=queue)
        caller = await client.start_workflow(Caller.run, args=["signal", peer.id], id=unique("caller"), task_queue=queue)
        assert await caller.result() == "told"
        await peer.signal(Peer.stop)
        assert await peer.result() == ["0", "1", "2"]
        events = [e for e in (await peer.fetch_history()).events if e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED]
        first = events[0].workflow_execution_signaled_event_attributes
        assert first.external_workflow_execution.workflow_id == caller.id
        assert first.external_workflow_execution.run_id == caller.result_run_id
        assert (await types(caller)).count("EXTERNAL_WORKFLOW_EXECUTION_SIGNALED") == 3
        await replays(caller)
        await replays(peer)


async def test_a_cancel_request_arrives(client: Client):
    async with worker(client) as queue:
        peer = await client.start_workflow(Peer.run, id=unique("peer"), task_queue=queue)
        caller = await client.start_workflow(
            Caller.run, args=["cancel", peer.id, peer.first_execution_run_id], id=unique("caller"), task_queue=queue)
        assert await caller.result() == "told"

        async def cancelled():
            return (await peer.describe()).status == WorkflowExecutionStatus.CANCELED

        await eventually(cancelled, what="the peer is cancelled")
        request = [
            e.workflow_execution_cancel_requested_event_attributes for e in (await peer.fetch_history()).events
            if e.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED
        ]
        assert len(request) == 1 and request[0].external_workflow_execution.workflow_id == caller.id
        assert request[0].external_initiated_event_id == 5
        assert request[0].cause.startswith("Cancel requested by workflow")


async def test_a_second_cancel_request_is_told_but_not_recorded(client: Client):
    async with worker(client) as queue:
        # Nobody works on this one, so that it stays open.
        peer = await client.start_workflow(Peer.run, id=unique("peer"), task_queue=unique("idle"))
        for _ in range(2):
            assert await client.execute_workflow(Caller.run, args=["cancel", peer.id], id=unique("caller"), task_queue=queue) == "told"
        assert (await types(peer)).count("WORKFLOW_EXECUTION_CANCEL_REQUESTED") == 1
        await peer.terminate()


async def test_nobody_there(client: Client):
    async with worker(client) as queue:
        for what, text in (("signal", SIGNAL_MISSING), ("cancel", CANCEL_MISSING)):
            for target in (["nobody"], ["nobody", str(uuid.uuid4())]):
                result = await client.execute_workflow(Caller.run, args=[what, *target], id=unique("caller"), task_queue=queue)
                assert result == text, result


async def test_a_closed_workflow(client: Client):
    async with worker(client) as queue:
        peer = await client.start_workflow(Peer.run, id=unique("peer"), task_queue=queue)
        await peer.terminate()
        for what, text in (("signal", SIGNAL_MISSING), ("cancel", CANCEL_MISSING)):
            result = await client.execute_workflow(Caller.run, args=[what, peer.id], id=unique("caller"), task_queue=queue)
            assert result == text, result


async def test_itself(client: Client):
    async with worker(client) as queue:
        for what, text in (("signal", SIGNAL_MISSING), ("cancel", CANCEL_MISSING)):
            name = unique("narcissus")
            assert await client.execute_workflow(Caller.run, args=[what, name], id=name, task_queue=queue) == text


async def test_a_run_that_is_not_the_current_one(client: Client):
    async with worker(client) as queue:
        old = await client.start_workflow(Peer.run, id=unique("peer"), task_queue=queue)
        await old.signal(Peer.stop)
        await old.result()
        new = await client.start_workflow(Peer.run, id=old.id, task_queue=queue)
        caller = await client.execute_workflow(
            Caller.run, args=["signal", old.id, old.first_execution_run_id], id=unique("caller"), task_queue=queue)
        assert caller == SIGNAL_MISSING
        await new.signal(Peer.stop)
        assert await new.result() == []


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
