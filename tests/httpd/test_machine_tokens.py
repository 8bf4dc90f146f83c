# SPDX-License-Identifier: Apache-2.0
"""API keys, M2M tokens and OAuth access tokens: which place takes which, what the application receives, how often Clerk is asked, and
what happens while it cannot be asked."""

import base64
import itertools
import time

import pytest
from pyclerk.clerk import NAVIGATION, XHR, bearer, browser, directives, protect
from pyclerk.load import Load

KINDS = {"api-key": "api_key", "m2m": "m2m_token", "oauth": "oauth_token"}
ENDPOINTS = {"api_key": "verify-api-key", "m2m_token": "verify-m2m", "oauth_token": "verify-oauth"}
PLACES = [*KINDS, "session", "any"]
ENV = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n"
TIMEOUT = 2.0


def place(words, *more, requires=("valid-user",)):
    name = "-".join(words)
    return protect(f"/{name}", requires, f"ClerkAcceptTokens {' '.join(words)}", *more)


@pytest.fixture(scope="module")
def live(emulator):
    return emulator.add_instance(production=True, host="clerk.machines.test")


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    text = f"ClerkHTTPTimeout {TIMEOUT:.0f}s\n" + directives(server, live, "api")
    for words in [[one] for one in PLACES] + [["session", "api-key"], ["m2m", "oauth"]]:
        server.write("-".join(words) + "/index.html", "members only\n")
        text += place(words)
    server.write("basic/index.html", "members only\n")
    text += protect("/basic", ["valid-user"], "ClerkAcceptTokens session api-key", "ClerkAcceptBasic On")
    for name, require in (("role", "clerk-role admin"), ("org", "clerk-org"), ("type", "clerk-token api-key oauth_token"),
                          ("scope", "clerk-scope orders:read"), ("claim", "clerk-claim department=sales")):
        server.write(f"{name}/index.html", "members only\n")
        text += protect(f"/{name}", [require], "ClerkAcceptTokens any")
    server.write("env/env.cgi", ENV, 0o755)
    text += f'<Directory "{server.docroot}/env">\n    Options +ExecCGI\n    SetHandler cgi-script\n</Directory>\n'
    text += protect("/env", ["valid-user"], "ClerkAcceptTokens any", "ClerkRemoteUser department")
    server.configure(text).start()
    assert server.get("/session/", bearer(live)).status == 200
    return server


def header(token):
    return XHR | {"Authorization": f"Bearer {token}"}


