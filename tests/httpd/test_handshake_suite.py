# SPDX-License-Identifier: Apache-2.0
"""What Clerk's own black-box tests of the handshake (clerk/javascript, integration/tests/handshake.test.ts) ask of a server, as a
table in our own words. Every page lets everybody in ("Require clerk-optional"), as the application does in those tests, and the
organization pages want a session."""

import dataclasses
import time
import urllib.parse

import pytest
from clerk_emulator import Key
from pyclerk.clerk import cookie_header

EXPIRED = "session-token-expired-refresh-non-eligible-no-refresh-cookie"
DOCUMENT = {"Sec-Fetch-Dest": "document"}
BEHIND_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.com"}
SATELLITE = "ClerkSatellite On\nClerkDomain satellite.example\n"

# name -> production, directives
SITES = {
    "dev": (False, ""),
    "prod": (True, ""),
    "dev-proxy": (False, "ClerkProxyURL https://example.com/clerk"),
    "prod-proxy": (True, "ClerkProxyURL https://example.com/clerk"),
    "dev-domain": (False, "ClerkDomain other.example"),
    "prod-domain": (True, "ClerkDomain other.example"),
    "dev-satellite": (False, SATELLITE + "ClerkSignInURL https://example.com/sign-in"),
    "prod-satellite": (True, SATELLITE),
    "prod-satellite-no-sync": (True, SATELLITE + "ClerkSatelliteAutoSync Off"),
    "prod-satellite-sync": (True, SATELLITE + "ClerkSatelliteAutoSync On"),
    "dev-forwarded": (False, "ClerkTrustForwarded On"),
    "prod-forwarded": (True, "ClerkTrustForwarded On"),
    "by-id": (False, "ClerkOrganizationSync /organizations-by-id/:id"),
    "by-id-deep": (False, "ClerkOrganizationSync /organizations-by-id/:id /organizations-by-id/:id/(.*)"),
    "by-both": (False, "ClerkOrganizationSync /organizations-by-id/:id /organizations-by-id/:id/(.*) "
                       "/organizations-by-slug/:slug /organizations-by-slug/:id/(.*)"),
    "by-slug-first": (False, "ClerkOrganizationSync /organizations-by-slug/:slug /organizations-by-slug/:id/(.*) "
                             "/organizations-by-id/:id /organizations-by-id/:id/(.*)"),
    "no-path": (False, 'ClerkOrganizationSync "i am no path"'),
    "personal": (False, "ClerkOrganizationSync /organizations-by-id/:id /organizations-by-id/:id/(.*) /organizations-by-slug/:slug "
                        "/organizations-by-slug/:id/(.*)\nClerkOrganizationSync personal /personal-account\n"
                        "ClerkOrganizationSync personal /personal-account/(.*)"),
}


@dataclasses.dataclass
class Case:
    """Session states: active, expired, early, or None. Cookies are written as the application's browser has them."""

    site: str
    status: int
    session: str = None
    carrier: str = "cookie"
    uat: str = None  # None: the session's issue time, where there is a session
    target: str = "/"
    headers: dict = dataclasses.field(default_factory=lambda: dict(DOCUMENT))
    reason: str = None  # of the handshake; None: none takes place
    frontend: str = None  # where the handshake goes; None: the instance's own host
    back: str = None  # redirect_url, where not the request's own URL; @ is the origin
    dev_browser: bool = True
    more: dict = dataclasses.field(default_factory=dict)  # cookies
    org: str = None  # organization_id in the handshake
    claims: dict = dataclasses.field(default_factory=dict)
    given: dict = dataclasses.field(default_factory=dict)  # further parameters of the handshake


def both(name, status, reason=None, **rest):
    """The same for a development and for a production instance."""
    return {f"{name}, {kind}": Case(kind + rest.get("site", ""), status, reason=reason,
                                    **{key: value for key, value in rest.items() if key != "site"}) for kind in ("dev", "prod")}


