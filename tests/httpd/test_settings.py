# SPDX-License-Identifier: Apache-2.0
"""Every row of settings.def in a real httpd: what a directive says arrives in its own setting and nowhere else, is
inherited and overridden by servers, sections and .htaccess files; servers that differ in one instance setting share
nothing. tests/unit/test_httpd_settings.c does the same for the merging alone."""

import pytest
from clerk_emulator import Key
from clerk_emulator.keys import publishable_key
from pyclerk.settings import KEPT_APART, ROWS, build_probe

PLACES = [row for row in ROWS if row.of_place]
INSTANCE = [row for row in ROWS if row.of_instance]
HOSTS = [row for row in ROWS if row.group == "HOST"]

# What the directive is given, first outside and then inside; {0} becomes 1 and 2. The others follow from their kind.
VALUES = {
    "ClerkPublishableKey": (publishable_key("clerk.one.test", True), publishable_key("clerk.two.test", True)),
    "ClerkSecretKey": "env:SECRET_{0}",
    "ClerkMachineSecretKey": "env:MACHINE_{0}",
    "ClerkJWTKey": "env:PEM_{0}",
    "ClerkWebhookSecret": "env:WEBHOOK_{0}",
    "ClerkJWKSURL": "https://keys{0}.example.test/jwks.json",
    "ClerkAPIURL": "https://api{0}.example.test",
    "ClerkFrontendAPI": "clerk{0}.example.test",
    "ClerkProxyURL": "https://www.example.test/__clerk{0}",
    "ClerkDomain": "satellite{0}.example.test",
    "ClerkIssuer": "https://issuer{0}.example.test",
    "ClerkJWKSMaxStale": "{0}h",
    "ClerkHTTPProxy": "http://proxy{0}.example.test:3128",
    "ClerkCAFile": "conf/ca{0}.pem",
    "ClerkPages": "/pages{0}",
    "ClerkScriptURL": "/clerk{0}.js",
    "ClerkUIScriptURL": "/ui{0}.js",
    "ClerkSharedMemory": "64M",
    "ClerkSOCache": "shmcb:logs/cache{0}(100000)",
    "ClerkSOCacheKey": "env:KEY_{0}",
    "ClerkAuditLog": "logs/audit{0}",
    "ClerkRevocationFailure": "open",  # closed needs more than one directive
    "ClerkStateDir": "none",
    "ClerkInstance": "named{0}",
    "ClerkHtaccessInstances": "named{0}",
    "ClerkAcceptTokens": ("session api-key", "session m2m"),
    "ClerkTokenSources": ("header", "cookie"),
    "ClerkAuthorizedParties": "https://party{0}.example.test",
    "ClerkAudience": "audience{0}",
    "ClerkSignInURL": "/sign-in{0}",
    "ClerkSignUpURL": "/sign-up{0}",
    "ClerkKeepForms": "{0}K",
    "ClerkUserButton": "#button{0}",
    "ClerkOrganizationSync": "/orgs{0}/:slug",
    "ClerkPublicOrigin": "https://origin{0}.example.test",
    "ClerkCacheControl": "max-age={0}",
    "ClerkRemoteUser": "claim{0} (.*)@site{0} $1",
    "ClerkExportClaim": "claim{0}",
}
# These print as they were written.
VERBATIM = [row.directive for row in ROWS if row.kind in ("TEXT", "LIST")
            if row.directive not in ("ClerkCAFile", "ClerkAuditLog", "ClerkStateDir")]


def flag(on):
    return "On" if on else "Off"


def value(row, which):
    """The first (0) or second (1) value. A flag's second one and a word's third are the default."""
    given = VALUES.get(row.directive)
    if given:
        return given.format(which + 1) if isinstance(given, str) else given[which]
    if row.kind == "FLAG":
        return flag((row.arguments[0] == "0") != bool(which))
    if row.kind == "WORD":
        return list(row.words.values())[::-1][which]
    assert row.kind == "DURATION", f"say in VALUES what {row.directive} is given"
    return f"{which + 7}s"


