# SPDX-License-Identifier: Apache-2.0
"""Every call of docs/outbound-calls.md: who can cause it, what bounds it, and what a 429, a slow API and an outage do."""

import collections
import contextlib
import http.client
import os
import pathlib
import re
import signal
import threading
import time

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, cookie_header, directives, protect, session_cookies, token
from pyclerk.load import at_once

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/outbound-calls.md").read_text()
FAST = 1.0  # seconds; the request waited for no call, however busy this machine is
CLIENT = "X-Client-Address"
AC1040 = "AC1040: .* most of these calls are not made"
AC1041 = "AC1041: .* 429"
AC2002 = "AC2002: .* fails"

# Which test drives each row of the table "The calls".
DRIVEN = {
    "keys, in the background": "test_keys_are_fetched_once_for_the_server",
    "keys, the first ones": "test_keys_are_fetched_once_for_the_server",
    "keys, for an unknown key id": "test_tokens_of_strangers_cause_few_fetches",
    "keys, for a bad signature": "test_tokens_of_strangers_cause_few_fetches",
    "handshake nonce": "test_junk_nonces_cause_few_calls",
    "refresh, new session": "test_junk_refresh_tokens_cause_few_calls",
    "refresh, known session": "test_junk_stops_no_known_session",
    "machine token, new": "test_invented_keys_cause_few_calls_and_stop_no_known_one",
    "machine token, known": "test_invented_keys_cause_few_calls_and_stop_no_known_one",
    "sign-out": "test_a_sign_out_is_one_call",
    "session check": "test_checks_cost_a_call_for_each_session",
    "user profile": "test_profiles_cost_a_call_for_each_user",
}


def rows(heading):
    """The first cells of the rows of the first table below a heading."""
    table = re.search(rf"^## {heading}\n(?:(?!\|).*\n)*((?:\|.*\n)+)", PAGE, re.M)[1]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def test_each_row_of_the_page_is_driven():
    assert rows("The calls") == list(DRIVEN)
    assert [name for name in DRIVEN.values() if name not in globals()] == []
    for heading in ("Rates", "Concurrency", "When Clerk is slow, refuses or is gone"):
        known = set(DRIVEN) | {"keys", "keys (all four)"}
        assert [row for row in rows(heading) if row not in known] == [], heading


# The server: each request may say whose it is


def workers(mpm, count):
    if mpm == "prefork":
        return f"StartServers {count}\nMinSpareServers {count}\nMaxSpareServers {count}\nServerLimit {count}\nMaxRequestWorkers {count}"
    return (f"StartServers 2\nServerLimit 2\nThreadsPerChild {count // 2}\nThreadLimit {count // 2}\nMaxRequestWorkers {count}\n"
            f"MinSpareThreads {count}\nMaxSpareThreads {count}")


@pytest.fixture
def live(emulator):
    """One instance a test: each begins with all that the limits allow."""
    return emulator.add_instance(production=True, host="clerk.example.test")


def serve(make_httpd, live, count=32, timeout="5s", more="", keys="api", pem=False, mpm=None):
    """`pem`: no call for keys is ever made."""
    server = make_httpd(mpm=mpm)
    if pem:
        path = server.write("clerk.pem", live.public_key_pem, 0o640, server.root / "conf")
        more += f"ClerkJWTKey file:{path}\n"
    server.write("private/index.html", "members only\n")
    server.write("open/index.html", "everybody\n")
    server.configure(
        f"ClerkHTTPTimeout {timeout}\nRemoteIPHeader {CLIENT}\nRemoteIPInternalProxy 127.0.0.1\n"
        + directives(server, live, keys, (PARTY, server.origin())) + more + protect("/private"),
        modules=("remoteip",), mpm=workers(server.mpm, count))
    # The last are httpd's own, when few or no threads are free.
    server.log.announce(AC1040, AC1041, AC2002, "AH0028[67]: server ")
    server.start()
    assert server.get("/private/", bearer(live)).status == 200  # the keys are there
    return server


@pytest.fixture
def server(make_httpd, live):
    server = serve(make_httpd, live)
    yield server
    server.stop()


def client(number):
    return {CLIENT: f"198.51.{number // 250}.{number % 250 + 1}"}