CASES = {
    **both("a good session cookie", 200, session="active"),
    "a good token in the header, dev": Case("dev", 200, session="active", carrier="header"),
    "a good token in the header of a program, prod": Case("prod", 200, session="active", carrier="header", headers={}),
    **both("an expired session cookie", 307, EXPIRED, session="expired"),
    "an expired token in the header": Case("prod", 307, session="expired", carrier="header", reason=EXPIRED),
    "a cookie that is not valid yet": Case("dev", 307, session="early", reason="session-token-nbf"),
    "a header token that is not valid yet": Case("dev", 307, session="early", carrier="header", reason="session-token-nbf"),
    **both("through the proxy", 307, EXPIRED, site="-proxy", session="expired", frontend="https://example.com/clerk"),
    **both("a domain alone changes nothing", 307, EXPIRED, site="-domain", session="expired"),
    "a satellite's domain": Case("prod-satellite", 307, session="expired", reason=EXPIRED, frontend="https://clerk.satellite.example"),
    **both("a client without session", 307, "client-uat-but-no-session-token", uat="1"),
    **both("a client that has signed out", 200, uat="0"),
    **both("nobody", 200),
    "a satellite, no page navigation": Case("prod-satellite", 200, headers={}),
    "a satellite does not ask by itself": Case("prod-satellite", 200),
    "a development satellite, no page navigation": Case("dev-satellite", 200, headers={}, dev_browser=False),
    "a satellite told not to ask": Case("prod-satellite-no-sync", 200),
    "a satellite told not to ask, after sign-in": Case(
        "prod-satellite-no-sync", 307, target="/?__clerk_synced=false", reason="satellite-needs-syncing", frontend="https://clerk.satellite.example"),
    "a satellite that has asked": Case("prod-satellite", 200, target="/?__clerk_synced=true"),
    "a satellite after sign-in": Case(
        "prod-satellite", 307, target="/?__clerk_synced=false", reason="satellite-needs-syncing", frontend="https://clerk.satellite.example"),
    "a satellite told to ask": Case("prod-satellite-sync", 307, reason="satellite-needs-syncing", frontend="https://clerk.satellite.example"),
    "a new development browser": Case("dev", 307, dev_browser=False, reason="dev-browser-missing"),
    **both("path and query come back", 307, EXPIRED, session="expired", target="/hello?foo=bar"),
    **both("the address that the proxy names", 307, EXPIRED, site="-forwarded", session="expired", target="/hello?foo=bar",
           headers=DOCUMENT | BEHIND_PROXY, back="https://example.com/hello?foo=bar"),
    **both("the address that the proxy names, with a port", 307, EXPIRED, site="-forwarded", session="expired", target="/hello?foo=bar",
           headers=DOCUMENT | BEHIND_PROXY | {"X-Forwarded-Host": "example.com:3213"}, back="https://example.com:3213/hello?foo=bar"),
    "a dev browser from elsewhere": Case("dev", 307, target="/?__clerk_db_jwt=asdf", reason="dev-browser-sync", back="@/",
                                         given={"__clerk_db_jwt": "asdf"}),
    # Organizations
    "expired, the URL wants one": Case("by-id", 307, session="expired", target="/organizations-by-id/org_a", reason=EXPIRED, org="org_a"),
    "none active, the URL wants one": Case(
        "by-id", 307, session="active", target="/organizations-by-id/org_a", reason="active-organization-mismatch", org="org_a"),
    "a header token is no browser": Case("by-id", 200, session="active", carrier="header", target="/organizations-by-id/org_a", headers={}),
    "another one is active": Case("by-id-deep", 307, session="active", claims={"org_id": "org_a"}, target="/organizations-by-id/org_b",
                                  reason="active-organization-mismatch", org="org_b"),
    "none active, wanted by slug": Case("by-both", 307, session="active", target="/organizations-by-slug/bcorp",
                                        reason="active-organization-mismatch", org="bcorp"),
    "another one is active, below the slug": Case(
        "by-slug-first", 307, session="active", claims={"org_id": "org_a"}, target="/organizations-by-slug/bcorp/settings",
        reason="active-organization-mismatch", org="bcorp"),
    "the personal account": Case("personal", 307, session="active", claims={"org_id": "org_a"}, target="/personal-account",
                                 reason="active-organization-mismatch", org=""),
    "the personal account is active": Case("personal", 200, session="active", target="/personal-account"),
    "the right one is active": Case("personal", 200, session="active", claims={"org_id": "org_a"}, target="/organizations-by-id/org_a"),
    "no patterns": Case("dev", 200, session="active", claims={"org_id": "org_a"}, target="/organizations-by-id/org_a"),
    "a pattern that is no path": Case("no-path", 200, session="active", claims={"org_id": "org_a"}, target="/organizations-by-id/org_a"),
    "it went round already": Case("personal", 200, session="active", target="/organizations-by-id/org_a", more={"__clerk_redirect_count": "3"}),
}


