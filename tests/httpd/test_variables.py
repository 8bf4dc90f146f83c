# SPDX-License-Identifier: Apache-2.0
"""Each row of the table in variables.c is passed in every way, is removed where it was before, and is documented."""

import pathlib
import re

import pytest
from pyclerk.clerk import XHR, bearer, directives, protect

pytestmark = pytest.mark.mpm

TOP = pathlib.Path(__file__).resolve().parents[2]
NAMES = re.findall(r'^    \{"(CLERK_\w+)"', (TOP / "src/httpd/application/variables.c").read_text(), re.M)
# Only machine tokens set these.
OF_MACHINES = {"CLERK_MACHINE_ID", "CLERK_CLIENT_ID", "CLERK_SCOPES", "CLERK_API_KEY_ID", "CLERK_API_KEY_NAME"}
# A session that sets every other variable.
EVERYTHING = {
    "v": 2, "sts": "active", "o": {"id": "org_acme", "slg": "acme", "rol": "member", "per": "read,manage", "fpm": "3"},
    "fea": "o:invoices,u:export", "pla": "u:gold", "fva": [5, 20], "act": {"sub": "user_admin"},
}
NOTHING = {"v": 2, "sts": None, "o": None, "fea": None, "pla": None, "fva": None, "act": None}


def header(name):
    return "X-" + name.replace("_", "-").title()


@pytest.fixture(scope="module")
def server(make_httpd, live, echo):
    server = make_httpd()
    for place in ("private", "optional"):
        server.cgi(f"{place}/env.cgi")
    expressions = [f'Header always set X-Expression-{name} "expr=%{{{name}}}"' for name in NAMES]
    server.configure(
        directives(server, live, "api")
        + "ClerkUserProfile On\n"
        + "".join(f"SetEnvIf X-Evil (.*) {name}=$1 {name.lower()}=$1\n" for name in [*NAMES, "CLERK_CLAIM_ANY"])
        + "ClerkAcceptTokens any\n"
        + protect("/private", ["valid-user"], *expressions)
        + protect("/optional", ["clerk-optional"], *expressions)
        + protect("/echo", ["clerk-optional"], "ClerkPassHeaders On")
        + f'ProxyPass "/echo" "{echo.url}echo"\n'
    )
    return server.start()


def variables(answer):
    """Our variables that a CGI program got, in upper or lower case."""
    return {name: value for name, value in answer.env().items() if name.upper().startswith("CLERK_")}


def test_the_table_is_found():
    assert len(NAMES) > 10 and len(set(NAMES)) == len(NAMES)


def told_in_every_way(server, headers):
    answer = server.get("/private/env.cgi", headers)
    told = variables(answer)
    assert all(told.values())
    assert {name: value for name in NAMES if (value := answer.header(f"X-Expression-{name}"))} == told
    passed = dict(line.split(": ", 1) for line in server.get("/echo", headers).text.splitlines() if line.startswith("X-Clerk-"))
    assert passed == {header(name): value for name, value in told.items()}
    return set(told)


def test_every_row_is_passed_in_every_way(server, live):
    assert told_in_every_way(server, XHR | bearer(live, "carol", claims=EVERYTHING)) == set(NAMES) - OF_MACHINES
    of_machines = set()
    for kind in ("api_key", "m2m_token", "oauth_token"):
        token = live.machine_token(kind, scopes=["read"]).secret
        of_machines |= told_in_every_way(server, XHR | {"Authorization": f"Bearer {token}"})
    assert OF_MACHINES <= of_machines


def test_every_row_is_removed_where_it_was_before(server, live):
    evil = XHR | {"X-Evil": "forged"}
    assert variables(server.get("/optional/env.cgi", evil)) == {"CLERK_AUTH_STATUS": "signed-out"}
    for claims in (NOTHING, EVERYTHING):
        headers = bearer(live, "carol", claims=claims)
        told = variables(server.get("/private/env.cgi", evil | headers))
        assert told == variables(server.get("/private/env.cgi", XHR | headers)) and "forged" not in told.values()


def test_every_row_is_documented_in_this_order():
    section = (TOP / "docs/directives.md").read_text().split("## Variables\n")[1].split("\n### ")[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| ")]
    described = [name for row in rows for name in re.findall(r"`(CLERK_\w+)`", row)]
    assert described == NAMES
