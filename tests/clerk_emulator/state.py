# SPDX-License-Identifier: Apache-2.0
"""Keys, browsers and sessions on disk, so that sessions survive a restart of the emulator."""

import json
import os
import pathlib
import tempfile

from .keys import Key
from .people import Client, Session


def _row(session):
    """The members of Session in their order, people and browsers by name."""
    return [
        session.id,
        session.user.name,
        session.client.id,
        session.created_at,
        session.verified_at,
        session.status,
        session.org_id,
        session.actor,
        session.refresh_token,
    ]


def save(instance, path):
    """Written by rename and readable by its owner only: it holds private keys."""
    with instance.lock:
        document = {
            "secret_key": instance.secret_key,
            "host": instance.host,
            "keys": [{"kid": key.kid, "pem": key.private_pem} for key in instance.keys],
            "clients": [[c.id, c.updated_at, c.last_active_session_id] for c in instance.clients.values()],
            "sessions": [_row(session) for session in instance.sessions.values()],
        }
        directory = pathlib.Path(path).parent
        descriptor, temporary = tempfile.mkstemp(prefix=".state", dir=directory)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.replace(temporary, path)


def load(instance, path):
    """False if there is nothing usable for this instance, which is not changed then."""
    try:
        document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if document.get("host") != instance.host:
        return False
    with instance.lock:
        instance.secret_key = document["secret_key"]
        instance.keys = [Key.from_pem(key["pem"], key["kid"]) for key in document["keys"]]
        instance.clients = {row[0]: Client(*row) for row in document["clients"]}
        for row in document["sessions"]:
            client = instance.clients[row[2]]
            session = Session(row[0], instance.users[row[1]], client, *row[3:])
            client.sessions.append(session)
            instance.sessions[session.id] = session
    return True
