# SPDX-License-Identifier: Apache-2.0
"""Users, organizations, browsers (clients) and their sessions."""

import dataclasses
import typing


def full_role(role):
    return role if role.startswith("org:") else "org:" + role


@dataclasses.dataclass
class Organization:
    id: str
    slug: str
    name: str
    roles: dict  # "org:admin" -> ("org:<feature>:<verb>", ...)
    features: tuple = ()
    plan: str = ""
    members: dict = dataclasses.field(default_factory=dict)  # user id -> "org:<role>"

    def role_of(self, user):
        return self.members.get(user.id)


@dataclasses.dataclass
class User:
    id: str
    name: str
    display_name: str
    email: str
    password: str = "correct horse battery staple"
    second_factor: bool = False
    features: tuple = ()
    plan: str = "free_user"
    claims: dict = dataclasses.field(default_factory=dict)  # of a customised session token
    email_status: str | None = "verified"  # None: no verification at all
    profile: dict = dataclasses.field(default_factory=dict)  # members of the Backend API's user object, over the others


@dataclasses.dataclass
class Client:
    """A browser: its id is the dev browser (development) or the value of `__client` (production)."""

    id: str
    updated_at: int  # milliseconds; whole seconds of it are `__client_uat`
    last_active_session_id: str | None = None
    sessions: list = dataclasses.field(default_factory=list)

    def live_sessions(self):
        return [session for session in self.sessions if session.status in ("active", "pending")]

    def active_session(self):
        live = self.live_sessions()
        chosen = [session for session in live if session.id == self.last_active_session_id]
        return (chosen or live or [None])[-1]


@dataclasses.dataclass
class Session:
    id: str
    user: User
    client: Client
    created_at: int  # seconds
    verified_at: int  # seconds; when the first factor was verified
    status: str = "active"
    org_id: typing.Optional[str] = None
    actor: dict | None = None
    refresh_token: str | None = None


ACME_ROLES = {
    "org:admin": (
        "org:invoices:read",
        "org:invoices:manage",
        "org:reports:read",
        "org:reports:manage",
        "org:reports:export",
    ),
    "org:member": ("org:invoices:read", "org:reports:read"),
}


def populate(instance):
    """The users and organizations that all tests and the demo use."""
    instance.add_organization("acme", "Acme Inc.", ACME_ROLES, features=("invoices", "reports"), plan="team")
    instance.add_organization("globex", "Globex Corporation", {"org:admin": (), "org:member": ()})
    instance.add_user("alice", "Alice Liddell", {"acme": "admin"}, second_factor=True, features=("exports",))
    instance.add_user("bob", "Bob Cratchit", {"acme": "member"})
    instance.add_user("carol", "Carol Danvers")
    instance.add_user("dave", "Dave Bowman", {"globex": "admin", "acme": "member"}, features=("reports",), plan="pro")
