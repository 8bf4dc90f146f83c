# SPDX-License-Identifier: Apache-2.0
"""B1: what is sent to another server passes <Directory>, <Files> and .htaccess; a start and the dump say so."""

import re

import pytest
from pyclerk.clerk import XHR, bearer, directives, protect

# (directives, URL, status for a stranger, whether a warning names them). TO is another server, ROOT the document root,
# in which app/ is protected.
DIRECTORY = "<Directory ROOT/app>\nAuthType Clerk\nRequire valid-user\n</Directory>\n"
FILES = '<Files "index.php">\nAuthType Clerk\nRequire valid-user\n</Files>\n'
MATCH = 'ProxyPassMatch "^/app/(.*\\.php)$" TO/$1\n'
ROWS = {
    "match": (DIRECTORY + MATCH, "/app/index.php", 200, True),
    "prefix": (DIRECTORY + "ProxyPass /app/ TO/\n", "/app/index.php", 200, True),
    "everything": (DIRECTORY + "ProxyPass / TO/\n", "/app/index.php", 200, True),
    "location": (DIRECTORY + "<Location /app>\nProxyPass TO\n</Location>\n", "/app/index.php", 200, True),
    "location-match": (DIRECTORY + '<LocationMatch "^/app/(.*)$">\nProxyPassMatch TO/$1\n</LocationMatch>\n', "/app/index.php", 200, True),
    "rewrite": (DIRECTORY + 'RewriteEngine On\nRewriteRule "^/app/(.*)$" TO/$1 [QSA,P,L]\n', "/app/index.php", 200, True),
    "rewrite-proxy": (DIRECTORY + 'RewriteEngine On\nRewriteRule "^/app/(.*)$" TO/$1 [proxy]\n', "/app/index.php", 200, True),
    "alias": ("Alias /other ROOT/app\n" + DIRECTORY + "ProxyPass /other/x TO\n", "/other/x", 200, True),
    "root": ("<Directory ROOT>\nAuthType Clerk\nRequire valid-user\n</Directory>\n" + MATCH, "/app/index.php", 200, True),
    "files": (FILES + MATCH, "/app/index.php", 200, True),
    "nested-files": ("<Directory ROOT/app>\n" + FILES + "</Directory>\n" + MATCH, "/app/index.php", 200, True),
    "directory-match": ("<DirectoryMatch ^ROOT/app>\nAuthType Clerk\nRequire valid-user\n</DirectoryMatch>\n" + MATCH, "/app/index.php", 200, True),
    "half-protected": (DIRECTORY + MATCH + '<Location /app/admin>\nAuthType Clerk\nRequire valid-user\n</Location>\n', "/app/index.php", 200, True),
    # what protects
    "by-location": (DIRECTORY + MATCH + "<Location /app>\nAuthType Clerk\nRequire valid-user\n</Location>\n", "/app/index.php", 401, False),
    "by-location-of-a-part": (DIRECTORY + 'ProxyPassMatch "^/(.*\\.php)$" TO/$1\n<Location /app>\nAuthType Clerk\nRequire valid-user\n</Location>\n',
                              "/app/index.php", 401, False),
    "by-root-location": (DIRECTORY + MATCH + "<Location />\nAuthType Clerk\nRequire valid-user\n</Location>\n", "/app/index.php", 401, False),
    "in-location": (DIRECTORY + "<Location /app>\nProxyPass TO\nAuthType Clerk\nRequire valid-user\n</Location>\n", "/app/index.php", 401, False),
    "by-proxy": (DIRECTORY + MATCH + '<Proxy "*">\nAuthType Clerk\nRequire valid-user\n</Proxy>\n', "/app/index.php", 401, False),
    # what is meant, and what is no bypass
    "meant": (DIRECTORY + MATCH + "<Location /app>\nRequire all granted\n</Location>\n", "/app/index.php", 200, False),
    "elsewhere": (DIRECTORY + "ProxyPass /api TO\n", "/app/index.php", 401, False),
    "excluded": (DIRECTORY + "ProxyPass /app !\nProxyPass / TO/\n", "/app/index.php", 401, False),
    "handler": ('<Directory ROOT/app>\nAuthType Clerk\nRequire valid-user\n<FilesMatch php$>\nSetHandler "proxy:TO"\n</FilesMatch>\n</Directory>\n',
                "/app/index.php", 401, False),
    "rewrite-in-directory": ("<Directory ROOT/app>\nAuthType Clerk\nRequire valid-user\nRewriteEngine On\nRewriteRule (.*) TO/$1 [P]\n</Directory>\n",
                             "/app/index.php", 401, False),
    "redirect": (DIRECTORY + 'RewriteEngine On\nRewriteRule "^/app/old$" "/app/new" [R]\n', "/app/index.php", 401, False),
    "open-directory": ("<Directory ROOT/app>\nRequire all granted\n</Directory>\n" + MATCH, "/app/index.php", 200, False),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_sent_past_a_directory(httpd, live, echo, name):
    text, url, status, warned = ROWS[name]
    text = text.replace("TO", echo.url.rstrip("/")).replace("ROOT", str(httpd.docroot))
    httpd.write("app/index.php", "text")
    httpd.configure(directives(httpd, live) + text)
    code, output = httpd.check("-D", "DUMP_CLERK")
    assert code == 0 and ("AC3150" in output) == warned, output
    if warned:
        directive, line = re.search(r"AC3150: (\w+) on line (\d+) of ", output).groups()
        assert httpd.conf.read_text().splitlines()[int(line) - 1].split()[0] == directive
        assert f"DEPENDS: protected by Clerk for files, but open where {directive} (" in output, output
        assert re.search(rf"^  {directive} .*:{line}\)\n    OPEN: sent to another server", output, re.M), output
        assert re.search(r"^Sections: 0 protected by Clerk, 0 optional, 1 OPEN", output, re.M) or name == "half-protected", output
        httpd.log.announce("AC3150")
    httpd.start()
    assert httpd.get(url, XHR).status == status
    if status == 401:
        assert httpd.get(url, XHR | bearer(live)).status == 200


def test_each_virtual_host_has_its_own_mappings(httpd, live, echo):
    """Virtual hosts inherit ProxyPass of the main server, but no rewrite rules; what one sends away, another does not."""
    hosts = "".join(
        f"<VirtualHost 127.0.0.1:{httpd.port}>\nServerName {name}.example\nDocumentRoot {httpd.docroot}\n{text}</VirtualHost>\n"
        for name, text in (("one", protect(f"{httpd.docroot}/app", kind="Directory")), ("two", f"ProxyPass /app {echo.url.rstrip('/')}\n"))
    )
    httpd.configure(directives(httpd, live) + hosts)
    code, output = httpd.check("-D", "DUMP_CLERK")
    assert code == 0 and "AC3150" not in output and "protected by Clerk\n" in output, output