@pytest.fixture(scope="module")
def instances(emulator):
    """The host of the frontend API is unrelated to that of the site, as in the original tests."""
    return {production: emulator.add_instance(production=production, host="clerk.suite.test") for production in (False, True)}


@pytest.fixture(scope="module")
def server(make_httpd, instances):
    server = make_httpd()
    server.write("ok.txt", "ok")
    hosts = ""
    for name, (production, lines) in SITES.items():
        instance, variable = instances[production], f"SECRET_{production}"
        server.env[variable] = instance.secret_key
        own = [line for line in lines.splitlines() if not line.startswith(("ClerkOrganizationSync", "ClerkSignInURL", "ClerkTrust"))]
        here = [line for line in lines.splitlines() if line not in own]
        issuer = "ClerkIssuer any\n" if "satellite" in name else ""  # the originals' tokens have no issuer
        hosts += f"""
<VirtualHost 127.0.0.1:{server.port}>
ServerName {name}.example.test
ClerkPublishableKey {instance.publishable_key}
ClerkSecretKey env:{variable}
ClerkAPIURL {instance.url}
{issuer}{chr(10).join(own)}
AliasMatch "^" "{server.docroot}/ok.txt"
<Location />
AuthType Clerk
Require clerk-optional
{chr(10).join(here)}
</Location>
<Location /organizations-by-id>
Require valid-user
ClerkUnauthenticated sign-in
</Location>
</VirtualHost>
"""
    server.log.announce("AC30|AC3151")  # plain http, development keys, no authorized parties, no sign-in URL of a development satellite
    server.configure(hosts, log_level="warn")
    return server.start()


def origin_of(server, site):
    return f"http://{site}.example.test:{server.port}"


def session_token(instance, state, claims=None, without=()):
    now = int(time.time())
    issued = now + {"active": 0, "expired": -600, "early": 600}[state]
    times = {"iat": issued, "nbf": issued - 10, "exp": issued + 60}
    return instance.mint("carol", claims=times | (claims or {}), version=1, without=without), issued


def ask(server, site, target, headers, cookies):
    host = {"Host": f"{site}.example.test:{server.port}"}
    return server.get(target, host | headers | (cookie_header(cookies) if cookies else {}))


@pytest.mark.parametrize("name", CASES)
def test_the_suite(server, instances, name):
    case = CASES[name]
    instance = instances[SITES[case.site][0]]
    headers, cookies = dict(case.headers), dict(case.more)
    if case.dev_browser and not instance.production:
        cookies["__clerk_db_jwt"] = "needstobeset"
    if case.session:
        # The issuer of the primary's tokens is not the frontend API of the satellite; the original tokens have no issuer.
        token, issued = session_token(instance, case.session, case.claims, ("iss",) if "satellite" in case.site else ())
        cookies["__client_uat"] = str(issued)
        if case.carrier == "cookie":
            cookies["__session"] = token
        else:
            headers["Authorization"] = "Bearer " + token
    if case.uat is not None:
        cookies["__client_uat"] = case.uat

    answer = ask(server, case.site, case.target, headers, cookies)

    assert answer.status == case.status, answer
    if case.reason is None:
        assert answer.location is None and answer.all("Set-Cookie") == []
        assert answer.text == "ok"
        return
    frontend = case.frontend or instance.issuer
    where, _, query = answer.location.partition("?")
    assert where == frontend + "/v1/client/handshake"
    query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    back = case.back or "@" + case.target
    assert query["redirect_url"] == back.replace("@", origin_of(server, case.site))
    assert query["__clerk_hs_reason"] == case.reason == answer.reason
    assert query["suffixed_cookies"] == "false"
    assert "__clerk_api_version" in query
    assert query.get("organization_id") == case.org
    assert case.given.items() <= query.items()
    assert [(name[:23], value) for name, value in answer.cookies().items()] == [("__clerk_redirect_count_", "1")]


