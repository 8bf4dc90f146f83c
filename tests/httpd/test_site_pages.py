# SPDX-License-Identifier: Apache-2.0
"""The module's own pages below ClerkPages: who may see them, where they lead, and what signing out does."""

import json
import re
import time
import urllib.parse

import pytest
from clerk_emulator import Fault
from pyclerk.clerk import NAVIGATION, PARTY, XHR, browser, directives, protect, session_cookies, cookie_header, token

OWN_ORIGIN = "https://www.example.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
PAGES = ("sign-in", "sign-up", "account", "organization", "renew")


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    for path in ("private/index.html", "open/clerk/sign-in/index.html", "clerk/other.html", "clerk/sign-in/index.html"):
        server.write(path, "a file")
    server.configure(
        directives(server, live, "api") + "ClerkPublicOrigin https://www.example.test\nClerkPages /clerk/\n"
        + "<Location />\nAuthType Clerk\nRequire valid-user\n</Location>\n"
    )
    return server.start()


@pytest.fixture(scope="module")
def without_secret(make_httpd, live):
    server = make_httpd()
    server.configure(directives(server, live) + "ClerkPublicOrigin https://www.example.test\nClerkPages /clerk\n"
                     + "ClerkScriptURL https://cdn.example.test/clerk.js\n" + protect("/private"))
    return server.start()


def text(answer):
    return answer.body.decode()


def data(answer, name):
    found = re.search(rf' data-{name}="([^"]*)"', text(answer))
    return found and found[1]


# Who sees them


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_open_whatever_protects_the_site(server, live, page):
    answer = server.get(f"/clerk/{page}", NAVIGATION)
    assert answer.status == 200 and data(answer, "page") == page and data(answer, "key") == live.publishable_key
    assert answer.header("Cache-Control") == "no-store" and not answer.all("X-Clerk-Auth-Status")
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "unsafe-inline'; worker" in policy
    assert re.search(r"script-src [^;]*", policy)[0].count("unsafe") == 0
    assert "<script>" not in text(answer)


@pytest.mark.parametrize("path", ["/clerk", "/clerk/", "/clerk/other.html", "/clerk/sign-in/", "/clerk/sign-in/index.html",
                                  "/clerk/sign-inx", "/Clerk/sign-in", "/private/"])
def test_nothing_else_is_open(server, path):
    assert server.get(path, XHR).status == 401


@pytest.mark.parametrize("path,status", [("/clerk/%73ign-in", 200), ("/clerk//sign-in", 200), ("/clerk/./sign-in", 200),
                                         ("/x/../clerk/sign-in", 200), ("/clerk/sign-in%2f..%2f..%2fprivate/", 404)])
def test_odd_spellings_lead_to_the_page_or_nowhere(server, path, status):
    answer = server.get(path, XHR)
    assert answer.status == status and b"a file" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_page_is_for_reading(server, method):
    for page in (*PAGES, "status.json", "pages.js"):
        assert server.request(method, f"/clerk/{page}", NAVIGATION).status == 405


def test_no_pages_unless_configured(make_httpd, live):
    server = make_httpd()
    server.configure(directives(server, live) + protect("/"))
    server.start()
    assert server.get("/clerk/sign-in", XHR).status == 401


def test_script_and_style(server):
    script, style = server.get("/clerk/pages.js"), server.get("/clerk/pages.css")
    assert script.header("Content-Type").startswith("text/javascript") and b"use strict" in script.body
    assert style.header("Content-Type").startswith("text/css") and b"prefers-color-scheme" in style.body
    assert script.header("X-Content-Type-Options") == "nosniff"


def test_the_sign_in_redirect_leads_to_the_own_page(server):
    location = urllib.parse.urlsplit(server.get("/private/?x=1", NAVIGATION).location)
    assert location.path == "/clerk/sign-in"
    assert urllib.parse.parse_qs(location.query)["redirect_url"] == [f"{OWN_ORIGIN}/private/?x=1"]


def test_where_clerks_scripts_come_from(server, without_secret, live):
    assert data(server.get("/clerk/sign-in"), "script") == "https://clerk.example.test/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
    assert data(server.get("/clerk/sign-in"), "ui") == "https://clerk.example.test/npm/@clerk/ui@1/dist/ui.browser.js"
    answer = without_secret.get("/clerk/sign-in")
    assert data(answer, "script") == "https://cdn.example.test/clerk.js"
    assert "https://cdn.example.test" in re.search(r"script-src [^;]*", answer.header("Content-Security-Policy"))[0]


# Where they lead


