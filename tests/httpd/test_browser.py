# SPDX-License-Identifier: Apache-2.0
"""Handshakes, refreshes and sign-ins as a browser makes them, and attacks on them (directives.md "Answers",
differences.md)."""

import random
import re
import time
import urllib.parse

import pytest
from pyclerk.clerk import NAVIGATION, XHR, asked, bearer, cookie_header, directives, protect, session_cookies, token
from pyclerk.client import Response, request


LOOP = "AC3100: a redirect loop was ended"


@pytest.fixture(scope="module")
def emulated(emulator):
    """Instances with cookies for plain HTTP on 127.0.0.1."""
    live = emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)
    dev = emulator.add_instance(production=False)
    return {"live": live, "dev": dev}


@pytest.fixture(scope="module")
def servers(make_httpd, emulated):
    made = {}
    for name, instance in emulated.items():
        server = make_httpd()
        for path in ("p", "parties", "no-cross", "orgs/acme", "orgs/globex", "pending"):
            server.write(f"{path}/index.html", "members only")
        server.cgi("p/env.cgi")
        server.env["SECRET"] = instance.secret_key
        server.log.announce("AC30")  # development keys, no authorized parties everywhere
        server.configure(
            f"ClerkPublishableKey {instance.publishable_key}\nClerkSecretKey env:SECRET\nClerkAPIURL {instance.url}\n"
            f"ClerkFrontendAPI {instance.url}\n"
            + protect("/p")
            + protect("/parties", ["valid-user"], f"ClerkAuthorizedParties {server.origin()} https://sat.example.test")
            + protect("/no-cross", ["valid-user"], "ClerkCrossOriginSync Off")
            + protect("/orgs", ["valid-user"], "ClerkOrganizationSync /orgs/:slug /orgs/:slug/(.*)")
            + protect("/pending", ["valid-user"], "ClerkPendingSessions allow")
        )
        made[name] = server.start()
    return made


@pytest.fixture
def live(emulated):
    return emulated["live"]


@pytest.fixture
def dev(emulated):
    return emulated["dev"]


@pytest.fixture(autouse=True)
def settings(emulated):
    yield
    for instance in emulated.values():
        instance.handshake_form = "size"
        instance.handshake_deletes = True
        instance.handshake_session_mint = {}
        instance.handshake_token_mint = {}
        instance.handshake_extra_directives = []
        instance.issue_refresh_cookies = False
        instance.clear_faults()


class Browser:
    """Follows redirects and keeps cookies, by name, in one jar for the site and one for the instance."""

    def __init__(self, server, instance, session=None):
        self.server, self.instance = server, instance
        self.site, self.clerk = {}, {}
        self.trail = []
        if session and instance.production:
            self.clerk["__client"] = session.client.id
        elif session:
            self.site = dict.fromkeys(("__clerk_db_jwt", f"__clerk_db_jwt_{instance.cookie_suffix}"), session.client.id)

    def sign_in(self, value, uat="1"):
        self.site = session_cookies(self.instance, value, uat=uat) | self.site
        return self

    def open(self, target, most=12, headers=()):
        url = self.server.origin() + target
        self.trail = []
        while True:
            answer = self._get(url, dict(headers))
            self.trail.append((url, answer.status))
            if answer.status not in (302, 303, 307) or len(self.trail) >= most:
                return answer
            if "/sign-in" in answer.location:
                return answer
            url = answer.location

    def _get(self, url, headers) -> Response:
        split = urllib.parse.urlsplit(url)
        own = url.startswith(self.server.origin() + "/")
        jar = self.site if own else self.clerk
        target = urllib.parse.urlunsplit(("", "", split.path or "/", split.query, ""))
        answer = request(split.port, "GET", target, NAVIGATION | (cookie_header(jar) if jar else {}) | headers)
        for line in answer.all("Set-Cookie"):
            self._keep(line, own)
        return answer

    def _keep(self, line, own):
        name, _, value = line.split(";")[0].partition("=")
        # Instance and site are on the same host here: all cookies but __client are sent to the site too.
        jar = self.clerk if not own and name == "__client" else self.site
        if re.search(r"Expires=\w+, 0?1[ -]Jan[ -]1970|Max-Age=0", line):
            jar.pop(name, None)
        else:
            jar[name] = value


