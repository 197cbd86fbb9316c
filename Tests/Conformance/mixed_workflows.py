"""Workflows that use every primitive by a plan; what each run must return follows from its plan alone."""
import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError, is_cancelled_exception

SECOND = timedelta(seconds=1)
QUICK = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_interval=SECOND)
ACTIVITY = dict(start_to_close_timeout=timedelta(seconds=5), retry_policy=QUICK)
COLLECTOR = "mixed-collector"


@activity.defn
async def double(value: int) -> int:
    return value * 2


@activity.defn
async def stumble(value: int) -> int:
    """Fails on its first attempt."""
    if activity.info().attempt == 1:
        raise RuntimeError("the first attempt")
    return value + 7


@activity.defn
async def add_one(value: int) -> int:
    return value + 1


def expected(plan: list) -> int:
    """What a run of this plan returns."""
    total = 0
    for kind, value in plan:
        total += {"activity": 2 * value, "stumble": value + 7, "local": value + 1, "child": 3 * value, "cancel_child": 1,
                  "update": value, "signal": value, "timer": 0, "again": 0, "poke": 0, "race": 5, "patch": 11}[kind]
    return total


@workflow.defn
class Tripler:
    @workflow.run
    async def run(self, value: int) -> int:
        return value + await workflow.execute_activity(double, value, **ACTIVITY)


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


@workflow.defn
class Mixed:
    """Does its plan step by step, continues as new where the plan says so, and returns the sum."""

    def __init__(self) -> None:
        self.received: dict[str, int] = {}

    @workflow.signal
    def give(self, name: str, value: int) -> None:
        self.received[name] = value

    @workflow.update
    async def put(self, name: str, value: int) -> int:
        self.received[name] = value
        return await workflow.execute_activity(double, value, **ACTIVITY)

    @put.validator
    def validate_put(self, name: str, value: int) -> None:
        if value < 0:
            raise ApplicationError("negative")

    @workflow.run
    async def run(self, plan: list, total: int, step: int, received: dict[str, int]) -> int:
        self.received = {**received, **self.received}
        for index, (kind, value) in enumerate(plan):
            if kind == "again":
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(args=[plan[index + 1 :], total, step + index + 1, self.received])
            total += await self.one(kind, value, f"{step + index}")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return total

    async def one(self, kind: str, value: int, name: str) -> int:
        if kind == "activity":
            return await workflow.execute_activity(double, value, **ACTIVITY)
        if kind == "stumble":
            return await workflow.execute_activity(stumble, value, **ACTIVITY)
        if kind == "local":
            return await workflow.execute_local_activity(add_one, value, **ACTIVITY)
        if kind == "timer":
            await asyncio.sleep(value / 1000)
            return 0
        if kind == "child":
            return await workflow.execute_child_workflow(Tripler.run, value, id=f"{workflow.info().workflow_id}/{name}")
        if kind == "cancel_child":
            child = await workflow.start_child_workflow(Waits.run, id=f"{workflow.info().workflow_id}/{name}")
            child.cancel()
            try:
                await child
            except ChildWorkflowError as error:
                return 1 if is_cancelled_exception(error) else 1000
            return 1000
        if kind == "poke":
            collector = workflow.get_external_workflow_handle(COLLECTOR)
            await collector.signal("poke", f"{workflow.info().workflow_id}/{name}")
            return 0
        if kind == "race":
            quick = asyncio.create_task(asyncio.sleep(0.01))
            slow = asyncio.create_task(asyncio.sleep(3600))
            await workflow.wait([quick, slow], return_when=asyncio.FIRST_COMPLETED)
            slow.cancel()
            return 5
        if kind == "patch":
            return 11 if workflow.patched(f"patch-{value}") else 1000
        await workflow.wait_condition(lambda: name in self.received)  # update, signal
        return self.received[name]


@workflow.defn
class Collector:
    """Writes down who poked it, until it is told to stop."""

    def __init__(self) -> None:
        self.pokes: list[str] = []
        self.stopped = False

    @workflow.signal
    def poke(self, name: str) -> None:
        self.pokes.append(name)

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.stopped)
        return self.pokes


WORKFLOWS = [Mixed, Tripler, Waits, Collector]
ACTIVITIES = [double, stumble, add_one]
