# SPDX-License-Identifier: Apache-2.0
"""The emulator itself: the behaviour that other tests rely on."""

import base64
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from clerk_emulator import DEFECTS, Emulator, Key
from clerk_emulator.keys import cookie_suffix, publishable_key

PAGE = "http://localhost:8080/members/?a=b%20c"


@pytest.fixture(name="emulator")
def _emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(name="pairs", scope="module")
def _pairs():
    """Two keys for the whole file: making one takes longer than most tests."""
    return [Key.generate().private, Key.generate().private]


@pytest.fixture(name="dev")
def _dev(emulator, pairs):
    return emulator.add_instance(key=Key(pairs[0], "ins_dev"))


@pytest.fixture(name="live")
def _live(emulator, pairs):
    return emulator.add_instance(production=True, key=Key(pairs[1], "ins_live"))


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()
        self.cookies = self.headers.get_all("Set-Cookie") or []

    def json(self):
        return json.loads(self.text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def call(url, data=None, headers=None, method=None, context=None):
    """One request, redirects not followed; a dict as `data` is sent as a form, text as it is."""
    body = urllib.parse.urlencode(data).encode() if isinstance(data, dict) else data.encode() if data else data
    handlers = [_NoRedirect()] + ([urllib.request.HTTPSHandler(context=context)] if context else [])
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        return Reply(urllib.request.build_opener(*handlers).open(request, timeout=10))
    except urllib.error.HTTPError as problem:
        return Reply(problem)


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def verify(token, jwks):
    """Header and claims of a token that verifies with the key its kid names."""
    first, second, third = token.split(".")
    header = decode(first)
    jwk = next(key for key in jwks["keys"] if key["kid"] == header["kid"])
    number = lambda name: int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big")
    public = rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
    signature = base64.urlsafe_b64decode(third + "==")
    public.verify(signature, f"{first}.{second}".encode(), padding.PKCS1v15(), hashes.SHA256())
    return header, decode(second)


def published(instance):
    return call(instance.jwks_url).json()


def handshake(instance, headers=None, **query):
    query = {"redirect_url": PAGE, "suffixed_cookies": "true", **query}
    return call(f"{instance.url}/v1/client/handshake?{urllib.parse.urlencode(query)}", headers=headers)


def location_parameters(reply):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(reply.headers["Location"]).query))


def value_of(directives, name):
    """The value of the last cookie of that name."""
    return [d.split(";")[0].split("=", 1)[1] for d in directives if d.startswith(name + "=")][-1]


