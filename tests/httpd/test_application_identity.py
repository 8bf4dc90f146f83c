# SPDX-License-Identifier: Apache-2.0
"""ClerkRemoteUser, ClerkExportClaim, ClerkPassHeaders, ClerkStripCredentials, and claims in httpd's expressions."""

import json
import re

import pytest
from pyclerk import ErrorLog
from pyclerk.backends import UwsgiBackend
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, cookie_header, directives, protect, session_cookies, token
from pyclerk.client import raw

pytestmark = pytest.mark.mpm

PRINT_ENV = """<?php
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) { if (is_string($value)) { echo "$name=$value\\n"; } }
"""
CLAIMS = {
    "department": "Bücher & Töne 😀", "level": 7, "ratio": 0.1, "verified": True, "off": False, "nothing": None, "empty": "",
    "metadata": {"team": {"name": "blue"}, "flags": ["a", "b"], "n": [1, 2.5, True]}, "list": ["x,y", "z"], "deep": [[1], {"a": 2}],
    "https://example.com/roles": ["editor", "author"], "bad": "line\nbreak", "bell": "\x07", "del": "\x7f",
    "nested-bad": {"a": "x\ry"},
}
LONG = {"long": "x" * 4097, "fits": "y" * 4096}
EXPORTS = {
    "DEPARTMENT": "Bücher & Töne 😀", "LEVEL": "7", "RATIO": "0.1", "VERIFIED": "true", "OFF": "false", "EMPTY": "",
    "TEAM": "blue", "FLAGS": "a,b", "METADATA_N": "1,2.5,true", "LIST": '["x,y","z"]', "DEEP": '[[1],{"a":2}]',
    "HTTPS___EXAMPLE_COM_ROLES": "editor,author", "NESTED_BAD": '{"a":"x\\ry"}',
}
EXPORT = (
    "ClerkExportClaim department level ratio verified off nothing empty metadata.team.name as team metadata.flags AS flags",
    "ClerkExportClaim metadata.n list deep https://example.com/roles bad bell del nested-bad long fits missing metadata.nope.x",
)


@pytest.fixture(scope="module")
def uwsgi():
    backend = UwsgiBackend()
    yield backend
    backend.stop()


