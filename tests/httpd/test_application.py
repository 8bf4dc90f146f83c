# SPDX-License-Identifier: Apache-2.0
"""What the application gets, by every handler and redirect of httpd, and what it never gets."""

import subprocess

import pytest
from pyclerk import ErrorLog
from pyclerk.clerk import NAVIGATION, XHR, bearer, browser, directives, protect
from pyclerk.client import raw

pytestmark = pytest.mark.mpm

PRINT_ENV = """<?php
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) { if (is_string($value)) { echo "$name=$value\\n"; } }
"""

# Spellings of a header by which a client could forge our variables.
SPELLINGS = [
    "X-Clerk-User-Id", "x-clerk-user-id", "X_Clerk_User_Id", "x_clerk_user_id", "X.Clerk.User.Id", "X-Clerk_User.Id", "X-CLERK-ORG-ROLE",
    "X~Clerk!User*Id", "X-Clerk-Anything", "X-Clerk-", "Remote-User", "remote-user", "Remote_User", "REMOTE_USER", "Remote.User", "rEmOtE_uSeR",
]


@pytest.fixture(scope="module")
def server(make_httpd, live, php, echo):
    server = make_httpd()
    for where in ("php", "php-optional", "front"):
        server.write(f"{where}/env.php", PRINT_ENV)
    server.write("front/.htaccess", (
        "AuthType Clerk\nAuthName test\nRequire valid-user\nRewriteEngine On\n"
        "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ index.php [L]\n"
    ))
    server.write("front/index.php", PRINT_ENV)
    server.write("front-cgi/.htaccess", (
        "AuthType Clerk\nAuthName test\nRequire valid-user\nRewriteEngine On\n"
        "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ env.cgi [L]\n"
    ))
    server.cgi("front-cgi/env.cgi")
    server.write("front-optional/.htaccess", (
        "AuthType Clerk\nRequire clerk-optional\nRewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ env.cgi [L]\n"
    ))
    server.cgi("front-optional/env.cgi")
    server.cgi("cgi/env.cgi")
    server.cgi("index/index.cgi")
    server.write("members/secret.txt", "members only")
    server.cgi("members/env.cgi")
    server.write("members/page.shtml", "user=<!--#echo var=\"REMOTE_USER\" --> id=<!--#echo var=\"CLERK_USER_ID\" -->"
                 " [<!--#include virtual=\"/members/env.cgi\" -->]")
    server.write("open/page.shtml", "open [<!--#include virtual=\"/members/secret.txt\" -->]")
    server.write("admins/secret.txt", "admins only")
    server.write("members/asks-admin.shtml", "[<!--#include virtual=\"/admins/secret.txt\" -->]")
    server.write("basic/page.shtml", "basic [<!--#include virtual=\"/members/secret.txt\" -->][<!--#include virtual=\"/roles/secret.txt\" -->]")
    server.write("roles/secret.txt", "roles only")
    server.write("basic-php/index.php", PRINT_ENV)
    server.write("errors/index.html", "x")
    server.cgi("errors/denied.cgi", "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nexplained\\n'\nexec env\n")
    server.write("errors-elsewhere/index.html", "x")
    server.write("list/a.txt", "a")
    server.write("negotiated/page.html.en", "english page")
    server.write("users", "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", base=server.root / "conf")
    server.configure(
        directives(server, live)
        + "DirectoryIndex index.html index.cgi index.php\n"
        + f'<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n'
        + protect("/php")
        + protect("/php-optional", ["clerk-optional"])
        + protect("/cgi")
        + protect("/index")
        + protect("/members")
        + protect("/admins", ["clerk-role admin"])
        + protect("/roles", ["clerk-optional"])
        + protect("/list", ["valid-user"])
        + protect("/negotiated", ["valid-user"])
        + '<Location /negotiated>\nOptions +MultiViews\nAddLanguage en .en\n</Location>\n'
        + protect("/errors", ["valid-user"], "ErrorDocument 401 /errors/denied.cgi", "ErrorDocument 403 /errors/denied.cgi")
        + protect("/errors-elsewhere", ["clerk-role admin"], "ErrorDocument 401 /members/secret.txt", "ErrorDocument 403 /admins/secret.txt")
        + protect("/proxied", ["valid-user"])
        + protect("/proxied-optional", ["clerk-optional"])
        + "".join(f'ProxyPass "/{path}" "{echo.url}{path}"\n' for path in ("proxied", "proxied-optional", "unprotected"))
        + "<Location /basic>\nAuthType Basic\nAuthName basic\nAuthBasicProvider file\n"
        + f'AuthUserFile "{server.root}/conf/users"\nRequire valid-user\n</Location>\n'
        + 'RewriteEngine On\nRewriteRule "^/rewritten/(.*)$" "/members/$1" [PT]\n'
        + '<Location /log>\nAuthType Clerk\nRequire valid-user\n</Location>\n'
        + f'LogFormat "%{{CLERK_USER_ID}}e|%u|%>s" clerk\nCustomLog "{server.root}/logs/clerk.log" clerk\n'
        + '<Location /headers>\nAuthType Clerk\nRequire valid-user\nHeader always set X-Who "%{CLERK_USER_ID}e"\n</Location>\n'
    )
    return server.start()


