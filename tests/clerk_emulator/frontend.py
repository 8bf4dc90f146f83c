# SPDX-License-Identifier: Apache-2.0
"""The Frontend API: what browsers and clerk-js talk to."""

import re

from .environment import environment
from .keys import new_id
from .web import answer, error, is_web_url, origin_of, redirect, with_query

_HANDSHAKE_TOKEN_LIMIT = 2048


def jwks(instance, request):
    return answer(instance.jwks())


def current_client(instance, request):
    """The browser that asks, or None: by dev browser (development) or `__client` (production)."""
    if instance.production:
        client_id = request.cookie("__client")
    else:
        client_id = request.query.get("__clerk_db_jwt") or request.form.get("__clerk_db_jwt")
    return instance.clients.get(client_id)


# Objects


def client_object(instance, request, client):
    active = client.active_session()
    return {
        "object": "client",
        "id": client.id,
        "sessions": [session_object(instance, request, session) for session in client.live_sessions()],
        "sign_in": None,
        "sign_up": None,
        "last_active_session_id": active.id if active else None,
        "cookie_expires_at": None,
        "captcha_bypass": False,
        "last_authentication_strategy": None,
        "created_at": client.updated_at,
        "updated_at": client.updated_at,
    }


def _memberships(instance, user):
    return [
        {
            "object": "organization_membership",
            "id": f"orgmem_{org.slug}_{user.name}",
            "role": org.role_of(user),
            "permissions": list(org.roles.get(org.role_of(user), ())),
            "organization": {"object": "organization", "id": org.id, "slug": org.slug, "name": org.name},
            "public_user_data": None,
        }
        for org in instance.organizations.values()
        if user.id in org.members
    ]


def user_object(instance, user):
    memberships = _memberships(instance, user)
    first, _, last = user.display_name.partition(" ")
    email = {
        "id": "idn_" + user.name,
        "object": "email_address",
        "email_address": user.email,
        "verification": {"status": "verified", "strategy": "from_oauth"},
        "linked_to": [],
    }
    return {
        "object": "user",
        "id": user.id,
        "username": user.name,
        "first_name": first,
        "last_name": last,
        "primary_email_address_id": email["id"],
        "email_addresses": [email],
        "phone_numbers": [],
        "web3_wallets": [],
        "external_accounts": [],
        "organization_memberships": memberships,
        "public_metadata": {},
        "unsafe_metadata": {},
        "password_enabled": True,
        "two_factor_enabled": user.second_factor,
        "created_at": 1700000000000,
        "updated_at": 1700000000000,
    }


def session_object(instance, request, session):
    origin = request.headers.get("origin")
    live = session.status in ("active", "pending")
    return {
        "object": "session",
        "id": session.id,
        "client_id": session.client.id,
        "user_id": session.user.id,
        "status": session.status,
        "expire_at": (session.created_at + 7 * 86400) * 1000,
        "abandon_at": (session.created_at + 30 * 86400) * 1000,
        "last_active_at": instance.now() * 1000,
        "last_active_organization_id": session.org_id,
        "factor_verification_age": [0, 0 if session.user.second_factor else -1],
        "actor": session.actor,
        "tasks": [{"key": "choose-organization"}] if session.status == "pending" else [],
        "user": user_object(instance, session.user),
        "public_user_data": {"identifier": session.user.email, "user_id": session.user.id},
        "last_active_token": {"object": "token", "jwt": instance.session_token(session, origin)} if live else None,
        "created_at": session.created_at * 1000,
        "updated_at": session.created_at * 1000,
    }


def _envelope(instance, request, response, client, changed=False):
    result = answer({"response": response, "client": client_object(instance, request, client) if client else None})
    if client and changed and instance.production:
        result.with_cookies([instance.directives.client_cookie(client)])
        result.with_cookies(instance.directives.client_uat_answer(client))
    return result


# Boot


