# SPDX-License-Identifier: Apache-2.0
"""Runs one instance until SIGINT or SIGTERM; prints one line of JSON when it is ready."""

import argparse
import json
import signal
import sys
import threading

from . import Emulator, Instance, state
from .control import describe


def _arguments():
    parser = argparse.ArgumentParser(prog="clerk_emulator", description="A local stand-in for Clerk.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 (default) takes a free one")
    parser.add_argument("--production", action="store_true", help="a production instance (default: development)")
    parser.add_argument("--host", help="Frontend API host inside the publishable key")
    parser.add_argument("--tls", action="store_true", help="TLS with a certificate made for the occasion")
    parser.add_argument("--state", metavar="FILE", help="remember keys, browsers and sessions across restarts")
    parser.add_argument("--scripts", metavar="DIR", help="directory with @clerk/<package>/dist/ to serve under /npm/")
    parser.add_argument("--origin", help="`azp` of tokens minted without one")
    parser.add_argument("--label", help="ignored; tells this process from others in a process list")
    parser.add_argument("--ttl", type=int, default=60, help="lifetime of session tokens in seconds")
    return parser.parse_args()


def main():
    options = _arguments()
    instance = Instance(production=options.production, host=options.host)
    instance.token_ttl = options.ttl
    instance.default_origin = options.origin
    if options.state:
        state.load(instance, options.state)
        instance.on_change = lambda: state.save(instance, options.state)
        instance.on_change()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Emulator(tls=options.tls, scripts=options.scripts) as emulator:
        emulator.add_instance(instance, options.port)
        ready = {"ready": True, "instances": [describe(each) for each in emulator.instances]}
        print(json.dumps(ready), flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
