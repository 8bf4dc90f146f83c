# SPDX-License-Identifier: Apache-2.0
"""Path patterns by chance as ClerkOrganizationSync and as organizationSyncOptions of the real @clerk/backend, whose path-to-regexp
compiles them: for every path the same organization, as the handshake's URL has it, or we refuse the pattern and say why.
CLERK_SEED repeats a run, CLERK_PATTERNS (600) says how many lists of patterns are made, each asked for eight paths."""

import collections
import os
import re
import urllib.parse

import pytest
from pyclerk import oracle as oracle_process
from pyclerk.clerk import NAVIGATION, directives
from pyclerk.path_patterns import Maker

PATTERNS = int(os.environ.get("CLERK_PATTERNS", "600"))
PATHS = 8
SEED = 20261128

# Why we refuse patterns that path-to-regexp takes (differences.md row 36).
REASONS = (
    "a \\ at the end",
    "a [ without its ]",  # closed by what path-to-regexp puts behind the expression, like the next two
    "a ( without its )",
    "a ) without its (",
    "a character that is not ASCII",
    "a named group",
    "a quantifier with nothing before it",  # JavaScript repeats look-ahead
    "a range in [...] that is no range",  # [a-\d]
    "a repeated group that tries to be empty",
    "a { that begins no",
    "a (...)? that can be empty anyway",
    "an escape that is not supported",
    ":id and :slug cannot repeat",
    "PCRE2 says of it: lookbehind assertion is not fixed length",  # before 10.43
    "PCRE2 says of it: length of lookbehind assertion is not limited",
    "PCRE2 says of it: number too big in {} quantifier",
)


@pytest.fixture(scope="module")
def judge():
    why = oracle_process.missing()
    if why:
        if os.environ.get("CLERK_REQUIRE_ORACLE"):
            pytest.fail(why)
        pytest.skip(why)
    # What Node.js 20 compiles to machine code at the second use it gets wrong at times: /^(?:\/((?=..?)]\B))?\/x$/ on "/]/x".
    judge = oracle_process.Oracle("--regexp-interpret-all")
    yield judge
    judge.stop()


@pytest.fixture(scope="module")
def server(make_httpd, dev):
    server = make_httpd()
    # The header names the directory, as the path is what is matched.
    server.configure(
        "AllowEncodedSlashes NoDecode\nMergeSlashes Off\n"
        + directives(server, dev, parties=())
        + f'RewriteEngine On\nRewriteRule "^" "{server.docroot}/%{{HTTP:X-Patterns}}/ok.txt" [L]\n',
        log_level="warn auth_clerk:info",
    )
    return server.start()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_target(path):
    """The path as it may stand in a request line, or None where httpd and browsers would make another path of it."""
    path = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", path)
    path = urllib.parse.quote(path, safe="/:@!$&'()*+,;=-._~[]%")
    return path if path.startswith("/") and not re.search(r"/\.\.?(/|$)", path) else None


def organization_in(location):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(location).query, keep_blank_values=True).get("organization_id")


