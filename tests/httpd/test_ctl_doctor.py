# SPDX-License-Identifier: Apache-2.0
"""`clerkctl doctor` finds planted misconfigurations, and nothing in good configurations."""

import contextlib
import email.utils
import os
import pathlib
import shutil
import socket
import threading
import time
import urllib.request

import pytest
from pyclerk import clerkctl
from pyclerk.clerk import protect
from pyclerk.httpd import unprivileged_user

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
OWN = "ClerkAuthorizedParties own\nClerkPublicOrigin https://app.example.test\n"


@pytest.fixture(scope="module")
def server(make_httpd):
    server = make_httpd()
    (server.root / "state").rename(server.root / "run/state")  # below directories that root alone can change
    return server


class Case:
    """What a configuration is made of: a server, two instances, and what has to be undone."""

    def __init__(self, server, live, other, dev):
        self.server, self.live, self.other, self.dev = server, live, other, dev
        self.undo = contextlib.ExitStack()
        self.modules, self.load_clerk = (), True
        self.env = {}

    def keys(self, instance=None):
        """The two keys, and where the emulator is."""
        instance = instance or self.live
        return (f"ClerkPublishableKey {instance.publishable_key}\nClerkFrontendAPI {instance.url}\nClerkAPIURL {instance.url}\n"
                f"ClerkSecretKey file:{self.secret(instance.secret_key)}\n")

    def public(self):
        return f"ClerkPublishableKey {self.live.publishable_key}\nClerkFrontendAPI {self.live.url}\n"

    def secret(self, text, mode=0o600, name="secret"):
        return self.server.secret_file(name, text, mode)

    def state(self):
        return f"ClerkStateDir {self.server.root}/run/state\n"

    def good(self):
        return self.keys() + OWN + self.state() + protect("/p")

    def fault(self, endpoint, **fault):
        self.live.set_fault(endpoint, **fault)
        self.undo.callback(self.live.clear_faults, endpoint)

    def doctor(self, text, *options):
        self.server.env = {**self.env}
        self.server.configure(text, modules=self.modules, load_clerk=self.load_clerk)
        # The environment of the server, so that env: is found.
        return clerkctl.run("doctor", "--json", "--httpd", self.server.apxs.httpd, *options, "--", "-d", self.server.root, "-f", self.server.conf, env=self.env)


@pytest.fixture
def case(server, live, emulator, dev):
    made = Case(server, live, emulator.add_instance(production=True, host="clerk.other.test"), dev)
    with made.undo:
        yield made


def other_frontend(case, scheme, answer):
    """The good configuration, with a frontend API that answers this to everything."""
    listener = case.undo.enter_context(socket.create_server(("127.0.0.1", 0)))
    threading.Thread(target=talk, args=(listener, answer), daemon=True).start()
    return case.good().replace(f"ClerkFrontendAPI {case.live.url}", f"ClerkFrontendAPI {scheme}://127.0.0.1:{listener.getsockname()[1]}")


def clock(case):
    with urllib.request.urlopen(case.live.jwks_url, timeout=10) as answer:
        keys = answer.read()
    date = email.utils.formatdate(time.time() - 3600, usegmt=True)
    return other_frontend(case, "http", f"HTTP/1.1 200 OK\r\nDate: {date}\r\nConnection: close\r\n\r\n".encode() + keys)


def state_link(case):
    link = case.server.root / "run/link"
    link.symlink_to(case.server.root / "run/state")
    case.undo.callback(link.unlink)
    return case.keys() + OWN + protect("/p") + f"ClerkStateDir {link}\n"


def state_open(case):
    path = case.server.root / "run/open"
    path.mkdir()
    path.chmod(0o777)
    case.undo.callback(path.rmdir)
    return case.keys() + OWN + protect("/p") + f"ClerkStateDir {path}\n"


def state_to_be_made(case):
    """In a place that another user chooses."""
    theirs = case.server.root / "theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    return case.keys() + OWN + protect("/p") + f"ClerkStateDir {theirs}/state\n"


def state_file(case):
    path = case.server.root / "run/file"
    path.write_text("x")
    case.undo.callback(path.unlink)
    return case.keys() + OWN + protect("/p") + f"ClerkStateDir {path}/below\n"


