# SPDX-License-Identifier: Apache-2.0
"""The Account Portal: choose a user. Plain HTML, no JavaScript, no passwords."""

import html
import pathlib

from .frontend import current_client
from .web import is_web_url, page, redirect, with_query

_STYLE = (pathlib.Path(__file__).parent / "portal.css").read_text(encoding="utf-8")


def _client(instance, request):
    """The browser: as for the Frontend API, else by the dev-browser cookie it shares with a page on this host."""
    found = current_client(instance, request)
    return found or instance.clients.get(request.cookie("__clerk_db_jwt") if not instance.production else None)


def _return_to(instance, client, target):
    """Back to the application; a development instance adds the dev browser, which causes a handshake."""
    if not is_web_url(target):
        return page(_document(instance, "Done", "<p>You may close this page.</p>"))
    return redirect(target if instance.production else with_query(target, __clerk_db_jwt=client.id))


def sign_in_page(instance, request):
    hidden = {
        "redirect_url": request.query.get("redirect_url", ""),
        "__clerk_db_jwt": request.query.get("__clerk_db_jwt", ""),
    }
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in hidden.items() if value
    )
    cards = "".join(_card(instance, user, fields) for user in instance.users.values())
    intro = "<p>This is the local Clerk emulator. Nobody needs a password here: choose who to be.</p>"
    return page(_document(instance, "Sign in", f'{intro}<div class="cards">{cards}</div>'))


def _card(instance, user, fields):
    organizations = [org for org in instance.organizations.values() if user.id in org.members]
    buttons = "".join(
        f'<button name="organization" value="{html.escape(org.slug)}">{html.escape(org.name)}'
        f" <small>{html.escape(org.role_of(user))}</small></button>"
        for org in organizations
    )
    return (
        f'<form class="card" method="post" action="/sign-in">{fields}'
        f'<input type="hidden" name="user" value="{html.escape(user.name)}">'
        f"<h2>{html.escape(user.display_name)}</h2><p>{html.escape(user.email)}</p>"
        f'{buttons}<button class="plain" name="organization" value="">Personal account</button></form>'
    )


def sign_in(instance, request):
    form = request.form
    try:
        user = instance.user(form.get("user"))
        org = instance.organization(form.get("organization"))
    except KeyError:
        return page(_document(instance, "No such user", "<p>Go back and choose another one.</p>"), 400)
    if org and user.id not in org.members:
        return page(_document(instance, "Not a member", "<p>Go back and choose another organization.</p>"), 400)
    client = _client(instance, request) or instance.create_client()
    if instance.production:
        client = instance.rotate_client(client)
    instance.create_session(user, org, client)
    result = _return_to(instance, client, form.get("redirect_url"))
    if instance.production:
        result.with_cookies([instance.directives.client_cookie(client)])
        result.with_cookies(instance.directives.client_uat_answer(client))
    return result


def tasks(instance, request):
    """A pending session is completed by choosing an organization."""
    client = _client(instance, request)
    session = client.active_session() if client else None
    if session is None:
        return sign_in_page(instance, request)
    if request.method == "POST":
        instance.activate_organization(session, request.form.get("organization"))
        return _return_to(instance, client, request.form.get("redirect_url"))
    hidden = {"redirect_url": request.query.get("redirect_url", ""), "__clerk_db_jwt": client.id}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in hidden.items()
    )
    buttons = "".join(
        f'<button name="organization" value="{html.escape(org.slug)}">{html.escape(org.name)}</button>'
        for org in instance.organizations.values()
        if session.user.id in org.members
    )
    form = f'<form class="card" method="post" action="/sign-in/tasks">{fields}{buttons}</form>'
    return page(_document(instance, "Choose an organization", form))


def sign_up(instance, request):
    """All users have an account already."""
    query = {name: request.query[name] for name in ("redirect_url", "__clerk_db_jwt") if name in request.query}
    return redirect(with_query(instance.sign_in_url, **query) if query else instance.sign_in_url)


def sign_out(instance, request):
    """Ends the browser's sessions; `session_id` identifies the browser if none of its cookies is sent to this host."""
    session = instance.sessions.get(request.query.get("session_id"))
    client = session.client if session else _client(instance, request)
    if client is None:
        client = instance.create_client()
    for session in client.live_sessions():
        instance.end_session(session, "removed")
    result = _return_to(instance, client, request.query.get("redirect_url"))
    return result.with_cookies(instance.directives.client_uat_answer(client)) if instance.production else result


def _document(instance, title, body):
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{html.escape(title)}</h1>{body}<footer>{html.escape(instance.host)}, "
        f"{'production' if instance.production else 'development'} instance</footer></main></body></html>"
    )
