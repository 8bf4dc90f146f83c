# SPDX-License-Identifier: Apache-2.0
"""ClerkKeepForms with the real clerk-js: what a person has written arrives once, whatever became of the session meanwhile."""

import base64
import re
import urllib.parse

import pytest
from pyclerk.clerk import directives, protect

FORM = """<!doctype html><meta charset="%s"><title>old application</title><h1>Members</h1>
<form id="form" method="post" action="/members/save.cgi?a=1&amp;b=%%22" %s>
<textarea name="text" rows="5"></textarea><input name="one" value="1"><input type="hidden" name="submit" value="x">
<input name="addEventListener" value="y"><input name="requestSubmit" value="z"><input name="_charset_" value="" type="hidden">
<input type="checkbox" name="list[]" value="1" checked><input type="checkbox" name="list[]" value="2" checked>
<button id="save" name="do" value="save">Save</button></form>
"""
# All at once: a browser shows the beginning of a page before it has the rest.
SAVE = """#!/bin/sh
body=$(base64 -w0)
printf 'Content-Type: text/html\\r\\n\\r\\n<h1>Saved by %s</h1><p id="query">%s</p><p id="type">%s</p><pre id="body">%s</pre><p>From %s, %s</p>' \
 "${REMOTE_USER:-nobody}" "$QUERY_STRING" "$CONTENT_TYPE" "$body" "$HTTP_ORIGIN" "$HTTP_REFERER"
"""
TEXT = '\nFirst <line> & "quoted" \u2013 \U0001f600\n\n</textarea><script>alert(1)</script>\n  last line\n'


class Site:
    def __init__(self, httpd, instance, origin):
        self.httpd, self.instance, self.origin = httpd, instance, origin

    def sign_in(self, browser, user="alice", at="/members/form.html"):
        if at:
            browser.open(self.origin + at)
        person = self.instance.users[user]
        browser.fill("input[name=identifier]", person.email)
        browser.fill("input[name=password]", person.password)
        browser.press("input[name=password]", "Enter")
        browser.arrive(at or "/clerk/signed-in")

    def expire(self, browser, session=None):
        """The session token lapses while a page is open that has no ClerkJS."""
        session = session or self.session("alice")
        expired = self.instance.mint(session.user.name, session=session, age=300, origin=self.origin)
        for suffix in ("", "_" + self.instance.cookie_suffix):
            browser.set_cookie("__session" + suffix, expired, self.origin)
            browser.set_cookie("__client_uat" + suffix, "1", self.origin)

    def session(self, user):
        return [one for one in self.instance.sessions.values() if one.user.name == user][-1]

    def end(self, user="alice"):
        """Clerk ends the session, or the person signs out elsewhere."""
        self.instance.end_session(self.session(user))

    def posts(self):
        """The status of each request for the program that saves."""
        found = re.findall(r'"POST /members/save\.cgi\S* HTTP/[\d.]+" (\d+)', self.httpd.access_log.read_text())
        return [int(status) for status in found]


@pytest.fixture(params=["production, secret key", "production, none", "development, secret key", "development, none"])
def kind(request):
    instance_type, keys = request.param.split(", ")
    return instance_type == "production", "api" if keys == "secret key" else "public"


@pytest.fixture
def make_site(httpd, emulator):
    def make(production=True, keys="public", more=""):
        options = {"host": "clerk.example.test", "cookie_domain": "", "secure": False} if production else {}
        instance = emulator.add_instance(production=production, **options)
        origin = f"http://localhost:{httpd.port}"
        instance.default_origin = origin
        httpd.write("members/form.html", FORM % ("utf-8", ""))
        httpd.write("members/wide.html", FORM % ("utf-8", 'enctype="multipart/form-data"'))
        httpd.write("members/cyrillic.html", FORM % ("windows-1251", ""))
        httpd.write("members/file.html", (FORM % ("utf-8", 'enctype="multipart/form-data"')).replace("<button", '<input type="file" name="f"><button'))
        httpd.cgi("members/save.cgi", SAVE)
        httpd.configure(
            directives(httpd, instance, keys, (origin,))
            + f"ClerkPages /clerk\nClerkProxyURL {origin}/__clerk\nProxyPass /__clerk {instance.url}\nProxyPreserveHost On\nAddDefaultCharset Off\n"
            + protect("/members", ("valid-user",), *([more] if more else []))
        )
        if not production:
            httpd.log.announce("AC3012")
        httpd.start()
        return Site(httpd, instance, origin)

    return make


