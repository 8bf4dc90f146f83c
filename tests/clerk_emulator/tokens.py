# SPDX-License-Identifier: Apache-2.0
"""Tokens with the claims Clerk puts in, and tokens with every defect a verifier must refuse."""

import hashlib
import hmac
import json

from .keys import Key, base64url, new_id

CATEGORY_SESSION = "cl_B7d4PD111AAA"
CATEGORY_TEMPLATE = "cl_B7d4PD222AAA"
CATEGORY_M2M = "cl_B7d4PD333AAA"

DEFECTS = (
    "alg-none",  # alg "none", empty signature
    "hs256",  # HMAC keyed with the public key's PEM
    "bad-signature",  # one bit of the signature differs
    "foreign-key",  # right kid, signed by another key
    "empty-signature",
    "two-parts",
    "four-parts",
    "padded",  # base64 with "=" padding
    "bad-base64",
    "header-not-object",
    "claims-not-object",
    "claims-null",
    "bad-json",
    "duplicate-claim",  # "sub" twice
    "truncated",
    "trailing-bits",  # not canonical base64url
    "empty",
)


def session_claims(instance, session, org, now, origin=None, version=2, ttl=60):
    """The claims of a session token (versions 1 and 2), without any override."""
    user = session.user
    first = int((now - session.verified_at) // 60)
    claims = {
        "exp": now + ttl,
        "fva": [max(first, 0), max(first, 0) if user.second_factor else -1],
        "iat": now,
        "iss": instance.issuer,
        "jti": new_id("jti", 20),
        "nbf": now - instance.nbf_leeway,
        "sid": session.id,
        "sts": session.status if session.status in ("active", "pending") else "active",
        "sub": user.id,
    }
    if origin:
        claims["azp"] = origin
    if session.actor:
        claims["act"] = session.actor
    if version == 2:
        claims["v"] = 2
        claims.update(_features_and_plans(user, org))
    if org:
        claims.update(_organization_v2(org, user) if version == 2 else _organization_v1(org, user))
    claims.update(user.claims)
    return claims


def _features_and_plans(user, org):
    """`fea` and `pla`; the entries of the organization come first, so that `o.fpm` is unambiguous."""
    entries = {}
    for scope, features in (("o", org.features if org else ()), ("u", user.features)):
        for feature in features:
            entries[feature] = entries.get(feature, "") + scope
    plans = (["o:" + org.plan] if org and org.plan else []) + (["u:" + user.plan] if user.plan else [])
    claims = {"fea": ",".join(scope + ":" + name for name, scope in entries.items())} if entries else {}
    return claims | ({"pla": ",".join(plans)} if plans else {})


def _organization_v1(org, user):
    role = org.role_of(user)
    return {
        "org_id": org.id,
        "org_role": role,
        "org_slug": org.slug,
        "org_permissions": list(org.roles.get(role, ())),
    }


def _organization_v2(org, user):
    """`o`: permissions org:<feature>:<verb> as one mask a feature, bit n standing for entry n of `per`."""
    role = org.role_of(user)
    granted = [permission.split(":")[1:] for permission in org.roles.get(role, ())]
    verbs = list(dict.fromkeys(verb for _, verb in granted))
    features = list(_features_and_plans(user, org).get("fea", "").split(","))
    names = [entry.split(":", 1)[-1] for entry in features]
    masks = [sum(1 << verbs.index(verb) for feature, verb in granted if feature == name) for name in names]
    claim = {"id": org.id, "slg": org.slug, "rol": role.split(":", 1)[1]}
    if granted:
        claim |= {"per": ",".join(verbs), "fpm": ",".join(str(mask) for mask in masks)}
    return {"o": claim}


def encode(key, claims, header=None, header_without=(), alg="RS256", category=CATEGORY_SESSION, defect=None):
    """A compact JWS over `claims` (a dict, or text taken as it is) signed by `key`, with `defect` when asked."""
    if defect is not None and defect not in DEFECTS:
        raise ValueError(f"unknown defect {defect!r}; one of {', '.join(DEFECTS)}")
    head = {"alg": alg, "cat": category, "kid": key.kid, "typ": "JWT"}
    if category is None:
        del head["cat"]
    head.update(header or {})
    if defect == "alg-none":
        head["alg"] = "none"
    elif defect == "hs256":
        head["alg"] = "HS256"
    for name in header_without:
        head.pop(name, None)
    first = base64url(_json("text" if defect == "header-not-object" else head))
    second = _encoded_claims(claims, defect)
    signed = f"{first}.{second}"
    signature = _signature(key, signed.encode("ascii"), alg, defect)
    return _assemble(first, second, signature, defect)


def _json(value):
    return json.dumps(value, separators=(",", ":")).encode("utf-8")


def _encoded_claims(claims, defect):
    text = claims.encode("utf-8") if isinstance(claims, str) else _json(claims)
    if defect == "claims-not-object":
        text = b'["sub"]'
    elif defect == "claims-null":
        text = b"null"
    elif defect == "bad-json":
        text = text[:-1]
    elif defect == "duplicate-claim":
        text = text[:-1] + b',"sub":"user_duplicate"}'
    return base64url(text)


def _signature(key, data, alg, defect):
    if defect in ("alg-none", "empty-signature"):
        return b""
    if defect == "hs256":
        return hmac.new(key.public_pem.encode("ascii"), data, hashlib.sha256).digest()
    if defect == "foreign-key":
        return Key.generate().sign(data, alg)
    signature = key.sign(data, alg)
    if defect == "bad-signature":
        signature = bytes([signature[0] ^ 1]) + signature[1:]
    return signature


def _assemble(first, second, signature, defect):
    third = base64url(signature)
    if defect == "two-parts":
        return f"{first}.{second}"
    if defect == "four-parts":
        return f"{first}.{second}.{third}.{third}"
    if defect == "padded":
        third += "=" * (-len(third) % 4) or "===="
    elif defect == "bad-base64":
        second = "*" + second[1:]
    elif defect == "truncated":
        third = third[: len(third) // 2]
    elif defect == "trailing-bits":
        third = third[:-1] + chr(ord(third[-1]) + 1)
    elif defect == "empty":
        return ""
    return f"{first}.{second}.{third}"
