# SPDX-License-Identifier: Apache-2.0
"""Several servers with one store: what is revoked on one is revoked on all, and what its outage means."""

import hashlib
import hmac
import os
import struct
import time

import pytest
from pyclerk.clerk import XHR, bearer, directives
from pyclerk.stores import Memcached, Redis, Slow
from pyclerk.webhooks import SECRETS, signed
from test_revocation import AFTER, BEFORE, People, configuration, event, number, send, session_data, tell

STORES = {"redis": Redis, "memcache": Memcached}
KEY = "k" * 40
# httpd's own about a store that does not answer, and ours.
OUTAGE = ("AC3283", "AC3284", "AC3287", "AC3288", "AC3289", "AC3290", "AC3205", "AH0", "redis", "memcache")


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

    def serve(more="", key=KEY, spec=store.spec):
        server = make_httpd()
        server.env["KEY"] = key
        text = f"ClerkSOCache {spec}\nClerkSOCacheKey env:KEY\nClerkRevocationPoll 200ms\n{more}"
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


def tell_alone(server, kind, data):
    """With `closed`, while the server knows or does not know yet that it is cut off."""
    assert send(server, event(kind, data)).status in (204, 503)


@pytest.mark.mpm
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
    # Clerk sends it again: a server that never comes back could not tell the others.
    people = People(live)
    assert send(server, event(*people.end())).status == 503
    server.log.wait_for("AC3290: webhook message applied here, and answered with 503")
    # What nobody has to be told of is done.
    assert send(server, event("email.created", {"id": "ema_1"})).status == 204
    store.start()
    headers = XHR | bearer(live)
    wait_until(lambda: status() == 200)
    assert people.stopped(server, BEFORE) == {"anna"}
    tell(server, *people.end("ben"))


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


@pytest.fixture(name="proxies")
def _proxies(store):
    """For two servers."""
    proxies = [Slow(store), Slow(store)]
    yield proxies
    for proxy in proxies:
        proxy.stop()


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_closed_with_a_slow_store(serve, store, proxies, live):
    """From the moment that it is not known in time who was stopped elsewhere, nobody is let in, and nobody waits."""
    one, two = (serve("ClerkRevocationFailure closed\n", spec=proxy.spec) for proxy in proxies)
    people, lanes = People(live), lanes_of(store, 2)

    def status(server, who):
        return server.get("/app/env.cgi", XHR | bearer(live, session=people.sessions[who], issued_at=people.since, ttl=600)).status

    for server in (one, two):
        wait_until(lambda server=server: status(server, "ben") == 200)
    for proxy in proxies:
        proxy.delay = 1.2  # three of them are more than three polls and two seconds
    two.log.wait_for("AC3288: the store of ClerkSOCache is slow", 40)
    empty = max(map(len, lanes.values().values()))
    tell_alone(one, *people.end())
    wait_until(lambda: max(map(len, lanes.values().values())) > empty)
    # The rest of a look, and then one that began later.
    enough = proxies[1].answers + 3
    while proxies[1].answers < enough:
        assert [status(two, who) for who in ("anna", "ben")] == [503, 503]
    for proxy in proxies:
        proxy.delay = 0
    while status(two, "ben") != 200:
        assert status(two, "anna") in (401, 503)
    assert status(two, "anna") == 401


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_closed_after_an_outage(serve, store, proxies, live):
    """A store that is back knows nothing of what was revoked meanwhile, until the server writes that was told."""
    one, two = (serve("ClerkRevocationFailure closed\n", spec=proxy.spec) for proxy in proxies)
    people = People(live)
    lanes_of(store, 2)

    def status(who):
        return two.get("/app/env.cgi", XHR | bearer(live, session=people.sessions[who], issued_at=people.since, ttl=600)).status

    wait_until(lambda: status("ben") == 200)
    store.stop()
    wait_until(lambda: status("ben") == 503)
    tell_alone(one, *people.end())
    proxies[0].delay = 600
    before = proxies[1].answers
    store.start()
    # Several looks of the second server, which finds the store well but empty.
    wait_until(lambda: proxies[1].answers > before + 20)
    assert [status(who) for who in ("anna", "ben")] == [503, 503]
    proxies[0].delay = 0
    while status("ben") != 200:
        assert status("anna") in (401, 503)
    assert status("anna") == 401


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_open_with_a_slow_store(serve, proxies, store, live):
    one, two = (serve(spec=proxy.spec) for proxy in proxies)
    people = People(live)
    lanes_of(store, 2)
    for proxy in proxies:
        proxy.delay = 0.5
    tell(one, *people.end())
    assert people.stopped(one, BEFORE) == {"anna"}
    # In the time of a few answers: only lanes that are in use are read.
    wait_until(lambda: people.stopped(two, BEFORE) == {"anna"})
    proxies[1].delay = 3
    two.restart()
    assert not people.stopped(two, AFTER)
    proxies[1].delay = 0
    wait_until(lambda: people.stopped(two, BEFORE) == {"anna"})


