# SPDX-License-Identifier: Apache-2.0
"""The Backend API: what servers with a secret key talk to."""

import base64
import binascii
import json

from .web import answer, error


def key_error(instance, request):
    """The response to a request without the secret key of the instance, or None."""
    keys = [instance.secret_key]
    if request.path == "/m2m_tokens/verify":
        keys.append(instance.machine_secret_key)
    if request.headers.get("authorization") in ["Bearer " + key for key in keys]:
        return None
    return error(401, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.")


def jwks(instance, request):
    return answer(instance.jwks())


def handshake_payload(instance, request):
    """A nonce can be used once."""
    with instance.lock:
        directives = instance.nonces.pop(request.query.get("nonce"), None)
    if directives is None:
        return error(404, "resource_not_found", "No handshake payload for that nonce")
    return answer({"directives": directives})


def _session_object(session, now):
    return {
        "object": "session",
        "id": session.id,
        "client_id": session.client.id,
        "user_id": session.user.id,
        "status": session.status,
        "last_active_organization_id": session.org_id,
        "actor": session.actor,
        "latest_activity": None,
        "last_active_at": now * 1000,
        "expire_at": (session.created_at + 7 * 86400) * 1000,
        "abandon_at": (session.created_at + 30 * 86400) * 1000,
        "created_at": session.created_at * 1000,
        "updated_at": now * 1000,
        "tasks": [{"key": "choose-organization"}] if session.status == "pending" else [],
    }


def get_session(instance, request, session_id):
    session = instance.sessions.get(session_id)
    if session is None:
        return error(404, "resource_not_found", "Session not found")
    return answer(_session_object(session, instance.now()))


def revoke_session(instance, request, session_id):
    session = instance.sessions.get(session_id)
    if session is None:
        return error(404, "resource_not_found", "Session not found")
    instance.revoke(session)
    return answer(_session_object(session, instance.now()))


def _address(address_id, email, status):
    return {
        "id": address_id,
        "object": "email_address",
        "email_address": email,
        "reserved": False,
        "verification": None if status is None else {"status": status, "strategy": "email_code", "attempts": None, "expire_at": None},
        "linked_to": [],
    }


def user_object(user):
    """Another, verified address first: only the primary one is the user's."""
    first, _, last = user.display_name.partition(" ")
    primary = "idn_" + user.name
    return {
        "id": user.id,
        "object": "user",
        "username": user.name,
        "first_name": first or None,
        "last_name": last or None,
        "image_url": f"https://img.clerk.com/{user.name}",
        "has_image": True,
        "primary_email_address_id": primary,
        "primary_phone_number_id": None,
        "primary_web3_wallet_id": None,
        "password_enabled": True,
        "two_factor_enabled": user.second_factor,
        "totp_enabled": False,
        "backup_code_enabled": False,
        "email_addresses": [
            _address(primary + "_old", "old." + user.email, "verified"),
            _address(primary, user.email, user.email_status),
        ],
        "phone_numbers": [],
        "web3_wallets": [],
        "external_accounts": [],
        "saml_accounts": [],
        "external_id": "hr-" + user.name,
        "public_metadata": {"department": "sales", "levels": [1, 2], "nested": {"room": "B 12"}},
        "private_metadata": {"salary": 1},
        "unsafe_metadata": {"theme": "dark"},
        "banned": False,
        "locked": False,
        "created_at": 1700000000000,
        "updated_at": 1700000000000,
        **user.profile,
    }


def get_user(instance, request, user_id):
    for user in list(instance.users.values()):
        if user.id == user_id:
            return answer(user_object(user))
    return error(404, "resource_not_found", "User not found")


def _unverified_claims(token):
    try:
        payload = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (AttributeError, IndexError, ValueError, binascii.Error):
        return {}


def refresh_session(instance, request, session_id):
    """New cookies for an expired token and the refresh token of the same session, which must still be active."""
    try:
        body = request.json()
    except ValueError:
        return error(400, "request_body_invalid", "The body is not JSON")
    session = instance.sessions.get(session_id)
    if session is None or _unverified_claims(body.get("expired_token")).get("sid") != session_id:
        return error(401, "session_token_invalid", "The expired token does not belong to the session")
    if session.status != "active":
        return error(401, "session_not_active", "The session is no longer active")
    if not session.refresh_token or body.get("refresh_token") != session.refresh_token:
        return error(401, "refresh_token_invalid", "The refresh token is not known")
    token = instance.session_token(session, body.get("request_origin"))
    if body.get("format") == "token":
        return answer({"object": "token", "jwt": token})
    directives = instance.directives
    cookies = directives.session(token, request.flag("suffixed_cookies")) + directives.refresh(session)
    return answer({"object": "cookies", "cookies": cookies})
