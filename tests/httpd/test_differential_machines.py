# SPDX-License-Identifier: Apache-2.0
"""The module and the real @clerk/backend get the same credentials, in places with every `acceptsToken`, and the same answers of the Backend
API: same verdict, same reason, same identity, or a row of docs/differences.md. CLERK_SEED repeats a run, CLERK_CREDENTIALS is their
number."""

import collections
import dataclasses
import itertools
import os
import random
import time

import pytest
from clerk_emulator import Key
from pyclerk.clerk import XHR, browser, directives, protect, token

TYPES = {"session": "session_token", "api-key": "api_key", "m2m": "m2m_token", "oauth": "oauth_token"}
ENDPOINTS = {"api_key": "verify-api-key", "m2m_token": "verify-m2m", "oauth_token": "verify-oauth"}
OBJECTS = {"api_key": "api_key", "m2m_token": "machine_to_machine_token", "oauth_token": "clerk_idp_oauth_access_token"}
# Every set of types, as the words of ClerkAcceptTokens; four of them are a single type.
CHOICES = [words for size in range(1, 5) for words in itertools.combinations(TYPES, size)]
ORIGIN = "https://app.example.test"
AUDIENCE = ["api", "other-api"]
CREDENTIALS = int(os.environ.get("CLERK_CREDENTIALS", "1000"))
# A fixed seed, so that a new failure is caused by a change; use CLERK_SEED=$RANDOM for other credentials.
SEED = 20261128
CLIENT = "X-Client-Address"
ADDRESSES = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in itertools.count(1))
VARIABLES = ("TOKEN_TYPE", "USER_ID", "ORG_ID", "MACHINE_ID", "CLIENT_ID", "SCOPES", "API_KEY_ID", "API_KEY_NAME")
ABSENT = "<absent>"

Verdict = collections.namedtuple("Verdict", "status reason identity")


@dataclasses.dataclass(frozen=True)
class Case:
    """One request. `parts` are changes of the credential or of the Backend API's answer; each can be left out."""

    kind: str  # a key of KINDS
    accepts: tuple = ("any",)  # words of ClerkAcceptTokens
    listed: bool = False  # one type alone is given to the SDK as a list
    audience: bool = False  # whether the place has an audience
    carrier: str = "Bearer"
    parts: tuple = ()  # opaque: (member, value) of the answer; JWT: ("header" or "claims", member, value) or ("defect", name)
    fault: str | None = None  # of the Backend API: a key of FAULTS

    def smaller(self):
        for index in range(len(self.parts)):
            yield dataclasses.replace(self, parts=self.parts[:index] + self.parts[index + 1 :])
        for plain in ({"fault": None}, {"audience": False}, {"listed": False}, {"carrier": "Bearer"}):
            if dataclasses.replace(self, **plain) != self:
                yield dataclasses.replace(self, **plain)
        for index in range(len(self.accepts) if len(self.accepts) > 1 else 0):
            yield dataclasses.replace(self, accepts=self.accepts[:index] + self.accepts[index + 1 :])

    @property
    def type(self):
        """What the credential is by its form, in the SDK's words; None: nothing."""
        return KINDS[self.kind][0]

    @property
    def is_opaque(self):
        return KINDS[self.kind][1] == "opaque"

    @property
    def is_accepted(self):
        return self.accepts == ("any",) or self.type in [TYPES[word] for word in self.accepts]


# Each kind: its type, and how it is made ("opaque", "jwt", or a text that is what it is).
KINDS = {
    "session": ("session_token", "jwt"),
    "api key": ("api_key", "opaque"), "m2m": ("m2m_token", "opaque"), "oauth": ("oauth_token", "opaque"),
    "m2m jwt": ("m2m_token", "jwt"), "oauth jwt": ("oauth_token", "jwt"),
    "none": (None, ""),
    "a word": ("session_token", "garbage"),
    "an unknown key": ("api_key", "ak_{}"), "an unknown m2m token": ("m2m_token", "mt_{}"), "an unknown oauth token": ("oauth_token", "oat_{}"),
    "only a prefix": ("api_key", "ak_"),
    "a prefix in capitals": ("session_token", "AK_{}"),
    "a key with all its characters": ("api_key", "ak_+/-._~={}=="),
    "a key of the form of a JWT": ("api_key", "ak_a.b.c"),
    "an m2m token of the form of a JWT": ("m2m_token", "mt_a.b.c"),
    "an oauth token of the form of a JWT": ("oauth_token", "oat_a.b.c"),
    "nothing but dots": ("session_token", "a.b.c"),
}

