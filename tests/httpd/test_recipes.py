# SPDX-License-Identifier: Apache-2.0
"""docs/recipes: each file is run as printed in the documentation; only the values of site.conf differ."""

import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from pyclerk.apxs import Apxs
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, browser

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
RECIPES = DOCS / "recipes"
PAGE = (DOCS / "recipes.md").read_text()

PRINT_ENV = """<?php
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) { if (is_string($value)) { echo "$name=$value\\n"; } }
"""
ALICE, BOB, CAROL, DAVE = ("alice", "acme"), ("bob", "acme"), ("carol", None), ("dave", "globex")
NOBODY = None


def test_the_page_shows_the_files_as_they_are():
    shown = re.findall(r"^\[`(recipes/[^`]+)`\]\(\1\)\n\n```(?:apache|php)\n(.*?)```$", PAGE, re.M | re.S)
    assert sorted(name for name, _ in shown) == sorted(f"recipes/{path.name}" for path in RECIPES.iterdir())
    for name, text in shown:
        assert text == (DOCS / name).read_text(), name


def test_every_recipe_is_run():
    """Here, or with the real application."""
    tests = "".join(path.read_text() for part in ("httpd", "applications") for path in (DOCS.parent / "tests" / part).glob("test_*.py"))
    assert [path.name for path in RECIPES.glob("*.conf") if f'{path.name}"' not in tests] == []


def site(live, secret=False, **values):
    """site.conf with the values of this test for its Defines and keys."""
    text = (RECIPES / "site.conf").read_text()
    for name, value in values.items():
        text, count = re.subn(rf"^(Define {name} +)\S+$", rf"\g<1>{value}", text, flags=re.M)
        assert count == 1, name
    keys = f"ClerkPublishableKey {live.publishable_key}\nClerkJWKSURL {live.jwks_url}\n"
    if secret:
        keys += f"ClerkSecretKey env:SECRET_KEY\nClerkAPIURL {live.url}\n"
    text, count = re.subn(r"^ClerkPublishableKey .*\nClerkSecretKey .*\n", keys, text, flags=re.M)
    assert count == 1
    return text


@pytest.fixture
def run(make_httpd, live):
    """run(recipe, files, ...) starts a server with that recipe over these files."""

    def run(recipe, files=(), mpm=None, before="", modules=(), **values):
        server = make_httpd(**({"mpm": mpm} if mpm else {}))
        server.env["SECRET_KEY"] = live.secret_key
        root = server.root / "site"
        root.mkdir()
        root.chmod(0o755)
        for path, text in dict(files).items():
            server.write(path, text, 0o755 if path.endswith((".cgi", ".sh")) else 0o644, root)
            for parent in (root / path).parents:
                if parent == root.parent:
                    break
                parent.chmod(0o755)
        server.configure(before + site(live, SITE_ORIGIN=PARTY, SITE_ROOT=root, **values) + f'Include "{RECIPES}/{recipe}"\n', modules=modules)
        code, output = server.check("-D", "DUMP_CLERK")
        assert code == 0 and "DEPENDS" not in output and "NOT PROTECTED" not in output and "AC3022" not in output, output
        return server.start()

    return run


def ask(server, live, path, who, how="bearer", headers=None, method="GET"):
    credentials = {} if who is NOBODY else bearer(live, *who) if how == "bearer" else browser(live, *who)
    return server.request(method, path, (XHR if headers is None else headers) | credentials)


def check_rows(server, live, rows, how="browser"):
    for path, who, status in rows:
        answer = ask(server, live, path, who, how)
        assert answer.status == status, (path, who, answer)


def test_protect_by_default(run, live, echo):
    files = {"index.html": "in", "public/index.html": "out", "robots.txt": "all", "admin/index.html": "admin", ".htpasswd": "x", "public/.htpasswd": "x",
             "app/index.html": "a file that the proxy hides"}
    server = run("protect-by-default.conf", files, APP_URL=echo.url.rstrip("/"))
    check_rows(server, live, [
        ("/", CAROL, 200), ("/", NOBODY, 401), ("/none", NOBODY, 401), ("/public/", NOBODY, 200), ("/robots.txt", NOBODY, 200), ("/Public/", NOBODY, 401),
        ("/admin/", ALICE, 200), ("/admin/", BOB, 403), ("/admin/", NOBODY, 401), ("/public/../admin/", NOBODY, 401), ("/public/../index.html", NOBODY, 401),
        ("/app/x", CAROL, 200), ("/app/x", NOBODY, 401), ("/app/index.html", NOBODY, 401), ("/app/health", NOBODY, 200), ("/app/health/../x", NOBODY, 401),
        ("/.htpasswd", ALICE, 403), ("/public/.htpasswd", NOBODY, 403), ("/public/.htpasswd", ALICE, 403),
    ])


