# SPDX-License-Identifier: Apache-2.0
"""Fault B13: where AuthType Clerk stands without Require, everybody is let in, and the error log says so at run time: once a minute for each
place in each process. Where it is meant, nothing is said."""

import re
import time

import pytest
from pyclerk.clerk import XHR, bearer, directives, protect

pytestmark = pytest.mark.mpm

# Place: (sections, .htaccess). The document root has Require all granted, as Debian's has.
OPEN = {
    "location": ("<Location /location>\nAuthType Clerk\n</Location>\n", None),
    "quoted": ('<Location /quoted>\nAuthType "clerk"\nAuthName x\n</Location>\n', None),
    "htaccess": ("", "AuthType Clerk\nAuthName x\n"),
    "htaccess-files": ("", "<Files index.html>\nAuthType Clerk\n</Files>\n"),
    "inner": ("<Location /inner>\nRequire all granted\n</Location>\n<Location /inner/index.html>\nAuthType Clerk\n</Location>\n", None),
    "condition": ("<Location /condition>\nAuthType Clerk\n<If \"%{HTTP:X-Other} == '1'\">\nRequire valid-user\n</If>\n</Location>\n", None),
}
MEANT = {
    "granted": (protect("/granted", ("all granted",)), None, 200),
    "optional": (protect("/optional", ("clerk-optional",)), None, 200),
    "members": (protect("/members"), None, 401),
    "before": ("<Location /before>\nRequire valid-user\nAuthType Clerk\n</Location>\n", None, 401),
    "container": (protect("/container", (), "<RequireAll>", "Require all granted", "</RequireAll>"), None, 200),
    "inner-granted": ("<Location /inner-granted>\nAuthType Clerk\n</Location>\n<Location /inner-granted/index.html>\nRequire all granted\n</Location>\n",
                      None, 200),
    "inner-htaccess": ('<Directory "ROOT/inner-htaccess">\nAuthType Clerk\n</Directory>\n', "Require all granted\n", 200),
    "outer": (protect("/outer") + "<Location /outer/index.html>\nAuthType Clerk\n</Location>\n", None, 401),
    "outer-optional": (protect("/outer-optional", ("clerk-optional",)) + "<Location /outer-optional/index.html>\nAuthType Clerk\n</Location>\n", None, 200),
    "other-type": ("<Location /other-type>\nAuthType Clerk\n</Location>\n<Location /other-type/index.html>\nAuthType None\n</Location>\n", None, 200),
    "htaccess-granted": ("", "AuthType Clerk\nRequire all granted\n", 200),
    "htaccess-before": ("", "Require valid-user\nAuthType Clerk\n", 401),
}


def start(server, live, places):
    for place, (_, htaccess, *_) in places.items():
        server.write(f"{place}/index.html", "page")
        if htaccess:
            server.write(f"{place}/.htaccess", htaccess)
    server.configure(directives(server, live) + "".join(sections for sections, *_ in places.values()).replace("ROOT", str(server.docroot)))
    server.log.announce("AC3022")
    return server.start()


@pytest.fixture(scope="module")
def server(make_httpd, live):
    return start(make_httpd(), live, OPEN | MEANT)


def warned(server, place):
    return [line for line in server.log.lines("AC3121") if re.search(rf"/{place}/\.htaccess", line)
            or f"line {line_of(server, place)} of" in line and ".htaccess" not in line]


def line_of(server, place):
    """Of the AuthType in a section for this place."""
    lines = server.conf.read_text().splitlines()
    start = next((n for n, line in enumerate(lines, 1) if re.match(rf"<Location /{place}(/index.html)?>$", line) and "AuthType" in "".join(lines[n:n + 2])), 0)
    return next((n for n in range(start, start + 4) if start and "AuthType" in lines[n - 1]), 0)


@pytest.mark.parametrize("place", OPEN)
def test_b13_a_place_without_require_is_warned_about(server, live, place):
    server.log.announce("AC3121")
    begun = time.time() // 60
    for headers in [XHR] * 20 + [XHR | bearer(live)]:
        assert server.get(f"/{place}/index.html", headers).status == 200
    server.log.wait_for(r"AC3121")
    lines = warned(server, place)
    processes = len({re.search(r"pid (\d+)", line).group(1) for line in lines})
    assert 1 <= len(lines) <= processes * (time.time() // 60 - begun + 1), lines
    assert all(":warn]" in line for line in lines)


@pytest.mark.parametrize("place", MEANT)
def test_b13_what_is_meant_is_not_warned_about(server, place):
    for _ in range(3):
        assert server.get(f"/{place}/index.html", XHR).status == MEANT[place][2]
    assert warned(server, place) == []


def test_b13_a_good_configuration_learns_of_a_bad_htaccess(make_httpd, live):
    """Where no section of the server configuration is of that kind."""
    server = make_httpd()
    start(server, live, {name: place for name, place in (OPEN | MEANT).items() if name in ("htaccess", "members", "granted", "htaccess-before")})
    server.log.announce("AC3121")
    statuses = {name: server.get(f"/{name}/index.html", XHR).status for name in ("htaccess", "members", "granted", "htaccess-before")}
    assert statuses == {"htaccess": 200, "members": 401, "granted": 200, "htaccess-before": 401}
    server.log.wait_for("AC3121.*htaccess/.htaccess")
    assert len({re.search(r"of (\S+) has", line).group(1) for line in server.log.lines("AC3121")}) == 1
    server.stop()