def nonce(value, number=0, kind=None):
    return (NAVIGATION if kind is None else kind) | client(number) | cookie_header({"__clerk_handshake_nonce": value})


def expired(live, session, refresh=None, number=0, kind=None):
    """The request of a session that expired some minutes ago. `refresh`: junk in place of its refresh token."""
    user = session.user.name
    cookies = session_cookies(live, token(live, user, session=session, age=300), uat=str(int(time.time()) - 400))
    return (kind or XHR) | client(number) | cookie_header(cookies | {f"__refresh_{live.cookie_suffix}": refresh or live.refresh_token(session)})


def statuses(answers):
    return collections.Counter(answer.status for answer in answers)


def timed(call):
    begun = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begun


# Keys


@pytest.mark.mpm
def test_keys_are_fetched_once_for_the_server(make_httpd, live):
    """In the background as well: more than that is in test_keys.py."""
    live.set_fault("jwks", delay=0.2)
    server = make_httpd()
    server.write("private/index.html", "members only\n")
    server.configure(directives(server, live, "public") + "ClerkJWKSCacheTTL 10s\n" + protect("/private"), mpm=workers(server.mpm, 32))
    server.start()
    assert statuses(at_once(server.port, [("GET", "/private/", bearer(live))] * 30)) == {200: 30}
    assert live.count("jwks") == 1
    live.wait_for("jwks", 2, timeout=20)
    assert live.count("jwks") == 2
    server.stop()


def test_tokens_of_strangers_cause_few_fetches(make_httpd, live):
    """Whoever they come from."""
    server = serve(make_httpd, live, keys="public")
    unknown = token(live, header={"kid": "ins_nobody_has"})
    for number in range(40):
        answer = server.get("/private/", XHR | client(number) | {"Authorization": f"Bearer {unknown}"})
        assert answer.status == 401 and answer.reason == "jwk-kid-mismatch"
    assert 2 <= live.count("jwks") <= 1 + 3 + 1
    forged = bearer(live)["Authorization"][:-8] + "AAAAAAAA"
    before = live.count("jwks")
    for number in range(40):
        assert server.get("/private/", XHR | client(number) | {"Authorization": forged}).reason == "token-invalid-signature"
    assert live.count("jwks") <= before + 3 + 1
    server.stop()


# Nonces


@pytest.mark.mpm
def test_junk_nonces_cause_few_calls(server, live):
    """A4. One client: 10 failures; and all clients together 20, then 2 a second."""
    begun = time.monotonic()
    for number in range(100):
        answer = server.get("/private/", nonce(f"junk{number}", 1) | cookie_header({"__clerk_handshake_nonce": f"junk{number}", "__client_uat": "1"}))
        assert (answer.status, answer.reason) == (307, "client-uat-but-no-session-token")  # as if it were absent
    assert 10 <= live.count("handshake-payload") <= 10 + 1 + (time.monotonic() - begun) / 5
    server.log.wait_for(AC1040)
    for number in range(100):
        server.get("/private/", nonce(f"other{number}", 10 + number))
    assert live.count("handshake-payload") <= 20 + 1 + 2 * (time.monotonic() - begun)


def test_what_cannot_be_the_end_of_a_handshake_causes_no_call(server, live):
    for headers in (nonce("n", kind=XHR), nonce("n", kind={"Sec-Fetch-Dest": "image"}), nonce("n", kind={}), nonce("n%20n"), nonce("n" * 257)):
        assert server.get("/private/", headers).status in (307, 401)
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        server.request(method, "/private/", nonce("n"), b"" if method in ("POST", "PUT") else None)
    assert live.count("handshake-payload") == 0


def test_people_behind_one_address_are_not_held_back(server, live):
    """Success costs nothing; and nobody else's junk does."""
    for number in range(40):
        server.get("/private/", nonce(f"junk{number}", 1))
    calls = live.count("handshake-payload")
    for number in range(15):
        session = live.create_session("alice")
        live.nonces[f"good{number}"] = [f"__session={token(live, session=session)}; Path=/", "__client_uat=1; Path=/"]
        answer = server.get("/private/", nonce(f"good{number}", 2))
        assert (answer.status, answer.text) == (200, "members only\n"), number
    assert live.count("handshake-payload") == calls + 15


