# SPDX-License-Identifier: Apache-2.0
"""Applications behind mod_proxy, with docs/recipes/proxied-application.conf: Django as docs/recipes.md has it, and a program for Node."""

import os
import re
import shutil
import socket
import subprocess
import time

import pytest
from pyclerk.clerk import NAVIGATION, cookie_header
from pyclerk.httpd import free_port
from real import ALICE, BOB, CAROL, RECIPES, TREE, ask

PAGE = (RECIPES.parent / "recipes.md").read_text()
SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "test"
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware", "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
    "django.template.context_processors.request", "django.contrib.auth.context_processors.auth", "django.contrib.messages.context_processors.messages"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
"""
URLS = """
from django.contrib import admin
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("admin/", admin.site.urls), path("me", lambda request: HttpResponse(
    f"{request.user.get_username()} {request.user.is_superuser} {request.is_secure()} {request.get_host()} {request.META.get('HTTP_COOKIE')}"))]
"""
NODE = """
require('http').createServer((request, response) => response.end(request.headers["x-clerk-user-id"] + ' ' + request.headers.host + ' ' +
  request.headers['x-forwarded-proto'])).listen(process.argv[2], '127.0.0.1');
"""


def block(start):
    (found,) = re.findall(rf"^```python\n({start}.*?)^```$", PAGE, re.M | re.S)
    return found


@pytest.fixture(scope="module")
def run(make_site):
    """run(command, ...): a site that passes on to this program, with its port as the last argument."""
    running = []

    def run(*command, **options):
        port = free_port()
        running.append(subprocess.Popen([*command, str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options))
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert running[-1].poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        return make_site().configure("proxied-application.conf", APP_URL=f"http://127.0.0.1:{port}")

    yield run
    for program in running:
        program.terminate()
        program.wait(10)


@pytest.fixture(scope="module")
def django(run, workdir):
    root = workdir / "django"
    (root / "project").mkdir(parents=True)
    settings = block(r"MIDDLEWARE\.append").replace("www.example.com", "localhost")
    (root / "project/settings.py").write_text(SETTINGS + settings)
    (root / "project/urls.py").write_text(URLS)
    (root / "project/clerk.py").write_text(block("from django").replace("org_2abcdefghijklmnopqrstuvwxyz", "org_acme"))
    environment = {**os.environ, "PYTHONPATH": f"{root}:{TREE}/usr/lib/python3/dist-packages", "DJANGO_SETTINGS_MODULE": "project.settings"}
    manage = ("/usr/bin/python3", "-m", "django")
    subprocess.run([*manage, "migrate"], env=environment, check=True, capture_output=True)
    return run(*manage, "runserver", "--noreload", env=environment)


def test_django_knows_the_user(django):
    assert ask(django, "/me").status == 401
    for who, superuser in ((ALICE, True), (("alice", None), False), (BOB, False), (CAROL, False), (("dave", "globex"), False)):
        forged = {"X-Clerk-User-Id": "user_root", "X_Clerk_User_Id": "user_root", "X-Clerk_Org-Role": "org:admin", "X-Clerk-Org-Id": "org_acme",
                  "Remote-User": "root", "X-Forwarded-Proto": "https"}
        answer = ask(django, "/me", who, forged)
        assert answer.text.startswith(f"user_{who[0]} {superuser} False localhost:{django.server.port} ") and "eyJ" not in answer.text


def test_django_keeps_no_session_of_another(django):
    """Its cookie alone lets nobody in, and is nobody else's."""
    cookies = ask(django, "/me", ALICE).cookies()
    assert "sessionid" in cookies
    assert ask(django, "/me", None, cookie_header(cookies)).status == 401
    answer = ask(django, "/me", BOB, {"X-Test": "1"})
    assert answer.text.startswith("user_bob False ")


def test_django_admin(django):
    assert "Site administration" in ask(django, "/admin/", ALICE).text
    assert ask(django, "/admin/", BOB).status == 403
    assert ask(django, "/admin/", ("dave", "globex")).status == 403, "admin of another organization"


def test_django_saves_what_was_written_slowly(django, open_browser):
    browser = open_browser(scripts=False)
    session = django.enter(browser, "alice", "acme")
    assert browser.open(django.origin + "/admin/auth/group/add/")["status"] == 200
    browser.fill("#id_name", "Slow writers")
    before = django.renewals()
    django.lapse(browser, session)
    assert "was added successfully" in browser.click("[name=_save]")["text"]
    assert django.renewals() > before


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_node(run, workdir):
    (workdir / "app.js").write_text(NODE)
    site = run("node", workdir / "app.js")
    assert ask(site, "/").status == 401 and ask(site, "/", None, NAVIGATION).status == 307
    assert ask(site, "/", BOB, {"X-Clerk-User-Id": "user_alice", "X-Forwarded-Proto": "https"}).text == f"user_bob localhost:{site.server.port} http"