def dev_browser(instance, request):
    if instance.production:
        return error(400, "invalid_request", "dev browsers belong to development instances")
    client = instance.create_client()
    return answer({"id": client.id, "token": client.id})


def get_environment(instance, request):
    return answer(environment(instance))


def get_client(instance, request):
    client = current_client(instance, request)
    if client is None and not instance.production:
        return error(401, "dev_browser_unauthenticated", "Browser unauthenticated")
    response = client_object(instance, request, client) if client else None
    result = answer({"response": response, "client": None})
    if client and instance.production:
        result.with_cookies(instance.directives.client_uat_answer(client))
    return result


def delete_client(instance, request):
    client = current_client(instance, request)
    if client:
        _end_all(instance, client)
    return _envelope(instance, request, None, None)


def touch_client(instance, request):
    """A redirect that renews `__client`."""
    target = request.query.get("redirect_url", "")
    if not is_web_url(target):
        return error(400, "form_param_format_invalid", "redirect_url is not a web address")
    client = current_client(instance, request)
    result = redirect(target, 307)
    if client and instance.production:
        result.with_cookies([instance.directives.client_cookie(client)])
    return result


# Sign-in


def _sign_in_object(sign_in):
    return {
        "object": "sign_in",
        "id": sign_in["id"],
        "status": sign_in["status"],
        "identifier": sign_in.get("identifier"),
        "created_session_id": sign_in.get("session_id"),
        "supported_identifiers": ["email_address"],
        "supported_first_factors": [{"strategy": "password"}],
        "supported_second_factors": None,
        "first_factor_verification": None,
        "second_factor_verification": None,
        "user_data": None,
    }


def sign_ins(instance, request):
    """Strategies `password` (in one step or two) and `ticket` (any user's id or name is a ticket)."""
    client = current_client(instance, request)
    if client is None:
        if not instance.production:
            return error(401, "dev_browser_unauthenticated", "Browser unauthenticated")
        client = instance.create_client()
    form = request.form
    who = form.get("ticket") if form.get("strategy") == "ticket" else form.get("identifier")
    try:
        user = instance.user(who)
    except KeyError:
        return error(422, "form_identifier_not_found", "Couldn't find your account.")
    sign_in = {"id": new_id("sia"), "identifier": user.email, "status": "needs_first_factor", "user": user}
    client_sign_ins = instance.sign_ins.setdefault(client.id, {})
    client_sign_ins[sign_in["id"]] = sign_in
    if form.get("strategy") == "ticket":
        return _complete(instance, request, client, sign_in)
    if form.get("password"):
        return _attempt(instance, request, client, sign_in, form["password"])
    return _envelope(instance, request, _sign_in_object(sign_in), client)


def attempt_first_factor(instance, request, sign_in_id):
    client = current_client(instance, request)
    sign_in = instance.sign_ins.get(client.id, {}).get(sign_in_id) if client else None
    if sign_in is None:
        return error(404, "resource_not_found", "No such sign-in")
    return _attempt(instance, request, client, sign_in, request.form.get("password"))


def _attempt(instance, request, client, sign_in, password):
    if password != sign_in["user"].password:
        return error(422, "form_password_incorrect", "Password is incorrect. Try again, or use another method.")
    return _complete(instance, request, client, sign_in)


def _complete(instance, request, client, sign_in):
    if instance.production:
        client = instance.rotate_client(client)
    sign_in["status"] = "complete"
    sign_in["session_id"] = instance.create_session(sign_in["user"], client=client).id
    return _envelope(instance, request, _sign_in_object(sign_in), client, changed=True)


# Sessions


def _own_session(instance, request, session_id):
    client = current_client(instance, request)
    session = instance.sessions.get(session_id)
    return (client, session) if client and session and session.client is client else (client, None)


