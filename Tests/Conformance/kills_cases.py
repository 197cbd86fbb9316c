"""The cases of kills.py: each is in the middle of something when the server is killed."""
import asyncio
import json
import urllib.request
from datetime import datetime, timedelta, timezone

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage as Stage
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import (
    DeleteWorkflowExecutionRequest,
    DescribeBatchOperationRequest,
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    ExecuteMultiOperationRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    PatchScheduleRequest,
    PollWorkflowExecutionUpdateRequest,
    PollWorkflowTaskQueueRequest,
    RegisterNamespaceRequest,
    RequestCancelWorkflowExecutionRequest,
    ResetWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    StartBatchOperationRequest,
    UpdateWorkflowExecutionOptionsRequest,
    UpdateWorkflowExecutionRequest,
)
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from kills_scene import Case, Scene, execution
from kills_workflows import WORKFLOWS, local_runs, tokens


async def prepare(scene: Scene) -> None:
    await scene.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="default", search_attributes={"KillStep": 3}))


async def payloads(case: Case, *values) -> Payloads:
    return Payloads(payloads=await case.client.data_converter.encode(values))


# Starts and signals


async def case_signal_with_start(case: Case):
    def wish(number: int):
        request = SignalWithStartWorkflowExecutionRequest(
            namespace="default", workflow_id=case.name, request_id=f"wish-{number}", signal_name="note", identity="kills")
        request.workflow_type.name, request.task_queue.name = "Notes", case.queue
        request.signal_input.CopyFrom(texts[number])
        return request

    texts = [await payloads(case, f"{number}") for number in range(8)]
    send = case.service.signal_with_start_workflow_execution
    await case.insist("the first signal-with-start", lambda: send(wish(0)))
    await case.middle()
    runs = {(await case.insist("a repeated signal-with-start", lambda: send(wish(0)))).run_id}
    for number in range(1, 8):
        for _ in range(2):
            runs.add((await case.insist(f"signal-with-start {number}", lambda: send(wish(number)))).run_id)
    await case.stop()
    assert await case.result() == [f"{number}" for number in range(8)]
    assert runs == {await case.only_run()}


async def case_a_start_that_replaces(case: Case):
    """Terminate-existing under one request id replaces the run that was there, never its own."""
    await case.start(case.request("Notes"))
    request = case.request("Notes", workflow_id_conflict_policy=3)
    request.request_id = f"{case.name}-replaces"
    first = await case.insist("the replacing start", lambda: case.service.start_workflow_execution(request))
    await case.middle()
    again = await case.insist("the replacing start, repeated", lambda: case.service.start_workflow_execution(request))
    assert again.run_id == first.run_id, f"replaced again: {first.run_id}, {again.run_id}"
    await case.signal("note", "here")
    await case.stop()
    assert await case.result() == ["here"] and len(await case.runs()) == 2


async def case_signals_cancel_and_query(case: Case):
    handle = await case.start(case.request("Notes"))
    await case.signal("note", "before")
    await case.middle()
    for number in range(5):
        await case.signal("note", f"{number}")
        assert (await case.insist("a query", lambda: handle.query("so_far")))[-1] == f"{number}", "a query did not see the signal before it"
    request = RequestCancelWorkflowExecutionRequest(
        namespace="default", workflow_execution=execution(case.name), request_id="cancel", identity="kills")
    await case.twice("the cancel request", lambda: case.service.request_cancel_workflow_execution(request))
    try:
        await case.result()
        raise AssertionError("not cancelled")
    except Exception as error:
        assert "cancelled" in f"{error} {error.__cause__}".lower(), error
    kinds = await case.kinds(await case.only_run())
    assert (kinds.count("WORKFLOW_EXECUTION_SIGNALED"), kinds.count("WORKFLOW_EXECUTION_CANCEL_REQUESTED")) == (6, 1), kinds


async def case_start_delay(case: Case):
    handle = await case.start(case.request("Stubborn", input=await payloads(case, 1), workflow_start_delay=Duration(seconds=5)))
    await case.middle()
    assert await case.result() == 1
    history = (await case.insist("the history", handle.fetch_history)).events
    waited = history[1].event_time.ToDatetime() - history[0].event_time.ToDatetime()
    assert waited >= timedelta(seconds=5), f"the first task came after {waited}"


