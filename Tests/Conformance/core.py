"""The core of the protocol, driven by Temporal's own Python SDK: core.py [ADDRESS [NAME]]."""
import asyncio
import contextlib
import pathlib
import subprocess
import sys
from datetime import timedelta

from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique
from workflows import (
    ACTIVITIES,
    WORKFLOWS,
    CancelsActivity,
    Chat,
    FailsWithType,
    Hello,
    Naps,
    Parallel,
    RaisesOwn,
    TwoSteps,
)

HERE = pathlib.Path(__file__).parent


@contextlib.asynccontextmanager
async def worker(client: Client, **options):
    queue = unique("queue")
    async with Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
        **options,
    ):
        yield queue


async def test_hello_with_an_activity(client: Client):
    async with worker(client) as queue:
        result = await client.execute_workflow(Hello.run, "world", id=unique("hello"), task_queue=queue)
        assert result == "Hello, world!"


async def test_many_hellos_at_once(client: Client):
    async with worker(client) as queue:
        results = await asyncio.gather(
            *[client.execute_workflow(Hello.run, str(i), id=unique("many"), task_queue=queue) for i in range(100)]
        )
        assert results == [f"Hello, {i}!" for i in range(100)]


async def test_no_cache_full_histories(client: Client):
    async with worker(client, max_cached_workflows=0) as queue:
        result = await client.execute_workflow(Parallel.run, 6, id=unique("uncached"), task_queue=queue)
        assert result == [i % 3 + 1 for i in range(6)]


async def test_twenty_parallel_activities_with_retries(client: Client):
    async with worker(client) as queue:
        result = await client.execute_workflow(Parallel.run, 20, id=unique("parallel"), task_queue=queue)
        assert result == [i % 3 + 1 for i in range(20)]


async def test_signals_and_queries(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Chat.run, id=unique("chat"), task_queue=queue)
        for i in range(10):
            await handle.signal(Chat.say, f"line {i}")
            # A query after a signal sees the signal.
            assert (await handle.query(Chat.transcript))[-1] == f"line {i}"
        try:
            await handle.query(Chat.broken)
            raise AssertionError("the broken query answered")
        except WorkflowQueryFailedError as error:
            assert "cannot answer" in str(error)
        await handle.signal(Chat.finish)
        assert await handle.result() == [f"line {i}" for i in range(10)]
        assert len(await handle.query(Chat.transcript)) == 10


