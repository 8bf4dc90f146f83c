# SPDX-License-Identifier: Apache-2.0
"""The function for each path."""

import re

from . import backend, control, frontend, machines, portal

# method, path, endpoint name (faults.py; None: not subject to faults), function
_TABLE = (
    ("GET", r"/\.well-known/jwks\.json", "jwks", frontend.jwks),
    ("POST", r"/v1/dev_browser", "dev-browser", frontend.dev_browser),
    ("GET|PATCH", r"/v1/environment", "environment", frontend.get_environment),
    ("GET", r"/v1/client", "client", frontend.get_client),
    ("DELETE", r"/v1/client", "client", frontend.delete_client),
    ("GET", r"/v1/client/touch", "client-touch", frontend.touch_client),
    ("GET", r"/v1/client/handshake", "handshake", frontend.handshake),
    ("POST", r"/v1/client/sign_ins", "sign-ins", frontend.sign_ins),
    ("POST", r"/v1/client/sign_ins/(\w+)/attempt_first_factor", "sign-ins", frontend.attempt_first_factor),
    ("DELETE", r"/v1/client/sessions", "sign-out-all", frontend.end_all_sessions),
    ("POST", r"/v1/client/sessions/(\w+)/touch", "session-touch", frontend.touch_session),
    ("POST", r"/v1/client/sessions/(\w+)/tokens", "tokens", frontend.session_tokens),
    ("POST", r"/v1/client/sessions/(\w+)/tokens/([\w-]+)", "tokens", frontend.session_tokens),
    ("POST", r"/v1/client/sessions/(\w+)/(?:end|remove)", "session-end", frontend.end_session),
    ("GET", r"/v1/me/organization_memberships", "memberships", frontend.organization_memberships),
    ("GET", r"/v1/me/organization_(?:invitations|suggestions)", "memberships", frontend.no_organizations),
    ("GET", r"/v1/jwks", "api-jwks", backend.jwks),
    ("GET", r"/v1/clients/handshake_payload", "handshake-payload", backend.handshake_payload),
    ("POST", r"/v1/sessions/(\w+)/refresh", "refresh", backend.refresh_session),
    ("GET", r"/v1/sessions/(\w+)", "session", backend.get_session),
    ("POST", r"/v1/sessions/(\w+)/revoke", "revoke", backend.revoke_session),
    ("GET", r"/v1/users/([\w-]+)", "user", backend.get_user),
    ("POST", r"/api_keys/verify", "verify-api-key", machines.verify_api_key),
    ("POST", r"/m2m_tokens/verify", "verify-m2m", machines.verify_m2m_token),
    ("POST", r"/oauth_applications/access_tokens/verify", "verify-oauth", machines.verify_oauth_token),
    ("GET", r"/sign-in", "portal-sign-in", portal.sign_in_page),
    ("POST", r"/sign-in", "portal-sign-in", portal.sign_in),
    ("GET|POST", r"/sign-in/tasks", "portal-sign-in", portal.tasks),
    ("GET", r"/sign-up", "portal-sign-up", portal.sign_up),
    ("GET", r"/sign-out", "portal-sign-out", portal.sign_out),
    ("GET", r"/_emulator/", None, control.index),
    ("GET", r"/_emulator/token", None, control.token),
    ("GET", r"/_emulator/api-key", None, control.api_key),
    ("POST", r"/_emulator/mint", None, control.mint),
    ("POST", r"/_emulator/handshake-token", None, control.handshake_token),
    ("GET|POST", r"/_emulator/sessions", None, control.sessions),
    ("POST", r"/_emulator/sessions/(\w+)/revoke", None, control.revoke),
    ("POST", r"/_emulator/machine-tokens", None, machines.control),
    ("GET|POST", r"/_emulator/keys", None, control.keys),
    ("POST|DELETE", r"/_emulator/faults", None, control.faults),
    ("GET|POST", r"/_emulator/settings", None, control.settings),
    ("GET|DELETE", r"/_emulator/requests", None, control.requests),
    ("GET", r"/_emulator/counters", None, control.counters),
)
_COMPILED = [(methods.split("|"), re.compile(path), name, function) for methods, path, name, function in _TABLE]
BACKEND_ENDPOINTS = ("api-jwks", "handshake-payload", "refresh", "session", "revoke", "user",
                     "verify-api-key", "verify-m2m", "verify-oauth")


def find(method, path):
    """(endpoint name, function, arguments); method "HEAD" is found as "GET"; (None, None, ()) if there is none."""
    method = "GET" if method == "HEAD" else method
    for methods, pattern, name, function in _COMPILED:
        match = pattern.fullmatch(path)
        if match and method in methods:
            return name, function, match.groups()
    return None, None, ()