ANSWERS = [  # members of an answer with 200
    *(("object", value) for value in (ABSENT, None, "session", *OBJECTS.values())),
    *(("id", value) for value in (ABSENT, None, "", 7)),
    *(("subject", value) for value in (ABSENT, None, "", 7, "org_acme", "user_bob", "mch_other", "someone", "user_a\r\nX: 1")),
    *(("scopes", value) for value in (ABSENT, None, [], ["one"], ["one", "two"])),
    *(("name", value) for value in (ABSENT, None, "", "other", "Zoë")),
    *(("client_id", value) for value in (ABSENT, None, "client_other")),
    *(("claims", value) for value in (ABSENT, None, {}, {"a": [1, None]}, "text")),
    *(("aud", value) for value in (ABSENT, None, "api", "elsewhere", ["x", "api"], [], 1)),
    *(("revoked", value) for value in (ABSENT, None, True, "true", 1)),
    *(("expired", value) for value in (ABSENT, None, True)),
    *(("active", value) for value in (None, True, False)),
    *(("expiration", value) for value in (ABSENT, 1000, 1_000_000_000_000, 4_000_000_000, 4_000_000_000_000, "4000000000000", True, -1)),
    ("further", {"members": [1]}),
]
CLAIMS = [
    *(("claims", "sub", value) for value in ("mch_other", "user_bob", "someone", ABSENT, "", 7)),
    *(("claims", "exp", value) for value in (ABSENT, 1_500_000_000, "4000000000", 4_000_000_000)),
    *(("claims", name, value) for name in ("nbf", "iat") for value in (ABSENT, 4_000_000_000, "1", 1)),
    *(("claims", "scopes", value) for value in (ABSENT, "one", "one two")),
    *(("claims", "scope", value) for value in (ABSENT, "one", "one two", None)),
    *(("claims", "scp", value) for value in ([], ["one", "two"], None)),
    *(("claims", "aud", value) for value in ("api", ["x", "api"], "elsewhere", ["elsewhere"], [], "", [""])),
    *(("claims", "azp", value) for value in (ABSENT, "https://evil.example")),
    *(("claims", "iss", value) for value in (ABSENT, "https://clerk.other.test")),
    *(("claims", "client_id", value) for value in (ABSENT, "client_other")),
    *(("claims", "jti", value) for value in (ABSENT, "other")),
    *(("claims", "org_id", value) for value in ("org_acme",)),
    *(("header", "typ", value) for value in (ABSENT, "JWT", "at+jwt", "application/at+jwt", "AT+JWT", "JOSE", 1)),
    *(("header", "cat", value) for value in (ABSENT, None, "cl_B7d4PD111AAA", "cl_B7d4PD222AAA", "cl_B7d4PD333AAA", "cl_I7d4PD111III", "x")),
    *(("header", "kid", value) for value in (ABSENT, "ins_unknown")),
    *(("defect", name) for name in ("foreign-key", "bad-signature", "alg-none", "hs256", "truncated", "empty-signature")),
]
FAULTS = {
    "200 that is no JSON": {"status": 200, "body": "{"}, "200 that is null": {"status": 200, "body": "null"},
    "200 with a list": {"status": 200, "body": "[]"}, "200 in text": {"status": 200, "body": "fine", "content_type": "text/plain"},
    "200 that is empty": {"status": 200, "body": ""}, "200 with nothing in it": {"status": 200, "body": "{}"},
    "200, inactive": {"status": 200, "body": '{"active":false}'}, "204": {"status": 204, "body": ""}, "cut off": {"truncate": True},
    "400": {"status": 400}, "401": {"status": 401, "code": "clerk_key_invalid"}, "403": {"status": 403}, "404": {"status": 404},
    "404 in text": {"status": 404, "body": "no", "content_type": "text/plain"}, "422": {"status": 422}, "429": {"status": 429},
    "429 with a time": {"status": 429, "headers": {"Retry-After": "7"}}, "500": {"status": 500}, "503": {"status": 503},
    "a redirect": {"redirect": "http://127.0.0.1:1/"}, "no answer": {"drop": True},
}


