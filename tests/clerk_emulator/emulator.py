# SPDX-License-Identifier: Apache-2.0
"""Several instances in one process, each on a port of its own."""

import tempfile

from . import certificates
from .instance import Instance
from .listener import Listener


class Emulator:
    """Hosts instances; usable as a context manager."""

    def __init__(self, tls=False, scripts=None):
        """`tls`: listeners speak TLS with a certificate signed by the CA in `ca_file`.

        `scripts`: directory with @clerk/clerk-js/dist/ and the like, served under /npm/."""
        self.instances = []
        self.ca_file = None
        self._tls = tls
        self._scripts = scripts
        self._directory = None
        self._authority = None
        self._listeners = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def add_instance(self, instance=None, port=0, tls=None, **arguments):
        """Starts a listener for `instance` (or for Instance(**arguments)) and returns the instance."""
        instance = instance or Instance(**arguments)
        self.instances.append(instance)
        instance.listener = self.add_listener([instance], port, self._tls if tls is None else tls)
        return instance

    def add_listener(self, instances=None, port=0, tls=False):
        """A further port; the Host header chooses among `instances` (default: all there are now)."""
        listener = Listener(instances or self.instances, port, self._context() if tls else None, self._scripts)
        self._listeners.append(listener.start())
        return listener

    def start(self):
        for listener in self._listeners:
            listener.start()
        return self

    def stop(self):
        for listener in self._listeners:
            listener.stop()
        if self._directory:
            self._directory.cleanup()
            self._directory = self._authority = self.ca_file = None

    def _context(self):
        if self._authority is None:
            self._directory = tempfile.TemporaryDirectory(prefix="clerk-emulator-")
            self._authority = certificates.Authority(self._directory.name)
            self.ca_file = self._authority.file
        hosts = {"localhost", "*.clerk.accounts.dev", "*.accounts.dev", "example.test", "*.example.test"}
        return self._authority.server_context(sorted(hosts | {each.host.split(":")[0] for each in self.instances}))
