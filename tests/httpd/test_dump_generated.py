# SPDX-License-Identifier: Apache-2.0
"""DUMP_CLERK is believed: generated configurations, real requests of strangers, and what the dump says.

Each section sets the header X-Governs to its own number. httpd merges sections in order, so the answer names the last
one that applied to the request: the one whose verdict counts. Several configurations are virtual hosts of one server.

CLERK_DUMP_CONFIGURATIONS is their number, CLERK_DUMP_SEED the first seed.
"""

import collections
import os
import random
import re

import pytest
from pyclerk.clerk import XHR, directives

NUMBER = int(os.environ.get("CLERK_DUMP_CONFIGURATIONS", "300"))
SEED = int(os.environ.get("CLERK_DUMP_SEED", "1"))
BATCH = 30

PATHS = ["", "/a", "/a/b", "/a/b/c", "/ab", "/d", "/d/b"]
FILES = ["x.html", "y.txt", "z.html"]
REQUIRES = [
    "Require valid-user", "Require valid-user", "Require clerk-org", "Require clerk-role admin", "Require all granted", "Require all granted",
    "Require all denied", "Require clerk-optional", "Require user user_alice", "Require method POST", "Require method GET",
    "Require ip 127.0.0.1", "Require ip 10.0.0.1", "Require not clerk-actor", "Require not ip 10.0.0.1", "Require expr \"%{QUERY_STRING} == 'q'\"",
]
CONDITIONS = ["%{QUERY_STRING} == 'q'", "%{REQUEST_METHOD} == 'POST'", "%{REQUEST_URI} =~ m#b#", "true", "false"]


class Generated:
    """One configuration: the inside of a virtual host."""

    def __init__(self, seed, root, backend):
        self.random = random.Random(seed)
        self.seed, self.root, self.backend = seed, root, backend
        self.number = 0
        self.lines = []
        self.directories = {}  # number: path below the document root
        self.build()

    def chance(self, share):
        return self.random.random() < share

    def require(self, depth=0):
        one = self.random.choice(REQUIRES)
        if depth < 2 and self.chance(0.25):
            kind = self.random.choice(["RequireAll", "RequireAny", "RequireAll", "RequireNone"] if depth else ["RequireAll", "RequireAny"])
            inner = [line for _ in range(self.random.randint(1, 3)) for line in self.require(depth + 1)]
            if kind == "RequireAll":
                inner.append("Require " + self.random.choice(["all granted", "valid-user"]))  # httpd refuses negative lines alone
            else:
                inner = [line.replace("Require not ", "Require ") for line in inner]
            if kind != "RequireAll" and any("RequireNone" in line for line in inner):
                inner = ["Require valid-user"]
            return [f"<{kind}>", *inner, f"</{kind}>"]
        return [one if depth else one.replace("Require not ", "Require ")]

    def access(self, always=False):
        """Directives about access; often none."""
        lines = []
        if self.chance(0.6):
            lines.append(self.random.choice(["AuthType Clerk"] * 5 + ["AuthType None"]))
        if self.chance(0.7) or always:
            for _ in range(self.random.choice([1, 1, 1, 2])):
                one = self.require()
                lines += ["<Limit POST>", *one, "</Limit>"] if self.chance(0.08) else one
        if self.chance(0.06):
            lines.append("AuthMerging " + self.random.choice(["And", "Or"]))
        if self.chance(0.03):
            lines.append("Satisfy Any")
        return lines

    def section(self, opening, nested=(), inside=()):
        self.number += 1
        number = self.number
        name = re.match(r"<(\w+)", opening)[1]
        self.lines += [opening, f"    Header always set X-Governs {number}", *("    " + line for line in self.access()), *inside]
        for make in nested:
            make()
        self.lines.append(f"</{name}>")
        return number

    def conditions(self):
        chain = [f'<If "{self.random.choice(CONDITIONS)}">']
        if self.chance(0.3):
            chain.append(f'<ElseIf "{self.random.choice(CONDITIONS)}">')
        if self.chance(0.5):
            chain.append("<Else>")
        for opening in chain:
            self.section(opening, [self.conditions] if self.chance(0.08) else [])

    def files(self):
        name = self.random.choice(FILES)
        self.section(f'<Files "{name}">' if self.chance(0.7) else f'<FilesMatch "^{name[0]}">', [self.conditions] if self.chance(0.1) else [])

    def directory(self):
        path = self.random.choice(PATHS)
        nested = [make for make, share in ((self.files, 0.2), (self.conditions, 0.2)) if self.chance(share)]
        inside = [f"    FallbackResource /{self.random.choice(FILES)}"] if self.chance(0.08) else []
        if self.chance(0.8):
            number = self.section(f'<Directory "{self.root}{path}">', nested, inside)
            self.directories[number] = path
        else:
            self.section(f'<DirectoryMatch "^{self.root}{path}{self.random.choice(["", "/", "/[a-c]"])}">', nested, inside)

    def location(self):
        path = self.random.choice(PATHS) or "/"
        inside = [f"    ProxyPass {self.backend}"] if self.chance(0.12) else []
        nested = [self.conditions] if self.chance(0.2) else []
        if self.chance(0.75):
            self.section(f'<Location "{path}">', nested, inside)
        else:
            self.section(f'<LocationMatch "^{path}{self.random.choice(["", ".*html", "(/|$)"])}">', nested, inside)

    def mapping(self):
        path = self.random.choice(PATHS)
        self.lines.append(self.random.choice([
            f"ProxyPass {path}/ {self.backend}", f"ProxyPass {path}/ !", f'ProxyPassMatch "^{path}/(.*\\.html)$" {self.backend}$1',
            f'RewriteEngine On\nRewriteRule "^{path}/(.*\\.txt)$" {self.backend}$1 [P]', f'RewriteEngine On\nRewriteRule "^{path}/y" "{PATHS[4]}/x.html" [PT]',
            f'Alias "/alias" "{self.root}{path}"',
        ]))

    def build(self):
        for _ in range(self.random.randint(1, 5)):
            self.random.choice([self.directory] * 4 + [self.location] * 4 + [self.files, self.conditions])()
            if self.chance(0.2):
                self.mapping()

    def text(self):
        return "\n".join(self.lines) + "\n"

    def requests(self):
        asked = [(f"{path}/{name}", "GET") for path in PATHS for name in FILES]
        # FallbackResource hands what is not there to another URL, whose section decides: see test_dump.py.
        if "FallbackResource" not in self.text():
            asked += [(f"{path}/x.html", "GET") for path in ("/alias", "/alias/b")]
        asked += [(path + "?q", method) for path, method in self.random.sample(asked, 6)]
        asked += [(path, "POST") for path, _ in self.random.sample(asked, 6)]
        return asked


