# SPDX-License-Identifier: Apache-2.0
"""Fault A1: what a client can take away. A proxy removes the request fields that `Connection` names; whatever a client writes there, an
application behind this module receives what was set for it, by every protocol of mod_proxy."""

import os
import socket

import pytest
from pyclerk import http2
from pyclerk.backends import AjpBackend, HttpBackend, ScgiBackend, UwsgiBackend
from pyclerk.client import Connection, Response
from pyclerk.clerk import XHR, bearer, cookie_header, directives, protect, session_cookies, token

pytestmark = pytest.mark.mpm

PRINT_ENV = """<?php
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) { if (is_string($value)) { echo "$name=$value\\n"; } }
"""
NAMES = ("X-Clerk-Actor-Id", "X-Clerk-User-Id", "X-Clerk-Session-Status", "X-Clerk-Org-Id", "X-Clerk-Claim-Level", "X-Clerk-Auth-Status")
PASSED = {"x-clerk-actor-id": "user_admin", "x-clerk-user-id": "user_alice", "x-clerk-session-status": "active", "x-clerk-org-id": "org_acme",
          "x-clerk-claim-level": "7", "x-clerk-auth-status": "signed-in", "x-webauth-user": "user_alice"}

# What a client may write.
ATTACKS = {
    "none": [],
    "named": [("Connection", "close, " + ", ".join(NAMES))],
    "each": [("Connection", name) for name in NAMES],
    "alone": [("Connection", ",".join(NAMES))],
    "case": [("Connection", "x-cLERK-actor-ID, X-CLERK-USER-ID, x-clerk-org-id")],
    "folded": [("Connection", "X_Clerk_Actor_Id, X.Clerk.User.Id, X-Clerk_Org-Id")],
    "spaces": [("Connection", " ,, \t X-Clerk-Actor-Id\t ,\tX-Clerk-User-Id , ")],
    "keep-alive": [("Connection", "keep-alive, X-Clerk-Actor-Id"), ("Keep-Alive", "timeout=5, X-Clerk-User-Id")],
    "te": [("Connection", "TE, X-Clerk-Actor-Id"), ("TE", "trailers, X-Clerk-User-Id")],
    "trailer": [("Connection", "Trailer, X-Clerk-Actor-Id"), ("Trailer", "X-Clerk-User-Id, X-Clerk-Org-Id")],
    "upgrade": [("Connection", "Upgrade, X-Clerk-Actor-Id"), ("Upgrade", "X-Clerk-User-Id")],
    "proxy-connection": [("Proxy-Connection", ", ".join(NAMES)), ("Connection", "Proxy-Connection, X-Clerk-Actor-Id")],
    "connection": [("Connection", "Connection, X-Clerk-Actor-Id")],
    "others": [("Connection", "X-Webauth-User, X-Clerk-User-Id")],
    "quoted": [("Connection", "close, X-Clerk-Actor-Id;q=1, \"X-Clerk-User-Id\", X-Clerk-Org-Id")],
    "nominated": [("Nominated", ", ".join(NAMES)), ("Connection-Option", ", ".join(NAMES))],
    "expect": [("Expect", "X-Clerk-Actor-Id")],
}
HTTP = ("http", "ws", "wstunnel")  # where mod_proxy makes an HTTP/1.1 request


def backend_lines(path):
    return protect(path, ("valid-user",), "ClerkPassHeaders On", "ClerkExportClaim level", "RequestHeader set X-Webauth-User expr=%{REMOTE_USER}")


@pytest.fixture(scope="module")
def backends():
    running = {"http": HttpBackend(), "ws": HttpBackend(), "uwsgi": UwsgiBackend(), "scgi": ScgiBackend(), "ajp": AjpBackend()}
    yield running
    for backend in running.values():
        backend.stop()


NOT_IN_PREFORK = pytest.mark.skipif(os.environ.get("MPM") == "prefork", reason="HTTP/2 needs threads")


@pytest.fixture(scope="module")
def h2_backend(make_httpd):
    """mod_proxy_http2 speaks to another httpd."""
    server = make_httpd(mpm="event")
    server.cgi("env.cgi")
    server.configure("Protocols h2c http/1.1\n", modules=("http2",))
    return server.start()


