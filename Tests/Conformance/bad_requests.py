"""gRPC requests that are well formed and wrong."""
import asyncio
from datetime import timedelta

from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Memo, Payload, RetryPolicy, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import CommandType
from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as api
from temporalio.service import RPCError

from bad_world import BLOB_MAX, MESSAGE_MAX, S, World, payloads, span, start
from harness import unique


async def test_unknown_namespace(w: World):
    name = unique("nowhere")
    for call in [
        w.service.start_workflow_execution(start(namespace=name)),
        w.service.describe_namespace(api.DescribeNamespaceRequest(namespace=name)),
        w.service.list_workflow_executions(api.ListWorkflowExecutionsRequest(namespace=name)),
        w.service.signal_workflow_execution(
            api.SignalWorkflowExecutionRequest(
                namespace=name, workflow_execution=WorkflowExecution(workflow_id="w"), signal_name="s")),
        w.service.poll_workflow_task_queue(
            api.PollWorkflowTaskQueueRequest(namespace=name, task_queue=TaskQueue(name="q")), timeout=timedelta(seconds=5)),
    ]:
        error = await w.refused(call, S.NOT_FOUND, f"Namespace {name} is not found.")
        detail = NamespaceNotFoundFailure()
        assert error.grpc_status.details[0].Unpack(detail) and detail.namespace == name, error.grpc_status
    await w.refused(w.service.start_workflow_execution(start(namespace="")), S.INVALID_ARGUMENT, "Namespace is empty.")


async def test_starts_that_cannot_be(w: World):
    long = "x" * 1001
    for changes, text in [
        ({"workflow_id": ""}, "WorkflowId is not set on request."),
        ({"workflow_id": long}, "WorkflowId length exceeds limit."),
        ({"workflow_type": None}, "WorkflowType is not set on request."),
        ({"workflow_type": WorkflowType(name=long)}, "WorkflowType length exceeds limit."),
        ({"task_queue": None}, "taskQueue is not set"),
        ({"task_queue": TaskQueue(name=long)}, "length exceeds limit."),
        ({"task_queue": TaskQueue(name="/_sys/x")}, "task queue name cannot start with reserved prefix /_sys/"),
        ({"request_id": long}, "length exceeds limit."),
        ({"identity": long}, "length exceeds limit."),
        ({"cron_schedule": "every now and then"}, "invalid CronSchedule."),
        ({"workflow_run_timeout": span(-1)}, "Invalid WorkflowRunTimeout"),
        ({"workflow_execution_timeout": span(-1)}, "Invalid WorkflowExecutionTimeout"),
        ({"workflow_task_timeout": span(-1)}, "Invalid WorkflowTaskTimeout"),
        ({"workflow_start_delay": span(-1)}, "Invalid WorkflowStartDelay"),
        ({"retry_policy": RetryPolicy(backoff_coefficient=0.5)}, "BackoffCoefficient cannot be less than 1"),
        ({"retry_policy": RetryPolicy(maximum_attempts=-1)}, "MaximumAttempts cannot be negative"),
        ({"retry_policy": RetryPolicy(initial_interval=span(-1))}, "InitialInterval"),
        ({"search_attributes": SearchAttributes(indexed_fields={"Nobody": Payload(data=b"1")})}, "Nobody"),
        ({"workflow_id_conflict_policy": 3, "workflow_id_reuse_policy": 3}, "Invalid WorkflowIDReusePolicy"),
    ]:
        try:
            await w.refused(w.service.start_workflow_execution(start(**changes)), S.INVALID_ARGUMENT, text)
        except AssertionError as error:
            raise AssertionError(f"{list(changes)}: {error}") from None


