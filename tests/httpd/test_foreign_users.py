# SPDX-License-Identifier: Apache-2.0
"""A user that another module has set is never taken for one that this module has authenticated: in any phase, by any
`Require`, and in no variable of the application."""

import pathlib
import ssl
import subprocess

import pytest
from pyclerk.client import Connection
from pyclerk.clerk import XHR, bearer, directives, protect

pytestmark = pytest.mark.mpm

HERE = pathlib.Path(__file__).resolve().parent
PHASES = ["post_read_request", "translate_name", "post_perdir_config", "header_parser", "access_checker", "access_checker_ex", "check_authn",
          "check_authz", "type_checker", "fixups", "late_fixups"]

# Place: (what it requires, the answer to a stranger). Every one of the first kind would let "mallory" in.
PLACES = {
    "valid-user": (("valid-user",), 401),
    "user": (("user mallory user_alice",), 401),
    "group": (("group crew",), 401),
    "dbm-group": (("dbm-group crew",), 401),
    "ldap-user": (("ldap-user mallory", "user user_alice"), 401),
    "expr-user": (("expr %{REMOTE_USER} in {'mallory', 'user_alice'}",), 401),
    "expr-not-empty": (("expr -n %{REMOTE_USER}",), 401),
    "role": (("clerk-role admin",), 401),
    "role-or-user": (("clerk-role admin", "valid-user"), 401),
    "optional": (("clerk-optional",), 200),
    "optional-or-user": (("clerk-optional", "valid-user"), 200),
    "granted": (("all granted",), 200),
}
OPEN = [place for place, (_, status) in PLACES.items() if status == 200]
CLOSED = [place for place, (_, status) in PLACES.items() if status == 401] + ["all-of", "not-actor", "none-of", "satisfy", "htaccess", "merged"]


def group(kind, *lines):
    return "\n".join([f"<{kind}>", *(f"    Require {line}" for line in lines), f"</{kind}>"])


@pytest.fixture(scope="module")
def server(make_httpd, live, build_module):
    server = make_httpd()
    for place in [*PLACES, *CLOSED]:
        server.cgi(f"{place}/env.cgi")
    server.write("group", "crew: mallory user_alice\n", base=server.root / "conf")
    dbm = server.root / "conf/dbm-group"
    subprocess.run(["perl", "-MSDBM_File", "-MFcntl", "-e", "tie my %h, 'SDBM_File', shift, O_RDWR | O_CREAT, 0644 or die $!; %h = @ARGV", dbm,
                    "mallory", "crew", "user_alice", "crew"], check=True)
    server.write("htaccess/.htaccess", "AuthType Clerk\nRequire valid-user\n")
    extra = {"group": (f'AuthGroupFile "{server.root}/conf/group"',),
             "dbm-group": (f'AuthDBMGroupFile "{dbm}"', "AuthzDBMType SDBM"),
             "ldap-user": ("AuthLDAPURL ldap://127.0.0.1:9/o=x?uid", "AuthLDAPBindAuthoritative Off")}
    nested = {"all-of": group("RequireAll", "valid-user", "user mallory user_alice"), "not-actor": group("RequireAll", "valid-user", "not clerk-actor"),
              "none-of": group("RequireAll", "valid-user", "not user eve")}
    server.configure(
        f'LoadModule foreign_user_module "{build_module("mod_foreign_user")}"\n' + directives(server, live)
        + "".join(protect(f"/{place}", lines, *extra.get(place, ())) for place, (lines, _) in PLACES.items())
        + "".join(protect(f"/{place}", (), text) for place, text in nested.items())
        + protect("/satisfy", ("valid-user",), "Satisfy Any", "Order deny,allow", "Deny from all")
        + protect("/merged", ("valid-user",)) + protect("/merged/env.cgi", ("user mallory user_alice",), "AuthMerging And"),
        modules=("authz_groupfile", "authz_dbm", "ldap", "authnz_ldap"),
    )
    return server.start()


def ask(server, place, phase, headers):
    return server.get(f"/{place}/env.cgi", {**headers, "X-Foreign-Phase": phase})


def seen(answer):
    """What the application sees of a user, under every name."""
    return {name: value for name, value in answer.env().items() if "mallory" in value or value == "Foreign" or name in ("REMOTE_USER", "AUTH_TYPE")}


def test_the_module_of_the_tests_sets_a_user(server):
    """Outside of AuthType Clerk it is httpd's business."""
    server.cgi("elsewhere/env.cgi")
    assert seen(ask(server, "elsewhere", "fixups", XHR)) == {"REMOTE_USER": "mallory", "AUTH_TYPE": "Foreign"}


@pytest.mark.parametrize("place", CLOSED)
def test_a3_a_foreign_user_is_asked_to_sign_in(server, place):
    for phase in PHASES:
        answer = ask(server, place, phase, XHR)
        # httpd itself may have refused the foreign user before.
        assert answer.status == 401 or (phase == "access_checker_ex" and answer.status == 403), phase
        assert "SERVER_SOFTWARE" not in answer.text, phase
        assert answer.reason == ("session-token-and-uat-missing" if answer.status == 401 else None), phase


