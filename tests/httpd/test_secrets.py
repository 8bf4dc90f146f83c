# SPDX-License-Identifier: Apache-2.0
"""Fault A2: what stays in a process. No secret is left in the environment of anything that httpd starts, whatever `.htaccess`, a program or
a page asks for, nor in the memory that a core dump would show."""

import base64
import os
import pathlib
import re
import signal

import pytest
from pyclerk.apxs import Apxs
from pyclerk.clerk import PARTY, XHR, bearer, cookie_header, directives, protect, session_cookies, token

pytestmark = pytest.mark.mpm

# Variable: (what the directives say about it, its value). All but the last two are secrets.
VARIABLES = ("OWN_SECRET", "CLERK_SECRET_KEY", "CLERK_JWT_KEY", "CLERK_WEBHOOK_SIGNING_SECRET", "CLERK_MACHINE_SECRET_KEY", "NAMED_SECRET")
PUBLIC = ("CLERK_PUBLISHABLE_KEY", "OTHER")
LEAKS = """
RewriteEngine On
RewriteCond %{{ENV:{name}}} (.+)
RewriteRule ^rewrite$ /leak/%1 [R]
RewriteCond expr "osenv('{name}') =~ /(.+)/"
RewriteRule ^expr$ /leak/%1 [R]
Header set X-Osenv expr=%{{osenv:{name}}}
Header set X-Env expr=%{{ENV:{name}}}
Header set X-Variable "%{{{name}}}e"
Header set X-Interpolated "${{{name}}}"
PassEnv {name}
"""


def value_of(name):
    """Short enough for everything, and found by its beginning wherever part of it is left."""
    if "WEBHOOK" in name:
        return "whsec_canarycanary3ofCLERKWEBHOOKSIGNINGSECRET"[:46]
    return f"sk_live_canary{VARIABLES.index(name)}of{name.replace('_', '')}"


def dump_php(name):
    return f"""<?php
header('Content-Type: text/plain');
var_dump(getenv('{name}'), getenv('{name}', true), $_ENV, $_SERVER, @file_get_contents('/proc/self/environ'));
"""


@pytest.fixture(scope="module")
def server(make_httpd, live, php, emulator):
    staff = emulator.add_instance(production=True, host="clerk.staff.test")
    server = make_httpd()
    server.cgi("env.cgi")
    server.write("page.shtml", "<!--#printenv -->" + "".join(f'<!--#echo var="{name}" -->' for name in VARIABLES)
                 + '<!--#exec cmd="env" -->')
    for name in (*VARIABLES, *PUBLIC):
        server.write(f"ht-{name}/.htaccess", LEAKS.format(name=name))
        server.write(f"ht-{name}/index.html", "x")
    server.write("env.lua", "function handle(r)\n" + "".join(f"  r:puts(tostring(os.getenv('{name}')) .. '\\n')\n" for name in (*VARIABLES, *PUBLIC))
                 + "  return apache2.OK\nend\n")
    server.write("env.php", "".join(dump_php(name) for name in VARIABLES[:1]))
    programs = {}
    for name in ("log", "exec", "filter"):
        programs[name] = server.write(f"{name}.sh", {
            "log": f"#!/bin/sh\nenv >>{server.root}/logs/piped.env\nexec cat >/dev/null\n",
            "exec": f"#!/bin/sh\n/usr/bin/env >>{server.root}/logs/exec.env\necho sk_live_fromprogram\n",
            "filter": "#!/bin/sh\ncat >/dev/null\nexec env\n"}[name], 0o755, server.root / "conf")
    server.env = {name: value_of(name) for name in VARIABLES} | {"CLERK_JWT_KEY": live.public_key_pem, "CLERK_PUBLISHABLE_KEY": live.publishable_key,
                                                                 "OTHER": "not secret", "OWN_SECRET": live.secret_key}
    named = directives(server, staff, parties=()) + "ClerkSecretKey env:NAMED_SECRET\n"
    third = f"ClerkPublishableKey {staff.publishable_key}\nClerkJWKSURL {staff.jwks_url}\nClerkSecretKey exec:{programs['exec']}\n"
    server.configure(
        f"ClerkSecretKey env:OWN_SECRET\nClerkAPIURL {live.url}\nClerkAuthorizedParties {PARTY} {server.origin()}\n"
        f"<ClerkInstance staff>\n{named}</ClerkInstance>\n<ClerkInstance third>\n{third}</ClerkInstance>\n"
        + protect("/members") + protect("/staff", ("valid-user",), "ClerkInstance staff")
        + f'<FilesMatch "\\.php$">\nSetHandler "{php.handler}"\n</FilesMatch>\n<Files env.lua>\nSetHandler lua-script\n</Files>\n'
        "<Location /info>\nSetHandler server-info\n</Location>\n<Location /server-status>\nSetHandler server-status\n</Location>\n"
        "<Location /clerk-status>\nSetHandler clerk-status\nRequire local\n</Location>\n"
        f'ExtFilterDefine printenv mode=output cmd="{programs["filter"]}"\n<Location /filtered>\nSetOutputFilter printenv\n</Location>\n'
        f'CustomLog "|{programs["log"]}" common\nCustomLog "|${programs["log"]}" common\n',
        modules=("lua", "ext_filter"))
    server.write("members/index.html", "members only\n")
    server.write("filtered/index.html", "x")
    server.log.announce("AH01506", "AH00111")
    return server.start()


