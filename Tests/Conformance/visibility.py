"""Search attributes, lists and counts: visibility.py [ADDRESS [NAME]]."""
import contextlib
import sys
from datetime import datetime, timedelta, timezone

from temporalio import workflow
from temporalio.api.common.v1 import Payload, SearchAttributes, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.filter.v1 import StartTimeFilter, StatusFilter, WorkflowExecutionFilter, WorkflowTypeFilter
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
    RemoveSearchAttributesRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    ListArchivedWorkflowExecutionsRequest,
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
    ListWorkflowExecutionsRequest,
    ScanWorkflowExecutionsRequest,
    SignalWithStartWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import eventually, unique

KEYWORD = SearchAttributeKey.for_keyword("VisKeyword")
TEXT = SearchAttributeKey.for_text("VisText")
INT = SearchAttributeKey.for_int("VisInt")
DOUBLE = SearchAttributeKey.for_float("VisDouble")
BOOL = SearchAttributeKey.for_bool("VisBool")
DATETIME = SearchAttributeKey.for_datetime("VisDatetime")
LIST = SearchAttributeKey.for_keyword_list("VisList")
TYPES = {
    "VisKeyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "VisText": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "VisInt": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "VisDouble": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "VisBool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "VisDatetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "VisList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.done)
        return "done"

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.signal
    def mark(self, word: str) -> None:
        workflow.upsert_search_attributes([KEYWORD.value_set(word), INT.value_unset()])


@workflow.defn
class Upserts:
    @workflow.run
    async def run(self, name: str) -> str:
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword(name).value_set("x")])
        return "upserted"


@workflow.defn
class Patches:
    @workflow.run
    async def run(self) -> bool:
        return workflow.patched("vis-patch")


@workflow.defn
class Continues:
    @workflow.run
    async def run(self, again: bool) -> str:
        if again:
            workflow.continue_as_new(False, search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "second")]))
        return "done"


@contextlib.asynccontextmanager
async def worker(client: Client):
    queue = unique("vis")
    async with Worker(
        client, task_queue=queue, workflows=[Waits, Upserts, Patches, Continues], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield queue


async def define(client: Client) -> None:
    await client.operator_service.add_search_attributes(AddSearchAttributesRequest(namespace="default", search_attributes=TYPES))


async def ids(client: Client, query: str) -> list[str]:
    return sorted([found.id async for found in client.list_workflows(query)])


async def refused(call) -> RPCError:
    try:
        await call
    except RPCError as error:
        return error
    raise AssertionError("it was accepted")


async def test_definitions_are_listed_and_adding_twice_is_harmless(client: Client):
    await define(client)
    await define(client)
    found = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    for name, kind in TYPES.items():
        assert found.custom_attributes[name] == kind
    assert found.system_attributes["WorkflowId"] == IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD


async def test_definitions_are_checked(client: Client):
    operator = client.operator_service
    error = await refused(operator.add_search_attributes(AddSearchAttributesRequest(namespace="default")))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    error = await refused(operator.add_search_attributes(AddSearchAttributesRequest(namespace="default", search_attributes={"WorkflowId": 2})))
    assert error.message == "Search attribute WorkflowId is reserved by system."
    error = await refused(operator.add_search_attributes(AddSearchAttributesRequest(namespace="nope-ns", search_attributes={"A": 2})))
    assert (error.status, error.message) == (RPCStatusCode.NOT_FOUND, "Namespace nope-ns is not found.")
    error = await refused(operator.remove_search_attributes(RemoveSearchAttributesRequest(namespace="default", search_attributes=["NoSuch"])))
    assert error.status == RPCStatusCode.NOT_FOUND
    error = await refused(operator.remove_search_attributes(RemoveSearchAttributesRequest(namespace="default", search_attributes=["RunId"])))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_removed_attribute_is_unknown_again(client: Client):
    name = unique("Gone").replace("-", "")
    await client.operator_service.add_search_attributes(AddSearchAttributesRequest(namespace="default", search_attributes={name: 2}))
    assert await ids(client, f"{name} = 'x'") == []
    await client.operator_service.remove_search_attributes(RemoveSearchAttributesRequest(namespace="default", search_attributes=[name]))
    error = await refused(client.workflow_service.list_workflow_executions(ListWorkflowExecutionsRequest(namespace="default", query=f"{name} = 'x'")))
    assert error.message == f"invalid query: invalid expression: column name '{name}' is not a valid search attribute"


async def test_all_seven_types_are_kept_with_their_type_and_found(client: Client):
    await define(client)
    async with worker(client) as queue:
        word = unique("word")
        handle = await client.start_workflow(
            Waits.run,
            id=unique("typed"),
            task_queue=queue,
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(KEYWORD, word),
                    SearchAttributePair(TEXT, f"Quick brown {word.replace('-', '')}"),
                    SearchAttributePair(INT, 42),
                    SearchAttributePair(DOUBLE, 2.5),
                    SearchAttributePair(BOOL, True),
                    SearchAttributePair(DATETIME, NOON),
                    SearchAttributePair(LIST, [f"{word}-a", f"{word}-b"]),
                ]
            ),
        )
        described = await handle.describe()
        kept = described.typed_search_attributes
        assert (kept[KEYWORD], kept[INT], kept[DOUBLE], kept[BOOL], kept[DATETIME]) == (word, 42, 2.5, True, NOON)
        assert list(kept[LIST]) == [f"{word}-a", f"{word}-b"]
        raw = SearchAttributes()
        raw.CopyFrom(described.raw_description.workflow_execution_info.search_attributes)
        assert {name: payload.metadata["type"] for name, payload in raw.indexed_fields.items() if name in TYPES} == {
            "VisKeyword": b"Keyword", "VisText": b"Text", "VisInt": b"Int", "VisDouble": b"Double", "VisBool": b"Bool",
            "VisDatetime": b"Datetime", "VisList": b"KeywordList",
        }
        mine = f"VisKeyword = '{word}'"
        for condition in (
            "VisInt = 42", "VisInt > 41", "VisInt between 40 and 43", "VisInt IN (1, 42)", "not VisInt = 41", "VisInt != 41",
            "VisDouble = 2.5", "VisDouble < 3", "VisBool = true", "VisBool != false",
            "VisDatetime = '2026-03-01T12:00:00Z'", "VisDatetime >= '2026-03-01T13:00:00+02:00'",
            f"VisKeyword STARTS_WITH '{word[:8]}'", f"VisList = '{word}-a'", f"VisList IN ('{word}-b', 'x')",
            f"VisText = '{word.replace('-', '').upper()}'", "VisText = 'brown'", "VisText is not null",
            "(VisInt = 1 OR VisBool = true) AND ExecutionStatus = 'Running'", "CloseTime IS NULL", "TaskQueue = '%s'" % queue,
        ):
            assert await ids(client, f"{mine} AND {condition}") == [handle.id], condition
        for condition in (
            "VisInt = 41", "VisInt < 42", "VisDouble != 2.5", "VisBool = false", f"VisList = '{word}'", f"VisList != '{word}-a'",
            "VisText = 'quic'", "VisText is null", "ExecutionStatus = 'Completed'", "CloseTime is not null",
            "VisKeyword NOT STARTS_WITH 'word'", "WorkflowType = 'Other'",
        ):
            assert await ids(client, f"{mine} AND {condition}") == [], condition
        assert await ids(client, f"VisList = '{word}-b'") == [handle.id]
        await handle.signal(Waits.finish)
        await handle.result()
        assert await ids(client, f"{mine} AND ExecutionStatus = 'Completed'") == [handle.id]


