# SPDX-License-Identifier: Apache-2.0
"""Forms that outlive the session (ClerkKeepForms): the fields come back in a page, from which a browser sends the same bytes again;
and nothing of that is a way around SameSite cookies, out of this site, or to run script."""

import hashlib
import html.parser
import json
import socket
import time
import urllib.parse

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, browser, cookie_header, directives, protect, session_cookies, token
from pyclerk.client import Connection, raw

OTHER = "https://evil.example"
FORM = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html,*/*"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "----WebKitFormBoundaryABCdef0123456789"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
NO_REFRESH = "session-token-expired-refresh-non-eligible-no-refresh-cookie"
# Prints how it was asked, by whom, and what body it got.
ECHO = """#!/bin/sh
body=$(sha256sum | cut -c1-64)
printf 'Content-Type: text/plain\\r\\n\\r\\n%s %s %s\\n' "$REQUEST_METHOD" "${REMOTE_USER:-nobody}" "$body"
"""


@pytest.fixture(scope="module")
def live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


@pytest.fixture(scope="module")
def server(make_httpd, live, emulator):
    other = emulator.add_instance(production=True, host="clerk.other.test")
    server = make_httpd()
    for place in ("private", "optional", "off", "small", "get", "error", "challenge", "header", "other", "elsewhere", "ht", "ht/off", "ht/more"):
        server.cgi(f"{place}/echo.cgi", ECHO)
    server.write("error.html", "the administrator's own page\n")
    server.write("include.shtml", '<!--#include virtual="/private/echo.cgi" -->\n')
    server.write("ht/off/.htaccess", "ClerkKeepForms Off\n")
    server.write("ht/more/.htaccess", "ClerkKeepForms 1M\n")
    server.configure(
        directives(server, live, "public", (PARTY, server.origin())) + "ClerkPages /clerk\n"
        + protect("/private") + protect("/optional", ("clerk-optional",)) + protect("/off", ("valid-user",), "ClerkKeepForms Off")
        + protect("/small", ("valid-user",), "ClerkKeepForms 1K") + protect("/get", ("valid-user",), "ClerkRenewal get")
        + protect("/error", ("valid-user",), "ErrorDocument 401 /error.html")
        + protect("/challenge", ("valid-user",), "ClerkUnauthenticated challenge")
        + protect("/elsewhere", ("valid-user",), "ClerkSignInURL https://accounts.example.test/sign-in")
        + protect("/header", ("valid-user",), "ClerkTokenSources header")
        + f"<ClerkInstance other>\n{directives(server, other, 'public', ())}</ClerkInstance>\n"
        + protect("/other", ("valid-user",), "ClerkInstance other")
        + protect(server.docroot / "ht", ("valid-user",), "AllowOverride AuthConfig", "ClerkKeepForms 2K", kind="Directory"),
        log_level="info auth_clerk:trace8")
    server.other = other
    return server.start()


@pytest.fixture(scope="module")
def without_pages(make_httpd, live):
    server = make_httpd()
    server.cgi("private/echo.cgi", ECHO)
    server.log.announce("AC3301")
    server.configure(directives(server, live, "public", (PARTY, server.origin())) + protect("/private", ("valid-user",), "ClerkKeepForms 1M"))
    return server.start()


def expired(live, user="alice", **options):
    """The Cookie field of a user whose session has expired."""
    return cookie_header(session_cookies(live, token(live, user, age=300, **options), uat=str(int(time.time()) - 400)))


def post(server, live, body, headers=None, place="private", site=None, cookies=None):
    fields = (FORM if site is None else site) | (URLENCODED if headers is None else headers) | (expired(live) if cookies is None else cookies)
    return server.request("POST", f"/{place}/echo.cgi", fields, body)


# The page, as a browser reads it


class Page(html.parser.HTMLParser):
    def __init__(self, answer):
        super().__init__(convert_charrefs=True)
        self.tags, self.form, self.inputs, self.script = [], None, [], None
        self.text = answer.body.decode("utf-8")
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "form":
            self.form = dict(attrs)
        elif tag == "input":
            self.inputs.append(dict(attrs))
        elif tag == "script":
            self.script = dict(attrs)

    def _bytes(self, text):
        """The bytes of a text in the encoding of the form (encoding.spec.whatwg.org: windows-1252 has no gaps)."""
        if self.form.get("accept-charset") is None:
            return text.encode()
        assert self.form["accept-charset"] == "windows-1252"
        gaps = "\x81\x8d\x8f\x90\x9d"
        return b"".join(bytes([ord(c)]) if c in gaps else c.encode("cp1252") for c in text)

    def body(self):
        """What a browser sends for the form, by the HTML standard."""
        pairs = [(self._bytes(field["name"]), self._bytes(field.get("value", "")), field["type"]) for field in self.inputs]
        assert all("hidden" in field or field["type"] == "hidden" for field in self.inputs)
        assert not [one for one in pairs if one[0].lower() == b"_charset_" and one[2] == "hidden"]
        if self.form.get("enctype") is None:
            return b"&".join(self._escape(name) + b"=" + self._escape(value) for name, value, _ in pairs)
        assert self.form["enctype"] == "multipart/form-data"
        return multipart(*(file_part(name) if kind == "file" else text_part(name, value) for name, value, kind in pairs))

    @staticmethod
    def _escape(data):
        return urllib.parse.quote_plus(data, safe="*-._").replace("~", "%7E").encode()


def text_part(name, value):
    return b'Content-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value


def file_part(name, filename=b"", kind=b"application/octet-stream", content=b""):
    return b'Content-Disposition: form-data; name="' + name + b'"; filename="' + filename + b'"\r\nContent-Type: ' + kind + b"\r\n\r\n" + content


def multipart(*parts):
    delimiter = b"--" + BOUNDARY.encode()
    return b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + delimiter + b"--\r\n"


def assert_page(answer, status=401, reason=NO_REFRESH):
    """Any page of this kind; @return it."""
    assert (answer.status, answer.reason) == (status, reason)
    assert answer.header("Content-Type") == "text/html; charset=utf-8" and answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff" and answer.header("Referrer-Policy") == "same-origin"
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'none'" in policy and "base-uri 'none'" in policy and "unsafe" not in policy
    assert not answer.cookies()
    page = Page(answer)
    assert page.tags.count("script") == 1 and page.script["src"] == "/clerk/form.js"
    assert not {"iframe", "img", "base", "object", "style", "textarea"} & set(page.tags)
    return page


def assert_kept(answer, body, **more):
    page = assert_page(answer, **more)
    assert page.form["method"] == "post" and page.form["autocomplete"] == "off"
    assert set(page.form) <= {"id", "method", "autocomplete", "accept-charset", "enctype"}  # no address of its own
    assert page.body() == body
    assert "eyJ" not in page.text.replace(body.decode("latin-1"), "")
    return page


def assert_lost(answer, why):
    page = assert_page(answer)
    assert page.form is None and not page.inputs and why in page.text and "go back" in page.text
    return page


def assert_plain(answer, status=401):
    assert answer.status == status and b"form.js" not in answer.body and b"<input" not in answer.body


# What is kept, byte for byte


ALL_BYTES = bytes(byte for byte in range(1, 256) if byte not in b"\r\n")


@pytest.mark.parametrize("body", [
    b"a=1&b=two+words&c=%C3%A4%F0%9F%98%80", b"", b"a=", b"text=%0D%0Asecond+line%0D%0A%0D%0A", b"a=1&a=2&b=3&a=1",
    b"a=%3Cscript%3Ealert%281%29%3C%2Fscript%3E&%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E=x",
    b"a=%3C%2Fform%3E%3C%2Ftextarea%3E%3C%21--%22%27%26amp%3B&b=%26%23x0D%3B", b"submit=1&action=%2F&method=get&length=0&elements=x",
    b"_charset_=UTF-8&x=%C3%A4", b"_charset_=windows-1251&x=%E4", b"latin=%E9%80%81", b"sjis=%83%5C%82%CC", b"bad=%ED%A0%80%C0%80",
    b"nel=%C2%85&bom=%EF%BB%BF&ffff=%EF%BF%BF&ff=%0C&tab=%09", b"all=" + urllib.parse.quote_plus(ALL_BYTES, safe="*-._").replace("~", "%7E").encode(),
    b"long=" + 100000 * b"x", b"%26=%3D", b"name%0D%0Aline=1", b"id=title&name=text&form=send",
], ids=lambda body: body[:30].decode())
def test_an_urlencoded_form_comes_back(server, live, body):
    assert_kept(post(server, live, body), body)


@pytest.mark.parametrize("body", [
    multipart(), multipart(text_part(b"a", b"1")), multipart(text_part(b"a", b""), text_part(b"a", b"2"), file_part(b"file")),
    multipart(text_part(b"a%22%0D%0A\\", b"%22+&\r\n\r\n--x\r\n")), multipart(text_part(b"\xc3\xa4", b'"><script>alert(1)</script>')),
    multipart(text_part(b"\xe4", ALL_BYTES + b"\r\n")), multipart(text_part(b"_charset_", b"UTF-8"), text_part(b"a", b"\xc3\xa4")),
    multipart(text_part(b"a", 100000 * b"\r\n")),
], ids=range(8))
def test_a_multipart_form_comes_back(server, live, body):
    assert_kept(post(server, live, body, MULTIPART), body)


def test_it_goes_on_with_the_new_session(server, live):
    """What the page does, step by step, without the script."""
    body = b"text=%C3%A4%0D%0A&more=1"
    page = assert_kept(post(server, live, body), body)
    assert page.script["data-user"] == live.user("alice").id and page.script["data-key"] == live.publishable_key
    fresh = browser(live)
    said = json.loads(server.get("/clerk/status.json", XHR | fresh).body)
    assert said["signedIn"] and said["userId"] == page.script["data-user"]
    answer = post(server, live, page.body(), cookies=fresh)
    assert (answer.status, answer.text) == (200, f"POST {said['userId']} {hashlib.sha256(body).hexdigest()}\n")


def test_the_page_for_who_has_to_sign_in(server, live):
    page = assert_kept(post(server, live, b"a=1"), b"a=1")
    assert page.script["data-sign-in"] == "/clerk/sign-in?redirect_url=/clerk/signed-in"
    page = assert_kept(post(server, live, b"a=1", place="elsewhere"), b"a=1")
    sign_in = urllib.parse.urlsplit(page.script["data-sign-in"])
    assert (sign_in.netloc, sign_in.path) == ("accounts.example.test", "/sign-in")
    assert urllib.parse.parse_qs(sign_in.query)["redirect_url"] == [server.origin() + "/clerk/signed-in"]
    answer = server.get("/clerk/signed-in", NAVIGATION)
    assert answer.status == 200 and b'data-page="signed-in"' in answer.body
    assert server.get("/clerk/form.js").header("Content-Type").startswith("text/javascript")


@pytest.mark.parametrize("place", ["optional", "get", "error", "challenge"])
def test_places_where_a_form_is_kept(server, live, place):
    """An optional place never takes the form of an expired session as nobody's; an ErrorDocument would lose it."""
    reason = NO_REFRESH if place != "get" else "session-token-expired-refresh-non-eligible-non-get"
    assert_kept(post(server, live, b"comment=hello", place=place), b"comment=hello", reason=reason)


def test_a_session_that_is_older_than_a_sign_in_elsewhere(server, live):
    """On another host of the domain: `__client_uat` is newer than the token, be that expired or not."""
    for age in (30, 300):
        cookies = session_cookies(live, token(live, age=age), uat=str(int(time.time())))
        assert_kept(post(server, live, b"a=1", cookies=cookie_header(cookies)), b"a=1", reason="session-token-iat-before-client-uat")
        forged = session_cookies(live, token(live, age=age)[:-8] + "AAAAAAAA", uat=str(int(time.time())))
        assert_plain(post(server, live, b"a=1", cookies=cookie_header(forged)))


def test_a_form_in_a_frame_of_this_site(server, live):
    answer = post(server, live, b"a=1")
    assert "frame-ancestors 'none'" in answer.header("Content-Security-Policy")
    for dest in ("iframe", "frame"):
        answer = post(server, live, b"a=1", site=FORM | {"Sec-Fetch-Dest": dest})
        assert_kept(answer, b"a=1")
        assert "frame-ancestors 'self'" in answer.header("Content-Security-Policy")


@pytest.mark.parametrize("target", ["//private/echo.cgi", "//evil.example/../private/echo.cgi",
                                    "http://evil.example/private/echo.cgi", "/private/echo.cgi?x=%22%3E%3Cscript%3E&y=\"><b>",
                                    "/private/echo.cgi/more;x?__clerk_redirect_url=https://evil.example"])
def test_no_address_of_the_request_is_in_the_page(server, live, target):
    """The form goes to the address of the page, whatever that is."""
    answer = server.request("POST", target, FORM | URLENCODED | expired(live), b"a=1")
    page = assert_kept(answer, b"a=1")
    assert "evil" not in page.text and "<b>" not in page.text and "echo.cgi" not in page.text and not answer.all("Location")


# How it arrives


def chunked(server, live, chunks, expect=False):
    fields = FORM | URLENCODED | expired(live) | {"Host": f"127.0.0.1:{server.port}", "Transfer-Encoding": "chunked", "Connection": "close"}
    if expect:
        fields["Expect"] = "100-continue"
    head = "POST /small/echo.cgi HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(server.port, head.encode() + body + b"0\r\n\r\n")


def test_chunks(server, live):
    answer = chunked(server, live, [b"a=", b"%4", b"1&b=2"])
    assert b" 401 " in answer and b'name="a" value="A"' in answer and b'name="b" value="2"' in answer
    answer = chunked(server, live, [b"a=", 600 * b"x", 600 * b"y"])
    assert b" 401 " in answer and b"larger than this site can keep" in answer and b"<input" not in answer


def test_100_continue(server, live):
    answer = chunked(server, live, [b"a=1"], expect=True)
    assert answer.startswith(b"HTTP/1.1 100 ") and b" 401 " in answer and b'name="a" value="1"' in answer
    # What is announced to be too large is not asked for.
    fields = FORM | URLENCODED | expired(live) | {"Host": f"127.0.0.1:{server.port}", "Content-Length": "2000", "Expect": "100-continue"}
    fields["Connection"] = "close"
    head = "POST /small/echo.cgi HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    answer = raw(server.port, head.encode())
    assert answer.startswith(b"HTTP/1.1 401 ") and b"larger than this site can keep" in answer


def test_the_connection_goes_on(server, live):
    """Nothing of a body is left for the next request."""
    with Connection(server.port) as connection:
        for body in (b"a=1", b"", 5000 * b"a", b"GET / HTTP/1.1\r\n\r\n"):
            answer = connection.request("POST", "/small/echo.cgi", FORM | URLENCODED | expired(live), body)
            assert answer.status == 401 and b"form.js" in answer.body
            assert connection.request("GET", "/index.html", {}).text == "public page\n"


def test_the_limit(server, live):
    for body, kept in ((b"a=" + 1022 * b"x", True), (b"a=" + 1023 * b"x", False)):
        answer = post(server, live, body, place="small")
        if kept:
            assert_kept(answer, body)
        else:
            assert_lost(answer, "larger than this site can keep")


def test_a_body_that_ends_too_early(server, live):
    fields = FORM | URLENCODED | expired(live) | {"Host": f"127.0.0.1:{server.port}", "Content-Length": "100"}
    head = "POST /private/echo.cgi HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
        connection.sendall(head.encode() + b"a=1")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert b"<input" not in answer


# What is not kept, and said to be not


@pytest.mark.parametrize("body,headers,why", [
    (multipart(file_part(b"f", b"x.txt", b"text/plain", b"content")), MULTIPART, "files"),
    (multipart(text_part(b"a", b"1"), file_part(b"f", b"", b"application/octet-stream", b"\0")), MULTIPART, "files"),
    (multipart(text_part(b"a", b"\0")), MULTIPART, "kind"), (multipart(text_part(b"", b"1")), MULTIPART, "kind"),
    (multipart(text_part(b"a", b"x\ny")), MULTIPART, "kind"), (multipart(text_part(b"a", b"1"))[:-4], MULTIPART, "kind"),
    (multipart(text_part(b"a", b"1")), {"Content-Type": "multipart/form-data"}, "kind"),
    (multipart(text_part(b"a", b"1")), {"Content-Type": "multipart/form-data; boundary=" + 71 * "x"}, "kind"),
    (b"a=%00", URLENCODED, "kind"), (b"a=%", URLENCODED, "kind"), (b"=x", URLENCODED, "kind"), (b"a", URLENCODED, "kind"), (b"a=%0A", URLENCODED, "kind"),
    (b"a=1\r\n", {"Content-Type": "text/plain"}, "kind"), (b"{}", {"Content-Type": "application/json"}, "kind"), (b"a=1", {}, "kind"), (b"", {}, "kind"),
    (b"a=1", URLENCODED | {"Content-Encoding": "gzip"}, "kind"), (300000 * b"a", URLENCODED, "larger"),
    (b"a=1", [("Content-Type", URLENCODED["Content-Type"]), ("Content-Type", "text/plain")], "kind"),
], ids=range(20))
def test_what_cannot_be_kept_is_not_lost_silently(server, live, body, headers, why):
    if isinstance(headers, list):
        answer = server.request("POST", "/private/echo.cgi", [*(FORM | expired(live)).items(), *headers], body)
    else:
        answer = post(server, live, body, headers)
    assert_lost(answer, {"files": "which this site cannot keep", "kind": "not of a kind", "larger": "larger than"}[why])


# Who gets no such page


@pytest.mark.parametrize("site", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": OTHER}, {"Origin": "null"}, {},
    {"Sec-Fetch-Site": "same-origin", "Origin": OTHER}, {"Sec-Fetch-Site": "cross-site", "Origin": "own"},
], ids=str)
@pytest.mark.parametrize("place", ["private", "optional"])
def test_a_form_of_another_site_does_not_come_back_from_this_one(server, live, site, place):
    fields = {"Accept": "text/html"} | site | ({"Sec-Fetch-Mode": "navigate"} if "Sec-Fetch-Site" in site else {})
    if fields.get("Origin") == "own":
        fields["Origin"] = server.origin()
    answer = post(server, live, b"transfer=1000", place=place, site=fields)
    assert_plain(answer)
    assert b"transfer" not in answer.body and b"1000" not in answer.body


def test_the_origin_is_enough_where_a_browser_sends_no_more(server, live):
    assert_kept(post(server, live, b"a=1", site={"Accept": "text/html", "Origin": server.origin()}), b"a=1")


def test_who_has_no_expired_session(server, live):
    forged = token(live, age=300)[:-8] + "AAAAAAAA"
    other = token(server.other, age=300)
    for cookies in ({}, cookie_header(session_cookies(live, forged)), cookie_header(session_cookies(live, other)), cookie_header({"__client_uat": "1"}),
                    {"Authorization": "Bearer " + token(live, age=300)}, {"Authorization": "Bearer x"} | expired(live)):
        assert_plain(post(server, live, b"a=1", cookies=cookies))
    assert_plain(post(server, live, b"a=1", cookies=expired(live, defect="bad-signature")))
    assert_plain(post(server, live, b"a=1", cookies=browser(live)), 200)


@pytest.mark.parametrize("headers", [XHR, {"Accept": "application/json"}, {"Accept": "text/html", "X-Requested-With": "XMLHttpRequest"},
                                     {"Accept": "text/html", "HX-Request": "true"}, {"Sec-Fetch-Mode": "cors", "Accept": "text/html"}])
def test_scripts_are_answered_as_before(server, live, headers):
    answer = post(server, live, b"a=1", site=headers | {"Origin": server.origin()})
    assert_plain(answer)
    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_a_post_is_a_form(server, live, method):
    assert_plain(server.request(method, "/private/echo.cgi", FORM | URLENCODED | expired(live), b"a=1"))


def test_where_it_is_off(server, without_pages, live):
    for place in ("off", "header"):
        assert_plain(post(server, live, b"a=1", place=place))
    assert_plain(post(without_pages, live, b"a=1"))
    # The pages below ClerkPages are of another instance, and cannot renew this one's session.
    assert_plain(post(server, live, b"a=1", place="other", cookies=expired(server.other)))


def test_a_part_of_a_page_is_no_form(server, live):
    """A subrequest is a GET without a body."""
    server.log.announce(r"\[include:error\].*subrequest setup returned 401")
    assert_plain(server.request("POST", "/include.shtml", FORM | URLENCODED | expired(live), b"a=1"), 200)


# .htaccess may ask for less


def test_htaccess(server, live):
    body = b"a=" + 1500 * b"x"
    assert_kept(post(server, live, body, place="ht"), body)
    assert_plain(post(server, live, body, place="ht/off"))
    server.log.announce("AC3123")
    assert_kept(post(server, live, body, place="ht/more"), body)
    assert_lost(post(server, live, 2 * body, place="ht/more"), "larger than")


@pytest.mark.parametrize("value", ["0", "1", "1023", "17M", "x", "-1", "On", "256K 1M", ""])
def test_what_is_no_size(make_httpd, live, value):
    server = make_httpd()
    server.configure(directives(server, live) + f"ClerkPages /clerk\nClerkKeepForms {value}\n")
    code, output = server.check()
    assert code != 0 and "ClerkKeepForms" in output


# Clerk does not answer


def test_where_clerk_cannot_be_asked(make_httpd, emulator):
    """503 as without a form; the browser may reach Clerk, and the page renews the session then."""
    live = emulator.add_instance(production=True, host="clerk.example.test")
    server = make_httpd()
    server.cgi("private/echo.cgi", ECHO)
    server.configure(directives(server, live, "api", (PARTY, server.origin())) + "ClerkPages /clerk\n" + protect("/private"))
    server.log.announce("AC1041", "AC2002")
    server.start()
    live.set_fault("refresh", status=500)
    session = live.create_session("alice")
    cookies = session_cookies(live, token(live, session=session, age=300), uat=str(int(time.time()) - 400))
    cookies[f"__refresh_{live.cookie_suffix}"] = live.refresh_token(session)
    answer = post(server, live, b"a=1", cookies=cookie_header(cookies))
    assert_kept(answer, b"a=1", status=503, reason=answer.reason)
    assert int(answer.header("Retry-After")) >= 1 and answer.reason.startswith("session-token-expired-refresh-")
    server.stop()


# Logs


def test_nothing_of_a_form_is_logged(server, live):
    canary = "kept-form-canary"
    for body, headers in ((f"{canary}=x&y={canary}".encode(), URLENCODED), (multipart(text_part(canary.encode(), canary.encode())), MULTIPART),
                          (f"{canary}=%00{canary}".encode(), URLENCODED), (f"a={300000 * canary[:1]}{canary}".encode(), URLENCODED),
                          (multipart(file_part(canary.encode(), canary.encode(), canary.encode(), canary.encode())), MULTIPART)):
        assert post(server, live, body, headers).status == 401
    server.log.wait_for("AC3170: ")
    server.log.wait_for("AC3171: ")
    for path in (server.root / "logs").iterdir():
        assert canary not in path.read_text(encoding="latin-1"), path