FAULT_CASES = list(itertools.product(ENDPOINTS, FAULTS))
# So many of the calls about tokens that are refused are for one instance.
PER_STRANGER = 14
STRANGERS = 8 + CREDENTIALS // 25


def fault_host(kind, fault):
    """After a 429 nothing is asked for a while."""
    return f"fault{list(FAULTS).index(fault)}" + ("-" + kind.replace("_", "-") if fault.startswith("429") else "")


# Our side and theirs


@pytest.fixture(scope="module", name="sites")
def _sites(emulator):
    """{host: instance}. How many calls may fail is counted for each instance (outbound-calls.md "Rates"): "main" is for what never fails."""
    names = ["main", *(fault_host(*one) for one in FAULT_CASES), *(f"stranger{number}" for number in range(STRANGERS))]
    key = Key.generate()
    return {name: emulator.add_instance(production=True, host=f"clerk.{name}.test", key=key, cast=name == "main") for name in dict.fromkeys(names)}


@pytest.fixture(scope="module", name="server")
def _server(make_httpd, sites):
    server = make_httpd()
    server.write("ok.txt", "ok")
    # Each request is another client's: what many of them cause is not one client's to answer for.
    text = f"RemoteIPHeader {CLIENT}\nRemoteIPInternalProxy 127.0.0.1\nClerkPublicOrigin {ORIGIN}\n"
    for words in [*CHOICES, ("any",)]:
        for audience in (False, True):
            text += protect(place(words, audience), ["valid-user"], f"ClerkAcceptTokens {' '.join(words)}", "ClerkUnauthenticated challenge",
                            *[f"ClerkAudience {' '.join(AUDIENCE)}"] * audience)
    for name, instance in sites.items():
        text += f"<VirtualHost 127.0.0.1:{server.port}>\nServerName {name}.example.test\n{directives(server, instance, 'api', ())}"
        text += f'AliasMatch "^" "{server.docroot}/ok.txt"\n</VirtualHost>\n'
    text += f"Header always set X-Identity \"{'|'.join('%{CLERK_' + name + '}e' for name in VARIABLES)}\"\n"
    server.log.announce("AC30")  # no authorized parties
    server.configure(text, modules=("remoteip",), log_level="warn")
    return server.start()


def place(words, audience):
    return f"/{'-and-'.join(words)}{'/audience' if audience else '/plain'}"


def credential(case, instance):
    """The token, which Clerk knows from now on."""
    kind, form = KINDS[case.kind]
    if form == "opaque":
        members = {name: value for name, value in case.parts if value != ABSENT}
        return instance.machine_token(kind, more=members, without=[name for name, value in case.parts if value == ABSENT]).secret
    if form != "jwt":
        return form.format(f"{random.getrandbits(64):x}")
    last = {part[:2]: part[2] for part in case.parts if len(part) == 3}
    given, without = ({where: {} for where in ("header", "claims")} for _ in range(2))
    for (where, name), member in last.items():
        (without if member == ABSENT else given)[where][name] = member
    mint = {"session": lambda **options: token(instance, **options), "m2m jwt": instance.m2m_jwt, "oauth jwt": instance.oauth_jwt}[case.kind]
    return mint(claims=given["claims"], without=list(without["claims"]), header=given["header"], header_without=list(without["header"]),
                defect=next((part[1] for part in case.parts if len(part) == 2), None))


def headers_of(case, value, signed_in_to):
    headers = dict(XHR)
    if case.carrier == "cookie":
        headers |= browser(signed_in_to)
    if case.kind != "none":
        headers["Authorization"] = value if case.carrier == "no scheme" else f"Bearer {value}"
    return headers


def by_the_module(server, host, case, headers):
    answer = server.get(place(case.accepts, case.audience), {"Host": f"{host}.example.test", CLIENT: next(ADDRESSES)} | headers)
    assert answer.status in (200, 401, 503), answer
    if answer.status != 200:
        return Verdict({401: "signed-out", 503: "unavailable"}[answer.status], answer.reason, None)
    values = [None if one in ("(null)", "") else one.encode("latin-1").decode() for one in answer.header("X-Identity").split("|")]
    return Verdict("signed-in", "", dict(zip(VARIABLES, values)))


