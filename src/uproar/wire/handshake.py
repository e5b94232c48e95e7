"""The opening of a WebSocket (RFC 6455, section 4) and of its compression (RFC 7692), as text in and text out."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from hashlib import sha1
from typing import NamedTuple
from urllib.parse import parse_qsl

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WINDOWS = tuple(str(bits) for bits in range(8, 16))
FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
BITS = ("server_max_window_bits", "client_max_window_bits")


class Request(NamedTuple):
    """A request's head: header names in lower case, several values of one name joined by commas."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Fault(NamedTuple):
    """Why a head opens no WebSocket: the HTTP status, and a sentence."""

    status: int
    detail: str


def parse_head(head: bytes) -> Request | Fault:
    """The request that a whole head (up to its empty line) makes."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3:
        return Fault(400, "this is not a request line")
    if parts[2] != "HTTP/1.1":
        return Fault(400, "an upgrade needs HTTP/1.1")
    path, _, query = parts[1].partition("?")
    headers: dict[str, str] = {}
    for line in filter(None, lines[1:]):
        name, colon, value = line.partition(":")
        if not colon:
            return Fault(400, "this is not a header")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace", max_num_fields=None)
    return Request(parts[0], path, dict(pairs), headers)


def tokens(value: str) -> list[str]:
    """A comma-separated header value, in lower case."""
    return [token.strip().lower() for token in value.split(",")]


def upgrade_fault(request: Request) -> Fault | None:
    """What keeps the request from opening a WebSocket; None when it may."""
    headers = request.headers
    if request.method != "GET" or "websocket" not in tokens(headers.get("upgrade", "")):
        return Fault(400, "this is not a WebSocket upgrade")
    if "upgrade" not in tokens(headers.get("connection", "")):
        return Fault(400, "the Connection header does not ask for an upgrade")
    if headers.get("sec-websocket-version") != "13":
        return Fault(426, "only WebSocket version 13 is spoken here")
    return None if _is_key(headers.get("sec-websocket-key", "")) else Fault(400, "Sec-WebSocket-Key is not 16 bytes")


def accept_key(key: str) -> str:
    """The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`."""
    return b64encode(sha1(key.encode("latin-1") + MAGIC, usedforsecurity=False).digest()).decode("ascii")


def switching(request: Request, extension: str) -> bytes:
    """The answer 101; `extension` is what `negotiate` gave (empty: none)."""
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept_key(request.headers['sec-websocket-key'])}",
    ]
    if extension:
        lines.append(f"Sec-WebSocket-Extensions: {extension}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def negotiate(offers: str) -> str:
    """The first offer of permessage-deflate that can be met, as the answer to it; empty: none.

    The client keeps no context, so that no inflater stands per viewer. A server window below 15 bits is declined.
    """
    for offer in offers.split(","):
        name, *params = (part.strip() for part in offer.split(";"))
        if name.lower() != "permessage-deflate":
            continue
        wanted = _parameters(params)
        if wanted is not None and wanted.get("server_max_window_bits", "15") == "15":
            server = "; server_no_context_takeover" if "server_no_context_takeover" in wanted else ""
            bits = "; server_max_window_bits=15" if "server_max_window_bits" in wanted else ""
            return f"permessage-deflate{server}; client_no_context_takeover{bits}"
    return ""


def _parameters(params: list[str]) -> dict[str, str] | None:
    """An offer's parameters; None where one is unknown, given twice, or has a wrong value."""
    found: dict[str, str] = {}
    for param in params:
        name, equals, value = (part.strip() for part in param.partition("="))
        name, value = name.lower(), value.strip('"')
        if name in found or not _allowed(name, bool(equals), value):
            return None
        found[name] = value
    return found


def _allowed(name: str, valued: bool, value: str) -> bool:
    if name in FLAGS:
        return not valued
    return (name == "client_max_window_bits" and not valued) or (name in BITS and value in WINDOWS)


def _is_key(key: str) -> bool:
    try:
        return len(b64decode(key, validate=True)) == 16
    except (NotBase64, ValueError):
        return False
