"""Servers that the fault scenarios kill, and what must hold afterwards."""
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

POSTGRES = "/usr/lib/postgresql/15/bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_file(path: pathlib.Path, process: subprocess.Popen, what: str) -> dict:
    end = time.monotonic() + 90
    while not (path.exists() and path.stat().st_size):
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < end, f"{what} was not ready in 90 s"
        time.sleep(0.05)
    return json.loads(path.read_text())


class Node:
    """One `aloft server start`, which may be killed and started again."""

    def __init__(self, stage: "Stage", name: str):
        self.stage = stage
        self.name = name
        self.grpc_port = free_port()
        self.http_port = free_port()
        self.starts = 0
        self.kills = 0
        self.process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def start(self) -> None:
        """Returns when it takes requests. While the database is away a start may fail: it is repeated, as a supervisor would."""
        end = time.monotonic() + 60
        while True:
            self.starts += 1
            ready = self.stage.folder / f"ready-{self.name}-{self.starts}.json"
            self.process = subprocess.Popen(
                [
                    self.stage.aloft, "server", "start", "--database-url", self.stage.database, "--nats-url", self.stage.nats_url,
                    "--grpc-port", str(self.grpc_port), "--http-port", str(self.http_port), "--node", self.name,
                    "--ready-file", str(ready),
                ],
                stdout=self.stage.log,
                stderr=self.stage.log,
            )
            try:
                wait_file(ready, self.process, f"node {self.name}")
                return
            except AssertionError:
                self.kill()
                if time.monotonic() > end:
                    raise

    def kill(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.kills += 1
        if self.process:
            self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Stage:
    """A private Postgres, a private NATS and any number of nodes, all children of ours in one folder."""

    def __init__(self, aloft: str, prefix: str):
        self.aloft = os.path.abspath(aloft)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"aloft-{prefix}."))
        # Postgres refuses to run as root: its own user must be able to reach its folder.
        self.folder.chmod(0o755)
        self.log = open(self.folder / "server.log", "ab")
        self.nats_port = free_port()
        self.nats_url = f"nats://127.0.0.1:{self.nats_port}"
        self.infrastructure: subprocess.Popen | None = None
        self.nats: subprocess.Popen | None = None
        self.nodes: list[Node] = []
        self.wipes = 0
        self.broker_stops = 0
        self.infrastructure_starts = 0
        self.database = ""
        self.passed = False

    def node(self, name: str) -> Node:
        node = Node(self, name)
        self.nodes.append(node)
        return node

    # Postgres

    def start_infrastructure(self) -> None:
        self.infrastructure_starts += 1
        ready = self.folder / f"infrastructure-{self.infrastructure_starts}.json"
        self.infrastructure = subprocess.Popen(
            [self.aloft, "server", "infrastructure", "--data", str(self.folder / "data"), "--no-nats", "--ready-file", str(ready)],
            stdout=self.log,
            stderr=self.log,
        )
        self.database = wait_file(ready, self.infrastructure, "the infrastructure")["databaseURL"]

    def postmaster(self) -> int:
        return int((self.folder / "data/postgres/data/postmaster.pid").read_text().split()[0])

    def crash_postgres(self) -> None:
        """kill -9 of the postmaster; the backends notice and end, then the server recovers from its log."""
        os.kill(self.postmaster(), signal.SIGKILL)
        self.infrastructure.send_signal(signal.SIGKILL)
        self.infrastructure.wait()
        end = time.monotonic() + 60
        while True:
            try:
                self.start_infrastructure()
                return
            except AssertionError:
                # Backends of the dead postmaster still hold its shared memory.
                assert time.monotonic() < end, "Postgres did not come back"
                time.sleep(0.2)

    def sql(self, text: str) -> list[list[str]]:
        output = subprocess.run(
            [f"{POSTGRES}/psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", text],
            check=True, capture_output=True, text=True, timeout=60,
        ).stdout
        return [line.split("\t") for line in output.splitlines()]

    # NATS

    def start_nats(self) -> None:
        self.nats = subprocess.Popen(
            ["nats-server", "-js", "-sd", str(self.folder / "jetstream"), "-a", "127.0.0.1", "-p", str(self.nats_port)],
            stdout=self.log,
            stderr=self.log,
        )

    def stop_nats(self, wipe: bool) -> None:
        self.nats.kill()
        self.nats.wait()
        self.broker_stops += 1
        if wipe:
            shutil.rmtree(self.folder / "jetstream", ignore_errors=True)
            self.wipes += 1

    # What must hold

    def read_feed(self) -> dict[str, list[int]]:
        """Event ids by run, in the order of the stream, repetitions dropped."""
        output = subprocess.run(
            [self.aloft, "feed", "tail", "--all", "--output", "json", "--subject", "aloft.*.history.>", "--nats-url", self.nats_url],
            check=True, capture_output=True, text=True, timeout=300,
        ).stdout
        events: dict[str, list[int]] = {}
        for line in output.splitlines():
            headers = json.loads(line)["headers"]
            run, event = headers["ce-id"].rsplit("/", 1)
            events.setdefault(run, []).append(int(event))
        return events

    def wait_for_feed(self, seconds: float = 90) -> int:
        """Every stored event of every run is on the stream, in order. Returns how many."""
        stored = {run: int(last) for run, last in self.sql("select run_id, max(event_id) from aloft.events group by run_id")}
        end = time.monotonic() + seconds
        while True:
            feed = self.read_feed()
            wrong = [run for run, last in stored.items() if feed.get(run) != list(range(1, last + 1))]
            if not wrong:
                return sum(stored.values())
            assert time.monotonic() < end, (
                f"{len(wrong)} of {len(stored)} runs wrong on the stream, e.g. {wrong[0]}: {feed.get(wrong[0])} of {stored[wrong[0]]}"
            )
            time.sleep(1)

    def verify(self) -> None:
        """Hash chains, dense event ids, snapshots."""
        checked = subprocess.run(
            [self.aloft, "replay", "verify", "--database-url", self.database], capture_output=True, text=True, timeout=600
        )
        assert checked.returncode == 0, f"replay verify: {checked.stdout[-2000:]}{checked.stderr[-2000:]}"

    # Life

    def stop(self) -> None:
        for process in [*[node.process for node in self.nodes], self.nats, self.infrastructure]:
            if process and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    print(f"process {process.args[:3]} did not stop in 30 s: killed", file=sys.stderr)
                    process.kill()
                    process.wait()
        self.log.close()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, kind, value, trace) -> None:
        self.stop()
        if self.passed:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print((self.folder / "server.log").read_text(errors="replace")[-6000:], file=sys.stderr)
            print(f"files kept in {self.folder}", file=sys.stderr)


def seed_of(variable: str) -> int:
    return int(os.environ.get(variable, str(random.randrange(1 << 30))))