async def test_text_with_a_nul(w: World):
    """Postgres cannot store a NUL in text: refused early, and no innocent neighbour of the same batch suffers."""
    run = await w.open_run()
    before = w.written()
    bad = "a\0b"
    neighbours = [w.client.start_workflow("Waits", id=unique("neighbour"), task_queue="nobody") for _ in range(10)]
    calls = [
        w.service.start_workflow_execution(start(**change))
        for change in [
            {"workflow_id": bad}, {"workflow_type": WorkflowType(name=bad)}, {"task_queue": TaskQueue(name=bad)},
            {"identity": bad}, {"request_id": bad},
        ]
    ] + [
        w.service.signal_workflow_execution(
            api.SignalWorkflowExecutionRequest(
                namespace="default", workflow_execution=run, signal_name="s", identity=bad, request_id="r")),
        w.service.describe_workflow_execution(
            api.DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id=bad))),
        w.service.terminate_workflow_execution(
            api.TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=run, identity=bad)),
        w.service.list_workflow_executions(
            api.ListWorkflowExecutionsRequest(namespace="default", query="WorkflowId = 'a\0b'")),
        w.service.register_namespace(
            api.RegisterNamespaceRequest(
                namespace=unique("ns"), description=bad, workflow_execution_retention_period=span(86400 * 2))),
        w.service.register_namespace(
            api.RegisterNamespaceRequest(namespace=bad, workflow_execution_retention_period=span(86400 * 2))),
        w.service.describe_namespace(api.DescribeNamespaceRequest(namespace=bad)),
    ]
    results = await asyncio.gather(*calls, *neighbours, return_exceptions=True)
    wrong = []
    for index, result in enumerate(results[: len(calls)]):
        wanted = (S.INVALID_ARGUMENT,) if index not in (6, 8, 11) else (S.INVALID_ARGUMENT, S.NOT_FOUND)
        if not isinstance(result, RPCError) or result.status not in wanted:
            wrong.append((index, result))
    assert not wrong, wrong
    failed = [result for result in results[len(calls):] if isinstance(result, BaseException)]
    assert not failed, f"{len(failed)} innocent starts failed: {failed[0]}"
    runs = int(w.written().split()[0]) - int(before.split()[0])
    assert runs == len(neighbours), f"{runs} runs were written, {len(neighbours)} asked for"


async def test_oversize_blobs(w: World):
    run = await w.open_run()
    before = w.written()
    big = payloads(BLOB_MAX + 1)
    for call in [
        w.service.start_workflow_execution(start(input=big)),
        w.service.start_workflow_execution(start(memo=Memo(fields={"m": big.payloads[0]}))),
        w.service.signal_workflow_execution(
            api.SignalWorkflowExecutionRequest(namespace="default", workflow_execution=run, signal_name="s", input=big)),
        w.service.terminate_workflow_execution(
            api.TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=run, details=big)),
    ]:
        await w.refused(call, S.INVALID_ARGUMENT, "exceeds limit")
    assert w.written() == before


async def test_oversize_messages(w: World):
    for size, dice in [(MESSAGE_MAX + 1, w.dice), (MESSAGE_MAX + 1, None), (12 << 20, None)]:
        await w.refused(
            w.service.start_workflow_execution(start(input=payloads(size, dice)), timeout=timedelta(seconds=20)),
            S.RESOURCE_EXHAUSTED, "grpc: received message after decompression larger than max 4194304")


async def test_a_decompression_bomb(w: World):
    """A message beyond what the transport takes at all: refused without taking the memory."""
    for size in (20 << 20, 200 << 20):
        try:
            await w.service.start_workflow_execution(start(input=payloads(size)), timeout=timedelta(seconds=30))
            raise AssertionError("it was accepted")
        except RPCError as error:
            # The transport resets the stream; the SDK shows that as CANCELLED.
            assert error.status in (S.RESOURCE_EXHAUSTED, S.INTERNAL, S.UNKNOWN, S.CANCELLED), (error.status, error.message)


