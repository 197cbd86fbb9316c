"""Two servers on one database: both take traffic, lanes move between them, one is frozen and one is killed; nobody writes twice.

    two_nodes.py ALOFT_BINARY [SECONDS]

A request for a lane of the other node answers UNAVAILABLE; a client turns to the other one. The scenario:
1. lanes are given from one node to the other by hand again and again, so that both work and lanes change hands under load;
2. node a is frozen (SIGSTOP) for longer than its leases last, b takes its lanes, a wakes up believing it still has them;
3. node a is killed with -9, b takes its lanes over and finishes what a began.
"""
import asyncio
import random
import sys
import time

from temporalio.client import Client
from temporalio.service import RetryConfig

from load import Load, open_runs
from stage import Node, Stage, seed_of

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 40
SEED = seed_of("FAULT_SEED")
PRODUCERS = 6
LANES = 16


def owners(stage: Stage) -> dict[str, int]:
    return {
        node: int(count)
        for node, count in stage.sql(
            "select owner, count(*) from aloft.lanes where owner is not null and expires_at > clock_timestamp() group by owner"
        )
    }


def give(stage: Stage, node: str, lanes: list[int]) -> None:
    """What an operator would do to spread the lanes: the old owner is shut out at once, the new one finds them when it renews."""
    chosen = ",".join(str(lane) for lane in lanes)
    stage.sql(
        f"update aloft.lanes set owner = '{node}', expires_at = clock_timestamp() + interval '10 s', epoch = epoch + 1 "
        f"where lane in ({chosen})"
    )


async def until_owned(stage: Stage, node: str, count: int, seconds: float) -> float:
    begun = time.monotonic()
    while owners(stage).get(node, 0) < count:
        assert time.monotonic() - begun < seconds, f"{node} did not get {count} lanes in {seconds:.0f} s: {owners(stage)}"
        await asyncio.sleep(0.2)
    return time.monotonic() - begun


async def disturb(stage: Stage, a: Node, b: Node, seconds: float, dice: random.Random, notes: dict) -> None:
    shared = 0
    end = time.monotonic() + seconds / 2
    while time.monotonic() < end:
        for node in ("a", "b"):
            await asyncio.to_thread(give, stage, node, dice.sample(range(LANES), LANES // 4))
        await asyncio.sleep(dice.uniform(1, 5))
        shared += len(owners(stage)) == 2
    notes["moments with both nodes owning lanes"] = shared
    a.freeze()
    notes["takeover from the frozen node, s"] = round(await until_owned(stage, "b", LANES, 60), 1)
    await asyncio.sleep(2)
    a.thaw()
    await asyncio.sleep(3)
    give(stage, "a", dice.sample(range(LANES), LANES // 2))
    await asyncio.sleep(5)
    a.kill()
    notes["takeover from the killed node, s"] = round(await until_owned(stage, "b", LANES, 60), 1)
    await asyncio.sleep(2)


async def main() -> None:
    print(f"two nodes: {SECONDS:.0f} s, seed {SEED}", flush=True)
    notes: dict = {}
    with Stage(sys.argv[1], "nodes") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        a, b = stage.node("a"), stage.node("b")
        a.start()
        b.start()
        # A refused call goes to the other node at once.
        patience = RetryConfig(initial_interval_millis=50, max_interval_millis=100, max_retries=1)
        clients = [await Client.connect(node.address, retry_config=patience) for node in (a, b)]
        load = Load(SEED, clients)
        stopping = asyncio.Event()

        async def produce() -> None:
            while not stopping.is_set():
                await load.start_one()

        async def disturb_and_stop() -> None:
            await disturb(stage, a, b, SECONDS, random.Random(SEED), notes)
            stopping.set()

        async with load.worker(clients[1]):
            async with load.worker(clients[0]):
                await asyncio.gather(disturb_and_stop(), *[produce() for _ in range(PRODUCERS)])
                print(f"two nodes: {len(load.started)} starts, {notes}; waiting for the ends", flush=True)
                load.clients = [clients[1]]
                await load.collect()
                open_runs(stage)
                # The worker of the killed node cannot say good-bye to it: give it somebody to say it to.
                await asyncio.to_thread(a.start)
        events = stage.wait_for_feed()
        stage.verify()
        stage.passed = True
    print(
        f"two nodes: {len(load.started)} starts, {load.refused} refused calls, {notes}: all ended, "
        f"{events} events on the stream in order, chains agree"
    )
    print("1 passed, 0 failed")


if __name__ == "__main__":
    asyncio.run(main())
