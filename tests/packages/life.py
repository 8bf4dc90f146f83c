# SPDX-License-Identifier: Apache-2.0
"""The life of the Debian package on a machine of its own (a container or a chroot): it is installed, configured as the
README says, asked, upgraded under load, removed and purged. PHP runs behind it; a local emulator plays Clerk.

    python3 life.py check                               the installed package (what autopkgtest runs)
    python3 life.py whole NEW.deb PREVIOUS.deb DOC.deb  everything, from the installation of PREVIOUS to the purge of NEW;
                                                        and DOC, the documentation, meanwhile

It changes the machine it runs on: tests/packages/run makes one for it."""

import collections
import glob
import http.client
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import threading
import time
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = "libapache2-mod-auth-clerk"
CONFIGURATION = pathlib.Path("/etc/apache2/mods-available/auth_clerk.conf")
SECRETS = pathlib.Path("/etc/apache2/clerk")
STATE = pathlib.Path("/var/lib/apache2/clerk")
PAGE = "<?php echo 'Hello, ', $_SERVER['REMOTE_USER'] ?? 'stranger', ' ', $_SERVER['CLERK_USER_ID'] ?? '-', ' ', $_SERVER['AUTH_TYPE'] ?? '-';\n"
SITE = """<Location "/">
    AuthType Clerk
    Require  valid-user
</Location>
<Location "/public">
    Require all granted
</Location>
<Location "/clerk-status">
    SetHandler clerk-status
    Require local
</Location>
"""
# What changes by itself: caches, logs, and what the package tools and httpd remember of every package.
VOLATILE = re.compile(r"/(proc|sys|dev|run|tmp|var/(log|cache|run|lock|tmp|lib/(apt|dpkg|php|systemd)))(/|$)|.*/__pycache__")

# The folders, not what is in them, in which a2enmod and its like note who turned what on: each of them makes all that it
# needs, and none takes them away.
NOTES = re.compile(r"/var/lib/apache2/(conf|module|site)(/(en|dis)abled_by_(admin|maint))?")


def run(*command, good=(0,)):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode not in good:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}")
    return done.stdout


def say(text):
    print(f"ok      {text}", flush=True)


def require(true, what):
    if not true:
        log = pathlib.Path("/var/log/apache2/error.log")
        sys.exit(f"FAILED  {what}\n{log.read_text('utf-8', 'replace')[-4000:] if log.exists() else ''}")
    say(what)


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"FAILED  waited in vain: {what}")
        time.sleep(0.1)


class Clerk:
    """The emulator, as a process."""

    def __init__(self):
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-m", "clerk_emulator", "--origin", "http://localhost"], cwd=TESTS, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
        self.instance = json.loads(self._process.stdout.readline())["instances"][0]
        self.url = self.instance["url"]

    def token(self, user="alice"):
        with urllib.request.urlopen(f"{self.url}/_emulator/token?user={user}", timeout=30) as answer:
            return answer.read().decode()

    def stop(self):
        self._process.terminate()
        self._process.wait()


Answer = collections.namedtuple("Answer", "status headers text")


def get(path, **headers):
    connection = http.client.HTTPConnection("localhost", 80, timeout=60)
    try:
        connection.request("GET", path, headers={"Connection": "close"} | {name.replace("_", "-"): text for name, text in headers.items()})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode("utf-8", "replace"))
    finally:
        connection.close()


def bearer(clerk):
    return {"Authorization": f"Bearer {clerk.token()}"}


# The README's five minutes


def edit(path, **lines):
    """Uncomment a line of the sample and give it a value, as with an editor."""
    text = path.read_text("utf-8")
    for directive, value in lines.items():
        text, count = re.subn(rf"^#({directive} +).*$", lambda found, value=value: found[1] + value, text, count=1, flags=re.M)
        require(count == 1, f"the sample has a line for {directive}")
    path.write_text(text, "utf-8")


def configure(clerk):
    key = SECRETS / "secret-key"
    key.touch(0o600)
    key.write_text(clerk.instance["secret_key"] + "\n", "utf-8")
    edit(CONFIGURATION, ClerkPublishableKey=clerk.instance["publishable_key"], ClerkSecretKey=f"file:{key}",
         ClerkAuthorizedParties="http://localhost")
    available = pathlib.Path("/etc/apache2/conf-available")
    (available / "protected.conf").write_text(SITE, "utf-8")
    (available / "emulator.conf").write_text(
        f"ClerkFrontendAPI {clerk.url}\nClerkAPIURL {clerk.url}\nClerkSignInURL {clerk.url}/sign-in\n", "utf-8")
    run("a2enmod", "-q", "auth_clerk", "proxy_fcgi")
    run("a2enconf", "-q", "protected", "emulator", php_service())
    root = pathlib.Path("/var/www/html")
    (root / "public").mkdir(exist_ok=True)
    (root / "hello.php").write_text(PAGE, "utf-8")
    (root / "public/hello.php").write_text(PAGE, "utf-8")


