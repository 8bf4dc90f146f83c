# SPDX-License-Identifier: Apache-2.0
"""Ended means ended: webhooks stop sessions, users and memberships at the next request."""

import itertools
import json
import random
import time

import pytest
from pyclerk.clerk import NAVIGATION, PARTY, XHR, bearer, cookie_header, directives, protect, session_cookies, token
from pyclerk.webhooks import SECRETS, signed

APPLIED = "AC3281: webhook message applied: "
UNUSABLE = "AC3282: webhook message of type"
REFUSED = "AC3250: webhook message refused"
HOOK = '<Location /hook>\nSetHandler clerk-webhook\nRequire all granted\n</Location>\n'
HAPPENED = 2  # seconds ago: events. Tokens are older or younger than that.
BEFORE, AFTER = 30, 0  # seconds: long enough that a busy machine does not make one the other
number = itertools.count(1)


@pytest.fixture(name="live", scope="module")
def _live(emulator):
    return emulator.add_instance(production=True, host="clerk.example.test")


def configuration(server, live, more=""):
    server.env["HOOK"] = SECRETS[0]
    for place in ("app", "closed", "named"):
        server.cgi(f"{place}/env.cgi")
    server.write("closed/.htaccess", "ClerkRevocation Off\n")
    text = directives(server, live, "api", (PARTY, server.origin())) + "ClerkWebhookSecret env:HOOK\n" + more + HOOK
    text += protect("/app", ("valid-user",)) + protect("/closed", ("valid-user",))
    text += protect("/off", ("valid-user",), "ClerkRevocation Off") + f'Alias /off "{server.docroot}/app"\n'
    text += protect("/optional", ("clerk-optional",)) + f'Alias /optional "{server.docroot}/app"\n'
    return text + protect("/named", ("valid-user",), "ClerkUserProfile On")


@pytest.fixture(name="server", scope="module")
def _server(make_httpd, live):
    server = make_httpd()
    with server.configure(configuration(server, live)):
        yield server


@pytest.fixture(autouse=True)
def announced(server):
    server.log.announce(REFUSED, UNUSABLE)


def event(kind, data, at=None):
    at = time.time() - HAPPENED if at is None else at
    return json.dumps({"type": kind, "object": "event", "data": data, "timestamp": int(at * 1000), "instance_id": "ins_1"}).encode()


def send(server, body, **options):
    headers = signed(body, **({"message": f"msg_r{next(number)}"} | options))
    return server.request("POST", "/hook", headers, body)


def tell(server, kind, data, at=None):
    answer = send(server, event(kind, data, at))
    assert (answer.status, answer.body) == (204, b"")


def session_data(session):
    return {"object": "session", "id": session.id, "user_id": session.user.id, "client_id": session.client.id}


def membership_data(user, org):
    return {"id": "orgmem_1", "organization": {"id": org.id}, "public_user_data": {"user_id": user.id}, "role": "org:member"}


class People:
    """Two people and an organization that no other test has."""

    def __init__(self, live):
        n = next(number)
        self.live, self.since = live, int(time.time()) - BEFORE
        self.org = live.add_organization(f"org{n}", roles={"org:admin": (), "org:member": ()})
        self.anna = live.add_user(f"anna{n}", memberships={self.org.slug: "admin"})
        self.ben = live.add_user(f"ben{n}", memberships={self.org.slug: "member"})
        self.sessions = {"anna in org": live.create_session(self.anna, self.org), "anna": live.create_session(self.anna),
                         "ben in org": live.create_session(self.ben, self.org), "ben": live.create_session(self.ben)}

    def ask(self, server, who, age, place="/app/env.cgi"):
        """A program, with a token from before all events of the test, or of that age."""
        issued = self.since if age == BEFORE else int(time.time()) - age
        answer = server.get(place, XHR | bearer(self.live, session=self.sessions[who], issued_at=issued, ttl=600))
        if answer.status != 200:
            assert (answer.status, answer.header("X-Clerk-Auth-Reason")) == (401, "session-revoked")
            assert 'error="invalid_token"' in answer.header("WWW-Authenticate")
        return answer.status == 200

    def stopped(self, server, age):
        return {who for who in self.sessions if not self.ask(server, who, age)}

    def end(self, who="anna"):
        return "session.ended", session_data(self.sessions[who])


@pytest.fixture(name="people")
def _people(live):
    return People(live)


