# SPDX-License-Identifier: Apache-2.0
"""The goals, with the measured figures."""

from .timing import middle

_CLERK = "mod_auth_clerk"
_KNOWN = "30,000 tokens that other children have verified"


def _ratio(member="cpu", row=_CLERK, reference=None, inverse=False):
    def value(group):
        if row not in group.samples:
            return None
        base = group.samples[reference or group.reference or group.entries[0].name]
        ratios = [getattr(one, member) / getattr(other, member) for one, other in zip(group.samples[row], base)]
        return 1 / middle(ratios) if inverse else middle(ratios)

    return value


# (what, group, figure, limit, whether the limit is the least)
ROWS = (
    ("one token, header: CPU a request to none", "one_header", _ratio(), 1.05, False),
    ("one token, cookies: CPU a request to none", "one_cookie", _ratio(), 1.05, False),
    ("1,000 tokens: CPU a request to none", "thousand", _ratio(), 1.08, False),
    ("50,000 tokens, cold: CPU a request to a bare check", "cold", _ratio(), 1.10, False),
    ("forged signature: CPU to a cold good token", "attack", _ratio(row="forged signature"), 1.00, False),
    ("unknown kid: CPU to a cold good token", "attack", _ratio(row="unknown kid"), 1.00, False),
    ("role, organization and permission: CPU to valid-user alone", "requires",
     _ratio(row="role, organization and permission on top"), 1.02, False),
    ("a page of 100 KB, script added: requests/s to the page alone", "page",
     _ratio("rate", "ClerkInjectScript keep-alive"), 0.90, True),
    ("requests/s to @clerk/express", "one_header", _ratio("rate", "@clerk/express", _CLERK, inverse=True), 12, True),
    ("p99 latency to none, one token", "one_header", _ratio("p99"), 1.10, False),
    ("module loaded, location not protected: CPU to none", "one_header", _ratio(row="loaded, not used"), None, False),
    ("the same server twice: CPU (the error of all this)", "one_header", _ratio(row="none again"), None, False),
    ("fresh children, one token: CPU to none", "fresh_children",
     _ratio(row="mod_auth_clerk, one token", reference="none, one token"), 1.05, False),
    ("fresh children, 30,000 tokens that others have verified: CPU to none", "fresh_children",
     _ratio(row=f"{_CLERK}, {_KNOWN}", reference=f"none, {_KNOWN}"), None, False),
)


def table(measured, mpms):
    """`measured`: {(mpm, group's name): Group}. Medians of the ratios of the rounds."""
    lines = ["### Aims\n", f"| | aim | {' | '.join(mpms)} |", "| --- | ---: |" + " ---: |" * len(mpms)]
    for what, group, figure, limit, least in ROWS:
        cells = []
        for mpm in mpms:
            value = figure(measured[mpm, group]) if (mpm, group) in measured else None
            good = limit is None or value is None or (value >= limit if least else value <= limit)
            cells.append("" if value is None else f"{value:.2f}" + ("" if good else " (missed)"))
        aim = "" if limit is None else f"{'at least' if least else 'at most'} {limit:.2f}"
        if any(cells):
            lines.append(f"| {what} | {aim} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
