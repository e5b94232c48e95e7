"""Publishes to a broker: `publish.py BROKER PORT BYTES RATE SECONDS`; needs nothing but Python itself."""

import asyncio
import http.client
import json
import socket
import sys

from pace import Send, publish, wish

HOST = "127.0.0.1"


def to_nats(port: int) -> Send:
    """Its own protocol; nothing that it says is waited for."""
    line = socket.create_connection((HOST, port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(b'CONNECT {"verbose":false}\r\n')

    async def send(text: str) -> None:
        message = text.encode()
        line.sendall(b"PUB live %d\r\n%b\r\n" % (len(message), message))

    return send


def to_nchan(port: int) -> Send:
    """A POST for each."""
    post = _poster(port)

    async def send(text: str) -> None:
        post("/publish", text, {"Content-Type": "application/json"})

    return send


def to_centrifugo(port: int) -> Send:
    """A POST for each to its API."""
    post = _poster(port)

    async def send(text: str) -> None:
        post("/api/publish", json.dumps({"channel": "live", "data": json.loads(text)}, separators=(",", ":")), {})

    return send


def _poster(port: int):
    line = http.client.HTTPConnection(HOST, port)

    def post(path: str, body: str, headers: dict[str, str]) -> None:
        line.request("POST", path, body, headers)
        answer = line.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"the broker refused a message: {answer.status} {said!r}")

    return post


BROKERS = {"nats": to_nats, "nchan": to_nchan, "centrifugo": to_centrifugo}

if __name__ == "__main__":
    asked = wish(sys.argv)
    asyncio.run(publish(BROKERS[sys.argv[1]](asked.port), asked))