# What happens -> the type of the event, its data, who cannot go on with an older token
EVENTS = {
    "session ended": lambda p: (*p.end(), {"anna"}),
    "session removed": lambda p: ("session.removed", session_data(p.sessions["anna in org"]), {"anna in org"}),
    "session revoked": lambda p: ("session.revoked", session_data(p.sessions["ben"]), {"ben"}),
    "session created": lambda p: ("session.created", session_data(p.sessions["anna"]), set()),
    "user deleted": lambda p: ("user.deleted", {"id": p.anna.id, "deleted": True}, {"anna", "anna in org"}),
    "user banned": lambda p: ("user.updated", {"id": p.anna.id, "banned": True}, {"anna", "anna in org"}),
    "user locked": lambda p: ("user.updated", {"id": p.anna.id, "banned": False, "locked": True}, {"anna", "anna in org"}),
    "user updated": lambda p: ("user.updated", {"id": p.anna.id, "banned": False, "locked": False}, set()),
    "role changed": lambda p: ("organizationMembership.updated", membership_data(p.ben, p.org), {"ben in org"}),
    "membership deleted": lambda p: ("organizationMembership.deleted", membership_data(p.anna, p.org), {"anna in org"}),
    "membership created": lambda p: ("organizationMembership.created", membership_data(p.anna, p.org), set()),
    "organization deleted": lambda p: ("organization.deleted", {"id": p.org.id, "deleted": True}, {"anna in org", "ben in org"}),
    "organization updated": lambda p: ("organization.updated", {"id": p.org.id}, set()),
    "anything else": lambda p: ("email.created", {"id": "ema_1"}, set()),
}


@pytest.mark.mpm
@pytest.mark.parametrize("name", EVENTS)
def test_an_event_stops_what_it_is_about(server, people, name):
    kind, data, who = EVENTS[name](people)
    assert people.stopped(server, BEFORE) == set()
    tell(server, kind, data)
    # Whichever process answers, whether it has the token in its cache or not.
    for _ in range(2):
        assert people.stopped(server, BEFORE) == who
    assert people.stopped(server, AFTER) == set()


def test_the_second_of_the_event_counts_as_before(server, people, live):
    at = int(time.time()) - 3
    tell(server, *people.end(), at + 0.7)
    answers = [server.get("/app/env.cgi", XHR | bearer(live, session=people.sessions["anna"], issued_at=at + after)).status
               for after in (-1, 0, 1)]
    assert answers == [401, 401, 200]


@pytest.mark.parametrize("seed", range(4))
def test_order_and_repetition_do_not_matter(server, live, seed):
    """Shuffled, doubled, late: a token is good if it is younger than all that was said of it."""
    chance = random.Random(seed)
    people, now = People(live), int(time.time())
    events, latest = [], {}
    for name in chance.choices([name for name, event in EVENTS.items() if event(people)[2]], k=8):
        kind, data, stopped = EVENTS[name](people)
        at = now - chance.randrange(1, 30)
        events.append((kind, data, at))
        latest |= {who: max(at, latest.get(who, 0)) for who in stopped}
    events += chance.choices(events, k=4)
    chance.shuffle(events)
    for said in events:
        tell(server, *said)
    for who, session in people.sessions.items():
        for issued in {latest.get(who, now - 30) + after for after in (-1, 0, 1)}:
            answer = server.get("/app/env.cgi", XHR | bearer(live, session=session, issued_at=issued))
            assert answer.status == (401 if issued <= latest.get(who, 0) else 200), (who, issued - now)


def test_more_than_a_set_holds(server, live):
    """A user's sessions are in one set of the table, which has seven places."""
    people = People(live)
    people.sessions = {n: live.create_session(people.anna) for n in range(20)}
    for n in people.sessions:
        tell(server, *people.end(n))
    assert people.stopped(server, BEFORE) == set(range(20))
    assert people.stopped(server, AFTER) == set()


# People, in browsers

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def cookies(live, session, age=BEFORE, refresh=True):
    held = session_cookies(live, token(live, session=session, age=age), uat=str(int(time.time()) - 600))
    if refresh:
        held[f"__refresh_{live.cookie_suffix}"] = live.refresh_token(session)
    return cookie_header(held)


def test_a_page_goes_through_a_handshake(server, live, people):
    session = people.sessions["anna"]
    assert server.get("/app/env.cgi", NAVIGATION | cookies(live, session)).status == 200
    tell(server, *people.end())
    answer = server.get("/app/env.cgi", NAVIGATION | cookies(live, session))
    assert answer.status == 307 and "/v1/client/handshake?" in answer.header("Location")
    assert "__clerk_hs_reason=session-revoked" in answer.header("Location")
    assert answer.header("Cache-Control") == "no-store"


def test_a_changed_role_takes_effect(server, live, people):
    session = people.sessions["ben in org"]
    old = XHR | SAME_ORIGIN | cookies(live, session)
    assert server.get("/app/env.cgi", old).env()["CLERK_ORG_ROLE"] == "org:member"
    people.org.members[people.ben.id] = "org:admin"
    tell(server, "organizationMembership.updated", membership_data(people.ben, people.org))
    for method in ("GET", "POST"):
        answer = server.request(method, "/app/env.cgi", old)
        assert (answer.status, answer.env()["CLERK_ORG_ROLE"]) == (200, "org:admin"), method
        assert "__session" in answer.cookies()


