# SPDX-License-Identifier: Apache-2.0
"""The traps that docs/directives.md warns of, and the recommended configurations."""

import os

import pytest
from pyclerk import http2
from pyclerk.clerk import NAVIGATION, XHR, bearer, browser, directives, protect

LOCAL = "Order deny,allow\nDeny from all\nAllow from 127.0.0.1"


def test_auth_type_alone_is_open(httpd, live):
    httpd.configure(directives(httpd, live) + protect("/open", []))
    httpd.write("open/index.html", "open")
    httpd.log.announce("AC3022", "AC3121")
    assert "AC3022" in httpd.check()[1]
    httpd.start()
    assert httpd.get("/open/", XHR).status == 200


def test_auth_type_alone_before_a_proxy_is_an_error(httpd, live, echo):
    httpd.configure(directives(httpd, live) + protect("/app", [], f"ProxyPass {echo.url}"))
    httpd.log.announce("AC3022", "AH01627")
    assert "httpd answers 500" in httpd.check()[1]
    httpd.start()
    assert httpd.get("/app/", XHR).status == 500
    assert httpd.get("/app/", XHR | bearer(live)).status == 500


def test_an_open_directory_whose_index_is_protected(httpd, live):
    httpd.write("d/index.html", "members only")
    httpd.configure(directives(httpd, live) + f'<Directory "{httpd.docroot}/d">\nOptions +Indexes\nDirectoryIndex index.html\n'
                    + protect("index.html", kind="Files") + "</Directory>\n").start()
    stranger = NAVIGATION | {"Cookie": "__client_uat=0"}
    listing = httpd.get("/d/", stranger)
    assert listing.status == 401 and "index.html" not in listing.text
    assert httpd.get("/d/index.html", stranger).status == 307
    assert httpd.get("/d/", browser(live)).text == "members only"


@pytest.mark.skipif(os.environ.get("MPM") == "prefork", reason="HTTP/2 needs threads")
def test_upgrading_to_http_2_without_tls(httpd, live):
    for name in ("p", "stripped"):
        httpd.write(f"{name}/index.html", "members only")
    httpd.configure("Protocols h2c http/1.1\n" + directives(httpd, live) + protect("/p") + protect("/stripped", ["valid-user"], "ClerkStripCredentials On"),
                    modules=("http2",)).start()
    credentials = [*(XHR | bearer(live)).items()]
    change = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
    assert [http2.upgrade(httpd.port, path, credentials + change).status for path in ("/p/", "/stripped/")] == [200, 401]
    assert [http2.request(httpd.port, "GET", path, credentials).status for path in ("/p/", "/stripped/")] == [200, 200]


def test_require_lines_are_alternatives(httpd, live):
    httpd.configure(directives(httpd, live) + protect("/any", ["valid-user", "clerk-role admin"])
                    + protect("/all", [], "<RequireAll>", "Require valid-user", "Require clerk-role admin", "</RequireAll>"))
    for path in ("any", "all"):
        httpd.write(f"{path}/index.html", path)
    httpd.start()
    assert [httpd.get(f"/{path}/", XHR | bearer(live, "carol")).status for path in ("any", "all")] == [200, 403]


def test_satisfy_any_skips_authentication(httpd, live):
    httpd.configure(directives(httpd, live) + protect("/x", ["valid-user"], "Satisfy Any", *LOCAL.splitlines()))
    httpd.cgi("x/env.cgi")
    httpd.start()
    answer = httpd.get("/x/env.cgi", bearer(live))
    assert answer.status == 200 and "REMOTE_USER" not in answer.env()


@pytest.mark.parametrize("quick", ["On", "Off"])
def test_a_cache_stores_no_response_to_a_signed_in_user(httpd, live, quick):
    cache = httpd.root / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    httpd.configure(
        directives(httpd, live) + protect("/x") + f'CacheRoot "{cache}"\nCacheEnable disk /\nCacheQuickHandler {quick}\nCacheDefaultExpire 600\n',
        modules=("cache", "cache_disk"),
    )
    for path, text in (("x/index.html", "members only"), ("all/index.html", "for all")):
        os.utime(httpd.write(path, text), (1e9, 1e9))
    httpd.start()
    for headers in (bearer(live), browser(live)):
        assert httpd.get("/x/", XHR | headers).status == 200
        assert httpd.get("/x/", XHR).status == 401
    assert httpd.get("/all/").status == 200
    assert [path for path in cache.rglob("*.data") if "for all" in path.read_text("utf-8", "replace")]
    assert not [path for path in cache.rglob("*.data") if "members" in path.read_text("utf-8", "replace")]


@pytest.mark.parametrize("quick,cache_control,status", [("On", "private, no-cache", 401), ("On", "private", 200), ("Off", "private", 401)])
def test_the_quick_handler_serves_what_was_stored_to_everybody(httpd, live, quick, cache_control, status):
    """With CacheStorePrivate. What we add by default makes the cache ask again."""
    cache = httpd.root / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    httpd.configure(
        directives(httpd, live) + protect("/x") + f'CacheRoot "{cache}"\nCacheEnable disk /\nCacheDefaultExpire 600\nCacheStorePrivate On\n'
        f'CacheQuickHandler {quick}\nClerkCacheControl "{cache_control}"\n',
        modules=("cache", "cache_disk"),
    )
    os.utime(httpd.write("x/index.html", "members only"), (1e9, 1e9))  # old enough to be fresh in a cache for long
    httpd.start()
    assert httpd.get("/x/", XHR | browser(live)).status == 200
    assert httpd.get("/x/", XHR).status == status


@pytest.mark.parametrize("override,status", [("None", 200), ("AuthConfig", 401), ("FileInfo", 500)])
def test_htaccess_needs_allow_override(httpd, live, override, status):
    httpd.configure(directives(httpd, live) + f'<Directory "{httpd.docroot}/x">\n    AllowOverride {override}\n</Directory>\n')
    httpd.write("x/index.html", "x")
    httpd.write("x/.htaccess", "AuthType Clerk\nRequire valid-user\n")
    httpd.log.announce("AuthType not allowed here")
    httpd.start()
    assert httpd.get("/x/", XHR).status == status


@pytest.mark.parametrize("line,passed", [("", False), ("CGIPassAuth On", True)], ids=["default", "on"])
def test_authorization_reaches_cgi_only_where_it_is_passed(httpd, live, line, passed):
    httpd.configure(directives(httpd, live) + protect("/x", ["valid-user"], line))
    httpd.cgi("x/env.cgi")
    httpd.start()
    answer = httpd.get("/x/env.cgi", bearer(live))
    assert answer.env()["REMOTE_USER"] == "user_alice"
    assert ("HTTP_AUTHORIZATION" in answer.env()) == passed


def test_a_server_wide_rule_has_no_user(httpd, live):
    rule = 'RewriteEngine On\nRewriteCond "%{ENV:CLERK_USER_ID}" "^user_"\nRewriteRule "/page$" "/x/known.html"\n'
    httpd.configure(directives(httpd, live) + protect("/x") + rule)
    httpd.write("x/page", "page")
    httpd.write("x/known.html", "known")
    httpd.write("x/deep/page", "page")
    httpd.write("x/deep/known.html", "known")
    httpd.write("x/deep/.htaccess", 'RewriteEngine On\nRewriteCond "%{ENV:CLERK_USER_ID}" "^user_"\nRewriteRule "^page$" "known.html"\n')
    httpd.start()
    assert httpd.get("/x/page", bearer(live)).text == "page"
    assert httpd.get("/x/deep/page", bearer(live)).text == "known"
