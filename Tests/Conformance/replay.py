"""Replays recorded histories with Temporal's own Replayer: replay.py; records them anew: replay.py --record ADDRESS.

The histories of Tests/Regressions/histories/python were made by the workflows below on an Aloft server. They must replay with the
same code for ever: a server that changes what it writes must not break workers that are deployed.
"""
import asyncio
import logging
import pathlib
import sys
import uuid
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError, is_cancelled_exception
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

FOLDER = pathlib.Path(__file__).parent.parent / "Regressions" / "histories" / "python"
SECOND = timedelta(seconds=1)


@activity.defn
async def say(text: str) -> str:
    return f"said {text}"


@activity.defn
async def fails_twice(text: str) -> str:
    if activity.info().attempt < 3:
        raise ApplicationError("not yet")
    return text


@activity.defn
async def fails_for_good(text: str) -> str:
    raise ApplicationError(f"no {text}", "detail", type="Never", non_retryable=True)


@activity.defn
async def beats(text: str) -> str:
    while True:
        activity.heartbeat(text)
        await asyncio.sleep(0.05)


@workflow.defn
class Activities:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        options = {"start_to_close_timeout": 10 * SECOND, "retry_policy": RetryPolicy(initial_interval=SECOND / 100)}
        done = await asyncio.gather(*[workflow.execute_activity(say, f"{name} {i}", **options) for i in range(3)])
        done.append(await workflow.execute_activity(fails_twice, name, **options))
        try:
            await workflow.execute_activity(fails_for_good, name, **options)
        except ActivityError as error:
            done.append(str(error.cause))
        beating = workflow.start_activity(
            beats, name, heartbeat_timeout=SECOND, cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            **options,
        )
        await asyncio.sleep(0.3)
        beating.cancel()
        try:
            await beating
        except ActivityError as error:
            done.append(str(is_cancelled_exception(error)))
        return done


@workflow.defn
class Timers:
    @workflow.run
    async def run(self, name: str) -> str:
        long = asyncio.create_task(asyncio.sleep(1000))
        await asyncio.gather(*[asyncio.sleep(0.01 * i) for i in range(1, 6)])
        long.cancel()
        await asyncio.sleep(0.01)
        return name


@workflow.defn
class Signals:
    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.signal
    async def hear(self, text: str) -> None:
        self.heard.append(await workflow.execute_activity(say, text, start_to_close_timeout=10 * SECOND))

    @workflow.run
    async def run(self, name: str) -> list[str]:
        await workflow.wait_condition(lambda: len(self.heard) >= 3, timeout=timedelta(minutes=1))
        return self.heard


@workflow.defn
class LocalActivities:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        options = {"start_to_close_timeout": 10 * SECOND}
        done = list(await asyncio.gather(*[workflow.execute_local_activity(say, f"{i}", **options) for i in range(3)]))
        done.append(
            await workflow.execute_local_activity(
                fails_twice, name, retry_policy=RetryPolicy(initial_interval=SECOND / 2), local_retry_threshold=SECOND / 10, **options
            )
        )
        try:
            await workflow.execute_local_activity(fails_for_good, name, **options)
        except (ActivityError, ApplicationError) as error:
            done.append(type(error).__name__)
        return done


@workflow.defn
class Patches:
    @workflow.run
    async def run(self, name: str) -> str:
        if workflow.patched("polite"):
            name = f"dear {name}"
        workflow.deprecate_patch("old")
        return await workflow.execute_activity(say, name, start_to_close_timeout=10 * SECOND)


@workflow.defn
class Properties:
    @workflow.run
    async def run(self, name: str) -> str:
        workflow.upsert_memo({"name": name, "number": 3})
        await asyncio.sleep(0.01)
        workflow.upsert_memo({"name": None})
        return str(workflow.uuid4()) + str(workflow.random().randint(1, 100))


@workflow.defn
class Continues:
    @workflow.run
    async def run(self, name: str) -> str:
        if len(name) < 4:
            workflow.continue_as_new(name + "x")
        return name


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self, name: str) -> str:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.shield(workflow.execute_activity(say, "sorry", start_to_close_timeout=10 * SECOND))
        return name


@workflow.defn
class Children:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        here = workflow.info().workflow_id
        done = [await workflow.execute_child_workflow(Continues.run, name, id=f"{here} one")]
        second = await workflow.start_child_workflow(Signals.run, name, id=f"{here} two")
        for text in ["a", "b", "c"]:
            await second.signal(Signals.hear, text)
        done += await second
        third = await workflow.start_child_workflow(Cancels.run, name, id=f"{here} three")
        third.cancel()
        try:
            await third
        except ChildWorkflowError as error:
            done.append(type(error.cause).__name__)
        return done


@workflow.defn
class Externals:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        done = []
        nobody = workflow.get_external_workflow_handle("recorded nobody")
        for wish in [nobody.signal("hear", name), nobody.cancel()]:
            try:
                await wish
            except ApplicationError as error:
                done.append(error.message)
        return done


@workflow.defn
class Updates:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.done = False

    @workflow.update
    async def hear(self, text: str) -> str:
        self.heard.append(await workflow.execute_activity(say, text, start_to_close_timeout=10 * SECOND))
        return self.heard[-1]

    @hear.validator
    def check(self, text: str) -> None:
        if not text:
            raise ApplicationError("silence")

    @workflow.update
    def end(self) -> int:
        self.done = True
        return len(self.heard)

    @workflow.run
    async def run(self, name: str) -> list[str]:
        await workflow.wait_condition(lambda: self.done and workflow.all_handlers_finished())
        return self.heard


