# SPDX-License-Identifier: Apache-2.0
"""Real stores behind ClerkSOCache: a redis and a memcached of the test's own, on a loopback port."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from .httpd import free_port


class Store:
    """`spec` is its argument of ClerkSOCache, `modules` are those of httpd that it needs."""

    program, modules = "", ()

    def __init__(self, root):
        self.root, self.port = pathlib.Path(root), free_port()
        self.process = None
        self.start()

    @classmethod
    def is_installed(cls):
        return shutil.which(cls.program) is not None

    def command(self):
        raise NotImplementedError

    def start(self):
        """Also after a stop: at the same port, empty."""
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None and time.monotonic() < deadline, f"{self.program} did not start"
            time.sleep(0.02)

    def pause(self):
        """It takes connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


class Redis(Store):
    program, modules = "redis-server", ("socache_redis",)

    spec = property(lambda self: self.spec_at(self.port))

    @staticmethod
    def spec_at(port):
        return f"redis:127.0.0.1:{port}"

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.root)]

    def say(self, *words):
        """One command of redis; the answer as bytes, a list, a number or None."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection, connection.makefile("rb") as stream:
            connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
            return self._answer(stream)

    def _answer(self, stream):
        line = stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"$":
            return stream.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self._answer(stream) for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest

    def values(self):
        return {key: self.say("GET", key) for key in self.say("KEYS", "*")}


class Memcached(Store):
    program, modules = "memcached", ("socache_memcache",)

    spec = property(lambda self: self.spec_at(self.port))

    @staticmethod
    def spec_at(port):
        return f"memcache:127.0.0.1:{port}"

    def command(self):
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        return [self.program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "16", *user]


class Slow:
    """A proxy in front of a store: each answer waits for `delay` seconds. A change counts for those that wait already."""

    def __init__(self, store, delay=0.0):
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self._store, self._delay, self._begun = store, delay, threading.Condition()
        self._open, self.answers = [], 0
        self.spec = store.spec_at(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def delay(self):
        return self._delay

    @delay.setter
    def delay(self, seconds):
        with self._begun:
            self._delay = seconds
            self._begun.notify_all()

    def stop(self):
        self.delay = 0
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    store = socket.create_connection(("127.0.0.1", self._store.port), 10)
                except OSError:
                    client.close()
                    continue
                store.settimeout(None)
                self._open += [client, store]
                threading.Thread(target=self._pass_on, args=(client, store, False), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(store, client, True), daemon=True).start()

    def _pass_on(self, source, target, is_answer):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_answer:
                    self._wait(time.monotonic())
                    self.answers += 1
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _wait(self, since):
        with self._begun:
            while (left := since + self._delay - time.monotonic()) > 0:
                self._begun.wait(left)
