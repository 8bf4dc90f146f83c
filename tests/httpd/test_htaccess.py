# SPDX-License-Identifier: Apache-2.0
"""Fault A12: what .htaccess may do. It narrows what the server's administrator has set and fills what he has left open, and replaces
nothing, also where its directory is that of a section that only the server configuration protects."""

import pathlib
import re

import pytest
from pyclerk.clerk import XHR, bearer, browser, directives, protect, token

pytestmark = pytest.mark.mpm

TOP = pathlib.Path(__file__).resolve().parents[2]
OURS, THEIRS, OTHER = "https://app.example.test", "https://evil.example.test", "https://other.example.test"


@pytest.fixture(scope="module")
def staff(emulator):
    return emulator.add_instance(production=True, host="clerk.staff.test")


@pytest.fixture(scope="module")
def server(make_httpd, live, staff):
    """A server that has said something of everything, and for each row a <Location> that leaves it to the server. The .htaccess is in the
    document root's place of the row, which nobody but its author looks after."""
    server = make_httpd()
    sections = ""
    for name, (server_lines, htaccess, location_lines, _) in ROWS.items():
        server.cgi(f"{name}/env.cgi")
        server.write(f"{name}/.htaccess", htaccess)
        sections += f'<Directory "{server.docroot}/{name}">\n{server_lines}\n</Directory>\n'
        sections += protect(f"/{name}", ("valid-user",), location_lines)
    server.configure(
        directives(server, live, parties=())
        + f"<ClerkInstance staff>\n{directives(server, staff, parties=())}</ClerkInstance>\n"
        + f"<ClerkInstance other>\n{directives(server, staff, parties=())}</ClerkInstance>\n" + sections)
    server.log.announce("AC3024")
    return server.start()


def mint(instance, user="alice", origin=OURS, **options):
    return {"Authorization": "Bearer " + token(instance, user, origin=origin, **options)}


def sources(instance, *which):
    """A request with a token in the header, in the cookie, or both."""
    return (mint(instance) if "header" in which else {}) | (browser(instance, "alice", origin=OURS) if "cookie" in which else {})


# What somebody sends: name -> headers
WHO = {
    "ours": lambda live, staff: mint(live),
    "theirs": lambda live, staff: mint(live, origin=THEIRS),
    "other": lambda live, staff: mint(live, origin=OTHER),
    "staff": lambda live, staff: mint(staff, "bob"),
    "cookie": lambda live, staff: browser(live, "alice", origin=OURS),
    "api": lambda live, staff: mint(live, claims={"aud": "api"}),
    "web": lambda live, staff: mint(live, claims={"aud": "web"}),
    "late": lambda live, staff: mint(live, age=90),  # 30 seconds past its minute
    "just": lambda live, staff: mint(live, age=62),
    "pending": lambda live, staff: mint(live, claims={"sts": "pending"}),
}