def question(case, instance, headers):
    accepts = [TYPES[word] for word in case.accepts if word != "any"]
    if len(accepts) < 2 and not case.listed:
        accepts = accepts[0] if accepts else "any"
    return {
        "url": f"{ORIGIN}/x", "headers": list(headers.items()),
        "client": {"publishableKey": instance.publishable_key, "secretKey": instance.secret_key, "apiUrl": instance.url},
        "options": {"acceptsToken": accepts} | ({"audience": AUDIENCE} if case.audience else {}),
    }


def verdict_of(answer):
    if "error" in answer:
        return Verdict("throws", answer["error"], None)
    auth = answer["auth"] or {}
    if answer["status"] != "signed-in":
        return Verdict(answer["status"], answer["reason"], None)
    kind = answer["tokenType"]
    scopes = auth["scopes"]
    return Verdict("signed-in", "", {
        "TOKEN_TYPE": kind, "USER_ID": auth["userId"], "ORG_ID": auth["orgId"], "MACHINE_ID": auth["machineId"], "CLIENT_ID": auth["clientId"] or None,
        "SCOPES": (" ".join(scopes) if isinstance(scopes, list) else scopes) or None,
        "API_KEY_ID": auth["id"] if kind == "api_key" else None, "API_KEY_NAME": (auth["name"] or None) if kind == "api_key" else None})


# The documented differences


def is_good(kind, members):
    """differences.md row 5: whether an answer with these members says that the token is good."""
    get, text = members.get, lambda name: isinstance(members.get(name), str) and members[name].isprintable() and members[name] != ""
    expiration = get("expiration")
    number = isinstance(expiration, (int, float)) and not isinstance(expiration, bool)
    lasts = expiration is None or (number and expiration / (1000 if expiration >= 1e11 else 1) > time.time())
    return (get("object") == OBJECTS[kind] and text("id") and text("subject") and get("revoked") in (None, False)
            and get("expired") in (None, False) and get("active") in (None, True) and lasts)


def members_of(case):
    """What of an answer is_good() looks at."""
    members = {"object": OBJECTS[case.type], "id": "x", "subject": "x"} | {name: value for name, value in case.parts if value != ABSENT}
    return {name: value for name, value in members.items() if (name, ABSENT) not in case.parts}


def expected(case, theirs):
    """The verdict that is expected of the module, where the SDK says `theirs`."""
    if case.listed and len(case.accepts) == 1 and theirs.reason == "token-type-mismatch":
        return theirs._replace(reason=None)  # differences.md row 45
    if case.is_opaque and case.is_accepted:
        return expected_of_answer(case, theirs)
    if KINDS[case.kind][1] == "jwt" and ("claims", "sub", "") in case.parts and theirs.status == "signed-in":
        return Verdict("signed-out", "token-verification-failed", None)  # differences.md row 15
    if case.audience and not case.is_opaque and theirs.status == "signed-in":
        aud = next((part[2] for part in reversed(case.parts) if part[:2] == ("claims", "aud")), None)
        if aud not in ("api", ["x", "api"]):
            return Verdict("signed-out", "token-verification-failed", None)  # differences.md row 16
    return theirs


ROW_5 = ("200 with nothing in it", "200, inactive")


def expected_of_answer(case, theirs):
    if case.fault:
        if theirs.status in ("throws", "signed-in") or theirs.reason in ("unexpected-error", "secret-key-invalid"):
            if case.fault in ROW_5:
                return Verdict("signed-out", "token-invalid", None)  # differences.md row 5
            return Verdict("unavailable", "secret-key-invalid" if case.fault == "401" else "unexpected-error", None)  # differences.md row 44
        return theirs
    if not is_good(case.type, members_of(case)):
        assert theirs.status in ("signed-in", "throws", "signed-out")
        return Verdict("signed-out", "token-invalid", None)  # differences.md row 5
    return theirs


def is_session_without_sid(case):
    """A machine JWT that is changed so that it is none any more."""
    last = {part[:2]: part[2] for part in case.parts if len(part) == 3}
    typ = last.get(("header", "typ"), "at+jwt" if case.kind == "oauth jwt" else "JWT")
    sub = last.get(("claims", "sub"), "mch_" if case.kind == "m2m jwt" else "user_")
    return case.kind in ("m2m jwt", "oauth jwt") and typ not in ("at+jwt", "application/at+jwt") and not str(sub).startswith("mch_")


