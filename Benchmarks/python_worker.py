"""The Python worker of `aloft bench hello --mode python`: python_worker.py ADDRESS QUEUE READY_FILE."""
import asyncio
import signal
import sys
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker


@activity.defn(name="bench_act")
async def bench_act(_: str) -> str:
    return "x" * 100


@workflow.defn(name="BenchHello")
class BenchHello:
    @workflow.run
    async def run(self, text: str) -> str:
        return await workflow.execute_activity(bench_act, text, start_to_close_timeout=timedelta(seconds=60))


async def main() -> None:
    address, queue, ready = sys.argv[1:4]
    client = await Client.connect(address)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Worker(
        client,
        task_queue=queue,
        workflows=[BenchHello],
        activities=[bench_act],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=200,
        max_concurrent_activities=200,
        max_concurrent_workflow_task_polls=10,
        max_concurrent_activity_task_polls=10,
        max_cached_workflows=10_000,
    ):
        with open(ready, "w") as file:
            file.write('{"ready": "yes"}\n')
        await stop.wait()


asyncio.run(main())
