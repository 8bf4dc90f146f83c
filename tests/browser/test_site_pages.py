# SPDX-License-Identifier: Apache-2.0
"""The module's own pages with the real clerk-js and Clerk's real components: an application without a line of code."""

import pytest
from pyclerk.clerk import directives, protect

APPLICATION = """<!doctype html><meta charset="utf-8"><title>old application</title><h1>Members</h1>
<a id="out" href="/clerk/sign-out?redirect_url=/goodbye.html">Sign out</a>
"""


@pytest.fixture(params=["api", "public"], ids=["with a secret key", "without"])
def site(request, httpd, emulator):
    instance = emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)
    origin = f"http://localhost:{httpd.port}"
    instance.default_origin = origin
    httpd.write("members/index.html", APPLICATION)
    httpd.write("goodbye.html", "<!doctype html><title>bye</title><h1>Goodbye</h1>")
    httpd.configure(
        directives(httpd, instance, request.param, (origin,))
        + f"ClerkPages /clerk\nClerkProxyURL {origin}/__clerk\nProxyPass /__clerk {instance.url}\nProxyPreserveHost On\n"
        + protect("/members")
    )
    httpd.start()
    return origin, instance


def sign_in(browser, origin, instance):
    alice = instance.users["alice"]
    assert "/clerk/sign-in?redirect_url=" in browser.open(origin + "/members/")["url"]
    browser.fill("input[name=identifier]", alice.email)
    browser.screenshots("site-sign-in")
    browser.fill("input[name=password]", alice.password)
    browser.press("input[name=password]", "Enter")
    browser.arrive("/members/")


def test_sign_in_and_out_without_a_line_of_code(site, browser):
    origin, instance = site
    sign_in(browser, origin, instance)
    assert "Members" in browser.where()["text"]
    said = browser.evaluate("fetch('/clerk/status.json').then(answer => answer.json())")
    assert said["signedIn"] and said["userId"] == "user_alice"
    browser.click("#out")
    browser.arrive("/goodbye.html")
    assert [session.status for session in instance.sessions.values() if session.user.id == "user_alice"][-1] != "active"
    assert "__session" not in browser.cookies()
    assert "/clerk/sign-in" in browser.open(origin + "/members/")["url"]


def test_a_sign_out_from_elsewhere_asks(site, browser):
    origin, instance = site
    sign_in(browser, origin, instance)
    asked = browser.open(origin + "/clerk/sign-out")
    assert asked["status"] == 200 and "Sign out?" in asked["text"]
    browser.screenshots("site-sign-out-question")
    assert "Members" in browser.open(origin + "/members/")["text"]


def test_a_page_with_two_slashes_leads_to_this_site(site, browser):
    """`//clerk/` is a path for httpd, and another host in a link."""
    origin, _ = site
    browser.open(origin + "//clerk/account")
    browser.arrive("/clerk/sign-in")
    assert browser.where()["url"].startswith(origin + "/clerk/sign-in?")


def test_the_account_page_shows_the_user(site, browser):
    origin, instance = site
    sign_in(browser, origin, instance)
    browser.open(origin + "/clerk/account")
    browser.see("Profile details")
    browser.screenshots("site-account")


def test_a_new_person_can_sign_up(site, browser):
    origin, _ = site
    browser.open(origin + "/clerk/sign-up")
    browser.see("Create your account")
    browser.screenshots("site-sign-up")
