# SPDX-License-Identifier: Apache-2.0
"""A session that is ended in the dashboard, while its browser has a token that is good for a minute: the next click is
sign-in, at once where Clerk's webhook arrives, and a little later where Clerk is asked."""

import json
import time
import urllib.request

import pytest
from pyclerk.clerk import directives, protect
from pyclerk.webhooks import SECRETS, signed
from test_clerk_js import PAGE, sign_in

LINKS = '<h1>Members</h1><a id="on" href="/members/more.html">More</a>'


@pytest.fixture(name="instance")
def _instance(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)


def serve(httpd, instance, how):
    origin = f"http://localhost:{httpd.port}"
    instance.default_origin = origin
    httpd.env["HOOK"] = SECRETS[0]
    httpd.write("app.html", PAGE.format(key=instance.publishable_key, origin=origin))
    httpd.write("members/index.html", LINKS)
    httpd.write("members/more.html", LINKS)
    httpd.configure(
        directives(httpd, instance, "api", (origin,)) + how
        + f"ClerkProxyURL {origin}/__clerk\nClerkSignInURL {instance.sign_in_url}\n"
        + f"ProxyPass /__clerk {instance.url}\nProxyPreserveHost On\n"
        + "<Location /hook>\nSetHandler clerk-webhook\nRequire all granted\n</Location>\n"
        + protect("/members")
    )
    httpd.start()
    return origin


def end_in_the_dashboard(instance, session):
    """And have no script renew anything meanwhile: the page that is open has none."""
    url = f"{instance.url}/_emulator/sessions/{session.id}/revoke"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", {"Content-Type": "application/json"}), timeout=10) as answer:
        assert answer.status == 200


def visit_and_be_ended(browser, site, instance):
    """Sign in, see the members' page, and have the session ended elsewhere."""
    sign_in(browser, site, instance)
    assert browser.open(site + "/members/")["chain"] == [[200, site + "/members/"]]
    (session,) = [one for one in instance.sessions.values() if one.status == "active"]
    end_in_the_dashboard(instance, session)
    return session


def tell(httpd, session):
    data = {"object": "session", "id": session.id, "user_id": session.user.id, "client_id": session.client.id}
    body = json.dumps({"type": "session.revoked", "object": "event", "data": data, "timestamp": int(time.time() * 1000)}).encode()
    assert httpd.request("POST", "/hook", signed(body), body).status == 204


def test_the_next_click_after_a_webhook_is_sign_in(httpd, instance, browser):
    site = serve(httpd, instance, "ClerkWebhookSecret env:HOOK\n")
    session = visit_and_be_ended(browser, site, instance)
    # Clerk's own SDK would go on for a minute, and so does this module until it is told.
    assert browser.click("#on")["url"] == site + "/members/more.html"
    tell(httpd, session)
    seen = browser.click("#on")
    assert seen["url"].startswith(instance.sign_in_url), seen


def test_without_a_webhook_clerk_is_asked(httpd, instance, browser):
    site = serve(httpd, instance, "ClerkRevocationCheck 1s\n")
    session = visit_and_be_ended(browser, site, instance)
    deadline = time.monotonic() + 40  # the token is good for 60 seconds
    while (seen := browser.click("#on"))["url"] == site + "/members/more.html":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert seen["url"].startswith(instance.sign_in_url), seen
    httpd.log.wait_for(f"AC3293: .*session {session.id} of user user_alice is over \\(revoked\\)")