@pytest.mark.parametrize("wanted,leads_to", [
    (None, "/"), ("", "/"), ("/private/?x=1", "{own}/private/?x=1"), ("{own}/deep/page#x", "{own}/deep/page#x"),
    (PARTY + "/x", PARTY + "/x"), ("https://evil.example/", "/"), ("//evil.example/", "/"), ("/\\evil.example/", "/"),
    ("https:/\\evil.example", "/"), ("{own}@evil.example/", "/"), ("{own}.evil.example/", "/"), ("javascript:alert(1)", "/"),
    ("data:text/html,x", "/"), ("https://user:pass@{host}/", "/"), ("\t//evil.example", "/"), ("/%09/evil.example", "{own}/%09/evil.example"),
    ("/\t/evil.example", "{own}//evil.example"), ("http:evil.example", "/"),
    ("/clerk/sign-out", "/"), ("{own}/clerk//sign-out?x=1", "/"), ("/clerk/%73ign-out", "/"), ("/x/..%2fclerk%2fsign-out", "/"),
    ("/sign-outs", "{own}/sign-outs"),
    ('/"><script>alert(1)</script>', '{own}/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'),
])
def test_the_way_back_stays_on_this_site(server, wanted, leads_to):
    def fill(pattern):
        return pattern.replace("{own}", OWN_ORIGIN).replace("{host}", OWN_ORIGIN.split("//")[1])
    query = "" if wanted is None else "?redirect_url=" + urllib.parse.quote(fill(wanted), safe="")
    answer = server.get("/clerk/sign-in" + query, NAVIGATION)
    back = data(answer, "back")
    assert urllib.parse.unquote(back).replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;") \
        == urllib.parse.unquote(fill(leads_to)) or back == fill(leads_to), back
    assert "<script>alert" not in text(answer)


# Signing out


def signed_in(live):
    session = live.create_session("alice")
    return session, cookie_header(session_cookies(live, token(live, session=session)))


def cleared(answer, live):
    lines = answer.all("Set-Cookie")
    names = {line.split("=")[0] for line in lines}
    assert all("Expires=Thu, 01 Jan 1970" in line and "=;" in line for line in lines)
    return names == {"__session", f"__session_{live.cookie_suffix}", f"__refresh_{live.cookie_suffix}"}


def test_a_link_on_this_site_signs_out(server, live):
    session, cookies = signed_in(live)
    answer = server.get("/clerk/sign-out?redirect_url=/private/", NAVIGATION | OWN | cookies)
    assert answer.status == 303 and answer.location == f"{OWN_ORIGIN}/private/" and cleared(answer, live)
    assert live.sessions[session.id].status == "revoked"


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
                                     {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": PARTY},
                                     OWN | {"Sec-Purpose": "prefetch"}])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_is_signed_out_from_elsewhere(server, live, method, headers):
    session, cookies = signed_in(live)
    answer = server.request(method, "/clerk/sign-out", NAVIGATION | headers | cookies)
    assert answer.status == 200 and "<form method=\"post\">" in text(answer) and not answer.all("Set-Cookie")
    assert "frame-ancestors 'none'" in answer.header("Content-Security-Policy")
    assert live.sessions[session.id].status == "active"


# What people can write into a page of this site, as browsers ask for it: a picture (also with crossorigin), a script, a style sheet, a
# preloaded link, `ping`, a film, an embedded object.
@pytest.mark.parametrize("method,dest,mode", [
    ("GET", "image", "no-cors"), ("GET", "image", "cors"), ("GET", "script", "no-cors"), ("GET", "style", "no-cors"), ("GET", "empty", "no-cors"),
    ("POST", "empty", "no-cors"), ("GET", "video", "no-cors"), ("GET", "embed", "navigate"), ("GET", "object", "navigate"),
])
def test_a_part_of_a_page_signs_nobody_out(server, live, method, dest, mode):
    session, cookies = signed_in(live)
    answer = server.request(method, "/clerk/sign-out", OWN | {"Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": mode} | cookies)
    assert answer.status == 200 and "<form method=\"post\">" in text(answer) and not answer.all("Set-Cookie")
    assert live.sessions[session.id].status == "active"


@pytest.mark.parametrize("dest,mode", [("document", "navigate"), ("frame", "navigate"), ("iframe", "navigate"), ("empty", "cors"), ("empty", "same-origin")])
def test_frames_and_scripts_of_this_site_sign_out(server, live, dest, mode):
    session, cookies = signed_in(live)
    answer = server.get("/clerk/sign-out", OWN | {"Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": mode} | cookies)
    assert answer.status == 303 and cleared(answer, live) and live.sessions[session.id].status == "revoked"


