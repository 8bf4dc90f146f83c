# SPDX-License-Identifier: Apache-2.0
"""A strict reader of the text format of Prometheus, version 0.0.4 (prometheus.io, "Exposition formats")."""

import os
import re
import shutil
import subprocess

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (\S.*)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? ([0-9]+(?:\.[0-9]+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')


class Series:
    def __init__(self, name, text):
        self.name, self.help, self.type, self.samples = name, text, None, {}

    def value(self, **labels):
        """Of the one sample that has these labels, and perhaps others; None: there is none."""
        found = [value for have, value in self.samples.items() if set(labels.items()) <= set(have)]
        assert len(found) < 2, (self.name, labels)
        return found[0] if found else None

    def labels(self):
        return [dict(have) for have in self.samples]


def _labels(text):
    found, at = {}, 0
    while at < len(text):
        match = _LABEL.match(text, at)
        assert match, f"no label: {text[at:]!r}"
        assert match[1] not in found, f"twice: {match[1]}"
        found[match[1]] = re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], match[2])
        at = match.end()
    return found


def parse(body):
    """name -> Series. Each has its HELP, its TYPE and then all its samples, no two of them with the same labels."""
    text = body.decode("utf-8", "strict")
    assert text.endswith("\n")
    series, now = {}, None
    for line in text.split("\n")[:-1]:
        match = _HELP.fullmatch(line)
        if match:
            assert match[1] not in series, f"in two places: {match[1]}"
            assert now is None or now.samples, f"no samples: {now.name}"
            now = series[match[1]] = Series(match[1], match[2])
            continue
        match = _TYPE.fullmatch(line)
        if match:
            assert now and match[1] == now.name and now.type is None and not now.samples, line
            now.type = match[2]
            continue
        match = _SAMPLE.fullmatch(line)
        assert match and now and now.type and match[1] == now.name, f"no sample of the series it is in: {line!r}"
        key = tuple(sorted(_labels(match[2] or "").items()))
        assert key not in now.samples, f"twice: {line}"
        now.samples[key] = float(match[3])
    assert now and now.samples
    for one in series.values():
        assert (one.type == "counter") == one.name.endswith("_total"), one.name
    return series


def promtool():
    """Prometheus's own checker; None: it is not to be had."""
    return os.environ.get("CLERK_PROMTOOL") or shutil.which("promtool")


def lint(body):
    """What `promtool check metrics` has to say: (exit status, text)."""
    done = subprocess.run([promtool(), "check", "metrics"], input=body, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "replace")
