# SPDX-License-Identifier: Apache-2.0
"""The pages for people: refused, signed out, switching the organization; and a session that only ClerkJS can renew."""

import pytest
from pyclerk.clerk import directives, protect


def make_site(httpd, emulator, keys):
    instance = emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)
    origin = f"http://localhost:{httpd.port}"
    instance.default_origin = origin
    for name in ("members", "admin"):
        httpd.write(f"{name}/index.html", f"<!doctype html><title>{name}</title><h1>The {name}</h1>")
    httpd.configure(
        directives(httpd, instance, keys, (origin,)) + f"ClerkPages /clerk\nClerkClockSkew 0\nClerkProxyURL {origin}/__clerk\n"
        + f"ProxyPass /__clerk {instance.url} responsefieldsize=65536\nProxyPreserveHost On\n" + protect("/members")
        + protect("/admin", ["clerk-role admin"]) + protect("/challenge", ["valid-user"], "ClerkUnauthenticated challenge"))
    httpd.start()
    return origin, instance


def sign_in(browser, origin, user):
    browser.open(origin + "/members/")
    browser.fill("input[name=identifier]", user.email)
    browser.fill("input[name=password]", user.password)
    browser.press("input[name=password]", "Enter")
    browser.arrive("/members/")


def test_refused_and_then_somebody_else(httpd, emulator, browser):
    origin, instance = make_site(httpd, emulator, "api")
    sign_in(browser, origin, instance.users["carol"])
    refused = browser.open(origin + "/admin/")
    assert refused["status"] == 403 and "user_carol" in refused["text"] and "Switch organization" in refused["text"]
    browser.screenshots("people-403")
    browser.evaluate("void document.querySelectorAll('a')[1].click()")
    browser.arrive("/clerk/sign-in")
    browser.fill("input[name=identifier]", instance.users["alice"].email)
    browser.fill("input[name=password]", instance.users["alice"].password)
    browser.press("input[name=password]", "Enter")
    browser.see("user_alice")  # who is in no active organization either
    assert "You do not have access" in browser.where()["text"]


def test_a_challenge(httpd, emulator, browser):
    origin, _ = make_site(httpd, emulator, "api")
    seen = browser.open(origin + "/challenge")
    assert seen["status"] == 401 and "Please sign in" in seen["text"] and "Create an account" in seen["text"]
    browser.screenshots("people-401")
    assert "/clerk/sign-in?redirect_url=" in browser.click("a >> text=Sign in")["url"]


@pytest.mark.parametrize("size", [700, 5000], ids=["lost handshakes", "a session that no cookie holds"])
def test_lost_handshakes_are_renewed_by_clerk_js(httpd, emulator, browser, size):
    """Without a secret key the answer of a handshake is a cookie that has the token twice; browsers drop it above 4,096 bytes."""
    origin, instance = make_site(httpd, emulator, "public")
    httpd.log.announce("AC3100")
    instance.handshake_form = "token"
    sign_in(browser, origin, instance.users["alice"])
    instance.users["alice"].claims["padding"] = "x" * size
    for name in ("__session", "__session_" + instance.cookie_suffix):
        browser.clear(name)
    browser.open(origin + "/members/")
    if size < 4000:
        browser.arrive("/members/")
        browser.see("The members")
    else:
        browser.see("has not kept the session")
        assert "/clerk/renew" in browser.where()["url"]
        browser.screenshots("people-renew-failed")