async def test_ids_that_are_none(w: World):
    run = WorkflowExecution(workflow_id="w", run_id="not-a-uuid")
    describe = api.DescribeWorkflowExecutionRequest
    for call, text in [
        (w.service.describe_workflow_execution(describe(namespace="default", execution=run)), "Invalid RunId."),
        (w.service.describe_workflow_execution(describe(namespace="default")), "Execution is not set on request."),
        (
            w.service.describe_workflow_execution(describe(namespace="default", execution=WorkflowExecution(run_id="x"))),
            "WorkflowId is not set on request.",
        ),
        (
            w.service.signal_workflow_execution(
                api.SignalWorkflowExecutionRequest(namespace="default", workflow_execution=run, signal_name="s")),
            "Invalid RunId.",
        ),
        (
            w.service.signal_workflow_execution(
                api.SignalWorkflowExecutionRequest(namespace="default", workflow_execution=WorkflowExecution(workflow_id="w"))),
            "SignalName is not set on request.",
        ),
        (
            w.service.request_cancel_workflow_execution(
                api.RequestCancelWorkflowExecutionRequest(namespace="default", workflow_execution=run)),
            "Invalid RunId.",
        ),
        (
            w.service.terminate_workflow_execution(
                api.TerminateWorkflowExecutionRequest(namespace="default", workflow_execution=run)),
            "Invalid RunId.",
        ),
        (
            w.service.query_workflow(
                api.QueryWorkflowRequest(namespace="default", execution=run, query=WorkflowQuery(query_type="q"))),
            "Invalid RunId.",
        ),
        (
            w.service.query_workflow(
                api.QueryWorkflowRequest(namespace="default", execution=WorkflowExecution(workflow_id="w"))),
            "Query is not set on request.",
        ),
        (
            w.service.get_workflow_execution_history(
                api.GetWorkflowExecutionHistoryRequest(namespace="default", execution=run)),
            "Invalid RunId.",
        ),
        (
            w.service.list_workflow_executions(
                api.ListWorkflowExecutionsRequest(namespace="default", query="this is no query")),
            "invalid query",
        ),
        (
            w.service.list_workflow_executions(
                api.ListWorkflowExecutionsRequest(namespace="default", next_page_token=b"\xff\x00garbage")),
            "Invalid NextPageToken.",
        ),
    ]:
        await w.refused(call, S.INVALID_ARGUMENT, text)
    missing = WorkflowExecution(workflow_id=unique("missing"))
    for call in [
        w.service.signal_workflow_execution(
            api.SignalWorkflowExecutionRequest(namespace="default", workflow_execution=missing, signal_name="s")),
        w.service.query_workflow(
            api.QueryWorkflowRequest(namespace="default", execution=missing, query=WorkflowQuery(query_type="q"))),
        w.service.get_workflow_execution_history(
            api.GetWorkflowExecutionHistoryRequest(namespace="default", execution=missing)),
        w.service.request_cancel_workflow_execution(
            api.RequestCancelWorkflowExecutionRequest(namespace="default", workflow_execution=missing)),
    ]:
        await w.refused(call, S.NOT_FOUND, f"workflow not found for ID: {missing.workflow_id}")


async def test_page_tokens_of_other_requests(w: World):
    run = await w.open_run()
    before = w.written()
    for token in [b"x", b"\0" * 64, w.dice.randbytes(40), w.dice.randbytes(5000)]:
        await w.refused(
            w.service.get_workflow_execution_history(
                api.GetWorkflowExecutionHistoryRequest(namespace="default", execution=run, next_page_token=token)),
            S.INVALID_ARGUMENT, "Invalid NextPageToken.")
    assert w.written() == before


async def test_malformed_task_tokens(w: World):
    finish = api.RespondWorkflowTaskCompletedRequest
    activity = api.RespondActivityTaskCompletedRequest
    for make in [
        lambda token: w.service.respond_workflow_task_completed(finish(task_token=token, namespace="default")),
        lambda token: w.service.respond_workflow_task_failed(
            api.RespondWorkflowTaskFailedRequest(task_token=token, namespace="default")),
        lambda token: w.service.respond_activity_task_completed(activity(task_token=token, namespace="default")),
        lambda token: w.service.respond_activity_task_failed(
            api.RespondActivityTaskFailedRequest(task_token=token, namespace="default")),
        lambda token: w.service.respond_activity_task_canceled(
            api.RespondActivityTaskCanceledRequest(task_token=token, namespace="default")),
        lambda token: w.service.record_activity_task_heartbeat(
            api.RecordActivityTaskHeartbeatRequest(task_token=token, namespace="default")),
        lambda token: w.service.respond_query_task_completed(
            api.RespondQueryTaskCompletedRequest(task_token=token, namespace="default")),
    ]:
        await w.refused(make(b""), S.INVALID_ARGUMENT, "Task token not set on request.")
        for token in [b"x", b"\xff" * 10, w.dice.randbytes(100), b"\x0a\x7f", w.dice.randbytes(9000)]:
            await w.refused(make(token), S.INVALID_ARGUMENT, "Error deserializing task token.")


async def test_a_genuine_token_with_every_byte_changed(w: World):
    queue = unique("queue")
    handle = await w.client.start_workflow("Waits", id=unique("token"), task_queue=queue)
    task = await w.service.poll_workflow_task_queue(
        api.PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue)), timeout=timedelta(seconds=10))
    assert task.task_token
    before = w.written()
    token = bytearray(task.task_token)
    for index in range(len(token)):
        changed = bytearray(token)
        changed[index] ^= 1 << w.dice.randrange(8)
        try:
            await w.service.respond_workflow_task_completed(
                api.RespondWorkflowTaskCompletedRequest(task_token=bytes(changed), namespace="default"),
                timeout=timedelta(seconds=5))
            raise AssertionError(f"byte {index} changed: accepted, {bytes(token)} as {bytes(changed)}")
        except RPCError as error:
            assert error.status in (S.INVALID_ARGUMENT, S.NOT_FOUND), f"byte {index}: {error.status.name} {error.message}"
    assert w.written() == before, "a changed token wrote something"
    await handle.terminate()