def touch_session(instance, request, session_id):
    client, session = _own_session(instance, request, session_id)
    if session is None or session.status not in ("active", "pending"):
        return error(404, "resource_not_found", "No such session")
    with instance.lock:
        client.last_active_session_id = session.id
    if request.form.get("intent") != "focus" and "active_organization_id" in request.form:
        instance.activate_organization(session, request.form["active_organization_id"])
    return _envelope(instance, request, session_object(instance, request, session), client)


def session_tokens(instance, request, session_id, template=None):
    _, session = _own_session(instance, request, session_id)
    if session is None or session.status not in ("active", "pending"):
        return error(401, "authentication_invalid", "Unable to authenticate the request")
    if "organization_id" in request.form:
        instance.activate_organization(session, request.form["organization_id"])
    category = {"category": "cl_B7d4PD222AAA", "without": ("sid", "sts", "v")} if template else {}
    token = instance.session_token(session, request.headers.get("origin"), **category)
    return answer({"object": "token", "jwt": token})


def end_session(instance, request, session_id):
    client, session = _own_session(instance, request, session_id)
    if session is None:
        return error(404, "resource_not_found", "No such session")
    instance.end_session(session, "removed" if request.path.endswith("/remove") else "ended")
    return _envelope(instance, request, session_object(instance, request, session), client, changed=True)


def _end_all(instance, client):
    for session in client.live_sessions():
        instance.end_session(session, "removed")


def end_all_sessions(instance, request):
    client = current_client(instance, request)
    if client is None:
        return error(401, "authentication_invalid", "Unable to authenticate the request")
    _end_all(instance, client)
    return _envelope(instance, request, client_object(instance, request, client), client, changed=True)


# Organizations


def organization_memberships(instance, request):
    client = current_client(instance, request)
    session = client.active_session() if client else None
    if session is None:
        return error(401, "authentication_invalid", "Unable to authenticate the request")
    found = _memberships(instance, session.user)
    return answer({"response": {"data": found, "total_count": len(found)}})


def no_organizations(instance, request):
    """Nobody is invited to any."""
    return answer({"response": {"data": [], "total_count": 0}})


# Handshake


def handshake(instance, request):
    """307 back to `redirect_url` with the state of the browser as a list of Set-Cookie values."""
    target = request.query.get("redirect_url", "")
    if not is_web_url(target):
        return error(400, "form_param_format_invalid", "redirect_url is not a web address")
    client = current_client(instance, request) or instance.create_client()
    session = client.active_session()
    if session and "organization_id" in request.query:
        instance.activate_organization(session, request.query["organization_id"])
    token = instance.session_token(session, origin_of(target), **instance.handshake_session_mint) if session else ""
    name, value = _handshake_carrier(instance, request, client, session, token, target)
    if re.search(r"[?&]__clerk_synced=false(&|$)", target):
        target = with_query(target, __clerk_synced="true")
    if not instance.production:
        return redirect(with_query(target, **{name: value}), 307)
    return redirect(target, 307).with_cookies([instance.directives.handshake_carrier(name, value)])


def _handshake_carrier(instance, request, client, session, token, target):
    """(parameter or cookie name, value): the signed token or a nonce, see handshake_form."""
    build = lambda carrier: instance.directives.handshake(
        client, session, token, target, request.flag("suffixed_cookies"), carrier
    )
    acceptable = request.query.get("format") == "nonce"
    form = instance.handshake_form
    if form == "token" or (form != "nonce-always" and not acceptable):
        use_nonce = False
    elif form == "size":
        use_nonce = len(instance.handshake_token(build("__clerk_handshake"))) > _HANDSHAKE_TOKEN_LIMIT
    else:
        use_nonce = True
    if not use_nonce:
        signed = instance.handshake_token(build("__clerk_handshake"), **instance.handshake_token_mint)
        return "__clerk_handshake", signed
    nonce = new_id("nonce", 32)
    with instance.lock:
        instance.nonces[nonce] = build("__clerk_handshake_nonce")
    return "__clerk_handshake_nonce", nonce