@pytest.fixture(scope="module")
def server(make_httpd, live, php, echo, uwsgi):
    server = make_httpd()
    has_uwsgi = server.apxs.has("proxy_uwsgi")
    server.has_uwsgi = has_uwsgi

    def cgi(path, requires=("valid-user",), *more):
        server.cgi(f"{path.strip('/')}/env.cgi")
        server.write(f"{path.strip('/')}/index.html", path)
        return protect(path, requires, *more)

    for where in ("php", "php-pass"):
        server.write(f"{where}/env.php", PRINT_ENV)
    server.cgi("inner/plain/env.cgi")
    server.cgi("inner/other/env.cgi")
    server.write("front/.htaccess", (
        "AuthType Clerk\nAuthName test\nRequire valid-user\nClerkPassHeaders On\nClerkStripCredentials On\nClerkExportClaim level\n"
        "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ env.cgi [L]\n"
    ))
    server.cgi("front/env.cgi")
    server.cgi("hop/env.cgi")
    server.write("sorry/index.html", "x")
    server.write("index-strip/index.shtml", "[<!--#include virtual=\"/strict-hop/env.cgi\" -->]")
    server.cgi("strict-hop/env.cgi")
    server.cgi("errors/env.cgi", "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec env\n")
    for name in ("expr-page", "if-public", "if-denied"):
        server.write(f"{name}/index.html", "plain\n")
    server.write("rewritten/in.html", "signed in\n")
    server.write("rewritten/out.html", "signed out\n")
    server.configure(
        directives(server, live)
        + "DirectoryIndex index.html index.shtml\n"
        + f'<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n'
        + cgi("/export", ("valid-user",), *EXPORT)
        + cgi("/export-optional", ("clerk-optional",), "ClerkExportClaim level", "SetEnv CLERK_CLAIM_LEVEL 9", "SetEnvIf X-Evil (.*) CLERK_CLAIM_OTHER=$1")
        + '<Location /inner>\nAuthType Clerk\nRequire valid-user\nClerkExportClaim level\n</Location>\n'
        + '<Location /inner/other>\nClerkExportClaim verified\n</Location>\n'
        + cgi("/email", ("valid-user",), "ClerkRemoteUser email")
        + cgi("/email-user", ("user carol@example.com",), "ClerkRemoteUser email")
        + cgi("/level-user", ("user 7",), "ClerkRemoteUser level")
        + cgi("/email-optional", ("clerk-optional",), "ClerkRemoteUser metadata.email")
        + cgi("/unset", ("valid-user",), "ClerkRemoteUser sub")
        + protect("/php", ["valid-user"], *EXPORT)
        + protect("/php-pass", ["clerk-optional"], "ClerkPassHeaders On", "ClerkStripCredentials On")
        + protect("/proxied", ["valid-user"], "ClerkPassHeaders On", *EXPORT)
        + protect("/proxied-optional", ["clerk-optional"], "ClerkPassHeaders On", "ClerkExportClaim level")
        + protect("/proxied-strip", ["clerk-optional"], "ClerkPassHeaders On", "ClerkStripCredentials On")
        + protect("/proxied-strip-cookie-only", ["clerk-optional"], "ClerkStripCredentials On", "ClerkTokenSources cookie")
        + protect("/proxied-off", ["valid-user"])
        + "".join(f'ProxyPass "/{path}" "{echo.url}{path}"\n' for path in
                  ("proxied-strip-cookie-only", "proxied-strip", "proxied-optional", "proxied-off", "proxied", "open"))
        + (protect("/uwsgi", ["valid-user"], "ClerkPassHeaders On", "ClerkStripCredentials On", "ClerkExportClaim level")
           + f'ProxyPass "/uwsgi" "uwsgi://127.0.0.1:{uwsgi.port}/"\n' if has_uwsgi else "")
        + protect("/hop", ["valid-user"], "ClerkPassHeaders On", "ClerkStripCredentials On", "ErrorDocument 404 /open/after-error")
        + protect("/sorry", ["clerk-role admin"], "ClerkPassHeaders On", "ErrorDocument 403 /open/after-403")
        + protect("/index-strip", ["valid-user"], "ClerkStripCredentials On")
        + protect("/strict-hop", ["valid-user"], f"ClerkAuthorizedParties {PARTY} https://other.example.test")
        # expressions
        + protect("/expr", [], "Require expr clerk('o.rol') == 'admin'")
        + protect("/expr-all", [], "<RequireAll>", "Require valid-user", "Require expr \"'editor' in clerk('https://example.com/roles')\"",
                  "</RequireAll>")
        + protect("/expr-not", [], "Require expr clerk('sub') == ''")
        + protect("/expr-var", [], "Require expr %{CLERK_ORG_SLUG} == 'acme'")
        + protect("/expr-num", [], "Require expr clerk('level') -ge 5")
        + protect("/expr-denied", [], "<RequireAll>", "Require all denied", "Require expr clerk('sub') != ''", "</RequireAll>")
        + protect("/expr-any", [], "Require expr clerk('o.rol') == 'admin'", "Satisfy Any", "Order deny,allow", "Deny from all",
                  "Allow from 192.0.2.1")
        + protect("/expr-any-here", [], "Require expr clerk('o.rol') == 'admin'", "Satisfy Any", "Order deny,allow", "Deny from all",
                  "Allow from 127.0.0.1")
        + protect("/expr-or", [], "Require expr clerk('o.rol') == 'admin'", "Require clerk-claim level=8")
        + protect("/expr-page", ["valid-user"], "Header set X-Department expr=%{clerk:department}", 'Header set X-Bad expr=[%{clerk:bad}]',
                  "Header set X-Status expr=%{CLERK_AUTH_STATUS}", 'Header set X-Long expr=[%{clerk:long}]')
        + '<Location /if-public>\nAuthType Clerk\nRequire all granted\n<If "clerk(\'level\') == \'7\'">\nHeader set X-If seven\n</If>\n'
          "<Else>\nHeader set X-If other\n</Else>\nHeader set X-Sub expr=[%{clerk:sub}]\n</Location>\n"
        + '<Location /if-denied>\nAuthType Clerk\nRequire all denied\n<If "clerk(\'level\') == \'7\'">\nHeader set X-If seven\n</If>\n</Location>\n'
        + '<Location /nowhere>\nRequire expr "clerk(\'sub\') == \'\' && %{CLERK_AUTH_STATUS} == \'\'"\n</Location>\n'
        + cgi("/setenvif", ("clerk-optional",), "SetEnvIfExpr \"clerk('level') == '7'\" SEVEN=yes", "SetEnvIfExpr \"%{CLERK_USER_ID} =~ /^user_(.*)$/\" WHO=$1")
        + '<Location /rewritten>\nAuthType Clerk\nRequire clerk-optional\nRewriteEngine On\nRewriteCond expr "clerk(\'sub\') != \'\'"\n'
          "RewriteRule start$ /rewritten/in.html [L]\nRewriteRule start$ /rewritten/out.html [L]\n</Location>\n"
        + f'LogFormat "%U|%u|%{{CLERK_USER_ID}}e|%{{CLERK_CLAIM_LEVEL}}e|%{{CLERK_ACTOR_ID}}e" clerk\nCustomLog "{server.root}/logs/clerk.log" clerk\n',
        modules=("proxy_uwsgi",) if has_uwsgi else (), global_text="LimitRequestFieldSize 32768",
    )
    server.write("nowhere/index.html", "nowhere")
    return server.start()