async def test_upserts_change_what_a_run_is_found_by(client: Client):
    await define(client)
    async with worker(client) as queue:
        first, second = unique("first"), unique("second")
        handle = await client.start_workflow(
            Waits.run, id=unique("upsert"), task_queue=queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, first), SearchAttributePair(INT, 7)]),
        )
        assert await ids(client, f"VisKeyword = '{first}'") == [handle.id]
        await handle.signal(Waits.mark, second)
        await eventually(lambda: found(client, f"VisKeyword = '{second}'", handle.id))
        assert await ids(client, f"VisKeyword = '{first}'") == []
        assert await ids(client, f"VisKeyword = '{second}' AND VisInt IS NULL") == [handle.id]
        kept = (await handle.describe()).typed_search_attributes
        assert kept[KEYWORD] == second and INT not in kept
        await handle.terminate()


async def found(client: Client, query: str, workflow_id: str) -> bool:
    return await ids(client, query) == [workflow_id]


async def test_continue_as_new_carries_its_attributes(client: Client):
    await define(client)
    async with worker(client) as queue:
        handle = await client.start_workflow(
            Continues.run, True, id=unique("continues"), task_queue=queue,
            search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "first")]),
        )
        assert await handle.result() == "done"
        statuses = {run.typed_search_attributes[KEYWORD]: run.status.name async for run in client.list_workflows(f"WorkflowId = '{handle.id}'")}
        assert statuses == {"first": "CONTINUED_AS_NEW", "second": "COMPLETED"}


async def test_patches_are_found_by_their_change_version(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Patches.run, id=unique("patched"), task_queue=queue)
        await handle.result()
        assert handle.id in await ids(client, f"TemporalChangeVersion = 'vis-patch' AND TaskQueue = '{queue}'")


def start(name: str, data: bytes, encoding: bytes = b"json/plain") -> dict:
    return dict(
        namespace="default", workflow_id=unique("bad"), workflow_type=WorkflowType(name="W"), task_queue=TaskQueue(name="none"),
        search_attributes=SearchAttributes(indexed_fields={name: Payload(metadata={"encoding": encoding}, data=data)}),
    )


