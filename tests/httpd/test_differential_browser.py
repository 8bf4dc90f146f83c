# SPDX-License-Identifier: Apache-2.0
"""The module and the real @clerk/backend get the same random browser requests: same state, same reason, same Location,
same cookies, same identity, or a row of docs/differences.md. CLERK_SEED repeats a run, CLERK_VISITS is their number."""

import collections
import dataclasses
import itertools
import os
import re
import urllib.parse

import pytest
from pyclerk.visits import Chance, Nonces, Visit, describe

Site = collections.namedtuple("Site", "instance own shared options")

ORG_PATTERNS = ["/orgs/:slug", "/orgs/:slug/(.*)", "/by-id/:id", "/by-id/:id/(.*)"]
VISITS = int(os.environ.get("CLERK_VISITS", "5000"))
# A fixed seed, so that a new failure is caused by a change; use CLERK_SEED=$RANDOM for other requests.
SEED = 20261121
BATCH = 100


def origin_of(site):
    return f"https://{site}.example.test"


@pytest.fixture(scope="module")
def sites(emulator):
    """name -> its instance, directives in the virtual host, directives in its <Location>, options of the SDK"""
    live = emulator.add_instance(production=True, host="clerk.example.test")
    dev = emulator.add_instance(production=False)
    for instance in (live, dev):
        instance.nonces = Nonces()
    primary = "https://primary.example.test/sign-in?a=1"
    everything = {}
    for kind, instance in (("prod", live), ("dev", dev)):
        everything |= {
            kind: Site(instance, "", "", {}),
            kind + "-parties": Site(instance, "", f"ClerkAuthorizedParties {origin_of(kind + '-parties')} https://sat.example.test",
                                    {"authorizedParties": [origin_of(kind + "-parties"), "https://sat.example.test"]}),
            kind + "-sat": Site(instance, "ClerkSatellite On\nClerkDomain sat.example.test", f"ClerkSignInURL {primary}",
                                {"isSatellite": True, "domain": "sat.example.test", "signInUrl": primary}),
            kind + "-sat-auto": Site(instance, "ClerkSatellite On\nClerkSatelliteAutoSync On\nClerkDomain sat.example.test", f"ClerkSignInURL {primary}",
                                     {"isSatellite": True, "domain": "sat.example.test", "signInUrl": primary, "satelliteAutoSync": True}),
            kind + "-proxy": Site(instance, f"ClerkProxyURL {origin_of(kind + '-proxy')}/__clerk", "", {"proxyUrl": origin_of(kind + "-proxy") + "/__clerk"}),
            kind + "-orgs": Site(instance, "", f"ClerkOrganizationSync {' '.join(ORG_PATTERNS)}\n"
                                               "ClerkOrganizationSync personal /me\nClerkOrganizationSync personal /me/(.*)",
                                 {"organizationSyncOptions": {"organizationPatterns": ORG_PATTERNS, "personalAccountPatterns": ["/me", "/me/(.*)"]}}),
        }
    return everything


@pytest.fixture(scope="module")
def server(make_httpd, sites):
    server = make_httpd()
    server.write("ok.txt", "ok")
    names = ("USER_ID", "SESSION_ID", "ORG_ID", "ORG_SLUG", "ORG_ROLE")
    hosts = ""
    for name, site in sites.items():
        variable = "SECRET_LIVE" if site.instance.production else "SECRET_TEST"
        server.env[variable] = site.instance.secret_key
        hosts += f"""
<VirtualHost 127.0.0.1:{server.port}>
ServerName {name}.example.test
AllowEncodedSlashes NoDecode
ClerkPublishableKey {site.instance.publishable_key}
ClerkSecretKey env:{variable}
ClerkAPIURL {site.instance.url}
{site.own}
ClerkPublicOrigin {origin_of(name)}
AliasMatch "^" "{server.docroot}/ok.txt"
<Location />
AuthType Clerk
Require valid-user
ClerkUnauthenticated challenge
Header always set X-Identity "{'|'.join('%{CLERK_' + one + '}e' for one in names)}"
{site.shared}
</Location>
</VirtualHost>
"""
    server.log.announce("AC30", "AC310[01]")  # development keys, no authorized parties; loops, unusable handshakes
    # Each visit is another client's: what many of them cause is not one client's to answer for.
    hosts = f"RemoteIPHeader {CLIENT}\nRemoteIPInternalProxy 127.0.0.1\n" + hosts
    server.configure(hosts, modules=("remoteip",), log_level="warn")
    return server.start()


# The verdict of either about a visit: (status, reason, location, cookies, identity)