# Round trips


@pytest.mark.parametrize("form", ["token", "nonce"])
@pytest.mark.parametrize("name", ["live", "dev"])
def test_a_handshake_signs_in(servers, emulated, name, form):
    server, instance = servers[name], emulated[name]
    instance.handshake_form = form
    session = instance.create_session("alice", org="acme")
    browser = Browser(server, instance, session)
    browser.site |= {"__client_uat": "1", f"__client_uat_{instance.cookie_suffix}": "1"}
    answer = browser.open("/p/?x=a%20b&y=1")
    assert (answer.status, answer.text) == (200, "members only"), (browser.trail, answer)
    assert len(browser.trail) == (3 if instance.production else 4)
    assert browser.site["__session"] and f"__session_{instance.cookie_suffix}" in browser.site
    assert not any(name.startswith("__clerk_handshake") for name in browser.site)
    last = browser.trail[-1][0]
    assert "__clerk" not in last and "x=a" in last
    assert browser.open("/p/").status == 200 and len(browser.trail) == 1


@pytest.mark.parametrize("name", ["live", "dev"])
def test_a_handshake_without_a_session_signs_out(servers, emulated, name):
    server, instance = servers[name], emulated[name]
    browser = Browser(server, instance)
    browser.site["__client_uat"] = "1"
    answer = browser.open("/p/")
    assert answer.status == 307 and "/sign-in" in answer.location
    assert browser.site.get("__session") is None
    assert browser.site["__client_uat"] == "0"
    assert browser.open("/p/").status == 307 and len(browser.trail) == 1  # known to be signed out: no handshake any more


def test_an_expired_session_is_renewed_by_a_handshake(servers, live):
    session = live.create_session("bob")
    browser = Browser(servers["live"], live, session).sign_in(token(live, session=session, age=120))
    assert browser.open("/p/").status == 200
    assert len(browser.trail) == 3
    assert "session-token-expired-refresh-non-eligible-no-refresh-cookie" in browser.trail[1][0]


@pytest.mark.parametrize("name", ["live", "dev"])
def test_a_refresh_cookie_saves_the_handshake(servers, emulated, name):
    server, instance = servers[name], emulated[name]
    session = instance.create_session("bob")
    browser = Browser(server, instance, session).sign_in(token(instance, session=session, age=120))
    browser.site[f"__refresh_{instance.cookie_suffix}"] = instance.refresh_token(session)
    instance.reset_log()
    answer = browser.open("/p/env.cgi")
    assert (answer.status, len(browser.trail)) == (200, 1), (browser.trail, instance.requests())
    assert answer.env()["CLERK_USER_ID"] == "user_bob"
    assert any(line.startswith("__session=ey") for line in answer.all("Set-Cookie"))
    (record,) = asked(instance, "refresh")
    assert record.path == f"/v1/sessions/{session.id}/refresh"


def test_a_refresh_sends_few_headers_of_the_visitor(servers, live):
    """differences.md row 4."""
    session = live.create_session("bob")
    cookies = session_cookies(live, token(live, session=session, age=120))
    cookies |= {f"__refresh_{live.cookie_suffix}": live.refresh_token(session), "other": "private"}
    live.reset_log()
    headers = cookie_header(cookies) | XHR | {"X-Private": "private", "User-Agent": "browser/1", "Accept-Language": "de"}
    assert servers["live"].get("/p/", headers).status == 200
    (record,) = asked(live, "refresh")
    assert "private" not in record.body and "other" not in record.body
    assert "browser/1" in record.body and '"request_origin":"http://127.0.0.1' in record.body
    assert "cookie" not in re.findall(r'"([\w-]+)":\[', record.body)


