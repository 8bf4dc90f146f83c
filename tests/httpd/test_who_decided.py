# SPDX-License-Identifier: Apache-2.0
"""Who decided: on every way that httpd has to a protected resource, Clerk was asked, or the request is refused; and the application that
answers knows of the user who was let in to it, and of no other."""

import pytest
from pyclerk.backends import HttpBackend
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, browser, directives, protect

pytestmark = pytest.mark.mpm

CONTENT = "members only"
PRINT_ENV = """<?php
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) { if (is_string($value)) { echo "$name=$value\\n"; } }
"""
ANSWER = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nmembers only '\necho \"$REMOTE_USER\"\n"

# Way: (request target, status for a stranger). Each ends at a resource that requires a signed-in user.
WAYS = {
    "the resource itself": ("/members/secret.txt", 401),
    "another spelling of its path": ("/x/..//members/./secret%2Etxt", 401),
    "server-side include": ("/open/include.shtml", 200),
    "server-side exec": ("/open/exec.shtml", 200),
    "RewriteRule in a directory": ("/open/rewritten", 401),
    "RewriteRule of the server": ("/server-rewritten", 401),
    "RewriteRule to a proxy": ("/open/to-proxy", 401),
    "FallbackResource": ("/fallback/no/such/file", 401),
    "ErrorDocument": ("/open/no-such-file", 404),
    "DirectoryIndex elsewhere": ("/index-elsewhere/", 401),
    "DirectoryIndex, the file protected": ("/index-file/", 401),
    "DirectoryIndex, a script protected": ("/index-script/", 401),
    "MultiViews": ("/views/page", 404),
    "type map": ("/views/map.var", 401),
    "Action": ("/open/page.acted", 401),
    "Action for a method": ("/script/x?query", 401),
    "CGI that redirects": ("/open/redirect.cgi", 401),
    "Alias": ("/alias/secret.txt", 401),
    "ScriptAlias": ("/members-cgi/answer.cgi", 401),
    "ProxyPass": ("/proxied/x", 401),
    "HeaderName of a listing": ("/listing/", 200),
    "AuthType in <If>": ("/if/secret.txt", 401),
    "Require in <If>": ("/if-require/secret.txt", 401),
    "Satisfy Any": ("/satisfy/secret.txt", 401),
    "AuthMerging And": ("/merged-and/secret.txt", 401),
    "AuthMerging Or": ("/merged-or/secret.txt", 401),
    "RequireAny": ("/any/secret.txt", 401),
    "RequireNone": ("/none/secret.txt", 401),
    ".htaccess": ("/htaccess/secret.txt", 401),
    "WebDAV": ("/dav/members/secret.txt", 401),
}


