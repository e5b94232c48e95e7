"""A real server for measuring: started as a user starts it, watched through /proc, ended by its own process id."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from uproar.auth import Identity, make_token
from uproar.cli.secret import load_secret

TICKS = os.sysconf("SC_CLK_TCK")
READY = re.compile(r"http://\S+?:(\d+).*metrics on (\d+)")  # its line when it is ready


class Server:
    """`uproar serve --open` on two free ports, with a data directory of its own; `cpu` pins it to one core."""

    def __init__(self, data: Path, *, cpu: int | None = None, **settings: object) -> None:
        self.data = data
        self.cpu = cpu
        self.settings = {f"UPROAR_{name.upper()}": str(value) for name, value in settings.items()}
        self.port = 0
        self.ready_s = 0.0

    def start(self) -> "Server":
        """Start it and wait until it says that it is ready."""
        pin = ["taskset", "-c", str(self.cpu)] if self.cpu is not None else []
        uproar = str(Path(sys.executable).with_name("uproar"))
        command = [
            *pin,
            uproar,
            "serve",
            "--open",
            "--port",
            str(self.port),
            "--admin-port",
            "0",
            "--data",
            str(self.data),
        ]
        began = time.perf_counter()
        self.process = subprocess.Popen(command, env={**os.environ, **self.settings}, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.ready_s = time.perf_counter() - began
        ports = READY.search(line)
        if ports is None:
            self.kill()
            raise RuntimeError(f"the server is not ready: {line!r}")
        self.port, self.admin_port = map(int, ports.groups())
        return self

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> int:
        """SIGTERM, and wait; its exit status. One that does not end is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.port = 0  # any other program may take the old one

    def cpu_s(self) -> float:
        """CPU seconds that it has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_bytes(self) -> int:
        """Its resident memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def metric(self, name: str) -> float:
        """One number of its /metrics; 0 where it has none of that name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def token(self, user: str, *roles: str, hours: float = 24) -> str:
        """A token of its own secret."""
        now_s = time.time()
        return make_token(Identity(user, user, int(now_s + hours * 3600), roles), load_secret(self.data), now_s)

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