def agrees(case, ours, theirs):
    wanted = expected(case, theirs)
    if is_session_without_sid(case) and (ours.status, ours.reason) == ("signed-out", "token-invalid"):
        return theirs.status in ("signed-in", "signed-out")  # differences.md row 30: before the times and the audience
    return ours == wanted or (wanted.reason is None and ours.status == wanted.status)


class Court:
    def __init__(self, oracle, server, sites):
        self.oracle, self.server, self.sites = oracle, server, sites
        self.strangers = 0

    def judge(self, case, host="main"):
        instance = self.sites[host]
        if case.fault and case.type in ENDPOINTS:
            instance.set_fault(ENDPOINTS[case.type], **FAULTS[case.fault])
        try:
            headers = headers_of(case, credential(case, instance), self.sites["main"])
            return by_the_module(self.server, host, case, headers), verdict_of(self.oracle.ask(question(case, instance, headers)))
        finally:
            if case.fault:
                instance.clear_faults()

    def host_for(self, case):
        form = KINDS[case.kind][1]
        if case.is_accepted and (form.startswith(("ak_", "mt_", "oat_")) or (form == "opaque" and not is_good(case.type, members_of(case)))):
            self.strangers += 1
            return f"stranger{self.strangers // PER_STRANGER % STRANGERS}"
        return "main"

    def check(self, case, host=None, note=""):
        host = host or self.host_for(case)
        ours, theirs = self.judge(case, host)
        if not agrees(case, ours, theirs):
            least = self.smallest(case, host)
            ours, theirs = self.judge(least, host)
            pytest.fail(f"{note}{least}\nours:   {ours}\nwanted: {expected(least, theirs)}\nSDK:    {theirs}")
        return ours, theirs

    def smallest(self, case, host):
        while True:
            less = next((one for one in case.smaller() if not agrees(one, *self.judge(one, host))), None)
            if less is None:
                return case
            case = less


@pytest.fixture(scope="module", name="court")
def _court(oracle, server, sites):
    return Court(oracle, server, sites)


def test_every_credential_in_every_place(court):
    seen = collections.Counter()
    for kind, words, listed in itertools.product(KINDS, [*CHOICES, ("any",)], (False, True)):
        if listed and len(words) > 1 or listed and words == ("any",):
            continue
        ours, _ = court.check(Case(kind, words, listed))
        seen[ours.status, ours.reason] += 1
    print(seen)
    assert seen["signed-in", ""] >= 50


@pytest.mark.parametrize("kind, fault", FAULT_CASES, ids=[", ".join(one) for one in FAULT_CASES])
def test_every_answer(court, kind, fault):
    court.server.log.announce("AC1041", "AC3230: .*Clerk refuses the key of this server", "AC2002: .*answered with 503")
    names = {"api_key": "api key", "m2m_token": "m2m", "oauth_token": "oauth"}
    ours, _ = court.check(Case(names[kind], fault=fault), fault_host(kind, fault))
    assert ours.status == ("signed-out" if fault.startswith("404") or fault in ROW_5 else "unavailable")


class Chance:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def case(self):
        one = self.random
        kind = one.choice([name for name, (_, form) in KINDS.items() for _ in range(8 if form in ("opaque", "jwt") else 1)])
        usual = Case(kind).type
        mine = [word for word, name in TYPES.items() if name == usual] or ["session"]
        accepts = one.choice([("any",), tuple(mine), one.choice([words for words in CHOICES if mine[0] in words]), one.choice(CHOICES)])
        form = KINDS[kind][1]
        changes = ANSWERS if form == "opaque" else CLAIMS if form == "jwt" and kind != "session" else [part for part in CLAIMS if part[0] == "defect"]
        parts = tuple(one.sample(changes, one.choice((0, 1, 1, 2, 2, 3)))) if form in ("opaque", "jwt") else ()
        return Case(kind, accepts, one.random() < 0.1 and len(accepts) == 1 and accepts != ("any",), one.random() < 0.3,
                    one.choices(("Bearer", "no scheme", "cookie"), (8, 1, 1))[0], parts)


def test_random_credentials(court):
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_CREDENTIALS={CREDENTIALS}")
    chance = Chance(seed)
    seen = collections.Counter()
    for _ in range(CREDENTIALS):
        ours, _ = court.check(chance.case(), note=f"CLERK_SEED={seed}, one of {CREDENTIALS}: ")
        seen[ours.status, ours.reason, ours.identity and ours.identity["TOKEN_TYPE"]] += 1
    print(seen)
