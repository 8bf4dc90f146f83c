# SPDX-License-Identifier: Apache-2.0
"""Tokens from the token cache: the same identity as without it, claims checked for every request, no token taken for another."""

import random
import threading

import pytest
from pyclerk import Connection
from pyclerk.clerk import XHR, bearer, cookie_header, directives, protect, session_cookies, token

pytestmark = pytest.mark.mpm

ORG = {"id": "org_acme", "slg": "acme", "rol": "member", "per": "read,manage", "fpm": "3,2"}
CLAIMS = {
    "email": "carol@example.com", "department": "Bücher & Töne", "level": 7, "empty": "", "flags": ["a", "b"],
    "metadata": {"team": {"name": "blue"}}, "none": None,
}
IDENTITIES = {
    "no claims": {},
    "version 2": {"v": 2, "o": ORG, "fea": "o:invoices,o:teams,u:export,uo:chat", "pla": "o:business,u:gold", "fva": [5, 20]},
    "version 1": {"org_id": "org_1", "org_slug": "acme", "org_role": "org:admin", "org_permissions": ["org:a:b", "org:c:d"]},
    "no permissions": {"org_id": "org_1", "org_slug": "", "org_role": "org:admin", "org_permissions": []},
    "an impersonation": {"act": {"sub": "user_admin"}, "fva": [-1, -1], "sts": "active"},
    "a long token": {"note": "x" * 3000, "fea": ",".join(f"o:feature{number}" for number in range(200))},
    "several audiences": {"aud": ["one", "two"]},
}


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    for where in ("env", "export", "email"):
        server.cgi(f"{where}/env.cgi")
    for where in ("one", "two", "other-party", "org", "feature", "department"):
        server.write(f"{where}/index.html", where)
    server.configure(
        directives(server, live)
        + protect("/env")
        + protect("/export", ["valid-user"], "ClerkExportClaim email department level empty flags metadata.team.name AS team",
                  "ClerkExportClaim metadata none missing")
        + protect("/email", ["valid-user"], "ClerkRemoteUser email")
        + protect("/one", ["valid-user"], "ClerkAudience one")
        + protect("/two", ["valid-user"], "ClerkAudience three two")
        + protect("/other-party", ["valid-user"], "ClerkAuthorizedParties https://other.example.test")
        + protect("/org", ["clerk-org acme"])
        + protect("/feature", ["clerk-feature chat"])
        + protect("/department", ['"clerk-claim" "department=Bücher & Töne"'])
    )
    return server.start()


def stable_part(answer):
    """The answer without what differs from request to request."""
    if answer.status != 200 or b"PATH=" not in answer.body:
        return answer.status, answer.reason, answer.body
    changing = ("REMOTE_PORT", "UNIQUE_ID", "REQUEST_TIME")
    return answer.status, {name: value for name, value in answer.env().items() if not name.startswith(changing)}


@pytest.mark.parametrize("carrier", ["header", "cookie"])
@pytest.mark.parametrize("name", IDENTITIES)
def test_a_cached_token_gives_the_same_identity(server, live, name, carrier):
    claims = CLAIMS | IDENTITIES[name] | {"jti": f"{name} {carrier}"}
    made = token(live, "carol", claims=claims)
    headers = XHR | ({"Authorization": "Bearer " + made} if carrier == "header" else cookie_header(session_cookies(live, made)))
    for path in ("/env/env.cgi", "/export/env.cgi", "/email/env.cgi", "/one/", "/two/", "/other-party/", "/org/", "/feature/",
                 "/department/"):
        fresh = server.get(path, XHR | bearer(live, "carol", claims=claims | {"jti": f"fresh {name} {carrier} {path}"}))
        again = [server.get(path, headers) for _ in range(3)]
        if carrier == "header":
            expected = stable_part(fresh)
            if expected[0] == 200 and isinstance(expected[1], dict):
                expected[1].pop("HTTP_AUTHORIZATION", None)
        for answer in again:
            seen = stable_part(answer)
            assert seen == stable_part(again[0]), path
            if carrier == "header":
                if isinstance(seen[1], dict):
                    seen[1].pop("HTTP_AUTHORIZATION", None)
                assert seen == expected, path