def test_one_open_route(run, live, php):
    server = run("one-open-route.conf", {"index.php": PRINT_ENV, "logo.txt": "logo"}, PHP_FPM=f"unix:{php.socket}")
    check_rows(server, live, [("/", CAROL, 200), ("/", NOBODY, 401), ("/some/page", CAROL, 200), ("/some/page", NOBODY, 401), ("/logo.txt", NOBODY, 401)])
    answer = ask(server, live, "/hooks/payment", NOBODY, method="POST")
    assert answer.status == 200 and answer.env()["REQUEST_URI"] == "/hooks/payment" and "REMOTE_USER" not in answer.env()
    for target in ("/hooks/payment?page=members", "/hooks/payment/", "/hooks/payment/../../index.php", "//hooks/payment", "/index.php", "/hooks%2fpayment",
                   "/index.php/hooks/payment", "/some/page?POST /hooks/payment HTTP/"):
        assert ask(server, live, target.replace(" ", "%20"), NOBODY, method="POST").status in (401, 404), target
    assert ask(server, live, "/hooks/payment", NOBODY).status == 401


def test_force_https(run, live):
    server = run("force-https.conf", {"index.html": "in"}, before='<Directory "/">\nAuthType Clerk\nRequire valid-user\n</Directory>\n')
    for path in ("/", "/a/b?c=d"):
        answer = ask(server, live, path, NOBODY, headers=NAVIGATION)
        assert (answer.status, answer.location) == (301, PARTY + path)


PHP_FILES = {"index.php": PRINT_ENV, "admin/index.php": PRINT_ENV, "lib/secret.php": PRINT_ENV}
PHP_ROWS = [
    ("/", ALICE, 200), ("/", CAROL, 200), ("/", NOBODY, 401), ("/index.php", NOBODY, 401), ("/index.php/x", NOBODY, 401),
    ("/admin/", ALICE, 200), ("/admin/", BOB, 403), ("/admin/index.php", CAROL, 403), ("/admin/", NOBODY, 401),
]


def check_php(server, live):
    check_rows(server, live, PHP_ROWS)
    env = ask(server, live, "/", ALICE, "browser").env()
    assert env["REMOTE_USER"] == env["CLERK_USER_ID"] and env["AUTH_TYPE"] == "Clerk"
    assert (env["CLERK_ORG_SLUG"], env["CLERK_ORG_ROLE"]) == ("acme", "org:admin")
    assert ask(server, live, "/admin/", NOBODY, headers=NAVIGATION).status == 307


def test_php_fpm(run, live, php):
    server = run("php-fpm.conf", PHP_FILES, PHP_FPM=f"unix:{php.socket}")
    check_php(server, live)
    assert ask(server, live, "/lib/secret.php", ALICE).status == 403


def test_mod_php(run, live):
    installed = sorted(map(str, Apxs().libexecdir.glob("libphp*.so")))
    module = os.environ.get("CLERK_MOD_PHP") or (installed and installed[-1])
    if not module:
        pytest.skip("mod_php is not installed")
    check_php(run("mod-php.conf", PHP_FILES, mpm="prefork", before=f'LoadModule php_module "{module}"\n'), live)


def test_cgi(run, live):
    script = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec env\n"
    server = run("cgi.conf", {"cgi-bin/env.cgi": script})
    check_rows(server, live, [("/cgi-bin/env.cgi", ALICE, 200), ("/cgi-bin/env.cgi", NOBODY, 401), ("/cgi-bin/none.cgi", NOBODY, 401)])
    answer = ask(server, live, "/cgi-bin/env.cgi/path?query", BOB, "browser")
    assert answer.env()["REMOTE_USER"] == answer.env()["CLERK_USER_ID"] and answer.env()["CLERK_ORG_ROLE"] == "org:member"
    assert "eyJ" not in answer.text


