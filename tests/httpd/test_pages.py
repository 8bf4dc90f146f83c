# SPDX-License-Identifier: Apache-2.0
"""The pages for redirect loops, and for handshakes in the URL that cannot be used."""

import time
import urllib.parse

import pytest
from clerk_emulator import Key
from pyclerk.clerk import NAVIGATION, XHR, cookie_header, directives, protect, token

LOOP = "AC3100: a redirect loop was ended"
TITLE = "Signing in goes round in circles"
COUNTED = {"__clerk_redirect_count": "3"}


@pytest.fixture(scope="module")
def servers(make_httpd, live, dev):
    """One server for each kind of instance. The production site is on plain http, on this machine."""
    made = []
    for instance in (live, dev):
        server = make_httpd()
        server.log.announce("AC3012")  # a development instance
        for name in ("private", "own", "elsewhere"):
            server.write(f"{name}/index.html", name)
        server.write("sorry.html", "the site's own page\n")
        server.configure(
            directives(server, instance)
            + protect("/private")
            + protect("/own", ["valid-user"], 'ErrorDocument 401 /sorry.html', 'ErrorDocument 400 "our own words"')
            + protect("/elsewhere", ["valid-user"], "ClerkPublicOrigin http://www.example.test")
        )
        made.append(server.start())
    return made


@pytest.fixture
def production(servers):
    servers[0].log.announce(LOOP)
    return servers[0]


@pytest.fixture
def development(servers):
    servers[1].log.announce("AC310[01]")
    return servers[1]


def looped(cookies=None, **headers):
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return NAVIGATION | more | cookie_header(COUNTED | (cookies or {}))


def assert_page(answer, status=401):
    assert answer.status == status
    assert answer.header("Content-Type").startswith("text/html")
    assert "no-store" in answer.header("Cache-Control")
    assert answer.auth_status == "signed-out" and answer.reason
    assert answer.location is None and answer.all("Location") == []
    assert "default-src 'none'" in answer.header("Content-Security-Policy")
    assert answer.body.isascii()
    assert "eyJ" not in answer.text and "127.0.0.1" not in answer.text