def test_a_cached_token_is_refused_where_its_claims_are_not_accepted(server, live):
    made = bearer(live, "carol", claims={"aud": ["one"]})
    for _ in range(3):
        assert server.get("/one/", XHR | made).status == 200
        assert server.get("/two/", XHR | made).reason == "token-verification-failed"
        assert server.get("/other-party/", XHR | made).reason == "token-invalid-authorized-parties"


def changed(text, place):
    """The text with another letter at one position."""
    letters = list(text)
    letters[place] = "A" if letters[place] != "A" else "B"
    return "".join(letters)


def test_a_cached_token_with_another_signature_or_payload_is_refused(server, live):
    good, other = token(live, "alice"), token(live, "carol")
    assert server.get("/env/env.cgi", {"Authorization": "Bearer " + good}).status == 200
    assert server.get("/env/env.cgi", {"Authorization": "Bearer " + other}).status == 200
    header, payload, signature = good.split(".")
    for forged in (f"{header}.{other.split('.')[1]}.{signature}", f"{header}.{payload}.{other.split('.')[2]}",
                   f"{header}.{payload}.{changed(signature, 0)}", f"{header}.{payload}.{changed(signature, 200)}",
                   f"{header}.{payload}.{changed(signature, -2)}", good[:-1], good[1:], good + "A"):
        for _ in range(2):
            answer = server.get("/env/env.cgi", XHR | {"Authorization": "Bearer " + forged})
            assert answer.status == 401 and answer.reason.startswith(("token-invalid", "jwk-kid")), (forged, answer)
    assert server.get("/env/env.cgi", {"Authorization": "Bearer " + good}).env()["REMOTE_USER"] == "user_alice"


def test_a_cached_token_expires(make_httpd, live):
    server = make_httpd()
    server.write("p/index.html", "p")
    server.configure(directives(server, live) + protect("/p", ["valid-user"], "ClerkClockSkew 0"))
    server.start()
    made = bearer(live, ttl=3)
    statuses = [server.get("/p/", XHR | made).status]
    assert statuses == [200]
    while statuses[-1] == 200:
        answer = server.get("/p/", XHR | made)
        statuses.append(answer.status)
    assert answer.status == 401 and answer.reason.startswith("session-token-expired"), answer


def test_a_full_cache_never_mixes_tokens_up(make_httpd, live):
    """Far more tokens than the cache holds, from many connections, so that blocks are evicted all the time."""
    server = make_httpd()
    server.write("p/index.html", "p")
    server.configure(
        "ClerkSharedMemory 320K\n" + directives(server, live, keys="pem")
        + protect("/p", ["valid-user"], "ClerkExportClaim jti AS JTI",
                  'Header always set X-Seen "%{CLERK_USER_ID}e|%{CLERK_SESSION_ID}e|%{CLERK_CLAIM_JTI}e"')
    )
    server.start()
    people = [(f"user_{number}|sess_{number}|jti {number}",
               token(live, claims={"sub": f"user_{number}", "sid": f"sess_{number}", "jti": f"jti {number}", "fea": "o:f" + "x" * (number * 7)}))
              for number in range(250)]
    wrong = []

    def ask(seed):
        choose = random.Random(seed)
        with Connection(server.port) as connection:
            for _ in range(250):
                # The minimum of two numbers prefers low ones, so that some tokens are found in the cache.
                expected, made = people[min(choose.randrange(250), choose.randrange(250))]
                headers = {"Authorization": "Bearer " + made} if choose.random() < 0.5 else cookie_header(session_cookies(live, made))
                answer = connection.get("/p/", XHR | headers)
                if answer.status != 200 or answer.header("X-Seen") != expected:
                    wrong.append((expected, answer.status, answer.header("X-Seen")))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:5]
