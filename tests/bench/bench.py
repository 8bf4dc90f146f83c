# SPDX-License-Identifier: Apache-2.0
"""What tests/bench/run starts once everything is installed and built."""

import argparse
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from pybench import instructions  # noqa: E402
from pybench.cast import Cast  # noqa: E402
from clerk_emulator import Emulator  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--instructions", action="store_true", help="count instructions instead of measuring time")
    parser.add_argument("--module", default=os.environ.get("CLERK_MODULE"), help="the module (default: as built by run)")
    parser.add_argument("--keep", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--mpm", default="event", choices=("event", "prefork"))
    parser.add_argument("--requests", type=int, default=200, help="requests of a scenario when instructions are counted")
    parser.add_argument("--top", type=int, default=40, help="functions named for a scenario")
    return parser.parse_args()


def main():
    options = arguments()
    workdir = pathlib.Path(tempfile.mkdtemp(prefix="clerk-bench-"))
    workdir.chmod(0o755)
    with Emulator() as emulator:
        cast = Cast(emulator, options.keep)
        instructions.run(cast, options, workdir)


if __name__ == "__main__":
    main()