def test_a_nonce_is_asked_for_once(server, live):
    live.nonces["n"] = [f"__session={token(live)}; Path=/", "__client_uat=1; Path=/"]
    assert server.get("/private/", nonce("n")).status == 200
    for _ in range(10):
        assert server.get("/private/", nonce("n")).status == 307
    assert live.count("handshake-payload") == 1
    for _ in range(10):
        server.get("/private/", nonce("unknown"))
    assert live.count("handshake-payload") == 2


# Machine tokens


@pytest.mark.mpm
def test_invented_keys_cause_few_calls_and_stop_no_known_one(make_httpd, live):
    """One client: 10 failures; and all clients together 20, then 2 a second. What is known is asked for again when its time is over."""
    server = serve(make_httpd, live, more="ClerkAcceptTokens session api-key\nClerkTokenCacheTTL 1s\n")

    def ask(secret, number):
        return server.get("/private/", XHR | client(number) | {"Authorization": f"Bearer {secret}"})

    known = live.machine_token().secret
    assert ask(known, 1).status == 200
    begun = time.monotonic()
    answers = [ask(f"ak_invented{number}", 1) for number in range(100)]
    made = live.count("verify-api-key") - 1
    assert 10 <= made <= 10 + 1 + (time.monotonic() - begun) / 5
    assert statuses(answers) == {401: made, 503: 100 - made}
    server.log.wait_for(AC1040)
    for number in range(100):
        ask(f"ak_other{number}", 10 + number)
    assert live.count("verify-api-key") <= 1 + 20 + 1 + 2 * (time.monotonic() - begun)
    before = live.count("verify-api-key")
    deadline = time.monotonic() + 10
    while live.count("verify-api-key") == before and time.monotonic() < deadline:
        assert ask(known, 1).status == 200
    assert live.count("verify-api-key") == before + 1
    session = live.create_session("alice")
    assert server.get("/private/", expired(live, session, number=1)).status == 200
    server.stop()


# Refreshes


def junk_refreshes(server, live, session, count, number=0):
    return [server.get("/private/", expired(live, session, refresh=f"junk{index}", number=number)) for index in range(count)]


@pytest.mark.mpm
def test_junk_refresh_tokens_cause_few_calls(server, live):
    """A4. One user: 5 failures; one address: 10; and all together 20, then 2 a second."""
    begun = time.monotonic()
    alice = live.create_session("alice")
    answers = junk_refreshes(server, live, alice, 30, 1)
    assert 5 <= live.count("refresh") <= 6 + (time.monotonic() - begun) / 10
    assert statuses(answers) == {401: live.count("refresh"), 503: 30 - live.count("refresh")}
    assert answers[0].reason == "session-token-expired-refresh-refresh_token_invalid"
    assert answers[-1].reason == "session-token-expired-refresh-fetch-error"
    assert int(answers[-1].header("Retry-After")) >= 1 and answers[-1].header("WWW-Authenticate") is None
    # Many users from one address.
    for number in range(20):
        junk_refreshes(server, live, live.create_session(live.add_user(f"one{number}")), 1, 2)
    assert live.count("refresh") <= 6 + 11 + (time.monotonic() - begun) / 5
    # Many users from many addresses.
    for number in range(60):
        junk_refreshes(server, live, live.create_session(live.add_user(f"many{number}")), 1, 100 + number)
    assert live.count("refresh") <= 21 + 2 * (time.monotonic() - begun)


@pytest.mark.mpm
def test_junk_stops_no_known_session(server, live):
    session = live.create_session("alice")
    assert server.get("/private/", expired(live, session, number=1)).status == 200
    for number in range(60):
        user = live.add_user(f"junk{number}")
        junk_refreshes(server, live, live.create_session(user), 1, number % 3 + 1)
    # Of the same user, from the address of the junk.
    junk_refreshes(server, live, session, 20, 1)
    new = live.create_session("bob")
    assert server.get("/private/", expired(live, new, number=1)).status == 503
    for _ in range(5):
        answer = server.get("/private/", expired(live, session, number=1))
        assert answer.status == 200 and "__session" in answer.cookies()


