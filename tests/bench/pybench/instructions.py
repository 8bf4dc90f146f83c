# SPDX-License-Identifier: Apache-2.0
"""How many instructions one request takes, by callgrind: a figure that does not depend on the machine's mood.

httpd runs as one process (-X) under callgrind. After a warm-up the counters are set to zero, a number of requests is sent
on one connection, and the counters are written; so neither start-up nor the first (verifying) request is in them, except
where a scenario wants it. Valgrind's processor has AVX2 but no SHA extensions: what hashes costs more here than outside."""

import collections
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from pyclerk.client import Connection
from pyclerk.httpd import unprivileged_user

from .cast import sections
from .contestants import Contestants
from .server import BenchServer

WARM_UP = 20
_LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(.*)$")


class Callgrind:
    """A BenchServer that runs under callgrind."""

    def __init__(self, server):
        self.server = server
        self.out = server.root / "callgrind"
        self.out.mkdir(exist_ok=True)
        self.process = None

    def __enter__(self):
        user = self._user()
        if user:
            subprocess.run(["chown", "-R", f"{user['user']}:{user['group']}", str(self.server.root)], check=True)
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}/out", "--compress-strings=no",
                   f"--vgdb-prefix={self.out}/vgdb", *self.server._command("-X")]
        with open(self.out / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                command, env=self.server._environment(), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, **user)
        for _ in range(600):
            try:
                with Connection(self.server.port, 120) as probe:
                    probe.get("/bench.txt")
                    return self
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError((self.out / "stderr").read_text()) from None
                time.sleep(0.1)
        raise RuntimeError("httpd does not answer under valgrind")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _control(self, *command):
        time.sleep(0.1)  # the server still tidies up after the last answer
        subprocess.run(["vgdb", f"--vgdb-prefix={self.out}/vgdb", f"--pid={self.process.pid}", *command],
                       check=True, capture_output=True, timeout=60, **self._user())

    @staticmethod
    def _user():
        """Never root: the pipes that callgrind takes commands from belong to the user it was started by, and are opened
        again for every command."""
        if os.geteuid() != 0:
            return {}
        user = unprivileged_user()
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def measure(self, name, target, headers, count, status=200, warm_up=WARM_UP):
        """Instructions a request: (total, {function: (own, inclusive)}). `headers` is a list of header dictionaries,
        cycled; the warm-up does not use those that the measurement uses first unless the list is short."""
        def send(number):
            answer = connection.get(target, headers[number % len(headers)])
            if answer.status != status:
                raise RuntimeError(f"{name}: {answer.status} instead of {status}: {answer.headers}")

        with Connection(self.server.port, 120) as connection:
            for number in range(warm_up):
                send(len(headers) - 1 - number)
        self._control("zero")
        with Connection(self.server.port, 120) as connection:
            for number in range(count):
                send(number)
        self._control("dump", name)
        dump = max(self.out.glob("out.*"), key=lambda path: int(path.suffix[1:]))
        kept = self.out / f"{name}.callgrind"
        # A call that has not returned yet counts as none, whose cost the annotation takes for the caller's own.
        text = re.sub(r"^calls=0 ", "calls=1 ", dump.read_text(), flags=re.M)
        kept.write_text(text)
        own, inclusive = _annotate(kept, False), _annotate(kept, True)
        functions = {key: (own.get(key, 0) / count, inclusive.get(key, 0) / count) for key in own.keys() | inclusive.keys()}
        return int(re.search(r"^summary: (\d+)", text, re.M)[1]) / count, functions


def _annotate(path, inclusive):
    text = subprocess.run(
        ["callgrind_annotate", f"--inclusive={'yes' if inclusive else 'no'}", "--threshold=100", "--auto=no", str(path)],
        capture_output=True, text=True, check=True).stdout
    counts = collections.Counter()
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and "PROGRAM TOTALS" not in match[2]:
            counts[_readable(match[2])] += int(match[1].replace(",", ""))
    return counts


def _readable(place):
    """"file:function [object]" without paths; recursion levels ('2) are one function."""
    match = re.match(r"(?:[^\s]*:)?(.*?)(?:'\d+)?(?: \[(.*)\])?$", place)
    library = pathlib.Path(match[2]).name if match[2] else "?"
    return f"{match[1]} [{library}]"


