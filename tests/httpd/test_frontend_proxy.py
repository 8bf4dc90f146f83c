# SPDX-License-Identifier: Apache-2.0
"""Clerk's frontend API below ClerkProxyURL (protocol.md 15): its headers, and where the secret key may go. httpd reaches Clerk's own
host through a forward proxy of the test, which answers in its place."""

import re
import socket

import pytest
from clerk_emulator.certificates import Authority
from pyclerk.backends import Backend
from pyclerk.clerk import PARTY, XHR, directives, protect
from test_recipes import RECIPES, site

UPSTREAM = "https://frontend-api.clerk.dev"
MODULES = ("ssl", "proxy_connect")


class FrontendApi(Backend):
    """A forward proxy that answers CONNECT, and then by TLS as Clerk's host: with the request as it came."""

    def __init__(self, authority, host="frontend-api.clerk.dev"):
        self.tls = authority.server_context([host])
        super().__init__()

    def serve(self, connection, stream):
        while stream.readline().strip():
            pass
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self.tls.wrap_socket(connection, server_side=True) as secure, secure.makefile("rb") as inner:
            head = b""
            while (line := inner.readline()).strip():
                head += line
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nSet-Cookie: __client=a; Path=/; HttpOnly\r\n"
                           b"Set-Cookie: __client_uat=1; Path=/\r\nContent-Length: %d\r\n\r\n%b" % (len(head), head))


@pytest.fixture(scope="module")
def authority(workdir):
    return Authority(workdir)


@pytest.fixture(scope="module")
def clerk(authority):
    backend = FrontendApi(authority)
    yield backend
    backend.stop()


@pytest.fixture
def run(make_httpd, live, clerk, authority):
    """run(edit): the recipe, on a site where everything else needs a session; edit() changes its text."""

    def run(edit=lambda text: text, more=""):
        server = make_httpd()
        server.log.announce("AH01873|AH01882")  # mod_ssl, about itself
        keys = site(live, SITE_ORIGIN=PARTY, CA_FILE=authority.file)
        server.env["CLERK_KEY"] = live.secret_key
        text = edit((RECIPES / "frontend-api.conf").read_text())
        server.configure(
            f"{keys}ClerkSecretKey env:CLERK_KEY\nClerkPublicOrigin {PARTY}\nProxyRemote {UPSTREAM} http://127.0.0.1:{clerk.port}\n{text}\n"
            + 'LogFormat "%{Clerk-Secret-Key}i %U" secret\nCustomLog "logs/secret.log" secret\n' + protect("/") + more
            + '<Location "/info">\nSetHandler server-info\nRequire all granted\n</Location>\n', MODULES)
        return server.start()

    return run


def sent(answer):
    """The header fields that reached Clerk, names in lower case."""
    assert answer.status == 200, answer
    return {name.lower(): value for name, value in re.findall(r"^([^:\s]+): ([^\r\n]*)", answer.text, re.M)}


CLIENT = {"Clerk-Secret-Key": "sk_evil", "Clerk-Proxy-Url": "https://evil.example", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example",
          "X-Forwarded-Proto": "http", "Accept-Encoding": "gzip", "Cookie": "__client=old"}


def test_the_headers(run, live):
    server = run()
    answer = server.get("/__clerk/v1/environment?a=%2F", XHR | CLIENT)
    fields = sent(answer)
    assert answer.text.startswith("GET /v1/environment?a=%2F HTTP/1.1")
    assert fields["clerk-proxy-url"] == PARTY + "/__clerk" and fields["clerk-secret-key"] == live.secret_key
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields["x-forwarded-proto"] == "https" and "evil" not in fields["x-forwarded-host"]
    assert fields["host"] == "frontend-api.clerk.dev" and fields["accept-encoding"] == "identity" and fields["cookie"] == "__client=old"
    assert answer.all("Set-Cookie") == ["__client=a; Path=/; HttpOnly", "__client_uat=1; Path=/"]
    assert not answer.all("X-Clerk-Auth-Status")


def test_nothing_else_is_open(run):
    server = run()
    for path in ("/", "/__clerkx", "/__clerk/../private", "/x/__clerk/v1/environment"):
        assert server.get(path, XHR).status == 401, path


def test_the_secret_key_is_seen_nowhere(run, live):
    server = run()
    server.get("/__clerk/v1/environment", XHR)
    assert live.secret_key not in server.get("/info?config").text
    server.stop()
    log = (server.root / "logs/secret.log").read_text()
    assert "- /__clerk/v1/environment" in log and "sk_" not in log


