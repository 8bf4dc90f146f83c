# SPDX-License-Identifier: Apache-2.0
"""ClerkRevocationCheck: without webhooks, Clerk is asked now and then whether the sessions that are in use go on."""

import json
import time

import pytest
from pyclerk import prometheus
from pyclerk.clerk import NAVIGATION, PARTY, XHR, asked, bearer, cookie_header, directives, protect, session_cookies, token
from pyclerk.load import at_once

OVER = "AC3293: "
USED = 30  # seconds that the token is old: older than whatever ends its session
STATUS = '<Location /status>\nSetHandler clerk-status\nRequire ip 127.0.0.1\n</Location>\n'


@pytest.fixture(name="live")
def _live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


def pem(server, live):
    return f"ClerkJWTKey file:{server.write(f'{live.cookie_suffix}.pem', live.public_key_pem, 0o640, server.root / 'conf')}\n"


def configuration(server, live, check, more=""):
    for place in ("app", "off"):
        server.write(f"{place}/page.txt", "page")
    text = directives(server, live, "api", (PARTY, server.origin())) + pem(server, live) + STATUS + more
    text += f"ClerkRevocationCheck {check}\n" if check else ""
    return text + protect("/app", ("valid-user",)) + protect("/off", ("valid-user",), "ClerkRevocation Off")


@pytest.fixture(name="serve")
def _serve(make_httpd, live):
    servers = []

    def serve(check="1s", more=""):
        server = make_httpd()
        server.configure(configuration(server, live, check, more))
        servers.append(server)
        return server.start()

    yield serve
    for server in servers:
        server.stop()


def person(live, name="anna"):
    return live.create_session(live.users.get(name) or live.add_user(name))


def held(live, session):
    """The credentials of a program, whose token outlives all of the test."""
    return XHR | bearer(live, session=session, issued_at=int(time.time()) - USED, ttl=600)


def ask(server, headers, place="/app/page.txt"):
    answer = server.get(place, headers)
    if answer.status != 200:
        assert (answer.status, answer.header("X-Clerk-Auth-Reason")) == (401, "session-revoked")
    return answer.status == 200


