# SPDX-License-Identifier: Apache-2.0
"""httpd and has() of the real @clerk/backend get the same random claims and requirements: all results agree.

CLERK_SEED repeats a run, CLERK_IDENTITIES (250) is the number of identities, each with a dozen requirements. If the SDK
throws, it has granted nothing. Tokens that Clerk does not make are tested separately: masks with an ambiguous position,
features without a scope (docs/differences.md, 21 and 22), claims of another type. For these, httpd must grant nothing
that the SDK does not grant for the same token without the malformed elements of its lists.
"""

import copy
import json
import os
import random
import subprocess

import pytest
from pyclerk import oracle as oracle_process
from pyclerk.clerk import PARTY, XHR, directives, protect

IDENTITIES = int(os.environ.get("CLERK_IDENTITIES", "250"))
QUESTIONS = 12
SEED = 20260731

# Path -> (its Require lines, the parameters of has(), how to combine them). The headers X-A and X-B have the arguments.
ARGUMENTS = {"role": "clerk-role %{req:X-A}", "permission": "clerk-permission %{req:X-A}", "feature": "clerk-feature %{req:X-A}",
             "plan": "clerk-plan %{req:X-A}", "reverification": "clerk-reverification %{req:X-A}"}
PAIRS = [("role", "permission"), ("role", "feature"), ("feature", "plan"), ("permission", "plan")]


