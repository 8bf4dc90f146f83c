# SPDX-License-Identifier: Apache-2.0
"""An expired session is renewed and the same request goes on, whatever its method, if a page of this site asks; and it never goes
on as an anonymous visitor's where it would change something (differences.md rows 26 and 34)."""

import hashlib
import time

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, cookie_header, directives, protect, session_cookies, token
from pyclerk.client import raw
from pyclerk.load import at_once

OTHER = "https://evil.example"
EXPIRED = "session-token-expired-refresh-"
NON_GET = EXPIRED + "non-eligible-non-get"
# Prints how it was asked, by whom, and what body it got.
ECHO = """#!/bin/sh
body=$(sha256sum | cut -c1-64)
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s %s\\n' "$REQUEST_METHOD" "${REMOTE_USER:-nobody}" "$body"
"""


@pytest.fixture(scope="module")
def live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    for place in ("private", "optional", "get", "plain"):
        server.cgi(f"{place}/echo.cgi", ECHO)
    server.write("optional/405.html", "the page of an error\n")
    server.configure(
        directives(server, live, "api", (PARTY, server.origin()))
        + protect("/private")
        + protect("/get", ("valid-user",), "ClerkRenewal get")
        + protect("/optional", ("clerk-optional",))
        + protect("/any", ("clerk-optional",), "ErrorDocument 404 /optional/405.html")
        # Sign-out is no part of this, and each test is another client: nobody's failures are another one's.
        + f"RemoteIPHeader {CLIENT}\nRemoteIPInternalProxy 127.0.0.1\n", modules=("remoteip",))
    server.log.announce("AC1040", "AC1041", "AC2002", "AC2001")
    return server.start()


CLIENT = "X-Client-Address"
ADDRESSES = iter(f"198.51.{number // 250}.{number % 250 + 1}" for number in range(60000))
USERS = iter(range(1000000))


def expired(live, refresh=True, bearer=False):
    """The fields of a user whose session has expired; each time another one."""
    session = live.create_session(live.add_user(f"renewal{next(USERS)}"))
    old = token(live, session.user.name, session=session, age=300)
    if bearer:
        return session, {CLIENT: next(ADDRESSES), "Authorization": f"Bearer {old}"}
    cookies = session_cookies(live, old, uat=str(int(time.time()) - 400))
    if refresh:
        cookies[f"__refresh_{live.cookie_suffix}"] = refresh if isinstance(refresh, str) else live.refresh_token(session)
    return session, {CLIENT: next(ADDRESSES)} | cookie_header(cookies)


SAME = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
FORM = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Content-Type": "application/x-www-form-urlencoded"}


def request(server, method, place, headers, body=b""):
    return server.request(method, f"/{place}/echo.cgi", headers, body if method not in ("GET", "HEAD") else None)


def echo(method, user, body=b""):
    return f"{method} {user} {hashlib.sha256(body).hexdigest()}\n"


def assert_renewed(answer, session, method, body=b""):
    assert answer.status == 200
    if method != "HEAD":
        assert answer.text == echo(method, session.user.id, b"" if method == "GET" else body)
    assert answer.cookies()["__session"]


