# SPDX-License-Identifier: Apache-2.0
"""All Require lines for session tokens: arguments, decisions and refusals."""

import json

import pytest
from pyclerk import request
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, browser, cookie_header, directives, protect, session_cookies
from pyclerk.load import at_once

pytestmark = pytest.mark.mpm

ORG = {"id": "org_acme", "slg": "acme", "rol": "member", "per": "read,manage", "fpm": "3,2"}
RICH = {"v": 2, "o": ORG, "fea": "o:invoices,o:teams,u:export,uo:chat", "pla": "o:business,u:gold", "fva": [5, 20]}


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()

    def place(path, *lines, **options):
        server.write(f"{path.strip('/')}/index.html", path)
        return protect(path, [], *lines, **options)

    lines = {
        "/permission": "clerk-permission invoices:manage",
        "/permission-full": "clerk-permission org:teams:manage",
        "/permission-any": "clerk-permission org:x:y org:invoices:read",
        "/feature": "clerk-feature invoices",
        "/feature-user": "clerk-feature user:export",
        "/feature-org": "clerk-feature org:export",
        "/feature-both": "clerk-feature o:chat",
        "/plan": "clerk-plan gold",
        "/plan-org": "clerk-plan organization:gold nothing",
        "/mfa": "clerk-mfa",
        "/strict": "clerk-reverification strict",
        "/strict-mfa": "clerk-reverification strict_mfa",
        "/moderate": "clerk-reverification moderate",
        "/lax": "clerk-reverification lax",
        "/first": "clerk-reverification first_factor 10",
        "/second": "clerk-reverification second_factor 30",
        "/multi": "clerk-reverification multi_factor 2.5",
        "/level-expr": "clerk-reverification %{req:X-Level}",
        "/level-expr-2": "clerk-reverification %{req:X-Level} %{req:X-Minutes}",
        "/claim": "clerk-claim department=sales",
        "/claim-nested": "clerk-claim metadata.level=5",
        "/claim-bool": "clerk-claim verified=true",
        "/claim-words": '"clerk-claim" "department=Human Resources" team=x',
        "/claim-regex": "clerk-claim email~@example\\.com$",
        "/claim-dots": "clerk-claim https://example.com/roles=editor",
        "/claim-expr": "clerk-claim department=%{req:X-Department}",
        "/actor": "clerk-actor",
    }
    body = "".join(place(path, f"Require {line}") for path, line in lines.items())
    server.configure(
        directives(server, live)
        + body
        + place("/no-actor", "<RequireAll>", "Require valid-user", "Require not clerk-actor", "</RequireAll>")
        + place("/pending", "Require valid-user", "ClerkPendingSessions allow")
        + place("/not-pending", "Require valid-user", "ClerkPendingSessions signed-out")
        + place("/role-then-strict", "<RequireAll>", "Require clerk-role admin", "Require clerk-reverification strict",
                "</RequireAll>")
        + place("/strict-or-role", "Require clerk-role admin", "Require clerk-reverification strict")
        + place("/document", "Require clerk-reverification strict", "ErrorDocument 403 /sorry.html")
        + place("/document-text", "Require clerk-reverification strict", 'ErrorDocument 403 "not today"')
        + place("/forbidden-on", "AuthzSendForbiddenOnFailure On", "Require clerk-reverification strict")
        + place("/optional-strict", "<RequireAll>", "Require clerk-optional", "Require clerk-reverification strict",
                "</RequireAll>")
    )
    server.write("sorry.html", "sorry page\n")
    return server.start()


def ask(server, live, path, claims=None, headers=(), **options):
    """Ask twice: the second time the token comes from the token cache."""
    asked = XHR | bearer(live, "carol", claims=RICH | (claims or {}), **options) | dict(headers)
    first, second = server.get(path, asked), server.get(path, asked)
    assert (second.status, second.reason, second.body) == (first.status, first.reason, first.body)
    return first