def carol(live, claims=None, **options):
    return XHR | bearer(live, "carol", claims=CLAIMS | (claims or {}), **options)


# ClerkExportClaim


@pytest.mark.parametrize("path", ["/export/env.cgi", "/php/env.php"])
def test_claims_are_exported(server, live, path):
    env = server.get(path, carol(live)).env()
    assert {name[12:]: value for name, value in env.items() if name.startswith("CLERK_CLAIM_")} == EXPORTS


@pytest.mark.mpm
def test_a_claim_that_is_in_no_token_is_explained_once(make_httpd, live):
    """Once for each directive and start, whichever child answers; not for claims that are null, nor for Clerk's own."""
    server = make_httpd()
    for place in ("one", "two", "both", "ht"):
        server.cgi(f"{place}/env.cgi")
    server.write("ht/.htaccess", "ClerkExportClaim nickname\n")
    server.configure(directives(server, live) + protect("/one", ("valid-user",), "ClerkExportClaim team metadata.level email o.slg act.sub")
                     + protect("/two", ("valid-user",), "ClerkExportClaim team https://a.test/x.y") + protect("/ht") + protect("/both", ("clerk-optional",)))
    server.start()
    hints = {r'ClerkExportClaim team: .* CLERK_CLAIM_TEAM is not set; .*: {"team": "{{user\.public_metadata\.team}}"}': 2,
             r'ClerkExportClaim metadata\.level: .*: {"metadata": "{{user\.public_metadata}}"}': 1,
             r'ClerkExportClaim https://a\.test/x\.y: .*: {"https://a\.test/x\.y": "{{user\.public_metadata}}"}': 1}

    def told():
        lines = [line for line in server.log.recent().splitlines() if "AC3302" in line]
        assert sum(len([line for line in lines if re.search(hint, line)]) for hint in hints) == len(lines), lines
        return {hint: len([line for line in lines if re.search(hint, line)]) for hint in hints}

    server.log.mark()
    for place in ("one", "two", "both", "ht") * 5:
        assert server.get(f"/{place}/env.cgi", XHR | bearer(live, "carol", claims={"email": None})).status == 200
    server.log.wait_for("AC3302: ClerkExportClaim https://a")
    assert told() == hints
    server.restart()
    server.log.mark()
    for place in ("one", "two") * 3:
        assert server.get(f"/{place}/env.cgi", XHR | bearer(live, "carol", claims={"email": None})).status == 200
    server.log.wait_for("AC3302: ClerkExportClaim https://a")
    assert told() == hints
    server.stop()