class Has:
    """tests/oracle/has.mjs."""

    def __init__(self):
        self._process = subprocess.Popen(
            ["node", str(oracle_process.DIRECTORY / "has.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={k: v for k, v in os.environ.items() if not k.startswith("CLERK_")}
            | {"CLERK_ORACLE_MODULES": str(oracle_process.modules())},
        )

    def __call__(self, claims, params):
        self._process.stdin.write(json.dumps({"claims": claims, "params": params}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self):
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="module")
def has():
    why = oracle_process.missing()
    if why:
        if os.environ.get("CLERK_REQUIRE_ORACLE"):
            pytest.fail(why)
        pytest.skip(why)
    judge = Has()
    yield judge
    judge.stop()


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()

    def place(path, *lines):
        server.write(f"{path.strip('/')}/index.html", path)
        return protect(path, [], *lines)

    server.configure(
        directives(server, live)
        + "".join(place(f"/{name}", f"Require {line}") for name, line in ARGUMENTS.items())
        + place("/minutes", "Require clerk-reverification %{req:X-A} %{req:X-B}")
        + "".join(place(f"/{a}-and-{b}", "<RequireAll>", f"Require {ARGUMENTS[a]}", "Require " + ARGUMENTS[b].replace("X-A", "X-B"),
                        "</RequireAll>") for a, b in PAIRS)
        + "".join(place(f"/not-{name}", "<RequireAll>", "Require valid-user", f"Require not {line}", "</RequireAll>")
                  for name, line in ARGUMENTS.items())
        + "".join(place(f"/either-{name}", f"Require {ARGUMENTS[name]} %{{req:X-B}}") for name in ("role", "permission", "feature", "plan")),
        log_level="warn",
    )
    return server.start()


# Making claims and questions

ROLES = ["admin", "org:admin", "org:org:admin", "member", "org:member", "Admin", "org:", "", "b\u00fcro", "admin "]
FEATURES = ["dash", "teams", "billing", "o", "u", "org", "user", "a b", "gr\u00f6\u00dfe", "x:y"]
VERBS = ["read", "manage", "delete", "a:b", "r\u00e9ad", ""]
SCOPES = ["o", "u", "ou", "uo", "x", "", "O"]
ASK_SCOPES = ["", "o:", "org:", "organization:", "u:", "user:", "x:", ":", "ou:", "O:", "org:org:"]
JUNK = [None, 5, True, False, [], {}, ["org:admin"], "", 0, "x"]
AGES = [-1, 0, 1, 5, 9, 10, 11, 59, 60, 1439, 1440, 99999, 0.5, 9.99, 10.0]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices[0] if len(choices) == 1 else choices)

    def chance(self, p):
        return self.random.random() < p

    def mask(self, count):
        kind = self.random.random()
        if kind < 0.7:
            return str(self.random.getrandbits(max(count, 1)))
        if kind < 0.8:
            return str(self.random.getrandbits(max(count, 1)) | self.random.getrandbits(200) << count)
        return self.pick("0", "00", "007", "", " 3 ", "-1", "1.5", "1e1", "0x3", "abc", "+1", str(1 << 53), str((1 << 64) + 3))

    def elements(self, malformed):
        """Elements of `fea`; those of the organization first, so that the position of masks is unambiguous."""
        names = self.random.sample(FEATURES, self.random.randint(0, 6))
        scoped = [(self.pick(SCOPES) if self.chance(0.3) else self.pick("o", "u", "ou", "uo"), name) for name in names]
        if not malformed:
            scoped.sort(key=lambda item: item[0] not in ("o", "ou", "uo"))
        texts = [f"{scope}:{name}" for scope, name in scoped]
        if malformed and self.chance(0.5):
            texts.insert(self.random.randint(0, len(texts)), self.pick("plain", "", " ", ":"))
        return (", " if self.chance(0.1) else ",").join(texts)

    def organization_2(self, fea, malformed):
        verbs = self.random.sample(VERBS, self.random.randint(1, len(VERBS)))
        if self.chance(0.15):
            verbs = [f"v{n}" for n in range(self.pick(33, 54, 65, 100))]
        masks = [self.mask(len(verbs)) for _ in range(len(fea.split(",")) + self.pick(0, 0, 0, 1, -1))]
        o = {"id": "org_1", "slg": "one", "rol": self.pick(ROLES), "per": ",".join(verbs), "fpm": ",".join(masks)}
        for name in list(o):
            if malformed and self.chance(0.1):
                o[name] = self.pick(JUNK)
            elif self.chance(0.05):
                del o[name]
        return o

    def claims(self, malformed=False):
        claims = {"sub": "user_1", "sid": "sess_1"}
        fea = self.elements(malformed)
        if self.chance(0.8):
            claims["fea"] = fea
        if self.chance(0.7):
            claims["pla"] = self.elements(malformed)
        if self.chance(0.6):
            claims["v"] = 2
        elif self.chance(0.3):
            claims["v"] = self.pick("2", 1, 3, 2.0, None, True)
        if self.chance(0.85):
            if claims.get("v") == 2 or self.chance(0.1):
                claims["o"] = self.organization_2(claims.get("fea", ""), malformed)
            if claims.get("v") != 2 or self.chance(0.1):
                claims |= {"org_id": "org_1", "org_slug": "one", "org_role": self.pick(ROLES), "org_permissions": [
                    self.pick(["org:", "", "org:org:", "x:"]) + self.pick(FEATURES) + ":" + self.pick(VERBS) for _ in range(self.random.randint(0, 5))]}
        if self.chance(0.85):
            claims["fva"] = [self.pick(AGES), self.pick(AGES)]
        elif self.chance(0.6):
            claims["fva"] = self.pick(None, [], [1], [1, 2, 3], ["1", "2"], [-2, 5], [5, -0.5], [None, 5], "1,2", {"0": 1, "1": 2}, 5, [True, 5])
        for name in ("org_id", "org_role", "org_permissions", "fea", "pla", "o"):
            if malformed and name in claims and self.chance(0.1):
                claims[name] = self.pick(JUNK)
        return claims

    def likely(self, claims, what):
        """An argument that the claims are likely to grant."""
        if what == "role":
            role = (claims.get("o") or {}).get("rol") if isinstance(claims.get("o"), dict) else claims.get("org_role")
            return role if isinstance(role, str) else "admin"
        if what == "permission":
            listed = claims.get("org_permissions")
            if isinstance(listed, list) and listed and self.chance(0.5):
                return self.pick(listed)
            o = claims.get("o") if isinstance(claims.get("o"), dict) else {}
            verbs = o.get("per").split(",") if isinstance(o.get("per"), str) and o.get("per") else VERBS
            return f"{self.likely(claims, 'feature')}:{self.pick(verbs)}"
        text = claims.get("fea" if what == "feature" else "pla")
        if isinstance(text, str) and text:
            return self.pick(text.split(",")).strip().partition(":")[2] or "dash"
        return self.pick(FEATURES)

    def argument(self, claims, what):
        if what == "reverification":
            return self.pick(["strict", "strict_mfa", "moderate", "lax", "Strict", "strickt", "second_factor", "", "multi_factor"])
        if self.chance(0.6):
            text = self.likely(claims, what)
        else:
            text = {"role": self.pick(ROLES), "permission": f"{self.pick(FEATURES)}:{self.pick(VERBS)}"}.get(what) or self.pick(FEATURES)
        if what in ("feature", "plan"):
            text = self.pick(ASK_SCOPES if self.chance(0.3) else ["", "o:", "u:", "org:", "user:"]) + text
        elif self.chance(0.4):
            text = self.pick("org:", "org:org:", "", "x:") + text
        return text.strip() if isinstance(text, str) else "admin"

    def question(self, claims):
        """(path, headers, params or pair of params, how httpd combines them)."""
        kind = self.random.random()
        if kind < 0.12:
            level = self.pick("first_factor", "second_factor", "multi_factor", "third_factor", "strict")
            minutes = self.pick(["1", "5", "10", "11", "60", "1440", "0.5", "9.99", "100000", "0", "-1", "", "abc"])
            try:
                number = float(minutes)
            except ValueError:
                number = minutes
            return "/minutes/", [level, minutes], [{"reverification": {"level": level, "afterMinutes": number}}], "all"
        if kind < 0.3:
            a, b = self.pick(PAIRS)
            one, two = self.argument(claims, a), self.argument(claims, b)
            return f"/{a}-and-{b}/", [one, two], [{a: one, b: two}], "all"
        what = self.pick(list(ARGUMENTS))
        one, two = self.argument(claims, what), self.argument(claims, what)
        if kind < 0.42:
            return f"/not-{what}/", [one], [{what: one}], "not"
        if kind < 0.54 and what != "reverification":
            return f"/either-{what}/", [one, two], [{what: one}, {what: two}], "any"
        return f"/{what}/", [one], [{what: one}], "all"


def wire(text):
    return text.encode("utf-8").decode("latin-1")


class Comparison:
    def __init__(self, connection, live, has):
        self.connection, self.live, self.has = connection, live, has
        self.errors = 0

    def theirs(self, claims, case):
        _, _, params, how = case
        answers = [self.has(claims, one) for one in params]
        self.errors += any("error" in answer for answer in answers)
        granted = any(answer["granted"] for answer in answers)
        return not granted if how == "not" else granted

    def ours(self, claims, case):
        path, arguments, _, _ = case
        # Leave out the claims that the emulator adds by itself.
        own = ("v", "o", "fea", "pla", "fva", "org_id", "org_slug", "org_role", "org_permissions", "sub", "sid")
        value = self.live.mint("carol", origin=PARTY, without=[name for name in own if name not in claims], claims=claims)
        headers = [("Authorization", "Bearer " + value), *XHR.items(), *zip(("X-A", "X-B"), map(wire, arguments))]
        status = self.connection.get(path, headers).status
        assert status in (200, 403), (status, claims, case)
        return status == 200

    def disagree(self, claims, case):
        return self.ours(claims, case) != self.theirs(claims, case)


def smaller(claims):
    """The claims with one thing left out, in every way."""
    for name in claims:
        if name not in ("sub", "sid"):
            yield {key: value for key, value in claims.items() if key != name}
    for name, value in claims.items():
        if isinstance(value, dict):
            for key in value:
                yield claims | {name: {k: v for k, v in value.items() if k != key}}
        elif isinstance(value, str) and "," in value:
            parts = value.split(",")
            for index in range(len(parts)):
                yield claims | {name: ",".join(parts[:index] + parts[index + 1 :])}
        elif isinstance(value, list):
            for index in range(len(value)):
                yield claims | {name: value[:index] + value[index + 1 :]}


def shrink(court, claims, case):
    claims = copy.deepcopy(claims)
    while True:
        found = next((less for less in smaller(claims) if court.disagree(less, case)), None)
        if found is None:
            return claims
        claims = found


def run(server, live, has, malformed):
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_IDENTITIES={IDENTITIES}")
    maker = Maker(f"{seed} {malformed}")
    granted = 0
    with server.connection() as connection:
        court = Comparison(connection, live, has)
        for _ in range(IDENTITIES):
            claims = maker.claims(malformed)
            for _ in range(QUESTIONS):
                case = maker.question(claims)
                ours, theirs = court.ours(claims, case), court.theirs(claims, case)
                granted += ours
                yield court, claims, case, ours, theirs
    print(f"{IDENTITIES * QUESTIONS} questions, {granted} granted, the SDK threw {court.errors} times")
    assert IDENTITIES * QUESTIONS * 0.05 < granted < IDENTITIES * QUESTIONS * 0.9


def test_every_result_is_that_of_has(server, live, has):
    seed = os.environ.get("CLERK_SEED") or SEED
    for court, claims, case, ours, theirs in run(server, live, has, False):
        if ours != theirs:
            least = shrink(court, claims, case)
            pytest.fail(f"CLERK_SEED={seed}\nclaims {json.dumps(least)}\nasked {case[0]} {case[1]}, has({case[2]})\n"
                        f"httpd {'grants' if ours else 'refuses'}, the SDK {'grants' if theirs else 'refuses'}")


def repaired(claims):
    """Without list elements that have no scope, and without lists of another type: both make the SDK throw."""
    claims = dict(claims)
    if isinstance(claims.get("o"), dict):
        claims["o"] = {name: value for name, value in claims["o"].items() if name not in ("per", "fpm") or isinstance(value, str)}
    for name in ("fea", "pla"):
        if isinstance(claims.get(name), str):
            claims[name] = ",".join(part for part in claims[name].split(",") if ":" in part)
        else:
            claims.pop(name, None)
    return claims


def test_what_clerk_does_not_make_never_grants_more(server, live, has):
    """Questions with `not` are left out: there, to grant less means to give more access."""
    fewer = 0
    for court, claims, case, ours, theirs in run(server, live, has, True):
        fewer += theirs and not ours
        assert not ours or theirs or case[3] == "not" or court.theirs(repaired(claims), case), (claims, case)
    print(f"{fewer} times less than the SDK grants")


def test_masks_have_any_number_of_bits(server, live, has):
    """The documentation's examples, and every bit of long masks."""
    with server.connection() as connection:
        court = Comparison(connection, live, has)
        verbs = [f"p{n}" for n in range(130)]
        for bit in (0, 1, 30, 31, 32, 33, 52, 53, 54, 62, 63, 64, 65, 127, 128, 129):
            claims = {"sub": "user_1", "sid": "s", "v": 2, "fea": "o:f", "o": {"id": "o_1", "rol": "m", "per": ",".join(verbs), "fpm": str(1 << bit)}}
            for asked in {bit, 0, bit + 1, bit - 1, bit ^ 32, bit ^ 64, 129}:
                case = ("/permission/", [f"org:f:p{asked}"], [{"permission": f"org:f:p{asked}"}], "all")
                assert court.ours(claims, case) == court.theirs(claims, case) == (asked == bit), (bit, asked)
