# SPDX-License-Identifier: Apache-2.0
"""The emulated Clerk instance, its tokens, and the sections that protect the document with each contestant's module."""

import pathlib

from clerk_emulator import Key
from pyclerk.clerk import PARTY, cookie_header, directives, session_cookies

DAY = 86400


class Cast:
    """The key is kept in `directory`, so that tokens kept there can be used in later runs."""

    def __init__(self, emulator, directory):
        self.emulator = emulator
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        kept = self.directory / "key.pem"
        if not kept.exists():
            kept.write_text(Key.generate().private_pem, encoding="ascii")
            kept.chmod(0o600)
        self.key = Key.from_pem(kept.read_text(encoding="ascii"), "ins_benchmark")
        self.instance = emulator.add_instance(production=True, host="clerk.example.test", key=self.key)
        # The same over TLS, for the module that requires it.
        self.tls_jwks_url = emulator.add_listener([self.instance], tls=True).url + "/.well-known/jwks.json"

    def token(self, **options):
        """A token of a member of an organization, with role, permissions and features, good for a day."""
        options.setdefault("ttl", DAY)
        return self.instance.mint("alice", org="acme", origin=PARTY, **options)

    def header(self, token):
        return f"Bearer {token}"

    def cookie(self, token):
        """The Cookie header of a signed-in browser: the plain and the suffixed names, as Clerk sets both."""
        return cookie_header(session_cookies(self.instance, token))["Cookie"]

    def another(self, host):
        """A further instance with the same key."""
        return self.emulator.add_instance(production=True, host=host, key=self.key)

    def clerk(self, server, requires=("valid-user",), keys="pem", more="", document="bench.txt"):
        """The server's text with this module: its directives and the protected document."""
        inner = ["AuthType Clerk", 'AuthName "bench"', more, *(f"Require {one}" for one in requires)]
        return directives(server, self.instance, keys) + "ClerkStateDir none\n" + sections(**{document[:-4]: inner})


def sections(bench=("Require all granted",), other=("Require all granted",)):
    """Two documents with a section each, so that every server has the same number of sections to look through."""
    return "".join(f"<Files {name}.txt>\n" + "".join(f"    {line}\n" for line in lines if line) + "</Files>\n"
                   for name, lines in (("bench", bench), ("other", other)))
