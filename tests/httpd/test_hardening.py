# SPDX-License-Identifier: Apache-2.0
"""What clients, other modules and subrequests must not be able to do: hold threads, use up the calls of others, fill the
log, get the secrets of another instance, or cause repeated calls of the Backend API."""

import base64
import json
import threading
import time

import pytest
from clerk_emulator.faults import Fault
from pyclerk.clerk import (NAVIGATION, PARTY, asked, bearer, browser, cookie_header, directives, protect, session_cookies,
                           token)

ONE_PROCESS = ("StartServers 1\nServerLimit 1\nThreadsPerChild {0}\nThreadLimit {0}\nMaxRequestWorkers {0}\n"
               "MinSpareThreads 1\nMaxSpareThreads {0}\n")
KEY_A = "pk_live_" + base64.b64encode(b"clerk.a.example$").decode()
KEY_B = "pk_live_" + base64.b64encode(b"clerk.b.example$").decode()


@pytest.fixture
def live(emulator):
    """An instance for one test, because its requests are counted."""
    return emulator.add_instance(production=True, host="clerk.example.test")


def expired(live):
    """The cookies of a browser that comes back after some minutes: an expired session and a refresh cookie."""
    session = live.create_session("alice")
    cookies = session_cookies(live, token(live, session=session, age=300), uat=str(int(time.time()) - 400))
    return NAVIGATION | cookie_header(cookies | {f"__refresh_{live.cookie_suffix}": live.refresh_token(session)})


def back_from_handshake(live, nonce):
    """The cookies of a browser that returns from a handshake with a nonce."""
    value, suffix = token(live), live.cookie_suffix
    live.nonces[nonce] = [f"__session_{suffix}={value}; Path=/; Secure", f"__session={value}; Path=/; Secure",
                          f"__client_uat_{suffix}=1; Path=/", "__client_uat=1; Path=/"]
    return NAVIGATION | cookie_header({"__clerk_handshake_nonce": nonce})


def sent(answer, name):
    """The number of Set-Cookie lines for this cookie."""
    return sum(line.startswith(name + "=") for line in answer.all("Set-Cookie"))


class Crowd:
    """Clients that make one request each, at the same time. Responses are counted as they arrive."""

    def __init__(self, server, count, target, headers):
        self.answers = []
        self._threads = [threading.Thread(target=lambda: self.answers.append(server.get(target, headers)), daemon=True)
                         for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join(30)
        return [answer.status for answer in self.answers]


# Threads and limits of calls


def test_tokens_that_name_unknown_keys_hold_few_threads(make_httpd, live):
    server = make_httpd(mpm="event")
    server.write("private/index.html", "members only\n")
    server.configure("ClerkHTTPTimeout 10s\n" + directives(server, live) + protect("/private"), mpm=ONE_PROCESS.format(24))
    server.log.announce("AC1001")
    server.start()
    good = bearer(live)
    assert server.get("/private/", good).status == 200
    live.faults.set("jwks", Fault(delay=6.0, times=1))
    begun = time.monotonic()
    nobody = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "typ": "JWT", "kid": "nope"}).encode()).decode().rstrip("=")
    bad = {"Authorization": "Bearer " + ".".join([nobody, *token(live).split(".")[1:]])}
    crowd = Crowd(server, 40, "/private/", bad)
    # Other requests are served, and most of the crowd are refused, while the fetch of keys is still under way.
    assert server.get("/").status == 200
    assert server.get("/private/", good).status == 200
    while len(crowd.answers) < 25 and time.monotonic() - begun < 6.0:
        time.sleep(0.01)
    assert time.monotonic() - begun < 6.0
    assert crowd.join() == [401] * 40
    server.stop()


def test_junk_nonces_do_not_use_up_the_calls_for_refreshes(make_httpd, live):
    server = make_httpd(mpm="event")
    server.write("private/index.html", "members only\n")
    server.configure("ClerkHTTPTimeout 20s\n" + directives(server, live, "api", (PARTY, server.origin())) + protect("/private"),
                     mpm=ONE_PROCESS.format(24))
    server.start()
    assert server.get("/private/", bearer(live)).status == 200
    live.faults.set("handshake-payload", Fault(delay=2.0))
    crowd = Crowd(server, 8, "/private/", NAVIGATION | cookie_header({"__clerk_handshake_nonce": "junk"}))
    live.wait_for("handshake-payload", 4)  # as many as one process makes at once
    assert [server.get("/private/", expired(live)).status for _ in range(5)] == [200] * 5
    assert live.count("refresh") == 5
    crowd.join()
    server.stop()


