# SPDX-License-Identifier: Apache-2.0
"""Where keys are fetched, how often, and what happens when their source does not respond."""

import base64
import contextlib
import json
import os
import signal
import stat
import sys
import time

import pytest
from clerk_emulator import Key
from pyclerk.clerk import NAVIGATION, XHR, asked, bearer, browser, directives, protect, token
from pyclerk.load import Load, at_once

# Messages about failing and recovering sources, logged once for each change, which these tests cause.
SOURCE_TROUBLE = r":(warn|error)\].*AC10\d\d: "


@pytest.fixture
def instance(emulator):
    """An instance for one test, with its own counters and keys."""
    return emulator.add_instance(production=True, host="clerk.example.test", cast=True)


def serve(server, instance, keys="public", extra="", state=False, **options):
    server.write("p/index.html", "members only")
    if state:
        extra += f'ClerkStateDir "{server.root}/state"\n'
    server.configure(directives(server, instance, keys) + extra + protect("/p"), **options)
    return server.start()


def wait_for(condition, timeout=10.0):
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("did not happen in time")
        time.sleep(0.02)
    return result


def fetches(instance):
    return instance.count("jwks") + instance.count("api-jwks")


# Where keys come from


@pytest.mark.parametrize("way", ["ClerkHTTPProxy http://127.0.0.1:9", "ClerkCAFile {pem}"], ids=["proxy", "CA"])
def test_an_instance_with_another_way_to_the_source_has_keys_of_its_own(httpd, instance, way):
    """Faults, E: what one trusts is not another's trust."""
    pem = httpd.write("other-ca.pem", instance.public_key_pem, 0o644, httpd.root / "conf")
    httpd.write("p/index.html", "members only")
    same = directives(httpd, instance)
    httpd.configure(f"{same}<ClerkInstance other>\n{same.replace('ClerkAuthorizedParties', '#')}{way.format(pem=pem)}\n</ClerkInstance>\n" + protect("/p")
                    + protect("/other", ["valid-user"], "ClerkInstance other")).start()
    httpd.write("other/index.html", "members only")
    assert httpd.get("/p/", bearer(instance)).status == 200
    # To this machine there is neither a proxy nor TLS, so that the other instance can fetch them too, and has to.
    assert httpd.get("/other/", bearer(instance)).status == 200
    assert fetches(instance) >= 2


@pytest.mark.mpm
@pytest.mark.parametrize("keys,endpoint", [("public", "jwks"), ("frontend", "jwks"), ("api", "api-jwks"), ("pem", None)])
def test_sources(httpd, instance, keys, endpoint):
    serve(httpd, instance, keys)
    for _ in range(5):
        assert httpd.get("/p/", bearer(instance)).status == 200
    assert httpd.get("/p/", bearer(instance, defect="bad-signature") | XHR).status == 401
    wanted = {endpoint: 1} if endpoint else {}
    assert {name: count for name, count in instance.counters().items() if "jwks" in name} == wanted
    for record in asked(instance, endpoint) if endpoint else ():
        sent = record.headers.get("authorization")
        assert sent == ("Bearer " + instance.secret_key if endpoint == "api-jwks" else None)


def test_pem_needs_no_network(httpd, instance):
    instance.pause()
    serve(httpd, instance, "pem")
    assert httpd.get("/p/", bearer(instance)).status == 200
    assert httpd.get("/p/", bearer(instance, header={"kid": "another"})).status == 200
    assert httpd.get("/p/", bearer(instance, defect="foreign-key") | XHR).status == 401


def test_the_user_agent_and_nothing_of_the_visitor(httpd, instance):
    serve(httpd, instance, "api")
    httpd.get("/p/", bearer(instance) | {"User-Agent": "visitor", "Cookie": "a=b", "X-Forwarded-For": "192.0.2.7"})
    headers = asked(instance, "api-jwks")[0].headers
    assert headers["user-agent"].startswith("mod_auth_clerk/")
    assert not {"cookie", "x-forwarded-for", "referer"} & set(headers)


# One flight


