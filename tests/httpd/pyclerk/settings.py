# SPDX-License-Identifier: Apache-2.0
"""The rows of settings.def, and a module that prints what a request's settings came to."""

import pathlib
import re
import subprocess
import typing

from .apxs import Apxs

TOP = pathlib.Path(__file__).resolve().parents[3]
_ROW = re.compile(r'^SETTING\((\w+), (\w+), (\w+),\s*(\w+)\((.*?)\),\s*"[^"]*"\)$', re.M | re.S)


class Row(typing.NamedTuple):
    directive: str
    group: str
    member: str
    kind: str  # what it is stored as, where it has a setter of its own
    arguments: list

    @property
    def of_instance(self):
        return self.group in ("IDENTITY", "TRANSPORT")

    @property
    def of_place(self):
        return self.group in ("ADMIN", "SECTION", "POLICY")

    @property
    def words(self):
        """{enumerator: word} in the order of the row."""
        return dict(re.findall(r'\[(\w+)\] = "([\w-]+)"', ", ".join(self.arguments)))


def _row(directive, group, member, kind, arguments):
    if kind == "OWN":
        kind, arguments = re.match(r"(\w+)\((.*)\), AP_INIT", arguments).groups()
    return Row(directive, group, member, kind, re.split(r",\s*(?![^(]*\))", arguments))


_TEXT = (TOP / "src/httpd/config/settings.def").read_text()
ROWS = [_row(*found) for found in _ROW.findall(_TEXT)]

# Members that a .htaccess file does not simply replace.
KEPT_APART = set(re.findall(r"^    MEMBER\((\w+),", (TOP / "src/httpd/config/htaccess.c").read_text(), re.M))
assert len(ROWS) == _TEXT.count("\nSETTING("), "a row of settings.def is written in another way"


def _words(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def build_probe(path):
    """mod_settings_probe as a file that httpd can load. @return the line that loads it"""
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", f"-I{TOP}/src",
             f"-I{Apxs().query('INCLUDEDIR')}", *_words("apr-1-config", "--includes", "--cppflags"),
             *_words("apu-1-config", "--includes")]
    sources = [TOP / "tests/httpd/probe/mod_settings_probe.c", TOP / "src/httpd/config/settings.c"]
    subprocess.run(["gcc", *flags, "-o", path, *sources], check=True)
    path.chmod(0o755)
    return f'LoadModule settings_probe_module "{path}"\n'