def test_an_expired_header_token_of_a_program_goes_to_sign_in(server, instances):
    """No handshake: the client is no browser."""
    token, _ = session_token(instances[False], "expired")
    answer = ask(server, "by-id", "/organizations-by-id/org_a", {"Authorization": "Bearer " + token}, {})
    assert answer.status == 307 and "/sign-in?redirect_url=" in answer.location and "organization_id" not in answer.location


def test_a_slash_behind_the_organization(server, instances):
    """Next.js removes it before Clerk sees it; httpd does not, and the deeper pattern takes it."""
    token, issued = session_token(instances[False], "expired", {"org_id": "org_a"})
    cookies = {"__clerk_db_jwt": "d", "__client_uat": str(issued), "__session": token}
    answer = ask(server, "by-id-deep", "/organizations-by-id/org_b/", DOCUMENT, cookies)
    assert answer.status == 307 and "organization_id=org_b" in answer.location


# Results of handshakes


def returned(server, instances, site, state="active", extra=(), cookies=None, key=None):
    """The result of a handshake: in the URL of a development site, in a cookie of a production site."""
    production = SITES[site][0]
    instance = instances[production]
    token, _ = session_token(instance, state)
    directives = [f"__session={token};path=/", *extra]
    handshake = instance.handshake_token(directives, key=key)
    if production:
        answer = ask(server, site, "/", DOCUMENT, {"__clerk_handshake": handshake} | (cookies or {}))
    else:
        answer = ask(server, site, "/?__clerk_handshake=" + handshake, DOCUMENT, {"__clerk_db_jwt": "needstobeset"} | (cookies or {}))
    return answer, directives


@pytest.mark.parametrize("extra", [(), ("__clerk_db_jwt=asdf;path=/",), ("__client_uat=1;path=/;domain=example.com",)])
def test_development_sets_the_cookies_and_cleans_the_url(server, instances, extra):
    answer, directives = returned(server, instances, "dev", extra=extra)
    assert (answer.status, answer.location) == (307, origin_of(server, "dev") + "/")
    assert answer.all("Set-Cookie") == directives


@pytest.mark.parametrize("state", ["early", "expired"])
def test_development_tolerates_a_wrong_clock(server, instances, state):
    answer, _ = returned(server, instances, "dev", state)
    assert (answer.status, answer.location) == (307, origin_of(server, "dev") + "/")


def test_development_says_that_the_keys_do_not_match(server, instances):
    """The original throws; here it is a 400 with a page."""
    server.log.announce("AC3101")
    answer, _ = returned(server, instances, "dev", key=Key.generate(instances[False].kid))
    assert (answer.status, answer.reason, answer.all("Set-Cookie")) == (400, "token-invalid-signature", [])
    assert "belong to the same Clerk instance" in answer.text


def test_production_serves_the_page_with_the_cookies(server, instances):
    answer, directives = returned(server, instances, "prod", extra=("__client_uat=1;path=/;domain=example.com",))
    assert (answer.status, answer.text) == (200, "ok")
    assert answer.all("Set-Cookie") == directives
    assert answer.auth_status is None


def test_cookies_that_are_not_clerks_are_left_out(server, instances):
    for site in ("dev", "prod"):
        answer, directives = returned(server, instances, site, extra=("foo=bar;path=/;domain=example.com",))
        assert answer.all("Set-Cookie") == directives[:1]


def test_production_is_signed_out_when_its_clock_is_behind(server, instances):
    answer, _ = returned(server, instances, "prod", "early")
    assert (answer.status, answer.auth_status) == (200, "signed-out")


def test_production_asks_again_when_session_and_handshake_have_expired(server, instances):
    token, issued = session_token(instances[True], "expired")
    answer, _ = returned(server, instances, "prod", "expired", cookies={"__session": token, "__client_uat": str(issued)})
    assert (answer.status, answer.reason) == (307, EXPIRED)


def test_production_is_signed_out_when_the_keys_do_not_match(server, instances):
    answer, _ = returned(server, instances, "prod", key=Key.generate(instances[True].kid))
    assert (answer.status, answer.auth_status, answer.all("Set-Cookie")) == (200, "signed-out", [])