def basic(password, user="git"):
    return XHR | {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def calls(live):
    return sum(live.count(endpoint) for endpoint in ENDPOINTS.values())


@pytest.fixture
def fresh(live):
    live.reset_log()
    yield live
    live.clear_faults()


def credentials(live):
    """{kind in words: [(name, token)]}"""
    found = {word: [("opaque", live.machine_token(kind).secret)] for word, kind in KINDS.items()}
    found["m2m"].append(("jwt", live.m2m_jwt()))
    found["oauth"].append(("jwt", live.oauth_jwt()))
    found["session"] = [("jwt", bearer(live)["Authorization"].split()[1])]
    return found


def test_each_place_takes_the_kinds_that_it_names(server, fresh):
    for word, tokens in credentials(fresh).items():
        for name, token in tokens:
            for here in (*PLACES, "session-api-key", "m2m-oauth"):
                before = calls(fresh)
                answer = server.get(f"/{here}/", header(token))
                accepted = here == "any" or word == here or (here == "session-api-key" and word in ("session", "api-key")) or (
                    here == "m2m-oauth" and word in ("m2m", "oauth"))
                assert answer.status == (200 if accepted else 401), (word, name, here, answer)
                if not accepted:
                    assert calls(fresh) == before, (word, name, here)
                    expected = "token-invalid" if here == "session" and name == "opaque" else "token-type-mismatch"
                    assert answer.reason == expected, (word, name, here)
                    assert 'error="invalid_token"' in answer.header("WWW-Authenticate")


def test_a_place_for_programs_reads_no_cookie_and_redirects_nobody(server, fresh):
    for here, reason in (("api-key", "No token in header"), ("m2m-oauth", "token-type-mismatch")):
        answer = server.get(f"/{here}/", NAVIGATION | browser(fresh))
        assert (answer.status, answer.reason, answer.location) == (401, reason, None)
        assert answer.header("X-Clerk-Sign-In-URL") is None


def test_a_mixed_place_gives_a_browser_its_flow(server, fresh):
    answer = server.get("/session-api-key/", NAVIGATION)
    assert answer.status == 307 and "sign-in" in answer.location
    assert server.get("/session-api-key/", browser(fresh)).status == 200
    key = fresh.machine_token().secret
    assert server.get("/session-api-key/", {"Cookie": f"__session={key}; __client_uat=1"} | XHR).status == 401
    assert calls(fresh) == 0


REFUSALS = [
    {"revoked": True}, {"expired": True}, {"active": False}, {"object": "session"}, {"id": ""}, {"subject": None}, {"revoked": 1},
    {"expiration": 1000}, {"expiration": "never"},
]


@pytest.fixture(scope="module", name="refusing")
def _refusing(make_httpd, emulator, live):
    """An instance for each of REFUSALS, and a server: what Clerk refuses counts for each instance and client address."""
    server = make_httpd()
    server.write("index.html", "members only\n")
    instances = [emulator.add_instance(production=True, host=f"clerk.refusing{number}.test", key=live.keys[0], cast=False) for number in range(len(REFUSALS))]
    text = "RemoteIPHeader X-Client-Address\nRemoteIPInternalProxy 127.0.0.1\n" + protect("/", ["valid-user"], "ClerkAcceptTokens any")
    for number, one in enumerate(instances):
        text += f"<VirtualHost 127.0.0.1:{server.port}>\nServerName refusing{number}.test\n{directives(server, one, 'api')}</VirtualHost>\n"
    server.configure(text, modules=("remoteip",)).start()
    return server, instances


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("number", range(len(REFUSALS)), ids=[str(more) for more in REFUSALS])
def test_a_2xx_is_not_enough(refusing, kind, number):
    server, instances = refusing
    one = instances[number]
    token = one.machine_token(kind, more=REFUSALS[number])
    before = calls(one)
    for _ in range(2):
        answer = server.get("/", header(token.secret) | {"Host": f"refusing{number}.test", "X-Client-Address": f"10.0.{number}.{list(ENDPOINTS).index(kind)}"})
        assert (answer.status, answer.reason) == (401, "token-invalid"), answer
    assert calls(one) == before + 1


def test_a_known_token_is_asked_for_once(server, fresh):
    key = fresh.machine_token(expiration=int(time.time() * 1000) + 600_000).secret
    assert [server.get("/api-key/", header(key)).status for _ in range(20)] == [200] * 20
    assert calls(fresh) == 1


def test_a_token_is_believed_no_longer_than_it_lasts(server, fresh):
    token = fresh.machine_token(expiration=int(time.time() * 1000) + 1500)
    assert server.get("/api-key/", header(token.secret)).status == 200
    deadline = time.monotonic() + 15
    while (answer := server.get("/api-key/", header(token.secret))).status == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert (answer.status, answer.reason) == (401, "token-invalid")


@pytest.mark.parametrize("change", [
    {"claims": {"exp": 1000}}, {"claims": {"nbf": 4_000_000_000}}, {"defect": "foreign-key"}, {"defect": "bad-signature"},
    {"without": ["exp"]}, {"header": {"typ": "JOSE"}},
], ids=str)
@pytest.mark.parametrize("mint", ["m2m_jwt", "oauth_jwt"])
def test_a_bad_jwt_is_refused_here(server, fresh, mint, change):
    answer = server.get("/m2m-oauth/" if mint == "m2m_jwt" or "header" not in change else "/oauth/", header(getattr(fresh, mint)(**change)))
    mismatch = mint == "oauth_jwt" and "header" in change
    assert (answer.status, answer.reason) == (401, "token-type-mismatch" if mismatch else "token-verification-failed")
    assert calls(fresh) == 0


def test_an_m2m_jwt_of_another_category_is_refused(server, fresh):
    answer = server.get("/m2m/", header(fresh.m2m_jwt(category="cl_B7d4PD111AAA")))
    assert (answer.status, answer.reason) == (401, "token-invalid")


def test_what_cannot_be_a_token_causes_no_call(server, fresh):
    for junk in ("ak_a.b.c", "ak_\"", "mt_" + "x" * 1100):
        answer = server.get("/any/", header(junk))
        assert (answer.status, answer.reason) == (401, "token-invalid"), junk
    assert calls(fresh) == 0


def environment(server, token):
    answer = server.get("/env/env.cgi", header(token))
    assert answer.status == 200, answer
    return {name: value for name, value in answer.env().items() if name.startswith(("CLERK_", "REMOTE_USER"))}


def test_the_application_knows_the_machine(server, fresh):
    claims = {"department": "sales"}
    key = fresh.machine_token(scopes=["orders:read", "two words", "b"], claims=claims, name="nightly")
    common = {"CLERK_AUTH_STATUS": "signed-in"}
    for _ in range(2):  # from Clerk, and from the cache
        assert environment(server, key.secret) == common | {
            "REMOTE_USER": "user_alice", "CLERK_TOKEN_TYPE": "api_key", "CLERK_USER_ID": "user_alice",
            "CLERK_SCOPES": "orders:read b", "CLERK_API_KEY_ID": key.id, "CLERK_API_KEY_NAME": "nightly"}
    of_org = environment(server, fresh.machine_token(subject="org_acme").secret)
    assert of_org["CLERK_ORG_ID"] == of_org["REMOTE_USER"] == "org_acme" and "CLERK_USER_ID" not in of_org
    for token in (fresh.machine_token("m2m_token", scopes=["mch_first", "mch_second"], claims=claims).secret, fresh.m2m_jwt(claims=claims)):
        assert environment(server, token) == common | {
            "REMOTE_USER": "mch_emulated", "CLERK_TOKEN_TYPE": "m2m_token", "CLERK_MACHINE_ID": "mch_emulated",
            "CLERK_SCOPES": "mch_first mch_second"}
    for token in (fresh.machine_token("oauth_token", scopes=["profile", "email"]).secret, fresh.oauth_jwt()):
        assert environment(server, token) == common | {
            "REMOTE_USER": "user_alice", "CLERK_TOKEN_TYPE": "oauth_token", "CLERK_USER_ID": "user_alice",
            "CLERK_CLIENT_ID": "client_emulated", "CLERK_SCOPES": "profile email"}


def test_requirements(server, fresh):
    organization = {"o": {"id": "org_acme", "slg": "acme", "rol": "admin"}, "org_id": "org_acme", "org_role": "org:admin", "v": 2}
    key = fresh.machine_token(subject="org_acme", scopes=["orders:read"], claims={"department": "sales"}).secret
    jwt = fresh.m2m_jwt(claims=organization)
    for token, good in ((key, ["type", "scope", "claim"]), (jwt, []), (fresh.oauth_jwt(claims={"scp": ["orders:read"]}), ["type", "scope"])):
        for here in ("role", "org", "type", "scope", "claim"):
            assert server.get(f"/{here}/", header(token)).status == (200 if here in good else 403), here
    assert server.get("/scope/", bearer(fresh)).status == 403
    assert server.get("/type/", bearer(fresh)).status == 403


def test_the_status_page_counts_each_kind(make_httpd, fresh):
    server = make_httpd()
    server.write("p/index.html", "members only\n")
    server.configure(directives(server, fresh, "api") + "<Location /status>\n    SetHandler clerk-status\n    Require local\n</Location>\n"
                     + protect("/p", ["valid-user"], "ClerkAcceptTokens session api-key m2m oauth", "ClerkAcceptBasic On")).start()
    key = fresh.machine_token().secret
    for headers, expected in ((bearer(fresh), 200), (browser(fresh), 200), (header("x"), 401), (header(key), 200), (basic(key), 200), (header(key), 200),
                              (header("ak_unknown"), 401), (header(fresh.m2m_jwt()), 200), (header(fresh.m2m_jwt(defect="foreign-key")), 401),
                              (header(fresh.oauth_jwt()), 200), (XHR, 401), (basic("secret"), 401)):
        assert server.get("/p/", XHR | headers).status == expected
    (instance,) = server.get("/status?json").json()["instances"]
    assert instance["credentials"] == {
        "session_tokens": 2, "session_tokens_refused": 1, "api_keys": 3, "api_keys_refused": 1, "m2m_tokens": 1, "m2m_tokens_refused": 1,
        "oauth_tokens": 1, "oauth_tokens_refused": 0}
    text = server.get("/status").text
    assert "API keys" in text and "OAuth tokens" in text and key not in text


def test_basic(server, fresh):
    key = fresh.machine_token().secret
    assert server.get("/basic/", basic(key)).status == 200
    assert server.get("/basic/", basic(key, user="")).status == 200
    answer = server.get("/basic/", XHR)
    assert answer.status == 401
    assert answer.all("WWW-Authenticate") == ['Bearer realm="test"', 'Basic realm="test", charset="UTF-8"']
    answer = server.get("/basic/", basic("ak_unknown"))
    assert (answer.status, answer.reason) == (401, "token-invalid")
    # Where it is Off, and what is no machine token, Basic is as if it were absent.
    assert server.get("/api-key/", basic(key)).reason == "No token in header"
    assert server.get("/basic/", basic("secret")).reason == "session-token-and-uat-missing"
    assert server.get("/basic/", basic(bearer(fresh)["Authorization"].split()[1])).status == 401
    assert server.get("/basic/", browser(fresh) | basic("secret")).status == 200
    answer = server.get("/basic/", NAVIGATION)
    assert answer.status == 307 and answer.header("WWW-Authenticate") is None


ODD = {
    "a NUL in the user name": b"a\0b:KEY", "a NUL before the colon": b"a\0:KEY", "a NUL in the password": b"a:KEY\0", "a NUL in the key": b"a:ak_\0x",
    "no colon": b"KEY", "two colons": b"a:b:KEY", "a colon after the key": b"a:KEY:", "a space before the key": b"a: KEY",
    "a line break": b"a:KEY\n", "another header field": b"a:KEY\r\nX-Evil: 1", "no UTF-8 in the password": b"a:KEY\xff",
    "nothing": b"", "a colon": b":", "the key as the user name": b"KEY:",
    "a long password": b"a:ak_" + b"x" * 1500, "a Bearer in it": b"a:Bearer KEY",
}
GOOD = {"no UTF-8 in the user name": b"\xff\xfe:KEY", "a long user name": b"u" * 4000 + b":KEY", "a space in the user name": b"a b:KEY",
        "a control character in the user name": b"\x1b[2J:KEY"}


def test_odd_basic_credentials(server, fresh):
    """What is not exactly a user name, a colon and a key is no key, and nobody is asked about it."""
    key = fresh.machine_token().secret
    assert server.get("/basic/", basic(key)).status == 200
    before = calls(fresh)
    for rows, status in ((ODD, 401), (GOOD, 200)):
        for name, text in rows.items():
            encoded = base64.b64encode(text.replace(b"KEY", key.encode())).decode()
            answer = server.get("/basic/", XHR | {"Authorization": f"Basic {encoded}"})
            assert answer.status == status, (name, answer)
            assert key not in answer.text and (not encoded or encoded not in answer.text)
    encoded = base64.b64encode(f"a:{key}".encode()).decode()
    for field in (f"Basic {encoded}, Bearer {key}", f"Basic {encoded},", f"Basic\t{encoded}", f"Basic {encoded} x", f"Basic{encoded}", "Basic", "Basic ",
                  "Basic =",
                  f"Basic {encoded}\x7f", f"Basic \xe9{encoded}", f"Basic {encoded[:9]} {encoded[9:]}", f"Basic:{encoded}", f"Negotiate {encoded}",
                  "Basic " + "A" * 8000):
        answer = server.get("/basic/", XHR | {"Authorization": field})
        assert answer.status in (400, 401), (field, answer)
    assert server.get("/basic/", [*XHR.items(), ("Authorization", f"Basic {encoded}"), ("Authorization", "Basic eDp5")]).status == 401
    assert calls(fresh) == before
    log = server.log.text()
    assert key not in log and encoded not in log and "\x1b" not in log


def test_a_key_as_basic_password_is_not_offered_to_a_page(make_httpd, fresh):
    server = make_httpd()
    server.write("p/index.html", "members only\n")
    server.configure(directives(server, fresh, "api") + protect(
        "/p", ["valid-user"], "ClerkAcceptTokens any", "ClerkAcceptBasic On", "ClerkUnauthenticated challenge")).start()
    assert server.get("/p/", NAVIGATION).all("WWW-Authenticate") == ['Bearer realm="test"']


def test_strangers_cause_few_calls_and_stop_no_known_token(server, fresh):
    server.log.announce("AC1040: .*new machine tokens")
    key = fresh.machine_token().secret
    assert server.get("/api-key/", header(key)).status == 200
    begun = time.monotonic()
    seen = {server.get("/api-key/", header(f"ak_invented{i}")).status for i in range(200)}
    assert seen == {401, 503}
    assert calls(fresh) <= 1 + 10 + 1 + (time.monotonic() - begun) / 5
    assert server.get("/api-key/", header(key)).status == 200
    held = server.get("/api-key/", header("ak_another"))
    assert held.status == 503 and int(held.header("Retry-After")) > 0 and held.header("WWW-Authenticate") is None


def test_a_flood_of_invented_keys(make_httpd, emulator):
    """From everywhere, in every spelling, while a live key is used: it is served throughout, and few calls are made."""
    one = emulator.add_instance(production=True, host="clerk.flood.test", cast=False)
    server = make_httpd()
    server.write("p/index.html", "members only\n")
    server.configure("RemoteIPHeader X-Client-Address\nRemoteIPInternalProxy 127.0.0.1\nClerkTokenCacheTTL 1h\n" + directives(server, one, "api")
                     + "<Location /status>\n    SetHandler clerk-status\n    Require local\n</Location>\n"
                     + protect("/p", ["valid-user"], "ClerkAcceptTokens any", "ClerkAcceptBasic On"), modules=("remoteip",), log_level="debug").start()
    server.log.announce("AC1040: .*new machine tokens")
    live_key = one.machine_token().secret
    assert server.get("/p/", header(live_key)).status == 200
    numbers = itertools.count()

    def invented(_):
        number = next(numbers)
        secret = ("ak_canary{}", "mt_canary{}", "oat_canary{}")[number % 3].format(number)
        spelled = basic(secret) if number % 2 else header(secret)
        return "GET", "/p/", spelled | {"X-Client-Address": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}

    begun = time.monotonic()
    flood = Load(server.port, invented, threads=6)
    with server.connection() as connection:
        while flood.total() < 3000:
            assert connection.get("/p/", header(live_key)).status == 200
    counts = flood.stop()
    took = time.monotonic() - begun
    assert set(counts) == {401, 503}, counts
    # 20 at once, and 2 a second, however many come together.
    assert calls(one) <= 1 + 20 + 2 * took + 1, (calls(one), took)
    assert counts[401] <= calls(one)
    assert server.get("/p/", header(live_key)).status == 200
    (instance,) = server.get("/status?json").json()["instances"]
    assert instance["backend_api"]["calls"] == calls(one)
    assert instance["credentials"]["api_keys"] > 10
    for text in (server.log.text(), server.get("/status?json").text, server.get("/status").text):
        assert "canary" not in text and live_key not in text


@pytest.fixture
def other(make_httpd, emulator):
    """A server and an instance of the test's own, so that its limits and its circuit are too."""
    live = emulator.add_instance(production=True, host="clerk.outage.test")
    server = make_httpd()
    server.write("p/index.html", "members only\n")
    server.configure(f"ClerkHTTPTimeout {TIMEOUT:.0f}s\n" + directives(server, live, "api") + protect(
        "/p", ["valid-user"], "ClerkAcceptTokens any")).start()
    assert server.get("/p/", bearer(live)).status == 200
    yield server, live
    live.clear_faults()


def test_without_an_answer_known_tokens_go_on_and_new_ones_get_503_in_time(other):
    server, live = other
    key = live.machine_token().secret
    assert server.get("/p/", header(key)).status == 200
    server.log.announce(r"AC2002: .*verifications of new machine tokens are answered with 503")
    live.set_fault("verify-api-key", delay=6.0)
    for _ in range(3):
        begun = time.monotonic()
        answer = server.get("/p/", header(live.machine_token().secret))
        assert answer.status == 503 and int(answer.header("Retry-After")) > 0
        assert time.monotonic() - begun < TIMEOUT + 3.0
    assert server.get("/p/", header(key)).status == 200
    assert server.get("/p/", bearer(live)).status == 200
    assert server.get("/p/", header(live.m2m_jwt())).status == 200


def test_a_key_of_ours_that_is_refused_is_503_and_a_line_in_the_log(other):
    server, live = other
    server.log.announce("AC3230: .*Clerk refuses the key of this server; write ClerkSecretKey")
    live.set_fault("verify-api-key", status=401)
    answer = server.get("/p/", header(live.machine_token().secret))
    assert (answer.status, answer.reason) == (503, "secret-key-invalid")
    assert answer.header("WWW-Authenticate") is None


def test_429_is_honoured(other):
    server, live = other
    server.log.announce("AC1041: .*new machine tokens for 30 s")
    live.set_fault("verify-api-key", status=429, headers={"Retry-After": "30"})
    for _ in range(3):
        answer = server.get("/p/", header(live.machine_token().secret))
        assert answer.status == 503 and 25 <= int(answer.header("Retry-After")) <= 30
    assert live.count("verify-api-key") == 1


def test_a_machine_key_alone_verifies_m2m_tokens(make_httpd, fresh):
    server = make_httpd()
    server.env["MACHINE"] = fresh.machine_secret_key
    server.write("p/index.html", "members only\n")
    server.configure(directives(server, fresh, "public") + f"ClerkAPIURL {fresh.url}\nClerkMachineSecretKey env:MACHINE\n" + protect(
        "/p", ["valid-user"], "ClerkAcceptTokens any")).start()
    server.log.announce("AC3230: .*there is no key; write ClerkSecretKey")
    assert server.get("/p/", header(fresh.machine_token("m2m_token").secret)).status == 200
    assert fresh.requests("verify-m2m")[-1].headers["authorization"] == f"Bearer {fresh.machine_secret_key}"
    answer = server.get("/p/", header(fresh.machine_token().secret))
    assert (answer.status, answer.reason) == (503, "secret-key-invalid")
    assert fresh.count("verify-api-key") == 0


def test_htaccess_does_not_accept_more_than_the_server_says(make_httpd, fresh):
    server = make_httpd()
    for name, said in (("narrow", "api-key"), ("wide", "session m2m"), ("free", "m2m")):
        server.write(f"{name}/index.html", "members only\n")
        server.write(f"{name}/.htaccess", f"ClerkAcceptTokens {said}\n")
    text = "".join(f'<Directory "{server.docroot}/{name}">\n    AllowOverride AuthConfig\n    AuthType Clerk\n    Require valid-user\n'
                   f"    {said}\n</Directory>\n" for name, said in (
                       ("narrow", "ClerkAcceptTokens session api-key"), ("wide", "ClerkAcceptTokens session api-key"), ("free", "")))
    server.configure(directives(server, fresh, "api") + text).start()
    server.log.announce("AC3123: ClerkAcceptTokens in .htaccess has no effect")
    key, jwt = header(fresh.machine_token().secret), header(fresh.m2m_jwt())
    session = bearer(fresh)
    for name, expected in (("narrow", (200, 401, 401)), ("wide", (401, 401, 200)), ("free", (401, 200, 401))):
        assert tuple(server.get(f"/{name}/", one).status for one in (key, jwt, session)) == expected, name
