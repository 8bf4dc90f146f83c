# SPDX-License-Identifier: Apache-2.0
"""The steps that `clerkctl explain` names: their places exist, each is told somewhere, and the code decides by it. Needs no httpd."""

import pathlib
import re

import pytest
from test_sources import problems

TOP = pathlib.Path(__file__).resolve().parents[2]
STEPS = re.findall(r'^STEP\((\w+), "([^"]+)", "([^"]+)"\)$', (TOP / "src/clerk/steps.def").read_text(), re.M)
CODE = "\n".join(path.read_text() for path in sorted((TOP / "src/clerk").rglob("*.c")))


def test_the_steps_are_read():
    assert len(STEPS) > 50 and len({name for name, _, _ in STEPS}) == len(STEPS)


@pytest.mark.parametrize("name,place,condition", STEPS, ids=[step[0] for step in STEPS])
def test_its_place_exists_and_it_is_told_once(name, place, condition):
    assert problems(place if ".md" in place else f"protocol.md {place}") == []
    assert len(re.findall(rf"\bCLERK_STEP_{name}\b", CODE)) == (2 if name == "KIND" else 1)
    assert not condition.endswith(".")
