# SPDX-License-Identifier: Apache-2.0
"""The status page: what it counts, what it shows of the keys, and what it never contains."""

import html.parser
import json
import pathlib
import re
import time

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, browser, cookie_header, directives, protect, session_cookies, token

STATUS = "<Location /status>\n    SetHandler clerk-status\n    Require ip 127.0.0.1\n</Location>\n"


def read(server):
    answer = server.get("/status?json")
    assert answer.status == 200 and answer.header("Content-Type") == "application/json", answer
    return answer.json()


def only(server):
    (instance,) = read(server)["instances"]
    return instance


def until(condition, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def server(httpd, emulator):
    """A server with an instance of its own."""
    httpd.instance = emulator.add_instance(production=True)
    httpd.configure(directives(httpd, httpd.instance, keys="api") + protect("/p") + protect("/optional", ["clerk-optional"]) + STATUS)
    httpd.write("p/index.html", "protected\n")
    httpd.write("optional/index.html", "optional\n")
    return httpd.start()


def test_before_anything_has_happened(server):
    instance = only(server)
    assert (instance["name"], instance["type"]) == ("default", "production")
    assert instance["used_by"] == [f"127.0.0.1:{server.port}"]
    assert instance["verdicts"] == {"signed_in": 0, "forbidden": 0, "signed_out": {}, "handshake": {}, "unavailable": {}, "bad_request": {}}
    assert read(server)["background_refresh"] is True


def test_keys_after_a_fetch(server):
    assert server.get("/p/", bearer(server.instance)).status == 200
    keys = only(server)["keys"]
    assert (keys["source"], keys["health"], keys["failures"], keys["last_error"]) == ("Backend API", "ok", 0, None)
    assert keys["fetches"] >= 1 and keys["generation"] >= 1 and 0 <= keys["age_seconds"] < 30
    assert keys["set"] == [{"kid": server.instance.kid, "description": "RSA 2048", "usable": True}]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", keys["fetched_at"])
    assert keys["fetched_at"] < keys["next_refresh_at"] < keys["serves_until"]


@pytest.mark.mpm
def test_verdicts_are_counted_once_each_by_all_processes(server):
    for _ in range(20):
        assert server.get("/p/", bearer(server.instance)).status == 200
    for _ in range(3):
        assert server.get("/p/", XHR).status == 401
    assert server.get("/p/", XHR | bearer(server.instance, origin="https://other.example")).status == 401
    assert server.get("/p/", NAVIGATION | {"Cookie": f"__client_uat=1; __client_uat_{server.instance.cookie_suffix}=1"}).status == 307
    assert server.get("/optional/", browser(server.instance)).status == 200
    assert server.get("/optional/", XHR).status == 200
    verdicts = only(server)["verdicts"]
    assert (verdicts["signed_in"], verdicts["forbidden"]) == (21, 0)
    assert verdicts["signed_out"] == {"session-token-and-uat-missing": 4, "token-invalid-authorized-parties": 1}
    assert verdicts["handshake"] == {"client-uat-but-no-session-token": 1}


@pytest.mark.mpm
def test_token_cache_hits_are_counted(server):
    """A token that one process verified is in the cache of all of them."""
    headers = bearer(server.instance)
    for _ in range(10):
        assert server.get("/p/", headers).status == 200
    assert only(server)["token_cache"] == {"hits": 9, "misses": 1}


def test_a_source_that_is_down(httpd, emulator):
    instance = emulator.add_instance(production=True)
    httpd.configure(directives(httpd, instance, keys="api") + protect("/p") + STATUS)
    httpd.log.announce("AC1001")
    instance.set_fault("api-jwks", status=500)
    httpd.start()
    assert httpd.get("/p/", bearer(instance)).status == 503
    one = only(httpd)
    assert one["keys"]["health"] == "down" and one["keys"]["failures"] >= 1
    assert one["keys"]["failing_since"] and "500" in one["keys"]["last_error"]
    assert one["verdicts"]["unavailable"] == {"jwk-remote-failed-to-load": 1}
    page = httpd.get("/status").text
    assert "no usable keys" in page and "Keys cannot be fetched since" in page


def test_a_fixed_key_is_never_fetched(httpd, live):
    httpd.configure(directives(httpd, live, keys="pem") + protect("/p") + STATUS).start()
    keys = only(httpd)["keys"]
    assert (keys["source"], keys["health"], keys["fetches"], keys["age_seconds"]) == ("PEM key", "fixed", 0, None)
    assert keys["set"] == [{"kid": None, "description": "RSA 2048", "usable": True}]


def test_every_instance_has_its_own_numbers(httpd, emulator):
    one, other = (emulator.add_instance(production=True) for _ in range(2))
    httpd.configure(
        directives(httpd, one)
        + f"<ClerkInstance staff>\nClerkPublishableKey {other.publishable_key}\nClerkJWKSURL {other.jwks_url}\n</ClerkInstance>\n"
        + protect("/p") + protect("/staff", ["valid-user"], "ClerkInstance staff") + STATUS
    )
    httpd.start()
    httpd.get("/p/", bearer(one))
    httpd.get("/staff/", bearer(other))
    httpd.get("/staff/", bearer(other))
    signed_in = {entry["name"]: entry["verdicts"]["signed_in"] for entry in read(httpd)["instances"]}
    assert signed_in == {"default": 1, "staff": 2}


def test_instances_are_told_apart(httpd, emulator):
    """Faults, C: three virtual hosts, each with an instance that has no name, and two with one name."""
    instances = [emulator.add_instance(production=True, host=f"clerk.host{number}.test") for number in range(5)]
    hosts = "".join(f"<VirtualHost *:{httpd.port}>\nServerName host{number}.test\n{directives(httpd, one)}</VirtualHost>\n"
                    for number, one in enumerate(instances[:3]))
    named = "".join(f"<VirtualHost *:{httpd.port}>\nServerName named{number}.test\n<ClerkInstance staff>\nClerkPublishableKey {one.publishable_key}\n"
                    f"ClerkJWKSURL {one.jwks_url}\n</ClerkInstance>\n</VirtualHost>\n" for number, one in enumerate(instances[3:]))
    httpd.configure(STATUS + hosts.replace("</VirtualHost>", STATUS + "</VirtualHost>") + named, log_level="error").start()
    assert sorted(entry["name"] for entry in read(httpd)["instances"]) == ["clerk.host0.test", "clerk.host1.test", "clerk.host2.test", "staff", "staff-2"]


class Outline(html.parser.HTMLParser):
    """Checks that elements are closed in order, and collects what would load external resources."""

    void = {"meta", "br", "hr", "img", "link", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.problems, self.tags = [], [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.problems += [f"{name} of {tag}" for name, value in attrs if name.startswith("on") or name == "src"]
        self.problems += [value for name, value in attrs if name == "href" and not value.startswith("?")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}>")


def test_the_page_is_whole_and_self_contained(server):
    assert "Token cache hits" not in server.get("/status").text  # No share of nothing.
    server.get("/p/", bearer(server.instance))
    assert re.search(r"Token cache hits</dt><dd>0\.0 % <small>1 verified", server.get("/status").text)
    answer = server.get("/status")
    assert answer.status == 200 and answer.header("Content-Type") == "text/html; charset=utf-8"
    assert answer.header("Cache-Control") == "no-store" and "default-src 'none'" in answer.header("Content-Security-Policy")
    outline = Outline()
    outline.feed(answer.text)
    assert outline.problems == [] and outline.open == []
    assert not outline.tags & {"script", "link", "img", "iframe"}
    assert server.instance.kid in answer.text and "production" in answer.text


DOCUMENTATION = '<a href="/auth-clerk-doc/index.html">Documentation</a>'


@pytest.fixture(name="book")
def _book(httpd):
    """(the lines that serve a book, a function that makes it)"""
    directory = httpd.root / "book"
    lines = (pathlib.Path(__file__).resolve().parents[2] / "conf/auth-clerk-doc.conf").read_text()
    installed = "/usr/share/doc/libapache2-mod-auth-clerk-doc/html"
    assert lines.count(installed) == 2

    def make():
        httpd.write("index.html", "the book\n", base=directory)
        directory.chmod(0o755)

    return lines.replace(installed, str(directory)), make


def test_the_documentation_is_linked_where_it_is_served(httpd, live, book):
    lines, make = book
    httpd.configure(directives(httpd, live) + STATUS + lines).start()
    assert "Documentation" not in httpd.get("/status").text  # there is no such file yet
    make()
    assert DOCUMENTATION in httpd.get("/status").text
    assert httpd.get("/auth-clerk-doc/index.html").text == httpd.get("/auth-clerk-doc/").text == "the book\n"


@pytest.mark.parametrize("more", [
    "<Location /auth-clerk-doc>\nRequire ip 192.0.2.1\n</Location>", "<Location /auth-clerk-doc>\nAuthType Clerk\nRequire valid-user\n</Location>",
    "ProxyPass /status !\nProxyPass / {echo.url}",
], ids=["for another client", "for members", "behind a proxy"])
def test_no_documentation_is_offered_to_who_may_not_have_it(httpd, live, echo, book, more):
    lines, make = book
    make()
    httpd.configure(directives(httpd, live) + STATUS + more.format(echo=echo) + "\n" + lines).start()
    httpd.log.mark()
    page = httpd.get("/status")
    assert page.status == 200 and "Documentation" not in page.text
    assert "auth-clerk-doc" not in httpd.log.recent()  # what watches the log for attackers would see one


def test_no_documentation_is_linked_that_is_not_there(server):
    assert "Documentation" not in server.get("/status").text


def test_what_the_configuration_names_is_escaped(httpd, live):
    httpd.configure(
        f'<ClerkInstance "<b>&amp;\'x">\nClerkPublishableKey {live.publishable_key}\nClerkJWKSURL {live.jwks_url}\n</ClerkInstance>\n'
        "ClerkAuthorizedParties https://a.example\n" + STATUS
    )
    httpd.start()
    page = httpd.get("/status").text
    assert "&lt;b&gt;&amp;amp;" in page and "<b>" not in page
    assert only(httpd)["name"] == "<b>&amp;'x"


def test_it_contains_no_secret(server):
    value = token(server.instance, "alice", "acme")
    server.get("/p/", {"Authorization": f"Bearer {value}"})
    server.get("/p/", XHR | {"Authorization": f"Bearer {value[:-8]}AAAAAAAA"})
    for target in ("/status", "/status?json"):
        text = server.get(target).text
        for secret in (value, value.rsplit(".", 1)[1], "user_alice", "org_acme", server.instance.secret_key, "eyJ", "sk_live_"):
            assert secret not in text


def test_beside_a_proxy_for_everything(httpd, live, echo):
    httpd.configure(f'ProxyPass "/status" "!"\nProxyPass "/" "{echo.url}"\n' + directives(httpd, live) + STATUS)
    httpd.start()
    assert read(httpd)["module"] == "mod_auth_clerk" and "GET /x" in httpd.get("/x").text


def test_methods(server):
    head = server.request("HEAD", "/status")
    assert (head.status, head.body) == (200, b"")
    post = server.request("POST", "/status", body=b"x")
    assert post.status == 405 and "GET" in post.header("Allow")


def test_require_decides_about_access(httpd, live):
    httpd.configure(
        directives(httpd, live)
        + "<Location /status>\n    SetHandler clerk-status\n    AuthType Clerk\n    Require clerk-role admin\n</Location>\n"
    )
    httpd.start()
    assert httpd.get("/status", XHR).status == 401
    assert httpd.get("/status", XHR | bearer(live, "bob", "acme")).status == 403
    document = httpd.get("/status?json", XHR | bearer(live, "alice", "acme")).json()
    assert document["module"] == "mod_auth_clerk" and document["instances"][0]["verdicts"]["forbidden"] == 1


def lines_of(text):
    return dict(line.split(": ", 1) for line in text.splitlines() if line.startswith("Clerk"))


def test_the_block_in_mod_status(server):
    """The numbers of the JSON page, as lines for programs and as a part of the page."""
    server.configure(directives(server, server.instance, keys="api") + protect("/p") + STATUS +
                     "<Location /server>\n    SetHandler server-status\n    Require ip 127.0.0.1\n</Location>\n").restart()
    headers = bearer(server.instance)
    for _ in range(3):
        server.get("/p/", headers)
    server.get("/p/", XHR)
    lines, instance = lines_of(server.get("/server?auto").text), only(server)
    assert (lines["ClerkInstances"], lines["Clerk[0]Name"], lines["ClerkVersion"]) == ("1", "default", read(server)["version"])
    for group, prefix in (("keys", "Keys"), ("backend_api", "BackendApi"), ("token_cache", "TokenCache"), ("sessions", "Sessions"),
                          ("user_profiles", "UserProfiles")):
        for name, value in instance[group].items():
            line = lines.get(f"Clerk[0]{prefix}{name.title().replace('_', '')}")
            if isinstance(value, (int, str)) and not name.endswith(("_at", "_until", "_since", "age_seconds")):
                assert line == str(value), name
            elif value is None:
                assert line is None, name
    assert lines["Clerk[0]RequestsSignedIn"] == "3" and lines["Clerk[0]RequestsSignedOut"] == "1"
    assert abs(int(lines["Clerk[0]KeysFetchedAt"]) - time.time()) < 60
    page = server.get("/server").text
    assert "<h2>Clerk</h2>" in page and "<h3>Instance default</h3>" in page and "<dt>token cache hits: 2</dt>" in page


def test_the_block_is_escaped_and_in_lines(httpd, live):
    httpd.configure(
        f'<ClerkInstance "<b>x">\nClerkPublishableKey {live.publishable_key}\nClerkJWKSURL {live.jwks_url}\n</ClerkInstance>\n'
        "ClerkAuthorizedParties https://a.example\n<Location /server>\n    SetHandler server-status\n    Require ip 127.0.0.1\n</Location>\n")
    httpd.start()
    page = httpd.get("/server").text
    assert "&lt;b&gt;x" in page and "<b>x" not in page
    assert lines_of(httpd.get("/server?auto").text)["Clerk[0]Name"] == "<b>x"


def test_without_mod_status(httpd, live):
    """Its hook is optional: the module needs no symbol of it."""
    httpd.configure(directives(httpd, live) + protect("/p") + STATUS)
    conf = httpd.conf.read_text("utf-8")
    httpd.conf.write_text(re.sub(r"LoadModule status_module .*\n", "", conf), "utf-8")
    assert conf != httpd.conf.read_text("utf-8") or "mod_status" in httpd.apxs.built_in
    httpd.start()
    assert httpd.get("/p/", bearer(live)).status == 404


def test_sessions_renewed_and_forms_kept(httpd, emulator):
    """The same session without and with its refresh cookie."""
    instance = emulator.add_instance(production=True, host="clerk.example.test")
    httpd.configure(directives(httpd, instance, "api", (PARTY, httpd.origin())) + "ClerkPages /clerk\n" + protect("/p") + STATUS).start()
    session = instance.create_session(instance.add_user("renewed"))
    cookies = session_cookies(instance, token(instance, "renewed", session=session, age=300), uat=str(int(time.time()) - 400))
    form = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Origin": httpd.origin(),
            "Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
    assert httpd.request("POST", "/p/", form | cookie_header(cookies), b"a=1").status == 401
    assert only(httpd)["sessions"] == {"renewed": 0, "forms_kept": 1}
    cookies[f"__refresh_{instance.cookie_suffix}"] = instance.refresh_token(session)
    assert httpd.get("/p/", XHR | cookie_header(cookies)).status == 404
    assert only(httpd)["sessions"] == {"renewed": 1, "forms_kept": 1}


def test_profiles(httpd, emulator):
    instance = emulator.add_instance(production=True)
    httpd.configure(directives(httpd, instance, "api") + "ClerkUserProfileTTL 1s\n" + protect("/p", ["valid-user"], "ClerkUserProfile On") + STATUS).start()
    headers = bearer(instance)

    def profiles():
        return only(httpd)["user_profiles"]

    assert profiles() == {"hits": 0, "misses": 0, "failures": 0, "kept": 0}
    httpd.get("/p/", headers)
    assert (profiles()["misses"], profiles()["failures"]) == (1, 0)
    httpd.log.announce("AC2002", "AC3202")
    instance.set_fault("user", status=500)
    until(lambda: httpd.get("/p/", headers) and profiles()["kept"] >= 1)
    httpd.get("/p/", bearer(instance, "bob"))
    now = profiles()
    assert now["failures"] == now["kept"] + 1 and "User profile hits" in httpd.get("/status").text


def test_counters_start_at_0_after_a_restart(server):
    server.get("/p/", XHR)
    server.graceful()
    until(lambda: only(server)["verdicts"]["signed_out"] == {})
    server.get("/p/", XHR)
    until(lambda: only(server)["verdicts"]["signed_out"] == {"session-token-and-uat-missing": 1})


def test_json_is_json_whatever_the_page(server):
    json.loads(server.get("/status?json").text)
    assert server.get("/status?anything").text.startswith("<!doctype html>")
