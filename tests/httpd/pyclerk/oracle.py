# SPDX-License-Identifier: Apache-2.0
"""The real @clerk/backend as a child process: requests and verdicts are JSON lines (see tests/oracle/judge.mjs)."""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading

DIRECTORY = pathlib.Path(__file__).resolve().parents[2] / "oracle"


def missing():
    """The reason why the oracle cannot run, or None."""
    if not shutil.which(node()):
        return "node is not installed"
    if not (modules() / "@clerk/backend").is_dir():
        return "tests/oracle/node_modules is missing; run npm ci there, or scripts/test"
    return None


def node():
    return os.environ.get("CLERK_NODE", "node")


def modules():
    return pathlib.Path(os.environ.get("CLERK_ORACLE_MODULES", DIRECTORY / "node_modules"))


class Oracle:
    def __init__(self, *node_options):
        self._process = subprocess.Popen(
            [node(), *node_options, str(DIRECTORY / "judge.mjs")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
            env={k: v for k, v in os.environ.items() if not k.startswith("CLERK_")}  # the SDK reads these
            | {"CLERK_ORACLE_MODULES": str(modules())},
        )
        self._lock = threading.Lock()
        self._next = 0
        self._waiting = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.version = self.ask({"hello": True})["version"]

    def _read(self):
        for line in self._process.stdout:
            answer = json.loads(line)
            with self._lock:
                waiting = self._waiting.pop(answer["id"])
            waiting.put(answer)
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.put({"error": "the oracle has ended"})

    def send(self, question):
        """Ask without waiting; returns a function that waits for the answer."""
        box = queue.SimpleQueue()
        with self._lock:
            self._next += 1
            number = self._next
            self._waiting[number] = box
            self._process.stdin.write(json.dumps({**question, "id": number}) + "\n")
            self._process.stdin.flush()
        return lambda: box.get(timeout=60)

    def ask(self, question):
        return self.send(question)()

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
