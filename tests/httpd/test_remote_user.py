# SPDX-License-Identifier: Apache-2.0
"""ClerkRemoteUser PATH REGEX REPLACEMENT: what becomes of a value, who is refused, and what stops the start."""

import random
import re

import pytest
from pyclerk.clerk import XHR, bearer, directives, protect

DOMAIN = r'ClerkRemoteUser email "(.*)@example\\.com" $1'
# Name: (directive, {value of the claim: REMOTE_USER, or None for 403})
ROWS = {
    "domain": (DOMAIN, {
        "carol@example.com": "carol", "carol@example.org": None, "@example.com": None, "carol@example.com.evil.test": None,
        "x carol@example.com": "x carol", "carol@exampleXcom": None, "CAROL@EXAMPLE.COM": None, "": None, None: None}),
    "anchored": (r'ClerkRemoteUser email "^(.*)@example\\.com$" $1', {"carol@example.com": "carol", "carol@example.com.evil.test": None}),
    "alternatives": ("ClerkRemoteUser email a|ab|abc x$0", {"abc": "xabc", "ab": "xab", "a": "xa", "abcd": None, "ba": None}),
    "case": ("ClerkRemoteUser email (?i)(.*)@EXAMPLE.com $1", {"Carol@Example.Com": "Carol"}),
    "parts": ("ClerkRemoteUser email ([^@.]+)\\.([^@]+)@(.*) $2.$1+$3-$0", {"c.arol@x.test": "arol.c+x.test-c.arol@x.test", "carol@x.test": None}),
    "nine": ("ClerkRemoteUser email (.)(.)(.)(.)(.)(.)(.)(.)(.) $9$8$7$6$5$4$3$2$1", {"123456789": "987654321", "1234567890": None}),
    "unmatched part": ("ClerkRemoteUser email (a)?(b)? $1$2", {"a": "a", "b": "b", "ab": "ab"}),
    "nothing left": ("ClerkRemoteUser email (.*)@.* $1", {"@x": None, "a@x": "a"}),
    "fixed": ("ClerkRemoteUser email .*@example\\.com staff", {"carol@example.com": "staff", "x@y": None}),
    "escaped": ('ClerkRemoteUser email ".*" "\\\\$1 & $$ $x \\\\\\\\ $0"', {"c": "$1 & $$ $x \\ c"}),
    "characters": ("ClerkRemoteUser email (.).* $1", {"Ünal": "Ü", "😀x": "😀", "x": "x"}),
    "number": ("ClerkRemoteUser level ([0-9]+) u$1", {7: "u7", 1.5: None, "x": None}),
    "no name": ("ClerkRemoteUser email (.*) $1", {"a\nb": None, "a\x7f": None, "a\x85": None, "a\u2028": None, "x" * 4096: "x" * 4096}),
    "too long": ("ClerkRemoteUser email (.*) $1$1", {"x" * 2048: "x" * 4096, "x" * 2049: None}),
    "slow": ("ClerkRemoteUser email (a*)*b $1", {"a" * 4000: None}),
    "multi-line": ('ClerkRemoteUser email "(?m)^(a)$" $1', {"a": "a", "ba": None}),
    "words that look like fields": ("ClerkRemoteUser email user:(.*) user:$1", {"user:email": "user:email", "email": None}),
}


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    text = ""
    for place, (line, _) in enumerate(ROWS.values()):
        server.cgi(f"{place}/env.cgi")
        text += protect(f"/{place}", ("valid-user",), line)
    for place in ("one", "group", "files", "filled"):
        server.cgi(f"{place}/env.cgi")
    server.write("files/.htaccess", f"AuthType Clerk\nRequire user carol\n{DOMAIN}\n")
    server.write("filled/.htaccess", "ClerkRemoteUser email (.*) root\n")
    server.write("members", "staff: carol\n", base=server.root / "conf")
    text += protect("/one", ("user carol",), DOMAIN) + protect("/filled", ("valid-user",), DOMAIN)
    text += protect("/group", ("group staff",), DOMAIN, f'AuthGroupFile "{server.root}/conf/members"')
    server.configure(directives(server, live) + text, modules=("authz_groupfile",), global_text="LimitRequestFieldSize 32768")
    return server.start()


