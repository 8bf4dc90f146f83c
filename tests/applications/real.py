# SPDX-License-Identifier: Apache-2.0
"""What the tests with real applications share: the unpacked packages, a database, and a site that runs a recipe."""

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
              "curl", "gd", "mysqlnd", "mysqli")
ALICE, BOB, CAROL = ("alice", "acme"), ("bob", "acme"), ("carol", None)


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
    """A recipe in a running httpd, with an emulated instance whose tokens lapse in a moment."""

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
            f"{text}{key}ClerkAPIURL {instance.url}\nClerkPublicOrigin {self.origin}\nClerkClockSkew 0\n"
            f"ClerkProxyURL {self.origin}/__clerk\nClerkFrontendAPI {instance.url}\n"
            f'<Location "/__clerk">\nProxyPass {instance.url}\nProxyPreserveHost On\nRequire all granted\n</Location>\n'
            f'{more}\nInclude "{RECIPES}/{recipe}"\n', modules)
        code, output = server.check("-D", "DUMP_CLERK")
        assert code == 0 and "NOT PROTECTED" not in output and not re.search("AC3022|AC3150", output), output
        server.start()
        return self

    def sign_in(self, browser, path, name="alice", org=None, then=None):
        """From a protected page to the sign-in page and back; then, in an organization, to another page by a handshake, so that the browser
        has what it is renewed with. From then on its tokens last a second."""
        user = self.instance.users[name]
        self.instance.token_ttl = 60
        assert "/clerk/sign-in?redirect_url=" in browser.open(self.origin + path)["url"]
        browser.fill("input[name=identifier]", user.email)
        browser.fill("input[name=password]", user.password)
        browser.press("input[name=password]", "Enter")
        browser.arrive(path.partition("?")[0])
        self.instance.token_ttl = 1
        if org:
            self.instance.activate_organization(list(self.instance.sessions.values())[-1], org)
        browser.clear("__session")
        browser.clear("__session_" + self.instance.cookie_suffix)
        seen = browser.open(self.origin + (then or path))
        assert seen["status"] == 200, seen

    def lapse(self, browser):
        """Wait until the browser's token has expired."""
        browser.wait("(() => { const [, claims] = document.cookie.match(/__session=[^.]*\\.([^.]*)/) || [];"
                     " return claims && JSON.parse(atob(claims.replace(/-/g, '+').replace(/_/g, '/'))).exp * 1000 + 1000 < Date.now(); })()")

    def renewals(self):
        return self.instance.count("refresh")


def ask(place, path, who=None, headers=None, method="GET", body=None):
    user, org = who or (None, None)
    credentials = cookie_header(session_cookies(place.instance, place.instance.mint(user, org, ttl=60, origin=place.origin))) if user else {}
    host = {"Host": f"localhost:{place.server.port}"}
    if isinstance(body, dict):
        body, headers = "&".join(f"{k}={v}" for k, v in body.items()), {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
    return place.server.request(method, path, (XHR if headers is None else XHR | headers) | host | credentials, body and body.encode())
