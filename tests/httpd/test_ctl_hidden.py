# SPDX-License-Identifier: Apache-2.0
"""clerkctl prints no token, no signature and no secret, wherever in its input and however encoded one stands.
CLERK_CTL_HIDDEN is the number of inputs, CLERK_SEED repeats a run."""

import base64
import json
import os
import random
import string
import urllib.parse

import pytest
from pyclerk import clerkctl

INPUTS = int(os.environ.get("CLERK_CTL_HIDDEN", "120"))
SEED = 20261129
PK = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
INSTANCE = ["--publishable-key", PK, "--offline"]
ALPHANUMERIC = string.ascii_letters + string.digits


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(chance, claims=None):
    header = {"alg": "RS256", "typ": "JWT", "kid": word(chance, 12)}
    parts = [json.dumps(part).encode() for part in (header, claims or {"sub": "user_" + word(chance, 20), "exp": 1})]
    return ".".join(base64url(part) for part in [*parts, chance.randbytes(chance.choice((32, 256)))])


def word(chance, length):
    """With a digit in it, as good as all random words of that length."""
    return "".join(chance.choices(ALPHANUMERIC, k=length - 1)) + chance.choice(string.digits)


def secret(chance):
    return chance.choice((
        lambda: chance.choice(("sk_live_", "sk_test_", "ak_", "mt_", "oat_")) + word(chance, 40),
        lambda: "whsec_" + base64.b64encode(chance.randbytes(32)).decode(),
    ))()


def everything(text):
    """Each byte percent-encoded."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


ENCODINGS = [str, lambda text: urllib.parse.quote(text, ""), lambda text: urllib.parse.quote(urllib.parse.quote(text, ""), ""),
             everything, lambda text: everything(everything(text)), lambda text: urllib.parse.quote(everything(text), "")]


def request(chance):
    """A request as browsers send it, with what may stand before and behind the place where something is put in."""
    names = ["access_token", "state", "next", "redirect_url", "ticket", "__clerk_ticket", "__session", "q", word(chance, 5)]
    value = chance.choice(["", "x", "_", "-", "%2F", "/x?key=", "%2Fx%3Fkey%3D", "%252Fx%253Fkey%253D", "a b".replace(" ", "%20"), "%", "%4", "%25"])
    query = "&".join(f"{chance.choice(names)}={chance.choice(['1', value])}" for _ in range(chance.randrange(4)))
    lines = [f"{chance.choice(['GET', 'POST'])} /{chance.choice(['', 'cb', 'a/b%2F', value.partition('?')[0]])}?{query} HTTP/1.1", "Host: www.example.com"]
    if chance.random() < 0.7:
        lines.append("Sec-Fetch-Dest: document")
    if chance.random() < 0.5:
        lines.append(f"Cookie: __client_uat=1; a={value}; __session={value}")
    if chance.random() < 0.3:
        lines.append(f"Referer: https://www.example.com/x?{query}")
    if chance.random() < 0.3:
        lines.append(f"Authorization: {chance.choice(['Bearer', 'Basic'])} x{value}")
    return "\r\n".join(lines) + "\r\n\r\n"


def put_in(chance, text, value):
    """The value at a random place: mostly in the first line, where more of it is printed again."""
    end = text.find("HTTP/1.1") if chance.random() < 0.7 else len(text)
    at = chance.randrange(0, end)
    return text[:at] + value + text[at:]


def assert_hidden(result, value):
    signature = value.rpartition(".")[2]
    for shown in (result.out, result.err):
        for _ in range(5):
            assert value not in shown and signature not in shown, result
            shown = urllib.parse.unquote(shown)


def ways(chance, value, tmp_path):
    """Ways to tell clerkctl a value: (arguments, standard input)."""
    encoded = chance.choice(ENCODINGS)(value)
    text = put_in(chance, request(chance), encoded)
    yield ["explain", *INSTANCE], text
    yield ["explain", *INSTANCE, "--accept-tokens", "any", "--accept-basic", "On"], text
    yield ["token"], text
    around = chance.choice(["x", "_", "&amp;", "\n", " ", "%3D"]) + encoded + chance.choice(["", "&", " x"])
    claims = {"sub": around, around: [around, {"a": {around: 1}}]}
    yield ["token"], jwt(chance, claims)
    yield ["explain", *INSTANCE], "Cookie: __client_uat=1; __session=" + jwt(chance, claims)
    yield ["explain", *INSTANCE, chance.choice(["--clock-skew", "--as", "--at", "--jwks", "--public-origin", "--sign-in-url"]), around], request(chance)
    yield [chance.choice(["keys", "token", "doctor", around]), "--" + chance.choice(["publishable-key", "no", "offline"]), around], ""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": around, "n": base64url(b"\x80" + b"1" * 254 + b"\x01"), "e": "AQAB"}]}))
    yield ["keys", "--jwks", keys], ""
    program = tmp_path / "httpd"
    program.write_text("#!/bin/sh\nprintf '%s\\n' '[x] AC3012: " + around.replace("\n", " ") + f"'\nexit {chance.randrange(2)}\n")
    program.chmod(0o755)
    yield ["doctor", "--offline", "--httpd", program], ""


def test_no_embedded_secret_is_printed(tmp_path):
    seed = int(os.environ.get("CLERK_SEED") or SEED)
    print(f"CLERK_SEED={seed} CLERK_CTL_HIDDEN={INPUTS}")
    chance = random.Random(seed)
    for _ in range(INPUTS):
        value = chance.choice((jwt, secret))(chance)
        arguments, stdin = chance.choice(list(ways(chance, value, tmp_path)))
        for form in ([], ["--json"]):
            assert_hidden(clerkctl.run(*arguments, *form, stdin=stdin), value)


TICKET = "q7w8e9r0t1y2u3i4"


@pytest.mark.parametrize("value", [f"__clerk_ticket={TICKET}", f"ticket={TICKET}", f"next=%2Fx%3Fticket%3D{TICKET}",
                                   f"next=%252Fx%253Fa%253D1%2526__clerk_ticket%253D{TICKET}",
                                   f"access_token={TICKET}", f"x=1&code={TICKET}"])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_what_can_be_changed_for_a_session_is_hidden_by_its_name(value, form):
    text = f"GET /cb?{value} HTTP/1.1\r\nHost: www.example.com\r\nSec-Fetch-Dest: document\r\n\r\n"
    result = clerkctl.run("explain", *INSTANCE, *form, stdin=text)
    assert result.code == 1 and "hidden" in result.out
    assert_hidden(result, TICKET)


@pytest.mark.parametrize("text", ["sk_live_...", "/break_the_longest_word_there_is", "/goat_farming_for_beginners",
                                  "eyJhbGciOiJSUzI1NiJ9", "/moneytransfer.example.com", "%E2%82%AC"])
def test_what_is_no_secret_is_printed(text):
    result = clerkctl.run("explain", *INSTANCE, stdin=f"GET /x?y={text} HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
    assert text in result.out and "hidden" not in result.out, result