async def test_signal_with_start(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(
            Chat.run, id=unique("signal-start"), task_queue=queue, start_signal="say", start_signal_args=["first"]
        )
        await handle.signal(Chat.finish)
        assert await handle.result() == ["first"]


async def test_a_timer_never_fires_early(client: Client):
    async with worker(client) as queue:
        slept = await client.execute_workflow(Naps.run, 300, id=unique("nap"), task_queue=queue)
        assert slept >= 0.3


async def test_cancellation_of_a_heartbeating_activity(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(CancelsActivity.run, id=unique("cancel"), task_queue=queue)

        async def is_running():
            description = await handle.describe()
            return any(p.activity_type.name == "beat_until_cancelled" and p.last_heartbeat_time.seconds for p in description.raw_description.pending_activities)

        await eventually(is_running, what="the activity's first heartbeat")
        await handle.cancel()
        assert await handle.result() == "stopped by CancelledError"


async def test_cancelled_workflow(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Naps.run, 60_000, id=unique("cancelled"), task_queue=queue)
        await handle.cancel()
        try:
            await handle.result()
            raise AssertionError("it ended well")
        except WorkflowFailureError as error:
            assert isinstance(error.cause, CancelledError)


async def test_failure_with_a_custom_type(client: Client):
    async with worker(client) as queue:
        try:
            await client.execute_workflow(RaisesOwn.run, id=unique("own"), task_queue=queue)
            raise AssertionError("it ended well")
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ApplicationError)
            assert (error.cause.type, error.cause.details) == ("OutOfStock", (42,))


async def test_failure_of_an_activity_with_a_custom_type(client: Client):
    async with worker(client) as queue:
        try:
            await client.execute_workflow(FailsWithType.run, id=unique("refused"), task_queue=queue)
            raise AssertionError("it ended well")
        except WorkflowFailureError as error:
            assert isinstance(error.cause, ActivityError)
            assert isinstance(error.cause.cause, ApplicationError)
            assert error.cause.cause.type == "Refused"


async def test_terminate(client: Client):
    handle = await client.start_workflow(Hello.run, "x", id=unique("terminate"), task_queue=unique("nobody"))
    await handle.terminate("enough")
    try:
        await handle.result()
        raise AssertionError("it ended well")
    except WorkflowFailureError as error:
        assert isinstance(error.cause, TerminatedError)


async def test_starting_twice(client: Client):
    workflow_id = unique("twice")
    first = await client.start_workflow(Hello.run, "x", id=workflow_id, task_queue=unique("nobody"))
    try:
        await client.start_workflow(Hello.run, "x", id=workflow_id, task_queue=unique("nobody"))
        raise AssertionError("it started twice")
    except WorkflowAlreadyStartedError as error:
        assert error.run_id == first.result_run_id
    await first.terminate()
    again = await client.start_workflow(Hello.run, "x", id=workflow_id, task_queue=unique("nobody"))
    assert again.result_run_id != first.result_run_id
    await again.terminate()
    try:
        await client.start_workflow(
            Hello.run,
            "x",
            id=workflow_id,
            task_queue=unique("nobody"),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
        raise AssertionError("the reuse policy was ignored")
    except WorkflowAlreadyStartedError:
        pass


async def test_errors_name_what_is_wrong(client: Client):
    for handle, code in [
        (client.get_workflow_handle(unique("missing")), RPCStatusCode.NOT_FOUND),
        (client.get_workflow_handle("x", run_id="not-a-uuid"), RPCStatusCode.INVALID_ARGUMENT),
    ]:
        try:
            await handle.describe()
            raise AssertionError("it was described")
        except RPCError as error:
            assert error.status == code, error
    other = await Client.connect(client.service_client.config.target_host, namespace=unique("no-namespace"))
    try:
        await other.start_workflow("X", id=unique("x"), task_queue="q")
        raise AssertionError("it started")
    except RPCError as error:
        assert error.status == RPCStatusCode.NOT_FOUND, error


async def test_a_query_without_a_worker_runs_into_its_deadline(client: Client):
    handle = await client.start_workflow(Chat.run, id=unique("alone"), task_queue=unique("nobody"))
    try:
        await handle.query("transcript", rpc_timeout=timedelta(seconds=2))
        raise AssertionError("somebody answered")
    except RPCError as error:
        assert error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED), error
    await handle.terminate()


async def test_a_killed_worker_and_another_that_finishes(client: Client):
    queue = unique("killed")
    address = client.service_client.config.target_host

    def launch():
        process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), address, queue], stdout=subprocess.PIPE, text=True, cwd=HERE
        )
        assert process.stdout.readline().strip() == "ready"
        return process

    first = await asyncio.to_thread(launch)
    handle = await client.start_workflow(
        TwoSteps.run, id=unique("two-steps"), task_queue=queue, task_timeout=timedelta(seconds=2)
    )

    async def first_step_is_done():
        history = await handle.fetch_history()
        return any(e.event_type == 12 for e in history.events)

    await eventually(first_step_is_done, what="the first activity")
    first.kill()
    first.wait()
    await handle.signal(TwoSteps.proceed)
    second = await asyncio.to_thread(launch)
    try:
        assert await handle.result() == ["Hello, one!", "Hello, two!"]
    finally:
        second.terminate()
        second.wait()


async def test_histories_replay_in_the_sdks_own_replayer(client: Client):
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner())
    async with worker(client) as queue:
        for run, arguments in [(Hello.run, ["replay"]), (Parallel.run, [5]), (Naps.run, [50])]:
            handle = await client.start_workflow(run, args=arguments, id=unique("replay"), task_queue=queue)
            await handle.result()
            history = await handle.fetch_history()
            assert [e.event_id for e in history.events] == list(range(1, len(history.events) + 1))
            await replayer.replay_workflow(history)


async def test_health(client: Client):
    assert await client.service_client.check_health()


harness.main(sys.modules[__name__])