async def case_run_timeout(case: Case):
    handle = await case.start(case.request("Notes", queue="kills-nobody", workflow_run_timeout=Duration(seconds=4)))
    await case.middle()
    description = await case.until("the time-out", lambda: closed(handle))
    assert description.status.name == "TIMED_OUT" and description.close_time - description.start_time >= timedelta(seconds=4)
    assert (await case.kinds(await case.only_run())).count("WORKFLOW_EXECUTION_TIMED_OUT") == 1


async def case_execution_timeout(case: Case):
    """A chain of retries that is cut short: not before its time, and for good."""
    request = case.request("Stubborn", input=await payloads(case, 1000), workflow_execution_timeout=Duration(seconds=5))
    request.retry_policy.initial_interval.CopyFrom(Duration(nanos=300_000_000))
    request.retry_policy.backoff_coefficient = 1
    handle = await case.start(request)
    begun = (await case.insist("describe", handle.describe)).start_time
    await case.middle()
    last = await case.until("the end of the chain", lambda: closed(case.client.get_workflow_handle(case.name)), 30)
    # Cut in the middle of an attempt, or because the next would come too late.
    assert last.status.name in ("TIMED_OUT", "FAILED") and last.close_time - begun <= timedelta(seconds=15), last
    open_runs = await case.sql(f"select count(*) from aloft.runs where workflow_id = '{case.name}' and status = 1")
    assert open_runs == [["0"]], "a run of the chain is still open"


async def case_eager_start(case: Case):
    """The first task came with the answer, and whoever had it is gone with the server."""
    request = case.request("Notes", request_eager_execution=True, workflow_task_timeout=Duration(seconds=2))
    answer = await case.insist("the eager start", lambda: case.service.start_workflow_execution(request))
    assert answer.HasField("eager_workflow_task")
    await case.middle()
    again = await case.insist("the eager start, repeated", lambda: case.service.start_workflow_execution(request))
    assert again.run_id == answer.run_id
    await case.signal("note", "after all")
    await case.stop()
    assert await case.result() == ["after all"]
    assert await case.only_run() == answer.run_id


async def closed(handle):
    description = await handle.describe()
    return description if description.close_time else None


