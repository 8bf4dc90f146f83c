# SPDX-License-Identifier: Apache-2.0
"""A browser that keeps no cookies shows our page about it, not its own error about redirects."""

import pytest
from pyclerk.clerk import directives, protect


@pytest.fixture
def site(httpd, emulator):
    instance = emulator.add_instance(production=False)
    instance.default_origin = httpd.origin()
    httpd.write("members/index.html", "<h1>Members</h1>")
    httpd.configure(
        directives(httpd, instance, "frontend", (httpd.origin(),)) + f"ClerkSignInURL {instance.sign_in_url}\n" + protect("/members")
    )
    httpd.log.announce("AC3012")  # a development instance
    return httpd.start()


def test_blocked_cookies(site, open_browser):
    site.log.announce("AC3100")
    browser = open_browser(cookies=False)
    seen = browser.open(site.origin() + "/members/?x=1")
    assert seen["status"] == 401
    assert [status for status, _ in seen["chain"]] == [307, 307, 307, 401]
    assert browser.cookies() == {}
    assert "Signing in goes round in circles" in seen["text"] and "Allow cookies" in seen["text"]
    assert "dev-browser-missing" in seen["text"]
    browser.screenshots("loop-page")
    again = browser.click("a >> text=Try again")
    assert "Allow cookies" in again["text"]
    site.log.wait_for("AC3100: .*does not keep Clerk's cookies", count=2)


def test_the_same_site_with_cookies(site, browser):
    seen = browser.open(site.origin() + "/members/?x=1")
    assert "Sign in" in seen["text"]
    assert "__clerk_help" not in " ".join(url for _, url in seen["chain"])
    arrived = browser.click("text=Personal account")
    assert (arrived["url"], arrived["text"]) == (site.origin() + "/members/?x=1", "Members")


def test_a_link_with_a_stale_handshake(site, browser):
    site.log.announce("AC3101")
    browser.open(site.origin() + "/members/")
    seen = browser.open(site.origin() + "/members/?__clerk_handshake=stale")
    assert seen["status"] == 400 and "cannot be used here" in seen["text"]
    browser.screenshots("bad-handshake-page")
    assert "Sign in" in browser.click("a >> text=Go on")["text"]
