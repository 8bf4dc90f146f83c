# SPDX-License-Identifier: Apache-2.0
"""clerkctl: its commands, its errors and exit codes, and that it prints no secret. explain and doctor have files of their own."""

import base64
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import pytest
from pyclerk import clerkctl
from pyclerk.clerk import cookie_header, directives, protect, session_cookies, token

TOP = pathlib.Path(__file__).resolve().parents[2]
PK = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k"
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
GET = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"

# (arguments, standard input, exit code, what the error says)
ERRORS = [
    ([], "", 2, "name a command"),
    (["nonsense"], "", 2, "there is no command nonsense"),
    (["explain", "--nonsense", "x"], "", 2, "explain has no option --nonsense"),
    (["explain", "--publishable-key"], "", 2, "--publishable-key needs a value"),
    (["explain", "--offline=x"], "", 2, "--offline takes no value"),
    (["explain", "extra"], "", 2, "there is an argument too much: extra"),
    (["explain", "eyJ" + "x" * 60], "", 2, "a token or a cookie is read from standard input"),
    (["explain"], GET, 2, "no instance is given"),
    (["explain", "--publishable-key", "pk_live_x"], GET, 2, "ClerkPublishableKey:"),
    (["explain", "--publishable-key", PK, "--secret-key", "sk_live_abcdefghijklmnop"], GET, 2, "every user of this machine can see"),
    (["explain", "--publishable-key", PK, "--secret-key", "env:NO_SUCH"], GET, 3, "NO_SUCH is not set"),
    (["explain", "--publishable-key", PK, "--secret-key", "env:SK_TEST"], GET, 2, "of different instances"),
    (["explain", "--publishable-key", PK, "--secret-key", "file:/no/such"], GET, 3, "cannot read /no/such"),
    (["explain", "--publishable-key", PK, "--secret-key", "file:/dev/zero"], GET, 2, "not a regular file"),
    (["explain", "--publishable-key", PK, "--secret-key", "exec:false"], GET, 2, "absolute path"),
    (["explain", "--publishable-key", PK, "--secret-key", "exec:/bin/false"], GET, 3, "did not exit with 0"),
    (["explain", "--publishable-key", PK, "--jwt-key", "/etc/passwd"], GET, 2, "PEM public key"),
    (["explain", "--publishable-key", PK, "--jwks", "/etc/passwd"], GET, 2, "no JWK set"),
    (["explain", "--publishable-key", PK, "--jwks", "http://example.com/jwks"], GET, 2, "ClerkJWKSURL:"),
    (["explain", "--publishable-key", PK, "--clock-skew", "soon"], GET, 2, "not a duration"),
    (["explain", "--publishable-key", PK, "--clock-skew", "9h"], GET, 2, "'9h' is out of range; write from 0s to 300s"),
    (["explain", "--publishable-key", PK, "--http-timeout", "1ms"], GET, 2, "is out of range; write from "),
    (["explain", "--publishable-key", PK, "--http-proxy", "http://127.0.0.1:99999"], GET, 2, "--http-proxy: this is no URL of a proxy"),
    (["explain", "--publishable-key", PK, "--ca-file", "/no/such"], GET, 3, "--ca-file: cannot read /no/such"),
    (["explain", "--publishable-key", PK, "--jwks", "/no/such"], GET, 3, "cannot read /no/such"),
    (["explain", "--publishable-key", PK, "--jwt-key", "/no/such"], GET, 3, "cannot read /no/such"),
    (["webhook", "--secret", "env:WHSEC", "--event", "/no/such"], "", 3, "cannot read /no/such"),
    (["webhook", "--secret", "file:/no/such"], "", 3, "cannot read /no/such"),
    (["doctor", "--timeout", "soon"], "", 2, "--timeout: 'soon' is not a duration"),
    (["explain", "--publishable-key", PK, "--accept-tokens", "session,beer"], GET, 2, "'beer' is none of session"),
    (["explain", "--publishable-key", PK, "--renewal", "post"], GET, 2, "'post' is none of any, get"),
    (["explain", "--publishable-key", PK, "--satellite", "perhaps"], GET, 2, "none of On, Off"),
    (["explain", "--publishable-key", PK, "--satellite", "On"], GET, 2, "a satellite needs ClerkDomain"),
    (["explain", "--publishable-key", PK, "--authorized-parties", "https://a.example/"], GET, 2, "is no origin"),
    (["explain", "--publishable-key", PK, "--public-origin", "a.example"], GET, 2, "write an origin"),
    (["explain", "--publishable-key", PK, "--organization-sync", "/orgs/("], GET, 2, "--organization-sync:"),
    (["explain", "--publishable-key", PK, "--at", "tomorrow"], GET, 2, "--at: write seconds"),
    (["explain", "--publishable-key", PK, "--at", "2026-13-01T00:00:00Z"], GET, 2, "--at: write seconds"),
    (["explain", "--publishable-key", PK, "--as", "poem"], GET, 2, "--as: write request"),
    (["explain", "--publishable-key", PK, "--input", "/no/such"], "", 3, "cannot read /no/such"),
    (["explain", "--publishable-key", PK, "--header", "no colon"], GET, 2, "no header field"),
    (["explain", "--publishable-key", PK], "", 2, "standard input is empty"),
    (["explain", "--publishable-key", PK], b"a\0b", 2, "NUL byte"),
    (["explain", "--publishable-key", PK], b"x" * 2000000, 2, "more than 1048576 bytes"),
    (["explain", "--publishable-key", PK], "one\ntwo\n", 2, "more than one line"),
    (["explain", "--publishable-key", PK, "--as", "request"], "GET /", 2, "no request line"),
    (["explain", "--publishable-key", PK], "GET /a b HTTP/1.1\n\n", 2, "a space"),
    (["explain", "--publishable-key", PK], "GET / HTTP/1.1\n nose: x\n\n", 2, "continued"),
    (["explain", "--publishable-key", PK], "GET / HTTP/1.1\nx\x01: y\n\n", 2, "no header field"),
    (["explain", "--publishable-key", PK], "GET / HTTP/1.1\nx: \x01\n\n", 2, "control character"),
    (["explain", "--publishable-key", PK], "GET / HTTP/1.1\nHost: <b>\n\n", 2, "names no host"),
    (["explain", "--publishable-key", PK, "--offline"], "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 3, ""),
    (["token"], "theme=dark; x=y", 2, "no token in the input"),
    (["token", "--publishable-key", PK, "--offline"], "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 3, ""),
    (["keys"], "", 2, "name an instance"),
    (["keys", "--state-dir", "/no/such"], "", 3, ""),
    (["webhook"], "", 2, "--secret is missing: env:NAME, file:/path or exec:/path, as for ClerkWebhookSecret; and CLERK_WEBHOOK_SIGNING_SECRET is not set"),
    (["webhook", "--secret", "env:EMPTY"], "", 2, "it is empty"),
    (["webhook", "--secret", "env:BAD"], "", 2, "no signing secret"),
    (["webhook", "--secret", "env:WHSEC", "--to", "http://example.com/"], "", 2, "--to:"),
    (["webhook", "--secret", "env:WHSEC", "--data", "[]"], "", 2, "--data:"),
    (["webhook", "--secret", "env:WHSEC", "--id", "a.b"], "", 2, "--id:"),
    (["webhook", "--secret", "env:WHSEC", "--to", "http://127.0.0.1:1/"], "", 3, "http://127.0.0.1:1: "),
    (["webhook", "--secret", "env:WHSEC", "--to", "http://127.0.0.1:1/", "--offline"], "", 3, "no call is made with --offline"),
    (["keys", "--publishable-key", PK, "--offline"], "", 3, ""),
    (["explain", "--publishable-key", PK, "--secret-key", "env:SK_LIVE", "--accept-tokens", "any", "--offline"], "ak_" + "a1" * 20, 3, ""),
    (["explain", "--publishable-key", PK, "--secret-key", "env:SK_LIVE", "--offline"], "GET /?__clerk_handshake_nonce=nonce_0123 HTTP/1.1\n\n", 1, ""),
    (["doctor", "--httpd", "/no/such"], "", 3, "cannot be run"),
]
ENVIRONMENT = {"SK_LIVE": "sk_live_bcdefghijklmnopq", "SK_TEST": "sk_test_abcdefghijklmnop", "WHSEC": WHSEC, "BAD": "whsec_%%%%%%%%%%%%", "EMPTY": ""}


@pytest.mark.parametrize("arguments,stdin,code,says", ERRORS, ids=range(len(ERRORS)))
def test_errors(arguments, stdin, code, says):
    result = clerkctl.run(*arguments, stdin=stdin, env=ENVIRONMENT)
    assert result.code == code and says in result.err, result
    shown = result.out + result.err
    assert not any(value in shown for name, value in ENVIRONMENT.items() if value) and "sk_live_abc" not in shown, result
    as_json = clerkctl.run(*arguments[:1], "--json", *arguments[1:], stdin=stdin, env=ENVIRONMENT)
    if says:
        assert result.err.startswith("clerkctl: ") and not result.out
        assert as_json.json["code"] == code and says in as_json.json["error"] and not as_json.err, as_json


def test_help_and_version():
    assert "explain" in clerkctl.run("--help").out and "explain" in clerkctl.run("--json", "-h").json["help"]
    assert re.fullmatch(r"clerkctl \d+\.\d+\.\d+\n", clerkctl.run("--version").out)
    assert re.fullmatch(r"\d+\.\d+\.\d+", clerkctl.run("--version", "--json").json["version"])


@pytest.mark.parametrize("form", [["--help"], ["-h"]], ids=["long", "short"])
def test_the_help_of_a_command_has_its_own_options(form):
    for command in commands():
        result = clerkctl.run(command, *form)
        assert result.code == 0 and result.out.startswith(f"Usage: clerkctl {command} [OPTION ...]"), result
        named = set(re.findall(r"--[a-z-]+", result.out))
        assert named - {"--"} == set(clerkctl.run("words", command).out.split()), result
        assert clerkctl.run(command, "--json", *form).json["help"] == result.out
    assert set(clerkctl.run("words", "--json").json["words"].split()) == set(commands())


def commands():
    return clerkctl.run("words").out.split()


def test_every_option_is_documented():
    page, manual = ((TOP / path).read_text().replace("\\-", "-") for path in ("docs/clerkctl.md", "src/ctl/clerkctl.1"))
    assert set(commands()) == {"explain", "token", "keys", "doctor", "webhook"}
    for command in commands():
        assert f"## `{command}`" in page and f".B {command}\n" in manual
        for option in clerkctl.run("words", command).out.split():
            settings = (TOP / "src/httpd/config/settings.def").read_text()
            named_as_directive = option in {clerkctl.option(name) for name in re.findall(r"SETTING\((\w+)", settings)}
            assert named_as_directive or option in page and option in manual, option


COMPLETIONS = [
    (["ex"], ["explain"]),
    (["explain", "--pub"], ["--publishable-key", "--public-origin"]),
    (["explain", "--api"], ["--api-url"]),
    (["keys", "--jwks"], ["--jwks-url", "--jwks"]),
    (["explain", "--satellite", ""], ["On", "Off"]),
    (["explain", "--publishable-key", ""], []),
    (["webhook", "--to", ""], []),
    (["webhook", "--type", "-"], []),
    (["explain", "--header", ""], []),
    (["explain", "--as", ""], ["request", "cookie", "token"]),
    (["explain", "--secret-key", ""], ["env:", "file:", "exec:"]),
    (["webhook", "--secret", "f"], ["file:"]),
    (["token", "--input", "ke"], ["keys.json"]),
    (["token", "--jwt-key", "ke"], ["keys.json"]),
    (["explain", "--offline", "--jso"], ["--json"]),
    (["doctor", "--httpd", "ke"], ["keys.json"]),
]


@pytest.mark.parametrize("words,offered", COMPLETIONS, ids=[" ".join(row[0]) for row in COMPLETIONS])
def test_the_completion(tmp_path, words, offered):
    if pathlib.Path(clerkctl.program()).name != "clerkctl":
        pytest.skip("the program has another name")
    (tmp_path / "keys.json").write_text("")
    script = f"""source {TOP}/src/ctl/completion/clerkctl
PATH={pathlib.Path(clerkctl.program()).parent}:$PATH
COMP_WORDS=(clerkctl "$@"); COMP_CWORD=$#; _clerkctl; printf '%s\\n' "${{COMPREPLY[@]}}"
complete -p clerkctl >&2
"""
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == offered, done
    assert "nospace" not in done.stderr  # a space follows each word, but env: and the like


# token


def test_a_token_is_decoded_and_not_believed(live):
    value = token(live)
    for text in (value, f"Bearer {value}", f"Authorization: Bearer {value}\r\n", f"Cookie: a=b; __session={value}"):
        result = clerkctl.run("token", stdin=text)
        assert result.code == 0 and result.out.startswith("NOTHING IS VERIFIED") and '"user_alice"' in result.out, result
        assert value not in result.out and value.split(".")[2] not in result.out
    said = clerkctl.run("token", "--json", stdin=value).json
    assert not said["verified"] and said["claims"]["sub"] == "user_alice" and said["header"]["alg"] == "RS256"


def test_a_token_is_verified(live, dev):
    keys = ("token", "--publishable-key", live.publishable_key, "--jwks", live.jwks_url)
    assert clerkctl.run(*keys, stdin=token(live)).out.startswith("VERIFIED")
    for value in (token(dev), token(live)[:-8] + "AAAAAAAA", token(live, age=500)):
        result = clerkctl.run(*keys, stdin=value)
        assert result.code == 1 and result.out.startswith("NOT GOOD: "), result


@pytest.mark.parametrize("value", ["garbage", "a.b.c", "..", "eyJ.eyJ.eyJ", "\u00e9\u00e9", "x" * 20000])
def test_what_is_no_token_says_so(value):
    result = clerkctl.run("token", stdin=value)
    assert result.code == 2 and "there is no token in the input: it is" in result.err and value not in result.err and not result.out, result
    assert clerkctl.run("token", "--json", stdin=value).json["code"] == 2


def test_an_opaque_token_is_one():
    result = clerkctl.run("token", stdin="ak_secretsecret")
    assert result.code == 0 and "an API key of 15 bytes" in result.out and "it is opaque" in result.out and "secretsecret" not in result.out, result


def test_keys_that_are_named_are_not_asked_for():
    result = clerkctl.run("token", "--publishable-key", PK, "--offline", stdin="eyJhbGciOiJSUzI1NiJ9.e30.AAAA")
    assert result.code == 3 and "Its keys cannot be had with --offline" in result.out and "--publishable-key" not in result.out, result


# What a request may look like


@pytest.mark.parametrize("text", [
    "GET /x?a=b HTTP/1.0\nHost: a.example\n\n", "GET /x?a=b HTTP/2\nHost: a.example\n\n", "GET /x?a=b HTTP/2.0\r\nHost: a.example\r\n",
    "GET /x?a=b HTTP/3\nHost: a.example",
    "*   Trying 127.0.0.1:443...\n* using HTTP/2\n> GET /x?a=b HTTP/2\r\n> Host: a.example\r\n* a note\n> Accept: */*\r\n> \r\n"
    "< HTTP/2 200 \r\n> Host: b.example\n",
    "> GET /x?a=b HTTP/1.1\n> Host: a.example\n>\nbody", ":authority: a.example\n:method: GET\n:path: /x?a=b\n:scheme: https\naccept: */*\n",
], ids=["1.0", "2", "2.0", "3", "curl", "curl-1.1", "browser"])
def test_requests_as_programs_show_them(text):
    result = clerkctl.run("explain", "--offline", "--publishable-key", PK, "--json", stdin=text)
    assert result.json["request"]["url"] == "https://a.example/x?a=b" and result.json["request"]["method"] == "GET", result


@pytest.mark.parametrize("text,says", [(":method:\nGET\n", "write it as :method: GET"), (":path: /a b\n", "a space"),
                                       ("GET / HTTP/\nHost: a\n", "more than one line"),
                                       ("GET /HTTP/1.1\nHost: a\n", "more than one line"), ("> no\n> yes\n", "more than one line")])
def test_what_is_no_request(text, says):
    result = clerkctl.run("explain", "--offline", "--publishable-key", PK, stdin=text)
    assert result.code == 2 and says in result.err, result


@pytest.mark.parametrize("text,is_cookie", [("__client_uat=1", True), ("__client_uat=1\n", True), ("a=b ", True), ("a=b; c", True), ("token=", False),
                                            ("dG9rZW4=", False), ("dG9rZW4==\n", False), ("dG9rZW4== ", False)])
def test_a_short_cookie_is_no_token(text, is_cookie):
    said = clerkctl.run("explain", "--offline", "--publishable-key", PK, "--json", stdin=text).json
    assert said["request"]["page_navigation"] == is_cookie and (said["token_from"] == "header") != is_cookie, said


def test_input_from_a_pipe(tmp_path):
    """As <(command) of a shell is one; a secret must be a file."""
    read_end, write_end = os.pipe()
    os.write(write_end, GET.encode())
    os.close(write_end)
    with os.fdopen(read_end):
        result = clerkctl.run("explain", "--offline", "--publishable-key", PK, "--input", f"/dev/fd/{read_end}", pass_fds=[read_end])
    assert result.code == 1 and "https://a.example/" in result.out, result
    os.mkfifo(tmp_path / "fifo")
    result = clerkctl.run("explain", "--offline", "--publishable-key", PK, "--secret-key", f"file:{tmp_path}/fifo", stdin=GET)
    assert result.code == 2 and "not a regular file" in result.err, result


HOSTILE = ["\x1b[31m", "\x9b31m", "\x7f", "\x85", "\r\nforged", "\nforged: 1", "\u2028", "\u202eabc", "\u2066abc", "\u200f", "\u061c",
           "\u200b", "\u2060", "\ufeff", "\U000e0041\U000e007f", "\xad"]
COMMANDING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]")


@pytest.mark.parametrize("command", [["token"], ["explain", "--offline", "--publishable-key", PK]], ids=["token", "explain"])
def test_nothing_reaches_a_terminal_as_a_command(command):
    """What a stranger wrote into a token or a request."""
    claims = {"sub": "".join(HOSTILE), "exp": 1} | {text: "Zo\u00eb \U0001f600" for text in HOSTILE}
    parts = [json.dumps(part, ensure_ascii=False).encode() for part in ({"alg": "RS256", "typ": "JWT", "kid": HOSTILE[1]}, claims)]
    value = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in [*parts, b"x" * 256])
    request = b"GET /\x9b31m?\xe2\x80\xae=1 HTTP/1.1\r\nHost: a.example\r\nSec-Fetch-Dest: document\r\nAuthorization: Bearer " + value + b"\r\n\r\n"
    for stdin in (value, request):
        for form in ([], ["--json"]):
            result = clerkctl.run(*command, *form, stdin=stdin)
            assert not COMMANDING.search(result.out + result.err) and "Zo\u00eb" in result.out, result
            if form:
                said = result.json
                assert said.get("claims", said.get("token", {}).get("claims"))["sub"] == claims["sub"]


