# SPDX-License-Identifier: Apache-2.0
"""Who is let in, and the responses to all others (directives.md "Variables", directives.md "Answers")."""

import re
import urllib.parse

import pytest
from pyclerk.clerk import (
    NAVIGATION, PARTY, XHR, bearer, browser, cookie_header, directives, protect, session_cookies, token,
)

pytestmark = pytest.mark.mpm


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    server.write("private/index.html", "members only\n")
    server.cgi("private/env.cgi")
    for name in ("api", "challenge", "sign-in", "cookie-only", "lower", "skew"):
        server.write(f"{name}/index.html", name)
    server.cgi("optional/env.cgi")
    server.configure(
        directives(server, live)
        + protect("/private")
        + protect("/api", ["valid-user"], "ClerkTokenSources header")
        + protect("/cookie-only", ["valid-user"], "ClerkTokenSources cookie")
        + protect("/challenge", ["valid-user"], "ClerkUnauthenticated challenge")
        + protect("/sign-in", ["valid-user"], "ClerkUnauthenticated sign-in", "ClerkSignInURL /login?z=1")
        + protect("/skew", ["valid-user"], "ClerkClockSkew 0")
        + protect("/optional", ["clerk-optional"])
        + "<Location /lower>\nAuthType clerk\nRequire valid-user\n</Location>\n"
    )
    return server.start()


# Signed in


def test_header_token_lets_in(server, live):
    answer = server.get("/private/", bearer(live))
    assert (answer.status, answer.text) == (200, "members only\n")
    assert answer.auth_status is None


@pytest.mark.parametrize("suffixed,plain", [(True, True), (True, False), (False, True)])
def test_cookie_token_lets_in(server, live, suffixed, plain):
    cookies = session_cookies(live, token(live), suffixed, plain=plain)
    assert server.get("/private/", cookie_header(cookies) | NAVIGATION).status == 200
    assert server.get("/private/", cookie_header(cookies) | XHR).status == 200


def test_a_signed_in_answer_is_private(server, live):
    assert "private" in server.get("/private/", bearer(live)).header("Cache-Control")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEARER"])
def test_the_scheme_in_any_case(server, live, scheme):
    """differences.md row 29."""
    assert server.get("/private/", {"Authorization": f"{scheme} {token(live)}"}).status == 200
    assert server.get("/api/", {"Authorization": f"{scheme} {token(live, defect='bad-signature')}"}).reason == "token-invalid-signature"


def test_a_bare_token_without_the_word_bearer(server, live):
    assert server.get("/private/", {"Authorization": token(live)}).status == 200


def test_auth_type_in_any_case(server, live):
    assert server.get("/lower/", bearer(live)).status == 200
    assert server.get("/lower/", XHR).status == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "HEAD", "DELETE"])
def test_every_method_needs_the_token(server, live, method):
    assert server.request(method, "/private/", XHR).status == 401
    assert server.request(method, "/private/", bearer(live)).status != 401


def test_an_empty_list_is_no_variable(server, live):
    """An organization without permissions, and a user without an organization."""
    for headers in (bearer(live, "alice", "acme", version=1, claims={"org_permissions": []}), bearer(live)):
        env = server.get("/private/env.cgi", headers).env()
        assert env["REMOTE_USER"] == "user_alice" and "CLERK_ORG_PERMISSIONS" not in env


