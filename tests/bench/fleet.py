#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten servers with one redis, then with one memcached: how long it takes until a session that a webhook to one of them ends
is refused by all, and what happens when the store is killed, slow and restarted.

    CLERK_MODULE=.../mod_auth_clerk.so python3 tests/bench/fleet.py [SERVERS [ROUNDS]]

All have ClerkRevocationFailure closed and the default ClerkRevocationPoll. Fails if a session was let in that was ended
before the outage, or while nobody was let in. Smaller ones are in tests/httpd/test_fleet.py."""

import collections
import functools
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "httpd"), str(TESTS)]

from clerk_emulator import Emulator  # noqa: E402
from pyclerk import Httpd  # noqa: E402
from pyclerk.clerk import XHR, bearer, directives, protect  # noqa: E402
from pyclerk.stores import Memcached, Redis, Slow  # noqa: E402
from pyclerk.webhooks import SECRETS  # noqa: E402
from test_revocation import HOOK, People, event, send, tell  # noqa: E402

LIMIT = 120  # seconds: longer than anything here takes
TUNING = "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\nMinSpareThreads 1\nMaxSpareThreads 8"


class Fleet:
    def __init__(self, live, store, count, root):
        self.live, self.proxy = live, Slow(store)
        self.servers = [self.make(root, store) for _ in range(count)]

    def delay(self, seconds):
        self.proxy.delay = seconds

    def make(self, root, store):
        server = Httpd(tempfile.mkdtemp(dir=root), mpm="event")
        server.env |= {"HOOK": SECRETS[0], "KEY": "k" * 40}
        server.write("p/index.html", "members only\n")
        text = f"ClerkWebhookSecret env:HOOK\nClerkSOCache {self.proxy.spec}\nClerkSOCacheKey env:KEY\nClerkRevocationFailure closed\n"
        server.configure(directives(server, self.live, "api") + text + HOOK + protect("/p", ["valid-user"]), modules=store.modules,
                         mpm=TUNING, log_level="warn auth_clerk:notice mpm_event:notice")
        return server.start()

    def headers(self, people, who="anna"):
        return XHR | bearer(self.live, session=people.sessions[who], issued_at=people.since, ttl=1800)

    def wait_for(self, headers, status):
        """Seconds until each server answers so."""
        begun, waits, left = time.monotonic(), [], list(self.servers)
        while left:
            for server in list(left):
                if server.get("/p/", headers).status == status:
                    waits.append(time.monotonic() - begun)
                    left.remove(server)
            assert time.monotonic() - begun < LIMIT, f"{len(left)} servers do not answer {status}"
        return waits

    def stop(self):
        for server in self.servers:
            server.stop()
        self.proxy.stop()


class Load:
    """Requests to all servers in turn, with one session that was ended."""

    def __init__(self, fleet, people):
        self.fleet, self.headers, self.answers = fleet, fleet.headers(people), collections.Counter()
        self.slowest, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ended.is_set():
            for server in self.fleet.servers:
                asked = time.monotonic()
                self.answers[server.get("/p/", self.headers).status] += 1
                self.slowest = max(self.slowest, time.monotonic() - asked)

    def stop(self):
        self._ended.set()
        self._thread.join()


def measure(fleet, rounds):
    waits = []
    for _ in range(rounds):
        people = People(fleet.live)
        headers = fleet.headers(people)
        fleet.wait_for(headers, 200)
        tell(fleet.servers[0], *people.end())
        waits += [wait * 1000 for wait in fleet.wait_for(headers, 401)]
    print(f"  refused by all {len(fleet.servers)} servers, {rounds} rounds: min {min(waits):.0f} ms, median {statistics.median(waits):.0f} ms, "
          f"max {max(waits):.0f} ms", flush=True)


def outage(fleet, name, begin, finish):
    """One session was ended before, another one is while nobody is let in. @return whether both stay outside"""
    before, during, others = People(fleet.live), People(fleet.live), fleet.headers(People(fleet.live))
    tell(fleet.servers[0], *before.end())
    fleet.wait_for(fleet.headers(before), 401)
    loads = [Load(fleet, before)]
    begun = time.monotonic()
    begin()
    waits = fleet.wait_for(others, 503)
    # 503 where the server knows by then that it is cut off: Clerk would send it again.
    assert send(fleet.servers[0], event(*during.end())).status in (204, 503)
    loads.append(Load(fleet, during))
    time.sleep(5)  # some load
    finish()
    back = max(fleet.wait_for(others, 200))
    took = time.monotonic() - begun
    for load in loads:
        load.stop()
    answers = loads[0].answers + loads[1].answers
    print(f"  {name}: nobody is let in after {min(waits):.1f} to {max(waits):.1f} s, all are well {back:.1f} s after its end; {took:.0f} s; "
          f"answers to ended sessions {dict(answers)}, slowest {max(load.slowest for load in loads) * 1000:.0f} ms", flush=True)
    return answers[200] == 0


def main():
    count, rounds = (int(argument) for argument in sys.argv[1:3] + ["10", "10"][len(sys.argv) - 1:])
    good = True
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="clerk-fleet-") as directory:
        root = pathlib.Path(directory)
        root.chmod(0o755)
        live = emulator.add_instance(production=True, host="clerk.fleet.test")
        for kind in (Redis, Memcached):
            store = kind(root)
            print(f"{kind.program}, load average {os.getloadavg()[0]:.0f}", flush=True)
            fleet = Fleet(live, store, count, root)
            try:
                fleet.wait_for(fleet.headers(People(live)), 200)
                measure(fleet, rounds)
                good &= outage(fleet, "killed and started again", store.stop, store.start)
                good &= outage(fleet, "each answer takes 5 s", functools.partial(fleet.delay, 5), functools.partial(fleet.delay, 0))
                good &= outage(fleet, "hangs", store.pause, store.resume)
                store.stop()
                store.start()
                fleet.wait_for(fleet.headers(People(live)), 200)
            finally:
                fleet.stop()
                store.stop()
    sys.exit(not good)


if __name__ == "__main__":
    main()
