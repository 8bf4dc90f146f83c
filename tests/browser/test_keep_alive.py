# SPDX-License-Identifier: Apache-2.0
"""ClerkInjectScript in a real browser: pages without a line of code for it stay signed in, and lose no form and no request."""

import time

import pytest
from clerk_emulator import Fault
from pyclerk.clerk import directives, protect

TTL = 8
PAGE = """<!doctype html>
<html><head><title>old application</title></head><body><h1>Members</h1>
<form id="form" method="post" action="/members/save.cgi">
<input name="action" value="edit"><input name="text" value="precious" required>
<button id="save" name="do" value="save">Save</button><button id="other" name="do" value="other">Other</button></form>
<form id="ajax"><button id="send">Send</button></form>
<div id="user"></div>
<script>
window.answers = []; window.submits = 0;
document.addEventListener('submit', () => { window.submits++; });
document.getElementById('ajax').addEventListener('submit', (event) => {
  event.preventDefault();
  fetch('/members/save.cgi', { method: 'POST', body: 'ajax' }).then((answer) => answer.text()).then((text) => window.answers.push(text));
});
</script></body></html>
"""
SAVE = """#!/bin/sh
body=$(cat)
echo "$REQUEST_METHOD ${REMOTE_USER:-anonymous} $body" >> "%s"
printf 'Content-Type: text/html\\r\\n\\r\\n<html><head></head><body>saved %%s for %%s</body></html>' "$body" "$REMOTE_USER"
"""
# Whether a script of the application is let in, and by which token.
LET_IN = "fetch('/members/save.cgi').then(answer => answer.status)"


@pytest.fixture(params=["production, secret key", "production, none", "development, secret key", "development, none"])
def kind(request):
    instance_type, keys = request.param.split(", ")
    return instance_type == "production", "api" if keys == "secret key" else "public"


@pytest.fixture
def make_site(httpd, emulator):
    def make(production=True, keys="api", inject="ClerkInjectScript keep-alive\n"):
        options = {"host": "clerk.example.test", "cookie_domain": "", "secure": False} if production else {}
        instance = emulator.add_instance(production=production, **options)
        origin = f"http://localhost:{httpd.port}"
        instance.default_origin = origin
        instance.token_ttl = TTL
        instance.issue_refresh_cookies = True
        httpd.write("members/index.html", PAGE)
        saved = httpd.write("saved", "", 0o666, httpd.root / "state")
        (httpd.root / "state").chmod(0o777)
        httpd.cgi("members/save.cgi", SAVE % saved)
        httpd.write("goodbye.html", "<!doctype html><title>bye</title><h1>Goodbye</h1>")
        httpd.configure(
            directives(httpd, instance, keys, (origin,))
            + f"ClerkPages /clerk\nClerkProxyURL {origin}/__clerk\nProxyPass /__clerk {instance.url}\nProxyPreserveHost On\n{inject}"
            + protect("/members")
        )
        if not production:
            httpd.log.announce("AC3012")
        httpd.start()
        return Site(origin, instance, saved)

    return make


class Site:
    def __init__(self, origin, instance, saved):
        self.origin, self.instance, self._saved = origin, instance, saved

    def sign_in(self, browser):
        alice = self.instance.users["alice"]
        browser.open(self.origin + "/members/")
        browser.fill("input[name=identifier]", alice.email)
        browser.fill("input[name=password]", alice.password)
        browser.press("input[name=password]", "Enter")
        browser.arrive("/members/")
        assert browser.evaluate("window.clerkStarter === true")

    def token(self, browser):
        return browser.cookies()["__session"]["value"]

    def wait_for_new_token(self, browser):
        before = self.token(browser)
        wait_until(lambda: self.token(browser) != before, "the token was not renewed")

    def saved(self):
        return self._saved.read_text().splitlines()

    def renewals(self):
        """How often the token was renewed, by whom ever."""
        return sum(self.instance.count(endpoint) for endpoint in ("refresh", "handshake"))

    def let_token_lapse(self, browser, renew):
        """Wait until the token has lapsed, with a clerk that does or does not renew it."""
        if not renew:
            for endpoint in ("refresh", "handshake"):
                self.instance.faults.add(endpoint, Fault(status=500))


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_page_stays_signed_in_over_two_lapses(make_site, browser, kind):
    site = make_site(*kind)
    site.sign_in(browser)
    for _ in range(2):
        site.wait_for_new_token(browser)
        assert browser.evaluate(LET_IN) == 200
    assert browser.where()["text"].startswith("Members") and browser.evaluate("document.querySelectorAll('iframe').length") == 0
    assert site.renewals() <= 4
