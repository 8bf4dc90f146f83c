# SPDX-License-Identifier: Apache-2.0
"""wrk, with the headers of a file."""

import dataclasses
import json
import os
import pathlib
import subprocess

_SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "load.lua"


@dataclasses.dataclass
class Load:
    """What wrk saw. Times in microseconds."""

    requests: int
    seconds: float
    refused: int  # answers of 400 and above
    failed: int  # connections that broke
    p50: float
    p99: float


def wrk(port, headers, seconds, connections=16, once=False, target="/bench.txt"):
    """Load from one thread; `headers` is a file of header lines, sent in turn, with `once` until its end."""
    env = {**os.environ, "BENCH_HEADERS": str(headers), "BENCH_ONCE": "1" if once else "0"}
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(_SCRIPT),
         f"http://127.0.0.1:{port}{target}"],
        env=env, capture_output=True, text=True, check=False)
    results = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if done.returncode or not results:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return Load(**json.loads(results[0][len("RESULT "):]))