def test_no_refresh_for_a_header_token(servers, live):
    session = live.create_session("bob")
    live.reset_log()
    cookies = cookie_header({f"__refresh_{live.cookie_suffix}": live.refresh_token(session)})
    answer = servers["live"].get("/p/", bearer(live, session=session, age=120) | cookies | XHR)
    assert answer.status == 401 and live.count("refresh") == 0


@pytest.mark.parametrize("sid", ["../../other", "sess_a/b", "sess%2e", "", "a" * 500, "sess_\r\nX", "."])
def test_a_session_id_never_leaves_its_place_in_a_path(servers, live, sid):
    """differences.md row 18."""
    live.reset_log()
    expired = token(live, age=120, claims={"sid": sid})
    cookies = session_cookies(live, expired) | {f"__refresh_{live.cookie_suffix}": "r"}
    servers["live"].get("/p/", cookie_header(cookies) | XHR)
    assert [record.path for record in live.requests()] in ([], ["/v1/jwks"])


# Loops


class Forgetful(Browser):
    """Returns from each handshake without a result, and keeps only the cookie of the loop counter."""

    def _get(self, url, headers):
        split = urllib.parse.urlsplit(url)
        if split.path.endswith("/handshake"):
            return Response(307, [("Location", urllib.parse.parse_qs(split.query)["redirect_url"][0])], b"")
        return super()._get(url, headers)

    def _keep(self, line, own):
        if line.startswith("__clerk_redirect_count_"):
            super()._keep(line, own)


@pytest.mark.parametrize("name", ["live", "dev"])
@pytest.mark.parametrize("target", ["/p/", "/p/?x=a%20b"])
def test_a_browser_that_keeps_no_cookies_does_not_loop_for_ever(servers, emulated, name, target):
    """The counter is a cookie too, so this browser keeps that one only."""
    server = servers[name]
    server.log.announce(LOOP)
    browser = Forgetful(server, emulated[name])
    browser.site["__client_uat"] = "1"
    answer = browser.open(target)
    assert answer.status == 401 and answer.location is None
    assert len(browser.trail) == 7  # three rounds, and the end
    assert "no-store" in answer.header("Cache-Control")


def test_a_loop_ends_even_if_the_parameter_of_the_round_is_lost(servers, live):
    """What stands between browser and server removes unknown parameters: the cookie alone ends it, later."""
    servers["live"].log.announce(LOOP)
    browser = Forgetful(servers["live"], live)
    browser.site["__client_uat"] = "1"
    fetch = browser._get
    browser._get = lambda url, headers: fetch(re.sub(r"[?&]__clerk_help=round\d", "", url), headers)
    assert browser.open("/p/", most=200).status == 401
    assert len(browser.trail) == 101


@pytest.mark.parametrize("name", ["live", "dev"])
@pytest.mark.parametrize("clock", [-3600, 3600])
def test_a_wrong_clock_is_a_loop(servers, emulated, name, clock):
    """differences.md row 28: on a development instance each handshake resolves, which alone does not reset the count."""
    server, instance = servers[name], emulated[name]
    server.log.announce(LOOP)
    session = instance.create_session("alice")
    now = int(time.time())
    instance.handshake_session_mint = {"claims": {"exp": now + clock} if clock < 0 else {"iat": now + clock, "nbf": now + clock, "exp": now + clock + 60}}
    browser = Browser(server, instance, session)
    browser.site |= session_cookies(instance, token(instance, session=session, age=120)) | browser.site
    answer = browser.open("/p/", most=20)
    assert answer.status == 401 and "clock" in answer.text, browser.trail
    assert len([url for url, _ in browser.trail if "/v1/client/handshake" in url]) == 3


