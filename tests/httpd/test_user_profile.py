# SPDX-License-Identifier: Apache-2.0
"""People by name: what the application gets of the Backend API's user object, and when Clerk is asked."""

import collections
import hashlib
import hmac
import os
import sys
import time

import pytest
from pyclerk.backends import RedisBackend
from pyclerk.clerk import PARTY, XHR, bearer, browser, directives, protect
from pyclerk.load import at_once

AC2002 = "AC2002: .* fails"
AC3202 = "AC3202: the profile of user"
AC3203 = "AC3203: refused: ClerkRemoteUser user:"
PROFILE = {
    "CLERK_USER_EMAIL": "alice@example.test", "CLERK_USER_USERNAME": "alice", "CLERK_USER_FIRST_NAME": "Alice",
    "CLERK_USER_LAST_NAME": "Liddell", "CLERK_USER_NAME": "Alice Liddell",
    "CLERK_USER_IMAGE_URL": "https://img.clerk.com/alice", "CLERK_USER_EXTERNAL_ID": "hr-alice",
}
PLACES = {
    "profile": ("ClerkUserProfile On",),
    "plain": (),
    "email": ("ClerkRemoteUser user:email",),
    "username": ("ClerkRemoteUser user:username",),
    "name": ("ClerkRemoteUser user:name",),
    "id": ("ClerkRemoteUser user:external_id",),
    "room": ("ClerkRemoteUser user:public_metadata.nested.room",),
    "export": ("ClerkExportClaim user:public_metadata.department as DEPARTMENT user:public_metadata.levels user:email",),
    "both": ("ClerkUserProfile On", "ClerkRemoteUser user:email"),
}


@pytest.fixture(name="live")
def _live(emulator):
    """One instance a test: its users can be changed."""
    return emulator.add_instance(production=True, host="clerk.example.test")


def pem(server, live):
    """No call for keys is ever made."""
    return f"ClerkJWTKey file:{server.write(f'{live.cookie_suffix}.pem', live.public_key_pem, 0o640, server.root / 'conf')}\n"


def serve(make_httpd, live, more="", places=None, **options):
    server = make_httpd()
    text = directives(server, live, "api", (PARTY, server.origin())) + pem(server, live) + more
    for name, inner in (PLACES if places is None else places).items():
        server.cgi(f"{name}/env.cgi")
        text += protect(f"/{name}", ("valid-user",), *inner)
    server.configure(text, **options)
    server.start()
    return server


@pytest.fixture(name="server")
def _server(make_httpd, live):
    server = serve(make_httpd, live)
    yield server
    server.stop()


def ask(server, live, place, user="alice", **options):
    return server.get(f"/{place}/env.cgi", XHR | bearer(live, user, **options))


def profile_of(answer):
    assert answer.status == 200, answer
    return {name: value for name, value in answer.env().items() if name.startswith("CLERK_USER_") and name != "CLERK_USER_ID"}


def remote_user(answer):
    return answer.env().get("REMOTE_USER") if answer.status == 200 else answer.status


def statuses(answers):
    return collections.Counter(answer.status for answer in answers)


@pytest.mark.mpm
def test_the_application_gets_the_profile(server, live):
    assert profile_of(ask(server, live, "plain")) == {}
    assert live.count("user") == 0
    assert profile_of(ask(server, live, "profile")) == PROFILE
    assert live.count("user") == 1
    request = live.requests("user")[0]
    assert (request.method, request.path, request.headers["clerk-api-version"]) == ("GET", "/v1/users/user_alice", "2026-05-12")
    # From the cache, whichever process answers, and for every place that needs a part of it.
    for place in list(PLACES) * 4:
        assert ask(server, live, place).status == 200
    assert live.count("user") == 1


