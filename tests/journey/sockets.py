"""What journeys over real sockets need: a server in a process of its own, and bytes both ways with a time limit."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

WAIT_S = 20
OPENING = (
    b"GET /any HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
MASK = b"\x37\xfa\x21\x3d"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(*arguments: str) -> Iterator[int]:
    """`python ARGUMENTS PORT …` until the block ends; `PORT` among them stands for a free port."""
    port = free_port()
    command = [str(port) if argument == "PORT" else argument for argument in arguments]
    process = subprocess.Popen([sys.executable, *command])
    try:
        _until_open(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + WAIT_S
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(OSError):
            return connect(port).close()
        time.sleep(0.02)
    raise AssertionError("the server did not come up")


def connect(port: int) -> socket.socket:
    """A socket on which nothing waits for longer than `WAIT_S`."""
    return socket.create_connection(("127.0.0.1", port), WAIT_S)


def all_of(sock: socket.socket) -> bytes:
    """Everything until the other side ends; a reset is an error."""
    parts = []
    while part := sock.recv(1 << 18):
        parts.append(part)
    return b"".join(parts)


def until(sock: socket.socket, end: bytes) -> bytes:
    """Everything up to `end` and what came with it."""
    data = b""
    while end not in data:
        part = sock.recv(1 << 16)
        assert part, f"the other side ended after {data[-200:]!r}"
        data += part
    return data


def masked(op: int, payload: bytes = b"", fin: bool = True, rsv: int = 0, wide: int | None = None) -> bytes:
    """A client's frame; `wide` writes the length in so many bytes, whether or not that is right."""
    length = len(payload)
    wide = (0 if length < 126 else 2 if length < 65536 else 8) if wide is None else wide
    short = {0: length, 2: 126, 8: 127}[wide]
    head = bytes([fin << 7 | rsv << 4 | op, 0x80 | short]) + length.to_bytes(8, "big")[8 - wide :]
    key = (MASK * (length // 4 + 1))[:length]
    body = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
    return head + MASK + body


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """A server's frames: the first byte and the payload of each; nothing may be left over."""
    found = []
    while data:
        short = data[1]
        wide = {126: 2, 127: 8}.get(short, 0)
        length = int.from_bytes(data[2 : 2 + wide], "big") if wide else short
        found.append((data[0], data[2 + wide : 2 + wide + length]))
        assert len(found[-1][1]) == length, "a frame was cut off"
        data = data[2 + wide + length :]
    return found
