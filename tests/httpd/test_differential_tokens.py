# SPDX-License-Identifier: Apache-2.0
"""The module and the real @clerk/backend get the same tokens: same verdict, same reason, same identity, or a numbered row
of docs/differences.md."""

import json
import pathlib
import re

import pytest
from clerk_emulator.keys import base64url
from pyclerk.clerk import NAVIGATION, XHR, cookie_header, directives, protect
from pyclerk.forge import EcKey, Forge, OddKey, pad, standard_alphabet

A = Forge.ABSENT
DIFFERENCES = pathlib.Path(__file__).resolve().parents[2] / "docs/differences.md"
ORIGIN = "https://app.example.test"


class Row:
    """One token. `options` are those of the place (see PLACES). `differs`: (number in docs/differences.md, our verdict)
    or a dict from form ("header", "cookie", "page") to that where not every form differs."""

    def __init__(self, name, make, place="plain", differs=None):
        self.name, self.make, self.place = name, make, place
        self.differs = differs if isinstance(differs, dict) else dict.fromkeys(("header", "cookie", "page"), differs)


def invalid(number):
    return (number, ("signed-out", "token-invalid"))


def refused(number, reason):
    return (number, ("signed-out", reason))


ROWS = []


def row(name, make, **options):
    ROWS.append(Row(name, make, **options))


def parts(change):
    return lambda f: ".".join(change(*f.token().split(".")))


def _standard(f):
    """The alphabet of ordinary base64, in a token where that makes a difference."""
    while True:
        header, payload, signature = f.token().split(".")
        if {"-", "_"} & set(signature):
            return f"{header}.{payload}.{standard_alphabet(signature)}"


def _padded(f, which):
    """Padding that was signed over."""
    extra = ""
    while True:
        segments = f.token(f.header(x=extra), f.claims(x=extra)).split(".")[:2]
        if len(segments[which]) % 4:
            break
        extra += "x"
    segments[which] = pad(segments[which])
    signed = ".".join(segments)
    return f"{signed}.{base64url(f.instance.keys[0].sign(signed.encode()))}"


# Good tokens, and what may vary in them
row("good", lambda f: f.token())
row("good with an organization, version 2", lambda f: f.instance.mint("alice", org="acme", origin=ORIGIN))
row("good with an organization, version 1", lambda f: f.instance.mint("bob", org="acme", version=1, origin=ORIGIN))
row("typ absent", lambda f: f.with_header(typ=A))
row("unknown header members", lambda f: f.with_header(oiat=1, x=[1], jku="https://evil.example"))
row("embedded key is not trusted", lambda f: f.token(f.header(jwk=f.other.jwk()), key=f.other))
row("sid missing", lambda f: f.with_claims(sid=A), differs=invalid(30))
row("sid empty", lambda f: f.with_claims(sid=""), differs=invalid(30))
row("sid a number", lambda f: f.with_claims(sid=7), differs=invalid(30))
row("the shape of an OIDC id_token", lambda f: f.with_claims(sid=A, azp=A, sts=A, iat=A, exp=f.now() + 10 * 365 * 86400),
    differs=invalid(30))
row("azp missing, no list", lambda f: f.with_claims(azp=A))
row("nbf missing", lambda f: f.with_claims(nbf=A))
row("iat missing", lambda f: f.with_claims(iat=A))
row("fractional exp", lambda f: f.with_claims(exp=f.now() + 60.5))
row("exp as a real number", lambda f: f.with_text(lambda text: re.sub(r'"exp": (\d+)', r'"exp": \1e0', text)))
row("unknown claims", lambda f: f.with_claims(custom={"a": [1, None, True]}, metadata="x"))
row("claims with white space", lambda f: f.with_text(lambda text: " \n" + text.replace(",", " ,\r\n\t") + "\n "))
row("unicode in a claim", lambda f: f.with_claims(name="Zoë 🙂"))
row("sub of 300 characters", lambda f: f.with_claims(sub="user_" + "x" * 300))
row("sub not ASCII", lambda f: f.with_claims(sub="user_é"))
row("v as text is version 1", lambda f: f.with_claims(v="2", org_id="org_x", org_role="org:admin"))
row("v 3 is version 1", lambda f: f.with_claims(v=3, org_id="org_x", org_slug="x", org_role="org:admin"))
row("version 2 ignores org_*", lambda f: f.with_claims(org_id="org_x", org_role="org:admin"))
row("exp in the last seconds of the skew", lambda f: f.with_claims(exp=f.now() - 3))
row("nbf within the skew", lambda f: f.with_claims(nbf=f.now() + 3))
row("iat as the text 0", lambda f: f.with_claims(iat="0"),
    differs=dict.fromkeys(("cookie", "page"), refused(23, "token-verification-failed")))
