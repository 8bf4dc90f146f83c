# SPDX-License-Identifier: Apache-2.0
"""Require clerk-webhook: messages of Clerk, signed by Svix, are let in without a user, and nothing else is."""

import concurrent.futures
import hashlib
import re
import time

import pytest
from pyclerk.clerk import NAVIGATION, XHR, bearer, directives, protect
from pyclerk.client import raw
from pyclerk.webhooks import EVENT, SECRETS, signed

REFUSED = "AC3250: webhook message refused: "
DENIED = "AH01630: client denied by server configuration"
# Not cat: httpd writes the whole body before it reads.
SUM = "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nuser=%s;' \"$REMOTE_USER\"\nexec sha256sum\n"


@pytest.fixture(scope="module")
def server(make_httpd, live, echo):
    server = make_httpd()
    for where in ("hook", "mixed", "any", "plain"):
        server.cgi(f"{where}/index.cgi", SUM)
    server.write("front/.htaccess", "AuthType Clerk\nRequire clerk-webhook\nRewriteEngine On\nRewriteRule !cgi$ receive.cgi [L]\n")
    server.cgi("front/receive.cgi", SUM)
    server.env = {"HOOK": SECRETS[0], "NEW_HOOK": SECRETS[1], "OTHER_HOOK": SECRETS[2]}
    pem = server.write("clerk.pem", live.public_key_pem, 0o640, server.root / "conf")
    key = f"ClerkPublishableKey {live.publishable_key}\nClerkJWTKey file:{pem}\n"
    where = f'DirectoryIndex index.cgi\n<Directory "{server.docroot}">\nOptions +ExecCGI\nAddHandler cgi-script .cgi\nAllowOverride All\n</Directory>\n'
    server.configure(
        directives(server, live) + "ClerkWebhookSecret env:HOOK env:NEW_HOOK\n" + where
        + f"<ClerkInstance other>\n{key}ClerkWebhookSecret env:OTHER_HOOK\n</ClerkInstance>\n"
        f"<ClerkInstance none>\n{key}</ClerkInstance>\n"
        + protect("/hook", ["clerk-webhook"]) + protect("/mixed", ["clerk-webhook", "valid-user"])
        + protect("/any", ["clerk-webhook", "method POST"])
        + protect("/other", ["clerk-webhook"], "ClerkInstance other") + protect("/none", ["clerk-webhook"], "ClerkInstance none")
        + protect("/proxied", ["clerk-webhook"]) + f"ProxyPass /proxied http://127.0.0.1:{echo.port}/\n"
        + f'Alias /other "{server.docroot}/plain"\nAlias /none "{server.docroot}/plain"\n',
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def announced(server):
    server.log.announce(REFUSED, DENIED)


def received(body, user=""):
    """What SUM prints."""
    return f"user={user};{hashlib.sha256(body).hexdigest()}  -\n"


def post(server, path, headers, body=EVENT):
    return server.request("POST", path, headers, body)


@pytest.mark.mpm
@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_a_signed_message_is_let_in_and_its_body_is_there(server, family):
    for body in (EVENT, b"", b"x" * 1024 * 1024, bytes(range(256)) * 64):
        answer = post(server, "/hook/", signed(body, family=family), body)
        assert (answer.status, answer.text) == (200, received(body))


def test_either_secret_is_good_during_a_rotation(server):
    assert post(server, "/hook/", signed(secret=SECRETS[1])).status == 200
    assert post(server, "/hook/", signed(secret=SECRETS[2])).status == 400


def without(name):
    return {key: value for key, value in signed().items() if key != name}


@pytest.mark.parametrize("headers,why", [
    ({}, "one of the headers"),
    (without("svix-id"), "one of the headers"),
    (without("svix-timestamp"), "one of the headers"),
    (without("svix-signature"), "one of the headers"),
    (signed(at=time.time() - 400), "more than five minutes old"),
    (signed(at=time.time() + 4000), "ahead of this machine's clock"),
    (signed() | {"svix-timestamp": "soon"}, "no number of seconds"),
    (signed() | {"svix-id": "msg_forged"}, "no signature fits"),
    (signed() | {"svix-id": "msg.1"}, "its svix-id is malformed"),
    (signed(b"{}"), "no signature fits"),
    (signed(version="v2"), "no signature fits"),
    (signed(secret=SECRETS[2]), "no signature fits"),
    (signed() | {"svix-signature": "v1,"}, "no signature fits"),
], ids=lambda value: value if isinstance(value, str) else None)
def test_anything_else_is_400(server, headers, why):
    answer = post(server, "/hook/", headers)
    assert answer.status == 400 and b"user=" not in answer.body
    server.log.wait_for(REFUSED + ".*" + why)


def test_a_long_body_is_refused(server):
    body = b"x" * (1024 * 1024 + 1)
    assert post(server, "/hook/", signed(body), body).status == 400
    server.log.wait_for(REFUSED + "its body is longer than 1 MB")


def test_other_methods_need_a_signature_too(server):
    for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert server.request(method, "/hook/", NAVIGATION).status == 400


@pytest.mark.mpm
def test_a_message_is_good_once(server):
    """Over all processes; one that Svix tries again has another time."""
    headers = signed()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: post(server, "/hook/", headers), range(16)))
    assert statuses == [200] + [400] * 15
    server.log.wait_for(REFUSED + "the same message was received already")
    again = signed(message=headers["svix-id"], at=time.time() + 2)
    assert post(server, "/hook/", again).status == 200


