"""Bytes on the gRPC port that are no request."""
import asyncio
import struct
import subprocess

from bad_world import World, start


def grpc(w: World, method: str, message: bytes, frame: bytes | None = None, headers: list[str] | None = None) -> tuple[str, str]:
    """Sends raw bytes as one gRPC call with curl; returns grpc-status and grpc-message."""
    body = frame if frame is not None else b"\0" + struct.pack(">I", len(message)) + message
    output = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-m", "10", "-D", "-", "-o", "/dev/null", "-X", "POST", "--data-binary", "@-",
         "-H", "content-type: application/grpc", "-H", "te: trailers", *sum([["-H", h] for h in headers or []], []),
         f"http://{w.grpc}{method}"],
        input=body, capture_output=True, timeout=20,
    ).stdout.decode(errors="replace")
    found = {}
    for line in output.splitlines():
        name, _, value = line.partition(":")
        found[name.strip().lower()] = value.strip()
    return found.get("grpc-status", ""), found.get("grpc-message", "") or output


START = "/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution"


async def test_bytes_that_are_no_message(w: World):
    good = start().SerializeToString()
    for message in [
        b"\xff" * 20,
        b"\x0a\x05ab",  # a length beyond the end
        b"\x08\x96\x01",  # the namespace as a number
        b"\x12\x03\xff\xfe\xfd",  # the workflow id is no UTF-8
        b"\x1a\x02\xff\xff",  # the workflow type is no message
        b"\x0b",  # a group that does not end
        good[:-3],
        w.dice.randbytes(500),
    ]:
        status, text = await asyncio.to_thread(grpc, w, START, message)
        assert status in ("3", "13"), f"{message[:30]}: status {status}: {text}"


async def test_broken_frames(w: World):
    """Some are answered with a status, some reset their stream; none is taken for a request."""
    good = start().SerializeToString()
    length = struct.pack(">I", len(good))
    for name, frame in [
        ("no body", b""),
        ("half a prefix", b"\0\0\0"),
        ("a message shorter than it says", b"\0" + struct.pack(">I", len(good) + 10) + good),
        ("a length of 4 GiB", b"\0\xff\xff\xff\xff" + good),
        ("compressed, without an encoding", b"\1" + length + good),
    ]:
        status, text = await asyncio.to_thread(grpc, w, START, b"", frame)
        assert status != "0", f"{name}: {text}"
    for name, headers in [
        ("garbage as gzip", ["grpc-encoding: gzip"]), ("an unknown encoding", ["grpc-encoding: rot13"]),
    ]:
        status, text = await asyncio.to_thread(grpc, w, START, b"", b"\1" + length + good, headers)
        assert status != "0", f"{name}: {text}"
    status, text = await asyncio.to_thread(grpc, w, "/temporal.api.workflowservice.v1.WorkflowService/Nonsense", b"")
    assert status == "12" and "unknown method Nonsense" in text, (status, text)
    status, text = await asyncio.to_thread(grpc, w, "/no.Such/Service", b"")
    assert status == "12" and "unknown service" in text, (status, text)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def h2(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


async def test_truncated_http2(w: World):
    settings = h2(4, 0, 0, b"")
    headers = h2(1, 4, 1, b"\x83\x86\x44" + bytes([len(START)]) + START.encode() + b"\x41\x01x")
    for name, data in [
        ("nothing", b""),
        ("half a preface", PREFACE[:10]),
        ("the preface alone", PREFACE),
        ("a frame header cut short", PREFACE + settings + b"\0\0"),
        ("a frame cut short", PREFACE + settings + headers[:-4]),
        ("headers, and the connection ends", PREFACE + settings + headers),
        ("a message cut short", PREFACE + settings + headers + h2(0, 0, 1, b"\0\0\0\0\x64abc")),
        ("data before headers", PREFACE + settings + h2(0, 0, 5, b"abc")),
        ("a frame of 16 MiB", PREFACE + settings + b"\xff\xff\xff\0\0\0\0\0\1" + b"x" * 1000),
        ("header compression garbage", PREFACE + settings + h2(1, 5, 1, b"\xff\xff\xff\xff\xff\xff")),
        ("an even stream", PREFACE + settings + h2(1, 5, 2, b"\x83")),
        ("settings with a stream", PREFACE + h2(4, 0, 7, b"")),
        ("window overflow", PREFACE + settings + h2(8, 0, 0, b"\x7f\xff\xff\xff") * 2),
        ("a continuation of nothing", PREFACE + settings + h2(9, 4, 1, b"\x83")),
        ("resets by the hundred", PREFACE + settings + b"".join(
            h2(1, 4, 2 * i + 1, b"\x83\x86\x44" + bytes([len(START)]) + START.encode()) + h2(3, 0, 2 * i + 1, b"\0\0\0\x08")
            for i in range(300))),
        ("garbage", w.dice.randbytes(4096)),
        ("HTTP/1.1", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + w.dice.randbytes(200)),
    ]:
        connection = w.connect(w.grpc_port)
        try:
            connection.sendall(data)
            connection.settimeout(0.2)
            try:
                connection.recv(4096)
            except (TimeoutError, ConnectionError):
                pass
        except ConnectionError:
            pass  # The server hung up first, as it may.
        finally:
            connection.close()
        try:
            await w.answers()
        except Exception as error:
            raise AssertionError(f"after {name}: {error}") from None


async def test_silent_connections(w: World):
    held = [w.connect(port) for port in (w.grpc_port, w.http_port) for _ in range(200)]
    try:
        for connection in held[::2]:
            connection.sendall(b"P")
        await w.answers()
        status, _, _ = await asyncio.to_thread(w.ask, "GET", "/healthz")
        assert status == 200
    finally:
        for connection in held:
            connection.close()
