# SPDX-License-Identifier: Apache-2.0
"""`Require`, alone and together with the access control of httpd."""

import pytest
from pyclerk.clerk import NAVIGATION, XHR, bearer, browser, directives, protect

pytestmark = pytest.mark.mpm


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()

    def place(path, *lines, **options):
        server.write(f"{path.strip('/')}/index.html", path)
        return protect(path, [], *lines, **options)

    def allow_from(address):
        return "Order deny,allow", "Deny from all", f"Allow from {address}"

    server.write("users", "alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", base=server.root / "conf")  # "password"
    server.configure(
        directives(server, live)
        + place("/valid", "Require valid-user")
        + place("/user", "Require user user_alice user_carol")
        + place("/role", "Require clerk-role admin")
        + place("/role-full", "Require clerk-role org:admin")
        + place("/role-any", "Require clerk-role owner member")
        + place("/org", "Require clerk-org")
        + place("/org-id", "Require clerk-org org_globex acme")
        + place("/expr-env", "SetEnv UNSEEN acme", "SetEnvIf Host . TENANT=acme",
                "Require clerk-org %{reqenv:TENANT}")
        + place("/two-lines", "Require clerk-role admin", "Require user user_carol")
        + place("/all", "<RequireAll>", "Require clerk-role member", "Require clerk-org globex acme", "</RequireAll>")
        + place("/any", "<RequireAny>", "Require clerk-role admin", "Require ip 127.0.0.1", "</RequireAny>")
        + place("/any-not-here", "<RequireAny>", "Require clerk-role admin", "Require ip 192.0.2.1", "</RequireAny>")
        + place("/none", "<RequireAll>", "Require valid-user",
                "<RequireNone>", "Require clerk-role admin", "Require user user_carol", "</RequireNone>", "</RequireAll>")
        + place("/not", "<RequireAll>", "Require valid-user", "Require not clerk-role admin", "</RequireAll>")
        + place("/optional", "Require clerk-optional")
        + place("/optional-role", "<RequireAll>", "Require clerk-optional", "Require clerk-role admin", "</RequireAll>")
        + place("/granted", "Require all granted")
        + place("/denied", "Require all denied")
        + place("/method", "<RequireAny>", "Require method GET HEAD", "Require clerk-role admin", "</RequireAny>")
        + place("/limit", "<Limit POST PUT>", "Require clerk-role admin", "</Limit>",
                "<LimitExcept POST PUT>", "Require valid-user", "</LimitExcept>")
        + place("/satisfy-any", "Require clerk-role admin", "Satisfy Any", *allow_from("127.0.0.1"))
        + place("/satisfy-any-role", "Require clerk-role admin", "Satisfy Any", *allow_from("192.0.2.1"))
        + place("/satisfy-all", "Require valid-user", "Satisfy All", *allow_from("192.0.2.1"))
        + place("/forbidden-off", "AuthzSendForbiddenOnFailure Off", "Require clerk-role admin")
        + place("/forbidden-on", "AuthzSendForbiddenOnFailure On", "Require clerk-role admin")
        + place("/expr", "Require expr %{REMOTE_USER} == 'user_alice'")
        + place("/if", "Require valid-user", "<If \"%{QUERY_STRING} =~ /admin/\">", "Require clerk-role admin", "</If>")
        + "".join(server.write(f"team/{slug}/index.html", slug) and "" for slug in ("acme", "globex"))
        + '<LocationMatch "^/team/(?<slug>[^/]+)">\nAuthType Clerk\nAuthName test\n'
        + "Require clerk-org %{env:MATCH_SLUG}\n</LocationMatch>\n"
        + "<Location /basic>\nAuthType Basic\nAuthName basic\nAuthBasicProvider file\n"
        + f'AuthUserFile "{server.root}/conf/users"\nRequire valid-user\n</Location>\n'
        + "<Location /basic-role>\nAuthType Basic\nAuthName basic\nAuthBasicProvider file\n"
        + f'AuthUserFile "{server.root}/conf/users"\nRequire clerk-role admin\n</Location>\n'
    )
    for path in ("basic", "basic-role"):
        server.write(f"{path}/index.html", path)
    server.log.announce("AC3023")  # /basic-role on purpose
    return server.start()


ALICE = ("alice", "acme")  # admin of acme
BOB = ("bob", "acme")  # member of acme
CAROL = ("carol", None)
DAVE = ("dave", "globex")  # admin of globex
NOBODY = None


