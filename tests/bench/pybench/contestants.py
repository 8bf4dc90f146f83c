# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared. Each protects /bench.txt in its own way and is otherwise the same."""

import os
import pathlib
import socket
import subprocess
import time

from pyclerk.clerk import PARTY
from pyclerk.httpd import free_port

from .cast import sections
from .server import BODY, PAGE, BenchServer, process_seconds, proportional_memory


class Contestants:
    """Makes the servers for one MPM. `options` has module, bare, peers (a directory or "") and express (a directory or "")."""

    def __init__(self, cast, options, workdir, mpm):
        self.cast = cast
        self.options = options
        self.workdir = pathlib.Path(workdir)
        self.mpm = mpm

    def _server(self, name):
        return BenchServer(self.workdir / f"{self.mpm}-{name}", self.mpm, self.options.module)

    @property
    def _load(self):
        return f'LoadModule auth_clerk_module "{self.options.module}"\n'

    def none(self, name="none", **tuning):
        """No authentication: the reference."""
        return self._server(name).set_up(sections(), **tuning)

    def loaded(self):
        """This module, which protects another document."""
        server = self._server("loaded")
        return server.set_up(self.cast.clerk(server, document="other.txt"), self._load)

    def clerk(self, name="clerk", requires=("valid-user",), more="", keys="public", before="", **tuning):
        """This module. `more` goes into the section, `before` in front of everything."""
        server = self._server(name)
        return server.set_up(before + self.cast.clerk(server, requires, keys, more), self._load, **tuning)

    def api_keys(self):
        """This module, which takes API keys too, and asks the Backend API about each once."""
        return self.clerk("api-keys", more="ClerkAcceptTokens session api-key", keys="api", before="ClerkTokenCacheTTL 1h\n")

    def page(self, name, script):
        """This module before an HTML page of 100 KB, to which `script` (of ClerkInjectScript) adds or does not."""
        # Added only for a browser's navigation, as which the load passes by this field.
        server = self.clerk(name, more=f"ForceType text/html\n    ClerkInjectScript {script}",
                            before="ClerkPages /clerk\nRequestHeader set Accept text/html early\n")
        (server.docroot / "bench.txt").write_text(PAGE, encoding="ascii")
        return server

    def bare(self):
        """mod_bench_bare.c: verifies the signature of every request, without a cache."""
        server = self._server("bare")
        key = server.write("key.pem", self.cast.instance.public_key_pem, base=server.root / "conf")
        text = (f'BareKeyFile "{key}"\nBareIssuer {self.cast.instance.issuer}\nBareAuthorizedParty {PARTY}\n'
                + sections(("AuthType Bare", 'AuthName "bench"', "Require valid-user")))
        return server.set_up(text, f'LoadModule bench_bare_module "{self.options.bare}"\n')

    def _peer(self, name, module, text, inner):
        directory = pathlib.Path(self.options.peers)
        server = self._server(name)
        server.env["LD_LIBRARY_PATH"] = ":".join(str(path) for path in sorted(directory.glob("usr/lib/*-linux-gnu*")))
        path = directory / f"usr/lib/apache2/modules/mod_{module}.so"
        return server.set_up(text + sections(inner), f'LoadModule {module}_module "{path}"\n')

    def openidc(self):
        """mod_auth_openidc as a resource server (RFC 6750) with the same key set."""
        return self._peer(
            "openidc", "auth_openidc",
            f"OIDCCryptoPassphrase benchmark\nOIDCOAuthVerifyJwksUri {self.cast.tls_jwks_url}\n"
            "OIDCOAuthSSLValidateServer Off\n"
            "OIDCOAuthRemoteUserClaim sub\n",
            ("AuthType oauth20", 'AuthName "bench"', "Require valid-user"))

    def oauth2(self):
        """mod_oauth2 with the same key set."""
        return self._peer(
            "oauth2", "oauth2", "",
            ("AuthType oauth2", 'AuthName "bench"', f"OAuth2TokenVerify jwks_uri {self.cast.instance.jwks_url}",
             "Require valid-user"))

    def express(self):
        return NodeServer(self.options.express, self.cast, self.workdir / "express")


class NodeServer:
    """@clerk/express in one process, as `node server.mjs` runs it."""

    def __init__(self, directory, cast, root):
        self.directory = directory
        self.cast = cast
        self.root = pathlib.Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def start(self):
        document = self.root / "bench.txt"
        document.write_text(BODY, encoding="ascii")
        instance = self.cast.instance
        env = {**os.environ, "PORT": str(self.port), "NODE_ENV": "production", "DOCUMENT": str(document),
               "CLERK_PUBLISHABLE_KEY": instance.publishable_key, "CLERK_SECRET_KEY": instance.secret_key,
               "CLERK_JWT_KEY": instance.public_key_pem, "AUTHORIZED_PARTY": PARTY, "CLERK_TELEMETRY_DISABLED": "1"}
        with open(self.root / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["node", f"{self.directory}/server.mjs"], env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.root / "log").read_text()) from None
                time.sleep(0.05)

    def stop(self):
        process, self.process = self.process, None
        if process:
            process.terminate()
            process.wait(10)

    def cpu_seconds(self):
        return process_seconds(self.process.pid)

    def memory(self):
        return proportional_memory(self.process.pid)
