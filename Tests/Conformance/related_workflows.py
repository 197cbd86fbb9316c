"""Workflows about other workflows, for children.py, external.py and reset.py."""
import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, CancelledError, ChildWorkflowError


@workflow.defn
class Child:
    """Does what its argument says."""

    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.run
    async def run(self, what: str) -> str:
        if what == "echo":
            return f"child of {workflow.info().parent.workflow_id}"
        if what == "fail":
            raise ApplicationError("no luck", "detail", type="NoLuck", non_retryable=True)
        if what == "again":
            if not workflow.info().continued_run_id:
                workflow.continue_as_new("again")
            return "second run"
        if what == "flaky":
            if workflow.info().attempt < 3:
                raise ApplicationError("not yet")
            return f"attempt {workflow.info().attempt}"
        if what == "parent":
            return await workflow.execute_child_workflow(Child.run, "root", id=workflow.info().workflow_id + "-grandchild")
        if what == "root":
            return workflow.info().root.workflow_id
        if what == "signals":
            await workflow.wait_condition(lambda: len(self.signals) >= 3)
            return ",".join(self.signals)
        if what == "slow":
            await workflow.sleep(3600)
        await workflow.wait_condition(lambda: False)
        return "never"

    @workflow.signal
    def note(self, text: str) -> None:
        self.signals.append(text)


@workflow.defn
class Parent:
    """Runs one child and says what came of it."""

    @workflow.run
    async def run(self, what: str) -> str:
        options = {"id": workflow.info().workflow_id + "-child"}
        if what == "flaky":
            options["retry_policy"] = RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=5)
        if what == "timeout":
            what, options["execution_timeout"] = "wait", timedelta(seconds=1)
        try:
            return await workflow.execute_child_workflow(Child.run, what, **options)
        except ChildWorkflowError as error:
            return f"{type(error.cause).__name__}: {error.cause.message}"


@workflow.defn
class CancelsChild:
    """Starts a child, cancels it, waits as the cancellation type says."""

    @workflow.run
    async def run(self, kind: int) -> str:
        child = await workflow.start_child_workflow(
            Child.run, "slow", id=workflow.info().workflow_id + "-child",
            cancellation_type=workflow.ChildWorkflowCancellationType(kind),
        )
        await workflow.sleep(0.05)
        child.cancel()
        try:
            await child
        except ChildWorkflowError as error:
            return type(error.cause).__name__
        return "not cancelled"


@workflow.defn
class StartsTwice:
    @workflow.run
    async def run(self) -> str:
        id = workflow.info().workflow_id + "-child"
        await workflow.start_child_workflow(Child.run, "wait", id=id, parent_close_policy=workflow.ParentClosePolicy.TERMINATE)
        try:
            await workflow.start_child_workflow(Child.run, "wait", id=id)
        except Exception as error:
            return type(error).__name__
        return "started twice"


@workflow.defn
class LeavesChildren:
    """Starts one child of each policy; then ends as it is told."""

    def __init__(self) -> None:
        self.end = ""

    @workflow.run
    async def run(self, again: bool) -> str:
        if again:
            return "again"
        for policy in (1, 2, 3):
            await workflow.start_child_workflow(
                Child.run, "wait", id=f"{workflow.info().workflow_id}-{policy}",
                parent_close_policy=workflow.ParentClosePolicy(policy),
            )
        await workflow.wait_condition(lambda: bool(self.end))
        if self.end == "fail":
            raise ApplicationError("ended")
        if self.end == "continue":
            workflow.continue_as_new(True)
        return "done"

    @workflow.signal
    def finish(self, how: str) -> None:
        self.end = how


@workflow.defn
class SignalsChild:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Child.run, "signals", id=workflow.info().workflow_id + "-child")
        for text in ("a", "b", "c"):
            await child.signal(Child.note, text)
        return await child


@workflow.defn
class ManyChildren:
    @workflow.run
    async def run(self, count: int) -> int:
        names = [f"{workflow.info().workflow_id}-{number}" for number in range(count)]
        results = await asyncio.gather(*[workflow.execute_child_workflow(Child.run, "echo", id=name) for name in names])
        return len([result for result in results if result.startswith("child of")])


@workflow.defn
class Peer:
    """Collects signals until it is told to stop."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stopped = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.stopped)
        return self.notes

    @workflow.signal
    def note(self, text: str) -> None:
        self.notes.append(text)

    @workflow.signal
    def stop(self) -> None:
        self.stopped = True


@workflow.defn
class Caller:
    """Signals or cancels another workflow and says what came of it."""

    @workflow.run
    async def run(self, what: str, target: str, run_id: str | None = None) -> str:
        peer = workflow.get_external_workflow_handle(target, run_id=run_id)
        try:
            if what == "signal":
                for number in range(3):
                    await peer.signal(Peer.note, f"{number}")
            elif what == "cancel":
                await peer.cancel()
        except CancelledError:
            raise
        except Exception as error:
            return str(error)
        return "told"


RELATED = [Child, Parent, CancelsChild, StartsTwice, LeavesChildren, SignalsChild, ManyChildren, Peer, Caller]
