# SPDX-License-Identifier: Apache-2.0
"""An httpd with its own root directory, on its own port."""

import contextlib
import os
import pathlib
import pwd
import random
import resource
import signal
import socket
import subprocess
import time

from .apxs import Apxs
from .client import Connection, request
from .log import ErrorLog

_MODULES = (
    "unixd", "log_config", "logio", "version", "watchdog", "authn_core", "authz_core", "authz_host", "authz_user", "authn_file",
    "auth_basic", "access_compat", "mime", "dir", "alias", "env", "setenvif", "headers", "rewrite", "include",
    "autoindex", "negotiation", "status", "info", "proxy", "proxy_http", "proxy_fcgi", "socache_shmcb",
)
_USERS = ("www-data", "apache", "daemon", "nobody")
# Variables in the developer's environment must not configure the servers of the tests.
_FOREIGN = ("CLERK_", "APACHE_", "MALLOC_")


class HttpdError(AssertionError):
    pass


def free_port():
    """Below the ephemeral range, so that no outgoing connection takes it between here and httpd's bind."""
    while True:
        port = random.SystemRandom().randrange(12000, 32000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def unprivileged_user():
    for name in _USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise HttpdError("no user to run httpd as")


def children_of(parent):
    """Process ids."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


# Children that crash leave a core: see backtraces().
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


class Httpd:
    """Directories: root/conf, root/htdocs, root/logs, root/run, root/state. Stop it with stop() or a with statement."""

    watched = []  # every server whose log has something to say about the test that runs

    def __init__(self, root, mpm=None, module=None):
        self.apxs = Apxs()
        self.root = pathlib.Path(root)
        self.mpm = mpm or os.environ.get("MPM", "event")
        self.module = module or os.environ["CLERK_MODULE"]
        self.port = free_port()
        self.env = {}
        self.process = None
        self.stopped_from = None  # where the log ended when the server was told to stop
        self.docroot = self.root / "htdocs"
        for name in ("conf", "cores", "htdocs", "logs", "run", "state"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / name).chmod(0o755)
        self.root.chmod(0o755)
        if os.geteuid() == 0:
            user = unprivileged_user()
            for name in ("cores", "state"):
                os.chown(self.root / name, user.pw_uid, user.pw_gid)
                (self.root / name).chmod(0o700)
        self.log = ErrorLog(self.root / "logs/error.log")
        self.access_log = self.root / "logs/access.log"
        self.conf = self.root / "conf/httpd.conf"
        self.write("index.html", "public page\n")

    # The configuration

    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def write(self, path, text, mode=0o644, base=None):
        """A file below the document root (or `base`)."""
        full = (base or self.docroot) / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text, encoding="utf-8")
        full.chmod(mode)
        return full

    def secret_file(self, name, text, mode=0o600):
        return self.write(name, text, mode, self.root / "conf")

    def cgi(self, path, text=None):
        """A CGI program; by default it prints its environment."""
        text = text or "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec env\n"
        return self.write(path, text, 0o755)

    def configure(self, text, modules=(), log_level="info", mpm=None, load_clerk=True, global_text=""):
        """Write the configuration. `text` follows a complete base configuration that grants the document root."""
        cgi = "cgi" if self.mpm == "prefork" else "cgid"
        loads = "".join(self.apxs.load(name) for name in (f"mpm_{self.mpm}", *_MODULES, cgi, *modules))
        if load_clerk:
            loads += f'LoadModule auth_clerk_module "{self.module}"\n'
        types = self.write("mime.types", "text/html html shtml\ntext/plain txt\n", base=self.root / "conf")
        user = ""
        if os.geteuid() == 0:
            name = unprivileged_user().pw_name
            group = subprocess.run(["id", "-gn", name], capture_output=True, text=True, check=True).stdout.strip()
            user = f"User {name}\nGroup {group}\n"
        state = "ClerkStateDir none" if load_clerk and "ClerkStateDir" not in text + global_text else ""
        self.conf.write_text(
            f"""{loads}
ServerRoot "{self.root}"
DefaultRuntimeDir "{self.root}/run"
PidFile "{self.root}/run/httpd.pid"
CoreDumpDirectory "{self.root}/cores"
{f'ScriptSock "{self.root}/run/cgisock"' if cgi == "cgid" else ''}
{user}Listen 127.0.0.1:{self.port}
ServerName 127.0.0.1:{self.port}
TypesConfig "{types}"
ErrorLog "{self.log.path}"
LogLevel {log_level}
LogFormat "%h %u %t \\"%r\\" %>s %b" common
CustomLog "{self.access_log}" common
Timeout 30
KeepAliveTimeout 10
MaxKeepAliveRequests 0
DocumentRoot "{self.docroot}"
{_tuning(self.mpm) if mpm is None else mpm}
{state}
{global_text}
<Directory "/">
    Require all denied
    AllowOverride None
</Directory>
<Directory "{self.docroot}">
    Require all granted
    AllowOverride All
    Options All
    AddHandler cgi-script .cgi
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
</Directory>
{text}
""",
            encoding="utf-8",
        )
        return self

    # Running

    def _command(self, *arguments):
        return [self.apxs.httpd, "-d", str(self.root), "-f", str(self.conf), *arguments]

    def _environment(self):
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        return {**inherited, "LC_ALL": "C", **self.env}

    def check(self, *arguments):
        """`httpd -t`: (exit code, what it printed)."""
        done = subprocess.run(
            self._command("-t", *arguments),
            env=self._environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self, timeout=20.0):
        self.stop()
        # Before the start: on a busy machine it may be ready before we look.
        self.log.mark()
        stderr = open(self.root / "logs/stderr.log", "wb")
        with stderr:
            self.process = subprocess.Popen(
                self._command("-DFOREGROUND"),
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, start_new_session=True,
            )
        if self not in Httpd.watched:
            Httpd.watched.append(self)
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                self.stop()
                raise HttpdError(f"httpd did not start:\n{self.stderr()}\n{self.log.text()[-4000:]}")
            # The port is open before the configuration has been read the second time.
            if "resuming normal operations" in self.log.recent():
                return self
            if time.monotonic() > deadline:
                self.stop()
                raise HttpdError(f"httpd does not get ready:\n{self.stderr()}")
            time.sleep(0.01)

    def stderr(self):
        return (self.root / "logs/stderr.log").read_text("utf-8", "backslashreplace")

    def graceful(self, timeout=20.0):
        """Graceful restart; returns when the new generation runs."""
        self.log.mark()
        self.process.send_signal(signal.SIGUSR1)
        self.log.wait_for(r"resuming normal operations", timeout)

    @classmethod
    def log_problems(cls):
        """Messages in the logs of all servers that no test has announced; servers that have ended are dropped."""
        problems = []
        for server in list(cls.watched):
            unexpected = server.log.unexpected()
            problems += [f"{server.root.name}: {server.when_it_stopped(line)}" for line in unexpected]
            if any("exit signal" in line for line in unexpected):
                problems += [server.when_it_stopped(line) for line in server.log.text()[-4000:].splitlines()]
                problems += server.backtraces()
            if server.process is None:
                cls.watched.remove(server)
        return problems

    def when_it_stopped(self, line):
        """A line of the log, in words of its own where a child crashed after the server had been told to stop: event's
        children do that once in ten thousand times also without this module (httpd 2.4.71), and scripts/test gives such a
        test a second try."""
        crashed = "exit signal" in line and self.stopped_from is not None and self.log.text().find(line) >= self.stopped_from
        return line.replace("exit signal", "ended, after the server was told to stop, by signal") if crashed else line

    def backtraces(self):
        """Where children crashed, if the system kept cores and gdb is there. A rare crash may never come again."""
        texts = []
        for core in (self.root / "cores").iterdir():
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                command = ["gdb", "-batch", "-nx", "-ex", "thread apply all backtrace 25", self.apxs.httpd, str(core)]
                texts.append(subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False).stdout[-12000:])
        return texts

    def restart(self):
        self.stop()
        return self.start()

    def stop(self, timeout=15.0):
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            self._settle(process.pid)
            self.stopped_from = len(self.log.text())
            process.terminate()
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the process group that this object created
                process.wait(timeout)
                raise HttpdError(f"httpd did not stop in {timeout} s") from None

    def _settle(self, pid, timeout=2.0):
        """Until the last connections are closed and all children have begun to serve. A child of the event MPM that is told
        to stop while its workers close many at once may crash by itself (httpd 2.4.71, without any of our code); and one
        that is still starting calls exit() in its signal handler, be it in the midst of malloc(), and crashes then."""
        local = f"0100007F:{self.port:04X}"
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
            if (not any(fields[1] == local and fields[3] in ("01", "08") for fields in lines)  # established, close-wait
                    and self._have_all_started(pid)):
                return
            time.sleep(0.02)

    def _have_all_started(self, parent):
        """Whether all children of a threaded MPM have their threads; that of mod_cgid never has any."""
        if self.mpm == "prefork":
            return True
        without_threads = 0
        for pid in children_of(parent):
            with contextlib.suppress(OSError):  # it ends meanwhile
                same = pathlib.Path(f"/proc/{pid}/comm").read_bytes() == pathlib.Path(f"/proc/{parent}/comm").read_bytes()
                without_threads += same and b"\nThreads:\t1\n" in pathlib.Path(f"/proc/{pid}/status").read_bytes()
        return without_threads <= 1

    def children(self):
        """Process ids of the child processes."""
        return children_of(self.process.pid)

    def read_proc(self, name):
        """What /proc says of the server's processes, by process id: those that end meanwhile are left out."""
        texts = {}
        for pid in [self.process.pid, *self.children()]:
            with contextlib.suppress(OSError):
                texts[pid] = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
        return texts

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # Talking to it

    def request(self, method, target, headers=None, body=None):
        return request(self.port, method, target, headers, body)

    def get(self, target, headers=None):
        return self.request("GET", target, headers)

    def connection(self):
        return Connection(self.port)


def _tuning(mpm):
    """Small and quick to start; two children, so that tests use several processes."""
    if mpm == "prefork":
        return "StartServers 4\nMinSpareServers 2\nMaxSpareServers 8\nServerLimit 32\nMaxRequestWorkers 32"
    return "StartServers 2\nServerLimit 2\nThreadsPerChild 16\nMaxRequestWorkers 32\nMinSpareThreads 16\nMaxSpareThreads 32"
