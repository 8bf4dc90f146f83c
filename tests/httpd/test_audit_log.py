# SPDX-License-Identifier: Apache-2.0
"""ClerkAuditLog: one line of JSON for each decision, whatever the client sends, and nothing in it that is secret."""

import concurrent.futures
import datetime
import json
import re
import time

import pytest
from pyclerk.client import raw
from pyclerk.clerk import NAVIGATION, XHR, bearer, directives, protect, token
from pyclerk.httpd import HttpdError

MEMBERS = ["time", "instance", "verdict", "reason", "status", "token_type", "subject", "user", "session", "organization", "actor",
           "met", "unmet", "client", "method", "host", "path", "target", "request_id"]
LONGEST = 4096


def until(condition, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Log:
    """The lines of a file. A line is written when a request has ended, which its client may see a little earlier."""

    def __init__(self, path):
        self.path, self.read = path, 0

    def lines(self):
        data = self.path.read_bytes() if self.path.exists() else b""
        lines = data.split(b"\n")[:-1]
        assert all(len(line) < LONGEST for line in lines)
        return [json.loads(line.decode("utf-8", "strict")) for line in lines]

    def next(self, count=1):
        """The next lines; there must be so many."""
        until(lambda: len(self.lines()) >= self.read + count)
        found = self.lines()[self.read :]
        self.read += len(found)
        assert len(found) == count, found
        return found

    def one(self):
        return self.next()[0]


def serve(httpd, instance, text="", target=None, keys="api", **options):
    httpd.audit = Log(httpd.root / "logs/audit.log")
    httpd.configure(directives(httpd, instance, keys) + f'ClerkAuditLog "{target or "logs/audit.log"}"\n' + text, **options)
    for name in ("p", "admin", "optional", "open"):
        httpd.write(f"{name}/index.html", f"{name}\n")
    return httpd.start()


PLACES = protect("/p") + protect("/admin", ["clerk-role admin"]) + protect("/optional", ["clerk-optional"])


@pytest.fixture(name="server")
def _server(httpd, live):
    return serve(httpd, live, PLACES)


def cookies(live):
    return {"Cookie": f"__client_uat=1; __client_uat_{live.cookie_suffix}=1"}


# path, headers -> the status of the answer, and members of the line
DECISIONS = {
    "signed in": ("/p/", bearer, 200,
                  {"verdict": "signed_in", "reason": None, "token_type": "session_token", "user": "user_alice", "subject": "user_alice"}),
    "allowed by a role": ("/admin/", lambda live: bearer(live, "alice", "acme"), 200,
                          {"verdict": "signed_in", "organization": "org_acme", "met": "clerk-role admin", "unmet": None}),
    "refused by a role": ("/admin/", lambda live: XHR | bearer(live, "bob", "acme"), 403,
                          {"verdict": "forbidden", "reason": "forbidden", "user": "user_bob", "unmet": "clerk-role admin", "met": None}),
    "nobody": ("/p/", lambda live: XHR, 401,
               {"verdict": "signed_out", "reason": "session-token-and-uat-missing", "user": None, "session": None, "token_type": None}),
    "another party": ("/p/", lambda live: XHR | bearer(live, origin="https://other.example"), 401,
                      {"verdict": "signed_out", "reason": "token-invalid-authorized-parties", "user": None}),
    "to a handshake": ("/p/", lambda live: NAVIGATION | cookies(live), 307,
                       {"verdict": "handshake", "reason": "client-uat-but-no-session-token"}),
    "to sign in": ("/p/", lambda live: NAVIGATION, 307, {"verdict": "signed_out"}),
    "optional, nobody": ("/optional/", lambda live: XHR, 200, {"verdict": "signed_out", "status": 200}),
    "optional, somebody": ("/optional/", bearer, 200, {"verdict": "signed_in", "user": "user_alice"}),
    "no such file": ("/p/none", bearer, 404, {"verdict": "signed_in", "status": 404}),
}


def test_a_line_for_each_decision(server, live):
    for name, (path, make_headers, status, members) in DECISIONS.items():
        assert server.get(path + "?q=1", make_headers(live)).status == status, name
        line = server.audit.one()
        assert list(line) == MEMBERS, name
        expected = {"status": status, "instance": "default", "client": "127.0.0.1", "method": "GET", "host": "127.0.0.1",
                    "path": path} | members
        assert {key: line[key] for key in expected} == expected, name


def test_no_decision_no_line(server, live):
    for path in ("/open/", "/none", "/"):
        server.get(path, bearer(live))
    server.get("/p/", bearer(live))
    assert server.audit.one()["path"] == "/p/"


def test_keys_that_cannot_be_had(httpd, emulator):
    instance = emulator.add_instance(production=True)
    httpd.log.announce("AC1001")
    instance.set_fault("api-jwks", status=500)
    serve(httpd, instance, PLACES)
    assert httpd.get("/p/", XHR | bearer(instance)).status == 503
    line = httpd.audit.one()
    assert (line["verdict"], line["reason"], line["status"]) == ("unavailable", "jwk-remote-failed-to-load", 503)


def test_time_and_session(server, live):
    before = datetime.datetime.now(datetime.timezone.utc)
    value = token(live)
    server.get("/p/", {"Authorization": f"Bearer {value}"})
    line = server.audit.one()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
    assert before <= datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")) <= datetime.datetime.now(datetime.timezone.utc)
    assert line["session"].startswith("sess_")


# Modules, httpd's own name for the same id, and how long it is at least. A refusal is in the error log too, which gives an id.
IDS = {"mod_unique_id": (["unique_id"], "%{UNIQUE_ID}e", 20), "the error log": ([], "%L", 10)}


@pytest.mark.parametrize("modules,called,least", IDS.values(), ids=IDS)
def test_the_request_is_named_as_in_the_other_logs(httpd, live, modules, called, least):
    if not all(httpd.apxs.has(module) for module in modules):
        pytest.skip("this httpd has no mod_unique_id")
    serve(httpd, live, f'LogFormat "{called} %>s" ids\nCustomLog logs/ids.log ids\n' + PLACES, modules=modules)
    assert httpd.get("/admin/", XHR | bearer(live, "bob", "acme")).status == 403
    name = httpd.audit.one()["request_id"]
    assert len(name) >= least
    until(lambda: f"{name} 403\n" in (httpd.root / "logs/ids.log").read_text())


# What httpd makes of one request, and its one line.
HOPS = {
    "an index": ("/index/", 200, {"verdict": "signed_in", "path": "/index/"}),
    "a front controller": ("/front/any/thing", 200, {"verdict": "signed_in", "path": "/front/any/thing"}),
    "another section": ("/moved/", 403, {"verdict": "forbidden", "unmet": "clerk-role admin", "path": "/moved/", "target": "/admin/index.html"}),
    "a page of parts": ("/parts/page.shtml", 200, {"verdict": "signed_in", "path": "/parts/page.shtml", "target": None}),
    "parts of an open page": ("/open/page.shtml", 200, {"verdict": "signed_in", "path": "/open/page.shtml", "target": "/p/index.html"}),
    "an error document": ("/errors/", 403, {"verdict": "forbidden", "unmet": "clerk-role none", "path": "/errors/"}),
    "an index that is refused": ("/files/", 403, {"verdict": "forbidden", "unmet": "clerk-role none", "path": "/files/"}),
    "a listing": ("/listing/", 200, {"verdict": "signed_in", "path": "/listing/", "target": None}),
}


def test_one_line_for_each_request_of_a_client(httpd, live):
    text = PLACES + protect("/index") + protect("/front") + protect("/moved") + protect("/parts") + protect("/listing") + protect("/files")
    text += protect("/errors", ["clerk-role none"], 'ErrorDocument 403 /optional/index.html')
    text += protect("/files/index.html", ["clerk-role none"]) + protect("/listing/no", ["clerk-role none"])
    serve(httpd, live, text)
    httpd.log.announce("unable to include")
    httpd.write("index/index.html", "index\n")
    httpd.write("front/.htaccess", "RewriteEngine On\nRewriteCond %{REQUEST_URI} !front.html\nRewriteRule ^ front.html\n")
    httpd.write("front/front.html", "front\n")
    httpd.write("moved/.htaccess", "RewriteEngine On\nRewriteRule ^ /admin/index.html\n")
    for place in ("parts", "open"):
        parts = ("/p/index.html", "/admin/index.html", "/p/index.html")
        httpd.write(f"{place}/page.shtml", "".join(f'<!--#include virtual="{part}" -->' for part in parts))
    httpd.write("files/index.html", "x")
    for name in ("yes", "no1", "no2"):
        httpd.write(f"listing/{name}.txt", "x")
    for name, (path, status, members) in HOPS.items():
        assert httpd.get(path, bearer(live)).status == status, name
        line = httpd.audit.one()
        expected = members | {"status": status, "user": "user_alice"}
        assert {key: line[key] for key in expected} == expected, name


# A request as bytes; {token} is good. Members of its line, if there is one.
BYTES = {
    "not UTF-8": (b"GET /p/%FF/\xff\xc3 HTTP/1.1\r\nHost: a\r\n{auth}\r\n", {"path": "/p/\ufffd/\ufffd\ufffd"}),
    "quotes": (b'GET /p/"\\<> HTTP/1.1\r\nHost: a\r\n{auth}\r\n', {"path": '/p/"\\<>'}),
    "line breaks to some": (b"GET /p/\xc2\x85\xe2\x80\xa8 HTTP/1.1\r\nHost: a\r\n{auth}\r\n", {"path": "/p/\u0085\u2028"}),
    "a long path": (b"GET /p/" + 15 * (b"\xff" * 200 + b"/") + b" HTTP/1.1\r\nHost: a\r\n{auth}\r\n", {"cut": True}),
    "a long host": (b"GET /p/ HTTP/1.1\r\nHost: " + b"a" * 7000 + b"\r\n{auth}\r\n", {"cut": True}),
    "an absolute URL": (b"GET http://user:word@b.example/p/?q=1 HTTP/1.1\r\nHost: a\r\n{auth}\r\n", {"host": "b.example", "path": "/p/"}),
    "an odd method": (b"BREW /p/ HTTP/1.1\r\nHost: a\r\n{auth}\r\n", {"method": "BREW"}),
    "no host": (b"GET /p/ HTTP/1.0\r\n{auth}\r\n", {"host": None}),
}


def test_whatever_bytes_a_client_sends(httpd, live):
    # HttpProtocolOptions: what is not RFC 3986 comes through too.
    serve(httpd, live, "HttpProtocolOptions Unsafe LenientMethods Allow0.9\nLimitRequestLine 8190\n" + PLACES)
    auth = f"Authorization: {bearer(live)['Authorization']}\r\nConnection: close\r\n".encode()
    httpd.log.announce("AH00135: Invalid method in request BREW")
    for name, row in BYTES.items():
        request, members = row
        raw(httpd.port, request.replace(b"{auth}", auth))
        line = httpd.audit.one()
        assert {key: line[key] for key in members} == members, name


def test_nothing_secret_and_nothing_else_of_the_client(server, live):
    value = token(live, "alice", "acme")
    for credential in (value, value[:-8] + "AAAAAAAA", "not.a.token", "ak_secret"):
        headers = {"Authorization": f"Bearer {credential}", "Cookie": f"__session={value}; other=canary-cookie", "Referer": "https://canary-referer.example/",
                   "User-Agent": "canary-agent", "X-Forwarded-For": "203.0.113.9"}
        server.get("/p/?canary-query=1&__clerk_handshake=canary-handshake", headers)
        server.get("/admin/?canary-query", XHR | headers)
    server.audit.next(8)
    text = server.audit.path.read_text()
    for secret in (value, value.rsplit(".", 1)[1], "eyJ", "canary", "ak_secret", "203.0.113", live.secret_key, "sk_live_", "?"):
        assert secret not in text, secret


def test_the_values_of_expressions_are_not_in_it(httpd, live):
    serve(httpd, live, protect("/p", ["clerk-org %{HTTP_USER_AGENT}"]))
    assert httpd.get("/p/", XHR | bearer(live, "alice", "acme") | {"User-Agent": "canary-agent"}).status == 403
    assert httpd.audit.one()["unmet"] == "clerk-org %{HTTP_USER_AGENT}" and "canary" not in httpd.audit.path.read_text()


def test_a_machine(httpd, emulator):
    instance = emulator.add_instance(production=True)
    key = instance.machine_token("api_key", subject="user_alice")
    serve(httpd, instance, protect("/p", ["valid-user"], "ClerkAcceptTokens api-key"))
    assert httpd.get("/p/", XHR | {"Authorization": f"Bearer {key.secret}"}).status == 200
    line = httpd.audit.one()
    assert (line["token_type"], line["user"], line["session"]) == ("api_key", "user_alice", None)
    assert key.secret not in httpd.audit.path.read_text()


@pytest.mark.mpm
def test_lines_of_all_processes_do_not_mix(server, live):
    headers = bearer(live)
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: server.get(f"/p/{number}/" + "x" * 600, headers), range(200)))
    assert {answer.status for answer in answers} == {404}
    lines = server.audit.next(200)
    assert {int(line["path"].split("/")[2]) for line in lines} == set(range(200))


