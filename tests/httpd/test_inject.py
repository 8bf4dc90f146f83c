# SPDX-License-Identifier: Apache-2.0
"""ClerkInjectScript byte for byte: which answers get the script, where, and what their header fields say afterwards."""

import gzip
import http.client
import os
import re
import socket
import threading

import pytest
from pyclerk.clerk import XHR, bearer, browser, directives, protect
from pyclerk.client import Connection

PAGE = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
TAG = re.compile(rb'<script src="/clerk/start\.js\?v=[0-9a-f]{8}"[^>]*></script>')
DOCUMENT = "<!doctype html>\n<html>\n<head>\n<title>t</title></head>\n<body>%s</body></html>\n"
HEAD = DOCUMENT.index("<head>") + len("<head>")
# Sends its query: content type, further header fields; then the file of that name in parts of a size.
CGI = """#!/usr/bin/python3
import os, sys, urllib.parse
query = {k: v for k, v in urllib.parse.parse_qsl(os.environ["QUERY_STRING"])}
out = sys.stdout.buffer
sys.stdin.buffer.read()
fields = ["Content-Type: " + query.get("type", "text/html")] + query.get("fields", "").split("|")
out.write("\\r\\n".join([field for field in fields if field] + ["", ""]).encode())
out.flush()
with open(query.get("file", "page.html"), "rb") as file:
    body = file.read()
part = int(query.get("part", 1 << 20))
for at in range(0, len(body), part):
    out.write(body[at : at + part])
    out.flush()
"""


@pytest.fixture(scope="module")
def live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


def documents(server):
    server.write("app/page.html", DOCUMENT % "x")
    server.write("app/other.html", DOCUMENT % ("y" * 200000))
    server.write("app/plain.txt", DOCUMENT % "x")
    server.write("app/part.html", "<li>a part</li>\n")
    server.write("app/empty.html", "")
    server.write("app/included.html", "<p>included</p>\n")
    server.write("app/whole-included.html", DOCUMENT % "i")
    server.write("app/ssi.shtml", '<!--#include virtual="top.html" --><title>t</title></head><body>'
                 '<!--#include virtual="included.html" --><!--#include virtual="whole-included.html" --></body></html>\n')
    server.write("app/top.html", "<!doctype html><html><head>")
    server.write("app/missing.html", DOCUMENT % "not found")
    server.write("app/index.html", DOCUMENT % "index")
    server.cgi("app/send.cgi", CGI)
    for name, data in (("gzip.html", gzip.compress((DOCUMENT % "x").encode())), ("utf16.html", (DOCUMENT % "x").encode("utf-16"))):
        (server.docroot / "app" / name).write_bytes(data)
        (server.docroot / "app" / name).chmod(0o644)
    for path in (server.docroot / "app").iterdir():  # httpd's ETags of new files are weak
        os.utime(path, (1700000000, 1700000000))


CONFIGURATION = """ClerkPages /clerk
ClerkPublicOrigin https://www.example.test
ClerkInjectScript keep-alive
ContentDigest On
ErrorDocument 404 /app/missing.html
<Location /app/deflated>
    SetOutputFilter DEFLATE
</Location>
<Location /app/by-type>
    AddOutputFilterByType DEFLATE text/html
</Location>
AliasMatch "^/app/(deflated|by-type|off|policy-[a-z]+)/(.*)" "%(root)s/app/$2"
<LocationMatch "^/app/off/">
    ClerkInjectScript Off
</LocationMatch>
<Location /app/policy-none>
    Header always set Content-Security-Policy "default-src 'none'; script-src https://cdn.example.test"
</Location>
<Location /app/policy-self>
    Header set Content-Security-Policy "default-src 'self'"
</Location>
<Location /status>
    SetHandler clerk-status
    AuthType Clerk
    Require valid-user
</Location>
<Location /app/policy-nonce>
    SetEnv CSP_NONCE of-the-server
    Header set Content-Security-Policy "script-src 'nonce-of-the-server'"
</Location>
RewriteEngine On
RewriteRule ^/front/ /app/page.html [PT]
"""


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    documents(server)
    server.configure(
        directives(server, live, "api") + CONFIGURATION % {"root": server.docroot} + protect("/app", ("clerk-optional",)),
        modules=("deflate", "filter"))
    return server.start()


