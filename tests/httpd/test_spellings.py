# SPDX-License-Identifier: Apache-2.0
"""Fault B9: which spelling of a variable works where (directives.md "Where which spelling works")."""

import pytest
from pyclerk.clerk import XHR, bearer, directives, protect


@pytest.fixture(scope="module")
def server(make_httpd, live):
    server = make_httpd()
    server.write("members/page.html", "page")
    server.write("members/report.txt", "report")
    server.cgi("members/env.cgi")
    server.cgi("front/index.cgi")
    fields = "".join(f'Header set X-{name} "{value}"\n' for name, value in {
        "Env-User": "%{REMOTE_USER}e", "Env-Type": "%{AUTH_TYPE}e", "Env-Id": "%{CLERK_USER_ID}e",
        "Expr-User": "expr=%{REMOTE_USER}", "Expr-Type": "expr=%{AUTH_TYPE}", "Expr-Id": "expr=%{CLERK_USER_ID}"}.items())
    server.configure(
        directives(server, live)
        + f'<Directory "{server.docroot}">\nOptions ExecCGI\nAddHandler cgi-script .cgi\n</Directory>\n'
        + "Action show-it /front/index.cgi\n"
        + protect("/members", ["valid-user"], fields)
        + '<Location /members/report.txt>\nSetHandler show-it\n</Location>\n',
        modules=("actions",),
    )
    return server.start()


def test_headers_of_a_file(server, live):
    answer = server.get("/members/page.html", bearer(live) | XHR)
    said = {name: answer.header(f"X-{name}") for name in ("Env-User", "Env-Type", "Env-Id", "Expr-User", "Expr-Type", "Expr-Id")}
    assert said == {"Env-User": "(null)", "Env-Type": "(null)", "Env-Id": "user_alice",
                    "Expr-User": "user_alice", "Expr-Type": "Clerk", "Expr-Id": "user_alice"}


def test_a_program(server, live):
    env = server.get("/members/env.cgi", bearer(live)).env()
    assert (env["REMOTE_USER"], env["AUTH_TYPE"], env["CLERK_USER_ID"]) == ("user_alice", "Clerk", "user_alice")


def test_a_program_outside_the_protected_place(server, live):
    """Action: httpd gives the variables of the first request other names, and sets no user for the second."""
    env = server.get("/members/report.txt", bearer(live)).env()
    assert env["REDIRECT_CLERK_USER_ID"] == "user_alice"
    assert "CLERK_USER_ID" not in env and "REMOTE_USER" not in env