def php_service():
    return pathlib.Path(sorted(glob.glob("/etc/apache2/conf-available/php*-fpm.conf"))[-1]).stem


def start_servers():
    run("service", php_service(), "restart")
    run("apache2ctl", "configtest")
    run("service", "apache2", "restart")
    wait_until(answers, "httpd answers")


def answers():
    try:
        return get("/public/hello.php").status == 200
    except OSError:
        return False


def check_site(clerk):
    answer = get("/hello.php")
    require((answer.status, answer.headers["X-Clerk-Auth-Reason"]) == (401, "dev-browser-missing"), "a stranger gets 401, with the reason")
    require("Hello" not in answer.text, "and nothing of the page")
    answer = get("/hello.php", Accept="text/html", Sec_Fetch_Dest="document", Sec_Fetch_Mode="navigate")
    require(answer.status == 307 and answer.headers["Location"].startswith(clerk.url), "a stranger's browser is sent to Clerk")
    answer = get("/hello.php", **bearer(clerk))
    user = clerk.instance["users"]["alice"]["id"]
    require((answer.status, answer.text) == (200, f"Hello, {user} {user} Clerk"), "PHP knows who is signed in")
    require(get("/public/hello.php").text == "Hello, stranger - -", "an exception is open to everybody")
    require("protected by Clerk" in run("apache2ctl", "-t", "-D", "DUMP_CLERK"), "DUMP_CLERK says what is protected")
    check_directories()


def check_directories():
    def looks(path):
        info = path.stat()
        return info.st_uid, stat.S_IMODE(info.st_mode)

    children = int(run("id", "-u", "www-data"))
    require(looks(SECRETS) == (0, 0o700), f"{SECRETS} is for root alone")
    require(looks(STATE) == (children, 0o700), f"{STATE} is httpd's alone")
    wait_until(lambda: any(path.name != "state.key" for path in STATE.iterdir()), f"{STATE} has the keys")
    say(f"{STATE} has the keys")


def version():
    return json.loads(get("/clerk-status?json").text)["version"]


# An upgrade under load


class Load:
    """Clients that ask without a pause, each time on a new connection, until they are stopped."""

    def __init__(self, clerk, clients=4):
        self._clerk = clerk
        self._ended = threading.Event()
        self.results = collections.Counter()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _ask(self):
        headers, fetched = bearer(self._clerk), time.monotonic()
        while not self._ended.is_set():
            if time.monotonic() - fetched > 20:
                headers, fetched = bearer(self._clerk), time.monotonic()
            try:
                answer = get("/hello.php", **headers)
                result = answer.status if answer.text.startswith("Hello, user_") else f"{answer.status}, but not the page"
            except (OSError, http.client.HTTPException) as error:
                result = repr(error)
            self.results[result] += 1

    def wait_for(self, more):
        enough = sum(self.results.values()) + more
        wait_until(lambda: sum(self.results.values()) >= enough, f"{more} requests", 300)

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join(120)
        return dict(self.results)


def upgrade(clerk, package, before, after):
    load = Load(clerk)
    load.wait_for(200)
    require(version() == before, f"httpd runs version {before}")
    install(package)
    wait_until(lambda: version() == after, f"httpd runs version {after}")
    load.wait_for(200)
    results = load.stop()
    require(list(results) == [200], f"no request failed while the package was upgraded to {after}: {results}")


def install(package):
    return run("apt-get", "-q", "-y", "install", str(package))


def field(package, name):
    return run("dpkg-deb", "-f", str(package), name).strip()


def everything():
    """All files of the machine that do not change by themselves, with what is in them."""
    found = {}
    for directory, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if not VOLATILE.match(os.path.join(directory, name))]
        for name in folders + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            found[path] = (stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_size if stat.S_ISREG(info.st_mode) else 0)
    return found


# The documentation