def test_a_page_is_sent_to_a_handshake_where_a_refresh_is_held_back(server, live):
    session = live.create_session("alice")
    junk_refreshes(server, live, session, 10, 1)
    answer = server.get("/private/", expired(live, session, refresh="junk", number=1, kind=NAVIGATION))
    assert (answer.status, answer.reason) == (307, "session-token-expired-refresh-fetch-error")


@pytest.mark.mpm
@pytest.mark.parametrize("kind", [XHR, {"Sec-Fetch-Dest": "image"}], ids=["scripts", "images"])
def test_forty_parts_of_a_page_make_one_call(make_httpd, live, kind):
    """A17. Whichever processes answer them, and with an API that takes 150 ms."""
    server = serve(make_httpd, live, count=128)
    live.set_fault("refresh", delay=0.15)
    session = live.create_session("alice")
    request = ("GET", "/private/", expired(live, session, kind=kind))
    answers = at_once(server.port, [request] * 40)
    assert statuses(answers) == {200: 40}
    assert live.count("refresh") == 1
    assert len({answer.cookies()["__session"] for answer in answers}) == 1
    # And what comes within ten seconds.
    answer, took = timed(lambda: server.get(*request[1:]))
    assert answer.status == 200 and took < FAST and live.count("refresh") == 1
    server.stop()


def test_only_the_same_two_tokens_share_a_call(server, live):
    session = live.create_session("alice")
    good = expired(live, session)
    assert server.get("/private/", good).status == 200
    # The expired token alone, with another's refresh token, or another expired token of the same session.
    stolen = good["Cookie"].replace(live.refresh_token(session), live.refresh_token(live.create_session("bob")))
    assert server.get("/private/", good | {"Cookie": stolen}).status == 401
    assert live.count("refresh") == 2
    assert server.get("/private/", expired(live, session)).status == 200
    assert live.count("refresh") == 3


def test_a_failure_is_remembered_for_the_same_two_tokens(server, live):
    session = live.create_session("alice")
    live.end_session(session)
    request = expired(live, session)
    for _ in range(20):
        answer = server.get("/private/", request)
        assert (answer.status, answer.reason) == (401, "session-token-expired-refresh-session_not_active")
    assert live.count("refresh") == 1


@pytest.mark.mpm
def test_two_hundred_sessions_expire_in_one_second(make_httpd, live):
    """No more calls than sessions, and no request is lost."""
    server = serve(make_httpd, live, count=128)
    live.set_fault("refresh", delay=0.1)
    requests = [expired(live, live.create_session(live.add_user(f"visitor{number}")), number=number) for number in range(200)]
    answers = [None] * len(requests)

    def visit(index):
        answers[index] = server.get("/private/", requests[index])

    threads = [threading.Thread(target=visit, args=(index,)) for index in range(len(requests))]
    for thread in threads:
        thread.start()
        time.sleep(1 / len(threads))
    for thread in threads:
        thread.join(30)
    assert statuses(answers) == {200: 200}
    assert live.count("refresh") == 200
    server.stop()


