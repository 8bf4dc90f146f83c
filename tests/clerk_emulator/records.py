# SPDX-License-Identifier: Apache-2.0
"""The requests that the emulator received, for assertions."""

import collections
import dataclasses
import threading
import time

_KEPT = 20000


@dataclasses.dataclass(frozen=True)
class Record:
    endpoint: str
    method: str
    path: str
    query: dict  # name -> last value
    headers: dict  # lower-case name -> value
    body: str
    status: int  # 0: the connection was dropped
    time: float  # seconds since the epoch, real clock


class RequestLog:
    """A bounded list of requests and unbounded counters, safe for many threads."""

    def __init__(self):
        self._changed = threading.Condition()
        self._records = collections.deque(maxlen=_KEPT)
        self._counters = collections.Counter()

    def count_arrival(self, endpoint):
        """Counted on arrival, so that a request still being delayed is visible to the test."""
        with self._changed:
            self._counters[endpoint] += 1
            self._changed.notify_all()

    def add(self, record):
        with self._changed:
            self._records.append(record)
            self._changed.notify_all()

    def counters(self):
        with self._changed:
            return dict(self._counters)

    def count(self, endpoint):
        with self._changed:
            return self._counters[endpoint]

    def records(self, endpoint=None):
        with self._changed:
            return [record for record in self._records if endpoint in (None, record.endpoint)]

    def reset(self):
        with self._changed:
            self._records.clear()
            self._counters.clear()

    def wait_for(self, endpoint, count, timeout):
        """True as soon as `count` requests to `endpoint` have arrived since the last reset."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._counters[endpoint] < count:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True