Verdict = collections.namedtuple("Verdict", "status reason location cookies identity")
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def _cookies(values):
    """Set-Cookie lines. Fresh tokens of a refresh differ from one call to the next."""
    return [JWT.sub("<token>", re.sub(r"Expires=\w+, \d\d \w+ 20[2-9]\d [\d:]+ GMT", "Expires=<later>", value)) for value in values]


CLIENT = "X-Client-Address"
ADDRESSES = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in itertools.count(1))


COUNTER = re.compile(r"__clerk_redirect_count_[0-9a-f]{8}=([^;]*); SameSite=Lax; HttpOnly; Max-Age=(10|0)")


def _count(visit):
    """What the SDK takes its loop counter for."""
    return int(next((value for name, value in visit.cookies if name == "__clerk_redirect_count"), 0))


def counted(server, visit):
    """differences.md row 28: the visit with the counter of its page in place of the SDK's. A handshake of the page shows its name."""
    count = _count(visit)
    cookies = [pair for pair in visit.cookies if pair[0] != "__clerk_redirect_count"]
    if count:
        page = "&".join(one for one in visit.query if not one.startswith(("__clerk", "__dev_session")))
        answer = server.request("GET", visit.path + ("?" + page if page else ""), [
            ("Host", f"{visit.site}.example.test"), ("Sec-Fetch-Dest", "document"), ("Cookie", "__client_uat=1; __clerk_db_jwt=d")])
        (name,) = answer.cookies()
        cookies.append((name, {1: "1", 2: "s", 3: "loop"}[count]))
    return dataclasses.replace(visit, cookies=cookies)


def _our_cookies(visit, values):
    """Our Set-Cookie lines, with the counter as the SDK writes it; one that is deleted says that a page is granted."""
    kept = [value for value in values if not (COUNTER.fullmatch(value) and value.endswith("=0"))]
    return _cookies(COUNTER.sub(f"__clerk_redirect_count={_count(visit) + 1}; SameSite=Lax; HttpOnly; Max-Age=2", value) for value in kept)


def by_the_module(server, visit):
    asked, visit = visit, counted(server, visit)
    headers = [("Host", f"{visit.site}.example.test"), (CLIENT, next(ADDRESSES)), *visit.all_headers()]
    body = b"" if visit.method in ("POST", "PUT") else None
    answer = server.request(visit.method, visit.target, headers, body)
    assert answer.status in (200, 307, 400, 401, 405), answer  # 405: the file itself knows GET and POST only
    if answer.status == 400:
        return Verdict("bad-request", answer.reason, None, [], None)
    if answer.location:
        assert answer.status == 307 and answer.header("Cache-Control") == "no-store"
    identity = answer.header("X-Identity").split("|") if answer.auth_status is None and not answer.location else None
    identity = identity and [None if one == "(null)" else one for one in identity]
    location = answer.location and re.sub(r"[?&]__clerk_help=cookies$", "", answer.location)  # differences.md row 24
    location = location and re.sub(r"%(3F|26)__clerk_help%3Dround[23]", "", location)  # differences.md row 28
    return Verdict(answer.auth_status or "signed-in", answer.reason, location, _our_cookies(asked, answer.all("Set-Cookie")), identity)


def question(sites, visit):
    site = sites[visit.site]
    return {
        "url": origin_of(visit.site) + visit.target,
        "method": visit.method,
        "headers": visit.all_headers(),
        "client": {"publishableKey": site.instance.publishable_key, "secretKey": site.instance.secret_key, "apiUrl": site.instance.url},
        "options": site.options,
    }


def verdict_of(answer):
    if "error" in answer:
        return Verdict("throws", answer["error"], None, [], None)
    headers = answer["headers"]
    auth = answer["auth"] or {}
    status, reason, identity = answer["status"], answer["reason"] or None, None
    if status == "signed-in":
        if auth.get("userId"):
            identity = [auth[name] for name in ("userId", "sessionId", "orgId", "orgSlug", "orgRole")]
        else:
            status, reason = "signed-out", "session-pending"
    location = next((value for name, value in headers if name == "location"), None)
    identity = None if location else identity  # a redirect runs no application
    return Verdict(status, reason, location, _cookies(value for name, value in headers if name == "set-cookie"), identity)


# The documented differences: how the request for the SDK, or its verdict, is changed (numbers of docs/differences.md)

RENAMED = {"__clerk_handshake": "__clerk_handshakE", "__clerk_handshake_nonce": "__clerk_handshakE_nonce"}