CAUSES = {
    "https in front": ({"__client_uat": "1"}, {"X_Forwarded_Proto": "https"}, "ClerkPublicOrigin", "scheme or host"),
    "another host": ({"__client_uat": "1"}, {"X_Forwarded_Host": "www.example.test"}, "ClerkPublicOrigin", "scheme or host"),
    "two clients": ({"__session": "<>", "__client_uat": "{now}", "__client_uat_{suffix}": "{past}"}, {}, "__client_uat", "__client_uat"),
    "no client": ({"__session": "<>"}, {}, "Allow cookies", "keep Clerk's cookies"),
    "no answer": ({"__client_uat": "1"}, {}, "4,096 bytes", "no ClerkSecretKey, so the answer itself is a cookie"),
    "no answer, expired": ({"__session": "<old>", "__client_uat": "1"}, {}, "ClerkSecretKey", r"ClerkSecretKey.* has \d+ bytes"),
    "stale handshake": ({"__client_uat": "1", "__clerk_handshake": "garbage"}, {}, "another Clerk instance", "keys here"),
    "clock": ({"__session": "<future>", "__client_uat": "1"}, {}, "clock", "clocks"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_loop_is_explained(production, live, name):
    cookies, headers, said, logged = CAUSES[name]
    now = int(time.time())
    texts = {
        "<>": token(live, age=20), "<old>": token(live, age=100), "<future>": token(live, claims={"nbf": now + 600, "iat": now + 600, "exp": now + 700}),
        "{now}": str(now), "{past}": str(now - 3600),
    }
    cookies = {key.replace("{suffix}", live.cookie_suffix): texts.get(value, value) for key, value in cookies.items()}
    production.log.mark()
    answer = production.get("/private/?x=1&y=%3Cb%3E%22", looped(cookies, **headers))
    assert_page(answer)
    assert TITLE in answer.text and said in answer.text
    assert 'href="?x=1&amp;y=%3Cb%3E%22"' in answer.text
    assert answer.header("WWW-Authenticate").startswith("Bearer ")
    production.log.wait_for(rf"{LOOP}.*({logged})")
    assert "eyJ" not in production.log.recent()


def test_a_wrong_public_origin_is_found_by_what_browsers_send(production):
    """Browsers send Sec-Fetch-Dest to https only; the page does not show the address that the server assumed."""
    answer = production.get("/elsewhere/", looped({"__client_uat": "1"}))
    assert_page(answer)
    assert "ClerkPublicOrigin" in answer.text and "www.example.test" not in answer.text


def test_scripts_get_a_bare_401(production):
    answer = production.get("/private/", XHR | cookie_header(COUNTED | {"__client_uat": "1"}))
    assert answer.status == 401 and TITLE not in answer.text


def test_an_error_document_takes_precedence(production):
    answer = production.get("/own/", looped({"__client_uat": "1"}))
    assert (answer.status, answer.text) == (401, "the site's own page\n")
    assert answer.reason == "client-uat-but-no-session-token"
    production.log.wait_for(LOOP)


def test_a_signed_in_browser_is_not_affected(production, live):
    cookies = {"__session": token(live), "__client_uat": "1"}
    assert production.get("/private/", looped(cookies)).text == "private"


def test_a_handshake_that_cannot_be_used(development):
    answer = development.get("/private/?x=1&__clerk_handshake=garbage", NAVIGATION | cookie_header({"__clerk_db_jwt": "d"}))
    assert_page(answer, 400)
    assert "link" in answer.text and "ClerkSecretKey" in answer.text and 'href="?"' in answer.text
    assert answer.reason == "token-invalid"
    development.log.wait_for("AC3101: ")
    own = development.get("/own/?__clerk_handshake=garbage", NAVIGATION | cookie_header({"__clerk_db_jwt": "d"}))
    assert (own.status, own.text) == (400, "our own words")


def test_a_handshake_with_other_keys(development, dev):
    forged = dev.handshake_token(["__session=x; Path=/"], key=Key.generate(dev.kid))
    answer = development.get(f"/private/?__clerk_handshake={forged}", NAVIGATION | cookie_header({"__clerk_db_jwt": "d"}))
    assert_page(answer, 400)
    assert answer.reason == "token-invalid-signature"


def test_a_development_browser_without_cookies(development, dev):
    """One handshake, and then the page; if the browser has cookies after all, the parameter is removed."""
    handshake = dev.handshake_token(["__client_uat=0; Path=/", "__clerk_db_jwt=d; Path=/"])
    back = development.get(f"/private/?x=1&__clerk_handshake={handshake}", NAVIGATION)
    assert back.status == 307
    assert back.location == development.origin() + "/private/?x=1&__clerk_help=cookies"
    target = back.location.removeprefix(development.origin())
    answer = development.get(target, NAVIGATION)
    assert_page(answer)
    assert "Allow cookies" in answer.text and 'href="?x=1"' in answer.text
    late = development.get(target, NAVIGATION | cookie_header({"__clerk_db_jwt": "d", "__client_uat": "0"}))
    assert (late.status, late.location) == (307, development.origin() + "/private/?x=1")
    counted = development.get(f"/private/?x=1&__clerk_handshake={handshake}", NAVIGATION | cookie_header({"__clerk_redirect_count": "1"}))
    assert counted.location == development.origin() + "/private/?x=1"


# Where ClerkJS may renew the session


@pytest.fixture(scope="module")
def renewing(make_httpd, live):
    server = make_httpd()
    server.write("private/index.html", "private")
    server.configure(directives(server, live) + "ClerkPages /clerk\n" + protect("/private")
                     + protect("/own", ["valid-user"], 'ErrorDocument 401 "our own words"'))
    server.log.announce(LOOP)
    return server.start()


LOST = {"__client_uat": "1"}  # without a secret key: the answer of the handshake was too large
RENEW = "__clerk_redirect_count_renew"


def test_a_loop_leads_to_renew_once(renewing):
    renewing.log.announce(LOOP)
    answer = renewing.get("/private/?x=1&y=%22&__clerk_help=cookies", looped(LOST))
    back = urllib.parse.quote("/private/?x=1&y=%22", safe="")
    assert answer.status == 307 and answer.location == f"/clerk/renew?redirect_url={back}"
    cookie = [line for line in answer.all("Set-Cookie") if line.startswith(RENEW)]
    assert cookie == [f"{RENEW}=1; Path=/; SameSite=Lax; HttpOnly; Max-Age=30"] and "no-store" in answer.header("Cache-Control")
    again = renewing.get("/private/?x=1", looped(LOST | {RENEW: "1"}))
    assert_page(again)
    assert 'href="/clerk/renew?redirect_url=' in again.text and "Renew the session" in again.text
    own = renewing.get("/own", looped(LOST | {RENEW: "1"}))
    assert (own.status, own.text) == (401, "our own words")


@pytest.mark.parametrize("cookies,headers", [
    (LOST, {"X_Forwarded_Proto": "https"}), (LOST | {"__clerk_handshake": "garbage"}, {}), ({"__client_uat": "9999999999"}, {}),
], ids=["wrong origin", "wrong keys", "clock"])
def test_what_renewal_does_not_cure(renewing, cookies, headers):
    renewing.log.announce(LOOP)
    answer = renewing.get("/private/", looped(cookies, **headers))
    assert_page(answer)
    assert "Try again" in answer.text and "/clerk/renew" not in answer.text


def test_scripts_are_not_sent_to_renew(renewing):
    renewing.log.announce(LOOP)
    answer = renewing.get("/private/", XHR | cookie_header(COUNTED | LOST))
    assert answer.status == 401 and not any(line.startswith(RENEW) for line in answer.all("Set-Cookie"))