# Name: (what the server says of the directory, what .htaccess says, what the <Location> says, {who: status})
ROWS = {
    # ClerkInstance
    "instance-none": ("", "ClerkInstance staff", "", {"ours": 500, "staff": 500}),
    "instance-other": ("ClerkHtaccessInstances other", "ClerkInstance staff", "", {"staff": 500}),
    "instance-granted": ("ClerkHtaccessInstances other staff", "ClerkInstance staff", "", {"staff": 200, "ours": 401}),
    "instance-any": ("ClerkHtaccessInstances any", "ClerkInstance staff", "", {"staff": 200, "ours": 401}),
    "instance-same": ("ClerkInstance staff", "ClerkInstance staff", "", {"staff": 200, "ours": 401}),
    "instance-location": ("ClerkHtaccessInstances any", "ClerkInstance other", "ClerkInstance staff", {"staff": 200, "ours": 401}),
    "instance-location-grants": ("", "ClerkInstance staff", "ClerkHtaccessInstances staff", {"staff": 200}),
    # ClerkAuthorizedParties
    "parties-fill": ("", f"ClerkAuthorizedParties {OURS}", "", {"ours": 200, "theirs": 401}),
    "parties-widen": (f"ClerkAuthorizedParties {OURS}", f"ClerkAuthorizedParties {OURS} {THEIRS}", "", {"ours": 200, "theirs": 401}),
    "parties-replace": (f"ClerkAuthorizedParties {OURS}", f"ClerkAuthorizedParties {THEIRS}", "", {"ours": 401, "theirs": 401}),
    "parties-narrow": (f"ClerkAuthorizedParties {OURS} {OTHER}", f"ClerkAuthorizedParties {OTHER}", "", {"ours": 401, "other": 200, "theirs": 401}),
    "parties-pattern": ("ClerkAuthorizedParties https://*.example.test", f"ClerkAuthorizedParties {OTHER}", "", {"ours": 401, "other": 200}),
    "parties-wider-pattern": (f"ClerkAuthorizedParties {OURS}", "ClerkAuthorizedParties https://*.example.test", "", {"ours": 200, "theirs": 401}),
    "parties-location": ("", f"ClerkAuthorizedParties {THEIRS}", f"ClerkAuthorizedParties {OURS}", {"ours": 200, "theirs": 401}),
    # ClerkAudience
    "audience-fill": ("", "ClerkAudience api", "", {"api": 200, "web": 401, "ours": 401}),
    "audience-widen": ("ClerkAudience api", "ClerkAudience api web", "", {"api": 200, "web": 401}),
    "audience-replace": ("ClerkAudience api", "ClerkAudience web", "", {"api": 401, "web": 401}),
    "audience-narrow": ("ClerkAudience api web", "ClerkAudience web", "", {"api": 401, "web": 200}),
    # ClerkTokenSources
    "sources-fill": ("", "ClerkTokenSources header", "", {"ours": 200, "cookie": 401}),
    "sources-widen": ("ClerkTokenSources header", "ClerkTokenSources header cookie", "", {"ours": 200, "cookie": 401}),
    "sources-replace": ("ClerkTokenSources header", "ClerkTokenSources cookie", "", {"ours": 401, "cookie": 401}),
    "sources-location": ("", "ClerkTokenSources header", "ClerkTokenSources cookie", {"ours": 401, "cookie": 200}),
    # ClerkClockSkew
    "skew-widen": ("", "ClerkClockSkew 5m", "", {"just": 200, "late": 401}),
    "skew-widen-set": ("ClerkClockSkew 1m", "ClerkClockSkew 5m", "", {"late": 200}),
    "skew-narrow": ("ClerkClockSkew 1m", "ClerkClockSkew 0", "", {"just": 401, "late": 401}),
    # ClerkPendingSessions
    "pending-widen": ("", "ClerkPendingSessions allow", "", {"pending": 401, "ours": 200}),
    "pending-same": ("ClerkPendingSessions allow", "ClerkPendingSessions allow", "", {"pending": 200}),
    "pending-narrow": ("ClerkPendingSessions allow", "ClerkPendingSessions signed-out", "", {"pending": 401}),
}
IGNORED = {"parties-widen", "parties-wider-pattern", "parties-replace", "audience-widen", "audience-replace", "sources-widen", "sources-replace",
    "skew-widen", "skew-widen-set",
           "pending-widen"}


@pytest.mark.parametrize("row", ROWS)
def test_a12_htaccess_does_not_replace_what_the_server_says(server, live, staff, row):
    server.log.announce("AC3122", "AC3123")
    server.log.mark()
    for who, status in ROWS[row][3].items():
        answer = server.get(f"/{row}/env.cgi", XHR | WHO[who](live, staff))
        assert answer.status == status, (who, answer)
        assert status != 200 or answer.env()["CLERK_AUTH_STATUS"] == "signed-in"
    if 500 in ROWS[row][3].values():
        server.log.wait_for("AC3122: ClerkInstance staff in .htaccess")
    elif row in IGNORED:
        server.log.wait_for(rf"AC3123: {re.search('Clerk[A-Za-z]+', ROWS[row][1]).group()} in .htaccess")
    else:
        assert "AC312" not in server.log.recent()


# What the application is told of


@pytest.fixture(scope="module")
def identities(make_httpd, live):
    server = make_httpd()
    sections = ""
    for name, (server_lines, htaccess, location_lines, _) in NAMES.items():
        server.cgi(f"{name}/env.cgi")
        server.write(f"{name}/.htaccess", htaccess)
        sections += f'<Directory "{server.docroot}/{name}">\n{server_lines}\n</Directory>\n' + protect(f"/{name}", ("valid-user",), location_lines,
            "CGIPassAuth On")
    server.configure(directives(server, live) + sections)
    return server.start()


CLAIMS = {"name": "user_root", "email": "alice@example.com"}
# Name: (server, .htaccess, Location, what the application gets)
NAMES = {
    "name-fill": ("", "ClerkRemoteUser email", "", {"REMOTE_USER": "alice@example.com"}),
    "name-replace": ("ClerkRemoteUser email", "ClerkRemoteUser name", "", {"REMOTE_USER": "alice@example.com"}),
    "name-location": ("", "ClerkRemoteUser name", "ClerkRemoteUser sub", {"REMOTE_USER": "user_alice"}),
    "strip-fill": ("", "ClerkStripCredentials On", "", {"HTTP_AUTHORIZATION": None}),
    "strip-widen": ("ClerkStripCredentials On", "ClerkStripCredentials Off", "", {"HTTP_AUTHORIZATION": None}),
    "strip-off": ("", "ClerkStripCredentials Off", "", {"HTTP_AUTHORIZATION": "Bearer"}),
    "strip-location": ("", "ClerkStripCredentials On", "ClerkStripCredentials Off", {"HTTP_AUTHORIZATION": "Bearer"}),
    "export": ("ClerkExportClaim email", "ClerkExportClaim name", "", {"CLERK_CLAIM_NAME": "user_root", "CLERK_CLAIM_EMAIL": None}),
}