row("iat within the skew", lambda f: f.with_claims(iat=f.now() + 3))
row("exp far away", lambda f: f.with_claims(exp=4102444800))

# Categories and types (protocol.md 4.2)
for value in ("cl_B7d4PD111AAA", "cl_I7d4PD111III", "cl_B7d4PD222AAA", "cl_B7d4PD333AAA", "", None, "x", 1, ["cl_B7d4PD111AAA"]):
    row(f"cat {value!r}", lambda f, value=value: f.with_header(cat=value))
row("cat absent", lambda f: f.with_header(cat=A))
for value in (None, "jwt", "at+jwt", "application/at+jwt", "AT+JWT", "JOSE", "", 1, {}):
    row(f"typ {value!r}", lambda f, value=value: f.with_header(typ=value))
row("machine subject", lambda f: f.with_claims(sub="mch_1"))
row("machine subject, template category", lambda f: f.token(f.header(cat="cl_B7d4PD222AAA"), f.claims(sub="mch_1")))

# Algorithms and keys
for value in ("HS256", "none", "None", "NONE", "rs256", "PS256", "ES256", "EdDSA", "RS1", "", None, 1, ["RS256"]):
    row(f"alg {value!r}", lambda f, value=value: f.token(f.header(alg=value), alg="RS256"))
row("alg absent", lambda f: f.token(f.header(alg=A), alg="RS256"))
row("alg none without signature", lambda f: f.instance.mint(defect="alg-none", origin=ORIGIN))
row("HS256 with the public key", lambda f: f.instance.mint(defect="hs256", origin=ORIGIN))
row("RS384 where the key says RS256", lambda f: f.with_header(alg="RS384"))
row("RS512 where the key says RS256", lambda f: f.with_header(alg="RS512"))
for alg in ("RS256", "RS384", "RS512"):
    row(f"{alg}, key without alg", lambda f, alg=alg: f.token(f.header(kid="ins_noalg", alg=alg), key=f.keys["ins_noalg"]))
row("RS512, key for RS512", lambda f: f.token(f.header(kid="ins_512", alg="RS512"), key=f.keys["ins_512"]))
row("RS256, key for RS512", lambda f: f.token(f.header(kid="ins_512"), key=f.keys["ins_512"]))
row("key for encryption", lambda f: f.token(f.header(kid="ins_enc"), key=f.keys["ins_enc"]))
row("key without use", lambda f: f.token(f.header(kid="ins_nouse"), key=f.keys["ins_nouse"]))
row("RSA exponent 3", lambda f: f.token(f.header(kid="ins_e3"), key=f.keys["ins_e3"]))
row("RSA of 4096 bits", lambda f: f.token(f.header(kid="ins_4096"), key=f.keys["ins_4096"]))
row("RSA of 1024 bits", lambda f: f.token(f.header(kid="ins_1024"), key=f.keys["ins_1024"]), differs=refused(14, "token-verification-failed"))
row("ES256 with an EC key", lambda f: f.token(f.header(kid="ins_ec", alg="ES256"), key=f.keys["ins_ec"]), differs=(19, ("signed-in", "")))
row("ES256 by another EC key", lambda f: f.token(f.header(kid="ins_ec", alg="ES256"), key=EcKey("ins_ec")),
    differs=refused(19, "token-invalid-signature"))
row("RS256 where the key is an EC key", lambda f: f.token(f.header(kid="ins_ec")), differs=refused(19, "token-invalid-algorithm"))
row("kid missing", lambda f: f.with_header(kid=A))
row("kid unknown", lambda f: f.with_header(kid="ins_unknown"))
row("kid empty", lambda f: f.with_header(kid=""))
row("kid with line break", lambda f: f.with_header(kid="ins\r\nX: 1"))
for value in (None, 1, ["x"], {}, True):
    row(f"kid {value!r}", lambda f, value=value: f.with_header(kid=value), differs=invalid(15))