# (path, claims beside RICH, status)
ROWS = [
    ("/permission/", {}, 200), ("/permission/", {"o": ORG | {"fpm": "1,2"}}, 403), ("/permission/", {"o": None}, 403),
    ("/permission/", {"fea": ""}, 403), ("/permission-full/", {}, 200), ("/permission-any/", {}, 200),
    ("/permission-full/", {"o": ORG | {"fpm": "3"}}, 403), ("/permission/", {"fea": "o:invoice"}, 403),
    ("/permission/", {"v": 1, "org_id": "org_acme", "org_permissions": ["org:invoices:manage"]}, 200),
    ("/permission/", {"v": 1, "org_id": "org_acme", "org_permissions": ["invoices:manage"]}, 403),
    ("/permission/", {"v": 1, "org_permissions": ["org:invoices:manage"]}, 403),
    ("/feature/", {}, 200), ("/feature-user/", {}, 200), ("/feature-org/", {}, 403), ("/feature-both/", {}, 200),
    ("/feature/", {"fea": None}, 403), ("/plan/", {}, 200), ("/plan-org/", {}, 403), ("/plan/", {"pla": "o:silver"}, 403),
    ("/mfa/", {}, 200), ("/mfa/", {"fva": [0, -1]}, 403), ("/mfa/", {"fva": [0, 0]}, 200), ("/mfa/", {"fva": None}, 403),
    ("/mfa/", {"fva": [0]}, 403), ("/mfa/", {"fva": ["0", "0"]}, 403),
    ("/strict/", {"fva": [99, 9]}, 200), ("/strict/", {"fva": [9, 10]}, 403), ("/strict/", {"fva": [9, -1]}, 200),
    ("/strict/", {"fva": None}, 403), ("/strict-mfa/", {"fva": [9, 9]}, 200), ("/strict-mfa/", {"fva": [10, 9]}, 403),
    ("/moderate/", {"fva": [-1, 59]}, 200), ("/lax/", {"fva": [-1, 1440]}, 403), ("/first/", {"fva": [9, 99]}, 200),
    ("/first/", {"fva": [-1, 0]}, 403), ("/second/", {}, 200), ("/multi/", {"fva": [2, 2]}, 200), ("/multi/", {"fva": [3, 2]}, 403),
    ("/claim/", {"department": "sales"}, 200), ("/claim/", {"department": "Sales"}, 403), ("/claim/", {}, 403),
    ("/claim/", {"department": ["it", "sales"]}, 200), ("/claim/", {"department": ["it,sales"]}, 403),
    ("/claim/", {"department": {"sales": True}}, 403), ("/claim/", {"department": None}, 403),
    ("/claim-nested/", {"metadata": {"level": 5}}, 200), ("/claim-nested/", {"metadata": {"level": "5"}}, 200),
    ("/claim-nested/", {"metadata": {"level": 5.5}}, 403), ("/claim-nested/", {"metadata": [{"level": 5}]}, 403),
    ("/claim-bool/", {"verified": True}, 200), ("/claim-bool/", {"verified": False}, 403), ("/claim-bool/", {"verified": 1}, 403),
    ("/claim-words/", {"department": "Human Resources"}, 200), ("/claim-words/", {"team": "x"}, 200),
    ("/claim-words/", {"department": "Human"}, 403),
    ("/claim-regex/", {"email": "carol@example.com"}, 200), ("/claim-regex/", {"email": "carol@example.community"}, 403),
    ("/claim-regex/", {"email": ["x@y.z", "carol@example.com"]}, 200), ("/claim-regex/", {}, 403),
    ("/claim-dots/", {"https://example.com/roles": ["editor"]}, 200),
    ("/actor/", {}, 403), ("/actor/", {"act": {"sub": "user_admin"}}, 200), ("/actor/", {"act": {}}, 200),
    ("/actor/", {"act": "user_admin"}, 403),
    ("/no-actor/", {}, 200), ("/no-actor/", {"act": {"sub": "user_admin"}}, 403), ("/no-actor/", {"act": {}}, 403),
    ("/role-then-strict/", {"o": ORG | {"rol": "admin"}, "fva": [1, 1]}, 200),
    ("/strict-or-role/", {"o": ORG | {"rol": "admin"}}, 200), ("/strict-or-role/", {"fva": [1, 1]}, 200), ("/strict-or-role/", {}, 403),
]


@pytest.mark.parametrize("path,claims,status", ROWS, ids=[f"{p}{json.dumps(c)}" for p, c, _ in ROWS])
def test_decision(server, live, path, claims, status):
    answer = ask(server, live, path, claims)
    assert answer.status == status, answer
    if status == 403:
        assert answer.auth_status == "signed-in"
        assert path not in answer.text


