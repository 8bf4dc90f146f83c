# SPDX-License-Identifier: Apache-2.0
"""Ways an endpoint can misbehave."""

import dataclasses
import threading

FRONTEND = (
    "jwks",  # GET /.well-known/jwks.json
    "handshake",  # GET /v1/client/handshake
    "dev-browser",  # POST /v1/dev_browser
    "environment",  # GET, PATCH /v1/environment
    "client",  # GET, DELETE /v1/client
    "client-touch",  # GET /v1/client/touch
    "sign-ins",  # POST /v1/client/sign_ins, .../attempt_first_factor
    "session-touch",  # POST /v1/client/sessions/{sid}/touch
    "tokens",  # POST /v1/client/sessions/{sid}/tokens
    "session-end",  # POST /v1/client/sessions/{sid}/end and /remove
    "sign-out-all",  # DELETE /v1/client/sessions
    "script",  # GET /npm/...
)
BACKEND = (
    "api-jwks",  # GET /v1/jwks
    "handshake-payload",  # GET /v1/clients/handshake_payload
    "refresh",  # POST /v1/sessions/{sid}/refresh
    "session",  # GET /v1/sessions/{sid}
    "revoke",  # POST /v1/sessions/{sid}/revoke
    "user",  # GET /v1/users/{user_id}
    "verify-api-key",  # POST /api_keys/verify
    "verify-m2m",  # POST /m2m_tokens/verify
    "verify-oauth",  # POST /oauth_applications/access_tokens/verify
)
PORTAL = ("portal-sign-in", "portal-sign-up", "portal-sign-out")
ENDPOINTS = FRONTEND + BACKEND + PORTAL
_GROUPS = {"frontend": FRONTEND, "backend": BACKEND, "portal": PORTAL, "*": ENDPOINTS}


@dataclasses.dataclass
class Fault:
    """A change of the normal response, or a replacement for it. Members can be combined where that makes sense."""

    status: int | None = None  # with a Clerk error body
    code: str = "emulated_fault"  # error code in that body
    headers: dict = dataclasses.field(default_factory=dict)
    delay: float = 0.0  # seconds before anything is answered
    trickle: float = 0.0  # seconds that the body takes, byte by byte
    drop: bool = False
    truncate: bool = False
    empty_keys: bool = False
    body: str | None = None
    content_type: str = "application/json"
    redirect: str | None = None  # 302 to this URL
    oversize: int = 0  # body of that many bytes, valid JSON
    times: int | None = None  # number of requests it lasts for; None: until cleared


class FaultTable:
    def __init__(self):
        self._lock = threading.Lock()
        self._faults = {}

    def set(self, endpoint, fault):
        names = _GROUPS.get(endpoint, (endpoint,))
        unknown = set(names) - set(ENDPOINTS)
        if unknown:
            raise ValueError(f"unknown endpoint {endpoint!r}; one of {', '.join(ENDPOINTS)}")
        with self._lock:
            for name in names:
                self._faults[name] = dataclasses.replace(fault)

    def clear(self, endpoint="*"):
        with self._lock:
            for name in _GROUPS.get(endpoint, (endpoint,)):
                self._faults.pop(name, None)

    def take(self, endpoint):
        """The fault that applies to a request now, or None; uses one of its `times` up."""
        with self._lock:
            fault = self._faults.get(endpoint)
            if fault is None:
                return None
            if fault.times is not None:
                if fault.times <= 0:
                    del self._faults[endpoint]
                    return None
                fault.times -= 1
            return fault