@pytest.fixture(scope="module")
def visitor(live):
    return browser(live)


def get(server, visitor, target, method="GET", **fields):
    return server.request(method, target, PAGE | visitor | {name.replace("_", "-"): value for name, value in fields.items()})


def without(body):
    """A page without the script, which must be there once."""
    assert len(TAG.findall(body)) == 1, body[:300]
    return TAG.sub(b"", body)


# Which pages


def test_a_page_gets_the_script_first_in_its_head(server, visitor, live):
    answer = get(server, visitor, "/app/page.html")
    place = TAG.search(answer.body)
    assert place.start() == HEAD and without(answer.body) == (DOCUMENT % "x").encode()
    assert f'data-clerk="{live.cookie_suffix}"'.encode() in place[0] and b"data-renewal" not in place[0]
    assert b"pk_live" not in place[0] and b"nonce" not in place[0]


def test_the_script_is_served(server, visitor):
    url = re.search(rb'src="([^"]*)"', get(server, visitor, "/app/page.html").body)[1].decode()
    answer = server.get(url)
    assert answer.status == 200 and answer.header("Content-Type") == "text/javascript; charset=utf-8"
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert len(answer.body) < 12000 and b"eval" not in answer.body and b"</script" not in answer.body
    assert server.get(url.partition("?")[0]).header("Cache-Control") == "public, max-age=300"
    assert server.request("POST", url).status == 405


@pytest.mark.parametrize("fields", [{"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Dest": "frame"},
                                    {"Sec-Fetch-Dest": None}, {"Sec-Fetch-Dest": None, "Accept": "text/html,*/*"}])
def test_every_kind_of_page_request(server, visitor, fields):
    sent = {name: value for name, value in (PAGE | visitor | fields).items() if value}
    assert TAG.search(server.get("/app/page.html", sent).body)


@pytest.mark.parametrize("fields", [XHR, {"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": None, "Accept": "*/*"},
                                    {"Sec-Fetch-Dest": None, "X-Requested-With": "XMLHttpRequest"},
                                    {"Sec-Fetch-Dest": None, "HX-Request": "true"}, {"Range": "bytes=0-5"}, {"Range": "bytes=0-"}])
def test_requests_of_scripts_and_parts_are_left_alone(server, visitor, fields):
    sent = {name: value for name, value in (PAGE | visitor | fields).items() if value}
    answer, original = server.get("/app/page.html", sent), get(server, {}, "/app/page.html", **{
        name: value for name, value in fields.items() if name == "Range"})
    assert answer.body == original.body and answer.header("ETag") == original.header("ETag")
    assert answer.header("Content-Length") == original.header("Content-Length")


def test_visitors_without_a_session_in_their_browser_get_the_page_as_it_is(server, live):
    for headers in ({}, bearer(live)):
        answer = get(server, headers, "/app/page.html")
        assert answer.body == (DOCUMENT % "x").encode()
        assert not answer.header("ETag").startswith("W/") and answer.header("Content-MD5")


UNCHANGED = [
    ("/app/part.html", "part"), ("/app/empty.html", "empty"), ("/app/plain.txt", "another type"), ("/app/utf16.html", "UTF-16"),
    ("/app/off/page.html", "Off"), ("/clerk/account", "our own page"), ("/clerk/status.json", "our own answer"), ("/status", "the status page"),
    ("/app/send.cgi?file=gzip.html&fields=Content-Encoding:%20gzip", "compressed by the application"),
    ("/app/send.cgi?type=text/html;%20charset=utf-16le", "named as UTF-16"),
    ("/app/send.cgi?type=text/html;charset=%22ISO-2022-JP%22", "named as ISO-2022-JP"),
    ("/app/send.cgi?type=text/htmlx", "a type that begins alike"), ("/app/send.cgi?type=application/xhtml%2Bxml", "XHTML"),
    ("/app/send.cgi?fields=Content-Disposition:%20attachment", "a download"),
    ("/app/send.cgi?fields=Cache-Control:%20no-transform", "not to be changed"),
    ("/app/send.cgi?fields=Status:%20206|Content-Range:%20bytes%200-1/9", "a part by the application"),
    ("/app/send.cgi?fields=Status:%20302|Location:%20/x", "a redirect"),
]


