# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the tests against a real httpd. CLERK_MODULE names the module, MPM the process model (event)."""

import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from clerk_emulator import Emulator  # noqa: E402
from pyclerk import Httpd  # noqa: E402
from pyclerk import oracle as oracle_process  # noqa: E402
from pyclerk.apxs import Apxs  # noqa: E402
from pyclerk.neighbours import EchoBackend, PhpFpm  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "mpm: what differs between process models; also run with worker and prefork")
    if not os.environ.get("CLERK_MODULE"):
        built = sorted(HERE.parents[1].glob("build/*/.libs/mod_auth_clerk.so"), key=lambda path: path.stat().st_mtime)
        if not built:
            raise pytest.UsageError("no module: run scripts/test, or name it in CLERK_MODULE")
        os.environ["CLERK_MODULE"] = str(built[-1])
    os.environ["CLERK_MODULE"] = str(pathlib.Path(os.environ["CLERK_MODULE"]).resolve())


def pytest_report_header():
    return f"module {os.environ['CLERK_MODULE']}, MPM {os.environ.get('MPM', 'event')}"


@pytest.fixture(scope="session")
def workdir():
    """Under the system's temporary directory and open to the user httpd runs as, which pytest's own is not."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="clerk-httpd-"))
    path.chmod(0o755)
    yield path
    if not os.environ.get("CLERK_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def emulator():
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def live(emulator):
    """A production instance of the module's own."""
    return emulator.add_instance(production=True, host="clerk.example.test")


@pytest.fixture(scope="module")
def dev(emulator):
    return emulator.add_instance(production=False)


@pytest.fixture(scope="module")
def make_httpd(workdir):
    """A factory of servers that are stopped, and whose logs are read to the end, when the module's tests are done."""
    made = []

    def make(**options):
        server = Httpd(tempfile.mkdtemp(prefix="s", dir=workdir), **options)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()
    problems = Httpd.log_problems()
    assert not problems, "at shutdown, nobody announced:\n" + "\n".join(problems)


@pytest.fixture
def httpd(make_httpd):
    """A server for one test."""
    server = make_httpd()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def build_module(workdir):
    """Builds an httpd module of the tests (modules/NAME.c), and says where it is."""
    return lambda name: Apxs().build(HERE / f"modules/{name}.c", workdir)


@pytest.fixture(autouse=True)
def error_log():
    """Every warning or error that a test did not announce fails it."""
    yield
    problems = Httpd.log_problems()
    assert not problems, "nobody announced:\n" + "\n".join(problems)


@pytest.fixture(scope="session")
def php(workdir):
    fpm = PhpFpm(workdir / "fpm")
    if not fpm.program:
        pytest.skip("php-fpm is not installed")
    fpm.start()
    yield fpm
    fpm.stop()


@pytest.fixture(scope="module")
def echo():
    backend = EchoBackend()
    yield backend
    backend.stop()


@pytest.fixture(scope="session")
def oracle():
    why = oracle_process.missing()
    if why:
        if os.environ.get("CLERK_REQUIRE_ORACLE"):
            pytest.fail(why)
        pytest.skip(why)
    judge = oracle_process.Oracle()
    yield judge
    judge.stop()