def wait_until(condition, timeout=40.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def checks(server):
    (instance,) = json.loads(server.get("/status?json").text)["instances"]
    return instance["session_checks"]


@pytest.mark.mpm
def test_a_session_that_ended_at_clerk_is_over(serve, live):
    server = serve()
    ended, other = person(live), person(live)
    both = held(live, ended), held(live, other)
    assert [ask(server, headers) for headers in both] == [True, True]
    live.revoke(ended)
    wait_until(lambda: not ask(server, both[0]))
    server.log.wait_for(f"{OVER}instance default: session {ended.id} of user {ended.user.id} is over \\(revoked\\)")
    assert ask(server, both[1]) and ask(server, both[0], "/off/page.txt")
    # Nothing comes back, not after a restart either.
    for _ in range(2):
        assert not ask(server, both[0])
    server.graceful()
    assert not ask(server, both[0]) and ask(server, both[1])


def test_a_browser_goes_to_clerk(serve, live):
    server = serve()
    session = person(live)
    cookies = session_cookies(live, token(live, session=session, age=USED, ttl=600), uat=str(int(time.time()) - 3600))
    page = NAVIGATION | cookie_header(cookies)
    assert server.get("/app/page.txt", page).status == 200
    live.revoke(session)
    wait_until(lambda: server.get("/app/page.txt", page).status == 307)
    assert "/v1/client/handshake" in server.get("/app/page.txt", page).header("Location")


def test_a_session_that_clerk_does_not_know_is_over(serve, live):
    server = serve()
    session = person(live)
    headers = held(live, session)
    assert ask(server, headers)
    wait_until(lambda: checks(server)["made"] == 1)
    del live.sessions[session.id]
    wait_until(lambda: not ask(server, headers))
    server.log.wait_for(f"{OVER}.*\\(resource_not_found\\)")


def test_the_key_of_another_instance_signs_nobody_out(serve, live):
    """Clerk knows none of the sessions then."""
    server = serve()
    server.log.announce("AC3294")
    people = [person(live) for _ in range(3)]
    tokens = [held(live, session) for session in people]
    for session in people:
        del live.sessions[session.id]
    wait_until(lambda: all(ask(server, headers) for headers in tokens) and checks(server)["failed"] >= 4)
    assert checks(server)["over"] == 0 and all(ask(server, headers) for headers in tokens)
    server.log.wait_for("AC3294: .*is ClerkSecretKey that of this instance")


def test_a_session_is_asked_for_once_in_an_interval(serve, live):
    """By all processes together, however often it is used."""
    server = serve("1h")
    sessions = [person(live) for _ in range(3)]
    for _ in range(4):
        answers = at_once(server.port, [("GET", "/app/page.txt", held(live, session)) for session in sessions for _ in range(4)])
        assert {answer.status for answer in answers} == {200}
    wait_until(lambda: checks(server)["made"] == 3)
    for session in sessions:
        assert ask(server, held(live, session))
    ids = [record.path.rsplit("/", 1)[1] for record in asked(live, "session")]
    assert sorted(ids) == sorted(session.id for session in sessions)
    assert checks(server) == {"made": 3, "over": 0, "failed": 0, "put_off": 0}
    series = prometheus.parse(server.get("/status?prometheus").body)
    for name, value in checks(server).items():
        assert int(series[f"clerk_session_checks_{name}_total"].value(clerk_instance="default")) == value, name
    assert "Sessions checked" in server.get("/status").text


def test_it_is_asked_for_again(serve, live):
    server = serve()
    headers = held(live, person(live))
    wait_until(lambda: ask(server, headers) and live.count("session") >= 3)


@pytest.mark.parametrize("check", ["", "Off"])
def test_nobody_is_asked_for_unless_it_is_wanted(serve, live, check):
    server = serve(check)
    session = person(live)
    headers = held(live, session)
    live.revoke(session)
    for _ in range(3):
        assert ask(server, headers)
    assert live.count("session") == 0
    assert checks(server) is None
    assert "session_checks" not in server.get("/status?prometheus").text


def test_places_without_revocation_and_refused_tokens_cause_nothing(serve, live):
    server = serve()
    headers = held(live, person(live))
    assert ask(server, headers, "/off/page.txt")
    expired = XHR | bearer(live, session=person(live), age=300)
    forged = {"Authorization": bearer(live)["Authorization"][:-8] + "AAAAAAAA"} | XHR
    for refused in (XHR, expired, forged):
        assert server.get("/app/page.txt", refused).status == 401
    # Whoever comes later has been asked for before any of them would be.
    last = held(live, person(live, "ben"))
    wait_until(lambda: ask(server, last) and live.count("session") >= 2)
    assert {record.path for record in asked(live, "session")} == {f"/v1/sessions/{list(live.sessions)[-1]}"}


ANSWERS = {"nothing": {"drop": True}, "500": {"status": 500}, "429": {"status": 429, "headers": {"Retry-After": "1"}},
           "a 404 that is not Clerk's": {"status": 404, "code": "route_not_found"}, "no JSON": {"body": "<html>"},
           "another session": {"body": '{"object":"session","id":"sess_x","user_id":"user_x","status":"ended"}'},
           "half": {"truncate": True}, "a redirect": {"redirect": "http://127.0.0.1:1/"}, "a bad key": {"status": 401}}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_clerk_does_not_say_ends_nothing(serve, live, name):
    server = serve()
    server.log.announce("AC2002", "AC2001", "AC1041", "AC1040", "AC3294")
    session = person(live)
    headers = held(live, session)
    live.set_fault("session", **ANSWERS[name])
    live.revoke(session)
    wait_until(lambda: ask(server, headers) and checks(server)["failed"] >= 2)
    assert ask(server, headers) and checks(server)["over"] == 0
    if name in ("a bad key", "another session"):
        server.log.wait_for("AC3294: .*(does not accept ClerkSecretKey|is not what Clerk says)")
    live.clear_faults()
    wait_until(lambda: not ask(server, headers), 60)


def test_a_slow_api_holds_nobody_up(serve, live):
    """All sessions wait for one call; requests wait for none."""
    server = serve("1s", "ClerkHTTPTimeout 30s\n")
    live.set_fault("session", delay=25)
    people = [held(live, person(live)) for _ in range(300)]
    assert {ask(server, headers) for headers in people} == {True}
    wait_until(lambda: live.count("session") >= 1)
    # The queue has 256 places, and one call is made at a time.
    assert checks(server)["put_off"] > 0 and live.count("session") < 10
    live.clear_faults()


@pytest.mark.parametrize("value, problem", [
    ("500ms", "ClerkRevocationCheck"), ("2h", "ClerkRevocationCheck"), ("-1s", "ClerkRevocationCheck"), ("on", "or Off"), ("0", "ClerkRevocationCheck")])
def test_values_out_of_range(make_httpd, live, value, problem):
    server = make_httpd()
    server.configure(configuration(server, live, value))
    code, printed = server.check()
    assert code != 0 and problem in printed


def test_without_a_secret_key_it_cannot_be(make_httpd, live):
    server = make_httpd()
    server.configure(directives(server, live) + "ClerkRevocationCheck 10s\n" + protect("/app"))
    code, printed = server.check()
    assert code != 0 and "AC3010" in printed and "there is no ClerkSecretKey" in printed


def test_two_instances(make_httpd, emulator, live):
    """A named instance inherits the interval, and is asked at its own API."""
    other = emulator.add_instance(production=True, host="clerk.other.test")
    server = make_httpd()
    text = configuration(server, live, "1s")
    text += f"<ClerkInstance other>\n{directives(server, other, 'api', None)}{pem(server, other)}</ClerkInstance>\n"
    server.write("other/page.txt", "page")
    with server.configure(text + protect("/other", ("valid-user",), "ClerkInstance other")).start():
        session, same = person(other), person(live)
        headers = held(other, session)
        assert ask(server, headers, "/other/page.txt") and ask(server, held(live, same))
        other.revoke(session)
        wait_until(lambda: not ask(server, headers, "/other/page.txt"))
        assert ask(server, held(live, same))
        assert {record.path for record in asked(other, "session")} == {f"/v1/sessions/{session.id}"}
