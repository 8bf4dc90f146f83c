# SPDX-License-Identifier: Apache-2.0
"""Runs clerkctl, which is built beside the module; CLERK_CTL names another one."""

import json
import os
import pathlib
import re
import subprocess


def program():
    return os.environ.get("CLERK_CTL") or str(pathlib.Path(os.environ["CLERK_MODULE"]).parents[1] / "clerkctl")


def option(directive):
    """ClerkJWTKey -> --jwt-key, ClerkAPIURL -> --api-url"""
    return "--" + re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]|URL$)", "-", directive.removeprefix("Clerk")).lower()


def options_of(text):
    """The options for directives, one a line."""
    return [word for line in text.splitlines() if line for word in (option(line.split(" ", 1)[0]), line.split(" ", 1)[1])]


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}\n{self.out}{self.err}"


def run(*arguments, stdin=b"", env=None, timeout=60, pass_fds=()):
    """Run it with these arguments, standard input and environment variables. A signal is a failure of the test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_")}
    done = subprocess.run(
        [program(), *map(str, arguments)], input=stdin if isinstance(stdin, bytes) else stdin.encode("utf-8"),
        env={**inherited, **(env or {})}, capture_output=True, timeout=timeout, pass_fds=pass_fds, check=False)
    result = Result(done)
    assert 0 <= done.returncode <= 3, result
    assert "Sanitizer" not in result.err, result
    return result