@pytest.mark.mpm
@pytest.mark.parametrize("store", ["memcache"], indirect=True)
def test_a_store_that_hangs(serve, store, live):
    """mod_socache_memcache waits for ever. Requests do not, and so does no stop of the server."""
    server, people = serve("ClerkRevocationFailure closed\n"), People(live)

    def status():
        return server.get("/app/env.cgi", XHR | bearer(live, session=people.sessions["anna"])).status

    wait_until(lambda: status() == 200)
    store.pause()
    wait_until(lambda: status() == 503)
    store.resume()
    wait_until(lambda: status() == 200)
    store.pause()
    server.stop()
    store.resume()


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_store_that_takes_nothing(serve, store, live):
    server, people = serve("ClerkRevocationFailure closed\n"), People(live)

    def status():
        return server.get("/app/env.cgi", XHR | bearer(live, session=people.sessions["anna"])).status

    wait_until(lambda: status() == 200)
    store.say("CONFIG", "SET", "min-replicas-to-write", 1)
    tell(server, *people.end("ben"))
    wait_until(lambda: status() == 503)
    store.say("CONFIG", "SET", "min-replicas-to-write", 0)
    wait_until(lambda: status() == 200)


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_flood_of_revocations(serve, live):
    """More than a lane holds. Whoever has read all of them in time revokes nothing else."""
    one, two = serve(), serve()
    people, stopped = People(live), []
    for _ in range(5):
        with one.connection() as connection:
            for i in range(400):
                person = live.add_user(f"flood{next(number)}") if i % 100 == 99 else None
                session = live.create_session(person) if person else None
                stopped += [session] if session else []
                data = session_data(session) if session else {"id": f"sess_{next(number)}", "user_id": f"user_{next(number)}"}
                body = event("session.ended", data)
                assert connection.request("POST", "/hook", signed(body, message=f"msg_f{next(number)}"), body).status == 204
        # Before more are sent than a lane holds.
        wait_until(lambda: two.get("/app/env.cgi", XHR | bearer(live, session=stopped[-1], issued_at=people.since, ttl=600)).status == 401)
    for server in (one, two):
        answers = [server.get("/app/env.cgi", XHR | bearer(live, session=session, issued_at=people.since, ttl=600)).status for session in stopped]
        assert answers == [401] * len(stopped) and len(stopped) == 20
        assert people.stopped(server, BEFORE) == set()
    # One that starts now cannot know all of them.
    three = serve()
    wait_until(lambda: people.stopped(three, BEFORE) == set(people.sessions))


class Lanes:
    """What the servers of a fleet write (src/httpd/process/fleet.h), read and written by somebody who has the key."""

    COUNT, KEPT, DIRECTORY = 64, 600, "directory"

    def __init__(self, store, key=KEY):
        self.store, self.key = store, hashlib.sha256(key.encode()).digest()
        self.names = {self.name(number): number for number in (*range(self.COUNT), self.DIRECTORY)}
        self.prefix = next(key for key in store.values() if self.number(key) is not None)[:-64]

    def mac(self, what):
        return hmac.new(self.key, what, hashlib.sha256).digest()

    def name(self, number):
        return self.mac(b"r" + bytes(32) + str(number).encode())

    def number(self, key):
        """Of a key of redis: the digest is its end, in hexadecimal digits."""
        try:
            return self.names.get(bytes.fromhex(key[-64:].decode()))
        except ValueError:
            return None

    def keys(self):
        """Number of the lane -> key of redis."""
        return {self.number(key): key for key in self.store.say("KEYS", "*")}

    def values(self):
        """Without the directory."""
        found = {self.number(key): value for key, value in self.store.values().items()}
        found.pop(self.DIRECTORY, None)
        return found

    def write(self, number, content, name=None):
        end = struct.pack(">Q", int((time.time() + self.KEPT) * 1e6))
        mac = self.mac((name or self.name(number)) + end + content)
        self.store.say("SET", self.prefix + self.name(number).hex().encode(), end + content + mac, "EX", self.KEPT)

    def listed(self):
        value = self.store.say("GET", self.prefix + self.name(self.DIRECTORY).hex().encode())
        ends = struct.unpack(f">{self.COUNT}Q", value[8:-32]) if value and len(value) == 8 * self.COUNT + 40 else ()
        return {number: end for number, end in enumerate(ends) if end}

    def list(self, *numbers):
        """Into the directory. The servers that are in it stay there."""
        ends = dict.fromkeys(numbers, int((time.time() + self.KEPT) * 1e6)) | self.listed()
        self.write(self.DIRECTORY, struct.pack(f">{self.COUNT}Q", *(ends.get(number, 0) for number in range(self.COUNT))))


def lane(*entries, floor=0, first=0, appended=None, server=7):
    """Of a server that has stopped. An entry is a place, a time, a tag and a family."""
    head = struct.pack(">QQQq", server, first, first + len(entries) if appended is None else appended, floor)
    return head + b"".join(struct.pack(">QIIB", *entry) for entry in entries)


