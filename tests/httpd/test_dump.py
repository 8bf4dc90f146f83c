# SPDX-License-Identifier: Apache-2.0
"""`httpd -t -D DUMP_CLERK`: how each section is protected, before a request is made."""

import re

import pytest
from pyclerk.clerk import directives, protect

BASIC = '    AuthType Basic\n    AuthName basic\n    AuthUserFile "/dev/null"\n'


@pytest.fixture(scope="module")
def checker(make_httpd):
    return make_httpd()


def dump(server, live, text, **options):
    """{title: [lines]} of all sections, and the whole text."""
    server.configure(directives(server, live) + text, **options)
    code, output = server.check("-D", "DUMP_CLERK")
    assert code == 0 and "Syntax OK" in output, output
    sections, lines = {}, None
    for line in output.splitlines():
        title = re.match(r"  (<.*?>) \(.*:\d+\)$|  \((everywhere)\)$", line)
        if title:
            lines = sections.setdefault(title[1] or title[2], [])
        elif not line.startswith("    "):
            lines = None
        elif lines is not None:
            lines.append(line.strip())
    return sections, output


# (configuration, section, verdict)
VERDICTS = [
    (protect("/a"), "<Location /a>", "protected by Clerk"),
    (protect("/a", ["clerk-optional"]), "<Location /a>", "optional: "),
    (protect("/a", []), "<Location /a>", "OPEN: AuthType Clerk, but no Require"),
    (protect("/a", ["all granted"]), "<Location /a>", "OPEN: Require all granted"),
    (protect("/a", ["valid-user", "all granted"]), "<Location /a>", "OPEN: Require all granted"),
    (protect("/a", ["all denied"]), "<Location /a>", "closed: "),
    (protect("/a", [], "<Limit POST>", "Require valid-user", "</Limit>"), "<Location /a>", "DEPENDS: every Require stands under a condition"),
    (protect("/a", [], "<RequireAll>", "Require all granted", "Require clerk-role admin", "</RequireAll>"), "<Location /a>", "protected by Clerk"),
    (protect("/a") + "<Location /a/b>\n    Require all granted\n</Location>\n", "<Location /a/b>", "OPEN: Require all granted"),
    (protect("/a") + "<Location /a/b>\n    ClerkTokenSources header\n</Location>\n", "<Location /a/b>", "protected by Clerk"),
    (protect("/a") + "<Location /ab>\n    Require clerk-role admin\n</Location>\n", "<Location /ab>",
     "NOT PROTECTED BY CLERK: Require clerk-... without AuthType"),
    ("<Location /a>\n    Require valid-user\n</Location>\n", "<Location /a>", "NOT PROTECTED: a user is required, but no AuthType"),
    (f"<Location /a>\n{BASIC}    Require clerk-role admin\n</Location>\n", "<Location /a>", "NOT PROTECTED BY CLERK: Require clerk-... under another"),
    (f"<Location /a>\n{BASIC}    Require valid-user\n</Location>\n", "<Location /a>", "not by Clerk"),
    ("<Location /a>\n    Require ip 127.0.0.1\n</Location>\n", "<Location /a>", "not by Clerk"),
    ("<Location />\n    AuthType Clerk\n    Require valid-user\n</Location>\n", "<Location />", "protected by Clerk"),
    ('<LocationMatch "^/o/(?<slug>[^/]+)">\n    AuthType Clerk\n    Require clerk-org %{env:MATCH_SLUG}\n</LocationMatch>\n',
     '<LocationMatch "^/o/(?<slug>[^/]+)">', "protected by Clerk"),
    ("<Directory /srv/a>\n    AuthType Clerk\n    Require valid-user\n</Directory>\n<Location /x>\n    Require clerk-org\n</Location>\n",
     "<Location /x>", "DEPENDS on what else applies"),
    ("<Directory /srv/a>\n    AuthType Clerk\n    Require valid-user\n</Directory>\n<Directory /srv/a/b>\n    Require clerk-org\n</Directory>\n",
     "<Directory /srv/a/b>", "protected by Clerk"),
    ('<Directory /srv/a>\n    AuthType Clerk\n    Require valid-user\n    <FilesMatch "^\\.ht">\n        Require all denied\n    </FilesMatch>\n</Directory>\n',
     '<FilesMatch "^\\.ht">', "closed: "),
    # B8: conditions are sections of their own, and one of a complete chain is always in force
    (protect("/a", [], '<If "%{QUERY_STRING} == \'q\'">', "Require valid-user", "</If>", "<Else>", "Require clerk-org", "</Else>"),
     "<Location /a>", "protected by Clerk"),
    (protect("/a", [], '<If "%{QUERY_STRING} == \'q\'">', "Require valid-user", "</If>", "<Else>", "Require all granted", "</Else>"),
     "<Location /a>", "DEPENDS"),
    (protect("/a", [], '<If "true">', "Require valid-user", "</If>"), "<Location /a>", "OPEN: AuthType Clerk"),
    (protect("/a", [], '<If "true">', "Require valid-user", "</If>"), '<If "true">', "protected by Clerk"),
    (protect("/a", ["valid-user"], '<If "true">', "Require all granted", "</If>"), "<Location /a>", "protected by Clerk"),
    (protect("/a", ["valid-user"], '<If "true">', "Require all granted", "</If>"), '<If "true">', "OPEN: Require all granted"),
    ('<Location /a>\n    <If "true">\n        AuthType Clerk\n        Require valid-user\n    </If>\n</Location>\n', '<If "true">', "protected by Clerk"),
    ('<DirectoryMatch "^/srv/a">\n    <Files x>\n        Require all denied\n    </Files>\n</DirectoryMatch>\n<Directory /srv/b>\n'
     "    AuthType Clerk\n    Require valid-user\n</Directory>\n", "<Directory /srv/b>", "protected by Clerk"),
    # a pattern's paths need not be below the path that they begin with
    (protect("/a") + '<LocationMatch "^/a.*html">\n    ClerkTokenSources header\n</LocationMatch>\n', '<LocationMatch "^/a.*html">', "DEPENDS"),
    # a part that stands before the whole: its Require is in force where the whole has none
    ("<Location /a/b>\n    Require clerk-org\n</Location>\n" + protect("/a", []), "<Location /a>", "DEPENDS"),
    ("<Directory /srv/a>\n    AuthType Clerk\n    Require valid-user\n    <If true>\n        AuthType Clerk\n    </If>\n</Directory>\n"
     "<Directory /srv/a/b>\n    Require all granted\n</Directory>\n", "<If true>", "DEPENDS"),
    # what strangers get, evaluated as httpd does
    (protect("/a", [], "<RequireAll>", "Require all granted", "Require not clerk-actor", "</RequireAll>"), "<Location /a>", "OPEN: "),
    (protect("/a", [], "<RequireAny>", "Require valid-user", "Require ip 10.0.0.1", "</RequireAny>"), "<Location /a>",
     "protected by Clerk, except where Require ip 10.0.0.1"),
    (protect("/a", ["valid-user"], "Satisfy Any"), "<Location /a>", "DEPENDS: Satisfy Any"),
    (protect("/a") + "<Location /a/b>\n    AuthMerging Or\n    Require all granted\n</Location>\n", "<Location /a/b>", "OPEN: Require all granted"),
    (protect("/a") + "<Location /a/b>\n    AuthMerging And\n    Require all granted\n</Location>\n", "<Location /a/b>", "protected by Clerk"),
]