@pytest.fixture(scope="module")
def server(make_httpd, live, php, backends, h2_backend):
    server = make_httpd()
    server.write("fcgi/env.php", PRINT_ENV)
    server.cgi("cgi/env.cgi")
    http = backends["http"].port
    targets = {"http": f"http://127.0.0.1:{http}/",
               "ws": f"http://127.0.0.1:{backends['ws'].port}/ upgrade=websocket",
               "wstunnel": f"ws://127.0.0.1:{http}/ upgrade=ANY",
               "uwsgi": f"uwsgi://127.0.0.1:{backends['uwsgi'].port}/", "scgi": f"scgi://127.0.0.1:{backends['scgi'].port}/",
               "ajp": f"ajp://127.0.0.1:{backends['ajp'].port}/", "http2": f"h2c://127.0.0.1:{h2_backend.port}/env.cgi"}
    proxied = [name for name in ("http", "ws", "wstunnel", "uwsgi", "scgi", "ajp", "http2")
               if server.apxs.has("proxy_" + {"ws": "http"}.get(name, name))]
    server.protocols = [*proxied, "fcgi", "cgi"]
    modules = [f"proxy_{name}" for name in proxied if name not in ("http", "ws")]
    h2 = server.mpm != "prefork"
    server.configure(
        ("Protocols h2c http/1.1\nMergeTrailers On\n" if h2 else "") + directives(server, live)
        + "".join(backend_lines(f"/{name}") + f"ProxyPass /{name} {targets[name]}\n" for name in proxied)
        + backend_lines("/cgi") + backend_lines("/fcgi") + f'<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n'
        + protect("/strip", ("valid-user",), "ClerkPassHeaders On", "ClerkStripCredentials On") + f"ProxyPass /strip {targets['http']}\n"
        + f"ProxyPass /open {targets['http']}\n", modules=[*modules, *(["http2"] if h2 else [])])
    return server.start()


PATHS = {"cgi": "/cgi/env.cgi", "fcgi": "/fcgi/env.php"}


def visitor(live):
    return XHR | bearer(live, "alice", "acme", claims={"level": 7, "act": {"sub": "user_admin"}})


def received(text):
    """Header fields or HTTP_ variables, by their names in lower case with dashes."""
    found = {}
    for line in text.splitlines():
        name, separator, value = line.partition(": ") if ": " in line.split("=")[0] + " " else line.partition("=")
        if separator:
            found[name.lower().removeprefix("http_").replace("_", "-")] = value
    return found