def connections(column, port):
    """The inodes of the connections whose local (1) or remote (2) end is this port."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {line[9] for line in lines if line[column] == f"0100007F:{port:04X}" and line[3] == "01"}


def descriptors(pid):
    """What a process has open; what is closed meanwhile is left out."""
    targets = []
    with contextlib.suppress(OSError):
        for link in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                targets.append(os.readlink(f"/proc/{pid}/fd/{link}"))
    return targets


def child_that_calls(server, live):
    """The process that has a connection to the emulator."""
    inodes = connections(2, int(live.url.rsplit(":", 1)[1]))
    for pid in server.children():
        if any(target.startswith("socket:[") and target[8:-1] in inodes for target in descriptors(pid)):
            return pid
    return None


@pytest.mark.mpm
def test_a_process_that_is_killed_in_its_call_is_replaced(make_httpd, live):
    server = serve(make_httpd, live, timeout="20s", pem=True)
    if server.mpm != "prefork":
        pytest.skip("a process of this model takes half of the requests with it")
    server.log.announce("AH00052: child pid .* exit signal Killed")
    live.set_fault("refresh", delay=15, times=1)
    request = expired(live, live.create_session("alice"))
    answers = []

    def visit():
        try:
            answers.append(server.get("/private/", request).status)
        except (OSError, http.client.HTTPException) as error:  # of the one whose process is killed
            answers.append(type(error).__name__)

    threads = [threading.Thread(target=visit) for _ in range(10)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    live.wait_for("refresh", 1, timeout=10)
    while len(connections(1, server.port)) < len(threads):
        assert time.monotonic() - begun < 10
        time.sleep(0.01)
    os.kill(child_that_calls(server, live), signal.SIGKILL)
    for thread in threads:
        thread.join(30)
    assert time.monotonic() - begun < 10
    assert collections.Counter(answers)[200] == 9, answers
    assert live.count("refresh") == 2
    server.stop()


# 429


def test_a_429_stops_what_strangers_cause_and_nothing_else(server, live):
    known = live.create_session("alice")
    assert server.get("/private/", expired(live, known, number=1)).status == 200
    live.set_fault("handshake-payload", status=429, headers={"Retry-After": "3"}, times=1)
    server.get("/private/", nonce("a", 2))
    stopped = time.monotonic()
    server.log.wait_for(r"AC1041: .* handshake nonces .* 3 s")
    calls = live.count("handshake-payload")
    for number in range(20):
        server.get("/private/", nonce(f"b{number}", 10 + number))
    if time.monotonic() - stopped < 2.5:
        assert live.count("handshake-payload") == calls
    # It is an endpoint of its own.
    assert server.get("/private/", expired(live, live.create_session("bob"), number=3)).status == 200
    assert server.get("/private/", expired(live, known, number=1)).status == 200
    deadline = time.monotonic() + 10
    while live.count("handshake-payload") == calls:
        assert time.monotonic() < deadline
        server.get("/private/", nonce(f"c{time.monotonic()}", 50))
        time.sleep(0.1)
    assert time.monotonic() - stopped > 2.5


def test_a_429_of_a_refresh_stops_new_sessions_and_no_known_one(server, live):
    known = live.create_session("alice")
    assert server.get("/private/", expired(live, known, number=1)).status == 200
    live.set_fault("refresh", status=429, headers={"Retry-After": "60"}, times=1)
    answer = server.get("/private/", expired(live, live.create_session("bob"), number=2))
    assert (answer.status, answer.header("Retry-After")) == (503, "60")
    calls = live.count("refresh")
    answer = server.get("/private/", expired(live, live.create_session("carol"), number=3))
    assert answer.status == 503 and 50 <= int(answer.header("Retry-After")) <= 60
    assert live.count("refresh") == calls
    assert server.get("/private/", expired(live, known, number=1)).status == 200
    # Nor does a 429 for a known session stop it.
    live.set_fault("refresh", status=429, headers={"Retry-After": "60"}, times=1)
    assert server.get("/private/", expired(live, known, number=1)).status == 503
    assert server.get("/private/", expired(live, known, number=1)).status == 200


# A slow API


class Crowd:
    """Clients that each send one request after the other, on connections of their own, until stop()."""

    def __init__(self, server, make, count):
        self.server, self.make = server, make
        self.answers = collections.Counter()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        while not self.stopping.is_set():
            self.answers[self.server.get("/private/", self.make(number)).status] += 1

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)


def open_pages(server, seconds):
    """How long an unprotected page takes, all that while."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        answer, one = timed(lambda: server.get("/open/"))
        assert answer.status == 200
        took.append(one)
        time.sleep(0.05)
    return took


@pytest.mark.mpm
def test_junk_nonces_against_a_slow_api_hold_no_page(server, live):
    """A5. More of them at a time than there are workers, from as many addresses."""
    live.set_fault("handshake-payload", delay=3)
    ticket = iter(range(1000000))
    crowd = Crowd(server, lambda number: nonce(f"slow{next(ticket)}", number), 24)
    live.wait_for("handshake-payload", 1, timeout=5)
    took = open_pages(server, 4)
    crowd.stop()
    assert max(took) < FAST, max(took)
    # Two at a time, for three seconds each.
    assert live.count("handshake-payload") <= 10