@pytest.mark.parametrize("text,section,verdict", VERDICTS, ids=range(len(VERDICTS)))
def test_verdict(checker, live, text, section, verdict):
    sections, output = dump(checker, live, text)
    assert sections[section][0].startswith(verdict), output


def test_the_description_of_a_section(checker, live):
    sections, output = dump(
        checker, live,
        f"<ClerkInstance staff>\n    ClerkPublishableKey {live.publishable_key}\n    ClerkJWKSURL {live.jwks_url}\n</ClerkInstance>\n"
        + protect("/a", [], "ClerkInstance staff", "ClerkTokenSources header", "<RequireAny>", "Require clerk-role admin owner",
                  "<RequireAll>", "Require not clerk-org acme", "Require valid-user", "</RequireAll>", "</RequireAny>", "Satisfy Any")
        + "<Location /a/b>\n    Require clerk-org\n</Location>\n",
    )
    lines = "\n".join(sections["<Location /a>"])
    assert re.search(r"^AuthType +Clerk$", lines, re.M)
    assert re.search(r"^instance +staff$", lines, re.M)
    assert re.search(r"^accepts +session tokens from header$", lines, re.M)
    assert re.search(
        r"^requires +<RequireAny>\nclerk-role admin owner\n<RequireAll>\nnot clerk-org acme\nvalid-user$", lines, re.M
    ), lines
    assert "Satisfy Any: an allowed address is let in without signing in" in lines
    inner = "\n".join(sections["<Location /a/b>"])
    assert re.search(r"^requires +clerk-org$", inner, re.M)
    assert re.search(r"^instance +staff  \[from <Location /a> \(.*:\d+\)\]$", inner, re.M), inner
    assert "instance: default (production, clerk.example.test)" in output


