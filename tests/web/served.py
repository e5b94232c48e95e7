"""A real server as a user starts it, and the browser of the machine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

UPROAR = Path(sys.executable).with_name("uproar")
READY_WITHIN_S = 20
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser's path; raises with the way out where there is none."""
    path = os.environ.get("UPROAR_CHROMIUM", "/usr/bin/chromium")
    if shutil.which(path) is None:
        raise RuntimeError(
            f"There is no Chromium at {path}: install it (apt-get install chromium) or set UPROAR_CHROMIUM."
        )
    return path


class Served:
    """`uproar serve --open` on free ports; `kill` and `start` again keep the ports and the data."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, self.admin_port = _free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Served":
        self.process = subprocess.Popen(self.command())
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not become ready (exit status {self.process.poll()}).")
            time.sleep(0.05)
        return self

    def command(self) -> list[str]:
        ports = ["--port", str(self.port), "--admin-port", str(self.admin_port)]
        return [str(UPROAR), "serve", "--open", *ports, "--data", str(self.data)]

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def token(self, name: str, *roles: str, verified: bool = False) -> str:
        flags = [flag for role in roles for flag in ("--role", role)] + ["--verified"] * verified
        user = "".join(filter(str.isalnum, name.lower()))
        made = subprocess.run(
            [
                str(UPROAR),
                "token",
                "--name",
                name,
                "--sub",
                user,
                *flags,
                "--data",
                str(self.data),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        return made.stdout.strip()

    def call(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, dict]:
        """One REST call: status and body."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.url + path, data, headers, method=method), timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"{}")

    def _is_ready(self) -> bool:
        try:
            return self.call("GET", "/readyz")[0] == 200
        except (URLError, ConnectionError):
            return False

    def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(15)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
