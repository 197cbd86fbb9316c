"""What the cases of kills.py have in common: a server that goes away, and requests that are repeated until they are answered."""
import asyncio
import time

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError

from stage import Node, Stage

# What a request may meet while the server is away or just back.
PASSING = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL", "RESOURCE_EXHAUSTED", "ABORTED"}
QUEUE = "kills"


class Scene:
    def __init__(self, stage: Stage, node: Node, client: Client, names: set[str]):
        self.stage, self.node, self.client, self.queue = stage, node, client, QUEUE
        # Set when the server is killed no more.
        self.calm = asyncio.Event()
        self._missing = set(names)
        self._middle = asyncio.Event()
        self._going_on = asyncio.Event()

    def case(self, name: str) -> "Case":
        return Case(self, name)

    def leave(self, name: str) -> None:
        """A case is in its middle, or will never be."""
        self._missing.discard(name)
        if not self._missing:
            self._middle.set()

    async def all_in_the_middle(self) -> None:
        try:
            await asyncio.wait_for(self._middle.wait(), 45)
        except asyncio.TimeoutError:
            print(f"kills: not in their middle after 45 s: {sorted(self._missing)}", flush=True)

    def go_on(self) -> None:
        self._going_on.set()

    async def until_killed(self) -> None:
        await self._going_on.wait()


class Case:
    """One case: its name is the workflow id of what it starts."""

    def __init__(self, scene: Scene, name: str):
        self.scene, self.name, self.client = scene, name.replace("_", "-"), scene.client
        self.service, self.stage, self.queue = scene.client.workflow_service, scene.stage, scene.queue
        self._key = name

    async def middle(self) -> None:
        """Everything is under way: here the server is killed for the first time."""
        self.scene.leave(self._key)
        await within(60, f"{self.name}: the first kill", self.scene.until_killed())

    async def insist(self, what: str, call, seconds: float = 45):
        """Repeats a request until it is answered, by yes or by no."""
        end = time.monotonic() + seconds
        while True:
            try:
                return await asyncio.wait_for(call(), 15)
            except (RPCError, asyncio.TimeoutError, RuntimeError) as error:
                if isinstance(error, RPCError) and error.status.name not in PASSING:
                    raise
                assert time.monotonic() < end, f"{self.name}: {what} was not answered in {seconds} s: {error}"
                await asyncio.sleep(0.05)

    async def twice(self, what: str, call):
        """Asks, and asks the same again: the second answer is the first one's."""
        first = await self.insist(what, call)
        again = await self.insist(f"{what}, repeated", call)
        assert first == again, f"{self.name}: {what}: {first}, then {again}"
        return first

    async def until(self, what: str, check, seconds: float = 45):
        """Asks again until the answer is a true one."""
        end = time.monotonic() + seconds
        while True:
            try:
                if found := await asyncio.wait_for(check(), 15):
                    return found
            except (RPCError, asyncio.TimeoutError) as error:
                if isinstance(error, RPCError) and error.status.name not in PASSING | {"NOT_FOUND"}:
                    raise
            assert time.monotonic() < end, f"{self.name}: {what} did not come true in {seconds} s"
            await asyncio.sleep(0.1)

    def request(self, workflow: str, queue: str = "", id: str = "", **fields) -> StartWorkflowExecutionRequest:
        request = StartWorkflowExecutionRequest(
            namespace="default", workflow_id=id or self.name, request_id=f"{id or self.name}-start", identity="kills", **fields)
        request.workflow_type.name = workflow
        request.task_queue.name = queue or self.queue
        return request

    async def start(self, request: StartWorkflowExecutionRequest):
        """Starts a run, and the same again: it is one run."""
        answer = await self.insist(f"the start of {request.workflow_id}", lambda: self.service.start_workflow_execution(request))
        again = await self.insist(f"the start of {request.workflow_id}, repeated", lambda: self.service.start_workflow_execution(request))
        assert answer.run_id == again.run_id, f"{request.workflow_id} was started twice: {answer.run_id}, {again.run_id}"
        return self.client.get_workflow_handle(request.workflow_id, run_id=answer.run_id)

    async def result(self, id: str = ""):
        handle = self.client.get_workflow_handle(id or self.name)
        return await self.insist(f"the result of {handle.id}", lambda: handle.result(rpc_timeout=None))

    async def signal(self, name: str, *args, id: str = "") -> None:
        """Twice under one request id: it arrives once."""
        target = id or self.name
        request = SignalWorkflowExecutionRequest(
            namespace="default", workflow_execution=WorkflowExecution(workflow_id=target), signal_name=name,
            request_id=f"{target}/{name}/{args}", identity="kills")
        if args:
            request.input.payloads.extend(await self.client.data_converter.encode(args))
        for _ in range(2):
            await self.insist(f"the signal {name} to {target}", lambda: self.service.signal_workflow_execution(request))

    async def stop(self, id: str = "") -> None:
        """Ends a workflow that waits for it; when it has ended already, the answer was lost."""
        try:
            await self.signal("stop", id=id)
        except RPCError as error:
            if error.status.name != "NOT_FOUND":
                raise

    async def sql(self, text: str) -> list[list[str]]:
        return await asyncio.to_thread(self.stage.sql, text)

    async def kinds(self, run: str) -> list[str]:
        """The types of a stored history, in order."""
        rows = await self.sql(f"select type from aloft.events where run_id = '{run}' order by event_id")
        return [EventType.Name(int(row[0])).removeprefix("EVENT_TYPE_") for row in rows]

    async def runs(self, id: str = "") -> list[str]:
        """Every stored run of a workflow id."""
        return [row[0] for row in await self.sql(f"select run_id from aloft.runs where workflow_id = '{id or self.name}'")]

    async def only_run(self, id: str = "") -> str:
        runs = await self.runs(id)
        assert len(runs) == 1, f"{id or self.name} has {len(runs)} runs: {runs}"
        return runs[0]


async def within(seconds: float, what: str, awaitable):
    try:
        return await asyncio.wait_for(awaitable, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain for {what}") from None


def execution(id: str, run: str = "") -> WorkflowExecution:
    return WorkflowExecution(workflow_id=id, run_id=run)
