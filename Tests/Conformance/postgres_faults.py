"""Postgres loses its backends in a loop, and its postmaster by kill -9, while a load runs; then nothing is lost.

    postgres_faults.py ALOFT_BINARY [SECONDS]
"""
import asyncio
import random
import sys
import time

from temporalio.client import Client

from load import Load, open_runs
from postgres_lapses import terminate_backends
from stage import Stage, seed_of

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 40
SEED = seed_of("FAULT_SEED")
PRODUCERS = 6


async def disturb(stage: Stage, seconds: float, dice: random.Random, counts: dict) -> None:
    end = time.monotonic() + seconds
    next_crash = time.monotonic() + seconds / 3
    while time.monotonic() < end:
        await asyncio.sleep(dice.uniform(0.05, 0.5))
        counts["terminated"] += await asyncio.to_thread(terminate_backends, stage, dice.choice([0.2, 0.5, 1.0]))
        if time.monotonic() > next_crash:
            await asyncio.to_thread(stage.crash_postgres)
            counts["crashes"] += 1
            next_crash = time.monotonic() + seconds / 3


async def main() -> None:
    print(f"postgres faults: {SECONDS:.0f} s, seed {SEED}", flush=True)
    counts = {"terminated": 0, "crashes": 0}
    with Stage(sys.argv[1], "pgfaults") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("pgfaults")
        node.start()
        client = await Client.connect(node.address)
        load = Load(SEED, [client])
        async with load.worker(client):
            await asyncio.gather(
                disturb(stage, SECONDS, random.Random(SEED), counts), *[load.produce(SECONDS) for _ in range(PRODUCERS)]
            )
            print(f"postgres faults: {len(load.started)} starts, {counts}; waiting for the ends", flush=True)
            await load.collect()
            open_runs(stage)
        assert node.process.poll() is None, "the server ended"
        events = stage.wait_for_feed()
        stage.verify()
        assert len(load.started) > 20, f"only {len(load.started)} starts were acknowledged"
        stage.passed = True
    print(
        f"postgres faults: {len(load.started)} starts, {load.refused} refused calls, {counts['terminated']} backends terminated, "
        f"{counts['crashes']} postmasters killed: all ended, {events} events on the stream in order, chains agree"
    )
    print("1 passed, 0 failed")


asyncio.run(main())
