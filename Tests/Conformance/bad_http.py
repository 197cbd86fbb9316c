"""HTTP requests that are wrong, or none."""
import asyncio
import json
import urllib.error

from bad_bytes import PREFACE, h2
from bad_world import World
from harness import unique

GOOD = {
    "merchant_id": "m", "order_id": "o-1", "amount": 100, "currency": "EUR", "payment_method": "pm_good", "provider": "sandbox",
}


def problem(answer: tuple[int, dict, bytes], status: int, text: str = "") -> dict:
    code, headers, body = answer
    assert code == status, f"expected {status}, got {code}: {body[:300]!r}"
    kind = {name.lower(): value for name, value in headers.items()}.get("content-type", "")
    assert kind.startswith("application/problem+json"), f"{status} as {kind}: {body[:200]!r}"
    read = json.loads(body)
    assert text in json.dumps(read), f"expected «{text}» in {read}"
    return read


async def test_payment_bodies_that_cannot_be_read(w: World):
    def post(body: bytes, **headers):
        return w.ask("POST", "/v1/payments", body, {"Idempotency-Key": unique("key"), "Content-Type": "application/json"} | headers)

    good = json.dumps(GOOD)
    deep = b"[" * 2000 + b"]" * 2000
    for body in [
        b"", b"{", b"nonsense", b"[]", b'"text"', b"null", b"{\"a\":1,}", b"{'a':1}", b"\xff\xfe", b'{"a":NaN}', b'{"a":1e999999}',
        good[:-1].encode(), good.encode() + b"x", good.replace('"m"', '"m\\ud800"').encode(), deep, b'{"a":' * 2000 + b"1" + b"}" * 2000,
        (good[:-1] + ', "amount": 200}').encode(),  # a key twice
        (good[:-1] + ', "amo\\u0075nt": 200}').encode(),  # the same key, spelt otherwise
    ]:
        answer = await asyncio.to_thread(post, body)
        try:
            assert answer[0] in (400, 422), f"{answer[0]}: {answer[2][:200]!r}"
            problem(answer, answer[0])
        except AssertionError as error:
            raise AssertionError(f"{body[:60]!r}…: {error}") from None


async def test_payment_fields_that_are_wrong(w: World):
    for change, pointer in [
        ({"amount": "100"}, "/amount"), ({"amount": 1.5}, "/amount"), ({"amount": 0}, "/amount"), ({"amount": -1}, "/amount"),
        ({"amount": 10**30}, "/amount"), ({"amount": True}, "/amount"), ({"amount": None}, "/amount"), ({"currency": "XXQ"}, "/currency"),
        ({"currency": "eur"}, "/currency"), ({"merchant_id": ""}, "/merchant_id"), ({"merchant_id": "../x"}, "/merchant_id"),
        ({"merchant_id": "a\0b"}, "/merchant_id"), ({"order_id": "a\0b"}, "/order_id"), ({"metadata": {"k": ["\0"]}}, "/metadata"), ({"order_id": "x" * 65}, "/order_id"), ({"order_id": ["o"]}, "/order_id"),
        ({"payment_method": "4111111111111111"}, "/payment_method"), ({"unknown": 1}, "/unknown"), ({"items": {}}, "/items"),
        ({"items": [{"sku": "", "qty": 0}]}, "/items/0"), ({"provider": "nobody"}, "/provider"), ({"metadata": []}, "/metadata"),
    ]:
        answer = await asyncio.to_thread(
            w.ask, "POST", "/v1/payments", json.dumps(GOOD | change).encode(), {"Idempotency-Key": unique("key")})
        try:
            found = problem(answer, 422)
            assert any(e["pointer"].startswith(pointer) for e in found["errors"]), found
        except AssertionError as error:
            raise AssertionError(f"{change}: {error}") from None


async def test_payment_headers_that_are_wrong(w: World):
    body = json.dumps(GOOD).encode()
    for headers in [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 300}]:
        problem(await asyncio.to_thread(w.ask, "POST", "/v1/payments", body, headers), 400)