def _hide(visit, names, cookies):
    """The visit with handshake parameters renamed so that the SDK ignores them, and (`cookies`) without these cookies."""
    query = [re.sub(r"^(\w+)=", lambda match: RENAMED[match[1]] + "=" if match[1] in names else match[0], one) for one in visit.query]
    kept = [pair for pair in visit.cookies if pair[0] not in names] if cookies else visit.cookies
    return dataclasses.replace(visit, query=query, cookies=kept)


def _header(visit, name):
    return next((value for key, value in visit.headers if key == name), None)


def _is_navigation(visit):
    """As the SDK sees it."""
    dest = _header(visit, "Sec-Fetch-Dest")
    return visit.method == "GET" and (dest in ("document", "iframe") if dest else (_header(visit, "Accept") or "").startswith("text/html"))


def _may_be_renewed(visit):
    """differences.md row 26, but for GET, where the SDK does the same."""
    site, origin = _header(visit, "Sec-Fetch-Site"), _header(visit, "Origin")
    if visit.method == "HEAD":
        return True
    if visit.method == "GET" or site not in (None, "same-origin"):
        return False
    return origin in ({None, "null", origin_of(visit.site)} if site else {origin_of(visit.site)})


def adapted(visit):
    """The visit as it is sent to the SDK."""
    visit = dataclasses.replace(visit, headers=_fetched(visit.headers))
    if not _is_navigation(visit):  # differences.md row 31
        visit = _hide(visit, {"__clerk_handshake_nonce"}, cookies=True)
    if _may_be_renewed(visit):  # differences.md row 26: as a script's GET, which is renewed and never redirected
        headers = [pair for pair in visit.headers if pair[0] not in ("Sec-Fetch-Dest", "Accept")]
        visit = dataclasses.replace(visit, method="GET", headers=[*headers, ("Sec-Fetch-Dest", "empty")])
    if "query handshake" in visit.notes:  # differences.md row 1
        visit = _hide(visit, set(RENAMED), cookies=False)
    if "handshake refused here" in visit.notes and "bad handshake" not in visit.notes:  # differences.md rows 2, 3 and 30: its session is none here
        visit = _hide(visit, set(RENAMED), cookies=True)
    if "failed nonce" in visit.notes:  # differences.md row 7
        visit = _hide(visit, {"__clerk_handshake_nonce"}, cookies=True)
    if "header" in visit.notes and _bearer(visit):  # differences.md row 4: a refresh would answer with the cookies' session
        visit = dataclasses.replace(visit, cookies=[pair for pair in visit.cookies if not pair[0].startswith("__refresh")])
    return visit


def _fetched(headers):
    """The fields by which the SDK takes the request for what it is here."""
    have = dict(headers)
    dest, mode = have.get("Sec-Fetch-Dest"), have.get("Sec-Fetch-Mode")
    if mode == "navigate" and dest not in ("document", "iframe"):  # differences.md row 27: any navigation, as the SDK takes one of a frame
        headers = [pair for pair in headers if pair[0] != "Sec-Fetch-Dest"] + [("Sec-Fetch-Dest", "iframe")]
    elif not dest and (mode or have.get("HX-Request") or have.get("X-Requested-With") == "XMLHttpRequest"):  # differences.md row 27: a script
        headers = [pair for pair in headers if pair[0] != "Accept"]
    return [(name, re.sub(r"^bearer ", "Bearer ", value) if name == "Authorization" else value) for name, value in headers]  # differences.md row 29


def _bearer(visit):
    value = next((value for name, value in visit.headers if name == "Authorization"), "")
    scheme, _, rest = value.partition(" ")
    return scheme if not rest else rest.split(" ")[0] or scheme if scheme.lower() == "bearer" else ""


def expected(visit, theirs):
    """The verdict expected of the module if that of the SDK is `theirs`."""
    location = theirs.location
    for name, renamed in RENAMED.items():
        location = location and location.replace(renamed, name)
    bearer = _bearer(visit)
    if bearer and location:  # differences.md row 4
        location = location.replace("&__session=" + urllib.parse.quote_plus(bearer), "")
    if theirs.status == "throws" and "bad handshake" in visit.notes:  # differences.md row 17
        return Verdict("bad-request", None, None, [], None)
    return theirs._replace(location=location)


def agrees(visit, ours, theirs):
    wanted = expected(visit, theirs)
    if ours == wanted:
        return True
    if wanted.status == "bad-request":
        return ours.status == "bad-request"
    if "issuer" in visit.notes and (ours.status, ours.reason) == ("signed-out", "token-invalid-issuer"):  # differences.md row 2
        return wanted.status == "signed-in" or wanted.reason in ("primary-domain-cross-origin-sync", "active-organization-mismatch")
    if "no sid" in visit.notes and (ours.status, ours.reason) == ("signed-out", "token-invalid"):  # differences.md row 30
        return wanted.status == "signed-in" or wanted.reason in ("primary-domain-cross-origin-sync", "active-organization-mismatch")
    return False


