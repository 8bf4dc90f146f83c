# SPDX-License-Identifier: Apache-2.0
"""Files of header lines for wrk, kept from run to run while their tokens are good."""

import concurrent.futures
import dataclasses
import json
import os
import time

from clerk_emulator.keys import base64url

from .cast import DAY

_GOOD_FOR = DAY - 4 * 3600  # a file older than this is made again


class Tokens:
    def __init__(self, cast):
        self.cast = cast

    def _file(self, name, lines):
        """The file of that name; if there is none that is still good, it is made by `lines`."""
        path = self.cast.directory / f"{name}.txt"
        fresh = path.exists() and time.time() - path.stat().st_mtime < _GOOD_FOR
        if not fresh or path.stat().st_mtime < (self.cast.directory / "key.pem").stat().st_mtime:
            temporary = path.with_suffix(".new")
            temporary.write_text("".join(line + "\n" for line in lines()), encoding="ascii")
            temporary.chmod(0o600)
            temporary.rename(path)
        return path

    def mint(self, count, first=0, **options):
        """Tokens of as many users and sessions; OpenSSL signs outside Python's lock, so threads help."""
        def one(number):
            return self.cast.token(claims={"sub": f"user_bench{number:017d}", "sid": f"sess_bench{number:017d}",
                                           **options.get("claims", {})})

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(one, range(first, first + count), chunksize=500))

    def headers(self, count, first=0, name="headers", **options):
        """`count` distinct tokens in Authorization headers; `name` tells files with `options` apart."""
        return self._file(f"{name}-{count}-{first}", lambda: (
            f"Authorization: {self.cast.header(token)}" for token in self.mint(count, first, **options)))

    def repeated(self, count):
        """One token, `count` times."""
        return self._file(f"repeated-{count}", lambda: [self.headers(1).read_text(encoding="ascii").rstrip("\n")] * count)

    def cookies(self, count):
        return self._file(f"cookies-{count}-{self.cast.instance.cookie_suffix}", lambda: (
            f"Cookie: {self.cast.cookie(token)}" for token in self.mint(count)))

    def api_keys(self, count):
        """API keys that the emulated Backend API knows from now on."""
        secrets = [f"ak_bench{number:036d}" for number in range(count)]
        for secret in secrets:
            self.cast.instance.machine_tokens[secret] = dataclasses.replace(
                self.cast.instance.machine_token(scopes=["orders:read"]), secret=secret)
        return self._file(f"api-keys-{count}", lambda: (f"Authorization: Bearer {secret}" for secret in secrets))

    def forged(self, count):
        """The tokens of headers(count), each with one character of its signature changed."""
        return self._file(f"forged-{count}", lambda: map(_spoil, self._of(count)))

    def unknown_kids(self, count):
        """The tokens of headers(count), each with its own key id, which is not in the key set."""
        return self._file(f"unknown-{count}", lambda: (
            _rename(line, f"ins_nobody{number:010d}") for number, line in enumerate(self._of(count))))

    def _of(self, count):
        return self.headers(count).read_text(encoding="ascii").splitlines()


def _spoil(line):
    place = line.rindex(".") + 40
    return line[:place] + ("A" if line[place] != "A" else "B") + line[place + 1:]


def _rename(line, kid):
    rest = line[line.index("."):]
    header = json.dumps({"alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": kid, "typ": "JWT"}, separators=(",", ":"))
    return "Authorization: Bearer " + base64url(header.encode("ascii")) + rest
