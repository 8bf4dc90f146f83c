# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 byte for byte: requests are sent as given, redirects are not followed, only Host is added."""

import http.client
import json
import socket


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # list of (name, value) in order
        self.body = body

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return ", ".join(values) if values else None

    @property
    def text(self):
        return self.body.decode("utf-8", "backslashreplace")

    @property
    def location(self):
        return self.header("Location")

    @property
    def auth_status(self):
        return self.header("X-Clerk-Auth-Status")

    @property
    def reason(self):
        return self.header("X-Clerk-Auth-Reason")

    def json(self):
        return json.loads(self.body)

    def env(self):
        """The environment that the CGI and PHP test programs print."""
        return dict(line.split("=", 1) for line in self.text.splitlines() if "=" in line)

    def cookies(self):
        """Set-Cookie: name -> value (the last one of a name)."""
        return dict(value.split(";")[0].split("=", 1) for value in self.all("Set-Cookie"))

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:400]!r}>"


def _pairs(headers):
    return list(headers.items()) if isinstance(headers, dict) else list(headers or ())


def _encode(method, target, headers, body, host):
    lines = [f"{method} {target} HTTP/1.1"]
    pairs = _pairs(headers)
    if not any(name.lower() == "host" for name, _ in pairs):
        lines.append(f"Host: {host}")
    if body is not None and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in pairs):
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in pairs]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


class Connection:
    """A keep-alive connection to one port of this machine."""

    def __init__(self, port, timeout=20.0, tls=None):
        self.port = port
        self.timeout = timeout
        self.tls = tls  # an ssl.SSLContext
        self._socket = None

    def request(self, method, target, headers=None, body=None):
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                self._socket = self.tls.wrap_socket(self._socket)
        self._socket.sendall(_encode(method, target, headers, body, f"127.0.0.1:{self.port}"))
        answer = http.client.HTTPResponse(self._socket, method=method)
        answer.begin()
        data = answer.read()
        response = Response(answer.status, answer.getheaders(), data)
        if answer.will_close:
            self.close()
        return response

    def get(self, target, headers=None):
        return self.request("GET", target, headers)

    @property
    def is_open(self):
        return self._socket is not None

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def request(port, method, target, headers=None, body=None, timeout=20.0):
    """One request on a connection of its own."""
    pairs = _pairs(headers)
    if not any(name.lower() == "connection" for name, _ in pairs):
        pairs.append(("Connection", "close"))
    with Connection(port, timeout) as connection:
        return connection.request(method, target, pairs, body)


def raw(port, data, timeout=20.0):
    """Send bytes, read until the server closes; for what is not HTTP."""
    with socket.create_connection(("127.0.0.1", port), timeout) as sock:
        sock.sendall(data)
        chunks = []
        while chunk := sock.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)
