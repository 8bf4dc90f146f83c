# SPDX-License-Identifier: Apache-2.0
"""What `httpd -t` refuses and warns about, and how sections, servers and .htaccess files are merged."""

import os
import re
import socket

import pytest
from clerk_emulator import Key
from pyclerk import HttpdError
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, browser, directives, protect

PK_LIVE = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"  # clerk.example.com
PK_TEST = "pk_test_aGFwcHktaGlwcG8tMS5jbGVyay5hY2NvdW50cy5kZXYk"


@pytest.fixture(scope="module")
def checker(make_httpd):
    return make_httpd()


def check(server, text, env=(), **options):
    server.env = dict(env)
    server.configure(text, **options)
    return server.check()


def line_of(server, needle):
    return next(number for number, line in enumerate(server.conf.read_text().splitlines(), 1) if needle in line)


def test_the_smallest_useful_configuration(checker):
    """The keys from the environment, AuthType and Require."""
    code, output = check(
        checker, "ClerkPublishableKey env:PK\nClerkSecretKey env:SK\nClerkAuthorizedParties https://a.example\n" + protect("/p"),
        {"PK": PK_LIVE, "SK": "sk_live_abc"},
    )
    assert (code, "AC" in output) == (0, False), output


def test_keys_come_from_the_environment_by_themselves(checker):
    env = {"CLERK_PUBLISHABLE_KEY": PK_LIVE, "CLERK_SECRET_KEY": "sk_live_abc", "CLERK_API_URL": "https://api.clerk.com"}
    code, output = check(checker, "ClerkAuthorizedParties https://a.example\n" + protect("/p"), env)
    assert code == 0, output


def test_the_module_alone_changes_nothing(checker):
    assert check(checker, "")[0] == 0


SECRET = "sk_live_4567890abcdefghijklmnopqrstuvwxyz"

