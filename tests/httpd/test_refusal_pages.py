# SPDX-License-Identifier: Apache-2.0
"""The bodies of 401 and 403 that people see: who is signed in, what is missing in plain words, and where to go on."""

import html
import re
import urllib.parse

import pytest
from pyclerk.clerk import NAVIGATION, XHR, browser, directives, protect

ORIGIN = "https://www.example.test"
FORM = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    server.write("sorry.html", "the site's own page\n")
    server.configure(
        directives(server, live)
        + f"ClerkPublicOrigin {ORIGIN}\nClerkPages /clerk\n"
        + protect("/role", ["clerk-role billing"])
        + protect("/org", ["clerk-org org_secretname"])
        + protect("/either", ["clerk-role billing", "clerk-permission org:secret:read", "clerk-role other"])
        + protect("/mfa", ["clerk-mfa"])
        + protect("/fresh", ["clerk-reverification strict"])
        + protect("/claim", ["clerk-claim department=secretdepartment"])
        + protect("/user", ["user somebody"])
        + protect("/mail", ["user nobody@example.test"], "ClerkRemoteUser email")
        + protect("/own", ["clerk-role billing"], "ErrorDocument 403 /sorry.html", "ErrorDocument 401 /sorry.html",
                  "ClerkUnauthenticated challenge")
        + protect("/challenge", ["valid-user"], "ClerkUnauthenticated challenge", "ClerkSignUpURL https://join.example.test/?x=1")
        + protect("/auto", ["valid-user"])
        + protect("/api", ["valid-user"], "ClerkTokenSources header")
    )
    return server.start()


@pytest.fixture(scope="module")
def without_pages(make_httpd, live):
    server = make_httpd()
    server.configure(directives(server, live) + f"ClerkPublicOrigin {ORIGIN}\n" + protect("/role", ["clerk-role billing"])
                     + protect("/challenge", ["valid-user"], "ClerkUnauthenticated challenge"))
    return server.start()


def links(answer):
    """{text: (path, redirect_url)} of the buttons."""
    found = {}
    for href, text in re.findall(r'<a class="[^"]*" href="([^"]*)">([^<]*)</a>', answer.text):
        url = urllib.parse.urlsplit(html.unescape(href))
        found[text] = (url._replace(query="").geturl(), urllib.parse.parse_qs(url.query).get("redirect_url", [None])[0])
    return found


def refused(server, live, path, org="acme", headers=None, method="GET", **options):
    answer = server.request(method, path, (NAVIGATION if headers is None else headers) | browser(live, "alice", org, **options))
    assert answer.status == 403 and answer.auth_status == "signed-in"
    assert answer.body.isascii() and "secret" not in answer.text
    return answer


MISSING = {
    "/role": "a role in your organization", "/org": "an organization that is not your active one", "/mfa": "second factor",
    "/fresh": "recent confirmation", "/claim": "property of your account", "/user": "not for this account",
}


@pytest.mark.parametrize("path", MISSING)
def test_what_is_missing_in_plain_words(server, live, path):
    answer = refused(server, live, path, claims={"fva": [20, -1]})
    assert MISSING[path] in answer.text and "signed in as <bdi>user_alice</bdi>" in answer.text
    assert "organization <bdi>acme</bdi> (role <bdi>admin</bdi>)" in answer.text
    assert answer.header("Content-Type").startswith("text/html") and "default-src 'none'" in answer.header("Content-Security-Policy")
    switch = path in ("/role", "/org")
    assert ("Switch organization" in links(answer)) == switch
    assert ("Sign in again" in links(answer)) == (path in ("/mfa", "/fresh"))


def test_each_kind_is_named_once(server, live):
    answer = refused(server, live, "/either", org=None)
    assert re.findall(r"<li>a (role|permission)", answer.text) == ["role", "permission"]
    assert "without an active organization" in answer.text


def test_the_links_lead_back(server, live):
    here = "/role/x?a=%3Cb%3E&c=%22"
    found = links(refused(server, live, "/role/x?a=%3Cb%3E&c=%22"))
    assert found["Switch organization"] == ("/clerk/organization", here)
    out, back = found["Sign in as somebody else"]
    assert out == "/clerk/sign-out" and urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["redirect_url"] == [here]
    assert found["Sign out"] == ("/clerk/sign-out", None)


def test_the_answer_to_a_form_is_a_page_too(server, live):
    found = links(refused(server, live, "/role", headers=FORM, method="POST"))
    assert found["Switch organization"] == ("/clerk/organization", None)  # a link cannot send the form again


@pytest.mark.parametrize("claims,shown", [
    ({"name": "Zoë <b>\U0001f600"}, "Zo&#235; &#60;b&#62;&#128512;"), ({"name": "", "email": "a@b.example"}, "a@b.example"),
    ({"name": "x" * 201}, "user_alice"), ({"name": 5}, "user_alice"), ({"name": "a\nb"}, "user_alice"),
])
def test_the_name(server, live, claims, shown):
    assert f"<bdi>{shown}</bdi>" in refused(server, live, "/role", claims=claims).text


def test_the_name_that_the_administrator_has_chosen(server, live):
    assert "<bdi>m@example.test</bdi>" in refused(server, live, "/mail", claims={"email": "m@example.test", "name": "Mia"}).text


def test_a_user_of_whom_there_is_no_name(server, live):
    server.log.announce("AC3063")
    assert "not for this account" in refused(server, live, "/mail").text


def test_an_impersonated_user(server, live):
    assert "Somebody else is acting" in refused(server, live, "/role", claims={"act": {"sub": "user_support"}}).text


def test_an_error_document_takes_precedence(server, live):
    for headers in (NAVIGATION, NAVIGATION | browser(live)):
        assert server.get("/own/", headers).text == "the site's own page\n"


def test_scripts_get_none(server, live):
    for path, headers in (("/role", XHR | browser(live)), ("/challenge", XHR), ("/api", NAVIGATION)):
        answer = server.get(path, headers)
        assert answer.status in (401, 403) and "<bdi>" not in answer.text and "Please sign in" not in answer.text, path


def test_without_pages_there_are_no_links(without_pages, live):
    answer = refused(without_pages, live, "/role")
    assert "a role in your organization" in answer.text and "<a " not in answer.text


# 401


def test_sign_in_and_up(server):
    found = links(server.get("/challenge?x=1", NAVIGATION))
    assert found["Sign in"] == (ORIGIN + "/clerk/sign-in", ORIGIN + "/challenge?x=1")
    assert found["Create an account"] == ("https://join.example.test/", ORIGIN + "/challenge?x=1")


def test_a_form_without_a_session(server):
    answer = server.request("POST", "/auto/save", FORM | {"Referer": ORIGIN + "/auto/edit?id=3"})
    assert answer.status == 401 and "Please sign in" in answer.text
    assert links(answer)["Sign in"] == (ORIGIN + "/clerk/sign-in", ORIGIN + "/auto/edit?id=3")
    assert links(answer)["Create an account"] == (ORIGIN + "/clerk/sign-up", ORIGIN + "/auto/edit?id=3")
    foreign = server.request("POST", "/auto/save", FORM | {"Referer": "https://evil.example/"})
    assert links(foreign)["Sign in"] == (ORIGIN + "/clerk/sign-in", None)


def test_sign_in_at_the_account_portal(without_pages):
    found = links(without_pages.get("/challenge", NAVIGATION))
    assert found["Sign in"] == ("https://accounts.example.test/sign-in", ORIGIN + "/challenge")
    assert found["Create an account"] == ("https://accounts.example.test/sign-up", ORIGIN + "/challenge")