def forged_lines(result):
    return [line for line in result.out.splitlines() + result.err.splitlines() if line.strip().startswith("forged")]


def test_no_value_makes_a_line_of_its_own(tmp_path):
    """Claims, key ids, what the server's httpd prints, arguments."""
    forged = "x\nforged: yes"
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "kid": forged}, {forged: forged, "sub": 'a         "forged"'})]
    value = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in [*parts, b"x" * 256])
    keys = tmp_path / "keys.json"
    modulus = base64.urlsafe_b64encode(b"\x80" + b"1" * 254 + b"\x01").rstrip(b"=").decode()
    keys.write_text(json.dumps({"keys": [{"kty": "RSA", "kid": forged, "n": modulus, "e": "AQAB"},
                                         {"kty": "RSA", "kid": "a  RSA 4096", "n": modulus, "e": "AQAB"}]}))
    for result in (clerkctl.run("token", stdin=value), clerkctl.run("explain", "--offline", "--publishable-key", PK, stdin=value),
                   clerkctl.run("keys", "--jwks", keys), clerkctl.run(forged), clerkctl.run("explain", "--" + forged), clerkctl.run("explain", "--as", forged),
                   clerkctl.run("keys", "--state-dir", tmp_path / forged)):
        assert not forged_lines(result) and not COMMANDING.search(result.out + result.err), result
    listed = clerkctl.run("keys", "--jwks", keys).out
    assert '"x\\nforged: yes"  RSA 2048' in listed and '"a  RSA 4096"  RSA 2048' in listed