FRONT = {
    ".htaccess": (RECIPES / "front-controller.htaccess").read_text(),
    "index.php": PRINT_ENV,
    "wp-login.php": PRINT_ENV,
    "wp-admin/index.php": PRINT_ENV,
    "wp-content/uploads/logo.txt": "logo",
    "wp-content/uploads/evil.php": PRINT_ENV,
}


def test_front_controller(run, live, php):
    server = run("front-controller.conf", FRONT, PHP_FPM=f"unix:{php.socket}")
    check_rows(server, live, [
        ("/", CAROL, 200), ("/", NOBODY, 401), ("/some/page/", NOBODY, 401), ("/index.php/some/page", NOBODY, 401),
        ("/wp-admin/", ALICE, 200), ("/wp-admin/", BOB, 403), ("/wp-admin/", NOBODY, 401), ("/wp-admin//index.php", BOB, 403),
        ("/wp-login.php", ALICE, 200), ("/wp-login.php", BOB, 403), ("/wp-login.php/x", BOB, 403), ("//wp-login.php", BOB, 403),
        ("/wp%2dlogin.php", BOB, 403),
        ("/wp-content/uploads/logo.txt", NOBODY, 200), ("/wp-content/uploads/evil.php", ALICE, 403),
        ("/wp-content/uploads/evil.php/x", ALICE, 403),
    ])
    assert ask(server, live, "/wp-login.php%3f.php", BOB).env()["SCRIPT_NAME"] == "/index.php"
    env = ask(server, live, "/some/page/?q=1", ALICE, "browser").env()
    assert env["REMOTE_USER"] == env["CLERK_USER_ID"] and env["REQUEST_URI"] == "/some/page/?q=1"
    assert env["CLERK_ORG_ROLE"] == "org:admin"


def test_mediawiki(run, live, php):
    """What httpd decides. The rest is in tests/applications."""
    files = {name: PRINT_ENV for name in ("index.php", "api.php", "mw-config/index.php", "includes/Setup.php", "extensions/Cite/Cite.php", "images/evil.php")}
    files |= {"extensions/Cite/cite.css": "css", "images/logo.txt": "logo", "images/deleted/logo.txt": "deleted", "cache/texts": "texts", "includes/x": "x"}
    server = run("mediawiki.conf", files, secret=True, PHP_FPM=f"unix:{php.socket}")
    for path in ("/", "/index.php", "/index.php/Main_Page", "/api.php", "/extensions/Cite/cite.css", "/images/logo.txt"):
        check_rows(server, live, [(path, CAROL, 200), (path, NOBODY, 401)])
    for path in ("/mw-config/", "/mw-config/index.php", "/includes/Setup.php", "/includes/x", "/includes/", "/extensions/Cite/Cite.php", "/images/evil.php",
                 "/images/evil.php/x", "/images/deleted/logo.txt", "/images/deleted", "/cache/texts", "/images/../cache/texts"):
        assert ask(server, live, path, ALICE).status == 403, path
    env = ask(server, live, "/index.php/Main_Page", ALICE, "browser").env()
    assert (env["CLERK_USER_ID"], env["CLERK_USER_NAME"], env["CLERK_ORG_ROLE"]) == ("user_alice", "Alice Liddell", "org:admin")
    assert "/clerk/sign-in?redirect_url=" in ask(server, live, "/", NOBODY, headers=NAVIGATION).location


def test_proxied_application(run, live, echo):
    server = run("proxied-application.conf", APP_URL=echo.url.rstrip("/"))
    check_rows(server, live, [
        ("/", CAROL, 200), ("/", NOBODY, 401), ("/admin", ALICE, 200), ("/admin/x", BOB, 403), ("/admin/x", DAVE, 403), ("/admin/x", NOBODY, 401),
        ("/health", NOBODY, 200),
    ])
    answer = server.get("/page", XHR | browser(live, *ALICE) | {"x_clerk_user_id": "user_evil", "X-Clerk-Org-Role": "org:owner"})
    assert answer.status == 200 and "evil" not in answer.text and "org:owner" not in answer.text
    assert re.search(r"^X-Clerk-User-Id: user_alice$", answer.text, re.M | re.I), answer.text
    assert re.search(r"^X-Clerk-Org-Role: org:admin$", answer.text, re.M | re.I)
    assert "eyJ" not in answer.text
    assert "evil" not in server.get("/health", {"X-Clerk-User-Id": "user_evil"}).text