def test_control_characters_and_long_values_never_arrive(server, live):
    server.log.mark()
    env = server.get("/export/env.cgi", carol(live, LONG)).env()
    assert env["CLERK_CLAIM_FITS"] == LONG["fits"]
    assert not {"CLERK_CLAIM_BAD", "CLERK_CLAIM_BELL", "CLERK_CLAIM_DEL", "CLERK_CLAIM_LONG", "CLERK_CLAIM_NOTHING"} & set(env)
    server.log.wait_for("AC3065: the claim long is left out")
    server.log.wait_for("AC3065: the claim bad is left out")
    assert "the claim missing" not in server.log.recent() and "line\\nbreak" not in server.log.recent()


def test_claims_without_a_user(server):
    env = server.get("/export-optional/env.cgi", XHR | {"X-Evil": "1"}).env()
    assert env["CLERK_AUTH_STATUS"] == "signed-out" and "CLERK_CLAIM_OTHER" not in env


def test_a_missing_claim_has_no_variable(server, live):
    env = server.get("/export-optional/env.cgi", XHR | bearer(live, "carol") | {"X-Evil": "1"}).env()
    assert "CLERK_CLAIM_OTHER" not in env and env["CLERK_USER_ID"] == "user_carol"


def test_an_inner_section_has_its_own_list(server, live):
    env = server.get("/inner/plain/env.cgi", carol(live)).env()
    assert env["CLERK_CLAIM_LEVEL"] == "7" and "CLERK_CLAIM_VERIFIED" not in env
    env = server.get("/inner/other/env.cgi", carol(live)).env()
    assert env["CLERK_CLAIM_VERIFIED"] == "true" and "CLERK_CLAIM_LEVEL" not in env


def test_long_lists_are_left_out_as_a_whole(server, live):
    verbs = ",".join(f"verb-of-some-length-{n}" for n in range(60))
    claims = {"fea": ",".join(f"o:feature-{n}" for n in range(12)), "v": 2,
              "o": {"id": "org_acme", "rol": "admin", "per": verbs, "fpm": ",".join([str((1 << 60) - 1)] * 12)}}
    server.log.mark()
    env = server.get("/export/env.cgi", XHR | bearer(live, "carol", claims=claims)).env()
    assert env["CLERK_ORG_ROLE"] == "org:admin" and "CLERK_ORG_PERMISSIONS" not in env
    server.log.wait_for("AC3064: CLERK_ORG_PERMISSIONS is left out")


@pytest.mark.parametrize("lines,told", [
    (["ClerkExportClaim"], "ClerkExportClaim"), (["ClerkExportClaim a as"], "as LEVEL"), (['ClerkExportClaim ""'], "empty"),
    (["ClerkExportClaim a.b a_b"], "CLERK_CLAIM_A_B"), (["ClerkExportClaim a", "ClerkExportClaim x as A"], "CLERK_CLAIM_A"),
    (['ClerkRemoteUser ""'], "ClerkRemoteUser"), (["ClerkRemoteUser a b"], "one or three arguments"), (["ClerkPassHeaders maybe"], "On or Off"),
    (["ClerkStripCredentials"], "On or Off"),
])
def test_bad_directives_stop_httpd(make_httpd, live, lines, told):
    httpd = make_httpd()
    httpd.configure(directives(httpd, live) + protect("/x", ["valid-user"], *lines))
    code, printed = httpd.check()
    assert code != 0 and told in printed, printed


# ClerkRemoteUser


def test_remote_user_is_the_claim(server, live):
    who = carol(live, {"email": "carol@example.com"})
    env = server.get("/email/env.cgi", who).env()
    assert (env["REMOTE_USER"], env["CLERK_USER_ID"]) == ("carol@example.com", "user_carol")
    assert server.get("/email-user/env.cgi", who).status == 200
    assert server.get("/email-user/env.cgi", carol(live, {"email": "dave@example.com"})).status == 403
    assert server.get("/level-user/env.cgi", carol(live)).env()["REMOTE_USER"] == "7"
    assert server.get("/unset/env.cgi", carol(live)).env()["REMOTE_USER"] == "user_carol"
    env = server.get("/email-optional/env.cgi", carol(live, {"metadata": {"email": "c"}})).env()
    assert env["REMOTE_USER"] == "c"
    assert "REMOTE_USER" not in server.get("/email-optional/env.cgi", XHR).env()


