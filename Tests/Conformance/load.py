"""Work for the fault scenarios: starts and signals that must survive whatever happens to the servers."""
import asyncio
import logging
import random
import time

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from harness import unique
from workflows import ACTIVITIES, WORKFLOWS, Chat, Hello, Naps, Parallel

# Failed attempts and lost answers are part of the load: the worker need not tell of each.
logging.getLogger("temporalio").setLevel(logging.CRITICAL)
Runtime.set_default(
    Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR")))),
    error_if_already_set=False,
)

HELLO, NAP, PARALLEL, CHAT = range(4)


async def keep_trying(call, seconds: float = 60):
    """Repeats a call that found no server. Refusals that a healthy server means are raised at once."""
    end = time.monotonic() + seconds
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status in (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS):
                raise
            assert time.monotonic() < end, f"a call found no server in {seconds:.0f} s: {error}"
            await asyncio.sleep(0.1)


class Load:
    """Producers and the runs whose start was acknowledged to them."""

    def __init__(self, seed: int, clients: list[Client]):
        self.dice = random.Random(seed)
        self.clients = clients
        self.queue = unique("load")
        self.started: list = []
        self.refused = 0
        self.slowest = 0.0

    def worker(self, client: Client) -> Worker:
        return Worker(
            client, task_queue=self.queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
        )

    async def produce(self, seconds: float, pause: float = 0.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.start_one()
            await asyncio.sleep(pause)

    async def start_one(self) -> None:
        kind = self.dice.randrange(4)
        run, arguments = [
            (Hello.run, ["load"]), (Naps.run, [self.dice.randrange(10, 3000)]), (Parallel.run, [3]), (Chat.run, []),
        ][kind]
        workflow_id = unique("load")
        begun = time.monotonic()
        handle = None
        # Any node may own the workflow: whoever answers is right.
        for client in self.dice.sample(self.clients, len(self.clients)):
            try:
                handle = await client.start_workflow(run, args=arguments, id=workflow_id, task_queue=self.queue)
                break
            except RPCError:
                self.refused += 1  # Not acknowledged: it may or may not exist.
        if handle is None:
            await asyncio.sleep(0.05)
            return
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.started.append((workflow_id, handle.first_execution_run_id, kind))
        if kind == CHAT:
            for line in range(3):
                await self.call(workflow_id, lambda h, line=line: h.signal(Chat.say, f"{line}"))
            await self.call(workflow_id, lambda h: h.signal(Chat.finish))

    async def call(self, workflow_id: str, body, seconds: float = 90):
        """Calls `body` with a handle of each node in turn, until one answers."""
        turn = iter(range(1 << 30))

        async def once():
            client = self.clients[next(turn) % len(self.clients)]
            return await asyncio.wait_for(body(client.get_workflow_handle(workflow_id)), seconds)

        return await keep_trying(once, seconds)

    async def collect(self, seconds: float = 180) -> None:
        """Every acknowledged start ended, with the right result."""
        gate = asyncio.Semaphore(16)

        async def one(workflow_id: str, run_id: str, kind: int) -> None:
            async with gate:
                result = await self.call(workflow_id, lambda h: h.result(), seconds)
                if kind == HELLO:
                    assert result == "Hello, load!", (workflow_id, result)
                if kind == PARALLEL:
                    # An attempt that a kill took from its worker times out and is repeated: attempts may be more, never fewer.
                    assert len(result) == 3 and all(a >= b for a, b in zip(result, [1, 2, 3])), (workflow_id, result)
                if kind == CHAT:
                    # A signal whose answer was lost may have been sent again by us: at least once, in order of first arrival.
                    assert list(dict.fromkeys(result)) == ["0", "1", "2"], (workflow_id, result)
                description = await self.call(workflow_id, lambda h: h.describe())
                assert run_id is None or description.run_id == run_id, (workflow_id, run_id, description.run_id)

        await asyncio.gather(*[one(*item) for item in self.started])


def open_runs(stage, seconds: float = 30) -> None:
    """No run is stuck, acknowledged or not. (A chat whose start was not acknowledged waits for its signals for ever.)"""
    end = time.monotonic() + seconds
    while True:
        left = stage.sql("select workflow_id, workflow_type from aloft.runs where status = 1 and workflow_type <> 'Chat'")
        if not left:
            return
        assert time.monotonic() < end, f"{len(left)} runs are stuck, e.g. {left[0]}"
        time.sleep(0.5)