def test_static_site(run, live):
    server = run("static-site.conf", {"index.html": "in", "reports/q1.html": "q1", "public/index.html": "out"})
    check_rows(server, live, [
        ("/", CAROL, 200), ("/", NOBODY, 401), ("/reports/q1.html", ALICE, 200), ("/reports/q1.html", BOB, 403),
        ("/reports/q1.html", DAVE, 403), ("/reports/q1.html", NOBODY, 401), ("/reports/none", NOBODY, 401), ("/public/", NOBODY, 200),
        ("/public/../reports/q1.html", NOBODY, 401),
    ])
    assert ask(server, live, "/reports/q1.html", NOBODY, headers=NAVIGATION).status == 307


def test_multi_tenant(run, live):
    files = {f"org/{slug}/{page}": slug for slug in ("acme", "globex") for page in ("index.html", "admin/index.html")}
    server = run("multi-tenant.conf", {"index.html": "all", **files})
    check_rows(server, live, [
        ("/", CAROL, 200), ("/org/", CAROL, 403), ("/org/acme/", ALICE, 200), ("/org/acme/", BOB, 200), ("/org/acme/", DAVE, 403), ("/org/acme/", CAROL, 403),
        ("/org/globex/", DAVE, 200), ("/org/globex/", ALICE, 403), ("/org/acme/", NOBODY, 401),
        ("/org/acme/admin/", ALICE, 200), ("/org/acme/admin/", BOB, 403), ("/org/acme/admin/", DAVE, 403), ("/org/globex/admin/", ALICE, 403),
        ("/org/acme/../globex/", ALICE, 403), ("/org//globex/", ALICE, 403), ("/org/acme%2f..%2fglobex/", ALICE, 404),
    ], how="bearer")
    moved = ask(server, live, "/org/globex/", ALICE, "browser", headers=NAVIGATION)
    assert moved.status == 307 and "organization_id=globex" in moved.location


def test_optional_sign_in(run, live, php):
    server = run("optional-sign-in.conf", {"index.php": PRINT_ENV, "members/index.php": PRINT_ENV, "assets/a.css": "a"}, PHP_FPM=f"unix:{php.socket}")
    check_rows(server, live, [("/", CAROL, 200), ("/", NOBODY, 200), ("/members/", CAROL, 200), ("/members/", NOBODY, 401), ("/assets/a.css", NOBODY, 200)])
    stranger, known = ask(server, live, "/", NOBODY).env(), ask(server, live, "/", CAROL, "browser").env()
    assert "REMOTE_USER" not in stranger and stranger["CLERK_AUTH_STATUS"] == "signed-out"
    assert known["REMOTE_USER"] == "user_carol" and known["CLERK_AUTH_STATUS"] == "signed-in"
    assert "private" in (ask(server, live, "/", CAROL, "browser").header("Cache-Control") or "")


def test_people_by_name(run, live, php):
    files = {"index.php": PRINT_ENV, "intranet/index.php": PRINT_ENV}
    before = f'<FilesMatch "\\.php$">\n    SetHandler "proxy:unix:{php.socket}|fcgi://localhost"\n</FilesMatch>\nDirectoryIndex index.php\n'
    server = run("people-by-name.conf", files, before=before, secret=True)
    told = {"email": "alice@example.test", "email_verified": True}

    def get(path, **claims):
        return server.get(path, XHR | bearer(live, "alice", claims=claims))

    calls, answer = live.count("user"), get("/", **told)
    assert answer.status == 200 and answer.env()["REMOTE_USER"] == "alice@example.test" and live.count("user") == calls
    assert get("/", **told | {"email_verified": False}).status == 403
    assert get("/", email=told["email"]).status == 403
    env = get("/intranet/").env()
    assert (env["REMOTE_USER"], env["CLERK_USER_NAME"], env["CLERK_CLAIM_DEPARTMENT"]) == ("alice@example.test", "Alice Liddell", "sales")
    for path in ("/", "/intranet/"):
        assert ask(server, live, path, NOBODY).status == 401
    server.log.announce("AC3063", "AC3203")
    assert get("/", email_verified=True).status == 403
    live.user("bob").email_status = "unverified"
    assert ask(server, live, "/intranet/", BOB).status == 403
    live.user("bob").email_status = "verified"


