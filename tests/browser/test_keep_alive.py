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

    def wait_for_new_token(self, browser, before=None):
        """@param before the token before what leads to a new one, if that may already have happened"""
        before = before or self.token(browser)
        wait_until(lambda: self.token(browser) != before, "the token was not renewed")

    def saved(self):
        return self._saved.read_text().splitlines()

    def renewals(self):
        """How often the token was renewed, by whom ever."""
        return sum(self.instance.count(endpoint) for endpoint in ("refresh", "handshake"))

    def plant_stale_token(self, browser):
        """As if the page had slept. The script has not noticed yet."""
        self.plant_token(browser, 300)

    def plant_token(self, browser, age):
        """A token of that age. @return when it lapses"""
        session = [session for session in self.instance.sessions.values() if session.user.name == "alice"][-1]
        now = int(time.time())
        token = self.instance.mint("alice", session=session, issued_at=now - age, origin=self.origin)
        cookies = {f"{name}{suffix}": value for name, value in (("__client_uat", "1"), ("__session", token))
                   for suffix in ("", f"_{self.instance.cookie_suffix}")}
        browser.evaluate("".join(f"document.cookie = '{name}={value}; path=/';" for name, value in cookies.items()))
        return now - age + self.instance.token_ttl

    def delay_renewal(self, seconds):
        for endpoint in ("refresh", "handshake"):
            self.instance.faults.set(endpoint, Fault(delay=seconds))


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


@pytest.fixture(params=["api", "public"], ids=["with a secret key", "without"])
def site(request, make_site, browser):
    """Its page is open, and its token has lapsed."""
    site = make_site(keys=request.param)
    site.instance.token_ttl = 60
    site.sign_in(browser)
    site.plant_stale_token(browser)
    return site


def test_a_form_is_held_and_saved_once_with_its_button(site, browser):
    site.delay_renewal(1)
    browser.click("#other")
    assert "saved action=edit&text=precious&do=other for user_alice" in browser.where()["text"]
    assert site.saved() == ["POST user_alice action=edit&text=precious&do=other"]


def test_an_impatient_visitor_saves_once(site, browser):
    site.delay_renewal(1)
    browser.evaluate("document.getElementById('save').click(); document.getElementById('other').click(); document.getElementById('save').click()")
    browser.arrive("/members/save.cgi")
    assert site.saved() == ["POST user_alice action=edit&text=precious&do=save"]


def test_a_form_that_is_not_valid_is_not_submitted(site, browser):
    browser.fill("input[name=text]", "")
    browser.evaluate("document.getElementById('save').click()")
    browser.fill("input[name=text]", "now valid")
    browser.click("#save")
    assert site.saved() == ["POST user_alice action=edit&text=now+valid&do=save"]


def test_the_applications_own_listener_sees_a_form_once(site, browser):
    site.delay_renewal(1)
    browser.evaluate("document.getElementById('send').click()")
    browser.wait("window.answers.length === 1")
    assert browser.evaluate("[window.submits, window.answers[0].includes('saved ajax for user_alice')]") == [1, True]
    assert site.saved() == ["POST user_alice ajax"]


SENT = """(async () => {
  const order = [], own = '/members/save.cgi';
  const xhr = (url) => new Promise((done) => {
    const call = new XMLHttpRequest();
    call.open('POST', url);
    call.setRequestHeader('X-Own', '1');
    call.onloadend = () => { order.push('xhr ' + call.status); done(); };
    call.send('xhr');
  });
  const aborted = new XMLHttpRequest();
  aborted.open('POST', own);
  aborted.send('aborted');
  aborted.abort();
  await Promise.all([
    fetch(own, { method: 'POST', body: 'fetch' }).then((answer) => order.push('fetch ' + answer.status)),
    fetch(new Request(own, { method: 'POST', body: 'request' })).then((answer) => order.push('request ' + answer.status)),
    xhr(own),
    fetch(location.origin.replace('localhost', '127.0.0.1') + '/goodbye.html', { mode: 'no-cors' }).then(() => order.push('elsewhere')),
  ]);
  return order;
})()"""


def test_requests_to_this_site_are_held_and_no_others(site, browser):
    site.delay_renewal(2)
    order = browser.evaluate(SENT)
    assert order[0] == "elsewhere" and sorted(order[1:]) == ["fetch 200", "request 200", "xhr 200"]
    assert sorted(site.saved()) == ["POST user_alice fetch", "POST user_alice request", "POST user_alice xhr"]
    assert site.renewals() == 1


def test_nothing_is_held_for_longer_than_some_seconds(make_site, browser):
    site = make_site(keys="public")
    site.instance.token_ttl = 60
    site.sign_in(browser)
    site.delay_renewal(7)
    site.plant_stale_token(browser)
    assert browser.evaluate(LET_IN) == 401
    assert site.saved() == []


@pytest.mark.parametrize("keys", ["api", "public"], ids=["with a secret key", "without"])
def test_a_page_that_nobody_sees_renews_when_it_is_seen_again(make_site, browser, keys):
    site = make_site(keys=keys)
    site.instance.token_ttl = 60
    site.sign_in(browser)
    browser.evaluate("""window.hide = (hidden) => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
                                                   document.dispatchEvent(new Event('visibilitychange')); }""")
    browser.evaluate("window.hide(true)")
    site.plant_stale_token(browser)  # only now: a page that is seen would renew it
    before, stale = site.renewals(), site.token(browser)
    browser.evaluate("new Promise((resolve) => setTimeout(resolve, 2000))")
    assert site.renewals() == before
    browser.evaluate("window.hide(false)")
    site.wait_for_new_token(browser, stale)
    assert browser.evaluate(LET_IN) == 200


