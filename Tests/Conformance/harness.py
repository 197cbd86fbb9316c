"""A tiny runner: async test functions named test_*, a server address from the command line, one closing line."""
import asyncio
import inspect
import os
import sys
import time
import traceback
import uuid

from temporalio.client import Client


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


async def eventually(check, timeout: float = 20.0, what: str = "condition"):
    """Asks `check` again until it returns something true; the deadline is only a bound for a broken server."""
    end = time.monotonic() + timeout
    while True:
        value = check()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come true in {timeout} s"
        await asyncio.sleep(0.05)


def main(module) -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7233"
    only = sys.argv[2] if len(sys.argv) > 2 else ""

    async def run() -> int:
        client = await Client.connect(address)
        passed = failed = 0
        for name, function in sorted(vars(module).items()):
            if not name.startswith("test_") or only not in name:
                continue
            began = time.monotonic()
            try:
                await asyncio.wait_for(function(client), 90)
                passed += 1
                print(f"ok      {name} ({time.monotonic() - began:.1f} s)", flush=True)
            except BaseException:
                failed += 1
                print(f"FAILED  {name}\n{traceback.format_exc()}", flush=True)
        print(f"{passed} passed, {failed} failed", flush=True)
        return 1 if failed or not (passed or only) else 0

    code = asyncio.run(run())
    sys.stdout.flush()
    # Without the interpreter's end: the SDK's threads may crash it there.
    os._exit(code)
