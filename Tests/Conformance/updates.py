"""Workflow updates, driven by Temporal's own Python SDK: updates.py [ADDRESS [NAME]].

With the environment variable ALOFT set to the program, the crash scenario runs too, on servers of its own.
"""
import asyncio
import contextlib
import os
import sys
import uuid
from datetime import timedelta

from temporalio import workflow
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.errordetails.v1 import MultiOperationExecutionFailure
from temporalio.api.update.v1 import Input, Meta, Request, UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    ExecuteMultiOperationRequest,
    PollWorkflowExecutionUpdateRequest,
    RespondWorkflowTaskCompletedRequest,
    PollWorkflowTaskQueueRequest,
    ResetWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique


@workflow.defn
class Basket:
    """Adds things, waits for the checkout, and refuses what makes no sense."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.is_open = True
        self.steps: list[str] = []

    @workflow.run
    async def run(self, next_run: bool = False) -> list[str]:
        self.steps.append("run")
        await workflow.wait_condition(lambda: not self.is_open)
        if next_run:
            workflow.continue_as_new(False)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.items

    @workflow.update
    async def add(self, item: str) -> int:
        self.steps.append(f"add {item}")
        self.items.append(item)
        return len(self.items)

    @add.validator
    def check(self, item: str) -> None:
        if not item:
            raise ApplicationError("an item needs a name", type="NoName")

    @workflow.update
    async def add_slowly(self, item: str) -> str:
        await asyncio.sleep(0.2)
        self.items.append(item)
        return f"{item} at {workflow.current_update_info().id}"

    @workflow.update
    async def fails(self) -> None:
        raise ApplicationError("no luck", type="Unlucky")

    @workflow.update
    async def never(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    def say(self, text: str) -> None:
        self.steps.append(f"say {text}")

    @workflow.signal
    def close(self) -> None:
        self.is_open = False

    @workflow.query
    def seen(self) -> list[str]:
        return self.steps


@workflow.defn
class Ends:
    """Ends at once when told so, whatever updates run."""

    def __init__(self) -> None:
        self.done = False
        self.broken = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "ended"

    @workflow.update
    async def hangs(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def breaks(self) -> None:
        raise RuntimeError("a bug")

    @workflow.signal
    def end(self) -> None:
        self.done = True

    @workflow.signal
    def bug(self) -> None:
        raise RuntimeError("a bug")


WORKFLOWS = [Basket, Ends]


@contextlib.asynccontextmanager
async def worker(client: Client, queue: str = "", **options):
    queue = queue or unique("updates")
    async with Worker(
        client, task_queue=queue, workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner(), **options
    ):
        yield queue


async def names(handle) -> list[str]:
    return [e.WhichOneof("attributes").removesuffix("_event_attributes") for e in (await handle.fetch_history()).events]


def asked(handle, name: str, update_id: str = "", stage=Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, run_id: str = ""):
    return UpdateWorkflowExecutionRequest(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run_id),
        wait_policy=WaitPolicy(lifecycle_stage=stage),
        request=Request(meta=Meta(update_id=update_id), input=Input(name=name)),
    )


async def refused(call, code: RPCStatusCode, text: str):
    try:
        await call
    except RPCError as error:
        assert error.status == code, (error.status, error.message)
        assert text in error.message, error.message
        return error
    raise AssertionError("it was not refused")


async def test_good_case_and_replay(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("basket"), task_queue=queue)
        assert await handle.execute_update(Basket.add, "milk") == 1
        assert await handle.execute_update(Basket.add, "bread") == 2
        slow = await handle.start_update(Basket.add_slowly, "tea", wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="slow")
        assert await slow.result() == "tea at slow"
        await handle.signal(Basket.close)
        assert await handle.result() == ["milk", "bread", "tea"]
        await Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(await handle.fetch_history())


async def test_without_a_cache(client: Client):
    async with worker(client, max_cached_workflows=0) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("uncached"), task_queue=queue)
        for number in range(4):
            assert await handle.execute_update(Basket.add, f"item {number}") == number + 1
        await rejected(handle)
        assert await handle.execute_update(Basket.add, "last") == 5


async def rejected(handle):
    try:
        await handle.execute_update(Basket.add, "")
        raise AssertionError("an empty name was accepted")
    except WorkflowUpdateFailedError as error:
        assert isinstance(error.cause, ApplicationError) and error.cause.type == "NoName"


async def test_a_rejection_leaves_no_event(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("rejected"), task_queue=queue)
        assert await handle.execute_update(Basket.add, "milk") == 1
        before = await names(handle)
        for _ in range(3):
            await rejected(handle)
        assert await names(handle) == before
        assert await handle.execute_update(Basket.add, "bread") == 2


async def test_a_failing_handler(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("fails"), task_queue=queue)
        try:
            await handle.execute_update(Basket.fails)
            raise AssertionError("it did not fail")
        except WorkflowUpdateFailedError as error:
            assert error.cause.type == "Unlucky"
        assert "workflow_execution_update_completed" in await names(handle)


async def test_order_signals_before_updates(client: Client):
    queue = unique("updates")
    handle = await client.start_workflow(Basket.run, id=unique("order"), task_queue=queue)
    add = asyncio.create_task(handle.execute_update(Basket.add, "milk", id="u"))
    await eventually(lambda: is_admitted(client, handle, "u"), what="the update's admission")
    await handle.signal(Basket.say, "hello")
    async with worker(client, queue):
        assert await add == 1
        assert await handle.query(Basket.seen) == ["say hello", "add milk", "run"] or await handle.query(Basket.seen) == ["say hello", "run", "add milk"]


async def is_admitted(client: Client, handle, update_id: str) -> bool:
    try:
        await client.workflow_service.poll_workflow_execution_update(
            PollWorkflowExecutionUpdateRequest(
                namespace="default",
                update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=handle.id), update_id=update_id),
            )
        )
        return True
    except RPCError as error:
        assert error.status == RPCStatusCode.NOT_FOUND
        return False


async def test_repetition_by_id(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("twice"), task_queue=queue)
        first = await handle.execute_update(Basket.add, "milk", id="the-same")
        again = await asyncio.gather(*[handle.execute_update(Basket.add, "other", id="the-same") for _ in range(5)])
        assert [first, *again] == [1] * 6
        assert await handle.get_update_handle("the-same").result() == 1
        await handle.signal(Basket.close)
        assert await handle.result() == ["milk"]
        # Of a closed run too, from its history.
        assert await handle.execute_update(Basket.add, "late", id="the-same") == 1
        assert (await names(handle)).count("workflow_execution_update_accepted") == 1


async def test_many_at_once(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("many"), task_queue=queue)
        results = await asyncio.gather(*[handle.execute_update(Basket.add, f"{n}") for n in range(8)])
        assert sorted(results) == list(range(1, 9))


async def test_worker_absent_long_poll_ends_with_the_stage(client: Client):
    handle = await client.start_workflow(Basket.run, id=unique("nobody"), task_queue=unique("nobody"))
    response = await client.workflow_service.update_workflow_execution(asked(handle, "add", "u"), timeout=timedelta(seconds=3))
    assert response.stage == Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED and not response.HasField("outcome")
    assert response.update_ref.update_id == "u" and response.update_ref.workflow_execution.run_id
    assert await names(handle) == ["workflow_execution_started", "workflow_task_scheduled"]


async def test_worker_comes_later(client: Client):
    queue = unique("later")
    handle = await client.start_workflow(Basket.run, id=unique("later"), task_queue=queue)
    waiting = asyncio.create_task(handle.execute_update(Basket.add, "milk"))
    await asyncio.sleep(0.5)
    async with worker(client, queue):
        assert await waiting == 1


async def test_the_worker_changes_in_between(client: Client):
    queue = unique("changes")
    handle = await client.start_workflow(Basket.run, id=unique("changes"), task_queue=queue)
    async with worker(client, queue):
        assert await handle.execute_update(Basket.add, "milk") == 1
    waiting = asyncio.create_task(handle.execute_update(Basket.add, "bread"))
    await asyncio.sleep(0.2)
    async with worker(client, queue):
        assert await waiting == 2


async def test_documented_errors(client: Client):
    service = client.workflow_service
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("errors"), task_queue=queue)
        admitted = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED
        await refused(service.update_workflow_execution(asked(handle, "add", "a", admitted)), RPCStatusCode.PERMISSION_DENIED, "waiting on update admitted is not supported")
        await refused(service.update_workflow_execution(asked(handle, "")), RPCStatusCode.INVALID_ARGUMENT, "Update name is not set on request.")
        await refused(service.update_workflow_execution(asked(handle, "add", "x" * 1001)), RPCStatusCode.INVALID_ARGUMENT, "UpdateId length exceeds limit.")
        await refused(service.update_workflow_execution(asked(handle, "add", run_id="nonsense")), RPCStatusCode.INVALID_ARGUMENT, "Invalid RunId.")
        missing = asked(handle, "add")
        missing.request.ClearField("meta")
        await refused(service.update_workflow_execution(missing), RPCStatusCode.INVALID_ARGUMENT, "Update meta is not set on request.")
        missing = asked(handle, "add")
        missing.request.ClearField("input")
        await refused(service.update_workflow_execution(missing), RPCStatusCode.INVALID_ARGUMENT, "Update input is not set on request.")
        big = asked(handle, "add")
        big.request.input.args.payloads.add(data=b"x" * (2 << 20))
        await refused(service.update_workflow_execution(big), RPCStatusCode.INVALID_ARGUMENT, "Blob data size exceeds limit.")
        await refused(handle.get_update_handle("nope").result(), RPCStatusCode.NOT_FOUND, 'update "nope" not found')
        nobody = client.get_workflow_handle("nobody-knows-this")
        await refused(nobody.execute_update("add", "x"), RPCStatusCode.NOT_FOUND, "workflow not found for ID: nobody-knows-this")
        await handle.signal(Basket.close)
        await handle.result()
        await refused(handle.execute_update(Basket.add, "late"), RPCStatusCode.NOT_FOUND, "workflow execution already completed")
        try:
            other = await client.start_workflow(Basket.run, id=unique("unknown"), task_queue=queue)
            await other.execute_update("no_such_update")
            raise AssertionError("an unknown update was accepted")
        except WorkflowUpdateFailedError as error:
            assert "no_such_update" in str(error.cause)


async def test_in_flight_limit(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("limit"), task_queue=queue)
        for number in range(10):
            await handle.start_update(Basket.never, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id=f"n{number}")
        error = await refused(
            client.workflow_service.update_workflow_execution(asked(handle, "never", "one-too-many")),
            RPCStatusCode.RESOURCE_EXHAUSTED,
            "limit on number of concurrent in-flight updates has been reached (10)",
        )
        assert error.grpc_status.details[0].type_url.endswith("ResourceExhaustedFailure")
        # Attaching to one of them is not another one.
        await handle.start_update(Basket.never, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="n3")


async def test_accepted_then_the_workflow_ends(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Ends.run, id=unique("ends"), task_queue=queue)
        hanging = await handle.start_update(Ends.hangs, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        waiting = asyncio.create_task(hanging.result())
        await handle.signal(Ends.end)
        assert await handle.result() == "ended"
        for result in (waiting, hanging.result()):
            try:
                await result
                raise AssertionError("the update completed")
            except WorkflowUpdateFailedError as error:
                assert error.cause.type == "AcceptedUpdateCompletedWorkflow" and error.cause.non_retryable
                assert "because the Workflow completed before the Update completed" in str(error.cause)


async def test_terminated_before_a_worker_saw_it(client: Client):
    handle = await client.start_workflow(Ends.run, id=unique("terminated"), task_queue=unique("nobody"))
    waiting = asyncio.create_task(client.workflow_service.update_workflow_execution(asked(handle, "hangs", "u")))
    await eventually(lambda: is_admitted(client, handle, "u"), what="the update's admission")
    await handle.terminate()
    await refused(waiting, RPCStatusCode.NOT_FOUND, "workflow update was aborted by closing workflow")


async def test_continue_as_new_takes_the_update_along(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, True, id=unique("continues"), task_queue=queue)
        assert await handle.execute_update(Basket.add, "milk") == 1
        await handle.signal(Basket.close)
        results = await asyncio.gather(*[handle.execute_update(Basket.add, f"{n}") for n in range(5)])
        assert all(results)
        description = await client.get_workflow_handle(handle.id).describe()
        assert description.run_id != handle.first_execution_run_id


async def test_a_failing_workflow_takes_no_updates(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Ends.run, id=unique("bug"), task_queue=queue, task_timeout=timedelta(seconds=1))
        await handle.signal(Ends.bug)

        async def is_failing():
            pending = (await handle.describe()).raw_description.pending_workflow_task
            return pending.attempt >= 3

        await eventually(is_failing, 30, "the third attempt")
        error = await refused(
            client.workflow_service.update_workflow_execution(asked(handle, "hangs")),
            RPCStatusCode.FAILED_PRECONDITION,
            "Unable to perform workflow execution update due to Workflow Task in failed state.",
        )
        assert error.grpc_status.details[0].type_url.endswith("WorkflowNotReadyFailure")


async def raw_task(client: Client, queue: str):
    return await client.workflow_service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(namespace="default", identity="raw", task_queue={"name": queue}), timeout=timedelta(seconds=10)
    )


async def test_a_worker_that_knows_no_updates(client: Client):
    queue = unique("raw")
    handle = await client.start_workflow("Old", id=unique("old"), task_queue=queue)
    waiting = asyncio.create_task(client.workflow_service.update_workflow_execution(asked(handle, "x", "u")))
    await eventually(lambda: is_admitted(client, handle, "u"), what="the update's admission")
    task = await raw_task(client, queue)
    assert [m.id for m in task.messages] == ["u/request"] and task.messages[0].event_id == task.started_event_id - 1
    await client.workflow_service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(namespace="default", identity="raw", task_token=task.task_token)
    )
    failure = (await waiting).outcome.failure
    assert failure.application_failure_info.type == "UnprocessedUpdate"
    assert failure.message.startswith("Workflow Update is rejected because it wasn't processed by worker.")


async def test_a_bad_answer_fails_the_task_and_the_update(client: Client):
    queue = unique("raw")
    handle = await client.start_workflow("Old", id=unique("bad"), task_queue=queue)
    waiting = asyncio.create_task(client.workflow_service.update_workflow_execution(asked(handle, "x", "u")))
    await eventually(lambda: is_admitted(client, handle, "u"), what="the update's admission")
    task = await raw_task(client, queue)
    answer = RespondWorkflowTaskCompletedRequest(namespace="default", identity="raw", task_token=task.task_token)
    answer.commands.add(command_type=14).protocol_message_command_attributes.message_id = "nothing"
    await refused(
        client.workflow_service.respond_workflow_task_completed(answer),
        RPCStatusCode.INVALID_ARGUMENT,
        "BadUpdateWorkflowExecutionMessage: ProtocolMessageCommand referenced absent message ID nothing",
    )
    await refused(waiting, RPCStatusCode.FAILED_PRECONDITION, "due to unexpected workflow task failure")
    assert "workflow_task_failed" in await names(handle)


async def test_update_with_start(client: Client):
    async with worker(client) as queue:
        workflow_id = unique("with-start")

        def start(policy=WorkflowIDConflictPolicy.USE_EXISTING):
            return WithStartWorkflowOperation(Basket.run, id=workflow_id, task_queue=queue, id_conflict_policy=policy)

        assert await client.execute_update_with_start_workflow(Basket.add, "milk", start_workflow_operation=start(), id="a") == 1
        operation = start()
        assert await client.execute_update_with_start_workflow(Basket.add, "bread", start_workflow_operation=operation) == 2
        handle = await operation.workflow_handle()
        # The same update attaches, whatever the policy says.
        assert await client.execute_update_with_start_workflow(Basket.add, "x", start_workflow_operation=start(WorkflowIDConflictPolicy.FAIL), id="a") == 1
        for call in (
            client.execute_update_with_start_workflow(Basket.add, "x", start_workflow_operation=start(WorkflowIDConflictPolicy.FAIL)),
        ):
            try:
                await call
                raise AssertionError("a running workflow was started again")
            except WorkflowAlreadyStartedError as error:
                assert error.workflow_id == workflow_id
        try:
            await client.execute_update_with_start_workflow(Basket.add, "", start_workflow_operation=start())
            raise AssertionError("an empty name was accepted")
        except WorkflowUpdateFailedError as error:
            assert error.cause.type == "NoName"
        assert (await names(handle))[:4] == ["workflow_execution_started", "workflow_task_scheduled", "workflow_task_started", "workflow_task_completed"]
        fresh = start(WorkflowIDConflictPolicy.TERMINATE_EXISTING)
        assert await client.execute_update_with_start_workflow(Basket.add, "new", start_workflow_operation=fresh) == 1
        assert (await fresh.workflow_handle()).first_execution_run_id != handle.first_execution_run_id


async def test_update_with_start_errors(client: Client):
    def request(**change):
        start = StartWorkflowExecutionRequest(
            namespace="default", workflow_id="multi", request_id=str(uuid.uuid4()), workflow_id_conflict_policy=1,
            workflow_type={"name": "Basket"}, task_queue={"name": "nobody"},
        )
        update = UpdateWorkflowExecutionRequest(
            namespace="default", workflow_execution={"workflow_id": "multi"},
            request={"meta": {"update_id": "u"}, "input": {"name": "add"}},
        )
        for path, value in change.items():
            target, field = path.split("__")
            setattr({"start": start, "update": update, "execution": update.workflow_execution}[target], field, value)
        built = ExecuteMultiOperationRequest(namespace="default")
        built.operations.add().start_workflow.CopyFrom(start)
        built.operations.add().update_workflow.CopyFrom(update)
        return built

    async def fails(request, part: int, text: str):
        error = await refused(client.workflow_service.execute_multi_operation(request), RPCStatusCode.INVALID_ARGUMENT, "Update-with-Start could not be executed.")
        failure = MultiOperationExecutionFailure()
        assert error.grpc_status.details[0].Unpack(failure)
        assert len(failure.statuses) == 2 and text in failure.statuses[part].message, failure
        other = failure.statuses[1 - part]
        assert other.code == 10 and other.message == "Operation was aborted." and other.details[0].type_url.endswith("MultiOperationExecutionAborted")

    only = ExecuteMultiOperationRequest(namespace="default")
    only.operations.add().start_workflow.workflow_id = "multi"
    await refused(client.workflow_service.execute_multi_operation(only), RPCStatusCode.INVALID_ARGUMENT, "Operations have to be exactly [Start, Update].")
    await fails(request(start__cron_schedule="* * * * *"), 0, "CronSchedule is not allowed.")
    await fails(request(start__request_eager_execution=True), 0, "RequestEagerExecution is not supported.")
    await fails(request(execution__workflow_id="other"), 1, "WorkflowId is not consistent with previous operation(s).")
    await fails(request(execution__run_id=str(uuid.uuid4())), 1, "RunId is not allowed.")
    await fails(request(update__first_execution_run_id=str(uuid.uuid4())), 1, "FirstExecutionRunId is not allowed.")


async def test_reset_carries_accepted_updates_over(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Basket.run, id=unique("reset"), task_queue=queue)
        assert await handle.execute_update(Basket.add, "milk", id="a") == 1
        assert await handle.execute_update(Basket.add, "bread", id="b") == 2
        response = await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace="default", workflow_execution=WorkflowExecution(workflow_id=handle.id), reason="again",
                workflow_task_finish_event_id=4, request_id=str(uuid.uuid4()),
            )
        )
        again = client.get_workflow_handle(handle.id, run_id=response.run_id)
        assert await again.get_update_handle("a").result() == 1
        assert await again.get_update_handle("b").result() == 2
        kinds = await names(again)
        assert kinds.count("workflow_execution_update_admitted") == 2 and kinds.count("workflow_execution_update_completed") == 2
        await again.signal(Basket.close)
        assert await again.result() == ["milk", "bread"]
        await Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner()).replay_workflow(await again.fetch_history())


async def test_capabilities(client: Client):
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert described.namespace_info.capabilities.sync_update and described.namespace_info.capabilities.async_update


async def test_server_killed_in_the_middle(_: Client):
    """kill -9 while updates are on their way: every accepted one keeps its one answer, every caller gets one in the end."""
    if not os.environ.get("ALOFT"):
        return
    from stage import Stage as Servers

    with Servers(os.environ["ALOFT"], "updates") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("node-1")
        node.start()
        client = await Client.connect(node.address)
        queue = unique("killed")
        handle = await client.start_workflow(Basket.run, id=unique("killed"), task_queue=queue)
        async with worker(client, queue):
            answers: dict[int, int] = {}

            async def add(number: int):
                while True:
                    try:
                        answers[number] = await handle.execute_update(Basket.add, f"item {number}", id=f"u{number}", rpc_timeout=timedelta(seconds=15))
                        return
                    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
                        await asyncio.sleep(0.2)

            for block in range(4):
                adding = [asyncio.create_task(add(block * 5 + n)) for n in range(5)]
                await asyncio.sleep(0.05 * block)
                await asyncio.to_thread(node.kill)
                await asyncio.to_thread(node.start)
                await asyncio.gather(*adding)
            assert sorted(answers.values()) == list(range(1, 21)), answers
            for number in range(20):
                assert await handle.get_update_handle(f"u{number}").result() == answers[number]
            kinds = await names(handle)
            assert kinds.count("workflow_execution_update_accepted") == 20
            assert kinds.count("workflow_execution_update_completed") == 20
        stage.passed = True


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
