# SPDX-License-Identifier: Apache-2.0
"""A visit to scripts/demo: sign in, wait until the token has expired, still be signed in, sign out."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.request

import pytest
from pyclerk import free_port

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/demo"
TTL = 2
SKEW = 5  # ClerkClockSkew, by default


class Demo:
    def __init__(self, log):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
        self._log = log
        with open(log, "wb") as output:
            self._process = subprocess.Popen(
                [SCRIPT], env=inherited | {"DEMO_PORT": str(free_port())}, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.url = self._said(r"^Open +(http://\S+)/ ")
        self.emulator = self._said(r"local emulator at (http://\S+) ")
        self._said(r"(Ctrl-C ends it)")

    def _said(self, pattern, timeout=300):
        deadline = time.monotonic() + timeout
        while True:
            text = pathlib.Path(self._log).read_text("utf-8")
            match = re.search(pattern, text, re.M)
            if match:
                return match[1]
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"scripts/demo said no {pattern!r}:\n{text}")
            time.sleep(0.1)

    def settings(self, **values):
        self._ask("settings", json.dumps(values).encode())

    def count(self, endpoint):
        return self._ask("counters").get(endpoint, 0)

    def _ask(self, what, body=None):
        with urllib.request.urlopen(f"{self.emulator}/_emulator/{what}", body, timeout=10) as answer:
            return json.load(answer)

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)  # SIGINT may be ignored from outside, and then a script cannot catch it
            self._process.wait(30)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    running = Demo(tmp_path_factory.mktemp("demo") / "output")
    yield running
    running.stop()


def test_a_visit(demo, browser):
    demo.settings(token_ttl=TTL)

    # Sent to sign in
    seen = browser.open(demo.url + "/members/")
    assert seen["url"].startswith(demo.emulator + "/sign-in?"), seen
    assert {status for status, _ in seen["chain"][:-1]} == {307} and seen["status"] == 200
    assert "Bob" in seen["text"]
    browser.screenshot("demo-sign-in")

    # Back, signed in
    seen = browser.click('form:has(input[value="bob"]) button:has-text("acme")')
    assert seen["url"] == demo.url + "/members/", seen
    assert "member in acme" in seen["text"] and "Bob" in seen["text"]
    browser.screenshot("demo-members")
    signed_in = browser.cookies()["__session"]["value"]

    # Away until the token has expired
    browser.open("about:blank")
    time.sleep(TTL + SKEW + 1)
    handshakes = demo.count("handshake")
    seen = browser.open(demo.url + "/members/")
    assert (seen["status"], seen["url"]) == (200, demo.url + "/members/"), seen
    assert "member in acme" in seen["text"]
    assert demo.count("handshake") == handshakes + 1
    assert [status for status, _ in seen["chain"]] == [307, 307, 307, 200]
    assert browser.cookies()["__session"]["value"] != signed_in
    browser.screenshot("demo-members-again")

    # Signed out
    demo.settings(token_ttl=60)
    browser.open(demo.url + "/")
    seen = browser.click("text=Sign out")
    assert "Hello, stranger" in seen["text"]
    browser.screenshot("demo-signed-out")
    seen = browser.open(demo.url + "/members/")
    assert seen["url"].startswith(demo.emulator + "/sign-in?")


def test_what_is_not_for_this_account(demo, browser):
    browser.open(demo.url + "/members/")
    browser.click('form:has(input[value="carol"]) button:has-text("Personal account")')
    seen = browser.open(demo.url + "/admin/")
    assert seen["status"] == 403 and "Not for this account" in seen["text"]
    browser.screenshot("demo-refused")


def test_the_tour(demo, browser):
    """What its start page leads to. A note waits until the token has expired, and is saved."""
    demo.settings(token_ttl=TTL)
    browser.open(demo.url + "/members/")
    browser.click('form:has(input[value="alice"]) button:has-text("acme")')
    browser.open(demo.url + "/")
    browser.screenshots("demo-tour")
    browser.click('.tour a[href="/notes/"]')
    browser.fill("textarea", "Written slowly")
    time.sleep(TTL + SKEW + 1)
    seen = browser.click("button.button")
    assert seen["url"] == demo.url + "/notes/" and "Written slowly" in seen["text"], seen
    browser.screenshots("demo-notes")
    demo.settings(token_ttl=60)
    browser.open(demo.url + "/")
    seen = browser.click('.tour a[href="/programs/"]')
    assert "git clone" in seen["text"]
    browser.screenshots("demo-programs")
    browser.open(demo.url + "/")
    seen = browser.click('.tour a[href="/clerk-status"]')
    assert "mod_auth_clerk" in seen["text"] and seen["url"] == demo.url + "/clerk-status", seen
    browser.open(demo.url + "/received/")
    browser.screenshots("demo-received")
    browser.open(demo.url + "/")
    seen = browser.click('.tour a[href="/clerk/sign-out"]')
    assert "Hello, stranger" in seen["text"]
