"""Lists, counts and searches over many runs: visibility.py ALOFT [RUNS] (1,000,000 runs unless said otherwise).

Fills a private Postgres with closed and open runs by SQL, starts a server on it, asks as any client does, and reports how long the
answers took: the median and the 99th percentile of each question, and whether a page at the end of a list costs what one at its
beginning does.
"""
import asyncio
import json
import pathlib
import sys
import time
from datetime import timedelta

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests/Conformance"))

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest  # noqa: E402
from temporalio.api.workflowservice.v1 import (  # noqa: E402
    CountWorkflowExecutionsRequest,
    DescribeNamespaceRequest,
    ListWorkflowExecutionsRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client  # noqa: E402

from stage import Stage  # noqa: E402

TARGET_MS = 100
ROUNDS = 200

# Of a thousand runs ten are open, nine hundred completed, fifty failed, one timed out. Twenty types, 50,000 customers, five regions.
FILL = """
with made as (
    insert into aloft.runs (
        version, start_time, execution_time, close_time, history_length, history_size, slot, status, is_current, namespace_id, run_id,
        first_run_id, workflow_id, workflow_type, task_queue, start_request_id, search_attributes, snapshot)
    select 5, t, t, case when status = 1 then null else t + 5000000000 end, 11, 3000, i % 1024, status, true, '{namespace}', id, id,
        'bench-' || i, 'Type' || i % 20, 'bench', id::text, '\\x', '\\x'
    from (
        select i, gen_random_uuid() as id, 1700000000000000000 + i * 1000000000 as t,
            (case when m < 10 then 1 when m < 910 then 2 when m < 960 then 3 when m = 999 then 7 else 5 end)::int2 as status
        from (select i, (i * 7919) % 1000 as m from generate_series({first}::int8, {last}::int8) i) drawn) rows
    returning start_time, close_time, slot, namespace_id, run_id)
insert into aloft.search_values (start_time, closed_at, word, number, slot, type, namespace_id, run_id, name)
select r.start_time, coalesce(r.close_time, 9223372036854775807), v.word, v.number, r.slot, v.type, r.namespace_id, r.run_id, v.name
from (select *, (start_time - 1700000000000000000) / 1000000000 as i from made) r
cross join lateral (values
    ('Customer', 2::int2, 'c-' || (r.i * 7919) % 50000, null::int8),
    ('Region', 2::int2, (array['eu', 'us', 'asia', 'africa', 'oceania'])[r.i % 5 + 1], null),
    ('Amount', 3::int2, null, (r.i * 104729) % 1000000)) v (name, type, word, number);
"""
COUNTS = """
insert into aloft.run_counts (lane, namespace_id, status, runs) select 0, namespace_id, status, count(*) from aloft.runs group by 2, 3;
"""


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


async def measure(name: str, ask, results: dict) -> None:
    for number in range(10):
        await ask(number)
    times = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        await ask(number)
        times.append(time.perf_counter() - began)
    middle, worst = percentile(times, 0.5), percentile(times, 0.99)
    results[name] = {"p50_ms": round(middle, 2), "p99_ms": round(worst, 2)}
    print(f"{name:<60} p50 {middle:8.2f} ms   p99 {worst:8.2f} ms   {'ok' if worst < TARGET_MS else 'TOO SLOW'}", flush=True)


async def ask_all(client: Client, runs: int) -> dict:
    service, results = client.workflow_service, {}

    def listing(query, size: int = 100):
        return lambda n: service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace="default", query=query(n), page_size=size)
        )

    def counting(query):
        return lambda n: service.count_workflow_executions(CountWorkflowExecutionsRequest(namespace="default", query=query(n)))

    await measure("list by type and status (many match)", listing(lambda n: f"WorkflowType = 'Type{n % 20}' AND ExecutionStatus = 'Completed'"), results)
    await measure("list by type and status (few match)", listing(lambda n: f"WorkflowType = 'Type{n % 20}' AND ExecutionStatus = 'TimedOut'"), results)
    await measure("list by type and status (open)", listing(lambda n: f"WorkflowType = 'Type{n % 20}' AND ExecutionStatus = 'Running'"), results)
    await measure("list by status (few match)", listing(lambda n: "ExecutionStatus = 'TimedOut'"), results)
    await measure("list everything", listing(lambda n: ""), results)
    await measure("count by status", counting(lambda n: "GROUP BY ExecutionStatus"), results)
    await measure("count one status", counting(lambda n: "ExecutionStatus = 'Completed'"), results)
    await measure("search by an attribute (20 match)", listing(lambda n: f"Customer = 'c-{n * 31 % 50000}'"), results)
    await measure("search by an attribute (a fifth matches)", listing(lambda n: "Region = 'eu'"), results)
    await measure("search by two attributes", listing(lambda n: f"Region = 'eu' AND Customer = 'c-{n * 35 % 50000}'"), results)
    await measure("search by an attribute and status", listing(lambda n: "Region = 'us' AND ExecutionStatus = 'Failed'"), results)
    await measure("search by a range", listing(lambda n: f"Amount BETWEEN {n * 4000} AND {n * 4000 + 20}"), results)
    await measure("count by an attribute", counting(lambda n: f"Customer = 'c-{n * 31 % 50000}'"), results)
    results["pages"] = await pages(service, runs)
    return results


async def pages(service, runs: int) -> dict:
    token, times, seen = b"", [], 0
    while True:
        began = time.perf_counter()
        page = await service.list_workflow_executions(
            ListWorkflowExecutionsRequest(namespace="default", query="", page_size=1000, next_page_token=token)
        )
        times.append(time.perf_counter() - began)
        seen += len(page.executions)
        token = page.next_page_token
        if not token:
            break
    assert seen == runs, f"{seen} of {runs} runs on the pages"
    tenth = max(1, len(times) // 10)
    first, last = sorted(times[:tenth])[tenth // 2] * 1000, sorted(times[-tenth:])[tenth // 2] * 1000
    print(f"{len(times)} pages of 1000: the first tenth took {first:.1f} ms a page, the last {last:.1f} ms")
    return {"count": len(times), "first_tenth_ms": round(first, 2), "last_tenth_ms": round(last, 2)}


async def main() -> None:
    aloft = sys.argv[1] if len(sys.argv) > 1 else ".build/debug/aloft"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with Stage(aloft, "visibility") as stage:
        stage.start_infrastructure()
        stage.start_nats()
        node = stage.node("bench")
        node.start()
        client = await Client.connect(node.address)
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes={"Customer": 2, "Region": 2, "Amount": 3})
        )
        # The runs closed long ago: nothing of them may be removed in the background.
        keep = UpdateNamespaceRequest(namespace="default")
        keep.config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=10_000))
        await client.workflow_service.update_namespace(keep)
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        began, step = time.monotonic(), 100_000
        for first in range(1, runs + 1, step):
            last = min(first + step - 1, runs)
            stage.sql(FILL.format(namespace=described.namespace_info.id, first=first, last=last))
        stage.sql(COUNTS)
        stage.sql("vacuum analyze aloft.runs")
        stage.sql("vacuum analyze aloft.search_values")
        print(f"{runs} runs filled in {time.monotonic() - began:.0f} s", flush=True)
        results = await ask_all(client, runs)
        print(json.dumps({"runs": runs, **results}))
        stage.passed = True


asyncio.run(main())
