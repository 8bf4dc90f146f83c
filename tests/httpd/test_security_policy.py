# SPDX-License-Identifier: Apache-2.0
"""The page on security names tests for what it claims: they exist."""

import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TEXT = re.sub(r"\s+", " ", (TOP / "SECURITY.md").read_text())
CITED = re.findall(r"`(test_\w+\.(?:py|c))`(?:: `(test_\w+)`)?", TEXT)


def test_tests_are_cited():
    assert len(CITED) > 40


@pytest.mark.parametrize("file, name", sorted(set(CITED)))
def test_a_cited_test_exists(file, name):
    text = (TOP / "tests" / ("unit" if file.endswith(".c") else "httpd") / file).read_text()
    assert not name or re.search(rf"^def {name}\(", text, re.M)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", TEXT))
def test_a_link_leads_somewhere(target):
    assert (TOP / target).exists()