@pytest.mark.parametrize("row", NAMES)
def test_a12_htaccess_fills_what_the_server_leaves_open(identities, live, row):
    identities.log.announce("AC3123")
    answer = identities.get(f"/{row}/env.cgi", XHR | bearer(live, claims=CLAIMS))
    assert answer.status == 200
    for name, value in NAMES[row][3].items():
        got = answer.env().get(name)
        assert got is None if value is None else got and got.startswith(value), answer.text


# Where browsers are sent


# Name: (the server's lines, .htaccess, where Clerk leads back to). The server knows own.example, and the host of the request.
ORIGINS = {
    "fill": ("", "ClerkPublicOrigin https://own.example", "https%3A%2F%2Fown.example"),
    "host": ("", "ClerkPublicOrigin https://127.0.0.1", "https%3A%2F%2F127.0.0.1"),
    "party": ("ClerkAuthorizedParties https://party.example", "ClerkPublicOrigin https://party.example", "https%3A%2F%2Fparty.example"),
    "own-party": ("", "ClerkAuthorizedParties https://evil.example\nClerkPublicOrigin https://evil.example", "http%3A%2F%2F127.0.0.1"),
    "unknown": ("", "ClerkPublicOrigin https://evil.example", "http%3A%2F%2F127.0.0.1"),
    # Any user of the machine can listen there.
    "evil-port": ("", "ClerkPublicOrigin https://own.example:8443", "http%3A%2F%2F127.0.0.1"),
    "evil-plain-port": ("", "ClerkPublicOrigin http://own.example:8080", "http%3A%2F%2F127.0.0.1"),
    "replace": ("ClerkPublicOrigin https://www.example", "ClerkPublicOrigin https://evil.example", "https%3A%2F%2Fwww.example"),
    "forwarded": ("ClerkPublicOrigin https://www.example", "ClerkTrustForwarded On", "https%3A%2F%2Fwww.example"),
    "forwarded-fill": ("", "ClerkTrustForwarded On", "http%3A%2F%2F127.0.0.1"),
    "forwarded-party": ("ClerkAuthorizedParties https://evil.example", "ClerkTrustForwarded On", "https%3A%2F%2Fevil.example"),
    "forwarded-off": ("ClerkTrustForwarded Off", "ClerkTrustForwarded On", "http%3A%2F%2F127.0.0.1"),
}