async def case_http(case: Case):
    """A start and a signal by HTTP, repeated under their request ids."""
    base = f"http://127.0.0.1:{case.scene.node.http_port}/api/v1/namespaces/default/workflows/{case.name}"

    def post(path: str, body: dict) -> dict:
        request = urllib.request.Request(base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    async def ask(path: str, body: dict):
        async def once():
            try:
                return await asyncio.to_thread(post, path, body)
            except OSError as error:
                raise RuntimeError(f"{error}") from error

        return await case.insist(f"HTTP {path or 'start'}", once)

    begin = {"workflowType": {"name": "Notes"}, "taskQueue": {"name": case.queue}, "requestId": "http-start"}
    first = await ask("", begin)
    await case.middle()
    assert (await ask("", begin))["runId"] == first["runId"], "started twice by HTTP"
    for _ in range(2):
        await ask("/signal/note", {"input": ["by HTTP"], "requestId": "http-signal"})
    await case.stop()
    assert await case.result() == ["by HTTP"] and await case.only_run() == first["runId"]


# Chains of runs


async def case_continue_as_new(case: Case):
    await case.start(case.request("Chain", input=await payloads(case, 7, [])))
    await case.middle()
    past = await case.result()
    assert len(past) == 8 and sorted(past) == sorted(await case.runs()), f"{len(past)} in the result, {len(await case.runs())} stored"


async def case_workflow_retry(case: Case):
    request = case.request("Stubborn", input=await payloads(case, 8))
    request.retry_policy.initial_interval.CopyFrom(Duration(nanos=400_000_000))
    request.retry_policy.backoff_coefficient = 1
    await case.start(request)
    await case.middle()
    assert await case.result() == 8
    assert len(await case.runs()) == 8, f"8 attempts, {len(await case.runs())} runs"


async def case_cron(case: Case):
    await case.start(case.request("Ticks", cron_schedule="@every 1s"))
    await case.middle()
    await case.until("eight runs of the cron", lambda: has_runs(case, 8))
    await case.insist("the end of the cron", lambda: ended_or_terminate(case))
    runs = await case.runs()
    previous, results = [], []
    for run in runs:
        events = (await case.insist("a history", case.client.get_workflow_handle(case.name, run_id=run).fetch_history)).events
        previous.append(events[0].workflow_execution_started_event_attributes.continued_execution_run_id)
        last = events[-1]
        if last.HasField("workflow_execution_completed_event_attributes"):
            results.append(int(last.workflow_execution_completed_event_attributes.result.payloads[0].data))
    assert sorted(previous) == sorted(set(previous)), "two runs follow one"
    assert sorted(results) == list(range(1, len(results) + 1)), f"a result was lost or doubled: {results}"


async def has_runs(case: Case, count: int) -> bool:
    return len(await case.runs()) >= count


async def ended_or_terminate(case: Case) -> None:
    try:
        await case.client.get_workflow_handle(case.name).terminate()
    except RPCError as error:
        if error.status.name != "NOT_FOUND":
            raise


# Updates


def update(case: Case, name: str, id: str, stage: int, input) -> UpdateWorkflowExecutionRequest:
    request = UpdateWorkflowExecutionRequest(
        namespace="default", workflow_execution=execution(case.name), wait_policy=WaitPolicy(lifecycle_stage=stage))
    request.request.meta.update_id, request.request.meta.identity = id, "kills"
    request.request.input.name = name
    request.request.input.args.CopyFrom(input)
    return request


async def outcome(case: Case, request: UpdateWorkflowExecutionRequest):
    """Asks until the update has an outcome."""

    async def asked():
        found = (await case.service.update_workflow_execution(request)).outcome
        return found if found.HasField("success") or found.HasField("failure") else None

    found = await case.until(f"the outcome of {request.request.meta.update_id}", asked)
    assert found.HasField("success"), f"{request.request.meta.update_id} failed: {found.failure.message}"
    return (await case.client.data_converter.decode(found.success.payloads))[0]


async def check_updates(case: Case, count: int) -> None:
    kinds = await case.kinds(await case.only_run())
    assert kinds.count("WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == count, kinds
    assert kinds.count("WORKFLOW_EXECUTION_UPDATE_COMPLETED") == count, kinds


async def case_update_admitted(case: Case):
    """No worker has seen it yet; the caller waits through the kill."""
    queue = "kills-update-late"
    handle = await case.start(case.request("Notes", queue=queue))
    request = update(case, "add", "late", Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED, await payloads(case, "late"))
    asking = asyncio.create_task(outcome(case, request))
    await asyncio.sleep(0.3)
    await case.middle()
    async with Worker(case.client, task_queue=queue, workflows=WORKFLOWS, workflow_runner=UnsandboxedWorkflowRunner()):
        assert await asking == 1
        assert await outcome(case, request) == 1, "the repetition had another outcome"
        await case.stop()
        assert await case.insist("the result", handle.result) == ["late"]
    await check_updates(case, 1)


async def case_update_accepted(case: Case):
    """It was accepted before the kill and completes after it; somebody polls for it all the time."""
    await case.start(case.request("Notes"))
    accepted, completed = (getattr(Stage, f"UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_{word}") for word in ("ACCEPTED", "COMPLETED"))
    input = await payloads(case, "held")
    request = update(case, "add_when_released", "held", accepted, input)
    answer = await case.until("an accepted update", lambda: case.service.update_workflow_execution(request))
    assert answer.stage == accepted, answer.stage
    poll = PollWorkflowExecutionUpdateRequest(
        namespace="default", update_ref=UpdateRef(workflow_execution=execution(case.name), update_id="held"),
        wait_policy=WaitPolicy(lifecycle_stage=completed))

    async def polled():
        found = (await case.service.poll_workflow_execution_update(poll)).outcome
        return found.success if found.HasField("success") else None

    polling = asyncio.create_task(case.until("the long poll's outcome", polled))
    await case.middle()
    await case.signal("release")
    assert await outcome(case, update(case, "add_when_released", "held", completed, input)) == 1
    assert (await case.client.data_converter.decode((await polling).payloads))[0] == 1
    for number in range(6):
        request = update(case, "add", f"more-{number}", completed, await payloads(case, f"{number}"))
        assert await outcome(case, request) == await outcome(case, request) == number + 2
    await case.stop()
    assert await case.result() == ["held", *[f"{number}" for number in range(6)]]
    await check_updates(case, 7)


async def case_update_with_start(case: Case):
    completed = Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED

    async def ask(number: int):
        both = ExecuteMultiOperationRequest(namespace="default")
        begin = case.request("Notes", workflow_id_conflict_policy=2)
        both.operations.add().start_workflow.CopyFrom(begin)
        both.operations.add().update_workflow.CopyFrom(update(case, "add", f"u{number}", completed, await payloads(case, f"{number}")))

        async def asked():
            answer = await case.service.execute_multi_operation(both)
            found = answer.responses[1].update_workflow.outcome
            return (answer.responses[0].start_workflow.run_id, found) if found.HasField("success") else None

        run, found = await case.until(f"update-with-start {number}", asked)
        return run, (await case.client.data_converter.decode(found.success.payloads))[0]

    first = await ask(0)
    await case.middle()
    assert await ask(0) == first
    for number in range(1, 6):
        assert await ask(number) == await ask(number) == (first[0], number + 1)
    await case.stop()
    assert await case.result() == [f"{number}" for number in range(6)]
    await check_updates(case, 6)


async def case_options_and_attached_starts(case: Case):
    """A changed option and an attached start leave one event each, however often they are asked for."""
    first = await case.start(case.request("Notes"))
    change = UpdateWorkflowExecutionOptionsRequest(
        namespace="default", workflow_execution=execution(case.name), update_mask=FieldMask(paths=["priority"]))
    change.workflow_execution_options.priority.priority_key = 2
    attach = case.request("Notes", workflow_id_conflict_policy=2, on_conflict_options={"attach_request_id": True, "attach_links": True})
    attach.request_id = "attached"
    attach.links.add().workflow_event.workflow_id = "from-here"

    async def ask() -> None:
        answer = await case.insist("the change", lambda: case.service.update_workflow_execution_options(change))
        assert answer.workflow_execution_options.priority.priority_key == 2
        answer = await case.insist("the attached start", lambda: case.service.start_workflow_execution(attach))
        assert answer.run_id == first.run_id and not answer.started

    await ask()
    await case.middle()
    await ask()
    await case.stop()
    assert await case.result() == []
    events = (await case.insist("the history", first.fetch_history)).events
    changes = [event for event in events if event.HasField("workflow_execution_options_updated_event_attributes")]
    assert len(changes) == 2 and changes[1].links[0].workflow_event.workflow_id == "from-here", changes


# What happens inside a run


async def case_activities_answered_from_outside(case: Case):
    """By token and by id; the answer is repeated until it is taken, or there is nothing to answer any more."""
    ids = [f"{case.name}-{way}" for way in ("token", "id")]
    for id in ids:
        await case.start(case.request("Elsewhere", id=id))
    await case.until("both activities started", lambda: asyncio.sleep(0, all(id in tokens for id in ids)))
    handles = [
        case.client.get_async_activity_handle(task_token=tokens[ids[0]]),
        case.client.get_async_activity_handle(workflow_id=ids[1], run_id=None, activity_id="the-one"),
    ]
    await case.insist("a heartbeat", lambda: handles[0].heartbeat("alive"))
    await case.middle()
    for id, handle in zip(ids, handles):
        await case.insist("a heartbeat after the kill", lambda: handle.heartbeat("alive"))
        for _ in range(2):
            try:
                await case.insist(f"the answer to {id}", lambda: handle.complete("answered"))
            except RPCError as error:
                assert error.status.name == "NOT_FOUND", error
        assert await case.result(id) == "answered"
        kinds = await case.kinds(await case.only_run(id))
        assert kinds.count("ACTIVITY_TASK_STARTED") == kinds.count("ACTIVITY_TASK_COMPLETED") == 1, kinds


async def case_local_activities_patches_memo_and_attributes(case: Case):
    steps = 12
    handle = await case.start(case.request("Local", input=await payloads(case, steps)))
    await case.until("the first step", lambda: asyncio.sleep(0, f"{case.name}/0" in local_runs))
    await case.middle()
    results = await case.result()
    # A local activity may run again when the task that holds it was lost, but its marker is written once.
    assert len(results) == steps and all(1 <= n <= local_runs[f"{case.name}/{i}"] for i, n in enumerate(results)), results
    kinds = await case.kinds(await case.only_run())
    assert kinds.count("MARKER_RECORDED") == 2 * steps, kinds
    assert kinds.count("WORKFLOW_PROPERTIES_MODIFIED") == 2, kinds
    assert kinds.count("TIMER_STARTED") == kinds.count("TIMER_FIRED") == steps, kinds
    assert (await (await case.insist("describe", handle.describe)).memo())["stage"] == "ended"

    async def found(query: str) -> list[str]:
        return [run.id async for run in case.client.list_workflows(query)]

    assert await case.insist("the list", lambda: found(f"KillStep = {steps}")) == [case.name]
    assert await case.insist("the list", lambda: found(f"KillStep < {steps} and WorkflowId = '{case.name}'")) == []
    assert await case.insist("the list", lambda: found("TemporalChangeVersion = 'step-3'")) == [case.name]


async def case_children_and_external(case: Case):
    peer = f"{case.name}-peer"
    await case.start(case.request("Notes", id=peer))
    await case.start(case.request("Family", input=await payloads(case, peer)))
    await case.middle()
    assert await case.result() == 5
    assert len(await case.runs(f"{case.name}-child")) == 5
    await case.until("the peer's end", lambda: closed(case.client.get_workflow_handle(peer)))
    kinds = await case.kinds(await case.only_run(peer))
    assert (kinds.count("WORKFLOW_EXECUTION_SIGNALED"), kinds.count("WORKFLOW_EXECUTION_CANCEL_REQUESTED")) == (3, 1), kinds


async def case_backlog_keeps_its_priorities(case: Case):
    queue = "kills-priorities"
    for number, key in enumerate([5, 3, 1, 4, 2]):
        request = case.request("Notes", queue=queue, id=f"{case.name}-{key}")
        request.priority.priority_key = key
        await case.start(request)
    await case.middle()
    await case.scene.calm.wait()
    ask = DescribeTaskQueueRequest(namespace="default", task_queue_type=1, report_stats=True)
    ask.task_queue.name = queue

    async def filled():
        return (await case.service.describe_task_queue(ask)).stats.approximate_backlog_count == 5

    await case.until("a backlog of five after the restart", filled)
    order = []
    for _ in range(5):
        poll = PollWorkflowTaskQueueRequest(namespace="default", identity="kills")
        poll.task_queue.name = queue
        task = await case.insist("a poll", lambda: case.service.poll_workflow_task_queue(poll))
        order.append(int(task.workflow_execution.workflow_id.rsplit("-", 1)[1]))
    assert order == [1, 2, 3, 4, 5], f"the priorities were lost: {order}"


# Histories


async def case_history_long_poll(case: Case):
    """Pages of one, waiting for new events, through every kill: each event comes once."""
    handle = await case.start(case.request("Notes"))
    request = GetWorkflowExecutionHistoryRequest(
        namespace="default", execution=execution(case.name), wait_new_event=True, maximum_page_size=1)
    seen: list[int] = []

    async def follow():
        while True:
            page = await case.insist("a page of the history", lambda: case.service.get_workflow_execution_history(request), 60)
            seen.extend(event.event_id for event in page.history.events)
            if not page.next_page_token:
                return
            request.next_page_token = page.next_page_token

    following = asyncio.create_task(follow())
    await case.until("the first events", lambda: asyncio.sleep(0, len(seen) >= 3))
    await case.middle()
    for number in range(6):
        await case.signal("note", f"{number}")
        await asyncio.sleep(0.3)
    await case.stop()
    await asyncio.wait_for(following, 30)
    stored = len(await case.kinds(await case.only_run()))
    assert seen == list(range(1, stored + 1)), f"{seen} of {stored}"
    reverse = GetWorkflowExecutionHistoryReverseRequest(namespace="default", execution=execution(case.name))
    backwards = await case.insist("the history backwards", lambda: case.service.get_workflow_execution_history_reverse(reverse))
    assert [event.event_id for event in backwards.history.events] == seen[::-1]
    assert await case.insist("the result", handle.result) == [f"{number}" for number in range(6)]


async def case_reset(case: Case):
    await case.start(case.request("Notes"))
    await case.signal("note", "kept")
    first = await case.only_run()

    async def idle():
        described = await case.client.get_workflow_handle(case.name).describe()
        return described.history_length >= 5 and not described.raw_description.HasField("pending_workflow_task")

    await case.until("the workflow waits", idle)
    request = ResetWorkflowExecutionRequest(
        namespace="default", workflow_execution=execution(case.name, first), workflow_task_finish_event_id=4, reason="kills",
        request_id="reset-once")
    asking = asyncio.create_task(case.insist("the reset", lambda: case.service.reset_workflow_execution(request)))
    await case.middle()
    run = (await asking).run_id
    for _ in range(3):
        assert (await case.insist("the reset, repeated", lambda: case.service.reset_workflow_execution(request))).run_id == run
    await case.stop()
    assert await case.result() == ["kept"]
    assert sorted(await case.runs()) == sorted([first, run]), "reset more than once"


async def case_delete(case: Case):
    ids = [f"{case.name}-{number}" for number in range(12)]
    run_ids = [(await case.start(case.request("Notes", queue="kills-nobody", id=id))).run_id for id in ids]

    async def delete(id: str, run: str):
        request = DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=execution(id, run))
        for _ in range(2):
            try:
                await case.insist(f"deleting {id}", lambda: case.service.delete_workflow_execution(request))
            except RPCError as error:
                assert error.status.name == "NOT_FOUND", error

    deleting = [asyncio.create_task(delete(id, run)) for id, run in list(zip(ids, run_ids))[:6]]
    await case.middle()
    await asyncio.gather(*deleting, *[delete(id, run) for id, run in list(zip(ids, run_ids))[6:]])

    async def gone():
        return await case.sql(f"select 1 from aloft.runs where workflow_id like '{case.name}-%'") == []

    await case.until("all deleted runs are gone", gone)
    left = await case.sql(f"select count(*) from aloft.events where run_id in ({', '.join(repr(run) for run in run_ids)})")
    assert left == [["0"]], f"{left} events of deleted runs are left"


# Many runs, schedules, namespaces


async def case_batch(case: Case):
    ids = [f"{case.name}-{number}" for number in range(40)]
    for id in ids:
        await case.insist("a start", lambda: case.service.start_workflow_execution(case.request("Notes", queue="kills-batch", id=id)))
    request = StartBatchOperationRequest(
        namespace="default", job_id="kills-job", reason="kills", visibility_query="TaskQueue = 'kills-batch'", max_operations_per_second=15)
    request.signal_operation.signal = "note"
    begin = lambda: case.service.start_batch_operation(request)
    await case.insist("the batch operation", begin)
    await case.middle()
    for _ in range(2):
        await case.insist("the batch operation, repeated", begin)
    describe = DescribeBatchOperationRequest(namespace="default", job_id="kills-job")

    async def over():
        found = await case.service.describe_batch_operation(describe)
        return found if found.HasField("close_time") else None

    found = await case.until("the end of the batch operation", over)
    assert (found.total_operation_count, found.complete_operation_count, found.failure_operation_count) == (40, 40, 0), found
    signals = await case.sql(
        "select count(*), count(distinct run_id) from aloft.events join aloft.runs using (slot, run_id) "
        f"where type = 26 and workflow_id like '{case.name}-%'")
    assert signals == [["40", "40"]], f"signals and runs that have one: {signals}"


async def case_schedule_backfill(case: Case):
    await case.client.create_schedule(
        case.name,
        Schedule(
            action=ScheduleActionStartWorkflow("Stubborn", 1, id=f"{case.name}-run", task_queue=case.queue),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL), state=ScheduleState(paused=True)))
    patch = PatchScheduleRequest(namespace="default", schedule_id=case.name, request_id="backfill", identity="kills")
    end = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(hours=1)
    wish = patch.patch.backfill_request.add()
    wish.start_time.FromDatetime(end - timedelta(minutes=29))
    wish.end_time.FromDatetime(end)
    ask = lambda: case.service.patch_schedule(patch)
    await case.insist("the backfill", ask)
    await case.middle()
    for _ in range(2):
        await case.insist("the backfill, repeated", ask)
    handle = case.client.get_schedule_handle(case.name)

    async def over():
        info = (await handle.describe()).info
        return info if info.num_actions >= 30 and not info.running_actions else None

    info = await case.until("thirty actions", over)
    runs = await case.sql(f"select workflow_id, count(*) from aloft.runs where workflow_id like '{case.name}-run-%' group by workflow_id")
    assert info.num_actions == len(runs) == 30 and {row[1] for row in runs} == {"1"}, f"{info.num_actions} actions, {len(runs)} runs"


async def case_namespace(case: Case):
    request = RegisterNamespaceRequest(
        namespace=case.name, description="kills", workflow_execution_retention_period=Duration(seconds=86_400))
    register = lambda: case.service.register_namespace(request)
    await case.insist("the registration", register)
    await case.middle()
    for name in (case.name, f"{case.name}-2"):
        request.namespace = name
        for _ in range(2):
            try:
                await case.insist(f"registering {name}", register)
            except RPCError as error:
                assert error.status.name == "ALREADY_EXISTS", error
        describe = DescribeNamespaceRequest(namespace=name)
        described = await case.insist("describing it", lambda: case.service.describe_namespace(describe))
        assert described.namespace_info.description == "kills"
    assert await case.sql(f"select count(*) from aloft.namespaces where name like '{case.name}%'") == [["2"]]
    begin = case.request("Notes")
    begin.namespace = case.name
    await case.twice("a start in it", lambda: run_of(case, begin))


async def run_of(case: Case, request) -> str:
    return (await case.service.start_workflow_execution(request)).run_id
