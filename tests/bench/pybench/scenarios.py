# SPDX-License-Identifier: Apache-2.0
"""What is measured: the groups of rows, for each process model."""

import dataclasses
import json
import pathlib

from . import reach, timing
from .contestants import Contestants
from .timing import Entry, Group
from .tokens import Tokens

COLD = 50000
FEW = 2000  # of the tokens that make a peer fetch its key set
REQUIRES = ("clerk-role admin", "clerk-org acme", "clerk-permission org:invoices:read")


class Bench:
    def __init__(self, cast, options, workdir, mpm):
        self.tokens = Tokens(cast)
        self.make = Contestants(cast, options, workdir, mpm)
        self.options = options
        self.mpm = mpm
        self.cast = cast

    def _peers(self):
        made = {}
        if self.options.peers:
            made |= {"mod_auth_openidc": self.make.openidc(), "mod_oauth2": self.make.oauth2()}
        return made

    def _rows(self, servers, headers, **more):
        return [Entry(name, server, headers, **more) for name, server in servers.items()]

    def one_header(self):
        servers = {"none": self.make.none(), "none again": self.make.none("again"), "loaded, not used": self.make.loaded(),
                   "mod_auth_clerk": self.make.clerk(), "bare check": self.make.bare(), **self._peers()}
        if self.options.express:
            servers["@clerk/express"] = self.make.express()
        return Group("One token, Authorization header", self._rows(servers, self.tokens.headers(1)))

    def one_cookie(self):
        servers = {"none": self.make.none(), "mod_auth_clerk": self.make.clerk()}
        return Group("One token, cookies", self._rows(servers, self.tokens.cookies(1)))

    def thousand(self):
        servers = {"none": self.make.none(), "mod_auth_clerk": self.make.clerk(), "bare check": self.make.bare(), **self._peers()}
        return Group("1,000 tokens in turn, header", self._rows(servers, self.tokens.headers(1000)))

    def cold(self):
        servers = {"none": self.make.none(), "bare check": self.make.bare(), "mod_auth_clerk": self.make.clerk(), **self._peers()}
        warm = self.tokens.headers(2000, 10**9)
        return Group(f"{COLD:,} tokens, each seen once, header",
                     self._rows(servers, self.tokens.headers(COLD), once=True, warm=warm), "bare check")

    def attack(self):
        good, spoilt, unknown = (make(COLD) for make in (self.tokens.headers, self.tokens.forged, self.tokens.unknown_kids))
        few_spoilt, few_unknown = self.tokens.forged(FEW), self.tokens.unknown_kids(FEW)
        rows = [("cold good token", self.make.clerk(), good, 200), ("forged signature", self.make.clerk("forged"), spoilt, 401),
                ("unknown kid", self.make.clerk("unknown"), unknown, 401)]
        for name, peer in self._peers().items():
            rows += [(f"{name}: forged signature", peer, few_spoilt, 401), (f"{name}: unknown kid", peer, few_unknown, 401)]
        warm = self.tokens.headers(2000, 10**9)
        return Group("Attacks: tokens that are refused", [Entry(*row, once=True, warm=warm) for row in rows])

    def requires(self):
        more = "<RequireAll>\n" + "".join(f"    Require {one}\n" for one in ("valid-user", *REQUIRES)) + "    </RequireAll>"
        servers = {"valid-user": self.make.clerk(),
                   "role, organization and permission on top": self.make.clerk("requires", (), more)}
        return Group("Require lines", self._rows(servers, self.tokens.headers(1)))

    def api_keys(self):
        """Opaque tokens. Clerk is asked about each before it is measured, on one connection."""
        servers = {"none": self.make.none(), "mod_auth_clerk": self.make.api_keys()}
        rows = [Entry(f"{name}, {what}", server, self.tokens.api_keys(count), one_by_one=True)
                for what, count in (("api key repeated", 1), ("1,000 api keys", 1000)) for name, server in servers.items()]
        return Group("API keys, header", rows)

    def page(self):
        """A page to which the output filter adds the script, and the same without. Requests a second are what counts."""
        rows = [Entry(f"ClerkInjectScript {script}", self.make.page(f"page-{script}", script), self.tokens.cookies(1), holds=tag)
                for script, tag in (("Off", b"<head><title>"), ("keep-alive", b"<head><script src="))]
        return Group("A page of 100 KB, with the script added", rows)

    def fresh_children(self):
        """Every child ends after one connection of 1,000 requests, and with it what it has cached."""
        tuning = {"per_child": 1, "keepalive_requests": 1000}
        servers = {"none": self.make.none("fresh-none", **tuning), "mod_auth_clerk": self.make.clerk("fresh-clerk", **tuning)}
        several, one = self.tokens.headers(30000), self.tokens.repeated(30000)
        files = {"one token": one, "30,000 tokens that other children have verified": several}
        rows = [Entry(f"{name}, {what}", server, headers, once=True)
                for what, headers in files.items() for name, server in servers.items()]
        return Group("A new child every 1,000 requests", rows)

    def groups(self):
        wanted = [self.one_header, self.one_cookie, self.thousand, self.cold, self.attack, self.requires, self.api_keys,
                  self.page]
        if self.mpm == "prefork":
            wanted.append(self.fresh_children)
        return wanted


def run(cast, options, workdir, say):
    """Measures all scenarios and prints the tables; keeps the samples as JSON."""
    measured = {}
    for mpm in options.mpms:
        say(f"### {mpm}\n")
        bench = Bench(cast, options, pathlib.Path(workdir), mpm)
        for make in bench.groups():
            if options.only and make.__name__ not in options.only:
                continue
            group = measured[mpm, make.__name__] = make()
            rounds = max(3, options.rounds // 5) if group.entries[0].once else options.rounds
            timing.run(group, rounds, options.seconds)
            say(timing.table(group))
            (cast.directory / "results.json").write_text(json.dumps({
                " ".join(key): {name: [dataclasses.asdict(one) for one in samples] for name, samples in done.samples.items()}
                for key, done in measured.items()}, indent=1))
    say(reach.table(measured, options.mpms))