@pytest.mark.parametrize("version", [1, 2])
def test_variables_of_a_cgi_program(server, live, version):
    live_token = token(live, "alice", "acme", version=version)
    env = server.get("/private/env.cgi", {"Authorization": "Bearer " + live_token}).env()
    assert env["REMOTE_USER"] == "user_alice"
    assert env["AUTH_TYPE"] == "Clerk"
    assert env["CLERK_AUTH_STATUS"] == "signed-in"
    assert env["CLERK_TOKEN_TYPE"] == "session_token"
    assert env["CLERK_USER_ID"] == "user_alice"
    assert env["CLERK_SESSION_ID"].startswith("sess_")
    assert env["CLERK_SESSION_STATUS"] == "active"
    assert (env["CLERK_ORG_ID"], env["CLERK_ORG_SLUG"], env["CLERK_ORG_ROLE"]) == ("org_acme", "acme", "org:admin")
    assert set(env["CLERK_ORG_PERMISSIONS"].split(",")) == {
        "org:invoices:read", "org:invoices:manage", "org:reports:read", "org:reports:manage", "org:reports:export",
    }
    assert env["CLERK_FACTOR_AGE"].count(",") == 1
    assert "CLERK_ACTOR_ID" not in env
    if version == 2:
        assert "o:invoices" in env["CLERK_FEATURES"] and "o:team" in env["CLERK_PLANS"]
    assert "HTTP_AUTHORIZATION" not in env


def test_an_impersonated_session_names_the_actor(server, live):
    session = live.create_session("bob", actor="user_support")
    env = server.get("/private/env.cgi", bearer(live, session=session)).env()
    assert (env["CLERK_USER_ID"], env["CLERK_ACTOR_ID"]) == ("user_bob", "user_support")


def test_a_claim_with_control_characters_is_left_out(server, live):
    claims = {"org_slug": "a\r\nX-Evil: 1", "org_id": "org_x", "v": 1}
    env = server.get("/private/env.cgi", bearer(live, claims=claims, version=1)).env()
    assert "CLERK_ORG_SLUG" not in env and env["CLERK_ORG_ID"] == "org_x"


# Signed out


def test_a_fetch_without_a_session_gets_401(server):
    answer = server.get("/private/", XHR)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Bearer realm="test"'
    assert answer.auth_status == "signed-out"
    assert answer.reason == "session-token-and-uat-missing"
    assert "no-store" in answer.header("Cache-Control")
    assert answer.location is None
    assert "members only" not in answer.text


def test_a_navigation_without_a_session_goes_to_sign_in(server):
    answer = server.get("/private/?x=1&y=a%20b", NAVIGATION)
    assert answer.status == 307
    back = urllib.parse.quote(f"{server.origin()}/private/?x=1&y=a%20b", safe="")
    assert answer.location == f"https://accounts.example.test/sign-in?redirect_url={back}"
    assert answer.header("Cache-Control") == "no-store"
    assert (answer.auth_status, answer.reason) == ("signed-out", "session-token-and-uat-missing")


def test_an_old_browser_navigates_by_accept(server):
    assert server.get("/private/", {"Accept": "text/html,*/*"}).status == 307
    assert server.get("/private/", {"Accept": "*/*"}).status == 401
    assert server.get("/private/", {}).status == 401


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_a_get_is_sent_to_sign_in(server, method):
    answer = server.request(method, "/private/", NAVIGATION)
    assert (answer.status, answer.location) == (401, None)


@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Dest": "frame", "Sec-Fetch-Mode": "navigate"},
    {"Sec-Fetch-Dest": "object", "Sec-Fetch-Mode": "navigate"},
    {"Sec-Fetch-Dest": "embed", "Sec-Fetch-Mode": "navigate", "Accept": "*/*"},
    {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "navigate"},  # <a download>
    {"Sec-Fetch-Mode": "navigate", "X-Requested-With": "XMLHttpRequest"},
    {"Accept": "text/html,*/*", "X-Requested-With": "com.example.app"},  # Android's WebView
], ids=str)
def test_every_navigation_is_redirected(server, headers):
    """differences.md row 27."""
    answer = server.get("/private/", headers)
    assert answer.status == 307 and answer.location.startswith("https://accounts.example.test/sign-in?")
    answer = server.get("/private/", headers | {"Cookie": "__client_uat=1"})
    assert answer.status == 307 and "/v1/client/handshake?" in answer.location