@pytest.mark.parametrize("value", [None, "", "a\nb", "\x7f", ["carol@example.com"], {"a": 1}, True, "x" * 4097, "absent"], ids=repr)
def test_a_claim_that_is_no_name_is_refused(server, live, value):
    server.log.announce("AC3063")
    server.log.mark()
    claims = {} if value == "absent" else {"email": value, "metadata": {"email": value}}
    for path in ("/email/env.cgi", "/email-user/env.cgi", "/email-optional/env.cgi"):
        answer = server.get(path, carol(live, claims))
        assert answer.status == 403 and "SERVER_SOFTWARE" not in answer.text, path
        assert answer.header("WWW-Authenticate") is None
        assert (answer.auth_status, answer.reason) == ("signed-in", "forbidden")
    server.log.wait_for("AC3063: refused: ClerkRemoteUser email: the session token of user user_carol")


# ClerkPassHeaders


def passed(answer):
    """A text as the echoing application shows it: its standard library decodes headers as Latin-1."""
    pairs = [line.encode("latin-1").decode("utf-8").split(": ", 1) for line in answer.text.splitlines()[1:] if ": " in line]
    return {name: value for name, value in pairs if name.lower().startswith("x-clerk-")}


def test_a_proxied_application_receives_the_identity(server, live):
    answer = server.get("/proxied", XHR | bearer(live, "alice", "acme", claims={
        "level": 7, "act": {"sub": "user_admin"}, "fva": [3, -1], "department": "Bücher", "metadata": {"n": [1, 2]}}))
    got = passed(answer)
    assert got.pop("X-Clerk-Session-Id").startswith("sess_")
    assert "org:" in got.pop("X-Clerk-Org-Permissions", "org:")
    got.pop("X-Clerk-Features", None)
    got.pop("X-Clerk-Plans", None)
    assert got == {
        "X-Clerk-Auth-Status": "signed-in", "X-Clerk-Token-Type": "session_token", "X-Clerk-User-Id": "user_alice",
        "X-Clerk-Session-Status": "active", "X-Clerk-Org-Id": "org_acme", "X-Clerk-Org-Slug": "acme", "X-Clerk-Org-Role": "org:admin",
        "X-Clerk-Factor-Age": "3,-1", "X-Clerk-Actor-Id": "user_admin", "X-Clerk-Claim-Level": "7", "X-Clerk-Claim-Metadata-N": "1,2",
        "X-Clerk-Claim-Department": "Bücher",
    }


def test_utf8_is_passed_unchanged(server, live):
    """Without percent-encoding: the header has the bytes of the claim."""
    assert passed(server.get("/proxied", carol(live)))["X-Clerk-Claim-Department"] == CLAIMS["department"]


def test_control_characters_never_reach_a_header(server, live):
    answer = server.get("/proxied", carol(live, LONG))
    names = {line.split(":")[0] for line in answer.text.splitlines()}
    assert "X-Clerk-Claim-Fits" in names
    assert not {"X-Clerk-Claim-Bad", "X-Clerk-Claim-Bell", "X-Clerk-Claim-Del", "X-Clerk-Claim-Long"} & names


def test_without_a_user_no_header_is_passed(server):
    for path in ("/proxied-optional", "/proxied-strip"):
        assert passed(server.get(path, XHR)) == {"X-Clerk-Auth-Status": "signed-out"}, path


def test_off_passes_nothing(server, live):
    assert passed(server.get("/proxied-off", carol(live))) == {}
    assert passed(server.get("/open", carol(live))) == {}


@pytest.mark.parametrize("name", ["X-Clerk-User-Id", "x-clerk-user-id", "X_Clerk_User_Id", "X.Clerk.User.Id", "X-Clerk-Claim-Level", "X-Clerk-Claim-Other",
                                  "x_clerk_actor_id", "X-Clerk-Org-Role"])
