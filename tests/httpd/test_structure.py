# SPDX-License-Identifier: Apache-2.0
"""The layers and folders of src: includes point downward, and there is no include circle."""

import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted([*TOP.glob("src/**/*.[ch]"), TOP / "mod_auth_clerk.c"])

# From the bottom to the top. A folder includes from its own line, of its own folder only, and from the lines before it.
RANKS = [
    ["text"],
    ["jose"],
    ["net"],
    ["shared"],
    ["shared/keystore"],
    ["clerk/url"],
    ["clerk/instance"],
    ["clerk/session"],
    ["clerk/cookies"],
    ["clerk/browser"],
    ["clerk"],
    ["httpd/process"],
    ["httpd/config"],
    ["httpd/config_check", "httpd/request"],
    ["httpd/application"],
    ["httpd/authz"],
    ["httpd/site"],
    ["httpd/authn", "httpd/status"],
    ["httpd"],
    [""],
]
RANK = {folder: rank for rank, line in enumerate(RANKS) for folder in line}
# These files of clerk/ are used by its folders; the others use the folders.
BASE = {"clerk/outcome.h", "clerk/protocol.h", "clerk/reason.h", "clerk/request.h", "clerk/services.h", "clerk/token_type.h"}
HTTPD_HEADERS = re.compile(r"#include <(httpd|http_\w+|ap_\w+|util_\w+|mod_\w+|mpm_common|scoreboard|unixd)\.h>")


def name(path):
    return path.relative_to(TOP).as_posix().removeprefix("src/")


def includes(path):
    return [found for found in re.findall(r'#include "([^"]+)"', path.read_text()) if (TOP / "src" / found).exists()]


GRAPH = {name(path): includes(path) for path in SOURCES}


def folder(file):
    return file.rpartition("/")[0]


def test_every_folder_has_a_rank():
    assert {folder(file) for file in GRAPH} == set(RANK)


@pytest.mark.parametrize("file", sorted(GRAPH))
def test_includes_point_downward(file):
    for target in GRAPH[file]:
        here, there = folder(file), folder(target)
        assert here == there or target in BASE or RANK[there] < RANK[here], f"{file} includes {target}"


def circle(graph, start):
    """An include path from a file back to itself, or None."""
    stack, seen = [(start, [start])], set()
    while stack:
        at, way = stack.pop()
        for following in graph.get(at, []):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                stack.append((following, [*way, following]))
    return None


def modules():
    """Modules: x.c and x.h are one."""
    graph = {}
    for file, targets in GRAPH.items():
        own = file.rpartition(".")[0]
        graph.setdefault(own, set()).update(target.rpartition(".")[0] for target in targets)
        graph[own].discard(own)
    return graph


@pytest.mark.parametrize("module", sorted(modules()))
def test_there_is_no_include_circle(module):
    assert circle(modules(), module) is None


@pytest.mark.parametrize("path", [path for path in SOURCES if not name(path).startswith(("httpd/", "mod_auth"))], ids=name)
def test_the_core_knows_no_httpd(path):
    assert not HTTPD_HEADERS.search(path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_an_include_guard_is_the_path(path):
    if path.suffix == ".h":
        guard = re.sub(r"[/.]", "_", name(path)).upper()
        assert f"#ifndef {guard}\n#define {guard}\n" in path.read_text()
