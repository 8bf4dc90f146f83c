# SPDX-License-Identifier: Apache-2.0
"""docs/moving.md: the blocks that replace another module's lines do what the page says, as printed but for paths."""

import pathlib
import re

import pytest
from pyclerk.clerk import PARTY, XHR, bearer, directives

PAGE = (pathlib.Path(__file__).resolve().parents[2] / "docs/moving.md").read_text()
AFTER = dict(re.findall(r"^## From (.*?)\n.*?^```apache\n(.*?)^```", PAGE, re.M | re.S))
MAILED = {"email": "alice@example.test", "email_verified": True}


@pytest.fixture
def moved(make_httpd, live):
    """moved(section) starts a server with the block of that section."""

    def start(section, parties=(PARTY,), modules=(), **replaced):
        server = make_httpd()
        for path in ("members", "protected"):
            server.write(f"{path}/index.html", "in")
        text = AFTER[section].replace("/var/www", str(server.docroot))
        for old, new in ((old, new(server)) for old, new in replaced.values()):
            assert old in text
            text = text.replace(old, new)
        server.configure(directives(server, live, "api", parties) + text, modules=modules)
        code, output = server.check("-D", "DUMP_CLERK")
        assert code == 0 and "NOT PROTECTED" not in output, output
        return server.start()

    return start


def test_every_section_has_a_block():
    assert set(AFTER) == {"Basic and htpasswd", "mod_auth_openidc", "Clerk's PHP SDK"}


def test_from_basic(moved, live):
    groups = ("/etc/apache2/htgroups", lambda server: str(server.write("groups", "staff: alice\n", base=server.root / "conf")))
    server = moved("Basic and htpasswd", modules=("authz_groupfile",), groups=groups)
    assert server.get("/members/", XHR | bearer(live, "alice")).status == 200
    assert server.get("/members/", XHR | bearer(live, "bob")).status == 403
    assert server.get("/members/", XHR).status == 401


@pytest.mark.parametrize("claims, status", [
    (MAILED | {"role": "admin"}, 200), (MAILED | {"role": "user"}, 403), (MAILED, 403),
    (MAILED | {"role": "admin", "email_verified": False}, 403),
], ids=["all", "another role", "no role", "not verified"])
def test_from_openidc(moved, live, claims, status):
    server = moved("mod_auth_openidc")
    assert server.get("/protected/", XHR | bearer(live, "alice", claims=claims)).status == status
    assert server.get("/clerk/sign-in").status == 200


def test_from_the_php_sdk(moved, live):
    server = moved("Clerk's PHP SDK", parties=(), origin=("https://www.example.com", lambda _: PARTY),
                   directory=("/html", lambda _: ""))
    assert server.get("/members/", XHR | bearer(live, "alice")).status == 200
    assert server.get("/members/", XHR | bearer(live, "alice", origin="https://elsewhere.test")).status == 401
    assert server.get("/members/", XHR).status == 401
