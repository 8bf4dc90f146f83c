# SPDX-License-Identifier: Apache-2.0
"""For scripts/test: which tests failed, a line each, so that it can run them again by themselves."""

import os


def pytest_runtest_logreport(report):
    path = os.environ.get("CLERK_FAILED_TESTS")
    if path and report.failed:
        with open(path, "a", encoding="utf-8") as failed:
            failed.write(report.nodeid + "\n")
