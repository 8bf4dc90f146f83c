# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/run starts once everything is installed and built."""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from pybench import instructions, scale, scenarios  # noqa: E402
from pybench.cast import Cast  # noqa: E402
from clerk_emulator import Emulator  # noqa: E402
from pyclerk.apxs import Apxs  # noqa: E402

MODES = {"instructions": instructions, "scale": scale, "timing": scenarios}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description="Measures what the module costs.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--instructions", action="store_true", help="count instructions instead of measuring time")
    mode.add_argument("--scale", action="store_true", help="growth with tokens, instances, keys, Require lines, token size")
    parser.add_argument("--million", action="store_true", help="with --scale: also 1,000,000 tokens (2 GB on disk)")
    parser.add_argument("--quick", action="store_true", help="5 rounds of half a second")
    parser.add_argument("--rounds", type=int, default=25, help="interleaved rounds (a fifth as many of cold rows)")
    parser.add_argument("--seconds", type=float, default=0.8, help="of load for a row in a round")
    parser.add_argument("--mpm", action="append", choices=("event", "prefork"), help="default: both; prefork with --instructions, event with --scale")
    parser.add_argument("--only", action="append", metavar="GROUP",
                        help="one_header, one_cookie, thousand, cold, attack, requires, api_keys, page or fresh_children; with "
                        "--scale live_tokens, instances, keys, require_lines or token_size; may be repeated")
    parser.add_argument("--requests", type=int, default=200, help="requests of a scenario, with --instructions")
    parser.add_argument("--top", type=int, default=20, help="functions named for a scenario, with --instructions")
    parser.add_argument("--module", default=os.environ.get("CLERK_MODULE"), help="default: as built by tests/bench/run")
    parser.add_argument("--document", metavar="FILE", help="put the tables into their place in docs/measurements.md")
    for name in ("keep", "bare", "peers", "express"):
        parser.add_argument(f"--{name}", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    # One process and one thread give the same count every time.
    options.mpms = options.mpm or (["prefork"] if options.instructions else ["event", "prefork"])
    if options.quick:
        options.rounds, options.seconds = 5, 0.5
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    workdir = pathlib.Path(tempfile.mkdtemp(prefix="clerk-bench-"))
    workdir.chmod(0o755)
    said = []

    def say(text):
        said.append(text)
        print(text, flush=True)

    mode = "instructions" if options.instructions else "scale" if options.scale else "timing"
    say(machine())
    with Emulator() as emulator:
        try:
            MODES[mode].run(Cast(emulator, options.keep), options, workdir, say)
        finally:
            shutil.rmtree(workdir, ignore_errors=True)
    if options.document:
        replace_block(pathlib.Path(options.document), mode, "\n".join(said).strip())


def machine():
    """The machine, the time and the load: a load above 0 before the start disturbs the measurement."""
    names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M) or ["processor"]
    version = subprocess.run([Apxs().httpd, "-v"], capture_output=True, text=True, check=True).stdout
    release = re.search(r"Apache/(\S+)", version)[1]
    return (f"{time.strftime('%Y-%m-%d')}, {len(names)} x {names[0]}, Apache {release}, "
            f"load average before: {os.getloadavg()[0]:.1f}\n")


def replace_block(path, name, text):
    """Put text between "<!-- name -->" and "<!-- /name -->"."""
    document = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = document.split(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