@pytest.mark.parametrize("keys", ["frontend", "api"])
def test_an_answer_too_large_for_a_cookie(httpd, emulator, keys):
    """Without a secret key, on a production instance: the page and the log name the cause and the cures."""
    instance = emulator.add_instance(production=True, host="clerk.example.test", cookie_domain="", secure=False)
    httpd.write("p/index.html", "members only")
    httpd.configure(directives(httpd, instance, keys, ()) + f"ClerkFrontendAPI {instance.url}\n" * (keys == "api") + protect("/p"))
    httpd.log.announce("AC30", LOOP)
    httpd.start()
    session = instance.create_session("alice", org="acme")
    instance.handshake_session_mint = {"claims": {"email": "alice@example.com", "name": "Alice " * 20}}
    browser = Browser(httpd, instance, session)
    browser.site |= session_cookies(instance, token(instance, session=session, age=120))
    keep, dropped = browser._keep, []
    browser._keep = lambda line, own: dropped.append(line) if len(line.split(";")[0]) > 4096 else keep(line, own)
    answer = browser.open("/p/")
    if keys == "api":  # the cookie is a nonce
        assert answer.status == 200 and not dropped
        return
    assert answer.status == 401 and len(browser.trail) == 7 and len(dropped) == 3
    assert "4,096" in answer.text and "ClerkSecretKey" in answer.text and "clock" not in answer.text
    httpd.log.wait_for(rf"{LOOP}.*no ClerkSecretKey.*above 4096 bytes.*has \d+ bytes")


class Tab:
    """One of several tabs and frames of a browser, which share its cookies; each step is sending or receiving."""

    def __init__(self, browser, target):
        self.browser, self.url, self.answer, self.steps = browser, browser.server.origin() + target, None, 0
        self.status = None

    def step(self):
        if self.answer is None:
            self.answer = self.browser._get_only(self.url)
            return
        own = self.url.startswith(self.browser.server.origin() + "/")
        for line in self.answer.all("Set-Cookie"):
            self.browser._keep(line, own)
        self.steps += 1
        if self.answer.status == 307 and "/sign-in" not in self.answer.location:
            self.url = self.answer.location
        else:
            self.status = self.answer.status
        self.answer = None


class Tabs(Browser):
    def _get_only(self, url):
        keep, self._keep = self._keep, lambda line, own: None
        try:
            return self._get(url, {})
        finally:
            self._keep = keep

    def wake(self, targets, choice):
        """Load all of them at once; `choice` says whose turn it is."""
        tabs = [Tab(self, target) for target in targets]
        while any(tab.status is None for tab in tabs):
            tab = choice([tab for tab in tabs if tab.status is None])
            tab.step()
            assert tab.steps < 20, tab.url
        return tabs


@pytest.mark.parametrize("form", ["token", "nonce"])
@pytest.mark.parametrize("name", ["live", "dev"])
@pytest.mark.parametrize("targets", [
    ["/p/"] * 12,
    [f"/p/?tab={number}" for number in range(12)],
    ["/p/?a=1", "/p/?b=1", "/p/index.html"] * 4,
], ids=["one URL", "twelve URLs", "three URLs"])
def test_tabs_that_wake_up_together_are_no_loop(servers, emulated, name, form, targets):
    """differences.md row 28. In many orders: all at the same time, one after the other, and by chance."""
    server, instance = servers[name], emulated[name]
    instance.handshake_form = form
    orders = [lambda tabs: min(tabs, key=lambda tab: (tab.steps, tab.answer is not None)), lambda tabs: tabs[0], lambda tabs: tabs[-1]]
    orders += [random.Random(seed).choice for seed in range(6)]
    for order in orders:
        session = instance.create_session("alice")
        browser = Tabs(server, instance, session)
        browser.site |= session_cookies(instance, token(instance, session=session, age=120)) | browser.site
        tabs = browser.wake(targets, order)
        assert [tab.status for tab in tabs] == [200] * len(targets), [tab.url for tab in tabs]
        assert not [tab.url for tab in tabs if re.search("__clerk(?!_help=round3)", tab.url)]
        assert not [one for one in browser.site if one.startswith("__clerk_redirect_count")]