def name_of(server, live, place, claims, user="carol"):
    answer = server.get(f"/{place}/env.cgi", XHR | bearer(live, user, claims=claims))
    return answer.env()["REMOTE_USER"] if answer.status == 200 else answer.status


def claims_of(value):
    return {} if value is None else {"email": value} if isinstance(value, str) and len(value) > 1 else {"email": value, "level": value}


@pytest.mark.mpm
@pytest.mark.parametrize("row", ROWS)
def test_what_becomes_of_a_value(server, live, row):
    server.log.announce("AC3300", "AC3063")
    got = {value: name_of(server, live, list(ROWS).index(row), claims_of(value)) for value in ROWS[row][1]}
    assert got == {value: user or 403 for value, user in ROWS[row][1].items()}


def test_the_log_says_why_without_the_value(server, live):
    server.log.announce("AC3300")
    server.log.mark()
    assert name_of(server, live, "one", {"email": "somebody@example.org"}) == 403
    server.log.wait_for(r"AC3300: refused: ClerkRemoteUser email: the value of user user_carol as a whole does not match \(\.\*\)@example")
    assert name_of(server, live, list(ROWS).index("nothing left"), {"email": "@somebody"}) == 403
    server.log.wait_for(r"AC3300: .* comes to no usable name with the replacement \$1")
    assert "somebody" not in server.log.recent()


@pytest.mark.parametrize("place", ["one", "group", "files", "filled"])
def test_it_is_the_name_that_require_compares(server, live, place):
    server.log.announce("AC3300", "AC3123")
    assert name_of(server, live, place, {"email": "carol@example.com"}) == "carol"
    assert name_of(server, live, place, {"email": "dave@example.com"}) == ("dave" if place == "filled" else 403)
    assert name_of(server, live, place, {"email": "carol@example.org"}) == 403


def test_a_htaccess_file_may_say_the_same_again(make_httpd, live):
    server = make_httpd()
    for place, line in (("same", DOMAIN), ("regex", DOMAIN.replace("example", "elsewhere")), ("replacement", DOMAIN.replace("$1", "x$1"))):
        server.cgi(f"{place}/env.cgi")
        server.write(f"{place}/.htaccess", line + "\n")
    server.configure(directives(server, live) + protect("/", ("valid-user",), "") + f'<Directory "{server.docroot}">\n{DOMAIN}\n</Directory>\n')
    server.start()
    server.log.mark()
    assert name_of(server, live, "same", {"email": "carol@example.com"}) == "carol"
    assert "AC3123" not in server.log.recent()
    server.log.announce("AC3123")
    for place in ("regex", "replacement"):
        server.log.mark()
        assert name_of(server, live, place, {"email": "carol@example.com"}) == "carol"
        server.log.wait_for("AC3123: ClerkRemoteUser in .htaccess")
    server.stop()


def test_a_bad_expression_in_htaccess_is_500(make_httpd, live):
    server = make_httpd()
    server.cgi("bad/env.cgi")
    server.write("bad/.htaccess", "AuthType Clerk\nRequire valid-user\nClerkRemoteUser email ( $1\n")
    server.configure(directives(server, live))
    server.log.announce("is not a regular expression")
    server.start()
    assert name_of(server, live, "bad", {"email": "carol"}) == 500
    server.stop()


@pytest.mark.mpm
def test_a_machine_is_its_subject(make_httpd, live):
    server = make_httpd()
    server.cgi("any/env.cgi")
    server.configure(directives(server, live, "api") + protect("/any", ("valid-user",), "ClerkAcceptTokens any", DOMAIN))
    server.start()
    key = live.machine_token()
    answer = server.get("/any/env.cgi", XHR | {"Authorization": f"Bearer {key.secret}"})
    assert answer.status == 200 and answer.env()["REMOTE_USER"] == "user_alice"
    server.stop()


