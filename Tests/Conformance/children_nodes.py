"""Families of workflows over two nodes: children_nodes.py ALOFT_BINARY

Each node owns half of the lanes, so parents, children and peers live on different nodes and their messages cross over. Passes when
every parent ends with the right result, every child ran once and every signal arrived once.
"""
import asyncio
import sys

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from children_kill import CHILDREN, QUEUE, SIGNALS, Family
from related_workflows import RELATED, Peer
from stage import Stage
from two_nodes import give, until_owned

FAMILIES = 20


async def start(clients: list[Client], run, name: str) -> int:
    """Starts at whichever node owns the lane; says which."""
    for attempt in range(100):
        try:
            await clients[attempt % 2].start_workflow(run, id=name, task_queue=QUEUE)
            return attempt % 2
        except RPCError as error:
            assert error.status.name == "UNAVAILABLE", error
            await asyncio.sleep(0.05)
    raise AssertionError(f"nobody takes {name}")


async def main() -> None:
    with Stage(sys.argv[1], "children-nodes") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        a, b = stage.node("a"), stage.node("b")
        a.start()
        b.start()
        await asyncio.to_thread(give, stage, "b", list(range(8)))
        await until_owned(stage, "b", 8, 30)
        clients = [await Client.connect(node.address) for node in (a, b)]
        workers = [
            Worker(client, task_queue=QUEUE, workflows=[Family, *RELATED], workflow_runner=UnsandboxedWorkflowRunner())
            for client in clients
        ]
        async with workers[0], workers[1]:
            names = [f"family-{number}" for number in range(FAMILIES)]
            homes = []
            for name in names:
                await start(clients, Peer.run, f"{name}-peer")
                homes.append(await start(clients, Family.run, name))
            assert set(homes) == {0, 1}, "all parents live on one node"
            for name, home in zip(names, homes):
                result = await asyncio.wait_for(clients[home].get_workflow_handle(name).result(), 60)
                assert result == [f"child of {name}"] * CHILDREN, result
        counts = {int(kind): int(count) for kind, count in stage.sql("select type, count(*) from aloft.events group by type")}
        assert counts[29] == counts[31] == FAMILIES * (CHILDREN + 2), counts
        assert counts[32] == FAMILIES * CHILDREN, counts
        assert counts[37] == counts[39] == counts[26] == FAMILIES * (SIGNALS + 1), counts
        stage.verify()
        stage.passed = True
    print(f"children_nodes: {FAMILIES} families over two nodes: all as their code says, nothing twice")
    print("1 passed, 0 failed")


if __name__ == "__main__":
    asyncio.run(main())
