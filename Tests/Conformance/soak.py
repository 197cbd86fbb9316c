"""A soak: the server is killed with -9 every few seconds, NATS is stopped, wiped and started in between, work goes on.

    soak.py ALOFT_BINARY [SECONDS]

Passes when no acknowledged start is lost, every run ends, every stored event of every run is on the stream in order after
de-duplication, and all hash chains and snapshots agree with the stored events. SOAK_SEED repeats a seed.
"""
import asyncio
import random
import sys
import time

from temporalio.client import Client

from load import Load, open_runs
from stage import Node, Stage, seed_of

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
SEED = seed_of("SOAK_SEED")
PRODUCERS = 8
KILL_EVERY = 5


async def disturb(stage: Stage, node: Node, end: float, dice: random.Random) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(KILL_EVERY)
        if dice.random() < 0.4:
            stage.stop_nats(wipe=dice.random() < 0.5)
            await asyncio.sleep(dice.uniform(0, 1))
            stage.start_nats()
        node.kill()
        await asyncio.to_thread(node.start)


async def main() -> None:
    print(f"soak: {SECONDS:.0f} s, seed {SEED}", flush=True)
    with Stage(sys.argv[1], "soak") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("soak")
        node.start()
        client = await Client.connect(node.address)
        load = Load(SEED, [client])
        end = time.monotonic() + SECONDS
        async with load.worker(client):
            await asyncio.gather(
                disturb(stage, node, end, random.Random(SEED)), *[load.produce(SECONDS) for _ in range(PRODUCERS)]
            )
            print(f"soak: {len(load.started)} starts acknowledged, {node.kills} kills; waiting for the ends", flush=True)
            await load.collect()
            open_runs(stage)
        events = stage.wait_for_feed()
        stage.verify()
        assert len(load.started) > 20, f"only {len(load.started)} starts were acknowledged"
        stage.passed = True
    print(
        f"soak: {len(load.started)} starts, {load.refused} refused calls, {node.kills} kills, {stage.broker_stops} broker stops, "
        f"{stage.wipes} wiped streams: all ended, {events} events on the stream in order, chains agree"
    )
    print("1 passed, 0 failed")


asyncio.run(main())