@pytest.mark.parametrize("line,told", [
    ("email (.*)", "takes one or three arguments"), ("email (.*) $1 more", "takes one or three arguments"),
    ("email ( $1", "is not a regular expression"), ("email [a $1", "is not a regular expression"), ("email a)|(?:b $0", "is not a regular expression"),
    ("email a)|(b $0", "is not a regular expression"), ("email (?x)a# $0", "is not a regular expression"), ("email \\\\Qa $0", "is not a regular expression"),
    ("email (*UTF)a $0", "is not a regular expression"), ("email a(?#b $0", "is not a regular expression"),
    ("email (.*) $2", "has $2, but the expression has only 1 part in parentheses"), ("email .* $1", "has $1, but the expression has 0 parts"),
    ("email (.)(.) $9", "only 2 parts"), ('email (.*) ""', "the replacement is empty"), ('"" (.*) $1', "takes one or three arguments"),
    ("user:phone (.*) $1", "is none of email"), ('email (.*) "a\x01$1"', "control characters")])
def test_what_is_wrong_stops_the_start(make_httpd, live, line, told):
    server = make_httpd()
    server.configure(directives(server, live) + protect("/x", ("valid-user",), f"ClerkRemoteUser {line}"))
    code, output = server.check()
    assert code != 0 and told in output, output


def test_a_field_of_the_profile_is_replaced_too(make_httpd, live):
    server = make_httpd()
    server.cgi("field/env.cgi")
    server.configure(directives(server, live, "api") + protect("/field", ("valid-user",), "ClerkRemoteUser user:email (.*)@example[.]test $1"))
    server.log.announce("AC3300")
    server.start()
    assert name_of(server, live, "field", {}, "alice") == "alice"
    live.user("bob").email = "bob@elsewhere.test"
    assert name_of(server, live, "field", {}, "bob") == 403
    server.stop()


def test_the_check_and_the_dump_know_an_expression(make_httpd, live):
    """user:... in an expression asks for no profile, so no secret key is missed; the dump shows what users are called."""
    server = make_httpd()
    server.configure(directives(server, live, "public") + protect("/x", ("user carol",), "ClerkRemoteUser email user:(.*) $1")
                     + "<Location /x/y>\nRequire user dave\n</Location>\n")
    code, output = server.check("-D", "DUMP_CLERK")
    assert code == 0
    assert re.findall(r"^ +REMOTE_USER (.*?)(?:  \[from <Location /x> .*\])?$", output, re.M) == ["email user:(.*) $1"] * 2, output


# The same patterns in Python, whose expressions are as these for what is simple.
PIECES = ["a", "b", "[ab]", "[^a]", "(a)", "(b*)", "(a|b)", "(?:ab)?", ".", "(.*)", "b+", "(a*)", "é", "x{2}", "[.]", "(?:a|(b))"]
SEED = 11


def cases(seed, count):
    pick = random.Random(seed)
    for _ in range(count):
        pattern = "".join(pick.choice(PIECES) for _ in range(pick.randint(1, 4)))
        if pick.random() < 0.2:
            pattern += "|" + pick.choice(PIECES)
        groups = re.compile(pattern).groups
        replacement = "".join(pick.choice(["-", "n", *(f"${group}" for group in range(groups + 1))]) for _ in range(pick.randint(1, 4)))
        yield pattern, replacement, ["".join(pick.choice("ababxé.") for _ in range(pick.randint(1, 5))) for _ in range(6)]


def in_python(pattern, replacement, value):
    found = re.fullmatch(pattern, value)
    name = found and re.sub(r"\$(\d)", lambda at: found[int(at[1])] or "", replacement)
    return name or 403


def test_generated_expressions_do_as_in_python(make_httpd, live):
    server = make_httpd()
    generated = list(cases(SEED, 60))
    text = ""
    for place, (pattern, replacement, _) in enumerate(generated):
        server.cgi(f"{place}/env.cgi")
        text += protect(f"/{place}", ("valid-user",), f'ClerkRemoteUser email "{pattern}" "{replacement}"')
    server.configure(directives(server, live) + text)
    server.log.announce("AC3300")
    server.start()
    names = set()
    for place, (pattern, replacement, values) in enumerate(generated):
        for value in values:
            name = name_of(server, live, place, {"email": value})
            assert name == in_python(pattern, replacement, value), (pattern, replacement, value)
            names.add(name)
    assert 403 in names and len(names) > 30
    server.stop()