@pytest.mark.mpm
def test_one_user_against_a_slow_api_holds_no_page(server, live):
    live.set_fault("refresh", delay=3)
    session = live.create_session("alice")
    ticket = iter(range(1000000))
    crowd = Crowd(server, lambda number: expired(live, session, refresh=f"slow{next(ticket)}", number=number), 24)
    live.wait_for("refresh", 1, timeout=5)
    took = open_pages(server, 4)
    crowd.stop()
    assert max(took) < FAST, max(took)


@pytest.mark.mpm
def test_a_slow_api_holds_no_page(make_httpd, live):
    """Whole crowds of sessions: a part of the workers is for those who need no call."""
    server = serve(make_httpd, live, timeout="3s")
    live.set_fault("refresh", delay=8)
    sessions = [live.create_session(live.add_user(f"visitor{number}")) for number in range(32)]
    crowd = Crowd(server, lambda number: expired(live, sessions[number], number=number), 32)
    live.wait_for("refresh", 4, timeout=5)
    took = open_pages(server, 4)
    crowd.stop()
    assert set(crowd.answers) == {503}
    assert max(took) < FAST, max(took)
    server.stop()


@pytest.mark.mpm
def test_tokens_hold_no_page_while_there_are_no_keys(make_httpd, live):
    """Of anybody: without keys none can be told from a good one. And once there are keys, of whoever names an unknown one."""
    server = make_httpd()
    server.write("open/index.html", "everybody\n")
    server.configure("ClerkHTTPTimeout 3s\n" + directives(server, live, "public") + protect("/private"), mpm=workers(server.mpm, 32))
    server.log.announce("AC1001", "AC1002", "AC3050", "AH0028[67]: server ")
    live.set_fault("jwks", delay=8)
    server.start()
    junk = {"Authorization": "Bearer " + token(live, header={"kid": "ins_nobody_has"})}
    crowd = Crowd(server, lambda number: XHR | junk, 32)
    took = open_pages(server, 4)
    assert max(took) < 1 + FAST, max(took)
    live.clear_faults()
    deadline = time.monotonic() + 20
    while server.get("/private/", bearer(live)).status == 503:
        assert time.monotonic() < deadline
    live.set_fault("jwks", delay=8)
    took = open_pages(server, 2)
    crowd.stop()
    assert max(took) < FAST, max(took)
    server.stop()


@pytest.mark.parametrize("attack", ["api-jwks", "refresh", "mixed"])
def test_a_slow_clerk_leaves_a_small_server_a_worker(make_httpd, live, attack):
    """F6. Eight workers, and more clients than that, which would all wait."""
    server = serve(make_httpd, live, count=8, timeout="12s", mpm="prefork")
    session, good, ticket = live.create_session("alice"), bearer(live), iter(range(1000000))
    kinds = {
        "api-jwks": lambda number: XHR | {"Authorization": "Bearer " + token(live, header={"kid": f"ins_{next(ticket)}"})},
        "refresh": lambda number: expired(live, session, refresh=f"slow{next(ticket)}", number=number),
        "handshake-payload": lambda number: nonce(f"slow{next(ticket)}", number),
    }
    calls = list(kinds) if attack == "mixed" else [attack]
    made = {call: live.count(call) for call in calls}
    for call in calls:
        live.set_fault(call, delay=10)

    def make(number):
        return kinds[calls[number % len(calls)]](number)

    begun = time.monotonic()
    crowd = Crowd(server, make, 18)
    for call in calls:
        live.wait_for(call, made[call] + 1, timeout=8)
    assert [server.get("/private/", good).status for _ in range(5)] == [200] * 5
    assert time.monotonic() - begun < 10  # no slow call has ended
    live.clear_faults()
    crowd.stop()
    server.stop()


# An outage