@pytest.fixture(scope="module")
def trailers(make_httpd, live, php, echo):
    server = make_httpd()
    for where in ("fcgi-open", "fcgi-pass", "fcgi-front"):
        server.write(f"{where}/env.php", PRINT_ENV)
    server.write("fcgi-front/.htaccess", "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ env.php [L]\n")
    script = server.write("read.lua", "require 'apache2'\nfunction read(r)\n  r:parsebody(1000)\n  return apache2.DECLINED\nend\n", base=server.root / "conf")
    server.configure(
        "MergeTrailers On\n" + directives(server, live) + f'<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n'
        + protect("/fcgi-pass", ["clerk-optional"], "ClerkPassHeaders On")
        + f"<Location /read-early>\nLuaHookAccessChecker {script} read\n</Location>\nProxyPass /read-early {echo.url}\n", modules=("lua",))
    return server.start()


# Variables


def test_php(server, live):
    env = server.get("/php/env.php", bearer(live, "alice", "acme")).env()
    assert (env["REMOTE_USER"], env["AUTH_TYPE"]) == ("user_alice", "Clerk")
    assert (env["CLERK_USER_ID"], env["CLERK_ORG_SLUG"], env["CLERK_ORG_ROLE"]) == ("user_alice", "acme", "org:admin")
    assert env["CLERK_AUTH_STATUS"] == "signed-in"


def test_php_without_a_user(server):
    env = server.get("/php-optional/env.php", XHR).env()
    assert env["CLERK_AUTH_STATUS"] == "signed-out"
    assert not {"REMOTE_USER", "CLERK_USER_ID"} & set(env)


def test_php_is_not_run_for_strangers(server):
    answer = server.get("/php/env.php", XHR)
    assert answer.status == 401 and "SERVER_SOFTWARE" not in answer.text
    assert server.request("POST", "/php/env.php", XHR, b"x=1").status == 401


def test_directory_index(server, live):
    env = server.get("/index/", bearer(live)).env()
    assert (env["CLERK_USER_ID"], env["REMOTE_USER"]) == ("user_alice", "user_alice")


@pytest.mark.parametrize("where", ["front", "front-cgi"])
def test_front_controller(server, live, where):
    """`CLERK_USER_ID` unprefixed after rewrite."""
    env = server.get(f"/{where}/some/pretty/url?x=1", bearer(live, "alice", "acme")).env()
    assert env["CLERK_USER_ID"] == env["REMOTE_USER"] == "user_alice"
    assert (env["CLERK_ORG_SLUG"], env["CLERK_AUTH_STATUS"], env["AUTH_TYPE"]) == ("acme", "signed-in", "Clerk")
    assert env["REQUEST_URI"] == f"/{where}/some/pretty/url?x=1"


def test_front_controller_refuses_strangers(server, live):
    answer = server.get("/front/some/pretty/url?x=1", XHR)
    assert answer.status == 401 and "SERVER_SOFTWARE" not in answer.text
    answer = server.get("/front/some/pretty/url?x=1", NAVIGATION)
    assert answer.status == 307 and "%2Ffront%2Fsome%2Fpretty%2Furl%3Fx%3D1" in answer.location