@pytest.mark.parametrize("place", OPEN)
def test_a3_a_foreign_user_is_a_stranger_where_signing_in_is_optional(server, place):
    for phase in PHASES:
        answer = ask(server, place, phase, XHR)
        # A user who turns up between the two times that httpd looks at Require is no reason to let anybody in.
        assert answer.status == 200 or (phase == "access_checker_ex" and answer.status == 401), phase
        assert seen(answer) == {}, phase


@pytest.mark.parametrize("place", CLOSED + OPEN)
def test_a3_a_foreign_user_does_not_replace_ours(server, live, place):
    server.log.announce("AC3062")
    for phase in PHASES:
        answer = ask(server, place, phase, XHR | bearer(live, "alice", "acme"))
        if answer.status != 200:  # refused: set so late, or between two looks of httpd, that `Require` may have believed it
            assert (phase, answer.status) in (("check_authz", 500), ("access_checker_ex", 403)), answer
            continue
        assert phase != "check_authz" or place == "granted"
        # Without authentication (Require all granted) there is no user, as everywhere in httpd.
        assert seen(answer) in ({"REMOTE_USER": "user_alice", "AUTH_TYPE": "Clerk"}, {} if place == "granted" else None), phase


@pytest.mark.parametrize("place", CLOSED)
def test_a3_who_was_authenticated_by_another_module_is_refused(server, live, place):
    """Its hook comes before ours and answers, so Clerk was not asked, even where the request has a valid token."""
    server.log.announce("AC3062")
    for headers in (XHR, XHR | bearer(live, "alice", "acme")):
        answer = ask(server, place, "check_authn-ok", headers)
        assert answer.status == 500, answer
        assert "SERVER_SOFTWARE" not in answer.text


def test_a3_the_foreign_user_is_named_in_the_log(server):
    server.log.mark()
    ask(server, "valid-user", "access_checker", XHR)
    server.log.wait_for("AC3120: .*mallory")


def test_a3_a_variable_is_no_user_either(make_httpd, live):
    """httpd sets REMOTE_USER only where there is a user; for a stranger a program would see what SetEnvIf made of a header."""
    server = make_httpd()
    for place in ("optional", "granted", "members"):
        server.cgi(f"{place}/env.cgi")
    server.configure("SetEnvIf X-Evil (.*) REMOTE_USER=$1 remote_user=$1 AUTH_TYPE=Foreign\n" + directives(server, live) + protect("/members")
                     + protect("/optional", ("clerk-optional",)) + protect("/granted", ("all granted",)))
    server.start()
    for place in ("optional", "granted"):
        assert seen(server.get(f"/{place}/env.cgi", XHR | {"X-Evil": "mallory"})) == {"HTTP_X_EVIL": "mallory"}
    assert seen(server.get("/members/env.cgi", XHR | bearer(live) | {"X-Evil": "x"})) == {"REMOTE_USER": "user_alice", "AUTH_TYPE": "Clerk"}
    server.stop()


# SSLUserName


@pytest.fixture(scope="module")
def certificates(workdir):
    """A server's certificate, and one that a stranger has signed himself."""
    made = {}
    for name in ("server", "mallory"):
        key, certificate = workdir / f"{name}.key", workdir / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out",
                        certificate], check=True, capture_output=True)
        made[name] = (certificate, key)
    return made


@pytest.fixture(scope="module")
def tls(make_httpd, live, certificates):
    server = make_httpd()
    certificate, key = certificates["server"]
    for place in ("members", "optional", "fake-basic"):
        server.cgi(f"{place}/env.cgi")
    server.configure(
        f'SSLEngine On\nSSLCertificateFile "{certificate}"\nSSLCertificateKeyFile "{key}"\nSSLVerifyClient optional_no_ca\nSSLUserName SSL_CLIENT_S_DN_CN\n'
        + directives(server, live) + protect("/members") + protect("/optional", ("clerk-optional",))
        + protect("/fake-basic", ("valid-user",), "SSLOptions +FakeBasicAuth"),
        modules=("ssl",),
    )
    server.log.announce("AH01873", "AH01882", "AH01906", "AH01909")
    return server.start()


def over_tls(server, certificates, version, path, headers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(*certificates["mallory"])
    with Connection(server.port, tls=context) as connection:
        return connection.get(path, headers | {"Connection": "close"})


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS1.2", "TLS1.3"])
def test_a3_a_client_certificate_is_no_session(tls, live, certificates, version):
    def ask(place, headers):
        return over_tls(tls, certificates, version, f"/{place}/env.cgi", headers)

    assert ask("members", XHR).status == 401
    assert ask("fake-basic", XHR).status == 401
    assert seen(ask("optional", XHR)) == {}
    for place in ("members", "optional"):
        assert seen(ask(place, XHR | bearer(live))) == {"REMOTE_USER": "user_alice", "AUTH_TYPE": "Clerk"}