class Case:
    """Two lists of patterns, in a directory of their own."""

    def __init__(self, server, dev, maker, number):
        self.server, self.dev, self.number = server, dev, number
        odd = number % 3 == 0
        made = [maker.pattern(odd) for _ in range(maker.one([1, 1, 1, 2]))]
        self.organizations = [piece.text for piece in made]
        self.personal = []
        if maker.often(0.25):
            made.append(maker.pattern(odd))
            self.personal = [made[-1].text]
        paths = [maker.path(maker.one(made)) for _ in range(PATHS)]
        self.paths = [path for path in map(as_target, paths) if path] or ["/"]
        lines = ["ClerkOrganizationSync " + quoted(one) for one in self.organizations]
        lines += ["ClerkOrganizationSync personal " + quoted(one) for one in self.personal]
        server.write(f"{number}/ok.txt", "ok")
        server.write(f"{number}/.htaccess", "\n".join(["AuthType Clerk", "Require valid-user", "ClerkUnauthenticated challenge", *lines, ""]))

    def ours(self, path):
        """["organization"], [""] for the personal account, None; or the reason why a pattern is refused."""
        answer = self.server.request("GET", path, {"X-Patterns": str(self.number), **NAVIGATION})
        if answer.status == 500:
            line = self.server.log.lines(rf"/{self.number}/\.htaccess: ClerkOrganizationSync: the pattern ")[-1]
            return line.rpartition('": ')[2].replace("\\\\", "\\")
        assert answer.status == 307 and answer.reason == "dev-browser-missing", (path, answer)
        return organization_in(answer.location)

    def ask(self, judge, path):
        return judge.send({
            "url": "http://" + self.host + path, "method": "GET", "headers": list(NAVIGATION.items()),
            "client": {"publishableKey": self.dev.publishable_key, "secretKey": self.dev.secret_key},
            # An empty list would match everything.
            "options": {"organizationSyncOptions": {"organizationPatterns": self.organizations, "personalAccountPatterns": self.personal or None}},
        })

    def is_given_up(self, path):
        """Whether matching the path costs more than we spend on it."""
        before = len(self.server.log.lines("AC3041"))
        self.ours(path)
        return len(self.server.log.lines("AC3041")) > before

    @property
    def host(self):
        return f"127.0.0.1:{self.server.port}"


def theirs(answer):
    """As Case.ours()."""
    if "error" in answer:
        return answer["error"]
    assert answer["reason"] == "dev-browser-missing", answer
    return organization_in(next(value for name, value in answer["headers"] if name == "location"))


def test_a_pattern_that_takes_too_long_does_not_match(server):
    server.log.announce("AC3012", "AC3024", "AC3041")
    server.write("slow/ok.txt", "ok")
    server.write("slow/.htaccess", 'AuthType Clerk\nRequire valid-user\nClerkOrganizationSync "/:slug((?:a*)*b)!"\n')
    server.log.mark()
    for path, organization in (("/aab!", ["aab"]), ("/" + 200 * "a" + "!b!", None)):
        assert organization_in(server.request("GET", path, {"X-Patterns": "slow", **NAVIGATION}).location) == organization
        logged = server.log.recent().count('AC3041: ClerkOrganizationSync: matching "/:slug((?:a*)*b)!" with')
        assert logged == (0 if organization else 1), server.log.recent()


def test_the_same_organization_or_a_reason(server, dev, judge):
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_PATTERNS={PATTERNS}")
    # Development keys; ${ in a pattern; patterns that are refused, or given up.
    server.log.announce("AC3012", "AC3024", "AH00111", r"\.htaccess: ClerkOrganizationSync: the pattern ", "AC3041")
    maker = Maker(seed)
    seen = collections.Counter()
    for number in range(PATTERNS):
        case = Case(server, dev, maker, number)
        asked = [(path, case.ask(judge, path)) for path in case.paths]
        for path, answer in asked:
            ours, wanted = case.ours(path), theirs(answer())
            told = f"CLERK_SEED={seed}, case {number}: {case.organizations}, personal {case.personal}, on {path}\nours: {ours}\nSDK:  {wanted}"
            if isinstance(ours, str):
                assert isinstance(wanted, str) or ours.startswith(REASONS), told
                seen["refused by both" if isinstance(wanted, str) else "refused here"] += 1
                break
            if ours != wanted:
                assert case.is_given_up(path), told
                seen["given up"] += 1
                break
            seen["none" if ours is None else "personal" if ours == [""] else "organization"] += 1
    print(dict(seen))
    # The pairs are worth something only if both have a say.
    if PATTERNS >= 600:
        assert seen["organization"] + seen["personal"] + seen["none"] >= 2000, seen
        assert min(seen["organization"], seen["none"]) >= 500 and seen["given up"] <= PATTERNS / 100, seen
        assert min(seen["personal"], seen["refused here"], seen["refused by both"]) >= 50, seen