def line(row, which):
    return f"{row.directive} {value(row, which)}\n"


def probe(server, path, host=None):
    """{directive: (value, the policy's)}, and the runtime's address."""
    answer = server.get(path, {"Host": host} if host else {})
    assert answer.status == 200, server.log.recent()
    rows = [printed.split("\t") for printed in answer.text.splitlines()]
    return {directive: (said, policy) for directive, said, policy in rows}


def differences(one, other):
    return {name for name in one if one[name] != other[name]}


@pytest.fixture(scope="module")
def loads(workdir):
    return build_probe(workdir / "mod_settings_probe.so")


def named():
    key = publishable_key("clerk.named.test", True)
    return "".join(f"<ClerkInstance named{i}>\nClerkPublishableKey {key}\nClerkSecretKey env:SECRET_{i}\nClerkJWTKey env:PEM_{i}\n"
                   "</ClerkInstance>\n" for i in (1, 2))


@pytest.fixture(scope="module")
def environment():
    pems = {f"PEM_{i}": Key.generate().public_pem for i in (1, 2)}
    keys = {f"KEY_{i}": f"{i}" * 40 for i in (1, 2)} | {f"MACHINE_{i}": f"ak_machine{i}" for i in (1, 2)}
    hooks = {f"WEBHOOK_{i}": f"whsec_AAA{i}" for i in (1, 2)}
    return pems | keys | hooks | {f"SECRET_{i}": f"sk_live_secret{i}" for i in (1, 2)}


@pytest.fixture(scope="module")
def places(make_httpd, loads, environment):
    """Each directive in a directory of its own, with places inside that say nothing, something else, or it again."""
    server = make_httpd()
    server.env = dict(environment)
    text = f'<Directory "{server.docroot}">\nSetHandler settings-probe\n</Directory>\n' + named()
    for row in PLACES:
        here = f"{server.docroot}/{row.directive}"
        for name in ("", "inherits/", "inner/", "location/", "if/", "ht-inherits/", "ht-inner/"):
            server.write(f"{row.directive}/{name}x", "")
        server.write(f"{row.directive}/ht-inherits/.htaccess", "DefaultType None\n")
        if row.group != "ADMIN":  # not allowed there
            server.write(f"{row.directive}/ht-inner/.htaccess", line(row, 1))
        text += f'<Directory "{here}">\n{line(row, 0)}</Directory>\n'
        text += f'<Directory "{here}/inner">\n{line(row, 1)}</Directory>\n'
        text += f'<Location "/{row.directive}/location">\n{line(row, 1)}</Location>\n'
        text += f'<Directory "{here}/if">\n<If "true">\n{line(row, 1)}</If>\n</Directory>\n'
    server.configure(text, global_text=loads)
    server.log.announce("AC3301")  # without ClerkPages
    return server.start()


@pytest.mark.parametrize("row", PLACES, ids=lambda row: row.directive)
def test_a_place_inherits_and_overrides(places, row):
    name = row.directive
    nothing, outer = probe(places, "/x"), probe(places, f"/{name}/x")
    assert nothing[name][0] == "-"
    assert differences(nothing, outer) == {name}
    if name in VERBATIM:
        assert outer[name][0] == value(row, 0)
    for inherits in ("inherits", "ht-inherits"):
        assert probe(places, f"/{name}/{inherits}/x") == outer, inherits
    inner = probe(places, f"/{name}/inner/x")
    assert inner[name][0] not in ("-", outer[name][0])
    if row.group == "ADMIN" or row.member in KEPT_APART:
        # What the server configuration says stays; test_htaccess.py tests what becomes of the other value.
        assert probe(places, f"/{name}/ht-inner/x")[name][0] == outer[name][0]
        others = ("inner", "location", "if")
    else:
        others = ("inner", "location", "if", "ht-inner")
    for other in others:
        found = probe(places, f"/{name}/{other}/x")
        assert differences(found, outer) == {name}, other
        if row.kind == "POINTER":
            assert found[name][0] not in ("-", outer[name][0]), other
        else:
            assert found[name] == inner[name], other
    for found in (outer, inner):
        assert found[name][1] == (found[name][0] if row.group == "POLICY" else "")


