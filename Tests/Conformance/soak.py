"""A soak: the server is killed with -9 every few seconds, NATS is stopped, wiped and started in between, work goes on.

    soak.py ALOFT_BINARY [SECONDS]

Passes when no acknowledged start is lost, every run ends, every event of every run is on the stream once and in order after
de-duplication, and all hash chains and snapshots agree with the stored events.
"""
import asyncio
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from harness import unique
from workflows import ACTIVITIES, WORKFLOWS, Chat, Hello, Naps, Parallel

ALOFT = os.path.abspath(sys.argv[1])
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
SEED = int(os.environ.get("SOAK_SEED", str(random.randrange(1 << 30))))
STARTS_AT_ONCE = 8


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_file(path: pathlib.Path, process: subprocess.Popen, what: str) -> dict:
    end = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < end, f"{what} was not ready in 60 s"
        time.sleep(0.05)
    return json.loads(path.read_text())


class Stage:
    """The servers of the soak, each a child of ours."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.port = free_port()
        self.nats_port = free_port()
        self.log = open(folder / "server.log", "ab")
        self.infrastructure = None
        self.nats = None
        self.server = None
        self.kills = 0
        self.wipes = 0

    def start_infrastructure(self) -> None:
        ready = self.folder / "infrastructure.json"
        self.infrastructure = subprocess.Popen(
            [ALOFT, "server", "infrastructure", "--data", str(self.folder / "data"), "--no-nats", "--ready-file", str(ready)],
            stdout=self.log,
            stderr=self.log,
        )
        self.database = wait_file(ready, self.infrastructure, "the infrastructure")["databaseURL"]

    def start_nats(self) -> None:
        self.nats = subprocess.Popen(
            ["nats-server", "-js", "-sd", str(self.folder / "jetstream"), "-a", "127.0.0.1", "-p", str(self.nats_port)],
            stdout=self.log,
            stderr=self.log,
        )

    def stop_nats(self, wipe: bool) -> None:
        self.nats.kill()
        self.nats.wait()
        if wipe:
            shutil.rmtree(self.folder / "jetstream", ignore_errors=True)
            self.wipes += 1

    def start_server(self) -> None:
        ready = self.folder / f"ready-{self.kills}.json"
        self.server = subprocess.Popen(
            [
                ALOFT, "server", "start", "--database-url", self.database, "--nats-url", f"nats://127.0.0.1:{self.nats_port}",
                "--grpc-port", str(self.port), "--http-port", "0", "--node", "soak", "--ready-file", str(ready),
            ],
            stdout=self.log,
            stderr=self.log,
        )
        wait_file(ready, self.server, "the server")

    def kill_server(self) -> None:
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.kills += 1

    def stop(self) -> None:
        for process in (self.server, self.nats, self.infrastructure):
            if process and process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.log.close()


async def keep_trying(call, until: float):
    while True:
        try:
            return await call()
        except RPCError:
            assert time.monotonic() < until, "a call found no server in time"
            await asyncio.sleep(0.1)


async def disturb(stage: Stage, end: float, dice: random.Random) -> None:
    while time.monotonic() < end:
        await asyncio.sleep(5)
        if dice.random() < 0.4:
            stage.stop_nats(wipe=dice.random() < 0.5)
            await asyncio.sleep(dice.uniform(0, 1))
            stage.start_nats()
        stage.kill_server()
        await asyncio.to_thread(stage.start_server)


async def produce(client: Client, queue: str, started: list, end: float, dice: random.Random) -> None:
    while time.monotonic() < end:
        kind = dice.randrange(4)
        run, arguments = [(Hello.run, ["soak"]), (Naps.run, [dice.randrange(10, 3000)]), (Parallel.run, [3]), (Chat.run, [])][kind]
        workflow_id = unique("soak")
        try:
            handle = await client.start_workflow(run, args=arguments, id=workflow_id, task_queue=queue)
        except RPCError:
            continue  # not acknowledged: it may or may not exist
        started.append((handle, kind))
        if kind == 3:
            until = time.monotonic() + 60
            for line in range(3):
                await keep_trying(lambda line=line: handle.signal(Chat.say, f"{line}"), until)
            await keep_trying(lambda: handle.signal(Chat.finish), until)


async def collect(started: list) -> dict[str, int]:
    until = time.monotonic() + 120
    lengths: dict[str, int] = {}
    for handle, kind in started:
        result = await keep_trying(lambda handle=handle: asyncio.wait_for(handle.result(), 90), until)
        if kind == 0:
            assert result == "Hello, soak!", (handle.id, result)
        if kind == 2:
            assert result == [1, 2, 3], (handle.id, result)
        if kind == 3:
            # A signal whose answer was lost may have been sent again by us: at least once, in order.
            assert sorted(set(result)) == ["0", "1", "2"], (handle.id, result)
        description = await handle.describe()
        lengths[f"{handle.id}"] = description.history_length
    return lengths


def read_feed(stage: Stage) -> dict[str, list[int]]:
    output = subprocess.run(
        [ALOFT, "feed", "tail", "--all", "--output", "json", "--nats-url", f"nats://127.0.0.1:{stage.nats_port}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    events: dict[str, list[int]] = {}
    for line in output.splitlines():
        headers = json.loads(line)["headers"]
        events.setdefault(headers["ce-subject"], []).append(int(headers["ce-sequence"]))
    return events


async def wait_for_feed(stage: Stage, lengths: dict[str, int]) -> None:
    end = time.monotonic() + 60
    while True:
        events = await asyncio.to_thread(read_feed, stage)
        missing = [w for w, n in lengths.items() if events.get(w, []) != list(range(1, n + 1))]
        if not missing:
            return
        assert time.monotonic() < end, f"{len(missing)} runs wrong on the stream, e.g. {missing[0]}: {events.get(missing[0])} of {lengths[missing[0]]}"
        await asyncio.sleep(0.5)


async def main() -> None:
    print(f"soak: {SECONDS:.0f} s, seed {SEED}", flush=True)
    dice = random.Random(SEED)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="aloft-soak."))
    stage = Stage(folder)
    passed = False
    try:
        stage.start_infrastructure()
        stage.start_nats()
        stage.start_server()
        client = await Client.connect(f"127.0.0.1:{stage.port}")
        queue = unique("soak")
        started: list = []
        end = time.monotonic() + SECONDS
        async with Worker(
            client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
        ):
            await asyncio.gather(
                disturb(stage, end, dice), *[produce(client, queue, started, end, dice) for _ in range(STARTS_AT_ONCE)]
            )
            lengths = await collect(started)
        await wait_for_feed(stage, lengths)
        subprocess.run([ALOFT, "replay", "verify", "--database-url", stage.database], check=True, timeout=300)
        assert len(started) > 20, f"only {len(started)} starts were acknowledged"
        print(f"soak: {len(started)} starts, {stage.kills} kills, {stage.wipes} wiped streams: all ended, all on the stream")
        passed = True
        print("1 passed, 0 failed")
    finally:
        stage.stop()
        if not passed:
            print(pathlib.Path(folder / "server.log").read_text()[-6000:], file=sys.stderr)
            print(f"seed {SEED}, files in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


asyncio.run(main())
