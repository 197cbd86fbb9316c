"""What a workflow task costs on a young run and on one of 50,000 events, with a sticky worker and after a restart of the server.

    long_history.py ALOFT_BINARY [EVENTS]

Prints the server's CPU and the time of a signal's round trip (signal, workflow task, update of the count seen by a query) as a ratio
old : young, and how long the first answer takes after the server was killed.
"""
import asyncio
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/Conformance"))

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from load import keep_trying
from stage import Node, Stage

EVENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
ROUNDS = 300
TIMERS = 200
TICKS = os.sysconf("SC_CLK_TCK")


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.count = 0
        self.stopped = False
        self.rounds = 0

    @workflow.signal
    def tick(self) -> None:
        self.count += 1

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.signal
    def grow(self, rounds: int) -> None:
        self.rounds += rounds

    @workflow.query
    def seen(self) -> int:
        return self.count

    @workflow.run
    async def run(self) -> int:
        while not self.stopped:
            await workflow.wait_condition(lambda: self.stopped or self.rounds > 0)
            while self.rounds > 0:
                await asyncio.gather(*[asyncio.sleep(0.001) for _ in range(TIMERS)])
                self.rounds -= 1
        return self.count


def cpu_seconds(node: Node) -> float:
    fields = pathlib.Path(f"/proc/{node.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure(node: Node, handle) -> tuple[float, float]:
    """CPU and wall milliseconds of one round: a signal and the query that sees it."""
    seen = await handle.query(Counter.seen)
    cpu, begun = cpu_seconds(node), time.monotonic()
    for round in range(ROUNDS):
        await handle.signal(Counter.tick)
        while await handle.query(Counter.seen) < seen + round + 1:
            pass
    return (cpu_seconds(node) - cpu) * 1000 / ROUNDS, (time.monotonic() - begun) * 1000 / ROUNDS


async def grow(handle, events: int) -> int:
    """Timers until the history has about this many events: two each."""
    length = (await handle.describe()).history_length
    await handle.signal(Counter.grow, max(1, (events - length - 4 * ROUNDS) // (2 * TIMERS + 4)))
    before = 0
    while length != before:
        before = length
        await asyncio.sleep(2)
        length = (await handle.describe()).history_length
        print(f"\r{length} events", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return length


async def main() -> None:
    with Stage(sys.argv[1], "long") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("long")
        node.start()
        client = await Client.connect(node.address)
        async with Worker(
            client, task_queue="long", workflows=[Counter], workflow_runner=UnsandboxedWorkflowRunner(), max_cached_workflows=10
        ):
            handle = await client.start_workflow(Counter.run, id="long", task_queue="long")
            young = await measure(node, handle)
            length = await grow(handle, EVENTS)
            old = await measure(node, handle)
            node.kill()
            node.start()
            begun = time.monotonic()
            await keep_trying(lambda: handle.signal(Counter.tick))
            await keep_trying(lambda: handle.query(Counter.seen))
            first = time.monotonic() - begun
            await handle.signal(Counter.stop)
            assert await handle.result() > 0
        stage.passed = True
    print(f"young run      {young[0]:8.2f} ms CPU {young[1]:8.2f} ms a round")
    print(f"{length} events {old[0]:8.2f} ms CPU {old[1]:8.2f} ms a round")
    print(f"ratio          {old[0] / young[0]:8.2f}        {old[1] / young[1]:8.2f}")
    print(f"first answer after kill -9: {first * 1000:.0f} ms")


asyncio.run(main())