@pytest.mark.parametrize("headers", [
    {"X-Requested-With": "XMLHttpRequest", "Accept": "text/html, */*; q=0.01"},  # jQuery's $.load()
    {"HX-Request": "true", "Accept": "text/html"},
    {"Sec-Fetch-Mode": "cors", "Accept": "text/html"},
    {"Sec-Fetch-Dest": "empty", "Accept": "text/html"},
    {"Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Dest": "script"},
    {"Origin": "https://other.example", "Access-Control-Request-Method": "GET", "Sec-Fetch-Dest": "empty"},
    {"Range": "bytes=0-3", "Accept": "*/*"},
    {"Purpose": "prefetch", "Sec-Purpose": "prefetch", "Sec-Fetch-Dest": "empty"},
])
def test_what_is_no_page_load_is_not_redirected(server, headers):
    answer = server.get("/private/", headers)
    assert (answer.status, answer.location) == (401, None)
    assert server.get("/private/", headers | {"Cookie": "__client_uat=1"}).status == 401


def test_a_script_is_told_where_to_sign_in(server, live):
    """differences.md row 27: it cannot follow a redirect, but it can load the page."""
    sign_in = "https://accounts.example.test/sign-in"
    back = urllib.parse.quote(f"{server.origin()}/page?a=1", safe="")
    script = XHR | {"Referer": f"{server.origin()}/page?a=1"}
    for headers in (script, script | {"Cookie": "__client_uat=1"}, script | bearer(live, defect="bad-signature")):
        assert server.get("/private/", headers).header("X-Clerk-Sign-In-URL") == f"{sign_in}?redirect_url={back}", headers
    assert server.get("/private/", XHR).header("X-Clerk-Sign-In-URL") == sign_in
    assert server.get("/private/", XHR | {"Referer": "https://evil.example/"}).header("X-Clerk-Sign-In-URL") == sign_in
    assert server.request("POST", "/private/", XHR, b"x").header("X-Clerk-Sign-In-URL") == sign_in
    assert server.get("/sign-in/", XHR | {"Sec-Fetch-Dest": "empty"}).status == 307  # ClerkUnauthenticated sign-in: as written
    assert server.request("POST", "/sign-in/", XHR, b"x").header("X-Clerk-Sign-In-URL") == f"{server.origin()}/login?z=1"
    assert server.get("/challenge/", NAVIGATION).header("X-Clerk-Sign-In-URL").startswith(sign_in)
    for answer in (server.get("/api/", XHR), server.get("/private/", NAVIGATION), server.get("/private/", bearer(live) | XHR)):
        assert answer.header("X-Clerk-Sign-In-URL") is None  # an API without cookies; a redirect; signed in


def test_client_uat_without_a_session_is_a_handshake(server):
    answer = server.get("/private/page?x=a%20b", {"Cookie": "__client_uat=1"} | NAVIGATION)
    assert answer.status == 307
    assert answer.location.startswith("https://clerk.example.test/v1/client/handshake?redirect_url=")
    assert "__clerk_hs_reason=client-uat-but-no-session-token" in answer.location
    assert answer.header("Cache-Control") == "no-store"
    assert (answer.auth_status, answer.reason) == ("handshake", "client-uat-but-no-session-token")
    (cookie,) = answer.all("Set-Cookie")
    assert re.fullmatch(r"__clerk_redirect_count_[0-9a-f]{8}=1; SameSite=Lax; HttpOnly; Max-Age=10", cookie)


def test_no_handshake_for_a_fetch(server):
    answer = server.get("/private/", {"Cookie": "__client_uat=1"} | XHR)
    assert (answer.status, answer.reason) == (401, "client-uat-but-no-session-token")
    assert answer.location is None and answer.all("Set-Cookie") == []


def test_without_a_secret_key_no_nonce_is_asked_for(server):
    assert "format=nonce" not in server.get("/private/", {"Cookie": "__client_uat=1"} | NAVIGATION).location


def test_a_presented_token_is_named_invalid(server, live):
    answer = server.get("/private/", bearer(live, defect="bad-signature") | XHR)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Bearer realm="test", error="invalid_token"'
    assert answer.reason == "token-invalid-signature"


