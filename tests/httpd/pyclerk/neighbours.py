# SPDX-License-Identifier: Apache-2.0
"""The applications behind httpd: PHP-FPM, and a proxied application that prints the request."""

import http.server
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from .httpd import unprivileged_user


class PhpFpm:
    """A PHP-FPM on a Unix socket, started by the test."""

    def __init__(self, root, children=2, settings=()):
        """`settings`: lines as in php.ini."""
        self.root = pathlib.Path(root)
        self.children, self.settings = children, tuple(settings)
        self.socket = self.root / "fpm.sock"
        names = ("php-fpm", *(f"php-fpm8.{minor}" for minor in range(9, -1, -1)))
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        self.program = next((found for name in names if (found := shutil.which(name, path=path))), None)
        self.process = None

    @property
    def handler(self):
        return f'proxy:unix:{self.socket}|fcgi://localhost/'

    def start(self):
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o755)
        user = unprivileged_user().pw_name
        identity = f"user = {user}\ngroup = {user}\nlisten.owner = {user}\n" if os.geteuid() == 0 else ""
        conf = self.root / "fpm.conf"
        conf.write_text(
            f"[global]\nerror_log = {self.root}/fpm.log\ndaemonize = no\n[www]\n{identity}listen = {self.socket}\n"
            f"pm = static\npm.max_children = {self.children}\nclear_env = no\ncatch_workers_output = yes\n"
        )
        command = [self.program, "-n", "-F", "-y", str(conf)]
        for setting in self.settings:
            command += ["-d", setting]
        if os.geteuid() == 0:
            command.insert(1, "-R")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 10
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"php-fpm did not start: {(self.root / 'fpm.log').read_text()}")
            time.sleep(0.02)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)


class EchoBackend:
    """A proxied application: responds with the header fields it received, one on each line, with unchanged names."""

    def __init__(self):
        outer = self
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                lines = [f"{self.command} {self.path}"] + [f"{name}: {value}" for name, value in self.headers.items()]
                outer.seen.append(lines)
                body = ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