@pytest.mark.parametrize("lapsed", [False, True], ids=["at once", "after a renewal"])
def test_another_person_is_asked(make_site, browser, lapsed):
    """Bob has signed in in another tab since the page was opened as Alice."""
    site = make_site()
    site.instance.token_ttl = 60
    site.sign_in(browser)
    bob = site.instance.create_session("bob")
    token = site.instance.mint(session=bob, age=300 if lapsed else 0, origin=site.origin)
    for suffix in ("", "_" + site.instance.cookie_suffix):
        browser.set_cookie("__session" + suffix, token, site.origin)
        browser.set_cookie("__client_uat" + suffix, "1", site.origin)
    browser.set_cookie(f"__refresh_{site.instance.cookie_suffix}", site.instance.refresh_token(bob), site.origin)
    for yes in (False, True):
        browser.evaluate("window.asked = [], window.native ||= window.confirm, window.confirm = text => { window.asked.push(text); return native(text); }, 1")
        browser.reply(yes)
        browser.press_button("#save")
        if not yes:
            browser.wait("window.asked.length === 1 && window.asked[0].startsWith('Another account')")
            assert site.saved() == []
    browser.see("saved action=edit&text=precious&do=save for user_bob")
    assert site.saved() == ["POST user_bob action=edit&text=precious&do=save"]


@pytest.mark.parametrize("keys", ["api", "public"], ids=["with a secret key", "without"])
def test_a_laptop_that_slept(make_site, browser, keys):
    """The whole browser stands still until the token has lapsed, and the first that happens then is a click."""
    site = make_site(keys=keys, inject="ClerkInjectScript keep-alive\nClerkClockSkew 1s\n")
    site.instance.token_ttl = 60
    site.sign_in(browser)
    lapses = site.plant_token(browser, age=58) + 2
    before = site.renewals()
    with browser.asleep():
        wait_until(lambda: time.time() > lapses, "time stands still")
    browser.press_button("#other")
    browser.see("saved action=edit")
    assert site.saved() == ["POST user_alice action=edit&text=precious&do=other"] and site.renewals() == before + 1


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_while_the_page_is_open(make_site, browser, hours):
    site = make_site(keys="public")
    site.sign_in(browser)
    browser.evaluate(f"(() => {{ const before = Date.now; Date.now = () => before() + {hours} * 3600e3; }})()")
    for _ in range(2):
        site.wait_for_new_token(browser)
        assert browser.evaluate(LET_IN) == 200
    assert site.renewals() <= 4


def test_one_of_two_tabs_renews(make_site, browser):
    site = make_site(keys="public")
    site.sign_in(browser)
    site.wait_for_new_token(browser)
    browser.tab(1)
    browser.open(site.origin + "/members/")
    for number in (0, 1):
        browser.tab(number)
        before = site.renewals()
        site.wait_for_new_token(browser)
        browser.wait("new Promise((done) => setTimeout(done, 2000, true))")
        assert site.renewals() == before + 1
        assert browser.evaluate(LET_IN) == 200


@pytest.mark.parametrize("keys", ["api", "public"], ids=["with a secret key", "without"])
def test_a_page_stops_when_the_visitor_signs_out_in_another_tab(make_site, browser, keys):
    site = make_site(keys=keys)
    site.sign_in(browser)
    browser.tab(1)
    browser.open(site.origin + "/members/")
    browser.evaluate("(location.href = '/clerk/sign-out?redirect_url=/goodbye.html', 1)")
    browser.arrive("/goodbye.html")
    browser.tab(0)
    browser.evaluate("(window.dispatchEvent(new Event('focus')), 1)")
    browser.wait("fetch('/clerk/status.json').then((answer) => answer.json()).then((said) => !said.signedIn)")
    before = site.renewals()
    browser.wait("new Promise((done) => setTimeout(done, 4000, true))")
    assert site.renewals() <= before + 1
    assert browser.evaluate(LET_IN) == 401 and browser.evaluate("document.querySelectorAll('iframe').length") == 0


def test_the_organization_switcher(make_site, browser):
    """Beside the user button, where the instance has organizations. The application sees the one that was chosen."""
    site = make_site(inject='ClerkInjectScript On\nClerkUserButton "#user"\n')
    site.instance.token_ttl = 60
    site.instance.organizations_enabled = True
    site.sign_in(browser)
    chosen = "fetch('/clerk/status.json').then(answer => answer.json()).then(said => said.orgSlug || 'none')"
    assert browser.evaluate(chosen) == "none"
    browser.press_button("#user .cl-organizationSwitcherTrigger")
    browser.see("Acme Inc.")
    browser.screenshot("organization-switcher")
    browser.press_button(".cl-organizationSwitcherPopoverCard >> text=Acme Inc.")
    browser.wait(f"{chosen}.then(slug => slug === 'acme')")
    assert browser.evaluate("!!document.querySelector('#user .cl-userButtonTrigger')")


@pytest.mark.parametrize("place", ["#user", "bottom-right"])
def test_the_user_button(make_site, browser, place):
    site = make_site(inject=f'ClerkInjectScript On\nClerkUserButton "{place}"\n')
    site.instance.token_ttl = 20
    site.sign_in(browser)
    browser.wait("window.Clerk && window.Clerk.user && document.querySelector('.cl-userButtonTrigger')")
    assert browser.evaluate("!!document.querySelector('#user .cl-userButtonTrigger')") == (place == "#user")
    browser.evaluate("document.querySelector('.cl-userButtonTrigger').click()")
    browser.see("Manage account")
    browser.screenshot(f"user-button-{place.strip('#')}")
    before = site.instance.count("tokens")
    site.wait_for_new_token(browser)
    assert site.instance.count("tokens") > before and site.renewals() == 0
    assert browser.evaluate(LET_IN) == 200
