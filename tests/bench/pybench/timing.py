# SPDX-License-Identifier: Apache-2.0
"""Interleaved rounds: in each, every contestant is measured once, and compared with the reference of the same round."""

import contextlib
import dataclasses
import statistics

from pyclerk.client import Connection, request

from . import load
from .server import CHILDREN


ROUNDS_A_START = 5


@dataclasses.dataclass
class Entry:
    """One row: a server under the requests of a file."""

    name: str
    server: object
    headers: object  # file of header lines
    status: int = 200
    holds: bytes = b""  # what the response has in it
    once: bool = False  # until the end of the file, not for a time
    one_by_one: bool = False  # first each header on one connection: few new machine tokens are looked up at a time
    warm: object = None  # a file to warm a restarted server up with: the row is measured with a new server each time


@dataclasses.dataclass
class Sample:
    cpu: float  # microseconds of the server's processes a request
    rate: float  # requests a second
    p50: float  # microseconds
    p99: float
    memory: float  # MiB, proportional set sizes


@dataclasses.dataclass
class Group:
    """Rows that are measured in the same rounds; ratios are against the first unless `reference` names another."""

    title: str
    entries: list
    reference: str = ""
    samples: dict = dataclasses.field(default_factory=dict)

    def ratios(self, name, member="cpu"):
        reference = self.samples[self.reference or self.entries[0].name]
        return [getattr(one, member) / getattr(base, member) for one, base in zip(self.samples[name], reference)]


def measure(entry, seconds):
    if entry.warm:
        entry.server.stop()
        entry.server.start()
        load.wrk(entry.server.port, entry.warm, 10, once=True)
    before = entry.server.cpu_seconds()
    seen = load.wrk(entry.server.port, entry.headers, 600 if entry.once else seconds, once=entry.once)
    used = entry.server.cpu_seconds() - before
    wanted = seen.requests if entry.status >= 400 else 0
    if seen.failed or abs(seen.refused - wanted) > 0:
        raise RuntimeError(f"{entry.name}: {seen} where {entry.status} was expected")
    return Sample(used / seen.requests * 1e6, seen.requests / seen.seconds, seen.p50, seen.p99, entry.server.memory() / 1024)


def check(entry):
    """Check the server: the right response with the header, and none of the document without it."""
    with open(entry.headers, encoding="ascii") as lines:
        name, value = lines.readline().rstrip("\n").split(": ", 1)
    response = request(entry.server.port, "GET", "/bench.txt", {name: value})
    if response.status != entry.status or entry.holds not in response.body:
        raise RuntimeError(f"{entry.name}: {response.status} instead of {entry.status}, or without {entry.holds}")
    bare = request(entry.server.port, "GET", "/bench.txt", {}).status
    protects = not entry.name.startswith(("none", "loaded"))
    if (bare in (401, 307)) != protects:
        raise RuntimeError(f"{entry.name}: {bare} without credentials")


def _send_each(entry):
    with open(entry.headers, encoding="ascii") as lines, Connection(entry.server.port) as connection:
        for line in lines:
            name, value = line.rstrip("\n").split(": ", 1)
            if connection.get("/bench.txt", {name: value}).status != entry.status:
                raise RuntimeError(f"{entry.name}: not {entry.status} at first")


def run(group, rounds, seconds):
    """Fills in the samples of the group. Servers are restarted sometimes: the addresses of their memory cause a difference of
    about one per cent."""
    for first in range(0, rounds, ROUNDS_A_START):
        _run_some(group, range(first, min(first + ROUNDS_A_START, rounds)), seconds)


def _run_some(group, numbers, seconds):
    servers = {id(entry.server): entry.server for entry in group.entries}.values()
    with contextlib.ExitStack() as stack:
        for server in servers:
            server.start()
            stack.callback(server.stop)
        for entry in group.entries:
            check(entry)
            if entry.one_by_one:
                _send_each(entry)
            if entry.once and not entry.warm:
                load.wrk(entry.server.port, entry.headers, 600, once=True)
            elif not entry.warm:
                # A connection for every child of prefork, so that each of them is warmed up.
                load.wrk(entry.server.port, entry.headers, 1, CHILDREN)
                if entry.headers.stat().st_size > 10000:
                    load.wrk(entry.server.port, entry.headers, 4, CHILDREN)
        for number in numbers:
            shift = number % len(group.entries)
            for entry in group.entries[shift:] + group.entries[:shift]:
                group.samples.setdefault(entry.name, []).append(measure(entry, seconds))


def middle(values):
    return statistics.median(values)


def spread(values):
    """Median and the middle half, as text."""
    if len(values) < 2:
        return f"{values[0]:.3f}"
    quarters = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle(values):.3f} ({quarters[0]:.3f}-{quarters[2]:.3f})"


def table(group):
    """The group as Markdown."""
    lines = [f"#### {group.title}", "",
             f"| | CPU µs a request | ratio to {group.reference or group.entries[0].name} (middle half) | requests/s "
             "| p50 ms | p99 ms | p99 ratio | memory MiB |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for entry in group.entries:
        samples = group.samples[entry.name]
        column = {name: middle([getattr(one, name) for one in samples]) for name in ("cpu", "rate", "p50", "p99", "memory")}
        lines.append(
            f"| {entry.name} | {column['cpu']:.1f} | {spread(group.ratios(entry.name))} | {column['rate']:,.0f} "
            f"| {column['p50'] / 1000:.2f} | {column['p99'] / 1000:.2f} | {middle(group.ratios(entry.name, 'p99')):.2f} "
            f"| {column['memory']:.0f} |")
    return "\n".join(lines) + "\n"