@pytest.mark.mpm
def test_a_program(httpd, live):
    """It gets the lines, and none of httpd's secrets; a restart ends it and starts another one."""
    copy = httpd.write("copy.py", "import os, sys\nout = open(sys.argv[1], 'ab', 0)\nopen(sys.argv[2], 'a').write(repr(dict(os.environ)) + '\\n')\n"
                                  "for line in sys.stdin.buffer:\n    out.write(line)\n", base=httpd.root / "conf")
    out = httpd.root / "logs/copied.log"
    serve(httpd, live, PLACES, target=f"|/usr/bin/python3 {copy} {out} {httpd.root}/logs/environment")
    httpd.audit = Log(out)
    httpd.get("/p/1", bearer(live))
    assert httpd.audit.one()["path"] == "/p/1"
    # A child of before may still accept a connection; then its line goes to the program that has ended.
    httpd.log.announce("AC3312")
    httpd.graceful()
    until(lambda: httpd.get("/p/2", bearer(live)) and any(line["path"] == "/p/2" for line in httpd.audit.lines()))
    environment = (httpd.root / "logs/environment").read_text()
    assert live.secret_key not in environment and environment.count("PATH") >= 2


@pytest.mark.mpm
@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_file_is_opened_again(server, live, how):
    old = server.root / "logs/audit.old"
    server.get("/p/1", bearer(live))
    assert server.audit.one()["path"] == "/p/1"
    server.audit.path.rename(old)
    getattr(server, how)()
    server.audit = Log(server.audit.path)
    # Children of before finish their connections; a new one may still reach one of them.
    server.get("/p/2", bearer(live))
    until(lambda: len(server.audit.lines()) + len(Log(old).lines()) == 2)
    until(lambda: server.get("/p/3", bearer(live)) and any(line["path"] == "/p/3" for line in server.audit.lines()))
    assert server.audit.path.stat().st_mode & 0o777 == 0o640


