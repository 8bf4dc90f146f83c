# SPDX-License-Identifier: Apache-2.0
"""The files and names of the table of changes, in the page for contributors, exist."""

import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TEXT = (TOP / "CONTRIBUTING.md").read_text()
ROWS = re.findall(r"^\| (.+?) \| .+? \| (.+) \|$", TEXT.split("## Where do I change")[1], re.M)[2:]


def test_the_table_is_read():
    assert len(ROWS) >= 10


@pytest.mark.parametrize("change,where", ROWS, ids=[row[0] for row in ROWS])
def test_every_place_exists(change, where):
    places = re.findall(r"`([\w./]+\.\w+)`: `(\w+)`", where)
    assert places, change
    for file, name in places:
        assert re.search(rf"\b{name}\b", (TOP / file).read_text()), f"{file} has no {name}"


def test_the_commands_name_files_that_exist():
    for path in re.findall(r"`((?:tests|scripts|src|docs)/[\w./-]+)`", TEXT):
        assert (TOP / path).exists() or "FILE" in path, path