def test_an_ended_session_is_not_renewed(server, live, people):
    session = people.sessions["anna"]
    live.end_session(session)
    tell(server, *people.end())
    for method in ("GET", "POST"):
        answer = server.request(method, "/app/env.cgi", XHR | SAME_ORIGIN | cookies(live, session))
        assert (answer.status, answer.header("X-Clerk-Auth-Reason")) == (401, "session-revoked"), method


def test_other_sites_and_browsers_without_a_refresh_cookie_get_401(server, live, people):
    session = people.sessions["anna"]
    tell(server, *people.end())
    for headers in (XHR | {"Sec-Fetch-Site": "cross-site"} | cookies(live, session), XHR | SAME_ORIGIN | cookies(live, session, refresh=False)):
        answer = server.request("POST", "/app/env.cgi", headers)
        assert (answer.status, answer.header("X-Clerk-Auth-Reason")) == (401, "session-revoked")


def test_an_open_place_knows_nobody_then(server, live, people):
    session = people.sessions["anna"]
    tell(server, *people.end())
    answer = server.get("/optional/env.cgi", XHR | cookies(live, session, refresh=False))
    assert (answer.status, answer.env().get("REMOTE_USER")) == (200, None)
    # A form is never passed on as nobody's.
    assert server.request("POST", "/optional/env.cgi", XHR | cookies(live, session, refresh=False)).status == 401


def test_off_and_htaccess(server, people):
    server.log.announce("AC3123: ClerkRevocation in .htaccess has no effect")
    tell(server, *people.end())
    assert people.ask(server, "anna", BEFORE, "/off/env.cgi")
    assert not people.ask(server, "anna", BEFORE, "/closed/env.cgi")
    server.log.wait_for("AC3123: ClerkRevocation in .htaccess")


def test_a_changed_user_is_asked_for_again(server, live, people):
    def name():
        return server.get("/named/env.cgi", XHR | bearer(live, session=people.sessions["anna"])).env()["CLERK_USER_FIRST_NAME"]

    first = name()
    people.anna.profile = {"first_name": "Changed"}
    assert name() == first
    tell(server, "user.updated", {"id": people.anna.id})
    # What another thread was told is used for two seconds more.
    deadline = time.monotonic() + 10
    while name() != "Changed":
        assert time.monotonic() < deadline
        tell(server, "user.updated", {"id": people.anna.id})


# Messages

def test_what_is_not_valid_is_not_applied(server, people):
    body = event(*people.end())
    assert send(server, body, secret=SECRETS[1]).status == 400
    assert send(server, body, at=time.time() - 400).status == 400
    assert server.request("POST", "/hook", {}, body).status == 400
    assert server.request("POST", "/hook", signed(b"other"), body).status == 400
    long = body[:-1] + b"," + b" " * 1024 * 1024 + b'"x":1}'
    assert send(server, long).status == 400
    assert people.stopped(server, BEFORE) == set()
    headers = signed(body, message=f"msg_r{next(number)}")
    assert [server.request("POST", "/hook", headers, body).status for _ in range(3)] == [204, 400, 400]
    assert people.stopped(server, BEFORE) == {"anna"}


@pytest.mark.parametrize("body,why", [
    (b"", "no JSON object"), (b"{}", "no type"), (b'{"type":"session.ended","data":{"id":"sess_1"}}', "names no session and user"),
    (b'{"type":"user.deleted","data":{"id":7}}', "names no user"),
])
def test_what_says_nothing_is_refused(server, body, why):
    assert send(server, body).status == 400
    server.log.wait_for(UNUSABLE + ".*" + why)


def test_other_methods(server):
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH"):
        answer = server.request(method, "/hook", {})
        assert answer.status == 405 and answer.header("Allow").startswith("POST"), method


def test_without_a_time_it_is_that_of_the_message(server, people, live):
    body = json.dumps({"type": "user.deleted", "data": {"id": people.anna.id}}).encode()
    assert send(server, body, at=time.time() - 3).status == 204
    assert people.stopped(server, BEFORE) == {"anna", "anna in org"}
    assert people.stopped(server, AFTER) == set()


def test_without_a_secret(make_httpd, live):
    server = make_httpd()
    with server.configure(directives(server, live) + HOOK):
        server.log.announce("AC3280")
        assert send(server, b"{}").status == 500
        server.log.wait_for("AC3280: SetHandler clerk-webhook: there is no ClerkWebhookSecret")


@pytest.mark.mpm
def test_a_graceful_restart_forgets_nothing(make_httpd, live):
    people, server = People(live), make_httpd()
    with server.configure(configuration(server, live)):
        tell(server, *people.end())
        for _ in range(2):
            server.graceful()
            assert people.stopped(server, BEFORE) == {"anna"}
        tell(server, *people.end("ben"))
        assert people.stopped(server, BEFORE) == {"anna", "ben"}