FAULTS = {
    "a directory that is not there": ("no/such/directory/log", r"AC3310.*no/such/directory/log"),
    "a directory": ("logs", r"AC3310"),
    "a program that is not there": ("|/no/such/program", r"AC3311.*/no/such/program"),
}


@pytest.mark.parametrize("target,said", FAULTS.values(), ids=FAULTS)
def test_a_log_that_cannot_be_opened_is_an_error_at_the_start(httpd, live, target, said):
    httpd.log.announce("AC331[01]", "AH0010[0-9]", "AH00013", "AH00014", "AH00015", "AH00016", "AH00020")
    with pytest.raises(HttpdError) as raised:
        serve(httpd, live, PLACES, target=target)
    assert re.search(said, str(raised.value) + httpd.log.text())


def test_a_disk_that_is_full(httpd, live):
    """The answer does not depend on the log."""
    httpd.log.announce("AC3312")
    serve(httpd, live, PLACES, target="/dev/full")
    assert httpd.get("/p/", bearer(live)).status == 200
    httpd.log.wait_for("AC3312")


def test_off_by_default(httpd, live):
    httpd.configure(directives(httpd, live) + PLACES)
    httpd.start()
    httpd.get("/p/", XHR)
    assert not [path for path in (httpd.root / "logs").iterdir() if path.name not in ("error.log", "access.log", "stderr.log", "cgisock")]