# (path, who, status)
ROWS = [
    ("/valid/", ALICE, 200), ("/valid/", CAROL, 200), ("/valid/", NOBODY, 401),
    ("/user/", ALICE, 200), ("/user/", CAROL, 200), ("/user/", BOB, 403), ("/user/", NOBODY, 401),
    ("/role/", ALICE, 200), ("/role/", BOB, 403), ("/role/", CAROL, 403), ("/role/", DAVE, 200), ("/role/", NOBODY, 401),
    ("/role-full/", ALICE, 200), ("/role-full/", BOB, 403),
    ("/role-any/", BOB, 200), ("/role-any/", ALICE, 403),
    ("/org/", ALICE, 200), ("/org/", CAROL, 403), ("/org/", NOBODY, 401),
    ("/org-id/", ALICE, 200), ("/org-id/", DAVE, 200), ("/org-id/", CAROL, 403),
    ("/expr-env/", ALICE, 200), ("/expr-env/", DAVE, 403), ("/expr-env/", NOBODY, 401),
    ("/two-lines/", ALICE, 200), ("/two-lines/", CAROL, 200), ("/two-lines/", BOB, 403),
    ("/all/", BOB, 200), ("/all/", ALICE, 403), ("/all/", CAROL, 403), ("/all/", NOBODY, 401),
    ("/any/", NOBODY, 200), ("/any/", BOB, 200), ("/any/", ALICE, 200),
    ("/any-not-here/", ALICE, 200), ("/any-not-here/", BOB, 403), ("/any-not-here/", NOBODY, 401),
    ("/none/", BOB, 200), ("/none/", ALICE, 403), ("/none/", CAROL, 403), ("/none/", NOBODY, 401),
    ("/not/", BOB, 200), ("/not/", ALICE, 403), ("/not/", NOBODY, 401),
    ("/optional/", ALICE, 200), ("/optional/", NOBODY, 200),
    ("/optional-role/", ALICE, 200), ("/optional-role/", BOB, 403), ("/optional-role/", NOBODY, 401),
    ("/granted/", NOBODY, 200), ("/granted/", ALICE, 200),
    ("/denied/", ALICE, 403), ("/denied/", NOBODY, 403),
    ("/method/", NOBODY, 200),
    ("/limit/", NOBODY, 401), ("/limit/", BOB, 200),
    ("/satisfy-any/", NOBODY, 200),
    ("/satisfy-any-role/", ALICE, 200), ("/satisfy-any-role/", BOB, 403), ("/satisfy-any-role/", NOBODY, 401),
    ("/satisfy-all/", ALICE, 403), ("/satisfy-all/", NOBODY, 403),
    ("/forbidden-off/", BOB, 403), ("/forbidden-off/", ALICE, 200), ("/forbidden-off/", NOBODY, 401),
    ("/forbidden-on/", BOB, 403), ("/forbidden-on/", ALICE, 200),
    ("/expr/", ALICE, 200), ("/expr/", BOB, 403), ("/expr/", NOBODY, 401),
    ("/if/", BOB, 200), ("/if/?admin", BOB, 403), ("/if/?admin", ALICE, 200), ("/if/?admin", NOBODY, 401),
    ("/team/acme/", ALICE, 200), ("/team/acme/", DAVE, 403), ("/team/globex/", DAVE, 200), ("/team/globex/", ALICE, 403),
    ("/team/acme/", NOBODY, 401),
]


def headers(live, who, version=2):
    return XHR | (bearer(live, *who, version=version) if who else {})


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("path,who,status", ROWS, ids=[f"{p}-{w[0] if w else 'nobody'}" for p, w, _ in ROWS])
def test_decision(server, live, path, who, status, version):
    answer = server.get(path, headers(live, who, version))
    assert answer.status == status, answer
    if status == 401:
        assert answer.header("WWW-Authenticate").startswith("Bearer ")
    if status == 403:
        assert answer.header("WWW-Authenticate") is None and answer.location is None


def test_not_allowed_is_403_for_a_navigation_too(server, live):
    """Authenticated, not authorised: 403, no challenge, no redirect."""
    for path in ("/role/", "/expr/", "/any-not-here/", "/satisfy-any-role/", "/forbidden-off/", "/org/", "/user/"):
        answer = server.get(path, browser(live, "bob") | NAVIGATION)
        assert (answer.status, answer.location, answer.header("WWW-Authenticate")) == (403, None, None), path


def test_nobody_on_a_navigation_is_sent_to_sign_in(server):
    for path in ("/role/", "/expr/", "/any-not-here/", "/org/", "/not/", "/if/?admin", "/team/acme/", "/optional-role/"):
        assert server.get(path, NAVIGATION).status == 307, path


def test_methods_have_rules_of_their_own(server, live):
    bob, alice = bearer(live, *BOB), bearer(live, *ALICE)
    assert server.request("POST", "/limit/", bob, b"").status == 403
    assert server.request("POST", "/limit/", alice, b"").status == 200
    assert server.request("HEAD", "/limit/", bob).status == 200
    assert server.request("POST", "/method/", XHR, b"").status == 401
    assert server.request("POST", "/method/", alice, b"").status == 200


def test_optional_does_not_hide_a_bad_role(server, live):
    assert server.get("/optional-role/", headers(live, BOB)).status == 403


def test_a_wrong_role_claim_grants_nothing(server, live):
    for claims in ({"o": {"id": "org_acme", "slg": "acme"}}, {"o": {"id": "org_acme", "rol": ""}}, {"o": {"id": "org_acme", "rol": ["admin"]}},
                   {"o": "admin"}, {"o": None}, {"o": {"rol": "admin"}}, {"org_role": "org:admin", "org_id": "org_acme"}):
        answer = server.get("/role/", bearer(live, "carol", claims=claims) | XHR)
        assert answer.status == 403, claims


def test_the_version_of_the_claims_decides_which_are_read(server, live):
    v1 = {"org_role": "org:admin", "org_id": "org_acme", "org_slug": "acme"}
    assert server.get("/role/", bearer(live, "carol", version=1, claims=v1)).status == 200
    assert server.get("/role/", bearer(live, "carol", version=1, claims=v1 | {"v": "2"})).status == 200
    assert server.get("/role/", bearer(live, "carol", version=1, claims=v1 | {"v": 2})).status == 403


def test_roles_of_a_foreign_authentication_are_not_ours(server, live):
    """A user of Basic authentication meets no `Require clerk-role`, even with a Clerk token in a cookie."""
    basic = {"Authorization": "Basic YWxpY2U6cGFzc3dvcmQ="}
    assert server.get("/basic/", basic).status == 200
    assert server.get("/basic-role/", basic | browser(live, *ALICE)).status in (401, 403)


def test_a_basic_place_is_not_opened_by_clerk(server, live):
    server.log.announce("AH01614: client used wrong authentication scheme")
    answer = server.get("/basic/", bearer(live))
    assert answer.status == 401
    assert answer.header("WWW-Authenticate") == 'Basic realm="basic"'
