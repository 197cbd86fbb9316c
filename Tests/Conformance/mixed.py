"""All primitives together while server, worker and database connections are killed: every run ends as its plan says.

    mixed.py ALOFT_BINARY [SECONDS]

MIXED_SEED repeats a seed.
"""
import asyncio
import random
import signal
import subprocess
import sys
import time

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from load import keep_trying
from mixed_workflows import COLLECTOR, Collector, Mixed, expected
from postgres_lapses import terminate_backends
from stage import Node, Stage, seed_of

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
SEED = seed_of("MIXED_SEED")
PRODUCERS = 6
DISTURB_EVERY = 5
QUEUE = "mixed"
KINDS = ["activity", "stumble", "local", "timer", "child", "cancel_child", "poke", "race", "patch", "update", "signal", "again"]


class Crew:
    """A worker process that is killed and replaced."""

    def __init__(self, address: str):
        self.address = address
        self.kills = 0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "mixed_worker.py", self.address, QUEUE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def replace(self) -> None:
        self.stop()
        self.kills += 1
        self.start()


class Scene:
    def __init__(self, stage: Stage, node: Node, client: Client):
        self.stage, self.node, self.client = stage, node, client
        self.dice = random.Random(SEED)
        self.started: dict[str, list] = {}
        self.pokes: set[str] = set()
        self.count = 0
        self.updates = 0
        self.lapses = 0

    def plan(self) -> list:
        return [[self.dice.choice(KINDS), self.dice.randrange(1, 50)] for _ in range(self.dice.randrange(2, 9))]

    async def produce(self, end: float) -> None:
        while time.monotonic() < end:
            self.count += 1
            workflow_id, plan = f"mixed-{self.count}", self.plan()
            self.started[workflow_id] = plan
            self.pokes |= {f"{workflow_id}/{step}" for step, (kind, _) in enumerate(plan) if kind == "poke"}
            handle = self.client.get_workflow_handle(workflow_id)
            await keep_trying(lambda: self.start(workflow_id, plan))
            for step, (kind, value) in enumerate(plan):
                if kind == "signal":
                    await self.signal(handle, step, value)
                if kind == "update":
                    await self.update(handle, step, value)

    async def start(self, workflow_id: str, plan: list) -> None:
        try:
            await self.client.start_workflow(
                Mixed.run, args=[plan, 0, 0, {}], id=workflow_id, task_queue=QUEUE, request_eager_start=False
            )
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:
                raise

    async def signal(self, handle, step: int, value: int) -> None:
        try:
            await keep_trying(lambda: handle.signal(Mixed.give, args=[f"{step}", value]))
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            # It came the first time, only the answer was lost, and the run has ended.

    async def update(self, handle, step: int, value: int) -> None:
        """Sent again under the same id until it is done; a run that continued as new may ask for it anew."""

        async def once() -> None:
            result = await asyncio.wait_for(
                handle.execute_update(Mixed.put, args=[f"{step}", value], id=f"{handle.id}-{step}-{random.random()}"), 20
            )
            assert result == 2 * value, (handle.id, step, result)

        end = time.monotonic() + 120
        while True:
            try:
                await once()
                self.updates += 1
                return
            except (
                RPCError, asyncio.TimeoutError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError,
            ) as error:
                if isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND:
                    # It had the value from an update whose answer was lost, and ended.
                    return
                assert time.monotonic() < end, f"{handle.id}: the update of step {step} was not done in 120 s: {error!r}"
                await asyncio.sleep(0.2)

    async def disturb(self, crew: Crew, end: float) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(DISTURB_EVERY)
            what = self.dice.randrange(3)
            if what == 0:
                self.node.kill()
                await asyncio.to_thread(self.node.start)
            elif what == 1:
                await asyncio.to_thread(crew.replace)
            else:
                self.lapses += await asyncio.to_thread(terminate_backends, self.stage, 1.0)

    async def check(self) -> None:
        gate = asyncio.Semaphore(16)

        async def one(workflow_id: str, plan: list) -> None:
            async with gate:
                handle = self.client.get_workflow_handle(workflow_id)
                result = await keep_trying(lambda: asyncio.wait_for(handle.result(), 180), 180)
                assert result == expected(plan), f"{workflow_id}: {result}, not {expected(plan)}: {plan}"

        await asyncio.gather(*[one(*item) for item in self.started.items()])
        collector = self.client.get_workflow_handle(COLLECTOR)
        await keep_trying(lambda: collector.signal(Collector.stop))
        pokes = await keep_trying(lambda: asyncio.wait_for(collector.result(), 60))
        doubled = {poke for poke in pokes if pokes.count(poke) > 1}
        assert not doubled, f"signals delivered twice: {sorted(doubled)[:5]}"
        assert set(pokes) == self.pokes, f"signals lost: {sorted(self.pokes - set(pokes))[:5]}"
        left = self.stage.sql("select workflow_id, workflow_type from aloft.runs where status = 1")
        assert not left, f"{len(left)} runs are stuck, e.g. {left[0]}"


async def main() -> None:
    print(f"mixed: {SECONDS:.0f} s, seed {SEED}", flush=True)
    with Stage(sys.argv[1], "mixed") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("mixed")
        node.start()
        client = await Client.connect(node.address)
        crew = Crew(node.address)
        try:
            scene = Scene(stage, node, client)
            await client.start_workflow(Collector.run, id=COLLECTOR, task_queue=QUEUE)
            end = time.monotonic() + SECONDS
            await asyncio.gather(scene.disturb(crew, end), *[scene.produce(end) for _ in range(PRODUCERS)])
            print(f"mixed: {scene.count} runs started, {node.kills} server and {crew.kills} worker kills; waiting", flush=True)
            await scene.check()
        finally:
            crew.stop()
        events = stage.wait_for_feed()
        stage.verify()
        assert scene.count > 10, f"only {scene.count} runs were started"
        stage.passed = True
    print(
        f"mixed: {scene.count} runs, {scene.updates} updates, {len(scene.pokes)} external signals, {node.kills} server kills, "
        f"{crew.kills} worker kills, {scene.lapses} connections cut: all ended as planned, {events} events in order, chains agree"
    )
    print("1 passed, 0 failed")


asyncio.run(main())