@pytest.mark.parametrize("path", ["/proxied-optional", "/proxied", "/open"])
def test_forged_headers_are_replaced_by_the_identity(server, live, path, name):
    who = [] if path != "/proxied" else list(bearer(live, "carol").items())
    answer = server.get(path, [(name, "forged"), *XHR.items(), (name, "forged2"), *who])
    assert answer.status == 200 and "forged" not in answer.text


def test_an_obs_fold_hides_nothing(server, live):
    authorization = bearer(live, "carol")["Authorization"]
    for path in ("/proxied", "/proxied-optional", "/open"):
        for lines in ("X-Clerk-User-Id:\r\n forged", "X-Other: a\r\n\tX-Clerk-User-Id: forged", "X-Clerk-\r\n User-Id: forged"):
            data = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\n{lines}\r\n\r\n"
            answer = raw(server.port, data.encode())
            assert not re.search(rb"(?im)^x.clerk.user.id: *forged", answer), answer


def test_fastcgi_receives_it_too(server, live):
    env = server.get("/php-pass/env.php", carol(live, {"act": {"sub": "user_admin"}}) | {"X-Clerk-Org-Id": "forged"}).env()
    assert (env["HTTP_X_CLERK_USER_ID"], env["HTTP_X_CLERK_ACTOR_ID"]) == ("user_carol", "user_admin")
    assert env["CLERK_USER_ID"] == env["REMOTE_USER"] == "user_carol" and "HTTP_X_CLERK_ORG_ID" not in env
    env = server.get("/php-pass/env.php", XHR | {"X-Clerk-Org-Id": "forged"}).env()
    assert env["HTTP_X_CLERK_AUTH_STATUS"] == "signed-out" and "forged" not in str(env)


def test_uwsgi_receives_it_too(server, live):
    if not server.has_uwsgi:
        pytest.skip("this httpd has no mod_proxy_uwsgi")
    env = server.get("/uwsgi", carol(live) | {"X-Clerk-Org-Id": "forged"}).env()
    assert env["HTTP_X_CLERK_USER_ID"] == env["CLERK_USER_ID"] == env["REMOTE_USER"] == "user_carol"
    assert env["HTTP_X_CLERK_CLAIM_LEVEL"] == env["CLERK_CLAIM_LEVEL"] == "7"
    assert "forged" not in str(env) and "HTTP_AUTHORIZATION" not in env


def test_subrequests_and_redirects_know_the_identity(server, live):
    env = server.get("/front/some/url", carol(live)).env()
    assert env["HTTP_X_CLERK_USER_ID"] == env["CLERK_USER_ID"] == "user_carol"
    assert env["HTTP_X_CLERK_CLAIM_LEVEL"] == env["CLERK_CLAIM_LEVEL"] == "7"


def test_another_section_does_not_inherit_the_headers(server, live, echo):
    """An internal redirect shares its headers with the first request; an open proxied page must not get them."""
    server.log.announce("AH00128")
    answer = server.get("/hop/missing", carol(live))
    assert answer.text.startswith("GET /open/after-error")
    assert passed(answer) == {}
    answer = server.get("/sorry/", carol(live))
    assert answer.text.startswith("GET /open/after-403")
    assert passed(answer) == {}


# ClerkStripCredentials


def cookies_seen(answer):
    return next((line.split(": ", 1)[1] for line in answer.text.splitlines() if line.lower().startswith("cookie: ")), None)


def browser_with(live, more, **options):
    return cookie_header({**more, **session_cookies(live, token(live, "carol", **options)),
                          f"__refresh_{live.cookie_suffix}": "r", "__clerk_db_jwt": "d", "theme": "dark"})


def test_the_application_does_not_see_the_token(server, live):
    answer = server.get("/proxied-strip", NAVIGATION | browser_with(live, {"a": "1"}))
    assert passed(answer)["X-Clerk-User-Id"] == "user_carol"
    assert cookies_seen(answer).startswith("a=1; __client_uat=1; ") and cookies_seen(answer).endswith("; theme=dark")
    assert "eyJ" not in answer.text and "__session" not in answer.text and "__refresh" not in answer.text
    answer = server.get("/proxied-strip", carol(live) | {"Cookie": "a=1"})
    assert "eyJ" not in answer.text and "Authorization" not in answer.text and cookies_seen(answer) == "a=1"
    assert passed(answer)["X-Clerk-User-Id"] == "user_carol"


