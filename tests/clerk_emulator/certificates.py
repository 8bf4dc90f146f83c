# SPDX-License-Identifier: Apache-2.0
"""A throw-away certificate authority for tests over TLS."""

import datetime
import ipaddress
import pathlib
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_ISSUER = "Emulator CA"


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject, issuer, public_key, signing_key, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=30))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signing_key, hashes.SHA256())


class Authority:
    """Lives as long as the emulator; every listener gets a certificate of its own."""

    def __init__(self, directory):
        """Writes ca.pem into `directory`."""
        self._directory = pathlib.Path(directory)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        # Python 3.13 verifies strictly (RFC 5280, 4.2.1.9): a path length needs a key usage that signs certificates.
        usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, digital_signature=False, content_commitment=False,
                              key_encipherment=False, data_encipherment=False, key_agreement=False,
                              encipher_only=False, decipher_only=False)
        extensions = [(x509.BasicConstraints(ca=True, path_length=0), True), (usage, True), (self._identifier, False)]
        certificate = _certificate(_ISSUER, _ISSUER, self._key.public_key(), self._key, extensions)
        self.file = str(self._directory / "ca.pem")
        pathlib.Path(self.file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, hosts):
        """An ssl.SSLContext that answers for `hosts` and 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(host) for host in hosts] + [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._identifier)
        extensions = [(x509.SubjectAlternativeName(names), False), (authority, False)]
        leaf = _certificate("emulator", _ISSUER, key.public_key(), self._key, extensions)
        pem = serialization.Encoding.PEM
        secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(dir=self._directory) as file:
            file.write(secret + leaf.public_bytes(pem))
            file.flush()
            context.load_cert_chain(file.name)
        return context