@pytest.mark.parametrize("row", [row for row in PLACES if row.group == "POLICY"], ids=lambda row: row.directive)
def test_the_policy_has_the_default(places, row):
    words = "1" if row.directive == "ClerkAcceptTokens" else "3"
    default = {"FLAG": row.arguments[0], "WORD": "0", "WORDS": words, "DURATION": "5000000"}.get(row.kind, "-")
    assert probe(places, "/x")[row.directive] == ("-", default)


@pytest.mark.parametrize("row", [row for row in PLACES if row.group == "POLICY"], ids=lambda row: row.directive)
def test_a_directive_of_the_server_is_in_the_policy_before_any_section(httpd, loads, row):
    httpd.configure(line(row, 0), global_text=loads).start()
    said, policy = probe(httpd, "/settings-probe")[row.directive]
    assert said == policy and said != "-"


# The main server says either way to know the origin, not both.
MAIN = [row for row in ROWS if row.directive != "ClerkTrustForwarded"]


@pytest.fixture(scope="module")
def servers(make_httpd, loads, environment):
    """A main server that says everything, and virtual hosts that say one thing each, or nothing."""
    server = make_httpd()
    server.env = dict(environment)
    for i in (1, 2):
        server.write(f"ca{i}.pem", "", base=server.root / "conf")
    text = f'<Directory "{server.docroot}">\nSetHandler settings-probe\n</Directory>\n' + named()
    text += "".join(line(row, 0) for row in MAIN)
    for name in ("same", "again"):
        text += f"<VirtualHost *:{server.port}>\nServerName {name}.test\n</VirtualHost>\n"
    for row in [*INSTANCE, *HOSTS, *PLACES]:
        own = line(row, 1 if row in MAIN else 0)
        if row.member == "publishable_key":
            # Of the other instance, so that no key is fetched, and ClerkRevocationCheck can ask.
            own += "ClerkJWTKey env:PEM_2\nClerkSecretKey env:SECRET_2\n"
        text += f"<VirtualHost *:{server.port}>\nServerName {row.directive}.test\n{own}</VirtualHost>\n"
    server.configure(text, global_text=loads)
    server.log.announce("AC3011.*ClerkDomain has no effect")  # of the virtual host that is no satellite
    return server.start()


def host(server, name):
    return probe(server, "/index.html", f"{name.lower()}.test")


def test_a_virtual_host_inherits_everything(servers):
    same = host(servers, "same")
    assert [name for name in same if same[name][0] == "-"] == ["ClerkTrustForwarded"]
    assert same == host(servers, "again")
    for row in MAIN:
        if row.directive in VERBATIM:
            assert same[row.directive][0] == value(row, 0)


@pytest.mark.parametrize("row", [*PLACES, *HOSTS], ids=lambda row: row.directive)
def test_a_virtual_host_overrides_what_holds_for_its_places(servers, row):
    same, own = host(servers, "same"), host(servers, row.directive)
    also = {"ClerkPublicOrigin"} if row.directive == "ClerkTrustForwarded" else set()
    assert differences(same, own) == {row.directive} | also
    assert own[row.directive][0] != "-"


@pytest.mark.parametrize("row", INSTANCE, ids=lambda row: row.directive)
def test_a_virtual_host_overrides_its_instance_and_shares_no_runtime(servers, row):
    same, own = host(servers, "same"), host(servers, row.directive)
    # Who an instance is comes as a whole: with another key goes everything of the outer one's.
    also = {other.directive for other in INSTANCE if other.group == "IDENTITY"} if row.member == "publishable_key" else set()
    assert differences(same, own) == {row.directive, "runtime"} | also
    assert own[row.directive][0] != "-"


def test_no_two_instances_share_a_runtime(servers):
    runtimes = [host(servers, name)["runtime"][0] for name in ("same", *(row.directive for row in INSTANCE))]
    assert len(set(runtimes)) == len(runtimes)
    assert "(nil)" not in runtimes