@pytest.mark.parametrize("row", ORIGINS)
def test_a12_htaccess_sends_browsers_nowhere_else(make_httpd, live, row):
    server_line, htaccess, expected = ORIGINS[row]
    server = make_httpd()
    server.write("t/index.html", "x")
    server.write("t/.htaccess", f"AuthType Clerk\nRequire valid-user\n{htaccess}\n")
    server.configure(directives(server, live, parties=()) + f'<VirtualHost *>\nServerName 127.0.0.1:{server.port}\nServerAlias own.example\n'
                     f'<Directory "{server.docroot}">\n{server_line}\n</Directory>\n</VirtualHost>\n')
    server.log.announce("AC3123", "AC3024")
    server.start()
    answer = server.get("/t/", {"Sec-Fetch-Dest": "document", "Accept": "text/html", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert answer.status == 307 and f"redirect_url={expected}" in answer.location, answer.location
    # What has no effect is said, but not what ClerkTrustForwarded makes of a client's header.
    ignored = "evil" in htaccess + row or row.startswith("forwarded") and "Clerk" in server_line and "Parties" not in server_line
    assert ("AC3123" in server.log.text()) == ignored
    server.stop()


@pytest.mark.parametrize("by", ["htaccess", "server"])
@pytest.mark.parametrize("line", ["ClerkSignInURL https://evil.example/in", "ClerkSignUpURL https://evil.example/up"])
def test_htaccess_gives_no_development_session_to_a_page(make_httpd, emulator, by, line):
    """A page that is named in .htaccess is not given __clerk_db_jwt, which stands for the session of a development instance."""
    instance = emulator.add_instance(production=False)
    server = make_httpd()
    server.write("t/index.html", "x")
    server.write("t/.htaccess", f"AuthType Clerk\nRequire valid-user\n{line if by == 'htaccess' else ''}\n")
    server.configure(directives(server, instance) + f'<Directory "{server.docroot}/t">\nClerkUnauthenticated challenge\n'
                     f'{line if by == "server" else ""}\n</Directory>\n')
    server.log.announce("AC3012")
    server.start()
    answer = server.get("/t/", {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Cookie": "__clerk_db_jwt=dvb_1; __client_uat=0"})
    assert answer.status == 401 and "https://evil.example/" in answer.text
    assert ("dvb_1" in answer.text + str(answer.headers)) == (by == "server")
    server.stop()


def test_a12_own_is_not_what_htaccess_says(make_httpd, live):
    """ClerkAuthorizedParties own: the origin of this site, by the server's names for it."""
    server = make_httpd()
    for place in ("evil", "named"):
        server.cgi(f"{place}/env.cgi")
    server.write("evil/.htaccess", f"ClerkPublicOrigin {THEIRS}\n")
    server.write("named/.htaccess", "ClerkPublicOrigin https://127.0.0.1\n")
    server.configure(directives(server, live, parties=()) + "ClerkAuthorizedParties own\n" + protect("/evil") + protect("/named"))
    server.log.announce("AC3123")
    server.start()
    assert server.get("/evil/env.cgi", XHR | mint(live, origin=THEIRS)).reason == "token-invalid-authorized-parties"
    assert server.get("/named/env.cgi", XHR | mint(live, origin="https://127.0.0.1")).status == 200
    assert server.get("/named/env.cgi", XHR | mint(live, origin=THEIRS)).status == 401
    server.stop()


# Several .htaccess files, and files without any


def test_a12_the_inner_htaccess_counts(make_httpd, live, staff):
    """They are of one kind: an inner one replaces what an outer one says, and neither what the server says."""
    server = make_httpd()
    server.cgi("outer/inner/env.cgi")
    server.cgi("outer/env.cgi")
    server.write("outer/.htaccess", f"AuthType Clerk\nRequire valid-user\nClerkAuthorizedParties {OTHER}\nClerkInstance staff\n")
    server.write("outer/inner/.htaccess", f"ClerkAuthorizedParties {OURS} {THEIRS}\nClerkInstance other\n")
    server.configure(
        directives(server, live, parties=()) + f"<ClerkInstance staff>\n{directives(server, staff, parties=())}</ClerkInstance>\n"
        + f"<ClerkInstance other>\n{directives(server, live, parties=())}</ClerkInstance>\n"
        + f'<Directory "{server.docroot}">\nClerkHtaccessInstances staff other\nClerkAuthorizedParties {OURS} {OTHER}\n</Directory>\n')
    server.log.announce("AC3123")
    server.start()
    assert server.get("/outer/env.cgi", XHR | mint(staff, "bob", OTHER)).status == 200
    assert server.get("/outer/env.cgi", XHR | mint(staff, "bob", OURS)).status == 401
    assert server.get("/outer/inner/env.cgi", XHR | mint(live, origin=OURS)).status == 200
    for origin in (OTHER, THEIRS):
        assert server.get("/outer/inner/env.cgi", XHR | mint(live, origin=origin)).status == 401
    server.stop()


@pytest.mark.parametrize("line,told", [("ClerkHtaccessInstances stafff", "there is no <ClerkInstance stafff>"), ("ClerkHtaccessInstances",
    "ClerkHtaccessInstances")])
def test_a12_names_are_checked_at_the_start(httpd, live, line, told):
    httpd.configure(f"{directives(httpd, live)}<ClerkInstance staff>\n{directives(httpd, live, parties=())}</ClerkInstance>\n"
                    f"<Location />\n{line}\n</Location>\n")
    code, output = httpd.check()
    assert code != 0 and told in output


def test_a12_htaccess_grants_itself_nothing(httpd, live):
    httpd.write("t/index.html", "x")
    httpd.write("t/.htaccess", "ClerkHtaccessInstances any\n")
    httpd.configure(directives(httpd, live))
    httpd.log.announce("ClerkHtaccessInstances not allowed here")
    httpd.start()
    assert httpd.get("/t/").status == 500


def test_the_reference_says_what_htaccess_may_do():
    """For each directive that it may hold, one row."""
    text = (TOP / "docs/directives.md").read_text()
    table = text.split("### What `.htaccess` may do\n")[1].split("\n#")[0]
    rows = re.findall(r"`(Clerk\w+)`", "".join(re.findall(r"^\|(.*?)\|", table, re.M)))
    allowed = [name for name, section in re.findall(r"### `(Clerk\w+)`\n(.*?)(?=\n###? )", text, re.S) if re.search(r"\*\*Context\*\* [^\n]*\bH\b", section)]
    assert sorted(rows) == sorted(allowed) and len(rows) == len(set(rows))
