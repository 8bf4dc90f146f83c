# SPDX-License-Identifier: Apache-2.0
"""The error log: warnings and errors that a test did not announce make it fail."""

import pathlib
import re
import time

_LINE = re.compile(r"^\[[^\]]*\] \[(?P<module>[\w-]*):(?P<level>\w+)\] (?P<text>.*)$")
_BAD = {"warn", "error", "crit", "alert", "emerg"}
_CRASH = re.compile(r"exit signal|AddressSanitizer|runtime error:|assertion|Fatal|\*\*\* ")

# Messages of httpd itself, which the tests ignore.
_HARMLESS = (
    r"AH016(29|30|31): |AH01797: ",  # somebody was not let in: the tests look at the status
    r"AH00045: child process \d+ still did not exit",
    r"AH00288: scoreboard is full",
    r"AH03490: scoreboard is full",
    r"AH00161: server reached MaxRequestWorkers",
    r"AH00484: server reached MaxRequestWorkers",
    r"AH03092: process_lingering_close: apr_pollset_add failure",
    r"AH10159: server is within MinSpareThreads",
    r"long lost child came home",
)


class ErrorLog:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._checked = 0
        self._mark = 0
        self._announced = []

    def text(self):
        try:
            return self.path.read_text("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def mark(self):
        """recent() returns what is logged after this call."""
        self._mark = len(self.text())

    def recent(self):
        return self.text()[self._mark :]

    def announce(self, *patterns):
        """Regular expressions of warnings and errors that this test provokes."""
        self._announced += patterns

    def lines(self, pattern):
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def wait_for(self, pattern, timeout=10.0, count=1):
        """Wait until recent() contains `pattern` so many times."""
        deadline = time.monotonic() + timeout
        while len(list(re.finditer(pattern, self.recent()))) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} did not appear in {self.path}:\n{self.recent()[-4000:]}")
            time.sleep(0.02)

    def unexpected(self):
        """Warnings and errors since the last call that were not announced. Clears the announcements."""
        text = self.text()
        lines = text[self._checked :].splitlines()
        self._checked = len(text)
        allowed, self._announced = [re.compile(p) for p in (*self._announced, *_HARMLESS)], []
        result = []
        for line in lines:
            match = _LINE.match(line)
            bad = _CRASH.search(line) or (match and match["level"] in _BAD)
            if bad and not any(pattern.search(line) for pattern in allowed):
                result.append(line)
        return result