@pytest.fixture
def site(make_site):
    return make_site()


def write(browser, text=TEXT):
    browser.fill("textarea", text)


def saved(browser, user, text=TEXT):
    """What has arrived, when it has."""
    browser.see(f"Saved by user_{user}")
    body = base64.b64decode(browser.evaluate("document.getElementById('body').textContent"))
    assert browser.evaluate("document.getElementById('query').textContent") == "a=1&b=%22"
    fields = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)
    assert fields == [("text", text.replace("\n", "\r\n")), ("one", "1"), ("submit", "x"), ("addEventListener", "y"), ("requestSubmit", "z"),
                      ("_charset_", "UTF-8"), ("list[]", "1"), ("list[]", "2"), ("do", "save")]
    return body


def send(browser):
    browser.press_button("#save")


def test_the_form_arrives_by_itself(make_site, browser, kind):
    site = make_site(*kind)
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    send(browser)
    saved(browser, "alice")
    assert f"From {site.origin}, {site.origin}/members/save.cgi?a=1" in browser.where()["text"]
    assert site.posts() == [401, 200]
    # The next one, long afterwards as far as the page knows.
    browser.evaluate("sessionStorage.clear()")
    browser.open(site.origin + "/members/form.html")
    write(browser, "again")
    site.expire(browser)
    send(browser)
    saved(browser, "alice", "again")
    assert site.posts() == [401, 200, 401, 200]


def test_the_text_waits_for_a_sign_in(make_site, browser, kind):
    site = make_site(*kind)
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    site.end()
    send(browser)
    browser.see("Please sign in to send your form")
    browser.screenshots("form-sign-in")
    browser.follow("#more a")
    site.sign_in(browser, at=None)
    browser.see("You can close this tab")
    browser.screenshots("form-signed-in")
    browser.tab(0)
    saved(browser, "alice")
    assert site.posts() == [401, 200]


def test_another_person_is_asked(make_site, browser, kind):
    site = make_site(*kind)
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    site.end()
    send(browser)
    browser.see("Please sign in to send your form")
    browser.follow("#more a")
    site.sign_in(browser, "bob", at=None)
    browser.see("You can close this tab")
    browser.tab(0)
    browser.see(f"Send this form as {site.instance.users['bob'].email}?")
    browser.screenshots("form-another-person")
    assert site.posts() == [401]
    browser.press_button("#send")
    saved(browser, "bob")
    assert site.posts() == [401, 200]


def test_another_person_makes_room_for_the_first(site, browser):
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    site.end()
    send(browser)
    browser.see("Please sign in to send your form")
    browser.follow("#more a")
    site.sign_in(browser, "bob", at=None)
    browser.see("You can close this tab")
    browser.tab(0)
    browser.see("Send this form as")
    browser.follow("#more a")
    site.sign_in(browser, at=None)
    browser.tab(0)
    saved(browser, "alice")
    assert site.posts() == [401, 200]


def test_a_form_that_comes_back_at_once_is_not_sent_for_ever(site, browser):
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    send(browser)
    saved(browser, "alice")
    browser.open(site.origin + "/members/form.html")
    write(browser)
    site.expire(browser)
    send(browser)
    browser.see("It was sent a moment ago")
    browser.screenshots("form-again")
    assert site.posts() == [401, 200, 401]
    browser.press_button("#send")
    saved(browser, "alice")
    assert site.posts() == [401, 200, 401, 200]


