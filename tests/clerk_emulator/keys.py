# SPDX-License-Identifier: Apache-2.0
"""RSA keys as Clerk publishes them (RFC 7517) and the signature of RFC 7515."""

import base64
import hashlib
import secrets
import string

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_ALPHABET = string.ascii_letters + string.digits
_HASHES = {"RS256": hashes.SHA256, "RS384": hashes.SHA384, "RS512": hashes.SHA512}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def new_id(prefix, length=27):
    return prefix + "_" + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def cookie_suffix(publishable_key):
    """First 8 characters of base64url(SHA-1(the key exactly as written))."""
    return base64url(hashlib.sha1(publishable_key.encode("ascii")).digest())[:8]


def publishable_key(host, production=False, padded=True):
    data = base64.b64encode(host.encode("ascii") + b"$").decode("ascii")
    return ("pk_live_" if production else "pk_test_") + (data if padded else data.rstrip("="))


class Key:
    """An RSA key pair with its key id."""

    def __init__(self, private, kid):
        self.private = private
        self.kid = kid

    @classmethod
    def generate(cls, kid=None, bits=2048):
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=bits), kid or new_id("ins"))

    @classmethod
    def from_pem(cls, pem, kid):
        return cls(serialization.load_pem_private_key(pem.encode("ascii"), None), kid)

    @property
    def private_pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii")

    @property
    def public_pem(self):
        return (
            self.private.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode("ascii")
        )

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        as_bytes = lambda number: number.to_bytes((number.bit_length() + 7) // 8, "big")
        return {
            "use": "sig",
            "kty": "RSA",
            "kid": self.kid,
            "alg": "RS256",
            "n": base64url(as_bytes(numbers.n)),
            "e": base64url(as_bytes(numbers.e)),
        }

    def sign(self, data, alg="RS256"):
        """PKCS #1 v1.5; an algorithm other than RS384 and RS512 is signed as RS256 (the header may lie)."""
        return self.private.sign(data, padding.PKCS1v15(), _HASHES.get(alg, hashes.SHA256)())
