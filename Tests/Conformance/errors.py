"""Documented errors and refusals, by raw requests and a worker by hand: errors.py [ADDRESS [NAME]]."""
import asyncio
import sys
from datetime import timedelta

import temporalio.api.workflowservice.v1 as api
from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import Link, Payload, Payloads, SearchAttributes, WorkflowExecution
from temporalio.api.enums.v1 import CommandType, EventType, WorkflowTaskFailedCause
from temporalio.api.query.v1 import WorkflowQuery
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode as S

import harness
from harness import eventually, unique

TOO_MUCH = Payloads(payloads=[Payload(data=b"x" * (2 * 1024 * 1024 + 1))])


async def refused(call, status: S, text: str = "") -> str:
    try:
        await call
    except RPCError as error:
        assert error.status == status and text in error.message, (error.status, error.message, text)
        return error.message
    raise AssertionError(f"not refused: {status} {text}")


class Hand:
    """A run and a worker that answers what it is told to."""

    def __init__(self, client: Client):
        self.client, self.service = client, client.workflow_service
        self.id = unique("errors")
        self.handle = client.get_workflow_handle(self.id)

    async def start(self, **fields) -> "Hand":
        request = api.StartWorkflowExecutionRequest(namespace="default", workflow_id=self.id, request_id=unique("r"), **fields)
        request.workflow_type.name, request.task_queue.name = "ByHand", self.id
        self.run = (await self.service.start_workflow_execution(request)).run_id
        return self

    async def task(self):
        poll = api.PollWorkflowTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=self.id), identity="hand")
        task = await self.service.poll_workflow_task_queue(poll, timeout=timedelta(seconds=12))
        assert task.task_token, "no workflow task came"
        return task

    async def activity(self):
        poll = api.PollActivityTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=self.id), identity="hand")
        task = await self.service.poll_activity_task_queue(poll, timeout=timedelta(seconds=12))
        assert task.task_token, "no activity task came"
        return task

    async def complete(self, task, *commands: Command, **fields):
        return await self.service.respond_workflow_task_completed(api.RespondWorkflowTaskCompletedRequest(
            namespace="default", identity="hand", task_token=task.task_token, commands=commands, **fields))

    async def events(self) -> list:
        return list((await self.handle.fetch_history()).events)

    async def end(self) -> None:
        await self.handle.terminate()


def command(kind: str, **attributes) -> Command:
    """`start_timer` and its attributes."""
    field = f"{kind}_command_attributes"
    made = Command(command_type=CommandType.Value(f"COMMAND_TYPE_{kind.upper()}"))
    getattr(made, field).SetInParent()
    getattr(made, field).MergeFrom(type(getattr(made, field))(**attributes))
    return made


def schedule(id: str = "a", queue: str = "", **fields) -> Command:
    made = command("schedule_activity_task", activity_id=id, start_to_close_timeout=Duration(seconds=5), **fields)
    made.schedule_activity_task_command_attributes.activity_type.name = "Act"
    made.schedule_activity_task_command_attributes.task_queue.name = queue
    return made


def timer(id: str = "t", seconds: int = 60) -> Command:
    return command("start_timer", timer_id=id, start_to_fire_timeout=Duration(seconds=seconds))


# Commands


