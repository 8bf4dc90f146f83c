# SPDX-License-Identifier: Apache-2.0
"""A form that outlives its session on a satellite domain: people sign in on the primary domain, ClerkJS does not help there."""

import pathlib
import shutil
import tempfile

import pytest
from pyclerk import Httpd
from pyclerk.clerk import directives, protect

FORM = """<!doctype html><meta charset="utf-8"><title>satellite</title><h1>Members</h1>
<form method="post" action="/members/save.cgi"><textarea name="text"></textarea><button id="save">Save</button></form>
"""
SAVE = """#!/bin/sh
printf 'Content-Type: text/html\\r\\n\\r\\n<h1>Saved by %s: %s</h1>' "${REMOTE_USER:-nobody}" "$(cat)"
"""


class Site:
    def __init__(self, instance, primary, satellite):
        self.instance = instance
        self.primary, self.satellite = f"http://localhost:{primary.port}", f"http://127.0.0.1:{satellite.port}"

    def sign_in(self, browser, user):
        """On the page of the primary domain."""
        browser.arrive("/clerk/sign-in")
        assert browser.where()["url"].startswith(self.primary)
        browser.fill("input[name=identifier]", self.instance.users[user].email)
        browser.fill("input[name=password]", self.instance.users[user].password)
        browser.press("input[name=password]", "Enter")

    def write_slowly(self, browser):
        """Sign in, fill the form in, and let the session of the satellite lapse. @return the session"""
        browser.open(self.satellite + "/members/form.html")
        self.sign_in(browser, "alice")
        browser.arrive("/members/form.html")
        assert browser.where()["url"].startswith(self.satellite)
        browser.fill("textarea", "precious")
        session = list(self.instance.sessions.values())[-1]
        expired = self.instance.mint(session=session, age=300, origin=self.satellite)
        # Without a suffix, as the handshake has set them: no ClerkJS has been here.
        browser.set_cookie("__session", expired, self.satellite)
        browser.set_cookie("__client_uat", "1", self.satellite)
        return session


@pytest.fixture
def site(httpd, emulator):
    """A development instance: its primary and its satellite need no names but those of this machine."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="clerk-browser-satellite-"))
    directory.chmod(0o755)
    satellite = Httpd(directory)
    instance = emulator.add_instance()
    site = Site(instance, httpd, satellite)
    instance.default_origin = site.primary
    proxy = f"ClerkProxyURL {site.primary}/__clerk\nProxyPass /__clerk {instance.url}\nProxyPreserveHost On\n"
    of_satellite = f"ClerkSatellite On\nClerkDomain 127.0.0.1:{satellite.port}\nClerkSignInURL {site.primary}/clerk/sign-in\n"
    for server, more in ((httpd, proxy), (satellite, of_satellite)):
        server.write("members/form.html", FORM)
        server.cgi("members/save.cgi", SAVE)
        server.configure(directives(server, instance, "frontend", (site.primary, site.satellite)) + "ClerkPages /clerk\n" + more + protect("/members"))
        server.log.announce("AC3012")
        server.start()
    yield site
    satellite.stop()
    shutil.rmtree(directory, ignore_errors=True)


def test_the_form_arrives_by_itself(site, browser):
    site.write_slowly(browser)
    browser.press_button("#save")
    browser.see("Saved by user_alice: text=precious")


def write_and_sign_in_elsewhere(site, browser, who):
    """A form whose session has ended; its writer signs in on the primary domain, in a tab of its own, and comes back."""
    site.instance.end_session(site.write_slowly(browser))
    browser.press_button("#save")
    browser.see("Please sign in to send your form")
    browser.follow("#more a")
    site.sign_in(browser, who)
    browser.see("You can close this tab")
    browser.tab(0)


def test_the_text_waits_for_a_sign_in_on_the_primary_domain(site, browser):
    write_and_sign_in_elsewhere(site, browser, "alice")
    browser.see("Saved by user_alice: text=precious")


def test_another_person_is_asked(site, browser):
    write_and_sign_in_elsewhere(site, browser, "bob")
    browser.see("Send this form as another account?")
    browser.press_button("#send")
    browser.see("Saved by user_bob: text=precious")