async def test_bad_attributes_are_refused_at_start_and_signal_with_start(client: Client):
    await define(client)
    service = client.workflow_service
    cases = [
        ("NoSuch", b'"x"', "Namespace default has no mapping defined for search attribute NoSuch"),
        ("VisInt", b'"x"', "invalid value for search attribute VisInt of type Int: x"),
        ("VisBool", b"1", "invalid value for search attribute VisBool of type Bool: 1"),
        ("WorkflowId", b'"x"', "WorkflowId attribute can't be set in SearchAttributes"),
        ("VisKeyword", b'"' + b"x" * 2100 + b'"', "search attribute VisKeyword value size 2102 exceeds size limit 2048"),
    ]
    for name, data, message in cases:
        error = await refused(service.start_workflow_execution(StartWorkflowExecutionRequest(**start(name, data))))
        assert (error.status, error.message) == (RPCStatusCode.INVALID_ARGUMENT, message)
        error = await refused(
            service.signal_with_start_workflow_execution(SignalWithStartWorkflowExecutionRequest(**start(name, data), signal_name="s"))
        )
        assert (error.status, error.message) == (RPCStatusCode.INVALID_ARGUMENT, message)


async def test_an_unknown_attribute_in_a_command_fails_the_task_with_the_text(client: Client):
    async with worker(client) as queue:
        handle = await client.start_workflow(Upserts.run, "NoSuchAttribute", id=unique("unknown"), task_queue=queue)

        async def failed():
            history = await handle.fetch_history()
            return next((e for e in history.events if e.HasField("workflow_task_failed_event_attributes")), None)

        event = await eventually(failed, what="a failed workflow task")
        attributes = event.workflow_task_failed_event_attributes
        assert attributes.failure.message == (
            "BadSearchAttributes: Namespace default has no mapping defined for search attribute NoSuchAttribute"
        )
        await handle.terminate()


async def test_pages_hold_every_run_once_and_counts_are_exact(client: Client):
    await define(client)
    word = unique("page")
    attributes = TypedSearchAttributes([SearchAttributePair(KEYWORD, word)])
    handles = [
        await client.start_workflow("W", id=f"{word}-{i}", task_queue="nobody-polls-this", search_attributes=attributes) for i in range(13)
    ]
    for handle in handles[:5]:
        await handle.terminate()
    for query in (f"VisKeyword = '{word}'", f"WorkflowId STARTS_WITH '{word}'"):
        for method, request in (("list_workflow_executions", ListWorkflowExecutionsRequest), ("scan_workflow_executions", ScanWorkflowExecutionsRequest)):
            seen, token = [], b""
            while True:
                page = await getattr(client.workflow_service, method)(
                    request(namespace="default", query=query, page_size=4, next_page_token=token)
                )
                seen += [info.execution.workflow_id for info in page.executions]
                token = page.next_page_token
                if not token:
                    break
            assert sorted(seen) == sorted(h.id for h in handles) and len(set(seen)) == 13, (query, seen)
            assert set(seen[-5:]) == {h.id for h in handles[:5]}, "open runs come first"
        counted = await client.workflow_service.count_workflow_executions(
            CountWorkflowExecutionsRequest(namespace="default", query=f"{query} GROUP BY ExecutionStatus")
        )
        groups = {group.group_values[0].data.decode(): group.count for group in counted.groups}
        assert counted.count == 13 and groups == {'"Running"': 8, '"Terminated"': 5}
    total = await client.count_workflows()
    running = await client.count_workflows("ExecutionStatus = 'Running'")
    rest = await client.count_workflows("ExecutionStatus != 'Running'")
    assert total.count == running.count + rest.count
    error = await refused(client.workflow_service.list_workflow_executions(ListWorkflowExecutionsRequest(namespace="default", next_page_token=b"xx")))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    for handle in handles[5:]:
        await handle.terminate()


async def test_the_old_lists(client: Client):
    service = client.workflow_service
    kind = unique("OldList").replace("-", "")
    open_run = await client.start_workflow(kind, id=unique("open"), task_queue="nobody-polls-this")
    closed = await client.start_workflow(kind, id=unique("closed"), task_queue="nobody-polls-this")
    await closed.terminate()
    now = datetime.now(timezone.utc)
    window = StartTimeFilter()
    window.earliest_time.FromDatetime(now - timedelta(minutes=5))
    window.latest_time.FromDatetime(now + timedelta(minutes=5))
    found = await service.list_open_workflow_executions(
        ListOpenWorkflowExecutionsRequest(namespace="default", start_time_filter=window, type_filter=WorkflowTypeFilter(name=kind))
    )
    assert [info.execution.workflow_id for info in found.executions] == [open_run.id]
    found = await service.list_closed_workflow_executions(
        ListClosedWorkflowExecutionsRequest(namespace="default", start_time_filter=window, type_filter=WorkflowTypeFilter(name=kind))
    )
    assert [info.execution.workflow_id for info in found.executions] == [closed.id]
    found = await service.list_closed_workflow_executions(
        ListClosedWorkflowExecutionsRequest(
            namespace="default", start_time_filter=window, execution_filter=WorkflowExecutionFilter(workflow_id=closed.id)
        )
    )
    assert [info.status for info in found.executions] == [5]
    found = await service.list_closed_workflow_executions(
        ListClosedWorkflowExecutionsRequest(namespace="default", start_time_filter=window, status_filter=StatusFilter(status=3))
    )
    assert closed.id not in [info.execution.workflow_id for info in found.executions]
    error = await refused(service.list_archived_workflow_executions(ListArchivedWorkflowExecutionsRequest(namespace="default")))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    await open_run.terminate()


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