BAD = [
    ("BAD_SCHEDULE_ACTIVITY_ATTRIBUTES", "BadScheduleActivityAttributes", [command("schedule_activity_task", activity_id="a")]),
    ("SCHEDULE_ACTIVITY_DUPLICATE_ID", "ScheduleActivityDuplicateId", [schedule(), schedule()]),
    ("BAD_REQUEST_CANCEL_ACTIVITY_ATTRIBUTES", "BadRequestCancelActivityAttributes",
     [command("request_cancel_activity_task", scheduled_event_id=77)]),
    ("BAD_START_TIMER_ATTRIBUTES", "BadStartTimerAttributes", [timer("")]),
    ("BAD_START_TIMER_ATTRIBUTES", "BadStartTimerAttributes", [timer(seconds=-1)]),
    ("START_TIMER_DUPLICATE_ID", "StartTimerDuplicateId", [timer(), timer()]),
    ("BAD_CANCEL_TIMER_ATTRIBUTES", "BadCancelTimerAttributes", [command("cancel_timer", timer_id="nobody")]),
    ("BAD_FAIL_WORKFLOW_EXECUTION_ATTRIBUTES", "BadFailWorkflowExecutionAttributes", [command("fail_workflow_execution")]),
    ("BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes", [command("upsert_workflow_search_attributes")]),
    ("BAD_SEARCH_ATTRIBUTES", "BadSearchAttributes", [command(
        "continue_as_new_workflow_execution", search_attributes=SearchAttributes(indexed_fields={"NoSuch": Payload(data=b"1")}))]),
    ("BAD_START_CHILD_EXECUTION_ATTRIBUTES", "BadStartChildExecutionAttributes", [command("start_child_workflow_execution")]),
    ("BAD_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "BadRequestCancelExternalWorkflowExecutionAttributes",
     [command("request_cancel_external_workflow_execution")]),
    ("BAD_SIGNAL_WORKFLOW_EXECUTION_ATTRIBUTES", "BadSignalWorkflowExecutionAttributes", [command("signal_external_workflow_execution")]),
    ("BAD_RECORD_MARKER_ATTRIBUTES", "BadRecordMarkerAttributes", [command("record_marker")]),
    ("BAD_MODIFY_WORKFLOW_PROPERTIES_ATTRIBUTES", "BadModifyWorkflowPropertiesAttributes", [command("modify_workflow_properties")]),
    ("BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE", "BadUpdateWorkflowExecutionMessage", [command("protocol_message", message_id="nobody")]),
    ("FEATURE_DISABLED", "FeatureDisabled", [command("schedule_nexus_operation", endpoint="e")]),
]


async def test_bad_commands_fail_the_task_by_their_cause(client: Client):
    async def one(cause: str, text: str, commands: list[Command]) -> None:
        hand = await Hand(client).start()
        await refused(hand.complete(await hand.task(), timer("kept-out"), *commands), S.INVALID_ARGUMENT, f"{text}: ")
        events = await hand.events()
        failed = events[3].workflow_task_failed_event_attributes
        assert events[3].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, (cause, events[3])
        assert failed.cause == WorkflowTaskFailedCause.Value(f"WORKFLOW_TASK_FAILED_CAUSE_{cause}"), (cause, failed)
        assert not any(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in events), f"{cause}: a command was kept"
        # The next attempt is a good one.
        await hand.complete(await hand.task(), command("complete_workflow_execution"))
        await hand.handle.result()

    for case in BAD:
        await one(*case)


async def test_nothing_may_follow_the_command_that_closes(client: Client):
    for commands in (
        [command("complete_workflow_execution"), timer()],
        [command("complete_workflow_execution"), command("cancel_workflow_execution")],
    ):
        hand = await Hand(client).start()
        await refused(hand.complete(await hand.task(), *commands), S.INVALID_ARGUMENT, "invalid command sequence")
        assert (await hand.handle.describe()).status.name == "RUNNING"
        await hand.end()


async def test_a_close_does_not_swallow_a_signal(client: Client):
    hand = await Hand(client).start()
    task = await hand.task()
    await hand.handle.signal("late")
    await refused(hand.complete(task, command("complete_workflow_execution")), S.INVALID_ARGUMENT, "UnhandledCommand")
    kinds = [event.event_type for event in await hand.events()]
    assert kinds[3:5] == [EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED], kinds
    task = await hand.task()
    await hand.complete(task, command("complete_workflow_execution"))
    await refused(hand.complete(task, command("complete_workflow_execution")), S.NOT_FOUND)