def test_step_up(run, live):
    server = run("step-up.conf", {"index.html": "in", "account/delete/index.html": "deleted"})

    def status(claims, path="/account/delete/", headers=None):
        return server.get(path, (headers or XHR) | bearer(live, "alice", claims=claims)).status

    assert status({"fva": [20, -1]}, "/") == 200
    assert status({"fva": [2, -1]}) == 200
    assert status({"fva": [20, 2]}) == 200
    assert status({"fva": [20, -1]}) == 403
    assert status({"fva": [2, 20]}) == 403
    assert status({"fva": [2, -1], "act": {"sub": "user_support"}}) == 403
    assert ask(server, live, "/account/delete/", NOBODY).status == 401
    refused = server.get("/account/delete/", XHR | bearer(live, "alice", claims={"fva": [20, -1]}))
    assert refused.json()["clerk_error"]["metadata"]["reverification"] == "strict"


def test_api(run, live, echo):
    server = run("api.conf", APP_URL=echo.url.rstrip("/"))
    check_rows(server, live, [("/api/x", ALICE, 200), ("/api/x", NOBODY, 401), ("/api/invoices", ALICE, 200), ("/api/invoices", CAROL, 403)], how="bearer")
    check_rows(server, live, [("/api/x", ALICE, 401), ("/api/invoices", ALICE, 401)], how="browser")
    for headers in (NAVIGATION, NAVIGATION | browser(live)):
        answer = server.get("/api/x", headers)
        assert answer.status == 401 and answer.header("WWW-Authenticate") == 'Bearer realm="Example API"'
    answer = server.get("/api/x", {"Authorization": "Bearer rubbish"})
    assert answer.status == 401 and 'error="invalid_token"' in answer.header("WWW-Authenticate")
    assert server.request("OPTIONS", "/api/x", {"Origin": PARTY}).status != 401
    assert ask(server, live, "/api/x", NOBODY).header("Access-Control-Allow-Origin") == PARTY


# Faults, C: applications and accounts that were there before Clerk


def mailed(name):
    """Claims with the e-mail address of a user."""
    return {"claims": {"email": f"{name}@example.com"}}


def test_user_header(run, live, echo):
    server = run("user-header.conf", APP_URL=echo.url.rstrip("/"))
    server.log.announce("AC3063")
    check_rows(server, live, [("/", NOBODY, 401), ("/", CAROL, 403)])
    forged = {"X-WEBAUTH-USER": "root@example.com", "x-webauth-user": "root@example.com", "Connection": "x-webauth-user"}
    answer = server.get("/page", XHR | forged | browser(live, "carol", **mailed("carol")))
    assert re.findall(r"^X-WEBAUTH-USER: (.*?)\r?$", answer.text, re.M | re.I) == ["carol@example.com"], answer.text
    assert "eyJ" not in answer.text and server.get("/page", XHR | forged).status == 401


def test_nagios(run, live, php):
    script = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec env\n"
    server = run("nagios.conf", {"cgi-bin/status.cgi": script, "htdocs/index.php": PRINT_ENV, "stylesheets/a.css": "a"}, PHP_FPM=f"unix:{php.socket}")
    server.log.announce("AC3063")
    for path in ("/nagios4/", "/nagios4/stylesheets/a.css", "/nagios4/cgi-bin/status.cgi"):
        assert ask(server, live, path, NOBODY).status == 401 and ask(server, live, path, ALICE).status == 403
        assert server.get(path, XHR | browser(live, "bob", "acme", **mailed("bob"))).status == 403  # a member
        assert server.get(path, XHR | browser(live, "dave", "globex", **mailed("dave"))).status == 403  # admin elsewhere
        assert server.get(path, XHR | browser(live, "alice", "acme", **mailed("alice"))).status == 200
    env = server.get("/nagios4/cgi-bin/status.cgi?host=all", XHR | bearer(live, "alice", "acme", **mailed("alice"))).env()
    assert env["REMOTE_USER"] == "alice@example.com"