@pytest.mark.skipif(os.environ.get("MPM", "event") == "prefork", reason="needs threads")
def test_a_cold_start_under_load_fetches_once(httpd, instance):
    """200 parallel first requests to 8 processes: one fetch, and no request is refused."""
    instance.set_fault("jwks", delay=0.6)
    tuning = ("StartServers 8\nServerLimit 8\nThreadLimit 25\nThreadsPerChild 25\nMaxRequestWorkers 200\n"
              "MinSpareThreads 200\nMaxSpareThreads 200")
    serve(httpd, instance, mpm=tuning)
    wait_for(lambda: len(httpd.children()) >= 8)
    good = bearer(instance)
    answers = at_once(httpd.port, [("GET", "/p/", good)] * 200)
    assert [getattr(answer, "status", answer) for answer in answers] == [200] * 200
    assert fetches(instance) == 1


@pytest.mark.mpm
def test_several_processes_share_one_key_set(httpd, instance):
    serve(httpd, instance)
    good = bearer(instance)
    for _ in range(3):
        answers = at_once(httpd.port, [("GET", "/p/", good)] * 12)
        assert [getattr(answer, "status", answer) for answer in answers] == [200] * 12
    assert fetches(instance) == 1


def unknown_kids(instance):
    """Any number of tokens with random kids; the signature does not matter."""
    _, payload, signature = token(instance).split(".")
    number = 0
    while True:
        number += 1
        header = json.dumps({"alg": "RS256", "typ": "JWT", "kid": f"ins_{number:08d}"}).encode()
        yield base64.urlsafe_b64encode(header).rstrip(b"=").decode() + f".{payload}.{signature}"


def test_a_flood_of_unknown_kids_is_a_handful_of_fetches(httpd, instance):
    """A flood of random kids; good tokens are accepted meanwhile."""
    serve(httpd, instance)
    good = bearer(instance)
    assert httpd.get("/p/", good).status == 200
    flood = unknown_kids(instance)
    pool = [("GET", "/p/", {"Authorization": "Bearer " + next(flood)}) for _ in range(10_000)]
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        visitors = Load(httpd.port, lambda _: ("GET", "/p/", good), threads=2)
        stack.callback(visitors.stop)
        attack = Load(httpd.port, lambda _: pool.pop() if pool else ("GET", "/p/", XHR), threads=8)
        stack.callback(attack.stop)
        wait_for(lambda: not pool, timeout=60)
    seconds = time.monotonic() - started
    assert set(attack.counts) == {401} and attack.counts[401] >= 10_000
    assert set(visitors.counts) == {200} and visitors.total() > 100
    assert fetches(instance) <= 1 + 3 + seconds // 10 + 1  # the first, a burst of three, one in ten seconds


# Rotation. An eighth of the workers may wait for newer keys, one of them by making the call: others use the old keys.


def hundred_workers(server):
    """13 of them may have to do with newer keys at the same time."""
    if server.mpm == "prefork":
        return "StartServers 8\nMinSpareServers 2\nMaxSpareServers 16\nServerLimit 104\nMaxRequestWorkers 104"
    return "StartServers 2\nServerLimit 4\nThreadsPerChild 26\nThreadLimit 26\nMaxRequestWorkers 104\nMinSpareThreads 16\nMaxSpareThreads 104"


@pytest.mark.mpm
def test_rotation_to_a_new_kid_under_load(httpd, instance):
    serve(httpd, instance, mpm=hundred_workers(httpd))
    current = [bearer(instance)]
    assert httpd.get("/p/", current[0]).status == 200
    load = Load(httpd.port, lambda _: ("GET", "/p/", current[0]), threads=6)
    try:
        load.wait(200)
        instance.rotate_key(keep_old=True)
        current[0] = bearer(instance)
        load.wait(600)
    finally:
        load.stop()
    assert set(load.counts) == {200}, load.failures
    assert fetches(instance) <= 3


def test_rotation_under_the_same_kid(httpd, instance):
    serve(httpd, instance, mpm=hundred_workers(httpd))
    assert httpd.get("/p/", bearer(instance)).status == 200
    old = bearer(instance)
    time.sleep(5.2)  # a signature that fails right after a good fetch is the token's fault
    instance.rotate_key(same_kid=True)
    answers = at_once(httpd.port, [("GET", "/p/", bearer(instance))] * 12)
    assert [getattr(answer, "status", answer) for answer in answers] == [200] * 12
    assert fetches(instance) == 2
    assert httpd.get("/p/", old | XHR).reason == "token-invalid-signature"
    assert fetches(instance) == 2