def test_the_credentials_that_a_section_takes(checker, live):
    sections, _ = dump(checker, live, "".join(protect(path, ["valid-user"], *more) for path, more in (
        ("/a", ["ClerkAcceptTokens session api-key", "ClerkAcceptBasic On"]), ("/b", ["ClerkAcceptTokens m2m oauth"]),
        ("/c", ["ClerkAcceptTokens ANY"]), ("/d", []))))
    both, from_both = "accepts     API keys, M2M tokens, OAuth tokens", "accepts     session tokens from header and cookie"
    for path, expected in (("/a", ["accepts     API keys, also as the password of Basic", from_both]), ("/b", ["accepts     M2M tokens, OAuth tokens"]),
                           ("/c", [both, from_both]), ("/d", [from_both])):
        assert [line for line in sections[f"<Location {path}>"] if line.startswith("accepts")] == expected


def test_a_section_inside_another_says_so(checker, live):
    sections, output = dump(
        checker, live,
        '<DirectoryMatch "^/srv/a">\n    <Files x>\n        AuthType Clerk\n        Require valid-user\n    </Files>\n</DirectoryMatch>\n',
    )
    assert re.match(r'inside +<DirectoryMatch "\^/srv/a"> \(.*:\d+\)$', sections["<Files x>"][1]), output


# B7: (directive of the document root, what the dump says of an open <Location> below it)
REDIRECTORS = [
    ("", "OPEN: Require all granted"),
    ("FallbackResource /index.php", "DEPENDS: open, but where FallbackResource ("),
    ("RewriteEngine On\nRewriteRule . /index.php [L]", "DEPENDS: open, but where RewriteRule ("),
    ("RewriteEngine On\nRewriteRule . - [E=X:1]", "OPEN: Require all granted"),
    ("Action application/x-php /cgi-bin/php", "DEPENDS: open, but where Action ("),
]


@pytest.mark.parametrize("line,verdict", REDIRECTORS, ids=range(len(REDIRECTORS)))
def test_an_open_url_of_a_front_controller(checker, live, line, verdict):
    text = protect(f'"{checker.docroot}"', ["valid-user"], line, kind="Directory") + "<Location /hook>\n    Require all granted\n</Location>\n"
    sections, output = dump(checker, live, text, modules=("actions",))
    assert sections["<Location /hook>"][0].startswith(verdict), output


def test_lines_and_files_are_named(checker, live):
    _, output = dump(checker, live, protect("/a"))
    number = next(n for n, line in enumerate(checker.conf.read_text().splitlines(), 1) if line == "<Location /a>")
    assert f"<Location /a> ({checker.conf}:{number})" in output


def test_virtual_hosts(checker, live):
    _, output = dump(
        checker, live,
        protect("/everywhere")
        + f"<VirtualHost *:81>\nServerName one.example\n{protect('/one')}</VirtualHost>\n"
        + "<VirtualHost *:81>\nServerName two.example\n"
        + f"ClerkPublishableKey pk_test_aGFwcHktaGlwcG8tMS5jbGVyay5hY2NvdW50cy5kZXYk\n{protect('/two', [])}</VirtualHost>\n",
    )
    main, one, two = re.split(r"^(?=Virtual host )", output, flags=re.M)
    assert "Main server" in main and "<Location /everywhere>" in main
    assert one.startswith("Virtual host one.example") and "<Location /one>" in one and "production" in one
    assert "(development, happy-hippo-1.clerk.accounts.dev)" in two and "OPEN: AuthType Clerk" in two
    assert re.search(r"^Sections: 2 protected by Clerk, 0 optional, 1 OPEN, 0 that depend, 0 that let nobody in$", output, re.M), output


def test_no_secret_and_nothing_without_the_define(checker, live):
    checker.configure(directives(checker, live, keys="api") + protect("/a"))
    _, output = checker.check("-D", "DUMP_CLERK")
    assert "with a secret key" in output and live.secret_key not in output
    _, output = checker.check()
    assert "protected by Clerk" not in output


def test_a_server_without_the_module_directives(checker):
    checker.configure("")
    code, output = checker.check("-D", "DUMP_CLERK")
    assert code == 0 and "instance: none" in output


@pytest.mark.parametrize("text,warned", [
    ("", True),
    ("    Require local\n", False),
    ("    Require all granted\n", True),
    ("    AuthType Clerk\n    Require clerk-role admin\n", False),
    ("    Require all denied\n", False),
], ids=["nothing", "local", "granted", "role", "denied"])
def test_an_open_status_page_is_warned_of(checker, live, text, warned):
    checker.configure(directives(checker, live) + f"<Location /status>\n    SetHandler clerk-status\n{text}</Location>\n")
    code, output = checker.check()
    assert code == 0 and ("AC3025" in output) == warned, output
