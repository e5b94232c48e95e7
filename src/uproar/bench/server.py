"""A real server for measuring: started as a user starts it, watched through /proc, ended by its own process id."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from uproar.auth import Identity, make_token
from uproar.bench.cores import SERVER_CPU
from uproar.bench.proc import PROC, usage
from uproar.settings import PREFIX, environment_name

ENDS_WITHIN_S = 60


class Server:
    """`uproar serve --open` on two free ports, with a data directory of its own, pinned to the cores of `cpus`.

    `cpus` is as taskset wants it (`0-2`), `settings` are by their names; its log is beside the data directory.
    """

    def __init__(self, data: Path, *, cpus: str = str(SERVER_CPU), **settings: object) -> None:
        self.data = data
        self.cpus = cpus
        self.secret = secrets.token_hex(32)
        self.settings = settings
        self.port = 0
        self.ready_s = 0.0

    def start(self) -> "Server":
        """Start it and wait until it says that it is ready; raises `RuntimeError` with its log where it does not."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), env=self._environment(), stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready_s = time.perf_counter() - began
        self.port, self.admin_port = self._ports(line)
        return self

    @property
    def _log(self) -> Path:
        return self.data.with_suffix(".log")

    def _command(self) -> list[str]:
        uproar = str(Path(sys.executable).with_name("uproar"))
        ports = ["--port", str(self.port), "--admin-port", "0"]
        return ["taskset", "-c", self.cpus, uproar, "serve", "--open", *ports, "--data", str(self.data)]

    def _environment(self) -> dict[str, str]:
        """No setting of whoever measures, so that all measure the same."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        given = {"secret": self.secret, **self.settings}
        return others | {environment_name(name): str(value) for name, value in given.items()}

    def _ports(self, line: str) -> tuple[int, int]:
        """Out of its line when it is ready: `uproar is at http://HOST:PORT (metrics on ADMIN_PORT)`."""
        place, found, metrics = line.partition(" (metrics on ")
        if not found:
            self.kill()
            raise RuntimeError(f"the server is not ready: {self._log.read_text()}")
        return int(place.rpartition(":")[2]), int(metrics.partition(")")[0])

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM, and wait; its exit status. One that does not end is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL; its gateways end with it."""
        self.process.kill()
        self.process.wait()
        self.port = 0  # any other program may take the old one

    def pause(self, signal_number: int) -> None:
        """Send it SIGSTOP, or SIGCONT to let it go on."""
        self.process.send_signal(signal_number)

    # -- what it takes

    def cpu_s(self) -> float:
        """CPU seconds that it and its processes have taken so far."""
        return usage(self.process.pid).cpu_s

    def rss_kib(self) -> int:
        """Resident memory, its processes' too."""
        return usage(self.process.pid).rss_kib

    def descriptors(self) -> int:
        """How many the process that has the port has open."""
        return sum(1 for _ in (PROC / str(self.process.pid) / "fd").iterdir())

    def threads(self) -> int:
        """How many the process that has the port has."""
        return sum(1 for _ in (PROC / str(self.process.pid) / "task").iterdir())

    def metric(self, name: str) -> float:
        """What its /metrics says under a name, added up over labels. KeyError where there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        values = [float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))]
        if not values:
            raise KeyError(name)
        return sum(values)

    # -- what is asked of it

    def token(self, user: str, *roles: str, hours: float = 24) -> str:
        """A token of its own secret."""
        now_s = time.time()
        return make_token(Identity(user, user, int(now_s + hours * 3600), roles), self.secret.encode(), now_s)

    def call(self, method: str, path: str, token: str = "", body: object = None) -> tuple[int, object]:
        """One REST call: status and decoded body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as fault:
            return fault.code, json.loads(fault.read() or b"null")