def test_lines_of_an_event_stay():
    body = '{\n\t"type": "x"\n}'
    assert clerkctl.run("webhook", "--secret", "env:WHSEC", "--event", "-", stdin=body, env=ENVIRONMENT).out.endswith(f"\n\n{body}\n")


@pytest.mark.parametrize("hidden", ['"verified": false', "signed-out", '": "GET", "', "\\\\\\\\", '{"looks_like'])
def test_what_is_hidden_does_not_change_the_form_of_a_document(hidden):
    for command in ("token", "explain"):
        result = clerkctl.run(command, "--json", "--offline", "--publishable-key", PK, stdin=f"GET /?__session={urllib.parse.quote(hidden)} HTTP/1.1\n"
                              f"Host: a.example\nAuthorization: Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA\nCookie: __session={hidden}\n\n")
        assert "verified" in result.json or "status" in result.json


# No secret in any output


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_no_secret_is_printed(live, dev, form):
    for instance in (live, dev):
        value, old = token(instance), token(instance, age=500)
        session = instance.create_session("alice")
        secrets = [value, old, instance.secret_key, instance.refresh_token(session), "dvb_0123456789", "nonce_0123456789abcdef"]
        cookies = session_cookies(instance, old) | {"__refresh_" + instance.cookie_suffix: secrets[3], "__clerk_db_jwt": "dvb_0123456789",
                                                    "__clerk_handshake_nonce": "nonce_0123456789abcdef"}
        request = (f"GET /x?__clerk_db_jwt=dvb_0123456789&__session={value}&next=https%3A%2F%2Fa.example%2F%3F__session%3D{value} HTTP/1.1\r\n"
                   f"Host: a.example\r\nSec-Fetch-Dest: document\r\nCookie: {cookie_header(cookies)['Cookie']}\r\n\r\n")
        for text in (request, request.replace("Cookie:", f"Authorization: Bearer {value}\r\nX:"), value, "Cookie: " + cookie_header(cookies)["Cookie"]):
            for command in ("explain", "token"):
                shown = repr(clerkctl.run(command, *form, "--publishable-key", instance.publishable_key, "--secret-key", "env:KEY", "--api-url", instance.url,
                                          stdin=text, env={"KEY": instance.secret_key}))
                for secret in secrets + [value.split(".")[2], old.split(".")[2]]:
                    assert secret not in shown, (command, secret, shown)