def test_the_form_of_the_question_signs_out(server, live):
    for headers in (OWN, {"Origin": OWN_ORIGIN}):
        session, cookies = signed_in(live)
        answer = server.request("POST", "/clerk/sign-out", NAVIGATION | headers | cookies)
        assert answer.status == 303 and cleared(answer, live) and live.sessions[session.id].status == "revoked"


def test_without_a_secret_key_clerks_script_signs_out(without_secret, live):
    session, cookies = signed_in(live)
    answer = without_secret.get("/clerk/sign-out", NAVIGATION | OWN | cookies)
    assert answer.status == 200 and data(answer, "page") == "sign-out" and cleared(answer, live)
    assert live.sessions[session.id].status == "active"


def test_where_the_backend_api_fails_clerks_script_signs_out(server, live):
    _, cookies = signed_in(live)
    live.faults.set("revoke", Fault(status=500))
    server.log.announce(r":warn\].*AC3160: ")
    try:
        answer = server.get("/clerk/sign-out", NAVIGATION | OWN | cookies)
    finally:
        live.faults.clear()
    assert answer.status == 200 and data(answer, "page") == "sign-out" and cleared(answer, live)


def test_a_forged_token_ends_nobodys_session(server, live):
    session, _ = signed_in(live)
    forged = cookie_header(session_cookies(live, token(live, session=session, defect="bad-signature")))
    answer = server.get("/clerk/sign-out", NAVIGATION | OWN | forged)
    assert answer.status == 200 and live.sessions[session.id].status == "active"


# Who is signed in


def test_scripts_are_told_who_is_signed_in(server, live):
    answer = server.get("/clerk/status.json", XHR | browser(live, org="acme"))
    said = json.loads(answer.body)
    assert said["signedIn"] is True and said["userId"] == live.user("alice").id and said["orgSlug"] == "acme"
    assert said["expiresAt"] > 0 and set(said) == {"signedIn", "userId", "sessionId", "orgId", "orgSlug", "orgRole", "expiresAt", "now"}
    assert abs(said["now"] - time.time()) < 60
    assert answer.header("Cache-Control") == "no-store" and answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert not answer.all("Access-Control-Allow-Origin") and b"eyJ" not in answer.body


def test_scripts_are_told_that_nobody_is(server, live):
    for headers in (XHR, XHR | browser(live, defect="bad-signature"), NAVIGATION):
        answer = server.get("/clerk/status.json", headers)
        assert answer.status == 200 and json.loads(answer.body).keys() == {"signedIn", "now"}
        assert json.loads(answer.body)["signedIn"] is False


# What start.js asks for: a token that has expired, and is still accepted because of ClerkClockSkew, is renewed


IFRAME = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


def lapsed(live, refresh=False):
    """The cookies of a browser whose token has expired, but is accepted for four more seconds."""
    session = live.create_session(live.user("alice"))
    cookies = session_cookies(live, token(live, session=session, ttl=60, age=61), uat=str(int(time.time()) - 400))
    if refresh:
        cookies[f"__refresh_{live.cookie_suffix}"] = live.refresh_token(session)
    return cookie_header(cookies)


def test_status_renews_a_token_that_has_just_lapsed(httpd, live):
    httpd.configure(directives(httpd, live, "api", (PARTY, OWN_ORIGIN)) + f"ClerkPublicOrigin {OWN_ORIGIN}\nClerkPages /clerk\n")
    server = httpd.start()
    visitor = OWN | XHR | lapsed(live, refresh=True)
    asked = server.get("/clerk/status.json", visitor)
    assert json.loads(asked.body)["signedIn"] is True and not asked.all("Set-Cookie")
    renewed = server.get("/clerk/status.json?renew", visitor)
    assert json.loads(renewed.body)["signedIn"] is True, renewed
    assert json.loads(renewed.body)["expiresAt"] > time.time() + 30 and renewed.cookies()["__session"]
    again = server.get("/clerk/status.json?renew", OWN | XHR | browser(live))
    assert json.loads(again.body)["signedIn"] is True and not again.all("Set-Cookie")


def test_status_says_why_it_did_not_renew(without_secret, live):
    answer = without_secret.get("/clerk/status.json?renew", OWN | XHR | lapsed(live))
    assert json.loads(answer.body)["signedIn"] is False and answer.reason.startswith("session-token-expired")


