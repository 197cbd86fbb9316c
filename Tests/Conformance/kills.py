"""Every primitive while the server is killed with -9: kills.py ALOFT_BINARY [NAME]

All cases of kills_cases.py run at once on one server. Each goes to its middle and waits there; then the server is killed, and again
a few times at random moments while the cases repeat their requests and go on. Passes when every case ends as its code says, what was
asked twice under one id was done once, and all hash chains and snapshots agree. KILL_SEED repeats a seed.
"""
import asyncio
import os
import random
import sys
import time
import traceback

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import kills_cases
from kills_scene import Scene
from kills_workflows import ACTIVITIES, WORKFLOWS
from stage import Stage, seed_of

SEED = seed_of("KILL_SEED")
KILLS = 4


async def play(scene: Scene, dice: random.Random) -> None:
    """Kills when all are in their middle, then at random moments."""
    await scene.all_in_the_middle()
    for number in range(KILLS):
        if number:
            await asyncio.sleep(dice.uniform(0.2, 1.5))
        else:
            scene.go_on()
        await asyncio.to_thread(scene.node.kill)
        await asyncio.to_thread(scene.node.start)
    scene.calm.set()


async def one(scene: Scene, name: str, case) -> str:
    """What went wrong in a case, or nothing."""
    began = time.monotonic()
    try:
        await asyncio.wait_for(case(scene.case(name)), 60)
    except BaseException:
        return f"FAILED  {name}\n{traceback.format_exc()}"
    finally:
        scene.leave(name)
    print(f"ok      {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return ""


async def main() -> int:
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    cases = {n.removeprefix("case_"): f for n, f in sorted(vars(kills_cases).items()) if n.startswith("case_") and only in n}
    print(f"kills: {len(cases)} cases, seed {SEED}", flush=True)
    with Stage(sys.argv[1], "kills") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("one")
        node.start()
        client = await Client.connect(node.address)
        scene = Scene(stage, node, client, set(cases))
        await kills_cases.prepare(scene)
        async with Worker(
            client, task_queue=scene.queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()):
            playing = asyncio.create_task(play(scene, random.Random(SEED)))
            failures = [text for text in await asyncio.gather(*[one(scene, name, case) for name, case in cases.items()]) if text]
            await asyncio.wait_for(playing, 60)
        if not failures:
            stage.verify()
        print("\n".join(failures), flush=True)
        stage.passed = not failures
        print(f"{len(cases) - len(failures)} passed, {len(failures)} failed; {node.kills} kills, seed {SEED}", flush=True)
        return 1 if failures else 0


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.stdout.flush()
    # Without the interpreter's end: the SDK's threads may crash it there.
    os._exit(code)
