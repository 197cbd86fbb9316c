"""Workflows and activities that the conformance scripts run on the unmodified Python SDK."""
import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

SHORT = timedelta(seconds=30)


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def flaky(failures: int) -> int:
    if activity.info().attempt <= failures:
        raise RuntimeError(f"attempt {activity.info().attempt}")
    return activity.info().attempt


@activity.defn
async def refuse(message: str) -> None:
    raise ApplicationError(message, {"why": "policy"}, type="Refused", non_retryable=True)


@activity.defn
async def beat_until_cancelled() -> str:
    try:
        while True:
            activity.heartbeat("alive")
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        activity.heartbeat("stopping")
        raise


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=SHORT)


@workflow.defn
class Parallel:
    @workflow.run
    async def run(self, count: int) -> list[int]:
        policy = RetryPolicy(initial_interval=timedelta(milliseconds=50), backoff_coefficient=1.5)
        return list(
            await asyncio.gather(
                *[
                    workflow.execute_activity(flaky, i % 3, start_to_close_timeout=SHORT, retry_policy=policy)
                    for i in range(count)
                ]
            )
        )


@workflow.defn
class Chat:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.done = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.done)
        return self.heard

    @workflow.signal
    def say(self, text: str) -> None:
        self.heard.append(text)

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def transcript(self) -> list[str]:
        return self.heard

    @workflow.query
    def broken(self) -> str:
        raise ValueError("cannot answer")


@workflow.defn
class Naps:
    @workflow.run
    async def run(self, milliseconds: int) -> float:
        before = workflow.now()
        await workflow.sleep(milliseconds / 1000)
        return (workflow.now() - before).total_seconds()


@workflow.defn
class CancelsActivity:
    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.execute_activity(
                beat_until_cancelled,
                start_to_close_timeout=timedelta(seconds=60),
                heartbeat_timeout=timedelta(seconds=1),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except Exception as error:
            return f"stopped by {type(error.__cause__ or error).__name__}"
        return "ended"


@workflow.defn
class FailsWithType:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(refuse, "no such card", start_to_close_timeout=SHORT)


@workflow.defn
class RaisesOwn:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("out of stock", 42, type="OutOfStock")


@workflow.defn
class TwoSteps:
    def __init__(self) -> None:
        self.go = False

    @workflow.signal
    def proceed(self) -> None:
        self.go = True

    @workflow.run
    async def run(self) -> list[str]:
        first = await workflow.execute_activity(greet, "one", start_to_close_timeout=SHORT)
        await workflow.wait_condition(lambda: self.go)
        second = await workflow.execute_activity(greet, "two", start_to_close_timeout=SHORT)
        return [first, second]


WORKFLOWS = [Hello, Parallel, Chat, Naps, CancelsActivity, FailsWithType, RaisesOwn, TwoSteps]
ACTIVITIES = [greet, flaky, refuse, beat_until_cancelled]
