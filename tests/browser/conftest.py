# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests with a real browser. CLERK_BROWSER names the directory that scripts/test fills: node_modules with
playwright-core, scripts/@clerk/clerk-js. CLERK_SCREENSHOTS names one to leave pictures in."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "httpd"), str(TESTS)]

from clerk_emulator import Emulator  # noqa: E402
from pyclerk import Httpd  # noqa: E402

TOOLS = pathlib.Path(os.environ.get("CLERK_BROWSER") or TESTS.parent / "build/browser")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
NODE = os.environ.get("CLERK_NODE") or shutil.which("node")


def pytest_configure():
    for needed in (TOOLS / "node_modules/playwright-core", TOOLS / "scripts/@clerk/clerk-js", pathlib.Path(CHROMIUM)):
        if not needed.exists():
            raise pytest.UsageError(f"{needed} is not there: run scripts/test, which installs it")


class BrowserError(AssertionError):
    pass


class Browser:
    """One Chromium with a profile of its own."""

    def __init__(self, cookies=True, scripts=True):
        self._process = subprocess.Popen(
            [NODE, str(TESTS / "browser/driver.mjs"), str(TOOLS), CHROMIUM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._do("launch", cookies=cookies, scripts=scripts)

    def _do(self, command, **options):
        self._process.stdin.write(json.dumps({"command": command} | options) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the driver ended"}')
        if "error" in answer:
            raise BrowserError(answer["error"])
        return answer["value"]

    def open(self, url):
        """{"url", "status", "chain": [[status, url], ...], "text"}"""
        return self._do("open", url=url)

    def click(self, selector):
        return self._do("click", selector=selector)

    def fill(self, selector, text):
        """Type into an input; waits until it is there."""
        self._do("fill", selector=selector, text=text)

    def press(self, selector, key):
        self._do("press", selector=selector, key=key)

    def arrive(self, path):
        """Wait until the page of that path is open."""
        self._do("arrive", path=path)

    def see(self, text):
        """Wait until the page shows it, whatever its policy for scripts says."""
        self._do("see", text=text)

    def where(self):
        """{"url", "text"} of the page that is open."""
        return self._do("where")

    def tab(self, number):
        """Go on in that tab, the first being 0."""
        self._do("tab", number=number)

    def follow(self, selector):
        """Click a link that opens another tab, and go on there."""
        self._do("follow", selector=selector)

    def press_button(self, selector):
        """Click what does not lead to another page, or not at once."""
        self._do("press_only", selector=selector)

    def reply(self, yes):
        """The answer to the page's next question; without one it is no."""
        self._do("reply", yes=yes)

    def back(self):
        self._do("back")

    def set_cookie(self, name, value, url):
        self._do("set", name=name, value=value, url=url)

    def screenshots(self, name):
        """In light and dark, on a desktop and a phone."""
        for scheme in ("light", "dark"):
            for device, width, height in (("desktop", 1280, 720), ("phone", 390, 760)):
                self._do("look", scheme=scheme, width=width, height=height)
                self.screenshot(f"{name}-{scheme}-{device}")
        self._do("look", scheme="light", width=1280, height=720)

    def evaluate(self, expression):
        return self._do("evaluate", expression=expression)

    def wait(self, expression):
        self._do("wait", expression=expression)

    def cookies(self):
        return {cookie["name"]: cookie for cookie in self._do("cookies")}

    def clear(self, name):
        self._do("clear", name=name)

    @contextlib.contextmanager
    def asleep(self):
        """All its processes stand still, as on a laptop that sleeps."""
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii").split()
        groups = {os.getpgid(int(child)) for child in children} - {os.getpgid(self._process.pid)}
        assert groups
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in groups:
                os.killpg(group, signal.SIGCONT)

    def screenshot(self, name):
        directory = os.environ.get("CLERK_SCREENSHOTS")
        if directory:
            self._do("screenshot", path=str(pathlib.Path(directory).resolve() / f"{name}.png"))

    def close(self):
        try:
            self._do("close")
        finally:
            self._process.stdin.close()
            self._process.wait(20)


@pytest.fixture
def open_browser():
    opened = []

    def make(**options):
        opened.append(Browser(**options))
        return opened[-1]

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture
def browser(open_browser):
    return open_browser()


@pytest.fixture(scope="session")
def emulator():
    with Emulator(scripts=str(TOOLS / "scripts")) as running:
        yield running


@pytest.fixture
def httpd():
    """A server for one test; configure it, then start it. Its log must be free of what the test did not announce."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="clerk-browser-httpd-"))
    directory.chmod(0o755)
    server = Httpd(directory)
    yield server
    server.stop()
    problems = Httpd.log_problems()
    shutil.rmtree(directory, ignore_errors=True)
    assert not problems, "nobody announced:\n" + "\n".join(problems)
