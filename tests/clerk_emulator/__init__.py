# SPDX-License-Identifier: Apache-2.0
"""A local emulator of Clerk: Frontend API, Backend API and Account Portal, for tests and the demo.

Needs Python 3.11 and python3-cryptography, nothing else. It only ever listens on 127.0.0.1.

    sys.path.insert(0, "tests")
    from clerk_emulator import Emulator, Instance

    with Emulator() as emulator:                  # or emulator.start() ... emulator.stop()
        dev = emulator.add_instance()             # development; starts its own listener on a free port
        live = emulator.add_instance(production=True, host="clerk.example.com", cookie_domain="", secure=False)

Configuration of the module for one instance (every role is served on the instance's one listener):

    dev.publishable_key   dev.secret_key   dev.kid   dev.issuer   dev.cookie_suffix   dev.host
    dev.url               "http://127.0.0.1:PORT" for ClerkFrontendAPI and ClerkAPIURL
    dev.jwks_url          for ClerkJWKSURL (public);  dev.api_jwks_url is the Backend API's
    dev.sign_in_url       for ClerkSignInURL
    dev.public_key_pem    for ClerkJWTKey

Users: alice (admin of acme, second factor), bob (member of acme), carol (no organization), dave (admin of globex,
member of acme). Organizations: acme, globex. `dev.users["alice"].id`, `dev.organizations["acme"].id`;
add more with dev.add_user(name, memberships={"acme": "member"}) and dev.add_organization(slug, roles={...}).

Tokens:

    dev.mint("alice", org="acme")                 # v2 session token, 60 s, of a session that exists
    dev.mint("bob", org="acme", version=1)        # v1 claims
    dev.mint("alice", ttl=60, age=120)            # issued two minutes ago, expired one minute ago
    dev.mint("alice", claims={"azp": "https://app.example.com", "v": 2}, without=("sid",))
    dev.mint("alice", header={"cat": "cl_B7d4PD222AAA"}, header_without=("kid",))
    dev.mint("alice", key=Key.generate(), session=dev.create_session("alice", org="acme"))
    dev.mint("alice", defect="alg-none")          # any of tokens.DEFECTS
    dev.handshake_token(["__session=; Path=/"])   # a signed handshake token; takes header=, key=, defect= ...

Sessions and clients:

    session = dev.create_session("alice", org="acme")      # its client: session.client.id (dev browser / __client)
    dev.revoke(session)                                    # also by session id; the status becomes "revoked"
    dev.create_client()                                    # a signed-out browser
    dev.refresh_token(session)                             # value for the cookie __refresh_<suffix>

Keys:

    dev.rotate_key()                  # new key under a new kid; the old one leaves the key set
    dev.rotate_key(keep_old=True)     # both published     dev.rotate_key(same_kid=True)
    dev.add_key(Key)                  dev.remove_key(kid)  dev.keys (first one signs)

Faults, by endpoint name (see the list in faults.py; "jwks", "api-jwks", "handshake", "handshake-payload",
"refresh", ... or the groups "frontend", "backend", "*"):

    dev.set_fault("jwks", status=500)                      # also 404, 429 with headers={"Retry-After": "1"}
    dev.set_fault("jwks", delay=2.0, times=1)              # times: how many requests it lasts for
    dev.set_fault("jwks", drop=True)                       # connection closed without an answer
    dev.set_fault("jwks", truncate=True)                   # half of the announced body
    dev.set_fault("jwks", empty_keys=True)
    dev.set_fault("jwks", body="<html>", content_type="text/html")
    dev.set_fault("jwks", redirect="http://127.0.0.1:1/")  dev.set_fault("jwks", oversize=32 * 1024 * 1024)
    dev.clear_faults()   dev.clear_faults("jwks")

Handshake: dev.handshake_form = "token" | "nonce" | "size" (default: nonce above 2 KB when it was asked for) |
"nonce-always" (even when not asked for). dev.handshake_session_mint = {...} and dev.handshake_token_mint = {...} are
keyword arguments for the inner and the outer token; dev.handshake_extra_directives = [...];
dev.handshake_deletes = False leaves the deletion of the handshake cookie out (production).
dev.issue_refresh_cookies = True adds __refresh_<suffix> to handshakes.

Knobs: dev.token_ttl (60), dev.nbf_leeway (10), dev.time_offset (0 seconds; moves the instance's clock),
dev.token_version (2), dev.default_origin (None; the `azp` of tokens nobody names an origin for).

What was asked: dev.count("jwks"), dev.counters() and dev.requests("handshake") -> list of Record(endpoint, method,
path, query, headers, body, status, time); dev.wait_for("jwks", 1, timeout=5); dev.reset_log(). Thread-safe.

dev.pause() closes the listener and every connection (an outage); dev.resume() listens on the same port again.

Over HTTP (loopback tools and other languages): GET /_emulator/ describes the control interface, see control.py.
Command line: `/usr/bin/python3 -m clerk_emulator --port 0 --state FILE` with tests/ in PYTHONPATH.
"""

from .emulator import Emulator
from .faults import ENDPOINTS, Fault
from .instance import Instance
from .keys import Key
from .records import Record
from .tokens import DEFECTS

__all__ = ["DEFECTS", "ENDPOINTS", "Emulator", "Fault", "Instance", "Key", "Record"]