row("kid of another key", lambda f: f.with_header(kid="ins_noalg"))
row("crit", lambda f: f.with_header(crit=["exp"]), differs=invalid(15))
row("crit empty", lambda f: f.with_header(crit=[]), differs=invalid(15))
row("signed by a foreign key", lambda f: f.instance.mint(defect="foreign-key", origin=ORIGIN))
row("one bit of the signature", lambda f: f.instance.mint(defect="bad-signature", origin=ORIGIN))
row("no signature", lambda f: f.instance.mint(defect="empty-signature", origin=ORIGIN))
row("half a signature", lambda f: f.instance.mint(defect="truncated", origin=ORIGIN))
row("signature with a byte more", parts(lambda h, p, s: (h, p, s[:-2] + "AAAA")))
row("claims exchanged after signing", lambda f: ".".join((f.token().split(".")[0], f.with_claims(sub="user_root").split(".")[1], f.token().split(".")[2])))
row("header exchanged after signing", lambda f: ".".join((f.with_header(x=1).split(".")[0], *f.token().split(".")[1:])))

# Shape (protocol.md 4.1)
row("two parts", parts(lambda h, p, s: (h, p)))
row("four parts", parts(lambda h, p, s: (h, p, s, s)))
row("four parts, last empty", parts(lambda h, p, s: (h, p, s, "")))
row("only dots", lambda f: "..")
row("one dot", lambda f: ".")
row("a word", lambda f: "garbage")
row("opaque machine token", lambda f: "ak_garbage")
row("empty header", parts(lambda h, p, s: ("", p, s)))
row("empty claims", parts(lambda h, p, s: (h, "", s)))
row("bad base64 in the header", parts(lambda h, p, s: ("*" + h[1:], p, s)))
row("bad base64 in the claims", parts(lambda h, p, s: (h, "*" + p[1:], s)))
row("bad base64 in the signature", parts(lambda h, p, s: (h, p, "*" + s[1:])))
row("a base64 quantum of one character", parts(lambda h, p, s: (h, p, s + "A" * ((5 - len(s) % 4) % 4))))
row("standard alphabet", _standard)
row("padded signature", parts(lambda h, p, s: (h, p, pad(s))), differs=invalid(14))
row("padded header", lambda f: _padded(f, 0), differs=invalid(14))
row("padded claims", lambda f: _padded(f, 1), differs=invalid(14))
row("left-over bits", lambda f: f.instance.mint(defect="trailing-bits", origin=ORIGIN))
row("header not JSON", lambda f: f.token(header="{", alg="RS256"))
row("claims not JSON", lambda f: f.token(claims="{"))
row("claims cut off", lambda f: f.with_text(lambda text: text[:-1]))
row("text behind the claims", lambda f: f.with_text(lambda text: text + "x"))
row("two objects", lambda f: f.with_text(lambda text: text + text))
row("trailing comma", lambda f: f.with_text(lambda text: text[:-1] + ",}"))
row("comment", lambda f: f.with_text(lambda text: text[:-1] + "/**/}"))
row("single quotes", lambda f: f.with_text(lambda text: text.replace('"', "'")))
row("NaN", lambda f: f.with_text(lambda text: text[:-1] + ',"x":NaN}'))
row("raw control character", lambda f: f.with_text(lambda text: text[:-1] + ',"x":"\x01"}'))
row("header array", lambda f: f.token(header="[]", alg="RS256"), differs=invalid(20))
row("header null", lambda f: f.token(header="null", alg="RS256"), differs=invalid(13))
row("header text", lambda f: f.token(header='"x"', alg="RS256"), differs=invalid(20))
row("header number", lambda f: f.token(header="1", alg="RS256"), differs=invalid(20))
row("claims null", lambda f: f.token(claims="null"), differs=invalid(13))
for text in ("[]", '"x"', "1", "true"):
    row(f"claims {text}", lambda f, text=text: f.token(claims=text), differs=invalid(20))
row("claims empty object", lambda f: f.token(claims="{}"))
row("byte order mark", lambda f: f.token(claims=b"\xef\xbb\xbf" + json.dumps(f.claims()).encode()), differs=invalid(14))
row("invalid UTF-8", lambda f: f.token(claims=json.dumps(f.claims()).encode()[:-1] + b',"x":"\xff"}'), differs=invalid(14))
row("lone surrogate", lambda f: f.with_text(lambda text: text[:-1] + ',"x":"\\ud800"}'), differs=invalid(14))
row("sub twice", lambda f: f.with_text(lambda text: text[:-1] + ',"sub":"user_bob"}'), differs=invalid(14))
row("alg twice", lambda f: f.token(header=json.dumps(f.header())[:-1] + ',"alg":"RS256"}', alg="RS256"), differs=invalid(14))
row("nested too deep", lambda f: f.with_text(lambda text: text[:-1] + ',"x":' + "[" * 200 + "]" * 200 + "}"), differs=invalid(15))
row("nested", lambda f: f.with_text(lambda text: text[:-1] + ',"x":' + "[" * 5 + "]" * 5 + "}"))
row("NUL in a claim", lambda f: f.with_claims(x="a\0b"), differs=invalid(15))
row("a number out of range", lambda f: f.with_text(lambda text: text[:-1] + ',"x":1e999}'), differs=invalid(15))
row("a whole number out of range", lambda f: f.with_text(lambda text: text[:-1] + ',"x":123456789012345678901234567890}'), differs=invalid(15))

