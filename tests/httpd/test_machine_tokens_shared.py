# SPDX-License-Identifier: Apache-2.0
"""What Clerk has said about opaque tokens, shared by the servers of a fleet through a real redis or memcached: which may be killed, slow,
full or restarted, and written to by others."""

import itertools
import os
import threading
import time

import pytest
from pyclerk.clerk import XHR, directives, protect
from pyclerk.client import request as send
from pyclerk.stores import Memcached, Redis

STORES = {"redis": Redis, "memcached": Memcached}
KINDS = {"api_key": "verify-api-key", "m2m_token": "verify-m2m", "oauth_token": "verify-oauth"}
KEY = "k" * 40
# What httpd's own modules say about a store that fails.
STORE_FAILS = ("AC3205", "AC3207", "socache_(redis|memcache)", "AH0")


@pytest.fixture(name="live")
def _live(emulator):
    return emulator.add_instance(production=True, host="clerk.shared.test", cast=False)


@pytest.fixture(name="store", params=STORES)
def _store(request, tmp_path):
    yield from started(STORES[request.param], tmp_path)


@pytest.fixture(name="redis")
def _redis(tmp_path):
    yield from started(Redis, tmp_path)


def started(kind, root):
    if not kind.is_installed():
        if os.environ.get("CLERK_REQUIRE_ORACLE"):  # set where nothing may be left out
            pytest.fail(f"{kind.program} is not installed")
        pytest.skip(f"{kind.program} is not installed")
    store = kind(root)
    yield store
    store.resume()
    store.stop()


def serve(make_httpd, live, store, key=KEY, timeout=10):
    server = make_httpd()
    server.env["SOCACHE_KEY"] = key
    server.write("p/index.html", "members only\n")
    server.configure(f"ClerkHTTPTimeout {timeout}s\n{directives(server, live, 'api')}ClerkSOCache {store.spec}\nClerkSOCacheKey env:SOCACHE_KEY\n"
                     "<Location /status>\n    SetHandler clerk-status\n    Require local\n</Location>\n"
                     + protect("/p", ["valid-user"], "ClerkAcceptTokens any"), modules=store.modules)
    return server.start()


def ask(server, secret):
    return server.get("/p/", XHR | {"Authorization": f"Bearer {secret}"})


def ask_anew(server, live, timeout=60.0):
    """The answer about a token that nobody knows yet; None: there was none in time."""
    try:
        return send(server.port, "GET", "/p/", XHR | {"Authorization": f"Bearer {live.machine_token().secret}"}, timeout=timeout).status
    except OSError:
        return None


def calls(live):
    return sum(live.count(endpoint) for endpoint in KINDS.values())


def found(server):
    (instance,) = server.get("/status?json").json()["instances"]
    return instance["backend_api"]["from_store"]


def until_shared(live, one, two):
    """New tokens until what `one` has found out is known to `two` again."""
    deadline = time.monotonic() + 60
    while True:
        secret = live.machine_token().secret
        assert ask(one, secret).status == 200
        before = calls(live)
        assert ask(two, secret).status == 200
        if calls(live) == before:
            return
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_fleet_asks_once(make_httpd, live, store):
    one, two = serve(make_httpd, live, store), serve(make_httpd, live, store)
    for kind in KINDS:
        before = calls(live)
        good, revoked = live.machine_token(kind).secret, live.machine_token(kind, revoked=True).secret
        for server in (one, two, two, one):
            assert ask(server, good).status == 200, (kind, server)
            for bad in (revoked, f"{good}unknown"):
                answer = ask(server, bad)
                assert (answer.status, answer.reason) == (401, "token-invalid"), (kind, server)
        assert calls(live) == before + 3, kind
    assert (found(one), found(two)) == (0, 9)
    # Who has another key has another store.
    stranger = serve(make_httpd, live, store, key="another key, of another fleet, of 40 bytes")
    before = calls(live)
    assert ask(stranger, good).status == 200
    assert calls(live) == before + 1 and found(stranger) == 0


def test_a_key_that_another_server_knows_is_good_during_a_flood(make_httpd, live, redis):
    one, two = serve(make_httpd, live, redis), serve(make_httpd, live, redis)
    one.log.announce("AC1040: .*new machine tokens")
    known = live.machine_token().secret
    assert ask(two, known).status == 200
    invented = (f"ak_invented{number}" for number in itertools.count())
    while ask(one, next(invented)).status != 503:
        pass
    before = calls(live)
    assert ask(one, known).status == 200
    assert calls(live) == before and found(one) == 1


