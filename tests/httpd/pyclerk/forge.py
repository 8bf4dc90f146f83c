# SPDX-License-Identifier: Apache-2.0
"""Tokens from raw JSON text, which may be malformed, and unusual keys."""

import base64
import json
import time

from clerk_emulator import Key
from clerk_emulator.keys import base64url
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


class OddKey(Key):
    """An RSA key whose published form differs: members of `changes` replace, None removes."""

    def __init__(self, private, kid, changes):
        super().__init__(private, kid)
        self._changes = changes

    @classmethod
    def make(cls, kid, bits=2048, exponent=65537, **changes):
        return cls(rsa.generate_private_key(public_exponent=exponent, key_size=bits), kid, changes)

    def jwk(self):
        jwk = super().jwk() | self._changes
        return {name: value for name, value in jwk.items() if value is not None}


class EcKey:
    """A P-256 key with Key's interface."""

    def __init__(self, kid):
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid,
                "x": base64url(numbers.x.to_bytes(32, "big")), "y": base64url(numbers.y.to_bytes(32, "big"))}

    def sign(self, data, alg="ES256"):
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Forge:
    """Makes tokens for one instance. `header` and `claims` start from good ones; a value of ABSENT removes."""

    ABSENT = object()

    def __init__(self, instance, origin):
        self.instance = instance
        self.origin = origin
        self.session = instance.create_session("alice", org="acme")

    def now(self):
        return int(time.time())

    def header(self, **changes):
        base = {"alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": self.instance.kid, "typ": "JWT"}
        return self._changed(base, changes)

    def claims(self, **changes):
        now = self.now()
        base = {
            "azp": self.origin, "exp": now + 60, "iat": now, "iss": self.instance.issuer, "nbf": now - 10, "sid": self.session.id,
            "sub": "user_alice", "v": 2, "fva": [0, -1], "sts": "active", "jti": "j",
        }
        return self._changed(base, changes)

    def _changed(self, base, changes):
        base.update(changes)
        return {name: value for name, value in base.items() if value is not self.ABSENT}

    def token(self, header=None, claims=None, key=None, alg=None):
        """`header` and `claims`: a dict, JSON text, or bytes."""
        header = self.header() if header is None else header
        claims = self.claims() if claims is None else claims
        alg = alg or (header.get("alg") if isinstance(header, dict) else None)
        signed = f"{base64url(_bytes(header))}.{base64url(_bytes(claims))}"
        key = key or self.instance.keys[0]
        return f"{signed}.{base64url(key.sign(signed.encode(), alg if isinstance(alg, str) else 'RS256'))}"

    def with_claims(self, **changes):
        return self.token(claims=self.claims(**changes))

    def with_header(self, **changes):
        return self.token(header=self.header(**changes))

    def with_text(self, change):
        """The claims' JSON text, changed by a function."""
        return self.token(claims=change(json.dumps(self.claims())))


def _bytes(value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8")


def pad(text):
    return text + "=" * (-len(text) % 4)


def standard_alphabet(text):
    return base64.b64encode(base64.urlsafe_b64decode(pad(text))).decode().rstrip("=")