def secret_of_server(case):
    text = case.good()
    os.chown(case.server.root / "conf/secret", unprivileged_user().pw_uid, -1)
    case.undo.callback(os.chown, case.server.root / "conf/secret", 0, 0)
    return text


def secret_mode(mode):
    def make(case):
        text = case.good()
        (case.server.root / "conf/secret").chmod(mode)
        case.undo.callback((case.server.root / "conf/secret").chmod, 0o600)
        return text
    return make


def secret_dir(case):
    path = case.server.root / "conf/shared"
    path.mkdir()
    path.chmod(0o777)
    (path / "key").write_text(case.live.secret_key)
    (path / "key").chmod(0o600)
    case.undo.callback(path.rmdir)
    case.undo.callback((path / "key").unlink)
    return case.good().replace(f"{case.server.root}/conf/secret", f"{path}/key")


def moved(case, path):
    """The good configuration, with the secret at this path."""
    return case.good().replace(f"{case.server.root}/conf/secret", str(path))


def open_directory(case, name):
    """With a key in it."""
    path = case.server.root / "conf" / name
    path.mkdir()
    case.undo.callback(shutil.rmtree, path)
    (path / "key").write_text(case.live.secret_key)
    (path / "key").chmod(0o600)
    path.chmod(0o777)
    return path


def link(case, name, target):
    path = case.server.root / "conf" / name
    path.symlink_to(target)
    case.undo.callback(path.unlink)
    return path


def secret_link(case):
    return moved(case, link(case, "by-link", open_directory(case, "shared") / "key"))


def secret_links(case):
    return moved(case, link(case, "first", link(case, "second", open_directory(case, "shared"))) / "key")


def secret_relative_link(case):
    open_directory(case, "shared")
    return moved(case, link(case, "relative", "../conf/./shared") / "key")


def secret_foreign_link(case):
    path = link(case, "foreign", case.server.root / "conf/secret")
    os.chown(path, unprivileged_user().pw_uid, -1, follow_symlinks=False)
    return moved(case, path)


def secret_of_group(gid):
    """None: that of the server."""
    def make(case):
        text = secret_mode(0o640)(case)
        os.chown(case.server.root / "conf/secret", -1, unprivileged_user().pw_gid if gid is None else gid)
        case.undo.callback(os.chown, case.server.root / "conf/secret", -1, 0)
        return text
    return make


def secret_of_stranger(case):
    text = case.good()
    os.chown(case.server.root / "conf/secret", 54321, -1)
    case.undo.callback(os.chown, case.server.root / "conf/secret", 0, 0)
    return text


def good_link(case):
    """As /var/run is one to /run."""
    directory = case.server.root / "conf/private"
    directory.mkdir(mode=0o755)
    case.undo.callback(shutil.rmtree, directory)
    (directory / "key").write_text(case.live.secret_key)
    (directory / "key").chmod(0o600)
    return moved(case, link(case, "to-private", "private") / "key")


def fault(endpoint, **what):
    def make(case):
        case.fault(endpoint, **what)
        return case.good()
    return make


def untrusted(case):
    return other_frontend(case, "https", b"HTTP/1.0 400 no\r\n\r\n")


def talk(listener, answer):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(1000)
                connection.sendall(answer)


def without_module(case):
    case.load_clerk = False
    return ""


def pem(instance_of):
    def make(case):
        path = case.secret(instance_of(case).public_key_pem, 0o600, "key.pem")
        return case.public() + f"ClerkJWTKey file:{path}\n" + OWN + case.state() + protect("/p")
    return make