# Claims (protocol.md 4.3)
row("sub missing", lambda f: f.with_claims(sub=A))
for value in (1, None, ["user_a"], {}, True):
    row(f"sub {value!r}", lambda f, value=value: f.with_claims(sub=value))
row("sub empty", lambda f: f.with_claims(sub=""), differs=invalid(15))
row("sub with line break", lambda f: f.with_claims(sub="user_a\r\nX: 1"), differs=invalid(15))
row("sub with DEL", lambda f: f.with_claims(sub="user_\x7f"), differs=invalid(15))
row("exp missing", lambda f: f.with_claims(exp=A))
for value in ("9999999999", None, [1], True, {}):
    row(f"exp {value!r}", lambda f, value=value: f.with_claims(exp=value))
for value in (0, -1, 1, -1e300):
    row(f"exp {value!r}", lambda f, value=value: f.with_claims(exp=value), differs={} if value != -1e300 else refused(12, "token-verification-failed"))
for value in (1e300, 1e13, 9007199254740993, 9223372036854775807):
    row(f"exp {value!r}", lambda f, value=value: f.with_claims(exp=value), differs=refused(12, "token-verification-failed"))
row("expired", lambda f: f.with_claims(exp=f.now() - 6, iat=f.now() - 66))
row("expired long ago", lambda f: f.with_claims(exp=1500000000, iat=1499999940, nbf=1499999930))
for name in ("nbf", "iat"):
    for value in ("1", None, [1], True):
        coerced = name == "iat" and value is None
        row(f"{name} {value!r}", lambda f, name=name, value=value: f.with_claims(**{name: value}),
            differs=dict.fromkeys(("cookie", "page"), refused(23, "token-verification-failed")) if coerced else None)
    row(f"{name} ahead", lambda f, name=name: f.with_claims(**{name: f.now() + 8}))
    row(f"{name} far ahead", lambda f, name=name: f.with_claims(**{name: 4102444800}))
    row(f"{name} beyond dates", lambda f, name=name: f.with_claims(**{name: 1e300}), differs=refused(12, "token-verification-failed"))
    row(f"{name} negative", lambda f, name=name: f.with_claims(**{name: -5}))
row("no skew, in time", lambda f: f.with_claims(exp=f.now() + 30), place="skew")
row("no skew, a moment late", lambda f: f.with_claims(exp=f.now() - 1), place="skew")

# Issuer
for value in ("https://clerk.other.test", "https://clerk.example.test/", "clerk.example.test", "http://clerk.example.test",
              "https://CLERK.example.test", "", 1, None, A):
    row(f"iss {'absent' if value is A else repr(value)}", lambda f, value=value: f.with_claims(iss=value), differs={
        "header": refused(2, "token-invalid-issuer"), **({"cookie": refused(2, "token-invalid-issuer"), "page": refused(2, "token-invalid-issuer")}
                                                        if value in ("clerk.example.test", "http://clerk.example.test", "", A, None) else {})})

# Authorized parties (protocol.md 4.4)
row("azp in the list", lambda f: f.token(), place="parties")
for value in ("https://app.example.test/", "https://evil.example.test", "https://APP.example.test", "app.example.test", "null", "", 1, None, A):
    row(f"azp {'absent' if value is A else repr(value)}", lambda f, value=value: f.with_claims(azp=value), place="parties")
row("azp as a list", lambda f: f.with_claims(azp=[ORIGIN]), place="parties")