def difference(functions, baseline, column):
    """The functions by what they take more than in the baseline: [(instructions, name)]."""
    rows = [(functions.get(name, (0, 0))[column] - baseline.get(name, (0, 0))[column], name)
            for name in functions.keys() | baseline.keys()]
    # With what they call, the frames of httpd around a module's functions all have the same figure.
    return sorted((row for row in rows if row[0] >= 1 and (not column or "[mod_" in row[1])), reverse=True)


def _baseline(name):
    """What a scenario is compared with: the same header field, which nobody looks at."""
    return "none, cookie" if "cookie" in name else "none, api key" if "api key" in name else "none, header"


def run(cast, options, workdir, say):
    """Says the table, then for each scenario which functions take more than without authentication."""
    workdir = pathlib.Path(workdir)
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed")
    token = cast.token()
    by_header, by_cookie = [{"Authorization": cast.header(token)}], [{"Cookie": cast.cookie(token)}]
    many = [{"Authorization": cast.header(cast.token())} for _ in range(options.requests + WARM_UP)]
    forged = [{"Authorization": cast.header(cast.token(defect="bad-signature"))} for _ in range(options.requests + WARM_UP)]
    by_key = [{"Authorization": f"Bearer {cast.instance.machine_token(scopes=['orders:read']).secret}"} for _ in range(1000)]
    load = f'LoadModule auth_clerk_module "{options.module}"\n'
    results, profiles = {}, {}

    def scenario(grind, name, target, headers, **more):
        results[name], profiles[name] = grind.measure(name, target, headers, options.requests, **more)
        reference = results[_baseline(name)]
        say(f"| {name} | {results[name]:,.0f} | {results[name] - reference:+,.0f} | {results[name] / reference:.3f} |")

    say(f"### Instructions a request, {options.mpms[0]}\n\n| | instructions | more than none | ratio |\n"
        "| --- | ---: | ---: | ---: |")
    plain = BenchServer(workdir / "plain", options.mpms[0]).set_up(sections())
    with Callgrind(plain) as grind:
        scenario(grind, "none, header", "/bench.txt", by_header)
        scenario(grind, "none, cookie", "/bench.txt", by_cookie)
        scenario(grind, "none, api key", "/bench.txt", by_key[:1])
    server = BenchServer(workdir / "clerk", options.mpms[0], options.module)
    shutil.copy(server.docroot / "bench.txt", server.docroot / "other.txt")
    server.set_up(cast.clerk(server), load)
    with Callgrind(server) as grind:
        scenario(grind, "loaded, header", "/other.txt", by_header)
        scenario(grind, "one token, header", "/bench.txt", by_header)
        scenario(grind, "one token, cookie", "/bench.txt", by_cookie)
        scenario(grind, "cold tokens, header", "/bench.txt", many)
        scenario(grind, "forged tokens, header", "/bench.txt", forged, status=401)
    # The profile is looked up in the cache; Clerk is asked before the measurement.
    named = BenchServer(workdir / "named", options.mpms[0], options.module)
    named.set_up("ClerkUserProfileTTL 24h\n" + cast.clerk(named, keys="api", more="ClerkUserProfile On"),
                 load + named.apxs.load("socache_shmcb"))
    with Callgrind(named) as grind:
        scenario(grind, "one token, header, profile", "/bench.txt", by_header)
    # Clerk is asked about each key before the measurement.
    keys = Contestants(cast, options, workdir, options.mpms[0]).api_keys()
    with Callgrind(keys) as grind:
        scenario(grind, "api key repeated, header", "/bench.txt", by_key[:1])
        scenario(grind, "1,000 api keys, header", "/bench.txt", by_key, warm_up=len(by_key))
    bare = Contestants(cast, options, workdir, options.mpms[0]).bare()
    with Callgrind(bare) as grind:
        scenario(grind, "bare check, header", "/bench.txt", many)
    for name, profile in profiles.items():
        baseline = _baseline(name)
        if name == baseline:
            continue
        for title, column in (("of modules, with what they call", 1), ("themselves", 0)):
            say(f"\n{name}: instructions of functions, {title}, more than {baseline}\n\n```")
            for count, function in difference(profile, profiles[baseline], column)[: options.top]:
                say(f"{count:>12,.0f}  {function}")
            say("```")
    kept = cast.directory / f"profiles-{options.mpms[0]}"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for path in (path for one in (plain, server, named, keys, bare) for path in one.root.glob("callgrind/*.callgrind")):
        shutil.copy(path, kept)
    print(f"\nProfiles for callgrind_annotate or kcachegrind: {kept}")