# A change of the user object -> the variables that change with it; None: not set.
OBJECTS = {
    "unverified": ({"email_status": "unverified"}, {"EMAIL": None}),
    "transferable": ({"email_status": "transferable"}, {"EMAIL": None}),
    "never verified": ({"email_status": None}, {"EMAIL": None}),
    "no primary address": ({"profile": {"primary_email_address_id": None}}, {"EMAIL": None}),
    "nothing but an id": (
        {"profile": {"username": None, "first_name": None, "last_name": None, "image_url": None, "external_id": None,
                     "email_addresses": [], "public_metadata": None}},
        dict.fromkeys(("EMAIL", "USERNAME", "FIRST_NAME", "LAST_NAME", "NAME", "IMAGE_URL", "EXTERNAL_ID"))),
    "no last name": ({"profile": {"last_name": None}}, {"LAST_NAME": None, "NAME": "Alice"}),
    "UTF-8": ({"profile": {"first_name": "Zoë"}}, {"FIRST_NAME": "Zoë", "NAME": "Zoë Liddell"}),
    "control characters": ({"profile": {"first_name": "A\r\nB"}}, {"FIRST_NAME": None, "NAME": None}),
    "very long": ({"profile": {"username": "x" * 1001}}, {"USERNAME": None}),
    "long": ({"profile": {"username": "x" * 1000}}, {"USERNAME": "x" * 1000}),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_what_is_missing_is_left_out(server, live, name):
    changes, differences = OBJECTS[name]
    for member, value in changes.items():
        setattr(live.user("alice"), member, value)
    wanted = PROFILE | {f"CLERK_USER_{short}": value for short, value in differences.items()}
    assert profile_of(ask(server, live, "profile")) == {key: value for key, value in wanted.items() if value is not None}


@pytest.mark.mpm
def test_the_user_is_named_by_the_profile(server, live):
    names = {"email": "alice@example.test", "username": "alice", "name": "Alice Liddell", "id": "hr-alice", "room": "B 12",
             "plain": "user_alice", "both": "alice@example.test"}
    assert {place: remote_user(ask(server, live, place)) for place in names} == names
    assert live.count("user") == 1


def test_a_user_without_such_a_name_is_refused(server, live):
    server.log.announce(AC3203)
    alice = live.user("alice")
    alice.email_status = "unverified"
    alice.profile = {"username": None, "first_name": None, "last_name": "", "external_id": None, "public_metadata": {"nested": {}}}
    for place in ("email", "username", "name", "id", "room", "both"):
        answer = ask(server, live, place)
        assert answer.status == 403 and answer.header("Retry-After") is None, place
    assert profile_of(ask(server, live, "profile")) == {"CLERK_USER_IMAGE_URL": PROFILE["CLERK_USER_IMAGE_URL"]}
    server.log.wait_for(AC3203)


@pytest.mark.parametrize("value", [True, False, ["admin"], ["a", "b"], {"a": "b"}, [], None])
def test_metadata_that_is_no_name_names_nobody(server, live, value):
    """`true` would be the name of everybody who has that flag."""
    server.log.announce(AC3203)
    live.user("alice").profile = {"public_metadata": {"nested": {"room": value}}}
    assert ask(server, live, "room").status == 403


@pytest.mark.parametrize("value,name", [("e-17", "e-17"), (17, "17")])
def test_metadata_that_is_a_text_or_a_number_is_a_name(server, live, value, name):
    live.user("alice").profile = {"public_metadata": {"nested": {"room": value}}}
    assert ask(server, live, "room").env()["REMOTE_USER"] == name


def test_metadata_is_exported_by_path(server, live):
    env = ask(server, live, "export").env()
    assert {name: value for name, value in env.items() if name.startswith("CLERK_CLAIM_")} == {
        "CLERK_CLAIM_DEPARTMENT": "sales", "CLERK_CLAIM_USER_PUBLIC_METADATA_LEVELS": "1,2",
        "CLERK_CLAIM_USER_EMAIL": "alice@example.test"}


def test_what_a_client_says_is_not_believed(make_httpd, live, echo):
    server = serve(make_httpd, live, "".join(f"SetEnvIf X-Evil (.*) {name}=$1 {name.lower()}=$1\n" for name in PROFILE)
                   + protect("/echo", ("clerk-optional",), "ClerkUserProfile On", "ClerkPassHeaders On")
                   + f'ProxyPass "/echo" "{echo.url}echo"\n')
    live.user("alice").email_status = None
    spoofed = {"X-Clerk-User-Email": "root@example.test", "x_clerk_user_name": "root", "X-Evil": "root"}
    headers = XHR | bearer(live) | spoofed
    assert profile_of(server.get("/profile/env.cgi", headers)) == {
        name: value for name, value in PROFILE.items() if name != "CLERK_USER_EMAIL"}
    assert profile_of(server.get("/plain/env.cgi", headers)) == {}
    passed = server.get("/echo", headers).text.replace("X-Evil: root", "")
    assert "root" not in passed and "X-Clerk-User-Name: Alice Liddell\n" in passed
    assert "root" not in server.get("/echo", XHR | spoofed).text.replace("X-Evil: root", "") and live.count("user") == 1
    server.stop()


def test_one_lookup_serves_a_request_and_its_parts(make_httpd, live):
    """Subrequests, an internal redirect and expressions, while nothing can be kept."""
    server = serve(make_httpd, live, "ClerkUserProfileTTL 1s\n" + "RewriteEngine On\n" + protect(
        "/parts", ("expr %{CLERK_USER_EMAIL} == 'alice@example.test'",), "ClerkUserProfile On", "ClerkRemoteUser user:email"))
    server.write("parts/page.shtml", '<!--#include virtual="/profile/env.cgi" --><!--#include virtual="/both/env.cgi" -->')
    answer = server.get("/parts/page.shtml", XHR | bearer(live))
    assert answer.status == 200 and answer.text.count("CLERK_USER_EMAIL=alice@example.test") == 2
    assert live.count("user") == 1
    server.stop()


@pytest.mark.mpm
def test_forty_requests_make_one_call(make_httpd, live):
    """With fewer workers not all of them may wait (docs/outbound-calls.md, "Concurrency")."""
    tuning = ("StartServers 128\nMinSpareServers 128\nMaxSpareServers 128\nServerLimit 128\nMaxRequestWorkers 128" if os.environ.get("MPM") == "prefork"
              else "StartServers 2\nServerLimit 2\nThreadsPerChild 64\nThreadLimit 64\nMaxRequestWorkers 128\nMinSpareThreads 64\nMaxSpareThreads 128")
    server = serve(make_httpd, live, mpm=tuning)
    server.log.announce("AH0028[67]")
    live.set_fault("user", delay=0.3)
    answers = at_once(server.port, [("GET", f"/{place}/env.cgi", XHR | bearer(live)) for place in ("email", "profile")] * 20)
    assert statuses(answers) == {200: 40}
    assert {remote_user(answer) for answer in answers} == {"alice@example.test", "user_alice"}
    assert live.count("user") == 1
    server.stop()


def test_a_change_is_seen_when_the_time_is_over(make_httpd, live):
    server = serve(make_httpd, live, "ClerkUserProfileTTL 3s\n")
    begun = time.monotonic()
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    live.user("alice").email = "liddell@example.test"
    answer = ask(server, live, "email")
    assert remote_user(answer) == "alice@example.test" or time.monotonic() - begun > 3
    deadline = time.monotonic() + 20
    while remote_user(ask(server, live, "email")) == "alice@example.test":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert remote_user(ask(server, live, "email")) == "liddell@example.test"
    assert live.count("user") == 2
    # No longer verified: the old address is not used, though it is still in the cache.
    server.log.announce(AC3203)
    live.user("alice").email_status = "unverified"
    while remote_user(ask(server, live, "email")) != 403:
        assert time.monotonic() < deadline + 20
        time.sleep(0.1)
    server.stop()


OUTAGES = {"nothing": {"drop": True}, "500": {"status": 500}, "429": {"status": 429, "headers": {"Retry-After": "7"}},
           "another answer": {"body": '{"object":"user","id":"user_carol"}'}, "no JSON": {"body": "<html>"},
           "half": {"truncate": True}, "redirect": {"redirect": "http://127.0.0.1:1/"}}


@pytest.mark.parametrize("name", OUTAGES)
def test_what_was_kept_serves_through_an_outage(make_httpd, live, name):
    server = serve(make_httpd, live, "ClerkUserProfileTTL 1s\n")
    server.log.announce(AC3202, AC2002, "AC1041", "AC2001")
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    live.set_fault("user", **OUTAGES[name])
    deadline = time.monotonic() + 20
    while live.count("user") < 2:  # until it is tried
        assert remote_user(ask(server, live, "email")) == "alice@example.test" and time.monotonic() < deadline
        time.sleep(0.1)
    for _ in range(10):
        assert remote_user(ask(server, live, "email")) == "alice@example.test"
        assert profile_of(ask(server, live, "profile")) == PROFILE
    # Of bob nothing was kept.
    for place in ("email", "both"):
        answer = ask(server, live, place, "bob")
        assert answer.status == 503 and int(answer.header("Retry-After")) >= 1 and "no-store" in answer.header("Cache-Control")
    assert profile_of(ask(server, live, "profile", "bob")) == {}
    assert ask(server, live, "plain", "bob").status == 200
    server.log.wait_for(AC3202)
    live.clear_faults()
    deadline = time.monotonic() + 60
    while remote_user(answer := ask(server, live, "email", "bob")) != "bob@example.test":
        assert answer.status == 503 and time.monotonic() < deadline
        time.sleep(0.2)
    server.stop()


def test_a_slow_api_is_waited_for_once(make_httpd, live):
    server = serve(make_httpd, live, "ClerkHTTPTimeout 500ms\n")
    server.log.announce(AC3202, AC2002)
    live.set_fault("user", delay=3)
    answers = at_once(server.port, [("GET", "/email/env.cgi", XHR | bearer(live))] * 10)
    assert statuses(answers) == {503: 10}
    server.stop()


def test_a_user_that_is_gone_is_asked_for_once(server, live):
    server.log.announce(AC3203)
    headers = XHR | bearer(live, session=live.create_session(live.add_user("gone")))
    del live.users["gone"]
    for _ in range(5):
        assert server.get("/email/env.cgi", headers).status == 403
        assert profile_of(server.get("/profile/env.cgi", headers)) == {}
    assert live.count("user") == 1


def test_a_bad_secret_key_is_said(server, live):
    server.log.announce(AC3202)
    live.secret_key = "sk_live_another"
    assert ask(server, live, "email").status == 503
    server.log.wait_for("AC3202: .* does not accept ClerkSecretKey")


def test_two_instances_know_the_same_id_by_different_names(make_httpd, emulator, live):
    other = emulator.add_instance(production=True, host="clerk.other.test")
    other.user("alice").email = "alice@other.test"
    server = make_httpd()
    text = directives(server, live, "api", (PARTY,)) + pem(server, live)
    text += f"<ClerkInstance other>\n{directives(server, other, 'api', None)}{pem(server, other)}</ClerkInstance>\n"
    for place, more in (("one", ()), ("two", ("ClerkInstance other",))):
        server.cgi(f"{place}/env.cgi")
        text += protect(f"/{place}", ("valid-user",), "ClerkRemoteUser user:email", "ClerkUserProfile On", *more)
    server.configure(text)
    server.start()
    for _ in range(2):
        assert remote_user(ask(server, live, "one")) == "alice@example.test"
        assert remote_user(ask(server, other, "two")) == "alice@other.test"
    assert (live.count("user"), other.count("user")) == (1, 1)
    server.stop()


@pytest.mark.mpm
def test_a_graceful_restart_keeps_serving(server, live):
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    server.graceful()
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    assert live.count("user") == 2  # shared memory ends with the configuration


# Stores that others can write to


def serve_with(make_httpd, live, store, key="k" * 40, more="", **options):
    server = make_httpd()
    server.env["SOCACHE_KEY"] = key
    server.cgi("email/env.cgi")
    server.configure(
        directives(server, live, "api", (PARTY,)) + pem(server, live) + f"ClerkSOCache {store(server)}\nClerkSOCacheKey env:SOCACHE_KEY\n" + more
        + protect("/email", ("valid-user",), "ClerkRemoteUser user:email"), **options)
    return server.start()


def until_asked_again(server, live, count):
    """What one thread gets is known to the others for two seconds, stored or not. The name is right all the time."""
    deadline = time.monotonic() + 20
    while live.count("user") < count:
        assert remote_user(ask(server, live, "email")) == "alice@example.test" and time.monotonic() < deadline
        time.sleep(0.1)


def test_what_others_write_into_a_file_is_not_believed(make_httpd, live):
    server = serve_with(make_httpd, live, lambda server: f"dbm:{server.root}/state/cache", modules=("socache_dbm",))
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    changed = 0
    for path in (server.root / "state").glob("cache*"):
        data = path.read_bytes()
        assert b"user_alice" not in data
        changed += data.count(b"alice@example.test")
        with open(path, "r+b") as file:
            file.write(data.replace(b"alice@example.test", b"admin@example.test"))
    assert changed >= 1
    until_asked_again(server, live, 2)
    server.stop()


@pytest.fixture(name="redis")
def _redis():
    backend = RedisBackend()
    yield backend
    backend.stop()


def through_redis(make_httpd, live, redis, **more):
    return serve_with(make_httpd, live, lambda _: f"redis:127.0.0.1:{redis.port}", modules=("socache_redis",), **more)


def test_the_servers_of_a_fleet_share_a_store(make_httpd, live, redis):
    one = through_redis(make_httpd, live, redis)
    assert remote_user(ask(one, live, "email")) == "alice@example.test"
    assert len(redis.values) == 1 and live.count("user") == 1
    # HMACs over what the value is about, and over the value under that name.
    key = hashlib.sha256(b"k" * 40).digest()
    scope = hashlib.sha256(f"+{live.url}\0+{live.publishable_key}\0---".encode()).digest()
    name, value = next(iter(redis.values.items()))
    about = hmac.digest(key, b"p" + scope + b"user_alice", "sha256")
    assert name.endswith(about.hex().encode()) and value[-32:] == hmac.digest(key, about + value[:-32], "sha256")
    assert b"user_alice" not in next(iter(redis.values)) and b"alice@example.test" in next(iter(redis.values.values()))
    two = through_redis(make_httpd, live, redis)
    assert remote_user(ask(two, live, "email")) == "alice@example.test"
    two.restart()
    assert remote_user(ask(two, live, "email")) == "alice@example.test" and live.count("user") == 1
    # With another key it is another server's.
    stranger = through_redis(make_httpd, live, redis, key="another key of another server, long enough")
    assert remote_user(ask(stranger, live, "email")) == "alice@example.test" and live.count("user") == 2
    assert len(redis.values) == 2
    for server in (one, two, stranger):
        server.stop()


def test_what_others_write_into_redis_is_not_believed(make_httpd, live, redis):
    server = through_redis(make_httpd, live, redis)
    for user in ("alice", "bob"):
        assert remote_user(ask(server, live, "email", user)) == f"{user}@example.test"
    (one, first), (two, second) = redis.values.items()
    server.log.announce("AH03480")  # too long for the buffer
    forgeries = ({one: first.replace(b"@example.test", b"@example.tesT"), two: second.replace(b"@example.test", b"@example.tesT")},
                 {one: second, two: first}, {one: first[:-1], two: second + b"x"}, {one: b"", two: b"x" * 39}, {one: b"x" * 16425, two: b"x" * 100000})
    for calls, forged in enumerate(forgeries):
        until_asked_again(server, live, 2 + calls)  # nobody's call is still being shared
        redis.values.update(forged)
        deadline = time.monotonic() + 20
        while live.count("user") < 2 + 2 * (calls + 1) and time.monotonic() < deadline:
            for user in ("alice", "bob"):
                assert remote_user(ask(server, live, "email", user)) == f"{user}@example.test"
            time.sleep(0.1)
        assert live.count("user") == 2 + 2 * (calls + 1)
    server.stop()


# Refreshed ahead of its time


def age_by(redis, seconds, about):
    """Make what is stored older, as a server with the key could have stored it."""
    (name, value), = redis.values.items()
    key = hashlib.sha256(b"k" * 40).digest()
    end, fetched, rest = value[:8], int.from_bytes(value[8:16], sys.byteorder), value[16:-32]
    changed = end + (fetched - seconds * 1_000_000).to_bytes(8, sys.byteorder) + rest
    redis.values[name] = changed + hmac.digest(key, hmac.digest(key, about, "sha256") + changed, "sha256")


def about_alice(live):
    return b"p" + hashlib.sha256(f"+{live.url}\0+{live.publishable_key}\0---".encode()).digest() + b"user_alice"


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(name="aging")
def _aging(make_httpd, live, redis):
    """A server whose cache has alice's profile, which it believes for an hour, and a way to make it older than it is."""
    server = through_redis(make_httpd, live, redis, more="ClerkUserProfileTTL 1h\n")
    assert remote_user(ask(server, live, "email")) == "alice@example.test" and live.count("user") == 1
    answered = time.monotonic()
    until(lambda: time.monotonic() - answered > 2.5)  # so long that call's answer would do for another one
    yield server, lambda minutes: age_by(redis, 60 * minutes, about_alice(live))
    server.stop()


@pytest.mark.mpm
def test_a_profile_in_use_is_refreshed_ahead_of_its_time(aging, live, redis):
    server, age = aging
    live.user("alice").email = "liddell@example.test"
    age(47)
    for _ in range(20):
        assert remote_user(ask(server, live, "email")) == "alice@example.test"
    assert live.count("user") == 1  # not yet: four fifths of an hour are 48 minutes
    live.set_fault("user", delay=2)
    age(2)
    assert remote_user(ask(server, live, "email")) == "alice@example.test"
    until(lambda: live.count("user") == 2)
    # Nobody waits for that call: all are answered with the name that is known.
    assert {remote_user(answer) for answer in at_once(server.port, [("GET", "/email/env.cgi", XHR | bearer(live))] * 10)} <= {
        "alice@example.test", "liddell@example.test"}
    until(lambda: b"liddell@example.test" in next(iter(redis.values.values())))
    for _ in range(5):
        assert remote_user(ask(server, live, "email")) == "liddell@example.test"
    assert live.count("user") == 2


@pytest.mark.parametrize("name", ["500", "no JSON"])
def test_a_refresh_that_fails_leaves_the_old_one_and_is_not_repeated(aging, live, name):
    server, age = aging
    server.log.announce(AC2002)
    live.user("alice").email = "liddell@example.test"
    live.set_fault("user", **OUTAGES[name])
    age(49)
    until(lambda: remote_user(ask(server, live, "email")) == "alice@example.test" and live.count("user") == 2)
    live.clear_faults()
    for _ in range(20):
        assert remote_user(ask(server, live, "email")) == "alice@example.test"
    assert live.count("user") == 2
    # When its time is over, a request asks; for a moment the failure does for it too.
    age(20)
    until(lambda: remote_user(ask(server, live, "email")) == "liddell@example.test")
    assert live.count("user") == 3


def test_without_redis_there_is_a_call_now_and_then(make_httpd, live, redis):
    server = through_redis(make_httpd, live, redis)
    redis.stop()
    server.log.announce("AC3205", "redis", "AH0")
    for _ in range(3):
        assert remote_user(ask(server, live, "email")) == "alice@example.test"
    server.stop()


# The configuration


def check(make_httpd, live, text, keys="pem", **options):
    server = make_httpd()
    server.configure(directives(server, live, keys) + text, **options)
    return server.check()


@pytest.mark.parametrize("line", ["ClerkUserProfile On", "ClerkRemoteUser user:email", "ClerkExportClaim sid user:name as NAME"])
def test_without_a_secret_key_there_are_no_profiles(make_httpd, live, line):
    code, output = check(make_httpd, live, protect("/private", ("valid-user",), line))
    assert code != 0 and "AC3200: " + line.split()[0] in output and "ClerkSecretKey" in output and "line " in output
    assert check(make_httpd, live, protect("/private", ("valid-user",), "ClerkUserProfile Off", "ClerkRemoteUser email"))[0] == 0


def test_an_unknown_cache_stops_the_start(make_httpd, live):
    code, output = check(make_httpd, live, "ClerkSOCache nonesuch:x\n", "api")
    assert code != 0 and "AC3201" in output
    server = make_httpd()
    server.configure(directives(server, live, "api") + protect("/private", ("valid-user",), "ClerkUserProfile On"))
    text = server.conf.read_text()
    lines = [one for one in text.splitlines() if "mod_socache_shmcb" not in one]
    assert len(lines) == len(text.splitlines()) - 1
    server.conf.write_text("\n".join(lines) + "\n")
    # Environment of the secret key as configure() left it.
    code, output = server.check()
    assert code != 0 and "AC3201" in output and "mod_socache_shmcb" in output
    server.conf.write_text("\n".join(one for one in lines if "ClerkUserProfile" not in one) + "\n")
    assert server.check()[0] == 0


@pytest.mark.parametrize("line, message", [
    ("ClerkRemoteUser user:", "is none of email"), ("ClerkRemoteUser user:phone", "is none of email"),
    ("ClerkExportClaim user:private_metadata.salary", "is none of email"), ("ClerkUserProfile Maybe", "On or Off"),
    ("ClerkSOCacheKey short", "must not stand in a configuration file"), ("ClerkSOCacheKey env:SHORT", "less than 32"),
    ("ClerkUserProfileTTL 2d", "ClerkUserProfileTTL"), ("ClerkSOCache :x", "names no cache")])
def test_wrong_values_stop_the_start(make_httpd, live, line, message):
    server = make_httpd()
    server.env["SHORT"] = "0123456789"
    server.configure(directives(server, live) + line + "\n")
    code, output = server.check()
    assert code != 0 and message in output, output


def test_a_htaccess_file_may_ask_for_profiles(make_httpd, live):
    server = serve(make_httpd, live, places={})
    server.cgi("files/env.cgi")
    server.write("files/.htaccess", 'AuthType Clerk\nAuthName "test"\nRequire valid-user\nClerkUserProfile On\nClerkRemoteUser user:email\n')
    answer = server.get("/files/env.cgi", XHR | bearer(live))
    assert remote_user(answer) == "alice@example.test" and profile_of(answer) == PROFILE
    server.stop()


def test_a_htaccess_file_without_a_secret_key_gets_none(make_httpd, live):
    server = make_httpd()
    server.configure(directives(server, live, "pem"))
    server.start()
    server.log.announce(AC3202)
    server.cgi("files/env.cgi")
    server.write("files/.htaccess", 'AuthType Clerk\nAuthName "test"\nRequire valid-user\nClerkUserProfile On\n')
    assert profile_of(server.get("/files/env.cgi", XHR | bearer(live))) == {}
    server.log.wait_for("AC3202: .* no ClerkSecretKey")
    server.write("files/.htaccess", 'AuthType Clerk\nAuthName "test"\nRequire valid-user\nClerkRemoteUser user:email\n')
    assert server.get("/files/env.cgi", XHR | browser(live)).status == 503
    server.stop()


# The way without a call


def test_a_missing_claim_is_explained_once(make_httpd, live):
    server = serve(make_httpd, live, places={"claim": ("ClerkRemoteUser email",)})
    server.log.announce("AC3063: .*")
    assert ask(server, live, "claim").status == 403
    server.log.wait_for(r'AC3063: .*Customize session token: {"email": "{{user.primary_email_address}}"}')
    assert remote_user(ask(server, live, "claim", claims={"email": "a@example.test"})) == "a@example.test"
    assert live.count("user") == 0
    server.stop()