async def test_paths_and_methods_that_do_not_exist(w: World):
    problem(await asyncio.to_thread(w.ask, "GET", "/v1/nothing"), 404)
    problem(await asyncio.to_thread(w.ask, "GET", "/"), 404)
    problem(await asyncio.to_thread(w.ask, "GET", "/v1/payments/not-a-uuid"), 404)
    problem(await asyncio.to_thread(w.ask, "GET", "/v1/payments/%00"), 404)
    problem(await asyncio.to_thread(w.ask, "GET", "/v1/operations/..%2f..%2fetc%2fpasswd"), 404)
    for method, path in [("DELETE", "/v1/payments"), ("PUT", "/v1/payments"), ("POST", "/healthz"), ("PATCH", "/v1/operations/x")]:
        code, headers, _ = answer = await asyncio.to_thread(w.ask, method, path, b"{}")
        problem(answer, 405)
        assert {name.lower(): value for name, value in headers.items()}.get("allow"), headers
    for query in ["cursor=nonsense", "limit=0", "limit=-1", "limit=ten", "cursor=" + "A" * 2000, "limit=99999999999999999999"]:
        problem(await asyncio.to_thread(w.ask, "GET", f"/v1/payments?{query}"), 400)


async def test_a_body_that_is_too_large(w: World):
    body = b'{"merchant_id": "' + b"x" * (3 << 20) + b'"}'
    try:
        answer = await asyncio.to_thread(w.ask, "POST", "/v1/payments", body, {"Idempotency-Key": unique("key")})
        problem(answer, 413)
    except urllib.error.URLError:
        pass  # Hung up while the body was still on its way, which HTTP allows.


async def test_temporal_json_that_is_wrong(w: World):
    base = "/api/v1/namespaces/default"
    for method, path, body, status in [
        ("POST", f"{base}/workflows/w", b"{", 400),
        ("POST", f"{base}/workflows/w", b"[]", 400),
        ("POST", f"{base}/workflows/w", b"{}", 400),
        ("POST", f"{base}/workflows/w", b'{"workflowType": 7}', 400),
        ("POST", f"{base}/workflows/w", b'{"workflowType": {"name": "T"}, "taskQueue": {"name": "q"}, "nonsense": 1}', 400),
        ("POST", f"{base}/workflows/w", b'{"workflowType": {"name": "T", "name": "U"}, "taskQueue": {"name": "q"}}', 400),
        ("POST", f"{base}/workflows/w", b"[" * 5000 + b"]" * 5000, 400),
        ("POST", f"{base}/workflows/w%00", b'{"workflowType": {"name": "T"}, "taskQueue": {"name": "q"}}', 400),
        ("POST", "/api/v1/namespaces/nowhere/workflows/w", b'{"workflowType": {"name": "T"}, "taskQueue": {"name": "q"}}', 404),
        ("GET", f"{base}/workflows/{unique('missing')}", None, 404),
        ("GET", f"{base}/workflows/w?execution.runId=x", None, 400),
        ("GET", f"{base}/workflows?query=nonsense", None, 400),
        ("GET", f"{base}/workflows?pageSize=many", None, 400),
        ("GET", "/api/v1/nothing", None, 404),
        ("DELETE", f"{base}/workflows", None, 405),
    ]:
        code, _, answer = await asyncio.to_thread(w.ask, method, path, body)
        assert code == status, f"{method} {path} {(body or b'')[:60]!r}: expected {status}, got {code}: {answer[:300]!r}"
        json.loads(answer)


async def test_http_bytes_that_are_no_request(w: World):
    for name, data in [
        ("garbage", w.dice.randbytes(2000)),
        ("half a request", b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"),
        ("a negative length", b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}"),
        ("two lengths", b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ("length and chunks", b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a chunk size that is none", b"POST /v1/payments HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        ("a header without an end", b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000),
        ("an endless number of headers", b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(20_000))),
        ("HTTP/2", PREFACE + h2(4, 0, 0, b"")),
        ("HTTP/9", b"GET / HTTP/9.9\r\n\r\n"),
        ("nul bytes", b"\0" * 1000),
    ]:
        connection = w.connect(w.http_port)
        try:
            connection.sendall(data)
            connection.settimeout(0.3)
            try:
                reply = connection.recv(4096)
                assert not reply or b" 4" in reply[:16] or b" 5" in reply[:16], f"{name}: {reply[:100]!r}"
            except (TimeoutError, ConnectionError):
                pass
        except ConnectionError:
            pass
        finally:
            connection.close()
        status, _, _ = await asyncio.to_thread(w.ask, "GET", "/healthz")
        assert status == 200, name