def test_a_removed_key_is_forgotten(httpd, instance):
    """Keys are replaced as a set (differences.md row 6)."""
    serve(httpd, instance, extra="ClerkJWKSCacheTTL 1s\n")
    old = bearer(instance)
    assert httpd.get("/p/", old).status == 200
    instance.rotate_key()
    assert httpd.get("/p/", bearer(instance)).status == 200
    assert httpd.get("/p/", old | XHR).reason == "jwk-kid-mismatch"


def test_the_background_refresh_comes_before_the_ttl_ends(httpd, instance):
    serve(httpd, instance, extra="ClerkJWKSCacheTTL 2s\n")
    assert httpd.get("/p/", bearer(instance)).status == 200
    assert instance.wait_for("jwks", 3, timeout=8)  # nobody asks for anything


# Outages


@pytest.mark.mpm
def test_an_outage_longer_than_the_ttl(httpd, instance):
    """The last good keys are used, also after a restart and a graceful restart; one log line for each change."""
    serve(httpd, instance, extra="ClerkJWKSCacheTTL 1s\nClerkHTTPTimeout 1s\n", state=True)
    good = bearer(instance)
    assert httpd.get("/p/", good).status == 200
    instance.pause()
    httpd.log.announce(SOURCE_TROUBLE)
    load = Load(httpd.port, lambda _: ("GET", "/p/", good), threads=2, pause=0.005)
    try:
        httpd.log.wait_for(SOURCE_TROUBLE)
        time.sleep(2.5)
    finally:
        load.stop()
    assert set(load.counts) == {200}, load.failures
    assert len(httpd.log.lines(SOURCE_TROUBLE)) <= 2
    httpd.restart()
    assert httpd.get("/p/", good).status == 200
    httpd.graceful()
    assert httpd.get("/p/", good).status == 200
    instance.resume()
    assert instance.wait_for("jwks", 3, timeout=15)
    assert httpd.get("/p/", good).status == 200


@pytest.mark.parametrize("fault", [
    {"status": 500}, {"status": 404}, {"status": 429, "headers": {"Retry-After": "1"}}, {"drop": True}, {"truncate": True},
    {"empty_keys": True}, {"body": "<html>", "content_type": "text/html"}, {"body": "{}"}, {"body": "[]"}, {"body": '{"keys":{}}'},
    {"body": '{"keys":[{"kty":"RSA"}]}'}, {"redirect": "http://127.0.0.1:1/"}, {"oversize": 16 * 1024 * 1024}, {"delay": 3.0},
], ids=str)
def test_a_bad_answer_replaces_nothing(httpd, instance, fault):
    """Empty, partial, malformed JWKS: the previous set is kept."""
    serve(httpd, instance, extra="ClerkJWKSCacheTTL 1s\nClerkHTTPTimeout 500ms\n")
    good = bearer(instance)
    assert httpd.get("/p/", good).status == 200
    instance.set_fault("jwks", **fault)
    httpd.log.announce(SOURCE_TROUBLE)
    before = fetches(instance)
    httpd.log.wait_for(SOURCE_TROUBLE)
    assert fetches(instance) > before
    assert httpd.get("/p/", good).status == 200
    assert httpd.get("/p/", bearer(instance, header={"kid": "ins_unknown"}) | XHR).status == 401


@pytest.mark.mpm
def test_cold_start_with_the_source_down(httpd, instance):
    """503 with Retry-After: no access, no token is called bad, and requests without a token are not affected."""
    instance.pause()
    httpd.log.announce(SOURCE_TROUBLE)
    serve(httpd, instance, extra="ClerkHTTPTimeout 1s\n")
    for headers in (bearer(instance) | XHR, bearer(instance) | NAVIGATION, browser(instance) | XHR, browser(instance) | NAVIGATION):
        answer = httpd.get("/p/", headers)
        assert answer.status == 503, answer
        assert int(answer.header("Retry-After")) > 0
        assert answer.header("WWW-Authenticate") is None and answer.location is None
        assert "no-store" in answer.header("Cache-Control")
        assert b"members only" not in answer.body and b"127.0.0.1" not in answer.body.replace(f"127.0.0.1 Port {httpd.port}".encode(), b"")
    assert httpd.get("/p/", XHR).status == 401
    assert httpd.get("/p/", NAVIGATION).status == 307
    instance.resume()
    wait_for(lambda: httpd.get("/p/", bearer(instance)).status == 200, timeout=15)


