# SPDX-License-Identifier: Apache-2.0
"""The layers and folders of src: includes point downward, and there is no include circle."""

import pathlib
import re
import subprocess

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
    ["clerk/browser", "clerk/webhook"],
    ["clerk/machine"],
    ["clerk"],
    ["httpd/process"],
    ["httpd/config"],
    ["ctl", "httpd/config_check", "httpd/request"],
    ["httpd/application"],
    ["httpd/site"],
    ["httpd/authz", "httpd/inject"],
    ["httpd/authn", "httpd/status", "httpd/webhook"],
    ["httpd"],
    [""],
]
RANK = {folder: rank for rank, line in enumerate(RANKS) for folder in line}
# These files of clerk/ are used by its folders; the others use the folders.
BASE = {"clerk/outcome.h", "clerk/protocol.h", "clerk/reason.h", "clerk/request.h", "clerk/services.h", "clerk/step.h", "clerk/token_type.h"}
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


def test_the_picture_is_that_of_the_sources():
    drawn = subprocess.run([TOP / "scripts/architecture", "--print"], capture_output=True, text=True, check=True).stdout
    assert drawn == (TOP / "docs/architecture.svg").read_text(), "run scripts/architecture"


def test_the_page_about_the_layers_names_every_folder():
    page = (TOP / "docs/architecture.md").read_text()
    for name_of_folder in set(RANK) - {""}:
        parent, _, last = name_of_folder.partition("/")
        assert f"`{name_of_folder}`" in page or (parent == "clerk" and "`clerk/...`" in page) or f"`{last}`" in page, name_of_folder


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


# An external name begins with its layer's prefix and the name of its file, so that grep and ls agree. These files' names
# begin otherwise.
PREFIXES = {
    "ctl/clerkctl.c": "main",
    "httpd/process/log.c": "clerk_httpd_log",  # clerk_log is shared/log.c, which this one serves
    "jose/jose.c": "jose",  # what all of jose/ shares
}
WITHOUT_COMMENTS = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
EXTERNAL = re.compile(
    r"^(?!static\b|typedef\b|extern\b|(?:struct|union|enum)\s+\w*\s*\{)[a-z][\w \t*]*?[ *](\w+)"
    r"(?:\([^;{}]*\)\s*\{|(?:\[[^;{}]*\])?\s*[=;])", re.M)


def externals(text):
    """The functions and variables that the text of a .c file defines for other files."""
    return EXTERNAL.findall(WITHOUT_COMMENTS.sub("", text))


def usual_prefix(file):
    return ("jose_" if file.startswith("jose/") else "clerk_") + pathlib.PurePath(file).stem


def begins(external, start):
    return external == start or external.startswith(start + "_")


@pytest.mark.parametrize("text,found", [
    ("int f(void)\n{\n    return 0;\n}\n", ["f"]),
    ("static int f(void)\n{\n", []),
    ("const char *const *f(int a,\n                     int b)\n{\n", ["f"]),
    ("/* int f(void)\n{ */\nint g;\n", ["g"]),
    ("const row table[COUNT] = {\n", ["table"]),
    ("static const row table[] = {\n", []),
    ("struct row {\n    int a;\n};\ntypedef struct row row;\n", []),
    ("struct row *rows(void)\n{\n", ["rows"]),
    ("int f(void);\n", []),
])
def test_externals_are_found(text, found):
    assert externals(text) == found


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix == ".c" and "/" in name(path)], ids=name)
def test_an_external_name_begins_with_its_files(path):
    prefix = PREFIXES.get(name(path)) or usual_prefix(name(path))
    assert [external for external in externals(path.read_text()) if not begins(external, prefix)] == []


@pytest.mark.parametrize("file", PREFIXES)
def test_every_exception_is_needed(file):
    found = externals((TOP / "src" / file).read_text())
    assert found and not any(begins(external, usual_prefix(file)) for external in found)
