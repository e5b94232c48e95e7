"""Which servers that others made can be measured: how each is had, started, fed and watched."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from uproar.bench.installed import NotHere, go_peers, node_peers, python_peers, source, tool

NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")  # Debian's
NOTHING: Mapping[str, object] = MappingProxyType({})


class Start(NamedTuple):
    """What the command of a peer is made of: where viewers come, where a broker is fed, and what is published."""

    port: int
    inner: int
    folder: Path  # of its own, for what it writes
    bytes: int
    rate: float
    seconds: float

    def words(self, port: int) -> list[str]:
        """The end of the command line of whoever publishes."""
        return [str(word) for word in (port, self.bytes, self.rate, self.seconds)]

    def filled(self, configuration: str) -> str:
        """The path of a copy with this run's ports and folder in it."""
        text = source(configuration).read_text()
        for word, value in {"PORT": self.port, "INNER": self.inner, "FOLDER": self.folder}.items():
            text = text.replace(word, str(value))
        made = self.folder / Path(configuration).name
        made.write_text(text)
        return str(made)


class Peer(NamedTuple):
    """One of them. A broker is fed by a small program beside the viewers; all others publish themselves."""

    made: Callable[[], Path]  # its program or folder, installed on first use; `NotHere` says why it cannot be had
    command: Callable[[Path, Start], list[str]]
    path: str = "/"
    speaks: Mapping[str, object] = NOTHING  # options of `load.c`
    broker: str = ""  # as `publish.py` calls it


def _python(name: str) -> Peer:
    def command(python: Path, start: Start) -> list[str]:
        return [str(python), str(source(f"python/serve_{name}.py")), *start.words(start.port)]

    return Peer(python_peers, command)


def _node(name: str, path: str = "/", speaks: Mapping[str, object] = NOTHING) -> Peer:
    def command(folder: Path, start: Start) -> list[str]:
        return [tool("node"), str(folder / f"{name}.mjs"), *start.words(start.port)]

    return Peer(node_peers, command, path, speaks)


def _nginx() -> Path:
    if not NCHAN.exists():
        raise NotHere("nchan is Debian's package libnginx-mod-nchan, and it is not here: install it.")
    return Path(tool("nginx"))


def _named(variable: str) -> Callable[[], Path]:
    """A program that the user built."""

    def made() -> Path:
        path = os.environ.get(variable)
        if not path:
            raise NotHere(f"This peer comes as no package: build it, and name its program in {variable}.")
        return Path(tool(path))

    return made


PEERS: Mapping[str, Peer] = {
    "picows": _python("picows"),
    "websockets": _python("websockets"),
    "aiohttp": _python("aiohttp"),
    "ws": _node("ws"),
    "socketio": _node(
        "socketio",
        path="/socket.io/?EIO=4&transport=websocket",
        speaks={"answer": ("0{=40", "2=3"), "prefix": '42["batch",'},
    ),
    "gorilla": Peer(go_peers, lambda folder, start: [str(folder / "gorilla"), *start.words(start.port)]),
    "nats": Peer(
        go_peers,
        lambda folder, start: [str(folder / "nats-server"), "--config", start.filled("go/nats.conf")],
        speaks={"answer": ('INFO =CONNECT {"verbose":false}\r\nSUB live 1\r\n', "PING=PONG\r\n"), "lines": True},
        broker="nats",
    ),
    "nchan": Peer(
        _nginx,
        lambda nginx, start: [str(nginx), "-p", str(start.folder), "-c", start.filled("nchan/nginx.conf")],
        broker="nchan",
    ),
    "centrifugo": Peer(
        _named("BENCH_CENTRIFUGO"),
        lambda program, start: [str(program), "--config", start.filled("centrifugo/centrifugo.json")],
        path="/connection/websocket",
        speaks={
            "hello": '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"live"}}',
            "answer": ("{}={}",),
            "prefix": '{"push":{"channel":"live","pub":{"data":',
            "lines": True,
        },
        broker="centrifugo",
    ),
    "uwebsockets": Peer(_named("BENCH_UWEBSOCKETS"), lambda program, start: [str(program), *start.words(start.port)]),
}
"""By the names that users give them."""