@pytest.fixture(scope="module")
def backend():
    class Members(HttpBackend):
        def serve(self, connection, stream):
            head = self._lines(stream)
            user = next((line.split(b": ")[1] for line in head if line.lower().startswith(b"x-clerk-user-id")), b"")
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nmembers only " + user)

    running = Members()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(make_httpd, live, backend):
    server = make_httpd()
    for place in ("members", "if", "if-require", "satisfy", "merged-and", "merged-or", "any", "none", "htaccess", "dav/members", "dav/open"):
        server.write(f"{place}/secret.txt", CONTENT)
    for place in ("members", "members-cgi", "index-script"):
        server.cgi(f"{place}/answer.cgi", ANSWER)
    server.write("open/include.shtml", '<!--#include virtual="/members/secret.txt" -->')
    server.write("open/exec.shtml", '<!--#include virtual="/members/answer.cgi" -->')
    server.write("open/.htaccess", "RewriteEngine On\nRewriteRule ^rewritten$ /members/secret.txt [L]\nRewriteRule ^to-proxy$ /proxied/x [PT]\n"
                 "ErrorDocument 404 /members/secret.txt\nAction acted /members/answer.cgi virtual\nAddHandler acted .acted\n")
    server.write("open/page.acted", "x")
    server.cgi("open/redirect.cgi", "#!/bin/sh\nprintf 'Location: /members/secret.txt\\r\\n\\r\\n'\n")
    server.write("fallback/.htaccess", "FallbackResource /members/answer.cgi\n")
    server.write("index-elsewhere/.htaccess", "DirectoryIndex /members/secret.txt\n")
    server.write("index-file/index.html", CONTENT)
    server.write("views/page.html.en", CONTENT)
    server.write("views/map.var", "URI: page.html.en\nContent-Type: text/html\nContent-Language: en\n\n")
    server.write("script/x", "x")
    server.write("listing/a.txt", "a")
    server.write("htaccess/.htaccess", "AuthType Clerk\nRequire valid-user\n")
    root = server.docroot
    server.configure(
        directives(server, live) + "AddHandler type-map .var\nAddLanguage en .en\n"
        + protect("/members") + protect("/members-cgi") + protect("/proxied", ("valid-user",), "ClerkPassHeaders On")
        + f'ProxyPass /proxied/ "http://127.0.0.1:{backend.port}/"\nProxyPass /members-proxy/ "http://127.0.0.1:{backend.port}/"\n'
        + f'Alias /alias "{root}/members"\n' + protect(f'"{root}/members"', ("valid-user",), kind="Directory")
        + f'ScriptAlias /members-cgi/ "{root}/members-cgi/"\n'
        + f'<Directory "{root}/index-file">\n<Files index.html>\nAuthType Clerk\nRequire valid-user\n</Files>\n</Directory>\n'
        + f'<Directory "{root}/index-script">\nDirectoryIndex answer.cgi\n<Files answer.cgi>\nAuthType Clerk\nRequire valid-user\n</Files>\n</Directory>\n'
        + f'<Directory "{root}/views">\nOptions +MultiViews\n<Files "page.html.en">\nAuthType Clerk\nRequire valid-user\n</Files>\n</Directory>\n'
        + '<Location /script>\nScript GET /members/answer.cgi\n</Location>\n'
        + '<Location /listing>\nHeaderName /members/secret.txt\n</Location>\n'
        + "<Location /if>\n<If \"%{HTTP:X-Other} == ''\">\nAuthType Clerk\nRequire valid-user\n</If>\n</Location>\n"
        + "<Location /if-require>\nAuthType Clerk\n<If \"%{HTTP:X-Other} == ''\">\nRequire valid-user\n</If>\n"
        + "<Else>\nRequire all denied\n</Else>\n</Location>\n"
        + protect("/satisfy", ("valid-user",), "Satisfy Any", "Order deny,allow", "Deny from all")
        + protect("/merged-and", ("valid-user",), "AuthMerging And")
        + protect("/merged-or", ("all denied",)) + protect(f'"{root}/merged-or"', ("all denied",), kind="Directory")
        + "<Location /merged-or/secret.txt>\nAuthMerging Or\nRequire valid-user\n</Location>\n"
        + protect("/any", ("ip 192.0.2.1", "clerk-role nobody", "valid-user"))
        + protect("/none", (), "<RequireAll>", "Require valid-user", "<RequireNone>", "Require clerk-role nobody", "Require user mallory", "</RequireNone>",
                  "</RequireAll>")
        + f'DAVLockDB "{server.root}/state/dav"\n<Location /dav>\nDAV On\nRequire all granted\n</Location>\n' + protect("/dav/members")
        + "RewriteEngine On\nRewriteRule ^/server-rewritten$ /members/secret.txt [PT]\n", modules=("actions", "dav", "dav_fs"))
    for name in ("dav", "dav/open", "dav/members"):
        (root / name).chmod(0o777)
    return server.start()


@pytest.mark.parametrize("way", WAYS)
def test_a_stranger_is_refused(server, way):
    server.log.announce("unable to include", "AH01374", "AH00687")
    target, status = WAYS[way]
    for headers in (XHR, XHR | {"Authorization": "Bearer junk"}, XHR | {"Cookie": "__session=junk; __client_uat=1"}):
        answer = server.get(target, headers)
        assert answer.status == status and CONTENT not in answer.text, answer