@pytest.mark.parametrize("count", ["3", "4", "10", "2.5", "-1", "0x1", "abc", "99999999999999999999"])
def test_every_odd_loop_counter_is_a_loop(servers, count):
    """differences.md row 8."""
    servers["live"].log.announce(LOOP)
    answer = servers["live"].get("/p/", {"Cookie": f"__client_uat=1; __clerk_redirect_count={count}"} | NAVIGATION)
    assert (answer.status, answer.auth_status, answer.location) == (401, "signed-out", None)


@pytest.mark.parametrize("count", ["0", "1", "2"])
def test_what_another_program_counts_is_not_counted_here(servers, count):
    """differences.md row 28: the SDK's counter is one for all pages."""
    answer = servers["live"].get("/p/", {"Cookie": f"__client_uat=1; __clerk_redirect_count={count}"} | NAVIGATION)
    assert answer.status == 307 and re.fullmatch(r"__clerk_redirect_count_\w+=1; .*Max-Age=10", *answer.all("Set-Cookie"))


def test_a_loop_of_one_page_does_not_stop_another(servers):
    server = servers["live"]
    server.log.announce(LOOP)
    (cookie,) = server.get("/p/", {"Cookie": "__client_uat=1"} | NAVIGATION).cookies()
    looping = {"Cookie": f"__client_uat=1; {cookie}=1"} | NAVIGATION
    assert server.get("/p/?__clerk_help=round3", looping).status == 401
    assert server.get("/p/?x=1", looping).status == 307
    assert server.get("/p/?x=1&__clerk_help=round3", looping).status == 307  # a link with the parameter is harmless
    answer = server.get("/p/?__clerk_help=round3", {"Cookie": "__client_uat=0"} | NAVIGATION)
    assert "/sign-in" in answer.location and "__clerk_help" not in answer.location


# Attacks


def test_production_ignores_handshakes_in_the_query(servers, live):
    """differences.md row 1: no sign-in as the attacker, no forced sign-out, by a link."""
    attacker = live.handshake_token([f"__session={token(live, 'bob')}; Path=/", "__client_uat=1; Path=/"])
    mine = cookie_header(session_cookies(live, token(live, "alice")))
    for query in (f"__clerk_handshake={attacker}", "__clerk_handshake_nonce=x", "__clerk_handshake=x"):
        answer = servers["live"].get("/p/env.cgi?" + query, mine | XHR)
        assert answer.env()["CLERK_USER_ID"] == "user_alice" and answer.all("Set-Cookie") == []
        answer = servers["live"].get("/p/env.cgi?" + query, XHR)
        assert answer.status == 401 and answer.all("Set-Cookie") == []


def test_a_failed_nonce_does_not_sign_out(servers, live):
    """differences.md row 7."""
    cookies = session_cookies(live, token(live)) | {"__clerk_handshake_nonce": "unknown"}
    assert servers["live"].get("/p/", cookie_header(cookies) | NAVIGATION).status == 200


@pytest.mark.parametrize("bad", [{"defect": "foreign-key"}, {"header": {"cat": "cl_B7d4PD222AAA"}}, {"defect": "alg-none"}, {"claims": {"exp": 1}}], ids=str)
def test_a_bad_handshake_cookie_sets_nothing(servers, live, bad):
    """A template token with a handshake array is Set-Cookie injection; differences.md row 12: `exp` counts."""
    handshake = live.handshake_token([f"__session={token(live, 'bob')}; Path=/"], **bad)
    cookies = session_cookies(live, token(live)) | {"__clerk_handshake": handshake}
    answer = servers["live"].get("/p/env.cgi", cookie_header(cookies) | NAVIGATION)
    assert answer.env()["CLERK_USER_ID"] == "user_alice" and answer.all("Set-Cookie") == []


