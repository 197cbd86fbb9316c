"""A worker in a process of its own, so that a script can kill it: mixed_worker.py ADDRESS QUEUE."""
import asyncio
import sys

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from mixed_workflows import ACTIVITIES, WORKFLOWS


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    worker = Worker(
        client,
        task_queue=sys.argv[2],
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    print("ready", flush=True)
    await worker.run()


asyncio.run(main())
