# SPDX-License-Identifier: Apache-2.0
"""The real @clerk/clerk-js in a page of a site whose frontend API is reached through its own proxy (ClerkProxyURL)."""

import time

import pytest
from pyclerk.clerk import directives, protect

PAGE = """<!doctype html><meta charset="utf-8"><title>app</title><h1>app</h1>
<script data-clerk-publishable-key="{key}" data-clerk-proxy-url="{origin}/__clerk"
 src="/__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js"></script>
<script>Clerk.load({{ telemetry: false }})</script>
"""
SIGN_IN = """(async () => {
    const done = await Clerk.client.signIn.create({ strategy: 'password', identifier: '%s', password: '%s' });
    await Clerk.setActive({ session: done.createdSessionId });
    return Clerk.user.id;
})()"""
STATUS_OF_FETCH = "fetch('/members/').then(answer => answer.status)"


@pytest.fixture
def instance(emulator):
    """Localhost without TLS: no Domain and no Secure on the cookies."""
    return emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)


@pytest.fixture
def site(httpd, instance):
    origin = f"http://localhost:{httpd.port}"
    instance.default_origin = origin
    httpd.write("app.html", PAGE.format(key=instance.publishable_key, origin=origin))
    httpd.write("members/index.html", "<h1>Members</h1>")
    httpd.configure(
        directives(httpd, instance, "api", (origin,))
        + f"ClerkProxyURL {origin}/__clerk\nClerkSignInURL {instance.sign_in_url}\n"
        + f"ProxyPass /__clerk {instance.url}\nProxyPreserveHost On\n"
        + protect("/members")
    )
    httpd.start()
    return origin


def sign_in(browser, site, instance):
    alice = instance.users["alice"]
    browser.open(site + "/app.html")
    browser.wait("window.Clerk && Clerk.status === 'ready'")
    return browser.evaluate(SIGN_IN % (alice.email, alice.password))


def test_sign_in_refresh_and_sign_out(site, instance, browser):
    instance.token_ttl = 20
    assert browser.open(site + "/members/")["url"].startswith(instance.sign_in_url)
    assert sign_in(browser, site, instance) == "user_alice"
    cookies = browser.cookies()
    assert {"__session", f"__session_{instance.cookie_suffix}", "__client_uat"} <= cookies.keys()
    assert browser.evaluate(STATUS_OF_FETCH) == 200

    first = cookies["__session"]["value"]
    deadline = time.monotonic() + 30
    while browser.cookies()["__session"]["value"] == first:
        assert time.monotonic() < deadline, "clerk-js did not refresh the token"
        time.sleep(0.2)
    assert browser.evaluate(STATUS_OF_FETCH) == 200
    seen = browser.open(site + "/members/")
    assert (seen["chain"], seen["text"]) == ([[200, site + "/members/"]], "Members")

    browser.open(site + "/app.html")
    browser.wait("window.Clerk && Clerk.status === 'ready' && Clerk.user")
    browser.evaluate("Clerk.signOut({ redirectUrl: '/index.html' })")
    browser.wait("location.pathname === '/index.html'")
    assert "__session" not in browser.cookies()
    assert browser.evaluate(STATUS_OF_FETCH) == 401
    seen = browser.open(site + "/members/")
    assert [status for status, _ in seen["chain"]] == [307, 200] and seen["url"].startswith(instance.sign_in_url)


@pytest.mark.parametrize("form", ["token", "nonce"])
def test_an_expired_token_comes_back_through_a_handshake(site, instance, browser, form):
    """While the user is away no script runs; the next page navigation renews the session."""
    instance.handshake_form = form
    sign_in(browser, site, instance)
    browser.open("about:blank")
    expired = instance.mint("alice", session=next(iter(instance.sessions.values())), age=300, origin=site)
    browser.open(site + "/index.html")
    for name in ("__session", f"__session_{instance.cookie_suffix}"):
        browser.evaluate(f"document.cookie = '{name}={expired}; path=/'")
    for name in ("__client_uat", f"__client_uat_{instance.cookie_suffix}"):
        browser.evaluate(f"document.cookie = '{name}=1; path=/'")
    seen = browser.open(site + "/members/")
    assert [status for status, _ in seen["chain"]] == [307, 307, 200], seen
    assert seen["text"] == "Members" and seen["url"] == site + "/members/"
    assert "/__clerk/v1/client/handshake?" in seen["chain"][1][1]
    assert not {"__clerk_handshake", "__clerk_handshake_nonce"} & browser.cookies().keys()
    assert browser.open(site + "/members/")["chain"] == [[200, site + "/members/"]]


def test_a_lost_session_cookie_comes_back_too(site, instance, browser):
    sign_in(browser, site, instance)
    browser.open("about:blank")
    browser.clear("__session")
    browser.clear(f"__session_{instance.cookie_suffix}")
    seen = browser.open(site + "/members/")
    assert ([status for status, _ in seen["chain"]], seen["text"]) == ([307, 307, 200], "Members")
