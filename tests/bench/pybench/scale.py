# SPDX-License-Identifier: Apache-2.0
"""How the cost grows: with live tokens, instances, keys, Require lines and the size of a token.

Every point is a group of its own: a server without authentication and one with, under the same requests."""

import base64
import pathlib
import secrets
import time

from clerk_emulator.keys import base64url, publishable_key

from . import timing
from .contestants import Contestants
from .timing import Entry, Group, middle
from .tokens import Tokens

_ROUNDS = 3


class Published:
    """A key as a key set shows it, with a modulus that has no known factors: it is only there to be read."""

    def __init__(self, number):
        self.kid = f"ins_other{number:06d}"
        self._modulus = bytes([0xC0]) + secrets.token_bytes(254) + b"\x01"

    def jwk(self):
        return {"use": "sig", "kty": "RSA", "kid": self.kid, "alg": "RS256", "n": base64url(self._modulus), "e": "AQAB"}


class Scale:
    def __init__(self, cast, options, workdir, say):
        self.cast = cast
        self.options = options
        self.say = say
        self.tokens = Tokens(cast)
        self.make = Contestants(cast, options, pathlib.Path(workdir), options.mpms[0])
        self._number = 0

    def _point(self, label, build, headers, title, rounds=_ROUNDS, **entry):
        """One line of a table. `build(name)` makes the server."""
        self._number += 1
        reference = self.make.none(f"none{self._number}")
        server = build(f"clerk{self._number}")
        started = time.monotonic()
        server.start()
        started = time.monotonic() - started
        empty = server.memory() / 1024
        server.stop()
        group = Group(title, [Entry("none", reference, headers, **entry), Entry("mod_auth_clerk", server, headers, **entry)])
        timing.run(group, rounds, 1)
        mine, base = group.samples["mod_auth_clerk"], group.samples["none"]
        cpu, rest = middle([one.cpu for one in mine]), middle([one.cpu for one in base])
        self.say(f"| {label} | {cpu:.1f} | {cpu - rest:.1f} | {timing.spread(group.ratios('mod_auth_clerk'))} "
                 f"| {started * 1000:.0f} | {empty:.1f} | {mine[-1].memory:.1f} | {base[-1].memory:.1f} |")

    def _head(self, title, column):
        self.say(f"\n### {title}\n\n| {column} | CPU µs a request | µs above none | ratio to none (middle half) | start ms "
                 "| MiB at start | MiB after | none: MiB after |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")

    def live_tokens(self):
        """Every token is sent once before the measurement."""
        counts = [1, 1000, 10000, 100000] + ([1000000] if self.options.million else [])
        for memory in ("", "2G"):
            self._head(f"Live tokens, each sent in turn, ClerkSharedMemory {memory or 'not set'}", "tokens")
            before = f"ClerkSharedMemory {memory}\n" if memory else ""
            for count in counts:
                self._point(f"{count:,}", lambda name, before=before: self.make.clerk(name, before=before), self.tokens.headers(count),
                            "live", 1 if count > 100000 else _ROUNDS, once=count >= 10000)

    def instances(self):
        self._head("Instances, one token of the last", "instances")
        hosts = [f"clerk{number}.example.test" for number in range(1000)]
        for count in (1, 10, 100, 1000):
            text = "".join(
                f"<ClerkInstance i{number}>\nClerkPublishableKey {publishable_key(hosts[number], True)}\n"
                f"ClerkJWKSURL {self.cast.instance.jwks_url}\n</ClerkInstance>\n" for number in range(count))
            issuer = {"iss": f"https://{hosts[count - 1]}"}
            headers = self.tokens.headers(1, count, "instance", claims=issuer)
            chosen = f"ClerkInstance i{count - 1}"
            self._point(f"{count:,}", lambda name, text=text, chosen=chosen: self.make.clerk(name, before=text, more=chosen),
                        headers, "instances")

    def keys(self):
        for title, one_time in (("one token", False), ("tokens seen once", True)):
            self._head(f"Published keys, {title}", "keys")
            for count in (1, 10, 100):
                others = [Published(number) for number in range(count - 1)]
                for key in others:
                    self.cast.instance.add_key(key)
                try:
                    headers = self.tokens.headers(10000 if one_time else 1)
                    entry = {"once": True, "warm": self.tokens.repeated(500)} if one_time else {}
                    self._point(f"{count:,}", self.make.clerk, headers, "keys", **entry)
                finally:
                    for key in others:
                        self.cast.instance.remove_key(key.kid)

    def require_lines(self):
        self._head("Require clerk-role lines of which the last grants, one token", "lines")
        for count in (1, 10, 100, 1000):
            lines = tuple(f"clerk-role nobody{number}" for number in range(count - 1)) + ("clerk-role admin",)
            self._point(f"{count:,}", lambda name, lines=lines: self.make.clerk(name, lines), self.tokens.headers(1), "lines")

    def token_size(self):
        shapes = {"one long claim": lambda size: {"padding": base64.b64encode(secrets.token_bytes(size)).decode()[:size]},
                  "many small claims": lambda size: {f"claim{number:05d}": number for number in range(size // 20)}}
        for shape, claims in shapes.items():
            for title, one_time in (("one token", False), ("tokens seen once", True)):
                self._head(f"Token size, {shape}, {title}", "bytes more in the payload")
                for size in (0, 1000, 2000, 4000):
                    headers = self.tokens.headers(2000 if one_time else 1, 0, f"size-{shape[:4]}-{size}",
                                                  claims=claims(size))
                    entry = {"once": True, "warm": self.tokens.repeated(500)} if one_time else {}
                    self._point(f"{size:,}", self.make.clerk, headers, "size", **entry)


def run(cast, options, workdir, say):
    scale = Scale(cast, options, workdir, say)
    for part in (scale.live_tokens, scale.instances, scale.keys, scale.require_lines, scale.token_size):
        if not options.only or part.__name__ in options.only:
            part()
