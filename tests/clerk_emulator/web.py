# SPDX-License-Identifier: Apache-2.0
"""Requests and responses for the endpoint functions."""

import dataclasses
import json
import urllib.parse


@dataclasses.dataclass
class Request:
    method: str  # after `_method`
    path: str
    query: dict
    headers: dict  # lower-case names
    body: str

    @classmethod
    def parse(cls, method, target, headers, body):
        split = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        if method == "POST" and query.get("_method") in ("PATCH", "PUT", "DELETE"):
            method = query["_method"]
        path = split.path
        if path.startswith("/__clerk/"):  # ClerkProxyURL: the application forwarded it with its prefix
            path = path.removeprefix("/__clerk")
        return cls(method, path, query, headers, body)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body, keep_blank_values=True))

    def json(self):
        return json.loads(self.body) if self.body else {}

    def cookie(self, name):
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None

    def flag(self, name):
        return self.query.get(name) == "true"


@dataclasses.dataclass
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list = dataclasses.field(default_factory=list)

    def with_cookies(self, cookies):
        self.headers += [("Set-Cookie", cookie) for cookie in cookies]
        return self


def answer(value, status=200, headers=()):
    return Response(status, json.dumps(value).encode("utf-8"), headers=list(headers))


def error(status, code, message=None):
    detail = {"code": code, "message": message or code, "long_message": message or code, "meta": {}}
    return answer({"errors": [detail], "clerk_trace_id": "emulated"}, status)


def page(text, status=200):
    headers = [("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")]
    return Response(status, text.encode("utf-8"), "text/html; charset=utf-8", headers)


def redirect(url, status=302):
    return Response(status, b"", "text/plain", [("Location", url), ("Cache-Control", "no-store")])


def with_query(url, **parameters):
    """`url` with the parameters at the end of its query, replacing earlier ones; the rest stays as it was written."""
    split = urllib.parse.urlsplit(url)
    kept = [part for part in split.query.split("&") if part and part.split("=", 1)[0] not in parameters]
    query = "&".join(kept + [urllib.parse.urlencode(parameters)])
    return urllib.parse.urlunsplit((split.scheme, split.netloc, split.path or "/", query, ""))


def is_web_url(url):
    split = urllib.parse.urlsplit(url or "")
    return split.scheme in ("http", "https") and bool(split.netloc)


def origin_of(url):
    split = urllib.parse.urlsplit(url)
    return f"{split.scheme}://{split.netloc}"
