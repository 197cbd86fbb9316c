"""200 schedules that fire every second with jitter; the server is killed in the middle. No firing is lost, none doubled.

    schedule_restart.py ALOFT_BINARY [SECONDS]

Half of the schedules have jitter, half have none; the workflows end by their run timeout, so no worker is needed. In the end
every schedule must have exactly one run for every second between its first and its last action, and lateness is printed. A
batch operation that was killed in the middle, too, must have gone to every run once.
"""
import asyncio
import datetime
import re
import sys
import time
from collections import defaultdict

from temporalio.api.workflowservice.v1 import DescribeBatchOperationRequest, StartBatchOperationRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from stage import Stage

SCHEDULES = 200
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 24
BATCHED = 200


async def create(client: Client, number: int):
    jitter = datetime.timedelta(milliseconds=900) if number % 2 else None
    return await client.create_schedule(
        f"tick-{number:03}",
        Schedule(
            action=ScheduleActionStartWorkflow(
                "Nothing", id=f"tick-{number:03}", task_queue="nobody", run_timeout=datetime.timedelta(seconds=2)
            ),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=datetime.timedelta(seconds=1))], jitter=jitter),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
        ),
    )


async def start_batch(client: Client):
    await asyncio.gather(*[client.start_workflow("Nothing", id=f"batched-{n}", task_queue="batched") for n in range(BATCHED)])
    request = StartBatchOperationRequest(namespace="default", job_id="job", reason="test", max_operations_per_second=20)
    request.visibility_query = "TaskQueue = 'batched'"
    request.signal_operation.signal = "say"
    await client.workflow_service.start_batch_operation(request)


async def until_batch_ends(client: Client):
    end = time.monotonic() + 60
    while True:
        found = await client.workflow_service.describe_batch_operation(DescribeBatchOperationRequest(namespace="default", job_id="job"))
        if found.HasField("close_time"):
            return found
        assert time.monotonic() < end, f"the batch operation did not end: {found}"
        await asyncio.sleep(0.2)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def check(stage: Stage, handles, counts: dict[str, int], killed: float, back: float) -> None:
    runs = stage.sql("select workflow_id, start_time from aloft.runs where task_queue = 'nobody'")
    seconds: dict[str, list[int]] = defaultdict(list)
    late: dict[bool, list[float]] = {True: [], False: []}
    for workflow, start in runs:
        schedule, text = re.fullmatch(r"(tick-\d+)-(.*)", workflow).groups()
        nominal = datetime.datetime.fromisoformat(text).timestamp()
        seconds[schedule].append(int(nominal))
        started = int(start) / 1e9
        if int(schedule[-3:]) % 2 == 0:
            late[killed - 2 < nominal < back + 2].append(started - nominal)
    assert len(seconds) == SCHEDULES, f"only {len(seconds)} schedules fired"
    for schedule, times in seconds.items():
        times.sort()
        assert len(set(times)) == len(times), f"{schedule}: doubled"
        expected = list(range(times[0], times[-1] + 1))
        assert times == expected, f"{schedule}: lost {sorted(set(expected) - set(times))}"
        assert counts[schedule] == len(times), f"{schedule} counts {counts[schedule]}, {len(times)} runs"
        assert times[0] < killed - 3 and times[-1] > back + 3, f"{schedule}: {times[0]} … {times[-1]}"
    steady, around = late[False], late[True]
    print(
        f"{len(runs)} firings of {SCHEDULES} schedules, none lost, none doubled; late by (no jitter) "
        f"p50 {percentile(steady, 0.5) * 1000:.0f} ms, p99 {percentile(steady, 0.99) * 1000:.0f} ms, max {max(steady) * 1000:.0f} ms; "
        f"around the restart ({back - killed:.1f} s away) max {max(around) * 1000:.0f} ms",
        flush=True,
    )


async def main(stage: Stage) -> None:
    stage.start_infrastructure()
    stage.start_nats()
    node = stage.node("a")
    node.start()
    client = await Client.connect(node.address)
    handles = await asyncio.gather(*[create(client, number) for number in range(SCHEDULES)])
    await start_batch(client)
    await asyncio.sleep(SECONDS / 3)
    killed = time.time()
    node.kill()
    await asyncio.sleep(2)
    node.start()
    back = time.time()
    client = await Client.connect(node.address)
    await asyncio.sleep(SECONDS * 2 / 3)
    handles = [client.get_schedule_handle(handle.id) for handle in handles]
    await asyncio.gather(*[handle.pause() for handle in handles])
    counts = {}
    for handle in handles:
        end = time.monotonic() + 30
        while True:
            info = (await handle.describe()).info
            if not info.running_actions:
                break
            assert time.monotonic() < end, f"{handle.id} still runs {info.running_actions}"
            await asyncio.sleep(0.2)
        assert info.num_actions_missed_catchup_window == info.num_actions_skipped_overlap == 0
        counts[handle.id] = info.num_actions
    check(stage, handles, counts, killed, back)
    found = await until_batch_ends(client)
    assert (found.total_operation_count, found.complete_operation_count) == (BATCHED, BATCHED), found
    signals = stage.sql(
        "select count(*), count(distinct e.run_id) from aloft.events e join aloft.runs r on r.slot = e.slot and r.run_id = e.run_id "
        "where e.type = 26 and r.task_queue = 'batched'"
    )
    assert signals == [[str(BATCHED), str(BATCHED)]], signals
    print(f"a batch operation over {BATCHED} runs went on after the restart: one signal each", flush=True)
    stage.passed = True


if __name__ == "__main__":
    with Stage(sys.argv[1], "schedules") as stage:
        asyncio.run(main(stage))
