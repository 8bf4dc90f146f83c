# SPDX-License-Identifier: Apache-2.0
"""Several servers with one store: what is revoked on one is revoked on all, and what its outage means."""

import hashlib
import hmac
import os
import struct
import time

import pytest
from pyclerk.clerk import XHR, bearer, directives
from pyclerk.stores import Memcached, Redis
from test_revocation import AFTER, BEFORE, People, configuration, tell
from test_webhook import SECRETS

STORES = {"redis": Redis, "memcache": Memcached}
KEY = "k" * 40
# httpd's own about a store that does not answer, and ours.
OUTAGE = ("AC3283", "AC3284", "AC3205", "AH0", "redis", "memcache")


@pytest.fixture(name="live", scope="module")
def _live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


@pytest.fixture(name="store", params=sorted(STORES))
def _store(request, tmp_path):
    if not STORES[request.param].is_installed():
        pytest.skip(f"{request.param} is not installed")
    store = STORES[request.param](tmp_path)
    yield store
    store.stop()


@pytest.fixture(name="serve")
def _serve(make_httpd, live, store):
    servers = []

    def serve(more="", key=KEY):
        server = make_httpd()
        server.env["KEY"] = key
        text = f"ClerkSOCache {store.spec}\nClerkSOCacheKey env:KEY\nClerkRevocationPoll 200ms\n{more}"
        server.configure(configuration(server, live, text), modules=store.modules)
        server.log.announce(*OUTAGE)
        servers.append(server)
        return server.start()

    yield serve
    for server in servers:
        server.stop()