UNVERIFIED = {
    "by default": lambda text: text.replace("SSLProxyVerify require", ""),
    "optional": lambda text: text.replace("SSLProxyVerify require", "SSLProxyVerify optional_no_ca"),
    "elsewhere": lambda text: text.replace("SSLProxyVerify require", "") + '<Proxy "https://other.example">\nSSLProxyVerify require\n</Proxy>\n',
    "undone": lambda text: text.replace("SSLProxyVerify require", "SSLProxyVerify none") + "SSLProxyVerify require\n",
}


@pytest.mark.parametrize("how", UNVERIFIED)
def test_no_secret_key_without_verification(run, how):
    server = run(UNVERIFIED[how])
    server.log.announce("AC3220: ")
    fields = sent(server.get("/__clerk/v1/environment", XHR | CLIENT))
    assert "clerk-secret-key" not in fields and fields["clerk-proxy-url"] == PARTY + "/__clerk"
    server.log.wait_for("AC3220: ")


def test_no_secret_key_by_trace_or_to_others(run, echo):
    server = run(more=f'TraceEnable On\n<Location "/__clerk/other">\nProxyPass {echo.url}\nRequire all granted\n</Location>\n')
    other = server.get("/__clerk/other/x", XHR)
    assert other.status == 200 and "sk_" not in other.text
    assert "sk_live" not in server.request("TRACE", "/__clerk/v1/environment", XHR).text


def test_another_certificate_is_refused(run, workdir):
    (workdir / "other").mkdir()
    other = Authority(workdir / "other")
    server = run(lambda text: text.replace("${CA_FILE}", other.file))
    server.log.announce("AH0[0-9]+|SSL|proxy:")
    assert server.get("/__clerk/v1/environment", XHR).status in (500, 502, 503)


def test_where_clerk_cannot_be_reached_the_log_has_no_key(run, clerk):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        closed = silent.getsockname()[1]
    server = run(lambda text: f"ProxyRemote {UPSTREAM} http://127.0.0.1:{closed}\n" + text)
    server.log.announce("AH0[0-9]+|proxy:")
    server.get("/__clerk/v1/environment", XHR)
    server.stop()
    assert "sk_" not in (server.root / "logs/secret.log").read_text() + server.log.text()


def below_path(server, live, upstream):
    return directives(server, live, "api") + f"ClerkFrontendAPI {upstream}\nClerkProxyURL {PARTY}/__clerk\nProxyPass /__clerk {upstream}\n"


def test_a_loopback_frontend_api(make_httpd, live):
    """For tests and development: without TLS, on this machine."""
    server = make_httpd()
    server.configure(below_path(server, live, live.url) + protect("/"))
    server.start()
    assert server.get("/__clerk/v1/environment", XHR).status == 200
    headers = live.requests("environment")[-1].headers
    assert headers["clerk-secret-key"] == live.secret_key and headers["clerk-proxy-url"] == PARTY + "/__clerk"


@pytest.mark.parametrize("fault", ["not found", "unreachable"])
def test_the_secret_key_does_not_reach_the_program_of_an_error(make_httpd, live, fault):
    server = make_httpd()
    server.cgi("error.cgi")
    upstream = live.url
    if fault == "unreachable":
        with socket.create_server(("127.0.0.1", 0)) as silent:
            upstream = f"http://127.0.0.1:{silent.getsockname()[1]}"
    server.configure(below_path(server, live, upstream)
                     + "ProxyErrorOverride On\nErrorDocument 404 /error.cgi\nErrorDocument 503 /error.cgi\n")
    server.log.announce("AH0[0-9]+|proxy:")
    server.start()
    answer = server.get("/__clerk/v1/nothing", XHR)
    assert answer.status == (404 if fault == "not found" else 503) and "HTTP_CLERK_PROXY_URL" in answer.text
    assert "sk_live" not in answer.text


def test_the_secret_key_does_not_reach_the_files_of_a_cache(make_httpd, live, echo):
    server = make_httpd()
    cache = server.root / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    upstream = echo.url.rstrip("/")
    server.configure(below_path(server, live, upstream)
                     + f"CacheEnable disk /\nCacheRoot {cache}\nCacheIgnoreNoLastMod On\n", ("cache", "cache_disk"))
    server.start()
    assert live.secret_key in server.get("/__clerk/npm/clerk.js", XHR).text
    stored = [file for file in cache.rglob("*.header") if file.is_file()]
    assert stored and not any(b"sk_live" in file.read_bytes() for file in stored)