async def test_an_answer_to_a_task_that_is_over(client: Client):
    hand = await Hand(client).start(workflow_task_timeout=Duration(seconds=1))
    late = await hand.task()
    again = await hand.task()
    assert again.attempt == 2, again.attempt
    await refused(hand.complete(late), S.NOT_FOUND, "Workflow task not found.")
    timed_out = (await hand.events())[3]
    assert timed_out.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
    await hand.complete(again, command("complete_workflow_execution"))
    await hand.handle.result()


async def test_what_is_too_large_ends_the_run(client: Client):
    hand = await Hand(client).start()
    await refused(hand.complete(await hand.task(), command("complete_workflow_execution", result=TOO_MUCH)), S.INVALID_ARGUMENT)
    assert (await hand.handle.describe()).status.name == "TERMINATED"
    hand = await Hand(client).start()
    task = await hand.task()
    await hand.service.respond_workflow_task_failed(api.RespondWorkflowTaskFailedRequest(
        namespace="default", task_token=task.task_token,
        cause=WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_GRPC_MESSAGE_TOO_LARGE))
    assert (await hand.handle.describe()).status.name == "TERMINATED"


# Runs that are closed, missing, or not ready


async def test_texts_of_runs_that_are_not_there(client: Client):
    hand = await Hand(client).start()
    await hand.complete(await hand.task(), command("complete_workflow_execution"))
    await refused(hand.handle.signal("s"), S.NOT_FOUND, "workflow execution already completed")
    await refused(hand.handle.terminate(), S.NOT_FOUND, "workflow execution already completed")
    # A cancel request has nothing left to do, and says so by doing nothing.
    await hand.handle.cancel()
    missing = client.get_workflow_handle(unique("missing"))
    for call in (missing.signal("s"), missing.terminate(), missing.cancel(), missing.describe(), missing.query("q")):
        await refused(call, S.NOT_FOUND, f"workflow not found for ID: {missing.id}")
    sticky = api.ResetStickyTaskQueueRequest(namespace="default", execution=WorkflowExecution(workflow_id=missing.id))
    await refused(client.workflow_service.reset_sticky_task_queue(sticky), S.NOT_FOUND)
    for policy, text in (
        (3, f"Workflow execution already finished. WorkflowId: {hand.id}, RunId: {hand.run}. Workflow Id reuse policy: reject duplicate workflow Id."),
        (2, f"Workflow execution already finished successfully. WorkflowId: {hand.id}, RunId: {hand.run}. "
            "Workflow Id reuse policy: allow duplicate workflow Id if last run failed."),
    ):
        await refused(hand.start(workflow_id_reuse_policy=policy), S.ALREADY_EXISTS, text)


async def test_queries_that_cannot_be_answered(client: Client):
    def query(hand: Hand, condition: int = 0):
        return hand.service.query_workflow(
            api.QueryWorkflowRequest(
                namespace="default", execution=WorkflowExecution(workflow_id=hand.id), query=WorkflowQuery(query_type="q"),
                query_reject_condition=condition),
            timeout=timedelta(seconds=5))

    delayed = await Hand(client).start(workflow_start_delay=Duration(seconds=3600))
    await refused(query(delayed), S.FAILED_PRECONDITION, "Workflow task is not scheduled yet.")
    await delayed.end()
    await refused(query(delayed), S.FAILED_PRECONDITION, "Unable to query workflow due to Workflow Task in failed state.")
    completed = await Hand(client).start()
    await completed.complete(await completed.task(), command("complete_workflow_execution"))
    rejected = (await query(completed, 2)).query_rejected
    assert rejected.status == 2, rejected
    # 3: unless it was completed.
    asking = asyncio.create_task(query(completed, 3))
    task = await completed.task()
    await completed.service.respond_query_task_completed(api.RespondQueryTaskCompletedRequest(
        namespace="default", task_token=task.task_token, completed_type=2, error_message="no such query"))
    await refused(asking, S.INVALID_ARGUMENT, "no such query")
    terminated = await Hand(client).start()
    await terminated.complete(await terminated.task())
    await terminated.end()
    assert (await query(terminated, 3)).query_rejected.status == 5


