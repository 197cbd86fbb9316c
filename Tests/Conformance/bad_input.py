"""Bad input over the real wire: each gets its documented error, nothing is written, and the server answers afterwards.

    bad_input.py READY_FILE [NAME]

READY_FILE is what `aloft server start-dev --ready-file` wrote.
"""
import asyncio
import json
import sys
import time
import traceback

from temporalio.client import Client

import bad_bytes
import bad_http
import bad_requests
from bad_world import World

# Those that begin with a good request of their own and compare by themselves.
WRITES = {
    "test_text_with_a_nul", "test_oversize_blobs", "test_page_tokens_of_other_requests", "test_a_query_without_workers",
    "test_a_genuine_token_with_every_byte_changed", "test_commands_that_cannot_be",
}


async def main() -> int:
    ready = json.loads(open(sys.argv[1]).read())
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    world = World(ready, await Client.connect(ready["grpc"]))
    await world.answers()
    passed = failed = 0
    tests = [item for module in (bad_requests, bad_bytes, bad_http) for item in vars(module).items()]
    for name, function in tests:
        if not name.startswith("test_") or only not in name:
            continue
        begun = time.monotonic()
        before = world.written()
        try:
            await asyncio.wait_for(function(world), 120)
            if name not in WRITES:
                assert world.written() == before, f"something was written: {before} became {world.written()}"
            await world.answers()
            passed += 1
            print(f"ok      {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {name}\n{traceback.format_exc(limit=3)}", flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