@pytest.mark.parametrize("place", ["private", "optional"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_a_request_of_this_sites_page_goes_on(server, live, method, place):
    session, headers = expired(live)
    answer = request(server, method, place, headers | SAME, b"a=1&b=%20")
    assert_renewed(answer, session, method, b"a=1&b=%20")
    assert live.requests("refresh")[-1].headers["authorization"].startswith("Bearer sk_live_")


@pytest.mark.parametrize("length", [0, 1, 8192, 1000000])
def test_a_form_is_saved_as_it_was_sent(server, live, length):
    body = bytes(number * 7 % 256 for number in range(length))
    session, headers = expired(live)
    assert_renewed(request(server, "POST", "private", headers | FORM, body), session, "POST", body)


def test_a_chunked_body_that_waits_for_100_arrives(server, live):
    session, headers = expired(live)
    fields = headers | SAME | {"Host": f"127.0.0.1:{server.port}", "Transfer-Encoding": "chunked", "Expect": "100-continue", "Connection": "close"}
    head = "POST /private/echo.cgi HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    answer = raw(server.port, head.encode() + b"5\r\nfirst\r\n7\r\n, last\n\r\n0\r\n\r\n")
    assert b" 200 OK" in answer and echo("POST", session.user.id, b"first, last\n").encode() in answer


@pytest.mark.parametrize("fields,renewed", [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Origin": "own"}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "own"}, True),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
    ({}, False),
    ({"Origin": OTHER}, False),
    ({"Origin": "null"}, False),
    ({"Origin": "own", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Origin": "own", "Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "own", "Sec-Fetch-Site": "none"}, False),
    ({"Origin": OTHER, "Sec-Fetch-Site": "same-origin"}, False),
    ([("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")], False),
    ([("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-origin")], False),
    ([("Origin", "own"), ("Origin", "own")], False),
    ([("Origin", OTHER), ("Origin", "own")], False),
    ({"Sec-Fetch-Site": "SAME-ORIGIN"}, False),
    ({"Sec-Fetch-Site": ""}, False),
    ({"Origin": "own", "Referer": OTHER + "/"}, True),
], ids=str)
def test_which_requests_are_this_sites(server, live, fields, renewed):
    session, headers = expired(live)
    pairs = fields.items() if isinstance(fields, dict) else fields
    sent = [*headers.items(), *((name, server.origin() if value == "own" else value) for name, value in pairs)]
    asked = live.count("refresh")
    answer = request(server, "POST", "private", sent, b"x")
    if renewed:
        assert_renewed(answer, session, "POST", b"x")
    else:
        assert (answer.status, answer.reason) == (401, NON_GET)
        assert 'error="invalid_token"' in answer.header("WWW-Authenticate")
        assert not answer.cookies()
    assert live.count("refresh") == asked + renewed


def test_get_and_head_are_renewed_whoever_asks(server, live):
    for method in ("GET", "HEAD"):
        session, headers = expired(live)
        assert_renewed(request(server, method, "private", headers | {"Sec-Fetch-Site": "cross-site", "Origin": OTHER}), session, method)


def test_clerk_renewal_get(server, live):
    for method in ("GET", "HEAD"):
        session, headers = expired(live)
        assert_renewed(request(server, method, "get", headers | SAME), session, method)
    for method in ("POST", "PUT", "DELETE"):
        answer = request(server, method, "get", expired(live)[1] | SAME, b"x")
        assert (answer.status, answer.reason) == (401, NON_GET)


# Optional places


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("what", ["of another site", "no refresh cookie", "refused", "header"])
def test_no_change_is_made_anonymously_because_a_session_expired(server, live, method, what):
    site = {"Sec-Fetch-Site": "cross-site", "Origin": OTHER} if what == "of another site" else SAME
    refresh = {"no refresh cookie": False, "refused": "junk"}.get(what, True)
    _, headers = expired(live, refresh=refresh, bearer=what == "header")
    answer = request(server, method, "optional", headers | site, b"comment=hello")
    assert answer.status == 401 and b"nobody" not in answer.body
    assert answer.reason == EXPIRED + {"of another site": "non-eligible-non-get", "refused": "refresh_token_invalid"}.get(what,
        "non-eligible-no-refresh-cookie")
    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_only_looks_is_anonymous(server, live, method):
    for refresh in (False, "junk"):
        answer = request(server, method, "optional", expired(live, refresh=refresh)[1] | XHR)
        assert answer.status == 200
        if method == "GET":
            assert answer.text == echo("GET", "nobody")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_who_has_no_session_is_anonymous(server, live, method):
    forged = token(live)[:-8] + "AAAAAAAA"
    for headers in ({}, {"Authorization": f"Bearer {forged}"}, {"Authorization": "Bearer x"}, cookie_header(session_cookies(live, forged)),
                    cookie_header({"__client_uat": "1"})):
        answer = request(server, method, "optional", {CLIENT: next(ADDRESSES)} | headers | SAME, b"x")
        assert (answer.status, answer.text) == (200, echo(method, "nobody", b"x"))


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429}, {"drop": True}])
def test_a_change_waits_for_clerk(make_httpd, emulator, fault):
    """503: the page keeps what it has, and tries again. Who only looks is anonymous meanwhile."""
    live = emulator.add_instance(production=True, host="clerk.example.test")
    server = make_httpd()
    server.cgi("optional/echo.cgi", ECHO)
    server.configure(directives(server, live, "api", (PARTY, server.origin())) + protect("/optional", ("clerk-optional",)))
    server.log.announce("AC1041", "AC2002")
    server.start()
    live.set_fault("refresh", **fault)
    answer = request(server, "POST", "optional", expired(live)[1] | SAME, b"x")
    assert answer.status == 503 and int(answer.header("Retry-After")) >= 1 and answer.header("WWW-Authenticate") is None
    assert answer.reason.startswith(EXPIRED)
    answer = request(server, "GET", "optional", expired(live)[1] | XHR)
    assert (answer.status, answer.text) == (200, echo("GET", "nobody"))
    answer = request(server, "GET", "optional", expired(live)[1] | NAVIGATION)
    assert answer.status == 307 and "/v1/client/handshake?" in answer.location
    server.stop()


def test_a_page_of_an_error_is_for_anybody(server, live):
    """The page of a 404 in an optional place is fetched with GET, whatever the request was."""
    _, headers = expired(live)
    answer = server.request("POST", "/any/nothing", headers | SAME, b"x")
    assert (answer.status, answer.text) == (404, "the page of an error\n")
    assert answer.cookies()["__session"]


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_a_crowd_expires_in_one_second(make_httpd, emulator, known, delay):
    """200 people, all at once, on a server with httpd's own MaxRequestWorkers: all are renewed, by one call each."""
    instance = emulator.add_instance(production=True, host="clerk.crowd.test")
    server = make_httpd()
    if server.mpm == "prefork":
        pytest.skip("its 256 workers have 160 places for this")
    server.write("private/index.html", "members only")
    server.configure(
        directives(server, instance, "api", (PARTY, server.origin())) + protect("/private")
        + f"RemoteIPHeader {CLIENT}\nRemoteIPInternalProxy 127.0.0.1\n", modules=("remoteip",),
        mpm="StartServers 4\nServerLimit 4\nThreadsPerChild 100\nThreadLimit 100\nMaxRequestWorkers 400\nMinSpareThreads 100\nMaxSpareThreads 400")
    server.log.announce("AH0028[67]: server ")
    server.start()
    sessions = [instance.create_session(instance.add_user(f"crowd{number}")) for number in range(200)]

    def fields(session, age):
        cookies = session_cookies(instance, token(instance, session.user.name, session=session, age=age), uat=str(int(time.time()) - 900))
        cookies[f"__refresh_{instance.cookie_suffix}"] = instance.refresh_token(session)
        return XHR | {CLIENT: next(ADDRESSES)} | cookie_header(cookies)

    if known:
        assert {server.get("/private/", fields(session, 600)).status for session in sessions} == {200}
    crowd = [("GET", "/private/", fields(session, 300)) for session in sessions]
    instance.set_fault("refresh", delay=delay)
    before = instance.count("refresh")
    answers = at_once(server.port, crowd)
    assert [answer for answer in answers if getattr(answer, "status", None) != 200] == []
    assert instance.count("refresh") - before == 200
    server.stop()
