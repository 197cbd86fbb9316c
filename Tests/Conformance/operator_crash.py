"""What operators did survives kill -9 of the server: operator_crash.py ALOFT."""
import asyncio
import sys
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio import activity, workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DeprecateNamespaceRequest,
    DescribeNamespaceRequest,
    PauseActivityRequest,
    RegisterNamespaceRequest,
    UnpauseActivityRequest,
)
from temporalio.client import Client
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from harness import eventually, unique
from stage import Stage

WORD = SearchAttributeKey.for_keyword("CrashWord")
MAY_PASS = False
RUNS = 12


@activity.defn
async def held() -> str:
    if not MAY_PASS:
        raise RuntimeError("not yet")
    return "passed"


@workflow.defn
class Held:
    @workflow.run
    async def run(self) -> str:
        workflow.upsert_search_attributes([WORD.value_set("working")])
        return await workflow.execute_activity(
            held, activity_id="held", start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), backoff_coefficient=1.0),
        )


async def counts(client: Client) -> dict[str, int]:
    answer = await client.workflow_service.count_workflow_executions(
        CountWorkflowExecutionsRequest(namespace="default", query="GROUP BY ExecutionStatus")
    )
    return {group.group_values[0].data.decode().strip('"'): group.count for group in answer.groups}


async def main() -> None:
    global MAY_PASS
    with Stage(sys.argv[1], "operator-crash") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("a")
        node.start()
        client = await Client.connect(node.address)
        service = client.workflow_service
        await client.operator_service.add_search_attributes(AddSearchAttributesRequest(namespace="default", search_attributes={"CrashWord": 2}))
        await service.register_namespace(
            RegisterNamespaceRequest(namespace="crash-ns", workflow_execution_retention_period=Duration(seconds=86_400), description="kept")
        )
        await service.deprecate_namespace(DeprecateNamespaceRequest(namespace="crash-ns"))
        queue = unique("crash")
        async with Worker(client, task_queue=queue, workflows=[Held], activities=[held], workflow_runner=UnsandboxedWorkflowRunner()):
            handles = [
                await client.start_workflow(
                    Held.run, id=f"{queue}-{i}", task_queue=queue,
                    search_attributes=TypedSearchAttributes([SearchAttributePair(WORD, "begun")]),
                )
                for i in range(RUNS)
            ]

            async def working() -> bool:
                return len([run async for run in client.list_workflows("CrashWord = 'working'")]) == RUNS

            await eventually(working, what="all runs at work")
            for handle in handles[:3]:
                await handle.terminate()
            request = PauseActivityRequest(
                namespace="default", execution=WorkflowExecution(workflow_id=handles[3].id), id="held", request_id="p", reason="crash"
            )
            await service.pause_activity(request)
            before = await counts(client)
            for _ in range(2):
                node.kill()
                node.start()

            async def answers() -> bool:
                try:
                    return await counts(client) == before
                except RPCError:
                    return False

            await eventually(answers, 60, "the same counts after the crash")
            assert before == {"Running": RUNS - 3, "Terminated": 3}, before
            assert await working()
            ended = [run async for run in client.list_workflows("CrashWord = 'working' AND ExecutionStatus = 'Terminated'")]
            assert {run.id for run in ended} == {handle.id for handle in handles[:3]}
            kept = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
            assert kept.custom_attributes["CrashWord"] == 2
            described = await service.describe_namespace(DescribeNamespaceRequest(namespace="crash-ns"))
            assert described.namespace_info.description == "kept" and described.namespace_info.state == 2
            pending = (await handles[3].describe()).raw_description.pending_activities[0]
            assert pending.paused and pending.pause_info.manual.reason == "crash"
            # The repetition of a request from before the crash is still recognised.
            await service.pause_activity(request)
            MAY_PASS = True
            done = await asyncio.gather(*[handle.result() for handle in handles[4:]])
            assert done == ["passed"] * (RUNS - 4)
            assert (await handles[3].describe()).status.name == "RUNNING"
            await service.unpause_activity(
                UnpauseActivityRequest(namespace="default", execution=WorkflowExecution(workflow_id=handles[3].id), id="held")
            )
            assert await handles[3].result() == "passed"
            assert await counts(client) == {"Completed": RUNS - 3, "Terminated": 3}
        stage.verify()
        stage.passed = True
        print(f"ok      {RUNS} runs, counts, attributes, a paused activity and a namespace survived {node.kills} kills")


asyncio.run(main())
