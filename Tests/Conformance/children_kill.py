"""Families of workflows while the server is killed again and again: children_kill.py ALOFT_BINARY [SECONDS]

Each parent starts children, signals a peer and leaves one abandoned child. The server dies with -9 at random moments, so also between
the commit of a sender and that of its receiver. Passes when every parent ends with the right result, every child ran once, every
signal arrived once, nothing is left under way, and all hash chains and snapshots agree. FAULT_SEED repeats a seed.
"""
import asyncio
import random
import sys
import time

from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from related_workflows import RELATED, Child, Peer
from stage import Node, Stage, seed_of

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 20
SEED = seed_of("FAULT_SEED")
CHILDREN = 4
SIGNALS = 3
QUEUE = "families"


@workflow.defn
class Family:
    @workflow.run
    async def run(self) -> list[str]:
        name = workflow.info().workflow_id
        await workflow.start_child_workflow(
            Child.run, "wait", id=f"{name}-abandoned", parent_close_policy=workflow.ParentClosePolicy.ABANDON)
        await workflow.start_child_workflow(
            Child.run, "wait", id=f"{name}-terminated", parent_close_policy=workflow.ParentClosePolicy.TERMINATE)
        children = [workflow.execute_child_workflow(Child.run, "echo", id=f"{name}-{n}") for n in range(CHILDREN)]
        peer = workflow.get_external_workflow_handle(f"{name}-peer")
        signals = [peer.signal(Peer.note, f"{n}") for n in range(SIGNALS)]
        results = await asyncio.gather(*children, *signals)
        await peer.signal(Peer.stop)
        return results[:CHILDREN]


async def insist(call):
    """Repeats a call while the server is away."""
    while True:
        try:
            return await call()
        except (RPCError, RuntimeError) as error:
            if isinstance(error, RPCError) and error.status.name in ("ALREADY_EXISTS", "NOT_FOUND", "INVALID_ARGUMENT"):
                raise
            await asyncio.sleep(0.1)


async def produce(client: Client, end: float, number: int, started: list[str]) -> None:
    count = 0
    while time.monotonic() < end:
        name = f"family-{number}-{count}"
        count += 1
        await insist(lambda: start(client, Peer.run, f"{name}-peer"))
        await insist(lambda: start(client, Family.run, name))
        started.append(name)
        await asyncio.sleep(0.05)


async def start(client: Client, run, name: str):
    try:
        return await client.start_workflow(run, id=name, task_queue=QUEUE)
    except WorkflowAlreadyStartedError:
        return client.get_workflow_handle(name)


async def disturb(node: Node, end: float, dice: random.Random) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(dice.uniform(0.2, 1.5))
        node.kill()
        await asyncio.to_thread(node.start)


async def check(client: Client, stage: Stage, started: list[str]) -> None:
    for name in started:
        result = await asyncio.wait_for(insist(lambda: client.get_workflow_handle(name).result()), 120)
        assert result == [f"child of {name}"] * CHILDREN, result
        notes = await asyncio.wait_for(insist(lambda: client.get_workflow_handle(f"{name}-peer").result()), 120)
        assert sorted(notes) == [f"{n}" for n in range(SIGNALS)], f"{name}: {notes}"
    twice = stage.sql("select workflow_id from aloft.runs group by workflow_id having count(*) > 1")
    assert not twice, f"ran twice: {twice[:5]}"
    # 29 asked for, 31 started, 32 completed; 37 asked for, 39 told; 26 a signal.
    counts = {int(kind): int(count) for kind, count in stage.sql("select type, count(*) from aloft.events group by type")}
    families = len(started)
    assert counts[29] == counts[31] == families * (CHILDREN + 2), counts
    assert counts[32] == families * CHILDREN, counts
    assert counts[37] == counts[39] == counts[26] == families * (SIGNALS + 1), counts
    open_ = {row[0] for row in stage.sql("select workflow_id from aloft.runs where status = 1")}
    assert open_ == {f"{name}-abandoned" for name in started}, "a parent-close policy was not kept"
    end = time.monotonic() + 30
    while stage.sql("select 1 from aloft.runs where status <> 1 and wake_at is not null"):
        assert time.monotonic() < end, "messages are still under way"
        await asyncio.sleep(0.2)


async def main() -> None:
    print(f"children_kill: {SECONDS:.0f} s, seed {SEED}", flush=True)
    with Stage(sys.argv[1], "children-kill") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("family")
        node.start()
        client = await Client.connect(node.address)
        started: list[str] = []
        end = time.monotonic() + SECONDS
        async with Worker(
            client, task_queue=QUEUE, workflows=[Family, *RELATED], workflow_runner=UnsandboxedWorkflowRunner()):
            await asyncio.gather(
                disturb(node, end, random.Random(SEED)), *[produce(client, end, number, started) for number in range(4)])
            print(f"children_kill: {len(started)} families, {node.kills} kills; waiting for the ends", flush=True)
            await check(client, stage, started)
        stage.verify()
        assert len(started) > 10
        stage.passed = True
    print(f"children_kill: {len(started)} families, {node.kills} kills: all as their code says, nothing twice")
    print("1 passed, 0 failed")


if __name__ == "__main__":
    asyncio.run(main())