def websocket(server, path, headers):
    """Ask for an upgrade; what the backend was sent, and what it answers to a message."""
    pairs = [("Host", "127.0.0.1"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13"), *headers]
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection, connection.makefile("rb") as stream:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        status = int(stream.readline().split()[1])
        while stream.readline().strip():
            pass
        if status != 101:
            return Response(status, [], b""), None
        text = b""
        while (line := stream.readline()).strip():
            text += line
        connection.sendall(b"hello\n")
        return Response(status, [], text), stream.readline()


PROTOCOLS = ["http", "ws", "wstunnel", "uwsgi", "scgi", "ajp", "http2", "fcgi", "cgi"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a1_connection_removes_nothing_that_was_set(server, live, protocol):
    if protocol not in server.protocols:
        pytest.skip(f"this httpd has no mod_proxy_{protocol}")
    for name, fields in ATTACKS.items():
        answer = server.get(PATHS.get(protocol, f"/{protocol}"), [*visitor(live).items(), *fields])
        if name == "expect" and answer.status == 417:
            continue
        got = received(answer.text)
        assert (answer.status, {key: got.get(key) for key in PASSED}) == (200, PASSED), (name, answer)
        for key in ("remote-user", "clerk-actor-id"):  # variables, where the protocol has those
            assert key not in got or got[key] in ("user_alice", "user_admin"), name


@pytest.mark.parametrize("protocol", ["ws", "wstunnel"])
@pytest.mark.parametrize("options", ["Upgrade", "keep-alive, Upgrade", "upgrade, X-Clerk-Actor-Id, X-Clerk-User-Id, X-Webauth-User"])
def test_a1_a_websocket_is_opened_and_carries_the_identity(server, live, protocol, options):
    answer, echo = websocket(server, f"/{protocol}", [*visitor(live).items(), ("Connection", options)])
    assert answer.status == 101 and echo == b"hello\n"
    got = received(answer.text)
    assert {key: got.get(key) for key in PASSED} == PASSED
    assert got["upgrade"] == "websocket" and got["connection"] == "Upgrade"


@pytest.mark.parametrize("protocol", ["ws", "wstunnel"])
def test_a_websocket_needs_a_session(server, protocol):
    answer, _ = websocket(server, f"/{protocol}", [*XHR.items(), ("Connection", "Upgrade")])
    assert answer.status == 401


@pytest.mark.parametrize("options,kept", [(None, True), ("keep-alive", True), ("keep-alive, X-Clerk-User-Id", True), ("X-Clerk-User-Id", True),
                                          ("close", False), ("X-Clerk-User-Id, close", False), ("CLOSE", False)])
def test_a1_the_connection_stays_or_ends_as_the_client_asked(server, live, options, kept):
    with Connection(server.port) as connection:
        answer = connection.get("/http", visitor(live) | ({"Connection": options} if options else {}))
        assert answer.status == 200 and (answer.header("Connection") != "close") == kept
        assert connection.is_open == kept


def test_a1_http_1_0(server, live):
    for options in ("keep-alive", "X-Clerk-Actor-Id", "keep-alive, X-Clerk-User-Id"):
        lines = ["GET /http HTTP/1.0", *(f"{name}: {value}" for name, value in visitor(live).items()), f"Connection: {options}", "", ""]
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection, connection.makefile("rb") as stream:
            connection.sendall("\r\n".join(lines).encode())
            head = b""
            while (line := stream.readline()).strip():
                head += line
            assert (b"\r\nConnection: Keep-Alive" in head) == ("keep-alive" in options)
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            got = received(stream.read(length).decode())
        assert {key: got.get(key) for key in PASSED} == PASSED


def test_a1_the_credentials_that_were_judged_arrive(server, live):
    """`Connection: Cookie` would leave an application that looks at the session itself without the one that counted here."""
    cookies = cookie_header(session_cookies(live, token(live, "alice")) | {"theme": "dark"})
    got = received(server.get("/http", [*(XHR | cookies).items(), ("Connection", "Cookie, Authorization, close")]).text)
    assert got["cookie"] == cookies["Cookie"] and got["x-clerk-user-id"] == "user_alice"
    got = received(server.get("/http", [*visitor(live).items(), ("Connection", "Authorization")]).text)
    assert got["authorization"].startswith("Bearer ")
    got = received(server.get("/strip", [*(XHR | cookies).items(), ("Connection", "Cookie")]).text)
    assert "theme=dark" in got["cookie"] and "__session" not in got["cookie"]


# HTTP/2


@NOT_IN_PREFORK
@pytest.mark.parametrize("path", ["/http", "/fcgi/env.php", "/cgi/env.cgi", "/ajp"])
def test_a1_http_2(server, live, path):
    def ask(headers=(), **more):
        answer = http2.request(server.port, "POST" if "body" in more else "GET", path, [*visitor(live).items(), *headers], **more)
        return answer.status, {key: received(answer.text).get(key) for key in PASSED}

    assert ask() == (200, PASSED)
    assert ask([("te", "trailers"), ("trailer", "X-Clerk-Actor-Id")]) == (200, PASSED)
    # Fields of a connection have no place in HTTP/2: the stream ends, or they are not looked at.
    for headers in ([("connection", "x-clerk-actor-id, x-clerk-user-id")], [("proxy-connection", "x-clerk-actor-id")],
                    [("keep-alive", "x-clerk-actor-id")], [("te", "x-clerk-actor-id")]):
        status, got = ask(headers)
        assert status in (None, 400) or (status, got) == (200, PASSED), (headers, status)
    for pseudo in ([(":x-clerk-user-id", "user_eve")], [(":path", "/open")], [(":method", "GET"), (":method", "GET")]):
        assert ask(pseudo=pseudo)[0] in (None, 400), pseudo
    if path in ("/http", "/fcgi/env.php"):  # the CGI program does not read a body, nor does the AJP application
        assert ask(body=b"a=b", trailers=[("x-clerk-user-id", "user_eve"), ("x-clerk-actor-id", ""), ("remote-user", "user_eve")]) == (200, PASSED)


@NOT_IN_PREFORK
def test_a1_an_upgrade_to_http_2_keeps_the_identity(server, live):
    """`Connection: Upgrade, HTTP2-Settings`: the request is answered over HTTP/2, after it was looked at once as HTTP/1.1."""
    fields = [*visitor(live).items(), ("Connection", "Upgrade, HTTP2-Settings, X-Clerk-Actor-Id"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk"),
              ("X-Clerk-User-Id", "user_eve")]
    got = received(http2.upgrade(server.port, "/http", fields).text)
    assert got["x-clerk-user-id"] == "user_alice" and got["x-clerk-actor-id"] == "user_admin"


def test_elsewhere_httpd_removes_what_connection_names(server):
    """Where AuthType Clerk does not apply, nothing is changed."""
    got = received(server.get("/open", [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-End", "2")]).text)
    assert "x-hop" not in got and got["x-end"] == "2"