def verdicts(output, conf):
    """{line of the file: verdict}."""
    found = {}
    for line, verdict in re.findall(rf"^  \S.* \({re.escape(str(conf))}:(\d+)\)\n    (\S.*)$", output, re.M):
        found[int(line)] = verdict
    return found


def numbers(conf):
    """{(host, number): line of the section in the file}."""
    found, host = {}, None
    for at, line in enumerate(conf.read_text().splitlines(), 1):
        named = re.match(r"ServerName (h\d+\.example)", line)
        host = named[1] if named else host
        number = re.match(r"\s*Header always set X-Governs (\d+)", line)
        if number:
            found[host, number[1]] = at - 1
    return found


# What a verdict says of a stranger's request: True: let in, False: refused, None: either.
def promise(verdict):
    if verdict.startswith(("OPEN", "optional", "not by Clerk: open")):
        return True
    if verdict.startswith(("protected by Clerk, except", "DEPENDS", "not by Clerk, but by a condition")) or verdict == "not by Clerk":
        return None
    assert verdict.startswith(("protected by Clerk", "closed", "NOT PROTECTED", "not by Clerk: closed")), verdict
    return False


def run_batch(server, live, backend, seeds, count):
    root = server.docroot
    made = {f"h{seed}.example": Generated(seed, root, backend) for seed in seeds}
    server.configure(
        directives(server, live)
        + "".join(f"<VirtualHost 127.0.0.1:{server.port}>\nServerName {host}\nDocumentRoot \"{root}\"\n{one.text()}</VirtualHost>\n"
                  for host, one in made.items()),
    )
    code, output = server.check("-D", "DUMP_CLERK")
    assert code == 0, output
    said, lines = verdicts(output, server.conf), numbers(server.conf)
    # What is said in the log is not the subject here; what the requests get is.
    server.log.announce(".")
    server.start()
    wrong, seen = [], collections.defaultdict(set)
    with server.connection() as connection:
        for host, one in made.items():
            for target, method in one.requests():
                answer = connection.request(method, target, {**XHR, "Host": host})
                count["requests"] += 1
                let_in = answer.status not in (401, 403, 500)
                governs = answer.header("X-Governs")
                line = lines.get((host, governs))
                if line in said:
                    seen[line].add(let_in)
                    expected = promise(said[line])
                    count[said[line].split()[0]] += 1
                    if expected is not None and expected != let_in:
                        wrong.append((host, method, target, answer.status, governs, said[line], one.text()))
                # A <Directory> that is called protected, and nothing else applied: not even itself.
                else:
                    wrong += directory_says(host, one, target, method, answer.status, let_in, governs, lines, said)
    server.stop()
    return wrong


def directory_says(host, one, target, method, status, let_in, governs, lines, said):
    """The file of a URL lies in a <Directory> that is called protected, but httpd did not look at it."""
    path = target.split("?")[0].rpartition("/")[0]
    if "[PT]" in one.text():  # the URL may lead to another file
        return []
    for number, directory in one.directories.items():
        verdict = said.get(lines[host, str(number)])
        if governs is None and verdict and (path + "/").startswith(directory + "/") and verdict.startswith("protected") \
                and promise(verdict) is False and let_in and "alias" not in path:
            return [(host, method, target, status, f"(directory {number})", verdict, one.text())]
    return []


@pytest.mark.parametrize("first", range(SEED, SEED + NUMBER, BATCH))
def test_the_dump_tells_what_becomes_of_a_stranger(make_httpd, live, echo, first):
    server = make_httpd()
    for path in PATHS:
        for name in FILES:
            server.write(f"{path}/{name}".lstrip("/"), "file")
    count = collections.Counter()
    wrong = run_batch(server, live, echo.url.rstrip("/") + "/", range(first, min(first + BATCH, SEED + NUMBER)), count)
    print(dict(count))
    assert not wrong, f"{len(wrong)} disagree; the first: {wrong[0][:-1]}\n{wrong[0][-1]}"
