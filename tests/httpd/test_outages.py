# SPDX-License-Identifier: Apache-2.0
"""A Backend API that is slow, broken or gone: other requests do not wait, tokens are verified, browsers get the documented
responses."""

import threading
import time

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, cookie_header, directives, protect, session_cookies, token

TIMEOUT = 2.0
AT_ONCE = 1.0  # nobody waited for the API, however busy this machine is
NO_ANSWER = "session-token-expired-refresh-fetch-error"
FAILS = r"AC2002: .*Backend API .* fails"


@pytest.fixture
def live(emulator):
    """One instance for each test, so that its circuit is closed at first."""
    return emulator.add_instance(production=True, host="clerk.example.test")


@pytest.fixture
def server(make_httpd, live):
    server = make_httpd()
    server.write("private/index.html", "members only\n")
    server.configure(
        f"ClerkHTTPTimeout {int(TIMEOUT * 1000)}ms\n" + directives(server, live, "api", (PARTY, server.origin())) + protect("/private")
    )
    # The second message is logged by httpd if a server is stopped just after it closed a connection.
    server.log.announce(FAILS, "AC1041: .* answers 429", "AH03092: process_lingering_close")
    server.start()
    assert server.get("/private/", bearer(live)).status == 200  # the keys are there
    yield server
    server.stop()


def expired(live, session=None):
    """The cookies of a browser that comes back after some minutes: an expired session and a refresh cookie."""
    session = session or live.create_session("alice")
    old = token(live, session=session, age=300)
    cookies = session_cookies(live, old, uat=str(int(time.time()) - 400))
    return NAVIGATION | cookie_header(cookies | {f"__refresh_{live.cookie_suffix}": live.refresh_token(session)})


def with_nonce(cookies=None):
    return NAVIGATION | cookie_header({"__clerk_handshake_nonce": "n1"} | (cookies or {}))


def timed(call):
    begun = time.monotonic()
    answer = call()
    return answer, time.monotonic() - begun


def open_the_circuit(server, live):
    """Two processes share one circuit: three failures together open it."""
    server.log.mark()
    for _ in range(3):
        assert server.get("/private/", expired(live)).reason == NO_ANSWER
    server.log.wait_for(FAILS)


def assert_handshake(answer, reason):
    assert (answer.status, answer.reason, answer.auth_status) == (307, reason, "handshake")
    assert answer.location.startswith("https://clerk.example.test/v1/client/handshake?")
    assert answer.header("Cache-Control") == "no-store"


def test_a_refresh_works_while_the_api_answers(server, live):
    answer = server.get("/private/", expired(live))
    assert answer.status == 200 and live.count("refresh") == 1
    assert "__session" in answer.cookies()


@pytest.mark.parametrize("fault", [{"drop": True}, {"delay": 8.0}, {"truncate": True}])
def test_a_refresh_without_an_answer_becomes_a_handshake_in_time(server, live, fault):
    live.set_fault("refresh", **fault)
    answer, took = timed(lambda: server.get("/private/", expired(live)))
    assert_handshake(answer, NO_ANSWER)
    assert took < TIMEOUT + 1.0


@pytest.mark.parametrize("status,reason", [
    (500, "emulated_fault"), (503, "emulated_fault"), (401, "emulated_fault"), (429, "emulated_fault"),
])
def test_a_refused_refresh_names_the_code(server, live, status, reason):
    live.set_fault("refresh", status=status)
    assert_handshake(server.get("/private/", expired(live)), "session-token-expired-refresh-" + reason)


@pytest.mark.parametrize("fault", [{"drop": True}, {"delay": 8.0}, {"status": 500}, {"status": 404}])
def test_a_nonce_that_cannot_be_looked_up_leaves_the_cookies_to_decide(server, live, fault):
    live.set_fault("handshake-payload", **fault)
    cookies = session_cookies(live, token(live))
    answer, took = timed(lambda: server.get("/private/", with_nonce(cookies)))
    assert (answer.status, answer.text) == (200, "members only\n")
    assert took < TIMEOUT + 1.0
    answer = server.get("/private/", with_nonce({"__client_uat": "1"}))
    assert_handshake(answer, "client-uat-but-no-session-token")


