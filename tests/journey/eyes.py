"""A viewer for journeys: says ops, and looks for messages within a time limit."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.web.served import Served

WITHIN_S = 5.0


class Eye:
    """One connection to a stream; `seen` keeps every message in order."""

    def __init__(self, served: Served, stream: str, query: str = "", plain: bool = False, **more: Any) -> None:
        url = f"ws://127.0.0.1:{served.port}/v1/streams/{stream}/live{query}"
        compression = None if plain else "deflate"
        self._held = ExitStack()
        opening = connect(url, compression=compression, proxy=None, close_timeout=2, **more)
        self.socket: ClientConnection = self._held.enter_context(opening)
        self.seen: list[dict[str, Any]] = []
        self.joined = self.until(lambda message: message["type"] == "joined")

    def __enter__(self) -> "Eye":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._held.close()

    def say(self, op: str, **fields: Any) -> "Eye":
        self.socket.send(json.dumps({"op": op, **fields}))
        return self

    def until(self, wanted: Callable[[dict[str, Any]], Any], within_s: float = WITHIN_S) -> dict[str, Any]:
        """The next message that is wanted; those before it are only kept."""
        give_up = time.monotonic() + within_s
        while True:
            message = json.loads(self.socket.recv(max(0.0, give_up - time.monotonic())))
            self.seen.append(message)
            if wanted(message):
                return message

    def next(self, type_: str) -> dict[str, Any]:
        return self.until(lambda message: message["type"] == type_)

    def batch(self, field: str) -> dict[str, Any]:
        """The next batch in which this field stands."""
        return self.until(lambda message: message["type"] == "batch" and field in message)

    def sees(self, text: str) -> dict[str, Any]:
        """The comment of this text, from the batch that brings it."""
        texts = self.until(lambda m: any(c["text"] == text for c in m.get("comments", ())) and m["type"] == "batch")
        return next(comment for comment in texts["comments"] if comment["text"] == text)

    def auth(self, token: str) -> dict[str, Any]:
        self.say("auth", token=token)
        return self.until(lambda message: message["type"] in ("welcome", "refused"))

    def post(self, ref: str, text: str, **more: Any) -> dict[str, Any]:
        """The answer to a post."""
        self.say("post", ref=ref, text=text, **more)
        return self.until(lambda message: message.get("ref") == ref)

    def closed(self) -> int | None:
        """Read on until the server closes: the close code."""
        try:
            while True:
                self.seen.append(json.loads(self.socket.recv(WITHIN_S)))
        except ConnectionClosed as over:
            return over.rcvd.code if over.rcvd else None