# Audience (protocol.md 4.5)
row("aud matches", lambda f: f.with_claims(aud="api"), place="audience")
row("aud list matches", lambda f: f.with_claims(aud=["x", "api"]), place="audience")
row("aud differs", lambda f: f.with_claims(aud="other"), place="audience")
row("aud list differs", lambda f: f.with_claims(aud=["x", "y"]), place="audience")
row("aud differs in case", lambda f: f.with_claims(aud="API"), place="audience")
for value in ("", [], 1, {}, None, A, ["api", 1], [1]):
    row(f"aud {'absent' if value is A else repr(value)}", lambda f, value=value: f.with_claims(aud=value), place="audience",
        differs=refused(16, "token-verification-failed"))
row("aud anything where none is configured", lambda f: f.with_claims(aud=["x", 1]))

# Order of the checks: claims are looked at only after the signature
row("wrong key and expired", lambda f: f.token(claims=f.claims(exp=1), key=f.other))
row("wrong key and wrong party", lambda f: f.token(claims=f.claims(azp="https://evil.example"), key=f.other), place="parties")
row("expired and wrong party", lambda f: f.with_claims(azp="https://evil.example", exp=1), place="parties")
row("expired and wrong audience", lambda f: f.with_claims(aud="other", exp=1), place="audience")
row("bad alg and unknown kid", lambda f: f.token(f.header(alg="HS256", kid="ins_unknown"), alg="RS256"))
row("bad typ and bad alg", lambda f: f.token(f.header(alg="HS256", typ="x"), alg="RS256"))
row("expired and not yet valid", lambda f: f.with_claims(exp=1, nbf=4102444800))
row("not yet valid and issued ahead", lambda f: f.with_claims(nbf=4102444800, iat=4102444800))

# Organizations and permissions (11)
ORG = {"id": "org_1", "slg": "one", "rol": "admin"}
FEATURES = "o:dashboard,o:teams,uo:billing"
row("permissions", lambda f: f.with_claims(fea=FEATURES + ",u:profile", o=ORG | {"per": "read,manage,delete", "fpm": "5,2,7,0"}))
row("permissions, two features", lambda f: f.with_claims(fea="o:dashboard,o:teams", o=ORG | {"per": "manage,read", "fpm": "3,2"}))
row("permissions above 2^53", lambda f: f.with_claims(fea="o:x", o=ORG | {"per": ",".join(f"p{n}" for n in range(54)), "fpm": "9007199254740995"}))
row("permissions above 2^64", lambda f: f.with_claims(fea="o:x", o=ORG | {"per": ",".join(f"p{n}" for n in range(70)), "fpm": str(2**69 + 1)}))
for mask in ("4", "1invalid", "-1", "1.5", "", " 1 ", "0", "99999999999999999999"):
    row(f"permission mask {mask!r}", lambda f, mask=mask: f.with_claims(fea="o:x", o=ORG | {"per": "read,manage", "fpm": mask}))
row("fewer masks than features", lambda f: f.with_claims(fea="o:a,o:b", o=ORG | {"per": "read", "fpm": "1"}))
row("permissions without features", lambda f: f.with_claims(o=ORG | {"per": "read", "fpm": "1"}))
row("organization without permissions", lambda f: f.with_claims(fea="o:a", o=ORG))
row("organization without role", lambda f: f.with_claims(o={"id": "org_1", "slg": "one"}))
row("organization with spaces", lambda f: f.with_claims(fea=" o:a , o:b ", o=ORG | {"per": " read , manage ", "fpm": " 1 , 3 "}))
row("a user feature before an organization's", lambda f: f.with_claims(fea="u:profile,o:dashboard", o=ORG | {"per": "read,manage", "fpm": "3,3"}))
row("where the two readings of masks disagree", lambda f: f.with_claims(fea="u:profile,o:dashboard", o=ORG | {"per": "read,manage", "fpm": "3,1"}),
    differs=(21, ("signed-in", "")))
row("malformed feature, no organization", lambda f: f.with_claims(fea="nocolon"))
row("malformed feature, organization", lambda f: f.with_claims(fea="nocolon", o=ORG), differs=(22, ("signed-in", "")))
row("impersonation", lambda f: f.with_claims(act={"sub": "user_support", "iss": "https://x"}))
row("pending", lambda f: f.with_claims(sts="pending"))
row("unknown status", lambda f: f.with_claims(sts="strange"))


# The two judges

PLACES = {
    "plain": ("", {}),
    "parties": (f"ClerkAuthorizedParties {ORIGIN}", {"authorizedParties": [ORIGIN]}),
    "audience": ("ClerkAudience api other-api", {"audience": ["api", "other-api"]}),
    "skew": ("ClerkClockSkew 0", {"clockSkewInMs": 0}),
}