# (name, directives, texts of the message)
REFUSALS = [
    ("literal-secret", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey {SECRET}", ["env:NAME", "file:/", "exec:/"]),
    ("secret-as-publishable", f"ClerkPublishableKey {SECRET}", ["secret key", "ClerkSecretKey", "env:NAME"]),
    ("live-with-test", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey env:SK_TEST", ["ClerkPublishableKey and ClerkSecretKey", "live", "test"]),
    ("test-with-live", f"ClerkPublishableKey {PK_TEST}\nClerkSecretKey env:SK_LIVE", ["ClerkPublishableKey and ClerkSecretKey", "live", "test"]),
    ("pk-no-base64", "ClerkPublishableKey pk_live_!!!", ["ClerkPublishableKey", "Clerk dashboard"]),
    ("pk-no-prefix", "ClerkPublishableKey Y2xlcmsuZXhhbXBsZS5jb20k", ["pk_live_", "pk_test_"]),
    ("pk-no-dollar", "ClerkPublishableKey pk_live_Y2xlcmsuZXhhbXBsZS5jb20", ["ClerkPublishableKey", "Clerk dashboard"]),
    ("pk-no-dot", "ClerkPublishableKey pk_live_bG9jYWxob3N0JA", ["ClerkPublishableKey", "Clerk dashboard"]),
    ("pk-path-in-host", "ClerkPublishableKey pk_live_YS9iLmM/ZCQ", ["ClerkPublishableKey", "Clerk dashboard"]),
    ("env-missing", "ClerkPublishableKey env:NO_SUCH_VARIABLE", ["NO_SUCH_VARIABLE", "envvars"]),
    ("file-missing", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey file:/nonexistent/key", ["/nonexistent/key"]),
    ("file-relative", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey file:key", ["absolute path"]),
    ("exec-fails", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/bin/false", ["/bin/false"]),
    ("exec-relative", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:false", ["absolute path"]),
    ("secret-empty", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/bin/true", ["empty"]),
    ("pem-literal", f"ClerkPublishableKey {PK_LIVE}\nClerkJWTKey MIIBIjANBg", ["PEM", "file:/"]),
    ("pem-broken", f"ClerkPublishableKey {PK_LIVE}\nClerkJWTKey exec:/bin/echo hello", ["ClerkJWTKey", "PEM"]),
    ("jwks-url", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSURL ftp://a.example/x", ["ftp://a.example/x", "https://"]),
    ("jwks-http", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSURL http://a.example/x", ["http://a.example/x", "loopback"]),
    ("jwks-http-trick", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSURL http://127.0.0.1.evil.example/x", ["loopback"]),
    ("jwks-userinfo", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSURL https://u:p@a.example/x", ["https://"]),
    ("api-http", f"ClerkPublishableKey {PK_LIVE}\nClerkAPIURL http://api.example", ["loopback"]),
    ("frontend-http", f"ClerkPublishableKey {PK_LIVE}\nClerkFrontendAPI http://clerk.example", ["loopback"]),
    ("proxy-url", f"ClerkPublishableKey {PK_LIVE}\nClerkProxyURL //evil.example/x", ["ClerkProxyURL", "/__clerk"]),
    ("http-proxy", f"ClerkPublishableKey {PK_LIVE}\nClerkHTTPProxy proxy.example", ["http://host:port"]),
    ("http-proxy-host", f"ClerkPublishableKey {PK_LIVE}\nClerkHTTPProxy http://u:{SECRET}@:3128", ["ClerkHTTPProxy", "it has no host"]),
    ("http-proxy-port", f"ClerkPublishableKey {PK_LIVE}\nClerkHTTPProxy http://proxy.example:port", ["its port is malformed"]),
    ("ca-file", f"ClerkPublishableKey {PK_LIVE}\nClerkCAFile /nonexistent.pem", ["/nonexistent.pem"]),
    ("issuer", f"ClerkPublishableKey {PK_LIVE}\nClerkIssuer clerk.example.com", ["auto, any"]),
    ("issuer-mixed", f"ClerkPublishableKey {PK_LIVE}\nClerkIssuer any https://clerk.example.com", ["alone"]),
    ("satellite-alone", f"ClerkPublishableKey {PK_LIVE}\nClerkSatellite On", ["ClerkDomain", "ClerkProxyURL"]),
    ("ttl", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSCacheTTL soon", ["'soon'", "30s"]),
    ("ttl-negative", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSCacheTTL -5", ["'-5'"]),
    ("ttl-range", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSCacheTTL 900000s", ["out of range"]),
    ("stale-below-ttl", f"ClerkPublishableKey {PK_LIVE}\nClerkJWKSCacheTTL 1h\nClerkJWKSMaxStale 5m", ["ClerkJWKSMaxStale", "ClerkJWKSCacheTTL"]),
    ("timeout", f"ClerkPublishableKey {PK_LIVE}\nClerkHTTPTimeout 0", ["out of range"]),
    ("shared-memory", f"ClerkPublishableKey {PK_LIVE}\nClerkSharedMemory 3", ["ClerkSharedMemory", "64K"]),
    ("sources", f"ClerkPublishableKey {PK_LIVE}\nClerkTokenSources headers", ["'headers'", "header, cookie"]),
    ("parties-slash", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://a.example/", ["https://a.example/", "never matches"]),
    ("parties-host", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties a.example", ["'a.example'", "origin"]),
    ("parties-case", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://A.example", ["https://A.example", "never matches"]),
    ("parties-port", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://a.example:443", ["https://a.example:443", "never matches"]),
    ("parties-no-host", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties http://:80", ["no host"]),
    ("audience-empty", f'ClerkPublishableKey {PK_LIVE}\nClerkAudience ""', ["ClerkAudience"]),
    ("skew", f"ClerkPublishableKey {PK_LIVE}\nClerkClockSkew 5x", ["'5x'"]),
    ("unauthenticated", f"ClerkPublishableKey {PK_LIVE}\nClerkUnauthenticated redirect", ["'redirect'", "auto, challenge, sign-in"]),
    ("pending", f"ClerkPublishableKey {PK_LIVE}\nClerkPendingSessions deny", ["'deny'", "signed-out, allow"]),
    ("sign-in-url", f"ClerkPublishableKey {PK_LIVE}\nClerkSignInURL javascript:alert(1)", ["javascript:alert(1)"]),
    ("sign-in-double-slash", f"ClerkPublishableKey {PK_LIVE}\nClerkSignInURL //evil.example/", ["//evil.example/"]),
    ("sign-in-no-host", f"ClerkPublishableKey {PK_LIVE}\nClerkSignInURL https:///x", ["https:///x"]),
    ("sign-up-url", f"ClerkPublishableKey {PK_LIVE}\nClerkSignUpURL sign-up", ["'sign-up'"]),
    ("organization-sync", f"ClerkPublishableKey {PK_LIVE}\nClerkOrganizationSync", ["ClerkOrganizationSync"]),
    ("organization-pattern", f"ClerkPublishableKey {PK_LIVE}\nClerkOrganizationSync /orgs/:slug(", ["ClerkOrganizationSync", "/orgs/:slug("]),
    ("origin", f"ClerkPublishableKey {PK_LIVE}\nClerkPublicOrigin www.example.com", ["www.example.com", "https://www.example.com"]),
    ("origin-path", f"ClerkPublishableKey {PK_LIVE}\nClerkPublicOrigin https://www.example.com/x", ["ClerkPublicOrigin"]),
    ("origin-port", f"ClerkPublishableKey {PK_LIVE}\nClerkPublicOrigin https://www.example.com:port", ["ClerkPublicOrigin"]),
    ("origin-host", f"ClerkPublishableKey {PK_LIVE}\nClerkPublicOrigin https://www.example.com;x", ["ClerkPublicOrigin"]),
    ("origin-and-forwarded",
     f"ClerkPublishableKey {PK_LIVE}\nClerkPublicOrigin https://www.example.com\nClerkTrustForwarded On",
     ["ClerkPublicOrigin", "ClerkTrustForwarded"]),
    ("forwarded-and-origin",
     f"ClerkPublishableKey {PK_LIVE}\nClerkTrustForwarded On\nClerkPublicOrigin https://www.example.com",
     ["ClerkPublicOrigin", "ClerkTrustForwarded"]),
    ("flag", f"ClerkPublishableKey {PK_LIVE}\nClerkCrossOriginSync maybe", ["On or Off"]),
    ("typo", "ClerkPublishabelKey x", ["Invalid command"]),
    ("unknown-instance", f"ClerkPublishableKey {PK_LIVE}\n<Location /p>\nClerkInstance other\n</Location>", ["<ClerkInstance other>"]),
    ("instance-twice", f"<ClerkInstance a>\nClerkPublishableKey {PK_LIVE}\n</ClerkInstance>\n<ClerkInstance a>\n</ClerkInstance>",
     ["second time"]),
    ("instance-unnamed", "<ClerkInstance>\n</ClerkInstance>", ["<ClerkInstance"]),
    ("instance-foreign-directive", "<ClerkInstance a>\nClerkAuthorizedParties https://a.example\n</ClerkInstance>",
     ["ClerkAuthorizedParties", "<ClerkInstance>"]),
    ("instance-without-keys", "<ClerkInstance a>\nClerkHTTPTimeout 3s\n</ClerkInstance>", ["ClerkPublishableKey"]),
    ("no-instance", "<Location /p>\nAuthType Clerk\nRequire valid-user\n</Location>", ["ClerkPublishableKey", "CLERK_PUBLISHABLE_KEY"]),
    ("role-without-argument", f"ClerkPublishableKey {PK_LIVE}\n" + protect("/p", ["clerk-role"]), ["clerk-role", "admin"]),
    ("require-typo", f"ClerkPublishableKey {PK_LIVE}\n" + protect("/p", ["clerk-rolle admin"]), ["clerk-rolle"]),
    ("key-in-directory", f"<Location /p>\nClerkPublishableKey {PK_LIVE}\n</Location>", ["ClerkPublishableKey"]),
    # B12
    ("secret-path", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey /etc/passwd", ["did you mean file:/etc/passwd?"]),
    ("secret-path-missing", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey /nonexistent", ["did you mean file:/absolute/path?"]),
    ("secret-assignment", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/bin/echo CLERK_SECRET_KEY={SECRET}", ["the key alone", "without a name"]),
    ("secret-quotes", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey env:QUOTED", ["the key alone", "without quotes"]),
    ("secret-word", f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/bin/echo todo", ["no secret key", "sk_live_"]),
    ("parties-top-level", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://*.com", ["https://*.com", "top-level"]),
    ("parties-half-label", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://a*.example.com", ["first label"]),
    ("parties-two-stars", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://*.*.example.com", ["first label"]),
    ("parties-star", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties *", ["first label"]),
    ("parties-pattern-slash", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://*.example.com/", ["never matches"]),
    ("parties-pattern-case", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://*.Example.com", ["never matches"]),
    ("parties-pattern-port", f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties https://*.example.com:443", ["never matches"]),
    ("satellite-sign-in", f"ClerkPublishableKey {PK_LIVE}\nClerkSatellite On\nClerkDomain sat.example\nClerkSignInURL /sign-in",
     ["ClerkSignInURL /sign-in", "primary domain"]),
    ("satellite-section-sign-in",
     f"ClerkPublishableKey {PK_LIVE}\nClerkSatellite On\nClerkDomain sat.example\n<Location /p>\nClerkSignInURL /sign-in\n</Location>",
     ["ClerkSignInURL /sign-in", "primary domain"]),
    ("domain-port", f"ClerkPublishableKey {PK_LIVE}\nClerkSatellite On\nClerkDomain localhost:port", ["ClerkDomain"]),
    ("audit-log-in-vhost", "<VirtualHost *>\nClerkAuditLog logs/audit\n</VirtualHost>", ["ClerkAuditLog"]),
    ("audit-log-empty", 'ClerkAuditLog ""', ["ClerkAuditLog takes one argument"]),
    ("audit-log-no-program", 'ClerkAuditLog "|"', ["ClerkAuditLog", "neither a file nor"]),
    ("state-dir-in-vhost", "<VirtualHost *>\nClerkStateDir /tmp/x\n</VirtualHost>", ["ClerkStateDir"]),
]


@pytest.mark.parametrize("text,said", [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_refused(checker, text, said):
    code, output = check(checker, text, {"SK_TEST": "sk_test_" + "t" * 20, "SK_LIVE": SECRET, "QUOTED": f'"{SECRET}"'})
    assert code != 0, output
    for words in said:
        assert words in output, output
    assert re.search(r"(on|line) (line )?\d+", output), f"no line number: {output}"
    assert SECRET not in output and "sk_test_ttt" not in output


@pytest.mark.parametrize("text", [
    "ClerkAuthorizedParties own https://*.example.com https://www.example.com http://*.localhost:3000",
    "ClerkAuthorizedParties own\nClerkSecretKey exec:/bin/echo live_abc",
    "ClerkAuthorizedParties own\nClerkSatellite On\nClerkDomain localhost:3001\nClerkSignInURL https://www.example.com/sign-in",
    "ClerkAuthorizedParties own\nClerkSignInURL /sign-in",
], ids=["parties", "legacy-secret", "satellite", "path"])
def test_accepted(checker, text):
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\n{text}\n")
    assert (code, re.findall(r"AC\d{4}", output)) == (0, []), output


def test_own_and_patterns_as_parties(httpd, live):
    """`own` is ServerName or ServerAlias, or ClerkPublicOrigin, never a Host that a client invents: a token of another
    site of the instance would become ours by that site's name."""
    httpd.log.announce("AC3151")
    httpd.write("p/index.html", "x")
    httpd.configure(
        directives(httpd, live, parties=())
        + f"<VirtualHost 127.0.0.1:{httpd.port}>\nServerName www.example.test\nServerAlias shop.example.test *.alias.test\nUseCanonicalName Off\n"
        + protect("/p", ["valid-user"], "ClerkAuthorizedParties own https://*.tenants.test")
        + protect("/p/public", ["valid-user"], "ClerkPublicOrigin https://public.example.test") + "</VirtualHost>\n"
    )
    httpd.write("p/public/index.html", "x")
    httpd.start()

    def status(origin, host="www.example.test", path="/p/"):
        return httpd.get(path, XHR | bearer(live, origin=origin) | {"Host": host}).status

    assert status("http://www.example.test") == 200
    assert status("http://shop.example.test", "shop.example.test") == 200
    assert status("http://a.alias.test", "a.alias.test") == 200
    assert status("http://shop.example.test") == 401
    assert status("http://evil.test", "evil.test") == 401
    assert status("https://a.tenants.test", "evil.test") == 200
    assert status("https://tenants.test") == status("https://a.b.tenants.test") == 401
    assert status("https://public.example.test", path="/p/public/") == 200
    assert status("http://www.example.test", path="/p/public/") == 401
    assert status(None) == 401


def test_a_refusal_names_file_and_line(checker):
    code, output = check(checker, "ClerkPublishableKey env:PK\n" + "\n" * 5 + "ClerkHTTPTimeout never\n", {"PK": PK_LIVE})
    assert code != 0
    assert f"line {line_of(checker, 'ClerkHTTPTimeout')} of {checker.conf}" in output


def test_an_instance_error_names_file_and_line(checker):
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey env:SK\n", {"SK": "sk_test_x"})
    assert code != 0
    assert re.search(rf"line {line_of(checker, 'ClerkPublishableKey')} of {re.escape(str(checker.conf))}", output), output


def test_an_unreadable_secret_file_is_named(checker):
    path = checker.root / "conf/missing/secret"
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey file:{path}\n")
    assert code != 0 and str(path) in output and "No such file" in output


def test_secret_from_file_and_exec(checker):
    key = checker.secret_file("secret.key", "sk_live_fromfile\n")
    program = checker.write("print-key", "#!/bin/sh\necho sk_live_$1\n", 0o755, checker.root / "conf")
    for ref in (f"file:{key}", f"exec:{program} argument"):
        code, output = check(
            checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey {ref}\nClerkAuthorizedParties {PARTY}\n"
        )
        assert (code, "AC" in output) == (0, False), output


def special_file(kind, path):
    """Something that is no regular file."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(path))
    elif kind == "link to a fifo":
        os.mkfifo(str(path) + ".fifo")
        path.symlink_to(str(path) + ".fifo")
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "link to a fifo", "device"])
@pytest.mark.parametrize("directive", ["ClerkSecretKey file:{}", "ClerkJWTKey file:{}", "ClerkCAFile {}", "ClerkStateDir {}"])
def test_what_is_no_regular_file_is_not_waited_for(checker, tmp_path_factory, kind, directive):
    """Fault A14."""
    path = special_file(kind, tmp_path_factory.mktemp("special") / "file")
    name = directive.split()[0]
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n{directive.format(path)}\n")
    if name == "ClerkStateDir":
        assert code == 0  # It is made, and complained about, when httpd starts.
    else:
        assert code != 0 and name in output and str(path) in output, output
        assert "regular file" in output or name == "ClerkCAFile", output


def test_a_program_that_does_not_end_is_an_error(checker):
    """Fault A14; tests/unit/test_httpd_secret_program.c has the ways not to end."""
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/bin/sleep 1000\n")
    assert code != 0 and "ClerkSecretKey: /bin/sleep did not end within 30 seconds" in output, output


def test_a_program_that_writes_for_ever_is_an_error(checker):
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey exec:/usr/bin/yes\n")
    assert code != 0 and "ClerkSecretKey: /usr/bin/yes writes more than 65536 bytes" in output, output


# Warnings


@pytest.mark.parametrize("text,said", [
    (f"ClerkPublishableKey {PK_LIVE}\n" + protect("/p"), ["ClerkAuthorizedParties", "https://"]),
    (f"ClerkPublishableKey {PK_TEST}\nClerkAuthorizedParties {PARTY}\n" + protect("/p"), ["development", "pk_live"]),
    (f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n<Location /open>\nAuthType Clerk\n</Location>",
     ["AuthType Clerk", "Require valid-user"]),
    (f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n<Location /open>\nRequire clerk-role admin\n</Location>",
     ["Require clerk-role admin", "AuthType Clerk"]),
], ids=["no-parties", "test-keys", "no-require", "no-authtype"])
def test_warned(checker, text, said):
    code, output = check(checker, text)
    assert code == 0, output
    assert re.search(r"AC\d{4}: ", output), output
    for words in said:
        assert words in output, output


def test_a_world_readable_key_file_is_warned_about(checker):
    key = checker.secret_file("open.key", "sk_live_open\n", 0o644)
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkSecretKey file:{key}\nClerkAuthorizedParties {PARTY}\n")
    assert code == 0
    assert str(key) in output and "chmod 600" in output
    assert "sk_live_open" not in output


def test_warnings_name_the_line(checker):
    _, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n\n<Location /open>\nAuthType Clerk\n</Location>")
    assert f"line {line_of(checker, 'AuthType Clerk')} of {checker.conf}" in output


@pytest.mark.parametrize("text", [
    # common: AuthType in an outer section and Require in an inner one, and the reverse
    "<Location /a>\nAuthType Clerk\n</Location>\n<Location /a/b>\nRequire clerk-role admin\n</Location>",
    "<Location /a>\nRequire clerk-role admin\nAuthType Clerk\n</Location>",
    "<Location /a>\nAuthType Clerk\n<RequireAny>\nRequire clerk-role admin\nRequire ip 127.0.0.1\n</RequireAny>\n</Location>",
    "<Location /a>\nAuthType Clerk\n<Limit POST>\nRequire valid-user\n</Limit>\n</Location>",
    "AuthType Clerk\n<Location /a>\nRequire valid-user\n</Location>",
], ids=["outer-inner", "order", "container", "limit", "server"])
def test_no_false_warning(checker, text):
    if text.startswith("AuthType"):
        text = "<Directory />\nAuthType Clerk\n</Directory>" + text.removeprefix("AuthType Clerk")
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n{text}")
    assert (code, re.findall(r"AC\d{4}", output)) == (0, []), output


# B6: (inside of the virtual host www.example.com, whether it is warned of)
PLAIN_HTTP = {
    "plain": ("", True),
    "origin": ("ClerkPublicOrigin https://www.example.com", False),
    "origin-in-section": ("<Location /p>\nClerkPublicOrigin https://www.example.com\n</Location>", False),
    "forwarded": ("ClerkTrustForwarded On", False),
    "scheme": ("ServerName https://www.example.com", False),
    "loopback": ("ServerName shop.localhost", False),
    "redirect": ('Redirect permanent "/" "https://www.example.com/"', False),
    "rewrite": ("RewriteEngine On\nRewriteRule (.*) https://www.example.com$1 [R=301]", False),
    "proxy": ("RewriteEngine On\nRewriteRule ^/api/(.*) https://www.example.com/$1 [P]", True),
    "development": (f"ClerkPublishableKey {PK_TEST}", False),
}


@pytest.mark.parametrize("name", PLAIN_HTTP)
def test_plain_http_is_warned_of(checker, name):
    text, warned = PLAIN_HTTP[name]
    code, output = check(checker, f"ClerkPublishableKey {PK_LIVE}\nClerkAuthorizedParties {PARTY}\n"
                         f"<VirtualHost *:81>\nServerName www.example.com\n{text}\n{protect('/p')}</VirtualHost>\n")
    assert code == 0 and ("AC3151" in output) == warned, output
    if warned:
        assert f"line {line_of(checker, 'AuthType Clerk')} of {checker.conf}" in output and "ClerkPublicOrigin https://www.example.com" in output


def test_each_start_warns_once_and_serves(httpd, live):
    httpd.configure(directives(httpd, live, parties=()) + protect("/p"))
    httpd.log.announce("AC3024")
    httpd.start()
    assert httpd.get("/p", XHR).status == 401
    everything = httpd.stderr() + httpd.log.text()
    assert 1 <= everything.count("ClerkAuthorizedParties") <= 2  # httpd reads its configuration twice at start


def test_httpd_does_not_start_when_misconfigured(httpd):
    httpd.configure("ClerkPublishableKey pk_live_x\n")
    with pytest.raises(HttpdError, match="ClerkPublishableKey"):
        httpd.start()


# Merging


@pytest.fixture(scope="module")
def second(emulator, live):
    """Another instance whose key has the same kid."""
    return emulator.add_instance(production=True, host="clerk.second.test", key=Key.generate(live.kid))


@pytest.fixture(scope="module")
def merged(make_httpd, live, second):
    server = make_httpd()
    server.log.announce("AC3151")
    for path in ("main", "main/inner", "named", "ht", "ht2", "ht-bad", "ht-secret", "ht-instance", "off", "vhost"):
        server.write(f"{path}/index.html", path)
    server.write("ht/.htaccess", "AuthType Clerk\nRequire clerk-role admin\n")
    server.write("ht2/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkAuthorizedParties https://other.example.test\n")
    server.write("ht-bad/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkUnauthenticated nonsense\n")
    server.write("ht-secret/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkSecretKey env:HOME\n")
    server.write("ht-instance/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkInstance second\n")
    server.write("ht-unknown/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkInstance third\n")
    server.write("ht-unknown/index.html", "unknown")
    server.configure(
        directives(server, live, parties=(PARTY, "https://other.example.test"))
        + f'<Directory "{server.docroot}/ht-instance">\nClerkHtaccessInstances second\n</Directory>\n'
        + f"<ClerkInstance second>\nClerkPublishableKey {second.publishable_key}\nClerkJWKSURL {second.jwks_url}\n</ClerkInstance>\n"
        + protect("/main", ["valid-user"], "ClerkUnauthenticated challenge")
        + protect("/main/inner", ["clerk-org acme"], "ClerkAuthorizedParties https://inner.example.test")
        + protect("/named", ["valid-user"], "ClerkInstance second")
        + "<Location /off>\nAuthType None\nRequire all granted\n</Location>\n"
        + f"""
<VirtualHost 127.0.0.1:{server.port}>
    ServerName main.example.test
</VirtualHost>
<VirtualHost 127.0.0.1:{server.port}>
    ServerName second.example.test
    ClerkPublishableKey {second.publishable_key}
    ClerkJWKSURL {second.jwks_url}
    {protect("/vhost")}
</VirtualHost>
<VirtualHost 127.0.0.1:{server.port}>
    ServerName inherits.example.test
    {protect("/vhost")}
</VirtualHost>
"""
    )
    return server.start()


def test_inner_sections_override_and_inherit(merged, live):
    assert merged.get("/main/", bearer(live)).status == 200
    inner = bearer(live, "alice", "acme", origin="https://inner.example.test")
    assert merged.get("/main/inner/", inner).status == 200
    assert merged.get("/main/inner/", bearer(live, "alice", "acme") | XHR).reason == "token-invalid-authorized-parties"
    assert merged.get("/main/", inner | XHR).status == 401
    # ClerkUnauthenticated challenge of the outer section holds inside
    assert merged.get("/main/inner/", NAVIGATION).status == 401


def test_htaccess_protects(merged, live):
    assert merged.get("/ht/", XHR).status == 401
    assert merged.get("/ht/", bearer(live, "alice", "acme")).status == 200
    assert merged.get("/ht/", bearer(live, "bob", "acme")).status == 403
    assert merged.get("/ht2/", bearer(live) | XHR).status == 401
    assert merged.get("/ht2/", bearer(live, origin="https://other.example.test")).status == 200


def test_htaccess_with_a_typo_is_500_and_says_why(merged, live):
    merged.log.announce("nonsense")
    merged.log.mark()
    assert merged.get("/ht-bad/", bearer(live)).status == 500
    assert "auto, challenge, sign-in" in merged.log.recent()


def test_htaccess_with_a_server_directive_is_500_and_says_why(merged, live):
    merged.log.announce("ClerkSecretKey")
    merged.log.mark()
    assert merged.get("/ht-secret/", bearer(live)).status == 500
    assert "ClerkSecretKey not allowed here" in merged.log.recent()


def test_instances_with_the_same_kid_are_kept_apart(merged, live, second):
    """A key of instance A must not verify tokens of instance B with the same kid."""
    assert live.kid == second.kid
    assert merged.get("/named/", bearer(second)).status == 200
    assert merged.get("/main/", bearer(live)).status == 200
    answer = merged.get("/named/", bearer(live) | XHR)
    assert (answer.status, answer.reason) == (401, "token-invalid-signature")
    answer = merged.get("/main/", bearer(second) | XHR)
    assert (answer.status, answer.reason) == (401, "token-invalid-signature")
    forged = bearer(live, claims={"iss": second.issuer})
    assert merged.get("/named/", forged | XHR).status == 401


def test_cookies_of_one_instance_are_not_taken_for_the_other(merged, live, second):
    assert merged.get("/named/", browser(second) | XHR).status == 200
    answer = merged.get("/named/", browser(live) | XHR)
    assert answer.status == 401


def test_htaccess_may_choose_among_the_servers_instances(merged, live, second):
    assert merged.get("/ht-instance/", bearer(second)).status == 200
    assert merged.get("/ht-instance/", bearer(live) | XHR).status == 401


def test_htaccess_cannot_choose_an_unknown_instance(merged, live):
    merged.log.announce("third")
    merged.log.mark()
    assert merged.get("/ht-unknown/", bearer(live)).status == 500
    assert "<ClerkInstance third>" in merged.log.recent()


def test_a_virtual_host_has_its_own_instance(merged, live, second):
    host = {"Host": "second.example.test"}
    assert merged.get("/vhost/", bearer(second) | host).status == 200
    assert merged.get("/vhost/", bearer(live) | host | XHR).status == 401
    answer = merged.get("/vhost/", NAVIGATION | host)
    assert answer.location.startswith("https://accounts.second.test/sign-in?redirect_url=http%3A%2F%2Fsecond.example.test")


def test_a_virtual_host_inherits_the_main_servers_instance(merged, live, second):
    host = {"Host": "inherits.example.test"}
    assert merged.get("/vhost/", bearer(live) | host).status == 200
    assert merged.get("/vhost/", bearer(second) | host | XHR).status == 401


def test_the_public_origin(httpd, live):
    httpd.write("p/index.html", "x")
    httpd.configure(
        directives(httpd, live)
        + protect("/p", ["valid-user"], "ClerkPublicOrigin https://WWW.example.test:443")
        + protect("/f", ["valid-user"], "ClerkTrustForwarded On")
        + protect("/n", ["valid-user"])
    )
    httpd.start()
    forwarded = NAVIGATION | {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example.test, proxy"}
    start = "https://accounts.example.test/sign-in?redirect_url="
    assert httpd.get("/p", forwarded).location == start + "https%3A%2F%2Fwww.example.test%2Fp"
    assert httpd.get("/f", forwarded).location == start + "https%3A%2F%2Fshop.example.test%2Ff"
    assert httpd.get("/n", forwarded).location.startswith(start + "http%3A%2F%2F127.0.0.1")
    for host in ["evil.example/x?y=", "evil.example:99999", "u@evil.example", "evil.example\\", "[::1]evil.example", "evil..example"]:
        assert "evil" not in httpd.get("/f", forwarded | {"X-Forwarded-Host": host}).location, host
    kept = {
        "Shop.example.test:443": "shop.example.test",
        "shop.example.test:80": "shop.example.test%3A80",
        "[::1]:8443": "%5B%3A%3A1%5D%3A8443",
    }
    for host, authority in kept.items():
        location = httpd.get("/f", forwarded | {"X-Forwarded-Host": host}).location
        assert location == f"{start}https%3A%2F%2F{authority}%2Ff", host
    own = f"127.0.0.1%3A{httpd.port}"
    said = [
        ({"X-Forwarded-Port": "8443"}, f"http%3A%2F%2F{own}"),  # Host has a port
        ({"Host": "shop.example.test", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443, 80"}, "https%3A%2F%2Fshop.example.test%3A8443"),
        ({"Host": "shop.example.test", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "80"}, "https%3A%2F%2Fshop.example.test"),
        ({"Host": "shop.example.test", "X-Forwarded-Port": "8443@evil.example"}, "http%3A%2F%2Fshop.example.test"),
        ({"Forwarded": 'for=192.0.2.1;proto=https;host="shop.example.test:8443", for=10.0.0.1;host=evil.example'}, "https%3A%2F%2Fshop.example.test%3A8443"),
        ({"Forwarded": "proto=https;host=u@evil.example"}, f"http%3A%2F%2F{own}"),
        ({"Forwarded": "host=evil.example", "X-Forwarded-Proto": "https"}, f"https%3A%2F%2F{own}"),  # never a mixture
    ]
    for headers, origin in said:
        assert httpd.get("/f", NAVIGATION | headers).location == f"{start}{origin}%2Ff", headers
        assert httpd.get("/p", NAVIGATION | headers).location == start + "https%3A%2F%2Fwww.example.test%2Fp"
        assert "8443" not in httpd.get("/n", NAVIGATION | headers).location


def test_module_info_and_dumps_show_no_secret(httpd, live):
    secret = "sk_live_canary0123456789"
    httpd.env["CANARY"] = secret
    httpd.log.announce("AC1001")  # the emulator does not know it
    httpd.configure(
        f"ClerkPublishableKey {live.publishable_key}\nClerkSecretKey env:CANARY\nClerkAPIURL {live.url}\nClerkAuthorizedParties {PARTY}\n"
        "<Location /server-info>\nSetHandler server-info\n</Location>\n"
    )
    httpd.start()
    page = httpd.get("/server-info").text
    assert "ClerkSecretKey" in page and secret not in page
    assert secret not in httpd.check("-DDUMP_CONFIG")[1]
