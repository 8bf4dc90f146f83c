# SPDX-License-Identifier: Apache-2.0
"""The examples of the documents: httpd accepts each block of configuration as it is printed, and programs their options.

A block is completed with what its reader has besides: the keys of recipes/site.conf, the modules of Debian's httpd and
those that the document tells of, the files that it names, and the section that its lines have to stand in."""

import os
import pathlib
import re
import shlex
import subprocess
import typing

import pytest
from clerk_emulator.certificates import Authority
from pyclerk import clerkctl, webhooks
from pyclerk.apxs import Apxs
from pyclerk.clerk import directives
from pyclerk.settings import ROWS

TOP = pathlib.Path(__file__).resolve().parents[2]
RECIPES = TOP / "docs/recipes"
PAGES = [TOP / "README.md", TOP / "SECURITY.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]
# What Debian's httpd loads when it is installed.
MODULES = ("access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex deflate dir env "
           "filter mime negotiation reqtimeout setenvif status").split()
# Who has lines of these has loaded their module, also where the document does not say so; recipes do.
OWNERS = {"AuthGroupFile": "authz_groupfile", "Header": "headers", "SSLEngine": "ssl"}
APXS = Apxs()
KEY = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
INSTANCES = "".join(f"<ClerkInstance {name}>\nClerkPublishableKey {KEY}\n</ClerkInstance>\n" for name in ("staff", "partners"))
REDIS = "LoadModule socache_redis_module modules/mod_socache_redis.so\nClerkSOCache redis:10.0.0.7\n"
# What examples cannot do without: (what is in one, lines that are not in it, what its section says of them).
WITH = [
    (r"^ClerkInstance staff|^ *ClerkHtaccessInstances", INSTANCES, "instance"),
    (r"^ClerkDomain", "ClerkSatellite On\nClerkSignInURL https://primary.example/sign-in\n", "ClerkSatellite"),
    (r"^ClerkKeepForms|^ClerkInjectScript", "ClerkPages /clerk\n", "ClerkPages"),
    (r"^ClerkSOCacheKey", REDIS, "that cache"),
    (r"^ClerkRevocationFailure", f"{REDIS}ClerkWebhookSecret file:/etc/apache2/clerk/webhook-secret\n"
     "ClerkSOCacheKey file:/etc/apache2/clerk/cache-key\n", "fleet"),
]
# What "..." in a line of its own stands for, by the line before it: it is the reader's own.
LEFT_OUT = {"SSLEngine on": "SSLCertificateFile conf/site.pem"}


class Example(typing.NamedTuple):
    page: pathlib.Path
    line: int
    text: str

    def __str__(self):
        return f"{self.page.relative_to(TOP)}:{self.line}"


def blocks(page, language):
    lines = page.read_text().splitlines()
    fences = [number for number, line in enumerate(lines) if re.match(r" *```", line)]
    for first, last in zip(fences[::2], fences[1::2]):
        if lines[first].strip() == f"```{language}":
            indent = len(lines[first]) - len(lines[first].lstrip())
            yield Example(page, first + 1, "".join(f"{line[indent:]}\n" for line in lines[first + 1:last]))


def synopsis():
    """The example of mod_auth_clerk(8)."""
    page = TOP / "docs/mod_auth_clerk.8"
    lines = page.read_text().splitlines()
    shown = [line.removeprefix(".Dl ").replace("\\(dq", '"').replace("\\ ", " ") for line in lines if line.startswith(".Dl ")]
    return Example(page, lines.index(".Sh SYNOPSIS") + 1, "\n".join(shown) + "\n")


EXAMPLES = [example for page in PAGES for example in blocks(page, "apache")] + [synopsis()]


def items(text):
    """(name, lines) of each directive or section that stands in no other; comments belong to what follows them."""
    depth, lines, name = 0, [], None
    for line in text.splitlines(keepends=True):
        lines.append(line)
        word = re.match(r"\s*(</?)?(\w+|\.\.\.)?", line)
        name = name or word[2]
        depth += {"<": 1, "</": -1}.get(word[1], 0)
        if name and not depth:
            yield name, "".join(lines)
            lines, name = [], None


ROW_OF = {row.directive: row for row in ROWS}
REQUIRE = {"Require", "RequireAll", "RequireAny"}
IN_SECTIONS = REQUIRE | {"AuthType", "AuthName", "AuthGroupFile", "RewriteBase"}  # nowhere else
IN_HTACCESS = IN_SECTIONS | {"Header", "If", "RewriteEngine", "RewriteRule", "RewriteCond", "SetEnvIfExpr"}


def stays_outside(name):
    """Whether a line cannot stand in a section, as docs/directives.md has it of the module's own."""
    return name == "LoadModule" or (name in ROW_OF and not ROW_OF[name].of_place)


def placed(example):
    """The text, with those of its lines in a section that cannot stand outside of one."""
    found = list(items(example.text))
    if not any(name in IN_SECTIONS for name, _ in found):
        return example.text
    inside = [pair for pair in found if not stays_outside(pair[0])]
    names = {name for name, _ in inside}
    type_of_auth = "AuthType Clerk\n" if names & REQUIRE and "AuthType" not in names else ""
    return ("".join(lines for name, lines in found if stays_outside(name))
            + f'<Directory "/srv/www/example">\n{type_of_auth}{"".join(lines for _, lines in inside)}</Directory>\n')


def section(example):
    """The text between the headings around an example."""
    lines, headings, fenced = example.page.read_text().splitlines(), [0], False
    for number, line in enumerate(lines):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and line.startswith(("#", ".Sh ")):
            headings.append(number)
    first = max(number for number in headings if number < example.line)
    return "\n".join(lines[first:min([len(lines), *(number for number in headings if number >= example.line)])])


def modules(example):
    """LoadModule lines of what Debian's httpd does not load, but the document tells the reader to."""
    told = section(example)
    if f"\n{example.text}" in "".join(f"\n{path.read_text()}" for path in RECIPES.iterdir()):
        told = "".join(re.findall(r"(?i)needs(.*\n(?:# .*\n)*)", told))
        told += "mod_proxy mod_proxy_fcgi" if re.search(r"\bPHP\b", told) else ""  # as in php-fpm.conf
    else:
        told += "".join(f"mod_{owner} " for word, owner in OWNERS.items() if re.search(rf"^\s*{word}\b", example.text, re.M))
    names = sorted(set(re.findall(r"mod_(\w+)", told)) - {*MODULES, "dav_svn"})
    lines = "".join(APXS.load(name) for name in names if APXS.has(name))
    if "mod_dav_svn" in told:
        named = os.environ.get("CLERK_MOD_DAV_SVN") or APXS.libexecdir / "mod_dav_svn.so"
        if not pathlib.Path(named).exists():
            pytest.skip("mod_dav_svn is not installed")
        lines += f'LoadModule dav_svn_module "{named}"\n'
    return lines


def completed(example, files):
    """What httpd reads."""
    text = placed(example)
    for before, stands_for in LEFT_OUT.items():
        text = re.sub(rf"^( *{before}\n) *\.\.\.$", rf"\1{stands_for}", text, flags=re.M)
    for pattern, lines, told in WITH:
        if re.search(pattern, example.text, re.M) and not set(lines.split()[:3]) & set(example.text.split()):
            assert told in section(example)
            text = lines + text
    if "LoadModule auth_clerk_module" not in text:
        site = "" if "site.conf" in text else (RECIPES / "site.conf").read_text()
        text = f"LoadModule auth_clerk_module modules/mod_auth_clerk.so\n{site}{text}"
    text = "".join(map(APXS.load, ["mpm_event", "watchdog", *MODULES])) + modules(example) + text
    return re.sub(r"/(?=etc/apache2/(?:clerk|recipes)/|etc/ssl/|srv/)", f"{files}/", text.replace("pk_live_...", KEY).replace("pk_test_...", KEY))


@pytest.fixture(scope="module")
def files(workdir, live):
    """What the documents tell the reader to have, below a directory of its own; and modules/ as ServerRoot has it."""
    root = workdir / "examples"
    clerk, recipes = root / "etc/apache2/clerk", root / "etc/apache2/recipes"
    certificates = root / "etc/ssl/certs"
    for directory in (root / "conf", root / "modules", root / "srv/www/example", clerk, recipes, certificates):
        directory.mkdir(parents=True)
    for path in APXS.libexecdir.glob("mod_*.so"):
        (root / "modules" / path.name).symlink_to(path)
    (root / "modules/mod_auth_clerk.so").unlink(missing_ok=True)
    (root / "modules/mod_auth_clerk.so").symlink_to(os.environ["CLERK_MODULE"])
    authority = pathlib.Path(Authority(root).file)
    for path in ("conf/site.pem", "etc/ssl/internal-ca.pem", "etc/ssl/certs/ca-certificates.crt"):
        (root / path).symlink_to(authority)
    secrets = {"secret-key": "sk_live_x", "staff-key": "sk_live_y", "machine-key": "ak_x", "cache-key": 64 * "0",
               "webhook-secret": webhooks.SECRETS[0], "jwt-key.pem": live.public_key_pem}
    for name, text in secrets.items():
        (clerk / name).write_text(text)
        (clerk / name).chmod(0o600)
    for path in RECIPES.glob("*.conf"):
        (recipes / path.name).write_text(re.sub(r"/(?=etc|srv/)", f"{root}/", path.read_text()))
    return root


def check(text, files):
    """What `httpd -t` says of a configuration: (exit code, text)."""
    base = f'ServerRoot "{files}"\nServerName localhost\nListen 127.0.0.1:80\nErrorLog "{files}/error.log"\n'
    (files / "conf/httpd.conf").write_text(base + text)
    done = subprocess.run([APXS.httpd, "-t", "-d", files, "-f", files / "conf/httpd.conf"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_httpd_takes_every_example(example, files):
    code, output = check(completed(example, files), files)
    print(output)
    assert code == 0 and "AC3" not in output, output


def is_for_htaccess(example):
    """Whether all of its lines may stand in .htaccess, as docs/directives.md has it of the module's own."""
    names = {name for name, _ in items(example.text)}
    return all(name in IN_HTACCESS or (name in ROW_OF and ROW_OF[name].group in ("SECTION", "POLICY")) for name in names)


def test_htaccess_takes_the_examples_that_may_stand_there(make_httpd, live):
    """httpd -t does not read these files; a request does, and gets 500 if there is a line that httpd refuses."""
    examples = [example for example in EXAMPLES if is_for_htaccess(example)]
    assert len(examples) > 30 and {"README.md:9", "docs/authorization.md:77"} <= set(map(str, examples))
    server = make_httpd()
    for number, example in enumerate(examples):
        server.write(f"{number}/.htaccess", example.text)
        server.write(f"{number}/index.html", "")
    instances = INSTANCES.replace(KEY, f"{live.publishable_key}\nClerkJWKSURL {live.jwks_url}")
    around = f'<Directory "{server.docroot}">\nAuthType Clerk\nRequire valid-user\nClerkHtaccessInstances staff\n</Directory>\n'
    server.configure(f"{directives(server, live, 'api')}ClerkPages /clerk\n{instances}{around}").start()
    server.log.announce("AC3123")  # a list that the server configuration has already
    answers = {str(example): server.get(f"/{number}/").status for number, example in enumerate(examples)}
    assert {place: status for place, status in answers.items() if status not in (200, 401, 403)} == {}


def commands():
    """Each command line of the documents that begins with clerkctl or a script, and where it is."""
    for page in PAGES:
        fenced = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            fenced ^= line.lstrip().startswith("```")
            for text in [line] if fenced or line.startswith("    ") else re.findall(r"`([^`]+)`", line):
                found = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*((?:clerkctl|scripts/\w+)\b[^#<|>]*)", text)
                if found:
                    yield pytest.param(shlex.split(found[1].replace("pk_live_...", KEY)), id=f"{page.relative_to(TOP)}:{number}")


@pytest.mark.parametrize("words", commands())
def test_programs_take_the_options_of_every_example(words):
    """clerkctl reads all of a command line before it prints its --help. Of a script, --help names each word; but not what
    scripts/test hands to pytest."""
    program, *arguments = words
    if program == "clerkctl":
        done = clerkctl.run(*arguments[:1], *(["--help"] if arguments[:1] != ["words"] else []), *arguments[1:])
        assert done.code == 0 and done.out, done
    assert program == "clerkctl" or os.access(TOP / program, os.X_OK)
    if program.startswith("scripts/") and arguments:
        text = subprocess.run([TOP / program, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True).stdout
        for word in arguments:
            of_pytest = program == "scripts/test" and not word.startswith("--")
            if of_pytest:
                assert (TOP / "tests" / word).exists() or not word.endswith(".py"), word
            else:
                assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text), (word, text)


def test_the_documents_have_examples_of_both():
    names = [param.values[0][0] for param in commands()]
    assert len(EXAMPLES) > 120 and names.count("clerkctl") > 15 and len({*names}) > 6