def test_front_controller_with_optional_sign_in(server, live):
    env = server.get("/front-optional/a/b", bearer(live)).env()
    assert env["CLERK_USER_ID"] == "user_alice"
    env = server.get("/front-optional/a/b", XHR).env()
    assert env["CLERK_AUTH_STATUS"] == "signed-out" and "CLERK_USER_ID" not in env


def test_server_level_rewrite(server, live):
    assert server.get("/rewritten/secret.txt", XHR).status == 401
    assert server.get("/rewritten/secret.txt", bearer(live)).text == "members only"


def test_server_side_includes(server, live):
    text = server.get("/members/page.shtml", bearer(live)).text
    assert text.startswith("user=user_alice id=user_alice")
    assert "\nCLERK_USER_ID=user_alice" in text  # the included program


def test_an_open_page_includes_nothing_protected_for_strangers(server, live):
    server.log.announce("unable to include", "AH01374")
    text = server.get("/open/page.shtml", NAVIGATION).text
    assert text.startswith("open [") and "members only" not in text
    assert server.get("/open/page.shtml", NAVIGATION).location is None
    assert "members only" in server.get("/open/page.shtml", bearer(live)).text


def test_an_include_is_authenticated_by_its_own_section(server, live):
    server.log.announce("unable to include", "AH01374")
    assert "admins only" not in server.get("/members/asks-admin.shtml", bearer(live, "bob", "acme")).text
    assert "admins only" in server.get("/members/asks-admin.shtml", bearer(live, "alice", "acme")).text


def test_a_user_of_another_module_is_not_ours(server, live):
    """A page of a Basic user includes our pages without a user."""
    server.log.announce("unable to include", "AH01374", "AH0161[4-8]")
    text = server.get("/basic/page.shtml", {"Authorization": "Basic YWxpY2U6cGFzc3dvcmQ="}).text
    assert text.startswith("basic [") and "members only" not in text


def test_multiviews_and_autoindex(server, live):
    assert server.get("/negotiated/page", bearer(live)).text == "english page"
    assert server.get("/negotiated/page", XHR).status == 401
    assert "a.txt" in server.get("/list/", bearer(live)).text
    assert server.get("/list/", XHR).status == 401


def test_logs_and_headers_know_the_user(server, live):
    server.write("log/index.html", "x")
    server.get("/log/", bearer(live))
    log = ErrorLog(server.root / "logs/clerk.log")  # written after the answer was sent
    log.wait_for(r"user_alice\|user_alice\|200")
    server.write("headers/index.html", "x")
    assert server.get("/headers/", bearer(live)).header("X-Who") == "user_alice"


# ErrorDocument


def test_an_error_document_in_the_same_place_is_shown(server):
    answer = server.get("/errors/", XHR)
    assert answer.status == 401 and answer.text.startswith("explained")
    env = answer.env()
    assert "REMOTE_USER" not in env and "CLERK_USER_ID" not in env
    assert answer.reason == "session-token-and-uat-missing"
    assert answer.header("WWW-Authenticate") == 'Bearer realm="test"'


def test_an_error_document_in_another_protected_place_does_not_loop(server, live):
    for headers in (XHR, NAVIGATION | {"Sec-Fetch-Dest": "empty"}):
        answer = server.get("/errors-elsewhere/", headers)
        assert answer.status == 401 and "members only" not in answer.text
        assert answer.location is None
    answer = server.get("/errors-elsewhere/", bearer(live, "bob", "acme"))
    assert answer.status == 403 and "admins only" not in answer.text
    assert answer.header("WWW-Authenticate") is None and answer.location is None


def test_a_failed_navigation_never_leaves_an_error_page_by_redirect(server, live):
    answer = server.get("/errors-elsewhere/", browser(live, "bob") | NAVIGATION)
    assert (answer.status, answer.location) == (403, None)


# Spoofing


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("path", ["/proxied", "/proxied-optional", "/unprotected"])
def test_no_spelling_reaches_a_proxied_application(server, live, path, name):
    headers = [(name, "user_admin"), (name, "user_admin2"), ("X-Other", "kept")]
    headers += bearer(live).items() if path == "/proxied" else XHR.items()
    answer = server.get(path, headers)
    assert answer.status == 200, answer
    assert "user_admin" not in answer.text
    assert "X-Other: kept" in answer.text


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("path", ["/cgi/env.cgi", "/php/env.php", "/php-optional/env.php", "/front-cgi/x"])
def test_no_spelling_reaches_cgi_or_php(server, live, path, name):
    headers = [(name, "user_admin"), *(XHR if "optional" in path else bearer(live)).items()]
    answer = server.get(path, headers)
    assert answer.status == 200 and "user_admin" not in answer.text