@pytest.mark.parametrize("fault", [{"drop": True}, {"delay": 8.0}, {"status": 500}, {"status": 429, "headers": {"Retry-After": "7"}}])
def test_a_script_is_not_told_that_its_token_is_bad_where_clerk_did_not_say_so(server, live, fault):
    """A17: what was not judged is no invalid_token."""
    live.set_fault("refresh", **fault)
    answer, took = timed(lambda: server.get("/private/", dict(expired(live)) | XHR))
    assert answer.status == 503 and answer.header("WWW-Authenticate") is None and answer.auth_status == "unknown"
    assert answer.header("Retry-After") == ("7" if "headers" in fault else "5")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.reason.startswith("session-token-expired-refresh-")
    assert took < TIMEOUT + 1.0


def test_a_script_is_told_where_clerk_did_say_so(server, live):
    live.set_fault("refresh", status=401, code="session_not_active")
    answer = server.get("/private/", dict(expired(live)) | XHR)
    assert answer.status == 401 and 'error="invalid_token"' in answer.header("WWW-Authenticate")
    assert answer.reason == "session-token-expired-refresh-session_not_active"


def test_fetches_never_wait_for_a_refresh_that_cannot_help(server, live):
    """A POST of no page of this site is not refreshed: the response is immediate."""
    live.set_fault("refresh", delay=8.0)
    headers = dict(expired(live)) | XHR
    answer, took = timed(lambda: server.request("POST", "/private/", headers, b"x"))
    assert answer.status == 401 and took < AT_ONCE
    assert answer.reason == "session-token-expired-refresh-non-eligible-non-get"
    assert live.count("refresh") == 0


def test_an_open_circuit_answers_at_once_and_verification_goes_on(server, live):
    live.set_fault("backend", drop=True)
    open_the_circuit(server, live)
    asked = live.count("refresh")
    live.clear_faults()
    live.set_fault("backend", delay=8.0)
    for _ in range(20):
        answer, took = timed(lambda: server.get("/private/", expired(live)))
        assert_handshake(answer, NO_ANSWER)
        assert took < AT_ONCE
        assert server.get("/private/", bearer(live)).status == 200
        assert server.get("/private/", NAVIGATION | cookie_header(session_cookies(live, token(live)))).status == 200
    assert live.count("refresh") == asked


def test_the_circuit_closes_when_the_api_answers_again(server, live):
    live.set_fault("refresh", drop=True)
    open_the_circuit(server, live)
    live.clear_faults()
    deadline = time.monotonic() + 15
    while server.get("/private/", expired(live)).status != 200:
        assert time.monotonic() < deadline, "the circuit stays open"
        time.sleep(0.1)
    server.log.wait_for("AC2001: .*answers again")
    assert server.get("/private/", expired(live)).status == 200


def test_a_slow_api_holds_few_threads_and_others_do_not_wait(server, live):
    """Forty browsers of one user come back at the same time, to 32 threads; the API is slower than our timeout."""
    live.set_fault("refresh", delay=8.0)
    visits = [expired(live) for _ in range(40)]
    answers = []
    threads = [threading.Thread(target=lambda one=one: answers.append(server.get("/private/", one))) for one in visits]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    live.wait_for("refresh", 1, timeout=5)
    for _ in range(20):
        answer, took = timed(lambda: server.get("/private/", bearer(live)))
        assert answer.status == 200 and took < AT_ONCE, f"a verified token waited {took:.2f} s"
    for thread in threads:
        thread.join(20)
    assert time.monotonic() - begun < 4 * TIMEOUT
    assert len(answers) == 40
    for answer in answers:
        assert_handshake(answer, NO_ANSWER)
    # No more than four at once for one user, whatever the number of processes; who waits may find a place when they end.
    assert live.count("refresh") <= 8


def test_the_api_is_gone_and_keys_are_kept(server, live):
    live.pause()
    try:
        for _ in range(4):
            answer, took = timed(lambda: server.get("/private/", expired(live)))
            assert_handshake(answer, NO_ANSWER)
            assert took < TIMEOUT + 1.0
        assert server.get("/private/", bearer(live)).status == 200
        assert server.get("/private/", XHR).status == 401
    finally:
        live.resume()