def test_off_leaves_the_credentials(server, live):
    answer = server.get("/proxied-off", carol(live))
    assert "Authorization: Bearer eyJ" in answer.text


def test_a_refused_token_is_stripped_too(server, live):
    for scheme in ("Bearer", "bearer"):  # differences.md row 29
        expired = {"Authorization": f"{scheme} " + token(live, "carol", age=3600)}
        answer = server.get("/proxied-strip", XHR | expired)
        assert passed(answer) == {"X-Clerk-Auth-Status": "signed-out"} and "eyJ" not in answer.text


def test_other_credentials_stay(server, live):
    answer = server.get("/proxied-strip", XHR | {"Authorization": "Basic YTpi", "Cookie": "theme=dark"})
    assert "Authorization: Basic YTpi" in answer.text and cookies_seen(answer) == "theme=dark"
    answer = server.get("/proxied-strip-cookie-only", XHR | {"Authorization": "Bearer app-token", "Cookie": "__session=x"})
    assert "Authorization: Bearer app-token" in answer.text and cookies_seen(answer) is None


def test_repeated_cookie_fields_are_stripped(server, live):
    value = token(live, "carol")
    answer = server.get("/proxied-strip", [*XHR.items(), ("Cookie", "a=1"), ("Cookie", f"__session={value}"), ("Cookie", "b=2")])
    assert "eyJ" not in answer.text and cookies_seen(answer) == "a=1, b=2"


def test_subrequests_are_authenticated_by_the_received_headers(server, live):
    """The included page has another policy, so it is authenticated again, after the headers were stripped."""
    env = server.get("/index-strip/", carol(live)).env()
    assert env["CLERK_USER_ID"] == "user_carol"
    env = server.get("/index-strip/", NAVIGATION | browser_with(live, {})).env()
    assert env["CLERK_USER_ID"] == "user_carol" and "eyJ" not in str(env)
    env = server.get("/front/some/url", NAVIGATION | browser_with(live, {"a": "1"})).env()
    assert env["CLERK_USER_ID"] == "user_carol" and "eyJ" not in str(env) and env["HTTP_COOKIE"].startswith("a=1;")


# Expressions

ADMIN = {"v": 2, "o": {"id": "org_acme", "rol": "admin", "slg": "acme"}}
EXPRESSIONS = [
    ("/expr/", ADMIN, 200), ("/expr/", {"v": 2, "o": {"id": "org_acme", "rol": "member"}}, 403), ("/expr/", {}, 403),
    ("/expr-all/", {}, 200), ("/expr-all/", {"https://example.com/roles": "editor"}, 200),
    ("/expr-all/", {"https://example.com/roles": ["author"]}, 403), ("/expr-all/", {"https://example.com/roles": ["x,editor"]}, 403),
    ("/expr-var/", ADMIN, 200), ("/expr-var/", {}, 403), ("/expr-num/", {}, 200), ("/expr-num/", {"level": 4}, 403),
    ("/expr-not/", {}, 403), ("/expr-denied/", {}, 403), ("/expr-any/", ADMIN, 200), ("/expr-any/", {}, 403),
    ("/expr-any-here/", {}, 200), ("/expr-or/", {}, 403), ("/expr-or/", {"level": 8}, 200), ("/expr-or/", ADMIN, 200),
]


@pytest.mark.parametrize("path,claims,status", EXPRESSIONS, ids=[f"{p}{json.dumps(c)}" for p, c, _ in EXPRESSIONS])
def test_require_expr(server, live, path, claims, status):
    server.write(f"{path.strip('/')}/index.html", "content of " + path)
    answer = server.get(path, carol(live, claims))
    assert answer.status == status, answer
    if status == 403:
        assert "content of" not in answer.text and answer.header("WWW-Authenticate") is None