def test_only_clerks_cookies_are_set(servers, live):
    good = token(live)
    handshake = live.handshake_token([
        "PHPSESSID=evil; Path=/", f"__session={good}; Path=/", "__client_uat=1; Path=/", "__sessionx=evil", "x", "=evil", 7, "__clerk_x=1\r\nX-Evil: 1",
        "__refresh_other=kept; Path=/",
    ])
    answer = servers["live"].get("/p/", {"Cookie": "__clerk_handshake=" + handshake} | NAVIGATION)
    assert answer.status == 200
    assert [line.split("=")[0] for line in answer.all("Set-Cookie")] == ["__session", "__client_uat", "__refresh_other"]
    assert answer.header("X-Evil") is None


def test_no_cross_origin_permission(servers, live):
    """differences.md row 11."""
    handshake = live.handshake_token([f"__session={token(live)}; Path=/"])
    answer = servers["live"].get("/p/", {"Cookie": "__clerk_handshake=" + handshake, "Origin": "null"} | NAVIGATION)
    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("bad", ["garbage", "a.b.c", "foreign", "kid"])
def test_development_explains_a_handshake_that_fails(servers, dev, bad):
    """differences.md row 17: 400 with a page that explains it."""
    value = {"foreign": dev.handshake_token([], defect="foreign-key"), "kid": dev.handshake_token([], header={"kid": "ins_x"})}.get(bad, bad)
    answer = servers["dev"].get(f"/p/?__clerk_handshake={value}", {"Cookie": "__clerk_db_jwt=dvb_x"} | NAVIGATION)
    servers["dev"].log.announce("AC31")
    assert answer.status == 400 and answer.location is None
    assert "no-store" in answer.header("Cache-Control")
    assert "sign-in" in answer.text and "keys" in answer.text and "ClerkPublishableKey" in answer.text
    assert value not in answer.text


@pytest.mark.parametrize("target", ["javascript:alert(1)", "//evil.example/", "/relative", "data:text/html,x",
                                    "ftp://evil.example/", "https://user@evil.example/", "https:evil.example", "",
                                    "https://", "http:///x"])
def test_development_hands_its_token_to_web_addresses_only(servers, target):
    """differences.md row 10."""
    answer = servers["dev"].get("/p/?__clerk_redirect_url=" + urllib.parse.quote(target, safe=""), {"Cookie": "__clerk_db_jwt=dvb_secret"} | NAVIGATION)
    location = answer.location or ""
    assert "evil" not in location.split("?")[0] and not location.startswith(("javascript", "data", "ftp"))


def test_development_hands_its_token_to_authorized_parties_only(servers):
    cookie = {"Cookie": "__clerk_db_jwt=dvb_secret"} | NAVIGATION
    there = lambda url: servers["dev"].get("/parties/?__clerk_redirect_url=" + urllib.parse.quote(url, safe=""), cookie)
    answer = there("https://sat.example.test/x?a=1&__clerk_synced=false")
    assert answer.location == "https://sat.example.test/x?a=1&__clerk_synced=true&__clerk_db_jwt=dvb_secret"
    assert (answer.auth_status, answer.reason) == ("handshake", "primary-responds-to-syncing")
    for url in ("https://evil.example/", "https://sat.example.test.evil.example/", "http://sat.example.test/", "https://sat.example.test:8443/"):
        answer = there(url)
        assert not (answer.location or "").startswith(("https://evil", "http://sat", "https://sat")), url


# Other rules