@pytest.mark.parametrize("way", WAYS)
def test_a_user_is_let_in(server, live, way):
    answer = server.get(WAYS[way][0], XHR | bearer(live))
    assert answer.status == (404 if way == "ErrorDocument" else 200) and CONTENT in answer.text, answer
    if answer.text.strip().startswith(CONTENT + " "):  # the programs say who is asking
        assert answer.text.strip() == CONTENT + " user_alice"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK",
                                    "UNLOCK", "REPORT", "FOO"])
@pytest.mark.parametrize("path", ["/members/secret.txt", "/members/answer.cgi", "/proxied/x", "/dav/members/secret.txt", "/dav/members/new"])
def test_no_method_gets_around(server, method, path):
    answer = server.request(method, path, XHR | {"Destination": f"{server.origin()}/dav/open/copy"}, b"" if method in ("POST", "PUT") else None)
    assert answer.status == 401 and CONTENT not in answer.text
    assert not (server.docroot / "dav/open/copy").exists() and not (server.docroot / "dav/members/new").exists()


def dav(server, method, source, destination, headers):
    return server.request(method, source, headers | {"Destination": server.origin() + destination, "Overwrite": "T"}).status


def test_webdav_asks_for_the_destination_and_for_all_members(server, live):
    """The destination is another resource, with requirements of its own."""
    root, stranger, alice = server.docroot / "dav", XHR, XHR | bearer(live)
    server.write("dav/open/mine.txt", "mine", 0o666)
    for method in ("COPY", "MOVE"):
        assert dav(server, method, "/dav/open/mine.txt", "/dav/members/secret.txt", stranger) in (401, 403, 502), method
        assert (root / "members/secret.txt").read_text() == CONTENT and (root / "open/mine.txt").exists()
        assert dav(server, method, "/dav/members/secret.txt", "/dav/open/taken.txt", stranger) == 401
        assert not (root / "open/taken.txt").exists()
    assert dav(server, "COPY", "/dav/open/mine.txt", "/dav/members/copied.txt", alice) == 201
    listing = server.request("PROPFIND", "/dav/", stranger | {"Depth": "1"})
    assert listing.status == 207


def test_a_local_redirect_keeps_the_method_out(server):
    # The script may end before mod_cgid has written the body that it does not read.
    server.log.announce(r"cgid:error\].*AH02651: Error writing request body")
    assert server.request("POST", "/open/redirect.cgi", XHR, b"x=1").status == 401


# What a negated line means for those who are signed in


@pytest.fixture(scope="module")
def negated(make_httpd, live):
    """Places that are open to strangers, but not to everybody who is signed in."""
    server = make_httpd()
    for place in ("actor", "banned", "none", "optional", "address"):
        server.cgi(f"{place}/env.cgi")
    server.configure(
        directives(server, live)
        + protect("/actor", (), "<RequireAll>", "Require all granted", "Require not clerk-actor", "</RequireAll>")
        + protect("/banned", (), "<RequireAll>", "Require all granted", "Require not clerk-org acme", "</RequireAll>")
        + protect("/none", (), "<RequireAll>", "Require all granted", "<RequireNone>", "Require clerk-actor", "</RequireNone>", "</RequireAll>")
        + protect("/optional", (), "<RequireAll>", "Require clerk-optional", "Require not clerk-actor", "</RequireAll>")
        + protect("/address", ("clerk-role admin", "local")))
    return server.start()


@pytest.mark.parametrize("place,refused", [("actor", True), ("banned", True), ("none", True), ("optional", True), ("address", False)])
def test_a_line_about_the_session_is_answered_by_it(negated, live, place, refused):
    """Such a line is no more than neutral before authentication, and what stands beside it would let in whom it excludes."""
    assert negated.get(f"/{place}/env.cgi", XHR).status == 200
    impersonator = bearer(live, "alice", "acme", claims={"act": {"sub": "user_admin"}})
    answer = negated.get(f"/{place}/env.cgi", XHR | impersonator)
    assert answer.status == (403 if refused else 200), answer
    answer = negated.get(f"/{place}/env.cgi", XHR | bearer(live, "bob"))
    assert answer.status == 200 and answer.env()["REMOTE_USER"] == answer.env()["CLERK_USER_ID"] == "user_bob"
    expired = negated.get(f"/{place}/env.cgi", XHR | bearer(live, "alice", "acme", claims={"act": {"sub": "user_admin"}}, age=3600))
    assert expired.status == 200 and "REMOTE_USER" not in expired.env()