def test_require_expr_sends_strangers_to_sign_in(server):
    for path in ("/expr/", "/expr-all/", "/expr-var/", "/expr-num/", "/expr-any/", "/expr-or/"):
        assert server.get(path, XHR).status == 401, path
        assert server.get(path, NAVIGATION).status == 307, path
    server.write("expr-not/index.html", "for strangers")
    assert server.get("/expr-not/", XHR).status == 200
    assert server.get("/expr-denied/", XHR).status == 403


def test_require_expr_gives_the_application_the_user(server, live):
    server.cgi("expr/env.cgi")
    env = server.get("/expr/env.cgi", carol(live, ADMIN)).env()
    assert env["REMOTE_USER"] == env["CLERK_USER_ID"] == "user_carol"


def test_if_sections(server, live):
    assert server.get("/if-public/", carol(live)).header("X-If") == "seven"
    assert server.get("/if-public/", carol(live)).header("X-Sub") == "[user_carol]"
    assert server.get("/if-public/", carol(live, {"level": 8})).header("X-If") == "other"
    answer = server.get("/if-public/", XHR)
    assert (answer.status, answer.header("X-If"), answer.header("X-Sub")) == (200, "other", "[]")
    assert server.get("/if-public/", NAVIGATION).status == 200
    assert server.get("/if-denied/", XHR).status == 403
    assert server.get("/if-denied/", carol(live)).status == 403


def test_response_headers(server, live):
    answer = server.get("/expr-page/", carol(live, LONG))
    assert answer.header("X-Department").encode("latin-1").decode("utf-8") == CLAIMS["department"]
    assert (answer.header("X-Bad"), answer.header("X-Long"), answer.header("X-Status")) == ("[]", "[]", "signed-in")


def test_setenvif_and_rewrite_and_logs(server, live):
    env = server.get("/setenvif/env.cgi", carol(live)).env()
    assert (env["SEVEN"], env["WHO"]) == ("yes", "carol")
    env = server.get("/setenvif/env.cgi", XHR).env()
    assert not {"SEVEN", "WHO"} & set(env)
    assert server.get("/rewritten/start", carol(live)).text == "signed in\n"
    assert server.get("/rewritten/start", XHR).text == "signed out\n"
    server.get("/inner/plain/env.cgi", carol(live, {"act": {"sub": "user_admin"}}))
    log = ErrorLog(server.root / "logs/clerk.log")  # written after the answer was sent
    log.wait_for(re.escape("/inner/plain/env.cgi|user_carol|user_carol|7|user_admin"))


def test_without_authtype_clerk_expressions_are_empty(server, live):
    assert server.get("/nowhere/", carol(live)).text == "nowhere"


def test_an_expression_may_set_cookies(make_httpd, dev):
    """An <If> on a public page resolves a handshake: its cookies are set."""
    httpd = make_httpd()
    httpd.log.announce("AC3012")
    httpd.write("p/index.html", "page")
    httpd.configure(directives(httpd, dev) + '<Location /p>\nAuthType Clerk\nRequire all granted\n'
                    '<If "clerk(\'sub\') != \'\'">\nHeader set X-If in\n</If>\n</Location>\n')
    httpd.start()
    value = token(dev, "carol")
    handshake = dev.handshake_token([f"__session={value}; Path=/", "__client_uat=1; Path=/"])
    answer = httpd.get(f"/p/?__clerk_handshake={handshake}", NAVIGATION)
    assert answer.status == 200
    assert answer.cookies().get("__session") == value


# Impersonation


def test_impersonation_is_visible(server, live):
    env = server.get("/export/env.cgi", carol(live, {"act": {"sub": "user_admin", "iss": "https://dashboard.clerk.com"}})).env()
    assert (env["CLERK_ACTOR_ID"], env["CLERK_USER_ID"]) == ("user_admin", "user_carol")
    for actor in ({}, {"sub": 5}, {"sub": "a\nb"}, "user_admin", None):
        assert "CLERK_ACTOR_ID" not in server.get("/export/env.cgi", carol(live, {"act": actor})).env()