# keys


def test_the_published_keys(live):
    result = clerkctl.run("keys", "--publishable-key", live.publishable_key, "--jwks", live.jwks_url)
    assert result.code == 0 and f"{live.kid}  RSA 2048" in result.out, result
    live.set_fault("jwks", status=500)
    try:
        result = clerkctl.run("keys", "--publishable-key", live.publishable_key, "--jwks", live.jwks_url, "--json")
        assert result.code == 3 and "500" in result.json["error"], result
    finally:
        live.clear_faults("jwks")


def test_the_kept_keys(httpd, live):
    httpd.configure(directives(httpd, live) + f"ClerkStateDir {httpd.root}/state\n" + protect("/p"))
    httpd.start()
    assert httpd.get("/p", {"Authorization": "Bearer " + token(live)}).status == 404
    directory = httpd.root / "state"
    httpd.stop()
    result = clerkctl.run("keys", "--state-dir", directory, "--json")
    (file,) = result.json["kept"]
    assert result.code == 0
    assert file["problem"] is None and file["keys"][0]["kid"] == live.kid and file["fetched_at"] > 1700000000
    path = directory / file["file"]
    path.write_text(path.read_text().replace(live.kid, "ins_other"))
    result = clerkctl.run("keys", "--state-dir", directory)
    assert result.code == 1 and "not to be believed: it is damaged" in result.out, result
    path.write_text("{}")
    result = clerkctl.run("keys", "--state-dir", directory)
    assert result.code == 1 and "fetched at an unknown time; not to be believed" in result.out, result
    assert clerkctl.run("keys", "--state-dir", directory, "--json").json["kept"][0]["fetched_at"] is None
    (directory / "state.key").write_bytes(b"short")
    assert "state.key, which signs it, is damaged" in clerkctl.run("keys", "--state-dir", directory).out
    (directory / "state.key").unlink()
    assert "state.key, which signs it, is not there" in clerkctl.run("keys", "--state-dir", directory).out
    assert not (directory / "state.key").exists()