def test_the_frame_goes_through_a_handshake_once(without_secret, live):
    answer = without_secret.get("/clerk/renew-frame", IFRAME | lapsed(live))
    assert answer.status == 307 and "/v1/client/handshake?" in answer.location and "no-store" in answer.header("Cache-Control")
    for visitor in (browser(live), {}):
        answer = without_secret.get("/clerk/renew-frame", IFRAME | visitor)
        assert answer.status == 200 and answer.header("Cache-Control") == "no-store"
        assert answer.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'self'"
    assert without_secret.request("POST", "/clerk/renew-frame", IFRAME).status == 405


def test_the_frame_leads_a_script_nowhere(without_secret, live):
    assert without_secret.get("/clerk/renew-frame", XHR | lapsed(live)).status == 200


# Configuration


@pytest.mark.parametrize("value", ["clerk", "/", "//x", "/a//b", "/a/../b", "/.x", "/a b", "/a?b", "/ä", "https://x.example/clerk"])
def test_what_is_no_path(make_httpd, live, value):
    server = make_httpd()
    server.configure(directives(server, live) + f'ClerkPages "{value}"\n')
    code, output = server.check()
    assert code != 0 and "ClerkPages" in output and "/clerk" in output


# Several domains (protocol.md 9.2 and 9.3)

SATELLITE = "https://satellite.example"


@pytest.fixture(scope="module")
def domains(make_httpd, emulator):
    """A development primary, with and without a list of its satellites, and a satellite of each kind."""
    servers = {}
    for name, production, more, parties in (
        ("primary", False, "", (OWN_ORIGIN, SATELLITE)),
        ("primary that lists nobody", False, "", ()),
        ("production primary", True, "", (OWN_ORIGIN, SATELLITE)),
        ("satellite", True, "ClerkSatellite On\nClerkDomain satellite.example\nClerkSignInURL https://www.example.test/clerk/sign-in\n", (SATELLITE,)),
        ("development satellite", False, "ClerkSatellite On\nClerkDomain satellite.example\nClerkSignInURL https://www.example.test/clerk/sign-in\n",
         (SATELLITE,)),
    ):
        server = servers[name] = make_httpd()
        instance = emulator.add_instance(production=production, **({"host": "clerk.example.test"} if production else {}))
        server.instance = instance
        origin = SATELLITE if "satellite" in name else OWN_ORIGIN
        server.configure(directives(server, instance, parties=parties) + f"ClerkPublicOrigin {origin}\nClerkPages /clerk\n{more}" + protect("/private"))
        server.log.announce("AC3012", "AC3024")
        server.start()
    return servers


@pytest.mark.parametrize("name,back,answers", [
    ("primary", SATELLITE + "/page?a=1", True),
    ("primary", "https://evil.example/", False),
    ("primary", "https://satellite.example@evil.example/", False),
    ("primary", "//evil.example/", False),
    ("primary", "javascript:alert(1)", False),
    ("primary that lists nobody", SATELLITE + "/page?a=1", False),
    ("production primary", SATELLITE + "/page?a=1", False),
])
def test_a_sign_in_page_answers_its_satellites_alone(domains, name, back, answers):
    answer = domains[name].get("/clerk/sign-in?__clerk_redirect_url=" + urllib.parse.quote(back, safe=""),
                               NAVIGATION | {"Cookie": "__clerk_db_jwt=dvb_of_this_browser"})
    if answers:
        assert answer.status == 307 and answer.header("Cache-Control") == "no-store"
        assert answer.location == SATELLITE + "/page?a=1&__clerk_db_jwt=dvb_of_this_browser&__clerk_synced=true"
    else:
        assert answer.status == 200 and answer.location is None and data(answer, "page") == "sign-in"


def test_a_satellite_asks_after_a_sign_in(domains):
    answer = domains["satellite"].get("/clerk/signed-in?__clerk_synced=false", NAVIGATION)
    assert (answer.status, answer.reason) == (307, "satellite-needs-syncing") and "/v1/client/handshake?" in answer.location
    answer = domains["development satellite"].get("/clerk/signed-in?__clerk_synced=false", NAVIGATION)
    assert answer.status == 307 and answer.location.startswith("https://www.example.test/clerk/sign-in?__clerk_redirect_url=https%3A%2F%2Fsatellite.example")


def test_a_satellite_says_who_is_known(domains):
    server = domains["satellite"]
    seen = server.get("/clerk/signed-in?__clerk_synced=true", NAVIGATION)
    assert seen.status == 200 and data(seen, "satellite") == "1" and data(seen, "known") is None
    seen = server.get("/clerk/signed-in?__clerk_synced=true", NAVIGATION | browser(server.instance, origin=SATELLITE))
    assert seen.status == 200 and data(seen, "known") == "1"