# The same workflows as Tests/WorkerTestingTests/RecordedWorkflows.swift: Python's SDK replays what the Swift worker did.


@workflow.defn(name="RecordedActivities")
class SwiftActivities:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        options = {"start_to_close_timeout": 10 * SECOND}
        done = list(
            await asyncio.gather(
                workflow.execute_activity("say", name, **options), workflow.execute_activity("failsTwice", name, **options)
            )
        )
        try:
            await workflow.execute_activity("failsForGood", name, **options)
        except ActivityError as error:
            done.append(error.cause.type)
        return done


@workflow.defn(name="RecordedLocalActivities")
class SwiftLocalActivities:
    @workflow.run
    async def run(self, name: str) -> list[str]:
        options = {"start_to_close_timeout": 10 * SECOND}
        done = [await workflow.execute_local_activity("say", name, **options)]
        done.append(await workflow.execute_local_activity("failsTwice", name, local_retry_threshold=SECOND / 1000, **options))
        try:
            await workflow.execute_local_activity("failsForGood", name, **options)
        except (ActivityError, ApplicationError):
            done.append("Never")
        return done


@workflow.defn(name="RecordedPatches")
class SwiftPatches:
    @workflow.run
    async def run(self, name: str) -> str:
        if workflow.patched("polite"):
            name = f"dear {name}"
        workflow.deprecate_patch("old")
        return await workflow.execute_activity("say", name, start_to_close_timeout=10 * SECOND)


@workflow.defn(name="RecordedProperties")
class SwiftProperties:
    @workflow.run
    async def run(self, name: str) -> str:
        workflow.upsert_memo({"name": name, "number": 3})
        await asyncio.sleep(1)
        workflow.upsert_memo({"name": None})
        return "another text"


@workflow.defn(name="RecordedContinues")
class SwiftContinues:
    @workflow.run
    async def run(self, name: str) -> str:
        if len(name) < 3:
            workflow.continue_as_new(name + "x")
        return name


@workflow.defn(name="RecordedTimers")
class SwiftTimers:
    @workflow.run
    async def run(self, name: str) -> str:
        for index in range(1, 4):
            await asyncio.sleep(index * 3600)
        work = asyncio.create_task(asyncio.sleep(500))
        limit = asyncio.create_task(asyncio.sleep(5))
        await limit
        work.cancel()
        await asyncio.wait([work])
        return "late"


@workflow.defn(name="RecordedChildren")
class SwiftChildren:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_child_workflow("RecordedContinues", name, id=f"child of {workflow.info().workflow_id}")


@workflow.defn(name="RecordedExternals")
class SwiftExternals:
    @workflow.run
    async def run(self, name: str) -> str:
        try:
            await workflow.get_external_workflow_handle("nobody").signal("hear", name)
        except ApplicationError as error:
            return error.message
        return "heard"


SWIFT = [
    SwiftActivities, SwiftLocalActivities, SwiftPatches, SwiftProperties, SwiftContinues, SwiftTimers, SwiftChildren, SwiftExternals,
]
WORKFLOWS = [Activities, Timers, Signals, LocalActivities, Patches, Properties, Continues, Cancels, Children, Externals, Updates]
ACTIVITIES = [say, fails_twice, fails_for_good, beats]


async def record(address: str) -> None:
    client = await Client.connect(address)
    FOLDER.mkdir(parents=True, exist_ok=True)
    queue = f"replay-{uuid.uuid4()}"
    async with Worker(
        client, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
    ):
        for definition in WORKFLOWS:
            name = definition.__name__
            handle = await client.start_workflow(definition.run, "a", id=f"recorded-{name}", task_queue=queue)
            if definition is Signals:
                for text in ["one", "two", "three"]:
                    await handle.signal(Signals.hear, text)
            if definition is Cancels:
                await asyncio.sleep(0.2)
                await handle.cancel()
            if definition is Updates:
                await asyncio.gather(*[handle.execute_update(Updates.hear, text) for text in ["one", "two"]])
                try:
                    await handle.execute_update(Updates.hear, "")
                except WorkflowUpdateFailedError:
                    pass
                assert await handle.execute_update(Updates.end) == 2
            if definition is Cancels:
                await asyncio.sleep(0.2)
                await handle.cancel()
            try:
                await handle.result()
            except WorkflowFailureError:
                assert definition is Cancels
            first = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
            history = await first.fetch_history()
            text = history.to_json().replace(str(FOLDER.parents[3]), "/aloft")
            (FOLDER / f"{name}.json").write_text(text + "\n")
            print(f"recorded {name}: {len(history.events)} events")


async def replay() -> None:
    files = sorted(FOLDER.glob("*.json"))
    assert files, f"no histories in {FOLDER}"
    files += [FOLDER.parent / "swift" / f"{workflow._Definition.must_from_class(definition).name}.json" for definition in SWIFT]
    replayer = Replayer(workflows=WORKFLOWS + SWIFT, workflow_runner=UnsandboxedWorkflowRunner())
    for file in files:
        prefix = "recorded-" if file.parent == FOLDER else ""
        history = WorkflowHistory.from_json(prefix + file.stem, file.read_text())
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        assert result.replay_failure is None, f"{file.name}: {result.replay_failure}"
        print(f"ok   replay {file.parent.name}/{file.stem}")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    if sys.argv[1:2] == ["--record"]:
        asyncio.run(record(sys.argv[2]))
    asyncio.run(replay())