async def test_starts_that_ask_for_what_is_not_there(client: Client):
    for fields, status, text in (
        ({"completion_callbacks": [{"nexus": {"url": "http://nobody"}}]}, S.INVALID_ARGUMENT, "completion_callbacks"),
        ({"time_skipping_config": {"enabled": True}}, S.UNIMPLEMENTED, "time_skipping_config"),
        ({"priority": {"priority_key": -1}}, S.INVALID_ARGUMENT, "priority key"),
        ({"input": TOO_MUCH}, S.INVALID_ARGUMENT, "Blob data size exceeds limit."),
    ):
        await refused(Hand(client).start(**fields), status, text)
    request = api.SignalWithStartWorkflowExecutionRequest(
        namespace="default", workflow_id=unique("x"), signal_name="s", workflow_id_conflict_policy=1)
    request.workflow_type.name = request.task_queue.name = "x"
    await refused(client.workflow_service.signal_with_start_workflow_execution(request), S.INVALID_ARGUMENT, "WorkflowIDConflictPolicy")


# Activities


async def test_activity_answers_that_are_too_large_or_too_late(client: Client):
    hand = await Hand(client).start()
    await hand.complete(await hand.task(), schedule("large", hand.id, retry_policy={"maximum_attempts": 1}))
    activity = await hand.activity()
    await hand.service.respond_activity_task_completed(api.RespondActivityTaskCompletedRequest(
        namespace="default", task_token=activity.task_token, result=TOO_MUCH))
    failed = (await hand.events())[-2].activity_task_failed_event_attributes
    assert failed.failure.message == "Complete result exceeds size limit.", failed
    gone = "invalid activityID or activity already timed out or invoking workflow is completed"
    for call in (
        hand.service.respond_activity_task_completed(
            api.RespondActivityTaskCompletedRequest(namespace="default", task_token=activity.task_token)),
        hand.service.record_activity_task_heartbeat(
            api.RecordActivityTaskHeartbeatRequest(namespace="default", task_token=activity.task_token)),
    ):
        await refused(call, S.NOT_FOUND, gone)
    await hand.complete(await hand.task(), schedule("beats", hand.id, retry_policy={"maximum_attempts": 1}))
    activity = await hand.activity()
    answer = await hand.service.record_activity_task_heartbeat(
        api.RecordActivityTaskHeartbeatRequest(namespace="default", task_token=activity.task_token, details=TOO_MUCH))
    assert answer.cancel_requested
    failed = (await hand.events())[-2].activity_task_failed_event_attributes
    assert failed.failure.message == "Heartbeat details exceed size limit.", failed
    await refused(
        hand.service.respond_activity_task_completed_by_id(api.RespondActivityTaskCompletedByIdRequest(
            namespace="default", workflow_id=hand.id, activity_id="nobody")), S.NOT_FOUND)
    await hand.end()


async def test_eager_activities_come_with_the_answer(client: Client):
    hand = await Hand(client).start()
    wishes = [schedule(f"a{n}", hand.id, request_eager_execution=True) for n in range(5)]
    answer = await hand.complete(await hand.task(), *wishes)
    assert 0 < len(answer.activity_tasks) <= 3, len(answer.activity_tasks)
    tasks = list(answer.activity_tasks)
    while len(tasks) < 5:
        tasks.append(await hand.activity())
    assert sorted(task.activity_id for task in tasks) == [f"a{n}" for n in range(5)]
    for task in tasks:
        done = api.RespondActivityTaskCompletedRequest(namespace="default", task_token=task.task_token)
        await hand.service.respond_activity_task_completed(done)
        await refused(hand.service.respond_activity_task_completed(done), S.NOT_FOUND)
    kinds = [event.event_type for event in await hand.events()]
    assert kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED) == 5
    await hand.end()


