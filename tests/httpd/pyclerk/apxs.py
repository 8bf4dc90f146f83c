# SPDX-License-Identifier: Apache-2.0
"""What the installed httpd is called, where its modules are, and which of them are built in."""

import functools
import os
import pathlib
import re
import shutil
import subprocess

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/apache2/bin"


def _find(*names):
    for name in names:
        found = shutil.which(name, path=_PATH)
        if found:
            return found
    raise FileNotFoundError(f"none of {', '.join(names)} is installed")


@functools.lru_cache(maxsize=None)
def _query(apxs, name):
    return subprocess.run([apxs, "-q", name], capture_output=True, text=True, check=True).stdout.strip()


class Apxs:
    """The httpd that apxs belongs to; APXS and HTTPD in the environment choose another one."""

    def __init__(self):
        self.apxs = os.environ.get("APXS") or _find("apxs", "apxs2")
        self.httpd = os.environ.get("HTTPD") or self._httpd()
        self.libexecdir = pathlib.Path(self.query("LIBEXECDIR"))
        listing = subprocess.run([self.httpd, "-l"], capture_output=True, text=True, check=True).stdout
        self.built_in = set(re.findall(r"^\s+(\w+)\.c$", listing, re.M))

    def query(self, name):
        return _query(self.apxs, name)

    def _httpd(self):
        named = pathlib.Path(self.query("SBINDIR")) / self.query("PROGNAME")
        return str(named) if named.exists() else _find("apache2", "httpd")

    def build(self, source, directory):
        """Compile one source file into a module in `directory`."""
        target = directory / f"{source.stem}.so"
        if not target.exists():
            flags = " ".join(self.query(name) for name in ("EXTRA_CPPFLAGS", "EXTRA_CFLAGS"))
            apr = [subprocess.run([self.query(name), "--includes"], capture_output=True, text=True, check=True).stdout
                   for name in ("APR_CONFIG", "APU_CONFIG")]
            done = subprocess.run(
                [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", *flags.split(), "-I", self.query("INCLUDEDIR"),
                 *" ".join(apr).split(), "-o", str(target), str(source)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        return target

    def has(self, name):
        return f"mod_{name}" in self.built_in or (self.libexecdir / f"mod_{name}.so").exists()

    def load(self, name):
        """The LoadModule line for mod_<name>, empty where it is built in."""
        if f"mod_{name}" in self.built_in:
            return ""
        path = self.libexecdir / f"mod_{name}.so"
        if not path.exists():
            raise FileNotFoundError(f"{path}: this httpd has no mod_{name}")
        return f'LoadModule {name}_module "{path}"\n'