# Secrets of instances


def two_servers(server, inner, outer=""):
    return (f"{outer}ClerkAuthorizedParties {PARTY}\n" + protect("/p")
            + f"<VirtualHost *:{server.port}>\nServerName b.example\n{inner}\n{protect('/q')}</VirtualHost>\n")


def instance_lines(server, env):
    """{frontend API host: line} of the dump."""
    server.env = env
    code, output = server.check("-D", "DUMP_CLERK")
    assert code == 0, output
    return {host: line for line in output.splitlines() for host in ("clerk.a.example", "clerk.b.example") if host in line and "keys from" in line}


@pytest.mark.parametrize("outer,env", [
    (f"ClerkPublishableKey {KEY_A}\n", {"CLERK_SECRET_KEY": "sk_live_ofA"}),
    ("", {"CLERK_PUBLISHABLE_KEY": KEY_A, "CLERK_SECRET_KEY": "sk_live_ofA"}),
    ("ClerkSecretKey env:OWN\n", {"CLERK_PUBLISHABLE_KEY": KEY_A, "OWN": "sk_live_ofA"}),
    (f"ClerkPublishableKey {KEY_A}\nClerkSecretKey env:OWN\n", {"OWN": "sk_live_ofA"}),
])
def test_a_virtual_host_with_its_own_key_gets_no_other_secret(httpd, outer, env):
    httpd.configure(two_servers(httpd, f"ClerkPublishableKey {KEY_B}", outer))
    lines = instance_lines(httpd, env)
    assert "with a secret key" in lines["clerk.a.example"]
    assert "with a secret key" not in lines["clerk.b.example"] and "clerk.b.example" in lines["clerk.b.example"].partition("keys from")[2]


@pytest.mark.parametrize("inner", [f"ClerkPublishableKey {KEY_B}", f"ClerkPublishableKey {KEY_B}\nClerkAuthorizedParties https://b.example"])
def test_the_only_key_of_all_servers_gets_the_secret_of_the_environment(httpd, inner):
    httpd.configure(f"<VirtualHost *:{httpd.port}>\nServerName b.example\n{inner}\n{protect('/q')}</VirtualHost>\n")
    assert "with a secret key" in instance_lines(httpd, {"CLERK_SECRET_KEY": "sk_live_ofB"})["clerk.b.example"]


def test_a_virtual_host_that_repeats_the_key_keeps_the_secret(httpd):
    httpd.configure(two_servers(httpd, f"ClerkPublishableKey {KEY_A}", f"ClerkPublishableKey {KEY_A}\n"))
    lines = instance_lines(httpd, {"CLERK_SECRET_KEY": "sk_live_ofA"})
    assert "with a secret key" in lines["clerk.a.example"]


@pytest.mark.parametrize("directive,warns", [("ClerkSecretKey", True), ("ClerkJWTKey", False)])
def test_every_user_may_read_what_is_public(httpd, live, directive, warns):
    path = httpd.write("key", live.public_key_pem if directive == "ClerkJWTKey" else live.secret_key, 0o644, httpd.root / "conf")
    httpd.log.announce("AC3001", "AC3011")
    httpd.configure(f"ClerkPublishableKey {live.publishable_key}\n{directive} file:{path}\nClerkAuthorizedParties {PARTY}\n" + protect("/private"))
    httpd.start()
    assert bool(httpd.log.lines("AC3001")) == warns


# The log