@pytest.mark.parametrize("target", [target for target, _ in UNCHANGED], ids=[name for _, name in UNCHANGED])
def test_other_answers_are_left_alone(server, visitor, target):
    answer, original = get(server, visitor, target), get(server, {}, target)
    if target.startswith("/app/"):
        assert answer.body == original.body and answer.status == original.status
        assert answer.header("ETag") == original.header("ETag")
        if ".cgi" not in target:  # where it depends on how fast the program is
            assert answer.header("Content-Length") == original.header("Content-Length")
    assert b"start.js" not in answer.body


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "iso-8859-15", "windows-1252", "Shift_JIS", "GBK", "us-ascii"])
def test_supersets_of_ascii(server, visitor, charset):
    assert TAG.search(get(server, visitor, f"/app/send.cgi?type=Text/HTML;%20charset={charset}".replace('"', "%22")).body)


@pytest.mark.parametrize("status", [201, 403, 404, 500])
def test_a_page_of_the_application_with_another_status(server, visitor, status):
    answer = get(server, visitor, f"/app/send.cgi?fields=Status:%20{status}")
    assert answer.status == status and TAG.search(answer.body).start() == HEAD


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_content(server, visitor, status):
    with Connection(server.port) as connection:
        answer = connection.get(f"/app/send.cgi?file=empty.html&fields=Status:%20{status}", PAGE | visitor)
        assert answer.status == status and answer.body == b""
        assert connection.get("/app/page.html", PAGE | visitor).status == 200


def test_the_answer_to_a_form(server, visitor):
    answer = server.request("POST", "/app/send.cgi", PAGE | visitor, b"a=b")
    assert TAG.search(answer.body).start() == HEAD


# Through other filters and hops


def test_once_in_a_page_that_includes_others(server, visitor):
    answer = get(server, visitor, "/app/ssi.shtml")
    assert TAG.search(answer.body).start() == len("<!doctype html><html><head>")
    assert b"<p>included</p>" in without(answer.body) and (DOCUMENT % "i").encode() in answer.body


@pytest.mark.parametrize("place", ["deflated", "by-type"])
def test_before_compression(server, visitor, place):
    answer = get(server, visitor, f"/app/{place}/page.html", Accept_Encoding="gzip")
    assert answer.header("Content-Encoding") == "gzip"
    assert without(gzip.decompress(answer.body)) == (DOCUMENT % "x").encode()


@pytest.mark.parametrize("target,text", [("/app/nowhere.html", "not found"), ("/app/", "index"), ("/front/x", "x")],
                         ids=["an ErrorDocument", "DirectoryIndex", "mod_rewrite"])
def test_once_after_a_redirect_inside_the_server(server, visitor, target, text):
    answer = get(server, visitor, target)
    assert without(answer.body) == (DOCUMENT % text).encode()


@pytest.mark.parametrize("text", ["<html>\n<head x='>'>\n", "<!doctype html><!-- <head> -->\n<title>", "<html><body>", "<html><header>",
                                  "<!doctype html>", "<html><he", "<li>"])
def test_parts_of_every_size(server, visitor, live, text):
    """As a program sends it: byte by byte, and in parts of two and three bytes."""
    server.write("app/parts.html", text)
    whole = get(server, visitor, "/app/send.cgi?file=parts.html").body
    for part in (1, 2, 3):
        answer = get(server, visitor, f"/app/send.cgi?file=parts.html&part={part}")
        assert answer.body == whole, part
    assert TAG.sub(b"", whole) == text.encode()


# Header fields


def test_the_fields_of_a_changed_page(server, visitor):
    original, answer = get(server, {}, "/app/page.html"), get(server, visitor, "/app/page.html")
    assert original.header("Content-MD5") and original.header("Accept-Ranges") == "bytes"
    assert answer.header("Content-MD5") is None and answer.header("Accept-Ranges") == "none"
    assert int(answer.header("Content-Length")) == len(answer.body)
    mark = re.fullmatch(r'W/"(.*)-clerk[0-9a-f]{8}"', answer.header("ETag"))
    assert f'"{mark[1]}"' == original.header("ETag")


