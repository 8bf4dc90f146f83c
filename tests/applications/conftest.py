# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests with real applications. CLERK_APPLICATIONS names the directory that tests/applications/run fills with Debian's
packages, unpacked and not installed."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "applications"), str(TESTS / "httpd"), str(TESTS)]

from browser.conftest import browser, emulator, open_browser  # noqa: E402,F401 pylint: disable=unused-import
from pyclerk import Httpd  # noqa: E402
from pyclerk.neighbours import PhpFpm  # noqa: E402
from real import TREE, Database, Site, give, php_settings  # noqa: E402


def pytest_configure():
    if not TREE.is_dir():
        raise pytest.UsageError(f"{TREE} is not there: run tests/applications/run, which unpacks it")


@pytest.fixture(scope="session")
def workdir():
    path = pathlib.Path(tempfile.mkdtemp(prefix="clerk-applications-"))
    path.chmod(0o755)
    yield path
    if not os.environ.get("CLERK_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def copy(workdir):
    """copy(part, name): a copy of a part of the tree, which the application may write to."""

    def copy(part, name):
        target = workdir / name
        shutil.copytree(TREE / part, target, symlinks=False, ignore_dangling_symlinks=True, dirs_exist_ok=True)
        for link in (TREE / part).rglob("*"):  # to what a package brings that is installed here already
            if link.is_symlink() and not link.exists():
                installed = pathlib.Path("/", os.path.relpath(os.path.normpath(link.parent / os.readlink(link)), TREE))
                if installed.is_file():
                    shutil.copyfile(installed, target / link.relative_to(TREE / part))
        for file in target.rglob("vendor/**/autoload*.php"):  # Debian's have absolute paths
            file.write_text(file.read_text("utf-8").replace("'/usr/share/php", f"'{TREE}/usr/share/php"), "utf-8")
        subprocess.run(["chmod", "-R", "u+rwX,go+rX", str(target)], check=True)
        return target

    return copy


@pytest.fixture(scope="session")
def php(workdir):
    fpm = PhpFpm(workdir / "fpm", children=6, settings=php_settings(f"session.save_path={workdir}", "error_log=/dev/stderr"))
    give(workdir)
    fpm.start()
    yield fpm
    fpm.stop()


@pytest.fixture(scope="session")
def database(workdir):
    running = Database(workdir / "database")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def make_site(workdir, emulator):  # noqa: F811
    made = []

    def make(production=True):
        host = "clerk.example.test" if production else "happy-emu-42.clerk.accounts.dev"
        instance = emulator.add_instance(production=production, host=host, cookie_domain="", secure=False)
        instance.issue_refresh_cookies = True
        server = Httpd(tempfile.mkdtemp(prefix="s", dir=workdir))
        made.append(server)
        return Site(server, instance)

    yield make
    for server in made:
        server.stop()


@pytest.fixture(autouse=True)
def error_log():
    """Every warning or error that a test did not announce fails it."""
    yield
    problems = Httpd.log_problems()
    assert not problems, "nobody announced:\n" + "\n".join(problems)
