# SPDX-License-Identifier: Apache-2.0
"""The module as a file: what compiler and linker add against overflows is in it, and it exports nothing but its record.
And httpd names its version where the administrator lets it."""

import os
import pathlib
import re
import subprocess

import pytest
from pyclerk.clerk import directives

MODULE = pathlib.Path(os.environ["CLERK_MODULE"])
SANITIZED = b"__asan_init" in MODULE.read_bytes()


def readelf(*options):
    return subprocess.run(["readelf", "--wide", *options, str(MODULE)], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def segments():
    """{type: flags} of the program headers."""
    return dict(re.findall(r"^  (\w+) +0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3}) ", readelf("--program-headers"), re.M))


@pytest.fixture(scope="module")
def imports():
    return set(re.findall(r" UND (\w+)", readelf("--dyn-syms")))


def test_the_stack_is_not_executable(segments):
    assert segments["GNU_STACK"] == "RW "


def test_no_memory_is_written_and_run():
    flags = re.findall(r"^  LOAD .* ([RWE ]{3}) 0x", readelf("--program-headers"), re.M)
    assert flags and not [each for each in flags if "W" in each and "E" in each]


def test_the_table_of_symbols_is_read_only(segments):
    assert "GNU_RELRO" in segments
    assert re.search(r"\((FLAGS_1|FLAGS|BIND_NOW)\).*NOW|\(BIND_NOW\)", readelf("--dynamic"))


def test_no_code_is_changed_when_it_is_loaded():
    assert "TEXTREL" not in readelf("--dynamic")


def test_libraries_come_from_the_system_only():
    assert not re.search(r"RPATH|RUNPATH", readelf("--dynamic"))


def test_the_stack_is_guarded(imports):
    assert "__stack_chk_fail" in imports


@pytest.mark.skipif(SANITIZED, reason="sanitizers look themselves")
def test_the_c_library_knows_the_sizes_of_buffers(imports):
    assert [name for name in imports if re.fullmatch(r"__\w+_chk", name) and name != "__stack_chk_fail"]


def test_only_the_record_is_exported():
    exported = re.findall(r" (?:GLOBAL|WEAK) +DEFAULT +\d+ (\w+)", readelf("--dyn-syms"))
    assert exported == ["auth_clerk_module"]


@pytest.mark.parametrize("tokens, named", [("Full", True), ("OS", False), ("Prod", False)])
def test_the_version_is_named_where_server_tokens_say_so(make_httpd, live, tokens, named):
    server = make_httpd()
    server.configure(directives(server, live) + f"ServerTokens {tokens}\n")
    server.start()
    said = server.get("/").header("Server")
    assert bool(re.search(r" mod_auth_clerk/\d+\.\d+\.\d+", said)) == named, said