@pytest.mark.parametrize("path", sorted({row[0] for row in ROWS}))
def test_without_a_user_none_is_met(server, path):
    answer = server.get(path, XHR)
    assert answer.status == 401
    assert answer.header("WWW-Authenticate").startswith("Bearer ")
    assert server.get(path, NAVIGATION).status == 307


def test_masks_of_more_than_64_bits(server, live):
    verbs = [f"v{n}" for n in range(130)]
    verbs[100] = "manage"
    o = ORG | {"per": ",".join(verbs), "fpm": str(1 << 100)}
    claims = {"o": o, "fea": "o:invoices"}
    assert ask(server, live, "/permission/", claims).status == 200
    claims["o"] = o | {"fpm": str((1 << 130) - 1 - (1 << 100))}
    assert ask(server, live, "/permission/", claims).status == 403


def test_reverification_by_expression(server, live):
    def status(path, **headers):
        return ask(server, live, path, {"fva": [5, 20]}, {k.replace("_", "-"): v for k, v in headers.items()}).status

    assert status("/level-expr/", X_Level="moderate") == 200
    assert status("/level-expr/", X_Level="strict") == 403
    assert status("/level-expr/", X_Level="Moderate") == 403
    assert status("/level-expr/", X_Level="first_factor") == 403
    assert status("/level-expr/") == 403
    assert status("/level-expr-2/", X_Level="first_factor", X_Minutes="6") == 200
    assert status("/level-expr-2/", X_Level="first_factor", X_Minutes="5") == 403
    for minutes in ("", "0", "-1", "1e3", "0x10", "nan", "inf", "5 ", " 60", "6,0"):
        assert status("/level-expr-2/", X_Level="first_factor", X_Minutes=minutes) == (200 if minutes == " 60" else 403), minutes


def test_an_empty_expression_never_matches_a_claim(server, live):
    assert ask(server, live, "/claim-expr/", {"department": ""}).status == 403
    assert ask(server, live, "/claim-expr/", {"department": "a b"}, {"X-Department": "a b"}).status == 200
    assert ask(server, live, "/claim-expr/", {"department": "a"}, {"X-Department": "b a"}).status == 403


# Configuration

BAD = [
    ("clerk-reverification strickt", "strict_mfa"), ("clerk-reverification", "strict"), ("clerk-reverification strict 10", "no minutes"),
    ("clerk-reverification first_factor", "minutes"), ("clerk-reverification first_factor ten", "minutes"),
    ("clerk-reverification first_factor 10 20", "level"), ("clerk-reverification STRICT", "strict_mfa"),
    ("clerk-feature x:chat", "scope"), ("clerk-plan :gold", "scope"), ("clerk-feature", "clerk-feature reports"),
    ("clerk-permission", "clerk-permission"), ("clerk-role", "admin"), ("clerk-mfa always", "no argument"), ("clerk-actor user_1", "no argument"),
    ("clerk-claim department", "PATH=VALUE"), ("clerk-claim", "PATH=VALUE"), ("clerk-claim =x", "PATH=VALUE"), ("clerk-claim a=", "PATH=VALUE"),
    ("clerk-claim a~(", "regular expression"), ("clerk-claim a~%{req:X}", "regular expression"), ("clerk-claim %{req:X}=a", "path"),
    ("clerk-claim a=%{nonsense:", "Unterminated"), ("clerk-role %{req:X", "Unterminated"), ("clerk-optional x", "no argument"),
    ('clerk-permission ""', "empty"), ("clerk-reviewed x", "clerk-reviewed"),
]


@pytest.mark.parametrize("line,told", BAD, ids=[line for line, _ in BAD])
def test_a_typo_stops_httpd(make_httpd, live, line, told):
    httpd = make_httpd()
    httpd.configure(directives(httpd, live) + protect("/x", [line]))
    code, printed = httpd.check()
    assert code != 0
    assert told in printed and f"Require {line.split()[0]}: " in printed or line.startswith("clerk-reviewed"), printed


def test_a_typo_in_htaccess_is_a_500_for_its_directory(server, live):
    server.write("ht/index.html", "secret")
    server.write("ht/.htaccess", "AuthType Clerk\nAuthName t\nRequire clerk-reverification strickt\n")
    server.log.announce("strickt")
    assert server.get("/ht/", bearer(live)).status == 500
    server.write("ht/.htaccess", "AuthType Clerk\nAuthName t\nRequire clerk-claim department=sales\n")
    assert ask(server, live, "/ht/", {"department": "sales"}).status == 200
    assert ask(server, live, "/ht/").status == 403