@pytest.fixture(scope="module")
def forge(emulator):
    instance = emulator.add_instance(production=True, host="clerk.example.test")
    forge = Forge(instance, ORIGIN)
    forge.keys = {key.kid: key for key in (
        OddKey.make("ins_noalg", alg=None), OddKey.make("ins_enc", use="enc"), OddKey.make("ins_nouse", use=None),
        OddKey.make("ins_512", alg="RS512"), OddKey.make("ins_e3", exponent=3), OddKey.make("ins_4096", bits=4096),
        OddKey.make("ins_1024", bits=1024), EcKey("ins_ec"),
    )}
    for key in forge.keys.values():
        instance.add_key(key)
    forge.other = OddKey.make(instance.kid)
    return forge


@pytest.fixture(scope="module")
def server(make_httpd, forge):
    server = make_httpd()
    for place in PLACES:
        server.cgi(f"{place}/env.cgi")
    server.configure(
        directives(server, forge.instance, "api", parties=())
        + f"ClerkPublicOrigin {ORIGIN}\n"
        + "".join(protect("/" + place, ["valid-user"], lines) for place, (lines, _) in PLACES.items())
    )
    return server.start()


def by_the_sdk(oracle, forge, place, headers):
    """(verdict, identity)"""
    instance = forge.instance
    answer = oracle.ask({
        "url": f"{ORIGIN}/{place}/env.cgi",
        "headers": list(headers.items()),
        "client": {"publishableKey": instance.publishable_key, "secretKey": instance.secret_key, "apiUrl": instance.url},
        "options": PLACES[place][1],
    })
    if "error" in answer:
        return ("throws", answer["error"]), None
    auth = answer["auth"] or {}
    if answer["status"] == "signed-in" and auth.get("sessionStatus") == "pending" and not auth.get("userId"):
        return ("signed-out", "session-pending"), None
    if answer["status"] != "signed-in":
        return (answer["status"], answer["reason"]), None
    return ("signed-in", ""), {
        "CLERK_USER_ID": auth["userId"], "CLERK_SESSION_ID": auth["sessionId"], "CLERK_ORG_ID": auth["orgId"], "CLERK_ORG_SLUG": auth["orgSlug"],
        "CLERK_ORG_ROLE": auth["orgRole"], "CLERK_ACTOR_ID": (auth["actor"] or {}).get("sub"),
        "CLERK_ORG_PERMISSIONS": ",".join(auth["orgPermissions"] or []) or None,
    }


def by_the_module(server, place, headers):
    answer = server.get(f"/{place}/env.cgi", headers)
    if answer.status == 200:
        env = answer.env()
        names = ("CLERK_USER_ID", "CLERK_SESSION_ID", "CLERK_ORG_ID", "CLERK_ORG_SLUG", "CLERK_ORG_ROLE", "CLERK_ACTOR_ID", "CLERK_ORG_PERMISSIONS")
        return ("signed-in", ""), {name: env.get(name) or None for name in names}
    assert answer.status in (401, 307), answer
    if "/v1/client/handshake?" in (answer.location or ""):
        assert answer.auth_status == "handshake"
    return (answer.auth_status, answer.reason), None


def form_headers(form, instance, token):
    if form == "header":
        return {"Authorization": "Bearer " + token} | XHR
    cookies = {"__session": token, "__client_uat": "1"}
    return cookie_header(cookies) | (NAVIGATION if form == "page" else XHR)


def documented():
    return {int(number) for number in re.findall(r"^\| (\d+) \|", DIFFERENCES.read_text(), re.M)}


@pytest.mark.parametrize("form", ["header", "cookie", "page"])
@pytest.mark.parametrize("row", ROWS, ids=[one.name for one in ROWS])
def test_token(oracle, server, forge, row, form):
    headers = form_headers(form, forge.instance, row.make(forge))
    ours, our_identity = by_the_module(server, row.place, headers)
    assert by_the_module(server, row.place, headers) == (ours, our_identity), "from the token cache"
    theirs, their_identity = by_the_sdk(oracle, forge, row.place, headers)
    expected = row.differs.get(form)
    if expected is None:
        assert ours == theirs
        assert our_identity == their_identity
        return
    number, verdict = expected
    assert number in documented()
    assert ours == verdict
    assert (ours, our_identity) != (theirs, their_identity), "no difference any more: drop it from the table"


def test_the_names_of_the_rows_are_unique():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len(ROWS) >= 200
