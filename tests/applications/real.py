# SPDX-License-Identifier: Apache-2.0
"""What the tests with real applications share: the unpacked packages, a database, and a site that runs a recipe."""

import itertools
import os
import pathlib
import re
import subprocess
import time

from pyclerk.clerk import XHR, cookie_header, session_cookies
from pyclerk.httpd import unprivileged_user
from test_recipes import RECIPES, site

TESTS = pathlib.Path(__file__).resolve().parents[1]
TREE = pathlib.Path(os.environ.get("CLERK_APPLICATIONS") or TESTS.parent / "build/applications") / "root"
EXTENSIONS = ("ctype", "fileinfo", "iconv", "posix", "tokenizer", "mbstring", "dom", "simplexml", "xml", "xmlreader", "xmlwriter",
              "curl", "gd", "intl", "mysqlnd", "mysqli")
# The pages of the recipes keep their sessions fresh. For tests of what happens where they do not.
WITHOUT_SCRIPT = "<Location />\nClerkInjectScript Off\n</Location>\n"
ALICE, BOB, CAROL = ("alice", "acme"), ("bob", "acme"), ("carol", None)


def recipe_of_acme(name):
    """A recipe in PHP, where acme is the organization whose roles count."""
    text = (RECIPES / name).read_text()
    assert text.count("org_2abcdefghijklmnopqrstuvwxyz") == 1
    return text.replace("org_2abcdefghijklmnopqrstuvwxyz", "org_acme")


def give(path):
    """To the user httpd and PHP run as."""
    if os.geteuid() == 0:
        user = unprivileged_user()
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", str(path)], check=True)


def extension_files():
    found = {path.stem: path for directory in (pathlib.Path("/usr/lib/php"), TREE / "usr/lib/php") for path in directory.glob("20*/*.so")}
    return [f"extension={found[name]}" for name in EXTENSIONS if name in found] + [f"zend_extension={found['opcache']}"] * ("opcache" in found)


def php_settings(*more):
    return [*extension_files(), f"include_path=.:{TREE}/usr/share/php:/usr/share/php", "memory_limit=256M", *more]


class Database:
    """A MariaDB on a socket of its own, without passwords."""

    def __init__(self, root):
        self.root, self.socket, self.process = root, root / "socket", None
        self.env = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, (TREE / "usr/lib").glob("*-linux-gnu*")))}
        root.mkdir()

    def start(self):
        user = unprivileged_user().pw_name
        give(self.root)
        subprocess.run([TREE / "usr/bin/mariadb-install-db", "--no-defaults", f"--basedir={TREE}/usr", f"--datadir={self.root}/data", f"--user={user}",
                        "--skip-test-db", "--auth-root-authentication-method=normal"], env=self.env, check=True, capture_output=True)
        with open(self.root / "log", "wb") as log:
            self.process = subprocess.Popen(
                [TREE / "usr/sbin/mariadbd", "--no-defaults", f"--basedir={TREE}/usr", f"--lc-messages-dir={TREE}/usr/share/mysql",
                 f"--datadir={self.root}/data",
                 f"--user={user}", f"--socket={self.socket}", "--skip-networking", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while "ready for connections" not in (self.root / "log").read_text("utf-8", "replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.root / "log").read_text("utf-8", "replace"))
            time.sleep(0.05)
        self.query("CREATE DATABASE wordpress")

    def query(self, sql, database="mysql"):
        done = subprocess.run([TREE / "usr/bin/mariadb", "--no-defaults", "-N", "-B", f"--socket={self.socket}", "-u", "root", database, "-e", sql],
                              env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class Site:
    """A recipe in a running httpd, with an emulated instance."""

    _ages = itertools.count(300)

    def __init__(self, server, instance):
        self.server, self.instance = server, instance
        self.origin = f"http://localhost:{server.port}"

    def configure(self, recipe, more="", modules=(), secret=True, **values):
        instance, server = self.instance, self.server
        instance.default_origin = self.origin
        server.env["CLERK_KEY"] = instance.secret_key
        key = "ClerkSecretKey env:CLERK_KEY\n" if secret else ""
        text = site(instance, SITE_ORIGIN=self.origin, **values)
        server.configure(
            f"{text}{key}ClerkAPIURL {instance.url}\nClerkPublicOrigin {self.origin}\n"
            f"ClerkProxyURL {self.origin}/__clerk\nClerkFrontendAPI {instance.url}\n"
            f'<Location "/__clerk">\nProxyPass {instance.url}\nProxyPreserveHost On\nRequire all granted\n</Location>\n'
            f'{more}\nInclude "{RECIPES / recipe}"\n', modules)
        code, output = server.check("-D", "DUMP_CLERK")
        assert code == 0 and "NOT PROTECTED" not in output and not re.search("AC3022|AC3150", output), output
        server.start()
        return self

    def sign_in(self, browser, path, name="alice", org=None, then=None, ttl=60):
        """From a protected page to the sign-in page and back; then, in an organization, to another page by a handshake, so that the browser
        has what it is renewed with. From then on tokens last `ttl` seconds."""
        user = self.instance.users[name]
        self.instance.token_ttl = 60
        assert "/clerk/sign-in?redirect_url=" in browser.open(self.origin + path)["url"]
        browser.fill("input[name=identifier]", user.email)
        browser.fill("input[name=password]", user.password)
        browser.press("input[name=password]", "Enter")
        browser.arrive(path.partition("?")[0])
        self.instance.token_ttl = ttl
        if org:
            self.instance.activate_organization(self.session(), org)
        browser.clear("__session")
        browser.clear("__session_" + self.instance.cookie_suffix)
        seen = browser.open(self.origin + (then or path))
        assert seen["status"] == 200, seen

    def session(self):
        """The newest."""
        return list(self.instance.sessions.values())[-1]

    def give_cookies(self, browser, token):
        for suffix in ("", "_" + self.instance.cookie_suffix):
            browser.set_cookie("__session" + suffix, token, self.origin)
            browser.set_cookie("__client_uat" + suffix, "1", self.origin)

    def enter(self, browser, name, org):
        """Signed in without a script, with what the session is renewed with. @return the session"""
        session = self.instance.create_session(name, org)
        self.give_cookies(browser, self.instance.mint(session=session, origin=self.origin))
        browser.set_cookie(f"__refresh_{self.instance.cookie_suffix}", self.instance.refresh_token(session), self.origin)
        return session

    def lapse(self, browser, session=None):
        """The browser's token expires, as if minutes had passed: a real lifetime would race with a slow machine."""
        self.give_cookies(browser, self.instance.mint(session=session or self.session(), age=next(self._ages), origin=self.origin))

    def live_through_two_lapses(self, browser):
        """Wait while the page renews a token that lapses, twice."""
        for _ in range(2):
            before, deadline = browser.cookies()["__session"]["value"], time.monotonic() + 60
            while browser.cookies().get("__session", {}).get("value") in (before, None):
                assert time.monotonic() < deadline, "the page has not renewed its session"
                time.sleep(0.1)

    def renewals(self):
        return self.instance.count("refresh")


def ask(place, path, who=None, headers=None, method="GET", body=None):
    user, org = who or (None, None)
    credentials = cookie_header(session_cookies(place.instance, place.instance.mint(user, org, ttl=60, origin=place.origin))) if user else {}
    host = {"Host": f"localhost:{place.server.port}"}
    if isinstance(body, dict):
        body, headers = "&".join(f"{k}={v}" for k, v in body.items()), {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return place.server.request(method, path, (XHR if headers is None else XHR | headers) | host | credentials, body and body.encode())