def test_a_cold_start_does_not_hold_all_workers(httpd, instance):
    """While the source hangs, requests without a token are served, and those with a token within the time limit."""
    instance.set_fault("jwks", delay=3.0)
    httpd.log.announce(SOURCE_TROUBLE)
    serve(httpd, instance, extra="ClerkHTTPTimeout 1s\n")
    started = time.monotonic()
    answers = at_once(httpd.port, [("GET", "/p/", bearer(instance))] * 10)
    assert [getattr(answer, "status", answer) for answer in answers] == [503] * 10
    assert time.monotonic() - started < 3.0
    assert httpd.get("/p/", XHR).status == 401


def test_our_own_key_refused(httpd, instance):
    """Clerk refuses our key: 503, and the log says which directive."""
    httpd.log.announce(SOURCE_TROUBLE)
    right, instance.secret_key = instance.secret_key, "sk_live_somethingelse"
    try:
        serve(httpd, instance, "api")
    finally:
        instance.secret_key = right
    answer = httpd.get("/p/", bearer(instance) | XHR)
    assert (answer.status, answer.reason) == (503, "secret-key-invalid")
    assert "sk_live_somethingelse" not in httpd.log.text()
    assert "ClerkSecretKey" in httpd.log.text() or "secret key" in httpd.log.text()


def test_keys_too_old_are_not_used(httpd, instance):
    httpd.log.announce(SOURCE_TROUBLE)
    serve(httpd, instance, extra="ClerkJWKSCacheTTL 1s\nClerkJWKSMaxStale 2s\nClerkHTTPTimeout 1s\n")
    good = bearer(instance)
    assert httpd.get("/p/", good).status == 200
    instance.pause()
    wait_for(lambda: httpd.get("/p/", good).status == 503, timeout=8)


# The kept file


def written(httpd):
    return [path.stat().st_mtime_ns for path in kept_files(httpd)]


def kept_files(server):
    return list((server.root / "state").glob("*.json"))


