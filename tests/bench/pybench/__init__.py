# SPDX-License-Identifier: Apache-2.0
"""The benchmark of tests/bench/run: servers, tokens, load, and the tables made of what was measured."""

import pathlib
import sys

_TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_TESTS), str(_TESTS / "httpd")]  # clerk_emulator and pyclerk
