# SPDX-License-Identifier: Apache-2.0
"""Random browser requests, from plain visits to all of Clerk's cookies and parameters."""

import dataclasses
import json
import random
import time
import urllib.parse

from .forge import OddKey


@dataclasses.dataclass
class Visit:
    """One request. Its parts are lists, so that the smallest failing request can be found by leaving parts out."""

    site: str
    method: str = "GET"
    path: str = "/"
    query: list = dataclasses.field(default_factory=list)  # of raw "name=value" texts
    headers: list = dataclasses.field(default_factory=list)  # of (name, value), without Cookie
    cookies: list = dataclasses.field(default_factory=list)  # of (name, value)
    notes: frozenset = frozenset()  # what was put in that a documented difference is about

    @property
    def target(self):
        return self.path + ("?" + "&".join(self.query) if self.query else "")

    def all_headers(self):
        cookies = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies))] if self.cookies else []
        return self.headers + cookies

    def smaller(self):
        """All requests with one part left out."""
        for field in ("query", "headers", "cookies"):
            for index in range(len(getattr(self, field))):
                items = list(getattr(self, field))
                del items[index]
                yield dataclasses.replace(self, **{field: items})
        if self.path != "/":
            yield dataclasses.replace(self, path="/")
        if self.method != "GET":
            yield dataclasses.replace(self, method="GET")


PATHS = ["/", "/page", "/a/b/c.html", "/orgs/acme", "/orgs/acme/", "/orgs/globex/settings", "/ORGS/acme", "/orgs/ac%20me", "/me", "/me/x",
         "/by-id/org_acme", "/by-id/org_globex/x", "/a/./b", "/a//b", "/a%2Fb", "/caf%C3%A9", "/x;y=1", "/a'b(c)*", "/~user/@x:y", "/%7euser"]
QUERIES = ["x=1", "x=a%20b", "x=a+b", "x", "x=", "=x", "a=1&b=2", "e=%zz", "u=%C3%A9", "u=%FF", "d=%2F%2f:/?@!$()*,;~[]", "q='x'", "a=1;b=2", "p=%26%3D%23",
           "__clerk_help=1", "__dev_session=v", "redirect_url=https://evil.example/", "z=%7B%7D|^"]


CROWD = 40