# What is planted: (name, the configuration, which check finds it)
PLANTED = [
    ("unknown directive", lambda c: c.good() + "ClerkNonsense On\n", "syntax"),
    ("literal secret", lambda c: c.good() + "<ClerkInstance x>\nClerkSecretKey sk_live_abcdefghijklmnop\n</ClerkInstance>\n", "syntax"),
    ("live and test keys", lambda c: c.good() + f"<ClerkInstance x>\nClerkPublishableKey {c.live.publishable_key}\n"
     f"ClerkSecretKey file:{c.secret('sk_test_x', name='test')}\n</ClerkInstance>\n", "syntax"),
    ("no module", without_module, "module"),
    ("no instance", lambda c: c.state(), "no-instance"),
    ("no listener", lambda c: c.good().replace(f"ClerkAPIURL {c.live.url}", "ClerkAPIURL http://127.0.0.1:1"), "keys"),
    ("keys answer 500", fault("api-jwks", status=500), "keys"),
    ("keys are empty", fault("api-jwks", empty_keys=True), "keys"),
    ("keys are cut off", fault("api-jwks", truncate=True), "keys"),
    ("frontend API answers 404", fault("jwks", status=404), "frontend-api"),
    ("secret key is refused", fault("api-jwks", status=401, code="clerk_key_invalid"), "secret-key"),
    ("secret key of another instance", lambda c: c.good().replace(f"ClerkFrontendAPI {c.live.url}", f"ClerkFrontendAPI {c.other.url}"), "instances-differ"),
    ("PEM key of another instance", pem(lambda c: c.other), "pem"),
    ("wrong clock", clock, "clock"),
    ("no TLS", untrusted, "tls"),
    ("plain http origin", lambda c: c.good().replace("ClerkPublicOrigin https", "ClerkPublicOrigin http"), "origin-http"),
    ("plain http party", lambda c: c.good().replace("Parties own", "Parties own http://old.example.test"), "party-http"),
    ("own origin is no party", lambda c: c.good().replace("Parties own", "Parties https://www.example.test"), "party-missing"),
    ("no authorized parties", lambda c: c.good().replace("ClerkAuthorizedParties own\n", ""), "AC3024"),
    ("plain http sign-in", lambda c: c.good() + "ClerkSignInURL http://app.example.test/in\n", "sign-in-http"),
    ("large skew", lambda c: c.good() + "ClerkClockSkew 4m\n", "clock-skew"),
    ("state directory for everybody", state_open, "state-dir"),
    ("state directory is a link", state_link, "state-dir"),
    ("state directory below a file", state_file, "state-dir"),
    ("state directory to be made where others choose the place", state_to_be_made, "state-dir"),
    ("secret for everybody", secret_mode(0o644), "secret-file"),
    ("secret that others can change", secret_mode(0o620), "secret-file"),
    ("secret below an open directory", secret_dir, "secret-file"),
    ("secret behind a link that can be replaced", secret_link, "secret-file"),
    ("secret behind links of which the second can be replaced", secret_links, "secret-file"),
    ("secret behind a relative link into an open directory", secret_relative_link, "secret-file"),
    pytest.param("secret behind a link of somebody else", secret_foreign_link, "secret-file", marks=ROOT),
    pytest.param("secret that the server's group can read", secret_of_group(None), "secret-file", marks=ROOT),
    pytest.param("secret that another group can read", secret_of_group(54321), "secret-file", marks=ROOT),
    pytest.param("secret of somebody else", secret_of_stranger, "secret-file", marks=ROOT),
    pytest.param("secret of the server's user", secret_of_server, "secret-file", marks=ROOT),
    ("no Require", lambda c: c.good() + protect("/q", []), "open"),
    ("Require without AuthType", lambda c: c.good() + "<Location /q>\n    Require clerk-role admin\n</Location>\n", "not-protected"),
    ("issuer any", lambda c: c.good() + "ClerkIssuer any\n", "AC3011"),
    ("development instance", lambda c: c.keys(c.dev) + OWN + c.state() + protect("/p"), "AC3012"),
]


@pytest.mark.parametrize("name,make,check", PLANTED, ids=[str(getattr(row, "values", row)[0]).replace(" ", "-") for row in PLANTED])
def test_it_finds_what_is_planted(case, name, make, check):
    result = case.doctor(make(case))
    said = result.json
    assert result.code == 1 and check in [finding["check"] for finding in said["findings"]], result
    for finding in said["findings"]:
        assert finding["text"] and finding["cure"]
    assert case.live.secret_key not in result.out and "sk_live_abc" not in result.out


def redis_is_missed(case):
    if not case.server.apxs.has("socache_redis"):
        pytest.skip("this httpd has no mod_socache_redis")
    case.modules = ("socache_redis",)
    return case.good() + "ClerkSOCache redis:127.0.0.1:1\n"


def test_it_misses_the_redis(case):
    result = case.doctor(redis_is_missed(case))
    assert [finding["check"] for finding in result.json["findings"]] == ["redis"], result