# Whose user the application gets, where httpd goes on with another file's configuration (DirectoryIndex, MultiViews)


@pytest.fixture(scope="module")
def staff(emulator):
    return emulator.add_instance(production=True, host="clerk.staff.test")


# Place: (lines for the directory, lines for the file)
OPTIONAL, MEMBERS = "AuthType Clerk\nRequire clerk-optional\nClerkPassHeaders On", "AuthType Clerk\nRequire valid-user\nClerkPassHeaders On"
STAFF = "ClerkInstance staff\nClerkAuthorizedParties " + PARTY
PAIRS = {
    "open-members": ("Require all granted", MEMBERS),
    "open-staff": ("Require all granted", f"{MEMBERS}\n{STAFF}"),
    "optional-same": (OPTIONAL, "SetEnv X 1"),
    "members-same": (MEMBERS, "SetEnv X 1"),
    "optional-optional": (OPTIONAL, OPTIONAL),
    "optional-members": (OPTIONAL, MEMBERS),
    "optional-staff": (OPTIONAL, f"{OPTIONAL}\n{STAFF}"),
    "optional-staff-members": (OPTIONAL, f"{MEMBERS}\n{STAFF}"),
    "members-staff": (MEMBERS, f"{OPTIONAL}\n{STAFF}"),
    "members-granted": (MEMBERS, "Require all granted"),
    "members-name": (MEMBERS, "Require valid-user\nClerkRemoteUser sid"),
    "members-open": (MEMBERS, "AuthType None\nRequire all granted"),
}


@pytest.fixture(scope="module")
def pairs(make_httpd, live, staff, php):
    server = make_httpd()
    sections = ""
    for pair, (directory, file) in PAIRS.items():
        server.write(f"{pair}/index.php", PRINT_ENV)
        server.cgi(f"{pair}/views.cgi.en")
        sections += (f'<Directory "{server.docroot}/{pair}">\nOptions +MultiViews\nMultiviewsMatch Handlers\n{directory}\n'
                     f'<FilesMatch "\\.(php|cgi)">\n{file}\n</FilesMatch>\n</Directory>\n')
    server.configure(
        directives(server, live) + f"<ClerkInstance staff>\n{directives(server, staff, parties=())}</ClerkInstance>\n"
        + f'DirectoryIndex index.php\nAddLanguage en .en\n<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n' + sections)
    return server.start()


def identities(env):
    """Whom the application knows of, under all names it could look at."""
    return {name: env.get(name) for name in ("REMOTE_USER", "CLERK_USER_ID", "HTTP_X_CLERK_USER_ID", "CLERK_AUTH_STATUS", "HTTP_X_CLERK_AUTH_STATUS")
            if env.get(name) is not None}


def signed_in(user, headers=True, name=None):
    found = {"REMOTE_USER": name or user, "CLERK_USER_ID": user, "CLERK_AUTH_STATUS": "signed-in"}
    return found | ({"HTTP_X_CLERK_USER_ID": user, "HTTP_X_CLERK_AUTH_STATUS": "signed-in"} if headers else {})


NOBODY = {"CLERK_AUTH_STATUS": "signed-out", "HTTP_X_CLERK_AUTH_STATUS": "signed-out"}


