# SPDX-License-Identifier: Apache-2.0
"""A lean private httpd whose processor time and memory can be read."""

import os
import pathlib
import subprocess
import time

from pyclerk.httpd import Httpd, unprivileged_user
from pyclerk.log import ErrorLog

# The modules needed for a static file with access control, and none that slow the baseline down.
_MODULES = ("unixd", "log_config", "watchdog", "authn_core", "authz_core", "authz_user", "authz_host", "mime", "dir", "headers")
CHILDREN = 40  # of prefork
_TICKS = os.sysconf("SC_CLK_TCK")
BODY = "x" * 1023 + "\n"
PAGE = "<!doctype html><html><head><title>Page</title></head><body>" + "<p>text</p>\n" * 8533 + "</body></html>\n"  # 100 KB

_TUNING = {
    "event": "StartServers 2\nServerLimit 2\nThreadsPerChild 32\nThreadLimit 32\nMaxRequestWorkers 64\n"
    "MinSpareThreads 64\nMaxSpareThreads 64\n",
    "prefork": "StartServers {workers}\nMinSpareServers {workers}\nMaxSpareServers {workers}\nServerLimit {limit}\n"
    "MaxRequestWorkers {limit}\n",
}


class StartLog(ErrorLog):
    """The error log since the server was started, from its first line."""

    def mark(self):
        self._mark = 0


class BenchServer(Httpd):
    """The same configuration for every contestant, apart from `text` (inside the server) and `loads` (LoadModule lines).

    Documents: /bench.txt, 1 KB, wherever a section of `text` protects it."""

    def __init__(self, root, mpm="event", module="", workers=CHILDREN):
        super().__init__(root, mpm, module or "unused")
        self.workers = workers
        self.log = StartLog(self.log.path)
        (self.docroot / "bench.txt").write_text(BODY, encoding="ascii")
        self.loads = ""

    def set_up(self, text="", loads="", log_level="warn", access_log=True, per_child=0, keepalive_requests=0):
        types = self.write("mime.types", "text/plain txt\n", base=self.root / "conf")
        user = ""
        if os.geteuid() == 0:
            name = unprivileged_user()
            group = subprocess.run(["id", "-gn", name.pw_name], capture_output=True, text=True, check=True).stdout.strip()
            user = f"User {name.pw_name}\nGroup {group}\n"
        tuning = _TUNING[self.mpm].format(workers=self.workers, limit=self.workers + 8)
        self.conf.write_text(
            "".join(self.apxs.load(name) for name in (f"mpm_{self.mpm}", *_MODULES))
            + loads
            + f"""
ServerRoot "{self.root}"
DefaultRuntimeDir "{self.root}/run"
PidFile "{self.root}/run/httpd.pid"
{user}Listen 127.0.0.1:{self.port}
ServerName 127.0.0.1:{self.port}
TypesConfig "{types}"
ErrorLog "{self.log.path}"
LogLevel {log_level} mpm_{self.mpm}:notice
LogFormat "%h %l %u %t \\"%r\\" %>s %O" common
{f'CustomLog "{self.access_log}" common' if access_log else ''}
Timeout 60
KeepAliveTimeout 60
MaxKeepAliveRequests {keepalive_requests}
MaxConnectionsPerChild {per_child}
LimitRequestFieldSize 65536
{tuning}
DocumentRoot "{self.docroot}"
<Directory "/">
    Require all denied
    AllowOverride None
    Options None
</Directory>
<Directory "{self.docroot}">
    Require all granted
    Options FollowSymLinks
</Directory>
{text}
""",
            encoding="utf-8",
        )
        return self

    def start(self, timeout=20.0):
        self.stop()
        self.log.path.unlink(missing_ok=True)  # and not a word of an earlier start
        return super().start(timeout)

    def processes(self):
        """The parent and its children."""
        return [self.process.pid, *self.children()]

    def cpu_seconds(self):
        """User and system time so far of the parent, its children, and the children it has reaped."""
        reaped = sum(map(int, _stat(self.process.pid)[15:17])) / _TICKS
        return reaped + sum(process_seconds(pid) for pid in self.processes())

    def memory(self):
        """Resident memory in KiB, each shared page counted once: the sum of the proportional set sizes."""
        return sum(proportional_memory(pid) for pid in self.processes())


def _stat(pid):
    """The fields of /proc/PID/stat as proc(5) numbers them, less one: cutime and cstime are [15] and [16]."""
    return [None, None] + pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def process_seconds(pid):
    """Nanosecond resolution, where /proc/PID/stat has a hundredth of a second: the CPU clock of another process, whose
    id is made as clock_getcpuclockid(3) makes it. A process that has just ended has none: its parent's figure has it."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1e9
    except OSError:
        return 0.0


def proportional_memory(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