def test_a_message_with_two_signatures_is_good_once(server):
    """While the secret is being replaced, Svix signs with both; each signature alone is as good as the two together."""
    old = signed()
    new = signed(secret=SECRETS[1], message=old["svix-id"], at=old["svix-timestamp"])
    both = old | {"svix-signature": f"{old['svix-signature']} {new['svix-signature']}"}
    assert [post(server, "/hook/", headers).status for headers in (both, new, old, both)] == [200, 400, 400, 400]


@pytest.mark.mpm
def test_a_message_is_good_once_over_graceful_restarts(server):
    headers = signed()
    assert post(server, "/hook/", headers).status == 200
    server.graceful()
    assert post(server, "/hook/", headers).status == 400
    server.log.wait_for(REFUSED + "the same message was received already")
    assert post(server, "/hook/", signed()).status == 200


def test_a_message_for_one_instance_is_none_for_another(server):
    assert post(server, "/other/", signed()).status == 400
    assert post(server, "/other/", signed(secret=SECRETS[2])).status == 200


def test_without_a_secret_nothing_is_let_in(server):
    assert post(server, "/none/", signed()).status == 400
    server.log.wait_for(REFUSED + "ClerkWebhookSecret is not set for this instance")


def test_people_beside_messages(server, live):
    assert server.get("/mixed/", NAVIGATION).status == 307
    assert server.get("/mixed/", XHR).status == 401
    assert server.get("/mixed/", XHR | bearer(live)).status == 200
    assert post(server, "/mixed/", signed()).text == received(EVENT)
    assert post(server, "/mixed/", signed(at=1)).status == 400
    assert post(server, "/mixed/", signed(at=1) | bearer(live)).status == 400


def test_a_body_that_was_looked_at_is_whole(server):
    """Where another line grants access, however long it is."""
    for length in (0, 1, 8192, 8193, 1024 * 1024, 3 * 1024 * 1024 + 1):
        assert post(server, "/any/", signed(b"other"), b"y" * length).text == received(b"y" * length)


def test_the_body_goes_with_internal_redirects_and_proxies(server):
    assert post(server, "/front/anything", signed()).text == received(EVENT)
    answer = post(server, "/proxied/", signed())
    assert answer.status == 200 and f"Content-Length: {len(EVENT)}" in answer.text


def test_chunks_and_expectations(server):
    headers = "".join(f"{name}: {value}\r\n" for name, value in signed().items())
    chunks = b"".join(b"1\r\n" + EVENT[i:i + 1] + b"\r\n" for i in range(len(EVENT))) + b"0\r\n\r\n"
    text = f"POST /hook/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n{headers}\r\n"
    answer = raw(server.port, text.encode() + chunks)
    assert b"200 OK" in answer and received(EVENT).encode().partition(b";")[2] in answer


@pytest.mark.parametrize("value,message", [
    (SECRETS[0], "a secret .* literal|env:NAME"),
    ("env:NOT_THERE", "NOT_THERE"),
    ("env:BAD", "it is no signing secret"),
    ("env:HOOK env:HOOK env:HOOK", "two secrets at most"),
])
def test_what_is_no_secret_is_a_configuration_error(make_httpd, live, value, message):
    server = make_httpd()
    server.env = {"BAD": "sk_test_something", "HOOK": SECRETS[0]}
    server.configure(directives(server, live) + f"ClerkWebhookSecret {value}\n")
    code, text = server.check()
    assert code != 0 and "ClerkWebhookSecret" in text and re.search(message, text), text
    assert "sk_test_something" not in text


def test_no_secret_in_any_log(server):
    for secret in SECRETS:
        assert secret[6:] not in server.log.path.read_text()
