# SPDX-License-Identifier: Apache-2.0
"""One emulated Clerk instance: keys, people, sessions, tokens and settings for tests."""

import threading
import time

from . import machines, people, tokens
from .cookies import Directives
from .faults import Fault, FaultTable
from .keys import Key, cookie_suffix, new_id, publishable_key
from .records import RequestLog

HANDSHAKE_FORMS = ("token", "nonce", "size", "nonce-always")


class Instance:
    """Thread-safe where requests and tests meet: state changes happen under `lock`."""

    def __init__(self, production=False, host=None, name=None, key=None, cookie_domain=None, secure=None, cast=True):
        """`host` is the Frontend API host inside the publishable key (default invented per type).

        `cookie_domain` and `secure` override the production cookies' Domain ("" for none) and Secure attributes,
        for tests that reach the instance over plain HTTP or under another name."""
        self.production = production
        self.host = host or ("clerk.example.test" if production else "happy-emu-42.clerk.accounts.dev")
        self.name = name or self.host
        self.publishable_key = publishable_key(self.host, production)
        self.secret_key = new_id("sk_live" if production else "sk_test", 40)
        self.issuer = "https://" + self.host
        self.keys = [key or Key.generate()]
        self.users = {}
        self.organizations = {}
        self.clients = {}
        self.sessions = {}
        self.nonces = {}
        self.machine_tokens = {}
        self.machine_secret_key = new_id("ak", 40)
        self.sign_ins = {}
        self.lock = threading.RLock()
        self.log = RequestLog()
        self.faults = FaultTable()
        self.directives = Directives(self, cookie_domain, production if secure is None else secure)
        self.listener = None
        self.on_change = lambda: None
        self.time_offset = 0.0
        self.token_ttl = 60
        self.nbf_leeway = 10
        self.token_version = 2
        self.default_origin = None
        self.handshake_form = "size"
        self.handshake_deletes = True
        self.handshake_extra_directives = []
        self.handshake_session_mint = {}
        self.handshake_token_mint = {}
        self.handshake_cookie_ttl = 60
        self.issue_refresh_cookies = False
        self.organizations_enabled = False  # in what Clerk's components show
        self._minted = {}
        if cast:
            people.populate(self)

    # Configuration of the module

    @property
    def kid(self):
        return self.keys[0].kid

    @property
    def public_key_pem(self):
        return self.keys[0].public_pem

    @property
    def cookie_suffix(self):
        return cookie_suffix(self.publishable_key)

    @property
    def url(self):
        return self.listener.url

    @property
    def jwks_url(self):
        return self.url + "/.well-known/jwks.json"

    @property
    def api_jwks_url(self):
        return self.url + "/v1/jwks"

    @property
    def sign_in_url(self):
        return self.url + "/sign-in"

    @property
    def sign_out_url(self):
        return self.url + "/sign-out"

    def now(self):
        return int(time.time() + self.time_offset)

    # People

    def add_organization(self, slug, name=None, roles=None, features=(), plan=""):
        roles = {people.full_role(role): tuple(granted) for role, granted in (roles or {"org:admin": ()}).items()}
        org = people.Organization("org_" + slug, slug, name or slug.title(), roles, tuple(features), plan)
        with self.lock:
            self.organizations[slug] = org
        return org

    def add_user(self, name, display_name=None, memberships=None, **details):
        """`memberships` maps organization slugs to roles; `details` are further members of people.User."""
        user = people.User("user_" + name, name, display_name or name.title(), name + "@example.test", **details)
        with self.lock:
            self.users[name] = user
            for slug, role in (memberships or {}).items():
                self.organizations[slug].members[user.id] = people.full_role(role)
        return user

    def user(self, who):
        """A user by name, id, e-mail address or object; KeyError when there is none."""
        if isinstance(who, people.User):
            return who
        for user in self.users.values():
            if who in (user.name, user.id, user.email):
                return user
        raise KeyError(f"no user {who!r}")

    def organization(self, which):
        """An organization by slug, id or object; None for none."""
        if which is None or which == "" or isinstance(which, people.Organization):
            return which or None
        for org in self.organizations.values():
            if which in (org.slug, org.id):
                return org
        raise KeyError(f"no organization {which!r}")

    # Browsers and sessions

    def create_client(self):
        client = people.Client(new_id("client" if self.production else "dvb"), self.now() * 1000)
        with self.lock:
            self.clients[client.id] = client
        self.on_change()
        return client

    def rotate_client(self, client):
        """Production: the browser gets a new `__client` when it signs in; the old value is no longer valid."""
        with self.lock:
            self.clients.pop(client.id, None)
            client.id = new_id("client")
            self.clients[client.id] = client
        return client

    def create_session(self, user, org=None, client=None, status="active", actor=None):
        """A new session of `user` in `client` (default: a new browser), which ends the client's earlier ones."""
        user, org = self.user(user), self.organization(org)
        if org and user.id not in org.members:
            raise ValueError(f"{user.name} is not a member of {org.slug}")
        client = client or self.create_client()
        now = self.now()
        session = people.Session(
            new_id("sess"), user, client, now, now, status, org.id if org else None, {"sub": actor} if actor else None
        )
        with self.lock:
            for other in client.live_sessions():
                other.status = "replaced"
            client.sessions.append(session)
            client.last_active_session_id = session.id
            client.updated_at = now * 1000
            self.sessions[session.id] = session
        self.on_change()
        return session

    def end_session(self, session, status="ended"):
        with self.lock:
            session.status = status
            session.client.updated_at = self.now() * 1000
            if session.client.last_active_session_id == session.id:
                session.client.last_active_session_id = None
        self.on_change()

    def revoke(self, session):
        self.end_session(self.sessions[session] if isinstance(session, str) else session, "revoked")

    def activate_organization(self, session, which):
        """Switch the session; False (and no change) if the user is no member."""
        try:
            org = self.organization(which)
        except KeyError:
            return False
        if org and session.user.id not in org.members:
            return False
        with self.lock:
            session.org_id = org.id if org else None
            if org and session.status == "pending":
                session.status = "active"
        self.on_change()
        return True

    def refresh_token(self, session):
        with self.lock:
            session.refresh_token = session.refresh_token or new_id("rt", 40)
        return session.refresh_token

    # Tokens

    def session_token(self, session, origin=None, **options):
        """A token of that session as the instance would issue it; `options` as for mint()."""
        return self.mint(session=session, origin=origin, **options)

    def mint(
        self,
        user="alice",
        org=None,
        session=None,
        claims=None,
        without=(),
        ttl=None,
        age=0,
        version=None,
        origin=None,
        key=None,
        issued_at=None,
        **encoding,
    ):
        """A session token. Without `session` one is made for (user, org) and kept for further calls.

        `claims` override or add, `without` removes; `age` seconds ago it was issued; `encoding` goes to
        tokens.encode (header, header_without, alg, category, defect)."""
        session = session or self.session_to_mint(user, org)
        issued = (self.now() if issued_at is None else issued_at) - age
        payload = tokens.session_claims(
            self,
            session,
            self.organization(session.org_id),
            issued,
            origin or self.default_origin,
            self.token_version if version is None else version,
            self.token_ttl if ttl is None else ttl,
        )
        payload.update(claims or {})
        for name in without:
            payload.pop(name, None)
        return tokens.encode(key or self.keys[0], payload, **encoding)

    def machine_token(self, kind="api_key", **details):
        """A new opaque token: machines.MachineToken."""
        return machines.create(self, kind, **details)

    def m2m_jwt(self, **options):
        return machines.m2m_jwt(self, **options)

    def oauth_jwt(self, **options):
        return machines.oauth_jwt(self, **options)

    def session_to_mint(self, user, org):
        user, org = self.user(user), self.organization(org)
        wanted = (user.id, org.id if org else None)
        with self.lock:
            session = self._minted.get(wanted)
            if session is None or session.status != "active" or session.org_id != wanted[1]:
                session = self._minted[wanted] = self.create_session(user, org)
        return session

    def handshake_token(self, directives, claims=None, key=None, **encoding):
        return tokens.encode(key or self.keys[0], {"handshake": directives, **(claims or {})}, **encoding)

    # Keys

    def jwks(self):
        with self.lock:
            return {"keys": [key.jwk() for key in self.keys]}

    def rotate_key(self, same_kid=False, keep_old=False, key=None):
        """Sign with a new key from now on; returns it."""
        key = key or Key.generate(self.kid if same_kid else None)
        with self.lock:
            self.keys = [key] + (self.keys if keep_old else [])
        self.on_change()
        return key

    def add_key(self, key):
        """Publish a further key; the first one still signs."""
        with self.lock:
            self.keys = self.keys + [key]

    def remove_key(self, kid):
        with self.lock:
            self.keys = [key for key in self.keys if key.kid != kid]

    # Faults, log, outage

    def set_fault(self, endpoint, **members):
        self.faults.set(endpoint, Fault(**members))

    def clear_faults(self, endpoint="*"):
        self.faults.clear(endpoint)

    def count(self, endpoint):
        return self.log.count(endpoint)

    def counters(self):
        return self.log.counters()

    def requests(self, endpoint=None):
        return self.log.records(endpoint)

    def wait_for(self, endpoint, count=1, timeout=5.0):
        return self.log.wait_for(endpoint, count, timeout)

    def reset_log(self):
        self.log.reset()

    def pause(self):
        self.listener.stop()

    def resume(self):
        self.listener.start()