def test_head_says_what_get_does(server, visitor):
    for target in ("/app/page.html", "/app/other.html"):
        got, said = get(server, visitor, target), get(server, visitor, target, "HEAD")
        assert said.body == b"" and said.header("ETag") == got.header("ETag")
        assert said.header("Content-Length") in (None, got.header("Content-Length")) and said.header("Content-MD5") is None


def test_a_copy_with_the_script_is_confirmed_and_any_other_is_not(server, visitor):
    original, changed = get(server, {}, "/app/page.html"), get(server, visitor, "/app/page.html")
    confirmed = get(server, visitor, "/app/page.html", If_None_Match=changed.header("ETag"))
    assert confirmed.status == 304 and confirmed.header("ETag") == changed.header("ETag")
    for fields in ({"If_None_Match": original.header("ETag")}, {"If_Modified_Since": original.header("Last-Modified")},
                   {"If_None_Match": re.sub("-clerk.{8}", "-clerk00000000", changed.header("ETag"))}):
        again = get(server, visitor, "/app/page.html", **fields)
        assert again.status == 200 and TAG.search(again.body), fields
    # And without a session, the other way round.
    assert get(server, {}, "/app/page.html", If_None_Match=changed.header("ETag")).status == 200
    assert get(server, {}, "/app/page.html", If_None_Match=original.header("ETag")).status == 304


def test_a_confirmed_copy_behind_mod_rewrite(server, visitor):
    etag = get(server, visitor, "/front/x").header("ETag")
    assert get(server, visitor, "/front/x", If_None_Match=etag).status == 304


# Content-Security-Policy


@pytest.mark.parametrize("policy", ["script-src 'nonce-abc'", "script-src 'nonce-abc' 'strict-dynamic'", "default-src 'none'; script-src-elem 'nonce-abc'"])
def test_the_nonce_of_a_page_is_used(server, visitor, policy):
    policy += "; connect-src 'self'"
    answer = get(server, visitor, "/app/send.cgi?fields=Content-Security-Policy:%20" + policy.replace(" ", "%20").replace(";", "%3B"))
    assert b' nonce="abc"></script>' in TAG.search(answer.body)[0]
    assert "AC3181" not in server.log.recent()


def test_the_nonce_of_the_server_is_used(server, visitor):
    assert b' nonce="of-the-server"></script>' in TAG.search(get(server, visitor, "/app/policy-nonce/page.html").body)[0]


def test_a_policy_that_allows_the_site_says_nothing(server, visitor):
    server.log.mark()
    assert TAG.search(get(server, visitor, "/app/policy-self/page.html").body)
    assert "AC3181" not in server.log.recent()


def test_a_policy_that_blocks_the_script_is_said(server, visitor):
    server.log.mark()
    server.log.announce("AC3181")
    get(server, visitor, "/app/policy-none/page.html")
    server.log.wait_for("AC3181.*; add: script-src 'self'; connect-src 'self'")


# Other configurations


def test_on_names_what_clerk_js_needs(httpd, live, visitor):
    documents(httpd)
    httpd.configure(directives(httpd, live) + "ClerkPages /clerk\nClerkPublicOrigin https://www.example.test\nClerkInjectScript On\n"
                    'ClerkUserButton "#a > b"\n' + protect("/app"))
    httpd.start()
    tag = TAG.search(get(httpd, visitor, "/app/page.html").body)[0].decode()
    assert 'data-renewal="frame"' in tag and f'data-key="{live.publishable_key}"' in tag
    assert 'data-button="#a &gt; b"' in tag and "/npm/@clerk/ui@1/dist/ui.browser.js" in tag and "clerk.browser.js" in tag


def test_without_pages_one_line_says_so(httpd, live, visitor):
    documents(httpd)
    httpd.configure(directives(httpd, live) + "ClerkInjectScript On\n" + protect("/app"))
    httpd.log.announce("AC3180", "AC3301")
    httpd.start()
    assert get(httpd, visitor, "/app/page.html").body == (DOCUMENT % "x").encode()
    httpd.log.wait_for("AC3180")


