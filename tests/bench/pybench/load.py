# SPDX-License-Identifier: Apache-2.0
"""wrk, with the headers of a file."""

import dataclasses
import json
import os
import pathlib
import signal
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
    command = ["wrk", "-t1", f"-c{connections}", f"-d{int(seconds) + 1}s", "--timeout", "30s", "-s", str(_SCRIPT),
               f"http://127.0.0.1:{port}{target}"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # wrk counts in whole seconds, and says what it has when interrupted
            output, errors = process.communicate(timeout=60)
    results = [line for line in output.splitlines() if line.startswith("RESULT ")]
    if process.returncode or not results:
        raise RuntimeError(f"wrk: {output}{errors}")
    return Load(**json.loads(results[0][len("RESULT "):]))