def test_an_outage_is_each_groups_own(server, live):
    known = [live.create_session(live.add_user(f"known{number}")) for number in range(4)]
    for number, session in enumerate(known):
        assert server.get("/private/", expired(live, session, number=number)).status == 200
    # Of the nonces alone: no session suffers.
    live.set_fault("handshake-payload", status=500)
    for number in range(6):
        server.get("/private/", nonce(f"n{number}", number))
    assert live.count("handshake-payload") == 3
    server.log.wait_for(r"AC2002: .* handshake nonces fall back")
    assert server.get("/private/", expired(live, live.create_session("bob"), number=10)).status == 200
    # Of what new sessions cause: no known one does.
    live.set_fault("refresh", status=500)
    calls = live.count("refresh")
    for number in range(6):
        answer = server.get("/private/", expired(live, live.create_session(live.add_user(f"new{number}")), number=20 + number))
        assert answer.status == 503
    assert live.count("refresh") == calls + 3
    live.clear_faults("refresh")
    for number, session in enumerate(known):
        assert server.get("/private/", expired(live, session, number=number)).status == 200
    assert server.get("/private/", expired(live, live.create_session("carol"), number=11)).status == 503


def test_a_sign_out_is_one_call(make_httpd, live):
    server = serve(make_httpd, live, more="ClerkPages /clerk\n")
    session = live.create_session("alice")
    cookies = session_cookies(live, token(live, session=session))
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert server.get("/clerk/sign-out", headers | cookie_header(cookies)).status in (302, 303, 307)
    assert live.count("revoke") == 1
    server.stop()


# Checks and profiles


def test_checks_cost_a_call_for_each_session(make_httpd, live):
    """In an interval. With a key that Clerk refuses, no more than may fail; nobody is refused for that."""
    server = serve(make_httpd, live, pem=True, more="ClerkRevocationCheck 1h\n")
    server.log.announce("AC3294", AC1040)

    def ask(session):
        for _ in range(2):
            assert server.get("/private/", XHR | bearer(live, session=session)).status == 200

    for session in [live.create_session("alice"), live.create_session("alice"), live.create_session("bob")] * 2:
        ask(session)
    deadline = time.monotonic() + 60
    while live.count("session") < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert live.count("session") == 3
    live.set_fault("session", status=401)
    begun = time.monotonic()
    for _ in range(30):
        ask(live.create_session("alice"))
    server.log.wait_for("AC3294: .*does not accept ClerkSecretKey", 60)
    assert live.count("session") <= 3 + 20 + 1 + 2 * (time.monotonic() - begun)
    live.clear_faults()
    server.stop()


@pytest.mark.mpm
def test_profiles_cost_a_call_for_each_user(make_httpd, live):
    """However many requests need one. Those that fail hold back no session, and no other user's profile."""
    server = serve(make_httpd, live, pem=True, more="ClerkUserProfile On\n")
    server.log.announce("AC3202", "AC3203")
    for user in ("alice", "bob", "alice", "bob"):
        answers = at_once(server.port, [("GET", "/private/", XHR | bearer(live, user))] * 10)
        assert statuses(answers) == {200: 10}
    assert live.count("user") == 2
    # Of users whom Clerk does not know: once for each in 30 seconds.
    nobody = live.create_session(live.add_user("nobody"))
    del live.users["nobody"]
    for _ in range(10):
        assert server.get("/private/", XHR | bearer(live, session=nobody)).status == 200
    assert live.count("user") == 3
    # Of one whom Clerk refuses to tell: the 5 failures of a user.
    live.set_fault("user", status=403)
    begun = time.monotonic()
    deadline = begun + 60
    while server.log.recent().count("AC3202") < 12 and time.monotonic() < deadline:
        assert server.get("/private/", XHR | bearer(live, "carol")).status == 200
        time.sleep(0.3)
    assert live.count("user") <= 3 + 5 + 1 + (time.monotonic() - begun) / 10
    live.clear_faults()
    known = live.create_session("dave")
    assert server.get("/private/", expired(live, known)).status == 200 and live.count("refresh") == 1
    server.stop()


def test_a_429_for_profiles_stops_no_session(make_httpd, live):
    server = serve(make_httpd, live, pem=True, more="ClerkUserProfile On\n")
    server.log.announce("AC3202")
    calls = live.count("user")
    live.set_fault("user", status=429, headers={"Retry-After": "60"})
    for user in ("bob", "carol", "dave"):
        assert server.get("/private/", XHR | bearer(live, user)).status == 200
    assert live.count("user") == calls + 1
    server.log.wait_for("AC1041: .* for user profiles")
    session = live.create_session("bob")
    for _ in range(3):
        assert server.get("/private/", expired(live, session)).status == 200
    server.stop()