def test_visitors_do_not_fill_the_log(make_httpd, live):
    server = make_httpd(mpm="event")
    path = server.write("jwt.pem", live.public_key_pem, 0o640, server.root / "conf")
    server.configure(f"ClerkJWTKey file:{path}\nClerkAuthorizedParties {PARTY}\n" + protect("/private"), mpm=ONE_PROCESS.format(8))
    server.log.announce("AC3052", "AC3011")
    server.start()
    begun = time.monotonic()
    assert [server.get("/private/", NAVIGATION).status for _ in range(10)] == [401] * 10
    server.log.wait_for("AC3052", count=10)
    minutes = int((time.monotonic() - begun) // 60) + 1
    assert 1 <= len(server.log.lines(r":warn\].*AC3052")) <= minutes
    server.stop()


def test_a_frequent_message_does_not_suppress_others(make_httpd, live):
    server = make_httpd(mpm="event")
    path = server.write("jwt.pem", live.public_key_pem, 0o640, server.root / "conf")
    server.configure(f"ClerkJWTKey file:{path}\nClerkAuthorizedParties {PARTY}\n" + protect("/private")
                     + protect("/named", ("valid-user",), "ClerkRemoteUser no_such_claim"), mpm=ONE_PROCESS.format(8))
    server.log.announce("AC3052", "AC3063", "AC3011")
    server.start()
    assert [server.get("/private/", NAVIGATION).status for _ in range(6)] == [401] * 6
    assert server.get("/named/", bearer(live)).status == 403
    server.log.wait_for(r":warn\].*AC3052")
    server.log.wait_for(r":warn\].*AC3063")
    server.stop()


def test_the_address_of_the_proxy_is_not_logged(make_httpd, live):
    server = make_httpd()
    server.configure(f"ClerkPublishableKey {live.publishable_key}\nClerkAuthorizedParties {PARTY}\nClerkHTTPProxy http://127.0.0.1:9\n"
                     "<Location /st>\n    SetHandler clerk-status\n    Require all granted\n</Location>\n" + protect("/private"))
    server.log.announce("AC1001", "AC1002", "AC1008", "AC3025", "AC3050")
    server.start()
    assert server.get("/private/", bearer(live)).status == 503
    server.log.wait_for("AC1001")
    status = server.get("/st?json").text
    errors = [line for line in status.splitlines() if "last_error" in line]
    assert not [line for line in server.log.lines("AC10") if "127.0.0.1" in line.partition("AC10")[2] or "port 9" in line]
    assert errors and not [line for line in errors if "127.0.0.1" in line or "port 9" in line]
    server.stop()


# Once for each request of a client


@pytest.fixture
def composed(make_httpd, live):
    """Pages with subrequests, and sections that authenticate a request twice."""
    server = make_httpd()
    for name in ("p0", "p1", "p2", "iffed", "other"):
        server.write(f"{name}/index.html", f"[{name}]")
    server.write("open/i.shtml", "".join(f'<!--#include virtual="/p{i}/index.html" -->' for i in range(3)))
    rewrite = f'<Directory "{server.docroot}/front">\n    RewriteEngine On\n    RewriteRule .* /other/index.html [L]\n</Directory>\n'
    server.write("front/index.html", "not this")
    server.configure(
        directives(server, live, "api", (PARTY, server.origin())) + "".join(protect(f"/p{i}") for i in range(3))
        + protect("/iffed", ("valid-user",), "<If \"clerk('sub') != ''\">", "ClerkClockSkew 6s", "</If>")
        + protect("/front") + protect("/other", ("valid-user",), "ClerkClockSkew 7s") + rewrite)
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("target,body", [("/p0/", "[p0]"), ("/iffed/index.html", "[iffed]"), ("/front/index.html", "[other]")])
def test_a_nonce_is_used_once_for_each_request_of_a_client(composed, live, target, body):
    answer = composed.get(target, back_from_handshake(live, "n1"))
    assert (answer.status, answer.text) == (200, body)
    assert len(asked(live, "handshake-payload")) == 1
    assert sent(answer, "__session") == 1 and sent(answer, f"__session_{live.cookie_suffix}") == 1


@pytest.mark.parametrize("target,body", [("/iffed/index.html", "[iffed]"), ("/front/index.html", "[other]")])
def test_a_session_is_refreshed_once_for_each_request_of_a_client(composed, live, target, body):
    answer = composed.get(target, expired(live))
    assert (answer.status, answer.text) == (200, body)
    assert len(asked(live, "refresh")) == 1 and sent(answer, "__session") == 1


def test_the_parts_of_a_page_refresh_the_session_once(composed, live):
    answer = composed.get("/open/i.shtml", expired(live))
    assert (answer.status, answer.text) == (200, "[p0][p1][p2]")
    # (With server-side includes, the headers of the response are sent before the subrequest: no cookie can be set then.)
    assert len(asked(live, "refresh")) == 1


def test_a_subrequest_hands_its_cookies_to_the_client(make_httpd, live):
    server = make_httpd()
    for name in ("one", "two"):
        server.write(f"list/{name}/index.html", "x")
    server.configure(directives(server, live, "api", (PARTY, server.origin())) + protect("/list/one") + protect("/list/two"))
    server.start()
    answer = server.get("/list/", expired(live))
    assert answer.status == 200 and "one/" in answer.text and "two/" in answer.text
    assert len(asked(live, "refresh")) == 1 and sent(answer, "__session") == 1
    server.stop()


def test_the_parts_of_a_page_are_refused_a_refresh_once(composed, live):
    live.faults.set("refresh", Fault(status=422))
    composed.log.announce("unable to include")
    answer = composed.get("/open/i.shtml", expired(live))
    assert answer.status == 200 and "[p0]" not in answer.text
    assert len(asked(live, "refresh")) == 1


# Credentials and headers


def test_a_token_that_was_not_checked_is_stripped_too(make_httpd, live):
    server = make_httpd()
    server.cgi("cgi/env.cgi")
    server.cgi("session/env.cgi")
    strip = ("ClerkStripCredentials On", "CGIPassAuth On")
    server.configure(directives(server, live) + protect(server.docroot / "cgi", ("all granted",), *strip, kind="Directory")
                     + protect(server.docroot / "session", ("all granted",), *strip, "ClerkTokenSources cookie", kind="Directory"))
    server.start()
    value = token(live)
    for header, passed in ((f"Bearer {value}", False), (value, False), ("Basic YTpi", True)):
        env = server.get("/cgi/env.cgi", {"Authorization": header, "Cookie": f"__session={value}; a=b"}).env()
        assert env.get("HTTP_AUTHORIZATION") == (header if passed else None)
        assert env["HTTP_COOKIE"] == "a=b"
    # If the header is no source of tokens, the application keeps it.
    assert server.get("/session/env.cgi", {"Authorization": "Bearer own"}).env()["HTTP_AUTHORIZATION"] == "Bearer own"
    server.stop()


def test_forged_headers_are_removed_in_every_virtual_host(make_httpd, live):
    server = make_httpd()
    server.cgi("env.cgi")
    server.log.announce("AC3151")
    server.configure(f"<VirtualHost *:{server.port}>\nServerName a.example\n{directives(server, live)}{protect('/x')}</VirtualHost>\n"
                     f"<VirtualHost *:{server.port}>\nServerName b.example\n</VirtualHost>\n")
    server.start()
    forged = {"X-Clerk-User-Id": "root", "X_Clerk.Org-Role": "root", "Remote-User": "root", "X-Other": "stays"}
    for host in ("a.example", "b.example"):
        env = server.get("/env.cgi", {"Host": host} | forged).env()
        assert "root" not in env.values() and env["HTTP_X_OTHER"] == "stays"
    server.stop()


# Optional places in parts of a page


def test_an_optional_part_of_a_page_is_there_for_anonymous_visitors(make_httpd, emulator):
    dev = emulator.add_instance(production=False)
    server = make_httpd()
    server.write("opt/index.html", "[optional]")
    server.write("page.shtml", '<!--#include virtual="/opt/index.html" -->')
    server.configure(directives(server, dev, "api", (PARTY, server.origin())) + protect("/opt", ("clerk-optional",)))
    server.start()
    server.log.announce("AC3012")
    dev.nonces["out"] = ["__session=; Path=/; Max-Age=0", "__client_uat=0; Path=/"]
    for target in ("/page.shtml", "/page.shtml?__clerk_handshake_nonce=out"):
        answer = server.get(target, NAVIGATION)
        assert (answer.status, answer.text) == (200, "[optional]")
    server.stop()


# .htaccess


@pytest.mark.parametrize("line", ["ClerkPublicOrigin https://evil.example", "ClerkTrustForwarded On"])
@pytest.mark.parametrize("named", [False, True])
def test_htaccess_sends_no_handshake_elsewhere(make_httpd, live, line, named):
    server = make_httpd()
    instance = directives(server, live, parties=()) + "ClerkProxyURL /__clerk\n"
    config = f"<ClerkInstance staff>\n{instance}</ClerkInstance>\n" if named else instance
    server.configure(f"{config}ClerkAuthorizedParties {server.origin()}\n")
    server.write("t/index.html", "x")
    server.write("t/.htaccess", f"AuthType Clerk\nAuthName x\nRequire valid-user\n{line}\n" + ("ClerkInstance staff\n" if named else ""))
    server.log.announce("not in .htaccess")
    server.start()
    answer = server.get("/t/", NAVIGATION | {"Referer": "https://news.example/", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
                        | browser(live))
    assert answer.status == 500 and answer.location is None
    server.log.wait_for(r"not in \.htaccess where ClerkProxyURL is a path")
    server.stop()


def test_htaccess_may_say_the_origin_where_handshakes_go_to_a_host(make_httpd, live):
    server = make_httpd()
    server.write("t/index.html", "x")
    server.write("t/.htaccess", f"AuthType Clerk\nAuthName x\nRequire valid-user\nClerkPublicOrigin {PARTY}\n")
    server.configure(directives(server, live))
    server.start()
    assert server.get("/t/", browser(live)).status == 200
    server.stop()