class Chance:
    """Makes visits for the sites of two instances (production and development)."""

    def __init__(self, seed, sites, origin_of):
        self.random = random.Random(seed)
        self.sites = sites
        self.origin_of = origin_of
        self._foreign_key = {}
        self._sessions = {}
        self._last_session = {}
        for instance in {site.instance for site in sites.values()}:
            # So many that no user's allowance is used up (outbound-calls.md "Rates").
            for number in range(CROWD):
                instance.add_user(f"visitor{number}", memberships={"acme": "member"})

    def often(self, probability):
        return self.random.random() < probability

    def one(self, *choices):
        return self.random.choice(choices)

    def visit(self):
        site = self.one(*self.sites)
        instance = self.sites[site].instance
        notes = set()
        visit = Visit(site, self._method(), self.one(*PATHS))
        visit.query = [self.one(*QUERIES) for _ in range(self.one(0, 0, 0, 1, 2))]
        visit.headers = self._fetch_metadata() + self._fetch_site(site) + self._referer(site, instance)
        cookies = self._session_cookies(instance, site, notes) + self._rest_of_cookies(instance)
        self._handshake(instance, site, visit, cookies, notes)
        if self.often(0.06):
            visit.headers.append(("Authorization", self._authorization(instance, site, notes)))
        if self.often(0.3):
            self.random.shuffle(cookies)
        visit.cookies = cookies
        visit.notes = frozenset(notes)
        return visit

    def _method(self):
        return self.one("POST", "HEAD", "PUT", "DELETE") if self.often(0.12) else "GET"

    def _fetch_metadata(self):
        kind = self.random.random()
        if kind < 0.65:
            return [("Sec-Fetch-Dest", "document"), ("Accept", "text/html,*/*;q=0.8")]
        if kind < 0.75:
            mode = [("Sec-Fetch-Mode", self.one("navigate", "navigate", "no-cors", "cors", "Navigate"))] if self.often(0.5) else []
            return [("Sec-Fetch-Dest", self.one("iframe", "empty", "frame", "Document", "image"))] + mode
        if kind < 0.9:
            marks = [("X-Requested-With", "XMLHttpRequest"), ("X-Requested-With", "com.example.app"), ("HX-Request", "true")]
            script = [self.one(*marks)] if self.often(0.2) else []
            return [("Accept", self.one("text/html", "text/html,application/xml", "*/*", "application/xml, text/html", "Text/HTML"))] + script
        if kind < 0.93:
            return [("Sec-Fetch-Mode", self.one("navigate", "cors")), ("Accept", self.one("text/html", "*/*"))]
        return []

    def _fetch_site(self, site):
        """What says whose page it is that asks."""
        if self.often(0.6):
            return []
        fetch_site, origin = self.one(None, "same-origin", "same-origin", "same-site", "cross-site", "none", "same-origin, same-origin"), None
        if self.often(0.5):
            origin = self.one(self.origin_of(site), self.origin_of(site), "null", "https://evil.example", self.origin_of(site) + ":8443")
        return [pair for pair in (("Sec-Fetch-Site", fetch_site), ("Origin", origin)) if pair[1]]

    def _referer(self, site, instance):
        if self.often(0.7):
            return []
        host = instance.host
        portal = host.replace("clerk.", "accounts.", 1) if instance.production else host.replace(".clerk.", ".", 1)
        return [("Referer", self.one(
            self.origin_of(site) + "/previous", "https://search.example/", "http://search.example:8080/?q=x", f"https://{host}/v1/x", f"http://{host}/",
            f"https://{host}:99/", f"https://{portal}/sign-in", f"http://{portal}/", f"https://{portal}:99/x", "https://accounts.evil.example/",
            "https://other.accounts.dev/", "https://x.clerk.accounts.dev/", "not a url", "about:blank", "https://[", "/relative", "data:text/html,x",
            "android-app://com.example", "https://user@search.example/",
            "http:\\\\search.example\\", "https:search.example", "https:/" + site + ".example.test/x", self.origin_of(site).replace("https", "http") + "/"))]

    # Tokens

    def _session(self, instance, user, org):
        key = (instance, user, org)
        if key not in self._sessions:
            self._sessions[key] = instance.create_session(user, org=org)
        self._last_session[instance] = self._sessions[key]
        return self._sessions[key]

    def _visitor(self):
        return f"visitor{self.random.randrange(CROWD)}"

    def _foreign(self, instance):
        """Another key with the key id of the instance."""
        if instance not in self._foreign_key:
            self._foreign_key[instance] = OddKey.make(instance.kid)
        return self._foreign_key[instance]

    def _token(self, instance, site, notes):
        now = int(time.time())
        claims, options = {}, {}
        org = self.one(None, None, "acme")
        user = self.one("alice", "bob", *[self._visitor()] * 4) if org else self.one("alice", "carol", *[self._visitor()] * 4)
        kind = self.random.random()
        if kind < 0.4:
            options["age"] = self.one(0, 5, 20)
        elif kind < 0.55:
            options["age"] = self.one(70, 500, 40000)
        elif kind < 0.6:
            claims |= self.one({"nbf": now + 60}, {"iat": now + 60}, {"iat": now + 60, "nbf": now + 60})
        elif kind < 0.64:
            return self.one("garbage", "a.b.c", "", "%22quoted%22", '"quoted"', "a%2Eb%2Ec", "ak_x", "eyJhbGciOiJub25lIn0.e30.", "..")
        elif kind < 0.68:
            claims["iss"] = self.one("https://clerk.other.test", "https://clerk.sat.example.test", instance.issuer + "/")
            if not ("-sat" in site and "clerk.sat." in claims["iss"]):
                notes.add("issuer")
        elif kind < 0.72:
            notes.add("issuer")
            options["without"] = ("iss",)
        elif kind < 0.76:
            category = self.one("cl_B7d4PD222AAA", "cl_B7d4PD333AAA", "cl_I7d4PD111III")
            options["header"] = {"cat": category}
            if category != "cl_I7d4PD111III":
                notes.add("other type")
        elif kind < 0.79:
            options["key"] = self._foreign(instance)
        elif kind < 0.82:
            options["header"] = {"kid": "ins_unknown"}
        elif kind < 0.85:
            options["without"] = (self.one("iat", "nbf", "sid", "azp", "exp"),)
            if options["without"] == ("sid",):
                notes.add("no sid")
        elif kind < 0.88:
            claims["sts"] = "pending"
        elif kind < 0.91:
            claims["azp"] = self.one("https://evil.example", self.origin_of(site) + "/", "")
        elif kind < 0.93:
            claims["sub"] = "mch_1"
            notes.add("other type")
        elif kind < 0.96:
            options["version"] = 1
        return instance.mint(session=self._session(instance, user, org), claims={"azp": self.origin_of(site)} | claims, **options)

    def _authorization(self, instance, site, notes):
        notes.add("header")
        token = self._token(instance, site, notes)
        return self.one("Bearer {}", "Bearer {}", "Bearer {}", "{}", "bearer {}", "Bearer  {}", "Basic {}", "Bearer {} x").format(token) or "x"

    # Cookies

    def _uat(self):
        now = int(time.time())
        return self.one("0", "1", "1", str(now - 100), str(now - 3600), str(now + 1000), "abc", "12abc", "-5", "", "00", " 7", "1e9", "+3")

    def _session_cookies(self, instance, site, notes):
        suffix = "_" + instance.cookie_suffix
        cookies = []
        if self.often(0.45):  # an ordinary browser: all in step
            token, uat = self._token(instance, site, notes), self.one("1", "1", str(int(time.time()) - 100), self._uat())
            if self.often(0.9):
                cookies += [("__session", token), ("__client_uat", uat)]
            if self.often(0.7):
                cookies += [("__session" + suffix, token), ("__client_uat" + suffix, uat)]
        else:
            for name in ("__session", "__session" + suffix):
                if self.often(0.5):
                    cookies.append((name, self._token(instance, site, notes)))
            for name in ("__client_uat", "__client_uat" + suffix):
                if self.often(0.55):
                    cookies.append((name, self._uat()))
        if self.often(0.05) and cookies:
            name = self.one(*cookies)[0]
            cookies.append((name, self._token(instance, site, notes) if "session" in name else self._uat()))
        return cookies

    def _rest_of_cookies(self, instance):
        suffix = "_" + instance.cookie_suffix
        cookies = []
        if not instance.production and self.often(0.75) or self.often(0.05):
            cookies.append(("__clerk_db_jwt" + self.one("", suffix), self.one("dvb_1", "dvb_2", "a%20b")))
        if self.often(0.15):
            cookies.append(("__clerk_redirect_count", self.one("0", "1", "2", "3")))
        if self.often(0.2):
            cookies.append(("__refresh" + self.one(suffix, suffix, suffix, ""), self._refresh_token(instance)))
        if self.often(0.2):
            cookies.append(self.one(("theme", "dark"), ("sid", "x%3B__session%3Dforged"), ("a", '"q v"'), ("__session_other", "x"), ("__client_uat_other", "0"),
                                    ("__clerk_other", "1"), ("", "x"), ("b", "%zz")))
        return cookies

    def _refresh_token(self, instance):
        """That of the session whose token was made last, of another one, or a wrong one."""
        if self.often(0.2):
            return "wrong"
        if self.often(0.7) and instance in self._last_session:
            return instance.refresh_token(self._last_session[instance])
        return instance.refresh_token(self._session(instance, self.one("alice", "bob", "carol"), None))

    # Handshakes

    def _handshake(self, instance, site, visit, cookies, notes):
        if not instance.production:
            if self.often(0.06):
                visit.query.insert(0, "__clerk_db_jwt=" + self.one("dvb_query", "", "a%20b"))
            if self.often(0.05):
                visit.query.append("__clerk_redirect_url=" + urllib.parse.quote(self.one(
                    "https://sat.example.test/x", "https://sat.example.test/x?__clerk_synced=false&y=1", "https://sat.example.test/a%20b?z=%2F#top"), safe=""))
        if self.often(0.08 if "sat" not in site else 0.3):
            visit.query.append("__clerk_synced=" + self.one("false", "true", "1", ""))
        if self.often(0.15):
            name, value = self._handshake_carrier(instance, site, notes)
            if instance.production:
                if self.often(0.15):
                    notes.add("query handshake")
                    visit.query.append(f"{name}={value}")
                else:
                    cookies.append((name, value))
            elif self.often(0.8):
                visit.query.append(f"{name}={value}")
            else:
                cookies.append((name, value))

    def _handshake_carrier(self, instance, site, notes):
        directives = self._directives(instance, site, notes)
        kind = self.random.random()
        if kind < 0.5:
            options = {}
            if self.often(0.15):
                options = self.one({"header": {"cat": "cl_B7d4PD222AAA"}}, {"header": {"kid": "ins_unknown"}}, {"header": {"typ": "x"}},
                                   {"key": self._foreign(instance)})
                notes.add("bad handshake")
            return "__clerk_handshake", instance.handshake_token(directives, **options)
        if kind < 0.85:
            nonce = f"nonce_{self.random.getrandbits(64):016x}"
            instance.nonces[nonce] = directives
            return "__clerk_handshake_nonce", nonce
        if kind < 0.92:
            notes.add("failed nonce")
            return "__clerk_handshake_nonce", "nonce_unknown"
        notes.add("bad handshake")
        return "__clerk_handshake", self.one("garbage", "a.b.c", "..")

    def _directives(self, instance, site, notes):
        suffix = "_" + instance.cookie_suffix
        if self.often(0.15):
            return ["__session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "__client_uat=0; Path=/; Max-Age=315360000"]
        inside = set()
        token = self._token(instance, site, inside)
        if inside & {"issuer", "other type", "no sid"}:
            notes.add("handshake refused here")
        if "%" in token or '"' in token:
            token = "garbage"
        directives = ["__client_uat=1; Path=/; Domain=example.test; Max-Age=315360000; SameSite=Lax", f"__session={token}; Path=/; SameSite=Lax"]
        if self.often(0.6):
            directives += [f"__client_uat{suffix}=1; Path=/", f"__session{suffix}={token}; Path=/; Secure"]
        if self.often(0.3):
            directives.insert(0, "__clerk_handshake=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
        return directives


class Nonces(dict):
    """Nonces that the module and the SDK may both look up."""

    def pop(self, key, default=None):
        return self.get(key, default)


def describe(visit):
    return json.dumps(dataclasses.asdict(visit) | {"notes": sorted(visit.notes)}, indent=1)