def test_no_secret_is_in_the_store(make_httpd, live, redis):
    server = serve(make_httpd, live, redis)
    tokens = [live.machine_token(kind, expiration=int(time.time() * 1000) + 30_000, scopes=["a:read"], more={"secret": "ak_canary", "token": "mt_canary"})
              for kind in KINDS]
    for token in tokens:
        assert ask(server, token.secret).status == 200
        assert ask(server, token.secret + "x").status == 401
    values = redis.values()
    assert len(values) == 6
    for name, value in values.items():
        assert redis.say("TTL", name) <= 30  # no longer than the token lasts
        for text in [token.secret.encode() for token in tokens] + [b"canary", live.secret_key.encode(), KEY.encode()]:
            assert text not in name and text not in value
    log, status = server.log.text(), server.get("/status?json").text + server.get("/status").text
    for token in tokens:
        assert token.secret not in log and token.secret not in status


def test_what_others_write_is_not_believed(make_httpd, live, redis):
    one, two = serve(make_httpd, live, redis), serve(make_httpd, live, redis)
    good = live.machine_token()
    assert ask(one, good.secret).status == 200
    ((name, value),) = redis.values().items()
    bad = live.machine_token(revoked=True)
    assert ask(one, bad.secret).status == 401
    (other,) = set(redis.values()) - {name}
    # The good token's value for the bad one, a value that is changed, cut, empty, or of nobody.
    for written in (value, value.replace(b"user_alice", b"user_admin"), value[:-1], b"", b"x" * 100):
        redis.say("SET", other, written)
        if written != value:
            redis.say("SET", name, written)
        before = calls(live)
        assert ask(two, bad.secret).status == 401
        answer = ask(two, good.secret)
        assert answer.status == 200
        assert calls(live) > before
        two.graceful()  # what it knows itself by now is forgotten
        redis.say("SET", name, value)


def test_a_store_that_is_killed_is_missed_by_nobody(make_httpd, live, store):
    one, two = serve(make_httpd, live, store), serve(make_httpd, live, store)
    until_shared(live, one, two)
    known = live.machine_token().secret
    assert ask(one, known).status == ask(two, known).status == 200
    store.stop()
    for server in (one, two):
        server.log.announce(*STORE_FAILS)
        before = calls(live)
        assert [ask(server, known).status for _ in range(5)] == [200] * 5
        assert calls(live) == before
        assert [ask(server, live.machine_token().secret).status for _ in range(5)] == [200] * 5
        assert ask(server, "ak_unknown").status == 401
        assert calls(live) == before + 6
    store.start()
    until_shared(live, one, two)


def test_a_full_store_is_said_and_missed_by_nobody(make_httpd, live, redis):
    server = serve(make_httpd, live, redis)
    server.log.announce(*STORE_FAILS)
    redis.say("CONFIG", "SET", "maxmemory", "1")
    for _ in range(5):
        secret = live.machine_token().secret
        assert ask(server, secret).status == ask(server, secret).status == 200
    assert calls(live) == 5
    server.log.wait_for("AC3205")
    redis.say("CONFIG", "SET", "maxmemory", "0")
    until_shared(live, server, serve(make_httpd, live, redis))


def test_a_store_that_hangs_holds_few_workers(make_httpd, live, store):
    """httpd may give it no time-out: who asks in the first second waits, and nobody else."""
    one, two = serve(make_httpd, live, store, timeout=1), serve(make_httpd, live, store)
    until_shared(live, one, two)
    known = live.machine_token().secret
    assert ask(one, known).status == 200
    one.log.announce(*STORE_FAILS)
    two.log.announce(*STORE_FAILS)
    store.pause()
    held = threading.Thread(target=ask_anew, args=(one, live), daemon=True)
    held.start()
    assert [ask(one, known).status for _ in range(5)] == [200] * 5
    # Until its time is over, who waits has one of the places for calls.
    deadline = time.monotonic() + 60
    while ask_anew(one, live, timeout=2.0) != 200 or "AC3207" not in one.log.recent():
        assert time.monotonic() < deadline
    assert [ask_anew(one, live) for _ in range(5)] == [200] * 5
    store.resume()
    held.join(60)
    assert not held.is_alive()
    until_shared(live, one, two)
