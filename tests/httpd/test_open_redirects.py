# SPDX-License-Identifier: Apache-2.0
"""No page of the module, and no answer of a protected place, leads a browser to another site, whatever a link says."""

import html
import pathlib
import re
import urllib.parse

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, browser, cookie_header, directives, protect

OWN = "https://www.example.test"
HOSTS = {"www.example.test", "app.example.test", "clerk.example.test", "accounts.example.test", "img.clerk.com", "challenges.cloudflare.com"}
DIRECTIVES = pathlib.Path(__file__).resolve().parents[2] / "docs/directives.md"
VALUES = ("https://evil.example/x", "//evil.example/x", "/\\evil.example/x", "\\\\evil.example", "https:evil.example", "/%5cevil.example", "/\t/evil.example",
          "\x01https://evil.example", " //evil.example", "https://www.example.test@evil.example/", "https://www.example.test.evil.example/",
          "javascript:alert(1)//evil.example", "data:text/html,evil.example", "https://evil.example\\@www.example.test/",
          "http://www.example.test:443@evil.example")
PARAMETERS = ("redirect_url", "back", "next", "url", "sign_in_url", "sign_up_url", "after_sign_in_url", "after_sign_out_url", "sign_in_force_redirect_url",
              "sign_up_force_redirect_url", "__clerk_redirect_url", "__clerk_help", "__clerk_synced", "__clerk_hs_reason", "__clerk_handshake",
              "__clerk_handshake_nonce", "__clerk_db_jwt", "script", "ui", "key", "proxy", "domain", "up")


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    server.configure(
        directives(server, live, "api") + f"ClerkPublicOrigin {OWN}\nClerkPages /clerk\n" + protect("/private") + protect("/role", ["clerk-role billing"])
        + protect("/challenge", ["valid-user"], "ClerkUnauthenticated challenge"))
    return server.start()


def pages():
    """The paths of all pages, as the documentation lists them."""
    table = DIRECTIVES.read_text().split("\n## Pages\n")[1].split("\n## ")[0]
    return ["/clerk/" + name for line in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`([a-z.-]+)`", line)]


def targets(answer):
    """Where an answer may lead: Location, links, forms, and the data of the page's script. References that stay on the page are left out."""
    found = answer.all("Location") + re.findall(r'\s(?:href|src|action|data-[a-z-]+)="([^"]*)"', answer.text)
    for text in [html.unescape(one) for one in found]:
        yield text
        for value in urllib.parse.parse_qs(urllib.parse.urlsplit(text).query).values():
            yield from value


def leads_away(text):
    """As a browser resolves it."""
    text = re.sub(r"[\t\r\n]", "", text.strip("".join(map(chr, range(33))))).replace("\\", "/")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return scheme[1].lower() in ("javascript", "data", "vbscript", "blob", "file")
    rest = text[scheme.end():] if scheme else text
    if not scheme and not rest.startswith("//"):
        return False
    host = re.match(r"/*([^/?#]*)", rest)[1].rpartition("@")[2].partition(":")[0].lower()
    return host not in HOSTS


def check(server, path, headers):
    for value in VALUES:
        query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name in PARAMETERS)
        answer = server.get(f"{path}?{query}", headers)
        wrong = [text for text in targets(answer) if leads_away(text)]
        assert not wrong, (path, value, wrong, answer)


def test_the_check_itself():
    for value in VALUES:
        assert leads_away(value) or value == "/%5cevil.example", value
    for value in ("/x", "?x", "pages.js", OWN + "/x", PARTY, "pk_live_x", "//www.example.test/"):
        assert not leads_away(value), value


def test_every_page(server, live):
    names = pages()
    assert len(names) >= 7 and "/clerk/renew" in names and "/clerk/sign-out" in names
    for headers in (NAVIGATION, NAVIGATION | browser(live) | {"Sec-Fetch-Site": "same-origin"}):
        for name in names:
            check(server, name, headers)


def test_protected_places(server, live):
    server.log.announce("AC31", "AC32")
    loop = cookie_header({"__clerk_redirect_count": "3", "__client_uat": "1"})
    for path in ("/private", "/role", "/challenge"):
        for headers in ({}, browser(live), loop, {"Referer": "https://evil.example/", "Origin": "https://evil.example"}):
            check(server, path, NAVIGATION | headers)