def lanes_of(store, servers=1):
    """When so many servers have written theirs, and are in the directory."""
    wait_until(lambda: len(store.values()) > servers)
    lanes = Lanes(store)
    wait_until(lambda: len(lanes.listed()) == servers)
    return lanes


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_server_takes_a_lane_that_is_free(serve, store, live):
    """Whatever a server that has stopped left behind is not overwritten, whether it is in the directory or not."""
    one, people = serve(), People(live)
    lanes = lanes_of(store)
    free = next(number for number in (11, 12) if number not in lanes.values())
    others = set(range(lanes.COUNT)) - set(lanes.values()) - {free}
    for number in others:
        lanes.write(number, lane())
    lanes.list(*list(others)[:50])
    before = lanes.values()
    two = serve()
    wait_until(lambda: free in lanes.values())
    assert {number for number, value in lanes.values().items() if before.get(number) != value} == {free}
    tell(two, *people.end())
    wait_until(lambda: people.stopped(one, BEFORE) == {"anna"})


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_more_servers_than_lanes(serve, store):
    server = serve()
    lanes = lanes_of(store)
    for number in range(lanes.COUNT):
        lanes.write(number, lane())
    lanes.list(*range(lanes.COUNT))
    server.log.wait_for("AC3289: the store of ClerkSOCache has no room for this server", 40)
    # Nobody writes to those lanes any more: it takes the one it had.
    server.log.wait_for("AC3284: the store of ClerkSOCache answers again", 40)


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_what_a_damaged_store_says(serve, store, live):
    """It revokes nothing and lets nobody in; with the key it can revoke, but not for ever."""
    server, people = serve(), People(live)
    lanes = lanes_of(store)
    (own,) = lanes.values()
    other, last = [number for number in (20, 21, 22) if number != own][:2]
    tell(server, *people.end())
    soon = int(time.time()) + 30
    for content in (b"", b"x", lane()[:-1], lane() + b"x", lane((1, 2, 3, 0))[:-1], lane(floor=-1), lane((0, 0, 0, 0)), lane((1, soon, 2, 9)),
                    lane(appended=2**64 - 1), lane(first=2**64 - 1, appended=0), os.urandom(16384)):
        lanes.list(other, last)
        lanes.write(other, content)
        lanes.write(last, lane(floor=soon), name=lanes.name(other))
        lanes.write(own, b"nothing")
        # It has read all of them when it writes its own again.
        wait_until(lambda: len(lanes.values()[own]) > 60)
        assert people.stopped(server, BEFORE) == {"anna"} and people.stopped(server, AFTER) == set()
    for content in (b"", b"x", os.urandom(8 * lanes.COUNT), b"\xff" * 8 * lanes.COUNT):
        lanes.write(lanes.DIRECTORY, content)
        wait_until(lambda: set(lanes.listed()) == {own})


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_floor_counts_for_who_missed_something(serve, store, live):
    server, people = serve(), People(live)
    lanes = lanes_of(store)
    (own,) = lanes.values()
    other, floor = (own + 1) % lanes.COUNT, people.since + 10

    def read(content, number=other):
        """Once the server has read it."""
        lanes.write(number, content)
        lanes.write(own, b"nothing")
        wait_until(lambda: len(lanes.values()[own]) > 60)

    lanes.list(other)
    read(lane(first=0, appended=5))
    read(lane(first=3, appended=903, floor=floor))
    read(lane(first=903, appended=1803, floor=floor))
    assert people.stopped(server, BEFORE) == set()
    read(lane(first=1804, appended=2704, floor=floor))
    assert people.stopped(server, BEFORE) == set(people.sessions) and people.stopped(server, AFTER) == set()


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_closed_notices_what_is_removed_or_put_back(serve, store, live):
    """By somebody who can write to the store, but has no key; the server that wrote it is not there any more."""
    one, two = (serve("ClerkRevocationFailure closed\n") for _ in range(2))
    people, lanes = People(live), lanes_of(store, 2)

    def status(who):
        return two.get("/app/env.cgi", XHR | bearer(live, session=people.sessions[who], issued_at=people.since, ttl=600)).status

    wait_until(lambda: status("ben") == 200)
    old = lanes.values()
    tell(one, *people.end())
    wait_until(lambda: status("anna") == 401)
    one.stop()
    new = lanes.values()
    (its,) = {number for number in new if len(new[number]) > len(old[number])}
    (other,) = set(new) - {its}
    for content in (old[its], new[other], b"", new[its][:-1] + b"x"):
        lanes.store.say("SET", lanes.keys()[its], content, "EX", 600)
        wait_until(lambda: status("ben") == 503)
        assert status("anna") == 503
        lanes.store.say("SET", lanes.keys()[its], new[its], "EX", 600)
        wait_until(lambda: status("ben") == 200)
        assert status("anna") == 401


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
