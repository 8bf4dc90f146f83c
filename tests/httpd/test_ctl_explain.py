# SPDX-License-Identifier: Apache-2.0
"""`clerkctl explain` says of random browser requests what a real httpd answers: status, reason, Location, cookies, identity.
CLERK_CTL_VISITS is their number, CLERK_SEED repeats a run."""

import base64
import collections
import os
import re
import urllib.parse

import pytest
from pyclerk import clerkctl
from pyclerk.visits import Chance, describe
from test_differential_browser import ADDRESSES, CLIENT, counted, origin_of, server, sites  # noqa: F401  pylint: disable=unused-import

VISITS = int(os.environ.get("CLERK_CTL_VISITS", "100"))
SEED = 20261128
TOKENS = re.compile(r"__(session|refresh|clerk_db_jwt|clerk_handshake|clerk_handshake_nonce|dev_session)(_.*)?$")
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")

Verdict = collections.namedtuple("Verdict", "status reason answer location cookies identity")


def plain(url):
    """A URL without the values of tokens, also of those in a URL in it."""
    if not url:
        return None
    head, _, query = url.partition("?")
    pairs = [(name, "H" if TOKENS.match(name) and value else plain(value) if "://" in value else value)
             for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True)]
    return head, tuple(pairs)


def cookie(line):
    name, _, rest = line.partition("=")
    value, semicolon, attributes = rest.partition(";")
    attributes = re.sub(r"Expires=\w+, \d\d \w+ 20[2-9]\d [\d:]+ GMT", "Expires=<later>", attributes)
    return f"{name}={'H' if TOKENS.match(name) and value else value}{semicolon}{attributes}"


def of_httpd(server, visit):  # noqa: F811
    body = b"" if visit.method in ("POST", "PUT") else None
    answer = server.request(visit.method, visit.target,
                            [("Host", f"{visit.site}.example.test"), (CLIENT, next(ADDRESSES)), *visit.all_headers()], body)
    status = {400: "bad-request", 503: "unavailable"}.get(answer.status, answer.auth_status or "signed-in")
    identity = answer.header("X-Identity").split("|") if status == "signed-in" and not answer.location else None
    return Verdict(status, answer.reason, 200 if answer.status == 405 else answer.status, plain(answer.location),  # 405: the file knows GET and POST
                   [cookie(line) for line in answer.all("Set-Cookie")], identity and [None if one == "(null)" else one for one in identity])


def text_of(visit):
    lines = [f"{visit.method} {visit.target} HTTP/1.1", f"Host: {visit.site}.example.test",
             *(f"{name}: {value}" for name, value in visit.all_headers())]
    return "\r\n".join(lines) + "\r\n\r\n"


def arguments(sites, visit):  # noqa: F811
    site = sites[visit.site]
    return ["explain", "--json", "--publishable-key", site.instance.publishable_key, "--secret-key", "env:THE_SECRET", "--api-url", site.instance.url,
            "--public-origin", origin_of(visit.site), "--unauthenticated", "challenge", *clerkctl.options_of(site.own + "\n" + site.shared)]


def of_clerkctl(sites, visit):  # noqa: F811
    secret = sites[visit.site].instance.secret_key
    result = clerkctl.run(*arguments(sites, visit), stdin=text_of(visit), env={"THE_SECRET": secret})
    said = result.json
    assert result.code == {"signed-in": 0, "unavailable": 3}.get(said["status"], 1)
    shown = result.out + result.err
    assert secret not in shown and not JWT.search(shown), shown
    for name, value in visit.cookies + [tuple(one.split("=", 1)) for one in visit.query if "=" in one]:
        assert not TOKENS.match(name) or len(value) < 8 or value not in shown, (name, shown)
    who = said["identity"]
    identity = [who[name] for name in ("user", "session", "organization", "organization_slug", "organization_role")] if who else None
    identity = identity if said["status"] == "signed-in" and not said["location"] else None
    return Verdict(said["status"], said["reason"], said["answer"], plain(said["location"]), [cookie(line) for line in said["set_cookies"]], identity), said


def test_it_agrees_with_httpd(server, sites):  # noqa: F811
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_CTL_VISITS={VISITS}")
    chance = Chance(seed, sites, origin_of)
    seen, steps = collections.Counter(), collections.Counter()
    for _ in range(VISITS):
        visit = counted(server, chance.visit())
        ours, (theirs, said) = of_httpd(server, visit), of_clerkctl(sites, visit)
        assert theirs == ours, f"CLERK_SEED={seed}, one of {VISITS} visits:\n{describe(visit)}\nhttpd:    {ours}\nclerkctl: {theirs}"
        seen[ours.status] += 1
        steps.update({step["step"] for step in said["steps"]})
    assert min(seen[status] for status in ("signed-in", "signed-out", "handshake")) > VISITS / 20, seen
    assert len(steps) > 35 or VISITS < 200, steps


@pytest.mark.parametrize("place", ["/", "/x?a=b"])
def test_the_text_for_people_names_the_row(sites, place):  # noqa: F811
    instance = sites["prod"].instance
    request = f"GET {place} HTTP/1.1\nHost: prod.example.test\nCookie: __client_uat=1\nSec-Fetch-Dest: document\n\n"
    result = clerkctl.run("explain", "--publishable-key", instance.publishable_key, stdin=request)
    assert result.code == 1 and result.out.startswith("handshake: client-uat-but-no-session-token\n")
    assert re.search(r"^  yes  6\.7, row 9 +there is a __client_uat, but no session cookie$", result.out, re.M)
    assert "docs/troubleshooting.md, \"client-uat-but-no-session-token\"" in result.out


@pytest.mark.parametrize("policy", [["--accept-tokens", "any", "--accept-basic", "On"], []], ids=["accepted", "not-accepted"])
def test_the_password_of_basic_is_the_token(policy):
    """Not the base64 of it and the user's name."""
    key = "ak_" + "a1b2c3d4" * 5
    credentials = base64.b64encode(f"git:{key}".encode()).decode()
    request = f"GET / HTTP/1.1\nHost: prod.example.test\nAuthorization: Basic {credentials}\n\n"
    for command in (["explain", "--offline", "--publishable-key", "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", *policy], ["token"]):
        result = clerkctl.run(*command, "--json", stdin=request)
        said = result.json["token"] if "token" in result.json else result.json
        assert key not in result.out and credentials not in result.out
        assert said is None and not policy or said["looks_like"] == "API key" and said["length"] == len(key), result
