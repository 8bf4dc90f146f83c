# SPDX-License-Identifier: Apache-2.0
"""The control interface under /_emulator/, for tests in other languages, shells and the demo.

    GET    /_emulator/                      the instance: keys, host, URLs, users
    GET    /_emulator/token?user=alice      a fresh session token as text; also org=, ttl=, age=, version=, origin=,
                                            defect=, session_id=
    GET    /_emulator/api-key?user=alice    a new API key of hers as text
    POST   /_emulator/mint                  the same from JSON, with every argument of Instance.mint but `key`;
                                            {"token", "session_id"}; "foreign_key": true signs with an unknown key
    POST   /_emulator/handshake-token       {"directives": [...], "claims": {...}, "defect": ...} -> {"token"}
    GET    /_emulator/sessions              list; POST {"user", "org", "status", "actor"} makes one
    POST   /_emulator/sessions/{sid}/revoke
    POST   /_emulator/machine-tokens        {"kind": "api_key", "subject": ..., "scopes": [...]} -> {"secret", "id"}
    POST   /_emulator/keys                  {"rotate": true, "same_kid": false, "keep_old": false} or {"remove": kid}
    POST   /_emulator/faults                {"endpoint": "jwks", "status": 500, ...} (faults.Fault); DELETE clears all
    POST   /_emulator/settings              any of SETTINGS
    GET    /_emulator/requests?endpoint=    the log; DELETE clears log and counters
    GET    /_emulator/counters
"""

import dataclasses

from . import machines
from .keys import Key
from .web import Response, answer, error

SETTINGS = (
    "time_offset",
    "token_ttl",
    "nbf_leeway",
    "token_version",
    "default_origin",
    "handshake_form",
    "handshake_deletes",
    "handshake_extra_directives",
    "handshake_session_mint",
    "handshake_token_mint",
    "handshake_cookie_ttl",
    "issue_refresh_cookies",
)
_MINT = ("user", "org", "claims", "without", "ttl", "age", "version", "origin", "issued_at")
_ENCODE = ("header", "header_without", "alg", "category", "defect")


def describe(instance):
    return {
        "name": instance.name,
        "production": instance.production,
        "host": instance.host,
        "issuer": instance.issuer,
        "publishable_key": instance.publishable_key,
        "secret_key": instance.secret_key,
        "cookie_suffix": instance.cookie_suffix,
        "kid": instance.kid,
        "public_key_pem": instance.public_key_pem,
        "url": instance.url,
        "jwks_url": instance.jwks_url,
        "sign_in_url": instance.sign_in_url,
        "sign_out_url": instance.sign_out_url,
        "users": {
            user.name: {
                "id": user.id,
                "organizations": {
                    org.slug: org.role_of(user) for org in instance.organizations.values() if user.id in org.members
                },
            }
            for user in instance.users.values()
        },
        "organizations": {org.slug: org.id for org in instance.organizations.values()},
    }


def _session(session):
    return {
        "id": session.id,
        "user": session.user.name,
        "client": session.client.id,
        "status": session.status,
        "org_id": session.org_id,
    }


def _mint(instance, wanted):
    options = {name: wanted[name] for name in _MINT + _ENCODE if name in wanted}
    if "session_id" in wanted:
        options["session"] = instance.sessions[wanted["session_id"]]
    if wanted.get("foreign_key"):
        options["key"] = Key.generate(instance.kid)
    return instance.mint(**options)


def token(instance, request):
    wanted = dict(request.query)
    for name in ("ttl", "age", "version"):
        if name in wanted:
            wanted[name] = int(wanted[name])
    return Response(200, _mint(instance, wanted).encode("ascii"), "text/plain", [("Cache-Control", "no-store")])


def api_key(instance, request):
    user = instance.users[request.query.get("user", "alice")]
    key = machines.create(instance, "api_key", subject=user.id)
    return Response(200, key.secret.encode("ascii"), "text/plain", [("Cache-Control", "no-store")])


def mint(instance, request):
    wanted = request.json()
    if "session_id" not in wanted:
        wanted["session_id"] = instance.session_to_mint(wanted.get("user", "alice"), wanted.get("org")).id
    return answer({"token": _mint(instance, wanted), "session_id": wanted["session_id"]})


def handshake_token(instance, request):
    wanted = request.json()
    options = {name: wanted[name] for name in ("claims",) + _ENCODE if name in wanted}
    return answer({"token": instance.handshake_token(wanted.get("directives", []), **options)})


def sessions(instance, request):
    if request.method == "POST":
        wanted = request.json()
        client = instance.clients.get(wanted.pop("client", None))
        return answer(_session(instance.create_session(client=client, **wanted)), 201)
    return answer([_session(session) for session in list(instance.sessions.values())])


def revoke(instance, request, session_id):
    instance.revoke(session_id)
    return answer(_session(instance.sessions[session_id]))


def keys(instance, request):
    wanted = request.json()
    if wanted.get("rotate"):
        instance.rotate_key(wanted.get("same_kid", False), wanted.get("keep_old", False))
    elif "remove" in wanted:
        instance.remove_key(wanted["remove"])
    return answer(instance.jwks())


def faults(instance, request):
    if request.method == "DELETE":
        instance.clear_faults()
    else:
        instance.set_fault(**request.json())
    return answer({})


def settings(instance, request):
    for name, value in request.json().items():
        if name not in SETTINGS:
            return error(422, "unknown_setting", name)
        setattr(instance, name, value)
    return answer({name: getattr(instance, name) for name in SETTINGS})


def requests(instance, request):
    if request.method == "DELETE":
        instance.reset_log()
    return answer([dataclasses.asdict(record) for record in instance.requests(request.query.get("endpoint"))])


def counters(instance, request):
    return answer(instance.counters())


def index(instance, request):
    return answer(describe(instance))
