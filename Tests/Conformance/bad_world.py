"""The server that is given bad input, and the requests that are made worse."""
import os
import random
import socket
import subprocess
import urllib.error
import urllib.request
from datetime import timedelta

from google.protobuf import duration_pb2
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from harness import unique
from stage import POSTGRES

S = RPCStatusCode
BLOB_MAX = 2 << 20
MESSAGE_MAX = 4 << 20
SEED = int(os.environ.get("BAD_SEED", "20261121"))
TABLES = [
    "aloft.runs", "aloft.events", "aloft.activity_attempts", "aloft.outbox", "aloft.operations", "aloft.requests",
    "aloft.namespaces", "outbox.event",
]


class World:
    """The server under test."""

    def __init__(self, ready: dict, client: Client):
        self.grpc = ready["grpc"]
        self.grpc_port = int(ready["grpcPort"])
        self.http = ready["http"]
        self.http_port = int(ready["httpPort"])
        self.database = ready["databaseURL"]
        self.client = client
        self.service = client.workflow_service
        self.dice = random.Random(SEED)

    def written(self) -> str:
        counts = " || ' ' || ".join(f"(select count(*) from {table})" for table in TABLES)
        marks = "(select coalesce(sum(version), 0) from aloft.runs)"
        return subprocess.run(
            [f"{POSTGRES}/psql", "-X", "-A", "-t", "-d", self.database, "-c", f"select {counts} || ' ' || {marks}"],
            check=True, capture_output=True, text=True, timeout=30,
        ).stdout.strip()

    async def refused(self, call, status: S, text: str = "") -> RPCError:
        """`call` answers `status` with `text` in its message."""
        try:
            await call
        except RPCError as error:
            assert error.status == status, f"expected {status.name}, got {error.status.name}: {error.message}"
            assert text.lower() in error.message.lower(), f"expected «{text}», got «{error.message}»"
            return error
        raise AssertionError(f"it was accepted; expected {status.name} «{text}»")

    async def answers(self) -> None:
        assert await self.client.service_client.check_health(timeout=timedelta(seconds=10))
        # The second request goes the whole way to the store.
        handle = self.client.get_workflow_handle(unique("nobody"))
        await self.refused(handle.describe(), S.NOT_FOUND)

    async def open_run(self) -> WorkflowExecution:
        """A run that waits for a worker that never comes."""
        handle = await self.client.start_workflow("Waits", id=unique("waits"), task_queue=unique("nobody"))
        return WorkflowExecution(workflow_id=handle.id, run_id=handle.first_execution_run_id)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict | None = None) -> tuple[int, dict, bytes]:
        request = urllib.request.Request(f"{self.http}{path}", data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def connect(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=10)


def start(**changes) -> api.StartWorkflowExecutionRequest:
    request = api.StartWorkflowExecutionRequest(
        namespace="default", workflow_id=unique("bad"), workflow_type=WorkflowType(name="Any"), task_queue=TaskQueue(name="q"),
        request_id=unique("request"), identity="bad-input",
    )
    for name, value in changes.items():
        if value is None:
            request.ClearField(name)
        elif isinstance(value, (str, int, bytes)):
            setattr(request, name, value)
        else:
            getattr(request, name).CopyFrom(value)
    return request


def payloads(size: int, dice: random.Random | None = None) -> Payloads:
    data = dice.randbytes(size) if dice else b"x" * size
    return Payloads(payloads=[Payload(metadata={"encoding": b"binary/plain"}, data=data)])


def span(seconds: int) -> duration_pb2.Duration:
    return duration_pb2.Duration(seconds=seconds)
