# SPDX-License-Identifier: Apache-2.0
"""API keys, machine-to-machine tokens and OAuth access tokens: opaque ones and JWTs, and the endpoints that verify them."""

import dataclasses

from . import tokens
from .keys import new_id
from .web import answer, error

OBJECTS = {
    "api_key": "api_key",
    "m2m_token": "machine_to_machine_token",
    "oauth_token": "clerk_idp_oauth_access_token",
}
_PREFIXES = {"api_key": "ak", "m2m_token": "mt", "oauth_token": "oat"}
_SUBJECTS = {"api_key": "user_alice", "m2m_token": "mch_emulated", "oauth_token": "user_alice"}


@dataclasses.dataclass
class MachineToken:
    kind: str
    secret: str
    id: str
    subject: str
    scopes: list
    claims: dict | None = None
    name: str = "emulated key"
    client_id: str = "client_emulated"
    expiration: int | None = None  # milliseconds
    revoked: bool = False
    more: dict = dataclasses.field(default_factory=dict)  # further members of the answer, or other values of these
    without: tuple = ()  # members that the answer lacks

    def described(self, now):
        expired = self.expiration is not None and self.expiration <= now * 1000
        members = {
            "object": OBJECTS[self.kind],
            "id": self.id,
            "subject": self.subject,
            "scopes": self.scopes,
            "revoked": self.revoked,
            "revocation_reason": None,
            "expired": expired,
            "expiration": self.expiration,
            "created_at": now * 1000,
            "updated_at": now * 1000,
            "last_used_at": now * 1000,
        }
        if self.kind == "api_key":
            members |= {"type": "api_key", "name": self.name, "claims": self.claims, "created_by": None}
        elif self.kind == "m2m_token":
            members |= {"claims": self.claims}
        else:
            members |= {"type": "oauth:access_token", "client_id": self.client_id}
        return {name: value for name, value in (members | self.more).items() if name not in self.without}


def create(instance, kind, subject=None, scopes=(), **details):
    """A new opaque token, kept in the instance; `details` are further members of MachineToken."""
    prefix = _PREFIXES[kind]
    token = MachineToken(kind, new_id(prefix, 40), new_id(prefix, 20), subject or _SUBJECTS[kind], list(scopes), **details)
    with instance.lock:
        instance.machine_tokens[token.secret] = token
    return token


def m2m_jwt(instance, subject="mch_emulated", claims=None, without=(), ttl=3600, key=None, **encoding):
    """`claims` override or add, `without` removes, `encoding` goes to tokens.encode."""
    now = instance.now()
    payload = {"iss": instance.issuer, "sub": subject, "jti": new_id("mt", 20), "iat": now, "exp": now + ttl,
               "scopes": "mch_first mch_second"} | (claims or {})
    payload = {name: value for name, value in payload.items() if name not in without}
    encoding.setdefault("category", tokens.CATEGORY_M2M)
    return tokens.encode(key or instance.keys[0], payload, **encoding)


def oauth_jwt(instance, subject="user_alice", claims=None, without=(), ttl=3600, key=None, **encoding):
    now = instance.now()
    payload = {"iss": instance.issuer, "sub": subject, "jti": new_id("oat", 20), "client_id": "client_emulated",
               "scope": "profile email", "iat": now, "exp": now + ttl} | (claims or {})
    payload = {name: value for name, value in payload.items() if name not in without}
    encoding.setdefault("category", None)
    encoding["header"] = {"typ": "at+jwt"} | encoding.get("header", {})
    return tokens.encode(key or instance.keys[0], payload, **encoding)


def _verify(instance, request, kind, member):
    try:
        secret = request.json().get(member)
    except ValueError:
        return error(400, "request_body_invalid", "The body is not JSON")
    token = instance.machine_tokens.get(secret)
    if token is None or token.kind != kind:
        return error(404, "resource_not_found", "No such token")
    return answer(token.described(instance.now()))


def verify_api_key(instance, request):
    return _verify(instance, request, "api_key", "secret")


def verify_m2m_token(instance, request):
    return _verify(instance, request, "m2m_token", "token")


def verify_oauth_token(instance, request):
    return _verify(instance, request, "oauth_token", "access_token")


def control(instance, request):
    """POST {"kind", "subject", "scopes", ...} makes an opaque token: {"secret", "id"}."""
    token = create(instance, **request.json())
    return answer({"secret": token.secret, "id": token.id}, 201)