@pytest.mark.parametrize("inside, elsewhere, warned", [
    ("ClerkInjectScript On", "", True), ("ClerkInjectScript keep-alive", "ClerkPages none", True), ("ClerkKeepForms 1M", "", True),
    ("ClerkInjectScript off", "", False), ("ClerkKeepForms OFF", "", False), ("", "", False), ("ClerkInjectScript On", "ClerkPages /clerk", False),
    ("ClerkKeepForms 1M", "<VirtualHost *:81>\nServerName a.test\nClerkPages /clerk\n</VirtualHost>", False),
    ("ClerkKeepForms 1M", "<VirtualHost *:81>\nServerName a.test\n</VirtualHost>", True),
    ("", "ClerkPages /clerk\n<VirtualHost *:81>\nServerName a.test\nClerkPages none\n<Location /b>\nClerkKeepForms 1M\n</Location>\n</VirtualHost>", True),
    ("", "ClerkPages /clerk\n<VirtualHost *:81>\nServerName a.test\n<Location /b>\nClerkKeepForms 1M\n</Location>\n</VirtualHost>", False)])
def test_the_start_says_that_pages_are_needed(httpd, live, inside, elsewhere, warned):
    httpd.configure(directives(httpd, live) + "ClerkPublicOrigin https://www.example.test\n" + protect("/app", ("valid-user",), inside) + elsewhere + "\n")
    code, said = httpd.check()
    found = re.search(r"AC3301: (Clerk\w+) \S+ on line \d+ of .* has no effect without ClerkPages", said)
    assert code == 0 and bool(found) == ("AC3301" in said) == warned and (not found or found[1] in inside + elsewhere), said


@pytest.mark.parametrize("line", ["ClerkInjectScript yes", "ClerkInjectScript", 'ClerkUserButton ""'])
def test_what_is_refused(httpd, live, line):
    httpd.configure(directives(httpd, live) + line + "\n")
    code, said = httpd.check()
    assert code and line.split()[0] in said


class Backend(threading.Thread):
    """Answers each request with bytes as they are."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.socket = answer, socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                seen = b""
                while b"\r\n\r\n" not in seen:
                    seen += connection.recv(65536)
                try:
                    for part in self.answer(seen):
                        connection.sendall(part)
                except OSError:
                    pass

    def stop(self):
        self.socket.close()


@pytest.fixture
def proxied(httpd, live):
    backends = []

    def make(answer):
        backends.append(Backend(answer))
        httpd.configure(directives(httpd, live) + "ClerkPages /clerk\nClerkInjectScript keep-alive\n" + protect("/app")
                        + f"ProxyPass /app http://127.0.0.1:{backends[-1].port}/ disablereuse=on\n")
        return httpd.start()

    yield make
    for backend in backends:
        backend.stop()


def test_a_proxied_page(proxied, visitor):
    body = (DOCUMENT % "p").encode()
    head = b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: W/"p"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' % len(body)
    server = proxied(lambda request: [head] if request.startswith(b"HEAD") else [head, body])
    answer, said = get(server, visitor, "/app/page"), get(server, visitor, "/app/page", "HEAD")
    assert without(answer.body) == body and re.fullmatch(r'W/"p-clerk[0-9a-f]{8}"', answer.header("ETag"))
    assert said.header("Content-Length") in (None, str(len(answer.body))) and said.header("ETag") == answer.header("ETag")


def test_a_backend_that_breaks_off(proxied, visitor):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n"
    server = proxied(lambda request: [head, b"<html><he"])
    server.log.announce("AH01102", "AH10154", "AH01110")
    with pytest.raises(http.client.IncompleteRead) as broken:
        get(server, visitor, "/app/page")
    assert broken.value.partial in (b"", b"<html><he")


def test_a_large_page_takes_no_memory(proxied, visitor):
    part, count = b"z" * 65536, 1600

    def answer(request):
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<!doctype html><html><head>"
        for _ in range(count):
            yield part

    def memory(server):
        sizes = [re.search(rb"VmHWM:\s+(\d+)", text) for text in server.read_proc("status").values()]
        return max(int(size[1]) for size in sizes if size)

    server = proxied(answer)
    get(server, visitor, "/clerk/status.json")
    before = memory(server)
    body = get(server, visitor, "/app/page").body
    assert len(without(body)) == len(part) * count + len(b"<!doctype html><html><head>")
    assert memory(server) - before < 8192
