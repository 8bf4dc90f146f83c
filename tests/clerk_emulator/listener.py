# SPDX-License-Identifier: Apache-2.0
"""HTTP on 127.0.0.1: one thread a connection, faults applied, everything logged."""

import http.server
import mimetypes
import pathlib
import re
import socket
import struct
import threading
import time

from . import backend, routes
from .faults import FRONTEND
from .records import Record
from .web import Request, Response, answer, error

_SCRIPT = re.compile(r"/npm/(@clerk/[a-z-]+)@[^/]+/dist/([A-Za-z0-9._/-]+)")
_MAX_BODY = 1 << 20


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ClerkEmulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 60
    close_connection = True  # as handle() has it before the first request

    def setup(self):
        if self.server.tls:  # here and not at accept(): a silent peer must not block the others
            self.request.settimeout(self.timeout)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            self.server.track(self.request)
        super().setup()

    def finish(self):
        super().finish()
        if self.server.tls:
            self.server.shutdown_request(self.request)

    def log_message(self, *_):
        """Quiet: the request log is kept in memory."""

    def do_GET(self):
        self._serve()

    do_POST = do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MAX_BODY:
            self.close_connection = True
            self.send_error(413)
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        instance = self.server.listener.instance_for(headers.get("host", ""))
        request = Request.parse(self.command, self.path, headers, body)
        script = _SCRIPT.fullmatch(request.path) if request.method in ("GET", "HEAD") else None
        endpoint, function, arguments = ("script", None, ()) if script else routes.find(request.method, request.path)
        if endpoint:
            instance.log.count_arrival(endpoint)
        fault = instance.faults.take(endpoint) if endpoint else None
        if fault and fault.delay:
            time.sleep(fault.delay)
        response = None
        if not fault or not fault.drop:
            response = _faulty_response(fault) or self._respond(instance, request, endpoint, function, arguments, script)
        if endpoint:
            # Before the answer: who has that finds the record.
            status = response.status if response else 0
            instance.log.add(
                Record(endpoint, request.method, request.path, request.query, headers, body, status, time.time())
            )
        if response:
            self._send(request, endpoint, response, fault)
        else:
            self._drop()

    def _respond(self, instance, request, endpoint, function, arguments, script):
        if script:
            return _script(self.server.listener.scripts, *script.groups())
        if function is None:
            return error(404, "resource_not_found", "Nothing is emulated here")
        refused = backend.key_error(instance, request) if endpoint in routes.BACKEND_ENDPOINTS else None
        if refused:
            return refused
        try:
            return function(instance, request, *arguments)
        except (KeyError, TypeError, ValueError) as problem:
            return error(422, "emulator_request_invalid", str(problem))

    def _drop(self):
        """Reset, not an orderly end: the client sees a failure in every case."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _send(self, request, endpoint, response, fault):
        truncate = bool(fault and fault.truncate)
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers + self._cors(request, endpoint):
            self.send_header(name, value)
        if truncate:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault and fault.trickle:
            self._trickle(response.body, fault.trickle)
        else:
            self.wfile.write(response.body[: len(response.body) // 2] if truncate else response.body)

    def _trickle(self, body, duration):
        try:
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                time.sleep(duration / len(body))
        except OSError:  # the client has had enough
            self.close_connection = True

    @staticmethod
    def _cors(request, endpoint):
        origin = request.headers.get("origin")
        if endpoint == "script":
            return [("Access-Control-Allow-Origin", "*")]
        if not origin or endpoint not in FRONTEND:
            return []
        return [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Access-Control-Expose-Headers", "Clerk-Db-Jwt, X-Country, Retry-After"),
            ("Vary", "Origin"),
        ]


def _faulty_response(fault):
    """The response made by a fault; None if the normal response is still needed."""
    if fault is None:
        return None
    headers = list(fault.headers.items())
    if fault.redirect:
        return Response(302, b"", "text/plain", [("Location", fault.redirect)] + headers)
    if fault.oversize:
        return Response(fault.status or 200, b'{"padding":"' + b"x" * (fault.oversize - 14) + b'"}', headers=headers)
    if fault.empty_keys:
        return answer({"keys": []}, fault.status or 200, headers)
    if fault.body is not None:
        return Response(fault.status or 200, fault.body.encode("utf-8"), fault.content_type, headers)
    if fault.status:
        response = error(fault.status, fault.code)
        response.headers += headers
        return response
    return None


def _script(directory, package, name):
    """A file of <directory>/<package>/dist/; the version in the URL is ignored."""
    base = (pathlib.Path(directory) / package / "dist").resolve() if directory else None
    path = (base / name).resolve() if base else None
    if path is None or not path.is_relative_to(base) or not path.is_file():
        return error(404, "resource_not_found", "No such script")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Response(200, path.read_bytes(), kind)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, listener, port):
        self.listener = listener
        self.tls = listener.tls
        self._open = set()
        self._open_lock = threading.Lock()
        self._is_closing = False
        super().__init__(("127.0.0.1", port), _Handler)

    def accept_all(self):
        """Until close_port(). Unlike serve_forever() it does not wake up in between: a test run has hundreds of ports."""
        while not self._is_closing:
            try:
                connection, address = self.get_request()
            except OSError:
                continue
            self.process_request(connection, address)

    def close_port(self):
        self._is_closing = True
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.server_close()

    def track(self, connection):
        with self._open_lock:
            self._open.add(connection)

    def process_request(self, request, client_address):
        self.track(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """Clients that disconnect are part of the tests: not reported."""

    def close_connections(self):
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # gone already


class Listener:
    """A port. Serves the instance whose Frontend API or Account Portal host the request names, else the first."""

    def __init__(self, instances, port=0, tls=None, scripts=None):
        """`tls` is a server-side ssl.SSLContext; `scripts` the directory with @clerk/<package>/dist/."""
        self.instances = list(instances)
        self.port = port
        self.tls = tls
        self.scripts = scripts
        self._server = None
        self._thread = None

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def instance_for(self, host):
        name = host.split(":")[0]
        for instance in self.instances:
            frontend = instance.host.split(":")[0]
            portal = frontend.replace("clerk.", "accounts." if instance.production else "", 1)
            if host == instance.host or name in (frontend, portal):
                return instance
        return self.instances[0]

    def start(self):
        if self._server is None:
            self._server = _Server(self, self.port)
            self.port = self._server.server_address[1]
            self._thread = threading.Thread(target=self._server.accept_all, daemon=True)
            self._thread.start()
        return self

    def stop(self):
        """Close the port and every connection; start() opens the same port again."""
        if self._server is not None:
            self._server.close_port()
            self._thread.join()
            self._server.close_connections()
            self._server = self._thread = None