def smallest(judge, visit):
    """Leave out parts of the request as long as the two verdicts still differ."""
    while True:
        for smaller in visit.smaller():
            if not agrees(smaller, *judge(smaller)):
                visit = smaller
                break
        else:
            return visit


def test_visits(oracle, server, sites):
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_VISITS={VISITS}")
    chance = Chance(seed, sites, origin_of)

    def judge(visit):
        return by_the_module(server, visit), verdict_of(oracle.ask(question(sites, adapted(visit))))

    seen = collections.Counter()
    for start in range(0, VISITS, BATCH):
        batch = [chance.visit() for _ in range(min(BATCH, VISITS - start))]
        asked = [oracle.send(question(sites, adapted(visit))) for visit in batch]
        for visit, answer in zip(batch, asked):
            ours, theirs = by_the_module(server, visit), verdict_of(answer())
            seen[ours.status, ours.reason] += 1
            seen["renewed", visit.method] += ours.status == "signed-in" and "__session" in str(ours.cookies)
            if not agrees(visit, ours, theirs):
                least = smallest(judge, visit)
                ours, theirs = judge(least)
                pytest.fail(f"CLERK_SEED={seed}, one of {VISITS} visits:\n{describe(least)}\n"
                            f"ours:   {ours}\nwanted: {expected(least, theirs)}\nSDK:    {theirs}")
    # The visits must cover all verdicts.
    reasons = {reason for status, reason in seen if status != "renewed"}
    assert all(seen["renewed", method] for method in ("GET", "HEAD", "POST", "PUT", "DELETE")) or VISITS < 2000, seen
    for reason in ("session-token-and-uat-missing", "client-uat-but-no-session-token", "session-token-but-no-client-uat", "session-token-iat-before-client-uat",
                   "session-token-nbf", "session-token-iat-in-the-future", "primary-domain-cross-origin-sync", "satellite-needs-syncing", "dev-browser-missing",
                   "dev-browser-sync", "primary-responds-to-syncing", "active-organization-mismatch", "session-token-missing", "token-invalid",
                   "token-invalid-signature", "token-type-mismatch", "jwk-kid-mismatch", "token-invalid-authorized-parties", "session-pending",
                   "session-token-expired-refresh-non-eligible-no-refresh-cookie", "session-token-expired-refresh-non-eligible-non-get",
                   "session-token-expired-refresh-refresh_token_invalid"):
        assert reason in reasons or VISITS < 2000, f"no visit ended with {reason}: {seen}"
    assert seen["signed-in", None] > VISITS / 20


REPLIES = {  # A20: what the Backend API may say about a refresh
    "cut off": {"body": '{"object":"cookies","cookies":["__session='},
    "a refusal that is cut off": {"status": 401, "body": '{"errors":[{"code":"x"'},
    "no content": {"status": 204, "body": ""},
    "no body": {"body": ""},
    "text": {"body": "oops", "content_type": "text/plain"},
    "a refusal in text": {"status": 403, "body": "no", "content_type": "text/html"},
    "no cookies": {"body": '{"object":"cookies","cookies":[]}'},
    "null": {"body": "null"},
    "a refusal without errors": {"status": 400, "body": "{}"},
    "their error": {"status": 400, "body": '{"errors":[{"code":"unexpected_error"}]}'},
    "a code": {"status": 400, "body": '{"errors":[{"code":"some_code"}]}'},
}


@pytest.mark.parametrize("reply", REPLIES)
def test_replies_to_a_refresh(oracle, server, sites, reply):
    instance = sites["prod"].instance
    user = "refreshed-" + reply.replace(" ", "-")  # Each reply is charged to another user (outbound-calls.md "Rates").
    instance.add_user(user)
    session = instance.create_session(user)
    token = instance.mint(session=session, claims={"azp": origin_of("prod")}, age=500)
    cookies = [("__session", token), ("__client_uat", "1"), ("__refresh_" + instance.cookie_suffix, instance.refresh_token(session))]
    visit = Visit("prod", headers=[("Sec-Fetch-Dest", "document")], cookies=cookies)
    instance.set_fault("refresh", **REPLIES[reply])
    try:
        ours, theirs = by_the_module(server, visit), verdict_of(oracle.ask(question(sites, visit)))
    finally:
        instance.clear_faults("refresh")
    assert ours == theirs
    assert ours.reason.startswith("session-token-expired-refresh-"), ours