# webhook


def test_a_signature_of_the_protocols_test_vectors():
    body = '{"type":"session.revoked","object":"event","data":{"id":"sess_1","user_id":"user_1"}}'
    result = clerkctl.run("webhook", "--secret", "env:WHSEC", "--event", "-", "--id", "msg_1", "--at", "1700000000", "--json", stdin=body, env=ENVIRONMENT)
    assert result.json == {"headers": {"svix-id": "msg_1", "svix-timestamp": "1700000000",
                                       "svix-signature": "v1,aLkQB+xcSQlsD6ZfoS63nWK5gbb+oqG5FdaenPaGuAI="}, "body": body}


def test_a_server_accepts_what_is_signed(httpd, live):
    httpd.env["HOOK"] = WHSEC
    httpd.configure(directives(httpd, live) + "ClerkWebhookSecret env:HOOK\n"
                    "<Location /hook>\n    SetHandler clerk-webhook\n    Require all granted\n</Location>\n")
    httpd.start()
    to = f"http://127.0.0.1:{httpd.port}/hook"
    result = clerkctl.run("webhook", "--secret", "env:WHSEC", "--to", to, env=ENVIRONMENT)
    assert result.code == 0 and result.out.startswith("accepted: answer 20"), result
    result = clerkctl.run("webhook", "--to", to, env={"CLERK_WEBHOOK_SIGNING_SECRET": WHSEC})  # as the server has it
    assert result.code == 0, result
    httpd.log.announce("AC3250")
    other = {"WHSEC": "whsec_" + "A" * 32}
    result = clerkctl.run("webhook", "--secret", "env:WHSEC", "--to", to, "--json", env=other)
    assert result.code == 1 and not result.json["accepted"], result
    assert json.loads(clerkctl.run("webhook", "--secret", "env:WHSEC", "--json", env=ENVIRONMENT).json["body"])["type"] == "session.revoked"
