"""What operators and tools ask: server, task queues, workers, reverse histories, completion by id: operators.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.api.common.v1 import Priority as PriorityMessage
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkersRequest,
    DescribeTaskQueueRequest,
    DescribeWorkerRequest,
    GetClusterInfoRequest,
    GetSearchAttributesRequest,
    GetSystemInfoRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListTaskQueuePartitionsRequest,
    ListWorkersRequest,
    PollActivityTaskQueueRequest,
    PollWorkflowTaskQueueRequest,
    RecordWorkerHeartbeatRequest,
    ResetStickyTaskQueueRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerHostInfo
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

SHORT = timedelta(seconds=30)


@activity.defn
async def outside() -> str:
    activity.raise_complete_async()


@activity.defn
async def quick() -> float:
    return time.monotonic()


@workflow.defn
class Outside:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            outside, activity_id="outside", start_to_close_timeout=SHORT, retry_policy=RetryPolicy(maximum_attempts=1)
        )


@workflow.defn
class Many:
    @workflow.run
    async def run(self, count: int) -> list[float]:
        calls = [workflow.execute_activity(quick, start_to_close_timeout=SHORT) for _ in range(count)]
        return list(await asyncio.gather(*calls))


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(3600)


@contextlib.asynccontextmanager
async def worker(client: Client, **options):
    queue = unique("ops")
    async with Worker(
        client, task_queue=queue, workflows=[Outside, Many, Sleeps], activities=[outside, quick],
        workflow_runner=UnsandboxedWorkflowRunner(), **options,
    ):
        yield queue


async def refused(call) -> RPCError:
    try:
        await call
    except RPCError as error:
        return error
    raise AssertionError("it was accepted")


async def test_the_server_says_what_it_is(client: Client):
    system = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    assert system.server_version and system.capabilities.count_group_by_execution_status and system.capabilities.eager_workflow_start
    cluster = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
    assert cluster.cluster_id and cluster.persistence_store == "postgres" and cluster.history_shard_count > 0
    attributes = await client.workflow_service.get_search_attributes(GetSearchAttributesRequest())
    assert attributes.keys["WorkflowId"] == 2


async def test_a_backlog_is_counted_by_priority_and_drained_in_its_order(client: Client):
    queue = unique("backlog")
    for number, priority in enumerate([5, 1, 0, 3, 1]):
        await client.workflow_service.start_workflow_execution(
            StartWorkflowExecutionRequest(
                namespace="default", workflow_id=f"{queue}-{number}", workflow_type=WorkflowType(name="W"),
                task_queue=TaskQueue(name=queue), priority=PriorityMessage(priority_key=priority, fairness_key="f", fairness_weight=2),
            )
        )
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=1, report_stats=True, include_task_queue_status=True)
    )
    assert described.stats.approximate_backlog_count == 5 and described.task_queue_status.backlog_count_hint == 5
    assert described.stats.approximate_backlog_age.ToTimedelta() > timedelta(0) and described.stats.tasks_add_rate > 0
    assert {key: stats.approximate_backlog_count for key, stats in described.stats_by_priority_key.items()} == {1: 2, 3: 2, 5: 1}
    order = []
    for _ in range(5):
        task = await client.workflow_service.poll_workflow_task_queue(
            PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), identity="tester")
        )
        order.append(task.workflow_execution.workflow_id.rsplit("-", 1)[1])
    assert order == ["1", "4", "2", "3", "0"]
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=1, report_stats=True)
    )
    assert described.stats.approximate_backlog_count == 0 and [p.identity for p in described.pollers] == ["tester"]
    handle = client.get_workflow_handle(f"{queue}-1")
    priority = (await handle.describe()).raw_description.workflow_execution_info.priority
    assert (priority.priority_key, priority.fairness_key, priority.fairness_weight) == (1, "f", 2)


async def test_the_older_form_of_describing_a_task_queue(client: Client):
    async with worker(client) as queue:

        async def pollers():
            described = await client.workflow_service.describe_task_queue(
                DescribeTaskQueueRequest(
                    namespace="default", task_queue=TaskQueue(name=queue), api_mode=1, task_queue_types=[1, 2], report_pollers=True, report_stats=True
                )
            )
            types = described.versions_info[""].types_info
            return all(kind in types and types[kind].pollers for kind in (1, 2))

        await eventually(pollers)
    partitions = await client.workflow_service.list_task_queue_partitions(
        ListTaskQueuePartitionsRequest(namespace="default", task_queue=TaskQueue(name="q"))
    )
    assert len(partitions.activity_task_queue_partitions) == len(partitions.workflow_task_queue_partitions) == 1
    error = await refused(client.workflow_service.describe_task_queue(DescribeTaskQueueRequest(namespace="default")))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT


async def test_activities_have_the_priority_of_their_workflow(client: Client):
    async with worker(client, max_concurrent_activities=1) as queue:
        handle = await client.start_workflow(Outside.run, id=unique("prio"), task_queue=queue, priority=Priority(priority_key=2))

        async def pending():
            return (await handle.describe()).raw_description.pending_activities

        found = await eventually(pending)
        assert found[0].priority.priority_key == 2
        await handle.terminate()


async def test_a_queue_starts_no_more_tasks_a_second_than_its_workers_want(client: Client):
    async with worker(client, max_task_queue_activities_per_second=4, disable_eager_activity_execution=True) as queue:
        times = sorted(await client.execute_workflow(Many.run, 12, id=unique("rate"), task_queue=queue))
        # Polls that stood ready when the tasks came may have theirs at once.
        assert times[-1] - times[0] > 1.0, times


async def test_workers_are_listed_by_their_heartbeats(client: Client):
    service = client.workflow_service
    keys = [unique("worker") for _ in range(3)]
    for number, key in enumerate(keys):
        heartbeat = WorkerHeartbeat(
            worker_instance_key=key, worker_identity=f"me-{number}", task_queue=f"q-{keys[0]}", sdk_name="sdk", sdk_version="1", status=1,
            host_info=WorkerHostInfo(host_name=f"host-{number}"),
        )
        for _ in range(2):
            await service.record_worker_heartbeat(RecordWorkerHeartbeatRequest(namespace="default", worker_heartbeat=[heartbeat]))
    query = f"TaskQueue = 'q-{keys[0]}'"
    listed = await service.list_workers(ListWorkersRequest(namespace="default", query=query, page_size=2))
    rest = await service.list_workers(
        ListWorkersRequest(namespace="default", query=query, page_size=2, next_page_token=listed.next_page_token)
    )
    assert sorted(w.worker_instance_key for w in [*listed.workers, *rest.workers]) == sorted(keys) and not rest.next_page_token
    counted = await service.count_workers(CountWorkersRequest(namespace="default", query=f"{query} AND WorkerIdentity != 'me-1'"))
    assert counted.count == 2
    one = await service.describe_worker(DescribeWorkerRequest(namespace="default", worker_instance_key=keys[1]))
    assert one.worker_info.worker_heartbeat.host_info.host_name == "host-1"
    error = await refused(service.describe_worker(DescribeWorkerRequest(namespace="default", worker_instance_key="nobody")))
    assert error.status == RPCStatusCode.NOT_FOUND
    error = await refused(service.list_workers(ListWorkersRequest(namespace="default", query="Nope = 1")))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_history_can_be_read_backwards(client: Client):
    handle = await client.start_workflow("W", id=unique("reverse"), task_queue="nobody-polls-this")
    for number in range(5):
        await handle.signal("s", number)
    seen, token = [], b""
    while True:
        page = await client.workflow_service.get_workflow_execution_history_reverse(
            GetWorkflowExecutionHistoryReverseRequest(
                namespace="default", execution=WorkflowExecution(workflow_id=handle.id), maximum_page_size=3, next_page_token=token
            )
        )
        seen += [event.event_id for event in page.history.events]
        token = page.next_page_token
        if not token:
            break
    assert seen == list(range(7, 0, -1))
    await handle.terminate()


async def test_resetting_the_sticky_queue_loses_nothing(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Sleeps.run, id=unique("sticky"), task_queue=queue)

        async def has_timer():
            return any(e.HasField("timer_started_event_attributes") for e in (await handle.fetch_history()).events)

        await eventually(has_timer)
        for _ in range(2):
            await client.workflow_service.reset_sticky_task_queue(
                ResetStickyTaskQueueRequest(namespace="default", execution=WorkflowExecution(workflow_id=handle.id))
            )
        await handle.cancel()
        with contextlib.suppress(WorkflowFailureError):
            await handle.result()


async def pending_outside(client: Client, queue: str):
    handle = await client.start_workflow(Outside.run, id=unique("outside"), task_queue=queue)

    async def started():
        return any(p.state == 2 for p in (await handle.describe()).raw_description.pending_activities)

    await eventually(started)
    return handle, client.get_async_activity_handle(workflow_id=handle.id, run_id=None, activity_id="outside")


async def test_an_activity_is_completed_from_outside_by_its_id(client: Client):
    async with worker(client) as queue:
        handle, out = await pending_outside(client, queue)
        await out.heartbeat("still there")
        assert (await handle.describe()).raw_description.pending_activities[0].HasField("heartbeat_details")
        await out.complete("from outside")
        assert await handle.result() == "from outside"
        error = await refused(out.complete("again"))
        assert error.status == RPCStatusCode.NOT_FOUND
        handle, out = await pending_outside(client, queue)
        await out.fail(ApplicationError("no", type="Outside"))
        try:
            await handle.result()
            raise AssertionError("it ended well")
        except WorkflowFailureError as failure:
            assert isinstance(failure.cause, ActivityError) and failure.cause.cause.type == "Outside"
        handle, out = await pending_outside(client, queue)
        error = await refused(out.report_cancellation("x"))
        assert error.status == RPCStatusCode.INVALID_ARGUMENT
        error = await refused(client.get_async_activity_handle(workflow_id=handle.id, run_id=None, activity_id="77").complete("x"))
        assert error.status == RPCStatusCode.NOT_FOUND
        await handle.terminate()


harness.main(sys.modules[__name__])
