# SPDX-License-Identifier: Apache-2.0
"""Many requests at once, from threads with keep-alive connections."""

import collections
import threading
import time

from .client import Connection


def at_once(port, makers):
    """Send one request for each (method, target, headers) of `makers`, all released at the same moment, each on its
    own connection that is already open. Returns the responses in order; an exception stands for a failed one."""
    barrier = threading.Barrier(len(makers))
    results = [None] * len(makers)

    def run(index, maker):
        try:
            with Connection(port) as connection:
                barrier.wait(30)
                results[index] = connection.request(*maker)
        except Exception as error:  # pylint: disable=broad-exception-caught  # it is the result
            results[index] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(makers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


class Load:
    """Requests from `threads` connections until stop(); counts what came back by status, and keeps failures."""

    def __init__(self, port, make, threads=8, pause=0.0):
        """`make(number)` gives (method, target, headers) and is called for every request."""
        self.counts = collections.Counter()
        self.failures = []
        self._port = port
        self._make = make
        self._pause = pause
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        connection = Connection(self._port)
        while not self._stopping.is_set():
            maker = self._make(number)
            try:
                response = self._once(connection, maker)
                with self._lock:
                    self.counts[response.status] += 1
                    if response.status != 200 and len(self.failures) < 20:
                        self.failures.append((response.status, response.reason, response.header("WWW-Authenticate")))
            except Exception as error:  # pylint: disable=broad-exception-caught  # it is counted
                connection.close()
                with self._lock:
                    self.counts[type(error).__name__] += 1
                    if len(self.failures) < 20:
                        self.failures.append(repr(error))
            if self._pause:
                self._stopping.wait(self._pause)
        connection.close()

    @staticmethod
    def _once(connection, maker):
        """If the server closed an idle keep-alive connection, try again on a new one, as browsers do."""
        fresh = not connection.is_open
        try:
            return connection.request(*maker)
        except OSError:
            connection.close()
            if fresh:
                raise
            return connection.request(*maker)

    def total(self):
        with self._lock:
            return sum(self.counts.values())

    def wait(self, more, timeout=20.0):
        """Until `more` further requests were answered."""
        goal, deadline = self.total() + more, time.monotonic() + timeout
        while self.total() < goal:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {self.total()} of {goal} requests answered: {self.counts}")
            time.sleep(0.01)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        return self.counts