def test_phpmyadmin(run, live, php):
    script = next(block for block in re.findall(r"^```php\n(.*?)^```$", PAGE, re.M | re.S) if "get_login_credentials" in block)
    index = script.replace("/etc/phpmyadmin/pma-password", "/dev/null") + "header('Content-Type: text/plain');\necho json_encode(get_login_credentials(''));\n"
    server = run("phpmyadmin.conf", {"index.php": index, "vendor/autoload.php": "<?php echo 'run';", "themes/a.css": "a"},
                 PHP_FPM=f"unix:{php.socket}")
    check_rows(server, live, [
        ("/phpmyadmin/", ALICE, 200), ("/phpmyadmin/", BOB, 403), ("/phpmyadmin/", DAVE, 403), ("/phpmyadmin/", NOBODY, 401),
        ("/phpmyadmin/index.php/x", BOB, 403),
        ("/phpmyadmin/themes/a.css", NOBODY, 401), ("/phpmyadmin/vendor/autoload.php", ALICE, 403), ("/phpmyadmin/vendor/", ALICE, 403),
    ])
    assert ask(server, live, "/phpmyadmin/", ALICE, "browser").json() == ["pma", ""]
    assert server.get("/phpmyadmin/", XHR | bearer(live, "alice", "acme", claims={"act": {"sub": "user_support"}})).status == 403


def test_group_file(run, live):
    groups = "editors: alice@example.com dave@example.com\nothers: bob@example.com\n"
    server = run("group-file.conf", {"index.html": "in", "groups": groups}, modules=("authz_groupfile",), GROUP_FILE="site/groups")
    server.log.announce("AC3063")
    for name, status in (("alice", 200), ("bob", 403), ("dave", 200), ("ALICE", 403)):
        assert server.get("/", XHR | browser(live, name.lower(), **mailed(name))).status == status, name
    check_rows(server, live, [("/", ALICE, 403), ("/", NOBODY, 401)])


def test_basic_beside(run, live):
    passwords = "backup:{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode() + "\n"
    server = run("basic-beside.conf", {"index.html": "in", "admin/index.html": "admin", "passwords": passwords}, PASSWORD_FILE="site/passwords")
    server.log.announce("AH01617", "AH01618")
    check_rows(server, live, [("/", CAROL, 200), ("/", NOBODY, 401), ("/admin/", ALICE, 200), ("/admin/", BOB, 403)])
    assert ask(server, live, "/", NOBODY, headers=NAVIGATION).status == 307
    for credentials, status in (("backup:secret", 200), ("backup:wrong", 401), ("user_alice:", 401)):
        for scheme in ("Basic", "basic"):
            headers = {"Authorization": f"{scheme} " + base64.b64encode(credentials.encode()).decode()}
            assert server.get("/", XHR | headers).status == status, credentials
            assert server.get("/admin/", XHR | headers).status == 401, credentials
            # The password counts, or its lack, whatever else there is.
            assert server.get("/", XHR | headers | browser(live)).status == status, credentials
    assert server.get("/", XHR | {"Authorization": "Basic"} | browser(live)).status == 401


def secret_key(live, tmp_path):
    """The lines of a server that has the secret key."""
    path = tmp_path / "secret-key"
    path.touch(0o600)
    path.write_text(live.secret_key)
    return f"ClerkSecretKey file:{path}\nClerkAPIURL {live.url}\n"


def test_programs(run, live, echo, tmp_path):
    server = run("programs.conf", before=secret_key(live, tmp_path), APP_URL=f"http://127.0.0.1:{echo.port}")
    good, other = (live.machine_token(scopes=[scope]) for scope in ("orders:read", "orders:write"))
    for token, status in ((good.secret, 200), (other.secret, 403), (live.m2m_jwt(), 200), (live.oauth_jwt(), 401), ("ak_x", 401)):
        answer = server.get("/api/orders", XHR | {"Authorization": f"Bearer {token}"})
        assert answer.status == status, (token, answer)
        if token == good.secret:
            assert "X-Clerk-Api-Key-Id: " + good.id in answer.text and good.secret not in answer.text
    assert server.get("/api/orders", NAVIGATION).status == 307