async def test_polls_that_cannot_be(w: World):
    poll = api.PollWorkflowTaskQueueRequest
    await w.refused(
        w.service.poll_workflow_task_queue(poll(namespace="default"), timeout=timedelta(seconds=5)),
        S.INVALID_ARGUMENT, "taskQueue is not set")
    await w.refused(
        w.service.poll_workflow_task_queue(
            poll(namespace="default", task_queue=TaskQueue(name="x" * 1001)), timeout=timedelta(seconds=5)),
        S.INVALID_ARGUMENT, "length exceeds limit.")
    await w.refused(
        w.service.poll_activity_task_queue(
            api.PollActivityTaskQueueRequest(namespace="default", task_queue=TaskQueue(name="q")), timeout=timedelta(seconds=1)),
        S.FAILED_PRECONDITION, "Context timeout is too short.")


async def test_a_query_without_workers(w: World):
    run = await w.open_run()
    before = w.written()
    request = api.QueryWorkflowRequest(namespace="default", execution=run, query=WorkflowQuery(query_type="q"))
    try:
        await w.service.query_workflow(request, timeout=timedelta(seconds=3))
        raise AssertionError("somebody answered")
    except RPCError as error:
        # The SDK's own deadline may be faster than the server's answer to it.
        assert error.status in (S.DEADLINE_EXCEEDED, S.CANCELLED), error
    assert w.written() == before


async def test_namespaces_that_cannot_be(w: World):
    register = api.RegisterNamespaceRequest
    two_days = span(2 * 86400)
    await w.refused(
        w.service.register_namespace(register(namespace="default", workflow_execution_retention_period=two_days)),
        S.ALREADY_EXISTS, 'Namespace "default" already exists')
    for request in [
        register(namespace="", workflow_execution_retention_period=two_days),
        register(namespace="n" * 1001, workflow_execution_retention_period=two_days),
        register(namespace=unique("ns")),
        register(namespace=unique("ns"), workflow_execution_retention_period=span(-5)),
        register(namespace=unique("ns"), workflow_execution_retention_period=span(1)),
    ]:
        await w.refused(w.service.register_namespace(request), S.INVALID_ARGUMENT)


async def test_commands_that_cannot_be(w: World):
    """Bad commands fail the workflow task by name (protocol.md 2.4); nothing of the completion is kept."""
    for fill, cause in [
        (lambda c: c.schedule_activity_task_command_attributes.SetInParent(), "BadScheduleActivityAttributes"),
        (lambda c: c.start_timer_command_attributes.SetInParent(), "BadStartTimerAttributes"),
        (lambda c: c.cancel_timer_command_attributes.SetInParent(), "BadCancelTimerAttributes"),
        (lambda c: c.record_marker_command_attributes.SetInParent(), "BadRecordMarkerAttributes"),
        (lambda c: None, ""),
    ]:
        queue = unique("queue")
        handle = await w.client.start_workflow("Waits", id=unique("commands"), task_queue=queue)
        task = await w.service.poll_workflow_task_queue(
            api.PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue)), timeout=timedelta(seconds=10))
        command = Command()
        fill(command)
        command.command_type = {
            "BadScheduleActivityAttributes": CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
            "BadStartTimerAttributes": CommandType.COMMAND_TYPE_START_TIMER,
            "BadCancelTimerAttributes": CommandType.COMMAND_TYPE_CANCEL_TIMER,
            "BadRecordMarkerAttributes": CommandType.COMMAND_TYPE_RECORD_MARKER,
        }.get(cause, 0)
        await w.refused(
            w.service.respond_workflow_task_completed(
                api.RespondWorkflowTaskCompletedRequest(task_token=task.task_token, namespace="default", commands=[command])),
            S.INVALID_ARGUMENT, cause)
        history = await handle.fetch_history()
        kinds = [event.event_type for event in history.events]
        assert 7 not in kinds, f"{cause}: the task counts as completed"
        await handle.terminate()


async def test_methods_that_do_not_exist(w: World):
    for call in [
        w.service.pause_workflow_execution(api.PauseWorkflowExecutionRequest(namespace="default")),
        w.service.create_workflow_rule(api.CreateWorkflowRuleRequest(namespace="default")),
    ]:
        await w.refused(call, S.UNIMPLEMENTED)