@pytest.mark.parametrize("line", ["X-Clerk-User-Id : user_admin", "X-Clerk-User-Id\t: user_admin",
                                  "X-Clerk-User-Id:user_admin", "X-Clerk-User-Id: user_admin  \t"])
def test_white_space_around_the_name(server, live, echo, line):
    """httpd refuses what is no field name; what it accepts is removed."""
    for path in ("/unprotected", "/proxied"):
        token = bearer(live)["Authorization"]
        data = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {token}\r\n{line}\r\n\r\n"
        assert b"user_admin" not in raw(server.port, data.encode())


@pytest.mark.parametrize("path", ["/fcgi-open/env.php", "/fcgi-pass/env.php", "/fcgi-front/some/url", "/read-early"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_trailer_is_no_header(trailers, live, path, signed_in):
    """MergeTrailers On makes fields of trailers, after the fields were looked at and before the application gets them."""
    authorization = bearer(live)["Authorization"] if signed_in else "none"
    for name in ("X-Clerk-User-Id", "x_clerk.user-id", "X-Clerk-Actor-Id", "Remote-User", "remote_user"):
        data = (f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {authorization}\r\nTransfer-Encoding: chunked\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\n\r\n3\r\na=b\r\n0\r\n{name}: forged\r\nX-Other: kept\r\n\r\n")
        answer = raw(trailers.port, data.encode()).decode()
        assert answer.startswith("HTTP/1.1 200 ") and "forged" not in answer and "kept" in answer, name
        if path.startswith("/fcgi-pass"):
            assert ("HTTP_X_CLERK_USER_ID=user_alice" in answer) == signed_in


def test_a_cgi_program_never_sees_a_spoofed_variable(server, live):
    """A request header becomes HTTP_*, which is not one of our variables."""
    env = server.get("/cgi/env.cgi", [("CLERK_USER_ID", "user_admin"), ("Clerk-User-Id", "user_admin"), ("Clerk-Org-Role", "org:admin"),
                                      *bearer(live).items()]).env()
    assert env["CLERK_USER_ID"] == "user_alice" and "CLERK_ORG_ROLE" not in env


def test_setenvif_cannot_set_our_variables(httpd, live):
    """Variables from other sources are removed first (directives.md "Variables")."""
    httpd.cgi("p/env.cgi")
    httpd.cgi("o/env.cgi")
    httpd.configure(
        directives(httpd, live) + "SetEnvIf X-Evil (.*) CLERK_USER_ID=$1 CLERK_ORG_ROLE=$1 CLERK_ACTOR_ID=$1\n"
        + protect("/p") + protect("/o", ["clerk-optional"])
    )
    httpd.start()
    env = httpd.get("/p/env.cgi", bearer(live) | {"X-Evil": "root"}).env()
    assert env["CLERK_USER_ID"] == "user_alice" and "root" not in (env.get("CLERK_ORG_ROLE"), env.get("CLERK_ACTOR_ID"))
    env = httpd.get("/o/env.cgi", XHR | {"X-Evil": "root"}).env()
    assert "CLERK_USER_ID" not in env and "CLERK_ORG_ROLE" not in env


def test_the_public_header_tells_other_modules(server):
    """include/mod_auth_clerk.h: the optional function is exported by the module file itself."""
    symbols = subprocess.run(["nm", "-D", "--defined-only", server.module], capture_output=True, text=True, check=True).stdout
    exported = [line.split()[-1] for line in symbols.splitlines()]
    assert exported == ["auth_clerk_module"]


def test_encoded_paths_meet_the_same_rules(server, live):
    """Encoded path against <Location>."""
    for path in ("/members/secret%2etxt", "/%6dembers/secret.txt", "/members//secret.txt", "//members/secret.txt", "/x/../members/secret.txt",
                 "/members/./secret.txt", "/MEMBERS/secret.txt", "/members%2fsecret.txt"):
        answer = server.get(path, XHR)
        assert answer.status in (400, 401, 404), path
        assert "members only" not in answer.text
