# SPDX-License-Identifier: Apache-2.0
"""Fault B5: what a browser may keep of answers to signed-in visitors (directives.md "ClerkCacheControl")."""

import pytest
from pyclerk.clerk import NAVIGATION, XHR, bearer, directives, protect

DEFAULT = "private, no-cache"
CGI = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n'
[ -z "$QUERY_STRING" ] || printf 'Cache-Control: %s\\r\\n' "$(echo "$QUERY_STRING" | tr '+' ' ')"
printf '\\r\\nfrom the application\\n'
"""


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    for name in ("plain", "header", "always", "unset", "stricter", "expires", "off", "own", "optional"):
        server.write(f"{name}/page.html", "members only\n")
        server.write(f"{name}/app.cgi", CGI, 0o755)
    server.configure(
        directives(server, live)
        + '<Directory "' + str(server.docroot) + '">\nOptions ExecCGI\nAddHandler cgi-script .cgi\n</Directory>\n'
        + protect("/plain")
        + protect("/header", ["valid-user"], 'Header set Cache-Control "public, max-age=600"')
        + protect("/always", ["valid-user"], 'Header always set Cache-Control "public, max-age=600"')
        + protect("/unset", ["valid-user"], "Header always unset Cache-Control")
        + protect("/stricter", ["valid-user"], 'Header set Cache-Control "no-store"')
        + protect("/expires", ["valid-user"], "ExpiresActive On", 'ExpiresDefault "access plus 1 hour"')
        + protect("/off", ["valid-user"], "ClerkCacheControl Off")
        + protect("/own", ["valid-user"], 'ClerkCacheControl "private, max-age=60"', 'Header merge Cache-Control "max-age=600"')
        + protect("/optional", ["clerk-optional"]),
        modules=("expires",),
    )
    return server.start()


def said(answer):
    values = answer.all("Cache-Control")
    assert len(values) <= 1, values
    return values[0] if values else None


@pytest.mark.parametrize("place,wanted", [
    ("plain", DEFAULT), ("header", DEFAULT), ("always", DEFAULT), ("unset", DEFAULT), ("stricter", "no-store"), ("expires", DEFAULT),
    ("own", "private, max-age=60"), ("off", None), ("optional", DEFAULT),
])
def test_one_field_and_the_strictest(server, live, place, wanted):
    for target in ("page.html", "app.cgi"):
        answer = server.get(f"/{place}/{target}", bearer(live))
        assert (answer.status, said(answer)) == (200, wanted), (target, answer)


@pytest.mark.parametrize("words,wanted", [
    ("max-age=600", DEFAULT), ("public,+max-age=31536000,+immutable", DEFAULT), ("no-store,+no-cache,+must-revalidate", "no-store"),
    ("private", DEFAULT), ("must-revalidate", DEFAULT + ", must-revalidate"),
])
def test_what_the_application_says(server, live, words, wanted):
    assert said(server.get(f"/plain/app.cgi?{words}", bearer(live))) == wanted
    assert said(server.get(f"/off/app.cgi?{words}", bearer(live))) == words.replace("+", " ")


def test_a_page_that_has_not_changed_is_not_sent_again(server, live):
    for place in ("plain", "expires", "always"):
        first = server.get(f"/{place}/page.html", bearer(live))
        again = server.get(f"/{place}/page.html", bearer(live) | {"If-None-Match": first.header("ETag")})
        assert (again.status, again.body, said(again)) == (304, b"", DEFAULT)


@pytest.mark.parametrize("place", ["plain", "header", "always", "unset", "expires", "off", "own"])
def test_redirects_and_refusals_are_never_kept(server, live, place):
    """Also where mod_headers says otherwise: a redirect to a handshake that a browser keeps would be a loop."""
    for headers in (XHR, NAVIGATION, NAVIGATION | {"Cookie": "__client_uat=1"}, XHR | {"Authorization": "Bearer junk"}):
        answer = server.get(f"/{place}/page.html", headers)
        assert answer.status in (307, 401) and said(answer) == "no-store", answer


def test_errors_for_signed_in_visitors(server, live):
    for place, wanted in (("plain", DEFAULT), ("always", DEFAULT), ("off", None)):
        answer = server.get(f"/{place}/missing", bearer(live))
        assert (answer.status, said(answer)) == (404, wanted)


def test_nobody_in_an_optional_place(server):
    answer = server.get("/optional/page.html", XHR)
    assert (answer.status, said(answer)) == (200, DEFAULT)