def by_environment(case):
    case.env = {"THE_SECRET": case.live.secret_key}
    return case.good().replace(f"file:{case.server.root}/conf/secret", "env:THE_SECRET")


# (name, the configuration)
GOOD = [
    ("both keys", lambda c: c.good()),
    ("no secret key", lambda c: c.public() + OWN + c.state() + protect("/p")),
    ("PEM key", pem(lambda c: c.live)),
    ("no state directory, which is a choice", lambda c: c.keys() + OWN + protect("/p") + "ClerkStateDir none\n"),
    ("PEM key and no state directory", lambda c: pem(lambda c: c.live)(c).replace(c.state(), "ClerkStateDir none\n")),
    ("secret in the environment", by_environment),
    ("secret behind links that only root can change", good_link),
    ("a URL for the keys", lambda c: c.good() + f"ClerkJWKSURL {c.live.jwks_url}\n"),
    ("a named instance", lambda c: c.good() + f"<ClerkInstance x>\nClerkPublishableKey {c.live.publishable_key}\n"
     f"ClerkFrontendAPI {c.live.url}\n</ClerkInstance>\n"
                                   + protect("/q", ["valid-user"], "ClerkInstance x")),
    ("several parties", lambda c: c.good().replace("Parties own", "Parties https://app.example.test https://*.example.test")),
    ("programs only", lambda c: c.good() + protect("/q", ["valid-user"], "ClerkTokenSources header")),
    ("this machine", lambda c: c.good().replace("https://app.example.test", "http://localhost:8080")),
    ("a state directory that is not there yet", lambda c: c.good().replace("run/state", "run/new/state")),
    ("a small skew, pages of its own", lambda c: c.good() + "ClerkClockSkew 10s\nClerkPages /auth\nClerkSignInURL /auth/sign-in\n"),
]


@pytest.mark.parametrize("name,make", GOOD, ids=[row[0].replace(" ", "-") for row in GOOD])
def test_it_finds_nothing_in_a_good_configuration(case, name, make):
    result = case.doctor(make(case))
    assert result.code == 0 and result.json["well"] and not result.json["findings"], result
    assert {"syntax", "sections", "origins"} < set(result.json["looked_at"])


def test_the_text_for_people(case):
    case.server.configure(case.good() + "ClerkIssuer any\n")
    arguments = ("doctor", "--offline", "--httpd", case.server.apxs.httpd, "--", "-d", case.server.root, "-f", case.server.conf)
    result = clerkctl.run(*arguments)
    assert result.code == 1 and "warning  AC3011: " in result.out and "cure: " in result.out and "1 found. Looked at: syntax" in result.out, result
    assert pathlib.Path(case.server.apxs.httpd).exists()


def test_what_it_says_of_a_path_names_the_place(case):
    for make, says in ((secret_links, "they can change {}/conf/shared"), (secret_relative_link, "they can change {}/conf/shared")):
        with contextlib.ExitStack() as case.undo:
            texts = [finding["text"] for finding in case.doctor(make(case)).json["findings"]]
        assert len(texts) == 1 and texts[0].endswith(says.format(case.server.root)), texts


@ROOT
def test_it_tells_the_servers_group_from_others(case):
    for gid, level, says in ((None, "error", "the group that serves requests can read "), (54321, "warning", "the members of the group "), (0, None, None)):
        with contextlib.ExitStack() as case.undo:
            findings = case.doctor(secret_of_group(gid)(case)).json["findings"]
        assert [finding["level"] for finding in findings] == ([level] if level else []) and (not level or says in findings[0]["text"]), findings


@pytest.mark.parametrize("script", ["exec sleep 1000", "exec >&- 2>&-; exec sleep 1000", "while :; do echo x; done", "kill -STOP $$"],
                         ids=["silent", "closes-its-output", "talks", "stopped"])
def test_it_does_not_wait_for_ever(tmp_path, script):
    program = tmp_path / "httpd"
    program.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\n{script}\n")
    program.chmod(0o755)
    begin = time.monotonic()
    result = clerkctl.run("doctor", "--offline", "--timeout", "700ms", "--httpd", program, timeout=30)
    assert result.code == 3 and "did not end within 700 ms" in result.err or script.startswith("while"), result
    assert time.monotonic() - begin < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