def test_a_server_with_a_wrong_clock_is_not_asked_for_ever(site, browser):
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    site.instance.time_offset = -600
    send(browser)
    browser.see("the clock of its server may be wrong")
    browser.screenshots("form-clock")
    assert site.posts() == [401]
    browser.press_button("#send")
    browser.see("the clock of its server may be wrong")
    assert site.posts() == [401, 401]
    site.instance.time_offset = 0
    browser.press_button("#send")
    saved(browser, "alice")
    assert site.posts() == [401, 401, 200]


def test_clerk_is_away_for_a_while(site, browser):
    site.sign_in(browser)
    write(browser)
    site.expire(browser)
    for endpoint in ("client", "environment", "tokens"):
        site.instance.set_fault(endpoint, status=503)
    send(browser)
    browser.see("The sign-in service has not answered yet.")
    browser.screenshots("form-late")
    browser.see("The sign-in service cannot be reached")
    browser.screenshots("form-unreachable")
    assert site.posts() == [401]
    site.instance.clear_faults()
    browser.press_button("#more button")
    saved(browser, "alice")


@pytest.mark.parametrize("page,text", [("wide", TEXT), ("cyrillic", "\u043f\u0440\u0438\u0432\u0435\u0442 \u2116 \u2014\n\u044f")])
def test_the_same_bytes_arrive(site, browser, page, text):
    """As the browser sends them with a good session."""
    bodies = []
    site.sign_in(browser)
    for expire in (False, True):
        browser.open(f"{site.origin}/members/{page}.html")
        write(browser, text)
        if expire:
            site.expire(browser)
        send(browser)
        browser.see("Saved by user_alice")
        body = base64.b64decode(browser.evaluate("document.getElementById('body').textContent"))
        boundary = browser.evaluate("document.getElementById('type').textContent").rpartition("boundary=")[2].encode()
        bodies.append(body.replace(boundary, b"BOUNDARY") if page == "wide" else body)
    assert bodies[0] == bodies[1] and len(bodies[0]) > 100
    assert site.posts() == [200, 401, 200]


def test_a_form_that_is_too_large_is_still_in_the_browser(make_site, browser):
    site = make_site(more="ClerkKeepForms 1K")
    site.sign_in(browser)
    write(browser, 2000 * "x")
    site.expire(browser)
    send(browser)
    browser.see("larger than this site can keep")
    browser.see("You are signed in again now")
    browser.screenshots("form-too-large")
    assert site.posts() == [401]
    browser.press_button("#more button")
    browser.arrive("/members/form.html")
    browser.wait("document.querySelector('textarea').value.length === 2000")
    send(browser)
    saved(browser, "alice", 2000 * "x")


def test_without_scripts(site, open_browser):
    """The person renews the session in another tab, which needs no script, and presses the button."""
    browser = open_browser(scripts=False)
    session = site.instance.create_session("alice")
    fresh = site.instance.mint("alice", session=session, origin=site.origin)
    uat = str(session.client.updated_at // 1000)
    for suffix in ("", "_" + site.instance.cookie_suffix):
        browser.set_cookie("__session" + suffix, fresh, site.origin)
        browser.set_cookie("__client_uat" + suffix, uat, site.origin)
    browser.set_cookie("__client", session.client.id, site.origin)
    assert "Members" in browser.open(site.origin + "/members/form.html")["text"]
    write(browser)
    site.expire(browser, session)
    shown = browser.click("#save")
    assert "Your form has not been sent yet" in shown["text"] and "Open this address in another tab" in shown["text"]
    browser.screenshots("form-without-scripts")
    browser.follow("li a")
    assert "Saved by user_alice" in browser.where()["text"]  # the GET of that address, after a handshake
    browser.tab(0)
    shown = browser.click("#send")
    assert "Saved by user_alice" in shown["text"] and site.posts() == [401, 200]