@pytest.mark.skipif(not shutil.which("/usr/lib/git-core/git-http-backend"), reason="git is not installed")
def test_git_with_an_api_key(run, live, tmp_path):
    # The repository belongs to the user who runs the tests, not to the one httpd runs as.
    trust = "SetEnv GIT_CONFIG_COUNT 1\nSetEnv GIT_CONFIG_KEY_0 safe.directory\nSetEnv GIT_CONFIG_VALUE_0 *\n"
    server = run("git-api-key.conf", before=secret_key(live, tmp_path) + trust)
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {f"GIT_{who}_{what}": "x@example.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def git(*arguments):
        return subprocess.run(["git", *map(str, arguments)], capture_output=True, text=True, env=environment, check=False).returncode

    repository = server.root / "site/git/project.git"
    assert git("init", "--bare", "-q", "-b", "main", repository) == 0
    subprocess.run(["chmod", "-R", "a+rwX", repository.parent], check=True)
    url = f"http://git:{{}}@127.0.0.1:{server.port}/git/project.git"
    key = live.machine_token().secret
    assert git("clone", "-q", url.format(key), tmp_path / "work") == 0
    (tmp_path / "work/file").write_text("text\n")
    assert git("-C", tmp_path / "work", "add", "file") == git("-C", tmp_path / "work", "commit", "-q", "-m", "first") == 0
    assert git("-C", tmp_path / "work", "push", "-q", "origin", "HEAD:main") == 0
    assert git("clone", "-q", url.format(key), tmp_path / "again") == 0
    assert (tmp_path / "again/file").read_text() == "text\n"
    assert git("clone", "-q", url.format("ak_wrong"), tmp_path / "no") != 0
    assert git("clone", "-q", url.format(key).replace(f"git:{key}@", ""), tmp_path / "no") != 0


@pytest.fixture(name="subversion_module")
def _subversion_module():
    installed = Apxs().libexecdir / "mod_dav_svn.so"
    module = os.environ.get("CLERK_MOD_DAV_SVN") or (installed.exists() and str(installed))
    if not module or not shutil.which("svn"):
        pytest.skip("subversion is not installed")
    return f'LoadModule dav_svn_module "{module}"\n'


def test_subversion_with_an_api_key(run, live, tmp_path, subversion_module):
    server = run("subversion-api-key.conf", before=subversion_module + secret_key(live, tmp_path), modules=("dav",))
    (server.root / "site/svn").mkdir()
    subprocess.run(["svnadmin", "create", server.root / "site/svn/project"], check=True)
    subprocess.run(["chmod", "-R", "a+rwX", server.root / "site/svn"], check=True)
    url = f"http://127.0.0.1:{server.port}/svn/project"
    writer = live.machine_token(subject="user_alice", scopes=["repository:write"]).secret
    reader = live.machine_token(subject="user_bob").secret
    revoked = live.machine_token(revoked=True).secret
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    def svn(*arguments, key=writer):
        options = ["--non-interactive", "--no-auth-cache", *(("--username", "somebody", "--password", key) if key else ())]
        return subprocess.run(["svn", *options, *map(str, arguments)], capture_output=True, text=True, env=environment, check=False)

    def must(*arguments, key=writer):
        done = svn(*arguments, key=key)
        assert done.returncode == 0, done
        return done.stdout

    work, again = tmp_path / "work", tmp_path / "again"
    must("checkout", url, work)
    (work / "file").write_text("text\n")
    must("add", work / "file")
    must("commit", "-m", "first", work)
    must("mkdir", "-m", "second", f"{url}/branches")
    must("copy", "-m", "third", f"{url}/file", f"{url}/branches/file")
    must("update", work)
    assert re.findall(r"^r(\d+) \| (\S+) \|", must("log", url, key=reader), re.M) == [("3", "user_alice"), ("2", "user_alice"), ("1", "user_alice")]
    must("checkout", url, again, key=reader)
    assert (again / "file").read_text() == (again / "branches/file").read_text() == "text\n"
    assert "user_alice" in must("blame", f"{url}/file", key=reader)
    must("lock", work / "file")
    must("unlock", work / "file")
    (again / "file").write_text("changed\n")
    done = svn("commit", "-m", "no", again, key=reader)
    assert done.returncode == 1 and re.search(r"E175013: Access to '.*' forbidden", done.stderr), done
    for key in (None, "ak_wrong", revoked):
        for arguments in (["checkout", url, tmp_path / "no"], ["mkdir", "-m", "no", f"{url}/no"]):
            done = svn(*arguments, key=key)
            assert done.returncode == 1 and re.search("E215004: No more credentials.*\nAuthentication failed", done.stderr), (key, done)
    assert must("ls", url) == "branches/\nfile\n" and "Revision: 3\n" in must("info", url)
    for secret in (writer, reader, revoked):
        assert secret not in server.log.text()


def test_webdav_with_an_api_key(run, live, tmp_path):
    """And a tree beside it with passwords of its own, which has nothing to do with Clerk."""
    passwords = "backup:{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode() + "\n"
    beside = ('ClerkAcceptTokens any\nClerkAcceptBasic On\n<Location "/backup">\nAuthType Basic\nAuthName "Backup"\nAuthBasicProvider file\n'
              'AuthUserFile "site/passwords"\nRequire valid-user\n</Location>\n')
    # What the page says to write instead of `Require valid-user`.
    (scoped,) = re.findall(r"^```apache\n( *<RequireAll>\n(?:(?!```).*\n)*?.*files:write\n(?:(?!```).*\n)*?)```$", PAGE, re.M)
    beside += f'<Location "/scoped">\nDav On\nAuthType Clerk\nClerkAcceptTokens api-key\n{scoped}</Location>\n'
    server = run("webdav-api-key.conf", {"files/run.cgi": "#!/bin/sh\n", "dav-locks/empty": "", "passwords": passwords},
                 before=secret_key(live, tmp_path) + beside, modules=("dav", "dav_fs"))
    server.write("backup/index.html", "a backup")
    server.write("scoped/a.txt", "text").parent.chmod(0o777)
    server.log.announce("AH01617", "AH01618")
    for name in ("files", "dav-locks"):
        (server.root / "site" / name).chmod(0o777)
    key = live.machine_token().secret

    def ask(method, path, who, body=None, **headers):
        authorization = {"Authorization": "Basic " + base64.b64encode(who.encode()).decode()} if who else {}
        return server.request(method, path, XHR | authorization | headers, body)

    assert ask("PUT", "/files/a.txt", f"anybody:{key}", b"text").status == 201
    listing = ask("PROPFIND", "/files/", f":{key}", Depth="1")
    assert listing.status == 207 and "/files/a.txt" in listing.text
    assert ask("GET", "/files/a.txt", f"anybody:{key}").text == "text"
    assert ask("GET", "/files/run.cgi", f"anybody:{key}").text == "#!/bin/sh\n"
    assert ask("MKCOL", "/files/more/", f"anybody:{key}").status == 201
    assert ask("MOVE", "/files/a.txt", f"anybody:{key}", Destination=f"http://127.0.0.1:{server.port}/files/more/b.txt").status == 201
    assert ask("DELETE", "/files/more/", f"anybody:{key}").status == 204
    for who in (None, "anybody:ak_wrong", "backup:secret", f"{key}:"):
        for method in ("PUT", "PROPFIND", "DELETE", "GET"):
            answer = ask(method, "/files/run.cgi", who, b"changed" if method == "PUT" else None)
            assert answer.status == 401, (who, method)
            assert [one.split()[0] for one in answer.all("WWW-Authenticate")] == ["Bearer", "Basic"]
    assert (server.root / "site/files/run.cgi").read_text() == "#!/bin/sh\n"
    assert server.get("/files/", NAVIGATION).status == 307
    writer = live.machine_token(scopes=["files:write"]).secret
    for method, path, who, status in (("PUT", "/scoped/b.txt", key, 403), ("PUT", "/scoped/b.txt", writer, 201), ("PROPFIND", "/scoped/", key, 207),
                                      ("GET", "/scoped/b.txt", key, 200), ("DELETE", "/scoped/b.txt", key, 403), ("DELETE", "/scoped/b.txt", writer, 204),
                                      ("PUT", "/scoped/b.txt", "ak_wrong", 401)):
        depth = {"Depth": "1"} if method == "PROPFIND" else {}
        assert ask(method, path, f"anybody:{who}", b"text" if method == "PUT" else None, **depth).status == status, (method, who)
    calls = live.count("verify-api-key")
    for who, status in ((None, 401), ("backup:secret", 200), ("backup:wrong", 401), (f"backup:{key}", 401), (f"{key}:", 401)):
        answer = ask("GET", "/backup/", who)
        assert answer.status == status, who
        assert answer.all("WWW-Authenticate") == ([] if status == 200 else ['Basic realm="Backup"'])
    assert live.count("verify-api-key") == calls, "nobody asks Clerk about passwords of others"