@pytest.mark.parametrize(
    "key, suffix",
    [
        ("pk_test_aGFwcHktZW11LTQyLmNsZXJrLmFjY291bnRzLmRldiQ=", "SE8uaCrr"),
        ("pk_live_Y2xlcmsuZXhhbXBsZS50ZXN0JA==", "f0R0TxpA"),
        ("pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "naoXFJnI"),
        ("pk_test_aGFwcHktaGlwcG8tMS5jbGVyay5hY2NvdW50cy5kZXYk", "MWTw9P_R"),
    ],
)
def test_cookie_suffix_vectors(key, suffix):
    assert cookie_suffix(key) == suffix


def test_publishable_key_names_the_host():
    assert publishable_key("clerk.example.com", True) == "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"


def test_session_token_verifies_with_the_published_key(dev):
    header, claims = verify(dev.mint("alice", "acme", origin="http://localhost:8080"), published(dev))
    assert header == {"alg": "RS256", "cat": "cl_B7d4PD111AAA", "kid": dev.kid, "typ": "JWT"}
    assert claims["iss"] == "https://happy-emu-42.clerk.accounts.dev"
    assert claims["sub"] == "user_alice" and claims["azp"] == "http://localhost:8080"
    assert claims["exp"] - claims["iat"] == 60 and claims["iat"] - claims["nbf"] == 10
    assert dev.sessions[claims["sid"]].status == "active"
    assert claims["fea"] == "o:invoices,o:reports,u:exports"
    assert claims["o"] == {"id": "org_acme", "slg": "acme", "rol": "admin", "per": "read,manage,export", "fpm": "3,7,0"}


def test_version_1_claims(dev):
    _, claims = verify(dev.mint("bob", "acme", version=1), published(dev))
    assert "v" not in claims and "o" not in claims
    assert claims["org_role"] == "org:member"
    assert claims["org_permissions"] == ["org:invoices:read", "org:reports:read"]


def test_overrides(dev):
    token = dev.mint("alice", claims={"azp": None}, without=("sid",), ttl=10, age=100, header={"cat": "x"})
    header, claims = verify(token, published(dev))
    assert header["cat"] == "x" and claims["azp"] is None and "sid" not in claims
    assert abs(claims["exp"] - (time.time() - 90)) < 5


@pytest.mark.parametrize("defect", [name for name in DEFECTS if name not in ("trailing-bits", "duplicate-claim")])
def test_defective_tokens_do_not_verify_strictly(dev, defect):
    token = dev.mint("alice", defect=defect)
    with pytest.raises((InvalidSignature, ValueError, TypeError, AssertionError)):
        assert all(part and "=" not in part for part in token.split("."))
        header, claims = verify(token, published(dev))
        assert isinstance(claims, dict) and header["alg"] == "RS256"


def test_rotation(dev):
    old = dev.mint("alice")
    first, second = dev.kid, dev.rotate_key(keep_old=True).kid
    assert [key["kid"] for key in published(dev)["keys"]] == [second, first]
    verify(old, published(dev))
    dev.remove_key(first)
    dev.rotate_key(same_kid=True)
    assert [key["kid"] for key in published(dev)["keys"]] == [second]
    verify(dev.mint("alice"), published(dev))


def test_backend_needs_the_secret_key(dev):
    refused = call(dev.api_jwks_url)
    assert refused.status == 401 and refused.json()["errors"][0]["code"] == "clerk_key_invalid"
    assert call(dev.api_jwks_url, headers=bearer(dev)).json() == published(dev)


def bearer(instance):
    return {"Authorization": "Bearer " + instance.secret_key, "Content-Type": "application/json"}


def test_development_handshake_signed_out_creates_a_dev_browser(dev):
    reply = handshake(dev, format="nonce")
    assert reply.status == 307 and reply.headers["Location"].startswith(PAGE + "&__clerk_handshake=")
    header, claims = verify(location_parameters(reply)["__clerk_handshake"], published(dev))
    directives = claims["handshake"]
    assert header["cat"] == "cl_B7d4PD111AAA" and "exp" not in claims
    assert value_of(directives, "__client_uat") == value_of(directives, "__client_uat_SE8uaCrr") == "0"
    assert value_of(directives, "__session") == ""
    assert value_of(directives, "__clerk_db_jwt") in dev.clients


def test_development_handshake_signed_in(dev):
    session = dev.create_session("alice", "acme")
    parameters = location_parameters(handshake(dev, __clerk_db_jwt=session.client.id))
    directives = verify(parameters["__clerk_handshake"], published(dev))[1]["handshake"]
    _, claims = verify(value_of(directives, "__session_SE8uaCrr"), published(dev))
    assert claims["sid"] == session.id and claims["azp"] == "http://localhost:8080"
    assert int(value_of(directives, "__client_uat")) <= claims["iat"]


def test_nonce_is_good_once(dev):
    dev.handshake_form = "nonce"
    nonce = location_parameters(handshake(dev, format="nonce"))["__clerk_handshake_nonce"]
    payload = f"{dev.url}/v1/clients/handshake_payload?nonce={nonce}"
    assert value_of(call(payload, headers=bearer(dev)).json()["directives"], "__client_uat") == "0"
    assert call(payload, headers=bearer(dev)).status == 404
    assert "__clerk_handshake" in location_parameters(handshake(dev))


def test_handshake_form_by_size(dev):
    assert "__clerk_handshake" in location_parameters(handshake(dev, format="nonce"))
    dev.handshake_extra_directives = ["__clerk_padding=" + "x" * 3000 + "; Path=/"]
    assert "__clerk_handshake_nonce" in location_parameters(handshake(dev, format="nonce"))


def test_production_handshake_uses_cookies(live):
    session = live.create_session("bob", "acme")
    reply = handshake(live, {"Cookie": "__client=" + session.client.id})
    assert reply.headers["Location"] == PAGE
    directives = verify(value_of(reply.cookies, "__clerk_handshake"), published(live))[1]["handshake"]
    assert directives[0].startswith("__clerk_handshake=; Path=/; Domain=example.test; Expires=Thu, 01 Jan 1970")
    assert "Domain=example.test" in next(d for d in directives if d.startswith("__client_uat=1"))
    assert verify(value_of(directives, "__session"), published(live))[1]["sub"] == "user_bob"


def test_handshake_activates_an_organization(dev):
    session = dev.create_session("dave", "globex")
    handshake(dev, __clerk_db_jwt=session.client.id, organization_id="acme")
    assert session.org_id == "org_acme"
    handshake(dev, __clerk_db_jwt=session.client.id, organization_id="")
    assert session.org_id is None


def test_refresh(dev):
    dev.issue_refresh_cookies = True
    session = dev.create_session("alice")
    url = f"{dev.url}/v1/sessions/{session.id}/refresh?suffixed_cookies=true"
    body = {
        "format": "cookie",
        "expired_token": dev.session_token(session, age=120),
        "refresh_token": dev.refresh_token(session),
        "request_origin": "http://localhost:8080",
    }
    cookies = call(url, json.dumps(body), bearer(dev)).json()["cookies"]
    assert verify(value_of(cookies, "__session_SE8uaCrr"), published(dev))[1]["sid"] == session.id
    assert call(url, json.dumps(body | {"refresh_token": "rt_other"}), bearer(dev)).status == 401
    dev.revoke(session)
    assert call(url, json.dumps(body), bearer(dev)).status == 401


def test_backend_users(dev):
    key = {"Authorization": "Bearer " + dev.secret_key}
    user = call(f"{dev.url}/v1/users/user_alice", headers=key).json()
    primary = [address for address in user["email_addresses"] if address["id"] == user["primary_email_address_id"]]
    assert (user["object"], user["id"], user["username"]) == ("user", "user_alice", "alice")
    assert primary[0]["email_address"] == "alice@example.test" and primary[0]["verification"]["status"] == "verified"
    dev.user("alice").email_status = None
    dev.user("alice").profile = {"username": None}
    user = call(f"{dev.url}/v1/users/user_alice", headers=key).json()
    assert user["username"] is None and user["email_addresses"][1]["verification"] is None
    assert call(f"{dev.url}/v1/users/user_nobody", headers=key).status == 404
    assert call(f"{dev.url}/v1/users/user_alice").status == 401
    assert dev.count("user") == 4


def test_backend_sessions(dev):
    session = dev.create_session("carol")
    url = f"{dev.url}/v1/sessions/{session.id}"
    assert call(url, headers=bearer(dev)).json()["status"] == "active"
    assert call(url + "/revoke", "{}", bearer(dev)).json()["status"] == "revoked"
    assert call(url, headers=bearer(dev)).json()["status"] == "revoked"
    assert call(dev.url + "/v1/sessions/sess_none", headers=bearer(dev)).status == 404


def test_frontend_walk_as_the_sdk_does_it(dev):
    """Dev browser, two-step sign-in, touch, token, sign-out; answers readable across origins."""
    origin = {"Origin": "http://localhost:8080"}
    browser = call(dev.url + "/v1/dev_browser", {}, origin).json()["id"]
    at = lambda path, **query: f"{dev.url}/v1{path}?" + urllib.parse.urlencode({"__clerk_db_jwt": browser, **query})
    assert call(at("/environment", _method="PATCH"), {}, origin).status == 200
    empty = call(at("/client"), headers=origin)
    assert empty.json()["response"]["sessions"] == []
    assert empty.headers["Access-Control-Allow-Origin"] == "http://localhost:8080"
    assert empty.headers["Access-Control-Allow-Credentials"] == "true"
    first = call(at("/client/sign_ins"), {"identifier": "alice@example.test"}, origin).json()["response"]
    assert first["status"] == "needs_first_factor"
    attempt = at(f"/client/sign_ins/{first['id']}/attempt_first_factor")
    wrong = call(attempt, {"strategy": "password", "password": "no"}, origin)
    assert wrong.status == 422 and wrong.json()["errors"][0]["code"] == "form_password_incorrect"
    done = call(attempt, {"strategy": "password", "password": dev.users["alice"].password}, origin).json()
    sid = done["response"]["created_session_id"]
    assert verify(done["client"]["sessions"][0]["last_active_token"]["jwt"], published(dev))[1]["sid"] == sid
    choice = {"active_organization_id": "org_acme", "intent": "select_org"}
    touched = call(at(f"/client/sessions/{sid}/touch"), choice, origin)
    assert touched.json()["response"]["last_active_organization_id"] == "org_acme"
    token = call(at(f"/client/sessions/{sid}/tokens"), {"organization_id": "org_acme"}, origin).json()["jwt"]
    assert verify(token, published(dev))[1]["o"]["rol"] == "admin"
    assert call(at("/client/sessions", _method="DELETE"), {}, origin).json()["response"]["sessions"] == []
    assert call(at(f"/client/sessions/{sid}/tokens"), {}, origin).status == 401


def test_dev_browser_is_demanded(dev):
    reply = call(dev.url + "/v1/client", headers={"Origin": "http://localhost"})
    assert reply.status == 401 and reply.json()["errors"][0]["code"] == "dev_browser_unauthenticated"


def test_production_sign_in_sets_the_cookies(live):
    reply = call(live.url + "/v1/client/sign_ins", {"strategy": "ticket", "ticket": "alice"})
    assert value_of(reply.cookies, "__client") in live.clients
    assert int(value_of(reply.cookies, "__client_uat_f0R0TxpA")) > 0


def test_portal_signs_in_and_out(dev):
    query = urllib.parse.urlencode({"redirect_url": 'http://localhost/?"><script>'})
    shown = call(f"{dev.url}/sign-in?{query}")
    assert "Alice Liddell" in shown.text and "<script>" not in shown.text
    reply = call(dev.sign_in_url, {"user": "bob", "organization": "acme", "redirect_url": PAGE})
    assert reply.status == 302
    client = dev.clients[location_parameters(reply)["__clerk_db_jwt"]]
    session = client.active_session()
    assert session.user.name == "bob" and session.org_id == "org_acme"
    out = urllib.parse.urlencode({"redirect_url": PAGE, "session_id": session.id})
    assert location_parameters(call(f"{dev.sign_out_url}?{out}"))["__clerk_db_jwt"] == client.id
    assert client.active_session() is None
    assert call(dev.sign_in_url, {"user": "bob", "redirect_url": "javascript:alert(1)"}).status == 200


@pytest.mark.parametrize(
    "fault, expected",
    [
        ({"status": 500}, 500),
        ({"status": 429, "headers": {"Retry-After": "7"}}, 429),
        ({"redirect": "http://127.0.0.1:1/"}, 302),
        ({"empty_keys": True}, 200),
        ({"body": "<html>", "content_type": "text/html"}, 200),
        ({"oversize": 100000}, 200),
    ],
)
def test_faults_answer(dev, fault, expected):
    good = published(dev)
    dev.set_fault("jwks", times=1, **fault)
    reply = call(dev.jwks_url)
    assert reply.status == expected and reply.text != json.dumps(good)
    assert len(reply.text) == fault.get("oversize", len(reply.text))
    assert published(dev) == good


def test_faults_of_the_connection(dev):
    dev.set_fault("jwks", drop=True)
    with pytest.raises((urllib.error.URLError, OSError)):
        call(dev.jwks_url)
    dev.clear_faults()
    dev.set_fault("jwks", truncate=True)
    with pytest.raises(http.client.IncompleteRead):
        call(dev.jwks_url)
    dev.clear_faults()
    dev.pause()
    with pytest.raises(urllib.error.URLError):
        call(dev.jwks_url)
    dev.resume()
    assert call(dev.jwks_url).status == 200


def test_log_and_counters(dev):
    call(dev.jwks_url + "?x=1", headers={"X-Test": "1"})
    assert dev.wait_for("jwks", 1) and dev.counters() == {"jwks": 1}
    record = wait_until(lambda: dev.requests("jwks"))[0]
    assert record.query == {"x": "1"} and record.headers["x-test"] == "1" and record.status == 200
    dev.reset_log()
    assert dev.count("jwks") == 0 and not dev.wait_for("jwks", 1, timeout=0.01)


def wait_until(condition, timeout=5):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_instances_are_apart(emulator, dev, live):
    assert dev.url != live.url and dev.kid != live.kid
    with pytest.raises(StopIteration):
        verify(dev.mint("alice"), published(live))
    shared = emulator.add_listener()
    for instance in (dev, live):
        by_host = call(shared.url + "/.well-known/jwks.json", headers={"Host": instance.host})
        assert by_host.json() == published(instance)


def test_tls():
    with Emulator(tls=True) as emulator:
        instances = [emulator.add_instance(), emulator.add_instance(host="other-emu-43.clerk.accounts.dev")]
        context = ssl.create_default_context(cafile=emulator.ca_file)
        for instance in instances:
            assert call(instance.jwks_url, context=context).json() == instance.jwks()


def test_control_interface(dev):
    control = dev.url + "/_emulator"
    assert verify(call(control + "/token?user=bob&org=acme").text, published(dev))[1]["sub"] == "user_bob"
    minted = call(control + "/mint", json.dumps({"user": "alice", "claims": {"azp": "x"}})).json()
    assert verify(minted["token"], published(dev))[1]["azp"] == "x"
    assert call(f"{control}/sessions/{minted['session_id']}/revoke", "{}").json()["status"] == "revoked"
    call(control + "/faults", json.dumps({"endpoint": "jwks", "status": 404}))
    assert call(dev.jwks_url).status == 404
    call(control + "/faults", method="DELETE")
    before = published(dev)
    assert call(control + "/keys", json.dumps({"rotate": True})).json() != before
    assert call(control + "/settings", json.dumps({"token_ttl": 5})).json()["token_ttl"] == 5
    assert call(control + "/settings", json.dumps({"secret_key": "x"})).status == 422
    assert call(control + "/counters").json()["jwks"] >= 2
    assert call(control + "/requests?endpoint=jwks").json()[0]["path"] == "/.well-known/jwks.json"
    assert call(control + "/token?user=nobody").status == 422


def test_command_line_remembers(tmp_path):
    state = tmp_path / "state.json"
    environment = os.environ | {"PYTHONPATH": str(pathlib.Path(__file__).parents[1])}
    command = [sys.executable, "-m", "clerk_emulator", "--port", "0", "--state", str(state)]

    def run():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        instance = json.loads(process.stdout.readline())["instances"][0]
        token = call(instance["url"] + "/_emulator/token?user=alice").text
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()
        return instance, token

    first, token = run()
    second, _ = run()
    assert first["publishable_key"] == second["publishable_key"] and first["kid"] == second["kid"]
    assert state.stat().st_mode & 0o077 == 0
    public = serialization.load_pem_public_key(second["public_key_pem"].encode())
    head, _, third = token.rpartition(".")
    public.verify(base64.urlsafe_b64decode(third + "=="), head.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_foreign_key_under_the_same_kid(dev):
    with pytest.raises(InvalidSignature):
        verify(dev.mint("alice", key=Key.generate(dev.kid)), published(dev))