def test_an_alias_is_its_provider(make_httpd, live):
    """In an alias, httpd does not say for which provider arguments are parsed, and still names that of an earlier line."""
    httpd = make_httpd()
    aliases = {"admins": ("clerk-role", "admin"), "sales": ("clerk-claim", "department=sales"), "nobody-else": ("clerk-actor", "")}
    httpd.configure(
        directives(httpd, live)
        + protect("/permission", ["clerk-permission invoices:manage"])
        + "".join(f'<AuthzProviderAlias {kind} {name} "{argument}">\n</AuthzProviderAlias>\n'
                  for name, (kind, argument) in aliases.items())
        + "".join(protect(f"/{name}", [name]) for name in aliases)
    )
    for name in aliases:
        httpd.write(f"{name}/index.html", name)
    httpd.start()
    assert ask(httpd, live, "/admins/").status == 403
    assert ask(httpd, live, "/admins/", {"o": ORG | {"rol": "admin"}}).status == 200
    assert ask(httpd, live, "/sales/").status == 403
    assert ask(httpd, live, "/sales/", {"department": "sales"}).status == 200
    assert ask(httpd, live, "/nobody-else/").status == 403
    assert ask(httpd, live, "/nobody-else/", {"act": {"sub": "user_admin"}}).status == 200


def test_a_typo_in_an_alias_stops_httpd(make_httpd, live):
    httpd = make_httpd()
    httpd.configure(directives(httpd, live) + "<AuthzProviderAlias clerk-role admins>\n</AuthzProviderAlias>\n")
    code, printed = httpd.check()
    assert code != 0 and "Require clerk-role: at least one argument is needed" in printed, printed


# Refusals

STRICT = {"clerk_error": {"type": "forbidden", "reason": "reverification-error", "metadata": {"reverification": "strict"}}}


def test_a_script_gets_the_reverification_error(server, live):
    for path in ("/strict/", "/forbidden-on/", "/optional-strict/", "/strict-or-role/"):
        answer = ask(server, live, path, {"fva": [99, 99]})
        assert (answer.status, answer.header("Content-Type")) == (403, "application/json"), path
        assert answer.json() == STRICT
        assert int(answer.header("Content-Length")) == len(answer.body)
        assert (answer.auth_status, answer.reason) == ("signed-in", "reverification-error")
        assert answer.header("WWW-Authenticate") is None


def test_a_level_with_minutes_is_an_object(server, live):
    assert ask(server, live, "/first/", {"fva": [99, 99]}).json()["clerk_error"]["metadata"] == {
        "reverification": {"level": "first_factor", "afterMinutes": 10}}
    assert ask(server, live, "/multi/", {"fva": [99, 99]}).json()["clerk_error"]["metadata"] == {
        "reverification": {"level": "multi_factor", "afterMinutes": 2.5}}
    assert ask(server, live, "/level-expr/", {"fva": [99, 99]}, {"X-Level": "moderate"}).json()["clerk_error"]["metadata"] == {
        "reverification": "moderate"}


def test_a_navigation_gets_a_page(server, live):
    headers = cookie_header(session_cookies(live, live.mint("carol", origin=PARTY, claims={"fva": [99, 99]})))
    for more in (NAVIGATION, {"Accept": "text/html"}, {"Sec-Fetch-Dest": "iframe"}):
        answer = server.get("/strict/", headers | more)
        assert answer.status == 403
        assert answer.header("Content-Type").startswith("text/html")
        assert "a recent confirmation that it is you" in answer.text and "clerk_error" not in answer.text
    form = server.request("POST", "/strict/", headers | NAVIGATION, b"a=1")
    assert form.status == 403 and form.header("Content-Type").startswith("text/html")


def test_the_rest_of_http_works_with_the_json(server, live):
    headers = XHR | bearer(live, "carol", claims={"fva": [99, 99]})
    with server.connection() as connection:
        for _ in range(3):
            head = connection.request("HEAD", "/strict/", headers)
            assert (head.status, head.header("Content-Type"), head.body) == (403, "application/json", b"")
            post = connection.request("POST", "/strict/", headers, b"x" * 100000)
            assert post.status == 403 and post.json() == STRICT
            assert connection.request("GET", "/strict/", XHR | bearer(live, "carol", claims={"fva": [1, 1]})).status == 200
    ranged = server.get("/strict/", headers | {"Range": "bytes=0-3", "If-None-Match": "*"})
    assert ranged.status == 403 and ranged.json() == STRICT
    assert '"GET /strict/ HTTP/1.1" 403' in server.access_log.read_text()