def test_an_expired_token_gets_no_protected_byte(server, live):
    for method in ("GET", "POST"):
        answer = server.request(method, "/private/", bearer(live, age=120) | XHR, b"" if method == "POST" else None)
        assert answer.status == 401
        assert answer.reason.startswith("session-token-expired-refresh-non-eligible")
        assert b"members" not in answer.body


def test_a_bearer_token_never_gets_into_a_url(server, live):
    expired = token(live, age=120)
    answer = server.get("/private/", {"Authorization": "Bearer " + expired} | NAVIGATION)
    assert expired not in (answer.location or "")


def test_pending_session_counts_as_signed_out(server, live):
    session = live.create_session("carol", status="pending")
    answer = server.get("/private/", bearer(live, session=session) | XHR)
    assert (answer.status, answer.reason) == (401, "session-pending")
    cookies = cookie_header(session_cookies(live, token(live, session=session)))
    answer = server.get("/private/", cookies | NAVIGATION)
    assert answer.status == 307
    assert answer.location.startswith("https://accounts.example.test/sign-in/tasks?redirect_url=")


# Policies


def test_header_only_ignores_every_cookie_and_never_redirects(server, live):
    assert server.get("/api/", bearer(live)).status == 200
    answer = server.get("/api/", browser(live) | NAVIGATION)
    assert (answer.status, answer.location) == (401, None)
    assert server.get("/api/", {"Cookie": "__client_uat=1"} | NAVIGATION).status == 401


def test_cookie_only_ignores_the_header(server, live):
    assert server.get("/cookie-only/", bearer(live) | XHR).status == 401
    assert server.get("/cookie-only/", browser(live) | XHR).status == 200


def test_challenge_never_redirects_to_sign_in(server):
    answer = server.get("/challenge/", NAVIGATION)
    assert (answer.status, answer.location) == (401, None)


def test_sign_in_redirects_to_the_configured_page(server):
    answer = server.get("/sign-in/", NAVIGATION)
    assert answer.status == 307
    back = urllib.parse.quote(f"{server.origin()}/sign-in/", safe="")
    assert answer.location == f"{server.origin()}/login?z=1&redirect_url={back}"
    assert server.request("POST", "/sign-in/", NAVIGATION, b"x=1").status == 401


def test_clock_skew_of_zero_is_zero(server, live):
    late = bearer(live, ttl=60, age=62)
    assert server.get("/private/", late).status == 200
    assert server.get("/skew/", late | XHR).status == 401


def test_authorized_party(server, live):
    for origin in (None, "https://evil.example.test", PARTY + "/"):
        answer = server.get("/private/", bearer(live, origin=origin) | XHR)
        assert (answer.status, answer.reason) == (401, "token-invalid-authorized-parties")


def test_optional_knows_members_and_lets_others_in(server, live):
    env = server.get("/optional/env.cgi", bearer(live)).env()
    assert (env["REMOTE_USER"], env["CLERK_AUTH_STATUS"]) == ("user_alice", "signed-in")
    answer = server.get("/optional/env.cgi", XHR)
    assert answer.status == 200
    env = answer.env()
    assert "REMOTE_USER" not in env and "CLERK_USER_ID" not in env
    assert env["CLERK_AUTH_STATUS"] == "signed-out"
    assert server.get("/optional/env.cgi", NAVIGATION).status == 200


def test_optional_makes_a_handshake_if_the_state_is_unknown(server):
    answer = server.get("/optional/env.cgi", {"Cookie": "__client_uat=1"} | NAVIGATION)
    assert answer.status == 307 and "/v1/client/handshake" in answer.location


def test_optional_with_a_bad_token_is_anonymous(server, live):
    answer = server.get("/optional/env.cgi", bearer(live, defect="bad-signature") | XHR)
    assert answer.status == 200 and "CLERK_USER_ID" not in answer.env()


# Malformed requests