def check_documentation(clerk, package):
    """SITE lets nobody have it without a session."""
    name, start = field(package, "Package"), "/auth-clerk-doc/index.html"
    enabled = pathlib.Path("/etc/apache2/conf-enabled/auth-clerk-doc.conf")

    def linked():
        return f'href="{start}"' in get("/clerk-status", **bearer(clerk)).text

    install(package)
    require(not enabled.exists() and not linked(), "installing the documentation shows it to nobody")
    run("a2enconf", "-q", "auth-clerk-doc")
    run("service", "apache2", "reload")
    wait_until(linked, "the status page links to the documentation")
    page = get(start, **bearer(clerk))
    require(page.status == 200 and "<title>mod_auth_clerk" in page.text, "the link leads to it")
    require(get(start).status == 401, "for those who have access to it")
    found = re.findall(r'(?:href|src)="(_static/[^"?#]*|recipes\.html|search\.html)', page.text)
    answers = {path: get(f"/auth-clerk-doc/{path}", **bearer(clerk)).status for path in found}
    require(len(answers) > 5 and set(answers.values()) == {200}, f"with its scripts, styles and pages: {answers}")
    php = re.search(r'href="(_downloads/[^"]*/dokuwiki\.php)"', get("/auth-clerk-doc/docs/recipes.html", **bearer(clerk)).text.replace("../", ""))[1]
    require(get(f"/auth-clerk-doc/{php}", **bearer(clerk)).text.startswith("<?php"), "and an example in PHP is shown, not run")
    run("apt-get", "-q", "-y", "purge", name)
    wait_until(lambda: not linked(), "the status page has no link to what is gone")
    require(not enabled.is_symlink() and not pathlib.Path("/usr/share/doc", name).exists(), "a purged documentation is gone")


def whole(package, previous, documentation):
    at_first = everything()
    install(previous)
    require(not pathlib.Path("/etc/apache2/mods-enabled/auth_clerk.load").exists(), "installing the package turns nothing on")
    clerk = Clerk()
    configure(clerk)
    start_servers()
    check_site(clerk)
    kept = CONFIGURATION.read_text("utf-8")
    upgrade(clerk, package, field(previous, "Version").split("-")[0], field(package, "Version").split("-")[0])
    require(CONFIGURATION.read_text("utf-8") == kept, "the configuration is as the administrator left it")
    check_site(clerk)
    check_documentation(clerk, documentation)
    remove_and_purge(clerk, package, kept, at_first)
    clerk.stop()
    print("The package was installed, configured, upgraded, removed, installed again and purged.")


def remove_and_purge(clerk, package, kept, at_first):
    run("apt-get", "-q", "-y", "remove", PACKAGE)
    require(CONFIGURATION.read_text("utf-8") == kept and (SECRETS / "secret-key").exists(), "a removed package leaves the configuration and the key")
    require(not glob.glob("/etc/apache2/mods-enabled/auth_clerk*"), "and is turned off")
    broken = subprocess.run(["apache2ctl", "configtest"], capture_output=True, text=True, check=False)
    require(broken.returncode != 0 and "Invalid command 'Clerk" in broken.stderr, "lines of the configuration that need the module are errors")
    answer = get("/hello.php")
    require(answer.status == 401, "the server that runs goes on protecting the page")
    install(package)
    require(pathlib.Path("/etc/apache2/mods-enabled/auth_clerk.load").exists(), "a package that comes back is turned on again")
    start_servers()
    check_site(clerk)
    run("apt-get", "-q", "-y", "purge", PACKAGE)
    run("a2disconf", "-q", "emulator")
    answer = restart_without_module()
    require(answer.status == 500 and "Hello" not in answer.text, "without the module the page is not shown")
    take_back()
    now = everything()
    # Folders and files of others only: the sizes of what httpd remembers differ.
    left = sorted(path for path in now if path not in at_first and not NOTES.fullmatch(path))
    lost = sorted(path for path in at_first if path not in now)
    require(not left and not lost, f"nothing is left of the package, and nothing of others is gone: {left or ''}{lost or ''}")
    changed = sorted(path for path, what in at_first.items() if what != now[path] and not stat.S_ISDIR(what[0]))
    require(not changed, f"and no file of others is another: {changed or ''}")


def restart_without_module():
    text = SITE.split('<Location "/clerk-status">', maxsplit=1)[0]
    pathlib.Path("/etc/apache2/conf-available/protected.conf").write_text(text, "utf-8")
    start_servers()
    return get("/hello.php")


def take_back():
    """What configure() did besides."""
    run("service", "apache2", "stop")
    run("service", php_service(), "stop")
    run("a2disconf", "-q", "-p", "-f", "protected", "emulator", php_service(), good=(0, 1))
    run("a2dismod", "-q", "-p", "-f", "proxy_fcgi", "proxy", "socache_shmcb", good=(0, 1))
    for name in ("protected", "emulator"):
        pathlib.Path(f"/etc/apache2/conf-available/{name}.conf").unlink()
    for file in ("hello.php", "public/hello.php"):
        pathlib.Path("/var/www/html", file).unlink()
    pathlib.Path("/var/www/html/public").rmdir()


def main():
    os.umask(0o022)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    if sys.argv[1:] == ["check"]:
        clerk = Clerk()
        configure(clerk)
        start_servers()
        check_site(clerk)
        clerk.stop()
    elif len(sys.argv) == 5 and sys.argv[1] == "whole":
        whole(*(pathlib.Path(argument).resolve() for argument in sys.argv[2:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