def test_a_link_from_another_site_asks_clerk_once(servers, live):
    cookies = cookie_header(session_cookies(live, token(live)))
    foreign = NAVIGATION | {"Referer": "https://search.example/"}
    answer = servers["live"].get("/p/", cookies | foreign)
    assert (answer.status, answer.reason) == (307, "primary-domain-cross-origin-sync")
    assert servers["live"].get("/no-cross/", cookies | foreign).status == 200
    assert servers["live"].get("/p/", cookies | foreign | XHR).status == 200
    once = {"Cookie": cookies["Cookie"] + f"; {next(iter(answer.cookies()))}=1"}
    assert servers["live"].get("/p/", once | foreign).status == 200
    assert servers["live"].get("/p/?another", once | foreign).status == 307


def test_the_organization_of_the_url_is_activated(servers, live):
    session = live.create_session("dave", org="globex")
    live.handshake_form = "token"
    browser = Browser(servers["live"], live, session).sign_in(token(live, session=session))
    assert browser.open("/orgs/globex/").status == 200 and len(browser.trail) == 1
    answer = browser.open("/orgs/acme/")
    assert (answer.status, len(browser.trail)) == (200, 3)
    assert "organization_id=acme" in browser.trail[1][0]
    assert live.sessions[session.id].org_id == "org_acme"


def test_an_organization_that_cannot_be_activated_is_no_loop(servers, live):
    session = live.create_session("alice", org="acme")
    live.handshake_form = "token"
    browser = Browser(servers["live"], live, session).sign_in(token(live, session=session))
    assert browser.open("/orgs/globex/").status == 200  # valid-user lets her in, still in acme
    assert len(browser.trail) <= 8


def test_pending_sessions_may_be_allowed(servers, live):
    session = live.create_session("carol", status="pending")
    value = bearer(live, session=session) | XHR
    assert servers["live"].get("/p/", value).reason == "session-pending"
    assert servers["live"].get("/pending/", value).status == 200


def test_a_development_site_makes_a_first_handshake(servers, dev):
    answer = servers["dev"].get("/p/", NAVIGATION)
    assert (answer.status, answer.auth_status, answer.reason) == (307, "handshake", "dev-browser-missing")
    assert answer.location.startswith(dev.url + "/v1/client/handshake?")
    answer = servers["dev"].get("/p/", XHR)
    assert (answer.status, answer.reason) == (401, "dev-browser-missing")


def test_the_backend_api_down_does_not_sign_out(servers, live):
    """A handshake nonce that cannot be looked up: the cookies decide; a refresh that fails: a handshake."""
    servers["live"].log.announce("AC20")
    live.set_fault("backend", status=500)
    cookies = session_cookies(live, token(live)) | {"__clerk_handshake_nonce": "n"}
    assert servers["live"].get("/p/", cookie_header(cookies) | NAVIGATION).status == 200
    cookies = session_cookies(live, token(live, age=120)) | {f"__refresh_{live.cookie_suffix}": "r"}
    answer = servers["live"].get("/p/", cookie_header(cookies) | NAVIGATION)
    assert answer.status == 307 and answer.reason.startswith("session-token-expired-refresh-")


def test_a_slow_backend_api_is_not_called_for_a_while(httpd, emulator):
    """A hanging API delays a few requests, and does not hold all workers."""
    slow = emulator.add_instance(production=True, host="clerk.example.test")
    slow.set_fault("refresh", delay=3.0)
    httpd.write("p/index.html", "members only")
    httpd.log.announce("AC20")
    httpd.configure(directives(httpd, slow, "api") + "ClerkHTTPTimeout 300ms\n" + protect("/p"))
    httpd.start()
    session = slow.create_session("bob")
    cookies = cookie_header(session_cookies(slow, token(slow, session=session, age=120)) | {f"__refresh_{slow.cookie_suffix}": slow.refresh_token(session)})
    started = time.monotonic()
    for _ in range(20):
        assert httpd.get("/p/", cookies | XHR).reason.endswith("fetch-error")
    assert time.monotonic() - started < 3.0
    assert slow.count("refresh") <= 4