def found(server, text):
    """The secrets that a text has."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return [name for name in VARIABLES if server.env[name][:24] in text]


def everything(server):
    """Whatever a visitor, or the author of a page, can ask for."""
    answers = {"cgi": server.get("/env.cgi"), "ssi": server.get("/page.shtml"), "lua": server.get("/env.lua"), "php": server.get("/env.php"),
               "info": server.get("/info"), "status": server.get("/server-status"), "clerk-status": server.get("/clerk-status?json"),
               "filter": server.get("/filtered/index.html")}
    for name in VARIABLES:
        answers |= {f"{name} {way}": server.get(f"/ht-{name}/{way}") for way in ("", "rewrite", "expr")}
    return {where: f"{answer.headers} {answer.text}" for where, answer in answers.items()}


def check(server):
    server.log.announce("AH01506", "AH00111", "AH01071")
    assert {where: found(server, text) for where, text in everything(server).items() if found(server, text)} == {}
    # The parent and whatever it has started: children, mod_cgid's daemon, piped logs.
    environments = server.read_proc("environ")
    assert server.process.pid in environments and len(environments) > 2
    assert {pid: found(server, text) for pid, text in environments.items() if found(server, text)} == {}
    for name in ("piped", "exec"):
        text = (server.root / f"logs/{name}.env").read_text()
        assert text and found(server, text) == [], name


def refreshed(server, live):
    """The secret is there for what needs it: an expired session is renewed by the Backend API."""
    session = live.create_session("alice")
    cookies = session_cookies(live, token(live, session=session, age=300))
    before = live.count("refresh")
    answer = server.get("/members/", {"Sec-Fetch-Dest": "document", "Accept": "text/html"}
                        | cookie_header(cookies | {f"__refresh_{live.cookie_suffix}": live.refresh_token(session)}))
    return answer.status, live.count("refresh") - before


def test_the_probes_find_what_is_no_secret(server):
    """Otherwise they would prove nothing."""
    server.log.announce("AH01506", "AH00111")
    value = server.env["CLERK_PUBLISHABLE_KEY"]
    assert value in server.get("/ht-CLERK_PUBLISHABLE_KEY/rewrite").location and value in server.get("/ht-CLERK_PUBLISHABLE_KEY/expr").location
    answer = server.get("/ht-OTHER/")
    assert [answer.header(f"X-{name}") for name in ("Osenv", "Env", "Variable", "Interpolated")] == ["not secret", "not secret", "not secret", "not secret"]
    assert "not secret" in server.get("/env.lua").text
    assert "OTHER=not secret" in (server.root / "logs/piped.env").read_text()


def test_a2_no_secret_is_left_in_an_environment(server, live):
    check(server)
    assert server.get("/members/", XHR | bearer(live)).status == 200
    assert refreshed(server, live) == (200, 1)


@pytest.mark.parametrize("how", [signal.SIGUSR1, signal.SIGHUP])
def test_a2_after_a_restart_the_same(server, live, how):
    """The parent reads the variables anew."""
    for _ in range(2):
        server.log.mark()
        server.process.send_signal(how)
        server.log.wait_for("resuming normal operations")
        check(server)
        assert refreshed(server, live) == (200, 1)
        assert server.get("/staff/").status == 401


def test_a2_a_program_that_gives_a_secret_gets_none(server):
    """It runs with an empty environment (but for what its shell sets)."""
    lines = (server.root / "logs/exec.env").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines} <= {"PWD", "OLDPWD", "SHLVL", "_"}


def readable(pid):
    """What a core dump of the process would have: its memory, but for mappings that are marked (dd)."""
    maps = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", pathlib.Path(f"/proc/{pid}/smaps").read_text(), flags=re.M)
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for text in maps[1:]:
            start, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", text).groups()
            flags = re.search(r"^VmFlags:(.*)$", text, re.M).group(1).split()
            if "dd" not in flags and "io" not in flags and rights.startswith("rw"):
                memory.seek(int(start, 16))
                yield memory.read(int(end, 16) - int(start, 16))


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of other processes")
def test_a2_a_core_dump_shows_no_secret(make_httpd, live):
    """Of a process that has made no outbound call yet: libcurl keeps copies of what it sent."""
    server = make_httpd()
    secret, other, third = "sk_live_" + "fromfile" * 4, "sk_live_" + "fromenvironment" * 3, "sk_live_" + "fromprogram" * 4
    path = server.secret_file("secret", secret + "\n")
    program = server.write("secret.sh", f"#!/bin/sh\nexec /bin/cat {server.secret_file('third', third)}\n", 0o755, server.root / "conf")
    server.env = {"SOME_SECRET": other, "CLERK_WEBHOOK_SIGNING_SECRET": "whsec_" + "webhook" * 8,
                  "NEW_HOOK": "whsec_" + "newhook" * 8}
    instance = f"ClerkPublishableKey {live.publishable_key}\nClerkJWKSURL {live.jwks_url}\n"
    server.configure(
        f"{instance}ClerkSecretKey file:{path}\nClerkAuthorizedParties {PARTY}\n"
        f"<ClerkInstance w>\n{instance}ClerkWebhookSecret env:CLERK_WEBHOOK_SIGNING_SECRET env:NEW_HOOK\n</ClerkInstance>\n"
        + "".join(f"<ClerkInstance {name}>\n{instance}ClerkSecretKey {ref}\n</ClerkInstance>\n"
                  for name, ref in (("b", "env:SOME_SECRET"), ("c", f"exec:{program}"))) + protect("/members"))
    server.start()
    server.get("/")
    for pid in server.children():
        memory = b"".join(readable(pid))
        assert len(memory) > 100000
        for value in (secret, other, third, "webhook" * 8, "newhook" * 8):
            assert value.encode() not in memory, (pid, value)
        for value in ("webhook" * 8, "newhook" * 8):
            assert base64.b64decode(value) not in memory, (pid, value)
    server.stop()


@pytest.mark.skipif(not (os.environ.get("CLERK_MOD_PHP") or list(Apxs().libexecdir.glob("libphp*.so"))), reason="mod_php is not installed")
def test_a2_mod_php(make_httpd, live):
    module = os.environ.get("CLERK_MOD_PHP") or str(sorted(Apxs().libexecdir.glob("libphp*.so"))[-1])
    server = make_httpd(mpm="prefork")
    server.write("env.php", dump_php("OWN_SECRET"))
    server.write("other.php", dump_php("OTHER"))
    server.env = {"OWN_SECRET": "sk_live_canary", "OTHER": "not secret"}
    server.configure(f'LoadModule php_module "{module}"\n<FilesMatch "\\.php$">\nSetHandler application/x-httpd-php\n</FilesMatch>\n'
                     + directives(server, live) + "ClerkSecretKey env:OWN_SECRET\n")
    server.start()
    assert "not secret" in server.get("/other.php").text
    answer = server.get("/env.php")
    assert answer.status == 200 and "canary" not in answer.text
    server.stop()
