"""Workflows for kills.py: each uses one primitive, and what it returns says whether it was used once."""
import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError

STEP = SearchAttributeKey.for_int("KillStep")
SHORT = timedelta(seconds=60)
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=1))

local_runs: dict[str, int] = {}
tokens: dict[str, bytes] = {}


@activity.defn
async def counted(name: str) -> int:
    """A local activity: how often it ran."""
    local_runs[name] = local_runs.get(name, 0) + 1
    return local_runs[name]


@activity.defn
async def elsewhere() -> str:
    """Is answered by somebody else."""
    tokens[activity.info().workflow_id] = activity.info().task_token
    activity.raise_complete_async()


@workflow.defn
class Notes:
    """Collects signals and updates until it is told to stop."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.is_released = False
        self.is_stopped = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.is_stopped and workflow.all_handlers_finished())
        return self.notes

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)

    @workflow.signal
    def release(self) -> None:
        self.is_released = True

    @workflow.signal
    def stop(self) -> None:
        self.is_stopped = True

    @workflow.query
    def so_far(self) -> list[str]:
        return self.notes

    @workflow.update
    async def add(self, text: str) -> int:
        self.notes.append(text)
        return len(self.notes)

    @workflow.update
    async def add_when_released(self, text: str) -> int:
        await workflow.wait_condition(lambda: self.is_released)
        self.notes.append(text)
        return len(self.notes)


@workflow.defn
class Chain:
    """Continues as new until nothing is left, and names its runs."""

    @workflow.run
    async def run(self, left: int, past: list[str]) -> list[str]:
        await workflow.sleep(0.05)
        past = [*past, workflow.info().run_id]
        if left:
            workflow.continue_as_new(args=[left - 1, past])
        return past


@workflow.defn
class Stubborn:
    """Fails until its attempt is the asked one."""

    @workflow.run
    async def run(self, attempts: int) -> int:
        if workflow.info().attempt < attempts:
            raise ApplicationError(f"attempt {workflow.info().attempt}")
        return workflow.info().attempt


@workflow.defn
class Ticks:
    """Counts the runs of its cron."""

    @workflow.run
    async def run(self) -> int:
        last = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else 0
        return last + 1


@workflow.defn
class Local:
    """Local activities, patches, a memo and search attributes, with timers between them."""

    @workflow.run
    async def run(self, steps: int) -> list[int]:
        workflow.upsert_memo({"stage": "begun"})
        results = []
        for step in range(steps):
            name = f"{workflow.info().workflow_id}/{step}"
            if workflow.patched(f"step-{step}"):
                results.append(await workflow.execute_local_activity(counted, name, start_to_close_timeout=SHORT))
            workflow.upsert_search_attributes([STEP.value_set(step + 1)])
            await workflow.sleep(0.3)
        workflow.upsert_memo({"stage": "ended"})
        return results


@workflow.defn
class Elsewhere:
    """Waits for an activity that is completed from outside."""

    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            elsewhere, activity_id="the-one", start_to_close_timeout=SHORT, retry_policy=QUICK, summary="answered from outside")


@workflow.defn
class Family:
    """A child that continues as new while a peer is signalled and cancelled."""

    @workflow.run
    async def run(self, peer: str) -> int:
        handle = workflow.get_external_workflow_handle(peer)
        child = workflow.execute_child_workflow(Chain.run, args=[4, []], id=f"{workflow.info().workflow_id}-child")
        await asyncio.gather(*[handle.signal("note", f"{n}") for n in range(3)])
        past = await child
        await handle.cancel()
        return len(past)


WORKFLOWS = [Notes, Chain, Stubborn, Ticks, Local, Elsewhere, Family]
ACTIVITIES = [counted, elsewhere]