def wait_until(condition, timeout=40.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_all_servers_know(serve, live):
    one, two = serve(), serve()
    people = People(live)
    tell(one, *people.end("anna"))
    assert people.stopped(one, BEFORE) == {"anna"}
    wait_until(lambda: people.stopped(two, BEFORE) == {"anna"})
    tell(two, "organization.deleted", {"id": people.org.id})
    wait_until(lambda: people.stopped(one, BEFORE) == {"anna", "anna in org", "ben in org"})
    assert people.stopped(one, 0) == people.stopped(two, 0) == set()
    # One that starts later, and one that is restarted.
    two.restart()
    three = serve()
    for server in (two, three):
        wait_until(lambda server=server: people.stopped(server, BEFORE) == {"anna", "anna in org", "ben in org"})


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_store_that_was_away_is_told_again(serve, store, live):
    one, two = serve(), serve()
    early, late = People(live), People(live)
    tell(one, *early.end())
    wait_until(lambda: early.stopped(two, BEFORE) == {"anna"})
    store.stop()
    one.log.wait_for("AC3283: the store of ClerkSOCache does not keep", 40)
    # open: everybody else goes on, and this server refuses what it knows of.
    tell(one, *late.end())
    assert late.stopped(one, BEFORE) == {"anna"} and late.stopped(two, BEFORE) == set()
    store.start()
    wait_until(lambda: late.stopped(two, BEFORE) == {"anna"})
    one.log.wait_for("AC3284: the store of ClerkSOCache answers again", 40)
    # What the new store does not have from before is still known.
    assert early.stopped(two, BEFORE) == {"anna"}
    three = serve()
    wait_until(lambda: early.stopped(three, BEFORE) == late.stopped(three, BEFORE) == {"anna"})


@pytest.mark.parametrize("store", ["memcache"], indirect=True)
def test_closed_lets_nobody_in_who_may_be_revoked(serve, store, live):
    server = serve("ClerkRevocationFailure closed\n")
    headers = XHR | bearer(live)

    def status(place="/app/env.cgi"):
        return server.get(place, headers).status

    wait_until(lambda: status() == 200)
    store.stop()
    wait_until(lambda: status() == 503)
    answer = server.get("/app/env.cgi", headers)
    assert answer.header("X-Clerk-Auth-Reason") == "revocations-unknown" and int(answer.header("Retry-After")) > 0
    assert status("/off/env.cgi") == 200
    assert server.get("/optional/env.cgi", XHR).status == 200
    store.start()
    headers = XHR | bearer(live)
    wait_until(lambda: status() == 200)


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_what_others_write_is_not_believed(serve, live):
    one, two, stranger = serve(), serve(), serve(key="another key of another server, long enough")
    ours, theirs = People(live), People(live)
    tell(stranger, *theirs.end())
    assert theirs.stopped(stranger, BEFORE) == {"anna"}
    tell(one, *ours.end())
    # In one look at the store.
    wait_until(lambda: ours.stopped(two, BEFORE) == {"anna"})
    tell(one, *ours.end("ben"))
    wait_until(lambda: ours.stopped(two, BEFORE) == {"anna", "ben"})
    assert theirs.stopped(two, BEFORE) == set() and ours.stopped(stranger, BEFORE) == set()


class Lanes:
    """What the servers of a fleet write (src/httpd/process/fleet.h), read and written by somebody who has the key."""

    COUNT, KEPT = 32, 600

    def __init__(self, store, key=KEY):
        self.store, self.key = store, hashlib.sha256(key.encode()).digest()
        (known,) = {name for name in store.values() if self.number(name) is not None}
        self.prefix = known[:-64]

    def mac(self, what):
        return hmac.new(self.key, what, hashlib.sha256).digest()

    def name(self, number):
        return self.mac(b"r" + bytes(32) + str(number).encode())

    def number(self, name):
        """Of a key of redis: the digest is its end, in hexadecimal digits."""
        names = {self.name(number).hex().encode(): number for number in range(self.COUNT)}
        return names.get(name[-64:].lower())

    def values(self):
        return {self.number(name): value for name, value in self.store.values().items()}

    def write(self, number, content, name=None):
        end = struct.pack(">Q", int((time.time() + self.KEPT) * 1e6))
        mac = self.mac((name or self.name(number)) + end + content)
        self.store.say("SET", self.prefix + self.name(number).hex().encode(), end + content + mac, "EX", self.KEPT)


def lane(*entries, floor=0, count=None):
    """Of a server that has stopped. An entry is a place, a time, a tag and a family."""
    head = struct.pack(">QQq", 7, len(entries) if count is None else count, floor)
    return head + b"".join(struct.pack(">QIIB", *entry) for entry in entries)


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_server_takes_a_lane_that_is_free(serve, store, live):
    """Whatever a server that has stopped left behind is not overwritten."""
    one, people = serve(), People(live)
    wait_until(lambda: len(store.values()) == 1)
    lanes = Lanes(store)
    free = next(number for number in (11, 12) if number not in lanes.values())
    for number in set(range(lanes.COUNT)) - set(lanes.values()) - {free}:
        lanes.write(number, lane())
    before = lanes.values()
    two = serve()
    wait_until(lambda: free in lanes.values())
    assert {number for number, value in lanes.values().items() if before.get(number) != value} == {free}
    tell(two, *people.end())
    wait_until(lambda: people.stopped(one, BEFORE) == {"anna"})


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_what_a_damaged_store_says(serve, store, live):
    """It revokes nothing and lets nobody in; with the key it can revoke, but not for ever."""
    server, people = serve(), People(live)
    wait_until(lambda: len(store.values()) == 1)
    lanes = Lanes(store)
    (own,) = lanes.values()
    other, last = [number for number in (20, 21, 22) if number != own][:2]
    tell(server, *people.end())
    soon = int(time.time()) + 30
    for content in (b"", b"x", lane()[:-1], lane() + b"x", lane((1, 2, 3, 0))[:-1], lane(floor=-1), lane((0, 0, 0, 0)), lane((1, soon, 2, 9)),
                    lane(count=2**64 - 1), os.urandom(16384)):
        lanes.write(other, content)
        lanes.write(last, lane(floor=soon), name=lanes.name(other))
        lanes.write(own, b"nothing")
        # It has read all of them when it writes its own again.
        wait_until(lambda: len(lanes.values()[own]) > 60)
        assert people.stopped(server, BEFORE) == {"anna"} and people.stopped(server, AFTER) == set()


STORE, STORE_KEY, HOOK = "ClerkSOCache redis:127.0.0.1:1\n", "ClerkSOCacheKey env:KEY\n", "ClerkWebhookSecret env:HOOK\n"


@pytest.mark.parametrize("lines", [HOOK, HOOK + STORE_KEY, HOOK + STORE, STORE + STORE_KEY])
def test_closed_needs_a_fleet(make_httpd, live, lines):
    server = make_httpd()
    server.env |= {"KEY": KEY, "HOOK": SECRETS[0]}
    server.configure(directives(server, live) + lines + "ClerkRevocationFailure closed\n", modules=("socache_redis",))
    code, output = server.check()
    assert code != 0 and "AC3286: ClerkRevocationFailure closed" in output
    server.configure(directives(server, live) + HOOK + STORE + STORE_KEY + "ClerkRevocationFailure closed\n", modules=("socache_redis",))
    assert server.check()[0] == 0