@pytest.mark.parametrize("authorization", [
    "Bearer", "Bearer ", "Bearer  {token}", "Bearer\t{token}", "Bearer x", "Bearer a.b.c", "Bearer {token}x", "Bearer " + "A" * 4000,
    "Bearer {token},{token}", "Bearer eyJ.eyJ.x y z", "Negotiate", "ak_secret", "Bearer ak_secret", "Bearer mt_x.y.z",
])
def test_malformed_authorization_is_refused(server, live, authorization):
    value = authorization.replace("{token}", token(live))
    assert server.get("/private/", {"Authorization": value} | XHR).status == 401


@pytest.mark.parametrize("authorization", ["Basic dXNlcjpwYXNz", "bearers x", "Digest username=x"])
def test_other_schemes_are_no_token(server, authorization):
    answer = server.get("/private/", {"Authorization": authorization} | XHR)
    assert answer.header("WWW-Authenticate") == 'Bearer realm="test"'


def test_two_authorization_fields_are_refused(server, live):
    good = ("Authorization", "Bearer " + token(live))
    assert server.get("/private/", [good, good]).status == 401
    assert server.get("/private/", [good, ("Authorization", "Bearer x")]).status == 401
    assert server.get("/private/", [("Authorization", "Basic x"), good]).status == 401


@pytest.mark.parametrize("cookie", [
    ";" * 4000, "=" * 8000, "__session", "__session=", "__session=" + "A" * 7000, "__session=%00%0d%0a", "__session=a=b;__session=c",
    "\xff\xfe=\xfd; __session=\xff", "; ; ;__session=x;;;", "__session=\"a.b.c\"; __client_uat=1",
    "a=" + "%" * 3000,
])
def test_crafted_cookies_are_refused_quickly(server, cookie):
    answer = server.get("/private/", {"Cookie": cookie} | XHR)
    assert answer.status == 401


@pytest.mark.parametrize("cookie", ["__client_uat=\x7f; __session=\x01", "__session=a\x00b"])
def test_control_characters_in_cookies_do_no_harm(server, cookie):
    assert server.get("/private/", {"Cookie": cookie} | XHR).status in (400, 401)


def test_two_cookie_fields_are_two_headers_worth_of_cookies(server, live):
    """A13: httpd joins them with a comma; a gateway or HTTP/2 library may send several (protocol.md 2.3)."""
    good = token(live)
    for pairs, expected in ([("Cookie", "__session=" + good), ("Cookie", "__client_uat=1")], 200), \
                           ([("Cookie", "__client_uat=1; __session=x"), ("Cookie", "__session=" + good)], 401), \
                           ([("Cookie", "a=1"), ("Cookie", "__session=" + good + "; __client_uat=1")], 200), \
                           ([("Cookie", "a=1"), ("Cookie", "b"), ("Cookie", "__session=" + good)], 401):
        assert server.get("/private/", pairs + list(XHR.items())).status == expected, pairs


def test_the_return_address_is_always_our_own_origin(server):
    for target in ("//evil.example/x", "/\\evil.example", "/private/%0d%0aSet-Cookie:x=1", "/private/..%2f..//evil.example",
                   "/private/?next=https://evil.example", "/private/@evil.example", "/private//evil.example/%2e%2e"):
        answer = server.get(target, NAVIGATION)
        if answer.location:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(answer.location).query)
            assert answer.location.startswith("https://accounts.example.test/sign-in?")
            assert query["redirect_url"][0].startswith(server.origin() + "/"), target
        assert "\r" not in str(answer.headers)


def test_an_absolute_request_target_does_not_choose_the_return_address(server):
    answer = server.get(f"http://127.0.0.1:{server.port}/private/", NAVIGATION)
    assert urllib.parse.quote(f"{server.origin()}/private/", safe="") in answer.location


def test_a_public_page_stays_public(server, live):
    for headers in ({}, bearer(live), bearer(live, defect="bad-signature"), {"Cookie": "__session=x; __client_uat=1"} | NAVIGATION):
        assert server.get("/", headers).status == 200
