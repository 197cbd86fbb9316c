"""Temporal's HTTP/JSON paths with nothing but HTTP: http_paths.py GRPC_ADDRESS HTTP_ADDRESS.

Walks the server's own table of paths, so that a method that is served and a path that is not cannot go unnoticed.
"""
import json
import pathlib
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

HTTP = sys.argv[2].removeprefix("http://")
TABLE = pathlib.Path(__file__).parent.parent.parent / "Sources/Gateway/HTTP/TemporalPaths.swift"
PREFIXES = ("", "/api/v1")
passed = 0


def ask(verb: str, path: str, body: dict | None = None, **query) -> tuple[int, dict]:
    text = urllib.parse.urlencode(query, doseq=True)
    url = f"http://{HTTP}{path}" + (f"?{text}" if text else "")
    data = json.dumps(body).encode() if body is not None else (b"{}" if verb == "POST" else None)
    request = urllib.request.Request(url, data=data, method=verb, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def check(name: str):
    def run(function):
        global passed
        function()
        passed += 1
        print(f"ok      {name}", flush=True)

    return run


def rows() -> list[tuple[str, str, str]]:
    lines = re.findall(r"^        (\w+) (GET|POST|DELETE) (/\S+)$", TABLE.read_text(), re.M)
    assert len(lines) > 100, len(lines)
    return lines


def versioned(path: str) -> str:
    if path == "/cluster":
        return "/api/v1/cluster-info"
    return "/api/v1" + (path[len("/cluster"):] if path.startswith("/cluster/") else path)


@check("every path of the table leads to its method, under both prefixes")
def _():
    for method, verb, template in rows():
        # A namespace that does not exist: whoever is served says so, before anything is changed.
        filled = re.sub(r"\{(.*?)\}", lambda m: "nope-ns" if m[1] == "namespace" else "x", template)
        for path in (filled, versioned(filled)):
            status, answer = ask(verb, path)
            assert answer.get("message") != "Not Found", (method, path)
            assert status in (200, 400, 404, 501), (method, path, status, answer)
            if status == 501:
                assert answer["code"] == 12 and answer["message"].startswith(f"unknown method {method} "), (path, answer)


@check("the server, its cluster and its namespaces")
def _():
    for path in ("/system-info", "/api/v1/system-info"):
        status, answer = ask("GET", path)
        assert status == 200 and answer["serverVersion"] and answer["capabilities"]["upsertMemo"] is True
    for path in ("/cluster", "/api/v1/cluster-info"):
        assert ask("GET", path)[1]["persistenceStore"] == "postgres"
    name = f"http-{uuid.uuid4().hex[:8]}"
    status, answer = ask("POST", "/api/v1/namespaces", {"namespace": name, "workflowExecutionRetentionPeriod": "259200s"})
    assert (status, answer) == (200, {})
    status, answer = ask("POST", "/api/v1/namespaces", {"namespace": name, "workflowExecutionRetentionPeriod": "259200s"})
    assert status == 409 and answer["code"] == 6 and answer["details"][0]["@type"].endswith("NamespaceAlreadyExistsFailure")
    status, answer = ask("GET", f"/cluster/namespaces/{name}")
    assert answer["namespaceInfo"]["name"] == name and answer["config"]["workflowExecutionRetentionTtl"] == "259200s"
    status, answer = ask("POST", f"/cluster/namespaces/{name}/update", {"updateInfo": {"description": "d"}})
    assert answer["namespaceInfo"]["description"] == "d"
    status, answer = ask("GET", f"/api/v1/namespaces/{name}/search-attributes")
    assert answer["systemAttributes"]["WorkflowId"] == "INDEXED_VALUE_TYPE_KEYWORD"
    names = [found["namespaceInfo"]["name"] for found in ask("GET", "/cluster/namespaces", pageSize=1000)[1]["namespaces"]]
    assert name in names and "default" in names


@check("a workflow from its start to its end, with payloads as plain values")
def _():
    for prefix in PREFIXES:
        root = f"{prefix}/namespaces/default"
        workflow = f"http-{uuid.uuid4().hex[:8]}"
        body = {"workflowType": {"name": "W"}, "taskQueue": {"name": "nobody-polls-this"}, "input": ["x", 1, {"a": [True, None]}], "memo": {"fields": {"k": "v"}}}
        status, answer = ask("POST", f"{root}/workflows/{workflow}", body)
        assert status == 200 and answer["started"] is True and answer["runId"]
        status, again = ask("POST", f"{root}/workflows/{workflow}", body)
        assert status == 409 and again["details"][0]["runId"] == answer["runId"]
        assert ask("POST", f"{root}/workflows/{workflow}/signal/hello", {"input": [{"n": 1}]}) == (200, {})
        status, answer = ask("GET", f"{root}/workflows/{workflow}")
        info = answer["workflowExecutionInfo"]
        assert info["status"] == "WORKFLOW_EXECUTION_STATUS_RUNNING" and info["historyLength"] == "3" and info["memo"]["fields"]["k"] == "v"
        status, answer = ask("GET", f"{root}/workflows/{workflow}/history")
        events = answer["history"]["events"]
        assert events[0]["workflowExecutionStartedEventAttributes"]["input"] == ["x", 1, {"a": [True, None]}]
        assert events[2]["workflowExecutionSignaledEventAttributes"]["input"] == [{"n": 1}]
        status, full = ask("GET", f"{root}/workflows/{workflow}/history", noPayloadShorthand="")
        assert "payloads" in full["history"]["events"][2]["workflowExecutionSignaledEventAttributes"]["input"]
        status, answer = ask("GET", f"{root}/workflows/{workflow}/history-reverse", maximumPageSize=2)
        assert [event["eventId"] for event in answer["history"]["events"]] == ["3", "2"]
        query = f"WorkflowId = '{workflow}'"
        status, answer = ask("GET", f"{root}/workflows", query=query, pageSize=5)
        assert [found["execution"]["workflowId"] for found in answer["executions"]] == [workflow]
        assert ask("GET", f"{root}/workflow-count", query=query)[1]["count"] == "1"
        status, answer = ask("GET", f"{root}/task-queues/nobody-polls-this", taskQueueType="TASK_QUEUE_TYPE_WORKFLOW", reportStats="true")
        assert status == 200 and int(answer["stats"]["approximateBacklogCount"]) >= 1
        assert ask("POST", f"{root}/workflows/{workflow}/cancel", {"reason": "enough"}) == (200, {})
        assert ask("POST", f"{root}/workflows/{workflow}/terminate", {"reason": "enough"}) == (200, {})
        status, answer = ask(
            "GET", f"{root}/workflows/{workflow}/history", waitNewEvent="true", historyEventFilterType="HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT"
        )
        assert answer["history"]["events"][0]["workflowExecutionTerminatedEventAttributes"]["reason"] == "enough"


@check("errors have the status of their code and their detail")
def _():
    status, answer = ask("GET", "/api/v1/namespaces/default/workflows/nope-x")
    assert status == 404 and answer["code"] == 5 and answer["message"] == "workflow not found for ID: nope-x"
    assert answer["details"][0]["@type"] == "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure"
    status, answer = ask("GET", "/api/v1/namespaces/nope-ns/workflows")
    assert status == 404 and answer["details"][0]["namespace"] == "nope-ns"
    status, answer = ask("GET", "/namespaces/default/workflows", query="Nope = 1")
    assert status == 400 and answer["code"] == 3
    status, answer = ask("POST", "/namespaces/default/workflows/x", {"nonsense": 1})
    assert status == 400 and answer["code"] == 3
    status, answer = ask("GET", "/api/v1/nonsense")
    assert status == 404 and answer["message"] == "Not Found"


@check("workers and activities")
def _():
    key = f"w-{uuid.uuid4().hex[:8]}"
    heartbeat = {"workerHeartbeat": [{"workerInstanceKey": key, "taskQueue": f"q-{key}", "status": "WORKER_STATUS_RUNNING"}]}
    status, answer = ask("POST", "/api/v1/namespaces/default/workers/heartbeat", heartbeat)
    assert status == 200, answer
    status, answer = ask("GET", "/namespaces/default/workers", query=f"TaskQueue = 'q-{key}'")
    assert [worker["workerInstanceKey"] for worker in answer["workers"]] == [key], answer
    assert ask("GET", "/namespaces/default/worker-count", query=f"TaskQueue = 'q-{key}'")[1]["count"] == "1"
    status, answer = ask("GET", f"/api/v1/namespaces/default/workers/describe/{key}")
    assert answer["workerInfo"]["workerHeartbeat"]["workerInstanceKey"] == key
    status, answer = ask("POST", "/namespaces/default/activities-deprecated/pause", {"execution": {"workflowId": "nope-x"}, "id": "1"})
    assert status == 404 and answer["message"] == "workflow not found for ID: nope-x"
    status, answer = ask("POST", "/namespaces/default/workflows/nope-x/activities/1/complete", {"result": ["x"]})
    assert status == 404


print(f"{passed} passed, 0 failed")