def test_the_kept_file_is_private_and_holds_no_secret(httpd, instance):
    serve(httpd, instance, "api", state=True)
    assert httpd.get("/p/", bearer(instance)).status == 200
    (path,) = wait_for(lambda: kept_files(httpd))
    mode = path.stat().st_mode
    assert stat.S_IMODE(mode) & 0o077 == 0
    assert instance.secret_key.encode() not in path.read_bytes()


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def _garble(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _symlink(path):
    other = path.with_name("elsewhere")
    path.rename(other)
    path.symlink_to(other)


def _fifo(path):
    path.unlink()
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("damage", [
    _truncate, _garble, lambda path: path.write_bytes(b""), lambda path: path.chmod(0o666), lambda path: path.chmod(0o620), _symlink, _fifo,
    lambda path: os.chown(path, 12345, 12345) if os.geteuid() == 0 else path.write_bytes(b"x"),
], ids=["truncated", "garbled", "empty", "world-writable", "group-writable", "symlink", "fifo", "other-owner"])
def test_a_doubtful_kept_file_is_ignored_with_a_warning(httpd, instance, damage):
    serve(httpd, instance, state=True)
    assert httpd.get("/p/", bearer(instance)).status == 200
    (path,) = wait_for(lambda: kept_files(httpd))
    httpd.stop()
    instance.pause()
    damage(path)
    httpd.log.announce(SOURCE_TROUBLE)
    httpd.log.mark()
    httpd.start()
    assert httpd.get("/p/", bearer(instance) | XHR).status == 503
    assert "AC1006: " in httpd.log.recent() and str(path.parent) in httpd.log.recent()


# Replaces each kept file by one with other keys, in all that a program can know how to write; tells what it cannot do.
FORGER = """#!{python}
import hashlib, hmac, json, os, pathlib, time
state = pathlib.Path({state!r})
document = {document!r}
print("Content-Type: text/plain\\n")
for path in state.glob("*.json"):
    kept = json.loads(path.read_text())
    kept["fetched_at"] = int(time.time() * 1000000)
    signed = f"{{kept['id']}}\\n{{kept['fetched_at']}}\\n{{document}}".encode()
    del kept["document"]
    kept["hmac"] = hmac.new(bytes(32), signed, hashlib.sha256).hexdigest()
    path.write_text(json.dumps(kept, separators=(",", ":"))[:-1] + ',"document":' + document + "}}\\n")
    print("forged")
try:
    (state / "state.key").read_bytes()
except PermissionError:
    print("no key")
if os.environ["QUERY_STRING"] == "key":
    (state / "state.key").unlink()
    (state / "state.key").write_bytes(bytes(32))
    (state / "state.key").chmod(0o600)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="programs of the user that starts httpd are trusted")
@pytest.mark.parametrize("what", ["files", "key"])
def test_a_cgi_program_cannot_forge_kept_keys(httpd, instance, emulator, what):
    """F5. It runs as the children do, who write the files."""
    forger = emulator.add_instance(production=True, host="clerk.example.test", key=Key.generate(instance.kid))
    httpd.root.chmod(0o755)
    document = json.dumps({"keys": [forger.keys[0].jwk()]})
    httpd.cgi("forge.cgi", FORGER.format(python=sys.executable, state=str(httpd.root / "state"), document=document))
    serve(httpd, instance, state=True)
    assert httpd.get("/p/", bearer(instance)).status == 200
    wait_for(lambda: kept_files(httpd))
    before = written(httpd)
    httpd.restart()
    wait_for(lambda: httpd.get("/p/", bearer(instance)).status == 200)
    wait_for(lambda: written(httpd) != before)  # or the first keys after the restart replace what is forged
    assert httpd.get("/forge.cgi?" + what).text.split("\n")[:2] == ["forged", "no key"]
    instance.pause()
    httpd.log.announce(SOURCE_TROUBLE)
    httpd.graceful()
    assert "AC1006: " in httpd.log.recent()
    assert httpd.get("/p/", bearer(forger) | XHR).status == 503
    instance.resume()
    wait_for(lambda: httpd.get("/p/", bearer(instance) | XHR).status == 200)
    assert httpd.get("/p/", bearer(forger) | XHR).status == 401
    assert os.stat(httpd.root / "state" / "state.key").st_uid == 0


def test_a_kept_file_of_another_instance_is_not_used(httpd, instance, emulator):
    other = emulator.add_instance(production=True, host="clerk.other.test", key=Key.generate(instance.kid))
    serve(httpd, instance, state=True)
    assert httpd.get("/p/", bearer(instance)).status == 200
    wait_for(lambda: kept_files(httpd))
    httpd.stop()
    other.pause()
    httpd.log.announce(SOURCE_TROUBLE)
    serve(httpd, other, state=True)
    assert httpd.get("/p/", bearer(instance) | XHR).status == 503


# Restarts


@pytest.mark.mpm
def test_graceful_restarts_under_load(httpd, instance):
    """Restart loop under load: no lost request, no leaked descriptor."""
    serve(httpd, instance, state=True)
    good = bearer(instance, ttl=600)
    assert httpd.get("/p/", good).status == 200
    httpd.graceful()
    descriptors = len(os.listdir(f"/proc/{httpd.process.pid}/fd"))
    load = Load(httpd.port, lambda _: ("GET", "/p/", good), threads=4)
    try:
        for _ in range(5):
            httpd.graceful()
            load.wait(20)
    finally:
        load.stop()
    assert set(load.counts) == {200}, load.failures
    assert len(os.listdir(f"/proc/{httpd.process.pid}/fd")) <= descriptors


@pytest.mark.mpm
@pytest.mark.parametrize("end", ["graceful", "stop"])
def test_a_child_ends_in_the_midst_of_a_fetch(httpd, instance, end):
    """httpd does not wait for the thread that fetches in the background: a child that ended before it crashed."""
    instance.set_fault("jwks", trickle=1.0)
    serve(httpd, instance)
    for number in range(4):
        assert instance.wait_for("jwks", number + 1, timeout=20)
        if end == "stop":
            httpd.stop()
            httpd.start()
        else:
            httpd.graceful()
    httpd.stop()


def test_a_killed_process_does_not_block_fetches(httpd, instance):
    """A lease that is not released expires."""
    instance.set_fault("jwks", delay=20.0, times=1)
    serve(httpd, instance, extra="ClerkHTTPTimeout 2s\n")
    httpd.log.announce(SOURCE_TROUBLE, "exit signal Killed", "AH01239: cgid daemon process died")
    assert instance.wait_for("jwks", 1) or httpd.get("/p/", bearer(instance))
    for pid in httpd.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: httpd.get("/p/", bearer(instance)).status == 200, timeout=15)


# Secrets


def test_no_secret_in_any_log(httpd, instance):
    """Canary strings absent at trace8."""
    serve(httpd, instance, "api", log_level="trace8")
    httpd.log.announce(SOURCE_TROUBLE)
    tokens = [token(instance), token(instance, defect="bad-signature"), token(instance, age=120), token(instance, header={"kid": "ins_x"})]
    for one in tokens:
        httpd.get("/p/", {"Authorization": "Bearer " + one} | XHR)
        cookies = (f"__session={one}; __client_uat=1; __session_{instance.cookie_suffix}={one}; __client_uat_{instance.cookie_suffix}=1; "
                   f"__refresh_{instance.cookie_suffix}=refreshcanary; __clerk_handshake_nonce=noncecanary")
        httpd.get("/p/", {"Cookie": cookies} | NAVIGATION)
    httpd.get("/p/", {"Cookie": "__clerk_handshake=" + instance.handshake_token(["__session=handshakecanary"])} | NAVIGATION)
    instance.set_fault("api-jwks", status=500)
    httpd.get("/p/", {"Authorization": "Bearer " + token(instance, header={"kid": "ins_y"})} | XHR)
    text = httpd.log.text() + httpd.stderr() + httpd.access_log.read_text()
    assert instance.secret_key not in text
    ours = "\n".join(line for line in text.splitlines() if "[auth_clerk:" in line)
    assert "AC3" in ours
    for secret in [*(one.split(".")[2] for one in tokens), *(one.split(".")[1] for one in tokens),
                   "refreshcanary", "noncecanary", "handshakecanary"]:
        assert secret not in ours, secret


# The directory of the last good keys (A11)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
@pytest.mark.parametrize("trap", ["link", "parent-of-another-user", "parent-for-all", "link-above", "link-of-root", "to-be-made"])
def test_root_gives_no_directory_away_that_another_user_could_swap(httpd, instance, trap):
    base = httpd.root / "base"
    victim = httpd.root / "victim"
    victim.mkdir(mode=0o755)
    base.mkdir(mode=0o755)
    state = base / "state"
    if trap == "link":
        state.symlink_to(victim)
    elif trap == "parent-of-another-user":
        os.chown(base, 12345, 12345)
    elif trap == "parent-for-all":
        base.chmod(0o777)
    elif trap in ("link-of-root", "to-be-made"):
        # What root's link leads to is in a directory of another user, who can lead it elsewhere.
        theirs = httpd.root / "theirs"
        theirs.mkdir(mode=0o755)
        (theirs / "public").symlink_to(victim)
        os.chown(theirs, 12345, 12345)
        (base / "up").symlink_to(theirs / "public")
        state = base / "up" / "state"
        if trap == "link-of-root":
            (victim / "state").mkdir(mode=0o700)
    else:
        (base / "up").symlink_to(victim)
        os.lchown(base / "up", 12345, 12345)
        state = base / "up" / "state"
    httpd.log.announce(r":warn\].*AC303[18]: ClerkStateDir ")
    serve(httpd, instance, extra=f'ClerkStateDir "{state}"\n')
    assert httpd.get("/p/", bearer(instance)).status == 200
    assert os.stat(victim).st_uid == 0
    assert not state.exists() or (trap != "to-be-made" and os.stat(state).st_uid == 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")
def test_root_gives_its_own_directory_to_the_server(httpd, instance):
    httpd.root.chmod(0o755)
    serve(httpd, instance, state=True)
    assert httpd.get("/p/", bearer(instance)).status == 200
    assert os.stat(httpd.root / "state").st_uid != 0
    wait_for(lambda: list((httpd.root / "state").glob("*.json")))