# Workers, links


async def test_a_worker_that_goes_ends_its_polls(client: Client):
    queue, key = unique("leaving"), unique("key")
    poll = api.PollWorkflowTaskQueueRequest(
        namespace="default", task_queue=TaskQueue(name=queue), identity="hand", worker_instance_key=key)
    polling = asyncio.create_task(client.workflow_service.poll_workflow_task_queue(poll, timeout=timedelta(seconds=60)))
    ask = api.DescribeTaskQueueRequest(namespace="default", task_queue=TaskQueue(name=queue), task_queue_type=1)

    async def seen():
        return (await client.workflow_service.describe_task_queue(ask)).pollers

    await eventually(seen, what="the poller is known")
    shutdown = api.ShutdownWorkerRequest(namespace="default", identity="hand", worker_instance_key=key, task_queue=queue)
    for _ in range(2):
        await client.workflow_service.shutdown_worker(shutdown)
    assert not (await asyncio.wait_for(polling, 5)).task_token
    nameless = api.RecordWorkerHeartbeatRequest(namespace="default", worker_heartbeat=[{"worker_identity": "x"}])
    await refused(client.workflow_service.record_worker_heartbeat(nameless), S.INVALID_ARGUMENT, "WorkerInstanceKey")
    for call in (
        client.workflow_service.shutdown_worker(api.ShutdownWorkerRequest(namespace="nope-ns")),
        client.workflow_service.describe_task_queue(
            api.DescribeTaskQueueRequest(namespace="nope-ns", task_queue=TaskQueue(name=queue))),
    ):
        await refused(call, S.NOT_FOUND, "Namespace nope-ns is not found.")
    await refused(
        client.workflow_service.describe_task_queue(api.DescribeTaskQueueRequest(namespace="default")), S.INVALID_ARGUMENT, "taskQueue")


async def test_links_stand_on_the_events_they_came_with(client: Client):
    def link(name: str) -> Link:
        return Link(workflow_event=Link.WorkflowEvent(namespace="default", workflow_id=name, run_id="r"))

    hand = await Hand(client).start(links=[link("start")])
    target = {"namespace": "default", "workflow_execution": WorkflowExecution(workflow_id=hand.id)}
    task = await hand.task()
    # Buffered until the task is answered: its link waits with it.
    await hand.service.signal_workflow_execution(api.SignalWorkflowExecutionRequest(signal_name="s", links=[link("signal")], **target))
    await hand.complete(task)
    await hand.service.request_cancel_workflow_execution(api.RequestCancelWorkflowExecutionRequest(links=[link("cancel")], **target))
    await hand.service.terminate_workflow_execution(api.TerminateWorkflowExecutionRequest(links=[link("end")], **target))
    linked = [(event.event_type, link.workflow_event.workflow_id) for event in await hand.events() for link in event.links]
    assert linked == [(1, "start"), (26, "signal"), (20, "cancel"), (27, "end")], linked
    too_many = api.SignalWorkflowExecutionRequest(signal_name="s", links=[link("x")] * 11, **target)
    await refused(hand.service.signal_workflow_execution(too_many), S.INVALID_ARGUMENT, "links")


async def test_a_workflow_that_ran_too_long_is_told_why_to_continue_as_new(client: Client):
    hand = await Hand(client).start()
    task = await hand.task()
    # A marker each: past 4,096 events it is time.
    markers = [command("record_marker", marker_name="m") for _ in range(1200)]
    while (await hand.handle.describe()).history_length < 4096:
        answer = await hand.complete(task, *markers, force_create_new_workflow_task=True, return_new_workflow_task=True)
        task = answer.workflow_task
    await hand.complete(task, command("complete_workflow_execution"))
    await hand.handle.result()
    started = (await hand.events())[-3].workflow_task_started_event_attributes
    assert started.suggest_continue_as_new and list(started.suggest_continue_as_new_reasons) == [2], started


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