def test_an_error_document_takes_precedence(server, live):
    answer = ask(server, live, "/document/", {"fva": [99, 99]})
    assert (answer.status, answer.text) == (403, "sorry page\n")
    answer = ask(server, live, "/document-text/", {"fva": [99, 99]})
    assert (answer.status, answer.text) == (403, "not today")
    assert answer.header("Content-Type").startswith("text/html")


def test_other_refusals_are_a_plain_403(server, live):
    for path, claims in (("/role-then-strict/", {}), ("/permission/", {"o": None}), ("/mfa/", {"fva": [1, -1]})):
        answer = ask(server, live, path, claims)
        assert answer.status == 403 and "clerk_error" not in answer.text
        assert answer.reason == "forbidden"


def test_the_log_has_the_requirements_and_what_the_user_has(server, live):
    def logged(path, claims, headers=()):
        server.log.mark()
        assert ask(server, live, path, claims, headers).status == 403
        server.log.wait_for("AC3061")
        return next(line for line in server.log.recent().splitlines() if "AC3061" in line)

    line = logged("/permission-any/", {"o": ORG | {"fpm": "0,2"}})
    assert "not met: Require clerk-permission org:x:y org:invoices:read; user user_carol, " in line
    assert "organization org_acme (acme), role org:member, permissions org:teams:manage" in line
    assert "features o:teams" in logged("/feature/", {"fea": "o:teams"})
    assert "plans none" in logged("/plan/", {"pla": None})
    assert "factor age 99,7" in logged("/strict-mfa/", {"fva": [99, 7]})
    assert "factor age unknown" in logged("/mfa/", {"fva": None})
    assert "met: Require clerk-actor; user user_carol" in logged("/no-actor/", {"act": {"sub": "user_admin"}})
    assert "actor user_admin" in server.log.recent()
    line = logged("/claim-expr/", {"department": "salary 1000"}, {"X-Department": "x" * 500})
    assert "salary" not in line and "x" * 500 not in line
    line = logged("/strict-or-role/", {})
    assert "not met: Require clerk-role admin, clerk-reverification strict;" in line
    assert "eyJ" not in server.log.text()


def test_it_is_logged_once(server, live):
    server.log.mark()
    server.get("/optional-strict/", XHR | bearer(live, "carol", claims=RICH | {"fva": [99, 99]}))
    ask(server, live, "/no-actor/", {})
    server.log.wait_for("AC3061")
    assert server.log.recent().count("AC3061") == 1


# Pending sessions and impersonation

def test_pending_sessions(server, live):
    pending = bearer(live, "carol", claims={"sts": "pending"})
    assert server.get("/pending/", XHR | pending).status == 200
    answer = server.get("/not-pending/", XHR | pending)
    assert (answer.status, answer.auth_status, answer.reason) == (401, "signed-out", "session-pending")
    for path in ("/mfa/", "/feature/", "/actor/", "/claim/"):
        assert ask(server, live, path, {"sts": "pending", "act": {"sub": "x"}, "department": "sales"}).status == 401
    tasks = server.get("/not-pending/", NAVIGATION | cookie_header(
        session_cookies(live, live.mint("carol", origin=PARTY, claims={"sts": "pending"}))))
    assert tasks.status == 307 and "/sign-in/tasks?" in tasks.location
    assert server.get("/not-pending/", XHR | bearer(live, "carol", claims={"sts": "active"})).status == 200


def test_a_browser_session_is_decided_the_same_way(server, live):
    assert server.get("/strict/", browser(live, "carol", claims={"fva": [1, 1]}) | NAVIGATION).status == 200


def test_many_scripts_at_once(server, live):
    good, bad = ({**XHR, **bearer(live, "carol", claims={"fva": [n, n]})} for n in (1, 99))
    answers = at_once(server.port, [("GET", "/strict/", good if n % 2 else bad) for n in range(24)])
    assert [answer.status for answer in answers] == [403, 200] * 12
    assert request(server.port, "GET", "/strict/", bad).json() == STRICT