@pytest.mark.parametrize("target", ["", "views"])
@pytest.mark.parametrize("pair", PAIRS)
def test_the_application_gets_the_user_of_its_own_place(pairs, live, staff, pair, target):
    """alice is signed in to the one instance, bob to the other one."""
    directory, file = PAIRS[pair]
    pairs.log.announce("AH00687")
    at_staff = "staff" in file
    must = ("valid-user" in directory, "valid-user" in file)
    for who in ({}, {"alice"}, {"bob"}, {"alice", "bob"}):
        headers = XHR | (bearer(live) if "alice" in who else {})
        cookie = browser(staff, "bob")["Cookie"] if "bob" in who else ""
        answer = pairs.get(f"/{pair}/{target}", headers | ({"Cookie": cookie} if cookie else {}))
        # A token in the header is the only one that counts; it is alice's, and so bob is there only where she is not.
        first = "alice" if "alice" in who else None
        second = ("bob" if who == {"bob"} else None) if at_staff else first
        if "granted" in directory:
            first = "open"
        if (must[0] and not first) or (must[1] and not second):
            # What is refused is no variant to choose from.
            assert answer.status in (401, 404 if target else 401) and "SERVER_SOFTWARE" not in answer.text, (who, answer)
            continue
        got = identities(answer.env())
        if pair == "members-open":  # httpd's own: who was let in to the directory is known, but nothing of ours is passed on
            assert got.get("HTTP_X_CLERK_USER_ID") is None
        elif second is None:
            assert got == NOBODY, (who, got)
        else:
            name = answer.env()["CLERK_SESSION_ID"] if pair == "members-name" else None
            assert got == signed_in(f"user_{second}", name=name), (who, got)


# Fault B14: once


FIELDS = ("X-Clerk-Auth-Status", "X-Clerk-Auth-Reason", "Cache-Control", "WWW-Authenticate")


def repeated(answer):
    """Fields that say something twice, and fields that are there twice."""
    words = {name: [word.strip() for value in answer.all(name) for word in (value.split(",") if name != "WWW-Authenticate" else [value])] for name in FIELDS}
    return {name: found for name, found in words.items() if len(found) != len(set(found)) or len(answer.all(name)) > 1}


@pytest.mark.parametrize("target", ["", "views", "index.php", "missing"])
@pytest.mark.parametrize("pair", PAIRS)
def test_b14_each_field_comes_once(pairs, live, pair, target):
    pairs.log.announce("AH00687")
    for headers in (XHR, NAVIGATION, XHR | bearer(live), XHR | {"Authorization": "Bearer junk"}):
        answer = pairs.get(f"/{pair}/{target}", headers)
        assert repeated(answer) == {}, answer
        assert answer.header("Cache-Control") in (None, "private, no-cache", "no-store")
        if answer.status in (401, 307):
            assert answer.header("Cache-Control") == "no-store"


@pytest.fixture(scope="module")
def documents(make_httpd, live, php):
    server = make_httpd()
    for place in ("optional", "members", "admins", "denied"):
        server.write(f"{place}/index.php", PRINT_ENV)
        server.write(f"{place}/page.html", "page")
    server.configure(
        directives(server, live) + f'DirectoryIndex index.php\n<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n'
        + protect("/optional", ("clerk-optional",), "ErrorDocument 404 /optional/")
        + protect("/members", ("valid-user",), "ErrorDocument 401 /optional/", "ErrorDocument 404 /members/index.php")
        + protect("/admins", ("clerk-role admin",), "ErrorDocument 401 /optional/index.php", "ErrorDocument 403 /members/")
        + '<Location /denied>\nRequire all denied\nErrorDocument 403 /optional/index.php\n</Location>\n')
    return server.start()


@pytest.mark.parametrize("target,status", [("/optional/missing", 404), ("/members/", 401), ("/members/page.html", 401), ("/admins/", 401), ("/denied/", 403)])
def test_b14_each_field_comes_once_in_an_error_document(documents, live, target, status):
    answer = documents.get(target, XHR)
    assert answer.status == status and "CLERK_AUTH_STATUS=signed-out" in answer.text
    assert repeated(answer) == {} and answer.header("Cache-Control") == ("no-store" if status == 401 else "private, no-cache")


def test_b14_a_refusal_with_a_document(documents, live):
    answer = documents.get("/admins/", XHR | bearer(live, "bob"))
    assert answer.status == 403 and answer.env()["CLERK_USER_ID"] == "user_bob" and repeated(answer) == {}
    assert (answer.auth_status, answer.reason) == ("signed-in", "forbidden")
