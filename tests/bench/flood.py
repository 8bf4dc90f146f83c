#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A flood of invented API keys, each from another address, as fast as wrk sends them, while one live key is used.

    CLERK_MODULE=.../mod_auth_clerk.so python3 tests/bench/flood.py [SECONDS]

Says how many were refused, how many calls of the Backend API they caused, how long the live key waited, and what memory
the server took. A smaller one is in tests/httpd/test_machine_tokens.py. Fails if the live key was refused once, or if
more calls were made than docs/outbound-calls.md says."""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "httpd"), str(TESTS)]

from clerk_emulator import Emulator  # noqa: E402
from pyclerk import Httpd  # noqa: E402
from pyclerk.clerk import XHR, directives, protect  # noqa: E402

LUA = """
local number, salt = 0, 0
function setup(thread) salt = salt + 1; thread:set("salt", salt) end
function request()
  number = number + 1
  local address = string.format("10.%%d.%%d.%%d", salt * 64 + math.floor(number / 65536) %% 64, math.floor(number / 256) %% 256, number %% 256)
  return wrk.format("GET", nil, {Host = "127.0.0.1", Authorization = string.format("Bearer ak_flood%%d_%%d", salt, number), ["X-Client-Address"] = address})
end
function done(summary, latency)
  io.write(string.format("FLOOD %%d %%d\\n", summary.requests, summary.duration))
end
"""


def memory(server):
    """Proportional shares of all processes, in MB."""
    total = 0
    for pid in [server.process.pid, *server.children()]:
        found = re.search(r"^Pss: +(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
        total += int(found.group(1))
    return total / 1024


def flood(server, seconds, root):
    script = root / "flood.lua"
    script.write_text(LUA.replace("%%", "%"))
    return subprocess.Popen(["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{server.port}/p/"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def measure(server, instance, root, seconds):
    headers = XHR | {"Authorization": f"Bearer {instance.machine_token().secret}"}
    assert server.get("/p/", headers).status == 200
    before, waits, statuses = memory(server), [], set()
    begun = time.monotonic()
    running = flood(server, seconds, root)
    while running.poll() is None:
        asked = time.monotonic()
        statuses.add(server.get("/p/", headers).status)  # on a new connection: httpd ends idle ones when it is busy
        waits.append(time.monotonic() - asked)
        time.sleep(0.005)
    took = time.monotonic() - begun
    requests, microseconds = map(int, re.search(r"^FLOOD (\d+) (\d+)$", running.stdout.read(), re.M).groups())
    waits.sort()
    calls, most = instance.count("verify-api-key") - 1, 20 + 2 * took + 1
    print(f"{requests} invented keys in {microseconds / 1e6:.1f} s: {requests / (microseconds / 1e6):.0f} a second")
    print(f"{calls} calls of the Backend API, {most:.0f} allowed")
    print(f"live key: {len(waits)} requests, answers {sorted(statuses)}, median {waits[len(waits) // 2] * 1000:.1f} ms, "
          f"99 % {waits[len(waits) * 99 // 100] * 1000:.1f} ms, longest {waits[-1] * 1000:.1f} ms")
    print(f"memory of all processes: {before:.1f} MB before, {memory(server):.1f} MB after")
    return statuses == {200} and calls <= most


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="clerk-flood-") as directory:
        root = pathlib.Path(directory)
        root.chmod(0o755)
        instance = emulator.add_instance(production=True, host="clerk.flood.test", cast=False)
        server = Httpd(tempfile.mkdtemp(dir=root))
        server.log.announce("AC1040")
        server.write("p/index.html", "members only\n")
        server.configure("RemoteIPHeader X-Client-Address\nRemoteIPInternalProxy 127.0.0.1\nMaxKeepAliveRequests 0\n" + directives(server, instance, "api")
                         + protect("/p", ["valid-user"], "ClerkAcceptTokens api-key"), modules=("remoteip",), log_level="warn").start()
        try:
            good = measure(server, instance, root, seconds)
        finally:
            server.stop()
    sys.exit(not good)


if __name__ == "__main__":
    main()
